"""Changes of the request and the records: who asks, for what, by which right; what is asked, and whose it is."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from tests.oracle.reading import ACT_CODE, OWN, SECURITY_LABEL, Json, everywhere, span
from tests.oracle.scene import ICD, Scene, origin_of
from tests.support.part2_world import ACT_REASON, EMERGENCY, RECEIVED_UNDER

_TREATING = ("TREAT", "TREAT", "TREAT", "ETREAT", "COC")
_OTHER = ("HPAYMT", "HOPERAT", "CAREMGT", "PATRQT", "FAMRQT", "HLEGAL", "LEGAL", "HRESCH", "THREAT")
_OWN = tuple(OWN + "CodeSystem/purpose|" + one for one in ("monitoring", "tenancy", "duty"))
_PURPOSES = (*_TREATING, *_OTHER, *_OWN, "urn:x|TREAT")
_ROLES = ("clinician", "physician", "nurse", "paramedic", "officer", "detective", "billing", "case_worker", "worker")


def to_another(s: Scene) -> None:
    """Another recipient, who asks."""
    name = s.party()[0]
    s.request["recipient"] = name
    s.request["requester"] = {**s.request["requester"], "organization": name, "authenticated_as": name}


def sent_to_another(s: Scene) -> None:
    """Another recipient; who asks stays."""
    s.request["recipient"] = s.party()[0]


def by_another(s: Scene) -> None:
    """Proven to be somebody else; or somebody else asks, in the agency's name or alone."""
    who = s.party()[0]
    kind = s.pick.choice(["unproven", "agency", "agency", "worker", "alone"])
    if kind == "unproven":
        s.request["requester"]["authenticated_as"] = s.pick.choice([None, who])
        return
    if kind == "alone":
        who = s.pick.choice([f"Patient/{s.patient['id']}", "Practitioner/p7", "RelatedPerson/somebody"])
    s.request["requester"] = {
        "organization": None if kind == "alone" else who,
        "authenticated_as": who,
        "person": {"id": who if kind == "alone" else "p7", "role": "worker" if kind == "worker" else "staff"},
    }


def with_copies(s: Scene) -> None:
    """One or two more who get the same."""
    s.request["copies"] = [s.party()[0] for _ in range(s.pick.choice([1, 1, 2]))]


def for_another_purpose(s: Scene) -> None:
    """Another purpose, one more, or none."""
    code = s.pick.choice(_PURPOSES)
    s.request["purpose"] = s.pick.choice([[code], [code], [code], [*s.request["purpose"], code], []])


def by_another_role(s: Scene) -> None:
    """Somebody with another role asks."""
    s.request["requester"]["person"] = {"id": "somebody", "role": s.pick.choice(_ROLES)}


def through_hands(s: Scene) -> None:
    """By way of somebody."""
    s.request["via"] = [one for one in [s.party()[0]] if one != s.request["recipient"]]


def by_hl7v2(s: Scene) -> None:
    """By HL7v2."""
    s.request["transport"] = "hl7v2"


def of_some_items(s: Scene) -> None:
    """Not everything is asked, or nothing."""
    item = s.item()
    s.request["items"] = s.pick.choice([[f"{item['resourceType']}/{item['id']}"]] * 4 + [[]])


def of_another_patient(s: Scene) -> None:
    """Another patient, or the same one by another name."""
    named = [f"{one['system']}|{one['value']}" for one in s.patient.get("identifier", [])]
    s.request["patient"] = s.pick.choice([*named, "Patient/nobody-knows", "urn:oid:2.999.8|X"])


def at_another_time(s: Scene) -> None:
    """Decided a little earlier or later."""
    moment = datetime.fromisoformat(s.case["at"].replace("Z", "+00:00")).astimezone(UTC)
    moment += timedelta(seconds=s.pick.choice([-86400, -28800, -1, 1, 1, 28800, 43200, 86400, 6000000]))
    s.case["at"] = moment.isoformat().replace("+00:00", "Z")


def at_a_boundary(s: Scene) -> None:
    """Decided when something that a consent or a fact dates begins or ends, or a second from it, somewhere."""
    dated = [one for part in ("consents", "facts") for _, one in everywhere(s.case[part]) if isinstance(one, str)]
    dated = [one for one in dated if re.fullmatch(r"202\d(-\d\d)?(-\d\d)?(T\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d))?", one)]
    if dated:
        zone = ZoneInfo(s.pick.choice([*["America/Los_Angeles"] * 4, "America/New_York", "UTC"]))
        moment = s.pick.choice(span(s.pick.choice(dated), zone)) + timedelta(seconds=s.pick.choice([-1, 0, 0, 1]))
        s.case["at"] = moment.isoformat().replace("+00:00", "Z")


