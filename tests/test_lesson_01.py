"""Lesson 1 says how to fix an environment, so it must get that far in one without PyTorch."""

import os

import nbformat
import pytest
from hygiene import REPOSITORY
from nbclient import NotebookClient


@pytest.fixture
def without_torch(tmp_path):
    """Environment variables for a Python that finds no PyTorch."""
    blocker = "raise ModuleNotFoundError(\"No module named 'torch'\", name='torch')\n"
    (tmp_path / "torch.py").write_text(blocker, encoding="utf-8")
    return os.environ | {"PYTHONPATH": str(tmp_path)}


def test_without_torch_it_gets_to_the_report_and_no_other_cell_of_sections_1_and_2_fails(
    without_torch,
):
    path = REPOSITORY / "notebooks" / "01_environment.ipynb"
    notebook = nbformat.read(path, as_version=4)
    report, needs_torch = (
        next(k for k, c in enumerate(notebook.cells) if c.cell_type == "code" and code in c.source)
        for code in ("environment_report()", "import torch")
    )
    assert report < needs_torch
    notebook.cells = notebook.cells[: needs_torch + 1]
    client = NotebookClient(
        notebook, resources={"metadata": {"path": str(path.parent)}}, allow_errors=True
    )
    client.execute(env=without_torch)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert [o.ename for o in outputs if o.output_type == "error"] == ["ModuleNotFoundError"]
    assert notebook.cells[-1].outputs[-1].output_type == "error"
    text = notebook.cells[report].outputs[0].text
    assert "PyTorch cannot be imported" in text
