"""Records outside of Part 2: what each basis of HIPAA opens for whom, and what the law of a state leaves of them."""

from typing import Any

import pytest

from gateway.catalog.partners import registry_from
from gateway.model.decision import Basis, Permit, Verdict
from gateway.model.labels import ACT_CODE
from gateway.model.partner import Registry
from gateway.model.state_law import EVERYBODY, Allowance, StateRule
from tests.support.part2_world import (
    ACT_REASON,
    OWN,
    PARTNERS,
    a_condition,
    a_consent,
    a_patient,
    a_permit,
    a_restriction,
    alone,
    answer,
    ask,
    organization,
    written_by,
)

Json = dict[str, Any]
FLU = a_condition("flu", "J10.1")
BY_QUARRY = (FLU, written_by("quarry", FLU))
LOCATE = OWN + "purpose|locate"
DUTY = OWN + "purpose|duty"
WIDE = {key: value for key, value in a_permit("shelter").items() if key != "securityLabel"}


def agreed(*purposes: str, **changes: Any) -> Json:
    """A consent from Quarry to the shelter for the records outside of Part 2."""
    codes = [{"system": ACT_REASON, "code": one} for one in purposes]
    permit = {**WIDE, "purpose": codes, "class": [{"code": "Condition"}]}
    return a_consent(permit, organization=[organization("quarry")], **changes)


class TestTheOwnRecord:
    def test_goes_to_the_person_as_what_it_is(self) -> None:
        basis = {"type": "patient_access", "account": "Patient/t1"}

        record = ask(
            records=BY_QUARRY, requester=alone(), recipient="Patient/t1", purpose=["PATRQT"], basis=basis
        ).record

        assert (record.decision, record.reason) == ("PERMIT", "OK_PATIENT")


class TestLookingForAPerson:
    """45 CFR 164.512(f)(2)."""

    BASIS: Json = {"type": "hipaa_locate", "subject": "missing"}
    WHO = (a_patient(), written_by("quarry", a_patient()))

    def outcome(self, to: str = "police", purpose: str = LOCATE, **basis: Any) -> tuple[str, str]:
        return answer(records=self.WHO, recipient=f"org:{to}", purpose=[purpose], basis={**self.BASIS, **basis})

    def test_tells_police_who_and_sends_it_to_legal_review(self) -> None:
        permit = ask(records=self.WHO, recipient="org:police", purpose=[LOCATE], basis=self.BASIS)

        assert isinstance(permit, Permit)
        assert permit.verdicts == (
            Verdict("Patient/t1", "PERMIT", "OK_HIPAA_512F", 900, frozenset({"MIN", "LEGAL_QUEUE"}), None, "non_part2"),
        )

    def test_opens_nothing_to_others_or_for_more_or_without_saying_whom(self) -> None:
        assert self.outcome(to="mercy") == ("DENY", "NO_CONSENT")
        assert self.outcome(purpose="COC") == ("DENY", "LE_NO_BASIS")
        assert self.outcome(subject="") == ("DENY", "LE_NO_BASIS")
        assert self.outcome(type="lawful_custody") == ("DENY", "LE_NO_BASIS")


class TestCustody:
    """45 CFR 164.512(k)(5)."""

    def outcome(self, basis: Json, to: str = "jail", purpose: str = DUTY) -> tuple[str, str]:
        return answer(records=BY_QUARRY, recipient=f"org:{to}", purpose=[purpose], basis=basis)

    def test_opens_it_to_the_clinic_of_a_jail_that_names_itself(self) -> None:
        held = {"type": "lawful_custody", "facility": "County Jail"}

        assert self.outcome(held) == ("PERMIT", "OK_HIPAA_512K5")
        assert self.outcome({**held, "facility": ""}) == ("DENY", "NO_CONSENT")
        assert self.outcome(held, to="mercy") == ("DENY", "NO_CONSENT")
        assert self.outcome({"type": "hipaa_locate", "facility": "County Jail"}) == ("DENY", "NO_CONSENT")
        assert answer(records=BY_QUARRY, recipient="Person/x", by="org:quarry", basis=held)[0] == "DENY"


