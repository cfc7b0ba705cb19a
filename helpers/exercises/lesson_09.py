"""The exercises of lesson 9, export and deployment."""

from contextlib import redirect_stderr
from io import StringIO

from helpers.exercises import exercise


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
        "class InPlace(nn.Module):\n    def forward(self, X):\n        X *= 2 * (X.sum(dim=1, keepdim=True) > 0)\n        return X\nanswer = InPlace()": (
            "changes its input"
        ),
        "answer = Choosy": "class",
    },
)
def exercise_9_1(answer):
    import torch

    if isinstance(answer, type):
        return "this is the class itself: make a module of it by calling it."
    for n_rows, n_columns in ((20, 3), (7, 5)):
        generator = torch.Generator().manual_seed(n_rows)
        X = torch.randn(n_rows, n_columns, generator=generator)
        X[:3] = torch.zeros(n_columns)
        X[:3, :3] = torch.tensor([[1.0, 2.0, -1.0], [-1.0, -2.0, 1.0], [1.0, -1.0, 0.0]])
        if reason := _judge_choice(answer, X):
            return reason


def _judge_choice(answer, X):
    import torch

    expected = torch.stack([2 * x if x.sum() > 0 else torch.zeros_like(x) for x in X])
    given = X.clone()
    found = answer(given)
    if not torch.equal(given, X):
        return "it changes its input, which belongs to the caller."
    if tuple(found.shape) != tuple(X.shape):
        return f"rows of shape {tuple(X.shape)} give the shape {tuple(found.shape)}."
    if torch.allclose(found, torch.where(X > 0, 2 * X, 0)):
        return "it decides for each number; the sum of the row should decide for the whole row."
    if torch.allclose(found, 2 * X) or not found.any():
        return "it decides for the whole batch at once; every row has a sum of its own."
    if not torch.allclose(found, expected):
        return "some rows are neither doubled where their sum is positive nor zero where it is not."
    for example in (X[:1], X[1:2], X[:5]):
        traced = torch.jit.trace(answer, example.clone(), check_trace=False)
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
        "`eval()` changes every layer of the caller's model; whose could it change instead?",
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
        "answer = to_program": "evaluation mode",
        "import copy\ndef answer(model, example):\n    return torch.export.export(copy.deepcopy(model).eval(), (example,))": (
            "other numbers of rows"
        ),
        "def answer(model, example):\n    return torch.export.export(model.eval(), (example,), dynamic_shapes=({0: torch.export.Dim('batch')},))": (
            "another mode"
        ),
        "def answer(model, example):\n    mode = model.training\n    program = torch.export.export(model.eval(), (example,), dynamic_shapes=({0: torch.export.Dim('batch')},))\n    model.train(mode)\n    return program": (
            "frozen on its own"
        ),
        "import copy\ndef answer(model, example):\n    return copy.deepcopy(model).eval()": "no exported program",
    },
)
def exercise_9_2(answer):
    import torch
    from torch import nn

    with torch.random.fork_rng():
        torch.manual_seed(5)
        mixed = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 2))
        mixed[1].running_mean.uniform_(-1, 1)
        mixed[1].eval()  # frozen, as in lesson 8, while the rest trains
        for model in (nn.Sequential(nn.Linear(3, 6), nn.Dropout(0.5), nn.Linear(6, 1)), mixed):
            X = torch.randn(9, model[0].in_features)
            if reason := _judge_program(answer, model, X):
                return reason


