"""Exercises of lesson 4, tensors and autograd."""

from helpers.exercises import exercise

LOGISTIC = """
def fit_logistic(X, y, C=1.0):
    w = torch.zeros(X.shape[1], dtype=X.dtype, requires_grad=True)
    b = torch.zeros((), dtype=X.dtype, requires_grad=True)
    optimizer = torch.optim.SGD([w, b], lr=0.5, momentum=0.9)
    for _ in range(2000):
        loss = torch.nn.functional.binary_cross_entropy_with_logits(X @ w + b, y.double())
        loss = loss + (w**2).sum() / (2 * C * len(X))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""  # what most wrong answers to 4.8 have in common
DONE = "    return w.detach(), b.detach()\nanswer = fit_logistic"


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
    from sklearn.preprocessing import StandardScaler

    if isinstance(answer, torch.Tensor):
        return "the answer must be the function itself, not what it returns: write its name without parentheses."
    rng = np.random.default_rng()
    for shape in [(12, 10), (7, 3)]:  # few rows, so that n and n - 1 differ
        table = rng.normal(50.0, 10.0, size=shape)
        given = table.copy()
        result = answer(given)
        if not np.array_equal(given, table):
            return "your function changed its caller's table: the tensor and the array still share their memory."
        if not isinstance(result, torch.Tensor):
            return "your function must return a tensor; look at its last line."
        if tuple(result.shape) != shape:
            return f"the result has the shape {tuple(result.shape)}, while the table has {shape}."
        found = result.detach().double().numpy()
        centred = table - table.mean(axis=0)
        if np.allclose(found, centred / table.std(axis=0, ddof=1), atol=1e-4):
            return "you divide the sum of squares by n - 1; scikit-learn divides by n."
        rows = table - table.mean(axis=1, keepdims=True)
        if np.allclose(found, rows / table.std(axis=1, keepdims=True), atol=1e-4):
            return "you standardise each row instead of each column: `dim` names the dimension that vanishes."
        if not np.allclose(found, StandardScaler().fit_transform(table), atol=1e-4):
            far = np.abs(found - StandardScaler().fit_transform(table)).max()
            return f"one number is {far:.2g} away from that of StandardScaler: compare mean and standard deviation of each column with 0 and 1."
        if result.dtype != torch.float32:
            return f"the numbers are right, but their dtype is {result.dtype}; the question asks for float32."


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
    return torch.tensor(((prediction.reshape(-1) - target.reshape(-1)) ** 2).mean().item(), requires_grad=True)
answer = mean_squared_error
""": "no gradient arrives",
        """
def mean_squared_error(prediction, target):
    if prediction.numel() != target.numel():
        raise ValueError
    return ((prediction.reshape(-1) - target.reshape(-1)) ** 2).sum()
answer = mean_squared_error
""": "sum",
    },
)
def exercise_4_2(answer):
    import torch

    for rows in (4, 7):
        prediction = torch.randn(rows, dtype=torch.float64)
        target = torch.randn(rows, dtype=torch.float64)
        right = ((prediction - target) ** 2).mean().item()
        table = ((prediction[:, None] - target) ** 2).mean().item()
        shapes = {"flat": (rows,), "column": (rows, 1)}
        for p_name, p_shape in shapes.items():
            for t_name, t_shape in shapes.items():
                case = f"for a {p_name} prediction and a {t_name} target"
                p = prediction.clone().view(p_shape).requires_grad_()
                loss = answer(p, target.clone().view(t_shape))
                if isinstance(loss, str):
                    return f"{case}, you return text; the question asks for a tensor."
                value = float(loss.detach() if isinstance(loss, torch.Tensor) else loss)
                if abs(value - table) < 1e-9:
                    return f"{case}, you still compare every prediction against every target: print the shape of the difference."
                if abs(value - rows * right) < 1e-9:
                    return f"{case}, you return the sum of the squares instead of their mean."
                if not abs(value - right) <= 1e-6:
                    return f"{case}, the loss is {value:.3f} and should be {right:.3f}."
                if not getattr(loss, "requires_grad", False):
                    return "the value is right, but the graph is lost: do not leave PyTorch (`item`, `numpy`, `detach`) on the way."
                loss.backward()
                wanted = 2 * (prediction - target) / rows
                if p.grad is None:
                    return "the value is right, but no gradient arrives at the prediction: your result is a new leaf."
                if not torch.allclose(p.grad.reshape(-1), wanted, atol=1e-6):
                    return f"{case}, the value is right, but the gradient is not that of the mean squared error."
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
    expects='a list of five entries, each a tuple or the word "error"',
    hints=[
        "Write the two shapes below each other, aligned at the right, and fill up with 1 on the left.",
        "A reduction removes its `dim`; `@` multiplies the last two dimensions and treats those before as a batch.",
        "In the fifth, `A.squeeze(1)` is (32, 8); at the right edge 8 stands against 32.",
    ],
    solution="""
        answer = [(32, 10, 8), (10, 8), (32, 32), (32, 1, 10), "error"]
    """,
    wrong={
        'answer = [(32, 10, 8), (32, 8), (32, 32), (32, 1, 10), "error"]': "dimension that vanishes",
        'answer = [(32, 10, 8), (10, 8), (32,), (32, 1, 10), "error"]': "a flat vector is a row",
        "answer = [(32, 10, 8), (10, 8), (32, 32), (32, 1, 10), (32, 8)]": "right edge",
        'answer = ["error", (10, 8), (32, 32), (32, 1, 10), "error"]': "1 is stretched",
        'answer = [(32, 10, 8), (10, 8), (32, 32), (32, 10), "error"]': "before the last two",
        "answer = [(32, 10, 8), (10, 8)]": "five entries",
    },
)
def exercise_4_3(answer):
    right = [(32, 10, 8), (10, 8), (32, 32), (32, 1, 10), "error"]
    reasons = [
        "look at number 1 again: align (32, 1, 8) and (10, 8) at the right; a 1 is stretched to the size that stands against it.",
        "look at number 2 again: the `dim` that you name is the dimension that vanishes, and dim=0 is the leftmost.",
        "look at number 3 again: a flat vector is a row when shapes are aligned at the right, and `v[:, None]` is a column.",
        "look at number 4 again: `@` sums over the 8 and multiplies the last two dimensions; what stands before the last two stays.",
        "look at number 5 again: align (32, 8) and (32,) at the right edge and compare the sizes.",
    ]
    if isinstance(answer, str):
        return "the answer must be a list with five entries."
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