def _agreement(s: Scene, kind: str) -> str:
    """Let the recipient have an agreement, perhaps with another, perhaps of another time."""
    author, holder = origin_of(s), s.request["recipient"]
    dates = s.pick.choice(
        [("2026-01-01", "2026-12-31")] * 3 + [("2026-01-01", "2026-11-01"), ("2026-11-02", "2026-11-02")]
    )
    one = {
        "id": "a9",
        "type": kind,
        "with": s.pick.choice([author] * 3 + [s.party()[0]]),
        "from": dates[0],
        "to": dates[1],
    }
    if kind == "audit" and s.pick.random() < 0.4:
        one["undertakings"] = s.pick.choice([_UNDERTAKEN, [*_UNDERTAKEN, "more"], _UNDERTAKEN[1:], []])
    if kind == "research" and s.pick.random() < 0.4:
        one["protocol"] = "p-1"
    s.case["organizations"] = [
        *(s.case.get("organizations") or []),
        *([{"id": holder, "agreements": [one]}] if holder.startswith("org:") else []),
    ]
    return s.pick.choice(["a9", "a9", "a9", "a8"])


def _emergency(s: Scene) -> Json:
    at = datetime.fromisoformat(s.case["at"].replace("Z", "+00:00"))
    ago = s.pick.choice([0, 0, 0, 1, 3600, 3601, 86400, 86401, -1])
    return {**EMERGENCY, "time": (at - timedelta(seconds=ago)).isoformat().replace("+00:00", "Z")}


def _order(s: Scene) -> Json:
    s.request["purpose"] = s.pick.choice([["LEGAL"], ["HLEGAL"]])
    order: Json = {
        "id": "o1",
        "court": "Superior Court",
        "kind": s.pick.choice(["2.64", "2.64", "2.65", "2.66", "2.67"]),
        "issued": "2026-10-01",
        "expires": "2026-12-01",
    }
    order |= {"status": "in_force", "verified_by": "legal", "holder": origin_of(s)}
    found = [one for one in _FINDINGS if s.pick.random() < 0.9]
    order["findings"] = s.pick.choice([list(_FINDINGS[:2]), list(_FINDINGS), found])
    order["confidential_communications"] = s.pick.random() < 0.5
    order |= {"recipients": [s.request["recipient"]], "scope": [{"resource_type": s.item()["resourceType"]}]}
    process = {"kind": "subpoena", "issued": "2026-10-20", "verified_by": "legal"}
    return {"type": "court_order", "order": order, "process": process}


def _protocol(s: Scene) -> Json:
    return s.pick.choice([{}, {}, {"protocol": "p-1"}, {"protocol": "p-2"}])


def _crime(s: Scene) -> Json:
    what = {"incident": "a window was broken", "occurred": s.case["at"], "last_whereabouts": "unknown"}
    return {"type": "crime_on_premises", "on_premises": True, "against_personnel": s.pick.random() < 0.5, **what}


def _report(s: Scene) -> Json:
    named = s.item()
    content = [f"{named['resourceType']}/{named['id']}"]
    return {"type": "child_abuse_report", "report": "initial", "state_law": "RCW 26.44.030", "content": content}


_FINDINGS = (
    *("no-other-way", "interest-outweighs", "extremely-serious-crime", "substantial-value", "holder-had-counsel"),
    *("threat-or-serious-crime", "patient-opened-it"),
)
_UNDERTAKEN = ["security", "return_or_destroy", "no_redisclosure", "no_use_against_patients"]

_BASES: tuple[Callable[[Scene], Json], ...] = (
    *(_emergency, _emergency, _emergency, _order, _crime, _report),
    lambda s: {"type": "research", "approval": _agreement(s, "research"), **_protocol(s)},
    lambda s: {"type": "audit", "agreement": _agreement(s, "audit")},
    lambda s: {"type": "qso", "agreement": _agreement(s, "qsoa")},
    lambda s: {"type": "deidentified", "method": s.pick.choice(["164.514(b)(2)", "164.514(b)", "by hand", None])},
    lambda s: {"type": "hipaa_locate", "subject": "missing person"},
    lambda s: {"type": "lawful_custody", "facility": "County Jail"},
)


def with_basis(s: Scene) -> None:
    """A basis invoked, mostly with its evidence."""
    s.request["basis"] = s.pick.choice(_BASES)(s)


