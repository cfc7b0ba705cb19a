"""The exercises of lesson 1, environment."""

from helpers.exercises import exercise

VERSIONS = {  # (found, needed): is it new enough? Each with the mistake that it shows.
    ("1.6.1", "1.6.1"): (True, "the same version as needed must be new enough"),
    ("1.5", "1.6"): (False, "1.5 is older than 1.6"),
    ("3.1", "2.9"): (True, "3.1 is newer than 2.9"),
    ("10.0", "9.0"): (True, "as text, letter by letter, 10.0 comes before 9.0; compare numbers"),
    ("2.14.0", "2.9.0"): (True, "as a decimal fraction 2.14 is less than 2.9; compare part by part"),
    ("2.9.0", "2.14.0"): (False, "as a decimal fraction 2.9 is more than 2.14; compare part by part"),
    ("2.14.0", "2.14.1"): (False, "the third number counts too"),
    ("1.6", "1.6.0"): (True, "1.6 and 1.6.0 are the same version"),
    ("2.14.1+cu130", "2.14.1"): (True, "the local part behind the plus sign does not make it older"),
    ("2.14.1+cpu", "2.15"): (False, "the local part behind the plus sign does not make it newer"),
    ("1.0.0.post1", "1.0.0"): (True, "a post-release comes after its release"),
    ("1.10.0rc1", "1.10.0"): (False, "a release candidate comes before its release"),
    ("1.10.0", "1.10.0rc1"): (True, "a release candidate comes before its release"),
}  # fmt: skip


@exercise(
    expects="a function of two texts",
    hints=[
        "Section 1.2 ends with a class that knows all these cases. What does it compare?",
        "`Version(text)` can be compared with `>=`, as numbers are.",
    ],
    solution="""
        def is_new_enough(found, needed):
            return Version(found) >= Version(needed)


        answer = is_new_enough
    """,
    wrong={
        "answer = is_new_enough": "letter by letter",
        'def answer(found, needed):\n    return float(".".join(found.split(".")[:2])) >= float(".".join(needed.split(".")[:2]))': (
            "decimal fraction"
        ),
        "def answer(found, needed):\n    return Version(found) > Version(needed)": "the same version",
        "def answer(found, needed):\n    return version_tuple(found) >= version_tuple(needed)": (
            "1.6 and 1.6.0"
        ),
        "def answer(found, needed):\n    return Version(Version(found).base_version) >= Version(needed)": (
            "release candidate"
        ),
        "def answer(found, needed):\n    return Version(found.partition('+')[0]) >= Version(needed) and '+' not in found": (
            "plus sign"
        ),
    },
)
def exercise_1_1(answer):
    for (found, needed), (right, reason) in VERSIONS.items():
        call = f"is_new_enough({found!r}, {needed!r})"
        try:
            result = answer(found, needed)
        except ValueError as error:
            return f"{call} raises {error}: real versions have more than numbers and dots."
        if bool(result) != right:
            return f"{call} gives {result!r}, expected {right}: {reason}."


CASES = {
    "Ada": ("wheel", "her PyTorch has no CUDA version at all"),
    "Ben": ("driver", "his wheel needs CUDA 13, and nvidia-smi names an older version"),
    "Eva": ("code", "PyTorch sees her GPU, but nobody moved the model there"),
}


