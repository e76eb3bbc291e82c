"""What a provision speaks of: a permit must be sure of the item, a refusal need only not be sure of the contrary."""

from typing import Any

import pytest

from gateway.model.labels import CONFIDENTIALITY
from tests.support.machines import a_machine_set_to
from tests.support.part2_world import (
    EXTENSION,
    PARTNER,
    T0,
    a_class,
    a_condition,
    a_consent,
    a_permit,
    answer,
    labels,
    organization,
    purpose,
    recipient,
    taken_back,
    world,
    written_by,
)

Json = dict[str, Any]

ICD = "http://hl7.org/fhir/sid/icd-10-cm"
TYPES = "http://hl7.org/fhir/resource-types"
RECORD = a_condition()


def permitted(condition: Json, record: Json = RECORD, **case: Any) -> bool:
    """Ask with a consent whose permit states the condition."""
    outcome = answer(a_consent(a_permit(**condition)), records=[record, written_by("aspen", record)], **case)
    assert outcome in (("PERMIT", "OK_CONSENT"), ("DENY", "SCOPE_NOT_COVERED")), outcome
    return outcome[0] == "PERMIT"


def refused(condition: Json, record: Json = RECORD, author: str = "aspen", **case: Any) -> bool:
    """Ask with a complete consent that makes an exception of what the condition states."""
    paper = a_consent(a_permit(provision=[{"type": "deny", **condition}]))
    outcome = answer(paper, records=[record, written_by(author, record)], **case)
    assert outcome in (("PERMIT", "OK_CONSENT"), ("DENY", "EXPLICIT_DENY")), outcome
    return outcome[0] == "DENY"


def a_level(code: str) -> Json:
    return {"securityLabel": [{"system": CONFIDENTIALITY, "code": code}]}


class TestContent:
    @pytest.mark.parametrize(
        ("condition", "speaks"),
        [
            ({"class": [{"system": TYPES, "code": "Condition"}]}, True),
            ({"class": [{"code": "Condition"}]}, True),
            ({"class": [{"system": TYPES, "code": "Observation"}]}, False),
            ({"code": [{"coding": [{"system": ICD, "code": "F11.20"}]}]}, True),
            ({"code": [{"coding": [{"system": ICD, "code": "F11"}, {"system": ICD, "code": "F11.20"}]}]}, True),
            ({"code": [{"coding": [{"system": ICD, "code": "F10.20"}]}]}, False),
            ({"code": [{"coding": [{"system": "urn:x", "code": "F11.20"}]}]}, False),
            ({"securityLabel": labels("42CFRPart2")}, True),
            ({"securityLabel": labels("SUD")}, True),
            ({"securityLabel": labels("HIV")}, False),
            ({"securityLabel": labels("HIV", "SUD")}, True),
            ({"class": [{"code": "Condition"}], "securityLabel": labels("HIV")}, False),
            ({"action": [{"coding": [{"code": "disclose"}]}]}, True),
            ({"action": [{"coding": [{"code": "access"}, {"code": "collect"}]}]}, True),
            ({"action": [{"coding": [{"code": "collect"}]}]}, False),
        ],
    )
    def test_is_told_by_class_code_label_and_action_all_of_which_must_match(
        self, condition: Json, speaks: bool
    ) -> None:
        assert permitted(condition) is speaks
        assert refused(condition) is speaks

    @pytest.mark.parametrize(("level", "permits"), [("N", False), ("R", True), ("V", True)])
    def test_a_permit_reaches_up_to_its_level(self, level: str, permits: bool) -> None:
        assert permitted(a_level(level)) is permits

    @pytest.mark.parametrize(("level", "refuses"), [("N", True), ("R", True), ("V", False)])
    def test_a_refusal_begins_at_its_level(self, level: str, refuses: bool) -> None:
        assert refused(a_level(level)) is refuses

    def test_a_level_nobody_knows_is_above_all_others(self) -> None:
        strange = a_condition(meta={"security": [{"system": CONFIDENTIALITY, "code": "X"}]})

        assert not permitted({"securityLabel": [{"system": CONFIDENTIALITY, "code": "R"}]}, strange)
        assert refused(a_level("V"), strange)

    def test_a_label_beside_a_level_is_enough(self) -> None:
        both = [*labels("SUD"), {"system": CONFIDENTIALITY, "code": "N"}]

        assert permitted({"securityLabel": both})
        assert refused({"securityLabel": [*labels("SUD"), {"system": CONFIDENTIALITY, "code": "V"}]})

    def test_a_code_is_found_wherever_it_stands_but_in_meta(self) -> None:
        coding = {"system": "urn:x", "code": "q"}
        condition = {"code": [{"coding": [coding]}]}

        assert permitted(condition, a_condition(stage=[{"type": {"coding": [coding]}}]))
        assert not permitted(condition, a_condition(meta={"tag": [coding]}))
        assert permitted({"code": [{"coding": [{"code": "q"}]}]}, a_condition(stage=[{"type": {"code": "q"}}]))


