"""Models that leave Python: saved in every format, loaded safely, compared with the original.

Each `save_…` writes the whole file or nothing, and leaves your model as it is. Each `load_…`
returns a function from arrays or tensors to an ndarray, so that all formats are used alike.
`check_parity` proves that two of them agree. The table model at the end is a file that holds
preprocessing and network together: raw rows in, probabilities out.

A model file is a program. TorchScript and ONNX files can call only operations of their own
engines. `torch.export.load` by itself trusts its file, which may hold pickles and Python
expressions: here every file is examined first. An ahead-of-time package is machine code, which
nobody can examine: load only your own.
"""

import copy
import hashlib
import io
import json
import logging
import os
import shutil
import tempfile
import time
import warnings
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import nn

from helpers.export_checks import check_exported, checked_zip
from helpers.export_tables import (
    TableNetwork,
    as_numbers,
    check_columns,
    code_category,
    read_preprocessor,
)
from helpers.files import atomic_write

BATCH_SIZES = tuple(range(1, 65))
# Much quicker to compile than by default, for a model of a few layers.
COMPILE_QUICKLY = {
    "aot_inductor.compile_wrapper_opt_level": "O0",
    "aot_inductor.precompile_headers": False,
}


def save_torchscript(model, path, *, example, method="trace", freeze=False):
    """Save a model as TorchScript, by tracing or by scripting. TorchScript is deprecated.

    Parameters
    ----------
    model : torch.nn.Module
        Saved as it is in evaluation mode on the CPU.
    path : str or Path
    example : Tensor or tuple of Tensor
        Inputs to trace with.
    method : {"trace", "script"}
        Tracing records what one example does, without `if` and loops. Scripting translates
        the code itself.
    freeze : bool
        Whether to turn weights and attributes into constants, for speed.

    Examples
    --------
    >>> model = nn.Linear(3, 2)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_torchscript(model, Path(folder) / "model.pt", example=torch.zeros(1, 3))
    ...     call = load_torchscript(Path(folder) / "model.pt")
    >>> call(np.zeros((5, 3), dtype="float32")).shape
    (5, 2)
    """
    if method not in ("trace", "script"):
        raise ValueError(f'method is {method!r}, expected "trace" or "script"')
    model, example = _ready(model), _as_tuple(example)
    with _no_deprecation():
        if method == "trace":
            with torch.no_grad():
                program = torch.jit.trace(model, example)
        else:
            program = torch.jit.script(model)
        if freeze:
            program = torch.jit.freeze(program)
        buffer = io.BytesIO()
        torch.jit.save(program, buffer)
    _write(path, buffer.getvalue())


def load_torchscript(path):
    """Load a TorchScript file on the CPU.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    callable
        From arrays or tensors to an ndarray.

    Raises
    ------
    ValueError
        If the file is damaged or something else.
    """
    with _readable(path, "TorchScript file"):
        data = checked_zip(Path(path).read_bytes())
        with _no_deprecation():
            program = torch.jit.load(io.BytesIO(data), map_location="cpu")
    return _array_function(program)


def save_exported(model, path, *, example):
    """Save a model as an exported program (`torch.export`), for a batch of any size.

    Parameters
    ----------
    model : torch.nn.Module
        Saved as it is in evaluation mode on the CPU.
    path : str or Path
    example : Tensor or tuple of Tensor
        Inputs to export with; the first dimension of each is the batch.
    """
    buffer = io.BytesIO()
    torch.export.save(_without_example(_export(model, example)), buffer)
    data = buffer.getvalue()
    check_exported(data)  # what cannot be loaded should not be saved
    _write(path, data)


def load_exported(path):
    """Load an exported program on the CPU.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    callable
        From arrays or tensors to an ndarray.

    Raises
    ------
    ValueError
        If the file is damaged, something else, or holds anything that could run code.
    """
    with _readable(path, "torch.export file"):
        return _load_exported(Path(path).read_bytes())


