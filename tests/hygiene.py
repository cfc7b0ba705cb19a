"""The rules that every lesson's notebook keeps.

A rule takes a notebook and its path and returns what is wrong, as a list of sentences.
`test_notebooks.py` applies every rule to every lesson, and proves that each rule can fail.
"""

import ast
import math
import re
import statistics
import tomllib
from pathlib import Path

import nbformat
import set_address
from claims import unprinted_numbers_of

from helpers.exercises import find_exercises

REPOSITORY = Path(__file__).parent.parent
LESSONS = sorted((REPOSITORY / "notebooks").glob("[0-9]*.ipynb"))

LINK = re.compile(r"!?\[[^\]]*\]\(<?([^)>\s]+)>?(?:\s+\"[^\"]*\")?\)")
ABSOLUTE_PATH = re.compile(
    r"(?<![\w.:/])/(?:home|Users|root|tmp|usr|opt|var|etc|mnt|work|content|private)/\w|\b[A-Z]:\\\w"
)
KNOWN_TAGS = re.compile(
    r"nbval-ignore-output|nbval-raises-exception|first-screen|tolerance-\d+(\.\d+)?%"
)
PICTURE = re.compile(r"!\[[^\]]+\]\(data:image/png;base64,([^)]+)\)")
MAX_BYTES = 1_000_000


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def markdown_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "markdown"]


def outputs(notebook):
    return [output for cell in code_cells(notebook) for output in cell.outputs]


def text_of(output):
    """All text of an output, whatever its type."""
    data = output.get("data", {})
    texts = [value for kind, value in data.items() if kind.startswith("text/")]
    return "\n".join([output.get("text", ""), *output.get("traceback", []), *texts])


def executed_in_order(notebook, path):
    """nbval does not compare a cell without an execution count."""
    counts = [cell.execution_count for cell in code_cells(notebook)]
    if counts != list(range(1, len(counts) + 1)):
        return [f"execution counts are {counts}, expected 1 to {len(counts)}"]
    return []


def no_stored_error(notebook, path):
    tolerated = {
        id(output)
        for cell in code_cells(notebook)
        if "nbval-raises-exception" in cell.metadata.get("tags", [])
        for output in cell.outputs
    }
    return [
        f"a stored error: {output.ename}: {output.evalue}"
        for output in outputs(notebook)
        if output.output_type == "error" and id(output) not in tolerated
    ]


def no_stderr(notebook, path):
    return [
        f"stored stderr: {output.text[:80]!r}"
        for output in outputs(notebook)
        if output.get("name") == "stderr"
    ]


def no_empty_cell(notebook, path):
    """Editors leave an empty cell at the end."""
    return [
        f"cell {index} is empty"
        for index, cell in enumerate(notebook.cells)
        if not cell.source.strip()
    ]


def cell_sizes(notebook, path):
    """Many small cells, none long: the numbers are the course's own standard."""
    lines = sorted(
        sum(bool(line.strip()) for line in cell.source.splitlines())
        for cell in code_cells(notebook)
    )
    if not lines:
        return ["there is no code"]
    most = {
        "median": (statistics.median(lines), 4),
        "95 % quantile": (lines[math.ceil(0.95 * len(lines)) - 1], 16),
        "longest": (lines[-1], 30),
    }
    return [
        f"code cells: {name} is {found} lines, at most {allowed}"
        for name, (found, allowed) in most.items()
        if found > allowed
    ]


def words_per_line(notebook, path):
    """Enough prose to read the outputs, not so much that the code drowns.

    Without the first screen, the exercises, whose code is the reader's, the further reading, and
    tables, which are looked up.
    """
    opening = {cell.id for cell in before_code(notebook)}
    cells = [
        cell
        for headings, piece in sections(notebook)
        if not re.search(r"(?:^|\n)(?:Exercise|Further reading)", "\n".join(headings))
        for cell in piece
        if cell.id not in opening
    ]
    words = count_words([cell for cell in cells if cell.cell_type == "markdown"])
    words -= count_words(tables_of(cells))
    lines = count_lines([cell for cell in cells if cell.cell_type == "code"])
    if not 6 <= round(words / max(lines, 1)) <= 14:
        return [f"{words} words on {lines} lines of code: {words / lines:.1f}, expected 6 to 14"]
    return []


