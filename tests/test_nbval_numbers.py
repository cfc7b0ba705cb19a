"""What nbval_numbers lets pass, and beside each case a twin that it must not."""

import pytest
from nbformat.v4 import new_code_cell, new_output
from nbval_numbers import find_differences, tolerance_of

# (what it is about, stored, a new text that agrees, a new text that does not)
TWINS = [
    ("one unit in the last digit", "0.914", "0.913", "0.912"),
    ("the other way", "0.914", "0.915", "0.916"),
    ("digits as stored decide", "0.91", "0.92", "0.94"),
    ("more digits than stored", "0.91", "0.917", "0.921"),
    ("no digit before the point", ".914", ".915", ".916"),
    ("a negative number", "-0.52", "-0.53", "0.52"),
    ("a sign near zero", "0.01", "0.00", "-0.01"),
    ("minus zero", "-0.00 0.5", "0.00 0.5", "-0.02 0.5"),
    ("minus zero that moves columns", "[-0.    0.12]", "[0.   0.12]", "[0.02 0.12]"),
    ("an exponent", "3.1e-05", "3.2e-05", "3.3e-05"),
    ("an exponent without a point", "6e-08", "7e-08", "8e-08"),
    ("an exponent that changes", "1.0e-05", "9.9e-06", "9.8e-05"),
    ("a number before a unit", "12.5% in 0.31ms", "12.6% in 0.30ms", "12.7% in 0.31ms"),
    ("thousands", "4,262.75 g", "4,262.76 g", "4,263.75 g"),
    ("a thousand more", "999.9", "1,000.0", "1,000.1"),
    ("a range", "0.12-0.34", "0.13-0.33", "0.12-0.36"),
    ("a number that grows by a digit", "a  9.99 b", "a 10.00 b", "a 10.01 b"),
    ("columns that move", "x  9.99\ny  1.50", "x  10.00\ny   1.50", "x  10.00\nz   1.50"),
    ("an array that wraps elsewhere", "[9.99\n 1.50]", "[10.00 1.50]", "[10.00 1.50 1.50]"),
    ("white space", "a 0.50  b", "a 0.51  b", "a 0.51 b"),
    ("a line break", "0.50\n0.25", "0.51\n0.25", "0.51 0.25"),
    ("a whole number", "12 of 0.5", "12 of 0.6", "13 of 0.5"),
    ("a whole number with thousands", "4,262 0.5", "4,262 0.6", "4,263 0.5"),
    ("a percentage without a point", "95 % 0.5", "95 % 0.6", "96 % 0.5"),
    ("a shape", "(86, 4) 0.50", "(86, 4) 0.51", "(86, 3) 0.50"),
    ("a word", "loss 0.5", "loss 0.6", "cost 0.5"),
    ("a truth", "True 0.5", "True 0.4", "False 0.5"),
    ("a name with digits", "s1 0.5", "s1 0.6", "s2 0.5"),
    ("a name with a point", "layer1.5 0.5", "layer1.5 0.6", "layer1.6 0.5"),
    ("a version", "torch 2.14.1 0.5", "torch 2.14.1 0.6", "torch 2.14.2 0.5"),
    ("a date", "2026-11-26 0.5", "2026-11-26 0.6", "2026-11-27 0.5"),
    ("a missing number", "0.50 0.25", "0.51 0.25", "0.50"),
    ("one number more", "0.50 0.25", "0.50 0.24", "0.50 0.25 0.25"),
    ("the order of numbers", "0.50 0.25", "0.49 0.26", "0.25 0.50"),
    ("NaN against a number", "0.50 nan", "0.51 nan", "nan 0.50"),
    ("a number against NaN", "nan", "nan", "0.50"),
    ("infinity", "inf 0.5", "inf 0.6", "1.0 0.5"),
    ("whole against decimal", "3.0", "3.1", "3"),
    ("decimal against whole", "3 0.5", "3 0.6", "3.0 0.5"),
    ("whole numbers that NumPy writes as floats", "[1. 0.]", "[1. 0.]", "[0. 1.]"),
    ("those among others", "[0.25 1.  ]", "[0.25 0.99]", "[0.25 0.98]"),
    ("the same with a large one", "[39.1 3750. ]", "[39.1 3749.9]", "[39.1 3749. ]"),
    ("a whole number at a sentence's end", "There are 3.", "There are 3.", "There are 4."),
    ("HTML", "<td>0.91</td><td>7</td>", "<td>0.92</td><td>7</td>", "<td>0.91</td><td>8</td>"),
    ("a tag of HTML", "<b>0.91</b>", "<b>0.92</b>", "<i>0.91</i>"),
]  # fmt: skip
ROWS = pytest.mark.parametrize(
    ("stored", "agrees", "differs"), [twin[1:] for twin in TWINS], ids=[twin[0] for twin in TWINS]
)