def save_onnx(model, path, *, example):
    """Save a model as one ONNX file, for a batch of any size. Needs onnx and onnxscript.

    A digest stands at the file's end, as metadata that other readers ignore.

    Parameters
    ----------
    model : torch.nn.Module
        Saved as it is in evaluation mode on the CPU.
    path : str or Path
    example : Tensor or tuple of Tensor
        Inputs to export with; the first dimension of each is the batch.
    """
    # optimize=False: what the default optimizer folds depends on the version of onnxscript
    with _no_deprecation():
        program = torch.onnx.export(
            _export(model, example), dynamo=True, verbose=False, optimize=False
        )
    data = program.model_proto.SerializeToString()
    _write(path, data + _onnx_seal(data))


def load_onnx(path):
    """Load a file of `save_onnx` with ONNX Runtime, on the CPU.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    callable
        From arrays or tensors to an ndarray.

    Raises
    ------
    ValueError
        If the file is damaged or something else.
    """
    import onnxruntime

    with _readable(path, "ONNX file of save_onnx"):
        data = Path(path).read_bytes()
        length = len(_onnx_seal(b""))
        if data[-length:] != _onnx_seal(data[:-length]):
            raise ValueError("its digest is wrong or absent")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()  # a fair comparison
        session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    names = [x.name for x in session.get_inputs()]

    def call(*inputs):
        arrays = [np.asarray(x) for x in inputs]
        return session.run(None, dict(zip(names, arrays, strict=True)))[0]

    return call


def find_compiler():
    """The C++ compiler that an ahead-of-time package needs.

    Returns
    -------
    str or None
        Its path.
    """
    return shutil.which(os.environ.get("CXX", "g++")) or shutil.which("clang++")


def save_compiled(model, path, *, example):
    """Compile a model ahead of time to a package of machine code, for a batch of any size.

    Parameters
    ----------
    model : torch.nn.Module
        Compiled as it is in evaluation mode, for this kind of CPU.
    path : str or Path
    example : Tensor or tuple of Tensor
        At least two rows; the first dimension of each is the batch.

    Raises
    ------
    RuntimeError
        If there is no C++ compiler.
    """
    if find_compiler() is None:
        raise RuntimeError(
            "an ahead-of-time package needs a C++ compiler, and there is none: install g++ or clang"
        )
    # where CUDA's tools are and a GPU is not, its import warns
    logging.getLogger("torch.utils.cpp_extension").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as folder, _no_deprecation():
        package = str(Path(folder) / "model.pt2")
        torch._inductor.aoti_compile_and_package(
            _export(model, example), package_path=package, inductor_configs=COMPILE_QUICKLY
        )
        _write(path, Path(package).read_bytes())


def load_compiled(path):
    """Load an ahead-of-time package. It is machine code: load only your own.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    callable
        From arrays or tensors to an ndarray.

    Raises
    ------
    ValueError
        If the file is damaged or something else.
    """
    with _readable(path, "ahead-of-time package"):
        checked_zip(Path(path).read_bytes())
        return _array_function(torch._inductor.aoti_load_package(str(path)))