def tables_of(cells):
    """Markdown cells with nothing but the tables of `cells`."""
    lines = [line for cell in cells for line in cell.source.splitlines() if line.startswith("|")]
    return [nbformat.v4.new_markdown_cell("\n".join(lines))]


def count_words(cells):
    prose = re.sub(r"\]\([^)]*\)", "] ", " ".join(cell.source for cell in cells))
    return sum(bool(re.search(r"\w", word)) for word in prose.split())


def count_lines(cells):
    """Lines of code that a reader sees: the set-up cell is hidden."""
    return sum(
        bool(line.strip())
        for cell in cells
        if cell.id != set_address.CELL_ID
        for line in cell.source.splitlines()
    )


def sections(notebook):
    """(headings above, cells) of each piece between two headings; headings are level and text."""
    above, pieces = {}, [((), [])]
    for cell in notebook.cells:
        heading = cell.cell_type == "markdown" and re.match(r"(#+) +(.*)", cell.source)
        if heading:
            level = len(heading[1])
            above = {k: text for k, text in above.items() if k < level} | {level: heading[2]}
            pieces.append((tuple(above.values()), []))
        pieces[-1][1].append(cell)
    return pieces


def core_minutes(notebook):
    """Minutes to read the lesson, without its exercises and what is marked as optional."""
    cells = [
        cell
        for headings, piece in sections(notebook)
        if not re.search(r"\(optional\)|(?:^|\n)Exercise", "\n".join(headings))
        for cell in piece
    ]
    words = count_words([cell for cell in cells if cell.cell_type == "markdown"])
    lines = count_lines([cell for cell in cells if cell.cell_type == "code"])
    return 5 * round((words / 180 + lines / 6) / 5)


def exercise_minutes(notebook):
    found = re.findall(r"^#+ Exercise .*\((\d+) minutes\)$", prose_of(notebook), re.MULTILINE)
    return sum(map(int, found))


def times_are_computed(notebook, path):
    core, exercises = core_minutes(notebook), exercise_minutes(notebook)
    line = f"**Time**: {core} minutes, and {exercises} for the exercises"
    opening = "\n".join(cell.source for cell in before_code(notebook))
    faults = [] if line in opening else [f"the first screen must say {line!r}"]
    if core > 90:
        faults.append(f"the core takes {core} minutes, at most 90")
    if core >= 60 and "**A place to stop.**" not in prose_of(notebook):
        faults.append("a lesson of an hour or more needs a callout: > **A place to stop.** …")
    if found := re.findall(
        r"^#+ Exercise (?!.*\(\d+ minutes\)$).*", prose_of(notebook), re.MULTILINE
    ):
        faults.append(f"exercises without their minutes: {found}")
    return faults


def before_code(notebook):
    """The first screen: the cells before the first code cell."""
    kinds = [cell.cell_type for cell in notebook.cells]
    return notebook.cells[: kinds.index("code") if "code" in kinds else None]


def first_screen_makes_curious(notebook, path):
    """A question, and a picture or table; a picture is the lesson's own figure, still current."""
    opening = "\n\n".join(cell.source for cell in before_code(notebook))
    faults = []
    if not re.search(r"\w\?", re.sub(r"\]\([^)]*\)", "]", opening)):
        faults.append("no question before the first code cell")
    pictures = PICTURE.findall(opening)
    if not pictures and not re.search(r"^\|[-:| ]+\|$", opening, re.MULTILINE):
        faults.append("neither a picture nor a table before the first code cell")
    shown = [
        output.data["image/png"].replace("\n", "")
        for cell in code_cells(notebook)
        if "first-screen" in cell.metadata.get("tags", [])
        for output in cell.outputs
        if "image/png" in output.get("data", {})
    ]
    if pictures != shown[-1:]:
        faults.append(
            "the first picture is not the figure of the cell with the tag first-screen: "
            "run tools/execute_lesson.py"
        )
    return faults


def set_up_cell_is_hidden(notebook, path):
    """In JupyterLab and in Colab; what it prints is one line."""
    cell = next((cell for cell in code_cells(notebook)), None)
    if cell is None or cell.id != set_address.CELL_ID:
        return ["the first code cell is not the set-up cell"]
    faults = []
    if {k: v for k, v in cell.metadata.items() if k != "tags"} != set_address.HIDDEN:
        faults.append(f"the set-up cell's metadata must be {set_address.HIDDEN}")
    text = "".join(text_of(output) for output in cell.outputs)
    if len(cell.outputs) != 1 or len(text.splitlines()) != 1:
        faults.append(f"the set-up cell must print one line, got {text!r}")
    return faults


