"""The exercises of lesson 7, metrics."""

from helpers.exercises import exercise


@exercise(
    expects="a function of a confusion matrix",
    hints=[
        "Recall: of those that *are* of a class, how many were found? Where in the matrix are all of them?",
        "In scikit-learn's matrix a row holds all that are of a class. `axis=0` goes down the rows and adds up columns.",
    ],
    solution="""
        def recalls(matrix):
            return np.diag(matrix) / matrix.sum(axis=1)


        answer = recalls
    """,
    wrong={
        "answer = recalls": "precision of every class",
        "def answer(matrix):\n    return np.diag(matrix) / matrix.sum()": "sum of the whole matrix",
        "def answer(matrix):\n    return (np.diag(matrix) / matrix.sum(axis=1)).mean()": "one number",
        "answer = recalls(matrix)": "the function itself",
    },
)
def exercise_7_1(answer):
    import numpy as np
    from sklearn.datasets import load_wine
    from sklearn.metrics import confusion_matrix
    from sklearn.naive_bayes import GaussianNB

    if not callable(answer):
        return "the answer must be the function itself: write its name without parentheses."
    X, y = load_wine(return_X_y=True)
    matrix = confusion_matrix(y, GaussianNB().fit(X[:, :2], y).predict(X[:, :2]))
    found = np.asarray(answer(matrix.copy()), dtype=float)
    right = np.diag(matrix) / matrix.sum(axis=1)
    if found.ndim == 0:
        return "it returns one number, and the recall of every class is asked."
    if found.shape != right.shape:
        return f"for three classes it returned an array of shape {found.shape}."
    if np.allclose(found, np.diag(matrix) / matrix.sum(axis=0)):
        return "these are the precision of every class: it divides by how many were predicted, not by how many there are."
    if np.allclose(found, np.diag(matrix) / matrix.sum()):
        return "it divides by the sum of the whole matrix instead of by what belongs to the class."
    if not np.allclose(found, right):
        return "the numbers are not the recalls: compare with recall_score(…, average=None)."


@exercise(
    expects="a function of logits and labels",
    hints=[
        "AUC judges an order. Which order is left when every row is 0 or 1?",
        "A score must say how far the row is on the side of class 1. One logit alone does not, since both can be large.",
        "The difference of the two logits is such a score; so is the probability of class 1.",
    ],
    solution="""
        def report(logits, y_true):
            accuracy = accuracy_score(y_true, logits.argmax(axis=1))
            auc = roc_auc_score(y_true, logits[:, 1] - logits[:, 0])
            return accuracy, auc


        answer = report
    """,
    wrong={
        "answer = report": "from decisions",
        """
def answer(logits, y_true):
    return accuracy_score(y_true, logits.argmax(axis=1)), roc_auc_score(y_true, logits[:, 1])
""": "second logit alone",
        """
def answer(logits, y_true):
    return accuracy_score(y_true, logits.argmax(axis=1)), roc_auc_score(y_true, logits[:, 0] - logits[:, 1])
""": "upside down",
        """
def answer(logits, y_true):
    return roc_auc_score(y_true, logits[:, 1] - logits[:, 0]), accuracy_score(y_true, logits.argmax(axis=1))
""": "accuracy first",
    },
)
def exercise_7_2(answer):
    import numpy as np
    from sklearn.datasets import load_breast_cancer
    from sklearn.metrics import accuracy_score, roc_auc_score

    X, y = load_breast_cancer(return_X_y=True)
    texture = X[:, 1]
    score = (texture.mean() - texture) / texture.std()
    common = 2 * np.sin(7.3 * np.arange(len(y)))  # what both logits share says nothing
    logits = np.column_stack([common - 0.3 * score, common + 0.7 * score])
    accuracy, auc = (float(value) for value in answer(logits.copy(), y.copy()))
    right_accuracy, right_auc = accuracy_score(y, score > 0), roc_auc_score(y, score)
    if abs(accuracy - right_auc) < 1e-4 and abs(auc - right_accuracy) < 1e-4:
        return "the two numbers have changed places: accuracy first, then AUC."
    if not abs(accuracy - right_accuracy) < 1e-6:
        return "the accuracy was right and is not any more: it needs decisions."
    if abs(auc - roc_auc_score(y, score > 0)) < 1e-4:
        return (
            "the AUC is still made from decisions: `argmax` throws the order within each side away."
        )
    if abs(auc - roc_auc_score(y, logits[:, 1])) < 1e-4:
        return "the second logit alone is no score: both logits of a row can be large at once."
    if abs(auc - (1 - right_auc)) < 1e-4:
        return "the AUC is upside down: the score must be high for class 1."
    if not abs(auc - right_auc) < 1e-4:
        return f"the AUC is {auc:.3f} where the order of the rows gives {right_auc:.3f}."


