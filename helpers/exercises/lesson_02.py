"""The exercises of lesson 2, preparing data."""

from helpers.exercises import exercise

MEASURES = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"]


@exercise(
    expects="a function of three arrays that returns a text",
    hints=[
        "There are only three candidates. What would each of them have made of `new`?",
        "`StandardScaler().fit(train).transform(new)` is one candidate; `np.vstack([train, new])` puts "
        "both tables together for another. `np.allclose` compares two arrays.",
    ],
    solution="""
        def fitted_on(train, new, scaled):
            candidates = {"train": train, "new": new, "all": np.vstack([train, new])}
            for name, rows in candidates.items():
                if np.allclose(StandardScaler().fit(rows).transform(new), scaled):
                    return name


        answer = fitted_on
    """,
    wrong={
        'def answer(train, new, scaled):\n    return "train"': "fitted on the new rows it returned 'train'",
        'def answer(train, new, scaled):\n    return "new" if np.allclose(scaled.mean(axis=0), 0) else "train"': (
            "fitted on all rows together it returned 'train'"
        ),
        'def answer(train, new, scaled):\n    right = StandardScaler().fit(train).transform(new)\n    return "train" if np.allclose(right, scaled) else "all"': (
            "fitted on the new rows it returned 'all'"
        ),
        'def answer(train, new, scaled):\n    candidates = {"train": train, "new": new, "all": np.vstack([train, new])}\n    for name, rows in candidates.items():\n        if np.allclose((new - rows.mean(axis=0)) / rows.std(axis=0, ddof=1), scaled):\n            return name': (
            "fitted on the training rows it returned None"
        ),
        "def answer(train, new, scaled):\n    return StandardScaler().fit(train).transform(new)": (
            "expected one of"
        ),
        'def answer(train, new, scaled):\n    new -= train.mean(axis=0)\n    new /= train.std(axis=0)\n    return "train" if np.allclose(new, scaled) else "new"': (
            "changes an array"
        ),
    },
)
def exercise_2_1(answer):
    import numpy as np
    from sklearn.preprocessing import StandardScaler

    rng = np.random.default_rng()
    for rows, others, columns in ((80, 15, 4), (30, 6, 2)):
        train = rng.normal(200, 40, (rows, columns))
        new = rng.normal(230, 50, (others, columns))
        together = np.vstack([train, new])
        for name, seen, words in (
            ("train", train, "the training rows"),
            ("new", new, "the new rows"),
            ("all", together, "all rows together"),
        ):
            given = train.copy(), new.copy(), StandardScaler().fit(seen).transform(new)
            kept = [each.copy() for each in given]
            returned = answer(*given)
            if not all(np.array_equal(a, b) for a, b in zip(given, kept, strict=True)):
                return "your function changes an array that it is given; work on a copy."
            if returned is not None and not isinstance(returned, str):
                kind = type(returned).__name__
                return f"your function returned {kind}, expected one of 'train', 'new', 'all'."
            if returned != name:
                return f"for a scaler that was fitted on {words} it returned {returned!r}, expected {name!r}."


