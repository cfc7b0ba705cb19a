"""Services as processes of their own, which end with the test whatever happens in it."""

import os
import subprocess
import sys
import threading
from contextlib import contextmanager
from types import SimpleNamespace

START_SECONDS = 60  # a busy machine imports PyTorch slowly


@contextmanager
def running_service(arguments, log_path, *, python=sys.executable, **options):
    """Run `python ARGUMENTS` until the block is left; yields `url`, `process` and `log()`."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", **options.pop("env", {})}
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            [python, *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=environment,
            **options,
        )
    watchdog = threading.Timer(START_SECONDS, process.kill)
    watchdog.start()
    try:
        line = process.stdout.readline()
        watchdog.cancel()
        assert line.startswith("Serving on http://"), line + log_path.read_text(errors="replace")
        yield SimpleNamespace(
            url=line.split()[2],
            process=process,
            log=lambda: log_path.read_text(encoding="utf-8", errors="replace"),
        )
    finally:
        watchdog.cancel()
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        process.stdout.close()
