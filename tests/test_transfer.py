"""What `helpers.transfer` promises, with weights from the package and from a server on loopback."""

import hashlib
import http.server
import io
import pickle
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torchvision import models

from helpers import transfer
from helpers.training import fit, make_loader
from helpers.transfer import (
    add_head,
    classify,
    extract_features,
    freeze,
    list_backbones,
    load_backbone,
    parameter_groups,
    unfreeze,
)

LITE0 = "efficientnet_lite0"
SMALL = "shufflenet_v2_x0_5"


@pytest.fixture(scope="module")
def photos():
    import skimage

    return skimage.data.chelsea()[None], skimage.data.coffee()[None]


@pytest.fixture(scope="module")
def noise():
    return np.random.default_rng(0).integers(0, 256, (6, 40, 40), dtype=np.uint8)


@pytest.fixture
def checkpoints(tmp_path, monkeypatch):
    """An empty folder where torchvision's weights would be."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    return tmp_path / "torch" / "hub" / "checkpoints"


@pytest.fixture
def server(tmp_path, monkeypatch, checkpoints):
    """Serve a weight file of SMALL on loopback under a name with its true hash."""
    torch.manual_seed(3)
    state = models.get_model(SMALL, weights=None).state_dict()
    buffer = io.BytesIO()
    torch.save(state, buffer)
    folder = tmp_path / "served"
    folder.mkdir()
    name = f"{SMALL}-{hashlib.sha256(buffer.getvalue()).hexdigest()[:10]}.pth"
    (folder / name).write_bytes(buffer.getvalue())
    asked = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=str(folder))

        def log_message(self, *args):
            asked.append(self.path)

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{running.server_port}/{name}"
        weights = models.get_model_weights(SMALL).DEFAULT
        monkeypatch.setattr(weights.value, "url", url)
        yield {"file": folder / name, "state": state, "asked": asked, "kept": checkpoints / name}
        running.shutdown()


def test_photographs_are_named_rightly(photos):
    cat, cup = photos
    [(label, probability)] = classify(LITE0, cat)
    assert label in ("tabby", "tiger cat", "Egyptian cat") and 0.2 < probability <= 1
    assert classify(LITE0, cup)[0][0] == "espresso"


@pytest.mark.parametrize("name", list_backbones())
def test_every_architecture(name):
    """On the meta device nothing is computed, so even the largest network takes no time."""
    if name.startswith("regnet") and not name.endswith("_400mf"):
        pytest.skip("a RegNet computes while it is built: only the smallest two, for real")
    with torch.device("cpu" if name.startswith("regnet") else "meta"):
        backbone = load_backbone(name, pretrained=False)
        size = backbone.image_size
        features = backbone(torch.zeros(2, 3, size, size))
    assert features.shape == (2, backbone.feature_size)
    assert backbone.feature_size > 100 and size >= 224
    held = [id(p) for parts in backbone.stages.values() for m in parts for p in m.parameters()]
    assert len(held) == len(set(held))
    left_out = {n for n, p in backbone.network.named_parameters() if id(p) not in set(held)}
    assert all(n.startswith(("class_token", "encoder.pos_embedding")) for n in left_out), left_out
    model = add_head(backbone, 2)
    freeze(model)
    groups = parameter_groups(model, head_lr=1, backbone_lr=1)
    assert [group["name"] for group in groups] == ["head"]


def test_near_names_are_listed():
    with pytest.raises(ValueError, match=r"no backbone 'resnet81'. Did you mean .*resnet18"):
        load_backbone("resnet81")
    with pytest.raises(ValueError, match=r"There are: efficientnet_lite0, alexnet"):
        load_backbone("zzzzzz")
    with pytest.raises(ValueError, match=r"no stage 'blok15'. Did you mean block15"):
        freeze(load_backbone(LITE0, pretrained=False), "blok15")


def test_same_preparation_as_torchvision(photos):
    """One of torchvision's own presets must give the very same numbers."""
    backbone = load_backbone("squeezenet1_1", pretrained=False)
    preset = models.get_model_weights("squeezenet1_1").DEFAULT.transforms()
    for photo in photos:
        theirs = preset(torch.from_numpy(photo).permute(0, 3, 1, 2))
        assert torch.equal(backbone.prepare(photo), theirs)


