"""The exercises of lesson 8, transfer learning."""

from helpers.exercises import exercise


@exercise(
    expects="a function of a model and a number of classes that returns an optimizer",
    hints=[
        "Four steps. Which of them must come after `model.requires_grad_(False)`, and why?",
        "A new layer is trainable. Made before the freezing, it is frozen with the rest.",
        "`model.fc.in_features` says how many features the new layer gets. The optimizer takes a list of two dicts, "
        "each with `params` and `lr`.",
    ],
    solution="""
        def prepare_for_training(model, n_classes):
            model.requires_grad_(False)
            model.layer4.requires_grad_(True)
            model.fc = nn.Linear(model.fc.in_features, n_classes)
            groups = [
                {"params": model.layer4.parameters(), "lr": 1e-4},
                {"params": model.fc.parameters(), "lr": 1e-3},
            ]
            return torch.optim.AdamW(groups)


        answer = prepare_for_training
    """,
    wrong={
        """
def answer(model, n_classes):
    model.fc = nn.Linear(model.fc.in_features, n_classes)
    model.requires_grad_(False)
    model.layer4.requires_grad_(True)
    return torch.optim.AdamW([{"params": model.layer4.parameters(), "lr": 1e-4}, {"params": model.fc.parameters(), "lr": 1e-3}])
""": "the new layer is frozen",
        """
def answer(model, n_classes):
    model.requires_grad_(False)
    model.fc = nn.Linear(model.fc.in_features, n_classes)
    return torch.optim.AdamW([{"params": model.layer4.parameters(), "lr": 1e-4}, {"params": model.fc.parameters(), "lr": 1e-3}])
""": "is still frozen, so",
        """
def answer(model, n_classes):
    model.fc = nn.Linear(model.fc.in_features, n_classes)
    return torch.optim.AdamW([{"params": model.layer4.parameters(), "lr": 1e-4}, {"params": model.fc.parameters(), "lr": 1e-3}])
""": "still requires gradients",
        """
def answer(model, n_classes):
    model.requires_grad_(False)
    model.layer4.requires_grad_(True)
    optimizer = torch.optim.AdamW([{"params": model.layer4.parameters(), "lr": 1e-4}, {"params": model.fc.parameters(), "lr": 1e-3}])
    model.fc = nn.Linear(model.fc.in_features, n_classes)
    return optimizer
""": "the old layer",
        """
def answer(model, n_classes):
    model.requires_grad_(False)
    model.layer4.requires_grad_(True)
    model.fc = nn.Linear(model.fc.in_features, n_classes)
    return torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-3)
""": "0.001, expected 0.0001",
        """
def answer(model, n_classes):
    model.requires_grad_(False)
    model.layer4.requires_grad_(True)
    model.fc.requires_grad_(True)
    return torch.optim.AdamW([{"params": model.layer4.parameters(), "lr": 1e-4}, {"params": model.fc.parameters(), "lr": 1e-3}])
""": "still the old layer",
    },
)
def exercise_8_1(answer):
    import torch

    for channels, n_classes in ((6, 2), (10, 5)):
        model = _small_network(channels)
        old = model.fc
        optimizer = answer(model, n_classes)
        if not isinstance(optimizer, torch.optim.Optimizer):
            return f"expected the optimizer to be returned, got {type(optimizer).__name__}."
        if model.fc is old:
            return "`model.fc` is still the old layer; replace it by a new one."
        shape = tuple(model(torch.zeros(3, 1, 8, 8)).shape)
        if shape != (3, n_classes):
            return f"the output for 3 images and {n_classes} classes has shape {shape}."
        if not all(p.requires_grad for p in model.fc.parameters()):
            return "the new layer is frozen: freeze the network first, then replace the layer."
        if not all(p.requires_grad for p in model.layer4.parameters()):
            return "`model.layer4` is still frozen, so no gradient moves it."
        for name, parameter in model.named_parameters():
            if parameter.requires_grad and not name.startswith(("fc", "layer4")):
                return f"`{name}` still requires gradients; only `layer4` and `fc` should."
        rates = {id(p): group["lr"] for group in optimizer.param_groups for p in group["params"]}
        if any(id(p) in rates for p in old.parameters()):
            return "the optimizer holds the old layer: make it after the new layer is in its place."
        for part, rate in (("layer4", 1e-4), ("fc", 1e-3)):
            for parameter in getattr(model, part).parameters():
                if id(parameter) not in rates:
                    return f"the optimizer does not hold all parameters of `{part}`."
                if abs(rates[id(parameter)] - rate) > 1e-9:
                    return f"the rate of `{part}` is {rates[id(parameter)]:g}, expected {rate:g}."


