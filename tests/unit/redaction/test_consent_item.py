"""A Consent in the record tells its recipient what concerns this recipient, and nothing of anybody else."""

from typing import Any

import pytest

from gateway.redaction.consent_item import cut_consent
from tests.support.part2_world import (
    EXTENSION,
    PARTNER,
    a_consent,
    a_permit,
    labels,
    organization,
    purpose,
    recipient,
)

Json = dict[str, Any]
MERCY = frozenset({f"{PARTNER}|mercy"})


def cut(*provisions: Json, **changes: Any) -> Json:
    return cut_consent(a_consent(*provisions, **changes), MERCY)


class TestOfTheConsent:
    def test_who_gave_it_when_and_under_which_policy_stays(self) -> None:
        policy = {"policyRule": {"text": "42 CFR 2.31"}, "identifier": [{"system": "urn:oid:2.999.3", "value": "c1"}]}

        kept = cut(**policy)

        whole = a_consent(**policy)
        assert kept["provision"]
        assert {key: one for key, one in kept.items() if key != "provision"} == {
            key: whole[key]
            for key in (
                "resourceType", "id", "identifier", "extension", "status", "scope", "category", "patient", "dateTime",
                "performer", "organization", "policyRule",
            )
        }  # fmt: skip

    @pytest.mark.parametrize(
        "element",
        [
            {"sourceAttachment": {"contentType": "application/pdf", "data": "eA=="}},
            {"sourceReference": {"reference": "DocumentReference/form"}},
            {"verification": [{"verified": True, "verifiedWith": {"reference": "RelatedPerson/sister"}}]},
            {"contained": [{"resourceType": "Group", "id": "tpo"}]},
            {"text": {"div": "<div>not to my employer</div>"}},
        ],
    )
    def test_the_paper_itself_and_who_vouched_for_it_stay_here(self, element: Json) -> None:
        assert cut(**element) == cut()

    def test_that_it_was_revoked_stays_here_and_its_other_statements_go(self) -> None:
        told = [{"url": EXTENSION + "expiry", "valueCode": "none"}, {"valueCode": "no address"}]
        revoked = {"url": EXTENSION + "revocation", "extension": [{"url": "date", "valueDate": "2026-10-01"}]}

        assert cut(extension=[told[0], revoked, told[1]])["extension"] == told
        assert "extension" not in cut(extension=[revoked])
        assert "extension" not in cut(extension=None)

    def test_one_without_provisions_leaves_without_them(self) -> None:
        assert "provision" not in cut(provision=None)


class TestOfItsProvisions:
    def test_kind_time_purpose_and_action_stay_at_every_level(self) -> None:
        action = [{"coding": [{"code": "disclose"}]}]
        period = {"start": "2026-10-01", "end": "2026-10-31"}
        inner = a_permit(period=period, action=action, purposes=["TREAT"])
        outer = {"type": "deny", "period": {"end": "2026-12-31"}, "provision": [inner]}

        assert cut(provision=outer)["provision"] == {
            "type": "deny",
            "period": {"end": "2026-12-31"},
            "provision": [
                {
                    "type": "permit",
                    "period": period,
                    "purpose": [purpose("TREAT")],
                    "action": action,
                    "actor": [recipient("mercy")],
                    "securityLabel": labels("42CFRPart2"),
                }
            ],
        }

    @pytest.mark.parametrize(
        "condition",
        [
            {"code": [{"text": "methadone"}]},
            {"class": [{"code": "Condition"}]},
            {"data": [{"meaning": "instance", "reference": {"reference": "Condition/hidden"}}]},
            {"dataPeriod": {"start": "2026-01-01"}},
            {"extension": [{"url": EXTENSION + "except", "valueString": "not the notes"}]},
            {"provision": [{"type": "deny", "actor": [recipient("mercy")], "securityLabel": labels("HIV")}]},
            {"provision": [a_permit("shelter")]},
            {"provision": [{"type": "permit"}, {"actor": [recipient("mercy")]}]},
        ],
    )
    def test_what_else_it_states_and_every_exception_stays_here(self, condition: Json) -> None:
        assert cut(a_permit(**condition)) == cut()

    def test_a_provision_keeps_of_its_actors_the_recipient(self) -> None:
        nameless = {"role": {"coding": [{"code": "IRCP"}]}}
        unnumbered = {"reference": {"reference": "Organization/mercy"}}
        half = [{"reference": {"identifier": {"system": PARTNER}}}, {"reference": {"identifier": {"value": "mercy"}}}]
        everybody = [recipient("shelter"), nameless, unnumbered, *half, recipient("mercy")]

        provision = cut(a_permit(actor=everybody))["provision"]["provision"][0]

        assert provision["actor"] == [recipient("mercy")]

    def test_a_provision_about_others_says_nothing_of_them(self) -> None:
        root = {"type": "permit", "actor": [recipient("shelter")], "purpose": [purpose("PATRQT")]}

        assert cut(provision=root)["provision"] == {"type": "permit", "purpose": [purpose("PATRQT")]}

    def test_of_its_labels_only_that_of_the_law_stays(self) -> None:
        odd = [{"system": "urn:x", "code": "42CFRPart2"}, {"code": "42CFRPart2"}, *labels("HIV", "42CFRPart2", "MH")]

        provision = cut(provision={"type": "permit", "securityLabel": odd})["provision"]

        assert provision == {"type": "permit", "securityLabel": labels("42CFRPart2")}
        assert cut(provision={"type": "permit", "securityLabel": labels("HIV")})["provision"] == {"type": "permit"}

    def test_permits_to_the_recipient_stay_within_each_other(self) -> None:
        inner = a_permit(purposes=["COC"])
        other = a_permit("shelter")

        provision = cut(a_permit(provision=[inner, other]))["provision"]["provision"][0]

        assert [one["purpose"] for one in provision["provision"]] == [[purpose("COC")]]


def test_somebody_the_registry_does_not_number_is_told_of_no_actor() -> None:
    provision = cut_consent(a_consent(organization=[organization("aspen")]), frozenset())["provision"]

    assert provision == {"type": "deny", "period": {"start": "2026-09-01", "end": "2026-12-31"}}
