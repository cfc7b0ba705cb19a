"""The exercises of lesson 9, export and deployment."""

from contextlib import redirect_stderr
from io import StringIO

from helpers.exercises import exercise


@exercise(
    expects="a number",
    hints=[
        "How many of the 220 answers a second may you count on? And can you rent a part of a machine?",
        "900 / (0.6 × 220), rounded up, is the number of machines.",
    ],
    solution="""
        machines = int(np.ceil(900 / (0.6 * 220)))
        answer = machines * 0.05 * 730
    """,
    wrong={
        "answer = np.ceil(900 / 220) * 0.05 * 730": "full",
        "answer = 900 / (0.6 * 220) * 0.05 * 730": "part of a machine",
        "answer = int(900 / (0.6 * 220)) * 0.05 * 730": "rounded down",
        "answer = np.ceil(900 / (0.6 * 220)) * 0.05": "one hour",
        "answer = np.ceil(900 / (0.6 * 220))": "number of machines",
    },
)
def exercise_9_1(answer):
    answer = float(answer)
    mistakes = {
        5
        * 0.05
        * 730: "that many machines would be full at the busiest hour; only 60 % of each may be used.",
        900 / 132 * 0.05 * 730: "nobody rents a part of a machine: round their number up.",
        6 * 0.05 * 730: "the number of machines is rounded down, which is one too few.",
        7 * 0.05: "this is the cost of one hour.",
        7: "this is the number of machines; their cost in a month is asked.",
    }
    for mistake, reason in mistakes.items():
        if abs(answer - mistake) <= 0.005:
            return reason
    if not abs(answer - 7 * 0.05 * 730) <= 0.5:
        return f"{answer:g} is not machines times price an hour times hours."


@exercise(
    expects="a module that takes a tensor of rows",
    hints=[
        "A trace cannot hold a choice, but it can hold a computation that makes both and picks.",
        "The sum of each row is `X.sum(dim=1, keepdim=True)`, a column.",
        "`torch.where(column > 0, 2 * X, 0)` picks for each row.",
    ],
    solution="""
        class Choosy(nn.Module):
            def forward(self, X):
                return torch.where(X.sum(dim=1, keepdim=True) > 0, 2 * X, torch.zeros_like(X))


        answer = Choosy()
    """,
    wrong={
        "answer = Choosy()": "the whole batch",
        "class Rows(nn.Module):\n    def forward(self, X):\n        return torch.stack([2 * x if x.sum() > 0 else 0 * x for x in X])\nanswer = Rows()": (
            "traced"
        ),
        "class Each(nn.Module):\n    def forward(self, X):\n        return torch.where(X > 0, 2 * X, torch.zeros_like(X))\nanswer = Each()": (
            "each number"
        ),
        "answer = Choosy": "class",
    },
)
def exercise_9_2(answer):
    import warnings

    import torch

    if isinstance(answer, type):
        return "this is the class itself: make a module of it by calling it."
    generator = torch.Generator().manual_seed(3)
    X = torch.randn(20, 3, generator=generator)
    X[:2] = torch.tensor([[1.0, 2.0, -1.0], [-1.0, -2.0, 1.0]])
    expected = torch.stack([2 * x if x.sum() > 0 else torch.zeros(3) for x in X])
    found = answer(X.clone())
    if tuple(found.shape) != (20, 3):
        return f"20 rows of 3 numbers give the shape {tuple(found.shape)}, expected (20, 3)."
    if torch.allclose(found, torch.where(X > 0, 2 * X, 0)):
        return "it decides for each number; the sum of the row should decide for the whole row."
    if torch.allclose(found, 2 * X) or not found.any():
        return "it decides for the whole batch at once; every row has a sum of its own."
    if not torch.allclose(found, expected):
        return "some rows are neither doubled where their sum is positive nor zero where it is not."
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for example in (X[:1], X[1:2], X[:5]):
            traced = torch.jit.trace(answer, example, check_trace=False)
            if not _same(traced, X, expected):
                return "traced with other rows than it is used with, it is wrong: Python still decides something."
    batch = torch.export.Dim("batch")
    try:
        with redirect_stderr(StringIO()):  # where it fails it prints the graph
            torch.export.export(answer, (X[:4],), dynamic_shapes=({0: batch},))
    except Exception:
        return "torch.export refuses it with a dynamic batch."


