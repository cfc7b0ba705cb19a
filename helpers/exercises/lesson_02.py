"""Exercises of lesson 2, preparing data."""

from helpers.exercises import exercise

MEASURES = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"]


def _measured_split():
    """The lesson's penguins with all measures, split as section 2.1 splits them."""
    from sklearn.model_selection import train_test_split

    from helpers.datasets import load_penguins

    measured = load_penguins().frame.dropna(subset=MEASURES)
    return train_test_split(measured, stratify=measured["species"], random_state=0)


@exercise(
    expects="a number",
    hints=[
        "Section 2.4 has the formula in its table: which middle does it take away, which width does it divide by?",
        'X_train["body_mass_g"].quantile([0.25, 0.5, 0.75]) gives all three numbers that you need.',
        "(6000 - median) / (upper quartile - lower quartile)",
    ],
    solution="""
        lower, median, upper = X_train["body_mass_g"].quantile([0.25, 0.5, 0.75])
        answer = (6000 - median) / (upper - lower)
    """,
    wrong={
        'answer = (6000 - X_train["body_mass_g"].mean()) / X_train["body_mass_g"].std()': "that is what StandardScaler",
        'mass = X_train["body_mass_g"]\nanswer = (6000 - mass.min()) / (mass.max() - mass.min())': "MinMaxScaler",
        'mass = X_train["body_mass_g"]\nanswer = 6000 / (mass.quantile(0.75) - mass.quantile(0.25))': "taken away first",
        'answer = 6000 - X_train["body_mass_g"].median()': "still in grams",
    },
)
def exercise_2_1(answer):
    mass = _measured_split()[0]["body_mass_g"]
    lower, median, upper = mass.quantile([0.25, 0.5, 0.75])
    mistakes = {
        (6000 - mass.mean())
        / mass.std(): "that is what StandardScaler gives; a RobustScaler uses neither "
        "the mean nor the standard deviation.",
        (6000 - mass.min())
        / (mass.max() - mass.min()): "that is what MinMaxScaler gives; a RobustScaler "
        "does not look at the smallest and largest value.",
        6000
        / (
            upper - lower
        ): "you divide by the right width, but something has to be taken away first.",
        6000
        - median: "your number is still in grams; a scaled value is counted in widths of the middle half.",
        (6000 - median)
        / upper: "you divide by the upper quartile; the width of the middle half is a difference.",
    }
    for value, reason in mistakes.items():
        if abs(answer - value) <= 0.01:
            return reason
    if not abs(answer - (6000 - median) / (upper - lower)) <= 0.01:
        return "look up the formula of RobustScaler in section 2.4, and use the training rows only."


@exercise(
    expects="the scaled test rows, an array or a table of 86 rows and 4 columns",
    hints=[
        "Which rows may a scaler see in fit, and which rows does it only transform?",
        "The split of section 2.1 is still there: X_train and X_test.",
        "StandardScaler().fit(X_train) learns; its transform(X_test) is the answer.",
    ],
    solution="answer = StandardScaler().fit(X_train).transform(X_test)",
    wrong={
        "answer = leaky_test": "fitted on all rows",
        "answer = StandardScaler().fit_transform(X_test)": "fitted on the test rows",
        "answer = StandardScaler().fit(X_train).transform(X_train)": "86 test rows",
        "answer = X_test": "not scaled",
        "answer = MinMaxScaler().fit(X_train).transform(X_test)": "mean and standard deviation",
    },
)
def exercise_2_2(answer):
    import numpy as np
    import pandas as pd

    train, test = (part[MEASURES] for part in _measured_split())
    found = np.asarray(answer, dtype=float)
    if found.shape != test.shape:
        return f"expected the 86 test rows with 4 columns, got the shape {found.shape}."
    if np.allclose(found, test):
        return "these rows are not scaled yet; call transform on them."
    for rows, reason in [
        (
            pd.concat([train, test]),
            "your scaler was fitted on all rows, so it knows the test rows; fit it on X_train.",
        ),
        (
            test,
            "your scaler was fitted on the test rows themselves; on test rows only transform is called.",
        ),
    ]:
        if np.allclose(found, (test - rows.mean()) / rows.std(ddof=0), atol=1e-6):
            return reason
    # a thousandth also accepts the standard deviation with n - 1
    if not np.allclose(found, (test - train.mean()) / train.std(ddof=0), atol=0.01):
        return "the values are not X_test scaled by the mean and standard deviation of X_train, row by row."


