"""Changes of what is known besides: facts, the registry, the switches of a site."""

from tests.oracle.reading import Json
from tests.oracle.scene import Scene, origin_of

_STUDIES = ("active", "completed", "completed", "administratively-completed", "withdrawn", "closed-to-accrual")


def with_a_fact(s: Scene) -> None:
    """One more fact about the person."""
    me = {"reference": f"Patient/{s.patient['id']}"}
    someone = s.pick.choice([me, me, me, {"reference": "Patient/somebody-else"}])
    place, paper = s.recipient_reference(), s.consent()
    named = [f"Consent/{paper['id']}"] if paper else []
    stamp = s.pick.choice(
        ["2026-11-02T18:00:00Z", "2026-11-02T18:00:01Z", "2026-10-20T00:00:00Z", "2026-11-30T00:00:00Z"]
    )
    who = s.pick.choice([s.request["recipient"], s.request["recipient"], s.party()[0]])
    item = s.item()
    items = s.pick.choice([None, None, [f"{item['resourceType']}/{item['id']}"]])
    visit: Json = {
        "resourceType": "Encounter",
        "id": "visit",
        "status": s.pick.choice(["in-progress"] * 3 + ["finished", "planned"]),
    }
    if s.pick.random() < 0.3:
        visit["period"] = {"start": "2026-10-30", "end": s.instant()}
    bound = s.pick.choice([None, None, [origin_of(s)], [s.party()[0]]])
    care: Json = {
        "resourceType": "EpisodeOfCare",
        "id": "care",
        "status": s.pick.choice(["finished", "finished", "active"]),
    }
    care |= {"patient": someone, "managingOrganization": s.party()[1]}
    if s.pick.random() < 0.1:
        del care["managingOrganization"]
    ends = care["status"] == "finished" and s.pick.random() < 0.9
    care["period"] = {"start": "2026-06-01", **({"end": s.instant()} if ends else {})}
    facts: list[Json] = [
        {
            "type": "revocation",
            "of": s.pick.choice(["all", named, named]),
            "method": s.pick.choice(["written", "oral"]),
            "received": stamp,
        },
        {"type": "consent_false", "consent": (named or ["Consent/x"])[0], "reported_by": "staff", "reported": stamp},
        {
            "type": "restriction",
            "kind": s.pick.choice(["agreed", "agreed", "self_pay"]),
            "against": [who],
            "items": items,
            **({"of": bound} if bound else {}),
        },
        {
            "type": "unavailable",
            "what": s.pick.choice(["consent_source", "consent_source", "audit_store"]),
            "name": "down",
        },
        {**visit, "subject": someone, "serviceProvider": place},
        {**visit, "subject": someone, "serviceProvider": place},
        {
            "resourceType": "CareTeam",
            "id": "team",
            "status": "active",
            "subject": someone,
            "participant": [{s.pick.choice(["member", "onBehalfOf"]): place}],
        },
        {
            "resourceType": "Coverage",
            "id": "cover",
            "status": s.pick.choice(["active", "cancelled"]),
            "beneficiary": someone,
            "payor": [place],
            **({"period": {"end": s.instant()}} if s.pick.random() < 0.2 else {}),
        },
        care,
        {"resourceType": "ResearchStudy", "id": "study", "status": s.pick.choice(_STUDIES)},
        {
            "type": "earlier_decision",
            "decision": "PERMIT",
            "at": "2026-11-02T17:59:00Z",
            "valid_until": "2026-11-02T19:00:00Z",
        },
    ]
    s.facts.append(s.pick.choice(facts))


def of_another_age(s: Scene) -> None:
    """A person of another age, in a site with another rule."""
    of_age = ["2008-08-31", "2008-09-01", "2008-09-02", "2008-11-02", "2008-11-03", "2013-08-31", "2013-09-02"]
    s.patient["birthDate"] = s.pick.choice([*of_age, "2008-10-15", "2011-03-09", "2014-05-05", "2013-09-01"])
    if s.pick.random() < 0.5:
        s.case["switches"] = {
            **(s.case.get("switches") or {}),
            "minor_consent": s.pick.choice(["parental", 13, 14, 16]),
        }


def merged(s: Scene) -> None:
    """The paper, or an item, speaks of a retired record of the person."""
    retired: Json = {"resourceType": "Patient", "id": "retired", "active": False}
    retired["identifier"] = [{"system": "urn:oid:2.999.7", "value": "OLD"}]
    retired["link"] = [{"other": {"reference": f"Patient/{s.patient['id']}"}, "type": "replaced-by"}]
    current = f"Patient/{s.patient['id']}"
    if paper := s.consent():
        paper["patient"] = {"type": "Patient", "identifier": retired["identifier"][0]}
    s.facts.append(retired)
    if s.pick.random() < 0.8:
        s.facts.append({"type": "merge", "from": "Patient/retired", "into": current, "verified": s.pick.random() < 0.7})


def in_another_registry(s: Scene) -> None:
    """A partner classified, connected or of a role otherwise."""
    name = s.party()[0]
    law = {
        "from": "2020-01-01",
        "part2": s.pick.choice(["yes", "no", "unknown"]),
        "covered_entity": s.pick.random() < 0.5,
    }
    later = {"from": s.pick.choice(["2026-10-01", "2026-12-01"]), "part2": "yes", "covered_entity": True}
    address = {
        "transport": "fhir",
        "address": "https://x.example/fhir",
        "verified": s.pick.choice([None, "2026-01-01"]),
    }
    v2: Json = {"transport": "hl7v2", "address": "mllp://x.example:2575", "version": "2.5.1", "verified": "2026-01-01"}
    v2["stores_nte"] = s.pick.choice([True, False])
    changes: list[Json] = [
        {"legal_class": [law]},
        {"legal_class": [law, later]},
        {"endpoints": [address, v2]},
        {"endpoints": [address, v2]},
        {"endpoints": []},
        {"timezone": s.pick.choice(["America/New_York", "Pacific/Honolulu", "Asia/Tokyo", "America/Denver"])},
        {"timezone": s.pick.choice(["America/New_York", "Pacific/Honolulu", "Asia/Tokyo", "America/Denver"])},
        {"state": "OR"},
        {
            "roles": s.pick.choice(
                [["police"], ["provider"], ["payer"], ["court", "probation"], ["intermediary"], ["hie"]]
            )
        },
    ]
    s.case["organizations"] = [*(s.case.get("organizations") or []), {"id": name, **s.pick.choice(changes)}]


def with_other_switches(s: Scene) -> None:
    """A site with other switches."""
    switch = s.pick.choice(
        [
            ("oral_revocation", "deny"),
            ("require_verification_external", False),
            ("hipaa_treatment", "deny"),
            ("legacy_consent", "accept"),
            ("emergency_hours", 1),
            ("small_cell", 5),
        ]
    )
    s.case["switches"] = {**(s.case.get("switches") or {}), switch[0]: switch[1]}
