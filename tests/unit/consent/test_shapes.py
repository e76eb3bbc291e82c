"""Consents in the shapes other systems write: read as they mean it, or not at all."""

import json
from typing import Any

import pytest

from gateway.consent import compile_consents, disclosers_of
from gateway.consent.shapes import normalized, subject_of
from gateway.model.consent_directive import Directive
from gateway.model.fhir_time import instant
from tests.support.part2_world import (
    PATIENT_REFERENCE,
    STATEMENTS,
    T0,
    a_condition,
    a_consent,
    a_permit,
    answer,
    ask,
    bundle,
    labels,
    organization,
    purpose,
    recipient,
    world,
    written_by,
)
from tests.support.shared_data import shared_data

Json = dict[str, Any]

R5_IN_R4 = "http://hl7.org/fhir/5.0/StructureDefinition/extension-Consent."
UNREADABLE = ("DENY", "UNPARSEABLE")
PERMITTED = ("PERMIT", "OK_CONSENT")


def an_r5_consent(**changes: Any) -> Json:
    """The complete written consent from Aspen to Mercy for treatment, as FHIR R5 writes it."""
    r4 = a_consent()
    consent = {
        **{key: r4[key] for key in ("resourceType", "id", "meta", "extension", "status", "category")},
        "subject": PATIENT_REFERENCE,
        "date": "2026-09-01",
        "period": {"start": "2026-09-01", "end": "2026-12-31"},
        "grantor": [PATIENT_REFERENCE],
        "grantee": [organization("mercy")],
        "controller": [organization("aspen")],
        "sourceReference": [{"reference": "DocumentReference/form"}],
        "decision": "deny",
        "provision": [an_r5_provision()],
        **changes,
    }
    return {key: value for key, value in consent.items() if value is not None}


def an_r5_provision(**changes: Any) -> Json:
    return {
        "actor": [recipient("mercy")],
        "purpose": [purpose("TREAT")],
        "securityLabel": labels("42CFRPart2"),
        **changes,
    }


def a_fast_consent(*names: str) -> Json:
    """An R4 consent whose disclosers are R5's elements as extensions, for FAST forbids `organization`."""
    extensions = [{"url": R5_IN_R4 + name, "valueReference": organization("aspen")} for name in names]
    return a_consent(without=["organization"], extensions=extensions)


def compiled(*entries: Json) -> tuple[Directive, ...]:
    consents = compile_consents({"entry": list(entries)}, world())
    return tuple(history[-1] for history in consents.histories)


