"""The exercises of lesson 8, transfer learning."""

from helpers.exercises import exercise


@exercise(
    expects="a whole number",
    hints=[
        "What does freezing leave trainable? Only the new layer.",
        "The table of section 8.1 says how many features VGG-16 makes of an image: 4,096.",
        "A linear layer has a weight for each pair of feature and class, and a bias for each class.",
    ],
    solution="""
        answer = 4096 * 5 + 5
    """,
    wrong={
        "answer = 4096 * 5": "biases",
        "answer = 1280 * 5 + 5": "another network",
        "answer = 4096 * 1000 + 1000": "1,000 classes",
        "answer = round(costs.loc['vgg16', 'parameters (M)'] * 1e6) + 4096 * 5 + 5": "frozen",
    },
)
def exercise_8_1(answer):
    answer = float(answer)
    if answer == 4096 * 5:
        return "these are the weights without the biases."
    if answer in (1280 * 5 + 5, 512 * 5 + 5, 2048 * 5 + 5):
        return "you took the number of features of another network; look up VGG-16 in section 8.1."
    if answer == 4096 * 1000 + 1000:
        return "this is the old last layer for the 1,000 classes of ImageNet; the task has five."
    if answer > 1e8:
        return "you count the backbone as well, but it is frozen."
    if not abs(answer - (4096 * 5 + 5)) < 0.5:
        return (
            "it is not the number of weights and biases between VGG-16's features and five classes."
        )


@exercise(
    expects="a function of a model that changes its mode",
    hints=[
        "Begin with `model.train()`, then go through `model.modules()` and mend what it did.",
        "Which modules are batch norms? `isinstance(module, nn.BatchNorm2d)` says it.",
        "A batch norm is frozen if its `weight.requires_grad` is False; call `module.eval()` on it.",
    ],
    solution="""
        def train_carefully(model):
            model.train()
            for module in model.modules():
                if isinstance(module, nn.BatchNorm2d) and not module.weight.requires_grad:
                    module.eval()


        answer = train_carefully
    """,
    wrong={
        "def answer(model):\n    model.train()": "running mean of a frozen batch norm",
        "def answer(model):\n    model.eval()": "dropout",
        """
def answer(model):
    model.train()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()
""": "still learns",
        """
def answer(model):
    model.train()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.requires_grad_(False)
            module.eval()
""": "may learn",
    },
)
def exercise_8_2(answer):
    import torch
    from torch import nn

    model = nn.Sequential(
        nn.Sequential(nn.Conv2d(1, 3, 1), nn.BatchNorm2d(3)),
        nn.Conv2d(3, 3, 1),
        nn.BatchNorm2d(3),
        nn.Dropout(0.5),
    )
    model[0].requires_grad_(False)
    frozen, free = model[0][1], model[2]
    with torch.no_grad():
        for mode in (False, True):  # whatever mode it came in
            model.train(mode)
            answer(model)
            before = frozen.running_mean.clone(), free.running_mean.clone()
            model(torch.full((4, 1, 5, 5), 3.0))
            if not torch.equal(before[0], frozen.running_mean):
                return "the running mean of a frozen batch norm still moves in a forward pass."
            if not model[3].training:
                return "dropout is off: the rest of the model must be in training mode."
            if not all(p.requires_grad for p in free.parameters()):
                return "it freezes parameters that may learn; change the mode only."
            if torch.equal(before[1], free.running_mean):
                return "a batch norm whose weights are not frozen still learns, and must go on measuring."


