"""TorchServe as a process of its own, which ends with the test whatever happens in it."""

import http.client
import importlib.util
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import psutil
from hygiene import REPOSITORY

VERSION = "0.12.0"


def find_obstacle():
    """Why TorchServe cannot run here, or None."""
    for package in ("ts", "model_archiver"):
        if importlib.util.find_spec(package) is None:
            return f"pip install torchserve=={VERSION} torch-model-archiver=={VERSION}"
    if shutil.which("java") is None:
        return "TorchServe needs Java 17, and there is no java on the path"
    found = subprocess.run(["java", "-version"], capture_output=True, text=True).stderr
    if int(found.partition('version "')[2].partition(".")[0].strip('"\n') or 0) < 17:
        return f"TorchServe needs Java 17, this is {found.splitlines()[0]}"
    if os.name != "posix":
        return "this test ends TorchServe's processes with POSIX signals"
    return None


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def archive(model_path, store):
    """The command that the lesson shows."""
    store.mkdir()
    command = Path(sys.executable).with_name("torch-model-archiver")
    subprocess.run(
        [
            command,
            *("--model-name", "census"),
            *("--version", "1.0"),
            *("--serialized-file", model_path),
            *("--handler", REPOSITORY / "helpers" / "service" / "torchserve_handler.py"),
            *("--export-path", store),
        ],
        check=True,
        capture_output=True,
    )
    return store / "census.mar"


@contextmanager
def running_torchserve(model_path, folder):
    """Serve a model as "census" until the block is left; yields the port."""
    archive(model_path, folder / "store")
    inference, management, metrics, grpc, grpc_management, worker = free_ports(6)
    (folder / "config.properties").write_text(
        f"inference_address=http://127.0.0.1:{inference}\n"
        f"management_address=http://127.0.0.1:{management}\n"
        f"metrics_address=http://127.0.0.1:{metrics}\n"
        f"grpc_inference_port={grpc}\n"
        f"grpc_management_port={grpc_management}\n"
        f"initial_worker_port={worker}\n"
        "default_workers_per_model=1\n"
        "disable_system_metrics=true\n"
        "vmargs=-Xmx512m -XX:+UseSerialGC\n"
    )
    (folder / "tmp").mkdir()
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "TMPDIR": str(folder / "tmp"),  # its pid file and sockets, apart from any other's
        "TEMP": str(folder / "tmp"),
        "LOG_LOCATION": str(folder / "logs"),
        "METRICS_LOCATION": str(folder / "logs"),
    }
    with (folder / "output.txt").open("wb") as output:
        process = subprocess.Popen(
            [
                Path(sys.executable).with_name("torchserve"),
                *("--start", "--foreground", "--ncs", "--disable-token-auth"),
                *("--ts-config", folder / "config.properties"),
                *("--model-store", folder / "store"),
                *("--models", "census=census.mar"),
            ],
            cwd=folder,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        wait_until_ready(process, inference, management, folder / "output.txt")
        yield inference
    finally:
        family = psutil.Process(process.pid).children(recursive=True)
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(10)
        for each in psutil.wait_procs(family, timeout=10)[1]:
            each.kill()


def wait_until_ready(process, inference, management, output, seconds=90):
    """Until the model's worker has loaded it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        try:
            status, answer = get(management, "/models/census")
            if status == 200 and answer[0]["workers"][0]["status"] == "READY":
                return
        except (OSError, IndexError):
            pass
        time.sleep(0.2)
    raise RuntimeError(f"TorchServe did not start:\n{output.read_text(errors='replace')[-3000:]}")


def get(port, path):
    return request(port, "GET", path, None)


def request(port, method, path, payload):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    connection.request(method, path, body, {"Content-Type": "application/json"})
    response = connection.getresponse()
    content = response.read()
    connection.close()
    return response.status, json.loads(content)
