"""The Dockerfile's own steps, run without Docker.

What is run: the COPY lines into an empty folder, the install line into a new virtual
environment, the start command from there as an unprivileged user (where the test may change
the user), the health check against it, and the stop signal.

What is not: the base image, the layers and the mount. The install line gets
`--no-deps --no-index`, and the new environment sees the packages of the current one: that all requirements are *declared* is tested, that an index
has them is not. The service binds to 127.0.0.1 and a free port instead of 0.0.0.0 and 8000.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sysconfig
import tempfile
import venv
from pathlib import Path

import pytest
from hygiene import REPOSITORY
from service_process import running_service

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the container is a Linux one")
NOBODY = 65534


def read_dockerfile():
    """Instructions in their order: [(name, text), …]."""
    text = (REPOSITORY / "Dockerfile").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    whole = "\n".join(lines).replace("\\\n", " ")
    return [tuple(line.split(None, 1)) for line in whole.splitlines() if line.strip()]


STEPS = read_dockerfile()


def texts(name):
    return [text for found, text in STEPS if found == name]


@pytest.fixture(scope="module")
def image():
    """A folder that stands for the image: `python` with the package installed, `build`."""
    folder = Path(tempfile.mkdtemp())  # not tmp_path, which other users cannot enter
    try:
        folder.chmod(0o755)
        build = folder / "build"
        build.mkdir()
        for text in texts("COPY"):
            *sources, target = text.split()
            for source in sources:
                if (REPOSITORY / source).is_dir():
                    shutil.copytree(REPOSITORY / source, build / target)
                else:
                    shutil.copy(REPOSITORY / source, build / target)
        venv.create(folder / "env", symlinks=True)
        python = folder / "env" / "bin" / "python"
        base = {"base": str(folder / "env"), "platbase": str(folder / "env")}
        site = Path(sysconfig.get_path("purelib", "venv", vars=base))
        (site / "current.pth").write_text(sysconfig.get_path("purelib"))
        [install] = [text for text in texts("RUN") if text.startswith("pip install")]
        quick = ["--no-deps", "--no-index", "--no-build-isolation", "--ignore-installed"]
        subprocess.run(
            [python, "-m", *shlex.split(install), "--quiet", *quick],
            cwd=build,
            check=True,
            env={**os.environ, "PIP_ROOT_USER_ACTION": "ignore"},
        )
        yield folder
    finally:
        shutil.rmtree(folder)


def in_image(image, arguments):
    """A command of the Dockerfile with the image's Python."""
    assert arguments[0] == "python"
    return [image / "env" / "bin" / "python", *arguments[1:]]


def other_user(python):
    """Options to run as an unprivileged user, where root may, and that user may read Python."""
    options = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
    try:
        subprocess.run([python, "-c", "import flask"], check=True, cwd="/", **options)
    except (PermissionError, subprocess.CalledProcessError):
        return {}
    return options


def test_package_is_installed_with_all_that_it_declares(image):
    code = (
        "import json, importlib.metadata as m; "
        "d = m.distribution('pytorch-sklearn-course'); import helpers; "
        "print(json.dumps([helpers.__file__, str(d.locate_file('')), d.requires]))"
    )
    run = subprocess.run(
        in_image(image, ["python", "-c", code]), cwd=image, capture_output=True, check=True
    )
    file, location, requires = json.loads(run.stdout)
    assert Path(file).is_relative_to(image)
    assert Path(location).is_relative_to(image)
    declared = {
        re.match(r"[\w-]+", text).group().lower() for text in requires if 'extra == "serve"' in text
    }
    assert declared >= {"flask", "uvicorn", "onnxruntime", "numpy"}
    assert not declared & {"torch", "scikit-learn", "pandas"}


def test_start_command_health_check_and_stop(image, census, tmp_path):
    model = shutil.copy(census.path, image / "model.onnx")
    command = json.loads(texts("CMD")[0])
    assert command[-5:] == ["/model/census.onnx", "--host", "0.0.0.0", "--port", "8000"]
    command[-5:] = [str(model), "--host", "127.0.0.1", "--port", "0"]
    python, *arguments = in_image(image, command)
    with running_service(
        arguments,
        tmp_path / "log.txt",
        python=python,
        cwd=image,
        env={"HOME": "/"},
        **other_user(python),
    ) as service:
        check = texts("HEALTHCHECK")[0].partition("CMD ")[2]
        assert "http://127.0.0.1:8000/" in check
        check = json.loads(check.replace("http://127.0.0.1:8000/", service.url))
        subprocess.run(in_image(image, check), cwd=image, check=True, timeout=30)
        wrong = [part.replace("/ready", "/none") for part in check]
        failed = subprocess.run(in_image(image, wrong), cwd=image, capture_output=True, timeout=30)
        assert failed.returncode != 0
        service.process.terminate()  # what `docker stop` sends first
        assert service.process.wait(10) == 0


def test_runs_as_an_unprivileged_user():
    names = [name for name, _ in STEPS]
    assert texts("FROM") == ["python:3.11-slim"]
    [user] = texts("USER")
    [creation] = [text for text in texts("RUN") if text.startswith("useradd")]
    assert creation.split()[-1] == user != "root"
    assert {"--system", "--no-create-home"} <= {*creation.split()}
    assert names.index("USER") < names.index("CMD")
    assert names.index("USER") > max(i for i, name in enumerate(names) if name == "RUN")
    assert texts("EXPOSE") == ["8000"]


def test_nothing_secret_or_needless_goes_into_the_image():
    ignored = (REPOSITORY / ".dockerignore").read_text(encoding="utf-8").split()
    assert ignored[0] == "*"
    copied = {source for text in texts("COPY") for source in text.split()[:-1]}
    assert copied == {line.removeprefix("!") for line in ignored if line.startswith("!")}
