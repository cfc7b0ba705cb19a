"""Every lesson keeps every rule, and every rule fails on a notebook that breaks it."""

import tomllib

import hygiene
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


PICTURE = "iVBORw0KGgo="


def good_lesson():
    """A small notebook that keeps every rule, as if it were lesson 1."""
    cells = [
        new_markdown_cell(f"# 1. A title\n\nWhich one is better?\n\n{picture(PICTURE)}"),
        new_markdown_cell("**Time**: 0 minutes, and 20 for the exercises"),
        new_markdown_cell("## Set-up"),
        new_markdown_cell("## 1.1 A section\n\n" + "Words on what the code below shows. " * 2),
        new_code_cell("print(0.25)", outputs=[stdout("0.25\n")]),
        new_code_cell(
            "plot()",
            outputs=[new_output("display_data", {"image/png": PICTURE})],
            metadata={"tags": ["first-screen"]},
        ),
        new_markdown_cell("It is 0.25."),
        new_markdown_cell("## Recap\n\nIt was 0.25."),
        new_markdown_cell("## Exercises"),
    ]
    for number in find_exercises(1):
        check = f'check("{number}", answer)\n# hint("{number}")\n# solution("{number}")'
        think = "See [this folder](.)" + " and think" * 12
        cells += [
            new_markdown_cell(f"### Exercise {number}: a task (4 minutes)\n\n{think}"),
            new_code_cell("answer = ..."),
            new_code_cell(check, outputs=[stdout("…\n")]),
        ]
    notebook = new_notebook(cells=cells)
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    set_address.write_into(
        notebook, "01_environment.ipynb", project["urls"]["Homepage"], f"v{project['version']}"
    )
    code(notebook, 0).outputs = [stdout("All packages of the course are here.\n")]
    minutes = 4 * len(find_exercises(1))
    notebook.cells[1].source = f"**Time**: 0 minutes, and {minutes} for the exercises"
    for count, cell in enumerate((c for c in notebook.cells if c.cell_type == "code"), start=1):
        cell.execution_count = count
    return notebook


def picture(png):
    return f"![a picture](data:image/png;base64,{png})"


def stdout(text):
    return new_output("stream", name="stdout", text=text)


