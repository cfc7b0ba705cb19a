"""Does the server end in good order, take several workers, and say what is wrong with a command?"""

import http.client
import json
import os
import re
import signal
import socket
import threading
import time
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
import slow_service_worker
from service_process import running_service

from helpers.service.flask_app import create_app
from helpers.service.server import run_command

on_posix = pytest.mark.skipif(
    os.name != "posix", reason="on Windows a process cannot send SIGTERM to another"
)
SLOW = Path(slow_service_worker.__file__)
HANGS = 60  # seconds after which a process or thread counts as hanging, on a busy machine too


def connect(service, timeout=20):
    address = urlsplit(service.url)
    return http.client.HTTPConnection(address.hostname, address.port, timeout=timeout)


def ask(connection, payload):
    body, headers = json.dumps(payload).encode(), {"Content-Type": "application/json"}
    connection.request("POST", "/predict", body, headers)
    response = connection.getresponse()
    return response, response.read()


@on_posix
@pytest.mark.parametrize(("keep_alive", "workers"), [(True, 1), (False, 1), (True, 2)])
def test_sigterm_during_load_finishes_what_was_accepted(tmp_path, keep_alive, workers):
    """Whoever had sent a request before the signal gets the right answer, and nobody half of one."""
    with running_service([SLOW, 0.05, 8, workers], tmp_path / "log.txt") as service:
        asked, killed = [], []  # (when it was sent, outcome)

        def run_client(number):
            connection = connect(service)
            for turn in range(200):
                value = (37 * number + turn) % 1000
                sent = None
                try:
                    connection.request(
                        "POST",
                        "/predict",
                        json.dumps({"row": {"number": value}}),
                        {"Content-Type": "application/json"},
                    )
                    sent = time.perf_counter()
                    response = connection.getresponse()
                except (ConnectionError, http.client.BadStatusLine):
                    asked.append((sent or time.perf_counter(), "no answer"))
                    if killed:
                        break
                    continue
                content = json.loads(response.read())  # half an answer raises
                right = response.status == 200 and content["probabilities"][0][1] == value / 1000
                asked.append((sent, "right" if right else "wrong"))
                if not keep_alive:
                    connection.close()
            connection.close()

        errors = []

        def run_checked(number):
            try:
                run_client(number)
            except Exception as error:
                errors.append(error)

        threads = [threading.Thread(target=run_checked, args=(i,)) for i in range(32)]
        for thread in threads:
            thread.start()
        while len(asked) < 64 and any(thread.is_alive() for thread in threads):
            time.sleep(0.01)
        killed.append(time.perf_counter())
        service.process.send_signal(signal.SIGTERM)
        for thread in threads:
            thread.join(HANGS)
        assert service.process.wait(HANGS) == 0
    assert not errors
    assert Counter(outcome for sent, outcome in asked if sent < killed[0]).keys() == {"right"}
    assert "wrong" not in {outcome for _, outcome in asked}
    assert len(asked) > 60
    assert service.log().count("Traceback") == 0


@on_posix
@pytest.mark.parametrize("workers", [1, 2])
def test_sigterm_answers_the_whole_queue(tmp_path, workers):
    """30 requests wait for 4 threads when the signal comes."""
    with running_service([SLOW, 0.2, 8, workers], tmp_path / "log.txt") as service:
        connections = [connect(service) for _ in range(30)]
        for number, connection in enumerate(connections):
            connection.request(
                "POST",
                "/predict",
                json.dumps({"row": {"number": number}}),
                {"Content-Type": "application/json"},
            )
        service.process.send_signal(signal.SIGTERM)
        answers = [json.load(connection.getresponse()) for connection in connections]
        assert [a["probabilities"][0][1] for a in answers] == [n / 1000 for n in range(30)]
        assert service.process.wait(HANGS) == 0
        for connection in connections:
            connection.close()
        with pytest.raises(ConnectionRefusedError):
            connect(service).connect()


