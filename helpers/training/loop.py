"""The training loop of the lessons, written once: make a loader, fit, evaluate, predict.

It does what the loop that you write by hand in lesson 5 does, and adds what every longer run
needs: checks at the door, early stopping, and a checkpoint to go on from. It does not choose a
model, a loss or an optimizer for you, trains on one device, and knows only batches `(X, y)`.
The checks stand in `training_checks`, saving and going on in `checkpoints`.
"""

import copy
from contextlib import contextmanager, nullcontext
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, sampler
from tqdm.auto import tqdm

from helpers.training.arguments import (
    check_at_least_one,
    check_batch,
    check_finite,
    check_loss,
    check_optimizer,
    check_targets,
    check_validation,
    to_tensor,
)
from helpers.training.checkpoints import (
    describe_run,
    load_checkpoint,
    preserve_rng_state,
    save_checkpoint,
)


def make_loader(X, y=None, *, batch_size=64, shuffle=False, seed=0):
    """Turn arrays, tables or tensors into a DataLoader that yields batches `(X, y)`.

    Parameters
    ----------
    X : ndarray, DataFrame or Tensor (n_samples, ...)
        Features. They become float32, except tensors of integers, which become int64 (codes
        for an embedding).
    y : ndarray, Series, DataFrame or Tensor (n_samples, ...) or None
        Targets. Integers and booleans are class labels and become int64. Floats become
        float32, and a single column (n_samples,) becomes (n_samples, 1), the shape of a
        network's output. Without `y` the batches are `(X,)`.
    batch_size : int
        Rows in a batch; the last one has what is left over.
    shuffle : bool
        Whether to draw a new order in every epoch: yes for training, no for the rest.
    seed : int
        Fixes that order. The loader has its own `generator`, so nothing else changes it.

    Returns
    -------
    torch.utils.data.DataLoader
        It takes a whole batch from the tensors at once, where PyTorch's default takes one row
        after another and then stacks them: https://docs.pytorch.org/docs/stable/data.html,
        "Disable automatic batching".

    Raises
    ------
    TypeError
        If `X` or `y` is sparse or holds anything but numbers.
    ValueError
        If they are empty, differ in length, or have NaN or infinity; if `batch_size` is
        below 1.

    Examples
    --------
    >>> loader = make_loader(np.zeros((5, 3)), np.array([0, 1, 0, 1, 1]), batch_size=2)
    >>> [tuple(X.shape) for X, y in loader]
    [(2, 3), (2, 3), (1, 3)]
    """
    check_at_least_one("batch_size", batch_size)
    features = to_tensor(X, "X")
    if not isinstance(X, torch.Tensor):
        features = features.float()
    tensors = [features]
    if y is not None:
        targets = to_tensor(y, "y")
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
        collate_fn=_as_it_is,
        generator=generator,
    )


