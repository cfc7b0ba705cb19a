"""Does the training loop do exactly what it says, and stop clearly where it cannot?"""

import copy
import inspect
import os
import pickle
import random
import shutil
import subprocess
import sys
import time
import weakref
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import training_crash_worker
from sklearn.compose import make_column_transformer
from sklearn.metrics import accuracy_score, f1_score, r2_score
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from torch import nn
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    IterableDataset,
    RandomSampler,
    TensorDataset,
    WeightedRandomSampler,
)

from helpers import training
from helpers.training import evaluate, fit, loop, make_loader, predict

pytestmark = pytest.mark.filterwarnings("error")

ROWS = 50  # with batches of 16 the last one has 2


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(ROWS, 4)).astype("float32")
    return X, rng.integers(0, 3, ROWS)


def make_model(*middle, inputs=4, hidden=8, outputs=3):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(inputs, hidden), *middle, nn.Tanh(), nn.Linear(hidden, outputs))


def quick_fit(model, *loaders, lr=0.1, epochs=2, optimizer=None, **options):
    options = {"loss_fn": nn.CrossEntropyLoss()} | options
    optimizer = optimizer or torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)
    return fit(model, *loaders, optimizer=optimizer, epochs=epochs, **options)


def weights_of(model):
    return copy.deepcopy(model.state_dict())


def equal_weights(first, second):
    return first.keys() == second.keys() and all(torch.equal(first[k], second[k]) for k in first)


def epoch_order(loader):
    return torch.cat([X[:, 0] for X, *_ in loader]).tolist()


# make_loader


def test_loader_is_a_dataloader_with_a_ragged_last_batch(data):
    loader = make_loader(*data, batch_size=16)
    assert isinstance(loader, DataLoader)
    assert len(loader) == 4
    assert len(loader.dataset) == ROWS
    assert [len(X) for X, y in loader] == [16, 16, 16, 2]
    assert torch.equal(torch.cat([X for X, y in loader]), torch.from_numpy(data[0]))
    assert torch.equal(torch.cat([y for X, y in loader]), torch.from_numpy(data[1]))
    assert [len(batch) for batch in make_loader(data[0])] == [1]


def test_seed_alone_fixes_the_order():
    X = np.arange(100.0).reshape(-1, 1)
    first, again = (make_loader(X, batch_size=7, shuffle=True, seed=1) for _ in range(2))
    torch.manual_seed(5)
    orders = [epoch_order(first), epoch_order(first)]
    torch.manual_seed(6)
    assert orders == [epoch_order(again), epoch_order(again)]
    assert orders[0] != orders[1]
    assert sorted(orders[0]) == sorted(orders[1]) == list(range(100))
    assert epoch_order(make_loader(X, shuffle=True, seed=2)) != orders[0]
    assert epoch_order(make_loader(X, shuffle=False)) == list(range(100))


def test_loader_leaves_the_global_random_state_alone(data):
    before = torch.get_rng_state()
    epoch_order(make_loader(*data, shuffle=True))
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize(
    ("given", "dtype"),
    [
        (np.ones((4, 2)), torch.float32),
        (np.ones((4, 2), dtype=np.uint8), torch.float32),
        (np.ones((4, 2), dtype=bool), torch.float32),
        (np.ones((4, 2))[::-1], torch.float32),
        (pd.DataFrame({"a": [1, 2], "b": [0.5, 1.5]}), torch.float32),
        (pd.DataFrame({"a": [1, 2], "b": [True, False]}), torch.float32),
        (pd.DataFrame({"a": pd.array([1, 2], dtype="Int64"), "b": [0.5, 1.5]}), torch.float32),
        (torch.ones(4, 2, dtype=torch.float64, requires_grad=True), torch.float32),
        (torch.ones(4, 2, dtype=torch.int64), torch.int64),
        (torch.ones(4, 2, dtype=torch.uint8), torch.int64),
    ],
)
def test_features_become_what_a_network_needs(given, dtype):
    ((X,),) = make_loader(given)
    assert X.dtype == dtype
    assert X.shape == given.shape
    assert not X.requires_grad
    expected = given.detach() if isinstance(given, torch.Tensor) else given
    assert np.array_equal(X.numpy(), np.asarray(expected, dtype=float))


@pytest.mark.parametrize(
    ("given", "dtype", "shape"),
    [
        (np.array([0, 1, 2]), torch.int64, (3,)),
        (np.array([0, 1, 2], dtype=np.int8), torch.int64, (3,)),
        (pd.Series([True, False, True]), torch.int64, (3,)),
        (pd.Series([0, 1, 2], dtype="Int64"), torch.int64, (3,)),
        (torch.tensor([0, 1, 2], dtype=torch.int32), torch.int64, (3,)),
        (np.array([0.5, 1, 2]), torch.float32, (3, 1)),
        (pd.Series([0.5, 1, 2]), torch.float32, (3, 1)),
        (torch.tensor([0.5, 1, 2], dtype=torch.float64), torch.float32, (3, 1)),
        (np.ones((3, 2)), torch.float32, (3, 2)),
        ([0, 1, 2], torch.int64, (3,)),
    ],
)
def test_targets_become_what_a_loss_needs(given, dtype, shape):
    ((_, y),) = make_loader(np.ones((3, 1)), given)
    assert y.dtype == dtype
    assert y.shape == shape
    assert np.array_equal(y.numpy().ravel(), np.asarray(given, dtype=float).ravel())


def test_loader_takes_a_column_transformer_s_output():
    frame = pd.DataFrame({"mass": [1.0, 2.0, 3.0], "sex": ["f", "m", "f"]})
    transform = make_column_transformer(
        (StandardScaler(), ["mass"]), (OneHotEncoder(), ["sex"]), sparse_threshold=0
    )
    ((X,),) = make_loader(transform.fit_transform(frame))
    assert X.shape == (3, 3)
    frame_out = transform.set_params(onehotencoder__sparse_output=False)
    ((X_again,),) = make_loader(frame_out.set_output(transform="pandas").fit_transform(frame))
    assert torch.equal(X, X_again)


def test_loader_does_not_change_with_the_caller_s_array(data):
    loader = make_loader(*data)
    before = epoch_order(loader)
    data[0][:] = 0
    assert epoch_order(loader) == before


def with_hole(value):
    X = np.ones((5, 3))
    X[2, 1] = value
    return X


BAD_DATA = {
    "lengths": ((np.ones((5, 2)), np.ones(4)), ValueError, ["5 rows in X", "4 in y", "train_test"]),
    "NaN": ((with_hole(np.nan),), ValueError, ["row 2", "column 1", "in X", "SimpleImputer"]),
    "infinity": ((with_hole(-np.inf),), ValueError, ["row 2", "column 1"]),
    "too large": ((with_hole(1e300),), ValueError, ["row 2", "float32"]),
    "NaN tensor": ((torch.tensor([[0.0], [torch.nan]]),), ValueError, ["row 1", "column 0"]),
    "NaN in a table": (
        (pd.DataFrame({"a": [1, 2], "bill": [0.5, np.nan]}),),
        ValueError,
        ["row 1", "column 'bill'"],
    ),
    "NA in a table": (
        (pd.DataFrame({"a": [1, 2], "bill": pd.array([1, None], dtype="Int64")}),),
        ValueError,
        ["row 1", "column 'bill'"],
    ),
    "NaN in y": ((np.ones((2, 2)), [1.0, np.nan]), ValueError, ["in y", "row 1"]),
    "text column": (
        (pd.DataFrame({"mass": [1.0], "sex": ["f"], "island": ["Dream"]}),),
        TypeError,
        ["'sex'", "'island'", "ColumnTransformer"],
    ),
    "category": (
        (pd.DataFrame({"sex": pd.Categorical(["f", "m"])}),),
        TypeError,
        ["'sex' (category)", "OneHotEncoder"],
    ),
    "object array": ((np.array([[1, "a"]], dtype=object),), TypeError, ["object", "in X"]),
    "text labels": ((np.ones((2, 1)), ["f", "m"]), TypeError, ["in y", "LabelEncoder"]),
    "text series": (
        (np.ones((2, 1)), pd.Series(["f", "m"])),
        TypeError,
        ["in y", "LabelEncoder"],
    ),
    "no rows": ((np.ones((0, 3)),), ValueError, ["X with at least one row", "(0, 3)"]),
}


