"""A fitted preprocessor of scikit-learn as nodes of an ONNX file, for `save_table_model`.

skl2onnx converts the numeric steps. It takes neither text with missing values nor rare categories
nor every option of the encoders, so imputers and encoders are built here. An encoder becomes a
table with a row for each known category and one for all others; the fitted encoder fills it in.

A block is (name of a tensor, number of its columns, the raw column in it or None).
"""

import re

import numpy as np
import onnx
import onnxruntime
import pandas as pd
from onnx import TensorProto, compose, helper, numpy_helper
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import (
    OneHotEncoder,
    OrdinalEncoder,
    TargetEncoder,
)
from sklearn.utils import _safe_indexing

OPSETS = {"": 20, "ai.onnx.ml": 4}


def read_columns(preprocessor):
    """The raw columns that a preprocessor was fitted on, as dicts with `name` and `input`."""
    if not hasattr(preprocessor, "feature_names_in_"):
        raise ValueError("the preprocessor knows no column names: fit it on a DataFrame")
    columns, taken = [], {"probabilities": "the output"}
    for name in map(str, preprocessor.feature_names_in_):
        tensor = re.sub(r"\W", "_", name) or "_"
        if tensor in taken:
            raise ValueError(
                f"{name!r} and {taken[tensor]!r} would both be {tensor!r} in the file: rename one"
            )
        taken[tensor] = name
        columns.append({"name": name, "input": tensor})
    return columns


def add_preprocessor(file, preprocessor, columns):
    """Add a preprocessor's nodes; complete the columns with `type` and `categories`.

    Returns the name of a float32 tensor (n_rows, n_features), and n_features.
    """
    blocks = _add_step(file, preprocessor, [(column["input"], 1, column) for column in columns])
    features = _add(file, "Cast", _concatenate(file, blocks), to=TensorProto.FLOAT)
    return features, sum(width for _, width, _ in blocks)


def start_file():
    """An empty model, as `onnx.ModelProto`."""
    opsets = [helper.make_opsetid(*opset) for opset in OPSETS.items()]
    graph = onnx.GraphProto(name="table_model")
    return helper.make_model(graph, opset_imports=opsets, ir_version=10)


def describe_inputs(file, columns, n_classes):
    """Declare inputs and output of a complete file. Returns the columns that it uses."""
    used = {name for node in file.graph.node for name in node.input}
    columns = [column for column in columns if column["input"] in used]
    kinds = {"text": TensorProto.STRING, "number": TensorProto.DOUBLE}
    file.graph.input.extend(
        helper.make_tensor_value_info(column["input"], kinds[column["type"]], ["rows", 1])
        for column in columns
    )
    shape = ["rows", n_classes]
    file.graph.output.append(
        helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, shape)
    )
    return columns


def add_model(file, model, tensor, output):
    """Add a whole model with one input and one output."""
    part = compose.add_prefix(model, f"/{len(file.graph.node)}")
    before = helper.make_node("Identity", [tensor], [part.graph.input[0].name])
    after = helper.make_node("Identity", [part.graph.output[0].name], [output])
    file.graph.node.extend([before, *part.graph.node, after])
    file.graph.initializer.extend(part.graph.initializer)


def _add(file, operation, *inputs, domain="", **attributes):
    """Add a node; arrays among its inputs become constants. Returns the name of its output."""
    names = list(inputs)
    for index, value in enumerate(inputs):
        if isinstance(value, np.ndarray):
            names[index] = f"/constant_{len(file.graph.initializer)}"
            file.graph.initializer.append(numpy_helper.from_array(value, names[index]))
    output = f"/{operation}_{len(file.graph.node)}"
    file.graph.node.append(
        helper.make_node(operation, names, [output], domain=domain, **attributes)
    )
    return output


def _add_step(file, step, blocks):
    if not blocks or (isinstance(step, str) and step == "drop"):
        return []
    if isinstance(step, (str, type(None))) or getattr(step, "func", step) is None:
        return blocks  # "passthrough", which may be a FunctionTransformer without a function
    if isinstance(step, Pipeline):
        for _, part in step.steps:
            blocks = _add_step(file, part, blocks)
        return blocks
    if isinstance(step, (ColumnTransformer, FeatureUnion)):
        return _add_branches(file, step, _split(file, blocks))
    if isinstance(step, SimpleImputer):
        return _add_imputer(file, step, _split(file, blocks))
    if isinstance(step, (OneHotEncoder, OrdinalEncoder, TargetEncoder)):
        return _add_encoder(file, step, _split(file, blocks))
    return _add_numeric_step(file, step, blocks)


def _split(file, blocks):
    """The same columns, each in a block of its own."""
    return [
        (_add(file, "Gather", tensor, np.array([i]), axis=1), 1, None) if width > 1 else block
        for block in blocks
        for tensor, width, _ in [block]
        for i in range(width)
    ]


def _concatenate(file, blocks):
    for _, _, column in blocks:
        _set_type(column, 0.0)
    return _add(file, "Concat", *(tensor for tensor, _, _ in blocks), axis=1)


def _set_type(column, value):
    kind = "text" if isinstance(value, str) else "number"
    if column is not None and column.setdefault("type", kind) != kind:
        raise ValueError(
            f"{column['name']!r} is taken as text by one step and as numbers by another: "
            "encode a text before it goes on"
        )


