"""What `helpers.training` checks: each message says what was expected, what came and the fix."""

from numbers import Integral

import torch
from torch import nn
from torch.utils import data

FLOAT_LOSSES = (nn.BCEWithLogitsLoss, nn.BCELoss, nn.MSELoss, nn.L1Loss, nn.SmoothL1Loss)
RANDOM = (data.RandomSampler, data.SubsetRandomSampler, data.WeightedRandomSampler)


def check_at_least_one(name, value):
    if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
        raise ValueError(f"expected {name} to be an integer of at least 1, got {value!r}")


def check_objects(**given):
    for name, value in given.items():
        if isinstance(value, type):
            raise TypeError(f"expected an object as {name}, got the class {value.__name__}: add ()")


def check_optimizer(model, optimizer, scheduler):
    held = {id(p) for group in optimizer.param_groups for p in group["params"]}
    problem = None
    if not held <= {id(p) for p in model.parameters()}:
        problem = "this model's parameters, got one of another model's"
    elif not held & {id(p) for p in model.parameters() if p.requires_grad}:
        problem = "trainable parameters, but all that it holds have requires_grad=False"
    if problem:
        raise ValueError(
            f"expected an optimizer of {problem}. Make the optimizer from the model that you train, "
            "after any change of its layers."
        )
    if scheduler is not None and scheduler.optimizer is not optimizer:
        raise ValueError("expected a scheduler of this optimizer, got another's: make a new one")


def check_validation(valid_loader, **needing):
    for name, value in needing.items():
        if value is not None and valid_loader is None:
            raise ValueError(f"{name} needs a validation loss: expected a valid_loader, got None")


def check_loader(loader, name):
    if not isinstance(loader, data.DataLoader):
        raise TypeError(
            f"expected {name} to be a DataLoader, got {type(loader).__name__}: pass make_loader(X, y)"
        )


def order_of(loader):
    """What decides on a loader's order: a sampler of rows, or of batches in `make_loader`."""
    return getattr(loader.batch_sampler, "sampler", loader.sampler)


def check_order(loader):
    order = order_of(loader)
    if isinstance(order, RANDOM) or getattr(order, "shuffle", False):
        raise ValueError(
            "expected a loader that keeps the order, got one that shuffles: its predictions would "
            "not belong to your rows. Make one with shuffle=False, or pass X itself."
        )


def check_single_rows(model, X, loader):
    """Batch norm cannot train on one row: if a batch will have one, try it, leaving no trace."""
    batches = loader.sampler if loader.batch_sampler is None else loader.batch_sampler
    unknown = isinstance(loader.dataset, data.IterableDataset)
    if unknown or all(len(batch) != 1 for batch in batches if hasattr(batch, "__len__")):
        return
    try:
        torch.func.functional_call(model, {k: x.clone() for k, x in model.named_buffers()}, X[:1])
    except ValueError as error:
        raise ValueError(
            f"expected batches that the model can train on, got a last batch of one row ({error}). Take "
            "another batch_size, or leave one row out."
        ) from error


def check_any(batches, name):
    if not batches:
        raise ValueError(f"expected at least one batch in {name} each time, got an empty loader")


def check_batch(batch, name):
    parts = [type(part).__name__ for part in batch] if isinstance(batch, (tuple, list)) else []
    if len(parts) != 2 or not all(isinstance(part, torch.Tensor) for part in batch):
        raise ValueError(
            f"expected batches (X, y) from {name}, two tensors, got {type(batch).__name__} of "
            f"{parts}. Did you call make_loader without y? Lesson 5 shows the loop for other batches."
        )


def check_output(output, X):
    if not isinstance(output, torch.Tensor):
        raise TypeError(
            f"expected the model to return one tensor, got {type(output).__name__}. Wrap it in a module "
            "that returns what the loss needs: states, _ = self.lstm(X); return states[:, -1]"
        )
    if output.ndim == 0 or len(output) != len(X):
        raise ValueError(
            f"expected an output for each of {len(X)} rows, got shape {tuple(output.shape)} from "
            f"{tuple(X.shape)}. For a single sample pass X[:1], not X[0]."
        )


def check_loss(loss_fn, output):
    if getattr(loss_fn, "reduction", "mean") != "mean":
        raise ValueError(f"expected a loss with reduction='mean', got {loss_fn.reduction!r}")
    if isinstance(loss_fn, nn.CrossEntropyLoss) and output.ndim > 1 and (output >= 0).all():
        sums = output.float().sum(dim=1)
        if torch.allclose(sums, torch.ones_like(sums), atol=1e-3):
            raise ValueError(
                "expected logits for CrossEntropyLoss, got probabilities: every row sums to 1. Leave out "
                "the model's last softmax; the loss has one inside."
            )


def check_targets(y, output, loss_fn, name, labels=None):
    """Compare targets with outputs; `labels` are all targets of the loader, if they are at hand."""
    if mismatch := _find_mismatch(y, output, loss_fn):
        expected, fix = mismatch
        shapes = f"targets {tuple(y.shape)} and outputs {tuple(output.shape)}"
        raise ValueError(f"expected {expected}, got {shapes} in {name}: {fix}")
    if y.is_floating_point():
        return
    labels = y if labels is None else labels
    labels = labels[labels != getattr(loss_fn, "ignore_index", -100)]
    n_classes = output.shape[1]
    if len(labels) and not 0 <= labels.min() <= labels.max() < n_classes:
        raise ValueError(
            f"expected labels from 0 to {n_classes - 1} for {n_classes} outputs, got labels from "
            f"{int(labels.min())} to {int(labels.max())} in {name}. Number them from 0 with "
            "LabelEncoder, or give the last layer an output for each class."
        )


def _find_mismatch(y, output, loss_fn):
    """What shape or dtype is expected instead, and the fix; None if all is well."""
    if y.is_floating_point():
        if y.shape == output.shape:
            return None
        fix = "give both the shape (n, 1): y.reshape(-1, 1), and no squeeze in the model"
        if y.numel() != output.numel():
            fix = "a loss would compare every target with every output. For values, give the last layer "
            fix += "an output for each column of y; for classes, make y integers: y.astype(int)."
        return "float targets of the output's shape", fix
    if isinstance(loss_fn, FLOAT_LOSSES):
        fix = "these are integers: pass y.astype('float32'), or for classes take CrossEntropyLoss"
        return f"float targets for {type(loss_fn).__name__}", fix
    needed = output.shape[:1] + output.shape[2:]
    if output.ndim > 2 and y.shape == output.shape[:-1] != needed:
        move = "transpose(1, 2)" if output.ndim == 3 else "movedim(-1, 1)"
        return "the classes in dimension 1", f"let the model return output.{move}"
    if output.ndim < 2 or output.shape[1] == 1:
        fix = "for values, and for labels of BCEWithLogitsLoss, pass y.astype('float32')"
        return "an output for each class", fix
    if y.shape == output.shape and (y.sum(dim=1) != 1).any():
        fix = "for several at once take BCEWithLogitsLoss and y.astype('float32')"
        return "one label a sample", fix
    return (
        None if y.shape == needed else ("one label a sample", "pass y.ravel() or y.argmax(axis=1)")
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