@exercise(
    expects="a function of two arrays that returns an array",
    hints=[
        "Section 2.4 has the formula in its table. Which of the two arrays may it learn from?",
        "`np.nanquantile(train, [0.25, 0.5, 0.75], axis=0)` gives three numbers for each column and ignores "
        "missing values; `np.where(iqr == 0, 1, iqr)` replaces an IQR of 0.",
    ],
    solution="""
        def robust_scale(train, new):
            lower, median, upper = np.nanquantile(train, [0.25, 0.5, 0.75], axis=0)
            iqr = upper - lower
            return (new - median) / np.where(iqr == 0, 1, iqr)


        answer = robust_scale
    """,
    wrong={
        "def answer(train, new):\n    lower, median, upper = np.quantile(train, [0.25, 0.5, 0.75], axis=0)\n    return (new - median) / (upper - lower)": (
            "a missing value in `train` made"
        ),
        "def answer(train, new):\n    lower, median, upper = np.nanquantile(train, [0.25, 0.5, 0.75], axis=0)\n    return (new - median) / (upper - lower)": (
            "whose IQR is 0"
        ),
        "def answer(train, new):\n    lower, median, upper = np.nanquantile(new, [0.25, 0.5, 0.75], axis=0)\n    return (new - median) / np.where(upper == lower, 1, upper - lower)": (
            "learned from `new`"
        ),
        "def answer(train, new):\n    return StandardScaler().fit(train).transform(new)": (
            "mean and the standard deviation"
        ),
        "def answer(train, new):\n    lower, median, upper = np.nanquantile(train, [0.25, 0.5, 0.75], axis=0)\n    iqr = upper - lower\n    return np.nan_to_num((new - median) / np.where(iqr == 0, 1, iqr))": (
            "must stay missing"
        ),
        "def answer(train, new):\n    lower, median, upper = np.nanquantile(train, [0.25, 0.5, 0.75], axis=0)\n    return new / np.where(upper == lower, 1, upper - lower)": (
            "taken away first"
        ),
        "def answer(train, new):\n    scaled = RobustScaler().fit(train).transform(new)\n    return scaled.astype(str)": (
            "text, not numbers"
        ),
    },
)
def exercise_2_2(answer):
    import numpy as np
    from sklearn.preprocessing import RobustScaler, StandardScaler

    rng = np.random.default_rng()
    for rows, others, columns in ((60, 20, 4), (35, 9, 3)):
        train, new = (rng.lognormal(2, 1, (n, columns)) for n in (rows, others))
        train[:, 1] = np.where(np.arange(rows) % 5 == 0, train[:, 1], 0)  # an IQR of 0
        train[3, 0] = new[2, 0] = new[4, 1] = np.nan
        given = train.copy(), new.copy()
        returned = answer(*given)
        for name, now, before in (("train", given[0], train), ("new", given[1], new)):
            if not np.array_equal(now, before, equal_nan=True):
                return f"your function changes the array `{name}`; work on a copy."
        if returned is None:
            return "your function returns None; end it with return."
        found = np.asarray(returned)
        if found.dtype.kind in "USO":
            return "your function returns text, not numbers."
        if found.shape != new.shape:
            return f"expected an array of shape {new.shape}, got {found.shape}."
        found = found.astype(float)
        right = RobustScaler().fit(train).transform(new)
        if np.allclose(found, right, equal_nan=True, atol=1e-9):
            continue
        known = ~np.isnan(new)
        if not np.isnan(found[~known]).all():
            return "a value that is missing in `new` must stay missing."
        if np.isnan(found[known]).any() and np.isnan(found[:, 0]).all():
            return "a missing value in `train` made a whole column missing; ignore it."
        if not np.isfinite(found[:, 1][known[:, 1]]).all():
            return "a column whose IQR is 0 must be divided by 1."
        lower, _, upper = np.nanquantile(train, [0.25, 0.5, 0.75], axis=0)
        for other, reason in (
            (
                RobustScaler().fit(new).transform(new),
                "the numbers were learned from `new`; fit on `train` only.",
            ),
            (
                StandardScaler().fit(train).transform(new),
                "these are the values by the mean and the standard deviation, not by median and IQR.",
            ),
            (
                new / np.where(upper == lower, 1, upper - lower),
                "the width is right, but the median must be taken away first.",
            ),
        ):
            if np.allclose(found, other, equal_nan=True, atol=1e-9):
                return reason
        at = np.unravel_index(np.nanargmax(np.abs(found - right)), right.shape)
        return f"one value became {found[at]:.3f}; RobustScaler makes {right[at]:.3f} of it."


