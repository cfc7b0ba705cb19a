"""Finds out whether the lessons really ran: all of them, every cell, in a believable time."""

from pathlib import Path

import nbformat

LEAST_SECONDS = 1  # a lesson that imports PyTorch or scikit-learn cannot be quicker
MAY_BE_SKIPPED = {}  # {(name of the notebook, "Cell 3"): "why nobody can run it here"}


def expected_lessons(config):
    """The lessons that a pytest run should have executed, as paths relative to its root.

    Nothing is expected of a run without nbval or of one that selects by keyword.
    """
    options = config.option
    wanted = getattr(options, "nbval", False) or getattr(options, "nbval_lax", False)
    if not wanted or options.keyword or options.collectonly or options.markexpr == "browser":
        return []
    asked = [Path(config.invocation_params.dir, arg.partition("::")[0]) for arg in config.args]
    lessons = sorted((config.rootpath / "notebooks").glob("[0-9]*.ipynb"))
    return [
        lesson.relative_to(config.rootpath)
        for lesson in lessons
        if any(path == lesson or path in lesson.parents for path in asked)
    ]


def find_faults(root, lessons, runs):
    """What is wrong with a run, as sentences.

    Parameters
    ----------
    root : Path
        The repository.
    lessons : list of Path
        The notebooks that should have run, relative to it.
    runs : dict of str to (list, list)
        By notebook, pytest's reports on its cells and on its exercises.
    """
    faults = []
    for lesson in lessons:
        reports = runs.get(lesson.as_posix(), ([], []))[0]
        if not reports:
            faults.append(f"{lesson} was not collected")
            continue
        calls = [report for report in reports if report.when == "call"]
        seconds = sum(report.duration for report in calls)
        if seconds < LEAST_SECONDS:
            faults.append(f"{lesson} took {seconds:.2f} s: did its cells run at all?")
        for report in reports:
            cell = report.nodeid.rpartition("::")[2]
            if report.skipped and (lesson.name, cell) not in MAY_BE_SKIPPED:
                faults.append(f"{lesson}, {cell} was skipped, and no reason is on record")
        skipped = sum(report.skipped for report in reports)
        if len({report.nodeid for report in calls}) + skipped < count_code_cells(root / lesson):
            faults.append(f"{lesson}: not every cell was run")
    return faults


def count_code_cells(path):
    notebook = nbformat.read(path, as_version=4)
    return sum(cell.cell_type == "code" for cell in notebook.cells)
