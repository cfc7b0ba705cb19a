"""Does the Django service answer and refuse as the Flask service does?"""

import gzip
import http.client
import json
from urllib.parse import urlsplit

import numpy as np
import pytest

pytest.importorskip("django", reason="pip install django")

from service_process import running_service

from helpers.service.flask_app import create_app


@pytest.fixture(scope="module")
def service(census, tmp_path_factory):
    log = tmp_path_factory.mktemp("django") / "log.txt"
    arguments = ["-m", "helpers.service.django_app", census.path, "--port", "0"]
    with running_service(arguments, log) as running:
        yield running


def ask(service, method, path, body=b"", content_type="application/json", encoding="identity"):
    address = urlsplit(service.url)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=20)
    headers = {"Content-Type": content_type, "Content-Encoding": encoding}
    connection.request(method, path, body, headers)
    response = connection.getresponse()
    content = response.read()
    connection.close()
    return response, json.loads(content)


def test_same_predictions(service, census):
    response, answer = ask(service, "POST", "/predict", json.dumps({"rows": census.rows}).encode())
    assert response.status == 200
    assert np.allclose(answer["probabilities"], census.probabilities, atol=1e-5)
    _, health = ask(service, "GET", "/ready")
    assert health == {"status": "ready", "version": "test-1"}


def test_same_refusals(service, census):
    flask = create_app(census.table_model).test_client()
    row = census.rows[0]
    for body in (
        b"",
        b"{",
        b"[" * 9_000,
        json.dumps({"row": {**row, "age": float("nan")}}).encode(),
        *(
            json.dumps(payload).encode()
            for payload in (
                [row],
                {"rows": []},
                {"row": {**row, "age": True}},
                {"row": {**row, "age": 10**400}},
                {"row": {**row, "sex": "\ud800"}},
                {"row": row, "version": "2"},
                {"row": row},
            )
        ),
    ):
        response, answer = ask(service, "POST", "/predict", body)
        other = flask.post("/predict", data=body, content_type="application/json")
        assert response.status == other.status_code
        assert answer == other.json
    assert ask(service, "POST", "/predict", b"{}", "text/plain")[0].status == 415
    zipped = ask(service, "POST", "/predict", gzip.compress(b"{}"), encoding="gzip")
    assert zipped[1]["error"]["fix"] == "send no compressed bodies."


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/predict", b" " * 1_000_001, 413),
        ("GET", "/predict", b"", 405),
        ("DELETE", "/predict", b"", 405),
        ("DELETE", "/live", b"", 404),
        ("GET", "/none", b"", 404),
        ("POST", "/predict/", b"{}", 404),
    ],
)
def test_refusals_of_its_own(service, method, path, body, status):
    response, answer = ask(service, method, path, body)
    assert response.status == status
    assert response.headers.get_content_type() == "application/json"
    assert sorted(answer["error"]) == ["expected", "fix", "got"]
    assert "Traceback" not in json.dumps(answer)
    assert (response.headers["Allow"] is not None) == (status == 405)


def test_mistake_of_the_service_shows_no_trace(census, monkeypatch, caplog):
    from django.test import Client

    from helpers.service import contract, django_app

    def predict_rows(table_model, rows):
        raise ValueError("secret")

    django_app.create_application(census.table_model)
    monkeypatch.setattr(contract, "predict_rows", predict_rows)
    client = Client(raise_request_exception=False)
    answer = client.post("/predict", data={"row": census.rows[0]}, content_type="application/json")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "secret" in caplog.text
    assert answer.json()["error"]["fix"] == "tell who runs the service; its log says more."


def test_a_second_model_replaces_the_first(census):
    from django.test import Client

    from helpers.service import django_app

    for max_rows, status in ((1, 422), (2, 200)):
        django_app.create_application(census.table_model, max_rows=max_rows)
        payload = {"rows": census.rows[:2]}
        answer = Client().post("/predict", data=payload, content_type="application/json")
        assert answer.status_code == status
