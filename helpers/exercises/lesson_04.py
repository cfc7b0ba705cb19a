"""Exercises of lesson 4, tensors and autograd."""

from helpers.exercises import exercise


@exercise(
    expects="a function of a NumPy table",
    hints=[
        "Section 4.2 says which way of making a tensor copies; section 4.6 says by what the two libraries divide.",
        "Make the tensor with `torch.tensor`, and look up the argument `correction` of `std`.",
        "`X = torch.tensor(table)` and `X.std(dim=0, correction=0)`.",
    ],
    solution="""
        def standardise(table):
            X = torch.tensor(table)
            X = (X - X.mean(dim=0)) / X.std(dim=0, correction=0)
            return X.to(torch.float32)


        answer = standardise
    """,
    wrong={
        "answer = standardise": "changed its caller's table",
        """
def standardise(table):
    X = torch.tensor(table)
    return ((X - X.mean(dim=0)) / X.std(dim=0)).to(torch.float32)
answer = standardise
""": "n - 1",
        """
def standardise(table):
    X = torch.tensor(table)
    return (X - X.mean(dim=0)) / X.std(dim=0, correction=0)
answer = standardise
""": "float32",
        """
def standardise(table):
    X = torch.tensor(table, dtype=torch.float32)
    return (X - X.mean(dim=1, keepdim=True)) / X.std(dim=1, correction=0, keepdim=True)
answer = standardise
""": "each row",
        "answer = standardise(diabetes.data.copy())": "not what it returns",
    },
)
def exercise_4_1(answer):
    import numpy as np
    import torch
    from sklearn.datasets import load_diabetes
    from sklearn.preprocessing import StandardScaler

    if isinstance(answer, torch.Tensor):
        return "the answer must be the function itself, not what it returns: write its name without parentheses."
    table = load_diabetes(scaled=False).data[:12].copy()  # few rows, so that n and n - 1 differ
    given = table.copy()
    result = answer(given)
    if not np.array_equal(given, table):
        return "your function changed its caller's table: the tensor and the array still share their memory."
    if not isinstance(result, torch.Tensor):
        return "your function must return a tensor; look at its last line."
    if tuple(result.shape) != table.shape:
        return f"the result has the shape {tuple(result.shape)}, while the table has {table.shape}."
    found = result.detach().double().numpy()
    centred = table - table.mean(axis=0)
    if np.allclose(found, centred / table.std(axis=0, ddof=1), atol=1e-5):
        return "you divide the sum of squares by n - 1; scikit-learn divides by n."
    rows = table - table.mean(axis=1, keepdims=True)
    if np.allclose(found, rows / table.std(axis=1, keepdims=True), atol=1e-4):
        return "you standardise each row instead of each column: `dim` names the direction that vanishes."
    if not np.allclose(found, StandardScaler().fit_transform(table), atol=1e-4):
        return "the numbers are not those of StandardScaler: compare mean and standard deviation of each column with 0 and 1."
    if result.dtype != torch.float32:
        return f"the numbers are right, but their dtype is {result.dtype}; the question asks for float32."


