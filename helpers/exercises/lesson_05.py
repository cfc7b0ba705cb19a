"""Exercises of lesson 5, neural networks with nn.Module."""

from helpers.exercises import exercise


def _digits():
    """The lesson's three parts as images (n, 1, 8, 8) in float32, and their labels."""
    import torch
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    digits = load_digits()
    images = torch.tensor(digits.images / 16, dtype=torch.float32).unsqueeze(1)
    labels = torch.tensor(digits.target)
    X_rest, X_test, y_rest, y_test = train_test_split(
        images, labels, test_size=400, stratify=labels, random_state=0
    )
    X_train, X_valid, y_train, y_valid = train_test_split(
        X_rest, y_rest, test_size=397, stratify=y_rest, random_state=0
    )
    return X_train, X_valid, X_test, y_train, y_valid, y_test


@exercise(
    expects="a function of logits and labels",
    hints=[
        "The logarithm of a softmax is the logit minus the logarithm of the sum of the exponentials of its row.",
        "`torch.logsumexp(logits, dim=1)` computes that logarithm without ever forming a number like exp(1000).",
        "Pick the true class's logit with `logits[torch.arange(len(y)), y]`, subtract, take the mean.",
    ],
    solution="""
        def cross_entropy(logits, y):
            given_to_truth = logits[torch.arange(len(y)), y]
            return (torch.logsumexp(logits, dim=1) - given_to_truth).mean()


        answer = cross_entropy
    """,
    wrong={
        "answer = cross_entropy": "large logits",
        "def answer(logits, y):\n    return -logits.log_softmax(dim=1)[torch.arange(len(y)), y].sum()": "mean",
        "def answer(logits, y):\n    return -logits.log_softmax(dim=0)[torch.arange(len(y)), y].mean()": "other samples",
        "def answer(logits, y):\n    return -logits.log_softmax(dim=1)[:, y].mean()": "every pair",
        "def answer(logits, y):\n    return logits.log_softmax(dim=1)[torch.arange(len(y)), y].mean()": "sign",
        "def answer(logits, y):\n    return -logits.log_softmax(dim=1)[torch.arange(len(y)), y].mean().item()": (
            "no gradient"
        ),
        "def answer(logits, y):\n    return torch.tensor(F.cross_entropy(logits, y).item(), requires_grad=True)": (
            "fresh tensor"
        ),
        "def answer(logits, y):\n    return nn.CrossEntropyLoss()(logits.softmax(dim=1), y)": "second softmax",
    },
)
def exercise_5_1(answer):
    import torch
    from torch.nn import functional as F

    generator = torch.Generator().manual_seed(5)
    logits = torch.randn(7, 4, generator=generator, dtype=torch.float64)
    y = torch.tensor([0, 3, 1, 2, 2, 0, 3])
    right = F.cross_entropy(logits, y).item()
    given = logits.clone().requires_grad_()
    output = answer(given, y)
    value = float(output)
    pairs = logits.log_softmax(dim=1)[:, y]
    mistakes = {
        7 * right: "it adds up the losses of the samples; take their mean.",
        -right: "the sign is turned over: a loss is positive and small when the network is right.",
        -pairs.mean().item(): "it takes every pair of a row and a label; pick one number from each row.",
        F.cross_entropy(
            logits.softmax(dim=1), y
        ).item(): "it applies a second softmax to probabilities.",
    }
    across = logits.log_softmax(dim=0)[torch.arange(7), y]
    mistakes[-across.mean().item()] = (
        "it normalises over the other samples of the batch; the classes are the second direction."
    )
    if not abs(value - right) < 1e-4:
        for mistake, reason in mistakes.items():
            if abs(value - mistake) < 1e-4:
                return reason
        return "on ordinary logits it differs from the cross-entropy of section 5.6."
    if not (isinstance(output, torch.Tensor) and output.requires_grad):
        return "its result has no gradient behind it: stay with tensors up to the end."
    output.backward()
    if given.grad is None:
        return "its gradient does not reach the logits: the number was put into a fresh tensor."
    expected = (logits.softmax(dim=1) - F.one_hot(y, 4)) / 7
    if not torch.allclose(given.grad, expected, atol=1e-4):
        return "the loss is right, but its gradient is not that of the cross-entropy."
    wide = torch.randn(3, 6, generator=generator)
    y_wide = torch.tensor([5, 0, 2])
    if not abs(float(answer(wide, y_wide)) - F.cross_entropy(wide, y_wide).item()) < 1e-4:
        return "with another number of samples and classes it differs from the cross-entropy."
    large = torch.tensor([[1000.0, 0.0, -1000.0], [0.0, 1000.0, 0.0]])
    if not abs(float(answer(large, torch.tensor([1, 1]))) - 500) < 1e-2:
        return "with large logits, such as 1000, the result is not right: the exponential overflows or underflows."


