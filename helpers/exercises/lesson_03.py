"""Exercises of lesson 03: supervised models."""

from helpers.exercises import exercise


@exercise(
    expects="a number",
    hints=[
        "Chance may guess, but a lazy answer need not guess: which species would you always name?",
        'A dummy that always names the most frequent class is `DummyClassifier(strategy="most_frequent")`.',
        "`cross_val_score(DummyClassifier(), penguins[measures], species, cv=5).mean()`",
    ],
    solution="answer = cross_val_score(DummyClassifier(), penguins[measures], species, cv=5).mean()",
    wrong={
        "answer = 1 / 3": "a third",
        "answer = (species.value_counts(normalize=True) ** 2).sum()": "guesses at random",
        "answer = 100 * (species == 'Adelie').mean()": "between 0 and 1",
        "answer = cross_val_score(LogisticRegression(max_iter=5000), "
        "penguins[measures], species, cv=5).mean()": "looks at the columns",
    },
)
def exercise_3_1(answer):
    from helpers.datasets import load_penguins

    shares = load_penguins().frame.dropna()["species"].value_counts(normalize=True)
    answer = float(answer)
    if abs(answer - 1 / 3) < 0.005:
        return "a third is what blind guessing gets when all species are equally frequent; count the species."
    if 1 < answer <= 100:
        return "an accuracy is a share between 0 and 1, and yours looks like a percentage."
    if abs(answer - (shares**2).sum()) < 0.035:
        return "this dummy guesses at random in the shares of the species; always giving one answer does better."
    if answer > 0.5:
        return "this is more than any single answer can reach, so the model still looks at the columns."
    if not abs(answer - shares.max()) <= 0.01:
        return "always naming one species is right as often as that species occurs; which one occurs most?"


@exercise(
    expects="a pair of numbers",
    hints=[
        "The first model is `LinearRegression()` on `penguins[['bill_length_mm']]`.",
        "`pd.get_dummies(species, dtype=float)` makes a column of zeros and ones for each species.",
        "Join length and species with `penguins[['bill_length_mm']].join(...)`, fit, and read `coef_[0]`.",
    ],
    solution="""
        length, depth = penguins[["bill_length_mm"]], penguins["bill_depth_mm"]
        with_species = length.join(pd.get_dummies(species, dtype=float))
        answer = (
            LinearRegression().fit(length, depth).coef_[0],
            LinearRegression().fit(with_species, depth).coef_[0],
        )
    """,
    wrong={
        """
length, depth = penguins[["bill_length_mm"]], penguins["bill_depth_mm"]
with_species = length.join(pd.get_dummies(species, dtype=float))
answer = [LinearRegression().fit(X, depth).coef_[0] for X in (with_species, length)]
""": "the order",
        """
depth, length = penguins[["bill_depth_mm"]], penguins["bill_length_mm"]
with_species = depth.join(pd.get_dummies(species, dtype=float))
answer = [LinearRegression().fit(X, length).coef_[0] for X in (depth, with_species)]
""": "the length from the depth",
        """
length, depth = penguins[["bill_length_mm"]], penguins["bill_depth_mm"]
with_code = length.assign(species=species.map({"Adelie": 0, "Chinstrap": 1, "Gentoo": 2}))
answer = [LinearRegression().fit(X, depth).coef_[0] for X in (length, with_code)]
""": "numbered the species",
        """
length, depth = penguins[["bill_length_mm"]], penguins["bill_depth_mm"]
slope = LinearRegression().fit(length, depth).coef_[0]
answer = (slope, slope)
""": "has not learned the species",
        """
scaled = StandardScaler().fit_transform(penguins[["bill_length_mm"]])
slope = LinearRegression().fit(scaled, penguins["bill_depth_mm"]).coef_[0]
answer = (slope, 0.2)
""": "per millimetre",
    },
)
def exercise_3_2(answer):
    import numpy as np
    import pandas as pd
    from sklearn.linear_model import LinearRegression

    from helpers.datasets import load_penguins

    penguins = load_penguins().frame.dropna()
    length, depth = penguins["bill_length_mm"], penguins["bill_depth_mm"]
    dummies = pd.get_dummies(penguins["species"], dtype=float)
    codes = pd.Series(pd.factorize(penguins["species"])[0], penguins.index)

    def slope(x, y, *others):
        return LinearRegression().fit(pd.concat([x, *others], axis=1).to_numpy(), y).coef_[0]

    alone, within = slope(length, depth), slope(length, depth, dummies)
    first, second = (float(np.squeeze(part)) for part in answer)

    def close(a, b):
        return abs(a - b) <= 0.005

    if close(first, within) and close(second, alone):
        return "both slopes are right, but check the order: first the model without the species."
    if close(first, slope(depth, length)) or close(second, slope(depth, length, dummies)):
        return "you predict the length from the depth; the target is `bill_depth_mm`."
    if close(first, alone * length.std(ddof=0)):
        return "the first slope is per standard deviation; give the slope per millimetre, without scaling."
    if not close(first, alone):
        return (
            "the first slope does not fit: use only `bill_length_mm`, and all birds of `penguins`."
        )
    if close(second, alone):
        return "your second model has not learned the species: its slope is that of the first one."
    if any(close(second, slope(length, depth, c)) for c in (codes, codes.map({0: 0, 1: 2, 2: 1}))):
        return "you numbered the species, which claims that they have an order; give each one a column of its own."
    if not close(second, within):
        return "the second slope does not fit: its columns are `bill_length_mm` and one column for each species."