def data(meaning: str, **reference: Any) -> Json:
    return {"data": [{"meaning": meaning, "reference": reference}]}


class TestSingleResources:
    EVIDENCE = {
        **a_condition(evidence=[{"detail": [{"reference": "https://warmhandoff.example/fhir/Observation/o"}]}]),
        "identifier": [{"system": "urn:x", "value": "1"}, {"value": "2"}],
    }
    ITSELF = {"reference": "Condition/f1120"}
    NUMBER = {"identifier": {"system": "urn:x", "value": "1"}}
    BARE = {"identifier": {"value": "2"}}
    DETAIL = {"reference": "Observation/o"}
    OTHER = {"reference": "Condition/other"}

    @pytest.mark.parametrize(
        ("meaning", "meant", "not_meant"),
        [
            ("instance", (ITSELF, NUMBER, BARE), (DETAIL, OTHER)),
            ("related", (ITSELF, NUMBER, BARE, DETAIL), (OTHER,)),
            ("dependents", (DETAIL,), (ITSELF, NUMBER, BARE, OTHER)),
            ("authoredby", (organization("aspen"),), (organization("mercy"), ITSELF, DETAIL)),
            ("unheard-of", (), (ITSELF, NUMBER, DETAIL)),
        ],
    )
    def test_are_meant_as_the_standard_says(
        self, meaning: str, meant: tuple[Json, ...], not_meant: tuple[Json, ...]
    ) -> None:
        for reference in meant:
            assert permitted(data(meaning, **reference), self.EVIDENCE)
            assert refused(data(meaning, **reference), self.EVIDENCE)
        for reference in not_meant:
            assert not permitted(data(meaning, **reference), self.EVIDENCE)
            assert not refused(data(meaning, **reference), self.EVIDENCE)

    def test_a_record_of_a_type_with_one_number_is_known_by_it(self) -> None:
        """FHIR R4 Composition.identifier is one, not a list."""
        subject = {"reference": "Patient/t1"}
        summary = {"resourceType": "Composition", "id": "s", "subject": subject, **self.NUMBER}

        assert permitted(data("instance", **self.NUMBER), summary)
        assert refused(data("instance", **self.NUMBER), summary)

    def test_one_of_several_is_enough(self) -> None:
        several = {"data": [*data("instance", **self.OTHER)["data"], *data("instance", **self.ITSELF)["data"]]}

        assert permitted(several)