def _small_network(channels):
    """A network with the names of torchvision's ResNet: `conv1`, `bn1`, `layer4`, `fc`."""
    from torch import nn

    class Small(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1, self.bn1 = nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4)
            self.layer4 = nn.Sequential(nn.Conv2d(4, channels, 3), nn.BatchNorm2d(channels))
            self.fc = nn.Linear(channels, 1000)

        def forward(self, X):
            return self.fc(self.layer4(self.bn1(self.conv1(X)).relu()).mean(dim=(2, 3)))

    return Small()


@exercise(
    expects="a function of file names and labels that returns a list of pairs of arrays",
    hints=[
        "Which part of a name is the same for all photos of one machine? All but the last number.",
        '`"oslo-3-0017.png".rpartition("-")[0]` is `"oslo-3"`.',
        "A splitter of scikit-learn takes the groups as third argument of `split` and keeps the shares alike.",
    ],
    solution="""
        def folds_by_machine(names, y):
            machines = [name.rpartition("-")[0] for name in names]
            splitter = StratifiedGroupKFold(5, shuffle=True, random_state=0)
            return list(splitter.split(np.zeros(len(y)), y, machines))


        answer = folds_by_machine
    """,
    wrong={
        """
def answer(names, y):
    from sklearn.model_selection import StratifiedKFold

    return list(StratifiedKFold(5, shuffle=True, random_state=0).split(names, y))
""": "both sides",
        """
def answer(names, y):
    groups = [name[:11] for name in names]
    return list(StratifiedGroupKFold(5).split(names, y, groups))
""": "on both sides of a split",
        """
def answer(names, y):
    from sklearn.model_selection import GroupShuffleSplit

    groups = [name.rpartition("-")[0] for name in names]
    return list(GroupShuffleSplit(5, random_state=0).split(names, y, groups))
""": "exactly once",
        """
def answer(names, y):
    from sklearn.model_selection import LeaveOneGroupOut

    groups = [name.rpartition("-")[0] for name in names]
    return list(LeaveOneGroupOut().split(names, y, groups))
""": "expected five",
        """
def answer(names, y):
    groups = np.array([name.rpartition("-")[0] for name in names])
    order = sorted(set(groups), key=lambda g: np.asarray(y)[groups == g].mean())
    return [(np.flatnonzero(~np.isin(groups, p)), np.flatnonzero(np.isin(groups, p))) for p in np.array_split(order, 5)]
""": "share of defects",
    },
)
def exercise_8_2(answer):
    import numpy as np

    rng = np.random.default_rng()
    for towns, machines, shots in (
        (("oslo", "berlin"), 20, 15),
        (("rome", "new-york", "bonn"), 12, 11),
    ):
        names = [
            (f"{town}-{machine}", f"{town}-{machine}-{shot:04}.png")
            for town in towns
            for machine in range(1, machines + 1)
            for shot in range(shots)
        ]
        rate = dict(
            zip(
                dict.fromkeys(machine for machine, _ in names),
                np.linspace(0.05, 0.65, len(towns) * machines),
                strict=True,
            )
        )
        rng.shuffle(names)
        groups = np.array([machine for machine, _ in names])
        y = np.array([rng.random() < rate[machine] for machine in groups]).astype(int)
        folds = answer([name for _, name in names], y.copy())
        if fault := _fault_in_folds(folds, groups, y):
            return fault


def _fault_in_folds(folds, groups, y):
    import numpy as np

    folds = [(np.asarray(train), np.asarray(test)) for train, test in folds]
    if len(folds) != 5:
        return f"expected five folds, got {len(folds)}."
    for train, test in folds:
        if both := set(groups[train].tolist()) & set(groups[test].tolist()):
            return f"machine {sorted(both)[0]} has photos on both sides of a split."
    tested = np.sort(np.concatenate([test for _, test in folds]))
    if not np.array_equal(tested, np.arange(len(y))):
        return "each photo should be tested exactly once, as in cross-validation."
    if not all(len(set(train) | set(test)) == len(y) for train, test in folds):
        return "some photos are in neither part of a split."
    worst = max(abs(y[test].mean() - y.mean()) for _, test in folds)
    if not worst < 0.1:
        return (
            f"the share of defects in one fold differs by {worst:.2f} from the whole; keep it "
            "alike in all folds."
        )


