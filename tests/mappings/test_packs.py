"""What the packs promise beyond their example pairs: completeness, sameness over formats, and what never gets out."""

import csv
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gateway.catalog import shipped
from gateway.catalog.mappings import examples, pack_paths, read_mapping
from gateway.formats import read
from gateway.mapping import Context, apply
from gateway.model.draft import Draft, Rejected
from gateway.model.received import Received
from gateway.model.source_record import Skipped, SourceRecord, Unreadable
from tests.support.shared_data import shared_data

CONTEXT = Context(key=b"a key for tests", at=datetime(2026, 11, 2, 18, tzinfo=UTC))
ONE_ENCOUNTER = Path(__file__).with_name("one_encounter")
PACKS = sorted(pack_paths())
Outcome = Draft | Rejected | Unreadable | Skipped


def convert(pack: str, source: Path | bytes) -> list[Outcome]:
    """Convert a file, or text given as bytes, by a shipped pack."""
    mapping = read_mapping(pack_paths()[pack])
    content = source if isinstance(source, bytes) else source.read_bytes()
    items = read(Received.of_bytes("a file", content), mapping.layout)
    return [apply(item, mapping, CONTEXT) if isinstance(item, SourceRecord) else item for item in items]


def drafts(pack: str, source: Path | bytes) -> list[Draft]:
    return [outcome for outcome in convert(pack, source) if isinstance(outcome, Draft)]


def resources(draft: Draft, kind: str) -> list[dict[str, Any]]:
    found = [entry["resource"] for entry in draft.bundle["entry"]]
    return [resource for resource in found if resource["resourceType"] == kind]


def codes(draft: Draft, system: str) -> list[str]:
    """Return the codes of the Observations that use one of our code systems."""
    url = f"https://warmhandoff.example/fhir/CodeSystem/{system}"
    coding = [coding for one in resources(draft, "Observation") for coding in one["code"].get("coding", [])]
    return [one["code"] for one in coding if one["system"] == url]


# Completeness


def test_every_column_of_the_police_template_is_read_or_left_out_with_a_reason() -> None:
    with shared_data("sources", "dictionaries", "seattle-rms-crisis-template.csv").open(newline="") as rows:
        dictionary = {row["column"] for row in csv.DictReader(rows)}
    mapping = read_mapping(pack_paths()["seattle-rms-crisis"])
    assert len(dictionary) == 117
    assert mapping.known_columns == dictionary
    assert all(len(reason) > 8 for reason in mapping.left_out.values())


def test_every_column_of_the_toronto_dictionary_is_known() -> None:
    mapping = read_mapping(pack_paths()["toronto-persons-in-crisis"])
    # event_id is seen in a simulated copy only; it is no column of what is published.
    columns = "objectid event_date event_year event_month event_dow event_hour event_type hood_158 apprehension_made"
    assert set(columns.split()) <= mapping.known_columns


@pytest.mark.parametrize("pack", PACKS)
def test_no_field_of_an_example_is_dropped_without_a_word(pack: str) -> None:
    for source, _ in examples(pack_paths()[pack]):
        unknown = [
            finding.location
            for draft in drafts(pack, source)
            for finding in draft.findings
            if finding.rule == "unknown-field"
        ]
        assert unknown == [], source.name


@pytest.mark.parametrize("pack", PACKS)
def test_a_pack_shows_at_least_six_examples(pack: str) -> None:
    assert len(list(examples(pack_paths()[pack]))) >= 6


@pytest.mark.parametrize(
    ("table", "system"),
    [
        ("behaviors", "behavior"),
        ("natures", "crisis-nature"),
        ("dispositions", "disposition"),
        ("apco-dispositions", "disposition"),
        ("safety", "safety"),
        ("services", "service"),
        ("responder-roles", "responder-role"),
    ],
)
def test_a_code_table_says_only_what_its_code_system_says(table: str, system: str) -> None:
    system_path = shipped("profiles", "handoff") / f"CodeSystem-{system}.json"
    concepts = {one["code"]: one["display"] for one in json.loads(system_path.read_text())["concept"]}
    with (shipped("mappings", "codes") / f"{table}.csv").open(newline="") as rows:
        written = {row["target_code"]: row["display"] for row in csv.DictReader(rows) if row["target_code"]}
    assert written == {code: concepts.get(code) for code in written}


