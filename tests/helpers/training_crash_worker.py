"""A training run for test_training.py to kill: `python training_crash_worker.py CHECKPOINT`."""

import sys

import numpy as np
import torch
from torch import nn

from helpers import fit, make_loader

EPOCHS = 40


def run(checkpoint=None, epochs=EPOCHS):
    """Train with everything that has a state; returns the model's weights and the history."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(150, 6))
    y = (X[:, 0] * X[:, 1] > 0).astype(int)
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Linear(6, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.3), nn.Linear(16, 2)
    )
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    history = fit(
        model,
        make_loader(X[:100], y[:100], batch_size=16, shuffle=True),
        make_loader(X[100:], y[100:], batch_size=16, shuffle=True),
        loss_fn=nn.CrossEntropyLoss(),
        optimizer=optimizer,
        scheduler=torch.optim.lr_scheduler.StepLR(optimizer, step_size=7, gamma=0.8),
        epochs=epochs,
        patience=EPOCHS,
        checkpoint=checkpoint,
    )
    return model.state_dict(), history


if __name__ == "__main__":
    torch.set_num_threads(1)
    run(epochs=1)  # imports everything, so that the kill meets the training
    print("ready", flush=True)
    run(sys.argv[1])
