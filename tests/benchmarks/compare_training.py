"""How long an epoch takes with `fit` and with others, as ratios to a bare loop.

    python tests/benchmarks/compare_training.py
    python tests/benchmarks/compare_training.py --sizes 20000x64 --only fit skorch --rounds 3

Every contestant trains the same network (20-64-3, Adam) on the same rows, in a process of its
own: importing some of them slows everything else in the process. The processes take turns, so
that a busy moment of the machine meets all alike; the ratio is the median over the rounds.
Memory is the process's peak, imports included.
"""

import argparse
import importlib.util
import json
import statistics
import subprocess
import sys
import time

VALID_SHARE = 4  # a validation row for so many training rows
SIZES = [  # rows x batch size
    *("20000x16", "20000x64", "20000x256", "20000x1024", "20000x4096"),
    *("2000x64", "100000x64", "500000x64"),
]


def bare(data, batch_size, epochs, valid):
    """The least that a loop can do: batches sliced beforehand, nothing shuffled."""
    import torch
    from sklearn.metrics import accuracy_score

    X, y, X_valid, y_valid = (torch.from_numpy(part) for part in data)
    batches = list(zip(X.split(batch_size), y.split(batch_size), strict=True))
    valid_batches = list(zip(X_valid.split(batch_size), y_valid.split(batch_size), strict=True))

    def run():
        model, loss_fn, optimizer = make_network()
        for _ in range(epochs):
            model.train()
            for X, y in batches:
                loss = loss_fn(model(X), y)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            if valid:
                model.eval()
                total, classes = 0, []
                with torch.no_grad():
                    for X, y in valid_batches:
                        output = model(X)
                        total += loss_fn(output, y) * len(y)
                        classes.append(output.argmax(dim=1))
                float(total), accuracy_score(y_valid.numpy(), torch.cat(classes).numpy())

    return run


def fit(data, batch_size, epochs, valid):
    from sklearn.metrics import accuracy_score

    from helpers import fit, make_loader

    X, y, X_valid, y_valid = data
    loaders = [make_loader(X, y, batch_size=batch_size, shuffle=True)]
    if valid:
        loaders.append(make_loader(X_valid, y_valid, batch_size=batch_size))

    def run():
        model, loss_fn, optimizer = make_network()
        fit(
            model,
            *loaders,
            loss_fn=loss_fn,
            optimizer=optimizer,
            epochs=epochs,
            metrics={"accuracy": accuracy_score} if valid else None,
        )

    return run


def dataloader(data, batch_size, epochs, valid):
    """The loop that tutorials show: PyTorch's default loader, a number read in every batch."""
    import torch
    from torch.utils.data import DataLoader, TensorDataset

    X, y, X_valid, y_valid = (torch.from_numpy(part) for part in data)
    loader = DataLoader(TensorDataset(X, y), batch_size=batch_size, shuffle=True)
    valid_loader = DataLoader(TensorDataset(X_valid, y_valid), batch_size=batch_size)

    def run():
        model, loss_fn, optimizer = make_network()
        for _ in range(epochs):
            model.train()
            total = correct = 0
            for X, y in loader:
                loss = loss_fn(model(X), y)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                total += loss.item() * len(y)
            if valid:
                model.eval()
                with torch.no_grad():
                    for X, y in valid_loader:
                        output = model(X)
                        total += loss_fn(output, y).item() * len(y)
                        correct += (output.argmax(dim=1) == y).sum().item()

    return run


def mlpclassifier(data, batch_size, epochs, valid):
    import warnings

    import numpy as np
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    warnings.simplefilter("ignore", ConvergenceWarning)
    X, y, X_valid, y_valid = data
    if valid:  # it splits off its own validation rows
        X, y = np.concatenate([X, X_valid]), np.concatenate([y, y_valid])

    def run():
        MLPClassifier(
            hidden_layer_sizes=64,
            batch_size=batch_size,
            max_iter=epochs,
            n_iter_no_change=epochs + 1,
            early_stopping=valid,
            validation_fraction=1 / (VALID_SHARE + 1),
        ).fit(X, y)

    return run


def skorch(data, batch_size, epochs, valid):
    import torch
    from skorch import NeuralNetClassifier
    from skorch.dataset import Dataset
    from skorch.helper import predefined_split

    X, y, X_valid, y_valid = data

    def run():
        model, loss_fn, _ = make_network()
        NeuralNetClassifier(
            model,
            criterion=loss_fn,
            optimizer=torch.optim.Adam,
            lr=0.001,
            batch_size=batch_size,
            max_epochs=epochs,
            iterator_train__shuffle=True,
            train_split=predefined_split(Dataset(X_valid, y_valid)) if valid else None,
            verbose=0,
        ).fit(X, y)

    return run