@pytest.mark.parametrize("pack", PACKS)
def test_a_program_is_called_as_in_its_code_system(pack: str) -> None:
    program = read_mapping(pack_paths()[pack]).program
    system_path = shipped("profiles", "handoff") / "CodeSystem-program.json"
    concepts = {one["code"]: one["display"] for one in json.loads(system_path.read_text())["concept"]}
    assert concepts[program["code"]] == program["text"]


# The same encounter in three formats


def without_origin(bundle: dict[str, Any]) -> list[Any]:
    """Return the resources without ids, identifiers, meta and Provenance; a reference becomes its target's place."""
    entries = [entry["resource"] for entry in bundle["entry"] if entry["resource"]["resourceType"] != "Provenance"]
    places = {f"{one['resourceType']}/{one['id']}": f"{one['resourceType']} {n}" for n, one in enumerate(entries)}

    def strip(node: Any) -> Any:
        if isinstance(node, list):
            return [strip(one) for one in node]
        if isinstance(node, dict):
            kept = {name: strip(value) for name, value in node.items() if name not in ("id", "identifier", "meta")}
            return {name: places[value] if name == "reference" else value for name, value in kept.items()}
        return node

    return [strip(one) for one in entries]


def test_one_encounter_is_the_same_from_police_records_emergency_call_and_niem() -> None:
    [police] = drafts("seattle-rms-crisis", ONE_ENCOUNTER / "police-records.csv")
    [call] = drafts("eido", ONE_ENCOUNTER / "emergency-call.json")
    [incident] = drafts("niem6-incident", ONE_ENCOUNTER / "incident.xml")
    assert codes(police, "behavior") == ["disoriented-confused", "suicide-threat-or-attempt"]
    assert codes(police, "disposition") == ["referral", "transport-shelter"]
    assert without_origin(call.bundle) == without_origin(police.bundle)
    assert without_origin(incident.bundle) == without_origin(police.bundle)
    assert [draft.facts["arrest"] for draft in (police, call, incident)] == [False, False, False]


# What never becomes FHIR


def left_out_values(pack: str, source: Path) -> Iterator[str]:
    mapping = read_mapping(pack_paths()[pack])
    for item in read(Received.of_bytes("a file", source.read_bytes()), mapping.layout):
        for row in item.rows if isinstance(item, SourceRecord) else ():
            yield from (row[column] for column in mapping.left_out if len(row.get(column, "")) > 4)


def test_nothing_of_what_is_left_out_of_the_police_template_is_in_the_bundle() -> None:
    source = pack_paths()["seattle-rms-crisis"] / "examples" / "01-every-column.in.csv"
    [draft] = drafts("seattle-rms-crisis", source)
    text = json.dumps(draft.bundle)
    held_back = list(left_out_values("seattle-rms-crisis", source))
    assert "000-00-0000" in held_back
    assert [value for value in held_back if value in text] == []


@pytest.mark.parametrize("pack", PACKS)
def test_no_example_lets_police_business_into_fhir(pack: str) -> None:
    words = re.compile(r"arrest|charge|offen[sc]e|warrant|handcuff|RCW|narrative|invented (note|remark|reason)", re.I)
    for source, expected in examples(pack_paths()[pack]):
        for line in expected.read_text().splitlines():
            told = [one["resource"] for one in json.loads(line)["entry"]]
            assert words.search(json.dumps(told)) is None, source.name


def test_what_reveals_substance_use_is_labelled_from_the_start() -> None:
    source = pack_paths()["seattle-rms-crisis"] / "examples" / "06-arrested-and-referred.in.csv"
    [draft] = drafts("seattle-rms-crisis", source)
    labelled = [
        entry["resource"]["resourceType"]
        for entry in draft.bundle["entry"]
        if any(one["code"] == "SUD" for one in entry["resource"].get("meta", {}).get("security", []))
    ]
    assert labelled == ["Observation", "ServiceRequest", "Task"]


# People


def test_a_changed_person_without_a_number_is_another_patient() -> None:
    header = b"XML_CRISIS_ID,REPORTED_ON_DATE,CRISIS_CONTACTED_LAST_NAME,CRISIS_CONTACTED_FIRST_NAME\n"
    [before] = drafts("seattle-rms-crisis", header + b"910099,03/04/2026,SPECIMEN,MARLOW\n")
    [after] = drafts("seattle-rms-crisis", header + b"910099,03/04/2026,SPECIMEN,MERLE\n")
    assert before.handoff == after.handoff
    assert resources(before, "Patient")[0]["id"] != resources(after, "Patient")[0]["id"]