@exercise(
    expects="a function like `train_one_epoch`",
    hints=[
        "Compare the function with the five moves of section 5.9, line by line. Four lines are wrong or missing.",
        "Which mode? What does the loss want, logits or probabilities? Are the old gradients forgotten?",
        "The last fault is in the return value: the batches need not be of the same size.",
    ],
    solution="""
        def train_epoch(model, loader, loss_fn, optimizer):
            model.train()
            total, count = 0.0, 0
            for X, y in loader:
                loss = loss_fn(model(X), y)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                total += loss.item() * len(y)
                count += len(y)
            return total / count


        answer = train_epoch
    """,
    wrong={
        "answer = train_epoch": "evaluation mode",
        """
def answer(model, loader, loss_fn, optimizer):
    model.train()
    total = 0.0
    for X, y in loader:
        optimizer.zero_grad()
        loss = loss_fn(model(X).softmax(dim=1), y)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(y)
    return total / len(loader.dataset)
""": "probabilities",
        """
def answer(model, loader, loss_fn, optimizer):
    model.train()
    optimizer.zero_grad()
    total = 0.0
    for X, y in loader:
        loss = loss_fn(model(X), y)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(y)
    return total / len(loader.dataset)
""": "add up",
        """
def answer(model, loader, loss_fn, optimizer):
    model.train()
    total = 0.0
    for X, y in loader:
        loss = loss_fn(model(X), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item()
    return total / len(loader)
""": "smaller last batch",
        """
def answer(model, loader, loss_fn, optimizer):
    model.train()
    total = 0.0
    for X, y in loader:
        loss = loss_fn(model(X), y)
        loss.backward()
        optimizer.zero_grad()
        optimizer.step()
        total += loss.item() * len(y)
    return total / len(loader.dataset)
""": "did not change",
        """
def answer(model, loader, loss_fn, optimizer):
    model.train()
    for X, y in loader:
        loss = loss_fn(model(X), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return loss.item()
""": "last batch only",
    },
)
def exercise_5_2(answer):
    import copy

    import torch
    from torch import nn
    from torch.utils.data import DataLoader, TensorDataset

    X_train, *_, y_train, _, _ = _digits()
    X, y = X_train[:100].flatten(1), y_train[:100]
    loader = DataLoader(TensorDataset(X, y), batch_size=48)  # 48, 48 and 4
    loss_fn = nn.CrossEntropyLoss()
    modes = []

    class Spy(nn.Module):
        def forward(self, X):
            if torch.is_grad_enabled():  # not when somebody only looks at a batch
                modes.append(self.training)
            return X

    start = nn.Sequential(Spy(), nn.Linear(64, 10))
    with torch.no_grad():
        start[1].weight.copy_(torch.linspace(-1, 1, 640).reshape(10, 64).sin() / 8)
        start[1].bias.zero_()

    def run(epoch):
        model = copy.deepcopy(start).eval()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
        return epoch(model, optimizer), model[1].weight.detach()

    def reference(model, optimizer, *, softmax=False, accumulate=False):
        losses = []
        for X_batch, y_batch in loader:
            output = model(X_batch)
            loss = loss_fn(output.softmax(dim=1) if softmax else output, y_batch)
            if not accumulate:
                optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        return losses

    losses, right = run(reference)
    _, with_softmax = run(lambda m, o: reference(m, o, softmax=True))
    _, accumulated = run(lambda m, o: reference(m, o, accumulate=True))
    _, both = run(lambda m, o: reference(m, o, softmax=True, accumulate=True))
    modes.clear()
    returned, weight = run(lambda m, o: answer(m, loader, loss_fn, o))

    def same(a):
        return torch.allclose(weight, a, atol=1e-5)

    if not all(modes):
        return "it trains in evaluation mode, so dropout and batch norm are off: which mode comes first?"
    if len(modes) < 3:
        return "it does not use every batch of the loader."
    if same(start[1].weight):
        return "the weights did not change: look at the order of zero_grad, backward and step."
    if same(with_softmax) or same(both):
        return "the loss is given probabilities; which of the two does it expect?"
    if same(accumulated):
        return "the gradients of the batches add up: where are the old ones forgotten?"
    if not same(right):
        return "after one epoch the weights differ from those of the loop in section 5.9."
    returned = float(returned)
    if abs(returned - losses[-1]) < 1e-5:
        return "it returns the loss of the last batch only."
    if abs(returned - sum(losses) / 3) < 1e-5:
        return "the returned loss gives the images of a smaller last batch too much weight."
    if not abs(returned - (48 * losses[0] + 48 * losses[1] + 4 * losses[2]) / 100) < 1e-5:
        return "the weights are right, but the returned number is not the mean loss of a sample."