@exercise(
    expects='a list of five entries, each a tuple or the word "error"',
    hints=[
        "Write the two shapes below each other, aligned at the right, and fill up with 1 on the left.",
        "A reduction removes its `dim`; `@` multiplies the last two directions and treats those before as a batch.",
        "In the fifth, `A.squeeze(1)` is (32, 8); at the right edge 8 stands against 32.",
    ],
    solution="""
        answer = [(32, 10, 8), (10, 8), (32, 32), (32, 1, 10), "error"]
    """,
    wrong={
        'answer = [(32, 10, 8), (32, 8), (32, 32), (32, 1, 10), "error"]': "direction that vanishes",
        'answer = [(32, 10, 8), (10, 8), (32,), (32, 1, 10), "error"]': "a flat vector is a row",
        "answer = [(32, 10, 8), (10, 8), (32, 32), (32, 1, 10), (32, 8)]": "right edge",
        'answer = ["error", (10, 8), (32, 32), (32, 1, 10), "error"]': "1 is stretched",
        'answer = [(32, 10, 8), (10, 8), (32, 32), (32, 10), "error"]': "before the last two",
        "answer = [(32, 10, 8), (10, 8)]": "five entries",
    },
)
def exercise_4_2(answer):
    right = [(32, 10, 8), (10, 8), (32, 32), (32, 1, 10), "error"]
    reasons = [
        "look at number 1 again: align (32, 1, 8) and (10, 8) at the right; a 1 is stretched to the size that stands against it.",
        "look at number 2 again: the `dim` that you name is the direction that vanishes, and dim=0 is the leftmost.",
        "look at number 3 again: a flat vector is a row when shapes are aligned at the right, and `v[:, None]` is a column.",
        "look at number 4 again: `@` sums over the 8 and multiplies the last two directions; what stands before the last two stays.",
        "look at number 5 again: align (32, 8) and (32,) at the right edge and compare the sizes.",
    ]
    if len(answer) != 5:
        return f"the list must have five entries, one for each line; yours has {len(answer)}."
    for given, expected, reason in zip(answer, right, reasons, strict=True):
        is_error = isinstance(given, str) and given.strip().lower() == "error"
        if is_error or expected == "error":
            if is_error and expected == "error":
                continue
            return reason
        if tuple(given) != expected:
            return reason


@exercise(
    expects="a function of two tensors",
    hints=[
        "Bring both into one shape before you subtract; which shape, does not matter.",
        "`t.reshape(-1)` makes any tensor flat. Then only the number of elements can still differ.",
        "Compare `prediction.numel()` with `target.numel()` first, and raise the ValueError if they differ.",
    ],
    solution="""
        def mean_squared_error(prediction, target):
            if prediction.numel() != target.numel():
                raise ValueError(f"{prediction.numel()} predictions, but {target.numel()} targets")
            return ((prediction.reshape(-1) - target.reshape(-1)) ** 2).mean()


        answer = mean_squared_error
    """,
    wrong={
        "answer = mean_squared_error": "every prediction against every target",
        """
def mean_squared_error(prediction, target):
    return ((prediction - target[:, None]) ** 2).mean()
answer = mean_squared_error
""": "a flat prediction",
        """
def mean_squared_error(prediction, target):
    return ((prediction.reshape(-1) - target.reshape(-1)) ** 2).mean()
answer = mean_squared_error
""": "stretched",
        """
def mean_squared_error(prediction, target):
    return ((prediction - target.view_as(prediction)) ** 2).mean()
answer = mean_squared_error
""": "asks for a ValueError",
        """
def mean_squared_error(prediction, target):
    if prediction.numel() != target.numel():
        raise ValueError
    return torch.tensor(((prediction.reshape(-1) - target.reshape(-1)) ** 2).mean().item())
answer = mean_squared_error
""": "the graph is lost",
        """
def mean_squared_error(prediction, target):
    if prediction.numel() != target.numel():
        raise ValueError
    return ((prediction.reshape(-1) - target.reshape(-1)) ** 2).sum()
answer = mean_squared_error
""": "sum",
    },
)
def exercise_4_3(answer):
    import torch

    prediction = torch.tensor([1.0, 2.0, 4.0, 8.0], dtype=torch.float64)
    target = torch.tensor([1.5, 1.0, 6.0, 5.0], dtype=torch.float64)
    right = ((prediction - target) ** 2).mean().item()
    table = ((prediction[:, None] - target) ** 2).mean().item()
    shapes = {"flat": (4,), "column": (4, 1)}
    for p_name, p_shape in shapes.items():
        for t_name, t_shape in shapes.items():
            case = f"for a {p_name} prediction and a {t_name} target"
            p = prediction.clone().view(p_shape).requires_grad_()
            loss = answer(p, target.clone().view(t_shape))
            value = float(loss.detach() if isinstance(loss, torch.Tensor) else loss)
            if abs(value - table) < 1e-9:
                return f"{case}, you still compare every prediction against every target: print the shape of the difference."
            if abs(value - 4 * right) < 1e-9:
                return f"{case}, you return the sum of the squares instead of their mean."
            if not abs(value - right) <= 1e-6:
                return f"{case}, the loss is {value:.3f} and should be {right:.3f}."
            if not getattr(loss, "requires_grad", False):
                return "the value is right, but the graph is lost: do not leave PyTorch (`item`, `numpy`, `detach`) on the way."
    for p_shape, t_shape in [((1, 1), (4,)), ((4,), (1,)), ((4, 1), (3,))]:
        case = f"a prediction of shape {p_shape} and a target of shape {t_shape}"
        try:
            answer(torch.zeros(p_shape), torch.zeros(t_shape))
        except ValueError:
            continue
        except RuntimeError:
            return f"{case} end in PyTorch's own error; the question asks for a ValueError, so compare the numbers of rows yourself."
        return f"{case} are accepted: one of them is stretched to the other, so compare the numbers of rows before you subtract."


