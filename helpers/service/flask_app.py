"""A web service around an exported table model, with Flask.

Start it with `python -m helpers.service.flask_app MODEL` and open the address that it prints. What is
checked stands in `serving_checks`, how it starts and stops in `serving_process`.
"""

import re

from flask import Flask, jsonify, render_template_string, request
from werkzeug.exceptions import HTTPException

from helpers.service.contract import (
    MAX_FLOAT32,
    RequestError,
    answer_request,
    check_payload,
    holds_numbers,
    predict_checked,
)
from helpers.service.server import run_command

ADVICE = {
    404: ("POST /predict, GET /health, GET /openapi.json or GET /", "see GET /openapi.json."),
    405: ("another method for this path", "POST /predict, and GET everything else."),
    413: ("a smaller body", "split the rows over several requests."),
}


def create_app(table_model, *, max_rows=1000, max_bytes=1_000_000):
    """Make the Flask application that answers for one model.

    Parameters
    ----------
    table_model
        As `helpers.export.load_table_model` returns it.
    max_rows : int
        The most rows in one request.
    max_bytes : int
        The most bytes in one request's body.

    Returns
    -------
    flask.Flask
        `POST /predict` takes `{"rows": [{column: value, …}, …]}` or `{"row": {…}}`, with an
        optional `"version"`, and answers with `predictions`, `probabilities`, `classes` and
        `version`; `GET /health`, `GET /openapi.json`; `GET /` is a form for one row. Whatever
        is wrong is answered with 4xx and `{"error": {"expected": …, "got": …, "fix": …}}`.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> schema = {"numbers": ["age"], "categories": {}, "classes": ["a", "b"], "version": "1"}
    >>> client = create_app(SimpleNamespace(schema=schema)).test_client()
    >>> client.get("/health").get_json()
    {'status': 'ok', 'version': '1'}
    >>> answer = client.post("/predict", json={"row": {"age": True}})
    >>> answer.status_code, answer.get_json()["error"]["got"]
    (422, 'true in row["age"]')
    """
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = max_bytes
    app.json.sort_keys = False
    schema = table_model.schema

    @app.post("/predict")
    def predict():
        body = request.get_data(cache=False)
        return answer_request(table_model, request.content_type, body, max_rows=max_rows)

    @app.get("/health")
    def health():
        return {"status": "ok", "version": schema["version"]}

    @app.get("/openapi.json")
    def openapi():
        return describe_api(schema, max_rows=max_rows)

    @app.get("/")
    def form():
        return render_template_string(PAGE, schema=schema, form={})

    @app.post("/")
    def predict_form():
        row = {
            name: number_from_text(text) if holds_numbers(schema, name) else text or None
            for name, text in request.form.items()
        }
        answer, error, status = None, None, 200
        try:
            rows = check_payload({"row": row}, schema, max_rows=1)
            answer = predict_checked(table_model, rows)
        except RequestError as found:
            error, status = found, found.status
        page = render_template_string(
            PAGE, schema=schema, form=request.form, answer=answer, error=error
        )
        return page, status

    @app.errorhandler(RequestError)
    def refuse(error):
        return error.body, error.status

    @app.errorhandler(HTTPException)
    def refuse_http(error):
        expected, fix = ADVICE.get(error.code, ("a valid request", "see GET /openapi.json."))
        got = f"{request.method} {request.path[:100]!a}: {error.name}"
        response = jsonify({"error": {"expected": expected, "got": got, "fix": fix}})
        response.status_code = error.code
        if getattr(error, "valid_methods", None):
            response.headers["Allow"] = ", ".join(sorted(error.valid_methods))
        return response

    @app.errorhandler(Exception)
    def fail(error):  # a fault of the service: its log has the trace, the client does not
        app.logger.error("%s %s failed", request.method, request.path, exc_info=error)
        got, fix = "a fault in the service", "tell who runs it; its log says more."
        return {"error": {"expected": "an answer", "got": got, "fix": fix}}, 500

    @app.after_request
    def protect(response):
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Content-Security-Policy"] = (
            "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
            "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
        )
        return response

    return app


def number_from_text(text):
    """What a form's field holds, as JSON would: a number, None if empty, else the text itself.

    Examples
    --------
    >>> number_from_text(" 39.5 "), number_from_text(""), number_from_text("forty")
    (39.5, None, 'forty')
    """
    text = text.strip()
    if re.fullmatch(r"[-+]?\d+(\.\d+)?([eE][-+]?\d+)?", text, re.ASCII):
        return float(text)
    return text or None