@ROWS
def test_agrees(stored, agrees, differs):
    assert find_differences(stored, agrees) == []


@ROWS
def test_differs(stored, agrees, differs):
    assert find_differences(stored, differs) != []


@pytest.mark.parametrize(("new", "agree"), [("1.020", True), ("0.980", True), ("1.021", False)])
def test_tolerance_of_two_percent(new, agree):
    assert (find_differences("1.000", new, tolerance=0.02) == []) == agree


def test_tolerance_is_at_least_one_unit():
    assert find_differences("0.01", "0.02", tolerance=0.02) == []
    assert find_differences("0.01", "0.03", tolerance=0.02) != []


def test_tolerance_leaves_whole_numbers_alone():
    assert find_differences("100 rows", "101 rows", tolerance=0.02) != []


def test_failure_says_by_how_much():
    faults = find_differences("AUC 0.914, loss 3.1e-05, n 1.", "AUC 0.930, loss 3.4e-05, n 2.")
    assert faults == [
        "stored 0.914, now 0.930: 16 units of its last digit, 1 allowed",
        "stored 3.1e-05, now 3.4e-05: 3 units of its last digit, 1 allowed",
        "stored 1., now 2.: 1000000 units of its last digit, 1 allowed",
    ]


@pytest.mark.parametrize(
    ("tags", "share"),
    [([], 0), (["tolerance-2%"], 0.02), (["tolerance-0.5%"], 0.005), (["tolerance-2"], 0)],
)
def test_tag(tags, share):
    assert tolerance_of(new_code_cell("", metadata={"tags": tags})) == share


def stdout(text):
    return new_output("stream", name="stdout", text=text)


def cell(source, *outputs, **metadata):
    return new_code_cell(source, outputs=list(outputs), metadata=metadata)


def displays(kind, stored, new):
    shown = f"from IPython.display import display\ndisplay({{{kind!r}: {new!r}}}, raw=True)"
    return cell(shown, new_output("display_data", {kind: stored}))


# (what it is about, a cell that passes under nbval, a cell that fails)
CELLS = [
    ("stdout", cell("print(0.914)", stdout("0.913\n")), cell("print(0.914)", stdout("0.912\n"))),
    (
        "text/plain",
        displays("text/plain", "0.913", "0.914"),
        displays("text/plain", "0.913", "0.915"),
    ),
    (
        "text/html",
        displays("text/html", "<td>0.913</td>", "<td>0.914</td>"),
        displays("text/html", "<td>0.913</td>", "<td>0.915</td>"),
    ),
    (
        "other kinds are text",
        displays("text/latex", "$0.913$", "$0.913$"),
        displays("text/latex", "$0.913$", "$0.914$"),
    ),
    (
        "stderr",
        cell("import sys; print(0.914)", stdout("0.913\n")),
        cell(
            "import sys; print(0.914, file=sys.stderr)",
            new_output("stream", name="stderr", text="0.913\n"),
        ),
    ),
    (
        "kinds of output",
        displays("text/plain", "0.913", "0.914"),
        cell("print('0.914', end='')", new_output("display_data", {"text/plain": "0.914"})),
    ),
    (
        "the tag",
        cell("print(1.015)", stdout("1.000\n"), tags=["tolerance-2%"]),
        cell("print(1.025)", stdout("1.000\n"), tags=["tolerance-2%"]),
    ),
    (
        "every output of a cell",
        cell("print(0.914)\n0.5", stdout("0.913\n"), new_output("execute_result", {"text/plain": "0.5"}, execution_count=1)),
        cell("print(0.914)\n0.7", stdout("0.913\n"), new_output("execute_result", {"text/plain": "0.5"}, execution_count=1)),
    ),
]  # fmt: skip


@pytest.mark.parametrize("worth", ["passes", "fails"])
def test_cells_under_nbval(run_course, worth):
    cells = [passes if worth == "passes" else fails for _, passes, fails in CELLS]
    run = run_course(*cells)
    for index, (about, _, _) in enumerate(CELLS):
        failed = f"Cell {index} " in failures(run.stdout)
        assert failed == (worth == "fails"), f"{about}\n{run.stdout}"
    if worth == "fails":
        assert "stored 0.912, now 0.914: 2 units of its last digit, 1 allowed" in run.stdout


def failures(text):
    return "\n".join(f"{line} " for line in text.splitlines() if line.startswith("FAILED"))
