"""What happens on an NVIDIA GPU: skipped, and said so, where there is none.

The advice on too little memory is tried everywhere, with a model that fails as a GPU would.
"""

import numpy as np
import pytest
import torch
from torch import nn

from helpers import (
    environment_report,
    evaluate,
    fit,
    get_device,
    make_loader,
    predict,
    seed_everything,
)
from helpers.transfer import compute_once, load_efficientnet_lite0

gpu = pytest.mark.gpu
needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no NVIDIA GPU")


def data():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 20)).astype(np.float32)
    return X, (X[:, 0] + X[:, 1] > 0).astype(int)


def train_on(device, *, epochs=10, **options):
    X, y = data()
    seed_everything(0)
    model = nn.Sequential(nn.Linear(20, 32), nn.ReLU(), nn.Linear(32, 2)).to(device)
    history = fit(
        model,
        make_loader(X, y, batch_size=50, shuffle=True),
        make_loader(X, y),
        loss_fn=nn.CrossEntropyLoss(),
        optimizer=torch.optim.Adam(model.parameters(), lr=0.01),
        epochs=epochs,
        **options,
    )
    return model, history


@gpu
@needs_gpu
def test_training_agrees_with_the_cpu():
    on_cpu, on_gpu = train_on("cpu")[1], train_on("cuda")[1]
    assert np.allclose(on_cpu.valid_loss, on_gpu.valid_loss, atol=0.01)


@gpu
@needs_gpu
def test_predictions_come_back_as_arrays_and_agree():
    model, _ = train_on("cuda")
    X, _ = data()
    from_gpu = predict(model, X)
    assert np.allclose(from_gpu, predict(model.cpu(), X), atol=1e-3)


@gpu
@needs_gpu
def test_run_goes_on_from_a_checkpoint(tmp_path):
    whole, history = train_on("cuda")
    train_on("cuda", epochs=5, checkpoint=tmp_path / "run.pt")
    again, continued = train_on("cuda", checkpoint=tmp_path / "run.pt")
    assert len(continued) == 10
    assert np.allclose(history.valid_loss, continued.valid_loss, atol=0.01)
    for name, weight in whole.state_dict().items():
        assert torch.allclose(weight, again.state_dict()[name], atol=0.01)


@gpu
@needs_gpu
def test_outputs_of_a_frozen_network_agree_with_the_cpu(tmp_path):
    images = torch.randn(8, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    network = load_efficientnet_lite0().features
    on_cpu = compute_once(network, images, folder=tmp_path / "cpu")
    on_gpu = compute_once(network.to("cuda"), images, folder=tmp_path / "gpu")
    assert on_gpu.device.type == "cpu" and torch.allclose(on_cpu, on_gpu, atol=0.05)


@gpu
@needs_gpu
def test_report_and_device_name_the_gpu():
    assert get_device().type == "cuda"
    assert torch.cuda.get_device_name(0) in environment_report()


@gpu
@needs_gpu
def test_real_lack_of_memory_is_explained():
    class Hungry(nn.Linear):
        def forward(self, X):
            torch.empty(2**50, dtype=torch.uint8, device=X.device)
            return super().forward(X)

    with pytest.raises(torch.OutOfMemoryError, match="Lower batch_size"):
        predict(Hungry(20, 2).to("cuda"), data()[0])


class TooLarge(nn.Linear):
    """Fails as a GPU does, once it is in a mode."""

    def __init__(self, mode):
        super().__init__(20, 2)
        self.mode = mode

    def forward(self, X):
        if self.training == (self.mode == "training"):
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 …")
        return super().forward(X)


@pytest.mark.parametrize("what", ["fit", "first batch", "evaluate", "predict"])
def test_lack_of_memory_says_what_to_lower(what):
    X, y = data()
    model = TooLarge("training" if what == "fit" else "evaluation")
    loader, loss_fn = make_loader(X, y), nn.CrossEntropyLoss()
    calls = {
        "predict": lambda: predict(model, X),
        "evaluate": lambda: evaluate(model, loader, loss_fn=loss_fn),
    }
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    fit_it = lambda: fit(model, loader, loss_fn=loss_fn, optimizer=optimizer, epochs=1)  # noqa: E731
    with pytest.raises(torch.OutOfMemoryError) as error:
        calls.get(what, fit_it)()
    message = str(error.value)
    assert "Lower batch_size" in message and "CUDA out of memory" in message
    assert message.count("too little memory") == 1


def test_lack_of_memory_in_a_frozen_network_says_what_to_lower(tmp_path):
    class Fails(nn.Flatten):
        def forward(self, images):
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    with pytest.raises(torch.OutOfMemoryError, match="Lower batch_size"):
        compute_once(Fails(), torch.zeros(2, 3, 32, 32), folder=tmp_path)
