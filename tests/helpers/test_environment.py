import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from helpers import environment
from helpers.environment import environment_report, get_device, seed_everything, set_up


def fake_torch(*, cuda=None, gpus=(), mps=False):
    """What environment_report asks of PyTorch, as another machine would answer."""
    return SimpleNamespace(
        __version__="2.14.1",
        version=SimpleNamespace(cuda=cuda, hip=None),
        cuda=SimpleNamespace(
            is_available=lambda: bool(gpus),
            device_count=lambda: len(gpus),
            get_device_properties=lambda index: gpus[index],
        ),
        backends=SimpleNamespace(mps=SimpleNamespace(is_available=lambda: mps)),
        device=torch.device,
    )


T4 = SimpleNamespace(name="Tesla T4", total_memory=15 * 2**30, major=7, minor=5)


def report_with(monkeypatch, torch_module, driver=None):
    monkeypatch.setitem(sys.modules, "torch", torch_module)
    monkeypatch.setattr(environment, "_driver_cuda_version", lambda: driver)
    return environment_report()


def test_report_names_every_package():
    report = environment_report()
    for requirement in metadata.requires("pytorch-sklearn-course"):
        if "extra ==" not in requirement:
            assert requirement.partition(">=")[0] in report
    assert report.splitlines()[-1] == "All packages are there and new enough."


def test_report_without_torch_says_so(monkeypatch):
    report = report_with(monkeypatch, None)
    assert "PyTorch cannot be imported" in report
    assert "Run: pip install -c constraints.txt --force-reinstall torch torchvision" in report
    assert "To fix: 1 (torch)" in report


def test_report_on_a_broken_torch(monkeypatch):
    report = report_with(monkeypatch, SimpleNamespace(__version__="2.14.1"))
    assert "PyTorch cannot be asked" in report


@pytest.mark.parametrize(
    ("version", "verdict"),
    [
        (None, "missing"),
        ("1.5.2", "too old"),
        ("1.6.1", "ok"),
        ("1.10.0", "ok"),
        ("2.0.dev0", "ok"),
        ("1.6.1+cpu", "ok"),
        ("1.6.1rc1", "too old"),
    ],
)
def test_report_judges_versions(monkeypatch, version, verdict):
    real = metadata.version

    def pretend(name):
        if name != "scikit-learn":
            return real(name)
        if version is None:
            raise metadata.PackageNotFoundError(name)
        return version

    monkeypatch.setattr(environment.metadata, "version", pretend)
    report = environment_report()
    [line] = [line for line in report.splitlines() if line.startswith("scikit-learn")]
    assert verdict in line
    fix = 'Run: pip install -c constraints.txt --upgrade "scikit-learn>=1.6.1"'
    assert (fix in line) == (verdict != "ok")
    assert ("To fix: 1 (scikit-learn)" in report) == (verdict != "ok")


def test_report_where_the_course_is_not_installed(monkeypatch):
    monkeypatch.setattr(environment, "DISTRIBUTION", "no-such-distribution")
    assert "no-such-distribution is not installed" in environment_report()


def test_commands_name_constraints_only_where_they_are(monkeypatch, tmp_path):
    monkeypatch.setattr(environment, "CONSTRAINTS", tmp_path / "constraints.txt")
    report = report_with(monkeypatch, None)
    assert "Run: pip install --force-reinstall torch torchvision" in report


def test_report_and_set_up_without_packaging(monkeypatch):
    for module in ("packaging", "packaging.requirements"):
        monkeypatch.setitem(sys.modules, module, None)
    report = environment_report()
    assert "Packages  not checked: packaging is not installed. Run: pip install" in report
    assert "To fix: 1 (packaging)" in report
    assert "PyTorch   2." in report
    assert set_up() == "The packages were not checked: packaging is not installed."


def test_packages_of_the_lessons_are_asked_for_and_those_of_the_tests_are_not(monkeypatch):
    lines = ["flask>=3", 'torch>=2; extra == "lessons"', 'pytest>=9; extra == "test"']
    monkeypatch.setattr(environment.metadata, "requires", lambda name: lines)
    assert [package.name for package in environment._requirements()] == ["flask", "torch"]


def test_report_without_joblib(monkeypatch):
    monkeypatch.setitem(sys.modules, "joblib", None)
    assert "cores, an unknown amount of memory" in environment_report()


def test_report_without_psutil(monkeypatch):
    monkeypatch.setitem(sys.modules, "psutil", None)
    assert "an unknown amount of memory" in environment_report()


