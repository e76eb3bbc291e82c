"""42 CFR 2.20: state law that is stricter, as data. Washington is shipped; another state is a file, not code."""

from pathlib import Path
from typing import Any

import pytest

from gateway.catalog.partners import read_partner_entries, read_partners, registry_from
from gateway.catalog.state_law import read_state_law, shipped_state_law
from gateway.model.errors import ConfigurationError
from gateway.model.partner import Registry
from tests.support.part2_world import (
    OWN,
    PARTNERS,
    a_condition,
    a_consent,
    a_patient,
    a_permit,
    answer,
    ask,
    disclosed,
    labels,
    organization,
    written_by,
)

Json = dict[str, Any]

DUTY = [OWN + "purpose|duty"]
STAY = {
    "resourceType": "Encounter",
    "id": "stay",
    "status": "finished",
    "subject": {"reference": "Patient/t1"},
    "period": {"start": "2026-10-01", "end": "2026-10-04"},
    "reasonCode": [{"text": "crisis"}],
}
FLU = a_condition("flu", "J10.1")
HIV_TEST = a_condition("hiv", "B20")
MINOR = a_patient(birthDate="2011-03-09")

XX = """
state: XX
rules:
  - data_class: hiv
    labels: [HIV]
    recipient_roles: [everybody]
    citation: XX Code 1-2-3
    allow:
      - recipient_role: ems
        purposes: [ETREAT]
        elements: {Condition: [id, code, subject]}
  - data_class: mental_health
    author_roles: [mental_health]
    recipient_roles: [provider]
    citation: XX Code 4-5
    allow:
      - recipient_role: provider
        purposes: [TREAT]
        minor: false
        elements: {Condition: all}
"""


def in_state(state: str, tmp_path: Path, law: str = "") -> Registry:
    """The world with every partner in one state, and that state's law as a file of the site."""
    if law:
        folder = tmp_path / "law"
        folder.mkdir()
        (folder / f"{state}.yaml").write_text(law, encoding="utf-8")
    return registry_from([{**one, "state": state} for one in PARTNERS], read_state_law(tmp_path / "law"))


class TestWashington:
    """RCW 70.02.230 and 70.02.240."""

    RECORDS = (STAY, FLU, written_by("minds", STAY, FLU))
    CASE: Json = {"records": RECORDS, "recipient": "org:police", "purpose": DUTY}

    def test_of_an_adult_an_officer_on_duty_learns_nothing(self) -> None:
        record = ask(**self.CASE).record

        assert (record.decision, record.reason, record.section) == ("DENY", "STATE_MH", "RCW 70.02.230; 70.02.240")

    def test_of_a_minor_the_fact_and_the_dates(self) -> None:
        content = disclosed(facts=[MINOR], **self.CASE).content

        (stay,) = [one["resource"] for one in content["entry"] if one["resource"]["resourceType"] == "Encounter"]
        assert set(stay) == {"resourceType", "id", "meta", "status", "subject", "period"}
        assert [one["resource"]["resourceType"] for one in content["entry"]].count("Condition") == 0

    def test_only_on_duty(self) -> None:
        assert answer(facts=[MINOR], **{**self.CASE, "purpose": ["COC"]}) == ("DENY", "STATE_MH")

    def test_an_officer_who_asks_for_somebody_else_is_police_too(self) -> None:
        basis = {"type": "hipaa_locate", "subject": "missing person"}
        case: Json = {"recipient": "org:quarry", "purpose": [OWN + "purpose|locate"], "role": "detective"}

        assert answer(records=self.RECORDS, basis=basis, **case) == ("DENY", "STATE_MH")

    def test_another_provider_may_treat_on_it(self) -> None:
        assert answer(records=self.RECORDS) == ("PERMIT", "OK_NOT_PART2")

    def test_a_refusal_of_the_person_stands_over_what_the_state_allows(self) -> None:
        refusal = a_consent(id="no", provision={"type": "deny"})

        assert answer(refusal, facts=[MINOR], **self.CASE) == ("DENY", "STATE_MH")

    def test_what_no_mental_health_service_wrote_is_not_meant(self) -> None:
        case = {**self.CASE, "records": (FLU, written_by("quarry", FLU))}

        assert answer(**case) == ("DENY", "LE_NO_BASIS")

    def test_it_is_shipped(self) -> None:
        assert [rule.state for rule in shipped_state_law()] == ["WA"]