def lightning(data, batch_size, epochs, valid):
    import logging

    import lightning as L
    import torch
    from torch.utils.data import DataLoader, TensorDataset

    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    X, y, X_valid, y_valid = (torch.from_numpy(part) for part in data)
    loader = DataLoader(TensorDataset(X, y), batch_size=batch_size, shuffle=True)
    valid_loader = DataLoader(TensorDataset(X_valid, y_valid), batch_size=batch_size)

    class Module(L.LightningModule):
        def __init__(self):
            super().__init__()
            self.model, self.loss_fn, self.optimizer = make_network()

        def training_step(self, batch):
            return self.loss_fn(self.model(batch[0]), batch[1])

        def validation_step(self, batch):
            output = self.model(batch[0])
            self.log("valid_loss", self.loss_fn(output, batch[1]))
            self.log("valid_accuracy", (output.argmax(dim=1) == batch[1]).float().mean())

        def configure_optimizers(self):
            return self.optimizer

    def run():
        trainer = L.Trainer(
            max_epochs=epochs,
            accelerator="cpu",
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            num_sanity_val_steps=0,
        )
        trainer.fit(Module(), loader, valid_loader if valid else None)

    return run


CONTESTANTS = {
    function.__name__: function
    for function in (bare, fit, dataloader, mlpclassifier, skorch, lightning)
}


def make_network():
    import torch
    from torch import nn

    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 3))
    return model, nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters())


def make_data(rows):
    import numpy as np

    rng = np.random.default_rng(0)
    X = rng.normal(size=(rows + rows // VALID_SHARE, 20)).astype("float32")
    y = (X[:, :3] + rng.normal(size=(len(X), 3))).argmax(axis=1)
    return X[:rows], y[:rows], X[rows:], y[rows:]


def peak_memory():
    """Largest memory of this process so far, in MiB."""
    if sys.platform == "win32":
        import psutil

        return psutil.Process().memory_info().peak_wset / 2**20
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def work(name, rows, batch_size, epochs, valid):
    """Be a contestant: a run for every line on stdin, answered by its seconds and the memory."""
    run = CONTESTANTS[name](make_data(rows), batch_size, epochs, valid)
    run()  # imports and warm-up
    print("ready", flush=True)
    for _ in sys.stdin:
        begun = time.perf_counter()
        run()
        print(json.dumps([time.perf_counter() - begun, peak_memory()]), flush=True)


def compare(names, rows, batch_size, valid, rounds):
    """Median ratio to the bare loop and peak memory of each, and the bare loop's seconds."""
    epochs = max(1, 40_000 // rows)
    processes = {}
    for name in names:
        settings = json.dumps([name, rows, batch_size, epochs, valid])
        processes[name] = subprocess.Popen(
            [sys.executable, __file__, "--work", settings],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        if processes[name].stdout.readline().strip() != "ready":
            raise RuntimeError(f"{name} did not start")
    measured = {name: [] for name in names}
    for _ in range(rounds):
        for name, process in processes.items():
            process.stdin.write("run\n")
            process.stdin.flush()
            measured[name].append(json.loads(process.stdout.readline()))
    for process in processes.values():
        process.communicate()
    results = {}
    for name, runs in measured.items():
        ratios = [run[0] / base[0] for run, base in zip(runs, measured["bare"], strict=True)]
        results[name] = statistics.median(ratios), runs[-1][1]
    return results, statistics.median(run[0] for run in measured["bare"]) / epochs


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", nargs="+", default=SIZES, help="such as 20000x64")
    parser.add_argument("--only", nargs="+", choices=list(CONTESTANTS), default=list(CONTESTANTS))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--work", type=json.loads, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work:
        return work(*arguments.work)

    names = ["bare", *(name for name in arguments.only if name != "bare")]
    if "lightning" in names and not importlib.util.find_spec("lightning"):
        names.remove("lightning")
        print("lightning is not installed and left out; to compare it: pip install lightning\n")
    print("Time of an epoch as a ratio to the bare loop's, and peak memory in MiB")
    print(f"{'rows':>8} {'batch':>6} {'valid':>6} {'bare, s':>8}", end="")
    print("".join(f"{name:>20}" for name in names))
    for size in arguments.sizes:
        rows, batch_size = (int(number) for number in size.split("x"))
        for valid in (False, True):
            results, seconds = compare(names, rows, batch_size, valid, arguments.rounds)
            print(f"{rows:8} {batch_size:6} {'yes' if valid else 'no':>6} {seconds:8.3f}", end="")
            print(
                "".join(f"{ratio:12.2f} {memory:7.0f}" for ratio, memory in results.values()),
                flush=True,
            )


if __name__ == "__main__":
    main()