@exercise(
    expects="a function `resume(path, model, optimizer, scheduler)`",
    hints=[
        "`load_checkpoint` in section 5.10 does nearly the same with other names.",
        "Each of the three parts has `load_state_dict`; the generator has `torch.set_rng_state`.",
        "Three finished epochs mean that the next is the fourth.",
    ],
    solution="""
        def resume(path, model, optimizer, scheduler):
            saved = torch.load(path, map_location="cpu", weights_only=True)
            model.load_state_dict(saved["model"])
            optimizer.load_state_dict(saved["optimizer"])
            scheduler.load_state_dict(saved["scheduler"])
            torch.set_rng_state(saved["random"])
            return saved["epoch"] + 1


        answer = resume
    """,
    wrong={
        """
def answer(path, model, optimizer, scheduler):
    saved = torch.load(path, weights_only=True)
    model.load_state_dict(saved["model"])
    torch.set_rng_state(saved["random"])
    return saved["epoch"] + 1
""": "optimizer's state",
        """
def answer(path, model, optimizer, scheduler):
    saved = torch.load(path, weights_only=True)
    optimizer.load_state_dict(saved["optimizer"])
    scheduler.load_state_dict(saved["scheduler"])
    torch.set_rng_state(saved["random"])
    return saved["epoch"] + 1
""": "model's weights",
        """
def answer(path, model, optimizer, scheduler):
    saved = torch.load(path, weights_only=True)
    model.load_state_dict(saved["model"])
    optimizer.load_state_dict(saved["optimizer"])
    torch.set_rng_state(saved["random"])
    return saved["epoch"] + 1
""": "scheduler",
        """
def answer(path, model, optimizer, scheduler):
    saved = torch.load(path, weights_only=True)
    model.load_state_dict(saved["model"])
    optimizer.load_state_dict(saved["optimizer"])
    scheduler.load_state_dict(saved["scheduler"])
    return saved["epoch"] + 1
""": "random",
        """
def answer(path, model, optimizer, scheduler):
    saved = torch.load(path, weights_only=True)
    model.load_state_dict(saved["model"])
    optimizer.load_state_dict(saved["optimizer"])
    scheduler.load_state_dict(saved["scheduler"])
    torch.set_rng_state(saved["random"])
    return saved["epoch"]
""": "finished epochs",
        """
def answer(path, model, optimizer, scheduler):
    saved = torch.load(path, weights_only=False)
    model.load_state_dict(saved["model"])
    optimizer.load_state_dict(saved["optimizer"])
    scheduler.load_state_dict(saved["scheduler"])
    torch.set_rng_state(saved["random"])
    return saved["epoch"] + 1
""": "could run code",
    },
)
def exercise_5_3(answer):
    import pickle
    import tempfile
    from pathlib import Path

    import torch

    with tempfile.TemporaryDirectory() as folder, torch.random.fork_rng(devices=[]):
        path = Path(folder) / "checkpoint.pt"
        for sizes, epochs in (((6, 5, 3), 2), ((4, 9, 2), 5)):
            if fault := _resumed_badly(answer, path, sizes, epochs):
                return fault
        run = _run(sizes)
        states = {name: part.state_dict() for name, part in run.items()}
        states |= {"random": torch.get_rng_state(), "epoch": 1, "note": _Note()}
        torch.save(states, path)
        try:
            answer(path, *_run(sizes).values())
        except pickle.UnpicklingError:
            return None
        return "it reads a file that could run code: what tells `torch.load` to refuse one?"


class _Note:
    """Something that is neither a tensor nor a plain container, as code in a file would be."""


def _run(sizes):
    import torch
    from torch import nn

    n_in, n_hidden, n_out = sizes
    model = nn.Sequential(
        nn.Linear(n_in, n_hidden), nn.Tanh(), nn.Dropout(0.5), nn.Linear(n_hidden, n_out)
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.8)
    return {"model": model, "optimizer": optimizer, "scheduler": scheduler}


def _epoch(run, X):
    loss = (run["model"](X) ** 2).mean()
    run["optimizer"].zero_grad()
    loss.backward()
    run["optimizer"].step()
    run["scheduler"].step()


def _resumed_badly(answer, path, sizes, epochs):
    import torch

    run = _run(sizes)
    X = torch.randn(20, sizes[0])
    for _ in range(epochs):
        _epoch(run, X)
    states = {name: part.state_dict() for name, part in run.items()}
    random = torch.get_rng_state()
    torch.save({**states, "random": random, "epoch": epochs}, path)
    saved = torch.load(path, weights_only=True)
    torch.manual_seed(epochs)
    fresh = _run(sizes)
    returned = answer(path, *fresh.values())
    weights = fresh["model"].state_dict()
    if any(not torch.equal(weights[name], value) for name, value in saved["model"].items()):
        return "the model's weights are not those of the file."
    moments = fresh["optimizer"].state_dict()["state"]
    expected = saved["optimizer"]["state"]
    if list(moments) != list(expected) or any(
        not torch.equal(moments[i][name], value)
        for i in expected
        for name, value in expected[i].items()
    ):
        return "the optimizer's state is not that of the file: Adam keeps two averages of each weight's gradients."
    if fresh["scheduler"].last_epoch != epochs:
        return "the scheduler is not where it was: the learning rate would take another course."
    if not torch.equal(torch.get_rng_state(), random):
        return "the random generator is not in the file's state, so dropout would draw other masks."
    if isinstance(returned, str | bool) or returned is None:
        return f"it must return the number of the next epoch, and returned {returned!r}."
    if int(returned) == epochs:
        return f"it returned {epochs}, the number of finished epochs; the next one is asked."
    if int(returned) != epochs + 1:
        return f"after {epochs} finished epochs it returned {returned!r}."
    return None