@exercise(
    expects="a dictionary from three names to texts",
    hints=[
        "Go through the questions of the table in section 1.3 for each of the three, and stop at the first no.",
        "`torch.version.cuda` is `None` in one case only. For the other two compare it with what `nvidia-smi` says.",
    ],
    solution='answer = {"Ada": "wheel", "Ben": "driver", "Eva": "code"}',
    wrong={
        'answer = {"Ada": "driver", "Ben": "driver", "Eva": "code"}': "no CUDA version at all",
        'answer = {"Ada": "wheel", "Ben": "wheel", "Eva": "code"}': "an older version",
        'answer = {"Ada": "wheel", "Ben": "code", "Eva": "code"}': "Ben is not",
        'answer = {"Ada": "wheel", "Ben": "driver", "Eva": "driver"}': "nobody moved",
        'answer = {"Ada": "wheel", "Ben": "driver"}': "names are",
        'answer = {"Ada": "wheel", "Ben": "GPU", "Eva": "code"}': "expected one of",
    },
)
def exercise_1_2(answer):
    names = sorted(str(name) for name in dict(answer))
    if names != sorted(CASES):
        return f"the names are {names}, expected {sorted(CASES)}."
    for name, (case, reason) in CASES.items():
        said = answer[name]
        if said not in ("wheel", "driver", "code"):
            return f"{name} has {said!r}, expected one of 'wheel', 'driver', 'code'."
        if said != case:
            return f"{name} is not a case of {said!r}: {reason}."


@exercise(
    expects="a function of a model and a batch",
    hints=[
        "Two questions: where does the model live, and is the batch a tensor, a list or a dictionary?",
        "`isinstance(batch, dict)` asks for the kind; a comprehension moves every part with `.to(home)`.",
    ],
    solution="""
        def move_to(model, batch):
            home = next(model.parameters()).device
            if isinstance(batch, dict):
                return {name: tensor.to(home) for name, tensor in batch.items()}
            if isinstance(batch, list):
                return [tensor.to(home) for tensor in batch]
            return batch.to(home)


        answer = move_to
    """,
    wrong={
        "def answer(model, batch):\n    return batch.to(next(model.parameters()).device)": "a list of tensors",
        "def answer(model, batch):\n    return batch": "stayed on",
        "def answer(model, batch):\n    model.to('cpu')\n    return batch": "model must stay",
        "def answer(model, batch):\n    home = model[0].weight.device\n    if isinstance(batch, dict):\n        return [v.to(home) for v in batch.values()]\n    if isinstance(batch, list):\n        return [t.to(home) for t in batch]\n    return batch.to(home)": (
            "came back as a list"
        ),
        "def answer(model, batch):\n    home = model[0].weight.device\n    if isinstance(batch, dict):\n        for name in batch:\n            batch[name] = batch[name].to(home)\n        return batch\n    if isinstance(batch, list):\n        return [t.to(home) for t in batch]\n    return batch.to(home)": (
            "came in was changed"
        ),
        "def answer(model, batch):\n    if isinstance(batch, dict):\n        return {k: v.cuda() for k, v in batch.items()}\n    if isinstance(batch, list):\n        return [t.cuda() for t in batch]\n    return batch.cuda()": (
            "names one device"
        ),
    },
)
def exercise_1_3(answer):
    import torch

    for home in ("meta", "cpu"):  # meta: on every machine a device that is not the CPU
        model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.ReLU()).to(home)
        tensors = [torch.rand(4, 3), torch.arange(4)]
        batches = {
            "a tensor": tensors[0],
            "a list of tensors": list(tensors),
            "a dictionary of tensors": dict(zip("Xy", tensors, strict=True)),
        }
        for kind, batch in batches.items():
            try:
                moved = answer(model, batch)
            except NotImplementedError as error:
                return f"the model must stay where it is; moving it raised: {error}"
            except (RuntimeError, AssertionError) as error:
                if "CUDA" in str(error) or "NVIDIA" in str(error):
                    return "it names one device, and the model may be on any: ask its parameters."
                raise
            except (AttributeError, TypeError) as error:
                return f"for {kind} your function raised {type(error).__name__}: {error}."
            if next(model.parameters()).device.type != home:
                return "the model must stay where it is, and it was moved."
            if type(moved) is not type(batch):
                return f"{kind} came back as a {type(moved).__name__}."
            if isinstance(batch, dict) and list(moved) != ["X", "y"]:
                return (
                    f"the names of the dictionary were ['X', 'y'] and came back as {list(moved)}."
                )
            came_in = _tensors_of(batch)
            if not all(a is b for a, b in zip(came_in, tensors[: len(came_in)], strict=True)):
                return f"{kind} that came in was changed: put the moved tensors into a new one."
            for old, new in zip(came_in, _tensors_of(moved), strict=True):
                if new.device.type not in (home, "cpu"):
                    return "it names one device, and the model may be on any: ask its parameters."
                if new.device.type != home:
                    return f"a tensor stayed on {new.device} while the model is on {home}."
                if new.shape != old.shape or (home == "cpu" and not torch.equal(new, old)):
                    return f"for {kind} other numbers came back than went in."


