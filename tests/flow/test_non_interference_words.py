"""Non-interference of what partners write: consents they file, replace and take back, and messages about anybody.

The courses of `test_non_interference` read more than they write. Here the hospital and the police file consents about
the Patients that the hospital was sent, replace and take back whatever consent exists in the fuller world, and feeds,
known and unknown, send messages of every kind that can name a person, a referral or a consent.
`NON_INTERFERENCE_EXAMPLES` and `NON_INTERFERENCE_SEED` count here too (docs/proofs.md).
"""

from typing import Any

import orjson
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from gateway.delivery.fhir_push import SOURCE_ID
from tests.flow.test_feed_non_interference import a_world
from tests.flow.test_non_interference import COURSES, RUNS, SEED, WORLDS, Guessed, submissions, take
from tests.support.two_worlds import (
    HOSPITAL,
    HOSPITAL_NPI,
    NPI,
    PEOPLE,
    POLICE,
    Seen,
    Submission,
    TwoWorld,
    contact,
    without_fresh_ids,
)

Step = tuple[str, int, int]

_PARTNER = "https://warmhandoff.example/id/partner"
_TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"
_SUPERSEDES = "https://warmhandoff.example/fhir/StructureDefinition/part2-supersedes"
_SENDERS = ("EHR|HOSPITAL", "CENTER|CRISIS", "NOBODY|KNOWN")
_STEP = st.tuples(
    st.sampled_from(["file", "put", "word", "word", "again", "search", "events"]),
    st.integers(0, 10_000),
    st.integers(0, 10_000),
)
_COURSE = st.lists(_STEP, min_size=2, max_size=4)