@exercise(
    expects="a function of a list of batches",
    hints=[
        "The root of a mean is not the mean of roots. What can be added up over batches without loss?",
        "Sums can: the sum of the squared errors, and the number of rows. Divide and take the root once, at the end.",
    ],
    solution="""
        def batched_rmse(batches):
            squares, rows = 0.0, 0
            for y_true, y_pred in batches:
                squares += np.sum((y_true - y_pred) ** 2)
                rows += len(y_true)
            return np.sqrt(squares / rows)


        answer = batched_rmse
    """,
    wrong={
        "answer = batched_rmse": "both bugs",
        """
def answer(batches):
    return np.sqrt(np.mean([np.mean((y - p) ** 2) for y, p in batches]))
""": "every batch the same weight",
        """
def answer(batches):
    scores = [np.sqrt(np.mean((y - p) ** 2)) for y, p in batches]
    return np.average(scores, weights=[len(y) for y, p in batches])
""": "averages roots",
        """
def answer(batches):
    return sum(np.sum((y - p) ** 2) for y, p in batches) / sum(len(y) for y, p in batches)
""": "MSE",
    },
)
def exercise_7_3(answer):
    import numpy as np
    from sklearn.datasets import load_diabetes

    y = load_diabetes().target
    p = np.full(len(y), 150.0)
    order = np.argsort(np.abs(y - p))  # the last, small batch has the largest errors
    y, p = y[order], p[order]
    batches = [(y[i : i + 100].copy(), p[i : i + 100].copy()) for i in range(0, len(y), 100)]
    found = float(answer(batches))
    mse = [np.mean((a - b) ** 2) for a, b in batches]
    rows = [len(a) for a, _ in batches]
    right = np.sqrt(np.mean((y - p) ** 2))
    if abs(found - np.mean(np.sqrt(mse))) < 1e-6 * right:
        return "both bugs are still there: look at what is averaged, and with which weights."
    if abs(found - np.sqrt(np.mean(mse))) < 1e-6 * right:
        return "it gives every batch the same weight, though the last one has fewer rows."
    if abs(found - np.average(np.sqrt(mse), weights=rows)) < 1e-6 * right:
        return "the rows count rightly now, but it averages roots: take the root once, at the end."
    if abs(found - right**2) < 1e-6 * right**2:
        return "this is the MSE: the root is missing."
    if not abs(found - right) < 1e-6 * right:
        return f"it gives {found:.4g} where all rows at once give {right:.4g}."


