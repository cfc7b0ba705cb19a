"""A pytest plugin that makes nbval compare the numbers of stored and new outputs as numbers.

A *decimal number* has a point or an exponent: 0.914, .914, 3.1e-05, 1,234.5. It may differ by one
unit in the last digit that the stored output prints, or by the share of the stored value that a
tag of the cell allows: `tolerance-2%`. All else is as strict as nbval: words, whole numbers,
shapes, versions (2.14.1), the count and the order of numbers, stderr, the kinds of output.
A number ending in its point, as NumPy writes whole ones among others (`[0.25 1.  ]`), is as exact
as the finest number in that output; where there is none (`[0. 1. 1.]`), it is a whole number.

White space counts too, unless a number takes more or less room than before (9.99 → 10.00), since
that moves the columns of a table and the line breaks of an array.

It looks into stdout, text/plain and text/html. Load it from the root's conftest.py:
`pytest_plugins = ["nbval_numbers"]`.
"""

import re
from decimal import Decimal

import pytest
from nbval.plugin import IPyNbCell, IPyNbFile

DECIMAL = re.compile(
    r"""(?<![\w.])                        # not inside a name, a version or another number
    [-+−]?
    (?: (?:\d{1,3}(?:,\d{3})+ | \d+) (?: \.\d+ (?:[eE][-+]?\d+(?!\w))? | [eE][-+]?\d+(?!\w) | \.(?!\w) )
      | \.\d+ )
    (?! \.?\d )                           # not the first two numbers of a version
    """,
    re.VERBOSE,
)
TOKEN = re.compile(rf"(?P<decimal>{DECIMAL.pattern})|\w+|[^\w\s]", re.VERBOSE)
TOLERANCE = re.compile(r"tolerance-(\d+(?:\.\d+)?)%")


def find_differences(stored, new, tolerance=0):
    """What keeps a new text from agreeing with the stored one.

    Parameters
    ----------
    stored, new : str
    tolerance : float
        The share of each stored number by which the new one may differ: 0.02 for 2 %.

    Returns
    -------
    list of str
        A sentence each; empty if they agree.

    Examples
    --------
    >>> find_differences("accuracy 0.914", "accuracy 0.913")
    []
    >>> find_differences("accuracy 0.914", "accuracy 0.930")
    ['stored 0.914, now 0.930: 16 units of its last digit, 1 allowed']
    >>> find_differences("12 rows, 0.914", "13 rows, 0.914")
    ['the text differs beside its decimal numbers']
    """
    if stored == new:
        return []
    if skeleton(stored) != skeleton(new):
        return ["the text differs beside its decimal numbers"]
    pairs = list(zip(DECIMAL.findall(stored), DECIMAL.findall(new), strict=True))
    moved = any(len(before) != len(now) for before, now in pairs)
    if not moved and DECIMAL.sub("", stored) != DECIMAL.sub("", new):
        return ["the white space differs"]
    units = [unit_of(before) for before, _ in pairs]
    finest = min(units, default=1)
    faults = []
    for (before, now), unit in zip(pairs, units, strict=True):
        if before.endswith("."):
            unit = finest if finest < 1 else 0
        difference = abs(value_of(now) - value_of(before))
        allowed = unit and max(unit, abs(value_of(before)) * Decimal(str(tolerance)))
        if difference > allowed:
            count = f"{difference / unit:.0f} units of its last digit" if unit else "a whole number"
            limit = f"{allowed / unit:.0f} allowed" if unit else "which may not change"
            faults.append(f"stored {before}, now {now}: {count}, {limit}")
    return faults


def skeleton(text):
    """The words, whole numbers and signs of a text in order, a mark for each decimal number."""
    return ["decimal" if match["decimal"] else match[0] for match in TOKEN.finditer(text)]


def value_of(number):
    return Decimal(number.replace(",", "").replace("−", "-"))


def unit_of(number):
    """One unit in the last digit: 0.01 for 3.14, 1e-06 for 3.1e-05."""
    return Decimal(1).scaleb(value_of(number).as_tuple().exponent)


class NumbersFile(IPyNbFile):
    """A notebook whose cells are compared so."""

    def collect(self):
        for item in super().collect():
            yield NumbersCell.from_parent(
                self, name=item.name, cell_num=item.cell_num, cell=item.cell, options=item.options
            )


class NumbersCell(IPyNbCell):
    def compare_outputs(self, test, ref, skip_compare=None):
        """As nbval does, after each new text that agrees with the stored one has been replaced by it."""
        faults = []
        if len(test) == len(ref):
            for new, stored in zip(test, ref, strict=True):
                faults += self.adopt(new, stored, "text" if new.get("name") == "stdout" else None)
                for kind in ("text/plain", "text/html"):
                    faults += self.adopt(new.get("data", {}), stored.get("data", {}), kind)
        agree = super().compare_outputs(test, ref, skip_compare)
        if not agree:
            self.comparison_traceback += faults
        return agree

    def adopt(self, new, stored, key):
        if not (isinstance(new.get(key), str) and isinstance(stored.get(key), str)):
            return []
        faults = find_differences(stored[key], new[key], tolerance_of(self.cell))
        if not faults:
            new[key] = stored[key]
        return faults


def tolerance_of(cell):
    """The tolerance that a cell's tags allow, as a share."""
    tags = [TOLERANCE.fullmatch(tag) for tag in cell.metadata.get("tags", [])]
    return max((float(tag[1]) / 100 for tag in tags if tag), default=0)


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(file_path, parent):
    collectors = yield
    return [
        NumbersFile.from_parent(parent, path=file_path) if type(found) is IPyNbFile else found
        for found in collectors
    ]
