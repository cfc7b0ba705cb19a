"""Run a WSGI application under uvicorn until it is told to stop, and then end in good order."""

import argparse
import asyncio
import contextlib
import http.client
import io
import os
import signal
import socket
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from tempfile import TemporaryDirectory

import uvicorn
from uvicorn.supervisors import Multiprocess

from helpers.table_model import load_table_model

DRAIN_SECONDS = 8  # `docker stop` kills after 10


def _to_asgi(application, *, max_bytes=2_000_000, threads=4):
    """A WSGI application as the ASGI one that uvicorn takes.

    It gets a thread when its request is there as a whole, so that clients that send slowly take
    none; a2wsgi, the usual bridge, gives each a thread at once. Of a body no more than `max_bytes`
    is read: the application refuses it by its length.
    """
    pool = ThreadPoolExecutor(threads)

    async def respond(scope, receive, send):
        length = int(dict(scope["headers"]).get(b"content-length", 0))
        body, more = bytearray(), length <= max_bytes
        while more and len(body) <= max_bytes:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            more = message.get("more_body", False)
        loop = asyncio.get_running_loop()
        environ = _environ(scope, bytes(body), max(length, len(body)))
        status, headers, content = await loop.run_in_executor(pool, run, environ)
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    def run(environ):
        started = []
        parts = application(environ, lambda *head: started.append(head))
        try:
            content = b"".join(parts)
        finally:
            getattr(parts, "close", list)()
        status, headers = started[-1][:2]
        encoded = [(n.lower().encode("latin-1"), v.encode("latin-1")) for n, v in headers]
        return int(status[:3]), encoded, content

    return respond


def _environ(scope, body, length):
    environ = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": scope["path"].encode().decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": scope["server"][0],
        "SERVER_PORT": str(scope["server"][1]),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": (scope["client"] or [""])[0],
        "CONTENT_LENGTH": str(length),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in scope["headers"]:
        name, value = name.decode("latin-1").upper().replace("-", "_"), value.decode("latin-1")
        if name == "CONTENT_TYPE":
            environ[name] = value
        elif name not in ("CONTENT_LENGTH", "TRANSFER_ENCODING"):  # the body is whole
            key = f"HTTP_{name}"
            environ[key] = f"{environ[key]},{value}" if key in environ else value
    return environ


def serve(make_application, *, host="127.0.0.1", port=8000, workers=1):
    """Serve until SIGTERM or Ctrl-C, then finish what was accepted and return.

    `make_application` takes nothing and returns a WSGI application; each of the `workers`, which
    are processes, calls it. Port 0 takes a free one, which the line that is printed says. Raises
    OSError if the port is taken or the host is not one of this machine's.
    """
    config = uvicorn.Config(
        partial(_make_asgi, make_application),
        factory=True,
        lifespan="off",
        workers=workers,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # IPPROTO_TCP, so that asyncio sends small answers at once
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        if os.name == "posix":  # on Windows this would take a port from another process
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(1024)
        port = listener.getsockname()[1]
        threading.Thread(target=_announce, args=(host, port), daemon=True).start()
        _run(config, listener)
    print("Stopped.", flush=True)


def _announce(host, port):
    """Print the address when the first worker answers there."""
    own = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    with contextlib.suppress(OSError, http.client.HTTPException):  # stopped before that
        connection = http.client.HTTPConnection(own, port)
        connection.request("GET", "/live")
        connection.getresponse().read()
        connection.close()
        name = f"[{host}]" if ":" in host else host
        print(f"Serving on http://{name}:{port}/ (Ctrl-C stops it)", flush=True)


def _make_asgi(make_application):
    return _to_asgi(make_application())


def _run(config, listener):
    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):  # the last is Ctrl-Break, on Windows only
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.default_int_handler)
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        try:
            if config.workers == 1:
                uvicorn.Server(config).run(sockets=[listener])
            else:
                os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
                Multiprocess(config, [listener]).run()
        except KeyboardInterrupt:  # uvicorn has stopped in good order, and passes the signal on
            pass


def run_command(create_application, program, arguments=None):
    """The command line of a service: load the model, make the application, serve it.

    `create_application` makes a WSGI application of what `load_table_model` returns, `program` is
    what the help calls the command, `arguments` a list of str, or None for the command line's.
    """
    parser = argparse.ArgumentParser(prog=program, description="Serve a model of lesson 9.")
    parser.add_argument("path", help="the file of the model, as save_table_model writes it")
    parser.add_argument("--host", default="127.0.0.1", help="default: 127.0.0.1")
    parser.add_argument("--port", type=int, default=8000, help="default: 8000; 0: a free one")
    parser.add_argument("--workers", type=int, default=1, help="processes, default: 1")
    options = parser.parse_args(arguments)
    if not 0 <= options.port <= 65535:  # the operating system would take the remainder by 65536
        parser.error(f"expected a port from 0 to 65535, got {options.port}")
    if options.workers < 1:
        parser.error(f"expected at least 1 worker, got {options.workers}")
    try:
        load_table_model(options.path)
    except (OSError, ValueError) as error:
        parser.error(f"cannot load {options.path}: {error}")
    make_application = partial(_load, create_application, options.path)
    host, port, workers = options.host, options.port, options.workers
    try:
        serve(make_application, host=host, port=port, workers=workers)
    except OSError as error:
        sys.exit(f"cannot listen on {host}, port {port}: {error}. Try --port 0.")


def _load(create_application, path):
    return create_application(load_table_model(path))
