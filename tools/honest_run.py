"""Finds out whether the lessons really ran: all of them, every cell, in a believable time."""

import re
from pathlib import Path

import nbformat
from _pytest.mark.expression import Expression
from claims import claims_of

LEAST_SECONDS = 1  # a lesson that imports PyTorch or scikit-learn cannot be quicker
MAY_BE_SKIPPED = {}  # {(name of the notebook, "Cell 3"): "why nobody can run it here"}


def expected_lessons(config):
    """The lessons that a pytest run should have executed, as paths relative to its root.

    Nothing is expected of a run without nbval, or of one that selects some of its items.
    """
    options = config.option
    wanted = getattr(options, "nbval", False) or getattr(options, "nbval_lax", False)
    selects = [options.keyword, options.collectonly, getattr(options, "lf", False)]
    selects += [getattr(options, "stepwise", False), any("::" in arg for arg in config.args)]
    if not wanted or any(selects) or not takes_unmarked(options.markexpr):
        return []
    root = config.rootpath.resolve()
    asked = [Path(config.invocation_params.dir, arg).resolve() for arg in config.args]
    return [
        lesson.relative_to(root)
        for lesson in sorted((root / "notebooks").glob("[0-9]*.ipynb"))
        if any(path == lesson or path in lesson.parents for path in asked)
    ]


def takes_unmarked(expression):
    """Whether `-m expression` takes items without marks, as the cells of lessons are."""
    return not expression or Expression.compile(expression).evaluate(lambda *_, **__: False)


def find_faults(root, lessons, runs):
    """What is wrong with a run, as sentences.

    Parameters
    ----------
    root : Path
        The repository.
    lessons : list of Path
        The notebooks that should have run, relative to it.
    runs : dict of str to dict of str to list
        By notebook, pytest's reports on its cells, exercises and claims, under "Cell", "Exercise"
        and "Claim".
    """
    faults = []
    for lesson in lessons:
        run = runs.get(lesson.as_posix(), {})
        cells, exercises, claims = (run.get(kind, []) for kind in ("Cell", "Exercise", "Claim"))
        if not cells:
            faults.append(f"{lesson} was not collected")
            continue
        seconds = sum(report.duration for report in cells if report.when == "call")
        if seconds < LEAST_SECONDS:
            faults.append(f"{lesson} took {seconds:.2f} s: did its cells run at all?")
        for report in cells + exercises + claims:
            item = report.nodeid.rpartition("::")[2]
            if report.skipped and (lesson.name, item) not in MAY_BE_SKIPPED:
                faults.append(f"{lesson}, {item} was skipped, and no reason is on record")
        sources = code_of(root / lesson)
        if len({report.nodeid for report in cells}) < len(sources):
            faults.append(f"{lesson}: not every cell was run")
        checks = sum(len(re.findall(r"^check\(", source, re.MULTILINE)) for source in sources)
        if len({report.nodeid for report in exercises}) < checks:
            faults.append(f"{lesson}: not every exercise was proved")
        if len({report.nodeid for report in claims}) < len(claims_of(lesson.stem, root)):
            faults.append(f"{lesson}: not every claim was run")
    return faults


def code_of(path):
    notebook = nbformat.read(path, as_version=4)
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]