def few_assertions(notebook, path):
    """What keeps results in bounds stands in tests/lessons; what stays on the page teaches."""
    asserts = [
        node
        for cell in code_cells(notebook)
        for node in ast.walk(ast.parse(without_magics(cell.source)))
        if isinstance(node, ast.Assert)
    ]
    lines = count_lines(code_cells(notebook))
    faults = [
        f"a magic number: {ast.unparse(node)}" for node in asserts if has_magic_number(node.test)
    ]
    if len(asserts) > lines / 30:
        faults.append(f"{len(asserts)} assertions on {lines} lines of code, at most one in 30")
    return faults


def has_magic_number(test):
    """Whether something is measured against a number other than 0 or 1, or is set equal to a
    number with decimals. A shape or a count may be compared: `X.shape == (2, 3)`.
    """
    for node in ast.walk(test):
        if isinstance(node, ast.Compare):
            bounds = any(isinstance(op, ast.Lt | ast.LtE | ast.Gt | ast.GtE) for op in node.ops)
            numbers = [n for side in (node.left, *node.comparators) for n in literals(side)]
            if any(n not in (0, 1) if bounds else n != int(n) for n in numbers):
                return True
    return False


def literals(node):
    """The numbers in an expression, but not those in a call or an index."""
    if isinstance(node, ast.Constant):
        return [node.value] if type(node.value) in (int, float) else []
    if isinstance(node, ast.Call | ast.Subscript):
        return []
    return [number for child in ast.iter_child_nodes(node) for number in literals(child)]


NUMBER = re.compile(
    r"(?<![\w.])(?P<number>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d*\.\d+|\d+(?=\s?%))(?P<percent>\s?%)?"
)
NO_RESULT = re.compile(
    r"""https?://\S+ | `[^`]*` | \]\([^)]*\) | ^\#+\ .*$
      | \b(?:[Ss]ections?|[Ee]xercises?|[Ll]essons?|Python|PyTorch|torchvision|CUDA|NumPy|pandas
            |scikit-learn|SciPy|ONNX|[Vv]ersions?|CC\ BY(?:-[A-Z-]+)?)\ [\d.]*\d(?:(?:,|\ and|\ to|\ or)\ \d[\d.]*\d)*""",
    re.VERBOSE | re.MULTILINE,
)


def numbers_are_in_an_output(notebook, path):
    """A number in the text stands in an output or in the code of its section.

    Only numbers with decimals, thousands or a percent sign; rounded ones count. The opening, the
    recap and the exercises may take theirs from anywhere. What is right and printed nowhere
    stands with its reason in UNPRINTED, in tests/lessons.
    """
    reasons = unprinted_numbers_of(path.stem, path.parent.parent)
    everywhere = numbers_of(code_cells(notebook))
    faults, excused = [], set()
    for (chapter, *_), cells in chapters(notebook):
        own = numbers_of([cell for cell in cells if cell.cell_type == "code"])
        numbers = own if re.match(r"\d+\.\d+", chapter) else everywhere
        for cell in cells:
            if cell.cell_type != "markdown":
                continue
            for match in NUMBER.finditer(NO_RESULT.sub(" ", cell.source)):
                if is_among(match["number"], match["percent"], numbers):
                    continue
                if match["number"] in reasons:
                    excused.add(match["number"])
                else:
                    around = match.string[max(0, match.start() - 40) : match.end() + 20]
                    faults.append(
                        f"{match[0]} is in no output of its section: …{' '.join(around.split())}…"
                    )
    stale = sorted(set(reasons) - excused)
    return faults + [f"UNPRINTED has {number}, which the text does not need" for number in stale]


def chapters(notebook):
    """The cells under each heading of level 1 or 2, smaller sections included."""
    found = [(("",), [])]
    for headings, cells in sections(notebook):
        top = headings[:2] if len(headings) > 1 else headings
        name = (headings[-1] if len(headings) == 1 else headings[1],) if headings else ("",)
        if top and name != found[-1][0]:
            found.append((name, []))
        found[-1][1].extend(cells)
    return found