@pytest.mark.parametrize("case", BAD_DATA)
def test_loader_says_what_is_wrong_with_the_data(case):
    arguments, error, fragments = BAD_DATA[case]
    with pytest.raises(error) as raised:
        make_loader(*arguments)
    for fragment in fragments:
        assert fragment in str(raised.value)


@pytest.mark.parametrize(
    "row", [np.ones(4), pd.Series([1.0, 2.0]), [1, 2, 3], torch.ones(4), np.ones(4, dtype=int)]
)
def test_a_single_row_is_refused(row):
    for call in (make_loader, lambda X: predict(nn.Linear(4, 2), X)):
        with pytest.raises(ValueError, match=r"row for each sample.*X\[:1\].*X\.reshape\(-1, 1\)"):
            call(row)


def test_codes_of_an_embedding_may_have_one_dimension():
    assert predict(nn.Embedding(5, 2), torch.tensor([1, 4, 0])).shape == (3, 2)


def test_loader_refuses_sparse_matrices():
    sparse = OneHotEncoder().fit_transform([["f"], ["m"]])
    with pytest.raises(TypeError, match=r"sparse csr_.*toarray\(\)"):
        make_loader(sparse)


def test_a_numpy_integer_is_a_batch_size(data):
    assert len(make_loader(*data, batch_size=np.int64(25))) == 2


@pytest.mark.parametrize("batch_size", [0, -1, 2.5, True])
def test_loader_refuses_a_batch_size_below_one(batch_size):
    with pytest.raises(ValueError, match="batch_size to be an integer of at least 1"):
        make_loader(np.ones((2, 2)), batch_size=batch_size)


# fit: the same as by hand


