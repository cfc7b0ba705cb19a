"""Does the service answer correctly, refuse clearly, and survive abuse and load?"""

import gzip
import http.client
import json
import os
import re
import socket
import threading
import time
from collections import Counter
from html.parser import HTMLParser
from types import SimpleNamespace
from urllib.parse import urlsplit

import jsonschema
import numpy as np
import pytest
from hostile_requests import generate, send_raw
from service_load import measure_load
from service_process import running_service

from helpers.service import contract, probes
from helpers.service.contract import describe_api
from helpers.service.flask_app import create_app

pytestmark = pytest.mark.filterwarnings("error")

LOAD_SECONDS = float(os.environ.get("LOAD_SECONDS", 2))
ABUSES = 2000


@pytest.fixture
def client(census):
    return create_app(census.table_model, max_rows=50, max_bytes=20_000).test_client()


@pytest.fixture(scope="module")
def service(census, tmp_path_factory):
    """The command of the README as a process, its port chosen free."""
    log = tmp_path_factory.mktemp("service") / "log.txt"
    with running_service(["-m", "helpers.service", census.path, "--port", "0"], log) as running:
        yield running


def connect(service, timeout=20):
    address = urlsplit(service.url)
    return http.client.HTTPConnection(address.hostname, address.port, timeout=timeout)


def ask(connection, payload, *, method="POST", path="/predict", content_type="application/json"):
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    headers = {} if content_type is None else {"Content-Type": content_type}
    connection.request(method, path, body, headers)
    response = connection.getresponse()
    return response, response.read()


def check_error(status, body, got=""):
    """An error in the form that is promised, and no trace of the program in it."""
    assert 400 <= status < 500, (status, body)
    error = json.loads(body)["error"]
    assert sorted(error) == ["expected", "fix", "got"]
    assert all(isinstance(text, str) and text for text in error.values())
    assert len(body) < 5000
    assert got in error["got"], error
    for trace in ("Traceback", ".py", "0x", "Error("):
        assert trace not in error["got"] + error["expected"] + error["fix"]


# Right answers


def test_many_rows_one_row_and_the_original_agree(census, client):
    answer = client.post("/predict", json={"rows": census.rows[:50], "version": "test-1"}).json
    assert answer["version"] == "test-1"
    assert answer["classes"] == ["<=50K", ">50K"]
    assert np.allclose(answer["probabilities"], census.probabilities[:50], atol=1e-5)
    assert answer["predictions"] == [
        [*answer["classes"]][p.argmax()] for p in census.probabilities[:50]
    ]
    assert set(answer["predictions"]) == {"<=50K", ">50K"}
    for index in (0, 7):
        single = client.post("/predict", json={"row": census.rows[index]}).json
        assert len(single["predictions"]) == 1
        assert np.allclose(single["probabilities"], census.probabilities[[index]], atol=1e-5)


def test_missing_values_and_unseen_categories_are_answered(census, client):
    nothing = dict.fromkeys(census.rows[0])
    unseen = {**census.rows[0], "occupation": "Lighthouse keeper"}
    answer = client.post("/predict", json={"rows": [nothing, unseen]})
    assert answer.status_code == 200
    assert np.allclose(np.sum(answer.json["probabilities"], axis=1), 1, atol=1e-5)


def test_order_of_columns_does_not_matter(census, client):
    turned = dict(reversed(census.rows[3].items()))
    answer = client.post("/predict", json={"row": turned}).json
    assert np.allclose(answer["probabilities"][0], census.probabilities[3], atol=1e-5)


def test_live_and_ready(client, census):
    assert client.get("/live").json == {"status": "live", "version": "test-1"}
    assert client.get("/ready").json == {"status": "ready", "version": "test-1"}
    broken = SimpleNamespace(schema=census.table_model.schema)  # without a session
    client = create_app(broken).test_client()
    assert client.get("/live").status_code == 200
    answer = client.get("/ready")
    assert answer.status_code == 503
    assert answer.json["error"]["expected"] == "a model that answers"


def test_without_an_imputer_ready_all_the_same(client, monkeypatch):
    """No answer to a missing value is one, too: the model computes."""

    def predict_rows(table_model, rows):
        raise FloatingPointError("row 0: not finite")

    monkeypatch.setattr(probes, "predict_rows", predict_rows)
    assert client.get("/ready").status_code == 200