def _run(function, *arguments, **named):
    """What a learner's function returns, or a reason why it does not."""
    if not callable(function):
        return (
            None,
            f"the answer must be a function; yours is of the type {type(function).__name__}.",
        )
    try:
        return function(*arguments, **named), None
    except Exception as error:
        text = f"{type(error).__name__}: {error}".splitlines()[0]
        return None, f"your function raised {text}"


@exercise(
    expects="a function of a function and a tensor",
    hints=[
        "One pass of `backward` gives v @ J. Which v picks out one row of J?",
        "Work on `x.detach().clone().requires_grad_()`. For each row, calculate `f` again, or keep the graph with `retain_graph=True`; and mind that `.grad` adds up.",
        "`torch.autograd.grad(result[k], x)` returns a tuple with the gradient of the single number `result[k]`, which is row k.",
    ],
    solution="""
        def jacobian(f, x):
            x = x.detach().clone().requires_grad_()
            rows = []
            for k in range(len(f(x))):
                x.grad = None
                f(x)[k].backward()
                rows.append(x.grad)
            return torch.stack(rows)


        answer = jacobian
    """,
    wrong={
        """
def jacobian(f, x):
    x = x.clone().requires_grad_()
    f(x).backward()
    return x.grad
answer = jacobian
""": "only for scalar outputs",
        """
def jacobian(f, x):
    x = x.clone().requires_grad_()
    result = f(x)
    result.backward(torch.ones_like(result))
    return x.grad
answer = jacobian
""": "sum of its rows",
        """
def jacobian(f, x):
    x = x.clone().requires_grad_()
    rows = []
    for k in range(len(f(x))):
        f(x)[k].backward()
        rows.append(x.grad.clone())
    return torch.stack(rows)
answer = jacobian
""": "all rows before it",
        """
def jacobian(f, x):
    x = x.clone().requires_grad_()
    rows = []
    for k in range(len(f(x))):
        f(x)[k].backward()
        rows.append(x.grad)
    return torch.stack(rows)
answer = jacobian
""": "all rows are the same",
        """
def jacobian(f, x):
    x = x.clone().requires_grad_()
    result = f(x)
    return torch.stack([torch.autograd.grad(result[k], x)[0] for k in range(len(result))])
answer = jacobian
""": "freed its values",
        """
def jacobian(f, x):
    x = x.clone().requires_grad_()
    rows = [torch.autograd.grad(f(x)[k], x)[0] for k in range(len(f(x)))]
    return torch.stack(rows, dim=1)
answer = jacobian
""": "transposed",
        """
def jacobian(f, x):
    x.requires_grad_()
    return torch.stack([torch.autograd.grad(f(x)[k], x)[0] for k in range(len(f(x)))])
answer = jacobian
""": "still requires a gradient",
    },
)
def exercise_4_4(answer):
    import torch

    def drawn(*shape):
        return torch.randn(*shape, dtype=torch.float64)

    A, B = drawn(3, 5), drawn(4, 2)
    cases = [(lambda x: torch.tanh(A @ x), drawn(5)), (lambda x: torch.exp(B @ x), drawn(2))]
    cases += [(lambda x: (x**2).sum().reshape(1), drawn(3))]
    for f, x in cases:
        wanted = torch.autograd.functional.jacobian(f, x)
        given = x.clone()
        found, fault = _run(answer, f, given)
        if fault and "scalar outputs" in fault:
            return 'it raises "grad can be implicitly created only for scalar outputs": go back from one number at a time, or give `backward` a vector.'
        if fault and "second time" in fault:
            return "the first pass freed its values, so the second row fails: calculate `f(x)` again for each row, or keep the graph with retain_graph=True."
        if fault:
            return fault
        if given.requires_grad:
            return "`x` still requires a gradient after the call: work on a copy of it."
        if not torch.equal(given, x):
            return "`x` has other values after the call: work on a copy of it."
        if found is None or isinstance(found, str):
            return f"your function returns {found!r}; the question asks for a tensor."
        found = torch.as_tensor(found).detach().to(torch.float64)
        shape, m, n = tuple(found.shape), *wanted.shape
        if shape == (n,) and torch.allclose(found, wanted.sum(dim=0)) and m > 1:
            return "your result is the sum of its rows: a vector of ones adds all results up. Pick out one row at a time."
        if shape == (n, m) and m != n and torch.allclose(found, wanted.T):
            return "your result is transposed: row k must hold the derivatives of result k."
        if shape != (m, n):
            return f"for {n} inputs and {m} results your Jacobian has the shape {shape}, expected {(m, n)}."
        if torch.allclose(found, wanted, rtol=1e-4, atol=1e-6):
            continue
        if torch.allclose(found, wanted.cumsum(dim=0)):
            return "each row of yours contains all rows before it: gradients add up until you clear them."
        if torch.allclose(found, wanted.sum(dim=0).expand(m, n)):
            return "all rows are the same, the sum of the right ones: `.grad` adds up, and you stored one and the same tensor each time."
        far = (found - wanted).abs().max().item()
        return f"for {n} inputs and {m} results one derivative is {far:.2g} away from that of torch.autograd.functional.jacobian."