@exercise(
    expects="a function of X and y that returns w and b",
    hints=[
        "Print the shapes of `prediction` and `y`. Print `b` after training. Print `w.grad` in two following steps.",
        "One bug is in section 4.7, one in 4.13, one in 4.14.",
        "Make `y` flat before the loop, take the `detach` away from `b`, and set both gradients to None after the update.",
    ],
    solution="""
        def train(X, y, lr=0.1, steps=2000):
            w = torch.zeros(X.shape[1], dtype=X.dtype, requires_grad=True)
            b = torch.zeros(1, dtype=X.dtype, requires_grad=True)
            y = y.reshape(-1)
            for _ in range(steps):
                prediction = X @ w + b
                loss = ((prediction - y) ** 2).mean()
                loss.backward()
                with torch.no_grad():
                    w -= lr * w.grad
                    b -= lr * b.grad
                w.grad, b.grad = None, None
            return w.detach(), b.detach()


        answer = train
    """,
    wrong={
        "answer = train": "near zero",
        """
def train(X, y, lr=0.1, steps=2000):
    w = torch.zeros(X.shape[1], dtype=X.dtype, requires_grad=True)
    b = torch.zeros(1, dtype=X.dtype, requires_grad=True)
    for _ in range(steps):
        loss = ((X @ w + b - y[:, 0]) ** 2).mean()
        loss.backward()
        with torch.no_grad():
            w -= lr * w.grad
            b -= lr * b.grad
    return w.detach(), b.detach()
answer = train
""": "`w` and `b` walks along the sum of the gradients",
        """
def train(X, y, lr=0.1, steps=2000):
    w = torch.zeros(X.shape[1], dtype=X.dtype, requires_grad=True)
    b = torch.zeros(1, dtype=X.dtype, requires_grad=True)
    for _ in range(steps):
        loss = ((X @ w + b - y[:, 0]) ** 2).mean()
        loss.backward()
        with torch.no_grad():
            w -= lr * w.grad
            b -= lr * b.grad
        w.grad = None
    return w.detach(), b.detach()
answer = train
""": "each step of `b` walks",
        """
def train(X, y, lr=0.1, steps=2000):
    w = torch.zeros(X.shape[1], dtype=X.dtype, requires_grad=True)
    b = torch.zeros(1, dtype=X.dtype, requires_grad=True)
    for _ in range(steps):
        loss = ((X @ w + b.detach() - y[:, 0]) ** 2).mean()
        loss.backward()
        with torch.no_grad():
            w -= lr * w.grad
        w.grad = None
    return w.detach(), b.detach()
answer = train
""": "intercept never moves",
        """
def train(X, y, lr=0.1, steps=2000):
    w = torch.zeros(X.shape[1], dtype=X.dtype, requires_grad=True)
    b = torch.zeros(1, dtype=X.dtype, requires_grad=True)
    for _ in range(steps):
        loss = ((X @ w + b - y[:, 0]) ** 2).mean()
        loss.backward()
        with torch.no_grad():
            w -= lr * w.grad
            b -= lr * b.grad
        w.grad, b.grad = None, None
    return w, b
answer = train
""": "part of a graph",
    },
)
def exercise_4_4(answer):
    import torch
    from sklearn.datasets import load_diabetes
    from sklearn.preprocessing import StandardScaler

    table, target = load_diabetes(return_X_y=True, scaled=False)
    X = torch.tensor(StandardScaler().fit_transform(table[:, :4]))
    y = torch.tensor(target)[:, None]
    with_ones = torch.cat([X, torch.ones_like(y)], dim=1)
    right = torch.linalg.lstsq(with_ones, y).solution[:, 0]

    def trained(**arguments):
        w, b = (torch.as_tensor(part) for part in answer(X.clone(), y.clone(), **arguments))
        in_graph = [name for name, part in [("w", w), ("b", b)] if part.requires_grad]
        return w.detach().reshape(-1), b.detach().reshape(-1), in_graph

    w, b, in_graph = trained()
    if tuple(w.shape) != (4,) or tuple(b.shape) != (1,):
        return f"for 4 columns there must be 4 coefficients and 1 intercept; you return {len(w)} and {len(b)}."
    found = torch.cat([w, b])
    if w.abs().max() < 1e-3 * right[:4].abs().max():
        return "all coefficients stay near zero, as if the loss preferred the mean: print the shapes of `prediction` and `y`."
    if b.item() == 0:
        return "the intercept never moves from zero: look for what keeps `b` out of the graph."
    if not torch.allclose(found, right, rtol=1e-3, atol=1e-2):
        first_gradient = -2 * with_ones.T @ y[:, 0] / len(y)
        curvature = 2 * with_ones.T @ with_ones / len(y)
        one_step = -0.1 * first_gradient
        uncleared = one_step - 0.1 * (2 * first_gradient + curvature @ one_step)
        w_2, b_2, _ = trained(lr=0.1, steps=2)
        summed = {
            "w": torch.allclose(w_2, uncleared[:4], rtol=1e-4),
            "b": torch.allclose(b_2, uncleared[4:], rtol=1e-4),
        }
        if any(summed.values()):
            which = " and ".join(f"`{name}`" for name in summed if summed[name])
            return f"each step of {which} walks along the sum of the gradients of all steps before: when are they cleared?"
        return "w and b are not those of LinearRegression: compare one step of your loop with section 4.17."
    if in_graph:
        return f"the numbers are right, but `{in_graph[0]}` is still part of a graph: return it without its history."


