"""Bodies that partners' programs get wrong, at every door that takes JSON: taken or refused, never the server's fault.

Each is a sound body with a few of its parts replaced; the same seed each time.
"""

import copy
import random
from collections.abc import Iterator
from typing import Any

import orjson

from gateway.catalog.profiles import load_checker
from tests.doors.test_consent_operations import FILE, REVOKE, a_filed_consent, file, patient_of, revocation
from tests.flow.test_consent_filing import HOSPITAL_ACTOR, a_document
from tests.support.two_worlds import HOSPITAL, OFFICE, POLICE, RELEASES, TwoWorld, case

BODIES = 100
WRONG: list[Any] = [
    None, True, 0, -1, 1.5, 2**63, "", "x", "2026", "9999-12-31", "{}", "a" * 5000, "\u0130", [], [None], [[]], [{}],
    {}, ["x", ["y"]], "#", "Patient/", "Consent/x", "urn:uuid:1", '{"reference": "x"}', {"reference": "#"},
    {"reference": "Patient/x", "identifier": {}}, {"coding": [None]}, {"coding": "x"}, {"extension": [{"url": "x"}]},
    {"start": "9999", "end": "0001"},
]  # fmt: skip
MEMBERS = ("contained", "extension", "identifier", "meta", "organization", "performer", "provision", "resource", "text")

Asked = tuple[str, str, str, Any, str | None]
"""Client, method, path, body, If-Match."""


def a_world() -> TwoWorld:
    world = TwoWorld("fhir", has_program_part=True)
    world.hand_in([case(1, 0, OFFICE, "SUD treatment", "stay sober", RELEASES["agreed to be referred"])])
    checker = load_checker()
    house = world.gateway.house
    object.__setattr__(house, "check", lambda resource: checker.check(resource).items)
    object.__setattr__(house, "check_foreign", lambda resource: checker.check(resource, {}).items)
    return world


def sound(world: TwoWorld) -> Iterator[Asked]:
    consent_id = file(world)
    task_id = next(key for kind, key in world.state.resources if kind == "Task")

    consent, task = f"/fhir/R4/Consent/{consent_id}", f"/fhir/R4/Task/{task_id}"
    paper = [{"name": "consent", "resource": a_filed_consent(world)}, {"name": "document", "resource": a_document()}]
    recipient = {"name": "recipient", "valueReference": HOSPITAL_ACTOR["reference"]}
    asked = [
        {"name": "patient", "valueReference": patient_of(world)}, {"name": "purpose", "valueCode": "TREAT"},
        {"name": "class", "valueCode": "Condition"},
    ]  # fmt: skip
    yield OFFICE, "POST", "/fhir/R4/Consent", a_filed_consent(world), None
    yield OFFICE, "PUT", consent, {**a_filed_consent(world), "id": consent_id}, 'W/"1"'
    yield HOSPITAL, "PUT", task, {**orjson.loads(world.http(HOSPITAL, "GET", task)[2]), "status": "accepted"}, 'W/"1"'
    yield OFFICE, "POST", FILE, {"resourceType": "Parameters", "parameter": paper}, None
    more = revocation(world, consent_id, recipient, {"name": "method", "valueCode": "oral"})
    yield OFFICE, "POST", REVOKE, {"resourceType": "Parameters", "parameter": more}, None
    yield HOSPITAL, "POST", "/fhir/R4/Consent/$evaluate", {"resourceType": "Parameters", "parameter": asked}, None
    yield POLICE, "POST", "/lookup", {"receipt": next(iter(world.state.inputs)), "record": 1}, None
    context = {
        "patientId": [{"system": "urn:x", "value": "A1"}], "scope": "patient-privacy", "purposeOfUse": ["TREAT"],
        "actor": [HOSPITAL_ACTOR["reference"]["identifier"]],
    }  # fmt: skip
    hook = {"hook": "patient-consent-consult", "hookInstance": "1", "context": context}
    yield HOSPITAL, "POST", "/cds-services/patient-consent-consult", hook, None


def places(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, part in inner:
        yield (*way, step)
        yield from places(part, (*way, step))


def spoiled(body: Any, chance: random.Random) -> Any:
    body = copy.deepcopy(body)
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        ways = [*places(body)]
        if not ways:
            break
        *way, step = chance.choice(ways)
        holder = body
        for one in way:
            holder = holder[one]
        if isinstance(holder, dict):
            step = chance.choice((step, step, f"_{step}", chance.choice(MEMBERS)))
        holder[step] = copy.deepcopy(chance.choice(WRONG))
    return body


def test_no_body_is_the_servers_fault() -> None:
    world, chance = a_world(), random.Random(20261102)
    doors = list(sound(world))
    assert [ask(world, one) for one in doors] == [201, 200, 200, 200, 200, 200, 200, 200]

    for _ in range(BODIES):
        client, method, path, body, if_match = chance.choice(doors)
        wrong = spoiled(body, chance)
        assert ask(world, (client, method, path, wrong, if_match)) < 500, (path, wrong)


def ask(world: TwoWorld, asked: Asked) -> int:
    kind = "application/fhir+json" if asked[2].startswith("/fhir") else "application/json"
    return world.http(*asked, media_type=kind)[0]
