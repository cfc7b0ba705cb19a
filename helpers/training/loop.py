"""The training loop of the lessons, written once: fit, evaluate, predict.

It does what the loop that you write by hand in lesson 5 does, after checking what it is given. It
does not choose a model, a loss or an optimizer for you, trains on one device, and knows only
batches `(X, y)` and models that return one tensor.
"""

import copy
from contextlib import contextmanager, nullcontext

import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from tqdm.auto import tqdm

from helpers.training import arguments, checkpoints
from helpers.training.loaders import make_loader


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
    progress=False,
):
    """Train a model, and record how it went.

    Batches go to the model's device. On CUDA, and only there, the forward pass runs in mixed
    precision (float16, with a scaled loss) and images are laid out channels last. Every module
    comes back in its mode; one in evaluation mode within a model in training mode keeps it.

    Parameters
    ----------
    model : torch.nn.Module
        Returns one tensor: logits or values (batch, n_outputs), or logits (batch, n_classes, ...).
    train_loader, valid_loader : torch.utils.data.DataLoader
        Yield `(X, y)`, see `make_loader`.
    loss_fn : callable
        `loss_fn(output, y)` gives the mean over the batch, as `nn.CrossEntropyLoss()` does.
    optimizer, scheduler : torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler or None
        The scheduler is stepped after every epoch, ReduceLROnPlateau with the validation loss.
    epochs : int
        Passes over the training data, those in `checkpoint` included.
    metrics : dict of str to callable or None
        Such as `{"accuracy": accuracy_score}`, see `evaluate`.
    patience : int or None
        Stop after so many epochs without a lower validation loss. In the end the model gets the
        weights of its best epoch, whether it was stopped or not.
    max_grad_norm : float or None
        Scale the gradients down where the norm of all of them together is larger.
    checkpoint : path or None
        A file to save the run to after every epoch. If it is there, the same call goes on from
        it, on the CPU to the very weights that it would have without the break.
    progress : bool
        Whether to show a bar, which goes away at the end, and a line about early stopping.

    Returns
    -------
    pandas.DataFrame
        A row for each epoch, from 1, those before Ctrl-C included. `train_loss` is the mean of the
        batches' losses, weighted by rows, while the weights change; `lr` the learning rate of the
        first parameter group; `valid_loss` and `valid_<metric>` what `evaluate` gives afterwards.

    Raises
    ------
    TypeError, ValueError, FloatingPointError, torch.OutOfMemoryError
        If the arguments do not fit together (then nothing is changed), if the loss becomes NaN or
        infinite, if the GPU has too little memory. Each says what to try.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> loader = make_loader(*load_iris(return_X_y=True), shuffle=True)
    >>> model = nn.Linear(4, 3)
    >>> optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    >>> history = fit(model, loader, loss_fn=nn.CrossEntropyLoss(), optimizer=optimizer, epochs=20)
    >>> history.columns.to_list(), bool(history.train_loss[20] < history.train_loss[1])
    (['train_loss', 'lr'], True)
    """
    plateau = isinstance(scheduler, torch.optim.lr_scheduler.ReduceLROnPlateau)
    arguments.check_objects(model=model, loss_fn=loss_fn, optimizer=optimizer)
    arguments.check_at_least_one("epochs", epochs)
    arguments.check_at_least_one("patience", 1 if patience is None else patience)
    needing = {"patience": patience, "metrics": metrics, "ReduceLROnPlateau": plateau or None}
    arguments.check_validation(valid_loader, **needing)
    arguments.check_optimizer(model, optimizer, scheduler)
    loaders = [train_loader] if valid_loader is None else [train_loader, valid_loader]
    for loader, name in zip(loaders, ("train_loader", "valid_loader"), strict=False):
        _try_first_batch(model, loader, loss_fn, name)

    on_gpu = _device(model).type == "cuda"
    model.to(memory_format=torch.channels_last if on_gpu else torch.preserve_format)
    scaler = torch.amp.GradScaler("cuda", enabled=on_gpu)
    parts = {"model": model, "optimizer": optimizer, "scheduler": scheduler, "scaler": scaler}
    plan = checkpoints.describe_run(parts, loaders, metrics, patience)
    history, best_weights = checkpoints.begin_or_resume(checkpoint, plan, parts, loaders)
    bar = tqdm(total=epochs, initial=len(history), unit="epoch", leave=False, disable=not progress)
    try:
        with bar, temporary_mode(model, training=True):
            while len(history) < min(epochs, _best_epoch(history) + (patience or epochs)):
                epoch, lr = len(history) + 1, optimizer.param_groups[0]["lr"]
                losses, rows = _train_epoch(parts, train_loader, loss_fn, max_grad_norm)
                arguments.check_finite(losses, f"training loss in epoch {epoch}", lr)
                row = {"train_loss": float(np.average(losses, weights=rows)), "lr": lr}
                if valid_loader is not None:
                    scores = evaluate(model, valid_loader, loss_fn=loss_fn, metrics=metrics)
                    row |= {f"valid_{name}": score for name, score in scores.items()}
                    loss = torch.tensor([row["valid_loss"]])
                    arguments.check_finite(loss, f"validation loss after epoch {epoch}", lr)
                history.append(row)
                if patience is not None and _best_epoch(history) == epoch:
                    best_weights = copy.deepcopy(model.state_dict())
                if scheduler is not None:
                    scheduler.step(*([row["valid_loss"]] if plateau else []))
                checkpoints.save(checkpoint, plan, parts, loaders, history, best_weights)
                bar.set_postfix({name: f"{x:.3g}" for name, x in row.items()}, refresh=False)
                bar.update()
    except KeyboardInterrupt:
        print(f"Interrupted in epoch {len(history) + 1} of {epochs}: this is the history so far.")
    if best_weights is not None:
        model.load_state_dict(best_weights)
        if progress:
            print("The model has the weights of the epoch with the lowest valid_loss.")
    return pd.DataFrame(history, index=pd.RangeIndex(1, len(history) + 1, name="epoch"))