def numbers_of(cells):
    texts = [cell.source for cell in cells] + [text_of(o) for cell in cells for o in cell.outputs]
    found = re.findall(r"\d+(?:[,_]\d{3})+(?:\.\d+)?|\d*\.?\d+(?:[eE][-+]?\d+)?", "\n".join(texts))
    return {float(re.sub("[,_]", "", number)) for number in found}


def is_among(number, percent, numbers):
    digits = len(number.partition(".")[2])
    value, step = float(number.replace(",", "")), 0.501 * 10**-digits
    if percent:
        return any(min(abs(n - value), abs(100 * n - value)) <= step for n in numbers)
    return any(min(abs(n - value), abs(n / 100 - value)) <= step for n in numbers)


DATA_NAME = re.compile(
    r"[XyAB]|[XyAB]_\w+|\w+_(?:train|valid|test)|(?:data|table|frame|image|label|feature|target)s?"
)
LOADER = re.compile(r"(?:load|fetch|read|make)_(?!pipeline|column|loader|scorer|union)\w+")


def one_name_one_data_set(notebook, path):
    """No name of data is given to what comes from another loader, as far as code can see."""
    origins, faults = {}, []
    for cell in code_cells(notebook):
        for node in top_level_assignments(ast.parse(without_magics(cell.source))):
            parts = list(ast.walk(node.value))
            called = [
                getattr(p.func, "attr", getattr(p.func, "id", ""))
                for p in parts
                if isinstance(p, ast.Call)
            ]
            found = {name for name in called if LOADER.fullmatch(name)}
            for part in parts:
                if isinstance(part, ast.Name):
                    found |= origins.get(part.id, set())
            names = [n.id for t in node.targets for n in ast.walk(t) if isinstance(n, ast.Name)]
            for name in names:
                before = origins.get(name, set())
                if DATA_NAME.fullmatch(name) and found and before and not found & before:
                    faults.append(f"{name} holds {sorted(before)}, then {sorted(found)}")
                if isinstance(node.targets[0], ast.Name | ast.Tuple):
                    origins[name] = found
    return faults


def top_level_assignments(tree):
    """Assignments to the notebook's own names, also inside for, with, if and try."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Assign):
            yield node
        elif not isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Lambda):
            yield from top_level_assignments(node)


def without_magics(source):
    return re.sub(r"^(\s*)[%!].*$", r"\1pass", source, flags=re.MULTILINE)


def no_absolute_path(notebook, path):
    texts = [cell.source for cell in notebook.cells] + [text_of(o) for o in outputs(notebook)]
    return [
        f"a path of one machine: {match.group()!r}"
        for text in texts
        for match in ABSOLUTE_PATH.finditer(text)
    ]


def links_lead_somewhere(notebook, path):
    targets = [target for cell in markdown_cells(notebook) for target in LINK.findall(cell.source)]
    return [
        f"a link to {target}, which does not exist"
        for target in targets
        if not re.match(r"https?://|#|mailto:|data:", target)
        and not (path.parent / target.partition("#")[0]).exists()
    ]


def listed_in_readme(notebook, path):
    """In the README's table, with the minutes it takes."""
    readme = (path.parent.parent / "README.md").read_text(encoding="utf-8")
    row = re.search(rf"^\| \[.*\(notebooks/{re.escape(path.name)}\).*$", readme, re.MULTILINE)
    if row is None:
        return [f"the README's table has no row for notebooks/{path.name}"]
    minutes = f"| {core_minutes(notebook)} + {exercise_minutes(notebook)} min |"
    return [] if minutes in row[0] else [f"the README's row must say {minutes!r}: {row[0]}"]


def figures_are_png(notebook, path):
    """nbval compares SVG as text, and text differs between versions."""
    kinds = {kind for output in outputs(notebook) for kind in output.get("data", {})}
    return [
        f"a figure is {kind}, expected image/png"
        for kind in sorted(kinds)
        if kind.startswith("image/") and kind != "image/png"
    ]


def small_enough(notebook, path):
    size = path.stat().st_size
    return [f"{size:,} bytes, at most {MAX_BYTES:,}"] if size > MAX_BYTES else []