@exercise(
    expects="a function that returns a list of pairs of arrays",
    hints=[
        "Section 8.4 used a splitter of scikit-learn that knows about groups.",
        "A splitter's `split(X, y, groups)` yields the pairs; X may be any array of the right length.",
        "`list(StratifiedGroupKFold(5).split(y, y, groups))` is nearly all.",
    ],
    solution="""
        def honest_folds(y, groups):
            return list(StratifiedGroupKFold(5).split(np.zeros(len(y)), y, groups))


        answer = honest_folds
    """,
    wrong={
        "answer = colleagues_folds": "both sides",
        """
def answer(y, groups):
    from sklearn.model_selection import GroupShuffleSplit

    return list(GroupShuffleSplit(5, random_state=0).split(y, y, groups))
""": "exactly once",
        """
def answer(y, groups):
    from sklearn.model_selection import LeaveOneGroupOut

    return list(LeaveOneGroupOut().split(y, y, groups))
""": "five",
        """
def answer(y, groups):
    names = np.unique(groups)
    return [(np.flatnonzero(~np.isin(groups, n)), np.flatnonzero(np.isin(groups, n))) for n in np.array_split(names, 5)]
""": "share of defective",
    },
)
def exercise_8_3(answer):
    import numpy as np

    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(40), 15)
    y = (rng.random(600) < np.repeat(np.linspace(0.05, 0.65, 40), 15)).astype(int)
    folds = [
        (np.asarray(train), np.asarray(test)) for train, test in answer(y.copy(), groups.copy())
    ]
    if len(folds) != 5:
        return f"five folds are asked, and there are {len(folds)}."
    for train, test in folds:
        if set(groups[train]) & set(groups[test]):
            return "some group has rows on both sides of a split."
    tested = np.sort(np.concatenate([test for _, test in folds]))
    if not np.array_equal(tested, np.arange(600)):
        return "each row should be tested exactly once, as in cross-validation."
    if not all(len(set(train) | set(test)) == 600 for train, test in folds):
        return "some rows are in neither part of a split."
    if not all(abs(y[test].mean() - y.mean()) < 0.1 for _, test in folds):
        return "the share of defective rows differs much between the folds; keep it alike."


@exercise(
    expects="a function of `predict_proba` and images that returns probabilities",
    hints=[
        "Images are (n, height, width): which axis is turned over by `images[:, ::-1]`, and which by `images[::-1]`?",
        "There are four versions: as it is, left-right, top-bottom, and both.",
        "Average the probabilities: `np.mean([predict_proba(x) for x in versions], axis=0)`.",
    ],
    solution="""
        def average_over_flips(predict_proba, images):
            versions = [
                images,
                images[:, ::-1],
                images[:, :, ::-1],
                images[:, ::-1, ::-1],
            ]
            return np.mean([predict_proba(version) for version in versions], axis=0)


        answer = average_over_flips
    """,
    wrong={
        "def answer(predict_proba, images):\n    return predict_proba(images)": "only the images as they are",
        "def answer(predict_proba, images):\n    return np.mean([predict_proba(x) for x in (images, images[::-1], images[:, ::-1], images[::-1, ::-1])], axis=0)": (
            "order of the images"
        ),
        "def answer(predict_proba, images):\n    return np.mean([predict_proba(x) for x in (images[:, ::-1], images[:, :, ::-1], images[:, ::-1, ::-1])], axis=0)": (
            "original"
        ),
        "def answer(predict_proba, images):\n    return np.mean([predict_proba(x) for x in (images, images[:, ::-1], images[:, :, ::-1])], axis=0)": (
            "both ways"
        ),
        "def answer(predict_proba, images):\n    versions = (images, images[:, ::-1], images[:, :, ::-1], images[:, ::-1, ::-1])\n    return np.mean([predict_proba(x).argmax(axis=1) for x in versions], axis=0)": (
            "a column for each class"
        ),
    },
)
def exercise_8_4(answer):
    import numpy as np

    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (5, 6, 8), dtype=np.uint8)
    weights = rng.normal(size=(6, 8)) / 1000

    def predict_proba(x):
        p = 1 / (1 + np.exp(-(np.asarray(x) * weights).sum(axis=(1, 2))))
        return np.stack([1 - p, p], axis=1)

    lr, ud, both = images[:, :, ::-1], images[:, ::-1], images[:, ::-1, ::-1]
    right = np.mean([predict_proba(x) for x in (images, lr, ud, both)], axis=0)
    given = np.asarray(answer(predict_proba, images.copy()), dtype=float)
    if given.shape != right.shape:
        return f"expected a row for each image and a column for each class, shape {right.shape}, got {given.shape}."
    reasons = {
        "it uses only the images as they are.": [images],
        "the original is missing among the versions.": [lr, ud, both],
        "the version turned over both ways is missing.": [images, lr, ud],
    }
    for reason, versions in reasons.items():
        if np.allclose(given, np.mean([predict_proba(x) for x in versions], axis=0), atol=1e-6):
            return reason
    alone = np.concatenate([answer(predict_proba, images[k : k + 1].copy()) for k in range(5)])
    if not np.allclose(given, alone, atol=1e-6):
        return (
            "it turns over the order of the images: the first axis counts images, leave it alone."
        )
    if not np.allclose(given, right, atol=1e-6):
        return "it is not the mean of the probabilities of the four versions."