def evaluate(model, loader, *, loss_fn, metrics=None):
    """Measure a model in evaluation mode: loss and metrics, each once on all rows together.

    Neither depends on the batches, not even where the loss weighs classes or ignores rows.

    Parameters
    ----------
    model, loader, loss_fn
        As `fit` takes them.
    metrics : dict of str to callable or None
        Functions `metric(y_true, y_pred)` of scikit-learn's kind. For integer targets, `y_pred`
        are the classes with the largest outputs, and both are flat and without what the loss
        ignores; for `BCEWithLogitsLoss` 1 where the logit is above 0; otherwise the outputs.

    Returns
    -------
    dict of str to float
        `"loss"`, and each metric under its name.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.metrics import accuracy_score
    >>> model = nn.Sequential(nn.Linear(4, 3), nn.Threshold(torch.inf, 0))  # gives zeros
    >>> loader, metrics = make_loader(*load_iris(return_X_y=True)), {"accuracy": accuracy_score}
    >>> scores = evaluate(model, loader, loss_fn=nn.CrossEntropyLoss(), metrics=metrics)
    >>> {name: round(score, 3) for name, score in scores.items()}
    {'loss': 1.099, 'accuracy': 0.333}
    """
    arguments.check_objects(model=model, loss_fn=loss_fn)
    arguments.check_loader(loader, "loader")
    with memory_advice(), temporary_mode(model, training=False), torch.no_grad():
        batches = []
        for batch in loader:
            arguments.check_batch(batch, "loader")
            batches.append((forward(model, batch[0]), batch[1]))
        output, y = _join(batches)
        arguments.check_targets(y, output, loss_fn, "loader")
        arguments.check_loss(loss_fn, output)
        scores = {"loss": float(loss_fn(output, y.to(output.device)))}
    y, y_pred = y.cpu(), output.cpu()
    if isinstance(loss_fn, nn.BCEWithLogitsLoss):
        y_pred = (y_pred > 0).long()
    elif not y.is_floating_point():
        known = y != getattr(loss_fn, "ignore_index", -100)
        y, y_pred = y[known], y_pred.argmax(dim=1)[known]
    y, y_pred = y.numpy(), y_pred.numpy()
    return scores | {name: float(metric(y, y_pred)) for name, metric in (metrics or {}).items()}