@seed(f"{SEED}/words")
@given(records=submissions(unrouted=True), courses=st.lists(_COURSE, min_size=COURSES, max_size=COURSES))
@settings(parent=WORLDS, max_examples=max(RUNS // 3200, 1))
def test_what_partners_write_tells_them_nothing_of_what_is_withheld(
    records: list[Submission], courses: list[list[Step]]
) -> None:
    full = a_world(has_program_part=True)
    full.hand_in(records)
    guessed = Guessed(full.references(), full.numbers())
    seen_full = lived(full, records, courses, guessed)

    bare = a_world(has_program_part=False)
    bare.hand_in(records)

    assert seen_full == lived(bare, records, courses, guessed)


def lived(world: TwoWorld, records: list[Submission], courses: list[list[Step]], guessed: Guessed) -> list[bytes]:
    """Live a world by each course from the same moment, and return what was seen."""
    begun = world.moment()
    patients = patients_sent_to_the_hospital(world)
    seen = []
    for steps in courses:
        world.return_to(begun)
        answers = [one for n, step in enumerate(steps) for one in taken(world, records, n, step, guessed, patients)]
        world.work()
        seen.append(without_fresh_ids([*answers, *world.wire.sent]))
    return seen


def taken(
    world: TwoWorld, records: list[Submission], number: int, step: Step, guessed: Guessed, patients: list[str]
) -> list[Seen]:
    """Take one step and return what came back."""
    kind, one, other = step
    consents = [each for each in guessed.references if each.startswith("Consent/")] or ["Consent/nobodys"]
    consent = consents[one % len(consents)]
    if kind == "file":
        body = a_filed(patients[one % len(patients)], ("demo-lead", "demo-pd")[other % 2], consent)
        return [world.http((HOSPITAL, POLICE)[one % 2], "POST", "/fhir/R4/Consent", body)]
    if kind == "put":
        body = {**a_filed(patients[other % len(patients)], "demo-lead", consent), "id": consent[8:]}
        client = (HOSPITAL, POLICE)[one % 2]
        return [world.http(client, "PUT", f"/fhir/R4/{consent}", body, if_match=f'W/"{1 + other % 2}"')]
    if kind == "word":
        referral = guessed.numbers[one % len(guessed.numbers)]
        return [world.message(a_word(one, other, f"W{number}", referral, consent[8:]))]
    return take(world, records, number, step, guessed)


def patients_sent_to_the_hospital(world: TwoWorld) -> list[str]:
    """Return the Patients of what has left for the hospital; where nothing has, one that nobody is.

    Who knows the id of a Patient from elsewhere learns by filing that it is here (docs/proofs.md).
    """
    sent = [orjson.loads(body) for to, body in world.wire.sent if to == "org:demo-hospital"]
    known = {
        f"Patient/{identifier['value']}"
        for entry in (entry for bundle in sent for entry in bundle["entry"])
        if entry["resource"]["resourceType"] == "Patient"
        for identifier in entry["resource"]["identifier"]
        if identifier["system"] == SOURCE_ID
    }
    return sorted(known) or ["Patient/nobodys"]


def a_filed(patient: str, discloser: str, replaced: str) -> dict[str, Any]:
    """Return a consent of a person that lets the hospital have a discloser's records, in place of another."""
    receiver = {
        "role": {"coding": [{"system": f"{_TERMINOLOGY}/v3-ParticipationType", "code": "IRCP"}]},
        "reference": {"identifier": {"system": NPI, "value": HOSPITAL_NPI}},
    }
    return {
        "resourceType": "Consent",
        "extension": [{"url": _SUPERSEDES, "valueReference": {"reference": replaced}}],
        "status": "active",
        "scope": {"coding": [{"system": f"{_TERMINOLOGY}/consentscope", "code": "patient-privacy"}]},
        "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        "patient": {"reference": patient},
        "dateTime": "2026-10-20T10:00:00Z",
        "organization": [{"identifier": {"system": _PARTNER, "value": discloser}}],
        "policy": [{"uri": "https://www.ecfr.gov/current/title-42/part-2"}],
        "provision": {
            "type": "permit",
            "actor": [receiver],
            "purpose": [{"system": f"{_TERMINOLOGY}/v3-ActReason", "code": "TREAT"}],
        },
    }


def a_word(one: int, other: int, control_id: str, referral: str, consent: str) -> bytes:
    """Return a message about a person, a referral by its number or a consent by its id."""
    who = PEOPLE[one % 3]
    at = "20261102093000-0800"
    pid = f"PID|1||M-{other % 2}^^^HOSPITAL^MR||{who['last_name']}^{who['first_name']}||{who['dob'].replace('-', '')}|F"
    placed = f"{referral}^WARMHANDOFF"
    kinds: tuple[tuple[str, tuple[str, ...]], ...] = (
        ("ADT^A08^ADT_A01", ("PV1|1|E|ED^^^X", f"CON|1|001||{consent}|||||||X|||{at}")),
        ("ADT^A08^ADT_A01", ("PV1|1|E|ED^^^X", f"CON|1|001||||||||||R|||{at}")),
        ("ADT^A08^ADT_A01", ("PV1|1|E|ED^^^X", f"CON|1|001||||||||||X|||{at}")),
        ("ADT^A40^ADT_A39", (f"MRG|M-{1 - other % 2}^^^HOSPITAL^MR",)),
        ("ORU^R01", (f"ORC|RE|{placed}", f"OBR|1|{placed}||X^x|||20261101", "OBX|1|ST|X^x||done||||||F")),
        ("REF^I13", (f"RF1|P|R|Psy|||{placed}", "PRD|RP|S^S", "PRD|RT|T^T")),
        ("REF^I14", (f"RF1|P|R|Psy|||{placed}", "PRD|RP|S^S", "PRD|RT|T^T")),
    )
    message_type, segments = kinds[other % len(kinds)]
    header = f"MSH|^~\\&|{_SENDERS[one % 3]}|WARMHANDOFF|GATEWAY|{at}||{message_type}|{control_id}|P|2.5.1"
    event = [f"EVN|{message_type[4:7]}|{at}"] if message_type.startswith("ADT") else []
    return "\r".join([header, *event, pid, *segments, ""]).encode()


def test_each_of_these_steps_does_something() -> None:
    """Without that the comparison above would compare nothing."""
    world = a_world(has_program_part=True)
    records = [contact(1, 0, "verbal", "mental_health")]
    world.hand_in(records)
    guessed = Guessed(world.references(), world.numbers())

    patients = patients_sent_to_the_hospital(world)

    (filed,) = taken(world, records, 0, ("file", 0, 0), guessed, patients)
    words = [taken(world, records, n, ("word", 0, n), guessed, patients)[0][0] for n in range(7)]

    assert filed[0] == 201
    assert all(b"MSA|AA|" in one for one in words), words
    assert len(words) == len({*words})