@exercise(
    expects="a function of two numbers that returns three numbers",
    hints=[
        "The local slope with respect to the upper number is easy: how much does a/b grow when a grows by 1?",
        "The slope of 1/b is -1/b². So the local slope of a/b with respect to b is -a/b².",
        "In the answer make one Scalar for `a` and use the same object twice: `divide(a, a + b)`. After `backward`, read `a.grad` and `b.grad`.",
    ],
    solution="""
        def divide(a, b):
            return Scalar(a.value / b.value, [(a, 1 / b.value), (b, -a.value / b.value**2)])


        def share(a, b):
            a, b = Scalar(a), Scalar(b)
            result = divide(a, a + b)
            backward(result)
            return result.value, a.grad, b.grad


        answer = share
    """,
    wrong={
        """
def share(a, b):
    a, b = Scalar(a), Scalar(b)
    result = divide(a, a + b)
    backward(result)
    return result.value, a.grad, b.grad
answer = share
""": "no parents",
        """
def divide(a, b):
    return Scalar(a.value / b.value, [(a, 1 / b.value), (b, a.value / b.value**2)])
def share(a, b):
    a, b = Scalar(a), Scalar(b)
    result = divide(a, a + b)
    backward(result)
    return result.value, a.grad, b.grad
answer = share
""": "sign",
        """
def divide(a, b):
    return Scalar(a.value / b.value, [(a, 1 / b.value), (b, -a.value / b.value**2)])
def share(a, b):
    upper, lower, b = Scalar(a), Scalar(a), Scalar(b)
    result = divide(upper, lower + b)
    backward(result)
    return result.value, upper.grad, b.grad
answer = share
""": "used twice",
        """
def divide(a, b):
    return Scalar(a.value / b.value, [(a, 1 / b.value), (b, 1 / a.value)])
def share(a, b):
    a, b = Scalar(a), Scalar(b)
    result = divide(a, a + b)
    backward(result)
    return result.value, a.grad, b.grad
answer = share
""": "the slope with respect to b",
        """
def divide(a, b):
    return Scalar(a.value / b.value, [(a, 1 / b.value), (b, -a.value / b.value**2)])
def share(a, b):
    a, b = Scalar(a), Scalar(b)
    return divide(a, a + b)
answer = share
""": "three plain numbers",
    },
)
def exercise_4_5(answer):
    import math

    def same(x, y):
        return math.isclose(x, y, rel_tol=1e-6, abs_tol=1e-9)

    for a, b in [(3.0, 1.0), (0.7, 2.4), (-1.5, 4.0)]:
        returned = answer(a, b)
        if not isinstance(returned, (tuple, list)) or len(returned) != 3:
            return "your function must return three plain numbers: the value and the two slopes."
        value, slope_a, slope_b = (float(x) for x in returned)
        case = f"at a = {a}, b = {b}"
        lower = a + b
        if not same(value, a / lower):
            return f"{case}, the value is {value:.3f} and should be {a / lower:.3f}."
        if slope_a == 0 and slope_b == 0:
            return "both slopes are zero: either your quotient has no parents, or nobody called `backward`."
        if same(slope_b, a / lower**2):
            return f"{case}, the slope with respect to b has the wrong sign: does a quotient grow when its lower part grows?"
        if not same(slope_b, -a / lower**2):
            return f"{case}, the slope with respect to b is wrong: check the local slope of the lower part by a finite difference."
        if same(slope_a, 1 / lower) or same(slope_a, -a / lower**2):
            return f"{case}, the slope with respect to a lacks one part: a is used twice, and must be one and the same Scalar."
        if not same(slope_a, b / lower**2):
            return f"{case}, the slope with respect to a is wrong: check the local slope of the upper part by a finite difference."


