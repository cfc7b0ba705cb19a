"""A run in which a lesson did not really run is a failed run."""

import os
import shutil
import subprocess
import sys

import nbformat
import pytest
from hygiene import REPOSITORY
from nbformat.v4 import new_code_cell, new_notebook, new_output


@pytest.fixture
def run_course(tmp_path):
    """A function that runs pytest --nbval on a small course in a folder of its own."""
    (tmp_path / "notebooks").mkdir()
    shutil.copy(REPOSITORY / "conftest.py", tmp_path)

    def run(*cells, arguments=("notebooks",)):
        for count, cell in enumerate(cells, start=1):
            cell.execution_count = count
        notebook = new_notebook(cells=list(cells))
        notebook.metadata.kernelspec = {
            "name": "python3", "display_name": "Python 3", "language": "python"
        }  # fmt: skip
        nbformat.write(notebook, tmp_path / "notebooks" / "01_small.ipynb")
        ini = f"pythonpath={REPOSITORY / 'tools'}"
        command = [sys.executable, "-m", "pytest", "--nbval", "-o", ini, *arguments]
        return subprocess.run(command, cwd=tmp_path, env=os.environ, capture_output=True, text=True)

    return run


SLOW = "import time; time.sleep(1.1)"


def test_honest_run_passes(run_course):
    run = run_course(new_code_cell(SLOW))
    assert run.returncode == 0, run.stdout
    assert "NOT AN HONEST RUN" not in run.stdout


def test_lesson_that_took_no_time_fails(run_course):
    run = run_course(new_code_cell("x = 1"))
    assert run.returncode == 1
    assert "did its cells run at all?" in run.stdout


def test_lesson_that_was_not_collected_fails(run_course):
    run = run_course(
        new_code_cell(SLOW), arguments=["notebooks", "--ignore=notebooks/01_small.ipynb"]
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
        arguments=["notebooks", "--deselect=notebooks/01_small.ipynb::Cell 1"],
    )
    assert run.returncode == 1
    assert "not every cell was run" in run.stdout


def test_one_file_of_tests_expects_no_lesson(run_course):
    run = run_course(new_code_cell("x = 1"), arguments=["conftest.py", "--doctest-modules"])
    assert "NOT AN HONEST RUN" not in run.stdout