@exercise(
    expects="a function of a model and an example that returns an exported program",
    hints=[
        "Which layers behave differently in training? And for how many rows was the program made?",
        'Evaluation mode, and `dynamic_shapes=({0: torch.export.Dim("batch")},)`.',
        "To leave the caller's model alone, export `copy.deepcopy(model).eval()`.",
    ],
    solution="""
        import copy


        def to_program(model, example):
            batch = torch.export.Dim("batch")
            model = copy.deepcopy(model).eval()
            return torch.export.export(model, (example,), dynamic_shapes=({0: batch},))


        answer = to_program
    """,
    wrong={
        "answer = to_program": "dropout",
        "import copy\ndef answer(model, example):\n    return torch.export.export(copy.deepcopy(model).eval(), (example,))": (
            "other numbers of rows"
        ),
        "def answer(model, example):\n    return torch.export.export(model.eval(), (example,), dynamic_shapes=({0: torch.export.Dim('batch')},))": (
            "left in evaluation mode"
        ),
        "import copy\ndef answer(model, example):\n    return copy.deepcopy(model).eval()": "no exported program",
    },
)
def exercise_9_3(answer):
    import torch
    from torch import nn

    with torch.random.fork_rng():
        torch.manual_seed(5)
        model = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.Linear(8, 2)).eval()
        X = torch.randn(9, 4)
        expected = model(X).detach()
        model.train()
        program = answer(model, X[:3])
        was_training = model.training
        if not hasattr(program, "graph_module"):
            return "it returns no exported program, but something else."
        graph = program.module()
        if not torch.allclose(graph(X[:3]), expected[:3], atol=1e-5):
            return "its outputs are not those of evaluation mode: dropout is still at work."
        try:
            same = all(torch.allclose(graph(X[:n]), expected[:n], atol=1e-5) for n in (1, 2, 5, 9))
        except Exception:
            return "exported with 3 rows it refuses other numbers of rows."
        if not same:
            return "with other numbers of rows than the example's its outputs are wrong."
        if not was_training:
            return "the caller's model is left in evaluation mode, though it came in training mode."
        model.eval()
        answer(model, X[:3])
        if model.training:
            return "a model that comes in evaluation mode is left in training mode."


@exercise(
    expects="a function of two models, rows and a tolerance",
    hints=[
        "A loop over `range(1, 65)`, and a comparison of the two outputs on `X[:size]`.",
        "A difference may be negative. And a comparison with NaN is always False, so ask whether all is *right*.",
        "`torch.allclose(a, b, rtol=0, atol=atol, equal_nan=True)` is True where all is right.",
    ],
    solution="""
        def first_wrong(reference, candidate, X, atol):
            for size in range(1, 65):
                a, b = reference(X[:size]), candidate(X[:size])
                if not torch.allclose(a, b, rtol=0, atol=atol, equal_nan=True):
                    return size
            return None


        answer = first_wrong
    """,
    wrong={
        "def answer(reference, candidate, X, atol):\n    for size in range(1, 65):\n        if (reference(X[:size]) - candidate(X[:size])).max() > atol:\n            return size": (
            "in one direction"
        ),
        "def answer(reference, candidate, X, atol):\n    for size in range(1, 65):\n        if (reference(X[:size]) - candidate(X[:size])).abs().max() > atol:\n            return size": (
            "NaN"
        ),
        "def answer(reference, candidate, X, atol):\n    for size in range(1, 65):\n        if (reference(X[:size]) - candidate(X[:size])).abs().mean() > atol:\n            return size": (
            "average"
        ),
        "def answer(reference, candidate, X, atol):\n    for size in range(1, 64):\n        if not torch.allclose(reference(X[:size]), candidate(X[:size]), rtol=0, atol=atol, equal_nan=True):\n            return size": (
            "64 itself"
        ),
        "def answer(reference, candidate, X, atol):\n    for size in range(1, 65):\n        if not torch.allclose(reference(X[:size]), candidate(X[:size])):\n            return size": (
            "within the tolerance"
        ),
    },
)
def exercise_9_4(answer):
    import torch

    X = torch.arange(140.0).reshape(70, 2) + 100

    def reference(x):
        return 1 * x

    def changed(size, change):
        def candidate(x):
            y = 1 * x
            if len(x) >= size:
                y[size - 1, 1] = change(y[size - 1, 1])
            return y

        return candidate

    if answer(reference, reference, X, 1e-5) is not None:
        return "two equal models give something else than None."
    if answer(reference, changed(3, lambda y: y + 0.05), X, 0.1) is not None:
        return (
            "a difference within the tolerance `atol` counts as wrong: the tolerance is absolute."
        )
    too_large = answer(reference, changed(9, lambda y: y + 5), X, 0.1)
    too_small = answer(reference, changed(9, lambda y: y - 5), X, 0.1)
    if (too_large == 9) != (too_small == 9):
        return "an output that is off in one direction is found, and one off in the other is not."
    if too_large != 9:
        return "from the ninth row on one output is off by 5, and the size 9 is not returned."
    if answer(reference, changed(3, lambda y: y + 0.001), X, 1e-4) is None:
        return "a difference of 0.001 is not found with atol=0.0001: is the tolerance relative to the outputs?"
    if answer(reference, changed(20, lambda y: y + 0.5), X, 0.1) != 20:
        return "one wrong output among many is not found; does an average hide it?"
    if answer(reference, changed(64, lambda y: y + 5), X, 0.1) != 64:
        return "a fault at batch size 64 is not found; is 64 itself among the sizes?"
    if answer(reference, changed(4, lambda y: y * float("nan")), X, 0.1) != 4:
        return "an output that is NaN in one model only is not found: every comparison with NaN is False."


