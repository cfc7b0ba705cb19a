"""Checkpoints of `helpers.training.fit`: all that a run needs to go on as if it had never stopped.

Weights alone do not do it. The optimizer has its moments, the scheduler its step, dropout and
shuffling their random states; a checkpoint holds them all. On the CPU the run then goes on to
the very same weights; a GPU's random state is not saved.
"""

import os
import zipfile
from contextlib import contextmanager
from itertools import zip_longest
from pathlib import Path

import torch

CHECKPOINT_FORMAT = "helpers.training checkpoint"
CHECKPOINT_VERSION = 1


def describe_run(parts, loaders, metrics, patience):
    """What a checkpoint and the call that goes on from it must have in common, as text."""
    model, optimizer, scheduler = parts["model"], parts["optimizer"], parts["scheduler"]
    return {
        "model": [f"{name} {tuple(x.shape)}" for name, x in model.state_dict().items()],
        "optimizer": [
            type(optimizer).__name__,
            *(f"group of {len(group['params'])} tensors" for group in optimizer.param_groups),
        ],
        "scheduler": [type(scheduler).__name__],
        "loader": [f"{len(x)} batches by {type(x.sampler).__name__}" for x in loaders],
        "measure": [*(metrics or {}), "early stopping" if patience else "no early stopping"],
    }


def save_checkpoint(path, plan, parts, loaders, history, best_weights):
    """Write a checkpoint beside the old one, then put it in its place in one step.

    Whoever reads the path, at any moment and after any crash, finds a whole file:
    https://docs.python.org/3/library/os.html#os.replace
    """
    state = {name: part.state_dict() for name, part in parts.items() if part is not None}
    state |= {
        "format": CHECKPOINT_FORMAT,
        "version": CHECKPOINT_VERSION,
        "plan": plan,
        "history": history,
        "best_weights": best_weights,
        "random_states": _random_states(loaders),
    }
    temporary = Path(f"{path}.tmp")  # always one name: killed runs leave one file behind, not many
    with temporary.open("wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def load_checkpoint(path, plan, parts, loaders):
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
    if not isinstance(state, dict) or state.get("format") != CHECKPOINT_FORMAT:
        raise ValueError(f"{path} is a PyTorch file, but fit did not write it. {advice}")
    if state["version"] != CHECKPOINT_VERSION:
        raise ValueError(
            f"{path} has checkpoint version {state['version']}, this course reads version "
            f"{CHECKPOINT_VERSION}: take the course's newer release, or train anew. {advice}"
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
    _set_random_states(state["random_states"], loaders)
    return state["history"], state["best_weights"]


@contextmanager
def preserve_rng_state(loader):
    """Draw random numbers inside, and leave no trace of it."""
    before = _random_states([loader])
    try:
        yield
    finally:
        _set_random_states(before, [loader])


def _generators(loaders):
    """The loaders' own random generators; a loader without one uses PyTorch's global one."""
    found = [
        getattr(owner, "generator", None)
        for loader in loaders
        for owner in (loader, loader.sampler)
    ]
    return [generator for generator in found if generator is not None]


def _random_states(loaders):
    return [torch.get_rng_state(), *(g.get_state() for g in _generators(loaders))]


def _set_random_states(states, loaders):
    torch.set_rng_state(states[0])
    for generator, state in zip(_generators(loaders), states[1:], strict=True):
        generator.set_state(state)