def check_parity(reference, candidate, inputs, *, batch_sizes=BATCH_SIZES, atol=1e-5):
    """Prove that two models give the same outputs, whatever the size of the batch.

    Parameters
    ----------
    reference, candidate : callable or torch.nn.Module
        From inputs to outputs (n_samples, n_outputs), as arrays or tensors.
    inputs : array, Tensor, or tuple of them (n_samples, ...)
        Successive batches go through all rows, and begin anew at the end.
    batch_sizes : iterable of int
    atol : float
        The largest difference allowed.

    Returns
    -------
    float
        The worst difference.

    Raises
    ------
    AssertionError
        If it is too large; with batch size, row and output.

    Examples
    --------
    >>> X = torch.arange(6.0).reshape(3, 2)
    >>> check_parity(lambda x: 2 * x, lambda x: x + x, X, batch_sizes=[1, 2])
    0.0
    >>> check_parity(lambda x: 2 * x, lambda x: x.clamp(max=3) * 2, X, batch_sizes=[1, 3])
    Traceback (most recent call last):
        ...
    AssertionError: the outputs differ by 4, at most 1e-05 allowed: batch size 3, row 2, output 1: 10 expected, got 6
    """
    inputs = _as_tuple(inputs)
    n_rows = len(inputs[0])
    if n_rows == 0 or any(len(x) != n_rows for x in inputs):
        raise ValueError(f"inputs have {[len(x) for x in inputs]} rows, expected the same, above 0")
    batch_sizes = list(batch_sizes)
    if not batch_sizes:
        raise ValueError("batch_sizes is empty: nothing would be compared")
    reference, candidate = _array_function(reference), _array_function(candidate)
    worst, where, start = -1.0, "", 0
    for size in batch_sizes:
        rows = (start + np.arange(size)) % n_rows
        start += size
        batch = [x[rows] for x in inputs]
        expected, found = reference(*batch), candidate(*batch)
        if expected.shape != found.shape:
            raise AssertionError(
                f"batch size {size}: shape {expected.shape} expected, got {found.shape}"
            )
        same = (expected == found) | (np.isnan(expected) & np.isnan(found))
        with np.errstate(invalid="ignore"):
            difference = np.where(same, 0, np.abs(expected.astype(float) - found))
        difference = np.where(np.isnan(difference), np.inf, difference)
        at = np.unravel_index(difference.argmax(), difference.shape)
        if difference[at] > worst:
            worst = float(difference[at])
            where = (
                f"batch size {size}, row {rows[at[0]]}, output {', '.join(map(str, at[1:])) or 0}: "
                f"{expected[at]:.6g} expected, got {found[at]:.6g}"
            )
    if not worst <= atol:
        raise AssertionError(f"the outputs differ by {worst:.3g}, at most {atol} allowed: {where}")
    return worst


def measure_latency(call, *, warm_up=10, repeat=100):
    """Time a call many times, after some calls that do not count.

    Parameters
    ----------
    call : callable
        Without arguments.
    warm_up, repeat : int

    Returns
    -------
    pandas.Series
        `median_ms` and `p99_ms`, the 99th percentile.

    Examples
    --------
    >>> measure_latency(lambda: sum(range(1000)), repeat=5).index.tolist()
    ['median_ms', 'p99_ms']
    """
    for _ in range(warm_up):
        call()
    seconds = []
    for _ in range(repeat):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return pd.Series(
        {"median_ms": 1000 * np.median(seconds), "p99_ms": 1000 * np.quantile(seconds, 0.99)}
    )


@dataclass(frozen=True)
class TableModel:
    """A table model as `load_table_model` gives it.

    Attributes
    ----------
    schema : dict
        `{"numbers": [names], "categories": {name: [known values]}, "classes": [...], "version": "..."}`
    missing_codes : dict
        For each category column the code of a missing value.
    compute : callable
        From numbers and codes to probabilities, see `TableNetwork`.
    """

    schema: dict
    missing_codes: dict
    compute: callable