@exercise(
    expects="a function of an imputer, a scaler and a linear layer that returns a module",
    hints=[
        "All that was learned: `imputer.statistics_`, `scaler.mean_`, `scaler.scale_`. Where does a module keep tensors that are not trained?",
        "`self.register_buffer('fill', torch.tensor(imputer.statistics_))`, and so on; `torch.where(X.isnan(), self.fill, X)`.",
        "Fill and scale in float64, and convert with `.float()` right before the linear layer.",
    ],
    solution="""
        class Baked(nn.Module):
            def __init__(self, imputer, scaler, linear):
                super().__init__()
                self.register_buffer("fill", torch.tensor(imputer.statistics_))
                self.register_buffer("mean", torch.tensor(scaler.mean_))
                self.register_buffer("scale", torch.tensor(scaler.scale_))
                self.linear = linear

            def forward(self, X):
                X = torch.where(X.isnan(), self.fill, X)
                return self.linear(((X - self.mean) / self.scale).float())


        answer = Baked
    """,
    wrong={
        "class Floats(nn.Module):\n    def __init__(self, imputer, scaler, linear):\n        super().__init__()\n        self.fill, self.mean, self.scale = (torch.tensor(x).float() for x in (imputer.statistics_, scaler.mean_, scaler.scale_))\n        self.linear = linear\n    def forward(self, X):\n        X = X.float()\n        X = torch.where(X.isnan(), self.fill, X)\n        return self.linear((X - self.mean) / self.scale)\nanswer = Floats": (
            "float32 too early"
        ),
        "class NoGaps(nn.Module):\n    def __init__(self, imputer, scaler, linear):\n        super().__init__()\n        self.register_buffer('mean', torch.tensor(scaler.mean_))\n        self.register_buffer('scale', torch.tensor(scaler.scale_))\n        self.linear = linear\n    def forward(self, X):\n        return self.linear(((X - self.mean) / self.scale).float())\nanswer = NoGaps": (
            "gap"
        ),
        "class Zero(nn.Module):\n    def __init__(self, imputer, scaler, linear):\n        super().__init__()\n        self.register_buffer('mean', torch.tensor(scaler.mean_))\n        self.register_buffer('scale', torch.tensor(scaler.scale_))\n        self.linear = linear\n    def forward(self, X):\n        return self.linear(((X - self.mean) / self.scale).nan_to_num().float())\nanswer = Zero": (
            "the mean"
        ),
        "class Outside(nn.Module):\n    def __init__(self, imputer, scaler, linear):\n        super().__init__()\n        self.parts = imputer, scaler\n        self.linear = linear\n    def forward(self, X):\n        for part in self.parts:\n            X = part.transform(X)\n        return self.linear(torch.tensor(X).float())\nanswer = Outside": (
            "cannot be exported"
        ),
    },
)
def exercise_9_5(answer):
    import numpy as np
    import torch
    from sklearn.impute import SimpleImputer
    from sklearn.preprocessing import StandardScaler
    from torch import nn

    rng = np.random.default_rng(7)
    X = np.column_stack([rng.exponential(size=200), 1.7e9 + rng.normal(scale=60, size=200)])
    imputer = SimpleImputer(strategy="median").fit(X)
    scaler = StandardScaler().fit(imputer.transform(X))
    with torch.random.fork_rng():
        torch.manual_seed(2)
        linear = nn.Linear(2, 3)
    gaps = X.copy()
    gaps[::3, 0] = np.nan

    def expected(rows):
        prepared = scaler.transform(imputer.transform(rows)).astype("float32")
        return linear(torch.from_numpy(prepared)).detach()

    module = answer(imputer, scaler, linear)
    batch = torch.export.Dim("batch")
    try:
        with redirect_stderr(StringIO()):
            program = torch.export.export(
                module, (torch.tensor(X[:4]),), dynamic_shapes=({0: batch},)
            )
        graph = program.module()
    except Exception:
        return (
            "the module cannot be exported with a dynamic batch: does it leave tensors on the way?"
        )
    with torch.no_grad():
        whole, both = graph(torch.tensor(X)), graph(torch.tensor(gaps))
    if tuple(whole.shape) != (200, 3):
        return f"200 rows give the shape {tuple(whole.shape)}, expected (200, 3)."
    if not torch.allclose(whole, expected(X), atol=1e-4):
        if torch.allclose(whole, expected(X), atol=3):
            return "the column of large numbers loses its digits: is it float32 too early?"
        return "rows without gaps give other logits than imputer, scaler and linear layer."
    if both.isnan().any():
        return "a row with a gap gives NaN."
    if not torch.allclose(both, expected(gaps), atol=1e-4):
        return "a gap is not filled with what the imputer learned; scaled, 0 would be the mean."
    if not torch.allclose(graph(torch.tensor(gaps[:1])), expected(gaps[:1]), atol=1e-4):
        return "a single row gives other logits than the same row in a batch."


def _same(program, X, expected):
    import torch

    try:
        return torch.allclose(program(X), expected)
    except Exception:
        return False
