"""Give the gateway the answers it is owed: Task by FHIR, RRI and ADT by HL7v2, each tried a bounded number of times."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import requests

from gateway.demo.receiving_ehr import hl7v2, mllp
from gateway.demo.receiving_ehr.records import Answer, Records, Referral, Resource

MOST_TRIES = 10
_FIRST_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 5.0
_TIMEOUT_S = 15.0
_IDLE_S = 0.1

_CLOSED = frozenset({"rejected", "cancelled", "failed", "completed", "entered-in-error"})
_TASK_STATUS = {
    "accept": "accepted",
    "reject": "rejected",
    "schedule": "in-progress",
    "start": "in-progress",
    "complete": "completed",
}
_APPOINTMENT_BOOKED = "5.1.1"
_SAME_DAY_NEXT_WEEK = timedelta(days=7)
_BUSINESS_STATUS_SYSTEM = "http://hl7.org/fhir/us/bser/CodeSystem/TaskBusinessStatusCS"
_IDENTIFIER_TYPES = "http://terminology.hl7.org/CodeSystem/v2-0203"
_OWN_IDS = "urn:oid:2.999.7.1"


@dataclass(frozen=True, slots=True)
class Gateway:
    """Where and how the gateway is reached."""

    http: str
    """Base address, without a slash at the end."""
    mllp: tuple[str, int]
    token_file: Path
    """Holds a bearer token; read for every call, since tokens are short-lived and somebody renews the file."""


class TryAgain(Exception):
    """The gateway did not take the answer now; the text says why, without any value of the record."""


class Closed(Exception):
    """The gateway no longer waits for answers to this referral."""


def run(records: Records, gateway: Gateway, now: Callable[[], datetime], stop: threading.Event) -> None:
    """Give owed answers, oldest first, until told to stop."""
    while not stop.is_set():
        if not give_next(records, gateway, now):
            stop.wait(_IDLE_S)


def give_next(records: Records, gateway: Gateway, now: Callable[[], datetime]) -> bool:
    """Try the next answer that is due; False when none is."""
    answer = records.next_answer(now().timestamp())
    if answer is None:
        return False
    referral = records.referral(answer.referral)
    try:
        result = _give(records, gateway, referral, answer, now())
    except Closed as closed:
        records.note_try(answer, "failed", str(closed), now().timestamp())
        records.drop_answers(referral.id, str(closed))
    except (TryAgain, requests.RequestException, OSError, hl7v2.Unreadable) as reason:
        text = str(reason) if isinstance(reason, TryAgain) else type(reason).__name__
        final = answer.tries + 1 >= MOST_TRIES
        pause_s = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2**answer.tries)
        records.note_try(answer, "failed" if final else "waiting", text, now().timestamp() + pause_s)
        if final:
            records.drop_answers(referral.id, "the gateway was not reached")
    else:
        records.note_try(answer, "given", result, now().timestamp())
    return True


def _give(records: Records, gateway: Gateway, referral: Referral, answer: Answer, at: datetime) -> str:
    if referral.channel == "fhir" and answer.step in _TASK_STATUS:
        return _update_task(gateway, referral, answer, at)
    # The same MSH-10 and time for every try, so that the gateway can tell a repetition from a new message.
    control_id = f"{records.instance}B{answer.n:06d}"
    raw = records.message_to_repeat(answer.n) or _message(referral, answer, control_id, at)
    records.keep_message(answer.n, raw)
    taken, code = hl7v2.answered_well(mllp.send(gateway.mllp, raw, _TIMEOUT_S), control_id)
    if not taken:
        raise TryAgain(f"acknowledged with {code}")
    return code


def _message(referral: Referral, answer: Answer, control_id: str, at: datetime) -> bytes:
    if answer.step == "admit":
        return hl7v2.admission(referral, "A01", control_id, at)
    if answer.step == "discharge":
        return hl7v2.admission(referral, "A03", control_id, at)
    if answer.step == "schedule":
        return hl7v2.appointment(referral, at + _SAME_DAY_NEXT_WEEK, control_id, at)
    return hl7v2.referral_response(referral, answer.step == "accept", answer.reason, control_id, at)


def _update_task(gateway: Gateway, referral: Referral, answer: Answer, at: datetime) -> str:
    """GET the Task at the gateway, change what the recipient may change, PUT it back with If-Match."""
    address = f"{gateway.http}/fhir/R4/Task/{referral.task_id}"
    headers = {"Authorization": f"Bearer {gateway.token_file.read_text().strip()}", "Accept": "application/fhir+json"}
    current = requests.get(address, headers=headers, timeout=_TIMEOUT_S)
    if current.status_code != 200:
        raise TryAgain(f"GET Task answered {current.status_code}")
    task = current.json()
    if task.get("status") in _CLOSED:
        raise Closed(f"the referral is {task['status']} at the gateway")
    changed = answered_task(task, referral, answer, at)
    headers |= {"If-Match": current.headers.get("ETag", ""), "Content-Type": "application/fhir+json"}
    put = requests.put(address, json=changed, headers=headers, timeout=_TIMEOUT_S)
    if put.status_code not in (200, 201, 204):
        raise TryAgain(f"PUT Task answered {put.status_code}")
    return f"{put.status_code} {changed['status']}"


def answered_task(task: Resource, referral: Referral, answer: Answer, at: datetime) -> Resource:
    """Return the Task with this answer in it (FHIR R4 Task.status, statusReason, businessStatus, output)."""
    changed: dict[str, Any] = {
        **task,
        "identifier": [*_without_filler(task.get("identifier", [])), _filler(referral.id)],
        "status": _TASK_STATUS[answer.step],
        "lastModified": at.isoformat(timespec="milliseconds"),
    }
    if answer.step == "schedule":
        coding = {"system": _BUSINESS_STATUS_SYSTEM, "code": _APPOINTMENT_BOOKED, "display": "Appointment booked"}
        changed["businessStatus"] = {"coding": [coding]}
    if answer.reason:
        changed["statusReason"] = {"text": answer.reason}
    if answer.step == "complete":
        what = {"text": "Outcome"}
        changed["output"] = [*task.get("output", []), {"type": what, "valueString": "The person has been seen."}]
    return changed


def _filler(referral_id: str) -> dict[str, Any]:
    kind = {"coding": [{"system": _IDENTIFIER_TYPES, "code": "FILL"}]}
    return {"type": kind, "system": _OWN_IDS, "value": referral_id}


def _without_filler(identifiers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [entry for entry in identifiers if entry.get("system") != _OWN_IDS]
