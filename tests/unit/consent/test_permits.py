"""What each kind of consent permits: its reason, what is owed, and to what the recipient is bound."""

from typing import Any

from gateway.model.decision import Basis, Verdict
from tests.support.part2_world import (
    EXTENSION,
    OWN,
    a_class,
    a_consent,
    a_permit,
    an_open_visit,
    ask,
    written_by,
)

Json = dict[str, Any]
CLAIM = {"resourceType": "Claim", "id": "c1", "patient": {"reference": "Patient/t1"}}
OWN_PURPOSE = OWN + "purpose|"


def verdict(*consents: Json, **case: Any) -> Verdict:
    (found,) = ask(*consents, **case).verdicts
    return found


class TestWhatEachKindOfConsentPermits:
    OWED = frozenset({"NOTICE", "CONSENT_COPY", "LABEL", "ACCOUNT", "PROCEEDINGS_BAR", "RECHECK"})

    def permitted(self, reason: str, release: str, *more: str) -> Verdict:
        basis = Basis("Consent", "paper", "1")
        return Verdict("Condition/f1120", "PERMIT", reason, 1300, self.OWED | {*more}, basis, release)

    def test_a_registry_is_bound_to_what_it_is_for(self) -> None:
        paper = a_consent(a_permit("registry", purposes=["own:enrollment-check"]), kind="central-registry")

        found = verdict(paper, recipient="org:registry", purpose=[OWN_PURPOSE + "enrollment-check"])

        assert found == self.permitted("OK_REGISTRY", "bound", "NO_REDISCLOSE")

    def test_a_court_is_bound_to_what_it_ordered(self) -> None:
        paper = a_consent(
            a_permit("court", purposes=["own:monitoring"]),
            kind="criminal-justice-referral",
            extensions=[
                {"url": EXTENSION + "condition-of", "valueCode": "parole"},
                {"url": EXTENSION + "revocable-from", "valueDateTime": "2027-01-01"},
            ],
        )

        found = verdict(paper, recipient="org:court", purpose=[OWN_PURPOSE + "monitoring"])

        assert found == self.permitted("OK_CJ_REFERRAL", "bound", "NO_REDISCLOSE")

    def test_whom_an_intermediary_reaches_as_a_class_is_listed(self) -> None:
        group, actor = a_class("treating-participants")
        paper = a_consent(a_permit("relay", provision=[{"type": "permit", "actor": [actor]}]), contained=[group])

        found = verdict(paper, via=["org:relay"], facts=[an_open_visit("mercy")])

        assert found == self.permitted("OK_INTERMEDIARY", "tpo", "INTERMEDIARY_LOG")

    def test_a_proceeding_goes_to_legal_review(self) -> None:
        paper = a_consent(a_permit("attorneys", purposes=["HLEGAL"]), kind="proceedings")

        found = verdict(paper, recipient="org:attorneys", purpose=["HLEGAL"])

        assert found == self.permitted("OK_CONSENT", "consent", "NO_REDISCLOSE", "LEGAL_QUEUE")

    def test_payment_gets_the_least(self) -> None:
        records = (CLAIM, written_by("aspen", CLAIM))

        found = verdict(
            a_consent(a_permit("plan", purposes=["HPAYMT"])), recipient="org:plan", purpose=["HPAYMT"], records=records
        )

        assert (found.obligations, found.release) == (self.OWED | {"MIN"}, "tpo")