@exercise(
    expects="a function of two tables, train and new, that returns a table",
    hints=[
        "Which of the two tables holds the medians, and how do you get one for each species?",
        'With `medians = train.groupby("species")["body_mass_g"].median()`, the call `new["species"].map(medians)` '
        "is a column with the right median in every row; `fillna` takes such a column.",
    ],
    solution="""
        def fill(train, new):
            medians = train.groupby("species")["body_mass_g"].median()
            filled = new.copy()
            filled["body_mass_g"] = new["body_mass_g"].fillna(new["species"].map(medians))
            return filled


        answer = fill
    """,
    wrong={
        """def answer(train, new):
    return new.assign(body_mass_g=new["body_mass_g"].fillna(train["body_mass_g"].median()))""": "for all species",
        """def answer(train, new):
    medians = new.groupby("species")["body_mass_g"].transform("median")
    return new.assign(body_mass_g=new["body_mass_g"].fillna(medians))""": "medians of `new` itself",
        """def answer(train, new):
    means = train.groupby("species")["body_mass_g"].mean()
    return new.assign(body_mass_g=new["body_mass_g"].fillna(new["species"].map(means)))""": "uses the mean",
        """def answer(train, new):
    medians = train.groupby("species")["body_mass_g"].median()
    new["body_mass_g"] = new["body_mass_g"].fillna(new["species"].map(medians))
    return new""": "changes a table that it is given",
        """def answer(train, new):
    medians = train.groupby("species")["body_mass_g"].median()
    return new.assign(body_mass_g=new["species"].map(medians))""": "masses that were there",
        """def answer(train, new):
    return new.dropna(subset=["body_mass_g"])""": "as many rows",
        """def answer(train, new):
    medians = train.groupby("species")["body_mass_g"].median()
    return new.assign(body_mass_g=new["body_mass_g"].fillna(new["species"].map(medians)))[["species", "body_mass_g"]]""": (
            "the columns that come back"
        ),
        """def answer(train, new):
    medians = train.groupby("species")[["body_mass_g"]].median()
    filled = new.ffill().bfill()
    filled["body_mass_g"] = new["body_mass_g"].fillna(new["species"].map(medians["body_mass_g"]))
    return filled""": "the column 'bill_length_mm' has changed",
    },
)
def exercise_2_3(answer):
    import numpy as np

    from helpers.datasets import load_penguins

    penguins = load_penguins().frame.sample(frac=1)
    small = penguins[["body_mass_g", "bill_length_mm", "species"]].iloc[::2]
    for table, size in ((penguins, 200), (small, 110)):
        train, new = table.iloc[:size].reset_index(drop=True), table.iloc[size:].copy()
        new["body_mass_g"] = new["body_mass_g"].mask(np.arange(len(new)) % 3 == 0)
        new["bill_length_mm"] = new["bill_length_mm"].mask(np.arange(len(new)) % 7 == 0)
        hole = new["body_mass_g"].isna().to_numpy()
        given = train.copy(), new.copy()
        returned = answer(*given)
        if not (given[0].equals(train) and given[1].equals(new)):
            return "your function changes a table that it is given; work on a copy."
        if returned is None:
            return "your function returns None; end it with return."
        if list(returned.columns) != list(new.columns):
            return f"the columns that come back are {list(returned.columns)}, expected {list(new.columns)}."
        if len(returned) != len(new):
            return f"the result must have as many rows as `new`: {len(new)}, not {len(returned)}."
        if not returned.index.equals(new.index):
            return "the rows come back in another order or with another index."
        for name in new.columns.drop("body_mass_g"):
            if not returned[name].equals(new[name]):
                return f"the column {name!r} has changed; fill masses only."
        found = returned["body_mass_g"].to_numpy(dtype=float)
        if np.isnan(found).any():
            return "some masses are still missing in the table that your function returns."
        if not np.allclose(found[~hole], new["body_mass_g"][~hole]):
            return "masses that were there have changed; fill missing ones only."

        def by_species(rows, how, new=new, hole=hole):
            return (
                new["species"].map(rows.groupby("species")["body_mass_g"].agg(how)).to_numpy()[hole]
            )

        for values, reason in [
            (by_species(train, "median"), None),
            (
                train["body_mass_g"].median(),
                "your function fills in one median for all species; group by species first.",
            ),
            (
                by_species(new, "median"),
                "your function fills in medians of `new` itself; take those of `train`.",
            ),
            (
                by_species(train, "mean"),
                "your function uses the mean of each species, not the median.",
            ),
        ]:
            if np.allclose(found[hole], values):
                if reason:
                    return reason
                break
        else:
            first = new["species"].to_numpy()[hole][0]
            right = by_species(train, "median")[0]
            return f"a missing mass of species {first} became {found[hole][0]:.0f} g; its median in `train` is {right:.0f} g."


_RARE = """
class RareToOther(TransformerMixin, BaseEstimator):
    def __init__(self, min_count=10):
        self.min_count = min_count

    def fit(self, X, y=None):
        self.frequent_ = {}
        for name in X.columns:
            counts = X[name].value_counts()
            self.frequent_[name] = counts.index[counts >= self.min_count]
        return self

    def transform(self, X):
        return X.apply(lambda column: column.where(column.isin(self.frequent_[column.name]), "other"))

    def get_feature_names_out(self, input_features=None):
        return np.array(list(self.frequent_), dtype=object)


answer = RareToOther
"""


def _rare(old, new):
    assert old in _RARE
    return _RARE.replace(old, new)


