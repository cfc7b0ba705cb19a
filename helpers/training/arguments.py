"""What `helpers.training` checks before it starts: every fault found at the door, in words.

Each message says what was expected, what came and the likely fix.
"""

from numbers import Integral

import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.utils.data import TensorDataset


def to_tensor(data, name):
    """A float32 tensor of floats or an int64 tensor of integers, all of them finite."""
    columns = None
    if isinstance(data, torch.Tensor):
        tensor = data.detach()
    elif hasattr(data, "toarray"):
        raise TypeError(
            f"expected dense {name}, got a sparse {type(data).__name__}: pass {name}.toarray(), or give "
            "OneHotEncoder sparse_output=False and ColumnTransformer sparse_threshold=0."
        )
    else:
        if isinstance(data, pd.DataFrame):
            columns = data.columns
        tensor = torch.from_numpy(_to_array(data, name))
    tensor = tensor.float() if tensor.is_floating_point() else tensor.long()
    if tensor.ndim == 0 or len(tensor) == 0:
        raise ValueError(f"expected {name} with at least one row, got shape {tuple(tensor.shape)}")
    bad = ~torch.isfinite(tensor)
    if bad.any():
        row, *place = bad.nonzero()[0].tolist()
        if columns is not None:
            place = [columns[place[0]]]
        where = f"row {row}" + (f", column {place[0]!r}" if place else "")
        raise ValueError(
            f"expected finite numbers in {name}, got NaN or infinity (as float32) in "
            f"{int(bad.sum())} places, the first in {where}. Fill gaps with SimpleImputer, or drop "
            "these rows from X and y alike."
        )
    return tensor


def _to_array(data, name):
    """A NumPy array of numbers that nobody else holds."""
    encode = {
        "X": "encode them, for example with OneHotEncoder in a ColumnTransformer.",
        "y": "number the classes from 0, for example with LabelEncoder.",
    }[name]
    if isinstance(data, pd.DataFrame):
        text = [
            f"{column!r} ({dtype})"
            for column, dtype in data.dtypes.items()
            if not pd.api.types.is_numeric_dtype(dtype)
        ]
        if text:
            raise TypeError(f"expected numbers in {name}, got columns {', '.join(text)}: {encode}")
    array = np.array(data, order="C")
    if isinstance(data, pd.DataFrame) and array.dtype == object:  # numbers of mixed kinds
        array = data.to_numpy(dtype=float, na_value=np.nan, copy=True)
    if array.dtype.kind not in "biuf":  # boolean, integer, unsigned, float
        raise TypeError(f"expected numbers in {name}, got values of dtype {array.dtype}: {encode}")
    return array


def check_at_least_one(name, value):
    if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
        raise ValueError(f"expected {name} to be an integer of at least 1, got {value!r}")


def check_optimizer(model, optimizer, scheduler):
    held = {id(p) for group in optimizer.param_groups for p in group["params"]}
    advice = "Make the optimizer from the model that you train, after any change of its layers."
    if not held <= {id(p) for p in model.parameters()}:
        raise ValueError(
            f"expected an optimizer of this model's parameters, got one of another model's. {advice}"
        )
    if not held & {id(p) for p in model.parameters() if p.requires_grad}:
        raise ValueError(
            "expected an optimizer of trainable parameters, but all that it holds have "
            f"requires_grad=False. {advice}"
        )
    if scheduler is not None and scheduler.optimizer is not optimizer:
        raise ValueError(
            "expected a scheduler of this optimizer, got one of another. Make the scheduler anew "
            "whenever you make the optimizer anew."
        )


def check_validation(valid_loader, metrics, scheduler, patience):
    plateau = isinstance(scheduler, torch.optim.lr_scheduler.ReduceLROnPlateau)
    if patience is not None:
        check_at_least_one("patience", patience)
    for name, given in {
        "patience": patience,
        "metrics": metrics,
        "ReduceLROnPlateau": plateau or None,
    }.items():
        if given is not None and valid_loader is None:
            raise ValueError(
                f"{name} needs a validation loss: expected a valid_loader, got None. Make one of rows "
                "that are neither in the training nor in the test set."
            )


def check_batch(batch, name):
    if batch is None:
        raise ValueError(f"expected at least one batch in {name}, got an empty loader")
    if not isinstance(batch, (tuple, list)) or len(batch) != 2:
        raise ValueError(
            f"expected batches (X, y) from {name}, got {type(batch).__name__} of length "
            f"{len(batch)}. Did you call make_loader without y?"
        )


def check_loss(loss_fn, output):
    if getattr(loss_fn, "reduction", "mean") != "mean":
        raise ValueError(f"expected a loss with reduction='mean', got {loss_fn.reduction!r}")
    if isinstance(loss_fn, nn.CrossEntropyLoss) and (output >= 0).all():
        sums = output.float().sum(dim=1)
        if torch.allclose(sums, torch.ones_like(sums), atol=1e-3):
            raise ValueError(
                "expected logits for CrossEntropyLoss, got probabilities: every row sums to 1. Leave out "
                "the model's last softmax; the loss has one inside."
            )


def check_targets(y, output, loader, name):
    shapes = f"targets {tuple(y.shape)} and outputs {tuple(output.shape)} in {name}"
    if y.is_floating_point():
        if y.shape != output.shape:
            raise ValueError(
                f"expected float targets of the output's shape, got {shapes}: a loss would compare every "
                "target with every output. For values, give the last layer an output for each "
                "column of y; for classes, make y integers: y.astype(int)."
            )
        return
    n_classes = output.shape[1] if output.ndim > 1 else 1
    if n_classes == 1:
        raise ValueError(
            f"expected an output for each class, got {shapes}. If y are values, or labels for "
            "BCEWithLogitsLoss, make them floats: y.astype('float32')."
        )
    if y.shape != output.shape[:1] + output.shape[2:]:
        raise ValueError(
            f"expected one label a sample, got {shapes}: pass y.ravel() or y.argmax(axis=1)"
        )
    labels = loader.dataset.tensors[1] if isinstance(loader.dataset, TensorDataset) else y
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= n_classes:
        raise ValueError(
            f"expected labels from 0 to {n_classes - 1} for {n_classes} outputs, got labels from {low} to "
            f"{high} in {name}. Number them from 0 with LabelEncoder, or give the last layer an "
            "output for each class."
        )


def check_finite(losses, what, lr):
    bad = ~torch.isfinite(losses)
    if bad.any():
        batch = int(bad.nonzero()[0]) + 1
        raise FloatingPointError(
            f"{what} became {losses[bad][0].item()} in batch {batch} of {len(losses)}, at learning "
            f"rate {lr:g}. Usual causes: the learning rate is too large (try a tenth), features "
            "are not scaled, or the model or loss divides by zero or takes log(0)."
        )