def predict(model, X, *, batch_size=1024):
    """Compute a model's outputs for all rows, in evaluation mode and in their order.

    Parameters
    ----------
    model : torch.nn.Module
        Returns one tensor, with a row for each row of its input.
    X : ndarray, DataFrame or Tensor (n_samples, ...), or DataLoader
        Features as `make_loader` takes them, or a loader that does not shuffle.
    batch_size : int
        Rows computed at a time, unless `X` is a loader.

    Returns
    -------
    ndarray (n_samples, ...)
        Outputs as the model gives them: logits, if it was trained on logits.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> predict(nn.Linear(4, 3), X).shape
    (150, 3)
    """
    arguments.check_objects(model=model)
    loader = X if isinstance(X, DataLoader) else make_loader(X, batch_size=batch_size)
    arguments.check_order(loader)
    outputs = []
    with memory_advice(), temporary_mode(model, training=False), torch.no_grad():
        for batch in loader:
            X = batch[0] if isinstance(batch, (tuple, list)) else batch
            outputs.append((forward(model, X).cpu(),))
    return _join(outputs)[0].numpy()


@contextmanager
def memory_advice():
    """Say what to lower when a GPU has too little memory for what happens inside."""
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


def forward(model, X):
    """The model's output for a batch, computed on the model's device."""
    device = _device(model)
    images = {"memory_format": torch.channels_last} if device.type == "cuda" and X.ndim == 4 else {}
    try:
        output = model(X.to(device, **images))
    except RuntimeError as error:
        error.add_note(f"X: {tuple(X.shape)}, {X.dtype}. For a single sample pass X[:1], not X[0].")
        raise
    arguments.check_output(output, X)
    return output


def _train_epoch(parts, loader, loss_fn, max_grad_norm):
    """Train on every batch once; the loss and the rows of each.

    The scaler keeps small float16 gradients from vanishing, and does nothing off CUDA:
    https://docs.pytorch.org/docs/stable/notes/amp_examples.html
    """
    model, optimizer, scaler = parts["model"], parts["optimizer"], parts["scaler"]
    device, losses, rows = _device(model), [], []
    with memory_advice():
        for X, y in loader:
            with torch.autocast("cuda", torch.float16) if scaler.is_enabled() else nullcontext():
                loss = loss_fn(forward(model, X), y.to(device))
            optimizer.zero_grad()
            scaler.scale(loss).backward()
            if max_grad_norm is not None:
                scaler.unscale_(optimizer)  # true gradients, before they are clipped
                nn.utils.clip_grad_norm_(model.parameters(), max_grad_norm)
            scaler.step(optimizer)
            scaler.update()
            losses.append(loss.detach())  # .item() here would make a GPU wait in every batch
            rows.append(len(y))
    arguments.check_any(losses, "train_loader")
    return torch.stack(losses).cpu().double(), rows


def _try_first_batch(model, loader, loss_fn, name):
    """Compare a batch with the model's output, and leave no trace in model or random state."""
    arguments.check_loader(loader, name)
    with memory_advice(), checkpoints.preserve_rng_state(loader), torch.no_grad():
        batch = next(iter(loader), None)
        arguments.check_any(batch is not None, name)
        arguments.check_batch(batch, name)
        with temporary_mode(model, training=False):
            output = forward(model, batch[0])
        labels = loader.dataset.tensors[1] if isinstance(loader.dataset, TensorDataset) else None
        arguments.check_targets(batch[1], output, loss_fn, name, labels)
        arguments.check_loss(loss_fn, output)
        if name == "train_loader":
            with temporary_mode(model, training=True):
                arguments.check_single_rows(model, batch[0].to(_device(model)), loader)


def _join(batches):
    """A tensor of each part of the batches, such as outputs and targets."""
    arguments.check_any(batches, "loader")
    return [torch.cat(parts) for parts in zip(*batches, strict=True)]


def _best_epoch(history):
    losses = [row.get("valid_loss", 0.0) for row in history]
    return losses.index(min(losses)) + 1 if losses else 0


def _device(model):
    return next(model.parameters(), torch.empty(0)).device
