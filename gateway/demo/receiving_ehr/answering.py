"""Give the gateway the answers it is owed: Task by FHIR, RRI and ADT by HL7v2, each tried a bounded number of times."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
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
_TASK_STATUS = {"accept": "accepted", "reject": "rejected", "schedule": "in-progress", "complete": "completed"}
_BUSINESS_STATUS = {
    "accept": ("3.0", "Service Request Accepted"),
    "reject": ("4.0", "Service Request Declined"),
    "schedule": ("5.1.1", "Appointment booked"),
    "complete": ("7.0", "Service Request Completed"),
}
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
    if answer.step in ("admit", "discharge"):
        event = "A01" if answer.step == "admit" else "A03"
        control_id = _control_id(records, answer)
        return _say(gateway, hl7v2.admission(referral, event, f"MRN{referral.id}", control_id, at), control_id)
    if referral.channel == "fhir":
        return _update_task(gateway, referral, answer, at)
    if answer.step in ("accept", "reject"):
        control_id = _control_id(records, answer)
        raw = hl7v2.referral_response(referral, answer.step == "accept", answer.reason, control_id, at)
        return _say(gateway, raw, control_id)
    return "HL7v2 has no word for this step; it is kept here only"


def _control_id(records: Records, answer: Answer) -> str:
    """Return the MSH-10 of an answer: the same for every try, so that the gateway can tell a repetition."""
    return f"{records.instance}B{answer.n:06d}"


def _say(gateway: Gateway, raw: bytes, control_id: str) -> str:
    taken, code = hl7v2.answered_well(mllp.send(gateway.mllp, raw, _TIMEOUT_S), control_id)
    if not taken:
        raise TryAgain(f"acknowledged with {code}")
    return code


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
    code, display = _BUSINESS_STATUS[answer.step]
    changed: dict[str, Any] = {
        **task,
        "identifier": [*_without_filler(task.get("identifier", [])), _filler(referral.id)],
        "status": _TASK_STATUS[answer.step],
        "businessStatus": {"coding": [{"system": _BUSINESS_STATUS_SYSTEM, "code": code, "display": display}]},
        "lastModified": at.isoformat(timespec="milliseconds"),
    }
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