class TestTimes:
    OCTOBER = {"dataPeriod": {"start": "2026-10-01", "end": "2026-10-31"}}

    @pytest.mark.parametrize("zone", ["Pacific/Honolulu", "Pacific/Kiritimati"])
    def test_of_an_item_are_days_where_whoever_keeps_it_is_whatever_the_machine_is_set_to(self, zone: str) -> None:
        before, first, last = ({"onsetDateTime": day} for day in ("2026-09-30", "2026-10-01", "2026-10-31"))

        with a_machine_set_to(zone):
            assert permitted(self.OCTOBER, a_condition(**first))
            assert permitted(self.OCTOBER, a_condition(**last))
            assert not permitted(self.OCTOBER, a_condition(**before))
            assert not refused(self.OCTOBER, a_condition(**before))

    def test_are_days_of_utc_where_nobody_says_where_that_is(self) -> None:
        nowhere, first = world(aspen={"timezone": None}), a_condition(onsetDateTime="2026-10-01")

        assert not permitted({"dataPeriod": {"start": "2026-10-01T00:00:01Z"}}, first, registry=nowhere)
        assert permitted({"dataPeriod": {"start": "2026-10-01T00:00:00Z"}}, first, registry=nowhere)

    @pytest.mark.parametrize(
        ("element", "within", "touches"),
        [
            ({"onsetDateTime": "2026-10-15"}, True, True),
            ({"onsetDateTime": "2026-10"}, True, True),
            ({"onsetDateTime": "2026"}, False, True),
            ({"onsetDateTime": "2026-10-01T07:00:00Z"}, True, True),
            ({"onsetDateTime": "2026-11-01T06:59:59Z"}, True, True),
            ({"onsetDateTime": "2026-09-15"}, False, False),
            ({"onsetDateTime": "2026-11-15"}, False, False),
            ({"onsetPeriod": {"start": "2026-09-15", "end": "2026-10-15"}}, False, True),
            ({"onsetPeriod": {"start": "2026-10-15", "end": "2026-11-15"}}, False, True),
            ({"onsetPeriod": {"start": "2026-10-02", "end": "2026-10-15"}}, True, True),
            ({"onsetPeriod": {"start": "2026-10-15"}}, False, True),
            ({"onsetPeriod": {"start": "2026-09-15"}}, False, True),
            ({"onsetPeriod": {"start": "2026-11-15"}}, False, False),
            ({"onsetPeriod": {"end": "2026-10-15"}, "recordedDate": "2026-10-15"}, True, True),
            ({"onsetDateTime": "some day", "recordedDate": "2026-10-15"}, False, True),
            ({}, False, True),
        ],
    )
    def test_of_an_item_lie_within_what_is_permitted_and_touch_what_is_refused(
        self, element: Json, within: bool, touches: bool
    ) -> None:
        record = a_condition(**element)

        assert permitted(self.OCTOBER, record) is within
        assert refused(self.OCTOBER, record) is touches

    @pytest.mark.parametrize(
        "key",
        [
            *("effectiveDateTime", "effectiveInstant", "onsetDateTime", "performedDateTime", "occurrenceDateTime"),
            *("authoredOn", "recordedDate", "date", "created", "issued", "servicedDate"),
        ],
    )
    def test_are_read_from_every_element_that_dates_one(self, key: str) -> None:
        assert permitted(self.OCTOBER, a_condition(**{key: "2026-10-15T12:00:00Z"}))
        assert not refused(self.OCTOBER, a_condition(**{key: "2026-11-15T12:00:00Z"}))

    @pytest.mark.parametrize(
        "key", ["effectivePeriod", "onsetPeriod", "performedPeriod", "occurrencePeriod", "period", "billablePeriod"]
    )
    def test_and_from_every_one_that_lasts(self, key: str) -> None:
        assert permitted(self.OCTOBER, a_condition(**{key: {"start": "2026-10-15", "end": "2026-10-16"}}))
        assert not refused(self.OCTOBER, a_condition(**{key: {"start": "2026-11-15", "end": "2026-11-16"}}))

    @pytest.mark.parametrize(
        ("period", "within", "touches"),
        [
            ({"start": "2026-10-15"}, True, True),
            ({"start": "2026-10-16"}, False, False),
            ({"end": "2026-10-15"}, True, True),
            ({"end": "2026-10-14"}, False, False),
        ],
    )
    def test_may_be_open_at_either_end(self, period: Json, within: bool, touches: bool) -> None:
        record = a_condition(onsetPeriod={"start": "2026-10-15T12:00:00Z", "end": "2026-10-15T13:00:00Z"})

        assert permitted({"dataPeriod": period}, record) is within
        assert refused({"dataPeriod": period}, record) is touches

    def test_that_end_where_a_refused_period_begins_or_begin_where_it_ends_touch_it_not(self) -> None:
        october = {"dataPeriod": {"start": "2026-10-01T00:00:00Z", "end": "2026-10-31T23:59:59Z"}}

        def lasting(start: str, end: str) -> Json:
            return a_condition(onsetPeriod={"start": start, "end": end})

        assert not refused(october, lasting("2026-09-01T00:00:00Z", "2026-09-30T23:59:59Z"))
        assert refused(october, lasting("2026-09-01T00:00:00Z", "2026-10-01T00:00:00Z"))
        assert not refused(october, lasting("2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z"))
        assert refused(october, lasting("2026-10-31T23:59:59Z", "2026-11-02T00:00:00Z"))

    @pytest.mark.parametrize(
        ("period", "refuses"),
        [
            ({"start": "2026-11-03"}, False),
            ({"end": "2026-11-01"}, False),
            ({"start": "2026-11-02", "end": "2026-11-02"}, True),
            ({"start": T0}, True),
            ({"end": "2026-11-02T17:59:59Z"}, False),
        ],
    )
    def test_a_refusal_counts_in_its_own_period(self, period: Json, refuses: bool) -> None:
        assert refused({"period": period}) is refuses


