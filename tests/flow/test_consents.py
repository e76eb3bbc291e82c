"""A consent taken at the desk: on a form, by whom, and with what evidence."""

import base64
import json
from dataclasses import replace
from typing import Any

import pytest

from gateway.flow.gateway import Gateway
from gateway.model.consent_form import (
    Expiry,
    FormRefused,
    FormText,
    Interpreter,
    Paper,
)
from gateway.model.consent_life import Revoking
from gateway.model.exchange import NOT_FOUND
from gateway.model.partner import Registry
from tests.support.consent_desk import (
    KIM,
    PAM,
    STRANGER,
    a_form,
    a_refused_referral,
    capture,
    elements,
    record_of,
    signed,
    states,
    stored,
    told,
)
from tests.support.consent_forms import A_PNG
from tests.support.flow_house import CONTACT, a_world, without_agreements


def test_a_signed_form_lets_go_what_was_refused_for_want_of_it() -> None:
    world = a_refused_referral()
    before = states(world)

    consent_id = capture(world, signed(world, a_form(world)))

    assert (before, states(world)) == ({"refused"}, {"delivered"})
    permits = [one.record for one in world.database.state.decisions.values() if one.record["decision"] == "PERMIT"]
    assert {(one["reason"], one["basis"]["id"]) for one in permits} == {("OK_CONSENT", consent_id)}
    assert told(world, "consent.captured")[0]["consent"] == consent_id


def test_no_decision_carries_the_signed_paper() -> None:
    world = a_refused_referral()

    capture(world, signed(world, a_form(world), method="drawn", strokes=A_PNG))

    assert all(b"JVBERi" not in one.inputs for one in world.database.state.decisions.values())


def test_the_evidence_of_the_signature_is_kept() -> None:
    world = a_refused_referral()
    form = a_form(world, language="es", interpreter=Interpreter("Ina Interpreter", "Spanish"))
    shown = world.gateway.consent_desk.text(KIM, form)
    assert isinstance(shown, FormText)

    consent = stored(world, capture(world, signed(world, form, device="a tablet")))

    signature = next(one for one in consent["extension"] if one["url"].endswith("part2-signature"))["valueSignature"]
    assert json.loads(base64.b64decode(signature["data"])) == {
        "interpreter": {"language": "Spanish", "name": "Ina Interpreter"},
        "language": "es",
        "signatures": [
            {
                "at": "2026-11-02T18:00:00Z", "capacity": "patient", "device": "a tablet", "method": "typed",
                "name": "Ari Sample", "strokes_sha256": None, "text_sha256": shown.digest, "witness": "Kim",
            }
        ],
    }  # fmt: skip
    assert [one["valueDate"] for one in consent["extension"] if one["url"].endswith("form-edition")] == ["2026-11-22"]


def test_an_incomplete_form_is_refused_with_everything_it_lacks_and_nothing_is_kept() -> None:
    world = a_refused_referral()
    form = a_form(world, disclosers=(), purposes=(), expiry=Expiry())

    outcome = world.gateway.consent_desk.capture(KIM, form)

    assert elements(outcome) == ["EL_DISCLOSER", "EL_PURPOSE", "EL_EXPIRY", "EL_SIGNATURE"]
    assert "Binary" not in {kind for kind, _ in world.database.state.resources}
    assert told(world, "consent.captured") == []


def test_what_was_changed_after_it_was_shown_is_not_signed() -> None:
    world = a_refused_referral()
    form = replace(signed(world, a_form(world)), purposes=("treatment", "payment"))

    assert elements(world.gateway.consent_desk.capture(KIM, form)) == ["EL_SIGNATURE"]


def test_before_signing_only_the_signature_may_be_missing() -> None:
    world = a_refused_referral()
    desk = world.gateway.consent_desk

    assert desk.shortcomings(KIM, a_form(world)) is None
    assert elements(desk.shortcomings(KIM, a_form(world, purposes=()))) == ["EL_PURPOSE"]


@pytest.mark.parametrize("changes", [{"patient_id": "nobody"}, {"language": "tlh"}])
def test_a_form_of_nobody_known_or_in_no_language_of_ours_is_refused(changes: dict[str, Any]) -> None:
    world = a_refused_referral()
    form = a_form(world, **changes)

    assert isinstance(world.gateway.consent_desk.text(KIM, form), FormRefused)
    assert isinstance(world.gateway.consent_desk.capture(KIM, form), FormRefused)


