"""What a table model is made of: what a preprocessor has learned, as a module, and rows as arrays.

`export.save_table_model` and `export.predict_rows` put it together.
"""

import numpy as np
import pandas as pd
import torch
from torch import nn


class TableNetwork(nn.Module):
    """A preprocessor's learned numbers and a network, as one module.

    It takes `numbers`, float64 (n_samples, n_numbers) with NaN for what is missing, and `codes`,
    int64 (n_samples, n_categories), from 1 for known values, 0 for all others. It gives
    probabilities, float32 (n_samples, n_classes). Made by `save_table_model`.
    """

    def __init__(self, blocks, model):
        super().__init__()
        self.kinds = [(kind, first, last) for kind, first, last, _ in blocks]
        for index, (*_, learned) in enumerate(blocks):
            for name, values in learned.items():
                self.register_buffer(f"{name}_{index}", torch.tensor(values, dtype=torch.float64))
        self.model = model

    def forward(self, numbers, codes):
        parts = []
        for index, (kind, first, last) in enumerate(self.kinds):
            if kind == "numbers":
                values = numbers[:, first:last]
                values = torch.where(
                    values.isnan(), getattr(self, f"fill_{index}").expand_as(values), values
                )
                values = (values - getattr(self, f"mean_{index}")) / getattr(self, f"scale_{index}")
            elif kind == "one_hot":
                known = getattr(self, f"known_{index}")
                values = (codes[:, first:last] == known).double()
            else:  # what an unknown value is, then the number of each known one
                values = getattr(self, f"number_{index}")[codes[:, first:last]]
            parts.append(values)
        logits = self.model(torch.cat(parts, dim=1).float())
        return torch.softmax(logits, dim=1)


def read_preprocessor(transformer):
    """What a fitted ColumnTransformer has learned, as blocks in the order of its output columns.

    https://scikit-learn.org/stable/modules/generated/sklearn.compose.ColumnTransformer.html
    """
    numbers, categories, missing, blocks = [], {}, {}, []
    for name, step, columns in transformer.transformers_:
        if isinstance(step, str) and step == "drop":
            continue
        columns = [columns] if isinstance(columns, str) else [str(column) for column in columns]
        steps = [part for _, part in step.steps] if hasattr(step, "steps") else [step]
        kinds = [type(part).__name__ for part in steps]
        imputer = steps.pop(0) if kinds[0] == "SimpleImputer" else None
        if imputer is not None and (
            imputer.add_indicator or len(imputer.statistics_) != len(columns)
        ):
            raise ValueError(
                f"{name!r}: SimpleImputer with add_indicator, which cannot be exported"
            )
        fills = None if imputer is None else imputer.statistics_
        last = steps[0] if len(steps) == 1 else None
        if type(last).__name__ == "StandardScaler":
            first = len(numbers)
            numbers += columns
            blocks.append(_number_block(last, fills, first, len(numbers)))
        elif type(last).__name__ in ("OneHotEncoder", "OrdinalEncoder"):
            for i, column in enumerate(columns):
                fill = None if fills is None else fills[i]
                block, known, code = _category_block(last, i, fill, len(categories), column)
                blocks.append(block)
                categories[column], missing[column] = known, code
        else:
            raise ValueError(
                f"{name!r} has the steps {kinds}, expected an optional SimpleImputer, then one of "
                "StandardScaler, OneHotEncoder and OrdinalEncoder"
            )
    return blocks, {"schema": {"numbers": numbers, "categories": categories}, "missing": missing}


def _number_block(scaler, fills, first, last):
    ones = np.ones(last - first)
    learned = {
        "fill": (np.nan * ones if fills is None else np.asarray(fills, dtype=float)).tolist(),
        "mean": (0 * ones if scaler.mean_ is None else scaler.mean_).tolist(),
        "scale": (ones if scaler.scale_ is None else scaler.scale_).tolist(),
    }
    return "numbers", first, last, learned


def _category_block(encoder, i, fill, column, name):
    """The block of one category column, its known values, and the code of a missing one."""
    one_hot = type(encoder).__name__ == "OneHotEncoder"
    if one_hot and (
        encoder.drop is not None
        or encoder.handle_unknown != "ignore"
        or getattr(encoder, "infrequent_categories_", None) is not None
    ):
        raise ValueError(
            f"{name!r}: expected OneHotEncoder(handle_unknown='ignore') without drop, "
            "min_frequency and max_categories"
        )
    if not one_hot and encoder.handle_unknown != "use_encoded_value":
        raise ValueError(f"{name!r}: expected handle_unknown='use_encoded_value' of OrdinalEncoder")
    all_known = encoder.categories_[i].tolist()
    known = [value for value in all_known if not is_missing(value)]
    code_of = {value: code for code, value in enumerate(known, start=1)}
    seen_missing = len(known) < len(all_known)  # the encoder has a category for missing values
    code = len(known) + 1 if seen_missing else 0
    if fill is not None:
        code = code_of.get(fill, 0)
    if one_hot:
        learned = {"known": list(range(1, len(all_known) + 1))}
        return ("one_hot", column, column + 1, learned), known, code
    numbers = [float(encoder.unknown_value), *map(float, range(len(known)))]
    if seen_missing:
        numbers.append(float(encoder.encoded_missing_value))
    return ("ordinal", column, column + 1, {"number": numbers}), known, code


def check_columns(needed, there, where):
    absent = [name for name in needed if name not in there]
    if absent:
        raise ValueError(f"{where} has no {', '.join(map(repr, absent))}")


def is_missing(value):
    return value is None or value is pd.NA or (isinstance(value, float) and value != value)


def as_numbers(values, name):
    for index, value in enumerate(values):
        if not is_missing(value) and (
            isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.number))
        ):
            raise ValueError(
                f"row {index}, {name!r}: expected a number, got {type(value).__name__} {value!r:.40}"
            )
    try:
        numbers = np.array([np.nan if is_missing(x) else x for x in values], dtype=np.float64)
    except OverflowError:  # an int that is too large for a float
        numbers = np.array([np.inf])
    if np.isinf(numbers).any():
        raise ValueError(f"{name!r}: expected finite numbers, got an infinite one")
    return numbers


def code_category(value, code_of, missing, name, index):
    if is_missing(value):
        return missing
    if not isinstance(value, (str, int, float, np.generic)):
        raise ValueError(
            f"row {index}, {name!r}: expected a text, got {type(value).__name__} {value!r:.40}"
        )
    return code_of.get(value, 0)
