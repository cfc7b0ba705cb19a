import warnings

import numpy as np
import pytest
import sklearn
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import scale

from helpers.compat import l1_penalty


@pytest.mark.parametrize(
    ("version", "arguments"),
    [
        ("1.6.1", {"penalty": "l1"}),
        ("1.7.2", {"penalty": "l1"}),
        ("1.8.0", {"l1_ratio": 1}),
        ("1.10.dev0", {"l1_ratio": 1}),
        ("2.0.0", {"l1_ratio": 1}),
    ],
)
def test_spelling_of_each_version(monkeypatch, version, arguments):
    monkeypatch.setattr(sklearn, "__version__", version)
    assert l1_penalty() == arguments


def test_penalty_is_l1_and_silent():
    X, y = load_breast_cancer(return_X_y=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = LogisticRegression(C=0.05, solver="liblinear", **l1_penalty()).fit(scale(X), y)
        ridge = LogisticRegression(C=0.05, solver="liblinear").fit(scale(X), y)
    assert np.count_nonzero(model.coef_) < 15
    assert np.count_nonzero(ridge.coef_) == 30