@exercise(
    expects="a function of model, X and y",
    hints=[
        "How many different values does `model.predict(X)` have? How many thresholds can a curve try on them?",
        "A ranking needs a score for each row: `predict_proba` or `decision_function`.",
        "`decision_function` is there for `SVC` and for `LogisticRegression`, `predict_proba` for trees and "
        'forests: ask `hasattr(model, "decision_function")`, and take column 1 of the probabilities.',
    ],
    solution="""
        def answer(model, X, y):
            if hasattr(model, "decision_function"):
                return roc_auc_score(y, model.decision_function(X))
            return roc_auc_score(y, model.predict_proba(X)[:, 1])
    """,
    wrong={
        "answer = measure_auc": "only two values",
        "def answer(model, X, y):\n    return roc_auc_score(y, model.predict_proba(X)[:, 0])": "the other class",
        "def answer(model, X, y):\n    return roc_auc_score(y, model.predict_proba(X)[:, 1])": "no `predict_proba`",
        "def answer(model, X, y):\n    return roc_auc_score(y, model.decision_function(X))": "no `decision_function`",
        "def answer(model, X, y):\n    return model.score(X, y)": "the accuracy",
        "answer = 0.99": "the mended function itself",
    },
)
def exercise_3_3(answer):
    from sklearn.datasets import load_breast_cancer
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    if not callable(answer):
        return "the answer is to be the mended function itself, not what it returns for one model."
    X, y = load_breast_cancer(return_X_y=True)
    X, y = X[:, :2], 1 - y  # two columns, so that no model is perfect
    X_train, X_test, y_train, y_test = X[::2], X[1::2], y[::2], y[1::2]
    logistic, svc, forest = (
        make_pipeline(StandardScaler(), model).fit(X_train, y_train)
        for model in (LogisticRegression(), SVC(), RandomForestClassifier(20, random_state=1))
    )

    def close(value, expected):
        return abs(float(value) - expected) <= 1e-6

    for model in (logistic, forest):
        right = roc_auc_score(y_test, model.predict_proba(X_test)[:, 1])
        try:
            got = answer(model, X_test, y_test)
        except AttributeError as error:
            if model is forest and "decision_function" in str(error):
                return "a forest has no `decision_function`; your function must take the other way there."
            raise
        if close(got, model.score(X_test, y_test)):
            return "this is the accuracy, which looks at one threshold only; keep `roc_auc_score`."
        if close(got, roc_auc_score(y_test, model.predict(X_test))):
            return "`predict` has only two values, so the curve can try one threshold only; give a score for each row."
        if close(got, 1 - right):
            return "your ranking is upside down: these are the probabilities of the other class."
        if not close(got, right):
            return "the area differs from the true one; rank the rows by how sure the model is of class 1."
    try:
        got = answer(svc, X_test, y_test)
    except AttributeError as error:
        if "predict_proba" in str(error):
            return "this `SVC` has no `predict_proba`; what else does it have that ranks the rows?"
        raise
    if not close(got, roc_auc_score(y_test, svc.decision_function(X_test))):
        return "right for models with probabilities, wrong for an `SVC`: rank its rows by `decision_function`."


