"""One ONNX file with preprocessing and network: raw rows in, probabilities out.

Loading and predicting need NumPy and ONNX Runtime only, so a machine that serves the file has to
install no more than that. `save_table_model` needs all the rest.
"""

import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from helpers.files import atomic_write


@dataclass(frozen=True)
class TableModel:
    """A table model as `load_table_model` gives it.

    Attributes
    ----------
    session : onnxruntime.InferenceSession
        One input per column: (n_rows, 1), text as str with "" for missing, numbers as float64
        with NaN for missing. One output, `probabilities`: float32 (n_rows, n_classes).
    schema : dict
        `{"columns": [{"name": "hours-per-week", "input": "hours_per_week", "type": "number"},
        {"name": "sex", "input": "sex", "type": "text", "categories": ["Female", "Male"]}],
        "classes": ["<=50K", ">50K"], "version": "1"}`. `input` is the column's name in the
        session. A number column that is encoded has categories as well.
    """

    session: object
    schema: dict


def save_table_model(preprocessor, model, path, *, classes, version="1", rows=None):
    """Save a fitted preprocessor and a trained network as one ONNX file that takes raw rows.

    Parameters
    ----------
    preprocessor : ColumnTransformer, Pipeline or other transformer of scikit-learn
        Fitted on a DataFrame. Its steps may be `SimpleImputer`, `OneHotEncoder`,
        `OrdinalEncoder` and `TargetEncoder` with any options, and whatever skl2onnx converts.
    model : torch.nn.Module
        From the preprocessor's output, as float32, to a logit for each class. Saved as it is in
        evaluation mode.
    path : str or Path
    classes : list
        What the outputs mean, in their order.
    version : str
        Your name for this model.
    rows : DataFrame or None
        Raw rows on which the file must agree with preprocessor and model.

    Raises
    ------
    ValueError
        If a step cannot be exported, or if file and original differ on `rows` by more than
        1e-5. Then nothing is written.

    Examples
    --------
    >>> import pathlib, tempfile, pandas, torch
    >>> from sklearn.preprocessing import OneHotEncoder
    >>> birds = pandas.DataFrame({"island": ["Biscoe", "Dream", None]})
    >>> encoder = OneHotEncoder(handle_unknown="ignore").fit(birds)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "birds.onnx")
    ...     save_table_model(encoder, torch.nn.Linear(3, 2), path, classes=["a", "b"], rows=birds)
    ...     table_model = load_table_model(path)
    >>> table_model.schema["columns"]
    [{'name': 'island', 'input': 'island', 'type': 'text', 'categories': ['Biscoe', 'Dream']}]
    >>> predict_rows(table_model, [{"island": "Dream"}, {"island": "Torgersen"}]).shape
    (2, 2)
    """
    import onnx
    import torch

    from helpers.export import copy_for_export, to_onnx
    from helpers.onnx_preprocessing import (
        add_model,
        add_preprocessor,
        describe_inputs,
        read_columns,
        start_file,
    )

    columns, file = read_columns(preprocessor), start_file()
    features, n_features = add_preprocessor(file, preprocessor, columns)
    network = torch.nn.Sequential(copy_for_export(model), torch.nn.Softmax(dim=1))
    example = torch.zeros(2, n_features)
    n_outputs = network(example).shape[1]
    if n_outputs != len(classes):
        raise ValueError(f"the model has {n_outputs} outputs for {len(classes)} classes")
    add_model(file, to_onnx(network, example), features, "probabilities")
    columns = describe_inputs(file, columns, n_outputs)
    schema = {"columns": columns, "classes": list(classes), "version": str(version)}
    onnx.helper.set_model_props(file, {"schema": json.dumps(schema)})
    onnx.checker.check_model(file, full_check=True)
    data = file.SerializeToString()
    loaded = _load(data)
    if rows is not None and len(rows):
        _compare(preprocessor, network, loaded, rows)
    atomic_write(path, lambda file: file.write(data))