def _judge_program(answer, model, X):
    import copy

    import torch

    with torch.no_grad():
        expected = copy.deepcopy(model).eval()(X)
    modes = [part.training for part in model.modules()]
    weights = copy.deepcopy(model.state_dict())
    trainable = [weight.requires_grad for weight in model.parameters()]
    program = answer(model, X[:3])
    if not hasattr(program, "graph_module"):
        return "it returns no exported program, but something else."
    graph = program.module()
    with torch.no_grad():
        if not torch.allclose(graph(X[:3]), expected[:3], atol=1e-5):
            return "its outputs are not those of the model in evaluation mode."
        try:
            same = all(torch.allclose(graph(X[:n]), expected[:n], atol=1e-5) for n in (1, 2, 5, 9))
        except Exception:
            return "exported with 3 rows it refuses other numbers of rows."
    if not same:
        return "with other numbers of rows than the example's its outputs are wrong."
    if modes[0] != model.training:
        return "the caller's model is left in another mode than it came in."
    if modes != [part.training for part in model.modules()]:
        return "a layer that was frozen on its own is no longer in the mode that it came in."
    if trainable != [weight.requires_grad for weight in model.parameters()]:
        return "the caller's weights are no longer trainable as they were."
    if not all(torch.equal(weights[name], now) for name, now in model.state_dict().items()):
        return "the caller's weights or statistics have changed."


@exercise(
    expects="a function of two models, rows and a tolerance",
    hints=[
        "A loop over `range(1, 65)`, and a comparison of the two outputs on `X[:size]`.",
        "A difference may be negative. And a comparison with NaN is always False, so ask whether all is *right*.",
        "`torch.allclose` has parameters for all of that; look at `rtol`, `atol` and `equal_nan`.",
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
            "in one model only"
        ),
        "def answer(reference, candidate, X, atol):\n    for size in range(1, 65):\n        if not (reference(X[:size]) - candidate(X[:size])).abs().max() <= atol:\n            return size": (
            "in both models"
        ),
        "def answer(reference, candidate, X, atol):\n    for size in range(1, 65):\n        if (reference(X[:size]) - candidate(X[:size])).abs().mean() > atol:\n            return size": (
            "average"
        ),
        "def answer(reference, candidate, X, atol):\n    a, b = reference(X[:64]), candidate(X[:64])\n    for size in range(1, 65):\n        if not torch.allclose(a[:size], b[:size], rtol=0, atol=atol, equal_nan=True):\n            return size": (
            "a batch of its own"
        ),
        "def answer(reference, candidate, X, atol):\n    for size in range(1, 64):\n        if not torch.allclose(reference(X[:size]), candidate(X[:size]), rtol=0, atol=atol, equal_nan=True):\n            return size": (
            "64 itself"
        ),
        "def answer(reference, candidate, X, atol):\n    for size in range(1, 65):\n        if not torch.allclose(reference(X[:size]), candidate(X[:size])):\n            return size": (
            "tolerance `atol`"
        ),
    },
)
def exercise_9_3(answer):
    import torch

    for n_columns in (2, 3):
        X = torch.arange(70.0 * n_columns).reshape(70, n_columns) + 100
        for place in range(n_columns):
            if reason := _judge_comparison(answer, X, place):
                return reason


def _judge_comparison(answer, X, place):
    """Candidates that go wrong in one output column, from one batch size on or at one only."""
    nan = float("nan")

    def change(row, how, when=lambda size, row: size > row):
        def model(x):
            y = 1 * x
            if when(len(x), row):
                y[row, place] = how(y[row, place])
            return y

        return model

    def first(candidate, atol=0.1, reference=lambda x: 1 * x):
        return answer(reference, candidate, X.clone(), atol)

    def same(x):
        return 1 * x

    if first(same) is not None:
        return "two equal models give something else than None."
    if first(change(2, lambda y: y + 0.05)) is not None:
        return (
            "a difference within the tolerance `atol` counts as wrong: the tolerance is absolute."
        )
    larger, smaller = (first(change(8, lambda y, by=by: y + by)) for by in (5, -5))
    if (larger == 9) != (smaller == 9):
        return "an output that is off in one direction is found, and one off in the other is not."
    if larger != 9:
        return "from the ninth row on one output is off by 5, and the size 9 is not returned."
    if first(change(2, lambda y: y + 0.001), atol=1e-4) is None:
        return "a difference of 0.001 is not found with atol=0.0001: is the tolerance relative to the outputs?"
    if first(change(19, lambda y: y + 0.5)) != 20:
        return "one wrong output among many is not found; does an average hide it?"
    if first(change(0, lambda y: y + 5, lambda size, _: size == 7)) != 7:
        return "a model that is wrong at batch size 7 only is not found: each size needs a batch of its own."
    if first(change(63, lambda y: y + 5)) != 64:
        return "a fault at batch size 64 is not found; is 64 itself among the sizes?"
    broken = change(3, lambda y: y * nan)
    if first(broken) != 4 or first(same, reference=broken) != 4:
        return "an output that is NaN in one model only is not found: every comparison with NaN is False."
    if first(broken, reference=broken) is not None:
        return "an output that is NaN in both models counts as a difference."
    if first(change(9, lambda y: y + 5), reference=broken) != 4:
        return "an output that is NaN in one model only is not found: every comparison with NaN is False."