def test_fit_is_the_hand_written_loop_bit_for_bit(data):
    train_loader = make_loader(*data, batch_size=16, shuffle=True, seed=3)
    valid_loader = make_loader(*data, batch_size=16)
    loss_fn = nn.CrossEntropyLoss()
    model = make_model(nn.BatchNorm1d(8), nn.Dropout(0.3))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    torch.manual_seed(7)
    train_losses, valid_losses = [], []
    for _ in range(3):
        model.train()
        total = 0.0
        for X, y in train_loader:
            loss = loss_fn(model(X), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(X)
        train_losses.append(total / ROWS)
        model.eval()
        with torch.no_grad():
            outputs = torch.cat([model(X) for X, y in valid_loader])
        valid_losses.append(loss_fn(outputs, torch.from_numpy(data[1])).item())

    ours = make_model(nn.BatchNorm1d(8), nn.Dropout(0.3))
    optimizer = torch.optim.Adam(ours.parameters(), lr=0.01)
    torch.manual_seed(7)
    history = quick_fit(
        ours,
        make_loader(*data, batch_size=16, shuffle=True, seed=3),
        valid_loader,
        optimizer=optimizer,
        epochs=3,
    )
    assert equal_weights(model.state_dict(), ours.state_dict())
    assert history.train_loss.to_list() == pytest.approx(train_losses, rel=1e-12)
    assert history.valid_loss.to_list() == pytest.approx(valid_losses, rel=1e-12)


def test_history_is_a_row_an_epoch_and_holds_no_time(data):
    loader = make_loader(*data)
    history = quick_fit(make_model(), loader, loader, metrics={"accuracy": accuracy_score})
    assert history.columns.to_list() == ["train_loss", "lr", "valid_loss", "valid_accuracy"]
    assert history.index.to_list() == [1, 2]
    assert history.index.name == "epoch"
    assert set(history.dtypes) == {np.dtype(float)}
    assert quick_fit(make_model(), loader).columns.to_list() == ["train_loss", "lr"]


def test_losses_are_exact_with_a_ragged_last_batch(data):
    X, y = data
    X[48:] *= 100  # so that the last batch weighs
    model = make_model()
    with torch.no_grad():
        exact = nn.CrossEntropyLoss()(model(torch.from_numpy(X)), torch.from_numpy(y)).item()
    loader = make_loader(X, y, batch_size=16)
    history = quick_fit(model, loader, loader, lr=0.0, epochs=1)
    assert history.train_loss[1] == pytest.approx(exact, rel=1e-6)
    assert history.valid_loss[1] == pytest.approx(exact, rel=1e-6)
    scores = evaluate(model, loader, loss_fn=nn.CrossEntropyLoss())
    assert scores == {"loss": pytest.approx(exact, rel=1e-6)}


LOSSES = {
    "class weights": nn.CrossEntropyLoss(weight=torch.tensor([1.0, 9.0, 3.0])),
    "ignored labels": nn.CrossEntropyLoss(ignore_index=2),
    "smoothed labels": nn.CrossEntropyLoss(label_smoothing=0.2),
    "a function of the whole batch": lambda output, y: output.std() + output.max(),
}


@pytest.mark.parametrize("loss_fn", LOSSES.values(), ids=LOSSES)
def test_validation_loss_does_not_depend_on_the_batches(data, loss_fn):
    X, y = data
    model = make_model()
    with torch.no_grad():
        exact = loss_fn(model(torch.from_numpy(X)), torch.from_numpy(y)).item()
    for batch_size in (7, 16, ROWS):
        loader = make_loader(X, y, batch_size=batch_size)
        assert evaluate(model, loader, loss_fn=loss_fn)["loss"] == pytest.approx(exact, rel=1e-6)
        history = quick_fit(model, loader, loader, lr=0.0, loss_fn=loss_fn, epochs=1)
        assert history.valid_loss[1] == pytest.approx(exact, rel=1e-6)


def test_train_loss_is_the_batches_losses_weighted_by_rows(data):
    X, y = data
    model, loss_fn = make_model(), LOSSES["class weights"]
    loader = make_loader(X, y, batch_size=16)
    with torch.no_grad():
        losses = [loss_fn(model(X), y).item() for X, y in loader]
    expected = np.average(losses, weights=[16, 16, 16, 2])
    history = quick_fit(model, loader, lr=0.0, loss_fn=loss_fn, epochs=1)
    assert history.train_loss[1] == pytest.approx(expected, rel=1e-6)


class Tagger(nn.Module):
    """Logits for each step of a sequence, (batch, classes, steps); a tuple as nn.GRU if `raw`."""

    def __init__(self, raw=False):
        super().__init__()
        torch.manual_seed(0)
        self.gru, self.raw = nn.GRU(2, 3, batch_first=True), raw

    def forward(self, X):
        states = self.gru(X)
        return states if self.raw else states[0].transpose(1, 2)


def sequences(rows=10):
    rng = np.random.default_rng(0)
    return rng.normal(size=(rows, 5, 2)), rng.integers(0, 3, (rows, 5))


def test_sequences_with_ignored_steps_are_trained_and_measured():
    X, y = sequences()
    y[:7, 3:] = -100  # padding, which CrossEntropyLoss ignores
    model, loss_fn = Tagger(), nn.CrossEntropyLoss()
    loader = make_loader(X, y, batch_size=4)
    history = quick_fit(model, loader, loader, epochs=3)
    assert history.train_loss[3] < history.train_loss[1]
    seen = []
    scores = evaluate(
        model, loader, loss_fn=loss_fn, metrics={"n": lambda *y: seen.append(y) or len(y[0])}
    )
    output = torch.from_numpy(predict(model, X))
    known = y != -100
    assert scores["loss"] == pytest.approx(loss_fn(output, torch.from_numpy(y)).item(), rel=1e-6)
    assert scores["n"] == 10 * 5 - 7 * 2
    assert np.array_equal(seen[0][0], y[known])
    assert np.array_equal(seen[0][1], output.argmax(dim=1).numpy()[known])


def test_several_labels_a_row_are_trained_and_measured(data):
    y = np.random.default_rng(1).integers(0, 2, (ROWS, 3))
    model = make_model()
    loader = make_loader(data[0], y.astype("float32"), batch_size=16)
    loss_fn, metrics = nn.BCEWithLogitsLoss(), {"accuracy": accuracy_score}
    assert len(quick_fit(model, loader, loader, loss_fn=loss_fn, metrics=metrics)) == 2
    scores = evaluate(model, loader, loss_fn=loss_fn, metrics=metrics)
    assert scores["accuracy"] == accuracy_score(y, predict(model, data[0]) > 0)


def test_metrics_are_taken_on_all_samples_at_once(data):
    X, y = data
    model = make_model()
    classes = predict(model, X).argmax(axis=1)
    metrics = {
        "accuracy": accuracy_score,
        "f1": lambda true, pred: f1_score(true, pred, average="macro"),
    }
    scores = evaluate(
        model, make_loader(X, y, batch_size=16), loss_fn=nn.CrossEntropyLoss(), metrics=metrics
    )
    assert scores["accuracy"] == accuracy_score(y, classes)
    assert scores["f1"] == f1_score(y, classes, average="macro")
    assert all(type(score) is float for score in scores.values())


def test_metrics_get_outputs_for_values_and_classes_for_logits(data):
    X, y = data
    model = make_model(outputs=1)
    outputs = predict(model, X)
    values = X[:, :1] + 0.5
    loader = make_loader(X, values.ravel(), batch_size=16)
    scores = evaluate(model, loader, loss_fn=nn.MSELoss(), metrics={"r2": r2_score})
    assert scores["r2"] == pytest.approx(r2_score(values, outputs), rel=1e-6)
    binary = (y > 1).astype("float32")
    scores = evaluate(
        model,
        make_loader(X, binary, batch_size=16),
        loss_fn=nn.BCEWithLogitsLoss(),
        metrics={"accuracy": accuracy_score},
    )
    assert scores["accuracy"] == accuracy_score(binary, outputs > 0)


@pytest.mark.parametrize(("outputs", "loss_fn"), [(1, nn.MSELoss()), (1, nn.BCEWithLogitsLoss())])
def test_fit_trains_on_float_targets(data, outputs, loss_fn):
    X, y = data
    loader = make_loader(X, (X[:, 0] > 0).astype("float32"), batch_size=16, shuffle=True)
    history = quick_fit(make_model(outputs=outputs), loader, loss_fn=loss_fn, epochs=20)
    assert history.train_loss[20] < history.train_loss[1] / 2


def test_fit_trains_on_images_of_labels(data):
    X, y = np.zeros((4, 2, 5, 5)), np.zeros((4, 5, 5), dtype=int)
    history = quick_fit(nn.Conv2d(2, 3, 1), make_loader(X, y))
    assert len(history) == 2


class Endless(IterableDataset):
    """Rows one after another, as from a file; `once`: an iterator that is then used up."""

    def __init__(self, data, once=False):
        rows = list(zip(*map(torch.from_numpy, data), strict=True))
        self.rows = iter(rows) if once else rows

    def __iter__(self):
        return iter(self.rows)


def test_a_loader_without_length_is_as_good(data, tmp_path):
    stream, loader = DataLoader(Endless(data), batch_size=16), make_loader(*data, batch_size=16)
    options = {"metrics": {"accuracy": accuracy_score}}
    histories = [quick_fit(make_model(), each, each, **options) for each in (stream, loader)]
    pd.testing.assert_frame_equal(*histories, check_exact=True)
    options["checkpoint"] = tmp_path / "run.pt"
    quick_fit(make_model(), stream, stream, epochs=1, **options)
    resumed = quick_fit(make_model(), stream, stream, **options)
    pd.testing.assert_frame_equal(resumed, histories[0], check_exact=True)
    model = make_model()
    assert np.allclose(predict(model, stream), predict(model, data[0]), atol=1e-6)


def test_a_stream_that_ends_for_good_is_named(data):
    stream = DataLoader(Endless(data, once=True), batch_size=ROWS)
    with pytest.raises(ValueError, match="one batch in train_loader each time"):
        quick_fit(make_model(), stream)
    with pytest.raises(ValueError, match="one batch in loader each time"):
        evaluate(make_model(), stream, loss_fn=nn.CrossEntropyLoss())


# fit: modes


class Watcher(nn.Module):
    """Notes the mode and the device that it is called in."""

    def __init__(self, device="cpu"):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(4, 3, device=device))
        self.seen = []

    def forward(self, X):
        self.seen.append((self.training, X.device.type))
        return X @ self.weight


@pytest.mark.parametrize("came_in_training", [True, False])
def test_each_phase_has_its_mode_and_the_model_s_own_comes_back(data, came_in_training):
    loader = make_loader(*data, batch_size=32)
    model = Watcher().train(came_in_training)
    quick_fit(model, loader, loader, epochs=1)
    modes = [mode for mode, _ in model.seen]
    assert modes[-4:] == [True, True, False, False]
    assert True not in modes[:-4]  # the checks
    assert model.training == came_in_training
    model.seen.clear()
    evaluate(model, loader, loss_fn=nn.CrossEntropyLoss())
    predict(model, data[0])
    assert True not in [mode for mode, _ in model.seen]
    assert model.training == came_in_training


def test_a_frozen_part_stays_frozen(data):
    model = make_model(nn.BatchNorm1d(8), nn.Dropout(0.5))
    model[1].eval()
    loader = make_loader(*data)
    quick_fit(model, loader, loader)
    assert [module.training for module in model] == [True, False, True, True, True]
    assert model[1].num_batches_tracked == 0


def test_the_mode_comes_back_after_an_error(data):
    model = make_model().eval()
    with pytest.raises(FloatingPointError):
        quick_fit(model, make_loader(*data), lr=1e38, epochs=5)
    assert not any(module.training for module in model.modules())


def test_evaluation_neither_drops_nor_learns(data):
    model = make_model(nn.BatchNorm1d(8), nn.Dropout(0.5))
    before = weights_of(model)
    loader = make_loader(*data, batch_size=16)
    first, again = (evaluate(model, loader, loss_fn=nn.CrossEntropyLoss()) for _ in range(2))
    assert first == again
    assert equal_weights(before, model.state_dict())
    assert np.array_equal(predict(model, data[0]), predict(model, data[0]))