def test_metrics_count_answers(client, census):
    for payload in ({"row": census.rows[0]}, {"row": census.rows[1]}, {"rows": []}):
        client.post("/predict", json=payload)
    client.get("/live")
    lines = client.get("/metrics").text.splitlines()
    for line in (
        'answers_total{status="200"} 2.0',
        'answers_total{status="422"} 1.0',
        "predict_seconds_count 3.0",
    ):
        assert line in lines
    seconds = next(line for line in lines if line.startswith("predict_seconds_sum"))
    assert 0 < float(seconds.split()[1]) < 60


# Wrong requests


def with_value(name, value):
    return lambda row: {"row": {**row, name: value}}


WRONG = {
    "not JSON": (lambda row: b"{age: 39}", 400, "line 1, column 2"),
    "empty body": (lambda row: b"", 400, "empty body"),
    "not UTF-8": (lambda row: b'{"row": "\xff"}', 400, "not UTF-8, at byte 9"),
    "UTF-16": (lambda row: json.dumps({"row": row}).encode("utf-16"), 400, "not UTF-8"),
    "JSON NaN": (with_value("age", float("nan")), 400, "NaN, which JSON does not have"),
    "JSON Infinity": (with_value("age", float("-inf")), 400, "-Infinity, which JSON"),
    "name twice": (lambda row: b'{"row": {"age": 1, "age": 2}}', 400, "'age' more than once"),
    "deep nesting": (lambda row: b"[" * 19_000, 400, "nested too deeply"),
    "deep but JSON": (lambda row: b"[" * 500 + b"]" * 500, 422, "a list of length 1"),
    "thousands of digits": (lambda row: b'{"row": ' + b"9" * 9_000 + b"}", 400, "thousands of digits"),
    "too large": (lambda row: b" " * 20_001, 413, "POST '/predict'"),
    "a list": (lambda row: [row], 422, "a list of length 1"),
    "neither row nor rows": (lambda row: {"data": [row]}, 422, "an object with 'data'"),
    "row and rows": (lambda row: {"row": row, "rows": [row]}, 422, "both"),
    "name beside rows": (lambda row: {"row": row, "explain": True}, 422, "'explain'"),
    "unknown version": (lambda row: {"row": row, "version": "test-2"}, 422, "the text 'test-2'"),
    "version is a list": (lambda row: {"row": row, "version": ["test-1"]}, 422, "a list of length 1"),
    "version is null": (lambda row: {"row": row, "version": None}, 422, "null"),
    "no rows": (lambda row: {"rows": []}, 422, "a list of length 0"),
    "too many rows": (lambda row: {"rows": [row] * 51}, 422, "a list of length 51"),
    "rows is an object": (lambda row: {"rows": row}, 422, "an object with 'age', 'education-num'"),
    "row is a list": (lambda row: {"row": [*row.values()]}, 422, "a list of length 7"),
    "second row is null": (lambda row: {"rows": [row, None]}, 422, "null"),
    "missing column": (lambda row: {"rows": [row, {k: v for k, v in row.items() if k != "sex"}]}, 422, "rows[1] without 'sex'"),
    "extra column": (with_value("ssn", 1), 422, "row with the unknown columns 'ssn'"),
    "misspelled column": (lambda row: {"row": {**{k: v for k, v in row.items() if k != "age"}, "Age": 1}}, 422, "row without 'age' and with the unknown columns 'Age'"),
    "hundreds of columns": (lambda row: {"row": {f"column {i}": i for i in range(300)}}, 422, "and 295 more"),
    "text as number": (with_value("age", "39"), 422, "the text '39' in row[\"age\"]"),
    "boolean as number": (with_value("age", True), 422, "true in row"),
    "list as number": (with_value("age", [39]), 422, "a list of length 1 in row"),
    "number as text": (with_value("sex", 1), 422, "the number 1 in row"),
    "boolean as text": (with_value("sex", False), 422, "false in row"),
    "object as text": (with_value("sex", {"a": {}}), 422, "an object with 'a' in row"),
    "too large for a float": (lambda row: json.dumps({"row": {**row, "age": "X"}}).replace('"X"', "1e999").encode(), 422, "the number inf"),
    "too large for float32": (with_value("age", 1e39), 422, "the number 1e+39"),
    "huge integer": (with_value("age", -(10**400)), 422, "the number -1000"),
    "half a surrogate pair": (with_value("sex", "a\ud800"), 422, "the text 'a\\ud800'"),
    "surrogates in a name": (with_value("\udfff", 1), 422, "'\\udfff'"),
}  # fmt: skip