@pytest.mark.parametrize(
    ("to", "purpose", "basis"),
    [
        ("police", LOCATE, {"type": "hipaa_locate", "subject": "missing"}),
        ("jail", DUTY, {"type": "lawful_custody", "facility": "County Jail"}),
    ],
)
def test_a_restriction_does_not_stand_against_what_the_law_lets_go(to: str, purpose: str, basis: Json) -> None:
    """42 CFR 2.26 is of treatment, payment and operations."""
    who = (a_patient(), written_by("quarry", a_patient()))

    assert answer(
        records=who, recipient=f"org:{to}", purpose=[purpose], basis=basis, facts=[a_patient(), a_restriction(to)]
    )[0] == "PERMIT"  # fmt: skip


class TestAConsent:
    def test_opens_what_needs_one_and_says_what_is_owed(self) -> None:
        permit = ask(agreed("TREAT"), records=BY_QUARRY, recipient="org:shelter")

        assert isinstance(permit, Permit)
        owed = frozenset({"LABEL", "ACCOUNT", "RECHECK"})
        assert permit.verdicts == (
            Verdict("Condition/flu", "PERMIT", "OK_CONSENT", 900, owed, Basis("Consent", "paper", "1"), "non_part2"),
        )

    @pytest.mark.parametrize(
        ("purpose", "outcome"), [("TREAT", ("DENY", "RESTRICTION_AGREED")), ("PATRQT", ("PERMIT", "OK_CONSENT"))]
    )
    def test_yields_to_a_restriction_for_treatment_only(self, purpose: str, outcome: tuple[str, str]) -> None:
        case: Json = {"records": BY_QUARRY, "recipient": "org:shelter", "purpose": [purpose]}

        assert answer(agreed(purpose), facts=[a_restriction("shelter")], **case) == outcome

    def test_of_the_holder_counts_not_one_of_another(self) -> None:
        theirs = agreed("TREAT") | {"organization": [organization("mercy")]}

        assert answer(theirs, records=BY_QUARRY, recipient="org:shelter") == ("DENY", "NO_CONSENT")


