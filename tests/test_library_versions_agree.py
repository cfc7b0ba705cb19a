"""Models with default settings give the same values with scikit-learn 1.6.1 and 1.9.1."""

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import OneHotEncoder, StandardScaler, scale
from sklearn.svm import SVC

from helpers.datasets import load_adult


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