@pytest.mark.parametrize(("make", "status", "got"), WRONG.values(), ids=WRONG)
def test_wrong_request(census, client, make, status, got):
    payload = make(census.rows[0])
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    answer = client.post("/predict", data=body, content_type="application/json")
    assert answer.status_code == status, answer.json
    check_error(answer.status_code, answer.data, got)


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        (None, 415),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("application/jsonx", 415),
        ("application/json; charset=utf-8", 200),
        ("Application/JSON", 200),
    ],
)
def test_content_type(census, client, content_type, status):
    body = json.dumps({"row": census.rows[0]})
    answer = client.post("/predict", data=body, content_type=content_type)
    assert answer.status_code == status
    if status == 415:
        check_error(status, answer.data, content_type or "no content type")


def test_compressed_body_is_refused(client, census):
    body = gzip.compress(json.dumps({"row": census.rows[0]}).encode())
    given = {"data": body, "content_type": "application/json"}
    answer = client.post("/predict", headers={"Content-Encoding": "gzip"}, **given)
    assert answer.status_code == 415
    check_error(415, answer.data, "'gzip' as Content-Encoding")
    assert answer.json["error"]["fix"] == "send no compressed bodies."
    body = json.dumps({"row": census.rows[0]})
    given = {"data": body, "content_type": "application/json"}
    answer = client.post("/predict", headers={"Content-Encoding": "identity"}, **given)
    assert answer.status_code == 200


def test_byte_order_mark_is_accepted(client, census):
    """As Windows tools write it."""
    body = json.dumps({"row": census.rows[3]}).encode("utf-8-sig")
    answer = client.post("/predict", data=body, content_type="application/json")
    assert np.allclose(answer.json["probabilities"][0], census.probabilities[3], atol=1e-5)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/predict", 405),
        ("DELETE", "/", 405),
        ("POST", "/openapi.json", 405),
        ("GET", "/no/such/path", 404),
        ("POST", "/predict/", 404),
        ("GET", "/static/secret", 404),
    ],
)
def test_wrong_method_or_path(client, method, path, status):
    answer = client.open(path, method=method)
    assert answer.status_code == status
    check_error(status, answer.data, f"{method} '{path}'")
    if status == 405:
        assert answer.headers["Allow"]


def test_rows_that_the_model_cannot_compute_are_refused(client, census, monkeypatch):
    """Finite in JSON, but the softmax of the network's infinite outputs is not."""
    rows = [census.rows[0], {**census.rows[0], "age": 3e38, "capital-gain": -3e38}]

    def predict_rows(table_model, rows):
        raise FloatingPointError("row 1: the result is not finite")

    monkeypatch.setattr(contract, "predict_rows", predict_rows)
    answer = client.post("/predict", json={"rows": rows})
    check_error(answer.status_code, answer.data, "row 1: the result is not finite")


def test_mistake_of_the_service_shows_no_trace(client, census, caplog, monkeypatch):
    def predict_rows(table_model, rows):
        raise ValueError("secret /home/name/model.onnx")

    monkeypatch.setattr(contract, "predict_rows", predict_rows)
    for path, given in (("/predict", {"json": {"row": census.rows[0]}}), ("/", {"data": dict.fromkeys(census.rows[0], "")})):  # fmt: skip
        answer = client.post(path, **given)
        assert answer.status_code == 500
        assert answer.json["error"]["fix"] == "tell who runs the service; its log says more."
        assert b"secret" not in answer.data
        assert b"Traceback" not in answer.data
    assert "secret" in caplog.text


# Page and description


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def all(self, *names):
        return [attributes for tag, attributes in self.tags if tag in names]


def test_page_is_accessible_and_whole(client, census):
    answer = client.get("/")
    page = Page(answer.text)
    assert len(page.all("h1")) == len(page.all("title")) == len(page.all("main")) == 1
    assert page.all("html")[0]["lang"] == "en"
    fields = page.all("input", "select")
    assert [field["name"] for field in fields] == [*census.rows[0]]
    assert [label["for"] for label in page.all("label")] == [field["id"] for field in fields]
    assert "Exec-managerial" in answer.text
    assert not page.all("script", "img", "iframe")
    assert re.findall(r"https?:|//", answer.text) == []
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_page_shows_the_prediction_and_keeps_the_values(client, census):
    row = {**census.rows[0], "age": " 32 "}
    answer = client.post("/", data=row)
    assert answer.status_code == 200
    assert "Prediction: &lt;=50K" in answer.text
    assert f"{100 * census.probabilities[0, 0]:.1f} %" in answer.text
    assert "<option selected>Private" in answer.text
    assert any(field.get("value") == " 32 " for field in Page(answer.text).all("input"))