@exercise(
    expects="a whole number",
    hints=[
        "Section 5.3 counts the parameters of linear layers: weights, and a bias for each output.",
        "A kernel of the second convolution covers all 16 channels: 16 · 3 · 3 weights and one bias.",
        "Two poolings make 2 × 2 of 8 × 8, so the last layer has 32 · 2 · 2 inputs.",
    ],
    solution="""
        first = 16 * (1 * 3 * 3) + 16
        second = 32 * (16 * 3 * 3) + 32
        last = 10 * (32 * 2 * 2) + 10
        answer = first + second + last
    """,
    wrong={
        "answer = 16 * 9 + 32 * 16 * 9 + 10 * 128": "biases",
        "answer = 16 * 9 + 16 + 32 * 9 + 32 + 10 * 128 + 10": "all 16 channels",
        "answer = 16 * 9 + 16 + 32 * 16 * 9 + 32 + 10 * 32 * 64 + 10": "pooling",
        "answer = 16 * 9 + 16 + 32 * 16 * 9 + 32 + 10 * 32 + 10": "flattened",
    },
)
def exercise_5_4(answer):
    if isinstance(answer, str):
        return "the answer is text; a whole number is expected, without quotation marks."
    answer = float(answer)
    reasons = {
        6032: "you counted the weights but not the biases: one for each output channel and each output.",
        1770: "a kernel of the second convolution looks at all 16 channels, not at one of them.",
        25290: "the last layer does not get 8 × 8 values from each channel: think of the pooling layers.",
        9930: "the last layer does not get 4 × 4 values from each channel: there are two pooling layers.",
        5130: "the last layer gets every value of the flattened channels, not one value from each channel.",
    }
    if answer in reasons:
        return reasons[answer]
    if answer != 6090:
        return "count layer by layer: weights are outputs times what each output looks at, plus a bias for each output."


@exercise(
    expects="a class of networks that read names",
    hints=[
        "The two directions give 2 × n_hidden numbers for each letter: that is the error.",
        "`pack_padded_sequence`, as in section 5.19, keeps both directions out of the padding.",
        "The direction from right to left has read the whole name at the *first* letter, not at the last. "
        "The layer's second result, of shape (2, n, n_hidden), holds the final state of each direction.",
    ],
    solution="""
        class TwoWays(nn.Module):
            def __init__(self, n_codes, n_classes, n_hidden=32):
                super().__init__()
                self.letters = nn.Embedding(n_codes, 16)
                self.gru = nn.GRU(16, n_hidden, batch_first=True, bidirectional=True)
                self.output = nn.Linear(2 * n_hidden, n_classes)

            def forward(self, X):
                lengths = (X > 0).sum(dim=1).cpu()
                packed = pack_padded_sequence(
                    self.letters(X), lengths, batch_first=True, enforce_sorted=False
                )
                _, last = self.gru(packed)
                return self.output(torch.cat([last[0], last[1]], dim=1))


        answer = TwoWays
    """,
    wrong={
        "answer = TwoWays": "fails on a batch",
        "answer = TwoWays(48, 10)": "class itself",
        """
class Mended(TwoWays):
    def __init__(self, n_codes, n_classes, n_hidden=32):
        super().__init__(n_codes, n_classes, n_hidden)
        self.output = nn.Linear(2 * n_hidden, n_classes)
answer = Mended
""": "padded further",
        """
class Mended(TwoWays):
    def __init__(self, n_codes, n_classes, n_hidden=32):
        super().__init__(n_codes, n_classes, n_hidden)
        self.output = nn.Linear(2 * n_hidden, n_classes)
    def forward(self, X):
        states, _ = self.gru(self.letters(X))
        return self.output(states[torch.arange(len(X)), (X > 0).sum(dim=1) - 1])
answer = Mended
""": "begins in the padding",
        """
class Mended(TwoWays):
    def __init__(self, n_codes, n_classes, n_hidden=32):
        super().__init__(n_codes, n_classes, n_hidden)
        self.output = nn.Linear(2 * n_hidden, n_classes)
    def forward(self, X):
        lengths = (X > 0).sum(dim=1)
        packed = pack_padded_sequence(self.letters(X), lengths, batch_first=True, enforce_sorted=False)
        states, _ = nn.utils.rnn.pad_packed_sequence(self.gru(packed)[0], batch_first=True)
        return self.output(states[torch.arange(len(X)), lengths - 1])
answer = Mended
""": "only one letter",
        """
class Mended(TwoWays):
    def __init__(self, n_codes, n_classes, n_hidden=32):
        super().__init__(n_codes, n_classes, n_hidden)
        self.gru = nn.GRU(16, n_hidden, batch_first=True)
    def forward(self, X):
        lengths = (X > 0).sum(dim=1)
        packed = pack_padded_sequence(self.letters(X), lengths, batch_first=True, enforce_sorted=False)
        return self.output(self.gru(packed)[1][0])
answer = Mended
""": "one direction",
        """
class Mended(TwoWays):
    def __init__(self, n_codes, n_classes, n_hidden=32):
        super().__init__(n_codes, n_classes, n_hidden)
        self.output = nn.Linear(2 * n_hidden, n_classes)
    def forward(self, X):
        lengths = (X > 0).sum(dim=1)
        packed = pack_padded_sequence(self.letters(X), lengths, batch_first=True)
        return self.output(torch.cat(list(self.gru(packed)[1]), dim=1))
answer = Mended
""": "sorted by length",
        """
class Mended(TwoWays):
    def __init__(self, n_codes, n_classes, n_hidden=32):
        super().__init__(n_codes, n_classes, n_hidden)
        self.output = nn.Linear(16, n_classes)
    def forward(self, X):
        mask = (X > 0)[:, :, None]
        return self.output((self.letters(X) * mask).sum(dim=1) / mask.sum(dim=1))
answer = Mended
""": "order of the letters",
        """
class Mended(TwoWays):
    def __init__(self, n_codes, n_classes, n_hidden=32):
        super().__init__(n_codes, n_classes, n_hidden)
        self.output = nn.Linear(2 * n_hidden, n_classes)
    def forward(self, X):
        lengths = (X > 0).sum(dim=1)
        packed = pack_padded_sequence(self.letters(X), lengths, batch_first=True, enforce_sorted=False)
        return self.output(torch.cat(list(self.gru(packed)[1]), dim=1)).softmax(dim=1)
answer = Mended
""": "probabilities",
    },
)
def exercise_5_5(answer):
    from torch import nn

    if isinstance(answer, nn.Module):
        return "the answer must be the class itself, not an object of it: write its name without parentheses."
    for seed, n_codes, n_classes, width in ((0, 30, 10, 12), (1, 9, 4, 7)):
        if fault := _wrong_reader(answer, seed, n_codes, n_classes, width):
            return fault