class TestR5:
    def test_the_same_consent_decides_the_same(self) -> None:
        assert answer(an_r5_consent()) == answer(a_consent()) == PERMITTED

    def test_the_paper_is_cited_and_kept_as_it_was_written(self) -> None:
        (directive,) = compiled({"resource": an_r5_consent()})

        assert directive.resource == an_r5_consent()
        assert directive.period == (instant("2026-09-01T07:00:00Z"), instant("2027-01-01T08:00:00Z"))

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            ({"period": {"start": "2026-09-01", "end": "2026-10-31"}}, "CONSENT_EXPIRED"),
            ({"period": None}, "CONSENT_DEFICIENT:EL_EXPIRY"),
            ({"grantor": None}, "CONSENT_DEFICIENT:EL_SIGNATURE"),
            ({"sourceReference": None}, "CONSENT_DEFICIENT:EL_SIGNATURE"),
            ({"date": None}, "CONSENT_DEFICIENT:EL_DATE"),
            ({"controller": None}, "CONSENT_DEFICIENT:EL_DISCLOSER"),
            ({"controller": [organization("birch")]}, "DISCLOSER_NOT_NAMED"),
            ({"provision": [an_r5_provision(actor=[recipient("quarry")])]}, "RECIPIENT_NOT_NAMED"),
            ({"provision": [an_r5_provision(actor=[])]}, "CONSENT_DEFICIENT:EL_RECIPIENT"),
            ({"status": "inactive"}, "CONSENT_NOT_ACTIVE"),
        ],
    )
    def test_each_element_is_found_where_r5_keeps_it(self, change: Json, reason: str) -> None:
        assert answer(an_r5_consent(**change)) == ("DENY", reason)

    def test_who_manages_it_discloses_where_no_controller_is_named(self) -> None:
        managed = {"controller": None, "manager": [organization("aspen")]}

        assert answer(an_r5_consent(**managed)) == PERMITTED
        assert answer(an_r5_consent(manager=[organization("birch")])) == PERMITTED

    def test_a_subject_who_is_nobody_stated_is_the_missing_patient(self) -> None:
        assert answer(an_r5_consent(subject=None)) == ("DENY", "CONSENT_DEFICIENT:EL_PATIENT")

    def test_who_must_comply_is_no_recipient_by_that(self) -> None:
        paper = an_r5_consent(provision=[an_r5_provision(actor=[])], grantee=[organization("mercy")])

        assert answer(paper) == ("DENY", "CONSENT_DEFICIENT:EL_RECIPIENT")

    def test_a_provision_under_a_permit_is_a_refusal(self) -> None:
        refusal = an_r5_consent(id="no", decision="permit")

        assert answer(refusal, a_consent()) == ("DENY", "EXPLICIT_DENY")
        assert answer(refusal, a_consent(a_permit("quarry")), recipient="org:quarry") == PERMITTED

    def test_a_nested_provision_is_the_exception_to_its_exception(self) -> None:
        hiv = {**a_condition("b20", "B20")}
        records = [a_condition(), hiv, written_by("aspen", a_condition(), hiv)]
        paper = an_r5_consent(provision=[an_r5_provision(provision=[{"securityLabel": labels("HIV")}])])

        record = ask(paper, records=records).record

        assert (record.decision, record.reason, record.withheld) == (
            "PERMIT_REDACTED",
            "EXPLICIT_DENY",
            ("Condition/b20",),
        )

    def test_resource_types_narrow_a_provision(self) -> None:
        only = [{"system": "http://hl7.org/fhir/resource-types", "code": "Encounter"}]

        assert answer(an_r5_consent(provision=[an_r5_provision(resourceType=only)])) == ("DENY", "SCOPE_NOT_COVERED")

    def test_a_deny_with_nothing_under_it_refuses_everything(self) -> None:
        assert answer(an_r5_consent(id="no", provision=None), a_consent()) == ("DENY", "EXPLICIT_DENY")

    @pytest.mark.parametrize(
        "change",
        [
            {"patient": PATIENT_REFERENCE},
            {"scope": {"coding": [{"code": "patient-privacy"}]}},
            {"decision": None},
            {"decision": "maybe"},
            {"provision": an_r5_provision()},
            {"provision": [{**an_r5_provision(), "type": "permit"}]},
            {"provision": [an_r5_provision(expression={"language": "text/fhirpath", "expression": "true"})]},
            {"provision": [an_r5_provision(documentType=[{"code": "x"}])]},
            {"subject": {"reference": "Group/everybody"}},
            {"except": []},
        ],
    )
    def test_what_cannot_be_read_safely_stops_everything(self, change: Json) -> None:
        assert answer(an_r5_consent(id="odd", **change), a_consent()) == UNREADABLE

    def test_provisions_too_deep_are_not_read(self) -> None:
        deep: Json = an_r5_provision()
        for _ in range(40):
            deep = {"provision": [deep]}

        assert answer(an_r5_consent(provision=[deep])) == UNREADABLE


class TestFast:
    @pytest.mark.parametrize("names", [("controller",), ("manager",), ("controller", "grantee", "grantor")])
    def test_the_discloser_stands_in_an_extension(self, names: tuple[str, ...]) -> None:
        assert answer(a_fast_consent(*names)) == PERMITTED

    def test_a_guide_may_name_the_extension_after_itself(self) -> None:
        url = "https://guide.example/StructureDefinition/consent-controller"
        extensions = [{"url": url, "valueReference": organization("aspen")}]

        assert answer(a_consent(without=["organization"], extensions=extensions)) == PERMITTED

    def test_who_only_manages_the_paper_does_not_disclose_beside_a_controller(self) -> None:
        extensions = [
            {"url": R5_IN_R4 + "controller", "valueReference": organization("birch")},
            {"url": R5_IN_R4 + "manager", "valueReference": organization("aspen")},
        ]

        assert answer(a_consent(without=["organization"], extensions=extensions)) == ("DENY", "DISCLOSER_NOT_NAMED")

    def test_without_it_nobody_may_disclose(self) -> None:
        assert answer(a_fast_consent()) == ("DENY", "CONSENT_DEFICIENT:EL_DISCLOSER")

    @pytest.mark.parametrize("name", ["decision", "period", "provision.expression"])
    def test_an_element_that_changes_the_meaning_is_not_left_out(self, name: str) -> None:
        extensions = [{"url": R5_IN_R4 + name, "valueCode": "deny"}]

        assert answer(a_consent(extensions=extensions)) == UNREADABLE