@exercise(
    expects="a function of labels, scores and two costs",
    hints=[
        "For one threshold, count the false alarms and the misses and multiply each by its cost.",
        "Which thresholds are worth trying? Decisions change only at the scores themselves: `np.unique(p)`.",
        "Calling nobody is a choice too: add a threshold above every score, such as `np.inf`.",
    ],
    solution="""
        def cheapest_threshold(y_true, p, false_alarm, miss):
            candidates = np.append(np.unique(p), np.inf)
            costs = [
                false_alarm * np.sum((p >= t) & (y_true == 0)) + miss * np.sum((p < t) & (y_true == 1))
                for t in candidates
            ]
            return candidates[np.argmin(costs)]


        answer = cheapest_threshold
    """,
    wrong={
        "def answer(y_true, p, false_alarm, miss):\n    return 0.5": "the habit",
        "def answer(y_true, p, false_alarm, miss):\n    return false_alarm / (false_alarm + miss)": (
            "at their word"
        ),
        """
def answer(y_true, p, false_alarm, miss):
    t = np.append(np.unique(p), np.inf)
    return t[np.argmin([miss * np.sum((p >= x) & (y_true == 0)) + false_alarm * np.sum((p < x) & (y_true == 1)) for x in t])]
""": "changed places",
        """
def answer(y_true, p, false_alarm, miss):
    t = np.append(np.unique(p), np.inf)
    return t[np.argmax([accuracy_score(y_true, p >= x) for x in t])]
""": "fewest mistakes",
        """
def answer(y_true, p, false_alarm, miss):
    t = np.linspace(0, 1.01, 102)
    return t[np.argmin([false_alarm * np.sum((p >= x) & (y_true == 0)) + miss * np.sum((p < x) & (y_true == 1)) for x in t])]
""": "too coarse",
        """
def answer(y_true, p, false_alarm, miss):
    t = np.unique(p)
    return t[np.argmin([false_alarm * np.sum((p >= x) & (y_true == 0)) + miss * np.sum((p < x) & (y_true == 1)) for x in t])]
""": "nobody",
    },
)
def exercise_7_4(answer):
    import numpy as np
    from sklearn.datasets import load_breast_cancer

    X, y = load_breast_cancer(return_X_y=True)
    y, texture = 1 - y, X[:, 1]
    p = (np.argsort(np.argsort(texture, kind="stable"), kind="stable") + 1) / (len(y) + 1)
    p = p**5  # the right order, wrong probabilities, most of them tiny

    def cost(t, y, false_alarm, miss):
        return false_alarm * np.sum((p >= t) & (y == 0)) + miss * np.sum((p < t) & (y == 1))

    def cheapest(y, false_alarm, miss):
        candidates = np.append(np.unique(p), np.inf)
        return candidates[np.argmin([cost(t, y, false_alarm, miss) for t in candidates])]

    for false_alarm, miss in [(1, 5), (3, 2)]:
        found = float(answer(y.copy(), p.copy(), false_alarm, miss))
        paid = cost(found, y, false_alarm, miss)
        least = cost(cheapest(y, false_alarm, miss), y, false_alarm, miss)
        if found == found and paid <= least + 1e-9:
            continue
        costs = f"for false_alarm={false_alarm}, miss={miss} your threshold"
        if abs(found - 0.5) < 1e-9:
            return f"{costs} is 0.5, the habit: try all thresholds and compare what they cost."
        if abs(found - false_alarm / (false_alarm + miss)) < 1e-9:
            return f"{costs} takes the probabilities at their word, and these are badly calibrated: search instead."
        decisions = p >= found
        if (decisions == (p >= cheapest(y, miss, false_alarm))).all():
            return f"{costs} is the best one for costs that have changed places: a false alarm is a call on a row of class 0."
        if (decisions == (p >= cheapest(y, 1, 1))).all():
            return f"{costs} is the one with the fewest mistakes, whatever they cost: weigh the two kinds."
        if paid <= 1.4 * least:
            return f"{costs} costs {paid}, the best one {least}: the thresholds that you try are too coarse; which ones change a decision?"
        return f"{costs} costs {paid}, the best one {least}."
    useless = (texture <= np.sort(texture)[100]).astype(int)  # the highest scores are of class 0
    found = float(answer(useless.copy(), p.copy(), 1000, 1))
    if not cost(found, useless, 1000, 1) <= useless.sum():
        return "where false alarms are very dear, it is cheapest to call nobody, and no threshold that you try does that."