def test_preparation(noise):
    backbone = load_backbone(LITE0, pretrained=False)
    white = np.full((2, 50, 60), 255, dtype=np.uint8)
    assert torch.allclose(backbone.prepare(white, size=32), torch.ones(2, 3, 32, 32))
    assert torch.allclose(backbone.prepare(white * 0, size=32), -torch.ones(2, 3, 32, 32))
    colours = np.repeat(noise[..., None], 3, axis=3)
    assert torch.equal(backbone.prepare(noise, size=32), backbone.prepare(colours, size=32))
    assert not torch.equal(
        backbone.prepare(noise, size=32), backbone.prepare(noise, size=32, crop=False)
    )
    with pytest.raises(TypeError, match="uint8"):
        backbone.prepare(noise / 255)
    with pytest.raises(ValueError, match=r"image\[None\]"):
        backbone.prepare(noise[0])


def test_a_fetched_file_is_checked_kept_and_used(server, noise):
    backbone = load_backbone(SMALL)
    assert server["kept"].read_bytes() == server["file"].read_bytes()
    assert [path.name for path in server["kept"].parent.iterdir()] == [server["kept"].name]
    whole = models.get_model(SMALL, weights=None)
    whole.load_state_dict(server["state"])
    whole.fc = nn.Identity()
    images = backbone.prepare(noise, size=64)
    with torch.no_grad():
        assert torch.equal(backbone(images), whole.eval()(images))
    load_backbone(SMALL, download=False)
    assert len(server["asked"]) == 1, "what is here is not fetched again"


def test_a_wrong_answer_of_the_server_is_refused(server):
    data = bytearray(server["file"].read_bytes())
    data[1000] ^= 1
    server["file"].write_bytes(data)
    with pytest.raises(ValueError, match="not opened"):
        load_backbone(SMALL)
    assert not server["kept"].exists()


def test_a_tampered_file_is_refused_before_it_is_opened(server, monkeypatch):
    load_backbone(SMALL)
    data = bytearray(server["kept"].read_bytes())
    data[-1] ^= 1
    server["kept"].write_bytes(data)
    monkeypatch.setattr(torch, "load", lambda *args, **kwargs: pytest.fail("it was opened"))
    with pytest.raises(ValueError, match="damaged or not the file"):
        load_backbone(SMALL)


def test_the_packaged_file_is_checked_too(tmp_path, monkeypatch):
    monkeypatch.setattr(transfer, "LITE0_SHA256", "0" * 64)
    monkeypatch.setattr(torch, "load", lambda *args, **kwargs: pytest.fail("it was opened"))
    with pytest.raises(ValueError, match="damaged or not the file"):
        load_backbone(LITE0)


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


@pytest.mark.parametrize("download", [True, False])
def test_without_a_network_one_line_says_where_the_file_goes(checkpoints, monkeypatch, download):
    weights = models.get_model_weights(SMALL).DEFAULT
    monkeypatch.setattr(weights.value, "url", "http://127.0.0.1:9/small-0123456789.pth")
    with pytest.raises(FileNotFoundError) as caught:
        load_backbone(SMALL, download=download)
    line = str(caught.value)
    assert "\n" not in line and "small-0123456789.pth" in line and "pretrained=False" in line
    assert "checkpoints" in line and SMALL in line


def test_missing_package(monkeypatch):
    monkeypatch.setattr(transfer.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match="pip install efficientnet-lite-pytorch"):
        load_backbone(LITE0)


@pytest.fixture(scope="module")
def lite0():
    return load_backbone(LITE0)


def _model(n_classes=2):
    torch.manual_seed(0)
    return add_head(load_backbone(LITE0), n_classes)


def _train(model, images, epochs=1):
    X = model.backbone.prepare(images, size=32)
    y = torch.arange(len(images)) % 2
    optimizer = torch.optim.SGD(parameter_groups(model, head_lr=0.1, backbone_lr=0.1))
    model.train()
    fit(
        model,
        make_loader(X, y, batch_size=3),
        loss_fn=nn.CrossEntropyLoss(),
        optimizer=optimizer,
        epochs=epochs,
        progress=False,
    )


def _changed(before, model):
    after = model.state_dict()
    return {name for name in after if not torch.equal(before[name], after[name])}


def test_frozen_means_nothing_moves(noise):
    model = _model()
    freeze(model)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    _train(model, noise)
    assert _changed(before, model) == {"head.weight", "head.bias"}


@pytest.mark.parametrize("name", [LITE0, "mobilenet_v3_small"])
def test_a_frozen_backbone_gives_the_same_features_in_training(name, noise):
    backbone = load_backbone(name, pretrained=name == LITE0)
    model = add_head(backbone, 2)
    images = backbone.prepare(noise, size=32)
    with torch.no_grad():
        before = backbone(images)
        freeze(model)
        model.train()
        assert torch.equal(before, backbone(images))
        unfreeze(model)
        assert not torch.equal(before, backbone(images)), "dropout is back"