def _wrong_reader(answer, seed, n_codes, n_classes, width):
    """What is wrong with a class of networks that read padded names from both sides."""
    import numpy as np
    import torch
    from torch import nn
    from torch.nn import functional as F

    rng = np.random.default_rng(seed)
    X = torch.zeros(6, width, dtype=torch.long)
    for row, length in zip(X, (3, width, 1, 4, 5, 2), strict=True):
        row[:length] = torch.tensor(rng.permutation(np.arange(2, n_codes))[:length])
    model = answer(n_codes, n_classes, n_hidden=8).eval()
    kept = X.clone()
    try:
        with torch.no_grad():
            output = model(X)
    except RuntimeError as error:
        if "enforce_sorted" in str(error):
            return "it takes only batches that are sorted by length: look at `enforce_sorted`."
        return f"it fails on a batch of names: {error}"
    if not torch.equal(X, kept):
        return "it changed the names that it was given."
    if tuple(output.shape) != (6, n_classes):
        return f"for six names and {n_classes} classes the logits must have the shape (6, {n_classes}), yours have {tuple(output.shape)}."
    if torch.allclose(output.sum(dim=1), torch.ones(6), atol=1e-4):
        return "it returns probabilities, and CrossEntropyLoss wants logits."

    def same(one, other):
        return torch.allclose(one, other, atol=1e-5)

    def logits_of(changed):
        with torch.no_grad():
            return model(changed)

    layers = [m for m in model.modules() if isinstance(m, nn.RNNBase)]
    two_ways = len(layers) == 1 and layers[0].bidirectional

    def logits_of_one_way(changed, *, reverse):
        """With the other direction silenced, if both are in one layer."""
        saved = {name: p.detach().clone() for name, p in layers[0].named_parameters()}
        with torch.no_grad():
            for name, parameter in layers[0].named_parameters():
                if name.endswith("_reverse") != reverse:
                    parameter.zero_()
            output = model(changed)
            for name, parameter in layers[0].named_parameters():
                parameter.copy_(saved[name])
        return output

    wider = F.pad(X, (0, 4))
    if not same(output, logits_of(wider)):
        if two_ways and same(*(logits_of_one_way(Z, reverse=False) for Z in (X, wider))):
            return "the direction from right to left begins in the padding, so longer rows change the logits."
        return "the logits of a name change when its row is padded further: the padding is read."
    for i, length in enumerate((X > 0).sum(dim=1)):
        if not same(output[i : i + 1], logits_of(X[i : i + 1, :length])):
            return "a name alone gets other logits than in a batch."
    turned = X[1:2].flip(1)
    if same(output[1:2], logits_of(turned)):
        return "the order of the letters makes no difference."
    if len(layers) == 1 and not two_ways:
        return "it reads in one direction only."
    for reverse, place in ((True, 0), (False, width - 1)) if two_ways else ():
        changed = X[1:2].clone()
        changed[0, place] = 1
        if same(*(logits_of_one_way(Z, reverse=reverse) for Z in (X[1:2], changed))):
            way = "right to left" if reverse else "left to right"
            return f"the direction from {way} has read only one letter where you take its state."


