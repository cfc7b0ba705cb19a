"""A trained network as a file in four formats, and the proof that it computes the same.

Each `save_…` saves the model as it is in evaluation mode on the CPU, leaves yours unchanged, and
writes the whole file or nothing. Each `load_…` returns a function from an array or Tensor to an
ndarray, so that all formats are used alike; a damaged or foreign file raises a ValueError.
`check_parity` proves that two of them agree.

Only an ONNX file from a stranger is reasonably safe to load: it can call nothing but ONNX
Runtime's operators. Of the others load only your own.
"""

import copy
import io
import logging
import os
import shutil
import tempfile
import warnings
import zipfile
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch

from helpers.files import atomic_write


def save_torchscript(model, path, *, example, method="trace", freeze=False):
    """Save a model as TorchScript, which is deprecated; `load_torchscript(path)` loads it.

    `method="trace"` records what the model does with `example`, a Tensor (n_rows, ...), without
    `if` and loops; `method="script"` translates the code itself. `freeze` turns weights and
    attributes into constants, for speed.

    Examples
    --------
    >>> model = torch.nn.Linear(3, 2)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_torchscript(model, Path(folder) / "model.pt", example=torch.zeros(1, 3))
    ...     call = load_torchscript(Path(folder) / "model.pt")
    >>> check_parity(model, call, np.ones((5, 3), dtype="float32"))
    0.0
    """
    if method not in ("trace", "script"):
        raise ValueError(f'method is {method!r}, expected "trace" or "script"')
    model, buffer = copy_for_export(model), io.BytesIO()
    with _no_deprecation():
        program = torch.jit.trace(model, example) if method == "trace" else torch.jit.script(model)
        torch.jit.save(torch.jit.freeze(program) if freeze else program, buffer)
    _write(path, buffer)


def load_torchscript(path):
    """Load a file of `save_torchscript`."""
    with _no_deprecation(), _readable(path, "TorchScript file") as data:
        return _array_function(torch.jit.load(_intact(data), map_location="cpu"))


def save_exported(model, path, *, example):
    """Save a model as an exported program, for any number of rows; `load_exported(path)` loads it.

    `example` is a Tensor (n_rows, ...) to export with; it is not kept in the file.
    """
    program, buffer = _export(model, example), io.BytesIO()
    program._example_inputs = None  # it may be somebody's data
    torch.export.save(program, buffer)
    _write(path, buffer)


def load_exported(path):
    """Load a file of `save_exported`.

    PyTorch warns: "torch.export.load() uses pickle under the hood to load models. **Never load
    data from an untrusted source.**" So load only your own, and give ONNX to others.
    """
    with _readable(path, "torch.export file") as data, warnings.catch_warnings():
        # PyTorch 2.11 says this of its own buffer; nothing writes to it
        warnings.filterwarnings("ignore", "The given buffer is not writable", UserWarning)
        return _array_function(torch.export.load(_intact(data)).module())


def save_onnx(model, path, *, example):
    """Save a model as ONNX, for any number of rows; `load_onnx(path)` loads it.

    `example` is a Tensor (n_rows, ...) to export with. Needs onnx and onnxscript.
    """
    _write(path, io.BytesIO(to_onnx(model, example).SerializeToString()))


