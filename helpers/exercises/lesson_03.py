"""The exercises of lesson 3, supervised models."""

from helpers.exercises import exercise


def _is_number(value):
    return not isinstance(value, str | bytes | bool) and value is not None


def _close(value, expected, tolerance=1e-6):
    return abs(float(value) - expected) <= tolerance


@exercise(
    expects="a function of labels and a metric",
    hints=[
        "`np.unique(y)` has the classes. What does a model answer that always says `c`?",
        "`np.full(len(y), c)` is that answer for all rows; give it to `metric` as `y_pred`.",
    ],
    solution="""
        def best_constant(y, metric):
            return max(metric(y, np.full(len(y), c)) for c in np.unique(y))


        answer = best_constant
    """,
    wrong={
        """
def answer(y, metric):
    values, counts = np.unique(y, return_counts=True)
    return metric(y, np.full(len(y), values[counts.argmax()]))
""": "most frequent class",
        """
def answer(y, metric):
    return max(np.unique(y), key=lambda c: metric(y, np.full(len(y), c)))
""": "the class itself",
        """
def answer(y, metric):
    return max(metric(np.full(len(y), c), y) for c in np.unique(y))
""": "swapped",
        """
def answer(y, metric):
    return np.mean([metric(y, np.full(len(y), c)) for c in np.unique(y)])
""": "the mean over the classes",
        """
def answer(y, metric):
    return np.unique(y, return_counts=True)[1].max() / len(y)
""": "does not use `metric`",
        "answer = 0.627": "the function itself",
    },
)
def exercise_3_1(answer):
    import numpy as np
    from sklearn.metrics import accuracy_score, balanced_accuracy_score

    if not callable(answer):
        return "the answer is to be the function itself, not what it returns once."

    def caught(y_true, y_pred):  # what matters is the rare class
        rare = min(np.unique(y), key=lambda c: (y == c).sum())
        hits = (y_true == rare) & (y_pred == rare)
        return hits.sum() / max(1, (y_true == rare).sum()) - 0.1 * (y_pred == rare).mean()

    rng = np.random.default_rng()
    for names, shares in [((0, 1), (0.8, 0.2)), (("no", "maybe", "surely"), (0.5, 0.3, 0.2))]:
        y = rng.permutation(np.repeat(names, [int(60 * s) for s in shares]))
        for metric in (accuracy_score, caught, balanced_accuracy_score):
            got = answer(y.copy(), metric)
            scores = {c: float(metric(y, np.full(len(y), c))) for c in np.unique(y)}
            best = max(scores.values())
            if isinstance(got, str | int | np.integer) and got in names:
                return "it returns the class itself; return the score that this class reaches."
            if _close(got, best):
                continue
            name = getattr(metric, "__name__", "metric")
            common = max(names, key=lambda c: (y == c).sum())
            swapped = max(float(metric(np.full(len(y), c), y)) for c in np.unique(y))
            if metric is caught and _close(got, (y == common).mean()):
                return "it does not use `metric`: it returns the share of the most common class."
            if metric is caught and _close(got, scores[common]):
                return "it tries the most frequent class only; for this metric another class scores higher."
            if metric is caught and _close(got, swapped):
                return "the arguments are swapped: `metric(y_true, y_pred)` takes the true classes first."
            if _close(got, np.mean(list(scores.values()))):
                return "this is the mean over the classes; you want the highest score."
            return f"with {name} on {len(y)} rows of {len(names)} classes it gives {float(got):.3f}, expected {best:.3f}."


