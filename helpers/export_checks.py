"""Examine a model file before PyTorch loads it, so that loading cannot run code.

`torch.export.load` hands expressions to Python's `eval`, looks up any function below `torch`,
and unpickles: see torch/_export/serde/serialize.py. What a computation does not need is refused.
"""

import io
import json
import re
import zipfile

import torch

_TARGET = re.compile(
    r"torch\.ops\.aten\.(?!(?:save|from_file)\b)\w+\.\w+|_operator\.(?:getitem|add|sub|mul|floordiv|eq|ge|gt|le|lt)"
)
_EXPRESSION = re.compile(
    r"(?:Symbol\('[su]\d+'(?:, (?:positive|integer|nonnegative)=True)*\)|Integer\(-?\d+\)"
    r"|Mul|Add|Max|Min|FloorDiv|[su]\d+|[-+*(), ]|\d+)+"
)
_PROGRAM_FILE = re.compile(
    r"[^/]+/(?:data/weights/(?:weight_\d+|model_weights_config\.json)"
    r"|data/constants/(?:tensor_\d+|model_constants_config\.json)|data/sample_inputs/model\.pt"
    r"|models/model\.json|archive_format|archive_version|\.data/version|\.data/serialization_id|byteorder)"
)


def checked_zip(data, *, most_bytes=2**32):
    """Compare every checksum; PyTorch's own loaders do not."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > most_bytes:
            raise ValueError("its contents are too large")
        if damaged := archive.testzip():
            raise ValueError(f"wrong checksum of {damaged}")
    return data


def check_exported(data):
    """Refuse an exported program that could do more than compute."""
    with zipfile.ZipFile(io.BytesIO(checked_zip(data))) as archive:
        for name in archive.namelist():
            if not _PROGRAM_FILE.fullmatch(name):
                raise ValueError(f"it holds {name!r}, which does not belong there")
            content = archive.read(name)
            if name.endswith("config.json"):
                for entry in json.loads(content)["config"].values():
                    if entry["use_pickle"] is not False:
                        raise ValueError("it holds a pickle")
            elif name.endswith("model.pt") and content:
                torch.load(io.BytesIO(content), weights_only=True)
            elif name.endswith("model.json"):
                _check_program(json.loads(content))


def _check_program(part, key=None):
    """Walk through the description of the graph."""
    if isinstance(part, dict):
        for name, value in part.items():
            _check_program(value, name)
    elif isinstance(part, list):
        if key == "guards_code" and part:
            raise ValueError("it holds Python code")
        for value in part:
            _check_program(value, key)
    elif isinstance(part, str):
        if key == "target" and not _TARGET.fullmatch(part):
            raise ValueError(f"it calls {part!r}")
        if key == "expr_str" and not _EXPRESSION.fullmatch(part):
            raise ValueError(f"it holds the expression {part!r}")
        if key in ("in_spec", "out_spec"):
            _check_tree(json.loads(part)[1])


def _check_tree(spec):
    """Inputs and outputs are tensors in tuples, lists and dicts, and no other class."""
    if spec["type"] not in (None, "builtins.tuple", "builtins.list", "builtins.dict"):
        raise ValueError(f"its inputs or outputs hold a {spec['type']!r}")
    for child in spec["children_spec"]:
        _check_tree(child)
