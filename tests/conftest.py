"""Fixtures that several tests share: a tiny census network, a small course under pytest --nbval."""

import os
import shutil
import subprocess
import sys
from types import SimpleNamespace

import nbformat
import pytest
from hygiene import REPOSITORY
from nbformat.v4 import new_notebook

collect_ignore_glob = ["lessons/[0-9]*.py"]  # claims are read, not imported: see claims.py

NUMBERS = ["age", "education-num", "capital-gain", "hours-per-week"]
CATEGORIES = ["workclass", "occupation", "sex"]


@pytest.fixture(scope="session")
def census(tmp_path_factory):
    """The saved model's `path`, the loaded `table_model`, test `rows`, their `probabilities`."""
    import torch
    from sklearn.compose import make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler
    from torch import nn

    from helpers.datasets import load_adult
    from helpers.export import load_table_model, save_table_model
    from helpers.training import fit, make_loader, predict

    torch.manual_seed(0)
    table, target = load_adult(return_X_y=True)
    table = table[NUMBERS + CATEGORIES]
    preprocessor = make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), NUMBERS),
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), CATEGORIES),
    )
    train, test = table[:600], table[600:900]
    X_train = preprocessor.fit_transform(train)
    model = nn.Sequential(nn.Linear(X_train.shape[1], 16), nn.ReLU(), nn.Linear(16, 2))
    fit(
        model,
        make_loader(X_train, (target[:600] == ">50K").astype(int), shuffle=True),
        loss_fn=nn.CrossEntropyLoss(),
        optimizer=torch.optim.Adam(model.parameters(), lr=0.01),
        epochs=2,
        progress=False,
    )
    path = tmp_path_factory.mktemp("census") / "census.zip"
    save_table_model(preprocessor, model, path, classes=["<=50K", ">50K"], version="test-1")
    logits = predict(model, preprocessor.transform(test))
    return SimpleNamespace(
        path=path,
        table_model=load_table_model(path),
        rows=[
            {name: None if value != value else value for name, value in row.items()}
            for row in test.astype(object).to_dict("records")
        ],
        probabilities=torch.softmax(torch.as_tensor(logits), dim=1).numpy(),
    )


@pytest.fixture
def run_course(tmp_path):
    """A function that runs pytest --nbval on a small course in a folder of its own."""
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    shutil.copy(REPOSITORY / "conftest.py", tmp_path)
    outer = ("PYTEST_ADDOPTS", "PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT")
    environment = {name: value for name, value in os.environ.items() if name not in outer}
    environment["PYTHONPATH"] = os.pathsep.join(
        str(REPOSITORY / name) for name in ("tools", "tests")
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
