"""Batches for a network from what scikit-learn works on: arrays, tables, tensors."""

from functools import partial

import numpy as np
import pandas as pd
import torch
from torch.utils.data import DataLoader, TensorDataset

from helpers.training.arguments import check_at_least_one


def make_loader(X, y=None, *, batch_size=64, shuffle=False, seed=0):
    """Turn arrays, tables or tensors into a DataLoader that yields batches `(X, y)`.

    Parameters
    ----------
    X : ndarray, DataFrame or Tensor (n_samples, ...)
        Features. They become float32; only a tensor of integers, such as codes for an embedding,
        becomes int64, and may be (n_samples,).
    y : ndarray, Series, DataFrame or Tensor (n_samples, ...) or None
        Targets. Integers and booleans are class labels and become int64. Floats become float32,
        and (n_samples,) becomes (n_samples, 1), a network's shape. Without `y` a batch is `(X,)`.
    batch_size : int
        Rows in a batch; the last one has what is left over.
    shuffle : bool
        Whether to draw a new order in every epoch: yes for training, no for the rest.
    seed : int
        Fixes that order. The loader has its own `generator`, so nothing else changes it.

    Returns
    -------
    torch.utils.data.DataLoader
        It takes a whole batch from the tensors at once, where PyTorch's default takes single rows
        and stacks them: https://docs.pytorch.org/docs/stable/data.html#disable-automatic-batching

    Raises
    ------
    TypeError, ValueError
        If the data are sparse, empty, a single row, of two lengths, or not all finite numbers.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> [tuple(X_batch.shape) for X_batch, y_batch in make_loader(X, y, shuffle=True)]
    [(64, 4), (64, 4), (22, 4)]
    """
    check_at_least_one("batch_size", batch_size)
    features = _to_tensor(X, "X")
    if not isinstance(X, torch.Tensor):
        features = features.float()
    if features.ndim == 1 and features.is_floating_point():
        raise ValueError(
            f"expected X with a row for each sample, got shape {tuple(features.shape)}. For a single "
            "sample pass X[:1] instead of X[0], for a single feature X.reshape(-1, 1)."
        )
    tensors = [features]
    if y is not None:
        targets = _to_tensor(y, "y")
        if targets.is_floating_point() and targets.ndim == 1:
            targets = targets.reshape(-1, 1)
        if len(targets) != len(features):
            raise ValueError(
                f"expected a target for every row, got {len(features)} rows in X and "
                f"{len(targets)} in y. train_test_split returns X_train, X_test, y_train, y_test, "
                "in this order."
            )
        tensors.append(targets)
    generator = torch.Generator().manual_seed(seed)
    return DataLoader(
        _Rows(*tensors),
        sampler=_WholeBatches(len(features), batch_size, shuffle, generator),
        batch_size=None,
        collate_fn=tuple,  # leaves a batch as it is
        generator=generator,
    )


class _Rows(TensorDataset):
    """A TensorDataset that takes many rows at once, by a tensor of their numbers."""

    def __getitem__(self, rows):
        return tuple(x.index_select(0, rows) for x in self.tensors)  # quicker than x[rows]


class _WholeBatches:
    """A DataLoader's `sampler` that yields the row numbers of a whole batch at a time."""

    def __init__(self, n_rows, batch_size, shuffle, generator):
        self.n_rows, self.batch_size = n_rows, batch_size
        self.shuffle, self.generator = shuffle, generator

    def __len__(self):
        return -(-self.n_rows // self.batch_size)  # rounded up

    def __iter__(self):
        draw = partial(torch.randperm, generator=self.generator) if self.shuffle else torch.arange
        return iter(draw(self.n_rows).split(self.batch_size))


def _to_tensor(data, name):
    """A float32 tensor of floats or an int64 tensor of integers, all of them finite."""
    if hasattr(data, "toarray"):
        raise TypeError(
            f"expected dense {name}, got a sparse {type(data).__name__}: pass {name}.toarray(), or give "
            "OneHotEncoder sparse_output=False and ColumnTransformer sparse_threshold=0."
        )
    is_tensor = isinstance(data, torch.Tensor)
    tensor = data.detach() if is_tensor else torch.from_numpy(_to_array(data, name))
    tensor = tensor.float() if tensor.is_floating_point() else tensor.long()
    if tensor.ndim == 0 or len(tensor) == 0:
        raise ValueError(f"expected {name} with at least one row, got shape {tuple(tensor.shape)}")
    bad = ~torch.isfinite(tensor)
    if bad.any():
        row, *place = bad.nonzero()[0].tolist()
        if isinstance(data, pd.DataFrame):
            place = [data.columns[place[0]]]
        where = f"row {row}" + (f", column {place[0]!r}" if place else "")
        raise ValueError(
            f"expected finite numbers in {name}, got NaN or infinity (as float32) in "
            f"{int(bad.sum())} places, the first in {where}. Fill gaps with SimpleImputer, or drop "
            "these rows from X and y alike."
        )
    return tensor


def _to_array(data, name):
    """A NumPy array of numbers that nobody else holds."""
    encode = "encode them, for example with OneHotEncoder in a ColumnTransformer."
    if name == "y":
        encode = "number the classes from 0, for example with LabelEncoder."
    if isinstance(data, pd.DataFrame):
        types = data.dtypes.items()
        text = [f"{k!r} ({kind})" for k, kind in types if not pd.api.types.is_numeric_dtype(kind)]
        if text:
            raise TypeError(f"expected numbers in {name}, got columns {', '.join(text)}: {encode}")
    array = np.array(data, order="C")
    if isinstance(data, pd.DataFrame) and array.dtype == object:  # numbers of mixed kinds
        array = data.to_numpy(dtype=float, na_value=np.nan, copy=True)
    if array.dtype.kind not in "biuf":  # boolean, integer, unsigned, float
        raise TypeError(f"expected numbers in {name}, got values of dtype {array.dtype}: {encode}")
    return array