def _tensors_of(batch):
    if isinstance(batch, dict):
        return list(batch.values())
    return batch if isinstance(batch, list) else [batch]


@exercise(
    expects="a function that takes a function",
    hints=[
        "Three steps: read the state, call the function, read the state again.",
        "Compare the array by `np.array_equal(before[1], after[1])`, the numbers by "
        "`before[2:] == after[2:]`. And do not forget to put `before` back.",
    ],
    solution="""
        def disturbs(function):
            before = np.random.get_state()
            function()
            after = np.random.get_state()
            np.random.set_state(before)
            return not (np.array_equal(before[1], after[1]) and before[2:] == after[2:])


        answer = disturbs
    """,
    wrong={
        "def answer(function):\n    before = np.random.get_state()\n    function()\n    after = np.random.get_state()\n    return not (np.array_equal(before[1], after[1]) and before[2:] == after[2:])": (
            "leave the global generator"
        ),
        "def answer(function):\n    before = np.random.get_state()\n    function()\n    after = np.random.get_state()\n    np.random.set_state(before)\n    return not np.array_equal(before[1], after[1])": (
            "a single draw"
        ),
        "def answer(function):\n    before = np.random.get_state()\n    function()\n    after = np.random.get_state()\n    np.random.set_state(before)\n    return before[2] != after[2]": (
            "seeds the global generator"
        ),
        "def answer(function):\n    function()\n    return True": "a generator of its own",
        "def answer(function):\n    before = np.random.get_state()\n    function()\n    after = np.random.get_state()\n    np.random.set_state(before)\n    return before != after": (
            "one by one"
        ),
        "def answer(function):\n    before = np.random.get_state()\n    function()\n    after = np.random.get_state()\n    np.random.set_state(before)\n    return not (np.array_equal(before[1], after[1]) and before[2] == after[2])": (
            "kept in reserve"
        ),
        "def answer(function):\n    before = np.random.get_state()\n    after = np.random.get_state()\n    return not np.array_equal(before[1], after[1])": (
            "never called"
        ),
    },
)
def exercise_1_4(answer):
    import numpy as np
    from sklearn.model_selection import train_test_split

    called = []

    def reseed():
        """Seeds and draws until the place in the sequence is what it was."""
        place = np.random.get_state()[2]
        np.random.seed(np.random.randint(2**31))
        state = np.random.get_state()
        np.random.set_state((*state[:2], place, *state[3:]))

    def draw_normal():
        """The second of a pair: NumPy makes two normal numbers at once and keeps one."""
        np.random.randn()

    functions = [
        ("draws from a generator of its own", lambda: np.random.default_rng().random(9), False),
        ("only reads the state", lambda: np.random.get_state(), False),
        ("splits with random_state=0", lambda: train_test_split(range(9), random_state=0), False),
        ("makes a single draw from the global generator", lambda: np.random.rand(), True),
        ("makes a thousand draws from the global generator", lambda: np.random.rand(1000), True),
        ("splits without random_state", lambda: train_test_split(range(9)), True),
        ("seeds the global generator", reseed, True),
        ("draws a normal number that the generator kept in reserve", draw_normal, True),
    ]
    start = np.random.get_state()
    try:
        np.random.seed(int(np.random.default_rng().integers(2**31)))
        np.random.rand(7)  # a place inside the sequence, so that a single draw only moves on
        for what, function, right in functions:
            if function is draw_normal:
                np.random.randn()
            before = np.random.get_state()
            try:
                result = answer(lambda function=function: (called.append(1), function())[1])
            except ValueError as error:
                if "truth value" not in str(error):
                    raise
                return "the state holds an array: compare its elements one by one, the array with np.array_equal."
            after = np.random.get_state()
            if not called:
                return "the function that came in was never called."
            called.clear()
            if bool(result) != right:
                return f"for a function that {what} it returned {result!r}, expected {right}."
            if not np.array_equal(before[1], after[1]) or before[2:] != after[2:]:
                return f"it must leave the global generator as it was, also for a function that {what}."
    finally:
        np.random.set_state(start)


