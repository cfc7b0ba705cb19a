"""Training a PyTorch model: a loader, the loop, predictions, and checkpoints to go on from."""

from helpers.training.loaders import make_loader
from helpers.training.loop import evaluate, fit, predict

__all__ = ["evaluate", "fit", "make_loader", "predict"]