def load_onnx(path):
    """Load an ONNX file with one input, to run in ONNX Runtime."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()  # a fair comparison
    with _readable(path, "ONNX file") as data:
        session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda X: session.run(None, {name: np.asarray(X)})[0]


def find_compiler():
    """The path of the C++ compiler that `save_compiled` needs, or None."""
    return shutil.which(os.environ.get("CXX", "g++")) or shutil.which("clang++")


def save_compiled(model, path, *, example):
    """Compile a model to a package of machine code; `load_compiled(path)` loads it.

    The code is for this kind of CPU and any number of rows. `example` is a Tensor (n_rows, ...)
    to compile with. Without a C++ compiler it raises a RuntimeError.
    """
    if find_compiler() is None:
        raise RuntimeError(
            "an ahead-of-time package needs a C++ compiler, and there is none: install g++ or clang"
        )
    # where CUDA's tools are and a GPU is not, its import warns
    logging.getLogger("torch.utils.cpp_extension").setLevel(logging.ERROR)
    quickly = {
        "aot_inductor.compile_wrapper_opt_level": "O0",
        "aot_inductor.precompile_headers": False,
    }
    with tempfile.TemporaryDirectory() as folder, _no_deprecation():
        package = torch._inductor.aoti_compile_and_package(
            _export(model, example),
            package_path=str(Path(folder) / "model.pt2"),
            inductor_configs=quickly,
        )
        _write(path, io.BytesIO(Path(package).read_bytes()))


def load_compiled(path):
    """Load a file of `save_compiled`, which is machine code: load only your own."""
    with _readable(path, "ahead-of-time package") as data:
        _intact(data)
        return _array_function(torch._inductor.aoti_load_package(str(path)))


def check_parity(reference, candidate, inputs, *, atol=1e-5):
    """Prove that two models give the same outputs at each batch size from 1 to 64.

    Parameters
    ----------
    reference, candidate : callable or torch.nn.Module
        From inputs to outputs (n_rows, n_outputs), as arrays or tensors.
    inputs : array or Tensor (n_rows, ...)
        Successive batches go through all rows, and start again at the end.
    atol : float
        The largest difference allowed. NaN equals NaN.

    Returns
    -------
    float
        The worst difference.

    Raises
    ------
    AssertionError
        At the first batch with a larger difference; it names row, output and both values.

    Examples
    --------
    >>> X = torch.arange(6.0).reshape(3, 2)
    >>> check_parity(lambda x: 2 * x, lambda x: x + x, X)
    0.0
    >>> check_parity(lambda x: 2 * x, lambda x: x.clamp(max=4) * 2, X)
    Traceback (most recent call last):
        ...
    AssertionError: batch size 2, row 2, output 1: 10 expected, got 8, at most 1e-05 away allowed
    """
    if len(inputs) == 0:
        raise ValueError("inputs have no rows: nothing would be compared")
    reference, candidate = _array_function(reference), _array_function(candidate)
    worst, start = 0.0, 0
    for size in range(1, 65):
        rows = (start + np.arange(size)) % len(inputs)
        start += size
        expected, found = reference(inputs[rows]), candidate(inputs[rows])
        if expected.shape != found.shape:
            raise AssertionError(
                f"batch size {size}: shape {expected.shape} expected, got {found.shape}"
            )
        close = np.isclose(found, expected, rtol=0, atol=atol, equal_nan=True)
        if not close.all():
            row, *output = np.argwhere(~close)[0]
            raise AssertionError(
                f"batch size {size}, row {rows[row]}, output {', '.join(map(str, output)) or 0}: "
                f"{expected[row, *output]:.6g} expected, got {found[row, *output]:.6g}, "
                f"at most {atol} away allowed"
            )
        finite = np.isfinite(expected)
        worst = max(worst, np.abs(found[finite] - expected[finite]).max(initial=0))
    return float(worst)


def to_onnx(model, example):
    """A model as an `onnx.ModelProto`, for any number of rows."""
    with _no_deprecation():
        program = torch.onnx.export(
            _export(model, example),
            dynamo=True,
            opset_version=20,
            verbose=False,
            optimize=False,  # what the optimizer folds depends on the version of onnxscript
        )
    return program.model_proto


def copy_for_export(model):
    """A copy in evaluation mode, so that the caller's keeps its mode, device and gradients."""
    return copy.deepcopy(model).cpu().eval().requires_grad_(False)


def _export(model, example):
    if len(example) < 2:
        # https://docs.pytorch.org/docs/stable/export.html: sizes 0 and 1 are made constants
        example = torch.cat([example, example])
    shapes = ({0: torch.export.Dim("batch")},)
    program = torch.export.export(copy_for_export(model), (example,), dynamic_shapes=shapes)
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)  # it names folders of this machine
    return program


def _array_function(call):
    """The same function from an array or tensor to an ndarray, without gradients."""

    def call_with_array(X):
        with torch.no_grad():
            output = call(torch.from_numpy(X) if isinstance(X, np.ndarray) else X)
        return np.asarray(output)

    return call_with_array


def _write(path, buffer):
    atomic_write(path, lambda file: file.write(buffer.getvalue()))


@contextmanager
def _readable(path, kind):
    """Say in one line which file could not be loaded, whatever the loader raises."""
    data = Path(path).read_bytes()
    try:
        yield data
    except ImportError:
        raise
    except Exception as error:
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        raise ValueError(f"{path} is no {kind} or is damaged ({reason}); save it again") from error


def _intact(data):
    """The zip's bytes as a file, after comparing the checksums, which PyTorch does not."""
    if damaged := zipfile.ZipFile(io.BytesIO(data)).testzip():
        raise ValueError(f"wrong checksum of {damaged}")
    return io.BytesIO(data)


@contextmanager
def _no_deprecation():
    with warnings.catch_warnings():
        for category in (FutureWarning, DeprecationWarning):
            # PyTorch 2.11 says the one about LeafSpec of itself
            warnings.filterwarnings("ignore", r".*torch\.jit|.*LeafSpec", category)
        yield