@exercise(
    expects="a number",
    hints=[
        "`groupby` makes one group for each value of a column. Which rows do you need, and which column?",
        'First the rows: `gentoo = measured[measured["species"] == "Gentoo"]`. Then '
        '`gentoo.groupby("sex")["body_mass_g"].mean()` has two numbers, in grams.',
    ],
    solution="""
        gentoo = measured[measured["species"] == "Gentoo"]
        mass = gentoo.groupby("sex")["body_mass_g"].mean()
        answer = (mass["male"] - mass["female"]) / 1000
    """,
    wrong={
        'mass = measured[measured["species"] == "Gentoo"].groupby("sex")["body_mass_g"].mean()\nanswer = mass["male"] - mass["female"]': "in grams",
        'mass = measured.groupby("sex")["body_mass_g"].mean()\nanswer = (mass["male"] - mass["female"]) / 1000': "all three species",
        'mass = measured[measured["species"] == "Gentoo"].groupby("sex")["body_mass_g"].mean()\nanswer = (mass["female"] - mass["male"]) / 1000': "the other way round",
        'mass = measured[measured["species"] == "Gentoo"].groupby("sex")["body_mass_g"].max()\nanswer = (mass["male"] - mass["female"]) / 1000': "1.10",
        "answer = np.mean([np.nan, 1.0])": "not a number",
        'answer = "0.805"': "a text",
    },
)
def exercise_1_5(answer):
    from helpers.datasets import load_penguins

    table = load_penguins().frame
    mass = table.groupby(["species", "sex"])["body_mass_g"].mean() / 1000
    right = mass["Gentoo", "male"] - mass["Gentoo", "female"]
    everyone = table.groupby("sex")["body_mass_g"].mean() / 1000
    if isinstance(answer, str):
        return f"{answer!r} is a text: give the number itself, without quotes."
    answer = float(answer)
    if answer != answer:
        return "it is nan, not a number: a missing value went into it."
    if abs(answer - 1000 * right) < 1:
        return "this is the difference in grams, and kilograms are asked."
    if abs(answer + right) < 0.006:
        return "this is the difference the other way round: the males are the heavier ones."
    if abs(answer - (everyone["male"] - everyone["female"])) < 0.006:
        return "this is the difference over all three species, and only Gentoo are asked."
    if not abs(answer - right) < 0.006:
        return f"{answer:.2f} kg is not the difference of the two means."


