from datetime import timedelta

import orjson
import pytest

from gateway.mapping import Agency, Context, apply
from gateway.model.draft import Draft, Rejected
from gateway.model.source_record import Skipped
from tests.support.small_mapping import (
    AT,
    CONTEXT,
    HEAD,
    a_mapping,
    a_row_record,
    a_tree_record,
    draft_of,
    facts_of,
    resources,
)

CONTACT = """
read:
  started_at: {date: BEGIN, zone: agency}
  persons:
    - each: rows
      when: {has: PERSON}
      do: {key: {from: PERSON}, family: {from: NAME}}
  behaviors: {flags: {MANIC: mania}, codes: behaviors}
  natures: {flags: {CHEMICAL: chemical}, codes: natures}
  referrals: {each: rows, when: {has: SERVICE}, do: {service: {from: SERVICE}, to: {from: TO}, author: clinical}}
  consent: {state: {map: {Y: granted, N: refused, R: revoked, "-": not-asked}, from: AGREED}}
facts:
  arrest: {checked: ARRESTED}
left_out: {NOTE: free text is withheld}
use: contact
"""


def a_contact(**cells: str) -> dict[str, str]:
    """Return a row about one invented person who was referred to one service."""
    row = {"ID": "7", "BEGIN": "2026-01-05T13:45", "PERSON": "p1", "NAME": "Sample", "SERVICE": "crisis-clinic"}
    return {**row, **cells}


def kinds(draft: Draft) -> list[str]:
    return [entry["resource"]["resourceType"] for entry in draft.bundle["entry"]]


def test_a_contact_becomes_the_resources_of_a_handoff() -> None:
    draft = draft_of(CONTACT, a_row_record(a_contact(MANIC="X", AGREED="Y")))

    assert kinds(draft) == [
        "Organization", "PractitionerRole", "PractitionerRole", "Patient", "Encounter", "Observation", "Consent",
        "DocumentReference", "DocumentReference", "ServiceRequest", "Task", "Provenance", "Provenance",
    ]  # fmt: skip


def test_every_resource_is_the_target_of_exactly_one_provenance() -> None:
    draft = draft_of(CONTACT, a_row_record(a_contact(MANIC="X", AGREED="Y")))

    targets = [target["reference"] for one in resources(draft, "Provenance") for target in one["target"]]
    every = [entry["resource"] for entry in draft.bundle["entry"]]
    others = [f"{one['resourceType']}/{one['id']}" for one in every if one["resourceType"] != "Provenance"]
    assert sorted(targets) == sorted(others)


def test_the_clinicians_part_has_the_clinicians_organization_as_author() -> None:
    clinic = Agency("https://warmhandoff.example/id/partner", "clinic", "Example Clinic", "America/Los_Angeles")
    context = Context(key=b"k", at=AT, assigned={"clinical": clinic})

    draft = draft_of(CONTACT, a_row_record(a_contact()), context=context)

    by_author = {one["agent"][0]["who"]["identifier"]["value"]: one for one in resources(draft, "Provenance")}
    written = [target["reference"].split("/")[0] for target in by_author["clinic"]["target"]]
    assert written == ["Organization", "PractitionerRole", "DocumentReference", "ServiceRequest", "Task"]


def test_the_same_record_gives_the_same_bundle_and_another_key_other_ids() -> None:
    record = a_row_record(a_contact())

    first, again = draft_of(CONTACT, record), draft_of(CONTACT, record)
    other = draft_of(CONTACT, record, context=Context(key=b"another key", at=AT))

    assert first == again
    assert first.handoff != other.handoff


def test_the_content_hash_changes_with_the_content_and_not_with_the_hour() -> None:
    record, changed = a_row_record(a_contact()), a_row_record(a_contact(NAME="Muster"))
    later = Context(key=CONTEXT.key, at=AT + timedelta(hours=1))

    assert draft_of(CONTACT, record).content_hash == draft_of(CONTACT, record, context=later).content_hash
    assert draft_of(CONTACT, record).content_hash != draft_of(CONTACT, changed).content_hash


def test_a_column_that_is_left_out_does_not_make_a_new_version() -> None:
    one, other = a_row_record(a_contact(NOTE="a")), a_row_record(a_contact(NOTE="b"))

    assert draft_of(CONTACT, one).content_hash == draft_of(CONTACT, other).content_hash


def test_a_record_without_a_person_has_no_patient_and_no_referral() -> None:
    draft = draft_of(CONTACT, a_row_record({"ID": "7", "SERVICE": "crisis-clinic", "MANIC": "X", "AGREED": "Y"}))

    assert not {"Patient", "ServiceRequest", "Task", "Consent"} & set(kinds(draft))
    assert all("subject" not in entry["resource"] for entry in draft.bundle["entry"])


