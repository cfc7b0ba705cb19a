import importlib

import pytest

from helpers.exercises import check, exercise, find_exercises, hint, judge, solution

WRITTEN = {
    number: item for lesson in range(1, 10) for number, item in find_exercises(lesson).items()
}


@pytest.fixture
def half(monkeypatch):
    """An exercise 1.99 that asks for one half."""

    @exercise(
        expects="a number",
        hints=["first nudge", "second nudge"],
        solution="""
            numerator = 1
            answer = numerator / 2
        """,
        wrong={"answer = 2": "turned over", "answer = 0": "whole numbers"},
    )
    def exercise_1_99(answer):
        if answer == 2:
            return "the fraction is turned over"
        if not abs(answer - 0.5) < 1e-6:
            return "`//` divides whole numbers"

    lesson = importlib.import_module("helpers.exercises.lesson_01")
    monkeypatch.setattr(lesson, "exercise_1_99", exercise_1_99, raising=False)
    return "1.99"


def test_three_states(half, capsys):
    assert judge(half, ...)[0] == "not answered"
    assert judge(half, 2) == ("wrong", "1.99 not right yet: the fraction is turned over")
    assert judge(half, 0.5)[0] == "correct"
    check(half, 0.5)
    assert capsys.readouterr().out == '1.99 correct. Compare with solution("1.99").\n'


class EqualityRaises:
    def __eq__(self, other):
        raise RuntimeError("no comparison")


class TextRaises(Exception):
    def __str__(self):
        raise self


class SubtractionRaises:
    def __sub__(self, other):
        raise TextRaises


class SubtractionExits:
    def __sub__(self, other):
        raise SystemExit(1)


@pytest.mark.parametrize(
    "answer",
    [
        None,
        "text",
        float("nan"),
        [],
        object(),
        EqualityRaises(),
        SubtractionRaises(),
        SubtractionExits(),
    ],
)
def test_garbage_is_refused_in_one_line(half, answer):
    state, line = judge(half, answer)
    assert state == "wrong"
    assert "\n" not in line


def test_reason_names_what_came(half):
    import numpy as np

    line = judge(half, np.zeros((2, 3)))[1]
    assert "not right yet: using ndarray of shape (2, 3) raised ValueError: " in line
    assert line.endswith("; expected a number.")


def test_exception_of_the_learners_function_is_called_so():
    def answer(found, needed):
        raise ZeroDivisionError("by me")

    line = judge("1.1", answer)[1]
    assert (
        "your function raised ZeroDivisionError: by me; expected a function of two texts." in line
    )


def test_warnings_of_an_answer_are_not_shown(half, recwarn):
    import warnings

    class Warns:
        def __sub__(self, other):
            warnings.warn("noise", stacklevel=1)
            return 0

    assert judge(half, Warns())[0] == "correct"
    assert not recwarn


def test_hints_come_one_after_another(half, capsys):
    said = []
    for _ in range(3):
        hint(half)
        said.append(capsys.readouterr().out)
    assert said[0] == "Hint 1 of 2: first nudge\nRun this cell again for the next.\n"
    assert said[1].startswith("Hint 2 of 2: second nudge\nNo more hints")
    assert said[2] == said[0]


def test_solution_is_code_without_indentation(half, capsys):
    solution(half)
    assert capsys.readouterr().out == "numerator = 1\nanswer = numerator / 2\n"


@pytest.mark.parametrize("number", ["1.98", "99.1", "one", "", None, 1.1])
def test_unknown_exercise(number):
    with pytest.raises(ValueError, match="there is no exercise"):
        judge(number, 1)


@pytest.mark.parametrize("number", WRITTEN)
def test_exercise_is_complete(number):
    written = WRITTEN[number]
    assert len(written.hints) >= 2
    assert len(written.wrong) >= 2
    assert len(set(written.wrong.values())) == len(written.wrong), "each mistake has its own reason"
    assert all(reason.strip() for reason in written.wrong.values())
    assert "answer = " in written.solution or "def answer(" in written.solution
    compile(written.solution, number, "exec")


def test_exercises_are_numbered_in_order():
    for lesson in range(1, 10):
        numbers = list(find_exercises(lesson))
        assert numbers == [f"{lesson}.{k}" for k in range(1, len(numbers) + 1)]