@exercise(
    expects="a function of a model, an array and labels",
    hints=[
        "`cross_val_score(model, X, y, cv=5)` gives five accuracies, on stratified folds for a classifier.",
        'The baseline is a model too: put `DummyClassifier(strategy="most_frequent")` through the same call.',
    ],
    solution="""
        def compare(model, X, y):
            baseline = DummyClassifier(strategy="most_frequent")
            return tuple(cross_val_score(each, X, y, cv=5).mean() for each in (model, baseline))


        answer = compare
    """,
    wrong={
        'def answer(model, X, y):\n    baseline = DummyClassifier(strategy="most_frequent").fit(X, y)\n    return model.fit(X, y).score(X, y), baseline.score(X, y)': (
            "rows that it was trained on"
        ),
        'def answer(model, X, y):\n    baseline = DummyClassifier(strategy="uniform", random_state=0)\n    return tuple(cross_val_score(each, X, y, cv=5).mean() for each in (model, baseline))': (
            "most common label"
        ),
        'def answer(model, X, y):\n    baseline = DummyClassifier(strategy="most_frequent")\n    return tuple(cross_val_score(each, X, y, cv=5).mean() for each in (baseline, model))': (
            "other way round"
        ),
        "def answer(model, X, y):\n    return cross_val_score(model, X, y, cv=5).mean()": "two numbers",
        'def answer(model, X, y):\n    baseline = DummyClassifier(strategy="most_frequent")\n    return tuple(cross_val_score(each, X, y, cv=5) for each in (model, baseline))': (
            "mean over the folds"
        ),
        'def answer(model, X, y):\n    baseline = DummyClassifier(strategy="most_frequent")\n    return tuple(cross_val_score(each, X, y, cv=10).mean() for each in (model, baseline))': (
            "trained 10 times"
        ),
        'def answer(model, X, y):\n    from sklearn.model_selection import KFold\n    baseline = DummyClassifier(strategy="most_frequent")\n    return tuple(cross_val_score(each, X, y, cv=KFold(5)).mean() for each in (model, baseline))': (
            "not stratified"
        ),
        'def answer(model, X, y):\n    baseline = DummyClassifier(strategy="most_frequent")\n    return tuple(1 - cross_val_score(each, X, y, cv=5).mean() for each in (model, baseline))': (
            "share of wrong ones"
        ),
    },
)
def exercise_1_6(answer):
    import numpy as np
    from sklearn.dummy import DummyClassifier
    from sklearn.model_selection import cross_val_score
    from sklearn.tree import DecisionTreeClassifier

    seen = []  # (rows, share of ones) of each training

    class Tree(DecisionTreeClassifier):
        def fit(self, X, y):
            seen.append((len(y), np.mean(y)))
            return super().fit(X, y)

    rng = np.random.default_rng()
    for columns, signal in ((3, 0.0), (5, 2.0)):
        y = np.sort(rng.random(1000) < 0.3).astype(int)  # 30 % ones, at the end
        X = rng.normal(size=(1000, columns)) + signal * y[:, None]
        tree = Tree(random_state=0)
        seen.clear()
        result = answer(tree, X, y)
        trained = list(seen)
        if np.ndim(result) == 2:
            return "each of the two is one number: take the mean over the folds."
        try:
            model, baseline = (float(each) for each in result)
        except (TypeError, ValueError):
            return "expected two numbers: the mean of the model and that of the baseline."
        right = cross_val_score(tree, X, y, cv=5).mean()
        common = cross_val_score(DummyClassifier(strategy="most_frequent"), X, y, cv=5).mean()
        if any(rows == len(y) for rows, _ in trained) and len(trained) == 1:
            return "the model was judged on rows that it was trained on: it saw all of them."
        if len(trained) != 5:
            return f"your model was trained {len(trained)} times; five folds train it five times."
        if any(abs(share - y.mean()) > 0.005 for _, share in trained):
            return (
                "the folds are not stratified: the share of the labels differs from fold to fold."
            )
        if abs(model - common) < 0.02 and abs(baseline - right) < 0.07:
            return "it is the other way round: first the model, then the baseline."
        if abs(model - (1 - right)) < 0.07 and abs(baseline - (1 - common)) < 0.02:
            return "this is the share of wrong ones; accuracy is the share of right ones."
        if abs(baseline - common) > 0.02:
            return (
                f"your baseline gets {baseline:.2f} where the most common label makes {common:.2f} "
                "of the rows."
            )
        if abs(model - right) > 0.07:
            return f"your model gets {model:.2f}; five stratified folds give {right:.2f}."