def _add_branches(file, step, blocks):
    if step.transformer_weights:
        raise ValueError(f"{type(step).__name__} with transformer_weights cannot be exported")
    if isinstance(step, ColumnTransformer):
        branches = step.transformers_
    else:
        branches = [(name, part, slice(None)) for name, part in step.transformer_list]
    names = getattr(step, "feature_names_in_", range(len(blocks)))
    positions = pd.DataFrame([range(len(blocks))], columns=names)
    outputs = []
    for _, part, chosen in branches:
        taken = np.ravel(_safe_indexing(positions, chosen, axis=1))
        outputs += _add_step(file, part, [blocks[i] for i in taken])
    return outputs


def _add_imputer(file, imputer, blocks):
    outputs, masks, missing = [], [], imputer.missing_values
    for (tensor, _, column), fill in zip(blocks, imputer.statistics_, strict=True):
        text = isinstance(fill, str)
        if text or not pd.isna(missing):
            wanted = ("" if text else np.nan) if pd.isna(missing) else missing
            mask = _add(file, "Equal", tensor, _array([wanted], text))
        else:
            mask = _add(file, "IsNaN", tensor)
        masks.append(mask)
        if not pd.isna(fill):  # otherwise the column was empty, and scikit-learn leaves it out
            _set_type(column, fill)
            outputs.append((_add(file, "Where", mask, _array([fill], text), tensor), 1, column))
    for index in imputer.indicator_.features_ if imputer.add_indicator else []:
        outputs.append((_add(file, "Cast", masks[index], to=TensorProto.DOUBLE), 1, None))
    return outputs


def _array(values, text):
    return np.array(values, dtype=object if text else np.float64)


def _add_encoder(file, encoder, blocks):
    outputs = []
    for index, (tensor, _, column) in enumerate(blocks):
        categories = encoder.categories_[index].tolist()
        known = [value for value in categories if not pd.isna(value)]
        text = isinstance((known or [0])[0], str)
        _set_type(column, (known or [0])[0])
        if column is not None:
            column.setdefault("categories", known)
        keys = [("" if text else np.nan) if pd.isna(value) else value for value in categories]
        if len(categories) - len(known) > 1 or (text and "" in known):
            raise ValueError(
                f"{type(encoder).__name__}: the categories {categories!r:.80} have more than one "
                "kind of missing value (NaN, None, an empty text): make them all NaN, and fit again"
            )
        table = _encoder_table(encoder, index)
        code = _add(
            file,
            "LabelEncoder",
            tensor,
            domain="ai.onnx.ml",
            keys_tensor=numpy_helper.from_array(_array(keys, text)),
            values_tensor=numpy_helper.from_array(np.arange(len(keys))),
            default_tensor=numpy_helper.from_array(np.array([len(keys)])),
        )
        outputs.append((_add(file, "GatherND", table, code), table.shape[1], None))
    return outputs


def _encoder_table(encoder, index):
    """What an encoder makes of a column's categories, and in the last row of an unknown one."""
    known = [categories.tolist() for categories in encoder.categories_]
    names = getattr(encoder, "feature_names_in_", range(len(known)))

    def encode(values):
        rows = {
            name: pd.Series(
                values if i == index else known[i][:1] * len(values),
                dtype=object if encoder.categories_[i].dtype.kind in "OUT" else np.float64,
            )
            for i, name in enumerate(names)
        }
        encoded = encoder.transform(pd.DataFrame(rows))
        return np.asarray(encoded.toarray() if hasattr(encoded, "toarray") else encoded, float)

    kind = str if any(isinstance(value, str) for value in known[index]) else float
    unknown = next(x for x in map(kind, range(len(known[index]) + 1)) if x not in known[index])
    table = encode(known[index])
    try:
        other = encode([unknown])
    except ValueError:  # handle_unknown="error"
        other = np.full((1, table.shape[1]), np.nan)
    if isinstance(encoder, OneHotEncoder):
        rare = getattr(encoder, "infrequent_categories_", [None] * len(known))
        dropped = [None] * len(known) if encoder.drop_idx_ is None else encoder.drop_idx_
        widths = [
            len(categories) - (0 if few is None else len(few) - 1) - (drop is not None)
            for categories, few, drop in zip(known, rare, dropped, strict=True)
        ]
    else:
        widths = [table.shape[1] // len(known)] * len(known)
    start = sum(widths[:index])
    return np.vstack([table, other])[:, start : start + widths[index]]


def _add_numeric_step(file, step, blocks):
    n_inputs, tensor = sum(width for _, width, _ in blocks), _concatenate(file, blocks)
    for kind in (DoubleTensorType, FloatTensorType):  # some converters know float32 only
        try:
            model = convert_sklearn(
                step,
                initial_types=[("x", kind([None, n_inputs]))],
                target_opset={**OPSETS, "ai.onnx.ml": 3},
            )
            onnxruntime.InferenceSession(model.SerializeToString())
            if model.functions:  # KNNImputer: in float32, and nearest by float32 may be another
                raise NotImplementedError("its converter does not give plain nodes")
            break
        except Exception as error:  # skl2onnx has many kinds
            reason = str(error).strip().partition("\n")[0]
    else:
        raise ValueError(
            f"{type(step).__name__} cannot be exported ({reason:.200}): apply it to the table "
            "before the preprocessor, or take another step"
        )
    tensor = _add(file, "Cast", tensor, to=model.graph.input[0].type.tensor_type.elem_type)
    output = f"/{type(step).__name__}_{len(file.graph.node)}"
    add_model(file, model, tensor, output)
    n_outputs = model.graph.output[0].type.tensor_type.shape.dim[1].dim_value
    if not n_outputs:
        n_outputs = len(step.get_feature_names_out())
    return [(_add(file, "Cast", output, to=TensorProto.DOUBLE), n_outputs, None)]
