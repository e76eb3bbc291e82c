"""What the words of a record about consent come to: four answers stay four, and a form counts for what it states."""

from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.catalog import STARTER
from gateway.catalog.mappings import pack_paths, read_mapping
from gateway.catalog.partners import read_partners
from gateway.consent import agreement, compile_consents, decide, read_facts, read_request
from gateway.formats import read
from gateway.labeling import label
from gateway.mapping import Agency, Context, apply
from gateway.model.decision import DecisionRecord
from gateway.model.draft import Draft
from gateway.model.received import Received
from gateway.model.source_record import SourceRecord

AT = datetime(2026, 6, 1, tzinfo=UTC)
REGISTRY = read_partners(STARTER / "partners")
"""The partners of the starter configuration: among them police, and two Part 2 programs, a LEAD office and a clinic."""


def known(system: str, value: str) -> Agency | None:
    organization = REGISTRY.find(system, value)
    return None if organization is None else Agency(system, value, organization.name, organization.timezone)


def bundles(pack: str, example: str) -> list[dict[str, Any]]:
    """Convert an example as an installation does that knows the partners of the starter configuration."""
    [source] = (pack_paths()[pack] / "examples").glob(f"{example}.in.*")
    mapping = read_mapping(pack_paths()[pack])
    context = Context(key=b"a key for tests", at=AT, agencies=known)
    items = read(Received.of_bytes(source.name, source.read_bytes()), mapping.layout)
    outcomes = [apply(item, mapping, context) for item in items if isinstance(item, SourceRecord)]
    return [outcome.bundle for outcome in outcomes if isinstance(outcome, Draft)]


class Case:
    """A referral on its way from `agency` to the recovery clinic."""

    def __init__(self, bundle: dict[str, Any], agency: str) -> None:
        entries = bundle["entry"]
        consents = [one for one in entries if one["resource"]["resourceType"] == "Consent"]
        self.patient = next(one["resource"] for one in entries if one["resource"]["resourceType"] == "Patient")
        self.agency = agency
        self.records = label(bundle, REGISTRY, AT)
        self.consents = compile_consents({**bundle, "entry": consents}, REGISTRY)
        self.facts = read_facts([self.patient], REGISTRY, AT)
        self.request = read_request(
            {
                "requester": {
                    "organization": agency,
                    "authenticated_as": agency,
                    "person": {"id": "delivery", "role": "worker"},
                },
                "recipient": "org:demo-clinic",
                "purpose": ["TREAT"],
                "patient": f"Patient/{self.patient['id']}",
                "transport": "hl7v2",
            }
        )

    def agreed(self) -> str:
        """Return why the person's agreement stops it, or "goes on"."""
        refusal = agreement(
            self.request, self.records, self.consents, registry=REGISTRY, at=AT, agency=self.agency, facts=self.facts
        )
        return refusal.record.reason if refusal else "goes on"

    def decided(self) -> DecisionRecord:
        outcome = decide(self.request, self.records, self.consents, registry=REGISTRY, at=AT, facts=self.facts)
        return outcome.record


def test_each_answer_about_consent_has_its_own_end() -> None:
    answers = bundles("co-responder-contact", "03-yes-no-taken-back-not-asked")
    ends = [Case(bundle, "org:demo-pd").agreed() for bundle in answers]
    assert ends == [
        "goes on",  # a dated verbal yes is enough where no Part 2 program is the author
        "EXPLICIT_DENY",  # refused
        "EXPLICIT_DENY",  # given and taken back
        "NO_CONSENT",  # not asked
        "NO_CONSENT",  # said not to be needed: nothing is stated
        "NO_CONSENT",  # left blank
    ]


def test_a_form_whose_columns_state_every_element_permits_the_part_2_part() -> None:
    [bundle] = bundles("lead-referral", "02-enrolled-with-goals-and-needs")
    decision = Case(bundle, "org:demo-lead").decided()
    assert (decision.decision, decision.reason, decision.withheld) == ("PERMIT", "OK_CONSENT", ())


def test_signed_without_the_signed_paper_lets_only_the_police_part_go() -> None:
    [bundle] = bundles("lead-referral", "05-the-same-names-as-json")
    decision = Case(bundle, "org:demo-lead").decided()
    assert (decision.decision, decision.reason) == ("PERMIT_REDACTED", "CONSENT_DEFICIENT:EL_SIGNATURE")
    assert sorted({reference.split("/")[0] for reference in decision.withheld}) == [
        "CarePlan",
        "Consent",
        "DocumentReference",
        "Goal",
        "ServiceRequest",
        "Task",
    ]


@pytest.mark.parametrize(
    ("column", "value", "missing"),
    [
        ("roi_document", "", "EL_SIGNATURE"),
        ("roi_scope", "", "EL_INFO"),
        ("roi_recipient", "", "EL_RECIPIENT"),
        ("roi_purpose", "", "EL_PURPOSE"),
        ("roi_expires", "", "EL_EXPIRY"),
        ("roi_statements", "redisclosure;tpo_warning;refusal_consequences", "EL_REVOCATION"),
        ("roi_statements", "revocation_right;redisclosure", "EL_TPO_STATEMENTS"),
    ],
)
def test_a_column_left_blank_is_an_element_not_stated(column: str, value: str, missing: str) -> None:
    mapping = read_mapping(pack_paths()["lead-referral"])
    [source] = (pack_paths()["lead-referral"] / "examples").glob("02-*.in.csv")
    [record] = read(Received.of_bytes(source.name, source.read_bytes()), mapping.layout)
    assert isinstance(record, SourceRecord)
    record.rows[0].pop(column)
    record.rows[0].update({column: value} if value else {})
    draft = apply(record, mapping, Context(key=b"a key for tests", at=AT, agencies=known))
    assert isinstance(draft, Draft)
    assert Case(draft.bundle, "org:demo-lead").decided().reason == f"CONSENT_DEFICIENT:{missing}"