class TestAnotherState:
    """XX is invented: what it forbids stands in a file that this test writes."""

    def test_without_a_file_hipaa_alone_decides(self, tmp_path: Path) -> None:
        records = (HIV_TEST, written_by("quarry", HIV_TEST))

        assert answer(records=records, registry=in_state("XX", tmp_path)) == ("PERMIT", "OK_NOT_PART2")

    def test_its_file_keeps_back_what_hipaa_would_let_go(self, tmp_path: Path) -> None:
        records = (HIV_TEST, written_by("quarry", HIV_TEST))

        record = ask(records=records, registry=in_state("XX", tmp_path, XX)).record

        assert (record.decision, record.reason, record.section) == ("DENY", "STATE_LAW", "XX Code 1-2-3")

    def test_neighbours_of_another_class_go(self, tmp_path: Path) -> None:
        records = (HIV_TEST, FLU, written_by("quarry", HIV_TEST, FLU))

        record = ask(records=records, registry=in_state("XX", tmp_path, XX)).record

        assert (record.decision, record.withheld) == ("PERMIT_REDACTED", ("Condition/hiv",))

    def test_what_it_lists_goes_and_nothing_beside_it(self, tmp_path: Path) -> None:
        noted = {**HIV_TEST, "recordedDate": "2026-10-01"}
        case: Json = {"records": (noted, written_by("quarry", noted)), "purpose": ["ETREAT"], "recipient": "org:squad"}

        content = disclosed(registry=in_state("XX", tmp_path, XX), **case).content

        (condition,) = [one["resource"] for one in content["entry"] if one["resource"]["resourceType"] == "Condition"]
        assert set(condition) == {"resourceType", "id", "meta", "code", "subject"}

    @pytest.mark.parametrize("order", [1, -1])
    def test_a_kind_of_record_it_does_not_list_stays_beside_one_that_it_does(self, tmp_path: Path, order: int) -> None:
        seen = {**HIV_TEST, "resourceType": "Observation", "id": "seen"}
        records = (*(HIV_TEST, seen)[::order], written_by("quarry", HIV_TEST, seen))
        case: Json = {"records": records, "purpose": ["ETREAT"], "recipient": "org:squad"}

        record = ask(registry=in_state("XX", tmp_path, XX), **case).record

        assert (record.decision, record.withheld) == ("PERMIT_REDACTED", ("Observation/seen",))

    def test_a_consent_of_the_person_opens_it(self, tmp_path: Path) -> None:
        paper = a_consent(a_permit(securityLabel=labels("HIV")), organization=[organization("quarry")])
        records = (HIV_TEST, written_by("quarry", HIV_TEST))

        assert answer(paper, records=records, registry=in_state("XX", tmp_path, XX)) == ("PERMIT", "OK_CONSENT")

    def test_the_stricter_of_two_rules_wins(self, tmp_path: Path) -> None:
        both = (HIV_TEST, written_by("minds", HIV_TEST))

        assert answer(records=both, registry=in_state("XX", tmp_path, XX)) == ("DENY", "STATE_LAW")

    @pytest.mark.parametrize(("born", "outcome"), [("1980-01-31", "PERMIT"), ("2012-01-31", "DENY")])
    def test_of_adults_and_of_minors(self, tmp_path: Path, born: str, outcome: str) -> None:
        case: Json = {"records": (FLU, written_by("minds", FLU)), "facts": [a_patient(birthDate=born)]}

        assert answer(registry=in_state("XX", tmp_path, XX), **case)[0] == outcome

    def test_it_says_nothing_about_records_of_other_states(self, tmp_path: Path) -> None:
        registry = in_state("WA", tmp_path, XX)

        assert answer(records=(HIV_TEST, written_by("quarry", HIV_TEST)), registry=registry)[0] == "PERMIT"

    def test_a_part_2_record_still_needs_its_consent(self, tmp_path: Path) -> None:
        """42 CFR 2.20: no state law authorizes what Part 2 forbids."""
        case: Json = {"purpose": ["ETREAT"], "recipient": "org:squad"}

        assert answer(
            records=(HIV_TEST, written_by("aspen", HIV_TEST)), registry=in_state("XX", tmp_path, XX), **case
        ) == ("DENY", "NO_CONSENT")


class TestTheFiles:
    def site(self, tmp_path: Path, law: str) -> Path:
        for name, text in (
            ("partners/a.yaml", "id: org:a\nname: A\nstate: XX\nroles: [provider]\n"),
            ("law/XX.yaml", law),
        ):
            (tmp_path / name).parent.mkdir()
            (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path / "partners"

    def test_a_site_keeps_its_own_beside_its_partners(self, tmp_path: Path) -> None:
        registry = read_partners(self.site(tmp_path, XX))

        assert {rule.state for rule in registry.state_law} == {"WA", "XX"}

    def test_a_decision_tells_which_law_it_was_made_with(self, tmp_path: Path) -> None:
        folder = self.site(tmp_path, XX)

        with_law, without = read_partners(folder), registry_from(read_partner_entries(folder))

        assert with_law.digest != without.digest

    @pytest.mark.parametrize(
        ("line", "named"),
        [
            ("labels: [HIV]", "labels"),
            ("citation: XX Code 1-2-3", "citation"),
            ("recipient_role: ems", "recipient_role"),
        ],
    )
    def test_a_rule_that_leaves_something_out_stops_the_start(self, tmp_path: Path, line: str, named: str) -> None:
        with pytest.raises(ConfigurationError, match=r"XX\.yaml:\d+:\d+"):
            read_partners(self.site(tmp_path, XX.replace(line, f"{named}_x: 1")))

    def test_a_role_nobody_has_stops_the_start(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigurationError, match=r"XX\.yaml:4:5: everyone: expected a role"):
            read_partners(self.site(tmp_path, XX.replace("everybody", "everyone")))