@exercise(
    expects="a function of a model that changes its mode",
    hints=[
        "Begin with `model.train()`, then go through `model.modules()` and correct what it did.",
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
        "def answer(model):\n    model.eval()": "whole model",
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
""": "requires_grad",
        """
def answer(model):
    model.train()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d) and not module.weight.requires_grad:
            module.momentum = 0.0
""": "momentum",
        """
def answer(model):
    model.train()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d) and not module.weight.requires_grad:
            module.track_running_stats = False
""": "track_running_stats",
        """
def answer(model):
    model.train()
    for child in model.children():
        if not any(p.requires_grad for p in child.parameters()):
            child.eval()
""": "dropout",
        """
def answer(model):
    model.train()
    for module in model.children():
        if isinstance(module, nn.BatchNorm2d) and not module.weight.requires_grad:
            module.eval()
""": "still moves in a forward pass",
    },
)
def exercise_8_3(answer):
    import torch
    from torch import nn

    for channels in (3, 5):
        for mode in (False, True):  # whatever mode it came in
            frozen, free = nn.BatchNorm2d(channels), nn.BatchNorm2d(channels)
            block = nn.Sequential(nn.Conv2d(1, channels, 1), frozen, nn.Dropout(0.5))
            model = nn.Sequential(
                nn.Sequential(block), nn.Conv2d(channels, channels, 1), free, nn.Dropout(0.5)
            ).train(mode)
            block.requires_grad_(False)
            flags = [p.requires_grad for p in model.parameters()]
            modules = list(model.modules())
            answer(model)
            if list(model.modules()) != modules:
                return "it replaces modules; change only the mode of those that are there."
            if not any(module.training for module in modules):
                return "the whole model is in evaluation mode; only frozen batch norms should be."
            if [p.requires_grad for p in model.parameters()] != flags:
                return "it changes requires_grad of some parameters; change the mode only."
            for norm in (frozen, free):
                if norm.momentum != 0.1:
                    return "it changes the momentum of a batch norm; in training mode that still normalises by the batch."
                if not norm.track_running_stats:
                    return "it changes track_running_stats, so that the running statistics are not used."
            before = frozen.running_mean.clone(), free.running_mean.clone()
            with torch.no_grad():
                model(torch.randn(4, 1, 5, 5) + 3)
            if not torch.equal(before[0], frozen.running_mean):
                return "the running mean of a frozen batch norm still moves in a forward pass."
            if not (model[3].training and block[2].training):
                return (
                    "some dropout is off: all but the frozen batch norms must be in training mode."
                )
            if torch.equal(before[1], free.running_mean):
                return "a batch norm whose weights are not frozen still learns, and must keep updating its statistics."
            others = [m for m in modules if m is not frozen and not m.training]
            if others:
                return f"{type(others[0]).__name__} is in evaluation mode; only frozen batch norms should be."


@exercise(
    expects="a function that returns a list of dicts with `params` and `lr`",
    hints=[
        "Which stage has the rate `lr`: the first one, or the one next to the head?",
        "Go through `reversed(stages)` and count: the stage with count k has the rate `lr * decay**k`.",
        "`[p for p in stage.parameters() if p.requires_grad]` are its parameters that learn.",
    ],
    solution="""
        def discriminative_groups(stages, head, lr, decay):
            groups = [{"params": list(head.parameters()), "lr": 10 * lr}]
            for k, stage in enumerate(reversed(stages)):
                params = [p for p in stage.parameters() if p.requires_grad]
                if params:
                    groups.append({"params": params, "lr": lr * decay**k})
            return groups


        answer = discriminative_groups
    """,
    wrong={
        """
def answer(stages, head, lr, decay):
    groups = [
        {"params": [p for p in s.parameters() if p.requires_grad], "lr": lr * decay**k}
        for k, s in enumerate(stages)
    ]
    return groups + [{"params": list(head.parameters()), "lr": 10 * lr}]