def fit(
    model,
    train_loader,
    valid_loader=None,
    *,
    loss_fn,
    optimizer,
    epochs,
    metrics=None,
    scheduler=None,
    patience=None,
    max_grad_norm=None,
    checkpoint=None,
    progress=True,
):
    """Train a model, and record how it went.

    Batches go to the device of the model's parameters. On CUDA, and only there, the forward
    pass runs in mixed precision (float16, with a scaled loss) and images are laid out
    channels last. The model comes back in the mode, training or evaluation, in which it came;
    a part of it that you put in evaluation mode, such as a frozen batch norm, stays so.

    Parameters
    ----------
    model : torch.nn.Module
        Returns logits or values, (batch, n_outputs).
    train_loader, valid_loader : torch.utils.data.DataLoader
        Yield `(X, y)`, see `make_loader`.
    loss_fn : callable
        `loss_fn(output, y)` gives the mean over the batch.
    optimizer : torch.optim.Optimizer
        Made with this model's parameters.
    epochs : int
        Passes over the training data, those in `checkpoint` included.
    metrics : dict of str to callable or None
        Such as `{"accuracy": accuracy_score}`, see `evaluate`; needs `valid_loader`.
    scheduler : torch.optim.lr_scheduler.LRScheduler or None
        Stepped after every epoch; ReduceLROnPlateau is given the validation loss.
    patience : int or None
        Stop after so many epochs without a lower validation loss. In the end the model gets
        the weights of its best epoch, whether it was stopped or not; a line says so.
    max_grad_norm : float or None
        Scale the gradients down where the norm of all of them together is larger.
    checkpoint : path or None
        A file to save the run to after every epoch. If it is there, the run goes on from it:
        on the CPU to the very weights that it would have without the break. Call again with
        the same arguments; a run that is finished only returns its history.
    progress : bool
        Whether to show a bar, which goes away at the end, and the line about early stopping.

    Returns
    -------
    pandas.DataFrame
        A row an epoch, from 1. `train_loss` is the mean over all samples, taken while the
        weights change and in training mode; `lr` the learning rate of the first parameter
        group; with a `valid_loader` also `valid_loss` and `valid_<metric>`, taken after the
        epoch. Ctrl-C ends the training and returns the whole epochs so far.

    Raises
    ------
    FloatingPointError
        If the loss becomes NaN or infinite.
    torch.OutOfMemoryError
        If the GPU's memory is too small; says what to lower.
    ValueError
        If the data, model, loss, optimizer, scheduler or checkpoint do not fit together. The
        model, the loaders' order and the checkpoint are then as they were before.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> model = nn.Linear(4, 3)
    >>> history = fit(
    ...     model,
    ...     make_loader(X, y, shuffle=True),
    ...     loss_fn=nn.CrossEntropyLoss(),
    ...     optimizer=torch.optim.Adam(model.parameters(), lr=0.05),
    ...     epochs=20,
    ...     progress=False,
    ... )
    >>> history.columns.to_list()
    ['train_loss', 'lr']
    >>> bool(history.train_loss.iloc[-1] < history.train_loss.iloc[0])
    True
    """
    check_at_least_one("epochs", epochs)
    check_optimizer(model, optimizer, scheduler)
    check_validation(valid_loader, metrics, scheduler, patience)
    loaders = [train_loader] if valid_loader is None else [train_loader, valid_loader]
    for name, loader in zip(("train_loader", "valid_loader"), loaders, strict=False):
        _check_first_batch(model, loader, name, loss_fn)

    device = _device(model)
    if device.type == "cuda":
        model.to(memory_format=torch.channels_last)
    scaler = torch.amp.GradScaler("cuda", enabled=device.type == "cuda")
    parts = {"model": model, "optimizer": optimizer, "scheduler": scheduler, "scaler": scaler}
    plan = describe_run(parts, loaders, metrics, patience)
    history, best_weights = [], None
    if checkpoint is not None and Path(checkpoint).exists():
        history, best_weights = load_checkpoint(checkpoint, plan, parts, loaders)
    elif checkpoint is not None:  # epoch 0, to find out now if the path cannot be written
        save_checkpoint(checkpoint, plan, parts, loaders, history, best_weights)

    bar = tqdm(total=epochs, initial=len(history), unit="epoch", leave=False, disable=not progress)
    try:
        with bar, temporary_mode(model, training=True):
            while len(history) < epochs and not _out_of_patience(history, patience):
                epoch = len(history) + 1
                lr = optimizer.param_groups[0]["lr"]
                with memory_advice():
                    losses, sizes = _train_epoch(
                        model, train_loader, loss_fn, optimizer, scaler, max_grad_norm
                    )
                check_finite(losses, f"training loss in epoch {epoch}", lr)
                row = {"train_loss": _mean(losses, sizes), "lr": lr}
                if valid_loader is not None:
                    scores = evaluate(model, valid_loader, loss_fn=loss_fn, metrics=metrics)
                    row |= {f"valid_{name}": score for name, score in scores.items()}
                    loss = torch.tensor([row["valid_loss"]])
                    check_finite(loss, f"validation loss after epoch {epoch}", lr)
                history.append(row)
                if patience is not None and _epochs_since_best(history) == 0:
                    best_weights = copy.deepcopy(model.state_dict())
                _step(scheduler, row)
                if checkpoint is not None:
                    save_checkpoint(checkpoint, plan, parts, loaders, history, best_weights)
                bar.set_postfix({name: f"{x:.3g}" for name, x in row.items()}, refresh=False)
                bar.update()
    except KeyboardInterrupt:
        print(f"Interrupted in epoch {len(history) + 1} of {epochs}: this is the history so far.")
    if best_weights is not None:
        model.load_state_dict(best_weights)
        if progress:
            print(
                "Early stopping: the model has the weights of the epoch with the lowest valid_loss."
            )
    return pd.DataFrame(history, index=pd.RangeIndex(1, len(history) + 1, name="epoch"))


