"""The exercises of lesson 1, environment."""

from helpers.exercises import exercise


@exercise(
    expects="a number",
    hints=[
        "The column is `body_mass_g`. What does the `g` stand for?",
        'A mask picks the rows: `measured["species"] == "Gentoo"`. Then take the column and its mean.',
    ],
    solution="""
        gentoo = measured[measured["species"] == "Gentoo"]
        answer = gentoo["body_mass_g"].mean() / 1000
    """,
    wrong={
        'answer = measured[measured["species"] == "Gentoo"]["body_mass_g"].mean()': "in grams",
        'answer = measured["body_mass_g"].mean() / 1000': "all three species",
        "answer = np.mean([np.nan, 1.0])": "not a number",
    },
)
def exercise_1_1(answer):
    from helpers.datasets import load_penguins

    mass = load_penguins().frame.groupby("species")["body_mass_g"].mean() / 1000
    everyone = load_penguins().frame["body_mass_g"].mean() / 1000
    answer = float(answer)
    if answer != answer:
        return "the mean is nan, not a number: a missing value went into it."
    if abs(answer - 1000 * mass["Gentoo"]) < 5:
        return "this is the mean in grams, and kilograms are asked."
    if abs(answer - everyone) < 0.005:
        return "this is the mean over all three species, and only Gentoo are asked."
    if not abs(answer - mass["Gentoo"]) < 0.005:
        return f"{answer:.3g} is not the mean mass of the Gentoo penguins in kilograms."


@exercise(
    expects="a function of two texts",
    hints=[
        "Section 1.2 has a function that makes a tuple of a text. Compare its results.",
        '`"2.14.1+cpu".partition("+")[0]` is `"2.14.1"`.',
    ],
    solution="""
        def is_new_enough(found, needed):
            return version_tuple(found.partition("+")[0]) >= version_tuple(needed)


        answer = is_new_enough
    """,
    wrong={
        "answer = is_new_enough": "letter by letter",
        'def answer(found, needed):\n    return float(".".join(found.split(".")[:2])) >= float(".".join(needed.split(".")[:2]))': (
            "decimal fraction"
        ),
        "def answer(found, needed):\n    return version_tuple(found.partition('+')[0]) > version_tuple(needed)": (
            "the same as needed"
        ),
        "def answer(found, needed):\n    return version_tuple(found) >= version_tuple(needed)": "plus sign",
    },
)
def exercise_1_2(answer):
    if not answer("1.6.1", "1.6.1"):
        return 'it refuses "1.6.1" where the same as needed, "1.6.1", was found: at least is asked.'
    if answer("1.5", "1.6") or not answer("3.1", "2.9"):
        return "it is wrong already for versions of two single digits."
    if answer("2.9.0", "2.14.0") and not answer("2.14.0", "2.9.0"):
        whole = answer("10.0", "9.0")
        read = "as a decimal fraction" if whole else "as text, letter by letter"
        return f"it takes 2.9 for newer than 2.14: it reads versions {read}."
    if not answer("2.14.0", "2.9.0") or not answer("10.0", "9.0") or answer("9.0", "10.0"):
        return "it is wrong where a number has two digits."
    if answer("2.14.0", "2.14.1"):
        return 'it takes "2.14.0" for new enough where "2.14.1" is needed: the third number counts too.'
    try:
        right = answer("2.14.1+cpu", "2.14.1") and not answer("2.14.1+cpu", "2.15")
    except ValueError:
        right = False
    if not right:
        return 'it cannot deal with "2.14.1+cpu": what stands behind the plus sign does not count.'


@exercise(
    expects="a function of a model and a tensor",
    hints=[
        "Section 1.4 asks a model where it lives. Which of the two, model or data, should move?",
        "`next(model.parameters()).device` is the place; `X.to(place)` is the tensor there.",
    ],
    solution="""
        def predict_anywhere(model, X):
            return model(X.to(next(model.parameters()).device))


        answer = predict_anywhere
    """,
    wrong={
        "def answer(model, X):\n    return model(X)": "apart",
        "def answer(model, X):\n    return model.to('cpu')(X.to('cpu'))": "moves the model",
    },
)
def exercise_1_3(answer):
    import torch

    X = torch.ones(2, 4)
    elsewhere = torch.nn.Linear(
        4, 3, device="meta"
    )  # on every machine, a device that is not the CPU
    here = torch.nn.Linear(4, 3)
    try:
        output = answer(elsewhere, X)
    except (RuntimeError, NotImplementedError) as error:
        if "copy out of meta" in str(error):
            return "it moves the model to the data: the model must stay, the data must go to it."
        return "it fails where model and data live apart: send the data to the model's device."
    if output.device.type != "meta":
        return "the result is not on the model's device."
    if not torch.allclose(answer(here, X), here(X)):
        return "the result is not what the model gives for X."