def save_table_model(preprocessor, model, path, *, classes, version="1", rows=None):
    """Save a fitted preprocessor and a trained network as one file that takes raw rows.

    The file is a zip of an exported program and a JSON description; no pickle is in it.

    Parameters
    ----------
    preprocessor : ColumnTransformer, or Pipeline that begins with one
        Fitted. Number columns: optional `SimpleImputer`, then `StandardScaler`. Category
        columns: optional `SimpleImputer`, then `OneHotEncoder` or `OrdinalEncoder`.
    model : torch.nn.Module
        From the preprocessor's columns, as float32, to a logit for each class.
    path : str or Path
    classes : list
        What the outputs mean, in their order.
    version : str
        Your name for this model.
    rows : DataFrame or None
        Raw rows; if given, the saved file must agree on them with preprocessor and model to 1e-5.

    Raises
    ------
    ValueError
        If the preprocessor has a step that is not among those above.
    AssertionError
        If file and original disagree on `rows`.
    """
    transformer = preprocessor[0] if hasattr(preprocessor, "steps") else preprocessor
    blocks, description = read_preprocessor(transformer)
    network = TableNetwork(blocks, _ready(model))
    schema = {**description["schema"], "classes": list(classes), "version": str(version)}
    example = (
        torch.zeros(2, len(schema["numbers"]), dtype=torch.float64),
        torch.zeros(2, len(schema["categories"]), dtype=torch.int64),
    )
    with torch.no_grad():
        n_outputs = network(*example).shape[1]
    if n_outputs != len(schema["classes"]):
        raise ValueError(f"the model has {n_outputs} outputs for {len(schema['classes'])} classes")
    graph, archive = io.BytesIO(), io.BytesIO()
    torch.export.save(_without_example(_export(network, example)), graph)
    description = {"format": 1, "schema": schema, "missing": description["missing"]}
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("schema.json", json.dumps(description, indent=1))
        file.writestr("model.pt2", graph.getvalue())
    data = archive.getvalue()
    loaded = _load_table_model(data)
    if rows is not None:
        prepared = torch.from_numpy(np.asarray(transformer.transform(rows), dtype=np.float32))
        original = nn.Sequential(_ready(model), nn.Softmax(dim=1))
        check_parity(
            lambda indices: original(prepared[indices]),
            lambda indices: predict_rows(loaded, rows.iloc[indices.numpy()]),
            np.arange(len(rows)),
            batch_sizes=[len(rows), 1],
        )
    _write(path, data)


def load_table_model(path):
    """Load a file of `save_table_model`, on the CPU.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    TableModel
        For `predict_rows`; its `schema` says which columns a row has.

    Raises
    ------
    ValueError
        If the file is damaged, something else, or holds anything that could run code.
    """
    with _readable(path, "table model"):
        return _load_table_model(Path(path).read_bytes())


def predict_rows(table_model, rows):
    """Probabilities for raw rows.

    Parameters
    ----------
    table_model : TableModel
    rows : list of dict, or DataFrame
        Each with all columns of `table_model.schema`; more are ignored. A missing value is
        None, NaN or `pandas.NA`; a category that was not seen in training is allowed.

    Returns
    -------
    ndarray (n_samples, n_classes)
        Probabilities, float32, in the order of `table_model.schema["classes"]`.

    Raises
    ------
    ValueError
        If a column is absent, a number is text or infinite, or a category is no text or number.
    """
    schema = table_model.schema
    needed = [*schema["numbers"], *schema["categories"]]
    if isinstance(rows, pd.DataFrame):
        check_columns(needed, rows.columns, "the table")
        columns = {name: rows[name].tolist() for name in needed}
    else:
        rows = list(rows)
        for index, row in enumerate(rows):
            if not isinstance(row, dict):
                raise ValueError(f"row {index} is a {type(row).__name__}, expected a dict")
            check_columns(needed, row, f"row {index}")
        columns = {name: [row[name] for row in rows] for name in needed}
    n_rows = len(rows)
    if n_rows == 0:
        return np.empty((0, len(schema["classes"])), dtype=np.float32)
    numbers, codes = [np.empty((n_rows, 0))], [np.empty((n_rows, 0), dtype=np.int64)]
    for name in schema["numbers"]:
        numbers.append(as_numbers(columns[name], name)[:, None])
    for name, known in schema["categories"].items():
        code_of = {value: code for code, value in enumerate(known, start=1)}
        missing = table_model.missing_codes[name]
        values = [
            code_category(value, code_of, missing, name, i) for i, value in enumerate(columns[name])
        ]
        codes.append(np.array(values, dtype=np.int64)[:, None])
    probabilities = table_model.compute(np.hstack(numbers), np.hstack(codes))
    if not np.isfinite(probabilities).all():
        row = int(np.flatnonzero(~np.isfinite(probabilities).all(axis=1))[0])
        raise ValueError(f"row {row} has a number too large to compute with")
    return probabilities