@exercise(
    expects="a class with fit and transform",
    hints=[
        "Start from `Clipper`: the same base classes, an `__init__` that stores its argument. What must `fit` keep?",
        "`X[name].value_counts()` counts the categories of a column. In `transform`, "
        '`column.where(column.isin(frequent), "other")` keeps the frequent ones; a missing value is in no list.',
        "A dictionary from column names to frequent categories is enough for `fit`; "
        "`get_feature_names_out(self, input_features=None)` returns its keys as an array.",
    ],
    solution=_RARE,
    wrong={
        _rare("answer = RareToOther", "answer = RareToOther()"): "the class itself",
        _rare(">= self", "> self"): "exactly min_count rows",
        _rare(
            'column.where(column.isin(self.frequent_[column.name]), "other")',
            'column.where(column.isin(column.value_counts().index[column.value_counts() >= self.min_count]), "other")',
        ): "counts in the table that `transform` gets",
        _rare("self.min_count", "self.minimum"): "clone",
        _rare("        return self\n", ""): "`fit` must return self",
        _rare(
            'column.where(column.isin(self.frequent_[column.name]), "other")',
            'column.where(column.isin(self.frequent_[column.name]) | column.isna(), "other")',
        ): "missing value",
        _rare("min_count=10", "min_count=5"): "without arguments",
        _rare(
            "        return X.apply(",
            "        for name in X.columns:\n            X.loc[~X[name].isin(self.frequent_[name]), name] = 'other'\n        return X.apply(",
        ): "changes the table",
        _RARE[: _RARE.index("    def get_feature")]
        + "\n\nanswer = RareToOther": "get_feature_names_out",
        _rare("(TransformerMixin, BaseEstimator)", "(BaseEstimator)"): "fit_transform",
    },
)
def exercise_2_4(answer):
    import numpy as np
    import pandas as pd
    from sklearn.base import clone
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    if not isinstance(answer, type):
        return f"the answer must be the class itself, without parentheses, not {type(answer).__name__}."
    for method in ("fit", "transform"):
        if not callable(getattr(answer, method, None)):
            return f"the class {answer.__name__} has no method {method}."
    rng = np.random.default_rng()
    for names, rows in ((["job", "town"], 200), (["a", "b", "c"], 90)):
        train = pd.DataFrame({name: rng.choice(list("pqrs"), rows) for name in names})
        train.loc[:8, names[0]], train.loc[9:18, names[0]] = "nine", "ten"
        train.loc[:3, names[-1]] = "four"
        train.loc[20:40, names[-1]] = np.nan
        values = ["p", "four", "nine", "ten", "never seen", np.nan]
        new = pd.DataFrame(dict.fromkeys(names, values))
        for arguments, count in (({}, 10), ({"min_count": 4}, 4)):
            made = answer(**arguments)
            try:
                model = clone(made)
            except Exception as error:
                return f"clone raised {type(error).__name__}: __init__ must store its argument as self.min_count."
            if model.min_count != count:
                return f"without arguments, min_count must be 10, not {model.min_count!r}."
            before = new.copy()
            fitted = model.fit(train.copy())
            if fitted is not model:
                return f"`fit` must return self, it returned {type(fitted).__name__}."
            found = np.asarray(model.transform(new), dtype=object)
            if not new.equals(before):
                return "`transform` changes the table that it is given; work on a copy."
            if found.shape != new.shape:
                return f"`transform` returns the shape {found.shape}, expected {new.shape}."
            repeated = pd.concat([new] * 30, ignore_index=True)
            again = np.asarray(model.transform(repeated), dtype=object)[: len(new)]
            if not (found.astype(str) == again.astype(str)).all():
                return "your class counts in the table that `transform` gets; count in `fit`."
            for name, column in zip(names, found.T, strict=True):
                for value, got in zip(values, column, strict=True):
                    rows_there = int((train[name] == value).sum())
                    right = value if rows_there >= count else "other"
                    if isinstance(got, str) and got == right:
                        continue
                    if not isinstance(value, str):
                        return f"a missing value became {got!r}, expected 'other'."
                    if rows_there == count:
                        return f"a category with exactly min_count rows became {got!r}; it is frequent enough."
                    return f"{value!r} has {rows_there} rows in `fit`; with min_count={count} it became {got!r}, expected {right!r}."
        try:
            out = list(model.get_feature_names_out())
        except Exception as error:
            return f"get_feature_names_out() raised {type(error).__name__}."
        if out != names:
            return f"get_feature_names_out() gives {out}, expected {names}."
        if not callable(getattr(model, "fit_transform", None)):
            return "there is no fit_transform, which a pipeline needs: which mixin adds it?"
        chain = make_pipeline(answer(), OneHotEncoder(handle_unknown="ignore"))
        chain.fit(train).transform(new)


