"""Models in every format: equal to the original, and whole on disk."""

import copy
import os
import warnings

import numpy as np
import pytest
import torch
from torch import nn

from helpers import export
from helpers.export import (
    check_parity,
    load_exported,
    load_onnx,
    load_torchscript,
    save_exported,
    save_onnx,
    save_torchscript,
)

FORMATS = {
    "trace": (save_torchscript, load_torchscript, {}),
    "script": (save_torchscript, load_torchscript, {"method": "script"}),
    "frozen": (save_torchscript, load_torchscript, {"method": "script", "freeze": True}),
    "exported": (save_exported, load_exported, {}),
    "onnx": (save_onnx, load_onnx, {}),
}


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Dropout(0.5), nn.Linear(16, 3))


@pytest.fixture(scope="module")
def saved(model, tmp_path_factory):
    """The bytes of each format."""
    folder, files = tmp_path_factory.mktemp("formats"), {}
    for name, (save, _, options) in FORMATS.items():
        save(model, folder / name, example=torch.zeros(1, 6), **options)
        files[name] = (folder / name).read_bytes()
    return files


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_the_same_outputs(name, model, saved, tmp_path):
    (tmp_path / "model").write_bytes(saved[name])
    call = FORMATS[name][1](tmp_path / "model")
    X = torch.from_numpy(np.random.default_rng(0).normal(size=(100, 6)).astype("float32"))
    assert check_parity(copy.deepcopy(model).eval(), call, X) <= 1e-5
    assert call(X.numpy()).shape == (100, 3) and isinstance(call(X), np.ndarray)
    assert call(X[:0]).shape == (0, 3)


@pytest.mark.parametrize("name", FORMATS)
def test_saving_leaves_the_model_and_the_folder_as_they_were(name, model, tmp_path):
    save, _, options = FORMATS[name]
    if name == "onnx":
        pytest.importorskip("onnxscript")
    with warnings.catch_warnings():
        warnings.simplefilter("error", FutureWarning)
        save(model, tmp_path / "model", example=torch.zeros(2, 6), **options)
    assert model.training and all(p.requires_grad for p in model.parameters())
    assert names_in(tmp_path) == ["model"]


@pytest.mark.parametrize(
    ("name", "damage"),
    [(name, damage) for name in FORMATS for damage in ("cut", "empty", "text", "bits")
     if (name, damage) != ("onnx", "bits")],  # an ONNX file holds no checksum
)  # fmt: skip
def test_a_damaged_file_is_refused_in_one_line(name, damage, saved, tmp_path):
    data = saved[name]
    torch.manual_seed(0)
    at = data.rindex(nn.Linear(6, 16).weight.detach().numpy().tobytes()[:64])
    damaged = {
        "cut": data[: len(data) // 2],
        "empty": b"",
        "text": b"this is no model",
        "bits": data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :],
    }[damage]
    path = tmp_path / "model"
    path.write_bytes(damaged)
    with pytest.raises(ValueError, match="is damaged") as caught:
        FORMATS[name][1](path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_that_is_not_there_is_named(name, tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        FORMATS[name][1](tmp_path / "nowhere")


def test_a_failed_write_leaves_the_old_file(model, tmp_path, monkeypatch):
    path = tmp_path / "model"
    path.write_bytes(b"the old one")
    monkeypatch.setattr(os, "fsync", lambda number: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        save_torchscript(model, path, example=torch.zeros(1, 6))
    assert path.read_bytes() == b"the old one" and names_in(tmp_path) == ["model"]


def test_an_unknown_method_is_refused(model, tmp_path):
    with pytest.raises(ValueError, match='\'compile\', expected "trace" or "script"'):
        save_torchscript(model, tmp_path / "model", example=torch.zeros(1, 6), method="compile")


def test_an_exported_file_names_no_folder_and_holds_no_example(model, tmp_path):
    save_exported(model, tmp_path / "model", example=torch.full((2, 6), 12345.5))
    data = (tmp_path / "model").read_bytes()
    assert b"site-packages" not in data and np.float32(12345.5).tobytes() not in data


def test_an_onnx_file_passes_the_checker_of_onnx(saved):
    onnx = pytest.importorskip("onnx")
    program = onnx.load_from_string(saved["onnx"])
    onnx.checker.check_model(program)
    assert program.graph.input[0].type.tensor_type.shape.dim[0].dim_param


def test_without_a_compiler_one_line_says_so(model, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert export.find_compiler() is None
    with pytest.raises(RuntimeError, match="needs a C\\+\\+ compiler"):
        export.save_compiled(model, tmp_path / "model.pt2", example=torch.zeros(2, 6))
    assert names_in(tmp_path) == []


def test_a_package_that_is_none_is_refused(tmp_path):
    (tmp_path / "model.pt2").write_bytes(b"no package")
    with pytest.raises(ValueError, match="ahead-of-time package"):
        export.load_compiled(tmp_path / "model.pt2")


def test_parity_finds_the_one_wrong_number():
    X = torch.arange(200.0).reshape(100, 2)

    def wrong_in_large_batches(x):
        y = 1 * x
        if len(x) == 37:
            y[x[:, 0] == 140, 1] += 3
        return y

    with pytest.raises(AssertionError, match="size 37, row 70, output 1: 141 expected, got 144"):
        check_parity(lambda x: x, wrong_in_large_batches, X)
    assert check_parity(lambda x: x, wrong_in_large_batches, X[:60]) == 0


def test_parity_at_the_edges():
    X = np.array([[1.0], [np.nan], [np.inf]])
    assert check_parity(lambda x: x, lambda x: x, X) == 0
    assert check_parity(lambda x: x, lambda x: x + 1e-6, X) == pytest.approx(1e-6)
    for change in (torch.Tensor.nan_to_num, lambda x: x.clamp(max=9), torch.neg, torch.log):
        with pytest.raises(AssertionError, match="expected, got"):
            check_parity(lambda x: x, change, X)
    with pytest.raises(AssertionError, match=r"size 1: shape \(1, 1\) expected, got \(1,\)"):
        check_parity(lambda x: x, lambda x: x[:, 0], X)
    with pytest.raises(ValueError, match="nothing would be compared"):
        check_parity(lambda x: x, lambda x: x, X[:0])
