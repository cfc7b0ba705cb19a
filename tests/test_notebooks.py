"""Every lesson keeps every rule, and every rule fails on a notebook that breaks it."""

import tomllib

import nbformat
import pytest
import set_address
from hygiene import LESSONS, REPOSITORY, RULES, portability_faults
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from helpers.exercises import find_exercises


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_lesson_keeps_rule(path, rule):
    assert rule(nbformat.read(path, as_version=4), path) == []


def test_there_are_lessons():
    assert [path.name[:2] for path in LESSONS] == [f"{n:02d}" for n in range(1, len(LESSONS) + 1)]
    assert LESSONS


def good_lesson():
    """A small notebook that keeps every rule, as if it were lesson 1."""
    cells = [
        new_markdown_cell(
            "# 1. A title\n\n" + "Words that explain what the code below shows. " * 12
        ),
        new_markdown_cell("## Set-up"),
        new_code_cell("print(1)", outputs=[new_output("stream", name="stdout", text="1\n")]),
        new_code_cell(
            "plot()", outputs=[new_output("display_data", {"image/png": "iVBORw0KGgo="})]
        ),
    ]
    for number in find_exercises(1):
        check = f'check("{number}", answer)\n# hint("{number}")\n# solution("{number}")'
        cells += [
            new_markdown_cell(f"## Exercise {number}: see [this folder](.)" + " and think" * 12),
            new_code_cell("answer = ..."),
            new_code_cell(check, outputs=[new_output("stream", name="stdout", text="…\n")]),
        ]
    notebook = new_notebook(cells=cells)
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    set_address.write_into(
        notebook, "01_environment.ipynb", project["urls"]["Homepage"], f"v{project['version']}"
    )
    for count, cell in enumerate((c for c in notebook.cells if c.cell_type == "code"), start=1):
        cell.execution_count = count
    return notebook