""": "first stage",
        """
def answer(stages, head, lr, decay):
    groups = [{"params": [p for p in s.parameters() if p.requires_grad], "lr": lr} for s in stages]
    return groups + [{"params": list(head.parameters()), "lr": 10 * lr}]
""": "same rate",
        """
def answer(stages, head, lr, decay):
    groups = [{"params": list(s.parameters()), "lr": lr * decay**k} for k, s in enumerate(reversed(stages))]
    return groups + [{"params": list(head.parameters()), "lr": 10 * lr}]
""": "frozen",
        """
def answer(stages, head, lr, decay):
    return [
        {"params": [p for p in s.parameters() if p.requires_grad], "lr": lr * decay**k}
        for k, s in enumerate(reversed(stages))
    ]
""": "head",
        """
def answer(stages, head, lr, decay):
    groups = [
        {"params": [p for p in s.parameters() if p.requires_grad], "lr": lr * decay ** (k + 1)}
        for k, s in enumerate(reversed(stages))
    ]
    return groups + [{"params": list(head.parameters()), "lr": 10 * lr}]
""": "last stage",
    },
)
def exercise_8_4(answer):
    import torch
    from torch import nn

    for n_stages, lr, decay in ((3, 0.01, 0.5), (5, 0.002, 0.7)):
        stages = [nn.Sequential(nn.Linear(4, 4), nn.ReLU()) for _ in range(n_stages)]
        stages[1] = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
        stages[1][0].requires_grad_(False)
        head = nn.Linear(4, 2)
        groups = list(answer(stages, head, lr, decay))
        parameters = [p for group in groups for p in _listed(group["params"])]
        if len(parameters) != len({id(p) for p in parameters}):
            return "some parameter stands in two groups."
        if not all(p.requires_grad for p in parameters):
            return "frozen parameters stand in a group; leave them out."
        rates = {}
        for group in answer(stages, head, lr, decay):
            rates |= {id(p): float(group["lr"]) for p in _listed(group["params"])}
        found = []
        for part in (*stages, head):
            wanted = [p for p in part.parameters() if p.requires_grad]
            if any(id(p) not in rates for p in wanted):
                which = (
                    "the head" if part is head else "a stage (first to last: 1 is the image's side)"
                )
                return f"parameters of {which} are in no group."
            found.append(rates[id(wanted[0])])
            if any(rates[id(p)] != found[-1] for p in wanted):
                return "one part has parameters with two rates."
        expected = [lr * decay**k for k in reversed(range(n_stages))]
        if abs(found[-1] - 10 * lr) > 1e-9:
            return f"the head's rate is {found[-1]:g} for lr={lr:g}; ten times lr was expected."
        if len(set(found[:-1])) == 1:
            return "all stages have the same rate."
        if abs(found[0] - lr) < 1e-9:
            return f"the first stage, next to the image, has the rate lr={lr:g}; the last one should, and the first the smallest."
        if any(abs(a - b) > 1e-6 * b for a, b in zip(found, expected, strict=False)):
            return (
                f"for lr={lr:g} and decay={decay:g} the last stage has {found[-2]:g} and the first "
                f"{found[0]:g}; {expected[-1]:g} and {expected[0]:g} were expected."
            )
        torch.optim.AdamW(answer(stages, head, lr, decay))


def _listed(params):
    import torch

    return [params] if isinstance(params, torch.Tensor) else list(params)


@exercise(
    expects="a function of `predict_proba` and images that returns probabilities",
    hints=[
        "Images are (n, height, width): which axis is turned over by `images[:, ::-1]`, and which by `images[::-1]`?",
        "There are four versions: as it is, left to right, top to bottom, and both.",
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
def exercise_8_5(answer):
    import numpy as np

    rng = np.random.default_rng()
    for n, height, width, classes in ((5, 6, 8, 2), (3, 7, 7, 4)):
        images = rng.integers(0, 256, (n, height, width), dtype=np.uint8)
        weights = rng.normal(size=(classes, height, width)) / 1000

        def predict_proba(x, weights=weights):
            z = np.einsum("nhw,khw->nk", np.asarray(x, dtype=float), weights)
            z = np.exp(z - z.max(axis=1, keepdims=True))
            return z / z.sum(axis=1, keepdims=True)

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
        alone = np.concatenate([answer(predict_proba, images[k : k + 1].copy()) for k in range(n)])
        if not np.allclose(given, alone, atol=1e-6):
            return "it turns over the order of the images: the first axis counts images, leave it alone."
        if not np.allclose(given, right, atol=1e-6):
            return "it is not the mean of the probabilities of the four versions."


@exercise(
    expects="a function of a network, one of its layers and images that returns a tensor (n, channels)",
    hints=[
        "`layer.register_forward_hook(f)` calls `f(module, inputs, output)` in every forward pass.",
        "Let the hook append its output to a list, then call `network(X)`.",
        "Average over height and width with `output.mean(dim=(2, 3))`, and call `remove()` on the hook's handle.",
    ],
    solution="""
        def features_at(network, layer, X):
            outputs = []
            handle = layer.register_forward_hook(lambda module, inputs, output: outputs.append(output))
            try:
                with torch.no_grad():
                    network(X)
            finally:
                handle.remove()
            return outputs[0].mean(dim=(2, 3))


        answer = features_at
    """,
    wrong={
        "def answer(network, layer, X):\n    with torch.no_grad():\n        return network(X)": "at the very end",
        """
