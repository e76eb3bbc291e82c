"""One case being changed: what it holds, and near what its values are drawn."""

import copy
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random

from tests.oracle.reading import OWN, Json, everywhere
from tests.support.part2_world import EXTENSION

ICD = "http://hl7.org/fhir/sid/icd-10-cm"
LOCAL = "2026-11-02T18:00:00"
"""An instant of no zone."""
_DAYS = ("2026-11-01", "2026-11-02", "2026-11-03", "2026-10", "2026-11", "2026", "2025", "2027")
_SECONDS = ("2026-11-02T17:59:59Z", "2026-11-02T18:00:00Z", "2026-11-02T18:00:01Z", "2026-11-02T10:00:00-08:00")
_INSTANTS = (*_DAYS, *_SECONDS, "2026-11-02T18:00:00.250Z")


class Scene:
    """One case being changed, with the parties it may speak of."""

    def __init__(self, case: Json, parties: list[tuple[str, Json]], spare: list[Json], pick: Random) -> None:
        self.case, self.parties, self.spare, self.pick = case, parties, spare, pick
        self.request: Json = case["request"]
        self.facts: list[Json] = case["facts"]

    def resources(self, bundle: str, kind: str | None = None) -> list[Json]:
        """Return the resources of one of the bundles."""
        held = [one["resource"] for one in self.case[bundle].get("entry", [])]
        return [one for one in held if kind is None or one["resourceType"] == kind]

    def add(self, bundle: str, resource: Json) -> None:
        """Put one more resource into a bundle."""
        url = f"{OWN}{resource['resourceType']}/{resource['id']}"
        self.case[bundle].setdefault("entry", []).append({"fullUrl": url, "resource": resource})

    def consent(self) -> Json | None:
        """Return one of the consents."""
        held = self.resources("consents", "Consent")
        return self.pick.choice(held) if held else None

    def item(self) -> Json:
        """Return one of the items."""
        items = [one for one in self.resources("records") if one["resourceType"] != "Provenance"]
        return self.pick.choice(items or [{"resourceType": "Basic", "id": "nothing"}])

    def party(self) -> tuple[str, Json]:
        """Return a partner: often one of those the case speaks of already."""
        spoken = str(self.case)
        known = [one for one in self.parties if str(one[1]["identifier"]) in spoken or repr(one[0]) in spoken]
        return self.pick.choice(known if known and self.pick.random() < 0.6 else self.parties)

    def recipient_reference(self) -> Json:
        """Return the logical reference of the recipient, or of anybody."""
        named = [one for name, one in self.parties if name == self.request["recipient"]]
        return copy.deepcopy(named[0] if named and self.pick.random() < 0.7 else self.party()[1])

    @property
    def patient(self) -> Json:
        """The first person of the index."""
        found = next((one for one in self.facts if one.get("resourceType") == "Patient"), None)
        return found or {"resourceType": "Patient", "id": "nobody"}

    def instant(self) -> str:
        """Return a date or dateTime near the decision, or one that the case holds, a little shifted."""
        held = [one for _, one in everywhere(self.case["consents"]) if isinstance(one, str) and one[:3] == "202"]
        text = self.pick.choice([*_INSTANTS, *held])
        if "T" not in text or self.pick.random() < 0.5:
            return text
        moment = datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)
        moment += timedelta(seconds=self.pick.choice([-86400, -3600, -1, 1, 3600, 86400]))
        return moment.isoformat().replace("+00:00", "Z")


def origin_of(s: Scene) -> str:
    """Return who wrote the first item, as a partner id."""
    for one in s.resources("records", "Provenance"):
        for name, reference in s.parties:
            if str(reference["identifier"]) in str(one["agent"]):
                return name
    return s.parties[0][0]


Change = Callable[[Scene], None]


def ours(name: str, **value: object) -> Json:
    """Return an extension of ours with a short name."""
    return {"url": EXTENSION + name, **value}