def code(notebook, index=1):
    """A code cell; 0 is the set-up cell."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"][index]


def add_code(notebook, source, **kwargs):
    count = sum(cell.cell_type == "code" for cell in notebook.cells) + 1
    notebook.cells.append(new_code_cell(source, execution_count=count, **kwargs))


def say(notebook, text):
    notebook.cells[0].source += "\n\n" + text


# (rule, what breaks it): a mutation of the good lesson each.
BREAKAGES = [
    ("executed_in_order", lambda nb: code(nb).update(execution_count=None)),
    ("executed_in_order", lambda nb: code(nb).update(execution_count=7)),
    ("no_stored_error", lambda nb: code(nb).outputs.append(new_output("error", ename="E", evalue="e"))),
    ("no_stderr", lambda nb: code(nb).outputs.append(new_output("stream", name="stderr", text="W"))),
    ("no_empty_cell", lambda nb: add_code(nb, "")),
    ("no_empty_cell", lambda nb: nb.cells.append(new_markdown_cell(" \n"))),
    ("cell_sizes", lambda nb: add_code(nb, "x = 1\n" * 31)),
    ("cell_sizes", lambda nb: [add_code(nb, "x = 1\n" * 17) for _ in range(2)]),
    ("cell_sizes", lambda nb: [add_code(nb, "x = 1\n" * 5) for _ in nb.cells[:]]),
    ("words_per_line", lambda nb: say(nb, "word " * 1000)),
    ("words_per_line", lambda nb: add_code(nb, "x = 1\n" * 100)),
    ("no_absolute_path", lambda nb: say(nb, "Open /home/me/course now.")),
    ("no_absolute_path", lambda nb: code(nb).update(source="open('C:\\Users\\me')")),
    ("no_absolute_path", lambda nb: code(nb).outputs[0].update(text="in /tmp/x.py")),
    ("links_lead_somewhere", lambda nb: say(nb, "See [the next one](10_nowhere.ipynb).")),
    ("links_lead_somewhere", lambda nb: say(nb, "![a picture](figures/none.png)")),
    ("figures_are_png", lambda nb: code(nb, 2).outputs[0].data.update({"image/svg+xml": "<svg/>"})),
    ("small_enough", lambda nb: code(nb, 2).outputs[0].data.update({"image/png": "A" * 1_000_000})),
    ("metadata_is_stripped", lambda nb: code(nb).metadata.update(execution={"iopub": "now"})),
    ("metadata_is_stripped", lambda nb: nb.metadata.update(widgets={})),
    ("tags_are_known", lambda nb: code(nb).metadata.update(tags=["nbval-skip"])),
    ("starts_with_its_title", lambda nb: say(nb, "# 1. Another title")),
    ("starts_with_its_title", lambda nb: nb.cells[0].update(source="## 1. A title")),
    ("headings_are_in_order", lambda nb: say(nb, "### A level skipped")),
    ("headings_are_in_order", lambda nb: say(nb, "## Twice\n\n## Twice")),
    ("headings_are_in_order", lambda nb: say(nb, "##")),
    ("links_say_where_they_lead", lambda nb: say(nb, "Read [here](https://pytorch.org).")),
    ("links_say_where_they_lead", lambda nb: say(nb, "[https://pytorch.org](https://pytorch.org)")),
    ("links_say_where_they_lead", lambda nb: say(nb, "See <https://pytorch.org>.")),
    ("images_have_alt_text", lambda nb: say(nb, "![](figure.png)")),
    ("images_have_alt_text", lambda nb: say(nb, '<img src="figure.png">')),
    ("tables_have_headers", lambda nb: say(nb, "| | b |\n|---|---|\n| 1 | 2 |")),
    ("tables_have_headers", lambda nb: say(nb, "<table><tr><td>1</td></tr></table>")),
    ("set_up_cell_is_current", lambda nb: code(nb, 0).update(source="import helpers")),
    ("set_up_cell_is_current", lambda nb: nb.cells[0].update(source="# 1. A title")),
    ("set_up_cell_is_current", lambda nb: nb.cells.reverse()),
    ("runs_on_windows_and_macos", lambda nb: add_code(nb, "!ls")),
    ("exercises_are_complete", lambda nb: nb.cells.__delitem__(slice(-3, None))),
    ("exercises_are_complete", lambda nb: code(nb, -2).update(source="answer = 3")),
    ("exercises_are_complete", lambda nb: code(nb, -1).update(source='check("1.1", answer)')),
]  # fmt: skip


@pytest.fixture
def written(tmp_path):
    """Write a notebook under the name of lesson 1 and return its path."""

    def write(notebook, name="01_environment.ipynb"):
        path = tmp_path / name
        nbformat.write(notebook, path)
        return path

    return write


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_good_lesson_keeps_rule(rule, written):
    notebook = good_lesson()
    assert rule(notebook, written(notebook)) == []


@pytest.mark.parametrize(("name", "break_it"), BREAKAGES, ids=[name for name, _ in BREAKAGES])
def test_rule_fails(name, break_it, written):
    notebook = good_lesson()
    break_it(notebook)
    rule = {rule.__name__: rule for rule in RULES}[name]
    assert rule(notebook, written(notebook)) != []


def test_listed_in_readme_fails(written):
    notebook = good_lesson()
    [rule] = [rule for rule in RULES if rule.__name__ == "listed_in_readme"]
    assert rule(notebook, written(notebook, "10_unlisted.ipynb")) != []


def test_every_rule_has_been_seen_to_fail():
    assert {name for name, _ in BREAKAGES} | {"listed_in_readme"} == {
        rule.__name__ for rule in RULES
    }


PYTHON_FILES = [
    path for folder in ("helpers", "tools") for path in sorted((REPOSITORY / folder).rglob("*.py"))
]


@pytest.mark.parametrize("path", PYTHON_FILES, ids=lambda path: path.stem)
def test_code_runs_on_windows_and_macos(path):
    assert portability_faults(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "x = 1\n!ls",
        "%%bash\nls",
        "os.kill(process, signal.SIGKILL)",
        "import resource",
        "DataLoader(data, num_workers=2)",
        "link.symlink_to(path)",
        "open(f'{folder}/x.csv', encoding='utf-8')",
        "open(folder + '/x.csv', encoding='utf-8')",
        "subprocess.run('ls', shell=True)",
        "open('x.csv')",
        "Path('x').open('w')",
        "Path('x').read_text()",
        "Path('x').write_text(text)",
    ],
)
def test_what_is_not_portable_is_found(source):
    assert portability_faults(source) != []


@pytest.mark.parametrize(
    "source",
    [
        "%matplotlib inline\nx = 1",
        "open('x', 'rb')",
        "path.open(mode='wb')",
        "Image.open('x.png')",
        "open('x', encoding='utf-8')",
        "f'{part}/{whole}'",
        "DataLoader(data, num_workers=0)",
    ],
)
def test_what_is_portable_is_left_alone(source):
    assert portability_faults(source) == []