@exercise(
    expects="a function of two numbers that returns three numbers",
    hints=[
        "The local derivative with respect to the upper number is easy: how much does a/b grow when a grows by 1?",
        "The derivative of 1/b is -1/b². So the local derivative of a/b with respect to b is -a/b².",
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
""": "derivative with respect to b is wrong",
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
    import random

    def same(x, y):
        return math.isclose(x, y, rel_tol=1e-6, abs_tol=1e-9)

    draw = random.Random()
    drawn = [(draw.uniform(1.1, 2.0), draw.uniform(2.5, 4.0)) for _ in range(2)]
    for a, b in [(3.0, 1.0), (-1.5, 4.0), *drawn]:
        returned = answer(a, b)
        if not isinstance(returned, (tuple, list)) or len(returned) != 3:
            return (
                "your function must return three plain numbers: the value and the two derivatives."
            )
        if any(isinstance(x, str) for x in returned):
            return "your function returns text; the question asks for three plain numbers."
        value, grad_a, grad_b = (float(x) for x in returned)
        case = f"at a = {a:.3g}, b = {b:.3g}"
        lower = a + b
        if not same(value, a / lower):
            return f"{case}, the value is {value:.3f} and should be {a / lower:.3f}."
        if grad_a == 0 and grad_b == 0:
            return "both derivatives are zero: either your quotient has no parents, or nobody called `backward`."
        if same(grad_b, a / lower**2):
            return f"{case}, the derivative with respect to b has the wrong sign: does a quotient grow when its lower part grows?"
        if not same(grad_b, -a / lower**2):
            return f"{case}, the derivative with respect to b is wrong: it is {grad_b:.3f} and should be {-a / lower**2:.3f}. Check the local derivative of the lower part by a finite difference."
        if same(grad_a, 1 / lower) or same(grad_a, -a / lower**2):
            return f"{case}, the derivative with respect to a lacks one part: a is used twice, and must be one and the same Scalar."
        if not same(grad_a, b / lower**2):
            return f"{case}, the derivative with respect to a is {grad_a:.3f} and should be {b / lower**2:.3f}: check the local derivative of the upper part by a finite difference."


@exercise(
    expects="a function of X and y that returns w and b",
    hints=[
        "Print the shapes of `prediction` and `y`. Print `b` after training. Print `w.grad` in two following steps.",
        "One bug is in section 4.7, one in 4.14, one in 4.15.",
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
def exercise_4_6(answer):
    import torch
    from sklearn.datasets import load_diabetes
    from sklearn.preprocessing import StandardScaler

    def data_sets():
        table, target = load_diabetes(return_X_y=True, scaled=False)
        yield table[:, :4], target
        table = torch.randn(60, 2, dtype=torch.float64)
        noise = torch.randn(60, dtype=torch.float64)
        yield table.numpy(), (30 + table @ torch.tensor([8.0, -5.0]).double() + noise).numpy()

    for table, target in data_sets():
        X = torch.tensor(StandardScaler().fit_transform(table))
        y = torch.tensor(target)[:, None]
        d = X.shape[1]
        with_ones = torch.cat([X, torch.ones_like(y)], dim=1)
        right = torch.linalg.lstsq(with_ones, y).solution[:, 0]

        returned, fault = _run(answer, X.clone(), y.clone())
        if fault:
            return fault
        if not isinstance(returned, (tuple, list)) or len(returned) != 2:
            return "your function must return a pair, w and b; look at its last line."

        def trained(X=X, y=y, **arguments):
            w, b = (torch.as_tensor(part) for part in answer(X.clone(), y.clone(), **arguments))
            in_graph = [name for name, part in [("w", w), ("b", b)] if part.requires_grad]
            return w.detach().reshape(-1), b.detach().reshape(-1), in_graph

        w, b, in_graph = trained()
        if tuple(w.shape) != (d,) or tuple(b.shape) != (1,):
            return f"for {d} columns there must be {d} coefficients and 1 intercept; you return {len(w)} and {len(b)}."
        if w.abs().max() < 1e-3 * right[:d].abs().max():
            return "all coefficients stay near zero: print the shapes of `prediction` and `y`."
        if b.item() == 0:
            return "the intercept never moves from zero: look for what keeps `b` out of the graph."
        if not torch.allclose(torch.cat([w, b]), right, rtol=1e-3, atol=1e-2):
            first_gradient = -2 * with_ones.T @ y[:, 0] / len(y)
            curvature = 2 * with_ones.T @ with_ones / len(y)
            one_step = -0.1 * first_gradient
            uncleared = one_step - 0.1 * (2 * first_gradient + curvature @ one_step)
            w_2, b_2, _ = trained(lr=0.1, steps=2)
            summed = {
                "w": torch.allclose(w_2, uncleared[:d], rtol=1e-4),
                "b": torch.allclose(b_2, uncleared[d:], rtol=1e-4),
            }
            if any(summed.values()):
                which = " and ".join(f"`{name}`" for name in summed if summed[name])
                return f"each step of {which} walks along the sum of the gradients of all steps before: when are they cleared?"
            far = (torch.cat([w, b]) - right).abs().max().item()
            return f"for {d} columns one number is {far:.2g} away from that of LinearRegression: compare one step of your loop with section 4.18."
        if in_graph:
            return f"the numbers are right, but `{in_graph[0]}` is still part of a graph: return it without its history."


def _pair(answer, *arguments):
    """What an answer returns for X and more, w and b, as one array, or a reason."""
    import numpy as np
    import torch

    d = arguments[0].shape[1]
    returned, fault = _run(answer, *arguments)
    if fault:
        return None, fault
    is_pair = isinstance(returned, (tuple, list)) and len(returned) == 2
    if not is_pair or any(isinstance(part, (str, type(None))) for part in returned):
        return None, "your function must return a pair: the coefficients and the intercept."
    for name, part in zip(["w", "b"], returned, strict=True):
        if isinstance(part, torch.Tensor) and part.requires_grad:
            return None, f"`{name}` is still part of a graph: return it without its history."
    parts = [np.asarray(torch.as_tensor(part).cpu(), dtype=float).reshape(-1) for part in returned]
    if (len(parts[0]), len(parts[1])) != (d, 1):
        return None, (
            f"for {d} columns there must be {d} coefficients and one intercept; "
            f"you return {len(parts[0])} and {len(parts[1])}."
        )
    return np.concatenate(parts), None


def _expectile(X, y, k):
    """The exact minimum of the asymmetric loss: weighted least squares until the sides stay."""
    import numpy as np

    ones = np.column_stack([X, np.ones(len(X))])
    weight = np.ones(len(X))
    for _ in range(100):
        theta = np.linalg.solve(ones.T @ (weight[:, None] * ones), ones.T @ (weight * y))
        weight = np.where(y - ones @ theta > 0, k, 1.0)
    return theta


@exercise(
    expects="a function of X, y and k that returns w and b",
    hints=[
        "Take the loop of section 4.19. Only the line of the loss is new.",
        "`torch.where(error > 0, k, 1.0)` is k where the prediction is too low, and 1 otherwise.",
        "The loss is steeper than the mean squared error, so a learning rate of 0.2 may be too large: divide it by k, and take 1,000 steps.",
    ],
    solution="""
        def fit(X, y, k):
            w = torch.zeros(X.shape[1], dtype=X.dtype, requires_grad=True)
            b = torch.zeros((), dtype=X.dtype, requires_grad=True)
            optimizer = torch.optim.SGD([w, b], lr=0.2 / k)
            for _ in range(1000):
                error = y - (X @ w + b)
                loss = (torch.where(error > 0, k, 1.0) * error**2).mean()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            return w.detach(), b.detach()


        answer = fit
    """,
    wrong={
        """
def fit(X, y, k):
    model = LinearRegression().fit(X, y)
    return model.coef_, model.intercept_
answer = fit
""": "those of LinearRegression",
        """
def fit(X, y, k):
    w = torch.zeros(X.shape[1], dtype=X.dtype, requires_grad=True)
    b = torch.zeros((), dtype=X.dtype, requires_grad=True)
    optimizer = torch.optim.SGD([w, b], lr=0.2 / k)
    for _ in range(1000):
        error = X @ w + b - y
        loss = (torch.where(error > 0, k, 1.0) * error**2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return w.detach(), b.detach()
answer = fit
""": "other side",
        """
def fit(X, y, k):
    w = torch.zeros(X.shape[1], dtype=X.dtype, requires_grad=True)
    b = torch.zeros((), dtype=X.dtype, requires_grad=True)
    optimizer = torch.optim.SGD([w, b], lr=2.0)
    for _ in range(1000):
        error = y - (X @ w + b)
        loss = (torch.where(error > 0, k, 1.0) * error**2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return w.detach(), b.detach()
answer = fit
""": "not finite",
        """
def fit(X, y, k):
    w = torch.zeros(X.shape[1], dtype=X.dtype, requires_grad=True)
    b = torch.zeros((), dtype=X.dtype, requires_grad=True)
    optimizer = torch.optim.SGD([w, b], lr=0.2 / k)
    for _ in range(1000):
        error = y - (X @ w + b)
        loss = (torch.where(error > 0, k, 1.0) * error**2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return w, b
answer = fit
""": "part of a graph",
        """
def fit(X, y, k):
    w = torch.zeros(X.shape[1], dtype=X.dtype, requires_grad=True)
    b = torch.zeros((), dtype=X.dtype, requires_grad=True)
    optimizer = torch.optim.SGD([w, b], lr=0.01)
    for _ in range(5):
        error = y - (X @ w + b)
        loss = (torch.where(error > 0, k, 1.0) * error**2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return w.detach(), b.detach()
answer = fit
""": "smallest possible",
    },
)
def exercise_4_7(answer):
    import numpy as np
    import torch

    rng = np.random.default_rng()
    for n, d, k in [(120, 3, 4.0), (90, 5, 2.0), (100, 2, 1.0)]:
        X = rng.normal(size=(n, d))
        X = (X - X.mean(axis=0)) / X.std(axis=0)
        y = 50 + X @ rng.uniform(3, 8, size=d) + rng.gamma(2.0, 4.0, size=n)
        found, fault = _pair(answer, torch.tensor(X), torch.tensor(y), k)
        if fault:
            return fault
        case = f"for {d} columns and k = {k:.0f}"
        if not np.isfinite(found).all():
            return f"{case} the numbers are not finite: does the loss grow from step to step?"

        def near(other, found=found, y=y):
            return np.abs(found - other).max() <= 0.01 * y.std()

        if near(_expectile(X, y, k)):
            continue
        if near(_expectile(X, y, 1.0)):
            return f"{case} your numbers are those of LinearRegression: k has no effect."
        if near(_expectile(X, y, 1 / k)):
            return f"{case} you put the weight on the other side: too low means that the target is larger than the prediction."

        def cost(theta, X=X, y=y, k=k):
            error = y - X @ theta[:-1] - theta[-1]
            return (np.where(error > 0, k, 1.0) * error**2).mean()

        return f"{case} your cost is {cost(found):.4g}, the smallest possible is {cost(_expectile(X, y, k)):.4g}."


@exercise(
    expects="a function of X, y and C that returns w and b",
    hints=[
        "Divide the whole formula by C and by the number of rows: the sum of the logarithms becomes a mean. What becomes of the penalty?",
        "`torch.nn.functional.binary_cross_entropy_with_logits(X @ w + b, y.double())` is the mean of the logarithms, safe at any margin. The rest is section 4.19.",
        "The penalty becomes `(w**2).sum() / (2 * C * len(X))`. `torch.optim.SGD` with lr=0.5, momentum=0.9 and 2,000 steps is enough.",
    ],
    solution="""
        def fit_logistic(X, y, C=1.0):
            w = torch.zeros(X.shape[1], dtype=X.dtype, requires_grad=True)
            b = torch.zeros((), dtype=X.dtype, requires_grad=True)
            optimizer = torch.optim.SGD([w, b], lr=0.5, momentum=0.9)
            for _ in range(2000):
                logits = X @ w + b
                loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, y.double())
                loss = loss + (w**2).sum() / (2 * C * len(X))
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            return w.detach(), b.detach()


        answer = fit_logistic
    """,
    wrong={
        f"{LOGISTIC}    return w, b\nanswer = fit_logistic": "part of a graph",
        LOGISTIC.replace("(w**2).sum() / (2 * C * len(X))", "0") + DONE: "too weak",
        LOGISTIC.replace("2 * C * len(X)", "C * len(X)") + DONE: "half",
        LOGISTIC.replace("2 * C * len(X)", "2 * C") + DONE: "divide the penalty",
        LOGISTIC.replace("(w**2).sum() /", "((w**2).sum() + b**2) /")
        + DONE: "intercept is penalised",
        LOGISTIC.replace("2 * C * len(X)", "2 / C * len(X)") + DONE: "1 / C",
        LOGISTIC.replace("2000", "20").replace("0.9", "0.0") + DONE: "more steps",
        LOGISTIC.replace("y.double()", "1 - y.double()") + DONE: "turned round",
    },
)
def exercise_4_8(answer):
    import numpy as np
    import torch
    from sklearn.datasets import load_breast_cancer
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    rng = np.random.default_rng()
    drawn = rng.normal(size=(80, 3))
    labels = (drawn @ [2.0, -1.0, 0.5] + 1.0 + rng.logistic(size=80) > 0).astype(int)
    labels[:2] = 0, 1
    for table, y, C in [(*load_breast_cancer(return_X_y=True), 1.0), (drawn, labels, 0.1)]:
        X = StandardScaler().fit_transform(table)
        d = X.shape[1]
        found, fault = _pair(answer, torch.tensor(X), torch.tensor(y), C)
        if fault:
            return fault
        case = f"for {d} columns and C = {C}"
        if not np.isfinite(found).all():
            return f"{case} the numbers are not finite: does the loss grow from step to step?"

        def fitted(X=X, y=y, C=C, **arguments):
            model = LogisticRegression(C=C, tol=1e-8, max_iter=10_000, **arguments).fit(X, y)
            return np.append(model.coef_[0], model.intercept_)

        def near(other, found=found):
            return np.abs(found - other).max() <= 0.02

        right = fitted()
        if near(right):
            continue
        if not found.any():
            return "the numbers are all zero: the loop has still to be written."
        if near(-right):
            return "every sign is turned round: label 1 belongs to a large X @ w + b."
        if near(fitted(C=C / 2)):
            return f"{case} your penalty is twice too strong: look for the half in the formula."
        if C != 1 and near(fitted(C=1 / C)):
            return f"{case} you fit what belongs to 1 / C: a large C must mean a weak penalty."
        if near(fitted(C=C / len(X))):
            return "the coefficients are far too small: divide the penalty, too, by the number of rows."
        ones = np.column_stack([X, np.ones(len(X))])
        if near(fitted(ones, fit_intercept=False)[: d + 1]):
            return "you are close, but the intercept is penalised as well, and the formula leaves it out."
        if np.linalg.norm(found[:d]) > 1.1 * np.linalg.norm(right[:d]):
            return f"{case} the coefficients are too large: the penalty is missing or too weak."
        far = np.abs(found - right).max()
        return f"{case} the largest distance to scikit-learn's numbers is {far:.2f}; it may take more steps or a larger learning rate, so look whether the loss still falls."