@on_posix
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_idle_service_ends_without_waiting_and_cleanly(tmp_path, number):
    """One that waited for open connections would wait here for ever."""
    with running_service([SLOW, 0.05, 10**6], tmp_path / "log.txt") as service:
        connection = connect(service)
        ask(connection, {"row": {"number": 1}})  # the connection stays open, as browsers do
        service.process.send_signal(number)
        assert service.process.wait(HANGS) == 0
        assert service.process.stdout.read() == "Stopped.\n"
        assert service.log() == ""
        connection.close()


@on_posix
@pytest.mark.parametrize("workers", [1, 2])
def test_half_a_request_does_not_keep_the_service_alive(tmp_path, workers):
    with running_service([SLOW, 0.05, 1, workers], tmp_path / "log.txt") as service:
        address = urlsplit(service.url)
        with socket.create_connection((address.hostname, address.port)) as half:
            half.sendall(b"POST /predict HTTP/1.1\r\nContent-Length: 99\r\n\r\n{")
            time.sleep(0.2)
            service.process.send_signal(signal.SIGTERM)
            assert service.process.wait(HANGS) == 0


@pytest.mark.parametrize(
    "fault", ["no such file", "not a model", "no such port", "taken port", "no worker"]
)
def test_command_says_what_is_wrong_in_one_line(census, tmp_path, capsys, fault):
    path, port, workers = census.path, 0, 1
    taken = socket.create_server(("127.0.0.1", 0))
    if fault == "no such file":
        path = tmp_path / "none.onnx"
    elif fault == "not a model":
        path = tmp_path / "text.onnx"
        path.write_text("hello")
    elif fault == "no such port":
        port = 99999
    elif fault == "no worker":
        workers = 0
    else:
        port = taken.getsockname()[1]
    with taken, pytest.raises(SystemExit) as stopped:
        options = ["--port", str(port), "--workers", str(workers)]
        run_command(create_app, "serve", [str(path), *options])
    line = f"{stopped.value.code} {capsys.readouterr().err}".splitlines()[-1]
    assert stopped.value.code != 0
    says = {
        "no such file": f"serve: error: cannot load {path}: ",
        "not a model": f"serve: error: cannot load {path}: ",
        "no such port": "expected a port from 0 to 65535, got 99999",
        "no worker": "expected at least 1 worker, got 0",
        "taken port": f"cannot listen on 127.0.0.1, port {port}: ",
    }
    assert says[fault] in line


@on_posix
def test_metrics_are_those_of_all_workers(census, tmp_path):
    """Whichever worker is asked: while one is suspended, the other has to answer."""
    arguments = ["-m", "helpers.service", census.path, "--port", "0", "--workers", "2"]
    with running_service(arguments, tmp_path / "log.txt") as service:
        workers = wait_for_workers(service, 2)
        for suspended in workers:
            suspended.suspend()
            for _ in range(5):
                assert ask_once(service, {"row": census.rows[0]}).status == 200
            suspended.resume()
        for suspended in workers:
            suspended.suspend()
            text = ask_once(service, path="/metrics", method="GET").content.decode()
            suspended.resume()
            found = dict(re.findall(r"^(\S+) (\S+)$", text, re.MULTILINE))
            assert float(found['answers_total{status="200"}']) == 10
            assert float(found["predict_seconds_count"]) == 10
        assert service.log() == ""


def wait_for_workers(service, count):
    """The service's workers, as soon as each holds the socket that they share."""
    for _ in range(HANGS * 10):
        family = psutil.Process(service.process.pid).children()
        workers = [each for each in family if "spawn_main" in " ".join(each.cmdline())]
        listening = [each for each in workers if each.net_connections("tcp")]
        if len(listening) == count:
            return workers
        time.sleep(0.1)
    raise AssertionError(f"expected {count} workers, found {family}")


def ask_once(service, payload=None, *, path="/predict", method="POST"):
    connection = connect(service)
    headers = {"Content-Type": "application/json"}
    connection.request(method, path, json.dumps(payload), headers)
    response = connection.getresponse()
    response.content = response.read()
    connection.close()
    return response
