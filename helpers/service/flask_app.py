"""The web service with Flask: predictions, a form for one row, a description, health, metrics."""

import re

from flask import Flask, render_template, request
from werkzeug.exceptions import HTTPException

from helpers.service.contract import RequestError, describe_api, make_answer, read_json, refuse
from helpers.service.probes import add_probes


def create_app(table_model, *, max_rows=1000, max_bytes=1_000_000):
    """Make the Flask application that answers for one model.

    Parameters
    ----------
    table_model : TableModel
        As `helpers.table_model.load_table_model` returns it.
    max_rows : int
        The most rows in one request.
    max_bytes : int
        The most bytes in one request's body.

    Returns
    -------
    flask.Flask
        `POST /predict` takes `{"rows": [{column: value, …}, …]}` or `{"row": {…}}` and answers
        with `predictions`, `probabilities`, `classes` and `version`. `GET /` is a form for one
        row, `GET /openapi.json` the description; see `helpers.service.probes` for the rest. What
        is wrong is answered with 4xx and `{"error": {"expected": …, "got": …, "fix": …}}`.
    """
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = max_bytes
    app.json.sort_keys = False
    answer = make_answer(table_model, max_rows=max_rows)
    _add_predictions(app, answer, describe_api(table_model.schema, max_rows=max_rows))
    _add_form(app, answer, table_model.schema)
    _add_refusals(app)
    app.wsgi_app = add_probes(app.wsgi_app, table_model)
    return app


def _add_predictions(app, answer, description):
    @app.post("/predict")
    def predict():
        encoding, body = request.headers.get("Content-Encoding"), request.get_data(cache=False)
        return answer(read_json(body, content_type=request.content_type, content_encoding=encoding))

    @app.get("/openapi.json")
    def openapi():
        return description


def _add_form(app, answer, schema):
    numeric = {column["name"] for column in schema["columns"] if column["type"] == "number"}

    @app.get("/")
    def form():
        return render_template("form.html", schema=schema, form={})

    @app.post("/")
    def predict_form():
        row = {
            name: number_from_text(text) if name in numeric else text or None
            for name, text in request.form.items()
        }
        found, error = None, None
        try:
            found = answer({"row": row})
        except RequestError as refused:
            error = refused
        page = render_template(
            "form.html", schema=schema, form=request.form, answer=found, error=error
        )
        return page, error.status if error else 200

    @app.after_request
    def protect(response):
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Content-Security-Policy"] = (
            "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
            "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
        )
        return response


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


def _add_refusals(app):
    @app.errorhandler(RequestError)
    def refuse_content(error):
        return error.body, error.status

    @app.errorhandler(HTTPException)  # also 500, after Flask has logged the error
    def refuse_request(error):
        methods = getattr(error, "valid_methods", None)
        headers = {"Allow": ", ".join(sorted(methods))} if methods else {}
        return refuse(error.code, request.method, request.path), error.code, headers