def test_two_persons_on_one_record_are_both_kept_and_nothing_is_referred() -> None:
    draft = draft_of(CONTACT, a_row_record(a_contact(), a_contact(PERSON="p2", NAME="Muster")))

    assert len(resources(draft, "Patient")) == 2
    assert not resources(draft, "Task")
    assert "subject" not in resources(draft, "Encounter")[0]
    assert [finding.rule for finding in draft.findings if finding.rule == "person-ambiguous"] == ["person-ambiguous"]


def test_the_same_person_in_two_rows_is_one_person() -> None:
    draft = draft_of(CONTACT, a_row_record(a_contact(), a_contact(SERVICE="detox")))

    assert len(resources(draft, "Patient")) == 1
    assert len(resources(draft, "Task")) == 2


def test_what_reveals_substance_use_is_labelled_and_stays_out_of_the_summary() -> None:
    draft = draft_of(CONTACT, a_row_record(a_contact(CHEMICAL="X", MANIC="X")))

    labels = {one["code"]["text"]: one.get("meta") for one in resources(draft, "Observation")}
    sud = {"security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "SUD"}]}
    assert [label for text, label in labels.items() if "hemical" in text] == [sud]
    assert [label for text, label in labels.items() if "ania" in text] == [None]
    assert all("meta" not in one for one in resources(draft, "DocumentReference"))


def test_the_four_states_of_consent_are_four_shapes() -> None:
    def consent(state: str) -> tuple[object, ...]:
        one = resources(draft_of(CONTACT, a_row_record(a_contact(AGREED=state))), "Consent")[0]
        return one["status"], one.get("provision"), "extension" in one

    assert consent("Y") == ("active", {"type": "permit"}, False)
    assert consent("N") == ("active", {"type": "deny"}, False)
    assert consent("R") == ("inactive", {"type": "permit"}, True)
    assert consent("-") == ("draft", None, False)


def test_nothing_is_said_of_consent_where_the_record_says_nothing() -> None:
    assert not resources(draft_of(CONTACT, a_row_record(a_contact())), "Consent")


def test_an_arrest_is_a_fact_and_nowhere_in_the_bundle() -> None:
    draft = draft_of(CONTACT, a_row_record(a_contact(ARRESTED="X")))

    assert draft.facts["arrest"] is True
    assert b"rrest" not in orjson.dumps(draft.bundle)


def test_a_record_without_its_key_is_rejected() -> None:
    outcome = apply(
        a_tree_record({"other": "x"}), a_mapping("", HEAD.replace("format: table", "format: json")), CONTEXT
    )

    assert outcome == Rejected(1, "document 1", "key-missing", "expected a value in ID")


@pytest.mark.parametrize("word", ["UNKNOWN", "n/a", "None", "-"])
def test_a_record_whose_key_is_a_word_for_none_is_rejected(word: str) -> None:
    outcome = apply(a_row_record(a_contact(ID=word)), a_mapping(CONTACT), CONTEXT)

    assert outcome == Rejected(1, "line 2", "key-missing", "expected a value in ID")


def test_a_time_in_the_future_is_rejected() -> None:
    outcome = apply(a_row_record(a_contact(BEGIN="2026-11-02T10:01")), a_mapping(CONTACT), CONTEXT)

    assert isinstance(outcome, Rejected)
    assert outcome.rule == "time-in-future"


def test_a_time_of_today_that_has_come_is_taken() -> None:
    assert isinstance(apply(a_row_record(a_contact(BEGIN="2026-11-02T09:59")), a_mapping(CONTACT), CONTEXT), Draft)


def test_a_required_value_that_cannot_be_read_rejects_the_record() -> None:
    mapping = a_mapping("read: {started_at: {date: BEGIN, required: true}}\nuse: contact")

    outcome = apply(a_row_record({"ID": "7", "BEGIN": "soon"}), mapping, CONTEXT)

    assert isinstance(outcome, Rejected)
    assert (outcome.rule, "soon" in outcome.reason) == ("required-missing", False)


def test_a_record_that_is_not_for_us_is_skipped_with_the_reason() -> None:
    mapping = a_mapping("skip: [{when: {is: [KIND, fire]}, reason: a fire carries no encounter}]")

    outcome = apply(a_row_record({"ID": "7", "KIND": "Fire"}), mapping, CONTEXT)

    assert outcome == Skipped(1, "line 2", "a fire carries no encounter")


def test_a_delete_message_leaves_the_encounter_entered_in_error() -> None:
    draft = draft_of(CONTACT + "withdraw: {is: [ACTION, D]}", a_row_record(a_contact(ACTION="D", MANIC="X")))

    assert draft.deleted
    assert kinds(draft) == [
        "Organization",
        "PractitionerRole",
        "PractitionerRole",
        "Encounter",
        "Provenance",
        "Provenance",
    ]
    assert resources(draft, "Encounter")[0]["status"] == "entered-in-error"


def test_an_item_of_an_author_nobody_declared_rejects_the_record() -> None:
    body = "read: {behaviors: [{code: KIND, codes: behaviors, with: {author: {from: WHO}}}]}\nuse: contact"

    outcome = apply(a_row_record({"ID": "7", "KIND": "mania", "WHO": "stranger"}), a_mapping(body), CONTEXT)

    assert isinstance(outcome, Rejected)
    assert outcome.rule == "author-unknown"


def test_a_column_nobody_knows_is_reported_only_where_it_has_a_value() -> None:
    known = draft_of(CONTACT, a_row_record(a_contact(), columns={"EXTRA"}))
    filled = draft_of(CONTACT, a_row_record(a_contact(EXTRA="x")))

    assert [finding.rule for finding in known.findings] == []
    assert [(finding.rule, finding.location) for finding in filled.findings] == [("unknown-field", "EXTRA")]


def test_an_element_nobody_reads_is_reported_and_one_left_out_is_not() -> None:
    head = HEAD.replace("format: table", "format: json")
    tree = {"ID": "1", "read": {"me": "x"}, "people": [{"name": "a", "badge": "9"}], "rest": {"a": {"b": "c"}, "d": 1}}

    draft = draft_of(
        "facts: {x: {from: read.me}, y: {each: people, do: {from: name}}}\nleft_out: {rest.a: not wanted here}",
        a_tree_record(tree), head,
    )  # fmt: skip

    assert [finding.location for finding in draft.findings] == ["rest.d", "people.badge"]


def test_rows_that_disagree_on_a_value_of_the_record_are_reported() -> None:
    draft = draft_of("facts: {x: {from: A}}", a_row_record({"ID": "1", "A": "x"}, {"ID": "1", "A": "y"}))

    assert draft.facts["x"] == "x"
    assert [(finding.rule, finding.location) for finding in draft.findings] == [("rows-disagree", "A")]


def test_the_agency_of_the_record_wins_over_the_installation_and_the_example() -> None:
    head = HEAD.replace("agency:\n", "agency:\n  identifier: {from: ORI}\n")
    here = Agency("https://warmhandoff.example/id/ori", "WA0880000", "Elsewhere Police", "America/New_York")
    context = Context(key=b"k", at=AT, agencies=lambda system, value: here if value == here.value else None)
    body = "facts: {x: {date: BEGIN, zone: agency}}"

    named = facts_of(body, a_row_record({"ID": "1", "ORI": "WA0880000", "BEGIN": "2026-01-05T10:00"}), head, context)
    example = facts_of(body, a_row_record({"ID": "1", "BEGIN": "2026-01-05T10:00"}), head, context)

    assert named["x"] == "2026-01-05T10:00:00-05:00"
    assert example["x"] == "2026-01-05T10:00:00-08:00"


def test_an_agency_that_nobody_knows_has_no_zone_and_its_times_stay_days() -> None:
    head = HEAD.replace("agency:\n", "agency:\n  identifier: {from: ORI}\n")

    draft = draft_of(
        "facts: {x: {date: BEGIN, zone: agency}}",
        a_row_record({"ID": "1", "ORI": "WA0770000", "BEGIN": "2026-01-05T10:00"}), head,
    )  # fmt: skip

    assert draft.agency == "WA0770000"
    assert draft.facts["x"] == "2026-01-05"
    assert [finding.rule for finding in draft.findings] == ["zone-unknown"]


def test_what_a_reader_changes_in_a_bundle_does_not_reach_the_next_one() -> None:
    mapping, record = a_mapping(CONTACT), a_row_record(a_contact(AGREED="Y"))
    first = apply(record, mapping, CONTEXT)
    assert isinstance(first, Draft)
    untouched = orjson.dumps(first.bundle)

    for entry in first.bundle["entry"]:
        _spoil(entry["resource"])
    second = apply(record, mapping, CONTEXT)

    assert isinstance(second, Draft)
    assert orjson.dumps(second.bundle) == untouched


def _spoil(node: object) -> None:
    if isinstance(node, dict):
        for value in node.values():
            _spoil(value)
        node["spoiled"] = True
    elif isinstance(node, list):
        for value in node:
            _spoil(value)
        node.append("spoiled")