def test_no_graph_outlives_its_batch(data):
    alive, most = [], 0

    class Trace(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            alive.append(weakref.ref(ctx))
            return x.clone()

        @staticmethod
        def backward(ctx, gradient):
            return gradient

    def loss_fn(output, y):
        nonlocal most
        most = max(most, sum(node() is not None for node in alive))
        return nn.functional.cross_entropy(Trace.apply(output), y)

    loader = make_loader(*data, batch_size=2)
    quick_fit(make_model(), loader, loader, loss_fn=loss_fn, epochs=1)
    assert len(alive) > 25
    assert most <= 2


@pytest.mark.parametrize("phase", ["fit", "evaluate", "predict"])
def test_batches_go_to_the_model_s_device(data, phase):
    class Stop(Exception):
        pass

    class OnMeta(Watcher):
        def forward(self, X):
            if not self.training and phase == "fit":
                return torch.zeros(len(X), 3)  # for the checks
            self.seen.append(X.device.type)
            return super().forward(X)

    def loss_fn(output, y):
        raise Stop(output.device.type, y.device.type)

    model = OnMeta("meta")
    loader = make_loader(*data)
    if phase == "predict":
        with pytest.raises(NotImplementedError):  # meta tensors cannot come back
            predict(model, data[0])
    else:
        with pytest.raises(Stop) as raised:
            if phase == "fit":
                quick_fit(model, loader, loss_fn=loss_fn)
            else:
                evaluate(model, loader, loss_fn=loss_fn)
        assert raised.value.args == ("meta", "meta")
    assert model.seen[0] == "meta"


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_fit_on_cuda_uses_mixed_precision_and_channels_last():
    seen = []
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(4 * 6 * 6, 2)).cuda()
    model[0].register_forward_hook(lambda _, inputs, output: seen.append((inputs[0], output)))
    X = np.random.default_rng(0).normal(size=(20, 3, 8, 8))
    loader = make_loader(X, np.arange(20) % 2, batch_size=8)
    history = quick_fit(model, loader, loader, epochs=3, max_grad_norm=1.0)
    assert len(history) == 3
    assert torch.float16 in {output.dtype for _, output in seen}
    assert all(X.is_contiguous(memory_format=torch.channels_last) for X, _ in seen)
    assert predict(model, X).dtype == np.float32


# fit: early stopping, schedules, clipping, the bar


def overfit(data, snapshots, **options):
    """A run whose validation loss falls for three epochs and then rises."""
    X, noise = data[0], np.random.default_rng(2).normal(size=ROWS)
    y = (X[:, 0] + 0.8 * noise > 0).astype(int) + (X[:, 1] > 1)
    model = make_model()
    metrics = {"epoch": lambda true, pred: len(snapshots.append(weights_of(model)) or snapshots)}
    options = {"epochs": 60, "lr": 0.2, "metrics": metrics} | options
    valid = make_loader(X[:20], y[:20])
    return model, quick_fit(model, make_loader(X[20:], y[20:], shuffle=True), valid, **options)


def test_early_stopping_gives_back_the_best_weights_and_says_so(data, capsys):
    snapshots = []
    model, history = overfit(data, snapshots, patience=4, progress=True)
    best = history.valid_loss.idxmin()
    assert 1 < best < len(history) < 60
    assert len(history) == best + 4
    assert equal_weights(model.state_dict(), snapshots[best - 1])
    assert not equal_weights(model.state_dict(), snapshots[-1])
    assert "weights of the epoch with the lowest valid_loss" in capsys.readouterr().out


def test_best_weights_also_when_epochs_run_out(data, capsys):
    snapshots = []
    model, history = overfit(data, snapshots, patience=100, epochs=20)
    best = history.valid_loss.idxmin()
    assert 1 < best < len(history) == 20
    assert equal_weights(model.state_dict(), snapshots[best - 1])
    assert capsys.readouterr() == ("", "")


def test_without_patience_the_last_weights_stay(data):
    snapshots = []
    model, history = overfit(data, snapshots, epochs=20)
    assert history.valid_loss.idxmin() < 20
    assert equal_weights(model.state_dict(), snapshots[-1])


def test_scheduler_is_stepped_after_every_epoch(data):
    model = make_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.5)
    history = quick_fit(
        model, make_loader(*data), optimizer=optimizer, scheduler=scheduler, epochs=5
    )
    assert history.lr.to_list() == [0.1, 0.1, 0.05, 0.05, 0.025]


def test_plateau_scheduler_is_given_the_validation_loss(data):
    model = make_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, factor=0.5, patience=0, threshold=0.999
    )
    loader = make_loader(*data)
    history = quick_fit(model, loader, loader, optimizer=optimizer, scheduler=scheduler, epochs=3)
    assert scheduler.best == history.valid_loss[1]  # nothing is 1000 times better
    assert history.lr.to_list() == [0.1, 0.1, 0.05]


def test_gradients_are_clipped_together(data):
    def update(**options):
        model = make_model()
        before = torch.cat([p.detach().flatten() for p in model.parameters()])
        quick_fit(model, make_loader(data[0] * 100, data[1]), lr=1.0, epochs=1, **options)
        return torch.cat([p.detach().flatten() for p in model.parameters()]) - before

    free, clipped = update(), update(max_grad_norm=0.01)
    assert free.norm() > 0.1
    assert clipped.norm().item() == pytest.approx(0.01, rel=1e-3)
    assert torch.cosine_similarity(free, clipped, dim=0) > 0.999


def test_gradients_are_clipped_after_they_are_unscaled(data, monkeypatch):
    """As on a GPU, but for the number format."""
    monkeypatch.setattr(torch, "autocast", lambda *_: nullcontext())
    model = make_model()
    before = nn.utils.parameters_to_vector(model.parameters()).detach()
    parts = {
        "model": model,
        "optimizer": torch.optim.SGD(model.parameters(), lr=1.0),
        "scaler": torch.amp.GradScaler("cpu", init_scale=1024.0),
    }
    loop._train_epoch(parts, make_loader(data[0] * 100, data[1]), nn.CrossEntropyLoss(), 0.01)
    update = nn.utils.parameters_to_vector(model.parameters()).detach() - before
    assert update.norm().item() == pytest.approx(0.01, rel=1e-3)


