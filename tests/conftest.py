"""Fixtures that several tests share: a tiny census network, a small course under pytest --nbval."""

import os
import shutil
import subprocess
import sys

import nbformat
import pytest
from census_model import make_census
from hygiene import REPOSITORY
from nbformat.v4 import new_notebook

collect_ignore_glob = ["lessons/[0-9]*.py"]  # claims are read, not imported: see claims.py


@pytest.fixture(scope="session")
def census(tmp_path_factory):
    """The saved model's `path`, the loaded `table_model`, test `rows`, their `probabilities`."""
    return make_census(tmp_path_factory.mktemp("census") / "census.onnx")


@pytest.fixture
def run_course(tmp_path):
    """A function that runs pytest --nbval on a small course in a folder of its own."""
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    shutil.copy(REPOSITORY / "conftest.py", tmp_path)
    outer = ("PYTEST_ADDOPTS", "PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT")
    environment = {name: value for name, value in os.environ.items() if name not in outer}
    environment["PYTHONPATH"] = os.pathsep.join(
        str(REPOSITORY / name) for name in (".", "tools", "tests")
    )

    def run(*cells, claims="", arguments=("--nbval", "notebooks"), folder=".", workers=0):
        (tmp_path / "tests" / "lessons").mkdir(parents=True, exist_ok=True)
        (tmp_path / "tests" / "lessons" / "01_small.py").write_text(claims, encoding="utf-8")
        for count, cell in enumerate(cells, start=1):
            cell.execution_count = count
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        notebook = new_notebook(cells=list(cells), metadata={"kernelspec": kernel})
        nbformat.write(notebook, tmp_path / "notebooks" / "01_small.ipynb")
        return subprocess.run(
            [sys.executable, "-m", "pytest", f"-n{workers}", "--dist=loadfile", *arguments],
            cwd=tmp_path / folder,
            env=environment,
            capture_output=True,
            text=True,
        )

    return run
