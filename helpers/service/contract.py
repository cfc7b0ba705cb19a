"""What every service around a table model does, whichever web framework it is written in.

A request's bytes are read and checked, the model is asked, and the answer is built. Whatever
is wrong with a request is a `RequestError` that says what was expected, what came and how to
mend it. The services are in `serving` (Flask) and `django_service`.
"""

import json
import re
from collections import Counter

MAX_FLOAT32 = 3.4028234663852886e38  # the models compute in float32
JSON_EXAMPLE = 'send the header "Content-Type: application/json" and a body {"rows": [{…}]}'


class RequestError(Exception):
    """A fault in a request, in words; `column` is the column at fault where it is only one."""

    def __init__(self, status, *, expected, got, fix, column=None):
        super().__init__(f"expected {expected}, got {got}: {fix}")
        self.status = status
        self.column = column
        self.body = {"error": {"expected": expected, "got": got, "fix": fix}}


def answer_request(table_model, content_type, body, *, max_rows):
    """Everything between the bytes of a request for predictions and the answer.

    Parameters
    ----------
    table_model
        As `helpers.export.load_table_model` returns it.
    content_type : str or None
        The request's Content-Type header.
    body : bytes
    max_rows : int

    Returns
    -------
    dict
        `predictions` (a class for each row), `probabilities` (a list for each row, in the
        order of `classes`), `classes` and the model's `version`.

    Raises
    ------
    RequestError
        If anything is wrong with the request.
    """
    payload = read_json(content_type, body)
    rows = check_payload(payload, table_model.schema, max_rows=max_rows)
    return predict_checked(table_model, rows)


def read_json(content_type, body):
    """Read strict JSON: UTF-8, no NaN or Infinity, no name twice in an object.

    Examples
    --------
    >>> read_json("application/json", b'{"row": {"age": 39}}')
    {'row': {'age': 39}}
    >>> try:
    ...     read_json("application/json", b'{"row": {"age": NaN}}')
    ... except RequestError as error:
    ...     print(error.status, error)
    400 expected JSON, got NaN, which JSON does not have: write null for a missing value.
    """
    mimetype = (content_type or "").partition(";")[0].strip().lower()
    if mimetype != "application/json":
        raise RequestError(
            415,
            expected="the content type application/json",
            got=describe(content_type) if content_type else "no content type",
            fix=f"{JSON_EXAMPLE}.",
        )
    try:
        return json.loads(
            body.decode("utf-8"), object_pairs_hook=_unique_names, parse_constant=_no_constant
        )
    except RecursionError:
        fault, fix = "lists or objects nested too deeply", "send rows of plain values."
    except UnicodeDecodeError as error:
        fault, fix = f"bytes that are not UTF-8, at byte {error.start}", "encode as UTF-8."
    except json.JSONDecodeError as error:
        fault = f"a fault in line {error.lineno}, column {error.colno}: {error.msg}"
        fix = f"{JSON_EXAMPLE}."
        if not body:
            fault = "an empty body"
    except ValueError:  # Python reads no integer of more than 4,300 digits
        fault, fix = "an integer with thousands of digits", "send numbers of a sensible size."
    raise RequestError(400, expected="JSON", got=fault, fix=fix)


def _unique_names(pairs):
    result = dict(pairs)
    if len(result) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        twice = [name for name, count in counts.items() if count > 1]
        raise RequestError(
            400,
            expected="each name once in an object",
            got=f"{_listed(twice)} more than once",
            fix="leave out all but one.",
        )
    return result


def _no_constant(name):
    raise RequestError(
        400,
        expected="JSON",
        got=f"{name}, which JSON does not have",
        fix="write null for a missing value.",
    )


def check_payload(payload, schema, *, max_rows):
    """Check a request's content against the model's schema.

    Parameters
    ----------
    payload
        What came as JSON: `{"rows": [{column: value, …}, …]}` or `{"row": {column: value, …}}`,
        with an optional `"version"`.
    schema : dict
        `{"numbers": [names], "categories": {name: [known values]}, "classes": […], "version": …}`
    max_rows : int

    Returns
    -------
    list of dict
        The rows, their columns in the schema's order. A category that the model does not know
        is allowed, and so is None for a missing value: the exported model has an answer to both.

    Raises
    ------
    RequestError
        If anything is wrong with the content.

    Examples
    --------
    >>> schema = {"numbers": ["age"], "categories": {"sex": ["f", "m"]}, "version": "1"}
    >>> check_payload({"row": {"sex": "f", "age": 39}}, schema, max_rows=10)
    [{'age': 39, 'sex': 'f'}]
    >>> try:
    ...     check_payload({"row": {"sex": "f", "age": "39"}}, schema, max_rows=10)
    ... except RequestError as error:
    ...     print(error.body["error"]["got"])
    the text '39' in row["age"]
    """
    if not isinstance(payload, dict) or ("rows" in payload) == ("row" in payload):
        both = isinstance(payload, dict) and "rows" in payload
        raise RequestError(
            422,
            expected='an object with either "rows" or "row"',
            got="both" if both else describe(payload),
            fix='send {"rows": [{column: value, …}, …]}, or {"row": {column: value, …}}.',
        )
    unknown = [name for name in payload if name not in ("rows", "row", "version")]
    if unknown:
        raise RequestError(
            422,
            expected='no other names than "rows" or "row", and "version"',
            got=_listed(unknown),
            fix="put columns inside a row, and leave out the rest.",
        )
    if "version" in payload and payload["version"] != schema["version"]:
        raise RequestError(
            422,
            expected=f"the version that is served, {describe(schema['version'])}",
            got=describe(payload["version"]),
            fix='ask for the served version, or leave "version" out.',
        )
    if "row" in payload:
        return [_check_row(payload["row"], "row", schema)]
    rows = payload["rows"]
    if not isinstance(rows, list) or not 1 <= len(rows) <= max_rows:
        raise RequestError(
            422,
            expected=f'"rows" to be a list of 1 to {max_rows} rows',
            got=describe(rows),
            fix='split a longer list over several requests; send one row as "row".',
        )
    return [_check_row(row, f"rows[{index}]", schema) for index, row in enumerate(rows)]