def test_bar_shows_and_then_goes_away(data, capsys):
    quick_fit(make_model(), make_loader(*data), progress=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert "epoch" in err
    assert err.split("\r")[-1].strip() == ""
    quick_fit(make_model(), make_loader(*data), progress=False)
    assert capsys.readouterr() == ("", "")


def test_the_bar_of_a_resumed_run_begins_where_it_stopped(data, tmp_path, capsys):
    options = {"checkpoint": tmp_path / "run.pt", "progress": True}
    quick_fit(make_model(), make_loader(*data), epochs=1, **options)
    capsys.readouterr()
    quick_fit(make_model(), make_loader(*data), epochs=2, **options)
    err = capsys.readouterr().err
    assert "1/2" in err
    assert "0/2" not in err


# fit: when it goes wrong


def nan_in_call(number):
    """A loss function that gives NaN when it is called for that time, and only then."""

    def loss_fn(output, y):
        nonlocal number
        number -= 1
        return nn.functional.cross_entropy(output, y) * (1 if number else torch.nan)

    return loss_fn


def test_a_nan_loss_names_epoch_batch_and_rate(data, tmp_path):
    path = tmp_path / "run.pt"
    loader = make_loader(*data, batch_size=16)
    with pytest.raises(FloatingPointError) as raised:
        quick_fit(make_model(), loader, loss_fn=nan_in_call(4 + 2), lr=0.125, checkpoint=path)
    assert str(raised.value).startswith(
        "training loss in epoch 2 became nan in batch 2 of 4, at learning rate 0.125."
    )
    assert "too large" in str(raised.value)
    assert len(torch.load(path)["history"]) == 1


def test_a_nan_validation_loss_stops_too(data):
    def loss_fn(output, y):
        loss = nn.functional.cross_entropy(output, y)
        return loss if output.requires_grad else loss * torch.inf

    loader = make_loader(*data)
    with pytest.raises(FloatingPointError, match="validation loss after epoch 1 became inf"):
        quick_fit(make_model(), loader, loader, loss_fn=loss_fn, patience=2)


def interrupt_after(calls):
    def loss_fn(output, y):
        nonlocal calls
        calls -= 1
        if calls < 0:
            raise KeyboardInterrupt
        return nn.functional.cross_entropy(output, y)

    return loss_fn


def test_ctrl_c_returns_the_history_so_far(data, capsys):
    model = make_model()
    loader = make_loader(*data, batch_size=16)
    history = quick_fit(model, loader, loss_fn=interrupt_after(2 * 4 + 2), epochs=5)
    assert history.index.to_list() == [1, 2]
    assert capsys.readouterr().out == ("Interrupted in epoch 3 of 5: this is the history so far.\n")
    assert model.training
    assert len(quick_fit(model, loader, loss_fn=interrupt_after(0))) == 0


def test_ctrl_c_gives_back_the_best_weights_too(data):
    snapshots = []
    loss_fn = interrupt_after(12 * 2 + 1)
    model, history = overfit(data, snapshots, patience=50, loss_fn=loss_fn)
    assert len(history) == 12
    assert equal_weights(model.state_dict(), snapshots[history.valid_loss.idxmin() - 1])


def with_batch_norm():
    return make_model(nn.BatchNorm1d(8))


def tensors(rows, shape=(4,)):
    rng = np.random.default_rng(0)
    X = torch.from_numpy(rng.normal(size=(rows, *shape)).astype("float32"))
    return X, torch.arange(rows) % 3


ONE_ROW_LEFT = {
    "make_loader": lambda: make_loader(*tensors(17), batch_size=16, shuffle=True),
    "DataLoader": lambda: DataLoader(TensorDataset(*tensors(17)), batch_size=16),
    "batches of one": lambda: make_loader(*tensors(3), batch_size=1),
    "one row": lambda: make_loader(*tensors(1)),
    "a batch sampler": lambda: DataLoader(
        TensorDataset(*tensors(17)), batch_sampler=BatchSampler(RandomSampler(range(17)), 16, False)
    ),
    "batches of several sizes": lambda: DataLoader(
        TensorDataset(*tensors(9)), batch_sampler=[range(5), [5], range(6, 9)]
    ),
    "drawn rows": lambda: DataLoader(
        TensorDataset(*tensors(30)), 16, sampler=WeightedRandomSampler([1.0] * 30, 17)
    ),
}


@pytest.mark.parametrize("case", ONE_ROW_LEFT)
def test_a_last_batch_of_one_is_found_before_training(case):
    model, loader = with_batch_norm(), ONE_ROW_LEFT[case]()
    before = weights_of(model), torch.get_rng_state()
    with pytest.raises(ValueError, match=r"batch of one row \(.*another batch_size"):
        quick_fit(model, loader)
    assert equal_weights(before[0], model.state_dict())
    assert torch.equal(before[1], torch.get_rng_state())
    assert model.training


@pytest.mark.parametrize("came_in_training", [True, False])
def test_batch_norm_of_one_pixel_is_found_too(came_in_training):
    X, y = tensors(5, (1, 4, 4))
    for kernel, fits in ((4, False), (3, True)):
        model = nn.Sequential(
            nn.Conv2d(1, 3, kernel), nn.BatchNorm2d(3), nn.AdaptiveAvgPool2d(1), nn.Flatten()
        ).train(came_in_training)
        if fits:
            assert len(quick_fit(model, make_loader(X, y, batch_size=4))) == 2
        else:
            with pytest.raises(ValueError, match="batch of one row"):
                quick_fit(model, make_loader(X, y, batch_size=4))


def test_a_last_batch_of_one_is_fine_where_nothing_is_normalised_over_it():
    frozen = with_batch_norm()
    frozen[1].eval()
    left_out = DataLoader(TensorDataset(*tensors(17)), batch_size=16, drop_last=True)
    whole_batches = DataLoader([tensors(16), tensors(9)], batch_size=None)
    good, one_left = make_loader(*tensors(16)), make_loader(*tensors(17), batch_size=16)
    assert len(quick_fit(frozen, one_left)) == 2
    assert len(quick_fit(with_batch_norm(), left_out)) == 2
    assert len(quick_fit(with_batch_norm(), whole_batches)) == 2
    assert len(quick_fit(with_batch_norm(), good, one_left)) == 2
    assert len(quick_fit(make_model(), one_left)) == 2


class Named(nn.Linear):
    """Returns something other than a tensor, in both modes or in training only."""

    def __init__(self, wrap, only_in_training=False):
        super().__init__(4, 3)
        self.wrap, self.only_in_training = wrap, only_in_training

    def forward(self, X):
        output = super().forward(X)
        return output if self.only_in_training and not self.training else self.wrap(output)


NOT_A_TENSOR = {
    "tuple": Named(lambda output: (output, None)),
    "dict": Named(lambda output: {"logits": output}),
    "ndarray": Named(lambda output: output.detach().numpy()),
    "list": Named(lambda output: [output], only_in_training=True),
}


@pytest.mark.parametrize("kind", NOT_A_TENSOR)
def test_a_model_returns_one_tensor(data, kind):
    model, loader = NOT_A_TENSOR[kind], make_loader(*data)
    calls = [lambda: quick_fit(model, loader, epochs=1)]
    if not model.only_in_training:
        calls.append(lambda: evaluate(model, loader, loss_fn=nn.CrossEntropyLoss()))
        calls.append(lambda: predict(model, data[0]))
    for call in calls:
        with pytest.raises(TypeError, match=f"return one tensor, got {kind}.*Wrap it"):
            call()


def test_a_recurrent_layer_alone_is_no_model():
    X, y = sequences()
    with pytest.raises(TypeError, match=r"got tuple.*return states\[:, -1\]"):
        quick_fit(Tagger(raw=True), make_loader(X, y))


def test_a_single_image_taken_for_many_is_named():
    images = tensors(5, (1, 4, 4))[0]
    linear = nn.Sequential(nn.Conv2d(1, 3, 1), nn.Flatten(), nn.Linear(48, 3))
    with pytest.raises(RuntimeError) as raised:
        predict(linear, images[0])
    assert raised.value.__notes__ == [
        "X: (1, 4, 4), torch.float32. For a single sample pass X[:1], not X[0]."
    ]
    pooled = nn.Sequential(nn.Conv2d(1, 3, 1), nn.AdaptiveAvgPool2d(1))
    assert predict(pooled, images[:1]).shape == (1, 3, 1, 1)
    with pytest.raises(ValueError, match=r"output for each of 1 rows, got shape \(3, 1, 1\)"):
        predict(pooled, images[0])


class Probabilities(nn.Sequential):
    def forward(self, X):
        return super().forward(X).softmax(dim=1)


def other_optimizer():
    return torch.optim.SGD(make_model().parameters(), lr=0.1)


def stray_scheduler():
    return torch.optim.lr_scheduler.StepLR(other_optimizer(), step_size=1)


def plateau(model):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    return {
        "optimizer": optimizer,
        "scheduler": torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer),
    }


