"""May I have records of this person: decided like a read, logged like one, and silent about every no."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import orjson
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from gateway.flow.gateway import Gateway
from gateway.model.consult import DENIED, Advice, Consult
from gateway.model.exchange import Problem
from gateway.model.labels import ACT_CODE, CONFIDENTIALITY
from gateway.model.partner import Organization, Registry
from gateway.model.request import OWN_PURPOSE
from gateway.settings import Client
from tests.flow.test_arrivals_together import OneCallFor
from tests.flow.test_non_interference import submissions
from tests.support.flow_house import CONTACT, HOSPITAL, POLICE, World, a_caller, a_world
from tests.support.two_worlds import GOOD_RELEASE, RELEASES, TwoWorld, case, contact, hidden_contact

CLINIC = a_caller("demo-clinic-ehr", "org:demo-clinic")
PERSON_ID = "https://warmhandoff.example/id/person"


def with_contact(**changes: str) -> World:
    """Build a world in which one contact has been taken."""
    world = a_world()
    world.take({**CONTACT, **changes})
    return world


def patient_of(world: Any) -> str:
    """Return the reference of the one Patient that is stored."""
    (reference,) = (f"Patient/{key}" for kind, key in world.database.state.resources if kind == "Patient")
    return reference


def ask(world: World, *patient: str, caller: Any = HOSPITAL, **more: Any) -> Advice | Problem:
    """Ask for treatment unless the question says otherwise."""
    return world.gateway.consult(caller, Consult(patient=patient, **{"purpose": ("TREAT",), **more}))


def kept(world: World) -> list[tuple[str, str]]:
    """Return decision and reason of every consult, oldest first."""
    decisions = world.database.state.decisions.values()
    return [(one.record["decision"], one.record["reason"]) for one in decisions if one.channel == "consult"]


def test_a_hospital_to_which_the_person_agreed_to_be_referred_may_have_the_record() -> None:
    world = with_contact()

    advice = ask(world, patient_of(world))

    types = (
        "Consent", "DocumentReference", "Encounter", "Observation", "Organization", "Patient", "PractitionerRole",
        "Provenance", "ServiceRequest", "Task",
    )  # fmt: skip
    assert advice == Advice(True, ("LABEL",), ((CONFIDENTIALITY, "N"),), None, types)
    assert kept(world) == [("PERMIT", "OK_NOT_PART2")]


def test_those_who_ask_together_get_the_answers_they_get_alone_and_each_is_kept() -> None:
    world = with_contact()
    before = len(world.database.state.disclosures)
    together = replace(world, gateway=Gateway(replace(world.house, database=OneCallFor(world.database, 2))))

    with ThreadPoolExecutor(2) as clients:
        yes, no = clients.map(lambda patient: ask(together, patient), [patient_of(world), "Patient/nobody"])

    assert sorted(kept(world)) == [("DENY", "PATIENT_UNKNOWN"), ("PERMIT", "OK_NOT_PART2")]
    assert len(world.database.state.disclosures) == before + 1
    assert (yes, no) == (ask(world, patient_of(world)), DENIED)


def test_the_person_can_be_named_by_a_number_that_stands_in_what_may_leave() -> None:
    world = with_contact()

    assert ask(world, f"{PERSON_ID}|{patient_of(world)[8:]}") == ask(world, patient_of(world))


def test_a_yes_is_logged_as_a_disclosure_with_its_decision_and_the_person() -> None:
    world = with_contact()
    before = set(world.database.state.disclosures)

    ask(world, patient_of(world))

    (new,) = (one for key, one in world.database.state.disclosures.items() if key not in before)
    decision = world.database.state.decisions[new.decision_id]
    assert (new.purpose, new.code) == ("TREAT", "200")
    assert new.description == "answer to a consult of demo-ehr: that there are records it may have"
    assert (decision.recipient, decision.handoff_id) == ("org:demo-hospital", None)
    assert decision.person_id == next(iter(world.database.state.people))
    entry, logged = world.database.audit[-2:]
    assert (entry.kind, entry.actor, entry.data["channel"]) == ("decision.permit", "demo-ehr", "consult")
    assert (logged.kind, logged.actor) == ("disclosure.logged", "demo-ehr")
    assert [one["decision"] for one in logged.data["disclosures"]] == [new.decision_id]


def test_a_no_leaves_a_decision_and_an_audit_row_and_no_disclosure() -> None:
    world = with_contact(consent_status="refused")
    before = len(world.database.state.disclosures)

    assert ask(world, patient_of(world)) == DENIED

    assert kept(world) == [("DENY", "EXPLICIT_DENY")]
    assert len(world.database.state.disclosures) == before
    assert world.database.audit[-1].kind == "decision.refusal"


@pytest.mark.parametrize(
    ("status", "reason"),
    [("refused", "EXPLICIT_DENY"), ("not_asked", "NO_CONSENT")],
)
def test_without_the_persons_agreement_a_police_record_is_denied_to_a_provider_too(status: str, reason: str) -> None:
    world = with_contact(consent_status=status)

    assert ask(world, patient_of(world)) == DENIED
    assert kept(world) == [("DENY", reason)]


def test_nobody_is_answered_like_somebody_who_refused() -> None:
    world = with_contact(consent_status="refused")

    assert ask(world, "Patient/nobody") == ask(world, patient_of(world)) == ask(world, f"{PERSON_ID}|nobody")
    assert [reason for _, reason in kept(world)] == ["PATIENT_UNKNOWN", "EXPLICIT_DENY", "PATIENT_UNKNOWN"]


def test_a_recipient_the_person_did_not_name_is_denied() -> None:
    world = with_client(with_contact(), "demo-clinic-ehr", "org:demo-clinic")

    assert ask(world, patient_of(world), caller=CLINIC) == DENIED


def test_police_are_denied_what_a_provider_may_have() -> None:
    world = with_contact()

    assert ask(world, patient_of(world), caller=POLICE) == DENIED


def test_a_record_that_waits_for_a_person_is_denied() -> None:
    world = with_contact()
    handoff = next(iter(world.database.state.handoffs))
    world.database.write(lambda tx: tx.handoffs.set_state(handoff, "held", "whose?", world.clock()))

    assert ask(world, patient_of(world)) == DENIED


def test_somebody_of_whom_another_record_waits_for_a_match_is_denied() -> None:
    """Who they may be may have said no."""
    world = with_contact()
    world.take({**CONTACT, "contact_id": "C-2"})
    newest = list(world.database.state.handoffs)[-1]
    world.database.write(lambda tx: tx.handoffs.set_state(newest, "held", "possible match", world.clock()))

    assert ask(world, patient_of(world)) == DENIED


def test_two_keys_of_two_persons_are_nobody() -> None:
    world = with_contact()
    world.take({**CONTACT, "contact_id": "C-2", "client_id": "K-2", "last_name": "Mockname", "first_name": "Cy",
                "dob": "1971-03-04", "phone": "360-555-0109"})  # fmt: skip
    patients = [f"Patient/{key}" for kind, key in world.database.state.resources if kind == "Patient"]

    assert ask(world, *patients) == DENIED
    assert ask(world, patients[0], "Patient/nobody").is_permitted  # type: ignore[union-attr]


def test_no_purpose_is_a_no() -> None:
    world = with_contact()

    assert ask(world, patient_of(world), purpose=()) == DENIED
    assert kept(world) == [("DENY", "PURPOSE_MISSING")]


def test_a_client_asks_for_its_registered_purposes_and_what_they_include() -> None:
    world = with_contact()

    assert isinstance(ask(world, patient_of(world), purpose=("ETREAT",)), Advice)
    for purpose in ("HPAYMT", "LEGAL", f"{OWN_PURPOSE}|monitoring"):
        refused = ask(world, patient_of(world), purpose=("TREAT", purpose))
        assert isinstance(refused, Problem)
        assert refused.status == 403


def test_a_client_asks_for_nobody_else() -> None:
    world = with_contact()
    registry = world.house.registry
    clinic = registry.get("org:demo-clinic")
    hospital = registry.get("org:demo-hospital")
    assert clinic is not None
    assert hospital is not None

    for actor in ([clinic], [hospital, clinic]):
        refused = ask(world, patient_of(world), actor=tuple("|".join(one.identifiers[0]) for one in actor))
        assert isinstance(refused, Problem)
        assert refused.status == 403
    assert isinstance(ask(world, "Patient/nobody", actor=("urn:system|not registered",)), Problem)
    own = "|".join(hospital.identifiers[0])
    assert ask(world, patient_of(world), actor=(own, "urn:system|dr-welcome")) == ask(world, patient_of(world))


def test_a_client_asks_for_a_unit_of_its_organization() -> None:
    world = with_contact()
    hospital = world.house.registry.get("org:demo-hospital")
    assert hospital is not None
    unit = replace(hospital, id="org:demo-ward", identifiers=(("urn:wards", "7"),), parent="org:demo-hospital")
    world = in_house(world, registry=Registry([*_organizations(world), unit]))

    # Being named is not inherited: the person agreed to the hospital, and the ward is an organization of its own.
    assert ask(world, patient_of(world), actor=("urn:wards|7",)) == DENIED
    assert world.database.audit[-1].data["recipient"] == "org:demo-ward"


def test_a_class_asked_about_narrows_the_question() -> None:
    world = with_contact()

    assert ask(world, patient_of(world), types=frozenset({"Observation"})).is_permitted  # type: ignore[union-attr]
    assert ask(world, patient_of(world), types=frozenset({"Condition"})) == DENIED
    assert ask(world, patient_of(world), labels=frozenset({(ACT_CODE, "HIV")})) == DENIED


def two_world(*submissions: Any) -> Any:
    """Build a world with everything in it."""
    world = TwoWorld("fhir", has_program_part=True)
    world.hand_in(list(submissions))
    return world


def test_a_good_consent_opens_what_a_program_wrote_with_its_obligations() -> None:
    world = two_world(case(1, 0, "demo-lead", "SUD treatment;medical", "stay sober", GOOD_RELEASE))

    advice = ask(world, patient_of(world))

    assert isinstance(advice, Advice)
    assert advice.is_permitted
    assert advice.obligations == ("CONSENT_COPY", "LABEL", "NOTICE", "PROCEEDINGS_BAR")
    assert {(ACT_CODE, "42CFRPart2"), (ACT_CODE, "CPLYCD"), (CONFIDENTIALITY, "R")} <= set(advice.labels)
    assert advice.consent is not None


@pytest.mark.parametrize("release", sorted(set(RELEASES) - {"agreed to be referred"}))
def test_what_a_program_wrote_changes_no_answer_where_no_consent_opens_it(release: str) -> None:
    record = case(1, 0, "demo-lead", "SUD treatment;medical", "stay sober", RELEASES[release])
    worlds = [TwoWorld("fhir", has_program_part=full) for full in (True, False)]
    for world in worlds:
        world.hand_in([record])
    (patient,) = (one for one in worlds[0].references() if one.startswith("Patient/"))

    seen = [world.http("demo-ehr", "POST", "/fhir/R4/Consent/$evaluate", parameters(patient)) for world in worlds]

    assert seen[0] == seen[1]


def test_naming_a_person_by_a_patient_one_may_not_have_tells_nothing() -> None:
    records = [contact(1, 0, "verbal", "mental_health"), hidden_contact(2, 0, "demo-detox", "substance_use")]
    worlds = [TwoWorld("fhir", has_program_part=full) for full in (True, False)]
    for world in worlds:
        world.hand_in(records)
    patients = [one for one in worlds[0].references() if one.startswith("Patient/")]

    for patient in patients:
        seen = [world.http("demo-ehr", "POST", "/fhir/R4/Consent/$evaluate", parameters(patient)) for world in worlds]
        assert seen[0][:3] == seen[1][:3]


def test_a_revoked_consent_closes_it_at_once() -> None:
    world = two_world(case(1, 0, "demo-lead", "medical", "stay sober", GOOD_RELEASE))
    patient = patient_of(world)
    assert ask(world, patient).is_permitted  # type: ignore[union-attr]
    ((_, consent_id),) = (key for key in world.database.state.resources if key[0] == "Consent")
    consent = world.database.state.resources["Consent", consent_id].body
    assert consent is not None
    person = next(iter(world.database.state.people))
    world.clock.advance(timedelta(minutes=1))
    revoked = {**consent, "status": "inactive"}
    world.database.write(lambda tx: tx.resources.put(revoked, handoff_id=None, person_id=person, at=world.clock()))

    assert ask(world, patient) == DENIED


@dataclass
class CountingDatabase:
    """A `ports.Database` that notes what was asked of it, without the arguments."""

    inner: Any
    calls: list[str] = field(default_factory=list)

    def write(self, work: Any) -> Any:
        return self.inner.write(lambda tx: work(_Counting(tx, self.calls)))


class _Counting:
    def __init__(self, inner: Any, calls: list[str], name: str = "") -> None:
        self._parts = inner, calls, name

    def __getattr__(self, name: str) -> Any:
        inner, calls, above = self._parts
        if not above:
            return _Counting(getattr(inner, name), calls, name)
        calls.append(f"{above}.{name}")
        return getattr(inner, name)


def test_the_work_for_an_unknown_person_is_that_for_a_refused_one() -> None:
    world = with_contact(consent_status="refused")
    patient = patient_of(world)

    def work_for(key: str) -> list[str]:
        counting = CountingDatabase(world.database)
        assert ask(in_house(world, database=counting), key) == DENIED
        return ["people.get" if call == "people.lock" else call for call in counting.calls]

    assert work_for(patient) == work_for("Patient/nobody")


def parameters(patient: str) -> dict[str, Any]:
    """Write the question as Parameters."""
    return {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "patient", "valueReference": {"reference": patient}},
            {"name": "purpose", "valueCode": "TREAT"},
        ],
    }


def in_house(world: World, **changes: Any) -> World:
    """Return the world with parts of its house replaced."""
    house = replace(world.house, **changes)
    return replace(world, house=house, gateway=Gateway(house))


def with_client(world: World, name: str, organization: str) -> World:
    """Return the world with one more registered client."""
    client = Client(id=name, organization=organization, scopes=("system/*.rs",), person_role="clinician")
    return in_house(world, clients={**world.house.clients, name: client})


def _organizations(world: World) -> list[Organization]:
    return list(world.house.registry)


def test_the_kept_input_holds_what_the_decision_was_made_from() -> None:
    world = with_contact()

    ask(world, patient_of(world))

    (decision,) = (one for one in world.database.state.decisions.values() if one.channel == "consult")
    inputs = orjson.loads(decision.inputs)
    assert sorted(inputs) == ["at", "consents", "facts", "gate", "records", "registry", "request", "switches"]
    assert inputs["request"]["purpose"] == ["TREAT"]


@given(records=submissions(), number=st.integers(0, 10_000), own_class=st.sampled_from([None, "Observation", "Goal"]))
@settings(max_examples=60, deadline=None, database=None, phases=[Phase.generate, Phase.shrink])
def test_what_is_withheld_changes_no_answer_to_a_consult(
    records: list[Any], number: int, own_class: str | None
) -> None:
    full = TwoWorld("fhir", has_program_part=True)
    full.hand_in(records)
    patients = [one for one in full.references() if one.startswith("Patient/")] or ["Patient/nobody"]
    question = parameters(patients[number % len(patients)])
    if own_class is not None:
        question["parameter"].append({"name": "class", "valueCode": own_class})
    seen_full = full.http("demo-ehr", "POST", "/fhir/R4/Consent/$evaluate", question)
    bare = TwoWorld("fhir", has_program_part=False)
    bare.hand_in(records)

    assert bare.http("demo-ehr", "POST", "/fhir/R4/Consent/$evaluate", question) == seen_full
