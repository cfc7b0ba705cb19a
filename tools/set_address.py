"""Write the course's public address into pyproject.toml, the README and every notebook.

    python tools/set_address.py https://github.com/OWNER/NAME
    python tools/set_address.py          # only write again what pyproject.toml says

The address stands in pyproject.toml, under [project.urls]; the tag is its version. From both
come the first cell of each lesson, which installs `helpers` on Google Colab, and the links that
open a lesson there. A fork runs this once, a maintainer whenever the version changes, before
the tag is made.
"""

import argparse
import re
import sys
import tomllib
from pathlib import Path

import nbformat

REPOSITORY = Path(__file__).parent.parent
CELL_ID = "set-up"
HIDDEN = {"cellView": "form", "jupyter": {"source_hidden": True}}  # in Colab, in JupyterLab

NO_ADDRESS = "This copy of the course has no address yet, so Colab cannot install it."
INSTALL = """\
# @title Set-up
import subprocess
import sys
from importlib.util import find_spec

if "google.colab" in sys.modules and find_spec("helpers") is None:
    pip = [sys.executable, "-m", "pip", "install", "-qqq", "--no-deps", "{archive}"]  # fmt: skip
    assert subprocess.call(pip) == 0, f"cannot install {{pip[-1]}}: no network, or no such tag"
from helpers import check, hint, set_theme, set_up, solution

print(set_up())
set_theme()"""
INSTALL_NOTHING = f"""\
# @title Set-up
import sys
from importlib.util import find_spec

if "google.colab" in sys.modules and find_spec("helpers") is None:
    raise RuntimeError("{NO_ADDRESS}")
from helpers import check, hint, set_theme, set_up, solution

print(set_up())
set_theme()"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("address", nargs="?", help="https://github.com/OWNER/NAME")
    address = parser.parse_args().address
    if address is not None and not is_on_github(address):
        sys.exit(f"expected an address such as https://github.com/OWNER/NAME, got {address!r}")
    write(REPOSITORY, address)


def write(repository, address=None):
    """Bring every file of the repository to `address`, or to the one in pyproject.toml."""
    pyproject = repository / "pyproject.toml"
    text = pyproject.read_text(encoding="utf-8")
    if address is not None:
        address = address.rstrip("/").removesuffix(".git")
        text = replace_once(r'^Homepage = ".*"$', f'Homepage = "{address}"', text)
    files = {pyproject: text}
    project = tomllib.loads(text)["project"]
    address, tag = project["urls"]["Homepage"], f"v{project['version']}"
    paths = sorted((repository / "notebooks").glob("[0-9]*.ipynb"))
    for path in paths:
        notebook = nbformat.read(path, as_version=4)
        write_into(notebook, path.name, address, tag)
        files[path] = nbformat.writes(notebook) + "\n"
    readme = repository / "README.md"
    files[readme] = replace_once(
        r"(?<=^<!-- colab -->\n).*(?=\n<!-- /colab -->$)",
        readme_line(paths, address, tag),
        readme.read_text(encoding="utf-8"),
    )
    for path, text in files.items():
        if text != path.read_text(encoding="utf-8"):
            temporary = path.with_suffix(".tmp")
            temporary.write_text(text, encoding="utf-8", newline="\n")
            temporary.replace(path)


def replace_once(pattern, new, text):
    text, count = re.subn(pattern, lambda _: new, text, flags=re.MULTILINE)
    if count != 1:
        raise ValueError(f"expected one place that matches {pattern}, found {count}")
    return text


def write_into(notebook, name, address, tag):
    """Put the set-up cell and the Colab line into one notebook, or bring them up to date."""
    lines = colab_lines(name, address, tag)
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and "**Time**: " in cell.source:
            without = re.sub(r"\n\n\*\*Colab\*\*: .*", "", cell.source)
            cell.source = "\n\n".join([without, *lines])
            break
    source = set_up_cell(address, tag)
    if all(cell.id != CELL_ID for cell in notebook.cells):
        [index] = [k for k, c in enumerate(notebook.cells) if c.source.startswith("## Set-up")]
        notebook.cells.insert(index + 1, nbformat.v4.new_code_cell(id=CELL_ID))
    [cell] = [cell for cell in notebook.cells if cell.id == CELL_ID]
    cell.source = source
    cell.metadata.update(HIDDEN)


def set_up_cell(address, tag):
    if is_placeholder(address):
        return INSTALL_NOTHING
    return INSTALL.format(archive=f"{address}/archive/refs/tags/{tag}.zip")


def colab_lines(name, address, tag):
    """The lesson's line that leads to Colab, in a list; without an address there is none."""
    if is_placeholder(address):
        return []
    return [f"**Colab**: [open this lesson in Google Colab]({colab_link(name, address, tag)})."]


def readme_line(paths, address, tag):
    if is_placeholder(address):
        return NO_ADDRESS
    links = [
        f"[lesson {int(path.name[:2])}]({colab_link(path.name, address, tag)})" for path in paths
    ]
    return f"Open in Google Colab: {', '.join(links)}."


def colab_link(name, address, tag):
    owner_and_name = address.removeprefix("https://github.com/")
    return f"https://colab.research.google.com/github/{owner_and_name}/blob/{tag}/notebooks/{name}"


def is_on_github(address):
    return re.fullmatch(r"https://github\.com/[\w.-]+/[\w.-]+?/?", address) is not None


def is_placeholder(address):
    return re.match(r"https?://(?:[\w-]+\.)?example\.(?:org|com|net)(?:/|$)", address) is not None


if __name__ == "__main__":
    main()