X_GOOD, Y_GOOD = np.ones((10, 4)), np.arange(10) % 3
BAD_CALLS = {  # what is wrong: (y, options of fit, pieces of the message)
    "epochs": (Y_GOOD, {"epochs": 0}, ["epochs to be an integer of at least 1, got 0"]),
    "epochs as float": (Y_GOOD, {"epochs": 2.0}, ["epochs", "2.0"]),
    "patience": (Y_GOOD, {"patience": 0, "valid": True}, ["patience", "at least 1, got 0"]),
    "patience alone": (Y_GOOD, {"patience": 3}, ["patience needs", "valid_loader"]),
    "metrics alone": (
        Y_GOOD,
        {"metrics": {"a": accuracy_score}},
        ["metrics needs", "valid_loader"],
    ),
    "plateau alone": (Y_GOOD, plateau, ["ReduceLROnPlateau needs", "valid_loader"]),
    "another's optimizer": (
        Y_GOOD,
        lambda model: {"optimizer": other_optimizer()},
        ["this model's parameters", "another model's"],
    ),
    "nothing to train": (
        Y_GOOD,
        lambda model: {
            "optimizer": torch.optim.SGD(
                [p.requires_grad_(False) for p in model[0].parameters()], lr=0.1
            )
        },
        ["trainable", "requires_grad=False"],
    ),
    "another's scheduler": (
        Y_GOOD,
        lambda model: {"scheduler": stray_scheduler()},
        ["scheduler of this optimizer"],
    ),
    "labels too large": (Y_GOOD + 1, {}, ["labels from 0 to 2", "from 1 to 3", "LabelEncoder"]),
    "labels below 0": (Y_GOOD - 1, {}, ["labels from 0 to 2", "from -1 to 1"]),
    "one label in a later batch": (
        np.array([0] * 9 + [3]),
        {"batch_size": 3},
        ["labels from 0 to 2", "from 0 to 3"],
    ),
    "targets that broadcast": (
        np.ones(10),
        {"loss_fn": nn.MSELoss()},
        ["(10, 1)", "(10, 3)", "every target with every output", "y.astype(int)"],
    ),
    "integers for MSELoss": (
        Y_GOOD,
        {"loss_fn": nn.MSELoss(), "outputs": 1},
        ["targets (10,) and outputs (10, 1)", "y.astype('float32')"],
    ),
    "integers for a logit": (
        Y_GOOD % 2,
        {"loss_fn": nn.BCEWithLogitsLoss(), "outputs": 1},
        ["BCEWithLogitsLoss", "y.astype('float32')"],
    ),
    "a column of labels": (Y_GOOD.reshape(-1, 1), {}, ["one label a sample", "(10, 1)", "ravel"]),
    "probabilities": (Y_GOOD, {"softmax": True}, ["logits", "probabilities", "softmax"]),
    "sum of losses": (
        Y_GOOD,
        {"loss_fn": nn.CrossEntropyLoss(reduction="sum")},
        ["reduction='mean'", "'sum'"],
    ),
    "no mean": (
        np.ones((10, 3)),
        {"loss_fn": nn.BCEWithLogitsLoss(reduction="none")},
        ["reduction='mean'", "'none'"],
    ),
    "no targets": (None, {}, ["batches (X, y) from train_loader", "make_loader without y"]),
    "several integers a row": (
        np.eye(3, dtype=int)[Y_GOOD] + np.eye(3, dtype=int)[Y_GOOD - 1],
        {"loss_fn": nn.BCEWithLogitsLoss()},
        ["float targets for BCEWithLogitsLoss", "integers", "y.astype('float32')"],
    ),
    "several integers a row, a function": (
        np.eye(3, dtype=int)[Y_GOOD] + np.eye(3, dtype=int)[Y_GOOD - 1],
        {"loss_fn": nn.functional.binary_cross_entropy_with_logits},
        ["several at once", "BCEWithLogitsLoss and y.astype('float32')"],
    ),
    "one-hot integers": (
        np.eye(3, dtype=int)[Y_GOOD],
        {},
        ["one label a sample", "(10, 3)", "y.argmax(axis=1)"],
    ),
    "classes for BCEWithLogitsLoss": (
        Y_GOOD,
        {"loss_fn": nn.BCEWithLogitsLoss()},
        ["integers", "take CrossEntropyLoss"],
    ),
    "a squeezed output": (
        np.ones(10),
        {"loss_fn": nn.MSELoss(), "outputs": 1, "last": nn.Flatten(0)},
        ["(10, 1) and outputs (10,)", "y.reshape(-1, 1)", "no squeeze"],
    ),
    "an ignored label below 0": (
        np.array([-1] + [0] * 9),
        {"loss_fn": nn.CrossEntropyLoss(ignore_index=0)},
        ["from 0 to 2", "from -1 to -1"],
    ),
    "a class of loss": (Y_GOOD, {"loss_fn": nn.CrossEntropyLoss}, ["loss_fn", "add ()"]),
    "a class of optimizer": (Y_GOOD, {"optimizer": torch.optim.SGD}, ["optimizer", "class SGD"]),
    "an array as valid_loader": (
        Y_GOOD,
        {"valid": Y_GOOD},
        ["valid_loader to be a DataLoader, got ndarray", "make_loader(X, y)"],
    ),
}


@pytest.mark.parametrize("case", BAD_CALLS)
def test_fit_says_at_the_door_what_is_wrong_and_leaves_no_trace(case):
    y, options, fragments = BAD_CALLS[case]
    given = {} if callable(options) else dict(options)
    model = make_model(nn.BatchNorm1d(8), outputs=given.pop("outputs", 3))
    if given.pop("softmax", False):
        model = Probabilities(*model)
    model.extend([given.pop("last")] if "last" in given else [])
    if callable(options):
        given = options(model)
    loader = make_loader(X_GOOD, y, batch_size=given.pop("batch_size", 64), shuffle=True)
    valid = given.pop("valid", None)
    loaders = [loader] if valid is None else [loader, loader if valid is True else valid]
    before = weights_of(model), torch.get_rng_state(), loader.generator.get_state()
    with pytest.raises((TypeError, ValueError)) as raised:
        quick_fit(model, *loaders, **given)
    for fragment in fragments:
        assert fragment in str(raised.value)
    assert equal_weights(before[0], model.state_dict())
    assert torch.equal(before[1], torch.get_rng_state())
    assert torch.equal(before[2], loader.generator.get_state())
    assert model.training