@exercise(
    expects="a function of a table and labels that returns a number",
    hints=[
        "SelectKBest looks at the labels in its fit. Which rows does it see in the code above?",
        "cross_val_score fits a whole pipeline again in every round. What belongs into it?",
    ],
    solution="""
        def fair_score(X, y):
            pipeline = make_pipeline(SelectKBest(k=20), LogisticRegression())
            return cross_val_score(pipeline, X, y, cv=5).mean()


        answer = fair_score
    """,
    wrong={
        "def answer(X, y):\n    best = SelectKBest(k=20).fit_transform(X, y)\n    return cross_val_score(LogisticRegression(), best, y, cv=5).mean()": (
            "still chosen from all rows"
        ),
        "def answer(X, y):\n    return make_pipeline(SelectKBest(k=20), LogisticRegression()).fit(X, y).score(X, y)": (
            "the rows that the model was fitted on"
        ),
        "def answer(X, y):\n    return cross_val_score(LogisticRegression(), X, y, cv=5).mean()": (
            "where the columns have signal"
        ),
        "def answer(X, y):\n    return cross_val_score(make_pipeline(SelectKBest(k=20), LogisticRegression()), X, y, cv=5)": (
            "one number"
        ),
        "def answer(X, y):\n    return 0.5": "where the columns have signal it returns 0.50",
        "answer = cross_val_score(make_pipeline(SelectKBest(k=20), LogisticRegression()), noise, label, cv=5).mean()": (
            "expected a function"
        ),
        'def answer(X, y):\n    return f"{cross_val_score(make_pipeline(SelectKBest(k=20), LogisticRegression()), X, y, cv=5).mean():.2f}"': (
            "a text"
        ),
    },
)
def exercise_2_5(answer):
    import numpy as np
    from sklearn.feature_selection import SelectKBest
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_score
    from sklearn.pipeline import make_pipeline

    if not callable(answer):
        return f"expected a function of X and y, got {type(answer).__name__}."
    rng = np.random.default_rng()
    pipeline = make_pipeline(SelectKBest(k=20), LogisticRegression())
    means = {}
    for kind, (rows, columns), strength in (
        ("noise", (100, 600), 0),
        ("signal", (120, 900), 0.9),
    ):
        found = []
        for _ in range(8):
            y = rng.permutation(rows) % 2
            X = rng.standard_normal((rows, columns))
            X[:, :8] += strength * y[:, None]
            score = answer(X.copy(), y.copy())
            if isinstance(score, str | bytes):
                return "your function returns a text: return the number itself."
            if np.size(score) != 1:
                return (
                    f"your function returns {np.size(score)} values; average them into one number."
                )
            best = SelectKBest(k=20).fit_transform(X, y)
            found.append(
                [
                    float(np.squeeze(score)),
                    cross_val_score(pipeline, X, y, cv=5).mean(),
                    cross_val_score(LogisticRegression(), best, y, cv=5).mean(),
                    pipeline.fit(X, y).score(X, y),
                ]
            )
        means[kind] = np.mean(found, axis=0)
    score, fair, leaky, seen = means["noise"]
    if abs(score - seen) < 0.01:
        return f"on pure noise it returns {score:.2f}: that is the accuracy on the rows that the model was fitted on."
    if abs(score - leaky) < 0.01:
        return f"on pure noise it returns {score:.2f}: the columns are still chosen from all rows."
    if score > fair + 0.09:
        return f"on pure noise it returns {score:.2f}, so something still leaks."
    if not abs(means["signal"][0] - means["signal"][1]) <= 0.06:
        return (
            f"where the columns have signal it returns {means['signal'][0]:.2f}, "
            f"and choosing 20 of them fairly gives {means['signal'][1]:.2f}."
        )
    if not abs(score - fair) <= 0.09:
        return f"on pure noise it returns {score:.2f}, and a fair score is {fair:.2f}."


_WRONG_PIPELINE = """
prepare = make_column_transformer({})
answer = make_pipeline(prepare, {})
"""