def test_a_person_with_a_number_is_one_patient_over_all_crises() -> None:
    source = pack_paths()["seattle-rms-crisis"] / "examples" / "07-to-hospital-willingly-or-not.in.csv"
    patients = {resources(draft, "Patient")[0]["id"] for draft in drafts("seattle-rms-crisis", source)}
    assert len(patients) == 1


@pytest.mark.parametrize("number", ["UNKNOWN", "unknown", "N/A", "None", "0", "000", "-"])
def test_persons_whose_number_says_there_is_none_are_each_one_of_their_own(number: str) -> None:
    rows = f"C-1,2026-10-01,{number},Sample,Ann\nC-2,2026-10-02,{number},Sample,Bob\n"
    source = f"contact_id,contact_date,client_id,last_name,first_name\n{rows}".encode()

    ids = [resources(draft, "Patient")[0]["id"] for draft in drafts("co-responder-contact", source)]

    assert len(set(ids)) == 2


def test_persons_of_two_messages_are_two_even_where_both_are_called_p1() -> None:
    text = (ONE_ENCOUNTER / "incident.xml").read_bytes()
    [first] = drafts("niem6-incident", text)
    [second] = drafts("niem6-incident", text.replace(b">920001<", b">920002<"))
    assert resources(first, "Patient")[0]["id"] != resources(second, "Patient")[0]["id"]


def test_the_police_part_and_the_clinical_part_have_two_authors() -> None:
    source = pack_paths()["co-responder-contact"] / "examples" / "01-an-officer-and-a-clinician.in.csv"
    [draft] = drafts("co-responder-contact", source)
    authors = {
        target["reference"]: provenance["agent"][0]["who"]["identifier"]["value"]
        for provenance in resources(draft, "Provenance")
        for target in provenance["target"]
    }
    by_kind = {
        kind: {authors[f"{kind}/{one['id']}"] for one in resources(draft, kind)}
        for kind in ("Patient", "Encounter", "Flag", "Observation", "Consent", "ServiceRequest", "Task")
    }
    assert by_kind == {
        "Patient": {"WA0990000"},
        "Encounter": {"WA0990000"},
        "Flag": {"WA0990000"},
        "Observation": {"demo-corresponders"},
        "Consent": {"demo-corresponders"},
        "ServiceRequest": {"demo-corresponders"},
        "Task": {"demo-corresponders"},
    }


# Real rows of others, read in place


def test_the_share_of_apprehensions_in_toronto_equals_an_independent_count() -> None:
    source = shared_data("sources", "toronto", "pic_calls_excerpt.csv")
    with source.open(newline="") as rows:
        counted = [row["apprehension_made"].strip() for row in csv.DictReader(rows)]
    converted = drafts("toronto-persons-in-crisis", source)
    apprehended = [draft for draft in converted if "mental-health-apprehension" in codes(draft, "disposition")]
    assert len(converted) == len(counted) == 2500
    assert len(apprehended) == counted.count("Yes")
    assert [draft.facts["apprehension"] for draft in converted].count(True) == counted.count("Yes")
    assert not any(resources(draft, kind) for draft in converted for kind in ("Patient", "ServiceRequest", "Task"))


def test_a_year_without_the_apprehension_column_says_not_available_and_never_no() -> None:
    converted = drafts("toronto-persons-in-crisis", shared_data("sources", "toronto", "pic_calls_2023_excerpt.csv"))
    assert len(converted) == 500
    assert {draft.facts["apprehension"] for draft in converted} == {"not available"}
    assert not any(codes(draft, "disposition") for draft in converted)


@pytest.mark.parametrize(
    "name",
    [
        "nibrs/nibrs_GroupAIncident_Sample.xml",
        "nibrs/nibrs_GroupBArrest_Sample.xml",
        "nibrs/nibrs_IncidentDelete_Sample.xml",
        "nibrs/nibrs_ZeroReport_Sample.xml",
        "niem/CrashDriverSample.xml",
        "niem/CrashDriverSample.json",
    ],
)
def test_reports_without_an_encounter_are_skipped_with_a_reason(name: str) -> None:
    outcomes = convert("niem6-incident", shared_data("sources", *name.split("/")))
    assert outcomes
    assert all(isinstance(outcome, Skipped) and "no encounter" in outcome.reason for outcome in outcomes)