def _check_row(row, where, schema):
    if not isinstance(row, dict):
        raise RequestError(
            422,
            expected=f"{where} to be an object {{column: value, …}}",
            got=describe(row),
            fix="name every value by its column.",
        )
    columns = [*schema["numbers"], *schema["categories"]]
    missing = [column for column in columns if column not in row]
    extra = [name for name in row if name not in columns]
    if missing or extra:
        faults = {"without": missing, "with the unknown columns": extra}
        raise RequestError(
            422,
            expected=f"exactly the columns {_listed(columns, most=100)}",
            got=f"{where} "
            + " and ".join(f"{word} {_listed(names)}" for word, names in faults.items() if names),
            fix="send every column, null for a missing value, and no other.",
        )
    for column in columns:
        check = _check_number if holds_numbers(schema, column) else _check_category
        check(row[column], f'{where}["{column}"]', column)
    return {column: row[column] for column in columns}


def holds_numbers(schema, column):
    """Whether a column's values are numbers: it is a number column, or its categories are numbers.

    Examples
    --------
    >>> schema = {"numbers": ["age"], "categories": {"sex": ["f", "m"], "year": [2007, 2008]}}
    >>> [holds_numbers(schema, name) for name in ["age", "sex", "year"]]
    [True, False, True]
    """
    known = schema["categories"].get(column, [])
    return column in schema["numbers"] or (
        bool(known) and not any(isinstance(value, str) for value in known)
    )


def _check_number(value, where, column):
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise RequestError(
            422,
            expected=f'a number or null in "{column}"',
            got=f"{describe(value)} in {where}",
            fix="write digits, such as 39 or 39.5, without quotes or units.",
            column=column,
        )
    if not -MAX_FLOAT32 <= value <= MAX_FLOAT32:
        raise RequestError(
            422,
            expected=f'a finite number of at most {MAX_FLOAT32:.1e} in "{column}"',
            got=f"{describe(value)} in {where}",
            fix="send a number of a sensible size, or null for a missing value.",
            column=column,
        )


def _check_category(value, where, column):
    if value is not None and not isinstance(value, str):
        raise RequestError(
            422,
            expected=f'text or null in "{column}"',
            got=f"{describe(value)} in {where}",
            fix='write text in quotes, such as "Private".',
            column=column,
        )
    if value is not None and re.search("[\ud800-\udfff]", value):
        raise RequestError(
            422,
            expected=f'Unicode text in "{column}"',
            got=f"half of a surrogate pair, {describe(value)}, in {where}",
            fix="write the whole character, or leave it out.",
            column=column,
        )


def predict_checked(table_model, rows):
    """Ask the model about rows that passed `check_payload`; see `answer_request`."""
    from helpers.export import predict_rows

    try:
        probabilities = predict_rows(table_model, rows)
    except ValueError as error:
        if "too large to compute with" not in str(error):  # a fault of the service
            raise
        raise RequestError(
            422,
            expected="rows that the model can compute with",
            got=str(error),
            fix="send numbers of a sensible size in that row.",
        ) from error
    classes = list(table_model.schema["classes"])
    return {
        "predictions": [classes[index] for index in probabilities.argmax(axis=1)],
        "probabilities": probabilities.tolist(),
        "classes": classes,
        "version": table_model.schema["version"],
    }


def describe(value):
    """A JSON value in a few words of plain ASCII, however large, deep or odd it is.

    Examples
    --------
    >>> describe([[[]]]), describe({"a": 1}), describe(True), describe("39"), describe(None)
    ('a list of length 1', "an object with 'a'", 'true', "the text '39'", 'null')
    """
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, list):
        return f"a list of length {len(value)}"
    if isinstance(value, dict):
        return f"an object with {_listed(value)}" if value else "an empty object"
    if isinstance(value, str):
        return f"the text {_shortened(ascii(value[:100]))}"
    return f"the number {_shortened(repr(value))}"


def _listed(names, most=5):
    shown = [_shortened(ascii(name[:100])) for name in list(names)[:most]]
    return ", ".join(shown) + (f" and {len(names) - most} more" if len(names) > most else "")


def _shortened(text, most=60):
    return text if len(text) <= most else f"{text[:most]}…"
