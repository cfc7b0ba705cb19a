"""`from helpers import check, fit`: one flat list of names, whose import costs nothing."""

import subprocess
import sys
from pathlib import Path

import pytest

import helpers

REPOSITORY = Path(helpers.__file__).parents[1]


@pytest.mark.parametrize("module", ["", ".environment", ".datasets", ".plotting", ".exercises"])
def test_import_is_cheap(module):
    """A lesson on scikit-learn does not pay for PyTorch, nor any for what it does not use."""
    code = (
        f"import sys; before = set(sys.modules); import helpers{module}; "
        "loaded = {name.partition('.')[0] for name in set(sys.modules) - before}; "
        "print(sorted(loaded - set(sys.stdlib_module_names)))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert run.stdout == "['helpers']\n"


@pytest.mark.parametrize("name", helpers.__all__)
def test_every_name_leads_to_a_documented_object_of_that_name(name):
    found = getattr(helpers, name)
    assert found.__name__ == name
    assert found.__module__.partition(".")[0] == "helpers"
    assert found.__doc__


def test_names_are_listed_once_and_in_order():
    names = [name for names in helpers.HOMES.values() for name in names]
    assert sorted(set(names)) == sorted(names) == helpers.__all__ == dir(helpers)


def test_an_unknown_name_is_answered_with_those_that_there_are():
    with pytest.raises(AttributeError, match=r"helpers has no 'train'; it has check, .*fit, "):
        _ = helpers.train
    with pytest.raises(ImportError, match="cannot import name 'train'"):
        from helpers import train  # noqa: F401


def test_folders_are_still_found_by_name():
    from helpers import training

    assert training.fit is helpers.fit
