import warnings

import numpy as np
import pytest
import sklearn
from sklearn.cluster import KMeans
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import OneHotEncoder, StandardScaler, scale
from sklearn.svm import SVC

from helpers.compat import l1_penalty
from helpers.datasets import load_adult


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


def test_defaults_mean_the_same_on_every_version():
    """Values of models with default settings, found alike with scikit-learn 1.6.1 and 1.9.1."""
    X, y = load_breast_cancer(return_X_y=True)
    X = scale(X)
    assert np.abs(LogisticRegression().fit(X, y).coef_).sum() == pytest.approx(18.219, abs=1e-3)
    assert KMeans(2, random_state=0).fit(X).inertia_ == pytest.approx(11595.7, abs=0.1)
    half, other = slice(None, None, 2), slice(1, None, 2)
    sums = {
        SVC: SVC().fit(X[half], y[half]).decision_function(X[other]).sum(),
        RandomForestClassifier: RandomForestClassifier(random_state=0)
        .fit(X[half], y[half])
        .predict_proba(X[other])[:, 1]
        .sum(),
    }
    assert sums == {
        SVC: pytest.approx(135.25, abs=0.01),
        RandomForestClassifier: pytest.approx(176.99, abs=1),
    }


def test_census_matrix_is_the_same_with_every_pandas():
    """pandas 3 reads words as `str`, where pandas 2 has `object`."""
    X, _ = load_adult(return_X_y=True)
    encode = make_column_transformer(
        (StandardScaler(), make_column_selector(dtype_include="number")),
        (OneHotEncoder(), make_column_selector(dtype_exclude="number")),
    )
    matrix = encode.fit_transform(X)
    assert matrix.shape == (32561, 108)
    assert matrix.sum() == pytest.approx(32561 * 8)  # a one for each column of words
    assert X.isna().sum().sum() == 4262
