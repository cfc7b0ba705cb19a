"""What a service around a table model accepts and answers, whichever web framework it uses.

A request's checks and the OpenAPI description come from one definition, which is made from the
schema in the model's file: https://docs.pydantic.dev/latest/concepts/json_schema/
"""

import json
from collections import Counter
from http import HTTPStatus
from typing import Annotated, Any, Literal

import pydantic
import typing_extensions  # pydantic needs its TypedDict before Python 3.12
from pydantic import Field, TypeAdapter
from pydantic.types import FailFast
from pydantic_core import PydanticCustomError

from helpers.table_model import predict_rows

MAX_FLOAT32 = 3.4028234663852886e38  # the models compute in float32
JSON_EXAMPLE = 'send the header "Content-Type: application/json" and a body {"rows": [{…}]}.'
NOT_ROWS = ('"rows" to be a list of 1 to {max_rows} rows', "split it over several requests.")
NOT_FINITE = (f"a finite number of at most {MAX_FLOAT32:.1e}", "send null for a missing value.")
ADVICE = {  # by pydantic's kind of mistake: what is expected, and how to fix it
    "union_tag_not_found": (
        'an object with either "rows" or "row"',
        'send {{"rows": [{{column: value, …}}, …]}}, or {{"row": {{column: value, …}}}}.',
    ),
    "list_type": NOT_ROWS,
    "too_short": NOT_ROWS,
    "too_long": NOT_ROWS,
    "literal_error": ("the version that is served, {version}", 'ask for it, or leave "version" out.'),
    "dict_type": ("a row to be an object {{column: value, …}}", "name every value by its column."),
    "missing": ("exactly the columns {columns}", "send every column, null for a missing value."),
    "extra_forbidden": ("exactly the columns {columns}", "send every column, and no other."),
    "float_type": ("a number or null", "write digits, such as 39 or 39.5, without quotes or units."),
    "finite_number": NOT_FINITE,
    "less_than_equal": NOT_FINITE,
    "greater_than_equal": NOT_FINITE,
    "string_type": ("text or null", 'write text in quotes, such as "Private".'),
    "string_unicode": ("Unicode text", "write whole characters, no half of a surrogate pair."),
    "unknown_name": ('no other names than "rows" or "row", and "version"', "leave out the rest."),
}  # fmt: skip


REFUSALS = {  # by status: what no view takes, and a mistake of the service
    404: ("POST /predict, GET /openapi.json or GET /", "see GET /openapi.json."),
    405: ("another method for this path", "POST /predict, and GET everything else."),
    413: ("a smaller body", "split the rows over several requests."),
    500: ("an answer", "tell who runs the service; its log says more."),
}


class RequestError(Exception):
    """A mistake in a request, in words; `column` is the column that has it, where only one has."""

    def __init__(self, status, *, expected, got, fix, column=None):
        super().__init__(f"expected {expected}, got {got}: {fix}")
        self.status, self.column = status, column
        self.body = {"error": {"expected": expected, "got": got, "fix": fix}}


def _define_request(schema, max_rows):
    """What a request may hold, as a pydantic.TypeAdapter."""
    row = _object("Row", {column["name"]: _value_type(column) for column in schema["columns"]})
    rows = Annotated[list[row], Field(min_length=1, max_length=max_rows), FailFast()]
    version = {"version": typing_extensions.NotRequired[Literal[schema["version"]]]}
    many = Annotated[_object("RequestForRows", {"rows": rows} | version), pydantic.Tag("rows")]
    one = Annotated[_object("RequestForRow", {"row": row} | version), pydantic.Tag("row")]
    return TypeAdapter(Annotated[many | one, pydantic.Discriminator(_kind_of_request)])


def _object(name, fields):
    strict = pydantic.with_config(strict=True, extra="forbid")
    return strict(typing_extensions.TypedDict(name, fields))


def _value_type(column):
    if column["type"] == "number":
        value = Annotated[float, Field(ge=-MAX_FLOAT32, le=MAX_FLOAT32, allow_inf_nan=False)]
    else:
        value = Annotated[str, pydantic.AfterValidator(_whole_characters)]
    return Annotated[value | None, Field(examples=column.get("categories"))]


def _whole_characters(text):
    try:
        text.encode()
    except UnicodeEncodeError:
        raise PydanticCustomError("string_unicode", "half of a surrogate pair") from None
    return text


