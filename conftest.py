"""Makes pytest compare numbers as numbers, prove exercises and claims inside the lessons, and
print what each lesson cost.

After a lesson's `check("2.1", answer)` has run under nbval, its exercise is proved in that very
kernel: the solution is correct, each wrong answer is refused for its own reason, `...` is not
answered and garbage is refused politely. So do the claims about the lesson's results, see
tests/claims.py. Both run in a copy of the lesson's names, so that they change nothing for the
cells after them. A lesson that did not really run fails the session: see tools/honest_run.py.
"""

import os
import re
from collections import defaultdict

import nbformat
import pytest
from claims import claims_of
from honest_run import expected_lessons, find_faults
from nbval.plugin import IPyNbCell

from helpers.exercises import find_exercises

pytest_plugins = ["nbval_numbers"]

FAULTS = pytest.StashKey[list]()
CHECK = re.compile(r'^check\("((\d+)\.\d+)", answer\)', re.MULTILINE)

GARBAGE = [
    "answer = None",
    "answer = 'garbage'",
    "answer = float('nan')",
    "answer = []",
    "answer = {}",
    "answer = object()",
    "answer = object",
    "import numpy as np; answer = np.zeros((2, 3, 4, 5))",
    "class Odd:\n    def __eq__(self, other): raise RuntimeError('odd')\nanswer = Odd()",
    "class Rude(Exception):\n    def __str__(self): raise self\ndef answer(*args, **kwargs): raise Rude",
    "import sys\ndef answer(*args, **kwargs): sys.exit(1)",
]


def pytest_configure(config):
    # Processes that each take every core wait for one another. Workers and kernels inherit this.
    processes = config.getoption("numprocesses", None) or 1
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // processes)))


def pytest_collection_modifyitems(config, items):
    lessons, with_proofs = defaultdict(list), []
    for item in items:
        if isinstance(item, IPyNbCell):
            lessons[item.parent].append(item)
    claims = {file: place_claims(config, cells) for file, cells in lessons.items()}
    for item in items:
        with_proofs.append(item)
        if isinstance(item, IPyNbCell):
            with_proofs += claims[item.parent][item]
            for number, lesson in CHECK.findall(item.cell.source):
                with_proofs += prove_exercise(item, number, find_exercises(int(lesson))[number])
    items[:] = with_proofs


def place_claims(config, cells):
    """By cell, the items that run the claims which belong behind it."""
    placed = {cell: [] for cell in cells}
    for claim in claims_of(cells[0].parent.path.stem, config.rootpath):
        found = claim.cells([cell.cell.source for cell in cells])
        where = f"tests/lessons/{claim.path.name}, line {claim.number}"
        code = claim.code()
        if len(found) != 1:
            says = f"{where}: {len(found)} cells have the line {claim.line!r}, expected one"
            code = f"raise AssertionError({says!r})"
        item = cells[found[0] if found else -1]
        placed[item].append(make_item(item, f"Claim of line {claim.number}", code))
    return placed


def prove_exercise(item, number, exercise):
    """Items that run an exercise's answers in the kernel of the lesson's `check` cell."""
    yield make_proof(item, number, "solution", exercise.solution, "correct")
    yield make_proof(item, number, "untouched", "answer = ...", "not answered")
    for index, (answer, reason) in enumerate(exercise.wrong.items()):
        yield make_proof(item, number, f"wrong {index}", answer, "wrong", reason)
    for index, answer in enumerate(GARBAGE):
        yield make_proof(item, number, f"garbage {index}", answer, "wrong")


def make_proof(item, number, name, answer, expected_state, reason=""):
    lines = [
        answer,
        "from helpers.exercises import judge",
        f"state, line = judge({number!r}, answer)",
        f"assert state == {expected_state!r}, line",
        f"assert {reason!r} in line and '\\n' not in line, line",
    ]
    code = f"exec({chr(10).join(lines)!r}, dict(globals()))"
    return make_item(item, f"Exercise {number} {name}", code)


def make_item(item, name, code):
    """An item that runs code in the kernel of a lesson's cell, and compares no output."""
    return IPyNbCell.from_parent(
        item.parent,
        name=name,
        cell_num=item.cell_num,
        cell=nbformat.v4.new_code_cell(code),
        options=defaultdict(bool),
    )


def pytest_sessionfinish(session):
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if (
        reporter is None
        or session.exitstatus not in (0, 1, 5)
        or session.shouldstop
        or session.shouldfail
    ):
        return  # a worker, or a run that was stopped
    config = session.config
    faults = find_faults(config.rootpath, expected_lessons(config), runs_of(reporter))
    config.stash[FAULTS] = faults
    if faults:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def runs_of(reporter):
    """By notebook, the reports on its cells, on its exercises and on the claims about it."""
    runs = defaultdict(lambda: {"Cell": [], "Exercise": [], "Claim": []})
    for report in {id(r): r for rs in reporter.stats.values() for r in rs}.values():
        path, _, item = getattr(report, "nodeid", "").partition("::")
        if path.endswith(".ipynb") and hasattr(report, "duration"):
            runs[path][item.split()[0]].append(report)
    return runs


def pytest_terminal_summary(terminalreporter, config):
    runs = runs_of(terminalreporter)
    if runs:
        terminalreporter.section("seconds a lesson")
        terminalreporter.write_line("   cells  exercises  claims")
    for path, reports in sorted(runs.items()):
        cells, exercises, claims = (
            sum(report.duration for report in each) for each in reports.values()
        )
        terminalreporter.write_line(f"{cells:8.1f} {exercises:10.1f} {claims:7.1f}  {path}")
    for fault in config.stash.get(FAULTS, []):
        terminalreporter.write_line(f"NOT AN HONEST RUN: {fault}", red=True)
