"""What machines ask a service: whether it lives, whether it is ready, and how it is doing."""

import json
import logging
import os
from time import perf_counter

from prometheus_client import CollectorRegistry, Counter, Histogram, exposition, multiprocess

from helpers.table_model import predict_rows


def add_probes(application, table_model):
    """Make a WSGI application that also answers `GET /live`, `GET /ready` and `GET /metrics`.

    `/live` says that the process answers; `/ready` asks the model about a row of missing values.
    `/metrics` is for Prometheus: `answers_total` by status, and `predict_seconds`, a histogram of
    the time that `/predict` takes. Where the environment has PROMETHEUS_MULTIPROC_DIR, they are
    those of all processes together: https://prometheus.github.io/client_python/multiprocess/
    """
    registry = CollectorRegistry()
    answers = Counter("answers", "Answers by status.", ["status"], registry=registry)
    seconds = Histogram("predict_seconds", "Seconds that /predict took.", registry=registry)
    probes = {
        "/live": lambda: ("200 OK", _json(status="live", version=table_model.schema["version"])),
        "/ready": lambda: _ask_model(table_model),
        "/metrics": lambda: ("200 OK", _counts(registry)),
    }

    def respond(environ, start_response):
        def start(status, *rest):
            answers.labels(status[:3]).inc()
            return start_response(status, *rest)

        probe = probes.get(environ["PATH_INFO"])
        if probe is None or environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            begin = perf_counter()
            parts = application(environ, start)
            if environ["PATH_INFO"] == "/predict":
                seconds.observe(perf_counter() - begin)
            return parts
        status, (kind, content) = probe()  # not counted: those who watch ask often
        start_response(status, [("Content-Type", kind), ("Content-Length", str(len(content)))])
        return [content]

    return respond


def _ask_model(table_model):
    try:
        predict_rows(
            table_model, [{column["name"]: None for column in table_model.schema["columns"]}]
        )
    except FloatingPointError:
        pass  # it computes, but has no imputer
    except Exception:
        logging.exception("the model does not answer")
        got, fix = "an error, see the service's log", "ask again later."
        error = {"expected": "a model that answers", "got": got, "fix": fix}
        return "503 Service Unavailable", _json(error=error)
    return "200 OK", _json(status="ready", version=table_model.schema["version"])


def _counts(registry):
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)
    return exposition.CONTENT_TYPE_LATEST, exposition.generate_latest(registry)


def _json(**content):
    return "application/json", json.dumps(content).encode()