@exercise(
    expects="a pipeline of scikit-learn that is not yet fitted",
    hints=[
        "Section 2.11 has nearly all of it: one part for the measures, one for the categories, then a model.",
        "Measures need an imputer and a scaler, categories a OneHotEncoder that does not mind unknown ones. "
        "The species is a feature now: males and females differ within a species.",
        "Any of the course's models will do, if it gets all the measures.",
    ],
    solution="""
        prepare = make_column_transformer(
            (make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), measures),
            (OneHotEncoder(handle_unknown="ignore"), ["species", "island"]),
        )
        answer = make_pipeline(prepare, LogisticRegression())
    """,
    wrong={
        _WRONG_PIPELINE.format(
            '(StandardScaler(), measures), (OneHotEncoder(handle_unknown="ignore"), ["species", "island"])',
            "LogisticRegression()",
        ): "measures are missing",
        _WRONG_PIPELINE.format(
            '(make_pipeline(SimpleImputer(), StandardScaler()), measures), (OneHotEncoder(), ["species", "island"])',
            "LogisticRegression()",
        ): "island that no training row knows",
        _WRONG_PIPELINE.format(
            '(SimpleImputer(), measures), (OneHotEncoder(handle_unknown="ignore"), ["species", "island"])',
            "SVC()",
        ): "kilograms",
        _WRONG_PIPELINE.format(
            "(make_pipeline(SimpleImputer(), StandardScaler()), ['bill_length_mm', 'year'])",
            "SVC()",
        ): "on the measures alone has",
        "answer = make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression())": (
            "fitting on complete rows raised ValueError"
        ),
        "answer = make_column_transformer((StandardScaler(), measures))": "ends in a model",
        "answer = make_pipeline(StandardScaler(), SVC()).fit(X, species).predict(X)": "ends in a",
    },
)
def exercise_2_6(answer):
    import numpy as np
    from sklearn.base import clone
    from sklearn.compose import make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import train_test_split
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from helpers.datasets import load_penguins

    if not callable(getattr(answer, "fit", None)) or not callable(getattr(answer, "predict", None)):
        return "expected a pipeline that ends in a model, so that it has fit and predict."
    known = load_penguins().frame.dropna(subset=["sex"])
    X, y = known.drop(columns="sex"), known["sex"]
    splits = [train_test_split(X, y, stratify=y) for _ in range(8)]

    X_train, X_test, y_train, y_test = splits[0]
    try:
        model = clone(answer).fit(X_train, y_train)
    except Exception as error:
        line = str(error).splitlines()[0][:90] if str(error) else ""
        return f"fitting on complete rows raised {type(error).__name__}: {line}"
    if len(model.predict(X_test)) != len(X_test):
        return "predict must give one answer for each row."

    holed_train, holed_test = X_train.copy(), X_test.copy()
    holed_train.loc[holed_train.index[::9], MEASURES[2]] = np.nan
    holed_test.loc[holed_test.index[::5], MEASURES[0]] = np.nan
    try:
        clone(answer).fit(holed_train, y_train).predict(holed_test)
    except Exception as error:
        return f"some measures are missing, and your pipeline raised {type(error).__name__}; impute them in it."
    try:
        model.predict(X_test.assign(island="Atlantis"))
    except Exception as error:
        return f"a test row from an island that no training row knows raised {type(error).__name__}; look at the encoder."

    def in_kilograms(part):
        return part.assign(body_mass_g=part["body_mass_g"] / 1000)

    same = np.mean(
        [
            clone(answer).fit(in_kilograms(a), ya).predict(in_kilograms(b))
            == clone(answer).fit(a, ya).predict(b)
            for a, b, ya, _ in splits
        ]
    )
    if not same >= 0.9:  # two forests differ a little anyway
        return f"with the mass in kilograms instead of grams only {same:.0%} of the predictions stay the same."

    filled = make_pipeline(SimpleImputer(), StandardScaler())
    plain = make_pipeline(make_column_transformer((filled, MEASURES)), LogisticRegression())
    score, enough = (
        np.mean([clone(each).fit(a, ya).score(b, yb) for a, b, ya, yb in splits])
        for each in (answer, plain)
    )
    if not score >= enough - 0.04:
        return (
            f"the accuracy on test rows is {score:.2f}, and a logistic regression on the measures "
            f"alone has {enough:.2f}; which columns does your pipeline leave out?"
        )