class TestR4:
    @pytest.mark.parametrize("element", ["except", "actor", "purpose", "dataPeriod", "consentingParty"])
    def test_an_element_of_an_older_version_is_not_left_out(self, element: str) -> None:
        assert answer(a_consent(**{element: []})) == UNREADABLE

    @pytest.mark.parametrize("condition", ["documentType", "expression", "resourceType", "whatever"])
    def test_a_condition_nobody_can_match_is_not_left_out(self, condition: str) -> None:
        assert answer(a_consent({**a_permit(), condition: [{"code": "x"}]})) == UNREADABLE

    def test_a_refusal_of_a_content_type_cannot_be_kept_and_stops_everything(self) -> None:
        documents = [{"system": "urn:ietf:bcp:13", "code": "application/hl7-cda+xml"}]

        assert answer(a_consent(id="no", provision={"type": "deny", "class": documents}), a_consent()) == UNREADABLE

    def test_a_permit_of_a_content_type_permits_nothing(self) -> None:
        documents = [{"system": "urn:ietf:bcp:13", "code": "Condition"}]

        assert answer(a_consent({**a_permit(), "class": documents})) == ("DENY", "SCOPE_NOT_COVERED")

    def test_an_actor_in_another_role_is_no_recipient(self) -> None:
        witness = {**recipient("mercy"), "role": {"coding": [{"code": "WIT"}]}}

        assert answer(a_consent(a_permit(actor=[witness]))) == ("DENY", "CONSENT_DEFICIENT:EL_RECIPIENT")

    def test_one_nesting_level_is_enough(self) -> None:
        """IHE PCF writes a base rule and one level of exceptions."""
        assert answer(a_consent()) == PERMITTED

    def test_no_recipient_is_nobody_and_not_everybody(self) -> None:
        """IHE PCF reads an empty actor as everyone; 42 CFR 2.31(a)(4) does not."""
        assert answer(a_consent(a_permit(actor=[]))) == ("DENY", "CONSENT_DEFICIENT:EL_RECIPIENT")


def test_what_has_the_shape_of_our_own_is_not_written_anew() -> None:
    paper = a_consent()

    assert normalized(paper, {}) is paper


class TestWhatComesAlong:
    ASPEN = {
        "resourceType": "Organization",
        "id": "o1",
        "identifier": [{"system": "urn:x", "value": "unknown"}, organization("aspen")["identifier"]],
    }
    STRANGER = {"resourceType": "Organization", "id": "o1", "identifier": [organization("birch")["identifier"]]}

    def paper(self) -> Json:
        """As SDOHCC writes it: the organization by a literal reference."""
        return a_consent(organization=[{"reference": "Organization/o1"}])

    def test_an_organization_beside_the_consent_is_found_by_its_identifier(self) -> None:
        (directive,) = compiled({"resource": self.paper()}, {"resource": self.ASPEN})

        assert [party.organization for party in directive.disclosers] == ["org:aspen"]

    def test_without_it_nobody_knows_who_discloses(self) -> None:
        assert answer(self.paper()) == ("DENY", "DISCLOSER_NOT_NAMED")

    @pytest.mark.parametrize(
        "beside", [{"resourceType": "Organization", "id": "o1"}, {**ASPEN, "resourceType": "HealthcareService"}]
    )
    def test_what_has_no_identifier_or_is_no_organization_is_nobody_the_registry_knows(self, beside: Json) -> None:
        (directive,) = compiled({"resource": self.paper()}, {"resource": beside})

        assert directive.readable
        assert [party.organization for party in directive.disclosers] == [None]

    @pytest.mark.parametrize("reference", ["", "Organization/", "Organization/None"])
    def test_an_organization_without_an_address_is_what_no_reference_points_to(self, reference: str) -> None:
        nowhere = {key: value for key, value in self.ASPEN.items() if key != "id"}
        paper = a_consent(organization=[{"reference": reference}])

        (directive,) = compiled({"resource": paper}, {"resource": nowhere})

        assert not any(party.organization for party in directive.disclosers)

    @pytest.mark.parametrize("server", ["https://b.example/fhir/", "https://b.example/Consent/"])
    @pytest.mark.parametrize("is_relative", [True, False])
    def test_a_relative_reference_is_of_the_consents_own_server(self, server: str, is_relative: bool) -> None:
        reference = "Organization/o1" if is_relative else f"{server}Organization/o1"
        entries = [
            {
                "fullUrl": f"{server}Consent/paper",
                "resource": a_consent(organization=[{"reference": reference}]),
            },
            {"fullUrl": "https://a.example/fhir/Organization/o1", "resource": self.STRANGER},
            {"fullUrl": "https://warmhandoff.example/fhir/Organization/o1", "resource": self.STRANGER},
            {"fullUrl": f"{server}Organization/o1", "resource": self.ASPEN},
        ]

        (directive,) = compiled(*entries)

        assert [party.organization for party in directive.disclosers] == ["org:aspen"]