class TestWhom:
    @pytest.mark.parametrize(
        ("actor", "refuses"),
        [
            (recipient("mercy"), True),
            (recipient("plan"), False),
            ({"role": {"coding": [{"code": "IRCP"}]}, "reference": {"display": "somebody"}}, True),
            ({"role": {"coding": [{"code": "CST"}]}, "reference": organization("aspen")}, True),
            ({"role": {"coding": [{"code": "CST"}]}, "reference": organization("birch")}, False),
            ({"role": {"coding": [{"code": "CST"}]}, "reference": {"display": "somebody"}}, True),
        ],
    )
    def test_a_refusal_concerns_who_is_named_and_who_may_be(self, actor: Json, refuses: bool) -> None:
        assert refused({"actor": [actor]}) is refuses

    @pytest.mark.parametrize(
        ("codes", "refuses"),
        [(["TREAT"], True), (["HPAYMT"], False), (["HPAYMT", "TREAT"], True)],
    )
    def test_of_its_purposes_one_is_enough_to_refuse(self, codes: list[str], refuses: bool) -> None:
        assert refused({"purpose": [purpose(one) for one in codes]}) is refuses


class TestTheDeepestCounts:
    def reason(self, *provisions: Json, **root: Any) -> str:
        period = {"start": "2026-09-01", "end": "2026-12-31"}
        return answer(a_consent(provision={"type": "deny", "period": period, "provision": list(provisions), **root}))[1]

    REFUSAL = {"type": "deny", "actor": [recipient("mercy")]}

    def test_a_bare_closed_root_is_no_refusal_of_what_it_permits(self) -> None:
        assert self.reason(a_permit()) == "OK_CONSENT"

    def test_nor_of_what_it_does_not_permit_though_something_inside_of_it_is_one(self) -> None:
        paper = a_consent(a_permit("plan"), {"type": "deny", "securityLabel": labels("HIV")}, id="beside")

        assert answer(a_consent(), paper)[1] == "OK_CONSENT"

    def test_a_root_that_states_something_is_one(self) -> None:
        assert self.reason(a_permit("plan"), securityLabel=labels("SUD")) == "EXPLICIT_DENY"

    def test_a_permit_within_a_refusal_is_deeper(self) -> None:
        assert self.reason({**self.REFUSAL, "provision": [a_permit()]}) == "OK_CONSENT"

    def test_a_permit_for_somebody_else_within_it_is_none(self) -> None:
        assert self.reason({**self.REFUSAL, "provision": [a_permit("plan")]}) == "EXPLICIT_DENY"

    def test_at_one_depth_the_refusal_counts_in_any_order(self) -> None:
        assert self.reason(a_permit(), self.REFUSAL) == "EXPLICIT_DENY"
        assert self.reason(self.REFUSAL, a_permit()) == "EXPLICIT_DENY"

    def test_a_permit_for_another_purpose_is_no_way_around(self) -> None:
        way = {**self.REFUSAL, "provision": [a_permit(purposes=["HPAYMT"])]}

        assert self.reason(a_permit(), way) == "EXPLICIT_DENY"

    def test_what_is_about_content_cannot_be_cut_from_a_document(self) -> None:
        document = {
            "resourceType": "DocumentReference",
            "id": "d",
            "subject": {"reference": "Patient/t1"},
            "description": "methadone",
            "date": "2026-10-15T12:00:00Z",
        }
        records = [document, written_by("aspen", document)]
        for condition, reason in (
            ({"securityLabel": labels("SUD")}, "UNSEGMENTABLE"),
            (a_level("R"), "UNSEGMENTABLE"),
            ({"actor": [recipient("mercy")]}, "EXPLICIT_DENY"),
            ({"class": [{"code": "DocumentReference"}]}, "EXPLICIT_DENY"),
        ):
            paper = a_consent(a_permit(provision=[{"type": "deny", **condition}]))
            assert answer(paper, records=records) == ("DENY", reason)