@exercise(
    expects="a function of labels and left",
    hints=[
        "Write `gini(labels)` first: the shares of the classes, squared, summed, taken from 1.",
        "The gain is the impurity before, minus the impurities of both sides, each weighted by its share of the rows.",
        "`left.mean()` is the share on the left; `labels[left]` and `labels[~left]` are the two sides.",
    ],
    solution="""
        def gini(labels):
            shares = pd.Series(labels).value_counts(normalize=True)
            return 1 - (shares**2).sum()


        def answer(labels, left):
            after = left.mean() * gini(labels[left]) + (~left).mean() * gini(labels[~left])
            return gini(labels) - after
    """,
    wrong={
        """
def gini(labels):
    return 1 - (pd.Series(labels).value_counts(normalize=True) ** 2).sum()
def answer(labels, left):
    return gini(labels) - (gini(labels[left]) + gini(labels[~left])) / 2
""": "count alike",
        """
def gini(labels):
    return 1 - (pd.Series(labels).value_counts(normalize=True) ** 2).sum()
def answer(labels, left):
    return gini(labels) - gini(labels[left]) - gini(labels[~left])
""": "without weights",
        """
def gini(labels):
    return 1 - (pd.Series(labels).value_counts(normalize=True) ** 2).sum()
def answer(labels, left):
    return left.mean() * gini(labels[left]) + (~left).mean() * gini(labels[~left])
""": "left over",
        """
def answer(labels, left):
    labels = pd.Series(labels)
    after = left.mean() * entropy(labels[left]) + (~left).mean() * entropy(labels[~left])
    return entropy(labels) - after
""": "entropy",
        "answer = 0.3": "a function",
    },
)
def exercise_3_4(answer):
    import numpy as np

    if not callable(answer):
        return "the answer is to be a function of `labels` and `left`, not one number."

    def shares(labels):
        return np.unique(labels, return_counts=True)[1] / len(labels)

    def gini(labels):
        return 1 - (shares(labels) ** 2).sum()

    def entropy(labels):
        return -(shares(labels) * np.log2(shares(labels))).sum()

    def close(value, expected):
        return abs(float(value) - expected) <= 1e-6

    for counts_left, counts_right in [((3, 1, 0), (2, 9, 5)), ((6, 0, 1), (1, 4, 2))]:
        sides = [np.repeat(["a", "b", "c"], counts) for counts in (counts_left, counts_right)]
        labels = np.concatenate(sides)
        left = np.arange(len(labels)) < sum(counts_left)
        got = answer(labels.copy(), left.copy())
        before, (g_left, g_right) = gini(labels), map(gini, sides)
        after = left.mean() * g_left + (~left).mean() * g_right
        bits = (
            entropy(labels) - left.mean() * entropy(sides[0]) - (~left).mean() * entropy(sides[1])
        )
        if close(got, before - after):
            continue
        if close(got, before - (g_left + g_right) / 2):
            return "you let both sides count alike; a side with more rows must weigh more."
        if close(got, before - g_left - g_right):
            return "you subtract both sides without weights; weigh each by its share of the rows."
        if close(got, after):
            return "this is the impurity left over; the gain is how much lower it is than before."
        if close(got, bits):
            return "this is the gain in entropy; the Gini impurity has squares and no logarithm."
        return "the gain of a question with three classes and sides of unequal size comes out wrong; test `gini` alone first."


@exercise(
    expects="a scikit-learn pipeline or classifier",
    hints=[
        "A step of a pipeline is a setting too: in a search, `standardscaler` can be a list of scalers.",
        'Try `MinMaxScaler()`, and the word "passthrough" for no scaling, each with a few values of `svc__C`.',
        'The parameters {"standardscaler": [StandardScaler(), MinMaxScaler(), "passthrough"], "svc__C": [1, 10]} '
        "in a `GridSearchCV` over `svm` with cv=5; the answer is its `best_estimator_`.",
    ],
    solution="""
        from sklearn.model_selection import GridSearchCV
        from sklearn.preprocessing import MinMaxScaler

        scalers = [StandardScaler(), MinMaxScaler(), "passthrough"]
        grid = GridSearchCV(svm, {"standardscaler": scalers, "svc__C": [1, 10]}, cv=5)
        answer = grid.fit(X_digits_train, y_digits_train).best_estimator_
    """,
    wrong={
        "answer = search": "still stretches",
        "answer = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))": "a straight boundary",
        "answer = SVC(gamma=1)": "learns each image by heart",
        "answer = search.best_score_": "a number",
        "answer = SVC().fit(X_digits_train, y_digits_train).predict(X_digits_test)": "the predictions",
    },
)
def exercise_3_5(answer):
    import numpy as np
    from sklearn.base import clone
    from sklearn.datasets import load_digits
    from sklearn.model_selection import cross_validate, train_test_split

    if isinstance(answer, float):
        return "this is a number; give the pipeline itself, so that it can be cross-validated."
    if isinstance(answer, np.ndarray):
        return "these look like the predictions; give the pipeline that makes them."
    model = clone(getattr(answer, "best_estimator_", answer))
    digits = load_digits()
    X, _, y, _ = train_test_split(
        digits.data, digits.target, random_state=0, stratify=digits.target
    )
    scores = cross_validate(model, X, y, cv=5, return_train_score=True)
    accuracy, in_training = scores["test_score"].mean(), scores["train_score"].mean()
    got = f"{accuracy:.3f}"
    if accuracy >= 0.984:
        return None
    if in_training - accuracy > 0.2:
        return f"{got} in validation but {in_training:.2f} in training: it learns each image by heart, so look at `gamma`."
    if _is_linear(model):
        return f"{got} is what a straight boundary gets here; digits need a bent one, such as an SVM with the RBF kernel."
    if _stretches(model, X):
        return f"{got} is about what section 3.8 had, because the pipeline still stretches rare pixels; try another scaling."
    if not accuracy >= 0.5:
        return f"{got} is far below what an `SVC()` gets without any setting; look at its settings one by one."
    return f"{got} is short of 0.984; search over the scaling, `svc__C` and `svc__gamma` together."


def _is_linear(model):
    last = model[-1] if hasattr(model, "steps") else model
    return hasattr(last, "C") and getattr(last, "kernel", "linear") == "linear"


def _stretches(model, X):
    """Whether the steps before the last blow rare pixels up to many times the usual size."""
    import numpy as np
    from sklearn.base import clone

    if not hasattr(model, "steps") or len(model.steps) < 2:
        return False
    scaled = clone(model[:-1]).fit_transform(X)
    return np.abs(scaled).max() > 10 * np.abs(scaled).mean() and np.abs(scaled).max() > 10
