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

import set_address

from helpers.exercises import find_exercises

REPOSITORY = Path(__file__).parent.parent
LESSONS = sorted((REPOSITORY / "notebooks").glob("[0-9]*.ipynb"))

LINK = re.compile(r"!?\[[^\]]*\]\(<?([^)>\s]+)>?(?:\s+\"[^\"]*\")?\)")
ABSOLUTE_PATH = re.compile(
    r"(?<![\w.:/])/(?:home|Users|root|tmp|usr|opt|var|etc|mnt|work|content|private)/\w|\b[A-Z]:\\\w"
)
KNOWN_TAGS = {"nbval-ignore-output", "nbval-raises-exception"}
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
    """Enough prose to read the outputs, not so much that the code drowns."""
    prose = " ".join(cell.source for cell in markdown_cells(notebook))
    words = len(re.sub(r"\]\([^)]*\)", "] ", prose).split())
    lines = sum(
        bool(line.strip()) for cell in code_cells(notebook) for line in cell.source.splitlines()
    )
    if not 6 <= words / max(lines, 1) <= 14:
        return [f"{words} words on {lines} lines of code: {words / lines:.1f}, expected 6 to 14"]
    return []


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
        if not re.match(r"https?://|#|mailto:", target)
        and not (path.parent / target.partition("#")[0]).exists()
    ]


def listed_in_readme(notebook, path):
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    if f"(notebooks/{path.name})" not in readme:
        return [f"the README's table has no link to notebooks/{path.name}"]
    return []


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
        if (extra := set(cell.metadata) - {"tags"})
    ]
    if extra := set(notebook.metadata) - {"kernelspec", "language_info"}:
        faults.append(f"the notebook has metadata {sorted(extra)}")
    return faults


def tags_are_known(notebook, path):
    """A skipped cell is a cell that nobody checks."""
    return [
        f"cell {index} has the tag {tag!r}, expected one of {sorted(KNOWN_TAGS)}"
        for index, cell in enumerate(notebook.cells)
        for tag in cell.metadata.get("tags", [])
        if tag not in KNOWN_TAGS
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
    if set_address.colab_sentence(path.name, address, tag) not in notebook.cells[0].source:
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
    python = re.sub(r"^(\s*)[%!].*$", r"\1pass", source, flags=re.MULTILINE)
    for node in ast.walk(ast.parse(python)):
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
