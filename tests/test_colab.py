"""Each lesson as on Google Colab: one notebook in an empty folder, and nothing of the course.

An environment is imitated in which everything but the course is installed, `google.colab` is
loaded, no git is found, and the address of the course leads to a server on this machine. The
set-up cell must fetch the course from there; then every cell must run and show no warning.
Lesson 1 is tried in every run, the others with `-m colab`, which `make test-colab` does in an
environment with Colab's versions.
"""

import json
import os
import shutil
import subprocess
import sys
import threading
import zipfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib import metadata
from pathlib import Path

import nbformat
import pytest
import set_address
from hygiene import LESSONS, REPOSITORY
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

COURSE = "pytorch-sklearn-course"
COLAB_LACKS = ["elpv-dataset", "mglearn", "onnx", "onnxruntime", "onnxscript", "skorch", "waitress"]

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Colab runs Linux")


def packages_without(names, folder):
    """Fill `folder` with links to every installed package, except those of some distributions."""
    hidden = set()
    for name in names:
        for file in metadata.files(name):
            hidden.add(file.parts[0])
    shared = {file.parts[0] for name in shared_with(names) for file in metadata.files(name) or []}
    for entry in site_packages().iterdir():
        if entry.name not in hidden - shared and "pytorch_sklearn_course" not in entry.name:
            (folder / entry.name).symlink_to(entry)


def shared_with(names):
    """Distributions that stay."""
    return [found.name for found in metadata.distributions() if found.name not in names]


def site_packages():
    return Path(metadata.distribution("pip").locate_file(""))


@pytest.fixture
def make_colab(tmp_path):
    """A function that makes a Python which looks like Colab's and lacks some distributions."""

    def make(lacks):
        packages, venv = tmp_path / "packages", tmp_path / "venv"
        packages.mkdir()
        packages_without(lacks, packages)
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
        (venv / "bin" / "sh").symlink_to(shutil.which("sh"))  # IPython starts pip through it
        [own] = venv.glob("lib/python*/site-packages")
        colab = own / "google" / "colab"
        colab.mkdir(parents=True)
        (colab / "__init__.py").touch()
        (own / "colab.pth").write_text(f"{packages}\nimport google.colab\n", encoding="utf-8")
        return venv / "bin" / "python"

    return make


@pytest.fixture
def course_server(tmp_path):
    """Address of a server that holds the course's archive where a tag's archive would be."""
    folder = tmp_path / "server"
    archive = folder / "someone" / "course" / "archive" / "refs" / "tags" / "v0.1.0.zip"
    archive.parent.mkdir(parents=True)
    with zipfile.ZipFile(archive, "w") as file:
        for name in ("pyproject.toml", "README.md", "LICENSE"):
            file.write(REPOSITORY / name, f"course-0.1.0/{name}")
        for path in (REPOSITORY / "helpers").rglob("*.py"):
            file.write(path, f"course-0.1.0/{path.relative_to(REPOSITORY)}")
    handler = partial(QuietHandler, directory=folder)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/someone/course"
        server.shutdown()


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture
def run_lesson(tmp_path, monkeypatch):
    """A function that runs cells of a lesson in a folder that holds nothing else."""
    folder, kernels = tmp_path / "content", tmp_path / "jupyter" / "kernels" / "colab"
    folder.mkdir()
    kernels.mkdir(parents=True)
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))

    def run(path, python, address, *, cells=None, **environment):
        argv = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        spec = {"argv": argv, "display_name": "colab", "language": "python"}
        (kernels / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
        notebook = nbformat.read(path, as_version=4)
        set_address.write_into(notebook, path.name, address, "v0.1.0")
        if cells is not None:
            notebook.cells = [cell for cell in notebook.cells if cell.cell_type == "code"][:cells]
        nbformat.write(notebook, folder / path.name)
        bare = {
            "PATH": str(python.parent),  # no git, no pip of another Python
            "HOME": str(tmp_path),
            "MPLCONFIGDIR": os.environ.get("MPLCONFIGDIR", str(Path.home() / ".config/matplotlib")),
            "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1"),
            "PIP_NO_BUILD_ISOLATION": "0",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        }
        client = NotebookClient(
            notebook, kernel_name="colab", resources={"metadata": {"path": str(folder)}}
        )
        client.execute(env=bare | environment)
        return notebook

    return run


def output_texts(notebook, kind):
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return [output.text for output in outputs if output.get("name") == kind]


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, id=path.stem, marks=[] if path == LESSONS[0] else pytest.mark.colab)
        for path in LESSONS
    ],
)
def test_lesson_runs_alone(path, make_colab, course_server, run_lesson):
    python = make_colab([COURSE])
    notebook = run_lesson(path, python, course_server, PIP_NO_INDEX="1")
    assert "All packages of the course are here.\n" in "".join(output_texts(notebook, "stdout"))
    assert output_texts(notebook, "stderr") == []
    version = "from importlib.metadata import version; print(version('pytorch-sklearn-course'))"
    found = subprocess.run([python, "-c", version], capture_output=True, text=True, cwd="/")
    assert found.stdout == "0.1.0\n"


def test_without_network_one_line_says_so(make_colab, run_lesson):
    python = make_colab([COURSE])
    nowhere = "http://127.0.0.1:9/someone/course"
    with pytest.raises(CellExecutionError) as error:
        run_lesson(LESSONS[0], python, nowhere, cells=1, PIP_NO_INDEX="1", PIP_RETRIES="0")
    assert error.value.ename == "ModuleNotFoundError"
    assert error.value.evalue.startswith("`helpers` is missing. On Colab: is there a network?")
    assert "\n" not in error.value.evalue


def test_placeholder_address_installs_nothing(make_colab, run_lesson):
    python = make_colab([COURSE])
    with pytest.raises(CellExecutionError) as error:
        run_lesson(LESSONS[0], python, "https://example.org/pytorch-sklearn-course", cells=1)
    assert "no public address yet" in str(error.value)
    assert "Install the course as its README says" in error.value.evalue


@pytest.mark.colab
def test_what_colab_lacks_is_installed_and_nothing_else_changes(
    make_colab, course_server, run_lesson
):
    """Needs a package index."""
    python = make_colab([COURSE, *COLAB_LACKS])

    def versions():
        code = "from importlib.metadata import distributions as d; print(*{f'{x.name}=={x.version}' for x in d()})"
        listed = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
        return set(listed.stdout.split())

    before = versions()
    notebook = run_lesson(LESSONS[0], python, course_server, cells=1)
    [said] = [text for text in output_texts(notebook, "stdout") if "Installed for" in text]
    for name in COLAB_LACKS:
        assert name in said
        assert any(line.startswith(f"{name}==") for line in versions() - before)
    assert before < versions()