def evaluate(model, loader, *, loss_fn, metrics=None):
    """Measure a model on all batches of a loader, in evaluation mode.

    Parameters
    ----------
    model : torch.nn.Module
    loader : torch.utils.data.DataLoader
        Yields `(X, y)`, see `make_loader`.
    loss_fn : callable
        `loss_fn(output, y)` gives the mean over the batch.
    metrics : dict of str to callable or None
        Functions `metric(y_true, y_pred)` of scikit-learn's kind, called once on all samples.
        `y_pred` are classes if the targets are integers (the largest output) or the loss is
        `BCEWithLogitsLoss` (1 where the logit is above 0); otherwise the outputs themselves.

    Returns
    -------
    dict of str to float
        `"loss"`, the mean over all samples, and each metric under its name.

    Examples
    --------
    >>> from sklearn.metrics import r2_score
    >>> loader = make_loader(np.eye(3), np.array([1.0, 2.0, 3.0]), batch_size=2)
    >>> model = nn.Linear(3, 1, bias=False)
    >>> _ = nn.init.zeros_(model.weight)
    >>> scores = evaluate(model, loader, loss_fn=nn.MSELoss(), metrics={"r2": r2_score})
    >>> {name: round(score, 3) for name, score in scores.items()}
    {'loss': 4.667, 'r2': -6.0}
    """
    device = _device(model)
    losses, sizes, y_true, y_pred = [], [], [], []
    with memory_advice(), temporary_mode(model, training=False), torch.no_grad():
        for X, y in loader:
            y = y.to(device)
            output = model(_to_device(X, device))
            losses.append(loss_fn(output, y))
            sizes.append(len(y))
            if metrics:
                y_true.append(y)
                y_pred.append(_prediction(output, y, loss_fn))
    scores = {"loss": _mean(torch.stack(losses), sizes)}
    if metrics:
        y_true, y_pred = torch.cat(y_true).cpu().numpy(), torch.cat(y_pred).cpu().numpy()
        scores |= {name: float(metric(y_true, y_pred)) for name, metric in metrics.items()}
    return scores


def predict(model, X, *, batch_size=1024):
    """Compute a model's outputs for all rows, in evaluation mode and in their order.

    Parameters
    ----------
    model : torch.nn.Module
    X : ndarray, DataFrame or Tensor (n_samples, ...), or DataLoader
        Features as `make_loader` takes them, or a loader that does not shuffle.
    batch_size : int
        Rows computed at a time, unless `X` is a loader.

    Returns
    -------
    ndarray (n_samples, n_outputs)
        Outputs as the model gives them: logits, if it was trained on logits.

    Raises
    ------
    ValueError
        If the loader shuffles.

    Examples
    --------
    >>> predict(nn.Flatten(), np.arange(6.0).reshape(3, 1, 2), batch_size=2)
    array([[0., 1.],
           [2., 3.],
           [4., 5.]], dtype=float32)
    """
    loader = X if isinstance(X, DataLoader) else make_loader(X, batch_size=batch_size)
    random_order = (
        sampler.RandomSampler,
        sampler.SubsetRandomSampler,
        sampler.WeightedRandomSampler,
    )
    if isinstance(loader.sampler, random_order) or getattr(loader.sampler, "shuffle", False):
        raise ValueError(
            "expected a loader that keeps the order, got one that shuffles: its predictions would "
            "not belong to your rows. Make one with shuffle=False, or pass X itself."
        )
    device = _device(model)
    with memory_advice(), temporary_mode(model, training=False), torch.no_grad():
        batches = (batch[0] if isinstance(batch, (tuple, list)) else batch for batch in loader)
        return torch.cat([model(_to_device(X, device)).cpu() for X in batches]).numpy()