def test_one_stage_unfrozen(noise):
    model = _model()
    freeze(model)
    unfreeze(model, "top")
    before = {name: value.clone() for name, value in model.state_dict().items()}
    _train(model, noise)
    changed = _changed(before, model)
    assert all(
        name.startswith(("head", "backbone.network._conv_head", "backbone.network._bn1"))
        for name in changed
    )
    assert "backbone.network._conv_head.weight" in changed
    assert not any("running" in name for name in changed), "statistics stay by default"


def test_batch_norm_statistics_move_only_when_asked(noise):
    for ask in (False, True):
        model = _model()
        unfreeze(model, batch_norm=ask)
        before = {name: value.clone() for name, value in model.state_dict().items()}
        _train(model, noise)
        assert any("running_mean" in name for name in _changed(before, model)) == ask


def test_frozen_parts_stay_in_evaluation_mode():
    model = _model()
    freeze(model, "stem", "block0")
    for mode in (False, True):
        model.train(mode)
        assert not any(part.training for part in model.backbone.stages["block0"])
        assert all(part.training == mode for part in model.backbone.stages["top"])
    unfreeze(model, batch_norm=True)
    assert all(module.training for module in model.modules())


def test_parameter_groups():
    model = _model()
    groups = parameter_groups(model, head_lr=1.0, backbone_lr=0.1, decay=0.5)
    names = [group["name"] for group in groups]
    assert names == ["head", *reversed(model.backbone.stages)]
    assert [group["lr"] for group in groups[:4]] == [1.0, 0.1, 0.05, 0.025]
    held = [id(p) for group in groups for p in group["params"]]
    assert sorted(held) == sorted(id(p) for p in model.parameters())
    same = parameter_groups(model, head_lr=1.0, backbone_lr=0.1)
    assert {group["lr"] for group in same[1:]} == {0.1}
    freeze(model)
    unfreeze(model, "top")
    assert [g["name"] for g in parameter_groups(model, head_lr=1, backbone_lr=1)] == ["head", "top"]


def test_features_come_from_the_cache(tmp_path, lite0, noise, monkeypatch):
    first = extract_features(lite0, noise, size=32, folder=tmp_path)
    lite0.train()
    monkeypatch.setattr(lite0.network, "forward", lambda x: pytest.fail("computed again"))
    assert np.array_equal(first, extract_features(lite0, noise, size=32, folder=tmp_path))
    assert lite0.training
    lite0.eval()
    assert [path.suffix for path in tmp_path.iterdir()] == [".npy"]


def test_the_key_changes_with_images_weights_and_size(tmp_path, noise):
    backbone = load_backbone(LITE0)

    def count(images, **options):
        extract_features(backbone, images, folder=tmp_path, **options)
        return len(list(tmp_path.iterdir()))

    assert count(noise, size=32) == 1
    other = noise.copy()
    other[0, 0, 0] ^= 1
    assert count(other, size=32) == 2
    assert count(noise.reshape(6, 20, 80), size=32) == 3
    assert count(noise, size=64) == 4
    assert count(noise, size=32, crop=False) == 5
    with torch.no_grad():
        backbone.network._bn1.running_mean[0] += 1
    assert count(noise, size=32) == 6
    assert count(noise, size=32, batch_size=2) == 6


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[: len(data) // 2],
        lambda data: b"garbage" + data,
        lambda data: pickle.dumps({"not": "an array"}),
    ],
)
def test_a_damaged_cache_is_computed_anew(tmp_path, lite0, noise, damage):
    first = extract_features(lite0, noise, size=32, folder=tmp_path)
    [path] = tmp_path.iterdir()
    whole = path.read_bytes()
    path.write_bytes(damage(whole))
    assert np.array_equal(first, extract_features(lite0, noise, size=32, folder=tmp_path))
    assert path.read_bytes() == whole


def test_a_crash_while_writing_leaves_nothing(tmp_path, lite0, noise, monkeypatch):
    def fail(*args, **kwargs):
        args[0].write(b"half")
        raise OSError("no space left")

    monkeypatch.setattr(np, "save", fail)
    with pytest.raises(OSError, match="no space"):
        extract_features(lite0, noise, size=32, folder=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_features_do_not_depend_on_batch_size_or_mode(lite0, noise):
    one = extract_features(lite0, noise, size=32, batch_size=1, folder=False)
    all_ = extract_features(lite0, noise, size=32, folder=False)
    assert np.allclose(one, all_, atol=1e-4)


def test_default_cache_is_the_users(tmp_path, lite0, noise, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    extract_features(lite0, noise, size=32)
    assert len(list((tmp_path / "pytorch-sklearn-course").iterdir())) == 1


def test_import_needs_no_torchvision():
    """Only what is used is loaded, so that importing the helpers stays quick."""
    code = "import sys, helpers.transfer; assert 'torchvision' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