def test_only_who_serves_the_program_takes_and_sees_its_consents() -> None:
    world = a_refused_referral()
    form = signed(world, a_form(world))
    consent_id = capture(world, form, PAM)

    assert elements(world.gateway.consent_desk.capture(STRANGER, form)) == ["QSOA_NOT_IN_FORCE"]
    for actor, seen in ((KIM, 1), (PAM, 1), (STRANGER, 0)):
        lines = world.gateway.consent_desk.of_record(actor, record_of(world))
        assert lines is not None
        assert [one.consent_id for one in lines.lines].count(consent_id) == seen
        assert (world.gateway.consent_desk.paper(actor, consent_id) is not None) is bool(seen)
    assert world.gateway.consent_desk.revoke(STRANGER, consent_id, Revoking("written")) is NOT_FOUND


def test_a_program_that_has_not_chosen_itself_yet_is_told_so_and_not_that_it_may_not() -> None:
    world = a_refused_referral()
    form = a_form(world, disclosers=())
    desk = world.gateway.consent_desk

    assert elements(desk.shortcomings(PAM, form)) == ["EL_DISCLOSER"]
    assert elements(desk.blank(PAM, form)) == ["EL_DISCLOSER"]
    assert elements(desk.shortcomings(STRANGER, form)) == ["EL_DISCLOSER"]


def test_an_operator_without_agreement_sees_none_of_a_programs_consents() -> None:
    world = a_refused_referral()
    consent_id = capture(world, signed(world, a_form(world)))
    operator = world.house.registry.get("org:operator")
    assert operator is not None
    others = [one for one in world.house.registry if one.id != "org:operator"]
    house = replace(world.house, registry=Registry([*others, replace(operator, agreements=())]))
    desk = Gateway(house).consent_desk

    lines = desk.of_record(KIM, record_of(world))

    assert lines is not None
    assert lines.lines == ()
    assert desk.paper(KIM, consent_id) is None


def test_a_blank_form_is_printed_to_be_signed_on_paper() -> None:
    world = a_refused_referral()

    paper = world.gateway.consent_desk.blank(KIM, a_form(world, language="es"))

    assert isinstance(paper, Paper)
    assert paper.content.startswith(b"%PDF-")


def test_the_form_offers_what_the_registry_knows() -> None:
    world = a_world()

    choices = world.gateway.consent_desk.choices("es")

    assert [one.code for one in choices.programs] == ["org:demo-lead", "org:demo-clinic"]
    assert [one.code for one in choices.justice] == ["org:demo-prosecutor"]
    assert "org:operator" not in [one.code for one in choices.recipients]
    assert choices.purposes[0].words == "Mi tratamiento"
    assert [one.words for one in choices.languages] == ["English", "Español"]


def test_the_text_of_a_form_names_its_person_only_to_who_may_take_it() -> None:
    world = a_refused_referral()
    desk = world.gateway.consent_desk

    assert elements(desk.text(STRANGER, a_form(world))) == ["QSOA_NOT_IN_FORCE"]
    assert elements(desk.blank(STRANGER, a_form(world))) == ["QSOA_NOT_IN_FORCE"]


def test_an_operator_without_agreement_begins_no_form_with_the_person_of_a_programs_record() -> None:
    """The form of any organization would name them (42 CFR 2.12(c)(4))."""
    world = a_refused_referral()
    (record,) = world.database.state.handoffs
    world.take(CONTACT)
    (contact,) = set(world.database.state.handoffs) - {record}
    desk = without_agreements(world).gateway.consent_desk

    assert desk.patient_of_record(KIM, record) is None
    assert desk.patient_of_record(KIM, contact) is not None


def test_who_may_not_keep_a_form_does_not_learn_from_it_what_the_person_has_said() -> None:
    world = a_refused_referral()
    form = a_form(world)
    capture(world, replace(form, outcome="refused"))
    desk = without_agreements(world).gateway.consent_desk

    assert elements(desk.shortcomings(KIM, form)) == ["QSOA_NOT_IN_FORCE"]
