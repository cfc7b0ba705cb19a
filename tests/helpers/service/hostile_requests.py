"""Requests that a service meets on a bad day, generated from a seed."""

import json
import random
import socket

HOSTILE_VALUES = [
    True, False, [], {}, "", "39", "nan", "\x00", "\ud800", "a\udfffb", "\u202e", "<script>",
    "'; DROP TABLE rows; --", "../../etc/passwd", "{{ 7 * 7 }}", "%s%n", "x" * 5000, 1e308, -1e308,
    1e39, 10**30, 10**400, -(10**400), float("nan"), float("inf"), float("-inf"), 0.1, -0.0, 2**63,
    [[]], [1], {"age": 1}, None,
]  # fmt: skip
CONTENT_TYPES = [
    None, "", "text/plain", "application/xml", "application/x-www-form-urlencoded", "application",
    "multipart/form-data", "multipart/form-data; boundary=x", "application/json-patch+json",
    "application/json; charset=utf-16", "APPLICATION/JSON", ";;;", "a/b" * 500,
]  # fmt: skip
PATHS = [
    "/predict/", "/Predict", "//predict", "/predict/../live", "/..%2f..%2fetc/passwd", "/%00",
    "/live", "/ready", "/metrics", "/openapi.json", "/", "/?" + "a=b&" * 1000, "/" + "x" * 5000, "/%ff%fe", "/static/x",
    "/predict?debug=1", "/console", "/.git/config", "/favicon.ico", "*",
]  # fmt: skip
METHODS = ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "TRACE", "BREW", "get", "CONNECT"]
RAW = [
    b"\r\n\r\n",
    b"GET\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64) + b"\r\n\r\n",
    b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a b\x01\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: [::1\r\n\r\n",
    b"GET http://[::1/ HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nNo colon here\r\n\r\n",
    b"GET / HTTP/1.1\r\n: empty\r\n\r\n",
    b"GET / HTTP/1.1\r\nX: " + b"x" * 300_000 + b"\r\n\r\n",
    b"POST /predict HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
    b"POST /predict HTTP/1.1\r\nContent-Length: abc\r\n\r\n",
    b"POST /predict HTTP/1.1\r\nContent-Length: 99999999999999\r\n\r\n",
    b"POST /predict HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    b"POST /predict HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\nabc\r\n0\r\n\r\n",
    b"POST /predict HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\nabc",
    b"POST /predict HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
    b"POST /predict HTTP/1.1\r\nContent-Type: application/json\r\n\r\n",
    b"POST /predict HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n[]",
    b"POST /predict HTTP/1.1\r\nContent-Type: \xff\xfe\r\nContent-Length: 2\r\n\r\n[]",
    b"POST / HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 9\r\n\r\nage=%ff%x",
]


def generate(rows, count, seed=0):
    """Yields (method, path, content type, body), or the raw bytes of what may not be HTTP."""
    rng = random.Random(seed)
    for _ in range(count):
        make = rng.choices([_damaged, _ill_typed, _odd_http, _raw], [4, 6, 3, 1])[0]
        yield make(rng, rows)


def _damaged(rng, rows):
    body = bytearray(json.dumps({"rows": rng.sample(rows, 2)}).encode())
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(body))
        change = rng.randrange(4)
        if change == 0:
            body[at] = rng.randrange(256)
        elif change == 1:
            del body[at : at + rng.randint(1, 20)]
        elif change == 2:
            body[at:at] = rng.choice(
                [b"{", b"}", b"[", b"]", b",", b'"', b"\\u", b"\\", b"NaN", b"-"]
            )
        else:
            del body[max(at, 1) :]
    return "POST", "/predict", "application/json", bytes(body)


def _ill_typed(rng, rows):
    row = dict(rng.choice(rows))
    value, name = rng.choice(HOSTILE_VALUES), rng.choice([*row])
    nested = ("[" * rng.choice([100, 5000, 100_000])).encode()
    payload = rng.choice(
        [
            {"row": {**row, name: value}},
            {"rows": [row, {**row, name: value}, row]},
            {"rows": value},
            {"row": value},
            {"rows": [value]},
            {"row": {**row, str(value)[:50]: 1}},
            {"row": {key: value for key in row if key != name}},
            {"row": row, "version": value},
            {"row": row, "rows": [row]},
            {"row": row, "__class__": value},
            {"rows": [row] * 1001},
            {"rows": []},
            value,
            nested,
            b'{"row": ' + nested,
            b'{"row": {"age": ' + b"9" * 5000 + b"}}",
            b'{"row": {"age": 1, "age": 2}}',
            b" " * 1_100_000,
        ]
    )
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return "POST", "/predict", "application/json", body


def _odd_http(rng, rows):
    body = json.dumps({"row": rng.choice(rows)}).encode()
    part = rng.randrange(3)
    if part == 0:
        return "POST", "/predict", rng.choice(CONTENT_TYPES), body
    if part == 1:
        return "POST", rng.choice(PATHS), "application/json", body
    return rng.choice(METHODS), rng.choice(["/predict", *PATHS]), "application/json", body


def _raw(rng, rows):
    return rng.choice([*RAW, rng.randbytes(200) + b"\r\n\r\n"])


def send_raw(host, port, data, timeout=10):
    """Send bytes, say that no more come, and read until the end of the answer."""
    with socket.create_connection((host, port), timeout=timeout) as connection:
        answer = b""
        try:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            while part := connection.recv(65536):
                answer += part
        except (ConnectionResetError, BrokenPipeError):
            pass  # the service may close before it has read all
    return answer