@exercise(
    expects="a class of networks",
    hints=[
        "Make an object and look: how many parameters does it have? What shape comes out for five images?",
        "Sections 5.4 (layers in a list) and 5.7 (two modes) are about two of the bugs; `flatten` is the third.",
        "`nn.ModuleList` for the layers, `flatten(1)`, and `F.dropout(X, self.dropout, self.training)`.",
    ],
    solution="""
        class Digit(nn.Module):
            def __init__(self, hidden=(64, 32), dropout=0.5):
                super().__init__()
                sizes = [64, *hidden]
                pairs = zip(sizes, sizes[1:])
                self.hidden = nn.ModuleList(nn.Linear(n_in, n_out) for n_in, n_out in pairs)
                self.output = nn.Linear(sizes[-1], 10)
                self.dropout = nn.Dropout(dropout)

            def forward(self, X):
                X = X.flatten(1)
                for layer in self.hidden:
                    X = self.dropout(layer(X).relu())
                return self.output(X)


        answer = Digit
    """,
    wrong={
        "answer = Digit": "flattens",
        """
class Mended(Digit):
    def forward(self, X):
        X = X.flatten(1)
        for layer in self.hidden:
            X = F.dropout(layer(X).relu(), self.dropout)
        return self.output(X)
answer = Mended
""": "hidden layers are not among",
        """
class Mended(Digit):
    def __init__(self, hidden=(64, 32), dropout=0.5):
        super().__init__(hidden, dropout)
        self.hidden = nn.ModuleList(self.hidden)
    def forward(self, X):
        X = X.flatten(1)
        for layer in self.hidden:
            X = F.dropout(layer(X).relu(), self.dropout)
        return self.output(X)
answer = Mended
""": "even after eval()",
        """
class Mended(Digit):
    def __init__(self, hidden=(64, 32), dropout=0.5):
        super().__init__(hidden, dropout)
        self.hidden = nn.ModuleList(self.hidden)
    def forward(self, X):
        X = X.flatten(1)
        for layer in self.hidden:
            X = layer(X).relu()
        return self.output(X)
answer = Mended
""": "dropout is gone",
        "answer = Digit()": "class itself",
        """
class Mended(Digit):
    def __init__(self, hidden=(64, 32), dropout=0.5):
        super().__init__(hidden, dropout)
        self.hidden = nn.ModuleList(self.hidden)
    def forward(self, X):
        X = X.flatten(1)
        for layer in self.hidden:
            X = F.dropout(layer(X), self.dropout, self.training)
        return self.output(X)
answer = Mended
""": "ReLU behind each",
        """
class Mended(Digit):
    def __init__(self, hidden=(64, 32), dropout=0.5):
        super().__init__(hidden, dropout)
        self.hidden = nn.ModuleList(self.hidden)
    def forward(self, X):
        X = X.flatten(1)
        for layer in self.hidden:
            X = layer(X).relu()
        return self.output(F.dropout(X, self.dropout, self.training))
answer = Mended
""": "once behind each",
        """
class Mended(Digit):
    def __init__(self, hidden=(64, 32), dropout=0.5):
        super().__init__(hidden, dropout)
        self.hidden = nn.ModuleList(self.hidden)
    def forward(self, X):
        X = X.flatten(1)
        for layer in self.hidden:
            X = layer(X).relu()
        return F.dropout(self.output(X), self.dropout, self.training)
answer = Mended
""": "only the last bias",
    },
)
def exercise_5_6(answer):
    import torch
    from torch import nn

    if isinstance(answer, nn.Module):
        return "the answer must be the class itself, not an object of it: write its name without parentheses."
    X = _digits()[0][:5]
    try:
        model = answer(hidden=(20, 12), dropout=0.5)
        output = model.train()(X)
    except RuntimeError as error:
        if "shape" in str(error) or "size" in str(error):
            return "it fails on a batch of five images: it flattens the whole batch into one row, not each image."
        raise
    if tuple(output.shape) != (5, 10):
        return f"for five images the logits must have the shape (5, 10), yours have {tuple(output.shape)}."
    if sum(p.numel() for p in model.parameters()) == 12 * 10 + 10:
        return "the hidden layers are not among the parameters, so nothing would train them: how are they kept?"
    expected = (64 * 20 + 20) + (20 * 12 + 12) + (12 * 10 + 10)
    if sum(p.numel() for p in model.parameters()) != expected:
        return f"with hidden=(20, 12) there must be {expected} parameters; look at the sizes of the layers."
    with torch.no_grad():
        differs = any(not torch.equal(model(X), model(X)) for _ in range(5))
        model.eval()
        settled = torch.equal(model(X), model(X))
        output = model(X)
    if not settled:
        return "the same images give other logits even after eval(): dropout must know the mode."
    if not differs:
        return "the dropout is gone: in training mode the same images must give other logits at each call."
    if torch.allclose(output.sum(dim=1), torch.ones(5), atol=1e-4):
        return "it returns probabilities, and CrossEntropyLoss wants logits."
    for hidden in ((20, 12), (16,), (14, 11, 9)):
        if fault := _differs_from_plain(answer(hidden=hidden, dropout=0.5), hidden, X):
            return fault
        if fault := _wrong_dropout(answer(hidden=hidden, dropout=1.0), hidden, X):
            return fault
    if _passes(answer(hidden=(20, 12), dropout=0.0).train(), X) > 1:
        return "with dropout=0.0 nothing may be dropped, yet the logits differ from call to call."


