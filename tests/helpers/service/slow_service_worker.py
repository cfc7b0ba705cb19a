"""A service that is slow on purpose, for test_server.py.

    python slow_service_worker.py SECONDS [DRAIN_SECONDS [WORKERS]]

It takes rows {"number": 0 … 999} and answers with the probability number / 1000.
"""

import sys
import time
from functools import partial
from types import SimpleNamespace

import numpy as np

from helpers.service import contract, server
from helpers.service.flask_app import create_app

COLUMN = {"name": "number", "input": "number", "type": "number"}
SCHEMA = {"columns": [COLUMN], "classes": ["no", "yes"], "version": "slow"}


def predict_rows(table_model, rows):
    time.sleep(table_model.seconds)
    numbers = np.array([[row["number"] / 1000] for row in rows])
    return np.hstack([1 - numbers, numbers])


def make_application(seconds):
    contract.predict_rows = predict_rows
    return create_app(SimpleNamespace(schema=SCHEMA, seconds=seconds))


if __name__ == "__main__":
    seconds, drain_seconds, workers = map(float, (sys.argv[1:] + ["8", "1"][len(sys.argv) - 2 :]))
    server.DRAIN_SECONDS = drain_seconds
    server.serve(partial(make_application, seconds), port=0, workers=int(workers))