@pytest.mark.parametrize("steps", [5, 3])
def test_classes_belong_in_dimension_1(steps):
    X, y = sequences()

    class LastDimension(Tagger):
        def forward(self, X):
            return super().forward(X).transpose(1, 2)[:, :steps]

    loader = make_loader(X, y[:, :steps])
    if steps == 3:  # (batch, 3, 3) cannot be told apart
        assert len(quick_fit(LastDimension(), loader)) == 2
        return
    with pytest.raises(ValueError, match=r"dimension 1, got .*output\.transpose\(1, 2\)"):
        quick_fit(LastDimension(), loader)
    grid = nn.Sequential(nn.Conv2d(2, 3, 1), nn.Unflatten(1, (3, 1)), nn.Flatten(1, 2))
    grid.append(type("Last", (nn.Module,), {"forward": lambda self, X: X.movedim(1, -1)})())
    with pytest.raises(ValueError, match=r"output\.movedim\(-1, 1\)"):
        quick_fit(grid, make_loader(np.zeros((4, 2, 5, 6)), np.zeros((4, 5, 6), dtype=int)))


@pytest.mark.parametrize(
    "batch", [lambda X, y: X, lambda X, y: (X, X, y), lambda X, y: {"X": X, "y": y}]
)
def test_other_batches_are_refused(data, batch):
    class Other(TensorDataset):
        def __getitem__(self, row):
            return batch(*super().__getitem__(row))

    loader = DataLoader(Other(*map(torch.from_numpy, data)), batch_size=16)
    for call in (
        lambda: quick_fit(make_model(), loader),
        lambda: evaluate(make_model(), loader, loss_fn=nn.CrossEntropyLoss()),
    ):
        with pytest.raises(ValueError, match=r"batches \(X, y\) from .*two tensors.*Lesson 5"):
            call()


def test_evaluate_says_what_is_wrong_too(data):
    X, y = data
    model, loss_fn = make_model(), nn.CrossEntropyLoss()
    cases = [
        (make_loader(X, y + 1, batch_size=16), loss_fn, "labels from 1 to 3 in loader"),
        (make_loader(X, y), nn.CrossEntropyLoss(reduction="sum"), "reduction='mean', got 'sum'"),
        (make_loader(X), loss_fn, "without y"),
    ]
    for loader, loss_fn, message in cases:
        with pytest.raises(ValueError, match=message):
            evaluate(model, loader, loss_fn=loss_fn)
    with pytest.raises(TypeError, match="loader to be a DataLoader, got tuple"):
        evaluate(model, data, loss_fn=loss_fn)
    for call in (
        lambda: evaluate(nn.Module, make_loader(X, y), loss_fn=loss_fn),
        lambda: predict(nn.Module, X),
    ):
        with pytest.raises(TypeError, match="object as model, got the class Module"):
            call()


def test_the_validation_loader_is_checked_too(data):
    with pytest.raises(ValueError, match="from 0 to 9 in valid_loader"):
        quick_fit(make_model(), make_loader(*data), make_loader(X_GOOD, np.arange(10)))


def test_an_empty_loader_is_refused():
    empty = DataLoader(TensorDataset(torch.ones(0, 4), torch.ones(0).long()))
    with pytest.raises(ValueError, match=r"one batch in train_loader .*got an empty loader"):
        quick_fit(make_model(), empty)


def test_one_sure_logit_is_no_probability():
    model = make_model()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        model[-1].bias.copy_(torch.tensor([0.2, 0.3, 0.6]))
    assert len(quick_fit(model, make_loader(X_GOOD, Y_GOOD))) == 2


# checkpoints


def assert_same_run(run, reference):
    assert equal_weights(run[0], reference[0])
    pd.testing.assert_frame_equal(run[1], reference[1], check_exact=True)


@pytest.fixture(scope="module")
def whole_run():
    torch.set_num_threads(1)
    return training_crash_worker.run()


def test_a_run_in_two_parts_is_one_run(tmp_path, whole_run):
    path = tmp_path / "run.pt"
    first = training_crash_worker.run(path, epochs=13)
    assert len(first[1]) == 13
    assert_same_run(training_crash_worker.run(path), whole_run)
    assert [file.name for file in tmp_path.iterdir()] == ["run.pt"]


def test_a_checkpoint_changes_nothing(tmp_path, whole_run):
    assert_same_run(training_crash_worker.run(tmp_path / "run.pt"), whole_run)


def test_a_killed_run_goes_on_to_the_same_bits(tmp_path, whole_run):
    """Kill a run again and again; after each kill a copy of it is run to its end."""
    kills = int(os.environ.get("KILLS", 3))
    rng = random.Random(os.urandom(8))
    path, finished = tmp_path / "run.pt", tmp_path / "copy.pt"
    begun = time.perf_counter()
    training_crash_worker.run(tmp_path / "timing.pt")
    seconds = time.perf_counter() - begun
    epochs_at_kill = []
    for _ in range(kills):
        command = [sys.executable, training_crash_worker.__file__, str(path)]
        environment = os.environ | {"PYTHONPATH": str(Path(training.__file__).parents[2])}
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as process:
            assert process.stdout.readline().strip() == b"ready"
            time.sleep(rng.uniform(0, seconds / 2))
            process.kill()
        if path.exists():
            shutil.copy(path, finished)
            epochs_at_kill.append(len(torch.load(finished)["history"]))
        assert_same_run(training_crash_worker.run(finished), whole_run)
        finished.unlink()
        if epochs_at_kill and epochs_at_kill[-1] == training_crash_worker.EPOCHS:
            path.unlink()
    print(f"epochs that each kill left: {epochs_at_kill}")


def test_resuming_works_with_pytorch_s_own_loader(data, tmp_path):
    X, y = (torch.from_numpy(part) for part in data)

    def run(*epochs_of_each_part, **options):
        for epochs in epochs_of_each_part:
            model = make_model(nn.Dropout(0.2))
            loader = DataLoader(TensorDataset(X, y), batch_size=16, shuffle=True)
            history = quick_fit(model, loader, epochs=epochs, **options)
        return model.state_dict(), history

    assert_same_run(run(2, 5, checkpoint=tmp_path / "run.pt"), run(5))


def test_resuming_knows_the_generator_of_a_batch_sampler(data, tmp_path):
    dataset = TensorDataset(*map(torch.from_numpy, data))

    def run(*epochs_of_each_part, **options):
        for epochs in epochs_of_each_part:
            model = make_model()
            order = RandomSampler(dataset, generator=torch.Generator().manual_seed(5))
            loader = DataLoader(dataset, batch_sampler=BatchSampler(order, 16, drop_last=False))
            history = quick_fit(model, loader, epochs=epochs, **options)
        return model.state_dict(), history

    assert_same_run(run(2, 5, checkpoint=tmp_path / "run.pt"), run(5))


def test_a_ctrl_c_in_the_first_epoch_can_be_taken_up_in_the_same_process(data, tmp_path):
    def start():
        model = make_model()
        return model, torch.optim.Adam(model.parameters(), lr=0.1)

    model, optimizer = start()
    quick_fit(model, make_loader(*data, batch_size=8, shuffle=True), optimizer=optimizer)
    expected = weights_of(model)
    model, optimizer = start()
    loader = make_loader(*data, batch_size=8, shuffle=True)
    options = {"optimizer": optimizer, "checkpoint": tmp_path / "run.pt"}
    quick_fit(model, loader, loss_fn=interrupt_after(3), **options)
    assert not equal_weights(expected, model.state_dict())
    quick_fit(model, loader, **options)
    assert equal_weights(expected, model.state_dict())