@exercise(
    expects="a function of two tables, train and new, that returns a table",
    hints=[
        'train.groupby("species")["body_mass_g"].median() holds one median for each species.',
        'new["species"].map(medians) is a column with the right median in every row.',
        "fillna takes such a column and fills holes only; work on new.copy().",
    ],
    solution="""
        def answer(train, new):
            medians = train.groupby("species")["body_mass_g"].median()
            filled = new.copy()
            filled["body_mass_g"] = new["body_mass_g"].fillna(new["species"].map(medians))
            return filled
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
    return new""": "changes the table that it is given",
        """def answer(train, new):
    medians = train.groupby("species")["body_mass_g"].median()
    return new.assign(body_mass_g=new["species"].map(medians))""": "masses that were there",
        """def answer(train, new):
    return new.dropna(subset=["body_mass_g"])""": "as many rows",
    },
)
def exercise_2_3(answer):
    import numpy as np

    from helpers.datasets import load_penguins

    penguins = load_penguins().frame.sample(frac=1, random_state=1)
    train, new = penguins.iloc[:200].reset_index(drop=True), penguins.iloc[200:].copy()
    new["body_mass_g"] = new["body_mass_g"].mask(np.arange(len(new)) % 3 == 0)
    hole = new["body_mass_g"].isna().to_numpy()
    given = train.copy(), new.copy()
    returned = answer(given[0], given[1])
    if not (given[0].equals(train) and given[1].equals(new)):
        return "your function changes the table that it is given; work on a copy."
    if returned is None:
        return "your function returns None; end it with return."
    found = np.asarray(returned["body_mass_g"], dtype=float)
    if found.shape != (len(new),):
        return f"the result must have as many rows as `new`: {len(new)}, not {len(found)}."
    if np.isnan(found).any():
        return "some masses are still missing in the table that your function returns."
    if not np.allclose(found[~hole], new["body_mass_g"][~hole]):
        return "masses that were there have changed; fill the holes only."
    if not (new["species"].to_numpy() == np.asarray(returned["species"])).all():
        return "the rows come back in another order, or with other species."

    def by_species(rows, how):
        return new["species"].map(rows.groupby("species")["body_mass_g"].agg(how)).to_numpy()[hole]

    for values, reason in [
        (
            train["body_mass_g"].median(),
            "your function fills in one median for all species; group by species first.",
        ),
        (
            by_species(new, "median"),
            "your function fills in medians of `new` itself; take those of `train`.",
        ),
        (by_species(train, "mean"), "your function uses the mean of each species, not the median."),
    ]:
        if np.allclose(found[hole], values):
            return reason
    if not np.allclose(found[hole], by_species(train, "median")):
        return "the imputed masses are not the medians of each species in `train`."


