"""What reached the receivers: told by the stand-in EHR's page, or read off the line to a real receiver."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import requests

from gateway.demo.line import Exchange
from gateway.demo.receiving_ehr import hl7v2
from gateway.demo.receiving_ehr.front_desk import known_service, placer_identifier
from gateway.demo.samples.people import Invented

_TIMEOUT_S = 30.0
_TAKEN = frozenset({"200", "201", "AA", "CA"})

_STATUS_AFTER = {
    "accept": "accepted",
    "reject": "rejected",
    "schedule": "in-progress",
    "start": "in-progress",
    "admit": "in-progress",
    "discharge": "completed",
    "complete": "completed",
}


@dataclass(frozen=True, slots=True)
class Arrived:
    """One referral as a receiver has it."""

    channel: str
    family: str
    given: str
    service: str
    placer: str
    times: int = 1
    """How often it came: changes count."""
    answers: tuple[tuple[str, str], ...] = ()
    """(step, state) of each answer in order; state is waiting, given or failed. A real receiver owes none."""

    def concerns(self, person: Invented, service: str) -> bool:
        """Tell whether it is this person's referral to this service."""
        return (self.family, self.given, self.service) == (person.family, person.given, service)

    @property
    def waits_for_answers(self) -> bool:
        """Tell whether the receiver still owes an answer."""
        return any(state == "waiting" for _, state in self.answers)

    @property
    def is_answered(self) -> bool:
        """Tell whether the receiver answered, and every answer was taken by the gateway."""
        return bool(self.answers) and all(state == "given" for _, state in self.answers)

    @property
    def status(self) -> str:
        """Return the Task.status that its answers so far amount to."""
        given = [step for step, state in self.answers if state == "given"]
        return _STATUS_AFTER[given[-1]] if given else "requested"


class StandIn:
    """The stand-in EHR's public page."""

    def __init__(self, http: str) -> None:
        self._http = http

    def referrals(self) -> list[Arrived]:
        """List every referral that has arrived."""
        return [
            Arrived(
                channel=one["channel"],
                family=one["subject"]["family"],
                given=one["subject"]["given"],
                service=one["service"],
                placer=one["placer"],
                times=one["arrivals"],
                answers=tuple((answer["step"], answer["state"]) for answer in one["answers"]),
            )
            for one in self._get("/received").json()["referrals"]
        ]

    def exchanges(self) -> list[Exchange]:
        """Return everything that arrived, byte for byte, in order, with what it was answered."""
        listed = self._get("/received").json()["arrivals"]
        return [Exchange(one["channel"], self._get(f"/received/{one['n']}").content, one["outcome"]) for one in listed]

    def _get(self, path: str) -> requests.Response:
        answer = requests.get(self._http + path, timeout=_TIMEOUT_S)
        answer.raise_for_status()
        return answer


def referrals_on_line(exchanges: Iterable[Exchange]) -> list[Arrived]:
    """Read off a line which referrals its receiver has taken."""
    found: dict[str, Arrived] = {}
    for exchange in exchanges:
        if exchange.outcome not in _TAKEN:
            continue
        for one in _in_bundle(exchange.sent) if exchange.channel == "fhir" else _in_message(exchange.sent):
            times = found[one.placer].times + 1 if one.placer in found else 1
            found[one.placer] = replace(one, times=times)
    return list(found.values())


def has_goals(exchanges: Iterable[Exchange], person: Invented) -> bool:
    """Tell whether the goals of a person, which a program wrote, are in anything sent by FHIR."""
    return any(one["resourceType"] == "Goal" for one in _sent_of(exchanges, person))


def has_findings(exchanges: Iterable[Exchange], person: Invented) -> bool:
    """Tell whether what a clinician found of a person is in anything sent by FHIR."""
    observed = (one for one in _sent_of(exchanges, person) if one["resourceType"] == "Observation")
    return any(coding["code"] == "exam" for one in observed for part in one["category"] for coding in part["coding"])


def _sent_of(exchanges: Iterable[Exchange], person: Invented) -> Iterator[dict[str, Any]]:
    """Yield every resource that was sent by FHIR together with this person."""
    for exchange in exchanges:
        resources = _resources(exchange.sent) if exchange.channel == "fhir" else []
        if any(_name(one) == (person.family, person.given) for one in resources):
            yield from resources


def _in_bundle(sent: bytes) -> list[Arrived]:
    resources = _resources(sent)
    request = next((one for one in resources if one["resourceType"] == "ServiceRequest"), None)
    person = next((one for one in resources if one["resourceType"] == "Patient"), {})
    if request is None:
        return []
    family, given = _name(person)
    service = known_service(coding.get("code", "") for coding in request["code"].get("coding", []))
    return [Arrived("fhir", family, given, service, placer_identifier(request))]


def _in_message(sent: bytes) -> list[Arrived]:
    read = hl7v2.referral_from_message(hl7v2.read(sent), "", date.min)
    return [Arrived("hl7v2", read.subject.family, read.subject.given, read.service, read.placer)]


def _resources(sent: bytes) -> list[dict[str, Any]]:
    return [entry["resource"] for entry in json.loads(sent)["entry"]]


def _name(resource: dict[str, Any]) -> tuple[str, str]:
    if resource.get("resourceType") != "Patient" or not resource.get("name"):
        return "", ""
    name = resource["name"][0]
    return name.get("family", ""), " ".join(name.get("given", []))