@exercise(
    expects="a function of an array",
    hints=[
        "The loop of section 1.9 prints the silhouettes. Keep them, and take the k with the highest.",
        "Put the scaler inside the function. A dictionary from k to silhouette has its best key at "
        "`max(scores, key=scores.get)`.",
    ],
    solution="""
        def best_k(X):
            X_scaled = StandardScaler().fit_transform(X)
            scores = {}
            for k in range(2, 9):
                groups = KMeans(k, n_init=10, random_state=0).fit_predict(X_scaled)
                scores[k] = silhouette_score(X_scaled, groups)
            return max(scores, key=scores.get)


        answer = best_k
    """,
    wrong={
        "def answer(X):\n    scores = {}\n    for k in range(2, 9):\n        groups = KMeans(k, n_init=10, random_state=0).fit_predict(X)\n        scores[k] = silhouette_score(X, groups)\n    return max(scores, key=scores.get)": (
            "scale the columns"
        ),
        "def answer(X):\n    X = StandardScaler().fit_transform(X)\n    inertia = {k: KMeans(k, n_init=10, random_state=0).fit(X).inertia_ for k in range(2, 9)}\n    return min(inertia, key=inertia.get)": (
            "more centres always"
        ),
        "def answer(X):\n    return 3": "whatever the data",
        "def answer(X):\n    X = StandardScaler().fit_transform(X)\n    scores = {k: silhouette_score(X, KMeans(k, n_init=10, random_state=0).fit_predict(X)) for k in range(2, 8)}\n    return max(scores, key=scores.get)": (
            "ends at 7"
        ),
        "def answer(X):\n    X = StandardScaler().fit_transform(X)\n    scores = [silhouette_score(X, KMeans(k, n_init=10, random_state=0).fit_predict(X)) for k in range(2, 9)]\n    return int(np.argmax(scores))": (
            "index in a list"
        ),
        "def answer(X):\n    X = StandardScaler().fit_transform(X)\n    scores = {k: silhouette_score(X, KMeans(k, n_init=10, random_state=0).fit_predict(X)) for k in range(2, 9)}\n    return min(scores, key=scores.get)": (
            "highest silhouette is at"
        ),
        "def answer(X):\n    X = StandardScaler().fit_transform(X)\n    scores = {k: silhouette_score(X, KMeans(k, n_init=10, random_state=0).fit_predict(X)) for k in range(2, 9)}\n    return max(scores.values())": (
            "the silhouette itself"
        ),
    },
)
def exercise_1_7(answer):
    import numpy as np

    rng = np.random.default_rng()
    found = {}
    for k in (2, 5, 8):
        centres = np.array([(i % 2, i) for i in range(k)], dtype=float)
        X = np.repeat(centres, 30, axis=0) + rng.normal(scale=0.04, size=(30 * k, 2))
        X[:, 1] *= 1e-4  # another unit: unscaled, this column has no say
        result = answer(X.copy())
        if isinstance(result, str):
            return f"{result!r} is a text, expected a number from 2 to 8."
        found[k] = float(result)
    right = [int(k) for k in found]
    values = list(found.values())
    if values == [k - 2 for k in right]:
        return "it returns an index in a list that begins at k = 2, expected k itself."
    if all(0 < value < 1 for value in values):
        return "it returns the silhouette itself, expected the k that has it."
    if len(set(values)) == 1:
        if values[0] == 8:
            return "it always returns 8: with more centres always comes a smaller inertia."
        if values[0] == 2:
            return (
                "it always returns 2, as it does if you do not scale the columns: one of them is in "
                "a unit 10,000 times larger."
            )
        return f"it returns {values[0]:g} whatever the data."
    if values[:-1] == right[:-1]:
        if values[-1] == right[-1]:
            return None
        return f"for 8 clouds it returns {values[-1]:g}: is 8 among what you try? range(2, 8) ends at 7."
    if values != right:
        said = ", ".join(f"{value:g} for {k} clouds" for k, value in found.items())
        return f"it returns {said}; the highest silhouette is at the number of clouds."