def metadata_is_stripped(notebook, path):
    """What changes at every run stays out of the repository."""
    faults = [
        f"cell {index} has metadata {sorted(extra)}; run nbstripout as the README says"
        for index, cell in enumerate(notebook.cells)
        if cell.id != set_address.CELL_ID and (extra := set(cell.metadata) - {"tags"})
    ]
    if extra := set(notebook.metadata) - {"kernelspec", "language_info"}:
        faults.append(f"the notebook has metadata {sorted(extra)}")
    return faults


def tags_are_known(notebook, path):
    """A skipped cell is a cell that nobody checks."""
    return [
        f"cell {index} has the tag {tag!r}, expected one like {KNOWN_TAGS.pattern}"
        for index, cell in enumerate(notebook.cells)
        for tag in cell.metadata.get("tags", [])
        if not KNOWN_TAGS.fullmatch(tag)
    ]


def starts_with_its_title(notebook, path):
    """One H1, in the first cell, with the lesson's number."""
    titles = [
        line
        for cell in markdown_cells(notebook)
        for line in cell.source.splitlines()
        if line.startswith("# ")
    ]
    start = f"# {int(path.name[:2])}. "
    if len(titles) != 1 or not notebook.cells[0].source.startswith(start):
        return [f"expected one title, {start!r} in the first cell; found {titles}"]
    return []


def headings_are_in_order(notebook, path):
    """As jupyterlab-a11y-checker demands: no level skipped, none empty, no H2 twice."""
    faults, level, seen = [], 0, set()
    for marks, text in re.findall(r"^(#{1,6})(?: +(.*))?$", prose_of(notebook), re.MULTILINE):
        if not text.strip():
            faults.append("a heading is empty")
        if len(marks) > level + 1:
            faults.append(f"heading {text!r} is level {len(marks)} after level {level}")
        if len(marks) <= 2 and text in seen:
            faults.append(f"two headings say {text!r}")
        level = len(marks)
        seen.add(text)
    return faults


def links_say_where_they_lead(notebook, path):
    links = re.findall(r"(?<!!)\[([^\]]*)\]\(([^)]*)\)", prose_of(notebook))
    vague = re.compile(
        r"(?:click )?(?:here|this|link|more|read more|docs?|page|\W*)|https?://.*", re.I
    )
    return [
        f"the link to {target} only says {text!r}"
        for text, target in links
        if vague.fullmatch(text.strip())
    ] + [f"a bare address: {url}" for url in re.findall(r"<(https?://[^>]+)>", prose_of(notebook))]


def images_have_alt_text(notebook, path):
    markdown = re.findall(r"!\[\s*\]\(([^)]*)\)", prose_of(notebook))
    html = re.findall(r"<img(?![^>]*\balt=\"[^\"])[^>]*>", prose_of(notebook))
    return [f"no alt text: {image}" for image in markdown + html]


def tables_have_headers(notebook, path):
    """Every column of a Markdown table has a name, the first one too."""
    headers = re.findall(r"^(\|.*\|)\n\|[-:| ]+\|$", prose_of(notebook), re.MULTILINE)
    return [
        f"a column without a name: {header}"
        for header in headers
        if any(not name.strip() for name in header.strip("|").split("|"))
    ] + re.findall(r"<table[^>]*>(?!.*<th)", prose_of(notebook), re.DOTALL)


def prose_of(notebook):
    """The Markdown without its code, in which a # is no heading and ]( no link."""
    prose = "\n\n".join(cell.source for cell in markdown_cells(notebook))
    return re.sub(r"^```.*?^```|`[^`\n]*`", "code", prose, flags=re.DOTALL | re.MULTILINE)


