"""How long a call takes."""

import time


def measure_latency(call, *, warm_up=10, repeat=100):
    """Time a call many times, after some calls that do not count.

    Parameters
    ----------
    call : callable
        Without arguments.
    warm_up, repeat : int

    Returns
    -------
    pandas.Series
        `median_ms` and `p99_ms`, the 99th percentile, in milliseconds.

    Examples
    --------
    >>> measure_latency(lambda: sum(range(1000)), repeat=5).index.tolist()
    ['median_ms', 'p99_ms']
    """
    import pandas as pd

    for _ in range(warm_up):
        call()
    milliseconds = []
    for _ in range(repeat):
        start = time.perf_counter()
        call()
        milliseconds.append(1000 * (time.perf_counter() - start))
    times = pd.Series(milliseconds)
    return pd.Series({"median_ms": times.median(), "p99_ms": times.quantile(0.99)})