def with_less_evidence(s: Scene) -> None:
    """One fact of the basis missing, empty or other."""
    basis = s.request.get("basis")
    if not basis:
        return
    held = [basis, *(one for one in basis.values() if isinstance(one, dict))]
    target = s.pick.choice(held)
    keys = [one for one in target if one != "type"]
    if not keys:
        return
    key = s.pick.choice(keys)
    other: Json = {"holder": s.party()[0], "status": "vacated", "expires": "2026-11-01", "recipients": [s.party()[0]]}
    other |= {"consent_obtainable": True, "scope": [{"resource_type": "Coverage"}], "findings": [], "content": []}
    if key in other and s.pick.random() < 0.7:
        target[key] = other[key]
    elif key in ("recipient_name", "recipient_affiliation", "disclosed_by", "nature", "consent_obtainable"):
        target[key] = s.pick.choice(["", None, " "]) if key != "consent_obtainable" else None
    elif key in ("order", "process", "verified_by"):
        target[key] = None


_OF_NOBODY: tuple[Json, ...] = (
    {"gender": "female"}, {"birthDate": "1980"}, {"address": [{"state": "WA", "postalCode": "985"}]},
    {"valueQuantity": {"value": 30, "code": "a"}}, {"onsetDateTime": "2026"}, {"recordedDate": "2025"},
)  # fmt: skip
_OF_SOMEBODY: tuple[Json, ...] = (
    {"birthDate": "1980-01"}, {"birthDate": "1936"}, {"birthDate": "1930"}, {"name": [{"family": "Testperson"}]},
    {"identifier": [{"value": "1"}]}, {"address": [{"postalCode": "98501"}]}, {"address": [{"postalCode": "036"}]},
    {"address": [{"city": "Nowhere"}]}, {"telecom": [{"value": "555-0100"}]}, {"onsetDateTime": "2026-10-20"},
    {"recordedDate": "2026-10"}, {"valueQuantity": {"value": 93, "code": "a"}}, {"note": [{"text": "called twice"}]},
    {"text": {"status": "generated", "div": "<div>Tess</div>"}}, {"subject": {"reference": "Patient/elsewhere"}},
    {"encounter": {"reference": "Encounter/elsewhere"}}, {"contained": [{"resourceType": "Patient", "id": "p"}]},
    {"photo": [{"url": "https://x.example/face.png"}]}, {"implicitRules": "https://x.example/rules"},
    {"extension": [{"url": "https://x.example/nick", "valueString": "Tess"}]},
    {"code": {"text": "the Nowhere overdose"}}, {"meta": {"lastUpdated": "2026-10-20T12:00:00Z"}},
)  # fmt: skip


def described_more(s: Scene) -> None:
    """One more element in what is said to identify nobody."""
    if (s.request.get("basis") or {}).get("type") == "deidentified":
        element = s.pick.choice(s.pick.choice([_OF_NOBODY, _OF_SOMEBODY]))
        item = s.item()
        if item["resourceType"] == "MeasureReport" and s.pick.random() < 0.7:
            element = {"group": [{"population": [{"count": s.pick.choice([0, 1, 10, 11, 12])}]}]}
        item.update(json.loads(json.dumps(element)))


def in_a_disaster(s: Scene) -> None:
    """An emergency in a declared disaster."""
    basis = s.request.get("basis")
    if basis and basis["type"] == "emergency":
        closed = s.pick.choice([True, True, False, None])
        basis["disaster"] = {"declaration": s.pick.choice(["WA-1", "WA-1", ""]), "program_closed": closed}
        basis["consent_obtainable"] = s.pick.choice([None, False, True])


# The records


def _written(s: Scene, item: Json, reference: Json | None) -> None:
    s.add("records", item)
    if reference is None:
        return
    provenance = {
        "resourceType": "Provenance",
        "id": f"by-{item['id']}",
        "target": [{"reference": f"{item['resourceType']}/{item['id']}"}],
        "recorded": "2026-10-02T12:00:00Z",
        "activity": {"coding": [{"code": "originate"}]},
        "agent": [{"type": {"coding": [{"code": "author"}]}, "who": reference}],
    }
    s.add("records", provenance)