def set_up_cell_is_current(notebook, path):
    """The first code cell and the Colab line say what tools/set_address.py makes of the address."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    address, tag = project["urls"]["Homepage"], f"v{project['version']}"
    faults = []
    if not code_cells(notebook) or code_cells(notebook)[0].source != set_address.set_up_cell(
        address, tag
    ):
        faults.append("the set-up cell is not current")
    lines = re.findall(
        r"^\*\*Colab\*\*: .*$", "\n".join(c.source for c in before_code(notebook)), re.MULTILINE
    )
    if lines != set_address.colab_lines(path.name, address, tag):
        faults.append("the Colab line is not current")
    return [f"{fault}: run python tools/set_address.py" for fault in faults]


def runs_on_windows_and_macos(notebook, path):
    return [
        f"{fault} in: {cell.source.splitlines()[0]}"
        for cell in code_cells(notebook)
        for fault in portability_faults(cell.source)
    ]


NOT_PORTABLE = {
    r"^\s*!|%%(?:bash|sh|script|system)\b|%(?:cd|sx)\b|get_ipython\(\)\.system": "a shell line",
    r"\bos\.(?:fork|getuid|geteuid|killpg|mkfifo)\b|\bSIG(?:KILL|HUP|USR\d|ALRM)\b": "a call that Windows lacks",
    r"^\s*(?:import|from) (?:fcntl|resource|pwd|grp|termios|pty)\b": "a module that Windows lacks",
    r"\bnum_workers\s*=\s*[1-9]": "worker processes, which need a __main__ guard on Windows and macOS",
    r"\bsymlink|os\.link\b": "a link, which Windows refuses to most users",
    r"(?:path|folder|dir(?:ectory)?|root)\w*\)?\}[/\\]|\b(?:path|folder|dir|root)\w* \+ ['\"][/\\]": "a path joined with a slash",
    r"/dev/|\bshell\s*=\s*True": "a shell or device of Unix",
}


def portability_faults(source):
    """What of a piece of Python would fail, or mean something else, on Windows or macOS."""
    faults = [
        f"{why} ({match.group().strip()})"
        for pattern, why in NOT_PORTABLE.items()
        if (match := re.search(pattern, source, re.MULTILINE))
    ]
    for node in ast.walk(ast.parse(without_magics(source))):
        if opens_text(node) and "encoding" not in [keyword.arg for keyword in node.keywords]:
            faults.append(f"a text file without encoding ({ast.unparse(node)[:60]})")
    return faults


def opens_text(call):
    """Whether a node is a call that opens a file as text: `open`, `read_text` or `write_text`."""
    if not isinstance(call, ast.Call):
        return False
    name = getattr(call.func, "id", getattr(call.func, "attr", None))
    owner = getattr(getattr(call.func, "value", None), "id", None)
    if name in ("read_text", "write_text"):
        return True
    if name != "open" or owner in ("Image", "urllib", "zipfile", "tarfile", "webbrowser"):
        return False
    texts = [arg.value for arg in call.args if isinstance(arg, ast.Constant)]
    modes = [keyword.value.value for keyword in call.keywords if keyword.arg == "mode"]
    return not any("b" in str(mode) for mode in texts[-1:] + modes)


def exercises_are_complete(notebook, path):
    """Every exercise stands in the lesson, each after its untouched answer cell."""
    number = int(path.name[:2])
    cells = code_cells(notebook)
    checked, faults = [], []
    for before, cell in zip([None, *cells], cells, strict=False):
        match = re.match(
            r'check\("([^"]*)", answer\)\n# hint\("\1"\)\n# solution\("\1"\)$', cell.source
        )
        if match:
            checked.append(match[1])
            if before is None or not before.source.endswith("answer = ..."):
                faults.append(f"the cell before check({match[1]!r}) must end in: answer = ...")
        elif re.search(r"(?<!\w)check\(", cell.source):
            faults.append(
                f"expected check, # hint and # solution on three lines, got {cell.source!r}"
            )
    if checked != list(find_exercises(number)):
        faults.append(f"checked are {checked}, written {list(find_exercises(number))}")
    fewest = 5 if 4 <= number <= 7 else 4
    if len(checked) < fewest:
        faults.append(f"{len(checked)} exercises, at least {fewest}")
    return faults


RULES = [
    executed_in_order,
    no_stored_error,
    no_stderr,
    no_empty_cell,
    cell_sizes,
    words_per_line,
    first_screen_makes_curious,
    set_up_cell_is_hidden,
    times_are_computed,
    few_assertions,
    numbers_are_in_an_output,
    one_name_one_data_set,
    no_absolute_path,
    links_lead_somewhere,
    listed_in_readme,
    figures_are_png,
    small_enough,
    metadata_is_stripped,
    tags_are_known,
    starts_with_its_title,
    headings_are_in_order,
    links_say_where_they_lead,
    images_have_alt_text,
    tables_have_headers,
    set_up_cell_is_current,
    runs_on_windows_and_macos,
    exercises_are_complete,
]