class TestWhoDiscloses:
    """Whose word a consent is, is asked of the same reader that lets it be relied on."""

    @pytest.mark.parametrize(
        ("paper", "disclosers"),
        [
            (a_consent(), {"org:aspen"}),
            (a_consent(without=["id"]), {"org:aspen"}),
            (a_fast_consent("controller"), {"org:aspen"}),
            (an_r5_consent(), {"org:aspen"}),
            (a_consent(organization=[organization("mercy"), organization("unheard-of")]), {"org:mercy", None}),
            (a_consent(without=["organization"]), set()),
            (a_consent(implicitRules="urn:x"), set()),
        ],
    )
    def test_wherever_the_paper_names_them(self, paper: Json, disclosers: set[str | None]) -> None:
        assert disclosers_of(paper, world()) == disclosers

    def test_also_as_an_actor_of_a_provision(self) -> None:
        custodian = {"role": {"coding": [{"code": "CST"}]}, "reference": organization("aspen")}
        paper = a_consent(a_permit(actor=[recipient("mercy"), custodian]), organization=[organization("mercy")])

        assert disclosers_of(paper, world()) == {"org:mercy", "org:aspen"}


EXAMPLES = {
    "sdohcc/Consent-SDOHCC-ConsentInformationDisclosureExample.json": {"EL_INFO", "EL_PURPOSE", "EL_EXPIRY"},
    "fast-consent/Consent-ConsentExample.json": {"EL_DISCLOSER", "EL_INFO", "EL_PURPOSE", "EL_EXPIRY"},
    "bser/Consent-consent-bser-patientconsent-baby-everybaby.json": {"EL_INFO", "EL_PURPOSE", "EL_EXPIRY"},
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_published_example_is_read_and_told_what_42_cfr_2_31_misses(name: str) -> None:
    resource = json.loads(shared_data("exchange", "examples", *name.split("/")).read_text(encoding="utf-8"))

    (directive,) = compiled({"resource": resource})

    assert directive.readable
    assert all(grant.lacks >= EXAMPLES[name] for grant in directive.grants)


def test_our_own_statements_are_known_in_every_shape() -> None:
    directives = compiled({"resource": an_r5_consent()}, {"resource": {**a_fast_consent("controller"), "id": "fast"}})

    assert all(one.statements == set(STATEMENTS) for one in directives)


def test_bundles_of_both_versions_are_one_person() -> None:
    refusal = an_r5_consent(id="no", decision="permit")

    assert bundle(refusal)["entry"][0]["resource"]["subject"] == PATIENT_REFERENCE
    assert answer(a_consent(), refusal, at=T0) == ("DENY", "EXPLICIT_DENY")


@pytest.mark.parametrize(
    ("consent", "told"),
    [
        (a_consent(subject=PATIENT_REFERENCE), "elements of no version of Consent, or of two"),
        (a_consent(unheardOf=True), "elements of no version of Consent, or of two"),
        (
            a_consent(extensions=[{"url": R5_IN_R4 + "decision", "valueCode": "deny"}]),
            "an element of R5 that changes the meaning of an R4 Consent",
        ),
        (
            a_consent(a_permit(expression={"language": "text/fhirpath"})),
            "a provision with a condition nobody can match, or nested too deep",
        ),
        (
            an_r5_consent(provision=[an_r5_provision(documentType=[{"code": "x"}])]),
            "a provision with a condition nobody can match, or nested too deep",
        ),
        (an_r5_consent(subject={"reference": "Group/all"}), "a consent of somebody else than one patient"),
        (
            an_r5_consent(decision="maybe"),
            "expected a base decision, permit or deny, and a list of provisions",
        ),
        (
            an_r5_consent(provision=an_r5_provision()),
            "expected a base decision, permit or deny, and a list of provisions",
        ),
    ],
)
def test_a_shape_nobody_reads_says_why(consent: Json, told: str) -> None:
    with pytest.raises(ValueError) as caught:
        normalized(consent, {})

    assert str(caught.value) == told


def test_provisions_are_read_to_the_same_depth_in_both_shapes() -> None:
    def r4(depth: int) -> Json:
        return {"type": "permit", **({"provision": [r4(depth - 1)]} if depth else {})}

    def r5(depth: int) -> Json:
        return {"provision": [r5(depth - 1)]} if depth else {}

    normalized(a_consent(provision=r4(16)), {})
    normalized(an_r5_consent(provision=[r5(15)]), {})
    with pytest.raises(ValueError, match="nested too deep"):
        normalized(a_consent(provision=r4(17)), {})
    with pytest.raises(ValueError, match="nested too deep"):
        normalized(an_r5_consent(provision=[r5(16)]), {})


@pytest.mark.parametrize(
    ("subject", "is_one"),
    [
        ({"reference": "Patient/1"}, True),
        ({"reference": "https://elsewhere.example/fhir/Patient/1"}, True),
        ({"reference": "urn:uuid:1"}, True),
        ({"type": "Patient", "identifier": {"value": "1"}}, True),
        ({"identifier": {"value": "1"}}, True),
        ({"reference": "Group/1"}, False),
        ({"reference": "https://elsewhere.example/fhir/Group/1"}, False),
        ({"type": "Group", "identifier": {"value": "1"}}, False),
        ("Patient/1", False),
        (None, False),
    ],
)
def test_whose_it_is_can_be_told_of_a_patient_only(subject: Any, is_one: bool) -> None:
    for element in ("patient", "subject"):
        assert subject_of({element: subject}) == (subject if is_one else None)


def test_what_is_told_about_an_element_is_no_other_element() -> None:
    assert answer(a_consent(_dateTime={"extension": [{"url": "urn:x", "valueString": "y"}]})) == PERMITTED


def test_a_provision_may_state_everything_there_is() -> None:
    every = ("id", "extension", "modifierExtension", "period", "actor", "action", "securityLabel", "purpose", "code",
             "dataPeriod", "data", "provision")  # fmt: skip
    stated: Json = {name: [] for name in every}

    assert normalized(a_consent(provision={**stated, "type": "deny", "class": []}), {})["provision"]["class"] == []
    assert normalized(an_r5_consent(provision=[{**stated, "resourceType": []}]), {})["provision"]["provision"]


class TestDisclosersOfTwoPlaces:
    def test_are_those_of_the_element_and_those_of_the_extension_together(self) -> None:
        both = {**a_fast_consent("controller"), "organization": [organization("birch")]}

        assert disclosers_of(both, world()) == {"org:aspen", "org:birch"}

    def test_may_stand_one_level_deeper_in_the_extension(self) -> None:
        deeper = {"url": R5_IN_R4 + "controller", "extension": [{"url": "x", "valueReference": organization("aspen")}]}

        assert disclosers_of(a_consent(without=["organization"], extensions=[deeper]), world()) == {"org:aspen"}

    def test_are_whom_the_paper_numbers_itself_whatever_comes_with_it(self) -> None:
        clinic = {"resourceType": "Organization", "id": "o", "identifier": [organization("aspen")["identifier"]]}
        numbered = a_consent(organization=[{"reference": "Organization/o", **organization("birch")}])
        pointing = a_consent(organization=[{"reference": "Organization/o"}])

        def disclosers(consent: Json) -> list[str | None]:
            (found,) = compiled({"resource": clinic}, {"resource": consent})
            return [party.organization for party in found.disclosers]

        actor = {"role": {"coding": [{"code": "CST"}]}, "reference": {"reference": "Organization/o"}}
        (inside,) = compiled({"resource": clinic}, {"resource": a_consent(a_permit(actor=[actor]))})

        assert [party.organization for party in inside.grants[0].disclosers] == ["org:aspen"]
        assert disclosers(pointing) == ["org:aspen"]
        assert disclosers(numbered) == ["org:birch"]