@exercise(
    expects="a function of a path and a list of rows that returns an array",
    hints=[
        "`session.get_inputs()` says the name and the type of each input.",
        "One array of shape (rows, 1) per input, of dtype float32, float64 or object.",
        'A dictionary from the type, as `"tensor(double)"`, to a dtype and to what a missing value is.',
    ],
    solution="""
        KINDS = {
            "tensor(string)": (object, ""),
            "tensor(float)": ("float32", np.nan),
            "tensor(double)": ("float64", np.nan),
        }


        def ask_file(path, rows):
            session = onnxruntime.InferenceSession(path)
            inputs = {}
            for put in session.get_inputs():
                kind, missing = KINDS[put.type]
                values = [missing if row[put.name] is None else row[put.name] for row in rows]
                inputs[put.name] = np.array(values, dtype=kind).reshape(-1, 1)
            return session.run(None, inputs)[0]


        answer = ask_file
    """,
    wrong={
        "def answer(path, rows, missing=0.0):\n    session = onnxruntime.InferenceSession(path)\n    kinds = {'tensor(string)': (object, ''), 'tensor(float)': ('float32', missing), 'tensor(double)': ('float64', missing)}\n    inputs = {}\n    for put in session.get_inputs():\n        kind, empty = kinds[put.type]\n        inputs[put.name] = np.array([empty if row[put.name] is None else row[put.name] for row in rows], dtype=kind).reshape(-1, 1)\n    return session.run(None, inputs)[0]": (
            "missing number"
        ),
        "def answer(path, rows):\n    session = onnxruntime.InferenceSession(path)\n    kinds = {'tensor(string)': object, 'tensor(float)': 'float32', 'tensor(double)': 'float64'}\n    inputs = {}\n    for put in session.get_inputs():\n        values = [row[put.name] for row in rows]\n        if put.type == 'tensor(string)':\n            values = [str(value) for value in values]\n        inputs[put.name] = np.array(values, dtype=kinds[put.type]).reshape(-1, 1)\n    return session.run(None, inputs)[0]": (
            "missing text"
        ),
        "def answer(path, rows):\n    session = onnxruntime.InferenceSession(path)\n    kinds = {'tensor(string)': (object, ''), 'tensor(float)': ('float32', np.nan), 'tensor(double)': ('float64', np.nan)}\n    inputs = {}\n    for put, name in zip(session.get_inputs(), rows[0]):\n        kind, empty = kinds[put.type]\n        inputs[put.name] = np.array([empty if row[name] is None else row[name] for row in rows], dtype=kind).reshape(-1, 1)\n    return session.run(None, inputs)[0]": (
            "order"
        ),
        "def answer(path, rows):\n    session = onnxruntime.InferenceSession(path)\n    inputs = {}\n    for put in session.get_inputs():\n        text = put.type == 'tensor(string)'\n        values = [('' if text else np.nan) if row[put.name] is None else row[put.name] for row in rows]\n        inputs[put.name] = np.array(values, dtype=object if text else 'float32').reshape(-1, 1)\n    return session.run(None, inputs)[0]": (
            "float64"
        ),
        "def answer(path, rows):\n    session = onnxruntime.InferenceSession(path)\n    kinds = {'tensor(string)': (object, ''), 'tensor(float)': ('float32', np.nan), 'tensor(double)': ('float64', np.nan)}\n    inputs = {}\n    for put in session.get_inputs():\n        kind, empty = kinds[put.type]\n        inputs[put.name] = np.array([[empty if rows[0][put.name] is None else rows[0][put.name]]], dtype=kind)\n    return session.run(None, inputs)[0]": (
            "shape"
        ),
    },
)
def exercise_9_4(answer):
    import tempfile
    from pathlib import Path

    rows = [
        {"age": 40.5, "sex": "Male", "income": 1e7 + 1},
        {"age": 20.0, "sex": "Female", "income": 2e7 + 1},
        {"age": 33.0, "sex": "other", "income": 5.0},
        {"age": None, "sex": "Male", "income": 7.0},
        {"age": 50.0, "sex": "Female", "income": None},
        {"age": 50.0, "sex": None, "income": 9.0},
    ]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        for order, reason in (
            (
                ["age", "sex", "income"],
                "complete rows get other probabilities than the file gives.",
            ),
            (
                ["income", "sex", "age"],
                "it relies on the order of the inputs; in this file another one stands first.",
            ),
        ):
            path = str(Path(folder) / f"{order[0]}.onnx")
            expected = _write_small_model(path, order, rows)
            if mistake := _judge_asking(answer, path, rows, expected, reason):
                return mistake


