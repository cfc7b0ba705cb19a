"""Run a WSGI application under waitress until it is told to stop, and then end in good order.

Waitress's own way to stop drops the requests that wait in its queue. Here every request that
was accepted gets its answer first.
"""

import argparse
import json
import select
import signal
import sys
import time

from waitress import create_server, wasyncore
from waitress.channel import HTTPChannel
from waitress.task import ErrorTask

DRAIN_SECONDS = 8  # `docker stop` kills after 10


def serve(application, *, host="127.0.0.1", port=8000, max_bytes=1_000_000, threads=4):
    """Serve until SIGTERM or Ctrl-C, then finish what was accepted and return.

    Parameters
    ----------
    application : callable
        A WSGI application, of Flask, Django or others.
    host : str
        `"127.0.0.1"` is reached from this machine alone, `"0.0.0.0"` from everywhere.
    port : int
        0 takes a free one; the first line that is printed says which.
    max_bytes : int
        Waitress refuses a body of more than twice as many bytes before the application sees it.
    threads : int
        How many requests are worked on at the same time; others wait in a queue.

    Raises
    ------
    OSError
        If the port is taken or the host is not one of this machine's.
    """
    server = create_server(
        application,
        host=host,
        port=port,
        threads=threads,
        max_request_body_size=2 * max_bytes,
        ident=None,  # tell nobody which server and version this is
    )
    server.channel_class = _JsonChannel
    stopping = []

    def stop(number, frame):
        for each in handlers:  # a second signal ends at once
            signal.signal(each, signal.SIG_DFL)
        stopping.append(number)
        server.pull_trigger()

    names = ("SIGTERM", "SIGINT", "SIGBREAK")  # the last is Ctrl-Break, on Windows only
    handlers = {
        number: signal.signal(number, stop)
        for number in (getattr(signal, name, None) for name in names)
        if number
    }
    print(f"Serving on http://{host}:{server.effective_port}/ (Ctrl-C stops it)", flush=True)
    try:
        while not stopping:
            wasyncore.loop(timeout=1, map=server._map, count=1)
        _drain(server)
    finally:
        server.task_dispatcher.shutdown()
        wasyncore.close_all(server._map)
        for number, handler in handlers.items():
            signal.signal(number, handler)
    print("Stopped.", flush=True)


def _drain(server):
    """Answer every request that came in, take no new connection, and close those that are idle."""
    start, quiet_rounds = time.monotonic(), 0
    while quiet_rounds < 3 and time.monotonic() < start + DRAIN_SECONDS:
        wasyncore.loop(timeout=0.05, map=server._map, count=1)
        if server.accepting:  # clients that are connected already, but not yet taken in
            waiting = select.select([server.socket], [], [], 0)[0]
            if not waiting or time.monotonic() > start + 1:
                wasyncore.dispatcher.close(server)
                server.accepting = False
        busy = [
            channel
            for channel in list(server.active_channels.values())
            if channel.requests or channel.request or channel.total_outbufs_len
        ]
        for channel in busy:  # tell the client that no further request will be taken
            with channel.requests_lock:
                if channel.requests:
                    channel.requests[-1].headers["CONNECTION"] = "close"
        quiet_rounds = 0 if busy or server.accepting else quiet_rounds + 1


class _JsonErrorTask(ErrorTask):
    """Waitress's answer to what is not even HTTP, in the same form as the service's own errors."""

    def execute(self):
        fault = self.request.error
        got = "a fault in the service" if fault.code == 500 else str(fault.body)
        error = {"expected": "a valid HTTP request", "got": got, "fix": f"see {fault.reason}."}
        body = json.dumps({"error": error}).encode()
        self.status = f"{fault.code} {fault.reason}"
        self.response_headers.append(("Content-Type", "application/json"))
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class _JsonChannel(HTTPChannel):
    error_task_class = _JsonErrorTask


def run_command(make_application, program, arguments=None):
    """The command line of a service: load the model, make the application, serve it.

    Parameters
    ----------
    make_application : callable
        Takes what `helpers.export.load_table_model` returns, returns a WSGI application.
    program : str
        What the help calls the command.
    arguments : list of str or None
        None takes those of the command line.
    """
    parser = argparse.ArgumentParser(prog=program, description="Serve a model of lesson 9.")
    parser.add_argument("path", help="the file of the model, as helpers.export saves it")
    parser.add_argument("--host", default="127.0.0.1", help="default: 127.0.0.1")
    parser.add_argument("--port", type=int, default=8000, help="default: 8000; 0: a free one")
    options = parser.parse_args(arguments)
    if not 0 <= options.port <= 65535:  # the operating system would take the remainder by 65536
        parser.error(f"expected a port from 0 to 65535, got {options.port}")

    import torch

    from helpers.export import load_table_model

    torch.set_num_threads(1)  # waitress's threads share the cores already
    try:
        table_model = load_table_model(options.path)
    except (OSError, ValueError) as error:
        parser.error(f"cannot load {options.path}: {error}")
    try:
        serve(make_application(table_model), host=options.host, port=options.port)
    except OSError as error:
        sys.exit(f"cannot listen on {options.host}, port {options.port}: {error}. Try --port 0.")