def _kind_of_request(payload):
    if isinstance(payload, dict) and ("rows" in payload) != ("row" in payload):
        return "rows" if "rows" in payload else "row"


def make_answer(table_model, *, max_rows=1000):
    """Make the function that answers what came as JSON.

    Parameters
    ----------
    table_model : TableModel
        As `helpers.table_model.load_table_model` returns it.
    max_rows : int
        The most rows in one request.

    Returns
    -------
    callable
        From `{"rows": [{column: value, …}, …]}` or `{"row": {…}}`, with an optional `"version"`,
        to a dict with `predictions` (a class per row), `probabilities` (a list per row, in the
        order of `classes`), `classes` and `version`. A missing value is None; an unknown category
        is allowed; whatever is wrong raises RequestError.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> column = {"name": "age", "input": "age", "type": "number"}
    >>> schema = {"columns": [column], "classes": ["a", "b"], "version": "1"}
    >>> answer = make_answer(SimpleNamespace(schema=schema))
    >>> try:
    ...     answer({"row": {"age": "39"}})
    ... except RequestError as error:
    ...     print(error)
    expected a number or null, got the text '39' in row["age"]: write digits, such as 39 or 39.5, without quotes or units.
    """
    schema, request = table_model.schema, _define_request(table_model.schema, max_rows)
    words = {
        "max_rows": max_rows,
        "version": describe(schema["version"]),
        "columns": _listed([column["name"] for column in schema["columns"]], most=100),
    }

    def answer(payload):
        try:
            content = request.validate_python(payload)
        except pydantic.ValidationError as error:
            raise _explain(error.errors(include_url=False), payload, words) from None
        try:
            probabilities = predict_rows(table_model, content.get("rows") or [content["row"]])
        except FloatingPointError as error:
            expected, fix = "rows that the model can compute with", "send smaller numbers."
            raise RequestError(422, expected=expected, got=str(error), fix=fix) from error
        return {
            "predictions": [schema["classes"][index] for index in probabilities.argmax(axis=1)],
            "probabilities": probabilities.tolist(),
            "classes": schema["classes"],
            "version": schema["version"],
        }

    return answer


def _explain(mistakes, payload, words):
    """The first mistake that pydantic found, as a RequestError."""
    names = [mistake for mistake in mistakes if mistake["type"] in ("missing", "extra_forbidden")]
    first = (names or mistakes)[0]
    kind, value, place = first["type"], first["input"], first["loc"][1:]  # [0] is row or rows
    got, column = describe(value), None
    depth = 2 if place[:1] == ("rows",) else 1
    where = f"rows[{place[1]}]" if place[:1] == ("rows",) and len(place) > 1 else "row"
    if kind == "extra_forbidden" and len(place) == 1:
        kind, got = "unknown_name", _listed([m["loc"][-1] for m in names])
    elif kind == "union_tag_not_found" and isinstance(payload, dict) and "rows" in payload:
        got = "both"
    elif names:
        lists = {"without": "missing", "with the unknown columns": "extra_forbidden"}
        found = {w: [m["loc"][-1] for m in names if m["type"] == k] for w, k in lists.items()}
        got = f"{where} " + " and ".join(f"{w} {_listed(n)}" for w, n in found.items() if n)
    elif len(place) > depth:
        column = place[-1]
        got = f'{got} in {where}["{column}"]'
        if kind == "float_type" and isinstance(value, int) and not isinstance(value, bool):
            kind = "finite_number"  # an integer that is too large for a float
    advice = ADVICE.get(kind, ("what GET /openapi.json describes", "compare with it."))
    expected, fix = (text.format(**words) for text in advice)
    return RequestError(422, expected=expected, got=got, fix=fix, column=column)