def _judge_asking(answer, path, rows, expected, otherwise):
    import numpy as np

    for chosen, reason in (
        (range(3), otherwise),
        ([0], "for a single row the probabilities are wrong."),
        ([3], "a row with a missing number gets other probabilities: it should go in as NaN."),
        ([4], "a row with a missing number gets other probabilities: it should go in as NaN."),
        ([5], 'a row with a missing text gets other probabilities: it should go in as "".'),
        (range(6), "asked for all rows together it gives other probabilities than one by one."),
    ):
        try:
            found = np.asarray(answer(path, [dict(rows[i]) for i in chosen]))
        except Exception as error:
            if "tensor(double)" in str(error):
                return "ONNX Runtime refuses float32 where the file declares float64, or the reverse: look at the type of each input."
            if "could not convert string" in str(error):
                return "text goes where a number belongs: the inputs have names, do not rely on their order."
            raise
        if found.shape != (len(chosen), 2):
            return (
                f"{len(chosen)} rows give an array of shape {found.shape}, expected one row each."
            )
        if not np.allclose(found, expected[list(chosen)], atol=1e-5):
            return reason


def _write_small_model(path, order, rows):
    """A file in which each value, and each missing one, counts; returns the probabilities."""
    import numpy as np
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    kinds = {"age": TensorProto.FLOAT, "sex": TensorProto.STRING, "income": TensorProto.DOUBLE}
    inputs = [helper.make_tensor_value_info(name, kinds[name], ["rows", 1]) for name in order]
    output = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["rows", 2])
    constants = {
        "age_if_missing": np.array(60, "float32"),
        "income_if_missing": np.array(2e7, "float64"),
        "ten_million": np.array(1e7, "float64"),
        "weights": np.array([[0.1, -0.1], [1, -0.5], [0.9, 0.3]], "float32"),
        "bias": np.array([-4, 0.5], "float32"),
    }
    nodes = [
        helper.make_node("IsNaN", ["age"], ["no_age"]),
        helper.make_node("Where", ["no_age", "age_if_missing", "age"], ["age_filled"]),
        helper.make_node("IsNaN", ["income"], ["no_income"]),
        helper.make_node("Where", ["no_income", "income_if_missing", "income"], ["filled"]),
        helper.make_node("Sub", ["filled", "ten_million"], ["difference"]),
        helper.make_node("Tanh", ["difference"], ["income_scaled"]),
        helper.make_node("Cast", ["income_scaled"], ["income_small"], to=TensorProto.FLOAT),
        helper.make_node(
            "LabelEncoder",
            ["sex"],
            ["code"],
            domain="ai.onnx.ml",
            keys_strings=["Female", "Male", ""],
            values_floats=[1.0, -1.0, 3.0],
            default_float=0.0,
        ),
        helper.make_node("Concat", ["age_filled", "code", "income_small"], ["features"], axis=1),
        helper.make_node("Gemm", ["features", "weights", "bias"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    parts = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "small", inputs, [output], parts)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)
    codes = {"Female": 1, "Male": -1, None: 3}
    features = [
        [
            60 if row["age"] is None else row["age"],
            codes.get(row["sex"], 0),
            np.tanh((2e7 if row["income"] is None else row["income"]) - 1e7),
        ]
        for row in rows
    ]
    logits = np.array(features) @ constants["weights"] + constants["bias"]
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shares / shares.sum(axis=1, keepdims=True)


@exercise(
    expects="a function of a table of loads, a peak, a limit and a price",
    hints=[
        "Which rows of `loads` keep the limit? The best of their throughputs is what one machine gives.",
        "You may count on 60 % of it. And can you rent a part of a machine, or only one?",
        "`np.ceil` rounds up, `max(2, …)` takes at least two; first ask whether any row is left.",
    ],
    solution="""
        def cost_of(loads, peak, limit, price):
            kept = loads[loads["p99"] <= limit]
            if kept.empty:
                return None
            machines = max(2, np.ceil(peak / (0.6 * kept["answers/s"].max())))
            return machines * price * 730


        answer = cost_of
    """,
    wrong={
        "def answer(loads, peak, limit, price):\n    return max(2, np.ceil(peak / (0.6 * loads['answers/s'].max()))) * price * 730": (
            "does not keep the limit"
        ),
        "def answer(loads, peak, limit, price):\n    kept = loads[loads['p99'] <= limit]\n    if len(kept):\n        return max(2, np.ceil(peak / kept['answers/s'].max())) * price * 730": (
            "60 %"
        ),
        "def answer(loads, peak, limit, price):\n    kept = loads[loads['p99'] <= limit]\n    if len(kept):\n        return max(2, peak / (0.6 * kept['answers/s'].max())) * price * 730": (
            "part of a machine"
        ),
        "def answer(loads, peak, limit, price):\n    kept = loads[loads['p99'] <= limit]\n    if len(kept):\n        return np.ceil(peak / (0.6 * kept['answers/s'].max())) * price * 730": (
            "at least two"
        ),
        "def answer(loads, peak, limit, price):\n    kept = loads[loads['p99'] <= limit]\n    if len(kept):\n        return max(2, np.ceil(peak / (0.6 * kept['answers/s'].max())))": (
            "number of machines"
        ),
        "def answer(loads, peak, limit, price):\n    kept = loads[loads['p99'] <= limit]\n    return max(2, np.ceil(peak / (0.6 * kept['answers/s'].max()))) * price * 730": (
            "no load keeps the limit"
        ),
    },
)
def exercise_9_5(answer):
    import pandas as pd

    tables = [
        ([8, 1, 32, 16], [900.0, 610.0, 1100.0, 1000.0], [12.0, 4.0, 80.0, 30.0]),
        ([2, 64, 4], [150.0, 140.0, 220.0], [9.0, 900.0, 11.0]),
    ]
    cases = [(0, 5000, 20, 0.1), (0, 5000, 30, 0.25), (1, 700, 10, 1.0), (0, 40, 5, 0.1)]
    for which, peak, limit, price in cases:
        callers, a_second, p99 = tables[which]
        loads = pd.DataFrame({"callers": callers, "answers/s": a_second, "p99": p99})
        before = loads.copy()
        found = answer(loads, peak, limit, price)
        if not loads.equals(before):
            return "it changes the table of loads."
        if found is None:
            return "a load keeps the limit, and it returns None."
        if reason := _judge_cost(float(found), a_second, p99, (peak, limit, price)):
            return reason
    loads = pd.DataFrame({"callers": [1, 8], "answers/s": [90.0, 120.0], "p99": [40.0, 55.0]})
    found = answer(loads, 100, 30, 0.1)
    if found is not None:
        return f"no load keeps the limit, and it returns {found!r:.40}, expected None."


def _judge_cost(found, a_second, p99, asked):
    import math

    peak, limit, price = asked
    best = max(a for a, wait in zip(a_second, p99, strict=True) if wait <= limit)
    needed = peak / (0.6 * best)
    machines = max(2, math.ceil(needed))
    if math.isclose(found, machines * price * 730, rel_tol=1e-6):
        return None
    mistakes = [
        (
            max(2, math.ceil(peak / (0.6 * max(a_second)))) * price * 730,
            "it counts on a throughput that does not keep the limit on p99.",
        ),
        (
            max(2, math.ceil(peak / best)) * price * 730,
            "those machines would be full at the peak; only 60 % of each may be used.",
        ),
        (needed * price * 730, "nobody rents a part of a machine: round their number up."),
        (math.ceil(needed) * price * 730, "one may fail, so there must be at least two machines."),
        (machines, "this is the number of machines; their cost in a month is asked."),
    ]
    for mistake, reason in mistakes:
        if math.isclose(found, mistake, rel_tol=1e-6):
            return reason
    return (
        f"for a peak of {peak}, a limit of {limit} ms and a price of {price} it gives {found:g}, "
        f"expected {machines * price * 730:g}."
    )


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
            "missing value gives NaN"
        ),
        "class Zero(nn.Module):\n    def __init__(self, imputer, scaler, linear):\n        super().__init__()\n        self.register_buffer('mean', torch.tensor(scaler.mean_))\n        self.register_buffer('scale', torch.tensor(scaler.scale_))\n        self.linear = linear\n    def forward(self, X):\n        return self.linear(((X - self.mean) / self.scale).nan_to_num().float())\nanswer = Zero": (
            "the mean"
        ),
        "class Outside(nn.Module):\n    def __init__(self, imputer, scaler, linear):\n        super().__init__()\n        self.parts = imputer, scaler\n        self.linear = linear\n    def forward(self, X):\n        for part in self.parts:\n            X = part.transform(X)\n        return self.linear(torch.tensor(X).float())\nanswer = Outside": (
            "cannot be exported"
        ),
    },
)
def exercise_9_6(answer):
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
        whole, both = graph(torch.tensor(X)).float(), graph(torch.tensor(gaps)).float()
    if tuple(whole.shape) != (200, 3):
        return f"200 rows give the shape {tuple(whole.shape)}, expected (200, 3)."
    if not torch.allclose(whole, expected(X), atol=1e-4):
        if torch.allclose(whole, expected(X), atol=3):
            return "the column of large numbers loses its digits: is it float32 too early?"
        return (
            "rows without missing values give other logits than imputer, scaler and linear layer."
        )
    if both.isnan().any():
        return "a row with a missing value gives NaN."
    if not torch.allclose(both, expected(gaps), atol=1e-4):
        return "a missing value is not filled with what the imputer learned; scaled, 0 would be the mean."
    if not torch.allclose(graph(torch.tensor(gaps[:1])).float(), expected(gaps[:1]), atol=1e-4):
        return "a single row gives other logits than the same row in a batch."


def _same(program, X, expected):
    import torch

    try:
        return torch.allclose(program(X), expected)
    except Exception:
        return False