def answer(network, layer, X):
    outputs = []
    layer.register_forward_hook(lambda m, inputs, output: outputs.append(output))
    with torch.no_grad():
        network(X)
    return outputs[0].mean(dim=(2, 3))
""": "hook stays",
        """
def answer(network, layer, X):
    outputs = []
    handle = layer.register_forward_hook(lambda m, inputs, output: outputs.append(output))
    with torch.no_grad():
        network(X)
    handle.remove()
    return outputs[0].flatten(1)
""": "every position",
        """
def answer(network, layer, X):
    outputs = []
    handle = layer.register_forward_hook(lambda m, inputs, output: outputs.append(output))
    with torch.no_grad():
        network(X)
    handle.remove()
    return outputs[0].amax(dim=(2, 3))
""": "largest",
        """
def answer(network, layer, X):
    outputs = []
    handle = layer.register_forward_hook(lambda m, inputs, output: outputs.append(inputs[0]))
    with torch.no_grad():
        network(X)
    handle.remove()
    return outputs[0].mean(dim=(2, 3))
""": "inputs",
        """
def answer(network, layer, X):
    outputs = []
    handle = layer.register_forward_hook(lambda m, inputs, output: outputs.append(output))
    network.requires_grad_(False).train()(X)
    handle.remove()
    return outputs[0].mean(dim=(2, 3))
""": "mode",
    },
)
def exercise_8_6(answer):
    import torch
    from torch import nn

    for channels, position in ((5, 2), (7, 1)):
        stages = [nn.Sequential(nn.Conv2d(3, channels, 3), nn.BatchNorm2d(channels), nn.ReLU())]
        for _ in range(3):
            stages.append(nn.Sequential(nn.Conv2d(channels, channels, 3), nn.ReLU()))
        network = nn.Sequential(*stages, nn.AdaptiveAvgPool2d(1), nn.Flatten()).eval()
        layer, X = network[position], torch.randn(3, 3, 16, 16)
        with torch.no_grad():
            before, output, end = network[:position](X), network[: position + 1](X), network(X)
        right = output.mean(dim=(2, 3))
        given = torch.as_tensor(answer(network, layer, X.clone())).detach().float()
        if any(module._forward_hooks for module in network.modules()):
            return "the hook stays on the network: each call would leave another one, so remove it."
        if any(module.training for module in network.modules()):
            return "it changes the mode of the network and leaves it so."
        if not all(p.requires_grad for p in network.parameters()):
            return "it changes requires_grad of the network's parameters and leaves it so."
        if given.shape == output.flatten(1).shape:
            return "it gives a number for every position; average over height and width."
        if given.shape != right.shape:
            return f"expected a row for each image and a column for each channel, shape {tuple(right.shape)}, got {tuple(given.shape)}."
        if torch.allclose(given, end, atol=1e-5):
            return "these are the features at the very end; the output of `layer` is asked for."
        if torch.allclose(given, output.amax(dim=(2, 3)), atol=1e-5):
            return "it takes the largest value of each channel; take the mean."
        if torch.allclose(given, before.mean(dim=(2, 3)), atol=1e-5):
            return "these are the inputs of `layer`; its output is asked for."
        if not torch.allclose(given, right, atol=1e-5):
            return "the numbers are not the means of the channels of `layer`'s output."


@exercise(
    expects="a function of a path, a model, a transform and class names that returns a name and a probability",
    hints=[
        "`Image.open(path)` gives what the transform takes. How many dimensions does a batch of one image have?",
        "`model.eval()` comes before the prediction, `softmax(dim=1)` after it.",
        "`probabilities.max(dim=1)` returns the largest value and its column.",
    ],
    solution="""
        def predict_file(path, model, transform, classes):
            X = transform(Image.open(path)).unsqueeze(0)
            with torch.inference_mode():
                probability, index = model.eval()(X).softmax(dim=1).max(dim=1)
            return classes[index.item()], probability.item()


        answer = predict_file
    """,
    wrong={
        """
