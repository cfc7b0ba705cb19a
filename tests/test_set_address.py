"""The address stands in one place, and the set-up cells and Colab links follow from it."""

import re
import shutil
import subprocess
import sys

import nbformat
import pytest
import set_address
from hygiene import LESSONS, REPOSITORY

PLACEHOLDER = "https://example.org/pytorch-sklearn-course"
ADDRESS = "https://github.com/someone/a-fork"
TAG = "v0.1.0"


@pytest.fixture
def copy(tmp_path):
    """A copy of everything that the command writes into."""
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(REPOSITORY / name, tmp_path)
    shutil.copytree(REPOSITORY / "notebooks", tmp_path / "notebooks")
    return tmp_path


@pytest.fixture
def fork(copy):
    """Such a copy before it gets an address, at version 0.1.0."""
    change_version(copy, "0.1.0")
    set_address.write(copy, PLACEHOLDER)
    return copy


def change_version(folder, version):
    path = folder / "pyproject.toml"
    text = path.read_text(encoding="utf-8")
    text, count = re.subn(r'(?m)^version = ".*"$', f'version = "{version}"', text)
    assert count == 1
    path.write_text(text, encoding="utf-8", newline="\n")


def texts(folder):
    paths = [folder / "pyproject.toml", folder / "README.md", *folder.glob("notebooks/*.ipynb")]
    return {path.name: path.read_bytes() for path in paths}


def test_repository_is_up_to_date(copy):
    before = texts(copy)
    set_address.write(copy)
    assert texts(copy) == before


def test_every_link_and_cell_follows_from_the_address(fork):
    set_address.write(fork, ADDRESS + ".git")
    assert f'Homepage = "{ADDRESS}"' in (fork / "pyproject.toml").read_text(encoding="utf-8")
    readme = (fork / "README.md").read_text(encoding="utf-8")
    for path in sorted(fork.glob("notebooks/*.ipynb")):
        link = f"https://colab.research.google.com/github/someone/a-fork/blob/{TAG}/notebooks/{path.name}"
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
        [opening] = [c for c in notebook.cells if "**Time**: " in c.source]
        assert opening.source.endswith(f"**Colab**: [open this lesson in Google Colab]({link}).")
        assert f"({link})" in readme
        [cell] = [cell for cell in notebook.cells if cell.id == set_address.CELL_ID]
        assert f'"{ADDRESS}/archive/refs/tags/{TAG}.zip"' in cell.source
        assert sum(bool(line.strip()) for line in cell.source.splitlines()) <= 10


def test_outputs_and_all_other_cells_stay(fork):
    set_address.write(fork, ADDRESS)
    for path in LESSONS:
        before = nbformat.read(path, as_version=4).cells
        after = nbformat.read(fork / "notebooks" / path.name, as_version=4).cells
        assert [cell.get("outputs") for cell in before] == [cell.get("outputs") for cell in after]
        changed = [b.id for b, a in zip(before, after, strict=True) if b.source != a.source]
        assert changed == ["promises", set_address.CELL_ID]


def test_without_address_no_lesson_speaks_of_colab(fork):
    for path in sorted(fork.glob("notebooks/*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        assert not any("**Colab**" in cell.source for cell in notebook.cells)


def test_there_and_back_leaves_no_trace(fork):
    before = texts(fork)
    set_address.write(fork, ADDRESS)
    assert texts(fork) != before
    set_address.write(fork, PLACEHOLDER)
    assert texts(fork) == before


def test_new_version_moves_every_tag(fork):
    set_address.write(fork, ADDRESS)
    change_version(fork, "1.2.0")
    set_address.write(fork)
    for name, content in texts(fork).items():
        assert TAG.encode() not in content, name
        assert b"v1.2.0" in content or name == "pyproject.toml", name


def test_set_up_cell_is_put_where_there_is_none_and_hidden(fork):
    path = fork / "notebooks" / LESSONS[0].name
    notebook = nbformat.read(path, as_version=4)
    notebook.cells = [cell for cell in notebook.cells if cell.id != set_address.CELL_ID]
    set_address.write_into(notebook, path.name, ADDRESS, TAG)
    [index] = [k for k, cell in enumerate(notebook.cells) if cell.id == set_address.CELL_ID]
    assert notebook.cells[index - 1].source.startswith("## Set-up")
    assert notebook.cells[index].metadata == set_address.HIDDEN


@pytest.mark.parametrize(
    ("name", "text"), [("README.md", "<!-- colab -->"), ("pyproject.toml", "Homepage = ")]
)
def test_place_that_is_missing_is_told_and_nothing_written(fork, name, text):
    path = fork / name
    path.write_text(path.read_text(encoding="utf-8").replace(text, ""), encoding="utf-8")
    before = texts(fork)
    with pytest.raises(ValueError, match="expected one place"):
        set_address.write(fork, ADDRESS)
    assert texts(fork) == before


def test_placeholder_installs_nothing_and_says_so():
    cell = set_address.set_up_cell(PLACEHOLDER, TAG)
    assert "pip" not in cell
    assert "no address yet" in cell


@pytest.mark.parametrize(
    "address",
    [
        "someone/a-fork",
        "https://github.com/someone",
        "http://github.com/a/b",
        "https://example.org/b",
    ],
)
def test_other_addresses_are_refused(address):
    command = [sys.executable, REPOSITORY / "tools" / "set_address.py", address]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 1
    assert "expected an address such as https://github.com/OWNER/NAME" in run.stderr


@pytest.mark.parametrize("address", [PLACEHOLDER, ADDRESS, ADDRESS + "-with-a-longer-name" * 3])
def test_cell_is_formatted_as_make_lint_demands(address):
    source = set_address.set_up_cell(address, TAG)
    command = [sys.executable, "-m", "ruff", "format", "-", "--stdin-filename", "cell.py"]
    run = subprocess.run(
        command, input=source, capture_output=True, text=True, check=True, cwd=REPOSITORY
    )
    assert run.stdout.rstrip("\n") == source