@exercise(
    expects="a function of an array, a probability and a generator",
    hints=[
        "Two questions: explore now? `rng.random() < epsilon` says so. And which actions are the best?",
        "`np.flatnonzero(values == values.max())` are all best actions; `rng.choice` takes one of them.",
    ],
    solution="""
        def choose(values, epsilon, rng):
            if rng.random() < epsilon:
                return rng.integers(len(values))
            return rng.choice(np.flatnonzero(values == values.max()))


        answer = choose
    """,
    wrong={
        "def answer(values, epsilon, rng):\n    return rng.choice(np.flatnonzero(values == values.max()))": (
            "never explores"
        ),
        "def answer(values, epsilon, rng):\n    return rng.integers(len(values)) if rng.random() < epsilon else values.argmax()": (
            "always takes the same one"
        ),
        "def answer(values, epsilon, rng):\n    return rng.integers(4) if rng.random() < epsilon else rng.choice(np.flatnonzero(values == values.max()))": (
            "number of actions"
        ),
        "def answer(values, epsilon, rng):\n    return rng.integers(len(values)) if rng.random() > epsilon else rng.choice(np.flatnonzero(values == values.max()))": (
            "the wrong way round"
        ),
        "def answer(values, epsilon, rng):\n    return np.random.randint(len(values)) if np.random.rand() < epsilon else np.random.choice(np.flatnonzero(values == values.max()))": (
            "rng alone"
        ),
        "def answer(values, epsilon, rng):\n    best = np.flatnonzero(values == values.max())\n    others = np.flatnonzero(values < values.max())\n    return rng.choice(others if rng.random() < epsilon else best)": (
            "may draw one of those too"
        ),
        "def answer(values, epsilon, rng):\n    return values.max()": "one and the same action",
    },
)
def exercise_1_8(answer):
    import numpy as np

    rng = np.random.default_rng()
    values = np.array([1.0, 3.0, 2.99, 3.0, 0.0, -1.0])

    def shares(epsilon, draws=3000):
        chosen = [int(answer(values.copy(), epsilon, rng)) for _ in range(draws)]
        if not 0 <= min(chosen) <= max(chosen) < len(values):
            return None
        return np.bincount(chosen, minlength=len(values)) / draws

    greedy, exploring, mixed = shares(0.0), shares(1.0), shares(0.5)
    if greedy is None or exploring is None or mixed is None:
        return "it returned an action that does not exist: for six values they are 0 to 5."
    best = values == values.max()
    if (exploring > 0).sum() == 1:
        return "with epsilon 1 it returned one and the same action 3,000 times."
    if greedy[~best].sum() > 0 and exploring[~best].sum() == 0:
        return "epsilon is the wrong way round: with epsilon 0 it explores, with epsilon 1 it does not."
    if greedy[~best].sum() > 0:
        return "with epsilon 0 it must take a best action always, and it takes others."
    if exploring[~best].sum() == 0:
        return "it never explores: with epsilon 1 it still takes a best action."
    if exploring[best].sum() == 0:
        return "with epsilon 1 it never takes a best action: exploring may draw one of those too."
    if (exploring[4:] == 0).any():
        return "it never tries some actions: the number of actions is the length of `values`."
    if greedy[best].min() == 0:
        return "of two equally good actions it always takes the same one; choose at random."
    same = [
        [int(answer(values.copy(), 0.5, rng)) for _ in range(50)]
        for rng in (np.random.default_rng(7), np.random.default_rng(7))
    ]
    if same[0] != same[1]:
        return "two generators with the same seed gave different actions: chance must come from rng alone."
    # 3,000 draws: five standard deviations of a share are below 0.04
    expected = {"0": best / 2, "1": np.full(6, 1 / 6), "0.5": best / 4 + 1 / 12}
    for epsilon, found in zip(expected, (greedy, exploring, mixed), strict=True):
        if not np.abs(found - expected[epsilon]).max() < 0.05:
            return f"with epsilon {epsilon} the actions are not chosen as often as they should be."
