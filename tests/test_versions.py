"""pyproject.toml, constraints.txt, environment.yml and the pre-commit hooks do not drift apart."""

import re
import subprocess
import sys
import tomllib
import uuid
from itertools import chain

import pytest
import yaml
from hygiene import REPOSITORY
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CONSTRAINTS = (REPOSITORY / "constraints.txt").read_text(encoding="utf-8").splitlines()
PINS = {
    canonicalize_name(line.partition("==")[0]): line.partition("==")[2]
    for line in CONSTRAINTS
    if not line.startswith("#")
}
REQUIREMENTS = [
    Requirement(text)
    for text in chain.from_iterable(PROJECT["optional-dependencies"].values())
    if not text.startswith(PROJECT["name"])  # an extra that includes another
]
ENVIRONMENT = yaml.safe_load((REPOSITORY / "environment.yml").read_text(encoding="utf-8"))
PIP_PART = ENVIRONMENT["dependencies"][-1]["pip"]


def test_constraints_are_exact_pins():
    assert all(re.fullmatch(r"#.*|[\w.-]+==[\w.+!]+", line) for line in CONSTRAINTS)


@pytest.mark.parametrize("requirement", REQUIREMENTS, ids=str)
def test_requirement_is_pinned_within_its_range(requirement):
    pin = PINS[canonicalize_name(requirement.name)]
    assert requirement.specifier.contains(pin), f"{requirement} does not allow {pin}"


@pytest.mark.parametrize("requirement", REQUIREMENTS, ids=str)
def test_requirement_is_a_lower_bound(requirement):
    assert [bound.operator for bound in requirement.specifier] == [">="]


def test_an_extra_for_each_purpose():
    """`lab` has all that a lesson needs; `serve` has neither PyTorch nor scikit-learn."""
    extras = PROJECT["optional-dependencies"]
    assert PROJECT["dependencies"] == []
    assert f"{PROJECT['name']}[lessons]" in extras["lab"]
    assert f"{PROJECT['name']}[serve]" in extras["lessons"]
    assert not {Requirement(text).name for text in extras["serve"]} & {"torch", "scikit-learn"}


def test_environment_installs_the_project_under_the_constraints():
    assert PIP_PART == ["--constraint constraints.txt", "--editable .[lab,test]"]
    assert ENVIRONMENT["name"] == PROJECT["name"]
    [python] = [d for d in ENVIRONMENT["dependencies"] if str(d).startswith("python=")]
    assert Requirement("python" + PROJECT["requires-python"]).specifier.contains(
        python.partition("=")[2]
    )


def test_makefile_uses_the_same_constraints():
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    installs = [line.split() for line in makefile.splitlines() if "pip install" in line]
    assert installs
    for words in installs:
        pins = "constraints-colab.txt" if words[0].startswith(".venv-colab/") else "constraints.txt"
        assert words[words.index("--constraint") :][1:3] == [pins, "--editable"]


def test_lower_bounds_are_what_colab_ships():
    """Exactly, where that was read off Colab; the rest of the file must at least be allowed."""
    text = (REPOSITORY / "constraints-colab.txt").read_text(encoding="utf-8")
    known, guessed = (
        dict(re.findall(r"(?m)^([\w-]+)==(\S+)$", part)) for part in text.split("# Not")
    )
    bounds = {requirement.name: requirement.specifier for requirement in REQUIREMENTS}
    assert len(known) == 10 and known.keys() <= bounds.keys()
    assert all(str(bounds[name]) == f">={version}" for name, version in known.items())
    for name, version in guessed.items():
        assert name not in bounds or bounds[name].contains(version)


def test_pip_part_of_environment_resolves():
    """As conda runs it: from a requirements file beside environment.yml. What is installed
    already was installed under the same constraints, so no index is asked."""
    requirements = REPOSITORY / f"condaenv.{uuid.uuid4().hex}.requirements.txt"
    requirements.write_text("\n".join(PIP_PART), encoding="utf-8")
    options = [
        "--dry-run",
        "--no-index",
        "--no-build-isolation",
        "--requirement",
        requirements.name,
    ]
    try:
        run = subprocess.run(
            [sys.executable, "-m", "pip", "install", *options],
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
        )
    finally:
        requirements.unlink()
    assert run.returncode == 0, run.stderr
    installs = [line for line in run.stdout.splitlines() if line.startswith("Would install")]
    assert [re.sub(r"[\d.-]+$", "", line) for line in installs] == [
        f"Would install {PROJECT['name']}"
    ]


def test_hooks_use_the_pinned_tools():
    text = (REPOSITORY / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    hooks = yaml.safe_load(text)["repos"][0]["hooks"]
    tools = [Requirement(tool) for hook in hooks for tool in hook["additional_dependencies"]]
    assert {tool.name for tool in tools} == {"nbstripout", "ruff"}
    for tool in tools:
        assert str(tool.specifier) == f"=={PINS[tool.name]}"