def _weights(model, n_in, n_out):
    """The weight and the bias of the layer of this size."""
    named = dict(model.named_parameters())
    name = next(n for n, p in named.items() if tuple(p.shape) == (n_out, n_in))
    return named[name], named[name.removesuffix("weight") + "bias"]


def _differs_from_plain(model, hidden, X):
    """Compare the network in evaluation mode with linear layers and ReLU, from its own weights."""
    from itertools import pairwise

    import torch

    sizes = [64, *hidden, 10]
    model.eval()
    try:
        pairs = [_weights(model, *pair) for pair in pairwise(sizes)]
    except (StopIteration, KeyError):
        return f"with hidden={hidden} it has no linear layers of the sizes {sizes}."
    with torch.no_grad():
        for weight, bias in pairs:  # so that each activation would show
            weight.mul_(3)
            bias.normal_(generator=torch.Generator().manual_seed(len(bias)))
        expected = X.flatten(1)
        for weight, bias in pairs[:-1]:
            expected = (expected @ weight.T + bias).relu()
        expected = expected @ pairs[-1][0].T + pairs[-1][1]
        output = model(X)
    if torch.allclose(output, expected.relu(), atol=1e-3):
        return "a ReLU stands behind the logits, which may be negative."
    if not torch.allclose(output, expected, atol=1e-3):
        return (
            f"after eval(), with hidden={hidden}, its logits are not those of linear layers with "
            "a ReLU behind each hidden one."
        )


def _wrong_dropout(model, hidden, X):
    """With dropout=1.0 the last layer gets nothing but zeros: only its bias comes out."""
    from unittest.mock import patch

    import torch
    from torch.nn import functional as F

    calls, plain = [], F.dropout

    def counted(*args, **kwargs):
        calls.append(args)
        return plain(*args, **kwargs)

    with patch.object(F, "dropout", counted), torch.no_grad():
        output = model.train()(X)
    bias = _weights(model, hidden[-1], 10)[1]
    if not torch.allclose(output, bias.expand(5, 10), atol=1e-5):
        return (
            "with dropout=1.0 every hidden unit is silent while training, so only the last bias "
            "may come out; yours gives something else."
        )
    if calls and len(calls) != len(hidden):
        return (
            f"with hidden={hidden} dropout is applied {len(calls)} times; once behind each hidden "
            "layer is asked."
        )


def _passes(model, X):
    """How many different outputs three passes give."""
    import torch

    with torch.no_grad():
        outputs = [model(X) for _ in range(3)]
    return len({tuple(output.flatten().tolist()) for output in outputs})


@exercise(
    expects="a class of Datasets",
    hints=[
        "Five versions of n images: `__len__` is 5 n. From an index, `index % n` and `index // n` tell image and version.",
        "Pad the image with a border of zeros, `F.pad(image, (1, 1, 1, 1))`, then cut out 8 × 8 at another place.",
        "After padding, the cut that starts at row 1 - down and column 1 - right is the shifted image.",
    ],
    solution="""
        class ShiftedDigits(Dataset):
            moves = [(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)]

            def __init__(self, images, labels):
                self.images, self.labels = images, labels

            def __len__(self):
                return len(self.moves) * len(self.images)

            def __getitem__(self, index):
                version, i = divmod(index, len(self.images))
                return shifted(self.images[i], *self.moves[version]), self.labels[i]


        answer = ShiftedDigits
    """,
    wrong={
        "answer = Digits": "five times",
        """
class ShiftedDigits(Digits):
    moves = [(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)]
    def __len__(self):
        return 5 * len(self.images)
    def __getitem__(self, index):
        version, i = divmod(index, len(self.images))
        return self.images[i].roll(self.moves[version], dims=(1, 2)), self.labels[i]
answer = ShiftedDigits
""": "opposite edge",
        """
class ShiftedDigits(Digits):
    moves = [(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)]
    def __len__(self):
        return 5 * len(self.images)
    def __getitem__(self, index):
        version, i = divmod(index, len(self.images))
        return shifted(self.images[i], *self.moves[version]), self.labels[index // 5]
answer = ShiftedDigits
""": "label of another",
        """
class ShiftedDigits(Digits):
    moves = [(0, 0), (1, 1), (-1, 1), (1, -1), (-1, -1)]
    def __len__(self):
        return 5 * len(self.images)
    def __getitem__(self, index):
        version, i = divmod(index, len(self.images))
        return shifted(self.images[i], *self.moves[version]), self.labels[i]
answer = ShiftedDigits
""": "one direction",
        """
class ShiftedDigits(Digits):
    def __len__(self):
        return 5 * len(self.images)
    def __getitem__(self, index):
        return self.images[index % len(self.images)], self.labels[index % len(self.images)]
answer = ShiftedDigits
""": "not shifted",
    },
)
def exercise_5_7(answer):
    import torch
    from torch.nn import functional as F
    from torch.utils.data import DataLoader

    X_train, *_ = _digits()
    n = 12
    images = X_train[:n].clone()
    labels = torch.arange(n)  # a label tells which image it belongs to
    dataset = answer(images, labels)
    if len(dataset) != 5 * n:
        return (
            f"its length must be five times the number of images, {5 * n}, and is {len(dataset)}."
        )
    X, y = next(iter(DataLoader(dataset, batch_size=5 * n)))
    if tuple(X.shape) != (5 * n, 1, 8, 8):
        return f"a batch of all images must have the shape ({5 * n}, 1, 8, 8), and has {tuple(X.shape)}."
    if not torch.equal(images, X_train[:n]):
        return "it changed the images that it was given: shift a copy."

    def versions(moves, wrap=False):
        if wrap:
            return torch.stack([images.roll(move, dims=(2, 3)) for move in moves])
        padded = F.pad(images, (1, 1, 1, 1))
        return torch.stack([padded[:, :, 1 - a : 9 - a, 1 - b : 9 - b] for a, b in moves])

    straight = [(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)]
    diagonal = [(1, 1), (1, -1), (-1, 1), (-1, -1)]

    def found_in(expected):
        """For each sample, the image of which it is one of the versions, or -1."""
        match = (X[:, None, None] == expected[None]).flatten(3).all(dim=3)  # sample, move, image
        return torch.where(match.any(dim=1).any(dim=1), match.any(dim=1).int().argmax(dim=1), -1)

    source = found_in(versions(straight))
    if (source < 0).any():
        if (found_in(versions(straight, wrap=True)) >= 0).all():
            return "the pixels that leave the image come in again at the opposite edge; zeros should come in."
        if (found_in(versions(straight + diagonal)) >= 0).all():
            return "some images move diagonally: each version moves in one direction only."
        return "some samples are none of the five versions of an image; plot them and look."
    if not torch.equal(source, y.long()):
        return "some images come with the label of another image: check how you get from index to label."
    for i in range(n):
        unique = torch.unique(X[source == i].flatten(1), dim=0)
        expected = torch.unique(versions(straight)[:, i].flatten(1), dim=0)
        if len(unique) < len(expected):
            return "some versions are missing: an image comes twice, or is not shifted at all."


