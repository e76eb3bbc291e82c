"""42 CFR 2.13(a), 2.31(a)(3): what a person kept back stays back, whatever else they or the law allow."""

from typing import Any

import pytest

from tests.support.part2_world import (
    EXTENSION,
    PERSON,
    a_class,
    a_condition,
    a_consent,
    a_permit,
    a_tpo_consent,
    an_open_visit,
    answer,
    ask,
    labels,
    organization,
    purpose,
    recipient,
    unavailable,
    written_by,
)

Json = dict[str, Any]

ELSEWHERE = {"versionId": "1", "lastUpdated": "2026-10-01T00:00:00Z", "source": "https://elsewhere.example/fhir"}
PERIOD = {"start": "2026-09-01", "end": "2026-12-31"}
VACCINE = {
    "resourceType": "Immunization",
    "id": "flu-shot",
    "patient": {"reference": "Patient/t1"},
    "occurrenceDateTime": "2026-10-02",
    "vaccineCode": {"coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": "140"}]},
}
RECORDS = (a_condition(), VACCINE, written_by("aspen", a_condition(), VACCINE))


def permitting(*nested: Json, **changes: Any) -> Json:
    return a_consent(provision={**a_permit(), "period": PERIOD, "provision": list(nested), **changes})


def refusing(**provision: Any) -> Json:
    return a_consent(id="no", provision={"type": "deny", **provision}, without=["sourceReference", "performer"])


@pytest.mark.parametrize("label", ["ETH", "SUD", "ETHUD", "OPIOIDUD", "DRGIS", "BH"])
def test_any_word_for_substance_use_refuses_all_of_it(label: str) -> None:
    record = ask(permitting({"type": "deny", "securityLabel": labels(label)}), records=RECORDS).record

    assert (record.decision, record.reason) == ("PERMIT_REDACTED", "EXPLICIT_DENY")
    assert record.withheld == ("Condition/f1120",)


def test_an_exception_to_the_exception_counts_where_it_matches() -> None:
    in_emergencies = {"type": "permit", "actor": [recipient("mercy")], "purpose": [purpose("ETREAT")]}
    exception = {"type": "deny", "actor": [recipient("mercy")], "provision": [in_emergencies]}

    assert answer(permitting(exception), purpose=["ETREAT"]) == ("PERMIT", "OK_CONSENT")
    assert answer(permitting(exception), purpose=["TREAT"]) == ("DENY", "EXPLICIT_DENY")


def test_at_equal_depth_the_refusal_wins() -> None:
    both = ({"type": "permit"}, {"type": "deny", "actor": [recipient("mercy")]})

    assert answer(permitting(*both)) == answer(permitting(*reversed(both))) == ("DENY", "EXPLICIT_DENY")


def test_a_bare_refusal_around_permits_is_only_a_closed_default() -> None:
    assert answer(a_consent()) == ("PERMIT", "OK_CONSENT")


def test_a_bare_refusal_without_any_permit_refuses_everything() -> None:
    assert answer(a_consent(), refusing()) == ("DENY", "EXPLICIT_DENY")


@pytest.mark.parametrize(
    "dated", ["2025-01-01T09:00:00-08:00", "2026-09-01T09:00:00-07:00", "2026-10-01T09:00:00-07:00"]
)
def test_a_refusal_beats_a_permit_of_any_date(dated: str) -> None:
    refusal = {**refusing(actor=[recipient("mercy")]), "dateTime": dated}

    assert answer(a_consent(), refusal) == answer(refusal, a_consent()) == ("DENY", "EXPLICIT_DENY")


def test_a_refusal_of_somebody_else_changes_nothing() -> None:
    assert answer(a_consent(), refusing(actor=[recipient("quarry")])) == ("PERMIT", "OK_CONSENT")


def test_a_refusal_for_somebody_nobody_can_identify_refuses_everybody() -> None:
    vague = {"role": {"coding": [{"code": "IRCP"}]}, "reference": {"display": "my former doctor"}}

    assert answer(a_consent(), refusing(actor=[vague])) == ("DENY", "EXPLICIT_DENY")


@pytest.mark.parametrize("condition", [{"purpose": [{"code": "TREAT"}]}, {"securityLabel": [{"code": "HIV"}]}])
def test_a_refusal_of_something_nobody_can_tell_stops_everything(condition: Json) -> None:
    assert answer(a_consent(), refusing(**condition)) == ("DENY", "UNPARSEABLE")