def read_json(body, *, content_type, content_encoding=None):
    """Read strict JSON: UTF-8, no NaN or Infinity, no name twice in an object.

    A byte order mark, as Windows tools write it, is skipped. `body` is bytes, the other two are
    the request's headers, or None. Raises RequestError if it is not such JSON.

    Examples
    --------
    >>> read_json(b'{"row": {"age": 39}}', content_type="application/json")
    {'row': {'age': 39}}
    >>> try:
    ...     read_json(b'{"row": {"age": NaN}}', content_type="application/json")
    ... except RequestError as error:
    ...     print(error.status, error)
    400 expected JSON, got NaN, which JSON does not have: write null for a missing value.
    """
    if (content_type or "").partition(";")[0].strip().lower() != "application/json":
        got = describe(content_type) if content_type else "no content type"
        expected = "the content type application/json"
        raise RequestError(415, expected=expected, got=got, fix=JSON_EXAMPLE)
    if content_encoding and content_encoding.lower() != "identity":
        got, fix = f"{describe(content_encoding)} as Content-Encoding", "send no compressed bodies."
        raise RequestError(415, expected="a body that is not compressed", got=got, fix=fix)
    try:
        return json.loads(
            body.decode("utf-8-sig"), object_pairs_hook=_unique_names, parse_constant=_no_constant
        )
    except RecursionError:
        got, fix = "lists or objects nested too deeply", "send rows of plain values."
    except UnicodeDecodeError as error:
        got, fix = f"bytes that are not UTF-8, at byte {error.start}", "encode as UTF-8."
    except json.JSONDecodeError as error:
        got = f"a mistake in line {error.lineno}, column {error.colno}: {error.msg}"
        got, fix = got if body else "an empty body", JSON_EXAMPLE
    except ValueError:  # Python reads no integer of more than 4,300 digits
        got, fix = "an integer with thousands of digits", "send numbers of a sensible size."
    raise RequestError(400, expected="JSON", got=got, fix=fix)


def _unique_names(pairs):
    result = dict(pairs)
    if len(result) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        got = f"{_listed([name for name in counts if counts[name] > 1])} more than once"
        expected, fix = "each name once in an object", "leave out all but one."
        raise RequestError(400, expected=expected, got=got, fix=fix)
    return result


def _no_constant(name):
    got, fix = f"{name}, which JSON does not have", "write null for a missing value."
    raise RequestError(400, expected="JSON", got=got, fix=fix)


def refuse(status, method, path):
    """The body of an answer with that status, in the form of `RequestError.body`."""
    expected, fix = REFUSALS.get(status, ("a valid request", "see GET /openapi.json."))
    got = f"{method} {path[:100]!a}: {HTTPStatus(status).phrase}"
    return {"error": {"expected": expected, "got": got, "fix": fix}}


def describe_api(schema, *, max_rows=1000):
    """Describe the service in OpenAPI 3.1, from which tools make clients, tests and documents.

    `schema` is that of a `helpers.table_model.TableModel`. https://spec.openapis.org/oas/v3.1.0
    """
    one_class = Annotated[Any, Field(json_schema_extra={"enum": schema["classes"]})]
    answer = {
        "predictions": list[one_class],
        "probabilities": list[list[Annotated[float, Field(ge=0, le=1)]]],
        "classes": list[one_class],
        "version": str,
    }
    mistake = _object("Mistake", dict.fromkeys(("expected", "got", "fix"), str))
    adapters = {
        "Request": _define_request(schema, max_rows),
        "Answer": TypeAdapter(_object("Answer", answer)),
        "Error": TypeAdapter(_object("Error", {"error": mistake})),
        "Health": TypeAdapter(_object("Health", {"status": str, "version": str})),
    }
    found, shared = TypeAdapter.json_schemas(
        [(name, "validation", adapter) for name, adapter in adapters.items()],
        ref_template="#/components/schemas/{model}",
    )
    schemas = {name: found[name, "validation"] for name in adapters} | shared["$defs"]
    predict = {
        "operationId": "predict",
        "requestBody": {"required": True, "content": _json_of("Request")},
        "responses": _responses("Answer", 400, 413, 415, 422),
    }
    live = {"operationId": "live", "responses": _responses("Health")}
    ready = {"operationId": "ready", "responses": _responses("Health", 503)}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Predictions for rows of a table", "version": schema["version"]},
        "paths": {"/predict": {"post": predict}, "/live": {"get": live}, "/ready": {"get": ready}},
        "components": {"schemas": schemas},
    }


def _responses(name, *mistakes):
    found = {}
    for status, each in ({200: name} | dict.fromkeys(mistakes, "Error")).items():
        found[str(status)] = {"description": HTTPStatus(status).phrase, "content": _json_of(each)}
    return found


def _json_of(name):
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}


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