class TestTheLawOfAState:
    def under(self, *allowed: Allowance, roles: tuple[str, ...] = (EVERYBODY,), labels: str = "HIV") -> Registry:
        rule = StateRule(
            state="WA",
            data_class="hiv",
            author_roles=frozenset(),
            labels=frozenset({(ACT_CODE, labels)}),
            recipient_roles=frozenset(roles),
            reason="STATE_LAW",
            citation="XX Code 1",
            allowed=allowed,
        )
        return registry_from(PARTNERS, (rule,))

    def allow(self, role: str, *elements: str, purpose: str = "TREAT", minor: bool | None = None) -> Allowance:
        return Allowance(
            role, frozenset({(ACT_REASON, purpose)}), minor, {"Condition": frozenset(elements) if elements else None}
        )

    HIV = a_condition("hiv", "B20")
    BY_QUARRY = (HIV, written_by("quarry", HIV))

    def verdict(self, registry: Registry, *consents: Json, **case: Any) -> Verdict:
        (found,) = ask(*consents, **{"records": self.BY_QUARRY, "registry": registry, **case}).verdicts
        return found

    def test_keeps_what_it_protects_and_says_where_it_stands(self) -> None:
        record = ask(records=self.BY_QUARRY, registry=self.under()).record

        assert (record.decision, record.reason, record.section) == ("DENY", "STATE_LAW", "XX Code 1")

    def test_lets_through_what_every_allowance_lets_through(self) -> None:
        both = self.under(self.allow("provider", "id", "code"), self.allow(EVERYBODY, "code", "subject"))
        whole = self.under(self.allow("provider"), self.allow(EVERYBODY, "code", "subject"))

        assert self.verdict(both).elements == frozenset({"code"})
        assert self.verdict(whole).elements == frozenset({"code", "subject"})
        narrow_first = self.under(self.allow(EVERYBODY, "code"), self.allow("provider"))
        assert self.verdict(narrow_first).elements == frozenset({"code"})
        assert self.verdict(self.under(self.allow("provider"))).elements is None

    def test_lets_through_only_to_whom_and_for_what_it_says(self) -> None:
        for_ems = self.under(self.allow("ems"))

        assert self.verdict(for_ems).outcome == "DENY"
        assert self.verdict(for_ems, recipient="org:squad").outcome == "PERMIT"
        assert self.verdict(for_ems, recipient="org:squad", purpose=["ETREAT"]).outcome == "DENY"

    @pytest.mark.parametrize(("born", "minor", "goes"), [
        ("2008-11-03", True, True), ("2008-11-02", True, False), ("2008-11-02", False, True),
        ("2008-11-03", False, False), (None, True, False), (None, False, True),
    ])  # fmt: skip
    def test_tells_minors_from_adults_at_eighteen(self, born: str | None, minor: bool, goes: bool) -> None:
        registry = self.under(self.allow("provider", minor=minor))

        found = self.verdict(registry, facts=[a_patient(birthDate=born)])

        assert (found.outcome == "PERMIT") is goes

    def test_opens_by_consent_to_others_than_police(self) -> None:
        permit = {**WIDE, "actor": [*WIDE["actor"], *a_permit("police")["actor"]]}
        codes = [{"system": ACT_REASON, "code": "COC"}]
        consent = a_consent(
            {**permit, "purpose": codes, "class": [{"code": "Condition"}]}, organization=[organization("quarry")]
        )

        kept = self.under()

        assert self.verdict(kept, consent, recipient="org:shelter", purpose=["COC"]).reason == "OK_CONSENT"
        assert self.verdict(kept, consent, recipient="org:police", purpose=["COC"]).reason == "STATE_LAW"

    def test_lets_police_have_what_it_allows_them_unless_the_person_refused(self) -> None:
        registry = self.under(self.allow("police", "id", purpose="COC"), roles=("police",))
        case: Json = {"recipient": "org:police", "purpose": ["COC"]}

        assert self.verdict(registry, **case) == Verdict(
            "Condition/hiv", "PERMIT", "OK_NOT_PART2", 900, frozenset({"MIN", "LEGAL_QUEUE"}), None, "non_part2",
            frozenset({"id"}),
        )  # fmt: skip
        assert self.verdict(registry, a_consent(provision={"type": "deny"}), **case).reason == "EXPLICIT_DENY"
        assert self.verdict(registry, facts=[a_restriction("police")], **case).reason == "OK_NOT_PART2"

    def test_lets_nothing_pass_to_police_through_the_hands_of_those_who_treat(self) -> None:
        registry = self.under(self.allow("police", purpose="COC"), roles=("police",))

        found = self.verdict(registry, recipient="org:police", purpose=["COC"], via=["org:squad"])

        assert found.reason == "RECIPIENT_NOT_NAMED"

    def test_takes_an_officer_of_no_department_for_police(self) -> None:
        registry = self.under(self.allow("police", purpose="COC"), roles=("police",))
        found = self.verdict(
            registry, recipient="Person/o", requester=alone("Person/o", "officer"), purpose=["COC"], transport="session"
        )

        assert found.reason == "OK_NOT_PART2"

    def test_tells_types_apart_where_it_speaks_of_an_item_and_nowhere_else(self) -> None:
        registry = self.under(self.allow("provider"))
        seen = {"resourceType": "Observation", "id": "seen", "subject": {"reference": "Patient/t1"}}
        theirs = {**seen, "id": "theirs", "code": self.HIV["code"]}
        items = (FLU, seen, self.HIV, theirs)

        for order in (items, items[::-1]):
            found = ask(records=(*order, written_by("quarry", *items)), registry=registry).verdicts
            assert {one.item: one.outcome for one in found} == {
                "Condition/flu": "PERMIT",
                "Observation/seen": "PERMIT",
                "Condition/hiv": "PERMIT",
                "Observation/theirs": "DENY",
            }

    def test_of_a_label_no_item_bears_changes_nothing(self) -> None:
        assert self.verdict(self.under(labels="SICKLE")).reason == "OK_NOT_PART2"