def test_report_describes_each_gpu(monkeypatch):
    report = report_with(monkeypatch, fake_torch(cuda="13.0", gpus=[T4, T4]), driver=(13, 2))
    assert "built for CUDA 13.0" in report
    for index in range(2):
        assert f"cuda:{index}, Tesla T4, 15.0 GiB, compute capability 7.5" in report


@pytest.mark.parametrize(
    ("wheel", "driver", "gpus", "says"),
    [
        ("13.0", (12, 8), [], "too old for CUDA 13.0"),
        ("13.0", (13, 0), [], "no GPU answers"),
        ("13.2", (13, 0), [T4], None),
        (None, (13, 0), [], "built without CUDA"),
        ("13.0", None, [], None),
    ],
)
def test_report_holds_driver_against_wheel(monkeypatch, wheel, driver, gpus, says):
    report = report_with(monkeypatch, fake_torch(cuda=wheel, gpus=gpus), driver)
    for advice in ("too old for CUDA", "no GPU answers", "built without CUDA"):
        assert (advice in report) == (says is not None and advice in says)


def test_driver_version_is_split(monkeypatch):
    def answer(pointer):
        pointer._obj.value = 12080
        return 0

    library = SimpleNamespace(cuDriverGetVersion=answer)
    monkeypatch.setattr(environment.ctypes, "CDLL", lambda name: library)
    assert environment._driver_cuda_version() == (12, 8)


def test_no_driver(monkeypatch):
    def missing(name):
        raise OSError(name)

    monkeypatch.setattr(environment.ctypes, "CDLL", missing)
    assert environment._driver_cuda_version() is None


@pytest.mark.parametrize(
    ("machine", "device"),
    [
        ({"gpus": [T4]}, "cuda"),
        ({"mps": True}, "mps"),
        ({"gpus": [T4], "mps": True}, "cuda"),
        ({}, "cpu"),
    ],
)
def test_best_device(monkeypatch, machine, device):
    monkeypatch.setitem(sys.modules, "torch", fake_torch(**machine))
    assert get_device() == torch.device(device)
    assert get_device("cpu") == torch.device("cpu")


def test_device_that_is_not_there(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", fake_torch(gpus=[T4]))
    assert get_device("cuda:0") == torch.device("cuda:0")
    with pytest.raises(
        RuntimeError, match=r"'cuda:1' is not on this machine, which has: cuda, cpu"
    ):
        get_device("cuda:1")


@pytest.mark.parametrize("name", ["gpu", "", 3.5, ["cpu"]])
def test_not_the_name_of_a_device(name):
    with pytest.raises(ValueError, match="expected 'cpu', 'cuda'"):
        get_device(name)


def test_seed_reaches_all_three_generators():
    import random

    def draw():
        return random.random(), np.random.rand(), torch.rand(1).item()

    seed_everything(3)
    first = draw()
    seed_everything(3)
    again = draw()
    seed_everything(4)
    assert first == again
    assert all(a != b for a, b in zip(first, draw(), strict=True))


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, "0", True, None])
def test_bad_seed(seed):
    with pytest.raises(ValueError, match="seed must be an integer"):
        seed_everything(seed)


@pytest.fixture
def without_skorch(monkeypatch):
    """As on Colab, where skorch is not installed; records what pip is asked to do."""
    real, runs = metadata.version, []

    def version(name):
        if name == "skorch":
            raise metadata.PackageNotFoundError(name)
        return real(name)

    def run(command, **options):
        constraints = Path(command[command.index("--constraint") + 1]).read_text(encoding="utf-8")
        runs.append(SimpleNamespace(command=command, constraints=constraints.splitlines()))
        return SimpleNamespace(returncode=0, stderr="")

    monkeypatch.setattr(environment.metadata, "version", version)
    monkeypatch.setattr(environment.subprocess, "run", run)
    return runs


def test_set_up_only_looks_where_everything_is_there(monkeypatch):
    monkeypatch.setitem(sys.modules, "google.colab", object())
    monkeypatch.setattr(environment.subprocess, "run", None)
    assert set_up() == "All packages of the course are here."


def test_set_up_installs_nothing_outside_colab(without_skorch):
    assert set_up() == "Missing or too old: skorch. Lesson 1 shows how to fix that."
    assert without_skorch == []