@exercise(
    expects="a function of probabilities, labels and a number of bins",
    hints=[
        "For each row you need two numbers: `proba.max(axis=1)`, and whether `proba.argmax(axis=1)` is right.",
        "From there it is section 7.10 again: bins, a mean of each number in each bin, the gap, weighted by rows.",
        "`expected_calibration_error` takes the two: the truth is whether the prediction is right, p is the confidence.",
    ],
    solution="""
        def confidence_ece(proba, y_true, n_bins=10):
            is_right = proba.argmax(axis=1) == y_true
            return expected_calibration_error(is_right, proba.max(axis=1), n_bins)


        print(f"digits: {confidence_ece(digit_proba, digit_test):.2f}")
        answer = confidence_ece
    """,
    wrong={
        """
def answer(proba, y_true, n_bins=10):
    return expected_calibration_error(y_true == 1, proba[:, 1], n_bins)
""": "class 1 alone",
        """
def answer(proba, y_true, n_bins=10):
    table = bins_of(proba.argmax(axis=1) == y_true, proba.max(axis=1), n_bins)
    return (table["predicted"] - table["actual"]).abs().mean()
""": "every bin the same weight",
        """
def answer(proba, y_true, n_bins=10):
    return abs(proba.max(axis=1).mean() - (proba.argmax(axis=1) == y_true).mean())
""": "cancel",
        """
def answer(proba, y_true, n_bins=10):
    return expected_calibration_error(proba.argmax(axis=1) == y_true, proba.max(axis=1), 10)
""": "n_bins",
        """
def answer(proba, y_true, n_bins=10):
    confidence, is_right = proba.max(axis=1), proba.argmax(axis=1) == y_true
    bins = np.floor(confidence * n_bins)
    return sum(abs(confidence[bins == k].mean() - is_right[bins == k].mean()) * (bins == k).mean() for k in range(n_bins))
""": "empty bin",
        """
def answer(proba, y_true, n_bins=10):
    confidence, is_right = proba.max(axis=1), proba.argmax(axis=1) == y_true
    bins = np.floor(confidence * n_bins)
    return sum(abs(confidence[bins == k].sum() - is_right[bins == k].sum()) for k in range(n_bins)) / len(y_true)
""": "exactly 1",
    },
)
def exercise_7_5(answer):
    import numpy as np
    from sklearn.datasets import load_digits
    from sklearn.naive_bayes import GaussianNB

    X, y = load_digits(return_X_y=True)
    bayes = GaussianNB(var_smoothing=1e-3).fit(X[:500], y[:500]).predict_proba(X[500:])
    y = y[500:]
    # Tempered: over-confident in some bins, under-confident in others; no row exactly 0 or 1.
    tempered = bayes**0.1 / (bayes**0.1).sum(axis=1, keepdims=True)
    tempered = 0.99 * tempered + 0.001
    certain = np.eye(10)[bayes.argmax(axis=1)]
    certain[::2] = tempered[::2]

    def ece(truth, p, n_bins, *, weighted=True):
        bins = np.clip(np.ceil(p * n_bins).astype(int) - 1, 0, n_bins - 1)
        rows = np.array([(bins == k).sum() for k in range(n_bins)])
        gaps = [abs(p[bins == k].mean() - truth[bins == k].mean()) for k in np.flatnonzero(rows)]
        return np.average(gaps, weights=rows[rows > 0] if weighted else None)

    for proba, n_bins in [(tempered, 10), (tempered, 4), (certain, 10)]:
        found = float(answer(proba.copy(), y.copy(), n_bins))
        confidence, is_right = proba.max(axis=1), proba.argmax(axis=1) == y
        right = ece(is_right, confidence, n_bins)
        if abs(found - right) < 1e-3:
            continue
        if found != found:
            return "the result is nan: an empty bin has no mean, so leave it out."
        if abs(found - ece(y == 1, proba[:, 1], n_bins)) < 1e-6:
            return "it looks at class 1 alone: take for every row the class that is predicted."
        if abs(found - ece(is_right, confidence, n_bins, weighted=False)) < 1e-6:
            return "it gives every bin the same weight, however few rows it has."
        if abs(abs(found) - abs(confidence.mean() - is_right.mean())) < 1e-6:
            return "gaps of different signs cancel: take the size of the gap in each bin before you average."
        if n_bins == 4 and abs(found - ece(is_right, confidence, 10)) < 1e-6:
            return "it does not use n_bins: with 4 bins it still gives the result for 10."
        if proba is certain:
            return "it is wrong where rows have a confidence of exactly 1: do they fall out of the last bin?"
        return f"it gives {found:.3f} where {right:.3f} is right, for {n_bins} bins."