@exercise(
    expects="a trained network that takes images (n, 1, 8, 8)",
    hints=[
        "Section 5.17 shows which kind of layer minds a shift least. What could you show it in training besides?",
        "Train on the five versions of each training image from exercise 5.7, or shift each batch at random.",
        "`make_cnn()`, the 5,000 images, batches of 128, Adam with lr=0.01, eight epochs: nearly there. "
        "More channels help, and so does a smaller learning rate for the last epochs.",
    ],
    solution="""
        moves = [(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)]
        X_more = torch.cat([shifted(X_train, *move) for move in moves])
        y_more = y_train.repeat(5)
        seed_everything(0)
        model = nn.Sequential(
            nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(12, 24, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(96, 10),
        )
        optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
        scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=10)
        fit(
            model,
            make_loader(X_more, y_more, batch_size=128, shuffle=True),
            loss_fn=nn.CrossEntropyLoss(),
            optimizer=optimizer,
            scheduler=scheduler,
            epochs=10,
            progress=False,
        )
        answer = model
    """,
    wrong={
        'answer = trained["convolutional"]': "shifted by a pixel",
        "answer = make_cnn()": "hardly better than guessing",
        "answer = nn.Sequential(nn.Flatten(), nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 10))": "parameters",
        "answer = make_cnn": "an object",
    },
)
def exercise_5_8(answer):
    import numpy as np
    from torch import nn
    from torch.nn import functional as F

    from helpers.training import predict

    if callable(answer) and not isinstance(answer, nn.Module):
        return (
            "the answer must be an object, the trained network itself, not a function or a class."
        )
    n_parameters = sum(p.numel() for p in answer.parameters())
    if n_parameters > 6000:
        return (
            f"the network has {n_parameters:,} parameters, and 6,000 are allowed: make it smaller."
        )
    X_test, y_test = _digits()[2], _digits()[5].numpy()

    def accuracy(X):
        output = predict(answer, X)
        return (
            float((output.argmax(axis=1) == y_test).mean()) if output.shape == (400, 10) else np.nan
        )

    plain = accuracy(X_test)
    padded = F.pad(X_test, (1, 1, 1, 1))
    moves = [(1, 0), (-1, 0), (0, 1), (0, -1)]
    moved = np.mean([accuracy(padded[..., 1 - a : 9 - a, 1 - b : 9 - b]) for a, b in moves])
    if np.isnan(plain):
        return "for 400 images the logits must have the shape (400, 10)."
    if plain < 0.4:
        return f"on the test images its accuracy is {plain:.2f}, hardly better than guessing: was it trained?"
    if moved < 0.8:
        return (
            f"its accuracy is {plain:.2f}, but {moved:.2f} on images shifted by a pixel: "
            "show it such images in training."
        )
    if not (moved >= 0.93 and plain >= 0.95):
        return (
            f"nearly: {plain:.2f} on the images as they are (0.95 is asked) and {moved:.2f} on shifted "
            "ones (0.93 is asked). Train longer, or use the parameters that you have left."
        )