def test_set_up_on_colab_installs_what_is_missing_and_changes_nothing(monkeypatch, without_skorch):
    monkeypatch.setitem(sys.modules, "google.colab", object())
    assert set_up() == "Installed for this session: skorch."
    [run] = without_skorch
    requirements = metadata.requires("pytorch-sklearn-course")
    [skorch] = [r.partition(";")[0] for r in requirements if r.startswith("skorch")]
    assert run.command[:4] == [sys.executable, "-m", "pip", "install"]
    assert [word for word in run.command if ">=" in word] == [skorch]
    for name in ("torch", "numpy", "pandas", "scikit-learn"):
        assert f"{name}=={metadata.version(name)}" in run.constraints


def test_constraints_are_what_pip_reads(monkeypatch, without_skorch):
    """Debian's distributions have versions that pip refuses; some are found twice."""
    monkeypatch.setitem(sys.modules, "google.colab", object())
    found = [
        SimpleNamespace(name="python-debian", version="0.1.43ubuntu1"),
        SimpleNamespace(name="importlib-metadata", version="8.7.0"),
        SimpleNamespace(name="importlib_metadata", version="4.6.4"),
        SimpleNamespace(name="torch", version="2.11.0+cu128"),
        SimpleNamespace(name=None, version="1.0"),
        SimpleNamespace(name="broken", version=None),
        SimpleNamespace(name="early", version="1.0rc1.post2.dev3"),
    ]
    monkeypatch.setattr(environment.metadata, "distributions", lambda: found)
    set_up()
    expected = ["importlib-metadata==8.7.0", "torch==2.11.0+cu128", "early==1.0rc1.post2.dev3"]
    assert without_skorch[0].constraints == expected


def test_set_up_where_the_course_is_only_found(monkeypatch):
    monkeypatch.setattr(environment, "DISTRIBUTION", "no-such-distribution")
    assert "no-such-distribution is not installed" in set_up()


def test_set_up_on_colab_without_network_says_so(monkeypatch, without_skorch):
    monkeypatch.setitem(sys.modules, "google.colab", object())
    stderr = "WARNING: Retrying\nERROR: No matching distribution found for skorch\n"
    failed = SimpleNamespace(returncode=1, stderr=stderr)
    monkeypatch.setattr(environment.subprocess, "run", lambda *args, **options: failed)
    with pytest.raises(RuntimeError, match=r"cannot install skorch.*network.*No matching") as error:
        set_up()
    assert "\n" not in str(error.value) and "Retrying" not in str(error.value)


def test_set_up_on_colab_leaves_old_packages_alone(monkeypatch, without_skorch):
    monkeypatch.setitem(sys.modules, "google.colab", object())
    skorch_is_missing = environment.metadata.version

    def version(name):
        return "4.0.0" if name == "tqdm" else skorch_is_missing(name)

    monkeypatch.setattr(environment.metadata, "version", version)
    expected = (
        "Installed for this session: skorch. Older than the course expects, and left alone: tqdm."
    )
    assert set_up() == expected
    assert not any("tqdm>" in word for word in without_skorch[0].command)


FEWER_CORES = """
import os, sys
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
os.cpu_count = lambda: 8
if "torch" in sys.argv:
    import torch
    torch.set_num_threads(8)
from helpers import set_up
print(set_up())
import torch
print(torch.get_num_threads(), os.environ["OMP_NUM_THREADS"])
"""


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no affinity")
@pytest.mark.parametrize(
    ("imported_before", "asked_for", "says", "threads"),
    [
        ([], None, " Threads are limited to the cores given: 1 of 8.", "1"),
        (["torch"], None, " Threads are limited to the cores given: 1 of 8.", "1"),
        ([], "2", "", "2"),
    ],
)
def test_threads_are_limited_to_the_cores_given(imported_before, asked_for, says, threads):
    """As in a container with a quota, or under a scheduler; a number that you set stays."""
    environ = {
        k: v for k, v in os.environ.items() if k not in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")
    }
    if asked_for:
        environ["OMP_NUM_THREADS"] = asked_for
    run = subprocess.run(
        [sys.executable, "-c", FEWER_CORES, *imported_before],
        env=environ,
        cwd=Path(environment.__file__).parents[1],
        capture_output=True,
        text=True,
        check=True,
    )
    line, numbers = run.stdout.splitlines()
    assert line == "All packages of the course are here." + says
    assert numbers.split() == [threads, threads]


def test_threads_are_left_alone_elsewhere(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(environment.os, "cpu_count", lambda: 1)
    assert set_up() == "All packages of the course are here."
    monkeypatch.setattr(environment.os, "cpu_count", lambda: 1000)
    monkeypatch.setitem(sys.modules, "joblib", None)
    assert set_up() == "All packages of the course are here."
    assert "OMP_NUM_THREADS" not in os.environ