@exercise(
    expects="a function of a backbone and prepared images that returns a tensor (n, channels)",
    hints=[
        "`module.register_forward_hook(f)` calls `f(module, inputs, output)` in every forward pass.",
        "The module is `backbone.stages['block10'][0]`. Let the hook append its output to a list.",
        "Average over height and width with `output.mean(dim=(2, 3))`, and call `remove()` on the hook's handle.",
    ],
    solution="""
        def early_features(backbone, X):
            outputs = []
            block = backbone.stages["block10"][0]
            handle = block.register_forward_hook(lambda module, X, output: outputs.append(output))
            try:
                with torch.no_grad():
                    backbone(X)
            finally:
                handle.remove()
            return outputs[0].mean(dim=(2, 3))


        answer = early_features
    """,
    wrong={
        "def answer(backbone, X):\n    with torch.no_grad():\n        return backbone(X)": "at the very end",
        """
def answer(backbone, X):
    outputs = []
    backbone.stages["block10"][0].register_forward_hook(lambda m, X, output: outputs.append(output))
    with torch.no_grad():
        backbone(X)
    return outputs[0].mean(dim=(2, 3))
""": "hook stays",
        """
def answer(backbone, X):
    outputs = []
    handle = backbone.stages["block10"][0].register_forward_hook(lambda m, X, output: outputs.append(output))
    with torch.no_grad():
        backbone(X)
    handle.remove()
    return outputs[0].flatten(1)
""": "every position",
        """
def answer(backbone, X):
    outputs = []
    handle = backbone.stages["block10"][0].register_forward_hook(lambda m, X, output: outputs.append(output))
    with torch.no_grad():
        backbone(X)
    handle.remove()
    return outputs[0].amax(dim=(2, 3))
""": "largest",
        """
def answer(backbone, X):
    outputs = []
    handle = backbone.stages["block9"][0].register_forward_hook(lambda m, X, output: outputs.append(output))
    with torch.no_grad():
        backbone(X)
    handle.remove()
    return outputs[0].mean(dim=(2, 3))
""": "another block",
    },
)
def exercise_8_5(answer):
    import torch

    from helpers.transfer import load_backbone

    backbone = load_backbone("efficientnet_lite0")
    X = 2 * torch.rand(3, 3, 64, 64, generator=torch.Generator().manual_seed(0)) - 1
    seen = {}
    handles = [
        backbone.stages[name][0].register_forward_hook(
            lambda module, inputs, output, name=name: seen.setdefault(name, output)
        )
        for name in ("block9", "block10", "block11")
    ]
    with torch.no_grad():
        end = backbone(X)
    for handle in handles:
        handle.remove()
    right = seen["block10"].mean(dim=(2, 3))
    given = torch.as_tensor(answer(backbone, X.clone())).detach().float()
    if any(module._forward_hooks for module in backbone.modules()):
        return "the hook stays on the network: each call would leave another one; remove it."
    if given.shape == end.shape and torch.allclose(given, end, atol=1e-3):
        return "these are the features at the very end; the output of `block10` is asked."
    if given.shape == seen["block10"].flatten(1).shape:
        return "it gives a number for every position; average over height and width."
    for name in ("block9", "block11"):
        other = seen[name].mean(dim=(2, 3))
        if given.shape == other.shape and torch.allclose(given, other, atol=1e-3):
            return "this is the output of another block: `block10` is asked."
    if given.shape == right.shape and torch.allclose(
        given, seen["block10"].amax(dim=(2, 3)), atol=1e-3
    ):
        return "it takes the largest value of each channel; take the mean."
    if given.shape != right.shape:
        return f"expected a row for each image and a column for each channel, shape {tuple(right.shape)}, got {tuple(given.shape)}."
    if not torch.allclose(given, right, atol=1e-3):
        return "the numbers are not the means of `block10`'s channels; is the backbone in evaluation mode?"