@exercise(
    expects="a pair: 30 coefficients and one intercept",
    hints=[
        "Take `logistic_loss` of section 4.18, add the intercept, and the loop of section 4.17.",
        "Divided by n = 569 rows, the formula is the mean of the logarithms plus the sum of squares of w over 2n.",
        "`loss = torch.log1p(torch.exp(-signs * (X_cancer @ w + b))).mean() + (w**2).sum() / (2 * len(X_cancer))`, with a learning rate of 2 and 2,000 steps.",
    ],
    solution="""
        w = torch.zeros(30, dtype=torch.float64, requires_grad=True)
        b = torch.zeros((), dtype=torch.float64, requires_grad=True)
        for _ in range(2000):
            margins = signs * (X_cancer @ w + b)
            loss = torch.log1p(torch.exp(-margins)).mean() + (w**2).sum() / (2 * len(X_cancer))
            loss.backward()
            with torch.no_grad():
                w -= 2.0 * w.grad
                b -= 2.0 * b.grad
            w.grad, b.grad = None, None

        answer = (w.detach(), b.detach())
    """,
    wrong={
        "answer = (w, b)": "all zero",
        """
for _ in range(1000):
    loss = torch.log1p(torch.exp(-signs * (X_cancer @ w + b))).mean()
    loss.backward()
    with torch.no_grad():
        w -= 2.0 * w.grad
        b -= 2.0 * b.grad
    w.grad, b.grad = None, None
answer = (w.detach(), b.detach())
""": "too weak",
        """
for _ in range(1000):
    loss = torch.log1p(torch.exp(-signs * (X_cancer @ w + b))).mean() + (w**2).sum() / len(X_cancer)
    loss.backward()
    with torch.no_grad():
        w -= 2.0 * w.grad
        b -= 2.0 * b.grad
    w.grad, b.grad = None, None
answer = (w.detach(), b.detach())
""": "half",
        """
for _ in range(500):
    loss = torch.log1p(torch.exp(-signs * (X_cancer @ w + b))).mean() + (w**2).sum() / 2
    loss.backward()
    with torch.no_grad():
        w -= 0.3 * w.grad
        b -= 0.3 * b.grad
    w.grad, b.grad = None, None
answer = (w.detach(), b.detach())
""": "divide the penalty",
        """
for _ in range(1500):
    penalty = ((w**2).sum() + b**2) / (2 * len(X_cancer))
    loss = torch.log1p(torch.exp(-signs * (X_cancer @ w + b))).mean() + penalty
    loss.backward()
    with torch.no_grad():
        w -= 2.0 * w.grad
        b -= 2.0 * b.grad
    w.grad, b.grad = None, None
answer = (w.detach(), b.detach())
""": "intercept is penalised",
        """
for _ in range(200):
    loss = torch.log1p(torch.exp(-signs * (X_cancer @ w + b))).mean() + (w**2).sum() / (2 * len(X_cancer))
    loss.backward()
    with torch.no_grad():
        w -= 0.5 * w.grad
        b -= 0.5 * b.grad
    w.grad, b.grad = None, None
answer = (w.detach(), b.detach())
""": "more steps",
    },
)
def exercise_4_6(answer):
    import numpy as np
    import torch
    from sklearn.datasets import load_breast_cancer
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    def numbers(part):
        part = part.detach().cpu() if isinstance(part, torch.Tensor) else part
        return np.asarray(part, dtype=float).reshape(-1)

    X, y = load_breast_cancer(return_X_y=True)
    X = StandardScaler().fit_transform(X)

    def fitted(X=X, **arguments):
        model = LogisticRegression(tol=1e-8, max_iter=10_000, **arguments).fit(X, y)
        return np.append(model.coef_[0], model.intercept_)

    w, b = (numbers(part) for part in answer)
    if w.shape != (30,) or b.shape != (1,):
        return f"the pair must hold 30 coefficients and one intercept; yours holds {len(w)} and {len(b)}."
    found, right = np.append(w, b), fitted()

    def near(other):
        return np.abs(found - other).max() <= 0.01

    if near(right):
        return None
    if not found.any():
        return "the coefficients are all zero: the loop has still to be written."
    if near(-right):
        return "every sign is turned round: the label 1 must have the sign +1 in the margin."
    if near(fitted(C=0.5)):
        return "your penalty is twice too strong: look for the half in the formula."
    if np.linalg.norm(w) < 0.2 * np.linalg.norm(right[:30]):
        return "the coefficients are far too small: divide the penalty, too, by the number of rows."
    with_ones = np.column_stack([X, np.ones(len(X))])
    if near(fitted(with_ones, fit_intercept=False)[:31]):
        return (
            "you are close, but the intercept is penalised as well, and the formula leaves it out."
        )
    if np.linalg.norm(w) > 1.1 * np.linalg.norm(right[:30]):
        return "the coefficients are too large: the penalty is missing or too weak."
    return f"the largest distance to scikit-learn's numbers is {np.abs(found - right).max():.2f}; it may take more steps or a larger learning rate, so look whether the loss still falls."
