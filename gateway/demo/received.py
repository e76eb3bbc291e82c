"""What the stand-in EHR says it holds, asked through its own public page."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import requests

from gateway.demo.samples.people import Invented

_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class Arrived:
    """One referral as the EHR understood it."""

    channel: str
    family: str
    given: str
    service: str
    placer: str
    times: int
    """How often it came: changes count."""
    answers: tuple[tuple[str, str], ...]
    """(step, state) of each answer in order; state is waiting, given or failed."""

    def is_about(self, person: Invented) -> bool:
        """Tell whether it names this person."""
        return (self.family, self.given) == (person.family, person.given)

    @property
    def is_answered(self) -> bool:
        """Tell whether every answer was taken by the gateway."""
        return all(state == "given" for _, state in self.answers)

    @property
    def status(self) -> str:
        """Return the Task.status that its answers so far amount to."""
        given = [step for step, state in self.answers if state == "given"]
        return _STATUS_AFTER[given[-1]] if given else "requested"


_STATUS_AFTER = {
    "accept": "accepted",
    "reject": "rejected",
    "schedule": "in-progress",
    "start": "in-progress",
    "admit": "in-progress",
    "discharge": "completed",
    "complete": "completed",
}


class StandIn:
    """The stand-in EHR's pages."""

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

    def arrivals(self) -> list[tuple[str, bytes]]:
        """Return (channel, bytes) of everything that arrived, in order."""
        listed = self._get("/received").json()["arrivals"]
        return [(one["channel"], self._get(f"/received/{one['n']}").content) for one in listed]

    def resources_of(self, kind: str, person: Invented) -> list[dict[str, Any]]:
        """Return the resources of a type whose subject is this person."""
        people = {
            f"Patient/{patient['id']}"
            for patient in self._resources("Patient")
            if any(name.get("family") == person.family for name in patient.get("name", []))
        }
        return [found for found in self._resources(kind) if found.get("subject", {}).get("reference") in people]

    def outcomes(self) -> Counter[tuple[str, str]]:
        """Count what arrived by channel and the answer it got: 200, 422, AA, AE ..."""
        listed = self._get("/received").json()["arrivals"]
        return Counter((one["channel"], one["outcome"]) for one in listed)

    def _resources(self, kind: str) -> list[dict[str, Any]]:
        return [entry["resource"] for entry in self._get(f"/fhir/{kind}").json()["entry"]]

    def _get(self, path: str) -> requests.Response:
        answer = requests.get(self._http + path, timeout=_TIMEOUT_S)
        answer.raise_for_status()
        return answer