def with_more_items(s: Scene) -> None:
    """One more item: notes, an innocent one, a claim, of another person, of nobody, of an unknown author."""
    subject = {"reference": f"Patient/{s.patient['id']}"}
    number = len(s.resources("records"))
    condition = {"resourceType": "Condition", "id": f"c{number}", "subject": subject}
    note: Json = {"resourceType": "DocumentReference", "id": f"d{number}", "status": "current", "subject": subject}
    note["content"] = [{"attachment": {"contentType": "text/plain", "title": "note"}}]
    author = s.party()[1] if s.pick.random() < 0.4 else dict(s.parties)[origin_of(s)]
    kind = s.pick.choice(
        ["notes", "notes", "flu", "flu", "hiv", "claim", "other", "nobody", "unknown", "none", "doc", "shot"]
    )
    unknown = {"identifier": {"system": "https://elsewhere.example/id", "value": "nobody"}}
    coded: Json = {"code": {"coding": [{"system": ICD, "code": s.pick.choice(["J10.1", "F11.10"])}]}}
    shot = {"resourceType": "Immunization", "id": f"i{number}", "status": "completed", "patient": subject}
    shot |= {"vaccineCode": {"coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": "140"}]}}
    shot["occurrenceDateTime"] = s.pick.choice(["2026-03-10", "2024-03-10", "2026-10-02"])
    claim = {"resourceType": "Claim", "id": f"m{number}", "status": "active", "use": "claim", "patient": subject}
    made: dict[str, tuple[Json, Json | None]] = {
        "notes": ({**note, "meta": {"security": [{"system": SECURITY_LABEL, "code": "SUDNOTES"}]}}, author),
        "flu": ({**condition, **coded}, author),
        "hiv": ({**condition, **coded, "meta": {"security": [{"system": ACT_CODE, "code": "HIV"}]}}, author),
        "claim": (claim, author),
        "other": ({**condition, **coded, "subject": {"reference": "Patient/somebody-else"}}, author),
        "nobody": ({key: value for key, value in {**condition, **coded}.items() if key != "subject"}, author),
        "unknown": ({**condition, **coded}, unknown),
        "none": ({**condition, **coded}, None),
        "doc": (note, author),
        "shot": (shot, author),
    }
    _written(s, *made[kind])


def by_another_author(s: Scene) -> None:
    """Somebody else wrote it."""
    provenances = s.resources("records", "Provenance")
    if provenances:
        agent = s.pick.choice(provenances)["agent"][0]
        agent.pop("onBehalfOf", None)
        agent["who"] = s.party()[1]


def in_other_hands(s: Scene) -> None:
    """A copy went on to somebody, under a consent or a code; sometimes through several hands."""
    item = s.item()
    for _ in range(s.pick.choice([1, 1, 1, 2, 2, 3])):
        _handed_on(s, item)


_CODES = ("qso", "audit", "research", "emergency", "contract", "central_registry", "patient_access", "referral")


def _handed_on(s: Scene, item: Json) -> None:
    consent = s.consent()
    extension: Json = {"url": RECEIVED_UNDER}
    held = [one for one in s.resources("records", "Provenance") if "hop" in one["id"] or one["id"].startswith("at-")]
    if held and s.pick.random() < 0.5:
        extension["valueCode"] = "hipaa"
    elif consent and s.pick.random() < 0.75:
        name = consent["id"] if s.pick.random() < 0.95 else "not-here"
        extension["valueReference"] = {"reference": f"Consent/{name}"}
    else:
        extension["valueCode"] = s.pick.choice([*_CODES, "hipaa"])
    reason = s.pick.choice(["TREAT", "TREAT", "TREAT", "HPAYMT", "PATRQT", "HOPERAT"])
    number = len(s.resources("records"))
    hop = {
        "resourceType": "Provenance",
        "id": f"hop-{number}",
        "extension": [extension],
        "target": [{"reference": f"{item['resourceType']}/{item['id']}"}],
        "recorded": f"2026-10-21T12:{number:02}:00Z",
        "activity": {"coding": [{"code": "receive"}]},
        "agent": [{"type": {"coding": [{"code": "custodian"}]}, "who": s.party()[1]}],
        "reason": [{"coding": [{"system": ACT_REASON, "code": reason}]}],
    }
    s.add("records", hop)


def with_a_summary(s: Scene) -> None:
    """Something that somebody made of an item."""
    source = s.item()
    subject = {"reference": f"Patient/{s.patient['id']}"}
    number = len(s.resources("records"))
    made: Json = {"resourceType": "Condition", "id": f"s{number}", "subject": subject}
    made["code"] = {"coding": [{"system": ICD, "code": s.pick.choice(["J10.1", "F11.20"])}]}
    _written(s, made, s.party()[1])
    what = {"role": "derivation", "what": {"reference": f"{source['resourceType']}/{source['id']}"}}
    provenance = s.resources("records", "Provenance")[-1]
    provenance |= {
        "recorded": "2026-10-30T12:00:00Z",
        "activity": {"coding": [{"code": "transform"}]},
        "entity": [what],
    }


def labeled(s: Scene) -> None:
    """One more label on an item."""
    security = s.item().setdefault("meta", {}).setdefault("security", [])
    system, code = s.pick.choice(
        [
            *((ACT_CODE, one) for one in ("HIV", "SUD", "ETH", "NODSCLCD", "NOAUTH", "NORDSCLCD", "HIPAAPsyNotes")),
            *((SECURITY_LABEL, one) for one in ("SUDNOTES", "SUDNOTES", "CJI", "CJI")),
            *((ACT_CODE, "Title38Section7332"), (ACT_CODE, "42CFRPart2"), ("urn:x", "TOPSECRET")),
        ]
    )
    security.append({"system": system, "code": code})