@exercise(
    expects="a pair of numbers",
    hints=[
        "The first model is `LinearRegression()` on `penguins[['bill_length_mm']]`.",
        "`pd.get_dummies(species, dtype=float)` makes a column of zeros and ones for each species.",
        "Join the length and these columns with `join`, fit, and read the first number of `coef_`.",
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
first = LinearRegression().fit(length, depth).coef_[0]
answer = (first, first)
""": "has not learned the species",
        """
scaled = StandardScaler().fit_transform(penguins[["bill_length_mm"]])
first = LinearRegression().fit(scaled, penguins["bill_depth_mm"]).coef_[0]
answer = (first, 0.2)
""": "per millimetre",
        'answer = ("-0.085", "0.2")': "text",
    },
)
def exercise_3_2(answer):
    import numpy as np
    import pandas as pd
    from sklearn.linear_model import LinearRegression

    from helpers.datasets import load_penguins

    penguins = load_penguins().frame.dropna(subset=["bill_length_mm", "bill_depth_mm"])
    length, depth = penguins["bill_length_mm"], penguins["bill_depth_mm"]
    dummies = pd.get_dummies(penguins["species"], dtype=float)
    codes = pd.Series(pd.factorize(penguins["species"])[0], penguins.index)

    def coefficient(x, y, *others):
        return LinearRegression().fit(pd.concat([x, *others], axis=1).to_numpy(), y).coef_[0]

    alone, within = coefficient(length, depth), coefficient(length, depth, dummies)
    if not all(_is_number(part) for part in answer):
        return "the pair holds text; give the two numbers."
    first, second = (float(np.squeeze(part)) for part in answer)

    def close(a, b):
        return abs(a - b) <= 0.001

    if close(first, within) and close(second, alone):
        return "both are right, but check the order: first the model without the species."
    if close(first, coefficient(depth, length)) or close(
        second, coefficient(depth, length, dummies)
    ):
        return "you predict the length from the depth; the target is `bill_depth_mm`."
    if close(first, alone * length.std(ddof=0)):
        return "the first coefficient is per standard deviation; give it per millimetre, without scaling."
    if not close(first, alone):
        return f"the first coefficient is {first:.3f}, expected another: only `bill_length_mm`, on all 342 birds."
    if close(second, alone):
        return (
            "your second model has not learned the species: its coefficient is that of the first."
        )
    orders = [codes, codes.map({0: 0, 1: 2, 2: 1}), codes.map({0: 1, 1: 0, 2: 2})]
    if any(close(second, coefficient(length, depth, order)) for order in orders):
        return "you numbered the species, which claims an order; give each one a column of its own."
    if not close(second, within):
        return f"the second coefficient is {second:.3f}, expected another: `bill_length_mm` and a column per species."


@exercise(
    expects="a function of model, X and y",
    hints=[
        "How many different values does `model.predict(X)` have? How many thresholds can a curve try on them?",
        "A ranking needs a score for each row: `predict_proba` or `decision_function`.",
        '`hasattr(model, "decision_function")` tells which of the two a model has.',
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
        "def answer(model, X, y):\n    return roc_auc_score(y, model.fit(X, y).predict_proba(X)[:, 1])": "fitted",
        "answer = 0.99": "the function itself",
    },
)
def exercise_3_3(answer):
    import numpy as np
    from sklearn.datasets import make_classification
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    if not callable(answer):
        return "the answer is to be the function itself, not what it returns for one model."
    for n_columns in (3, 6):
        X, y = make_classification(
            400,
            n_columns,
            n_informative=3,
            n_redundant=0,
            n_clusters_per_class=1,
            flip_y=0.3,
            weights=[0.75],
        )
        X_train, X_test, y_train, y_test = X[::2], X[1::2], y[::2], y[1::2]
        models = [
            make_pipeline(StandardScaler(), LogisticRegression()),
            RandomForestClassifier(20),
            make_pipeline(StandardScaler(), SVC()),
            SVC(),
        ]
        for model in models:
            model.fit(X_train, y_train)
            is_forest = isinstance(model, RandomForestClassifier)
            scores = (
                model.predict_proba(X_test)[:, 1] if is_forest else model.decision_function(X_test)
            )
            right = roc_auc_score(y_test, scores)
            hard, accuracy = (
                roc_auc_score(y_test, model.predict(X_test)),
                model.score(X_test, y_test),
            )
            try:
                got = answer(model, X_test.copy(), y_test.copy())
            except AttributeError as error:
                if "decision_function" in str(error):
                    return "a forest has no `decision_function`; your function must take the other way there."
                if "predict_proba" in str(error):
                    return (
                        "this `SVC` has no `predict_proba`; what else does it have that ranks rows?"
                    )
                raise
            if is_forest:
                now = model.predict_proba(X_test)[:, 1]
            else:
                now = model.decision_function(X_test)
            if not np.allclose(now, scores):
                return "your function has fitted the model anew; it must only measure it."
            if _close(got, right):
                continue
            if _close(got, hard):
                return "`predict` has only two values, so the curve has one threshold; give a score for each row."
            if _close(got, accuracy):
                return (
                    "this is the accuracy, which looks at one threshold only; keep `roc_auc_score`."
                )
            if _close(got, 1 - right):
                return (
                    "your ranking is upside down: these are the probabilities of the other class."
                )
            return f"for {type(model).__name__} it gives {float(got):.3f}, expected {right:.3f}."


@exercise(
    expects="a function of y, P and classes",
    hints=[
        "For each row you need one number of `P`: in the column of the true class.",
        "`list(classes).index(c)` is the column of class `c`; `P[np.arange(len(y)), columns]` picks one per row.",
        "`np.maximum(p, 1e-15)` before the logarithm keeps it finite.",
    ],
    solution="""
        def mean_log_loss(y, P, classes):
            columns = [list(classes).index(c) for c in y]
            p = P[np.arange(len(y)), columns]
            return -np.log(np.maximum(p, 1e-15)).mean()


        answer = mean_log_loss
    """,
    wrong={
        "def answer(y, P, classes):\n    return log_loss(y, P, labels=classes)": "in the order of `classes`",
        """
def answer(y, P, classes):
    columns = [list(classes).index(c) for c in y]
    return -np.log(np.maximum(P[np.arange(len(y)), columns], 1e-15)).sum()
""": "the sum",
        """
def answer(y, P, classes):
    columns = [list(classes).index(c) for c in y]
    return -np.log2(np.maximum(P[np.arange(len(y)), columns], 1e-15)).mean()
""": "base 2",
        """
def answer(y, P, classes):
    columns = [list(classes).index(c) for c in y]
    return -np.log(P[np.arange(len(y)), columns]).mean()
""": "`inf`",
        "def answer(y, P, classes):\n    return -np.log(np.maximum(P.max(axis=1), 1e-15)).mean()": "most probable class",
        """
def answer(y, P, classes):
    P.clip(1e-15, None, out=P)
    columns = [list(classes).index(c) for c in y]
    return -np.log(P[np.arange(len(y)), columns]).mean()
""": "changes `P`",
        "answer = 0.05": "the function itself",
    },
)
def exercise_3_4(answer):
    import numpy as np

    if not callable(answer):
        return "the answer is to be the function itself, not one loss."
    rng = np.random.default_rng()
    for classes in (["wet", "dry"], ["c", "a", "b"], [7, 3, 5, 1, 9]):
        for with_zero in (False, True):
            y = rng.choice(classes, 30)
            P = rng.dirichlet(np.ones(len(classes)), 30).clip(1e-3)
            P /= P.sum(axis=1, keepdims=True)
            columns = np.array([classes.index(c) for c in y])
            if with_zero:
                P[0] = np.eye(len(classes))[(columns[0] + 1) % len(classes)]
            before = P.copy()
            got = answer(y.copy(), P, list(classes))
            if not np.array_equal(P, before):
                return "your function changes `P`, which its caller may still need: work on a copy."
            losses = -np.log(np.maximum(P[np.arange(30), columns], 1e-15))
            right = losses.mean()
            if _close(got, right):
                continue
            if with_zero and not np.isfinite(got):
                return "where the true class has probability 0, it gives `inf` or nan; treat 0 as 1e-15."
            if _close(got, losses.sum()):
                return "this is the sum of the losses; the mean divides by the number of rows."
            if _close(got, right / np.log(2)):
                return (
                    "this is a logarithm to base 2; the log loss takes the natural one, `np.log`."
                )
            if _close(got, -np.log(np.maximum(P.max(axis=1), 1e-15)).mean()):
                return "you take the most probable class; the loss asks for the probability of the *true* class."
            in_sorted = np.array([sorted(classes).index(c) for c in y])
            if _close(
                got, -np.log(np.maximum(P[np.arange(30), in_sorted], 1e-15)).mean(), 1e-4
            ) or _close(
                got, -np.log(np.maximum(P[np.arange(30), in_sorted], 2.3e-16)).mean(), 0.05
            ):
                return (
                    "the columns of `P` are in the order of `classes`, not in alphabetical order."
                )
            return f"for {len(classes)} classes it gives {float(got):.4f}, expected {right:.4f}."


_GINI = """
def gini(labels):
    return 1 - (pd.Series(labels).value_counts(normalize=True) ** 2).sum()
def answer(labels, left):
    return """


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
        _GINI + "gini(labels) - (gini(labels[left]) + gini(labels[~left])) / 2": "count alike",
        _GINI + "gini(labels) - gini(labels[left]) - gini(labels[~left])": "without weights",
        _GINI
        + "left.mean() * gini(labels[left]) + (~left).mean() * gini(labels[~left])": "remains",
        """
def answer(labels, left):
    labels = pd.Series(labels)
    after = left.mean() * entropy(labels[left]) + (~left).mean() * entropy(labels[~left])
    return entropy(labels) - after
""": "entropy",
        """
def gini(labels):
    return 1 - ((np.unique(labels, return_counts=True)[1] / len(labels)) ** 2).sum()
def side(labels, rows):
    return sum(rows) / len(rows) * gini(labels[rows]) if len(labels[rows]) else np.nan
def answer(labels, left):
    return gini(labels) - side(labels, left) - side(labels, ~left)
""": "all rows on one side",
        "answer = 0.3": "the function itself",
    },
)
def exercise_3_5(answer):
    import numpy as np

    if not callable(answer):
        return "the answer is to be the function itself, not one number."

    def shares(labels):
        return np.unique(labels, return_counts=True)[1] / len(labels)

    def gini(labels):
        return 1 - (shares(labels) ** 2).sum()

    def entropy(labels):
        return -(shares(labels) * np.log2(shares(labels))).sum()

    rng = np.random.default_rng()
    for names, n_rows in [(["a", "b", "c"], 40), ([0, 1], 25)]:
        labels = rng.permutation(np.append(rng.choice(names, n_rows), names))
        left = (labels == names[0]) | (rng.random(len(labels)) < 0.2)
        left[np.flatnonzero(labels != names[0])[0]] = False
        sides = labels[left], labels[~left]
        weights = left.mean(), (~left).mean()
        got = answer(labels.copy(), left.copy())
        before, (g_left, g_right) = gini(labels), map(gini, sides)
        remains = weights[0] * g_left + weights[1] * g_right
        bits = entropy(labels) - weights[0] * entropy(sides[0]) - weights[1] * entropy(sides[1])
        if not _close(got, before - remains):
            if _close(got, before - (g_left + g_right) / 2):
                return "you let both sides count alike; a side with more rows must weigh more."
            if _close(got, before - g_left - g_right):
                return (
                    "you subtract both sides without weights; weigh each by its share of the rows."
                )
            if _close(got, remains):
                return "this is the impurity that remains; the gain is how much lower it is than before."
            if _close(got, bits):
                return (
                    "this is the gain in entropy; the Gini impurity has squares and no logarithm."
                )
            return f"for {len(names)} classes it gives {float(got):.4f}, expected {before - remains:.4f}."
        for one_side in (np.ones_like(left), np.zeros_like(left)):
            got = answer(labels.copy(), one_side)
            if not _close(got, 0):
                return (
                    f"with all rows on one side it gives {float(got):.3f}; such a question gains 0."
                )


@exercise(
    expects="a function of a, b and n_splits",
    hints=[
        "Section 3.9 has all parts of it. What does `n_splits` folds say about the test part and the training part?",
        "One part of `n_splits` tests and the other `n_splits - 1` train.",
        "`2 * stats.t.sf(abs(t), df=J - 1)` is two-sided.",
    ],
    solution="""
        def corrected_p(a, b, n_splits):
            difference = np.asarray(a) - np.asarray(b)
            J = len(difference)
            factor = 1 / J + 1 / (n_splits - 1)
            t = difference.mean() / np.sqrt(factor * difference.var(ddof=1))
            return 2 * stats.t.sf(abs(t), df=J - 1)


        answer = corrected_p
    """,
    wrong={
        "def answer(a, b, n_splits):\n    return stats.ttest_rel(a, b).pvalue": "ordinary",
        """
def answer(a, b, n_splits):
    d, J = a - b, len(a)
    t = d.mean() / np.sqrt((1 / J + 1 / (n_splits - 1)) * d.var(ddof=1))
    return stats.t.sf(abs(t), df=J - 1)
""": "one-sided",
        """
def answer(a, b, n_splits):
    d, J = a - b, len(a)
    t = d.mean() / np.sqrt((1 / J + 1 / (n_splits - 1)) * d.var(ddof=1))
    return 2 * stats.t.sf(t, df=J - 1)
""": "the second model",
        """
def answer(a, b, n_splits):
    d, J = a - b, len(a)
    t = d.mean() / np.sqrt((1 / J + 1 / n_splits) * d.var(ddof=1))
    return 2 * stats.t.sf(abs(t), df=J - 1)
""": "four train",
        """
def answer(a, b, n_splits):
    d, J = np.asarray(a) - np.asarray(b), len(a)
    t = d.mean() / np.sqrt((1 / J + 1 / 4) * d.var(ddof=1))
    return 2 * stats.t.sf(abs(t), df=J - 1)
""": "five folds",
        """
def answer(a, b, n_splits):
    d, J = np.asarray(a) - np.asarray(b), len(a)
    t = d.mean() / np.sqrt((1 / J + 1 / (n_splits - 1)) * np.var(d))
    return 2 * stats.t.sf(abs(t), df=J - 1)
""": "`ddof=1`",
        "answer = 0.46": "the function itself",
    },
)
def exercise_3_6(answer):
    import numpy as np
    from scipy import stats

    if not callable(answer):
        return "the answer is to be the function itself, not one p-value."
    rng = np.random.default_rng()
    for n_splits, n_repeats in [(5, 3), (10, 4), (3, 10)]:
        for sign in (1, -1):
            J = n_splits * n_repeats
            difference = rng.normal(size=J)
            difference = 0.012 * (difference - difference.mean()) / difference.std(ddof=1) + 0.01
            b = rng.normal(0.5, 0.1, J)
            a = b + sign * difference
            got = answer(a.copy(), b.copy(), n_splits)

            def p(ratio, ddof=1, a=a, b=b, J=J):
                d = a - b
                t = d.mean() / np.sqrt((1 / J + ratio) * d.var(ddof=ddof))
                return 2 * stats.t.sf(abs(t), df=J - 1)

            right = p(1 / (n_splits - 1))
            if abs(float(got) - right) <= 1e-8 + 1e-5 * right:
                continue

            def is_like(value, got=got):
                return abs(float(got) - value) <= 1e-8 + 1e-5 * value

            if is_like(p(0)):
                return "this is the ordinary paired t-test: the term n_test / n_train is missing."
            if is_like(right / 2):
                return (
                    "this is one-sided; two-sided counts differences of both signs, twice as much."
                )
            if sign < 0 and is_like(2 - right):
                return (
                    "where the second model is better, p comes out above 1: take the size of t, "
                    "not its sign."
                )
            if is_like(p(1 / n_splits)):
                return (
                    "n_test / n_train is not 1 / n_splits: of five folds one tests and four train."
                )
            if is_like(p(1 / 4)):
                return "the ratio is fixed to that of five folds; compute it from `n_splits`."
            if is_like(p(1 / (n_splits - 1), ddof=0)):
                return "the variance of a sample divides by J - 1: `ddof=1`."
            return f"for {n_splits} folds, {n_repeats} times, it gives p = {float(got):.4f}, expected {right:.4f}."


@exercise(
    expects="a scikit-learn pipeline or classifier",
    hints=[
        "A step of a pipeline is a setting too: in a search, `standardscaler` can be a list of scalers.",
        'Try `MinMaxScaler()`, and the word "passthrough" for no scaling, each with a few values of `svc__C`.',
        "Use `GridSearchCV` with `cv=GroupKFold(3)`, and give `groups=form[is_train]` to its `fit`.",
    ],
    solution="""
        from sklearn.preprocessing import MinMaxScaler

        scalers = [StandardScaler(), MinMaxScaler(), "passthrough"]
        settings = {"standardscaler": scalers, "svc__C": [1, 10]}
        answer = GridSearchCV(svm, settings, cv=GroupKFold(3))
        answer.fit(X_digits_train, y_digits_train, groups=form[is_train])
    """,
    wrong={
        "answer = digit_search": "still divides rare pixels",
        "answer = LogisticRegression(max_iter=5000)": "straight boundary",
        "answer = SVC(gamma=1)": "memorises each image",
        "answer = digit_search.best_score_": "a number",
        "answer = digit_search.predict(X_digits_train)": "the predictions",
        "answer = GridSearchCV(svm, {'svc__C': [1, 10]}, cv=GroupKFold(3))": "not been fitted",
        "answer = DummyClassifier()": "far below",
    },
)
def exercise_3_7(answer):
    import re

    import numpy as np
    from sklearn.base import clone
    from sklearn.datasets import load_digits

    if isinstance(answer, float | int | np.number):
        return "this is a number; give the pipeline itself, so that it can be fitted and scored."
    if isinstance(answer, np.ndarray):
        return "these look like the predictions; give the pipeline that makes them."
    if hasattr(answer, "param_grid") or hasattr(answer, "param_distributions"):
        if not hasattr(answer, "best_estimator_"):
            return "this search has not been fitted, so it has chosen nothing yet."
        answer = answer.best_estimator_
    digits = load_digits()
    text = "".join(map(str, digits.target))
    starts = [match.start() - 37 for match in re.finditer("98984177351", text)]
    form = np.searchsorted(starts, np.arange(len(text)), side="right") - 1
    X, y = digits.data[form <= 8], digits.target[form <= 8]
    model = clone(answer).fit(X, y)
    accuracy = float(np.mean(model.predict(digits.data[form >= 12]) == digits.target[form >= 12]))
    got = f"{accuracy:.3f} on the two new blocks"
    if accuracy >= 0.92:
        return None
    if np.mean(model.predict(X) == y) - accuracy > 0.2:
        return f"{got}, but nearly 1 on the training rows: it memorises each image, so look at `gamma`."
    if not accuracy >= 0.8:
        return f"{got} is far below what an `SVC()` gets without any setting; change one thing at a time."
    if _is_linear(model):
        return f"{got} is what a straight boundary gets here; try a curved one, such as an SVM with the RBF kernel."
    if _stretches(model, X):
        return f"{got}: the pipeline still divides rare pixels by their tiny standard deviations; try another scaling."
    return f"{got}, 0.92 is asked for; search over the scaling, `svc__C` and `svc__gamma` together."


def _is_linear(model):
    last = model[-1] if hasattr(model, "steps") else model
    return hasattr(last, "coef_") and hasattr(last, "C")


def _stretches(model, X):
    """Whether the steps before the last blow rare pixels up to many times the usual size."""
    import numpy as np

    if not hasattr(model, "steps") or len(model.steps) < 2:
        return False
    scaled = model[:-1].transform(X)
    return np.abs(scaled).max() > 10 * np.abs(scaled).mean() and np.abs(scaled).max() > 10
