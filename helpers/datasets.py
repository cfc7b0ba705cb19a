"""Real data that ship inside packages, so that every lesson runs offline.

Each loader of a table returns what scikit-learn's loaders return with `as_frame=True`. The packages
that carry the data are never imported: only a file inside them is read, and where one is missing, a
ModuleNotFoundError says what to install.
"""

import importlib.util
from pathlib import Path


def load_penguins(*, return_X_y=False):
    """Load the Palmer penguins: body measures of three species, with missing values.

    Parameters
    ----------
    return_X_y : bool
        Whether to return `(data, target)` instead of a Bunch.

    Returns
    -------
    sklearn.utils.Bunch
        With `data` (344, 7) DataFrame: bill length, bill depth and flipper length in mm, body
        mass in g (float64), island and sex (text), year (int64), 19 values missing;
        `target` (344,) Series of species names; `frame` (344, 8), both together;
        `feature_names`, `target_names`, `DESCR`, `source`, `licence` and `filename`.

    Examples
    --------
    >>> penguins = load_penguins()
    >>> penguins.data.shape, penguins.target_names
    ((344, 7), ['Adelie', 'Chinstrap', 'Gentoo'])
    """
    import pandas as pd

    path = _file_in_package("palmerpenguins", "data", "penguins.csv")
    return _as_bunch(
        pd.read_csv(path),
        target="species",
        path=path,
        return_X_y=return_X_y,
        DESCR="344 penguins of three species on three islands near Palmer Station, Antarctica, "
        "measured from 2007 to 2009. Target: the species.",
        source="K. B. Gorman, T. D. Williams, W. R. Fraser: Ecological Sexual Dimorphism and "
        "Environmental Variability within a Community of Antarctic Penguins (Genus Pygoscelis), PLoS "
        "ONE 9(3), 2014, https://doi.org/10.1371/journal.pone.0090081; package palmerpenguins",
        licence="data CC0 1.0, package MIT",
    )


def load_adult(*, return_X_y=False):
    """Load the adult census: who earns more than $50,000 a year, with missing values.

    Parameters
    ----------
    return_X_y : bool
        Whether to return `(data, target)` instead of a Bunch.

    Returns
    -------
    sklearn.utils.Bunch
        As `load_penguins` gives it. `data` (32561, 14) DataFrame: six integer columns (age in
        years, fnlwgt, the number of people that a row stands for, education-num, capital-gain and
        capital-loss in dollars, hours-per-week) and eight text columns, 4,262 values missing;
        `target` (32561,) Series of `"<=50K"` and `">50K"`.

    Examples
    --------
    >>> X, y = load_adult(return_X_y=True)
    >>> int(X.isna().sum().sum()), round(float((y == ">50K").mean()), 3)
    (4262, 0.241)
    """
    import pandas as pd

    path = _file_in_package("mglearn", "data", "adult.data")
    columns = [
        "age", "workclass", "fnlwgt", "education", "education-num", "marital-status", "occupation",
        "relationship", "race", "sex", "capital-gain", "capital-loss", "hours-per-week", "native-country", "income",
    ]  # fmt: skip
    return _as_bunch(
        pd.read_csv(path, names=columns, na_values="?", skipinitialspace=True),
        target="income",
        path=path,
        return_X_y=return_X_y,
        DESCR="32,561 people of the United States census of 1994, by age, education, work, family and "
        "origin. Target: whether a person's income is above $50,000 a year.",
        source="B. Becker, R. Kohavi: Adult, UCI Machine Learning Repository, 1996, "
        "https://doi.org/10.24432/C5XW20; package mglearn",
        licence="data CC BY 4.0, package BSD",
    )


def load_solar_cells(*, size=300):
    """Load the ELPV photographs: solar cells, intact or defective, by their own light.

    Parameters
    ----------
    size : int
        Height and width of the images in pixels, from 1 to 300. Below 300, each new pixel is the
        mean of the area that it covers.

    Returns
    -------
    sklearn.utils.Bunch
        With `images` (2624, size, size) uint8 ndarray, grey from 0 to 255; `target` (2624,)
        int64 ndarray, 1 where `probability` is above a half; `probability` (2624,) float64
        ndarray, how sure the experts were of a defect: 0, 1/3, 2/3 or 1; `module_type` (2624,)
        ndarray of `"mono"` and `"poly"`, the kind of crystal; `target_names`, `DESCR`,
        `source`, `licence` and `filename`.

    Examples
    --------
    >>> cells = load_solar_cells(size=32)
    >>> cells.images.shape, int((cells.probability == 1).sum())
    ((2624, 32, 32), 715)
    """
    import numpy as np
    import pandas as pd
    from PIL import Image
    from sklearn.utils import Bunch

    if isinstance(size, bool) or not isinstance(size, int) or not 1 <= size <= 300:
        raise ValueError(f"expected size to be an integer from 1 to 300, got {size!r}")
    path = _file_in_package("elpv_dataset", "data", "labels.csv", wheel="elpv-dataset")
    labels = pd.read_csv(path, sep=r"\s+", names=["path", "probability", "module_type"])
    images = np.empty((len(labels), size, size), dtype=np.uint8)
    for image, name in zip(images, labels["path"], strict=True):
        with Image.open(path.parent / name) as photo:
            image[:] = photo if size == 300 else photo.resize((size, size), Image.Resampling.BOX)
    probability = labels["probability"].to_numpy(dtype=float)
    return Bunch(
        images=images,
        target=(probability > 0.5).astype(np.int64),
        probability=probability,
        module_type=labels["module_type"].to_numpy(dtype=object),
        target_names=["intact", "defective"],
        filename=str(path),
        DESCR="2,624 solar cells cut from electroluminescence images of 44 photovoltaic modules: a "
        "current makes the cells glow in the infrared, and what is broken stays dark. Rows are in "
        "the order of the files. Target: whether the cell is defective.",
        source="C. Buerhop-Lutz, S. Deitsch, A. Maier, F. Gallwitz, S. Berger, B. Doll, J. Hauch, "
        "C. Camus, C. J. Brabec: A Benchmark for Visual Identification of Defective Solar Cells in "
        "Electroluminescence Imagery, EU PVSEC 2018, "
        "https://doi.org/10.4229/35thEUPVSEC20182018-5CV.3.15; package elpv-dataset",
        licence="data CC BY-NC-SA 4.0, package Apache-2.0",
    )


def _as_bunch(frame, *, target, path, return_X_y, **about):
    from sklearn.utils import Bunch

    data = frame.drop(columns=target)
    if return_X_y:
        return data, frame[target]
    return Bunch(
        data=data,
        target=frame[target],
        frame=frame,
        feature_names=list(data.columns),
        target_names=sorted(frame[target].unique()),
        filename=str(path),
        **about,
    )


def _file_in_package(package, *parts, wheel=None):
    """Path of a file inside an installed package, found without importing the package."""
    wheel = wheel or package
    spec = importlib.util.find_spec(package)
    if spec is None:
        raise ModuleNotFoundError(
            f"the data are in the package {wheel}, which is missing. Run: pip install {wheel}"
        )
    path = Path(spec.submodule_search_locations[0], *parts)
    if not path.is_file():
        raise FileNotFoundError(
            f"expected {'/'.join(parts)} inside the package {package}, found none in {path.parent}. "
            f"Run: pip install --force-reinstall --no-deps {wheel}"
        )
    return path
