"""A service that is slow on purpose, for test_serving.py: `python slow_service_worker.py SECONDS`.

It takes rows {"number": 0 … 999} and answers with the probability number / 1000. To start fast
it stands in for `helpers.export`, which imports PyTorch.
"""

import sys
import time
from types import SimpleNamespace

import numpy as np

SCHEMA = {"numbers": ["number"], "categories": {}, "classes": ["no", "yes"], "version": "slow"}


def predict_rows(table_model, rows):
    time.sleep(table_model.seconds)
    numbers = np.array([[row["number"] / 1000] for row in rows])
    return np.hstack([1 - numbers, numbers])


if __name__ == "__main__":
    sys.modules["helpers.export"] = SimpleNamespace(predict_rows=predict_rows)

    from helpers.service.flask_app import create_app
    from helpers.service.server import serve

    serve(create_app(SimpleNamespace(schema=SCHEMA, seconds=float(sys.argv[1]))), port=0)