def test_page_shows_the_error_at_its_field(client, census):
    answer = client.post("/", data={**census.rows[0], "age": "<b>forty</b>"})
    assert answer.status_code == 422
    assert "Not predicted" in answer.text
    assert "<b>" not in answer.text
    [field] = [field for field in Page(answer.text).all("input") if "aria-invalid" in field]
    assert field["name"] == "age"
    assert field["aria-describedby"] == "error"
    assert {"role": "alert", "id": "error", "class": "result error"} in Page(answer.text).all("div")


@pytest.mark.parametrize("data", [{}, {"age": "1"}, {"evil": "<script>"}])
def test_page_with_other_fields(client, data):
    answer = client.post("/", data=data)
    assert answer.status_code == 422
    assert "Got row " in answer.text
    assert "<script>" not in answer.text


def test_categories_that_are_numbers(monkeypatch):
    column = {"name": "year", "input": "year", "type": "number", "categories": [2007, 2008]}
    model = SimpleNamespace(schema={"columns": [column], "classes": ["a", "b"], "version": "1"})
    monkeypatch.setattr(
        contract,
        "predict_rows",
        lambda table_model, rows: np.eye(2)[[int(row["year"]) - 2007 for row in rows]],
    )
    client = create_app(model).test_client()
    rows = [{"year": 2008}, {"year": 2007}]
    assert client.post("/predict", json={"rows": rows}).json["predictions"] == ["b", "a"]
    assert client.post("/predict", json={"row": {"year": "2008"}}).status_code == 422
    answer = client.post("/", data={"year": "2008"}).text
    assert "Prediction: b" in answer
    assert "<option selected>2008" in answer


def test_description_agrees_with_the_service(census):
    description = create_app(census.table_model, max_rows=5).test_client().get("/openapi.json").json
    assert description == describe_api(census.table_model.schema, max_rows=5)
    client = create_app(census.table_model, max_rows=5).test_client()
    row = census.rows[0]
    cases = {
        True: [{"row": row}, {"rows": [row] * 5}, {"row": dict.fromkeys(row)}, {"row": row, "version": "test-1"}],
        False: [[row], {}, {"row": row, "rows": [row]}, {"rows": []}, {"rows": [row] * 6}, {"row": {**row, "age": "1"}},
                {"row": {**row, "more": 1}}, {"row": {**row, "sex": 1}}, {"row": row, "more": 1},
                {"row": row, "version": "other"}, {"row": {**row, "age": 1e39}}],
    }  # fmt: skip
    for right, payloads in cases.items():
        for payload in payloads:
            answer = client.post("/predict", json=payload)
            assert (answer.status_code == 200) == right
            assert is_valid(description, "Request", payload) == right
            assert is_valid(description, "Answer" if right else "Error", answer.json)
            assert str(answer.status_code) in description["paths"]["/predict"]["post"]["responses"]
    for path in ("/live", "/ready"):
        assert is_valid(description, "Health", client.get(path).json)
        assert "200" in description["paths"][path]["get"]["responses"]


def is_valid(description, name, instance):
    schema = {"$ref": f"#/components/schemas/{name}", "components": description["components"]}
    return jsonschema.Draft202012Validator(schema).is_valid(instance)


# The process


def test_service_refuses_what_is_not_http(service):
    address = urlsplit(service.url)
    answer = send_raw(address.hostname, address.port, b"GET / HTTP/1.1\r\nNo colon here\r\n\r\n")
    assert answer.split()[1] == b"400"
    assert b"Traceback" not in answer


@pytest.mark.parametrize("length", [b"Content-Length: 99999999999", b"Transfer-Encoding: chunked"])
def test_endless_body_is_refused_before_it_ends(service, length):
    """By what its header says, or else when 2 MB have come."""
    address = urlsplit(service.url)
    with socket.create_connection((address.hostname, address.port), timeout=20) as connection:
        head = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        connection.sendall(head + length + b"\r\n\r\n")
        for _ in range(25 if b"chunked" in length else 0):
            connection.sendall(b"%x\r\n%b\r\n" % (100_000, b" " * 100_000))
        response = http.client.HTTPResponse(connection)
        response.begin()
        assert response.status == 413
        check_error(413, response.read(), "POST '/predict'")


