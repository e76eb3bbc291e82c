"""An application served on a free port of this machine, for a real browser or client."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server


class Quiet(WSGIRequestHandler):
    """Serve without an access log."""

    def log(self, type: str, message: str, *args: object) -> None:
        pass


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """Serve an application on a free port of this machine; give its address."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    thread = Thread(target=server.serve_forever, args=(0.02,))  # how soon it sees that it is to end
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
