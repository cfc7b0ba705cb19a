"""Lesson 1 says how to mend an environment, so it must run in one without PyTorch."""

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


def test_runs_without_torch(without_torch):
    path = REPOSITORY / "notebooks" / "01_environment.ipynb"
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(notebook, resources={"metadata": {"path": str(path.parent)}})
    client.execute(env=without_torch)
    texts = [
        output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", [])
    ]
    assert any("PyTorch is missing. Section 1.2" in text for text in texts)
    assert any("PyTorch cannot be imported" in text for text in texts)