def test_a_withdrawn_refusal_is_none() -> None:
    withdrawn = {**refusing(), "status": "inactive"}

    assert answer(a_consent(), withdrawn) == ("PERMIT", "OK_CONSENT")


def test_a_refusal_of_one_of_several_purposes_refuses_the_request() -> None:
    consent = a_consent(a_permit(purposes=["TREAT", "PATRQT"]))

    assert answer(consent, refusing(purpose=[purpose("PATRQT")]), purpose=["TREAT", "PATRQT"])[1] == "EXPLICIT_DENY"


def test_a_link_lets_a_newer_consent_replace_a_refusal() -> None:
    link = [{"url": EXTENSION + "supersedes", "valueReference": {"reference": "Consent/no"}}]

    assert answer(a_consent(extensions=link), refusing()) == ("PERMIT", "OK_CONSENT")


def test_a_replacement_taken_back_leaves_the_refusals_of_a_paper_and_none_of_its_permits() -> None:
    hiv = a_condition("hiv", "B20")
    records = (hiv, written_by("aspen", hiv))
    old = a_consent(a_permit(), {"type": "deny", "securityLabel": labels("HIV")}, id="old")
    link = [{"url": EXTENSION + "supersedes", "valueReference": {"reference": "Consent/old"}}]
    taken_back = a_consent(id="new", status="inactive", extensions=link)

    assert answer(old, taken_back) == ("DENY", "CONSENT_NOT_ACTIVE")
    assert answer(old, taken_back, a_consent()) == ("PERMIT", "OK_CONSENT")
    assert answer(old, taken_back, a_consent(), records=records) == ("DENY", "EXPLICIT_DENY")


def test_an_intermediary_without_participants_lifts_no_refusal_around_it() -> None:
    lifting = {"type": "permit", "actor": [recipient("relay")], "purpose": [purpose("TREAT")]}
    refusal = a_consent(id="no", provision={"type": "deny", "actor": [recipient("mercy")], "provision": [lifting]})

    assert answer(a_consent(), refusal, via=["org:relay"]) == ("DENY", "EXPLICIT_DENY")


def test_a_permit_for_people_known_by_words_only_lifts_no_refusal_around_it() -> None:
    group, actor = a_class("tpo")
    in_words = {**group, "code": {"text": "whoever needs it"}}
    lifting = {"type": "permit", "actor": [actor], "purpose": [purpose("TREAT")]}
    refusal = {"type": "deny", "purpose": [purpose("TREAT")], "provision": [lifting]}

    assert answer(a_consent(), a_consent(id="no", provision=refusal, contained=[in_words])) == (
        "DENY",
        "EXPLICIT_DENY",
    )


def test_a_refusal_of_something_else_does_not_speak_for_a_consent_that_waits_for_a_person() -> None:
    of_hiv = refusing(securityLabel=labels("HIV"))
    spoken = {"type": "revocation", "of": ["Consent/paper"], "method": "oral", "received": "2026-11-01T20:00:00Z"}

    assert answer(a_consent(), of_hiv, facts=[spoken]) == ("HOLD", "CONSENT_REVOKED")
    assert answer(a_consent(status="draft"), of_hiv) == ("DENY", "CONSENT_NOT_ACTIVE")
    assert answer(of_hiv) == ("DENY", "CONSENT_DEFICIENT:EL_SIGNATURE")


def test_a_replacement_taken_back_lifts_no_refusal_and_revives_no_permit() -> None:
    link = [{"url": EXTENSION + "supersedes", "valueReference": {"reference": "Consent/no"}}]
    taken_back = a_consent(id="new", status="inactive", extensions=link)

    assert answer(a_consent(), taken_back, refusing()) == ("DENY", "EXPLICIT_DENY")

    replaced = [{"url": EXTENSION + "supersedes", "valueReference": {"reference": "Consent/paper"}}]
    assert answer(a_consent(), a_consent(id="new", status="inactive", extensions=replaced))[0] == "DENY"


