"""Start the stand-in EHR: HTTP, MLLP and the answering thread; one ready line; SIGTERM ends it."""

import argparse
import logging
import signal
import threading
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from werkzeug.serving import make_server

from gateway.demo.receiving_ehr import answering
from gateway.demo.receiving_ehr.app import make_app
from gateway.demo.receiving_ehr.front_desk import Names
from gateway.demo.receiving_ehr.mllp import Intake, Listener
from gateway.demo.receiving_ehr.records import Records

_ENDING = {signal.SIGTERM, signal.SIGINT}


def main(arguments: list[str] | None = None) -> None:
    """Run until SIGTERM or Ctrl-C."""
    options = _read_arguments(arguments)
    # werkzeug writes one line a request; the ready line is all that belongs on the terminal.
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    options.data.mkdir(parents=True, exist_ok=True)
    records = Records(options.data / "ehr.sqlite")
    names = Names(options.application, options.facility, options.gateway_application, options.gateway_facility)
    app = make_app(records, now=_now, new_id=_new_ids(), names=names, pace_s=options.pace)
    http = make_server(options.http[0], options.http[1], app, threaded=True)
    mllp = Listener(options.mllp, Intake(records, _now, names, options.pace))
    gateway = answering.Gateway(options.gateway.rstrip("/"), options.gateway_mllp, options.token_file)
    stop = threading.Event()
    # Blocked in every thread, waited for in this one: no handler can run in the middle of something.
    signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
    threads = [
        threading.Thread(target=http.serve_forever, name="http"),
        threading.Thread(target=mllp.serve_forever, name="mllp"),
        threading.Thread(target=answering.run, args=(records, gateway, _now, stop), name="answering"),
    ]
    for thread in threads:
        thread.start()
    print(f"ready http=http://{http.host}:{http.port} mllp={options.mllp[0]}:{mllp.server_address[1]}", flush=True)
    signal.sigwait(_ENDING)
    stop.set()
    http.shutdown()
    mllp.shutdown()
    for thread in threads:
        thread.join()
    http.server_close()
    mllp.server_close()
    records.close()


def _read_arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m gateway.demo.receiving_ehr", description="A stand-in receiving EHR for demonstrations."
    )
    parser.add_argument("--http", type=_address, default=("127.0.0.1", 0), metavar="HOST:PORT", help="FHIR endpoint")
    parser.add_argument("--mllp", type=_address, default=("127.0.0.1", 0), metavar="HOST:PORT", help="MLLP listener")
    parser.add_argument("--gateway", required=True, metavar="URL", help="where Tasks are answered")
    parser.add_argument("--gateway-mllp", required=True, type=_address, metavar="HOST:PORT", help="for RRI and ADT")
    parser.add_argument("--token-file", required=True, type=Path, metavar="FILE", help="bearer token for the gateway")
    parser.add_argument("--data", required=True, type=Path, metavar="DIR", help="where everything is kept")
    parser.add_argument("--pace", type=float, default=0.4, metavar="SECONDS", help="time between answers to a referral")
    parser.add_argument("--application", default="DEMO_EHR", help="MSH-3 of our own messages (default: %(default)s)")
    parser.add_argument("--facility", default="DEMO_HOSPITAL", help="MSH-4 of our own messages (default: %(default)s)")
    parser.add_argument("--gateway-application", default="WARMHANDOFF", help="MSH-5 (default: %(default)s)")
    parser.add_argument("--gateway-facility", default="GATEWAY", help="MSH-6 (default: %(default)s)")
    return parser.parse_args(arguments)


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit():
        raise argparse.ArgumentTypeError("expected HOST:PORT")
    return host, int(port)


def _now() -> datetime:
    # A program of its own has a clock of its own; the gateway's lies in a room it may not import.
    return datetime.fromtimestamp(time.time(), tz=UTC)


def _new_ids() -> Iterator[str]:
    while True:
        yield str(uuid.uuid1())


if __name__ == "__main__":
    main()