@contextmanager
def memory_advice():
    """Say what to lower when a GPU has too little memory for what happens inside.

    Raises
    ------
    torch.OutOfMemoryError
        In place of PyTorch's own, whose first sentence it quotes.
    """
    try:
        yield
    except torch.OutOfMemoryError as error:
        reason = str(error).partition(". ")[0]
        raise torch.OutOfMemoryError(
            f"the GPU has too little memory for this ({reason}). Lower batch_size, or the size of "
            "the images (SIZE in lesson 8); restart the kernel to free what earlier cells still hold."
        ) from None


@contextmanager
def temporary_mode(model, *, training):
    """Set the model to training or evaluation mode, and every part of it back afterwards."""
    before = [(module, module.training) for module in model.modules()]
    if not training or not model.training:
        model.train(training)
    try:
        yield
    finally:
        for module, was_training in before:
            module.training = was_training


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
        if self.shuffle:
            rows = torch.randperm(self.n_rows, generator=self.generator)
        else:
            rows = torch.arange(self.n_rows)
        return iter(rows.split(self.batch_size))


def _as_it_is(batch):
    return batch


def _train_epoch(model, loader, loss_fn, optimizer, scaler, max_grad_norm):
    """Train on every batch once; the loss of each, on the model's device, and its size.

    The scaler keeps small float16 gradients from vanishing, and does nothing off CUDA:
    https://docs.pytorch.org/docs/stable/notes/amp_examples.html
    """
    device = _device(model)
    losses, sizes = [], []
    for X, y in loader:
        X, y = _to_device(X, device), y.to(device)
        with torch.autocast("cuda", torch.float16) if scaler.is_enabled() else nullcontext():
            loss = loss_fn(model(X), y)
        optimizer.zero_grad()
        scaler.scale(loss).backward()
        if max_grad_norm is not None:
            scaler.unscale_(optimizer)
            nn.utils.clip_grad_norm_(model.parameters(), max_grad_norm)
        scaler.step(optimizer)
        scaler.update()
        losses.append(loss.detach())  # .item() here would make a GPU wait in every batch
        sizes.append(len(y))
    return torch.stack(losses), sizes


def _mean(losses, sizes):
    """Mean over samples of a loss that was averaged in batches of different sizes."""
    return float(np.average(losses.cpu().double(), weights=sizes))


def _prediction(output, y, loss_fn):
    if isinstance(loss_fn, nn.BCEWithLogitsLoss):
        return (output > 0).long()
    return output if y.is_floating_point() else output.argmax(dim=1)


def _step(scheduler, row):
    if isinstance(scheduler, torch.optim.lr_scheduler.ReduceLROnPlateau):
        scheduler.step(row["valid_loss"])
    elif scheduler is not None:
        scheduler.step()


def _epochs_since_best(history):
    losses = [row["valid_loss"] for row in history]
    return len(losses) - 1 - losses.index(min(losses))


def _out_of_patience(history, patience):
    return patience is not None and bool(history) and _epochs_since_best(history) >= patience


def _device(model):
    return next(model.parameters(), torch.empty(0)).device


def _to_device(X, device):
    if device.type == "cuda" and X.ndim == 4:
        return X.to(device, memory_format=torch.channels_last)
    return X.to(device)


def _check_first_batch(model, loader, name, loss_fn):
    """Compare a batch with the model's output, and leave no trace in model or random state."""
    with (
        memory_advice(),
        preserve_rng_state(loader),
        temporary_mode(model, training=False),
        torch.no_grad(),
    ):
        batch = next(iter(loader), None)
        check_batch(batch, name)
        output = model(_to_device(batch[0], _device(model)))
    check_targets(batch[1], output, loader, name)
    check_loss(loss_fn, output)