def describe_api(schema, *, max_rows=1000):
    """The service's OpenAPI description, from which tools make clients, tests and documents.

    Parameters
    ----------
    schema : dict
        As in `helpers.service.contract.check_payload`.
    max_rows : int

    Returns
    -------
    dict
        OpenAPI 3.1, https://spec.openapis.org/oas/v3.1.0

    Examples
    --------
    >>> schema = {"numbers": ["age"], "categories": {}, "classes": ["a", "b"], "version": "1"}
    >>> describe_api(schema)["components"]["schemas"]["Row"]["properties"]["age"]["type"]
    ['number', 'null']
    """
    number = {"type": ["number", "null"], "minimum": -MAX_FLOAT32, "maximum": MAX_FLOAT32}
    columns = {
        name: dict(number if holds_numbers(schema, name) else {"type": ["string", "null"]})
        for name in [*schema["numbers"], *schema["categories"]]
    }
    for name, known in schema["categories"].items():
        columns[name]["examples"] = list(known)
    text = {"type": "string"}
    served = {"const": schema["version"]}  # no other is answered
    schemas = {
        "Row": _object(columns),
        "Request": {
            "oneOf": [
                _object({"rows": _list({"$ref": "#/components/schemas/Row"}, max_rows)}, version=served),
                _object({"row": {"$ref": "#/components/schemas/Row"}}, version=served),
            ]
        },
        "Answer": _object(
            {
                "predictions": _list({"enum": list(schema["classes"])}, max_rows),
                "probabilities": _list(
                    {"type": "array", "items": {"type": "number", "minimum": 0, "maximum": 1}},
                    max_rows,
                ),
                "classes": {"type": "array"},
                "version": text,
            }
        ),
        "Error": _object({"error": _object({"expected": text, "got": text, "fix": text})}),
        "Health": _object({"status": text, "version": text}),
    }  # fmt: skip
    refused = {
        str(status): {"description": reason, "content": _json_of("Error")}
        for status, reason in {
            400: "not JSON",
            413: "too large",
            415: "not the content type application/json",
            422: "JSON, but not rows that the model takes",
        }.items()
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "Predictions for rows of a table", "version": str(schema["version"])},
        "paths": {
            "/predict": {
                "post": {
                    "operationId": "predict",
                    "requestBody": {"required": True, "content": _json_of("Request")},
                    "responses": {
                        "200": {"description": "a prediction a row", "content": _json_of("Answer")},
                        **refused,
                    },
                }
            },
            "/health": {
                "get": {
                    "operationId": "health",
                    "responses": {"200": {"description": "ready", "content": _json_of("Health")}},
                }
            },
        },
        "components": {"schemas": schemas},
    }


def _json_of(name):
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}


def _object(required, **optional):
    return {
        "type": "object",
        "properties": required | optional,
        "required": list(required),
        "additionalProperties": False,
    }


def _list(items, most):
    return {"type": "array", "items": items, "minItems": 1, "maxItems": most}


PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ "Error: " if error }}{{ "Answer: " if answer }}Ask the model</title>
<link rel="icon" href="data:,">
<style>
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem; color: #1a1a1a; background: #fff; }
form { display: grid; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); gap: 1rem; align-items: end; }
label { display: block; font-weight: 600; }
input, select, button { font: inherit; width: 100%; box-sizing: border-box; padding: 0.4rem; border: 1px solid #595959; border-radius: 4px; background: #fff; color: inherit; }
[aria-invalid] { border: 3px solid #b00020; }
button { background: #004a8f; color: #fff; cursor: pointer; }
:focus-visible { outline: 3px solid #d55e00; outline-offset: 2px; }
.result { border-left: 6px solid #00694d; padding: 0.1rem 1rem 1rem; margin-bottom: 1.5rem; background: #eef7f4; }
.error { border-left-color: #b00020; background: #fdeef0; }
caption { text-align: left; white-space: nowrap; }
th { text-align: left; padding-right: 2rem; }
td { text-align: right; }
</style>
</head>
<body>
<main>
<h1>Ask the model</h1>
<p>Fill in what you know and leave the rest empty: an empty field is a missing value. Model version: {{ schema.version }}.</p>
{% if error %}
<div class="result error" role="alert" id="error">
<h2>Not predicted</h2>
<p>Expected {{ error.body.error.expected }}.</p>
<p>Got {{ error.body.error.got }}.</p>
<p>To mend it: {{ error.body.error.fix }}</p>
</div>
{% elif answer %}
<div class="result" role="status">
<h2>Prediction: {{ answer.predictions[0] }}</h2>
<table>
<caption>Probability of each class</caption>
{% for name in answer.classes %}<tr><th scope="row">{{ name }}</th><td>{{ "%.1f" | format(100 * answer.probabilities[0][loop.index0]) }} %</td></tr>
{% endfor %}</table>
</div>
{% endif %}
<form method="post" action="/">
{% for name in schema.numbers %}<div>
<label for="field-{{ loop.index }}">{{ name }}</label>
<input id="field-{{ loop.index }}" name="{{ name }}" value="{{ form[name] }}" inputmode="decimal" autocomplete="off"{% if error and error.column == name %} aria-invalid="true" aria-describedby="error" autofocus{% endif %}>
</div>
{% endfor %}{% for name, known in schema.categories.items() %}<div>
<label for="choice-{{ loop.index }}">{{ name }}</label>
<select id="choice-{{ loop.index }}" name="{{ name }}"{% if error and error.column == name %} aria-invalid="true" aria-describedby="error"{% endif %}>
<option value="">unknown</option>
{% for value in known %}<option{{ " selected" if form[name] == value | string }}>{{ value }}</option>
{% endfor %}</select>
</div>
{% endfor %}<div><button>Predict</button></div>
</form>
</main>
</body>
</html>
"""


if __name__ == "__main__":
    run_command(create_app, "python -m helpers.service.flask_app")
