"""Many clients at once: how fast a service answers, and whether each gets its own answer."""

import http.client
import json
import threading
import time
from urllib.parse import urlsplit

import numpy as np
import pandas as pd


def measure_load(url, rows, expected, *, clients=8, seconds=2.0, rows_per_request=1):
    """Send requests from many clients for a while; every client checks its own answers.

    A client sends its next request when it has the answer to the last, on the same connection.

    Parameters
    ----------
    url : str
        Where to post `{"rows": […]}`, on this machine: `"http://127.0.0.1:8000/predict"`.
    rows : list of dict
        What JSON can hold. Each request takes other ones.
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
    outcomes, lock = [], threading.Lock()  # (seconds, "right" or what went wrong)
    begin = threading.Barrier(clients + 1)

    def ask(connection, chosen):
        body = json.dumps({"rows": [rows[index] for index in chosen]})
        connection.request("POST", address.path, body, headers={"Content-Type": "application/json"})
        response = connection.getresponse()
        content = response.read()
        if response.status != 200:
            return "failed"
        found = np.array(json.loads(content)["probabilities"])
        right = found.shape == expected[chosen].shape and np.allclose(
            found, expected[chosen], atol=1e-5
        )
        return "right" if right else "wrong"

    def run_client(number):
        rng = np.random.default_rng(number)
        connection = http.client.HTTPConnection(address.hostname, address.port, timeout=30)
        mine = []
        begin.wait()
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            chosen = rng.integers(len(rows), size=rows_per_request)
            start = time.perf_counter()
            try:
                outcome = ask(connection, chosen)
            except (OSError, http.client.HTTPException, ValueError, KeyError):
                outcome = "failed"
                connection.close()
            mine.append((time.perf_counter() - start, outcome))
        connection.close()
        with lock:
            outcomes.extend(mine)

    threads = [threading.Thread(target=run_client, args=(i,), daemon=True) for i in range(clients)]
    for thread in threads:
        thread.start()
    begin.wait()
    start = time.perf_counter()
    for thread in threads:
        thread.join()
    elapsed = time.perf_counter() - start
    times, names = zip(*outcomes, strict=True)
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