def test_abuse(service, census, capsys):
    """2,000 hostile requests: every answer is a 2xx or 4xx in time, and the service is as before."""
    address = urlsplit(service.url)
    requests = list(generate(census.rows, ABUSES))
    statuses, faults = Counter(), []

    def send(part):
        connection = connect(service, timeout=10)
        for request in part:
            try:
                if isinstance(request, bytes):
                    answer = send_raw(address.hostname, address.port, request)
                    status = int(answer.split()[1]) if answer else "closed"
                    statuses[status] += 1
                    assert b"Traceback" not in answer
                    # 501 is HTTP's answer to a Transfer-Encoding that a server does not know
                    assert status in ("closed", 501) or 200 <= status < 500, answer
                    continue
                method, path, content_type, body = request
                try:
                    response, content = ask(
                        connection, body, method=method, path=path, content_type=content_type
                    )
                except ConnectionError:
                    statuses["closed"] += 1  # in the middle of a body that is too large
                    connection.close()
                    continue
                statuses[response.status] += 1
                assert b"Traceback" not in content
                if response.status >= 300 and content:
                    if response.headers.get_content_type() == "application/json":
                        check_error(response.status, content)
                    elif content == b"Invalid HTTP request received.":  # the server's own words
                        assert method in ("BREW", "get", "CONNECT"), request
                    else:
                        assert path.startswith("/?") or path == "/", request
                assert 200 <= response.status < 500, request
            except Exception as error:
                faults.append((repr(error)[:300], str(request)[:300]))
                connection.close()
        connection.close()

    threads = [threading.Thread(target=send, args=(requests[i::4],)) for i in range(4)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - start
    with capsys.disabled():
        print(f"\nabuse: {ABUSES} requests in {seconds:.1f} s, {dict(statuses)}")
    assert not faults, (len(faults), faults[:5])
    assert statuses.total() == ABUSES
    assert statuses["closed"] < ABUSES / 20
    assert sum(count for status, count in statuses.items() if status != 200) > ABUSES * 0.8
    assert service.process.poll() is None
    assert "Traceback" not in service.log(), service.log()[:3000]
    check_still_right(service, census)


def test_body_in_chunks_is_answered(service, census):
    connection = connect(service)
    body = json.dumps({"row": census.rows[3]}).encode()
    parts = (body[i : i + 20] for i in range(0, len(body), 20))
    headers = {"Content-Type": "application/json", "Transfer-Encoding": "chunked"}
    connection.request("POST", "/predict", parts, headers, encode_chunked=True)
    answer = json.load(connection.getresponse())
    assert np.allclose(answer["probabilities"][0], census.probabilities[3], atol=1e-5)
    connection.close()


def check_still_right(service, census):
    connection = connect(service)
    response, content = ask(connection, {"rows": census.rows})
    assert response.status == 200
    assert np.allclose(json.loads(content)["probabilities"], census.probabilities, atol=1e-5)
    response, content = ask(connection, b"", method="GET", path="/ready")
    assert json.loads(content)["status"] == "ready"
    connection.close()


def test_requests_that_never_end_block_nobody(service, census):
    address = urlsplit(service.url)
    half = b'POST /predict HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 999\r\n\r\n{"row'
    sockets = [socket.create_connection((address.hostname, address.port)) for _ in range(40)]
    for each in sockets:
        each.sendall(half)
    check_still_right(service, census)
    for each in sockets:
        each.close()


def test_load(service, census, capsys):
    """32 clients at once: no answer is lost, and each is to the question that was asked."""
    assert len(np.unique(census.probabilities[:, 0].round(4))) > 200  # a mix-up would show
    for clients in (1, 32):
        result = measure_load(
            f"{service.url}predict",
            census.rows,
            census.probabilities,
            clients=clients,
            seconds=LOAD_SECONDS if clients == 32 else 0.5,
            rows_per_request=3,
        )
        with capsys.disabled():
            print(f"\nFlask, {clients} clients: {result.round(1).to_dict()}")
        assert result.wrong == result.failed == 0
        assert result.answers > clients


def test_load_only_on_this_machine():
    with pytest.raises(ValueError, match="expected an address of this machine"):
        measure_load("http://192.0.2.1/predict", [], np.empty((0, 2)))


def test_load_finds_wrong_and_failed_answers(service, census):
    url = f"{service.url}predict"
    mixed_up = census.probabilities[::-1]
    assert measure_load(url, census.rows, mixed_up, clients=2, seconds=0.3).wrong > 0
    refused = [{"age": 1}]
    result = measure_load(url, refused, census.probabilities[:1], clients=2, seconds=0.3)
    assert result.failed == result.answers > 0