def load_table_model(path):
    """Load a file of `save_table_model`, on the CPU with one thread.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    TableModel
        For `predict_rows`.

    Raises
    ------
    ValueError
        If the file is damaged or something else.
    """
    data = Path(path).read_bytes()
    try:
        return _load(data)
    except Exception as error:  # ONNX Runtime's own kinds have no base in common
        reason = str(error).partition("\n")[0]
        raise ValueError(
            f"{path} is no table model or is damaged ({reason}); save it again"
        ) from error


def predict_rows(table_model, rows):
    """Probabilities for raw rows.

    Parameters
    ----------
    table_model : TableModel
    rows : list of dict, or DataFrame
        Each with all columns of the schema; others are ignored. A missing value is None, NaN,
        `pandas.NA` or an empty text. A category that was not seen in training is allowed.

    Returns
    -------
    ndarray (n_rows, n_classes)
        Probabilities, float32, in the order of `table_model.schema["classes"]`.

    Raises
    ------
    ValueError
        If a column is absent, or a value is no text or no finite number where it should be.
    FloatingPointError
        If a row's result is not finite: a number is too large, a number is missing for which
        there is no imputer, or a category is new to an encoder with `handle_unknown="error"`.
    """
    columns = table_model.schema["columns"]
    is_table = hasattr(rows, "columns")
    for index, row in enumerate([rows.columns] if is_table else rows):
        where = "the table" if is_table else f"row {index}"
        if not is_table and not isinstance(row, dict):
            raise ValueError(f"{where} is a {type(row).__name__}, expected a dict")
        if absent := [column["name"] for column in columns if column["name"] not in row]:
            raise ValueError(f"{where} has no {', '.join(map(repr, absent))}")
    inputs = {}
    for column in columns:
        name = column["name"]
        values = rows[name].tolist() if is_table else [row[name] for row in rows]
        inputs[column["input"]] = _as_array(values, column)
    probabilities = table_model.session.run(["probabilities"], inputs)[0]
    wrong = np.flatnonzero(~np.isfinite(probabilities).all(axis=1))
    if len(wrong):
        raise FloatingPointError(
            f"row {wrong[0]}: the result is not finite; a number is too large, or a value is "
            "missing or unknown for which the preprocessor has no answer"
        )
    return probabilities


def _load(data):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # for a small network, more would only wait for each other
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    return TableModel(session, json.loads(session.get_modelmeta().custom_metadata_map["schema"]))


def _compare(preprocessor, network, loaded, rows):
    import torch

    prepared = preprocessor.transform(rows)
    prepared = prepared.toarray() if hasattr(prepared, "toarray") else np.asarray(prepared)
    with torch.no_grad():
        expected = network(torch.from_numpy(prepared.astype(np.float32))).numpy()
    found = predict_rows(loaded, rows)
    differences = np.abs(expected - found).max(axis=1)
    row = differences.argmax()
    if not differences[row] <= 1e-5:
        raise ValueError(
            f"nothing is saved: the file would differ by {differences[row]:.3g}, at most 1e-05 "
            f"is allowed: row {row}, {expected[row]} expected, got {found[row]}"
        )


def _is_missing(value):
    # pandas.NA by the name of its class: importing pandas would take longer than all the rest
    is_nan = isinstance(value, (float, np.floating)) and math.isnan(value)
    return value is None or is_nan or type(value).__name__ == "NAType"


def _as_array(values, column):
    """A column as ONNX Runtime takes it."""
    is_text = column["type"] == "text"
    kinds = str if is_text else (int, float, np.integer, np.floating)
    expected = "a text" if is_text else "a finite number"
    cleaned = []
    for index, value in enumerate(values):
        if _is_missing(value):
            cleaned.append("" if is_text else np.nan)
            continue
        try:
            right = isinstance(value, kinds) and not isinstance(value, bool)
            right = right and (value.encode() is not None if is_text else math.isfinite(value))
        except (OverflowError, UnicodeEncodeError):  # 10**400, half of a surrogate pair
            right = False
        if not right:
            raise ValueError(
                f"row {index}, {column['name']!r}: expected {expected}, "
                f"got {type(value).__name__} {value!r:.40}"
            )
        cleaned.append(value)
    return np.array(cleaned, dtype=object if is_text else np.float64).reshape(-1, 1)
