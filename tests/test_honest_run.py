"""A run in which a lesson did not really run is a failed run."""

from types import SimpleNamespace

import pytest
from honest_run import expected_lessons
from hygiene import REPOSITORY
from nbformat.v4 import new_code_cell, new_output

SLOW = "import time; time.sleep(1.1)"


def test_honest_run_passes(run_course):
    run = run_course(new_code_cell(SLOW))
    assert run.returncode == 0, run.stdout
    assert "NOT AN HONEST RUN" not in run.stdout


@pytest.mark.parametrize("workers", [0, 2])
def test_lesson_that_took_no_time_fails(run_course, workers):
    run = run_course(new_code_cell("x = 1"), workers=workers)
    assert run.returncode == 1
    assert "did its cells run at all?" in run.stdout


def test_lesson_that_was_not_collected_fails(run_course):
    run = run_course(
        new_code_cell(SLOW), arguments=["--nbval", "notebooks", "--ignore=notebooks/01_small.ipynb"]
    )
    assert run.returncode == 1
    assert "01_small.ipynb was not collected" in run.stdout


def test_skipped_cell_without_a_reason_fails(run_course):
    skipped = new_code_cell("1 / 0", metadata={"tags": ["nbval-skip"]})
    run = run_course(new_code_cell(SLOW), skipped)
    assert run.returncode == 1
    assert "was skipped, and no reason is on record" in run.stdout


def test_cell_that_pytest_left_out_fails(run_course):
    run = run_course(
        new_code_cell(SLOW),
        new_code_cell(
            "2", outputs=[new_output("execute_result", {"text/plain": "2"}, execution_count=2)]
        ),
        arguments=["--nbval", "notebooks", "--deselect=notebooks/01_small.ipynb::Cell 1"],
    )
    assert run.returncode == 1
    assert "not every cell was run" in run.stdout


def test_run_from_another_folder_is_watched_too(run_course):
    run = run_course(
        new_code_cell("x = 1"), arguments=["--nbval", "../notebooks"], folder="notebooks"
    )
    assert run.returncode == 1
    assert "did its cells run at all?" in run.stdout


def ask_for(*arguments, folder=REPOSITORY, **options):
    """The numbers of the lessons that a run of the course's own repository should execute."""
    defaults = {"nbval": True, "keyword": "", "collectonly": False, "markexpr": "not colab"}
    config = SimpleNamespace(
        option=SimpleNamespace(**defaults | options),
        args=list(arguments),
        rootpath=REPOSITORY,
        invocation_params=SimpleNamespace(dir=folder),
    )
    return [int(lesson.name[:2]) for lesson in expected_lessons(config)]


def test_lessons_that_are_asked_for_are_expected():
    everything = list(range(1, 10))
    assert ask_for("helpers", "tests", "notebooks") == everything
    assert ask_for("notebooks/03_supervised_models.ipynb") == [3]
    assert ask_for("../notebooks", folder=REPOSITORY / "tests") == everything
    assert ask_for("notebooks", nbval=False, nbval_lax=True, markexpr="") == everything


@pytest.mark.parametrize(
    "options",
    [
        {"nbval": False},
        {"keyword": "fit"},
        {"collectonly": True},
        {"lf": True},
        {"stepwise": True},
        {"markexpr": "browser"},
        {"markexpr": "gpu or colab"},
    ],
)
def test_run_that_selects_expects_no_lesson(options):
    assert ask_for("notebooks", **options) == []
    assert ask_for("notebooks/01_environment.ipynb::Cell 3") == ask_for("tests") == []
