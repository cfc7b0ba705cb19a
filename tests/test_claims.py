"""A claim is run behind its cell, in the lesson's kernel, and fails when it or its cell is wrong."""

import pytest
from claims import claims_of
from hygiene import LESSONS, REPOSITORY, code_cells
from nbformat.v4 import new_code_cell

CELLS = [
    "import time\ntime.sleep(1.1)",
    "accuracy = 0.9\nnames = ['a']",
    "accuracy = 0.2",
]


def run_with(run_course, claims, **options):
    return run_course(*[new_code_cell(source) for source in CELLS], claims=claims, **options)


@pytest.mark.parametrize("mode", ["--nbval", "--nbval-lax"])
def test_claim_runs_directly_behind_its_cell(run_course, mode):
    claims = 'with after("accuracy = 0.9"):\n    assert accuracy > 0.8\n'
    run = run_with(run_course, claims, arguments=(mode, "notebooks"))
    assert run.returncode == 0, run.stdout
    assert "4 passed" in run.stdout


def test_claim_works_on_a_copy_of_the_names(run_course):
    claims = (
        '"""Claims."""\n\n'
        'with after("accuracy = 0.9"):\n    accuracy = 7\n    assert accuracy == 7\n'
        "with after(\"names = ['a']\"):\n    assert accuracy == 0.9\n    assert len(names) == 1\n"
    )
    run = run_with(run_course, claims)
    assert run.returncode == 0, run.stdout
    assert "5 passed" in run.stdout


def test_false_claim_fails_and_shows_the_value(run_course):
    run = run_with(run_course, 'with after("accuracy = 0.9"):\n    assert accuracy > 0.95\n')
    assert run.returncode == 1
    assert "Claim of line 1" in run.stdout
    assert "assert 0.9 > 0.95" in run.stdout


@pytest.mark.parametrize(
    ("line", "count"), [("accuracy = 0.91", 0), ("accuracy", 0), ("import time", 1)]
)
def test_claim_whose_cell_is_gone_fails(run_course, line, count):
    run = run_with(run_course, f'with after("{line}"):\n    assert True\n')
    assert (run.returncode == 0) == (count == 1), run.stdout
    if count == 0:
        assert f"0 cells have the line '{line}'" in run.stdout


def test_claim_on_a_line_of_two_cells_fails(run_course):
    cells = [new_code_cell(source) for source in [*CELLS, CELLS[1]]]
    run = run_course(*cells, claims='with after("accuracy = 0.9"):\n    assert True\n')
    assert run.returncode == 1
    assert "2 cells have the line" in run.stdout


def test_claim_that_is_left_out_fails_the_session(run_course):
    claims = 'with after("accuracy = 0.9"):\n    assert accuracy > 0.95\n'
    left_out = "--deselect=notebooks/01_small.ipynb::Claim of line 1"
    run = run_with(run_course, claims, arguments=("--nbval", "notebooks", left_out))
    assert run.returncode == 1
    assert "not every claim was run" in run.stdout


@pytest.mark.parametrize("text", ["assert True", "with open('x'):\n    pass", "after('x')"])
def test_file_of_claims_holds_nothing_else(tmp_path, text):
    (tmp_path / "tests" / "lessons").mkdir(parents=True)
    (tmp_path / "tests" / "lessons" / "01_small.py").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"01_small.py, line 1: expected `with after"):
        claims_of("01_small", tmp_path)


def test_every_file_of_claims_has_its_lesson():
    files = {path.stem for path in (REPOSITORY / "tests" / "lessons").glob("[0-9]*.py")}
    assert files <= {path.stem for path in LESSONS}


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_every_claim_has_its_cell(path):
    """The same that pytest --nbval finds, in a second."""
    import nbformat

    sources = [cell.source for cell in code_cells(nbformat.read(path, as_version=4))]
    for claim in claims_of(path.stem, REPOSITORY):
        assert len(claim.cells(sources)) == 1, f"line {claim.number}: {claim.line}"