@exercise(
    expects="a function of a seed",
    hints=[
        "Which call of section 1.5 makes a generator that is nobody else's?",
        "`np.random.default_rng(seed)` is a generator; it has a method `random`.",
    ],
    solution="""
        def noise(seed):
            return np.random.default_rng(seed).random(5)


        answer = noise
    """,
    wrong={
        "def answer(seed):\n    np.random.seed(seed)\n    return np.random.rand(5)": "global generator",
        "def answer(seed):\n    return np.random.default_rng().random(5)": "other numbers at every call",
        "def answer(seed):\n    return np.random.default_rng(0).random(5)": "whatever the seed",
    },
)
def exercise_1_4(answer):
    import numpy as np

    before = np.random.get_state()
    try:
        first, again, other = (np.asarray(answer(seed), dtype=float) for seed in (7, 7, 8))
        after = np.random.get_state()
    finally:
        np.random.set_state(before)
    if first.shape != (5,):
        return f"expected five numbers, got an array of shape {first.shape}."
    if not all(np.array_equal(a, b) for a, b in zip(before[1:3], after[1:3], strict=True)):
        return "it seeds or uses the global generator of NumPy, and other code would notice."
    if not np.array_equal(first, again):
        return "the same seed gives other numbers at every call."
    if np.array_equal(first, other):
        return "it gives the same numbers whatever the seed."
    if len(np.unique(first)) == 1:
        return "all five numbers are the same."


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
            "always the same of them"
        ),
        "def answer(values, epsilon, rng):\n    return rng.integers(4) if rng.random() < epsilon else rng.choice(np.flatnonzero(values == values.max()))": (
            "number of actions"
        ),
        "def answer(values, epsilon, rng):\n    return rng.integers(len(values)) if rng.random() > epsilon else rng.choice(np.flatnonzero(values == values.max()))": (
            "turned over"
        ),
    },
)
def exercise_1_5(answer):
    import numpy as np

    rng = np.random.default_rng()
    values = np.array([1.0, 3.0, 2.0, 3.0, 0.0, -1.0])

    def shares(epsilon, draws=3000):
        chosen = [int(answer(values.copy(), epsilon, rng)) for _ in range(draws)]
        if not 0 <= min(chosen) <= max(chosen) < len(values):
            return None
        return np.bincount(chosen, minlength=len(values)) / draws

    greedy, exploring, mixed = shares(0.0), shares(1.0), shares(0.5)
    if greedy is None or exploring is None or mixed is None:
        return "it returned an action that does not exist: for six values they are 0 to 5."
    best = values == values.max()
    if greedy[~best].sum() > 0 and exploring[~best].sum() == 0:
        return "epsilon is turned over: with epsilon 0 it explores, with epsilon 1 it does not."
    if greedy[~best].sum() > 0:
        return "with epsilon 0 it must take a best action always, and it takes others."
    if exploring[~best].sum() == 0:
        return "it never explores: with epsilon 1 it still takes a best action."
    if (exploring[4:] == 0).any():
        return "it never tries some actions: the number of actions is the length of `values`."
    if greedy[best].min() == 0:
        return "of two equally good actions it takes always the same of them; choose at random."
    # 3,000 draws: five standard deviations of a share are below 0.04
    expected = {"0": best / 2, "1": np.full(6, 1 / 6), "0.5": best / 4 + 1 / 12}
    for epsilon, found in zip(expected, (greedy, exploring, mixed), strict=True):
        if not np.abs(found - expected[epsilon]).max() < 0.05:
            return f"with epsilon {epsilon} the actions are not chosen as often as they should be."