def answer(path, model, transform, classes):
    with torch.inference_mode():
        p, index = model(transform(Image.open(path)).unsqueeze(0)).softmax(dim=1).max(dim=1)
    return classes[index.item()], p.item()
""": "training mode",
        """
def answer(path, model, transform, classes):
    with torch.inference_mode():
        p, index = model.eval()(transform(Image.open(path)).unsqueeze(0)).max(dim=1)
    return classes[index.item()], p.item()
""": "logit",
        """
def answer(path, model, transform, classes):
    with torch.inference_mode():
        p, index = model.eval()(transform(Image.open(path)).unsqueeze(0)).softmax(dim=1).max(dim=1)
    return index.item(), p.item()
""": "name of the class",
        """
def answer(path, model, transform, classes):
    with torch.inference_mode():
        p, index = model.eval()(transform(Image.open(path)).unsqueeze(0)).softmax(dim=0).max(dim=1)
    return classes[index.item()], p.item()
""": "over the classes",
        """
def answer(path, model, transform, classes):
    X = torch.as_tensor(np.array(Image.open(path)))[None, None].expand(-1, 3, -1, -1).float()
    with torch.inference_mode():
        p, index = model.eval()(X).softmax(dim=1).max(dim=1)
    return classes[index.item()], p.item()
""": "the transform",
    },
)
def exercise_8_7(answer):
    import tempfile
    from pathlib import Path

    import numpy as np
    import torch
    from PIL import Image
    from torch import nn

    def transform(photo):
        called.append(photo)
        return torch.as_tensor(np.array(photo), dtype=torch.float32).expand(3, -1, -1) / 255

    for classes, size in ((["intact", "broken"], 12), (["cat", "dog", "bird"], 9)):
        called = []
        model = nn.Sequential(
            nn.BatchNorm2d(3), nn.Flatten(), nn.Dropout(0.5), nn.Linear(3 * size**2, len(classes))
        )
        nn.init.normal_(model[3].weight, std=0.05)
        pixels = np.random.default_rng().integers(0, 256, (size, size), dtype=np.uint8)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "photo.png"
            Image.fromarray(pixels).save(path)
            X = transform(Image.open(path))[None]
            with torch.inference_mode():
                logits = model.eval()(X)
            right, index = logits.softmax(dim=1).max(dim=1)
            called.clear()
            found = answer(path, model.train(), transform, list(classes))
        if isinstance(found, str) or len(found) != 2:
            return "expected two things, the name of the class and its probability."
        name, probability = found
        if not called:
            return "the photo has not gone through the transform."
        if not isinstance(name, str):
            return f"expected the name of the class, such as {classes[0]!r}, got {type(name).__name__}."
        probability = float(probability)
        expected = float(right)
        if abs(probability - float(logits.max())) < 1e-5:
            return "the second value is the largest logit, not a probability."
        if probability == 1.0 and expected < 1 - 1e-6:
            return "the probability is 1 whatever the photo; softmax goes over the classes, dimension 1 of a batch."
        if name != classes[int(index)] or abs(probability - expected) > 1e-5:
            mode = " The model came in training mode." if model.training else ""
            return f"got {name!r} with {probability:.3f}; expected {classes[int(index)]!r} with {expected:.3f}.{mode}"