@exercise(
    expects="a function of labels, two predictions and a metric",
    hints=[
        "One draw is an array of row numbers, with repetitions, as long as the test set.",
        "Within one draw, use the *same* rows for the labels and for both predictions; the metric is computed twice.",
        "Collect the differences of all draws; `np.percentile(differences, [2.5, 97.5])` are the ends.",
    ],
    solution="""
        def paired_interval(y_true, pred_a, pred_b, metric, n_draws=1000):
            rng = np.random.default_rng(0)
            differences = []
            for _ in range(n_draws):
                rows = rng.integers(len(y_true), size=len(y_true))
                score_a = metric(y_true[rows], pred_a[rows])
                differences.append(score_a - metric(y_true[rows], pred_b[rows]))
            return tuple(np.percentile(differences, [2.5, 97.5]))


        pred_net = np.where(right["network"], y_income_test, 1 - y_income_test)
        pred_boosting = np.where(right["boosting"], y_income_test, 1 - y_income_test)
        low, high = paired_interval(y_income_test, pred_net, pred_boosting, f1_score, n_draws=100)
        print(f"F1, network minus gradient boosting: {low:.2f} to {high:.2f}")
        answer = paired_interval
    """,
    wrong={
        """
def answer(y_true, pred_a, pred_b, metric, n_draws=1000):
    rng, n = np.random.default_rng(0), len(y_true)
    def score(pred):
        rows = rng.integers(n, size=n)
        return metric(y_true[rows], pred[rows])
    return np.percentile([score(pred_a) - score(pred_b) for _ in range(n_draws)], [2.5, 97.5])
""": "the same rows",
        """
def answer(y_true, pred_a, pred_b, metric, n_draws=1000):
    rng, n, found = np.random.default_rng(0), len(y_true), []
    for _ in range(n_draws):
        rows = rng.integers(n, size=n)
        found.append(metric(y_true, pred_a[rows]) - metric(y_true, pred_b[rows]))
    return np.percentile(found, [2.5, 97.5])
""": "labels must be drawn",
        """
def answer(y_true, pred_a, pred_b, metric, n_draws=1000):
    rng, n, found = np.random.default_rng(0), len(y_true), []
    for _ in range(n_draws):
        rows = rng.permutation(n)
        found.append(metric(y_true[rows], pred_a[rows]) - metric(y_true[rows], pred_b[rows]))
    return np.percentile(found, [2.5, 97.5])
""": "with replacement",
        """
def answer(y_true, pred_a, pred_b, metric, n_draws=1000):
    rng, n, found = np.random.default_rng(0), len(y_true), []
    for _ in range(n_draws):
        rows = rng.integers(n, size=n)
        found.append(metric(y_true[rows], pred_a[rows]) - metric(y_true[rows], pred_b[rows]))
    return np.percentile(found, [5, 95])
""": "2.5 %",
        """
def answer(y_true, pred_a, pred_b, metric, n_draws=1000):
    rng, n, found = np.random.default_rng(0), len(y_true), []
    for _ in range(n_draws):
        rows = rng.integers(n, size=n)
        found.append(metric(y_true[rows], pred_b[rows]) - metric(y_true[rows], pred_a[rows]))
    return np.percentile(found, [2.5, 97.5])
""": "turned round",
        """
def answer(y_true, pred_a, pred_b, metric, n_draws=1000):
    rng, n, found = np.random.default_rng(0), len(y_true), []
    for _ in range(n_draws):
        rows = rng.integers(n, size=n)
        found.append(accuracy_score(y_true[rows], pred_a[rows]) - accuracy_score(y_true[rows], pred_b[rows]))
    return np.percentile(found, [2.5, 97.5])
""": "the metric that it is given",
    },
)
def exercise_7_6(answer):
    import numpy as np

    calls = []

    def recall(y_true, y_pred):
        calls.append(1)
        return (np.asarray(y_pred)[np.asarray(y_true) == 1] == 1).mean()

    row = np.arange(500)
    y = (row % 2 == 0).astype(int)
    both_wrong = row % 10 < 4  # shared mistakes, in both classes
    only_b = row % 20 == 4  # of class 1, so that recall sees them
    pred_a = np.where(both_wrong, 1 - y, y)
    pred_b = np.where(both_wrong | only_b, 1 - y, y)

    def interval(first, second, n_draws):
        low, high = answer(y.copy(), first.copy(), second.copy(), recall, n_draws=n_draws)
        return float(low), float(high)

    low, high = interval(pred_a, pred_a, 100)
    if not calls:
        return "it never calls the metric that it is given."
    if not abs(low) + abs(high) < 1e-9:
        return "for two equal predictions the interval must be from 0 to 0: within a draw, score both on the same rows."
    low, high = interval(pred_a, pred_b, 2000)
    expected = recall(y, pred_a) - recall(y, pred_b)
    # recall is a mean over the 250 rows of class 1, the difference one of 25 ones and 225 zeros
    width = 2 * 1.96 * np.sqrt(0.1 * 0.9 / 250)
    if high < 0 and abs((low + high) / 2 + expected) < 0.02:
        return "the difference is turned round: the first prediction's score minus the second's is asked."
    if high - low < 1e-9:
        return "the interval has no width: draw rows with replacement, otherwise every draw is the whole test set."
    if high < low:
        return "the ends have changed places: the lower one comes first."
    middle = (low + high) / 2
    if not abs(middle - expected) < 0.02:
        if abs(expected / 2 - middle) < 0.03:
            return "predictions are held against the wrong labels: the labels must be drawn with the same rows."
        return f"the interval's middle is {middle:.2f}, and the scores of all rows differ by {expected:.2f}."
    if 0.76 < (high - low) / width < 0.91:
        return "the interval is a little narrow: 95 % in the middle leave 2.5 % at either end."
    if not 0.85 < (high - low) / width < 1.15:
        return (
            "the interval has the wrong width: does every draw have as many rows as the test set?"
        )
