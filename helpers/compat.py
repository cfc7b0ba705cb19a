"""What is spelled differently in the scikit-learn versions that the course supports."""

import re


def l1_penalty():
    """The arguments that give `LogisticRegression` an L1 penalty, rightly and without a warning.

    scikit-learn 1.8 renamed `penalty="l1"` to `l1_ratio=1`. On 1.6 and 1.7 `l1_ratio=1` alone
    is silently an L2 penalty; from 1.8 `penalty="l1"` warns, and 1.10 takes it away.
    Source: the `penalty` and `l1_ratio` parameters in
    https://scikit-learn.org/stable/modules/generated/sklearn.linear_model.LogisticRegression.html

    Returns
    -------
    dict
        For `LogisticRegression(**l1_penalty(), solver=…)`, with a solver that can do L1:
        `"liblinear"` or `"saga"`.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.linear_model import LogisticRegression
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> model = LogisticRegression(C=0.01, solver="liblinear", **l1_penalty()).fit(X, y)
    >>> bool((model.coef_ == 0).any())  # L1 sets coefficients to exactly zero, L2 does not
    True
    """
    import sklearn

    major, minor = (int(part) for part in re.findall(r"\d+", sklearn.__version__)[:2])
    return {"l1_ratio": 1} if (major, minor) >= (1, 8) else {"penalty": "l1"}