@pytest.mark.parametrize("changes", [{"status": "inactive"}, {"meta": ELSEWHERE}], ids=["taken back", "unverified"])
def test_what_replaces_a_paper_unreliably_leaves_the_refusals_on_it(changes: Json) -> None:
    link = [{"url": EXTENSION + "supersedes", "valueReference": {"reference": "Consent/paper"}}]
    paper = permitting({"type": "deny", "securityLabel": labels("SUD")})

    record = ask(a_consent(id="other"), paper, a_consent(id="new", extensions=link, **changes), records=RECORDS).record

    assert (record.decision, record.reason) == ("PERMIT_REDACTED", "EXPLICIT_DENY")
    assert record.withheld == ("Condition/f1120",)
    assert record.basis is not None
    assert record.basis.id == "other"


def test_a_closed_default_is_no_refusal_without_its_permits_either() -> None:
    link = [{"url": EXTENSION + "supersedes", "valueReference": {"reference": "Consent/paper"}}]
    refused = {"type": "deny", "securityLabel": labels("HIV")}
    paper = a_consent(provision={"type": "deny", "provision": [a_permit(), refused]})
    new = a_consent(id="new", status="inactive", extensions=link)

    assert answer(a_consent(id="other"), paper, new) == ("PERMIT", "OK_CONSENT")


def test_a_refused_part_of_a_scan_takes_the_whole_scan() -> None:
    scan = {
        "resourceType": "DocumentReference",
        "id": "scan",
        "subject": {"reference": "Patient/t1"},
        "content": [{"attachment": {"contentType": "application/pdf"}}],
        "meta": {"security": labels("SUD", "HIV")},
    }
    consent = permitting({"type": "deny", "securityLabel": labels("HIV")})

    assert answer(consent, records=(scan, written_by("aspen", scan))) == ("DENY", "UNSEGMENTABLE")


def test_types_codes_dates_and_single_items_narrow_a_permit() -> None:
    def withheld(**conditions: Any) -> tuple[str, ...]:
        return ask(permitting(**conditions), records=RECORDS).record.withheld

    code = [{"coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": "140"}]}]
    one = [{"meaning": "instance", "reference": {"reference": "Immunization/flu-shot"}}]

    assert withheld(**{"class": [{"code": "Immunization"}]}) == ("Condition/f1120",)
    assert withheld(code=code) == ("Condition/f1120",)
    assert withheld(data=one) == ("Condition/f1120",)
    assert withheld(dataPeriod={"start": "2026-10-01", "end": "2026-10-31"}) == ("Condition/f1120",)
    assert withheld(dataPeriod={"start": "2026-11-01"}) == ("Condition/f1120", "Immunization/flu-shot")


def test_an_item_of_unknown_date_is_refused_by_a_refused_period() -> None:
    refused = {"type": "deny", "dataPeriod": {"end": "2020-12-31"}}

    assert ask(permitting(refused), records=RECORDS).record.withheld == ("Condition/f1120",)


