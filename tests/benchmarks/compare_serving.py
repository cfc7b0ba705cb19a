"""Answers per second of the course's service and of TorchServe, for the same model.

    python tests/benchmarks/compare_serving.py

Both run on this machine's cores at the same time, and are asked in turn; the clients have a
process of their own. Each number is the median of the rounds. Needs Java 17 for TorchServe.
"""

import multiprocessing
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pandas as pd

TESTS = Path(__file__).parent.parent
FOLDERS = [TESTS.parent, TESTS.parent / "tools", TESTS, TESTS / "helpers" / "service"]
sys.path[:0] = map(str, FOLDERS)

from census_model import make_census  # noqa: E402
from service_load import measure_load  # noqa: E402
from service_process import running_service  # noqa: E402
from torchserve_process import find_obstacle, running_torchserve  # noqa: E402

ROUNDS, SECONDS = 3, 2.0


def main():
    obstacle = find_obstacle()
    if obstacle:
        sys.exit(obstacle)
    folder = Path(tempfile.mkdtemp())
    census = make_census(folder / "census.onnx")
    command = ["-m", "helpers.service", census.path, "--port", "0"]
    found = []
    with (
        running_torchserve(census.path, folder) as port,
        running_service(command, folder / "one.txt") as one,
        running_service([*command, "--workers", "2"], folder / "two.txt") as two,
        ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as apart,
    ):
        urls = {
            "TorchServe": f"http://127.0.0.1:{port}/predictions/census",
            "1 worker": f"{one.url}predict",
            "2 workers": f"{two.url}predict",
        }
        for _ in range(ROUNDS):
            for clients in (1, 8, 32):
                for name, url in urls.items():
                    given = {"clients": clients, "seconds": SECONDS}
                    job = apart.submit(
                        measure_load, url, census.rows, census.probabilities, **given
                    )
                    result = job.result()
                    if result.wrong or result.failed:
                        sys.exit(f"{name}, {clients} clients: {result.to_dict()}")
                    found.append((clients, name, result.per_second))
    table = pd.DataFrame(found, columns=["clients", "server", "answers per second"])
    table = table.pivot_table(index="clients", columns="server", values="answers per second", aggfunc="median")  # fmt: skip
    for name in ("1 worker", "2 workers"):
        table[f"{name} / TorchServe"] = table[name] / table["TorchServe"]
    print(table.round(1).to_string())


if __name__ == "__main__":
    main()