def _ready(model):
    """A copy to export, so that the caller's model keeps its mode, device and gradients."""
    model = copy.deepcopy(model).cpu().eval()
    return model.requires_grad_(False)


def _as_tuple(inputs):
    return tuple(inputs) if isinstance(inputs, (tuple, list)) else (inputs,)


def _array_function(call):
    """The same function from arrays or tensors to an ndarray, without gradients."""

    def call_with_arrays(*inputs):
        with torch.no_grad():
            output = call(
                *(torch.from_numpy(x) if isinstance(x, np.ndarray) else x for x in inputs)
            )
        return output.numpy() if isinstance(output, torch.Tensor) else np.asarray(output)

    return call_with_arrays


def _export(model, example):
    """An exported program, for any number of rows, without the paths of this machine."""
    example = _as_tuple(example)
    if any(x.ndim == 0 or len(x) < 2 for x in example):
        # https://docs.pytorch.org/docs/stable/export.html: sizes 0 and 1 are made constants
        example = tuple(torch.cat([x, x]) if x.ndim and len(x) == 1 else x for x in example)
    batch = torch.export.Dim("batch")
    shapes = tuple({0: batch} for _ in example)
    program = torch.export.export(_ready(model), example, dynamic_shapes=shapes)
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)
    return program


def _without_example(program):
    """Without what does not belong into the file: the example may be somebody's data.

    The guards are Python code that compares sizes; the program checks those a second time.
    """
    program._example_inputs = None
    program._guards_code = []
    return program


def _write(path, data):
    atomic_write(path, lambda file: file.write(data))


@contextmanager
def _readable(path, kind):
    """Say in one line which file could not be loaded, whatever the loader raises."""
    try:
        yield
    except (OSError, ImportError):  # there is no such file, or no such package
        raise
    except Exception as error:
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        raise ValueError(
            f"{path} is not a {kind}, is damaged, or is not safe ({reason}); save it anew"
        ) from error


@contextmanager
def _no_deprecation():
    with warnings.catch_warnings():
        for category in (FutureWarning, DeprecationWarning):
            # PyTorch 2.11 says the one about LeafSpec of itself
            warnings.filterwarnings("ignore", r".*torch\.jit|.*LeafSpec", category)
        yield


def _onnx_seal(data):
    """A metadata entry with the digest; Protocol Buffers may be appended to one another.

    https://protobuf.dev/programming-guides/encoding/#last-one-wins, field 14 of ModelProto
    """
    key, value = b"sha256", hashlib.sha256(data).hexdigest().encode()
    entry = b"\x0a" + bytes([len(key)]) + key + b"\x12" + bytes([len(value)]) + value
    return b"\x72" + bytes([len(entry)]) + entry


def _load_exported(data):
    check_exported(data)
    with warnings.catch_warnings():
        # PyTorch 2.11 says this of its own buffer; nothing writes to it.
        warnings.filterwarnings("ignore", "The given buffer is not writable", UserWarning)
        return _array_function(torch.export.load(io.BytesIO(data)).module())


def _load_table_model(data):
    with zipfile.ZipFile(io.BytesIO(checked_zip(data))) as archive:
        if sorted(archive.namelist()) != ["model.pt2", "schema.json"]:
            raise ValueError(f"it holds {sorted(archive.namelist())}")
        description = json.loads(archive.read("schema.json"))
        graph = archive.read("model.pt2")
    if description["format"] != 1:
        raise ValueError(f"its format is {description['format']}, this course reads format 1")
    schema = description["schema"]
    if set(schema) != {"numbers", "categories", "classes", "version"}:
        raise ValueError(f"its schema has {sorted(schema)}")
    return TableModel(schema, description["missing"], _load_exported(graph))