@exercise(
    expects="a number between 0 and 1",
    hints=[
        "SelectKBest looks at the labels in its fit. Which rows does it see in the code above?",
        "In each of the five rounds the columns must be chosen from that round's training rows only.",
        "cross_val_score fits a whole pipeline anew in every round: put SelectKBest and the model into one.",
    ],
    solution="""
        pipeline = make_pipeline(SelectKBest(k=20), LogisticRegression())
        answer = cross_val_score(pipeline, noise, label, cv=5).mean()
    """,
    wrong={
        "answer = cross_val_score(LogisticRegression(), best, label, cv=5).mean()": "chosen from all rows",
        "answer = LogisticRegression().fit(best, label).score(best, label)": "rows that the model was fitted on",
        "answer = cross_val_score(LogisticRegression(), noise, label, cv=5).mean()": "without choosing any columns",
        "pipeline = make_pipeline(SelectKBest(k=20), LogisticRegression())\n"
        "answer = cross_val_score(pipeline, noise, label, cv=5)": "one number",
    },
)
def exercise_2_4(answer):
    import numpy as np
    from sklearn.feature_selection import SelectKBest
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_score
    from sklearn.pipeline import make_pipeline

    if np.size(answer) > 1:
        return "there are several values; average the five rounds into one number."
    noise = np.random.default_rng(0).standard_normal((100, 2000))
    label = np.arange(100) % 2
    model = LogisticRegression()
    best = SelectKBest(k=20).fit_transform(noise, label)
    right = cross_val_score(make_pipeline(SelectKBest(k=20), model), noise, label, cv=5).mean()
    if abs(answer - right) <= 0.015:
        return None
    if abs(answer - cross_val_score(model, best, label, cv=5).mean()) <= 0.015:
        return "that is the reported number: the columns were still chosen from all rows, before the rounds began."
    if abs(answer - model.fit(best, label).score(best, label)) <= 0.005:
        return "that is the accuracy on the very rows that the model was fitted on; cross-validate."
    if abs(answer - cross_val_score(model, noise, label, cv=5).mean()) <= 0.005:
        return "that is the score of the model without choosing any columns; keep SelectKBest, but at its right place."
    if answer > 0.6:
        return "noise cannot tell anything about the labels, so a score this high means that something still leaks."
    return (
        "use SelectKBest(k=20), LogisticRegression() and cv=5, all in one call of cross_val_score."
    )


_WRONG_PIPELINE = """
prepare = make_column_transformer({})
answer = make_pipeline(prepare, {})
"""


@exercise(
    expects="a pipeline of scikit-learn that is not yet fitted",
    hints=[
        "Section 2.12 has nearly all of it: one part for the measures, one for the words, then a model.",
        "Measures need an imputer and a scaler, words a OneHotEncoder that does not mind unknown ones. "
        "The species is a feature now: males and females differ within a species.",
        "make_column_transformer((make_pipeline(imputer, scaler), measures), (encoder, [species, island])) "
        "and after it a LogisticRegression.",
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
        ): "at least 0.87",
        "answer = make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression())": "words",
    },
)
def exercise_2_5(answer):
    import numpy as np
    from sklearn.base import clone
    from sklearn.model_selection import train_test_split

    from helpers.datasets import load_penguins

    if not callable(getattr(answer, "fit", None)) or not callable(getattr(answer, "predict", None)):
        return "expected a pipeline that ends in a model, so that it has fit and predict."
    known = load_penguins().frame.dropna(subset=["sex"])
    X, y = known.drop(columns="sex"), known["sex"]
    splits = [train_test_split(X, y, stratify=y, random_state=seed) for seed in range(4)]

    X_train, X_test, y_train, y_test = splits[0]
    try:
        model = clone(answer).fit(X_train, y_train)
    except Exception as error:
        return f"fitting on complete rows raised {type(error).__name__}: are the words encoded, the columns named?"
    if len(model.predict(X_test)) != len(X_test):
        return "predict must give one answer for each row."

    holed_train, holed_test = X_train.copy(), X_test.copy()
    holed_train.loc[holed_train.index[::9], MEASURES[2]] = np.nan
    holed_test.loc[holed_test.index[::5], MEASURES[0]] = np.nan
    try:
        clone(answer).fit(holed_train, y_train).predict(holed_test)
    except Exception as error:
        return f"some measures are missing, and your pipeline raised {type(error).__name__}; fill the holes in it."
    try:
        model.predict(X_test.assign(island="Atlantis"))
    except Exception as error:
        return f"a test row from an island that no training row knows raised {type(error).__name__}; look at the encoder."

    in_kilograms = [
        part.assign(body_mass_g=part["body_mass_g"] / 1000) for part in (X_train, X_test)
    ]
    converted = clone(answer).fit(in_kilograms[0], y_train).predict(in_kilograms[1])
    if not np.mean(converted == model.predict(X_test)) >= 0.9:  # two forests differ a little anyway
        return "with the mass in kilograms instead of grams the predictions change; bring the measures to one scale."

    scores = [clone(answer).fit(a, ya).score(b, yb) for a, b, ya, yb in splits]
    if not np.mean(scores) >= 0.87:
        return (
            f"the accuracy on test rows is {np.mean(scores):.2f}, it should be at least 0.87; "
            "does the model get all measures and the species?"
        )