def test_a_confidentiality_level_reaches_up_in_a_permit_and_begins_in_a_refusal() -> None:
    restricted = [{"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}]
    normal = [{"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "N"}]

    assert answer(permitting(securityLabel=restricted)) == ("PERMIT", "OK_CONSENT")
    assert answer(permitting(securityLabel=normal)) == ("DENY", "SCOPE_NOT_COVERED")
    assert answer(permitting({"type": "deny", "securityLabel": restricted})) == ("DENY", "EXPLICIT_DENY")


class TestWhoseRecordItIs:
    def test_another_persons_item_stays_here_in_any_order(self) -> None:
        other = a_condition("other", "I10", subject={"reference": "Patient/somebody"})
        by = written_by("aspen", a_condition(), other)

        for records in ((a_condition(), other, by), (by, other, a_condition())):
            record = ask(a_consent(), records=records).record
            assert (record.decision, record.reason, record.withheld) == (
                "PERMIT_REDACTED",
                "PATIENT_MISMATCH",
                ("Condition/other",),
            )

    def test_one_that_names_two_people_stays_here(self) -> None:
        other = {"resourceType": "Patient", "id": "t2", "identifier": [{"system": PERSON, "value": "T2"}]}
        both = {"reference": "Patient/t1", "identifier": {"system": PERSON, "value": "T2"}}
        item = a_condition(subject=both)

        assert answer(a_consent(), records=(item, written_by("aspen", item)), facts=[other])[1] == "PATIENT_MISMATCH"
        assert answer(a_consent(patient={**both, "type": "Patient"}), facts=[other]) == (
            "DENY",
            "CONSENT_DEFICIENT:EL_PATIENT",
        )

    def test_nobodys_item_stays_here(self) -> None:
        orphan = {"resourceType": "Observation", "id": "orphan", "code": {"text": "height"}}
        records = (a_condition(), orphan, written_by("aspen", a_condition(), orphan))

        assert ask(a_consent(), records=records).record.withheld == ("Observation/orphan",)

    def test_the_same_number_of_another_system_is_another_person(self) -> None:
        consent = a_consent(patient={"identifier": {"system": "urn:oid:2.999.99", "value": "T1"}})

        assert answer(consent) == ("DENY", "PATIENT_MISMATCH")

    def test_a_person_nobody_knows(self) -> None:
        assert answer(a_consent(), patient="urn:oid:2.999.7|nobody") == ("DENY", "PATIENT_UNKNOWN")

    def test_a_merge_counts_when_somebody_verified_it(self) -> None:
        identifier = {"system": "urn:oid:2.999.7", "value": "T0"}
        old = {"resourceType": "Patient", "id": "t0", "identifier": [identifier], "active": False}
        old["link"] = [{"other": {"reference": "Patient/t1"}, "type": "replaced-by"}]
        merge = {"type": "merge", "from": "Patient/t0", "into": "Patient/t1", "verified": True}
        who = {"type": "Patient", "identifier": identifier}
        on_old = a_consent(patient=who, performer=[who])

        assert answer(on_old, facts=[old, merge]) == ("PERMIT", "OK_CONSENT")
        assert answer(on_old, facts=[old, {**merge, "verified": False}]) == ("HOLD", "PATIENT_AMBIGUOUS")
        assert answer(on_old, facts=[old]) == ("HOLD", "PATIENT_AMBIGUOUS")

    def test_two_persons_of_one_number_are_nobody(self) -> None:
        twin = {"resourceType": "Patient", "id": "t2", "identifier": [{"system": "urn:oid:2.999.7", "value": "T1"}]}

        assert answer(a_consent(), facts=[twin], patient="urn:oid:2.999.7|T1") == ("HOLD", "PATIENT_AMBIGUOUS")


class TestWhoAsks:
    def by(self, organization_id: str | None, proven: str | None, **more: Any) -> Json:
        return {
            "organization": organization_id,
            "authenticated_as": proven,
            "person": {"id": "p", "role": "clinician"},
            **more,
        }

    @pytest.mark.parametrize("proven", [None, "org:quarry"])
    def test_a_claim_without_its_proof_is_refused(self, proven: str | None) -> None:
        assert answer(a_consent(), requester=self.by("org:mercy", proven)) == ("DENY", "IDENTITY_MISMATCH")

    def test_a_link_sent_on_to_somebody_else_opens_nothing(self) -> None:
        forwarded = self.by("org:mercy", "org:mercy", link={"issued_to": "org:quarry"})

        assert answer(a_consent(), requester=forwarded, transport="link") == ("DENY", "IDENTITY_MISMATCH")

    def test_nothing_goes_while_it_could_not_be_written_down(self) -> None:
        assert answer(a_consent(), facts=[unavailable("audit_store")]) == ("DENY", "AUDIT_UNAVAILABLE")


def test_a_broad_older_consent_stands_beside_a_narrow_newer_one() -> None:
    narrow = a_consent(a_permit("quarry"), id="narrow", dateTime="2026-10-01T09:00:00-07:00")

    record = ask(a_tpo_consent(), narrow, facts=[an_open_visit("mercy")]).record

    assert (record.decision, record.reason) == ("PERMIT", "OK_TPO")
    assert record.basis is not None
    assert (record.basis.type, record.basis.id, record.basis.version) == ("Consent", "tpo", "1")


def test_a_refusal_names_the_discloser_it_is_about() -> None:
    about_aspen = {"role": {"coding": [{"code": "CST"}]}, "reference": organization("aspen")}
    about_birch = {"role": {"coding": [{"code": "CST"}]}, "reference": organization("birch")}

    assert answer(a_consent(), refusing(actor=[about_aspen])) == ("DENY", "EXPLICIT_DENY")
    assert answer(a_consent(), refusing(actor=[about_birch])) == ("PERMIT", "OK_CONSENT")
