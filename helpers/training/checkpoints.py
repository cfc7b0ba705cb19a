"""Checkpoints of `helpers.training.fit`: all that a run needs to go on as if it had never stopped.

Weights alone do not do it: the optimizer has its moments, the scheduler its step, dropout and
shuffling their random states. On the CPU a resumed run ends with the very same weights; a GPU's
random state is not saved.
"""

import zipfile
from contextlib import contextmanager
from itertools import zip_longest
from pathlib import Path

import torch

from helpers.files import atomic_write
from helpers.training.arguments import order_of

FORMAT, VERSION = "helpers.training checkpoint", 1


def describe_run(parts, loaders, metrics, patience):
    """What a checkpoint and the call that goes on from it must have in common, as text."""
    kind, groups = type(parts["optimizer"]).__name__, parts["optimizer"].param_groups
    sizes = [(len(x) if hasattr(x.dataset, "__len__") else "unknown", x) for x in loaders]
    return {
        "model": [f"{name} {tuple(x.shape)}" for name, x in parts["model"].state_dict().items()],
        "optimizer": [kind, *(f"group of {len(group['params'])} tensors" for group in groups)],
        "scheduler": [type(parts["scheduler"]).__name__],
        "loader": [f"{n} batches by {type(order_of(x)).__name__}" for n, x in sizes],
        "measure": [*(metrics or {}), "early stopping" if patience else "no early stopping"],
    }


def begin_or_resume(path, plan, parts, loaders):
    """The history and best weights so far; from a checkpoint, every part is put back as it was."""
    if path is not None and Path(path).exists():
        return _load(path, plan, parts, loaders)
    save(path, plan, parts, loaders, [], None)  # epoch 0: finds out now if it cannot be written
    return [], None


def save(path, plan, parts, loaders, history, best_weights):
    """Write all that has a state; a crash while writing leaves the file before it whole."""
    if path is None:
        return
    state = {name: part.state_dict() for name, part in parts.items() if part is not None}
    state |= {"format": FORMAT, "version": VERSION, "plan": plan, "history": history}
    state |= {
        "best_weights": best_weights,
        "random_states": [g.get_state() for g in _generators(loaders)],
    }
    atomic_write(path, lambda file: torch.save(state, file))


def _load(path, plan, parts, loaders):
    """Put everything back as it was after the last whole epoch; its history and best weights."""
    advice = "The file is left as it is: move it away, or give this run another checkpoint."
    try:
        with zipfile.ZipFile(path) as archive:  # torch.load does not look at the checksums
            damaged = archive.testzip()
        if damaged:
            raise zipfile.BadZipFile(f"wrong checksum of {damaged}")
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # what a damaged file raises depends on where the damage is
        raise ValueError(
            f"{path} is not a checkpoint or is damaged ({type(error).__name__}: {error}). {advice}"
        ) from error
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        raise ValueError(f"{path} is a PyTorch file, but fit did not write it. {advice}")
    if state["version"] != VERSION:
        raise ValueError(
            f"{path} has checkpoint version {state['version']}, this course reads version "
            f"{VERSION}: take the course's newer release, or train again. {advice}"
        )
    for what, expected in plan.items():
        for found, needed in zip_longest(state["plan"][what], expected, fillvalue="nothing"):
            if found != needed:
                raise ValueError(
                    f"{path} belongs to a run with another {what}: expected {needed}, "
                    f"got {found}. {advice}"
                )
    for name, part in parts.items():
        if part is not None and state[name]:  # off CUDA the scaler's state is empty
            part.load_state_dict(state[name])
    _set_states(loaders, state["random_states"])
    return state["history"], state["best_weights"]


@contextmanager
def preserve_rng_state(loader):
    """Draw random numbers inside, and leave no trace of it."""
    before = [generator.get_state() for generator in _generators([loader])]
    try:
        yield
    finally:
        _set_states([loader], before)


def _generators(loaders):
    """PyTorch's own random generator, which loaders without one use, and those of the loaders."""
    owners = [owner for loader in loaders for owner in (loader, order_of(loader))]
    found = [getattr(owner, "generator", None) for owner in owners]
    return [torch.default_generator, *(g for g in found if g is not None)]


def _set_states(loaders, states):
    for generator, state in zip(_generators(loaders), states, strict=True):
        generator.set_state(state)