def test_a_refusal_counts_only_while_its_consent_is_in_force() -> None:
    refusal = {"type": "deny", "actor": [recipient("mercy")], "period": {"end": "2026-12-31"}}
    other = a_consent()

    def outcome(**changes: Any) -> str:
        return answer(a_consent(id="refusal", provision={**refusal, **changes.pop("root", {})}, **changes), other)[1]

    assert outcome() == "EXPLICIT_DENY"
    assert outcome(status="inactive") == "OK_CONSENT"
    assert outcome(root={"period": {"end": "2026-11-01"}}) == "OK_CONSENT"
    assert outcome(root={"period": {"start": "2026-11-03"}}) == "OK_CONSENT"
    assert outcome(extensions=[taken_back()]) == "OK_CONSENT"
    assert outcome(extensions=[taken_back(method="oral")]) == "EXPLICIT_DENY"


class TestARefusalForTheTimeOfATreatment:
    EPISODE: Json = {
        "resourceType": "EpisodeOfCare",
        "id": "e",
        "status": "finished",
        "patient": {"reference": "Patient/t1"},
        "managingOrganization": organization("aspen"),
        "period": {"end": "2026-10-20"},
    }

    def outcome(self, episode: Json, **refusal: Any) -> str:
        no = a_consent(
            id="refusal",
            provision={"type": "deny", "actor": [recipient("mercy")]},
            extensions=[{"url": EXTENSION + "expiry", "valueCode": "end-of-treatment"}],
            **refusal,
        )
        return answer(a_consent(), no, facts=[{**self.EPISODE, **episode}])[1]

    def test_ends_with_it(self) -> None:
        assert self.outcome({}) == "OK_CONSENT"
        assert self.outcome({"managingOrganization": organization("birch")}) == "EXPLICIT_DENY"
        assert self.outcome({"period": {"end": "2026-08-20"}}) == "EXPLICIT_DENY"

    def test_ends_at_the_instant_at_which_it_is_over_and_not_before(self) -> None:
        assert self.outcome({"period": {"end": "2026-11-02T17:59:59Z"}}) == "OK_CONSENT"
        assert self.outcome({"period": {"end": T0}}) == "EXPLICIT_DENY"
        assert self.outcome({"period": {"end": "2026-11-02"}}) == "EXPLICIT_DENY"

    def test_does_not_end_with_one_of_which_nobody_knows_where_or_when_it_was(self) -> None:
        stranger = {"identifier": {"system": PARTNER, "value": "unheard-of"}}

        assert self.outcome({"managingOrganization": stranger}) == "EXPLICIT_DENY"
        assert self.outcome({}, organization=[stranger]) == "EXPLICIT_DENY"
        assert self.outcome({"period": {}}) == "EXPLICIT_DENY"
        assert self.outcome({}, dateTime=None) == "EXPLICIT_DENY"