def code(notebook, index=1):
    """A code cell; 0 is the set-up cell."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"][index]


def add_code(notebook, source, **kwargs):
    count = sum(cell.cell_type == "code" for cell in notebook.cells) + 1
    notebook.cells.append(new_code_cell(source, execution_count=count, **kwargs))


def say(notebook, text):
    """In the first section."""
    [cell] = [cell for cell in notebook.cells if cell.source.startswith("## 1.1")]
    cell.source += "\n\n" + text


def replace(notebook, old, new):
    for cell in notebook.cells:
        cell.source = cell.source.replace(old, new)


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
    ("words_per_line", lambda nb: code(nb).update(source="x = 1\n" * 100)),
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
    ("first_screen_makes_curious", lambda nb: replace(nb, "better?", "better.")),
    ("first_screen_makes_curious", lambda nb: replace(nb, picture(PICTURE), "")),
    ("first_screen_makes_curious", lambda nb: replace(nb, PICTURE, "iVBORw0KGgo9")),
    ("first_screen_makes_curious", lambda nb: code(nb, 2).metadata.update(tags=[])),
    ("first_screen_makes_curious", lambda nb: nb.cells.insert(0, nb.cells.pop(3))),
    ("set_up_cell_is_hidden", lambda nb: code(nb, 0).metadata.pop("jupyter")),
    ("set_up_cell_is_hidden", lambda nb: code(nb, 0).metadata.pop("cellView")),
    ("set_up_cell_is_hidden", lambda nb: code(nb, 0).outputs[0].update(text="One\ntwo\n")),
    ("set_up_cell_is_hidden", lambda nb: code(nb, 0).update(outputs=[])),
    ("set_up_cell_is_hidden", lambda nb: code(nb, 0).update(id="another")),
    ("times_are_computed", lambda nb: replace(nb, "0 minutes", "10 minutes")),
    ("times_are_computed", lambda nb: replace(nb, " for the exercises", "0 for the exercises")),
    ("times_are_computed", lambda nb: say(nb, "word " * 900)),
    ("times_are_computed", lambda nb: code(nb).update(source="x = 1\n" * 30)),
    ("times_are_computed", lambda nb: replace(nb, "1.1: a task (4 minutes)", "1.1: a task")),
    ("times_are_computed", lambda nb: long_lesson(nb, 60)),
    ("times_are_computed", lambda nb: long_lesson(nb, 95, "> **A place to stop.** Rest.")),
    ("few_assertions", lambda nb: add_code(nb, "assert True\n" * 2)),
    ("few_assertions", lambda nb: magic(nb, "accuracy > 0.95")),
    ("few_assertions", lambda nb: magic(nb, "accuracy > 0.9 * other")),
    ("few_assertions", lambda nb: magic(nb, "(f(x) - y) ** 2 < 1e-5")),
    ("few_assertions", lambda nb: magic(nb, "accuracy == 0.95")),
    ("numbers_are_in_an_output", lambda nb: say(nb, "It is 0.27.")),
    ("numbers_are_in_an_output", lambda nb: say(nb, "It is .27 of it.")),
    ("numbers_are_in_an_output", lambda nb: say(nb, "It is 27 % of it.")),
    ("numbers_are_in_an_output", lambda nb: say(nb, "There are 1,234 of them.")),
    ("numbers_are_in_an_output", lambda nb: replace(nb, "was 0.25", "was 0.27")),
    ("numbers_are_in_an_output", lambda nb: nb.cells.insert(-15, new_markdown_cell("## 1.2 Next\n\nIt is 0.25."))),
    ("one_name_one_data_set", lambda nb: add_code(nb, "X_train, y = load_a()\nX_train = load_b().data")),
    ("one_name_one_data_set", lambda nb: add_code(nb, "a = load_a()\nX = a.x\nb = load_b()\nfor i in b:\n    X = split(b, i)")),
    ("starts_with_its_title", lambda nb: say(nb, "# 1. Another title")),
    ("starts_with_its_title", lambda nb: nb.cells[0].update(source="## 1. A title")),
    ("headings_are_in_order", lambda nb: say(nb, "#### A level skipped")),
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
    ("set_up_cell_is_current", lambda nb: nb.cells.reverse()),
    ("set_up_cell_is_current", lambda nb: replace(nb, "**Time**", "**Colab**: [open](https://x.org).\n\n**Time**")),
    ("runs_on_windows_and_macos", lambda nb: add_code(nb, "!ls")),
    ("exercises_are_complete", lambda nb: nb.cells.__delitem__(slice(-3, None))),
    ("exercises_are_complete", lambda nb: code(nb, -2).update(source="answer = 3")),
    ("exercises_are_complete", lambda nb: code(nb, -1).update(source='check("1.1", answer)')),
]  # fmt: skip


def long_lesson(notebook, minutes, place_to_stop=""):
    """Honest about its minutes."""
    say(notebook, place_to_stop + " word" * 180 * minutes)
    replace(notebook, "0 minutes", f"{minutes} minutes")


def magic(notebook, test):
    add_code(notebook, f"assert {test}")
    add_code(notebook, "x = 1\n" * 30)


@pytest.fixture
def written(tmp_path):
    """Write a notebook under the name of lesson 1, in a course with a README; return its path."""
    (tmp_path / "notebooks").mkdir()
    row = f"| [1](notebooks/01_environment.ipynb) | 0 + {4 * len(find_exercises(1))} min |"
    (tmp_path / "README.md").write_text(row, encoding="utf-8")

    def write(notebook, name="01_environment.ipynb"):
        path = tmp_path / "notebooks" / name
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
    assert hygiene.listed_in_readme(notebook, written(notebook, "10_unlisted.ipynb")) != []
    long_lesson(notebook, 10)
    assert hygiene.listed_in_readme(notebook, written(notebook)) != []


def test_every_rule_has_been_seen_to_fail():
    assert {name for name, _ in BREAKAGES} | {"listed_in_readme"} == {
        rule.__name__ for rule in RULES
    }


def test_a_table_makes_curious_too(written):
    notebook = good_lesson()
    replace(notebook, picture(PICTURE), "| a | b |\n|---|---|\n| 1 | 2 |")
    code(notebook, 2).metadata.update(tags=[])
    assert hygiene.first_screen_makes_curious(notebook, written(notebook)) == []


def test_what_is_optional_and_exercises_take_no_time():
    notebook = good_lesson()
    for heading in ("## 1.2 More (optional)", "### Exercise 1.9: long (9 minutes)", "## Exercises"):
        notebook.cells.append(new_markdown_cell(f"{heading}\n\n" + "word " * 3000))
        assert hygiene.core_minutes(notebook) == 0
    notebook.cells.append(new_markdown_cell("## 1.3 Needed\n\n" + "word " * 3600))
    assert hygiene.core_minutes(notebook) == 20


@pytest.mark.parametrize(
    "text",
    [
        "It is 0.250, 0.3 or 25 %; a quarter is .25.",
        "See section 1.27, lesson 9.3, Python 3.11 and PyTorch 2.14.1 or `0.27`.",
        "Read [chapter two](https://example.org/0.27).",
        "Of 12 there are 3.",
    ],
)
def test_numbers_that_need_no_output(text, written):
    notebook = good_lesson()
    say(notebook, text)
    assert hygiene.numbers_are_in_an_output(notebook, written(notebook)) == []


def test_number_with_a_reason_needs_no_output(written, tmp_path):
    notebook = good_lesson()
    say(notebook, "It is 0.27.")
    path = written(notebook)
    (tmp_path / "tests" / "lessons").mkdir(parents=True)
    file = tmp_path / "tests" / "lessons" / "01_environment.py"
    file.write_text('UNPRINTED = {"0.27": "from a book"}\n', encoding="utf-8")
    assert hygiene.numbers_are_in_an_output(notebook, path) == []
    file.write_text('UNPRINTED = {"0.27": "from a book", "0.99": "stale"}\n', encoding="utf-8")
    assert hygiene.numbers_are_in_an_output(notebook, path) == [
        "UNPRINTED has 0.99, which the text does not need"
    ]


@pytest.mark.parametrize(
    "test",
    ["accuracy > baseline", "X.shape == (2, 3)", "n == 64 * 32 + 32", "np.allclose(a, b, atol=1e-5)", "0 < p <= 1"],
)  # fmt: skip
def test_assertion_that_teaches_is_left_alone(test, written):
    notebook = good_lesson()
    magic(notebook, test)
    assert hygiene.few_assertions(notebook, written(notebook)) == []


@pytest.mark.parametrize(
    "source",
    [
        "X = load_a().x\nX = scale(X)",
        "X_a = load_a()\nX_b = load_b()\nboth = join(X_a, X_b)\nX_a = both",
        "ax = plot(load_a())\nax = plot(load_b())",
        "X = load_a()\ndef f():\n    X = load_b()",
        "X_train = load_a()\nloader = make_loader(X_train)",
    ],
)
def test_one_data_set_keeps_its_name(source, written):
    notebook = good_lesson()
    add_code(notebook, source)
    assert hygiene.one_name_one_data_set(notebook, written(notebook)) == []


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
