"""A latency is what the calls took."""

from helpers.timing import measure_latency


def test_latency_counts_only_what_comes_after_warming_up():
    calls = []
    times = measure_latency(lambda: calls.append(1), warm_up=3, repeat=20)
    assert len(calls) == 23
    assert list(times.index) == ["median_ms", "p99_ms"] and 0 < times.median_ms <= times.p99_ms
