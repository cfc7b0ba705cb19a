"""Many clients at once: how fast a service answers, and whether each gets its own answer."""

import http.client
import json
import threading
import time
from urllib.parse import urlsplit

import numpy as np
import pandas as pd

HEADERS = {"Content-Type": "application/json"}


def measure_load(url, rows, expected, *, clients=8, seconds=2.0, rows_per_request=1):
    """Send requests from many clients for a while; every client checks its own answers.

    A client sends its next request when it has the answer to the last, on the same connection.

    Parameters
    ----------
    url : str
        Where to post `{"rows": […]}`, on this machine: `"http://127.0.0.1:8000/predict"`.
    rows : list of dict
        What JSON can hold. Each request takes some that follow each other.
    expected : ndarray (n_rows, n_classes)
        The right probabilities.
    clients : int
    seconds : float
    rows_per_request : int

    Returns
    -------
    pandas.Series
        `answers`, of which `wrong` (another row's answer) and `failed` (none, or an error);
        `per_second`, right answers; `median_ms` and `p99_ms` of a request.

    Raises
    ------
    ValueError
        If the address is not one of this machine: load on other people's is an attack.
    """
    address = urlsplit(url)
    if address.hostname not in ("127.0.0.1", "localhost", "::1"):
        raise ValueError(f"expected an address of this machine, got {url}: use 127.0.0.1")
    starts = range(len(rows) - rows_per_request + 1)
    bodies = [json.dumps({"rows": rows[i : i + rows_per_request]}).encode() for i in starts]
    answers, lock = [], threading.Lock()  # (seconds, which request, content or None)
    begin = threading.Barrier(clients + 1)

    def run_client(number):
        rng = np.random.default_rng(number)
        connection = http.client.HTTPConnection(address.hostname, address.port, timeout=30)
        mine = []
        begin.wait()
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            index, content = int(rng.integers(len(bodies))), None
            start = time.perf_counter()
            try:
                connection.request("POST", address.path, bodies[index], HEADERS)
                response = connection.getresponse()
                content = response.read() if response.status == 200 else bool(response.read())
            except (OSError, http.client.HTTPException):
                connection.close()
            mine.append((time.perf_counter() - start, index, content))
        connection.close()
        with lock:
            answers.extend(mine)

    def judge(index, content):
        """What became of a request, judged after the load so that the judge costs no time of it."""
        if not isinstance(content, bytes):
            return "failed"
        found = np.array(json.loads(content)["probabilities"])
        right = expected[index : index + rows_per_request]
        same = found.shape == right.shape and np.allclose(found, right, atol=1e-5)
        return "right" if same else "wrong"

    threads = [threading.Thread(target=run_client, args=(i,), daemon=True) for i in range(clients)]
    for thread in threads:
        thread.start()
    begin.wait()
    start = time.perf_counter()
    for thread in threads:
        thread.join()
    elapsed = time.perf_counter() - start
    times = [duration for duration, *_ in answers]
    names = [judge(*request) for _, *request in answers]
    return pd.Series(
        {
            "answers": len(names),
            "wrong": names.count("wrong"),
            "failed": names.count("failed"),
            "per_second": names.count("right") / elapsed,
            "median_ms": 1000 * np.median(times),
            "p99_ms": 1000 * np.quantile(times, 0.99),
        }
    )
