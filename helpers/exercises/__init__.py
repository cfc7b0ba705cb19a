"""Exercises that check a learner's answer, give hints and show a solution.

In a lesson: `check("2.1", answer)`, `hint("2.1")`, `solution("2.1")`. The exercises of lesson 2
stand in `helpers/exercises/lesson_02.py`, one decorated function each; `exercise` says how to
write one. What a learner's answer does can never raise out of `check`.
"""

import importlib
import importlib.util
import inspect
import re
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

_hints_given = Counter()  # so that running a hint's cell again gives the next one


@dataclass(frozen=True)
class Exercise:
    """One exercise; made by the decorator `exercise`."""

    expects: str
    hints: list[str]
    solution: str
    wrong: dict[str, str]
    find_mistake: Callable


def exercise(*, expects, hints, solution, wrong):
    """Turn a checker into an exercise.

    The checker is named after its number, `exercise_2_1`. It takes the learner's answer and
    returns the reason why it is wrong, in one sentence that names the likely mistake, or None if
    it is right. It may use the answer freely: an exception is told to the learner in words.

    Parameters
    ----------
    expects : str
        What kind of thing the answer is, to complete "Expected …": `"a number"`.
    hints : list of str
        From a nudge to nearly the answer.
    solution : str
        Code to stand in place of the answer cell, using the lesson's own variables. It is
        shown as it stands, and the tests run it.
    wrong : dict of str to str
        Mistaken answers that learners really give, as code like `solution`, each with a
        piece of the reason that the checker gives for it. At least two.

    Returns
    -------
    callable
        A decorator that makes the checker an `Exercise`.

    Examples
    --------
    >>> @exercise(
    ...     expects="a number",
    ...     hints=["How many halves are in one whole?"],
    ...     solution="answer = 1 / 2",
    ...     wrong={"answer = 2": "turned over", "answer = 1 // 2": "whole numbers"},
    ... )
    ... def exercise_9_9(answer):
    ...     if answer == 2:
    ...         return "the fraction is turned over."
    ...     if not abs(answer - 0.5) < 1e-6:
    ...         return "`//` divides whole numbers, use `/`."
    >>> exercise_9_9.find_mistake(2)
    'the fraction is turned over.'
    """

    def decorate(find_mistake):
        return Exercise(expects, hints, inspect.cleandoc(solution), wrong, find_mistake)

    return decorate


def find_exercises(lesson):
    """All exercises of a lesson.

    Parameters
    ----------
    lesson : int

    Returns
    -------
    dict of str to Exercise
        By number: `{"2.1": Exercise(…), …}`. Empty if the lesson has none.
    """
    name = f"{__name__}.lesson_{lesson:02d}"
    if importlib.util.find_spec(name) is None:
        return {}
    found = vars(importlib.import_module(name)).items()
    return {
        name.removeprefix("exercise_").replace("_", "."): value
        for name, value in found
        if isinstance(value, Exercise)
    }


def judge(number, answer):
    """Judge an answer.

    Parameters
    ----------
    number : str
        Of the exercise, as `"2.1"`.
    answer : object
        Anything at all.

    Returns
    -------
    (state, line) : tuple of str
        The state is `"not answered"`, `"wrong"` or `"correct"`; the line says it in words.

    Raises
    ------
    ValueError
        If there is no such exercise; never because of the answer.
    """
    exercise = _find(number)
    if answer is ...:
        return "not answered", (
            f"{number} not answered yet. Replace the ... above and run both cells again. "
            f'For help: hint("{number}"), solution("{number}").'
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fault = exercise.find_mistake(answer)
    except (Exception, SystemExit) as error:
        used = "your function" if inspect.isroutine(answer) else f"using {_describe(answer)}"
        fault = f"{used} raised {_describe_error(error)}; expected {exercise.expects}."
    if fault is not None:
        return "wrong", f"{number} not right yet: {fault}"
    return "correct", f'{number} correct. Compare with solution("{number}").'


def check(number, answer):
    """Print in one line how an answer is judged.

    Parameters
    ----------
    number : str
        Of the exercise, as `"2.1"`.
    answer : object
        Anything at all; `...` counts as not answered.

    Raises
    ------
    ValueError
        If there is no such exercise; never because of the answer.
    """
    print(judge(number, answer)[1])


def hint(number):
    """Print a hint; called again, the next one.

    Parameters
    ----------
    number : str
        Of the exercise, as `"2.1"`.
    """
    hints = _find(number).hints
    index = _hints_given[number] % len(hints)
    _hints_given[number] += 1
    last = index + 1 == len(hints)
    after = (
        f'No more hints; solution("{number}") shows the answer.'
        if last
        else "Run this cell again for the next."
    )
    print(f"Hint {index + 1} of {len(hints)}: {hints[index]}\n{after}")


def solution(number):
    """Print code that answers the exercise, to be pasted into its answer cell.

    Parameters
    ----------
    number : str
        Of the exercise, as `"2.1"`.
    """
    print(_find(number).solution)


def _find(number):
    match = re.fullmatch(r"(\d+)\.\d+", str(number))
    exercises = find_exercises(int(match[1])) if match else {}
    if number not in exercises:
        there = ", ".join(exercises) or "none"
        raise ValueError(
            f'there is no exercise {number!r}; expected one like "2.1". In that lesson there are: {there}'
        )
    return exercises[number]


def _describe(answer):
    kind = type(answer).__name__
    try:
        return f"{kind} of shape {tuple(answer.shape)}"
    except Exception:  # most answers have no shape
        return kind


def _describe_error(error):
    try:
        return f"{type(error).__name__}: {error}".splitlines()[0]
    except Exception:  # an exception class of the learner's own, whose text raises
        return type(error).__name__