@pytest.mark.parametrize("options", [{"epochs": 12}, {"epochs": 60, "patience": 4}])
def test_a_finished_run_returns_its_history_without_training(data, tmp_path, options):
    options |= {"checkpoint": tmp_path / "run.pt"}
    model, history = overfit(data, [], **options)
    content = options["checkpoint"].read_bytes()
    snapshots = []
    again, history_again = overfit(data, snapshots, **options)
    assert snapshots == []
    assert_same_run((again.state_dict(), history_again), (model.state_dict(), history))
    assert options["checkpoint"].read_bytes() == content


def truncated(content):
    return content[: len(content) // 2]


def one_bit_flipped(content):
    middle = content.index(b"training checkpoint") + len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


@pytest.mark.parametrize(
    "damage", [truncated, one_bit_flipped, lambda _: b"", lambda _: b"my notes", bytes.swapcase]
)
def test_a_damaged_checkpoint_is_named_and_kept(tmp_path, damage):
    path = tmp_path / "run.pt"
    training_crash_worker.run(path, epochs=1)
    content = damage(path.read_bytes())
    path.write_bytes(content)
    with pytest.raises(
        ValueError, match=r"run\.pt is not a checkpoint or is damaged .*left as it is"
    ):
        training_crash_worker.run(path)
    assert path.read_bytes() == content


def save_with(**changes):
    def change(path):
        torch.save(torch.load(path) | changes, path)

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda path: torch.save(make_model().state_dict(), path), "fit did not write it"),
        (lambda path: torch.save(torch.ones(3), path), "fit did not write it"),
        (lambda path: torch.save({"format": "another"}, path), "fit did not write it"),
        (save_with(version=2), "version 2, .* newer"),
    ],
)
def test_a_foreign_or_newer_checkpoint_is_named_and_kept(tmp_path, change, message):
    path = tmp_path / "run.pt"
    training_crash_worker.run(path, epochs=1)
    change(path)
    content = path.read_bytes()
    with pytest.raises(ValueError, match=f"{message}.*left as it is"):
        training_crash_worker.run(path)
    assert path.read_bytes() == content


def test_a_checkpoint_cannot_run_code(tmp_path):
    class Attack:
        def __reduce__(self):
            return Path.touch, (tmp_path / "attacked",)

    path = tmp_path / "run.pt"
    torch.save({"format": Attack()}, path)
    with pytest.raises(ValueError, match="is not a checkpoint or is damaged"):
        training_crash_worker.run(path)
    path.write_bytes(pickle.dumps(Attack()))
    with pytest.raises(ValueError, match="is not a checkpoint or is damaged"):
        training_crash_worker.run(path)
    assert not (tmp_path / "attacked").exists()


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"model": lambda: make_model(hidden=9)}, r"another model: .*\(9, 4\).*\(8, 4\)"),
        ({"model": lambda: make_model(nn.BatchNorm1d(8))}, "another model"),
        ({"optimizer": torch.optim.Adam}, "another optimizer: expected Adam, got SGD"),
        (
            {"optimizer": lambda parameters, lr: torch.optim.SGD(list(parameters)[:2], lr=lr)},
            "another optimizer: expected group of 2 tensors, got group of 4",
        ),
        ({"schedule": True}, "another scheduler: expected StepLR, got NoneType"),
        ({"metrics": {"accuracy": accuracy_score}}, "another measure: expected accuracy"),
        ({"patience": 3}, "another measure: expected early stopping, got no early stopping"),
        ({"batch_size": 5}, "another loader: expected 10 batches .* got 1 batches"),
        ({"batch_size": None}, "another loader: expected 1 batches by SequentialSampler"),
    ],
)
def test_another_run_s_checkpoint_is_named_and_kept(data, tmp_path, other, message):
    def run(model=make_model, optimizer=torch.optim.SGD, schedule=False, batch_size=64, **options):
        model = model()
        optimizer = optimizer(model.parameters(), lr=0.1)
        if schedule:
            options["scheduler"] = torch.optim.lr_scheduler.StepLR(optimizer, step_size=1)
        path = tmp_path / "run.pt"
        if batch_size:
            loader = make_loader(*data, batch_size=batch_size)
        else:
            loader = DataLoader(TensorDataset(*map(torch.from_numpy, data)), batch_size=64)
        quick_fit(model, loader, loader, optimizer=optimizer, checkpoint=path, **options)
        return path

    path = run()
    content = path.read_bytes()
    with pytest.raises(ValueError, match=f"{message}.*left as it is"):
        run(**other)
    assert path.read_bytes() == content


def test_a_checkpoint_is_written_beside_and_put_in_place_at_once(tmp_path, monkeypatch):
    path = tmp_path / "run.pt"
    training_crash_worker.run(path, epochs=1)
    content = path.read_bytes()
    save = torch.save

    def disk_full(state, file):
        save({"half": "a file"}, file)
        raise OSError("no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(torch, "save", disk_full)
        with pytest.raises(OSError, match="no space left"):
            training_crash_worker.run(path, epochs=2)
    assert path.read_bytes() == content
    steps = []
    fsync, replace = os.fsync, Path.replace
    monkeypatch.setattr(os, "fsync", lambda file: steps.append("fsync") or fsync(file))
    monkeypatch.setattr(
        Path, "replace", lambda a, b: steps.append(a.parent == b.parent) or replace(a, b)
    )
    training_crash_worker.run(path, epochs=2)
    assert steps == ["fsync", True]


def test_a_path_that_cannot_be_written_is_found_before_training(data, tmp_path):
    model = Watcher()
    with pytest.raises(FileNotFoundError):
        quick_fit(model, make_loader(*data), checkpoint=tmp_path / "missing" / "run.pt")
    assert True not in [mode for mode, _ in model.seen]


# predict


def test_predictions_keep_the_order_and_the_shape(data):
    X, y = data
    model = make_model(nn.BatchNorm1d(8), nn.Dropout(0.5))
    with torch.no_grad():
        expected = model.eval()(torch.from_numpy(X)).numpy()
    model.train()
    sizes = []
    model[0].register_forward_hook(lambda module, inputs, output: sizes.append(len(output)))
    outputs = predict(model, X, batch_size=16)
    assert sizes == [16, 16, 16, 2]
    assert isinstance(outputs, np.ndarray)
    assert outputs.dtype == np.float32
    assert outputs.shape == (ROWS, 3)
    assert outputs == pytest.approx(expected, abs=1e-6)
    assert model.training
    for same in [
        pd.DataFrame(X),
        torch.from_numpy(X),
        make_loader(X, y, batch_size=16),
        make_loader(X),
        DataLoader(torch.from_numpy(X), batch_size=16),
    ]:
        assert predict(model, same) == pytest.approx(expected, abs=1e-6)


def test_predict_refuses_a_shuffled_loader(data):
    tensors = TensorDataset(torch.from_numpy(data[0]))
    for loader in [
        make_loader(*data, shuffle=True),
        DataLoader(tensors, shuffle=True),
        DataLoader(tensors, batch_sampler=BatchSampler(RandomSampler(tensors), 16, False)),
        DataLoader(tensors, sampler=WeightedRandomSampler([1.0] * ROWS, ROWS)),
    ]:
        with pytest.raises(ValueError, match=r"shuffles.*shuffle=False"):
            predict(make_model(), loader)


# the module itself


def test_public_functions_are_documented_with_an_example():
    for function in (make_loader, fit, evaluate, predict):
        docstring = inspect.getdoc(function)
        assert "Parameters\n" in docstring
        assert "Returns\n" in docstring
        assert ">>> " in docstring
        for name in inspect.signature(function).parameters:
            assert name in docstring.split("Returns\n")[0]