class TestAPermitWithinARefusal:
    """The deeper permit lifts the refusal around it only where it is a permit for sure."""

    def outcome(self, **permit: Any) -> str:
        inner = {**a_permit(), **permit}
        around = {"type": "deny", "actor": [recipient("mercy")], "provision": [inner]}
        return answer(a_consent(a_permit(), around))[1]

    def test_lifts_it_for_whom_and_what_it_names(self) -> None:
        assert self.outcome() == "OK_CONSENT"
        assert self.outcome(actor=[recipient("mercy"), recipient("plan")]) == "OK_CONSENT"

    @pytest.mark.parametrize(
        "doubtful",
        [
            {"securityLabel": labels("HIV")},
            {"actor": [recipient("plan")]},
            {"actor": [{"role": {"coding": [{"code": "IRCP"}]}, "reference": {"reference": "#tpo"}}]},
            {"purpose": [purpose("HPAYMT")]},
            {"period": {"end": "2026-10-01"}},
            {"dataPeriod": {"start": "2026-10-01"}},
            {"action": [{"coding": [{"code": "collect"}]}]},
        ],
    )
    def test_lifts_nothing_else(self, doubtful: Json) -> None:
        group, _ = a_class("tpo")
        inner = {**a_permit(), **doubtful}
        around = {"type": "deny", "actor": [recipient("mercy")], "provision": [inner]}

        assert answer(a_consent(a_permit(), around, contained=[group]))[1] == "EXPLICIT_DENY"

    def test_lifts_nothing_for_purposes_it_does_not_all_cover(self) -> None:
        around = {"type": "deny", "actor": [recipient("mercy")], "provision": [a_permit()]}
        consent = a_consent(a_permit(purposes=["TREAT", "HPAYMT"]), around)

        assert answer(consent)[1] == "OK_CONSENT"
        assert answer(consent, purpose=["TREAT", "HPAYMT"])[1] == "EXPLICIT_DENY"

    def test_lifts_a_refusal_that_applies_in_doubt_only(self) -> None:
        around = {"type": "deny", "dataPeriod": {"start": "2026-10-01"}, "provision": [a_permit()]}

        assert answer(a_consent(a_permit(), around))[1] == "OK_CONSENT"
        assert answer(a_consent(a_permit(), {**around, "provision": []}))[1] == "EXPLICIT_DENY"

    def test_lifts_a_refusal_of_a_class_for_whom_it_names_itself(self) -> None:
        group, to_class = a_class("tpo")
        around = {"type": "deny", "actor": [to_class], "provision": [a_permit()]}

        assert answer(a_consent(a_permit(), around, contained=[group]))[1] == "OK_CONSENT"
        beside = {**around, "provision": [a_permit("plan")]}
        assert answer(a_consent(a_permit(), beside, contained=[group]))[1] == "EXPLICIT_DENY"


@pytest.mark.parametrize(("level", "reason"), [("N", "EXPLICIT_DENY"), ("R", "OK_NOT_PART2")])
def test_an_item_without_a_level_is_of_the_normal_one(level: str, reason: str) -> None:
    flu = a_condition("flu", "J10.1")
    refusal = a_consent(provision={"type": "deny", **a_level(level)})

    assert answer(refusal, records=[flu, written_by("quarry", flu)])[1] == reason
