"""`gateway mapping`: list, check, test, explain and new, as a person who writes a pack uses them."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.catalog.hl7v2_packs import hl7_pack_folders
from gateway.catalog.mappings import pack_paths
from gateway.cli import main
from gateway.settings import write_secret

PACK = """
mapping: own
title: Own
program: {code: own, text: Own}
source: {format: table, recognize: [CASE]}
key: [CASE]
agency: {demonstration: {value: ZZ0, name: Own, zone: America/Los_Angeles}}
authors: {police: {role: officer}}
read:
  started_at: {date: DAY, in: "%m/%d/%Y"}
left_out:
  NOTE: free text is withheld
use: contact
"""


SHIPPED = [*pack_paths(), *(f"hl7v2/{name}" for name in hl7_pack_folders())]


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["mapping", *map(str, arguments)])


def a_pack(folder: Path, text: str = PACK) -> Path:
    pack = folder / "own"
    (pack / "examples").mkdir(parents=True)
    (pack / "mapping.yaml").write_text(text)
    return pack


def test_every_shipped_pack_is_listed() -> None:
    result = run("list", "--json")

    assert [json.loads(line)["mapping"] for line in result.stdout.splitlines()] == SHIPPED


def test_every_shipped_pack_passes_the_check() -> None:
    result = run("check")

    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [f"{name}: ok" for name in SHIPPED]


@pytest.mark.parametrize(
    ("wrong", "right", "message"),
    [
        ("format: tabel", "format: table", "own/mapping.yaml:5:18: source.format: 'tabel' is not one of"),
        ('in: "%Q"', 'in: "%m/%d/%Y"', "own/mapping.yaml:10:31: read.started_at.in: expected one of %Y"),
        ("raed:", "read:", "Additional properties are not allowed ('raed' was unexpected)"),
        ("mapping: other", "mapping: own", "mapping: expected 'own', the name of the folder"),
        ("key: [CASE", "key: [CASE]", "not readable as YAML"),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, wrong: str, right: str, message: str) -> None:
    result = run("check", a_pack(tmp_path, PACK.replace(right, wrong)))

    assert result.exit_code == 1
    assert message in result.stderr


def test_an_unknown_pack_is_wrong_use() -> None:
    assert run("check", "nonsense").exit_code == 2


def test_an_example_that_differs_is_told_by_its_element(tmp_path: Path) -> None:
    pack = a_pack(tmp_path)
    (pack / "examples" / "01-a.in.csv").write_text("CASE,DAY\n1,01/05/2026\n")
    converted = CliRunner().invoke(
        main, ["convert", str(pack / "examples" / "01-a.in.csv"), "--at", "2026-11-02T18:00:00Z", "--mapping", "own",
               "--config", str(an_installation(tmp_path))],
    )  # fmt: skip
    assert converted.exit_code == 0, converted.stderr
    (pack / "examples" / "01-a.out.ndjson").write_text('{"resourceType": "Bundle", "type": "message"}\n')

    result = run("test", pack)

    assert result.exit_code == 1
    assert 'own/01-a.in.csv: out.ndjson line 1: type: expected "message", found "collection"' in result.stderr
    assert result.stdout == "passed=0 failed=1\n"


def an_installation(folder: Path) -> Path:
    """Write a configuration whose mappings hold the pack."""
    installation = folder / "installation"
    (installation / "partners").mkdir(parents=True)
    (installation / "mappings").mkdir()
    (installation / "mappings" / "own").symlink_to(folder / "own")
    write_secret(installation, "id", bytes(range(32)))
    return installation


def test_explain_gives_every_field_with_what_became_of_it(tmp_path: Path) -> None:
    pack = a_pack(tmp_path)
    file = tmp_path / "a.csv"
    file.write_text("CASE,DAY,NOTE,EXTRA\n1,01/05/2026,n,e\n")

    result = run("explain", file, "--mapping", pack, "--json")

    found = {
        (line["path"], line["status"], line["rule"], line["target"])
        for line in map(json.loads, result.stdout.splitlines())
    }
    assert ("DAY", "mapped", "own/mapping.yaml:10", "Encounter.period.start") in found
    assert ("NOTE", "ignored", "free text is withheld", "") in found
    assert ("EXTRA", "unknown", "", "") in found
    assert {path for path, *_ in found} == {"CASE", "DAY", "NOTE", "EXTRA"}


def test_explain_names_for_an_element_only_the_fields_it_came_from_each_once(tmp_path: Path) -> None:
    file = tmp_path / "contacts.csv"
    file.write_text(
        "contact_id,contact_date,client_id,last_name,first_name,phone,housing,referral_service,referral_made\n"
        "C-1,2026-10-01,P-1,Sample-Test,Ann,206-555-0101,housed,mental_health_outpatient,Y\n"
    )

    lines = [json.loads(line) for line in run("explain", file, "--json").stdout.splitlines()]

    shown = [(line["target"], line["path"]) for line in lines]
    assert [path for target, path in shown if target == "Patient.telecom"] == ["phone"]
    assert [path for target, path in shown if target == "ServiceRequest.authoredOn"] == ["contact_date"]
    assert ("ServiceRequest.code.coding", "referral_service") in shown
    assert {path for _, path in shown} == {
        "contact_id", "contact_date", "client_id", "last_name", "first_name", "phone", "housing", "referral_service",
        "referral_made",
    }  # fmt: skip


def test_explain_recognizes_the_file_and_shows_one_record(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("objectid,event_type\n1,Overdose\n2,Overdose\n")

    result = run("explain", file, "--record", "2")

    assert result.stdout.splitlines()[0] == "record 2"
    assert "Observation.code" in result.stdout


def test_explain_says_where_there_is_no_such_record(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("objectid,event_type\n1,Overdose\n")

    none, nothing = run("explain", file, "--record", "2"), run("explain", file, "--record", "0")

    assert (none.exit_code, none.stdout) == (1, "")
    assert none.stderr == f"{file}: expected a record 2, found none of that number\n"
    assert nothing.exit_code == 2


SAMPLE = """case_no,contact_date,contact_time,last_name,first_name,dob,sex,veteran,narrative,officer_badge,crisis
C-1,01/05/2026,134,Sample,Avery,02/03/1980,F,Y,text,77,X
C-2,01/06/2026,5,Muster,Kim,,M,N,text,77,
"""


def test_a_proposal_from_sample_rows_passes_the_check(tmp_path: Path) -> None:
    file = tmp_path / "sample.csv"
    file.write_text(SAMPLE)

    proposal = run("new", "--from", file, "--name", "own").stdout

    assert "key: [case_no]" in proposal
    assert (
        'started_at: {date: contact_date, in: "%m/%d/%Y", time: contact_time, time_in: HMM, zone: agency}' in proposal
    )
    assert "family: {from: last_name}" in proposal
    assert "narrative: free text is withheld from every output" in proposal
    assert run("check", a_pack(tmp_path, proposal)).stderr == ""


SHERIFF = """Incident #,Call Date,Call Time,Deputy,Subject Last,Subject First,Referred To,OK to Share?,Signed Date
24-1,10/03/2026,0934,Dep. Sample,Able-Test,Ann,Crisis Clinic,Y,10/04/2026
24-2,10/04/2026,2310,Dep. Sample,Baker-Test,Bob,Detox,N,
24-3,10/05/2026,0005,Dep. Other,Carl-Test,Cy,,Y,10/06/2026
24-4,13/05/2026,0005,Dep. Other,Delta-Test,Dee,Peer support,Y,10/06/2026
"""


def test_a_proposal_finds_names_referrals_and_the_day_of_the_call_among_other_dates(tmp_path: Path) -> None:
    file = tmp_path / "sheriff.csv"
    file.write_text(SHERIFF)

    result = run("new", "--from", file, "--name", "own")
    proposal = result.stdout

    assert 'recognize: ["Incident #", Call Date, Call Time]' in proposal
    assert 'started_at: {date: Call Date, in: "%m/%d/%Y", time: Call Time, time_in: HMM, zone: agency}' in proposal
    assert "family: {from: Subject Last}" in proposal
    assert "then: {code: Referred To, codes: services}" in proposal
    assert "# What the person said may stand in these: OK to Share?, Signed Date." in proposal
    assert "Deputy: the officer's identity does not leave the agency" in proposal
    assert result.stderr == "save it as mappings/own/mapping.yaml, then: gateway mapping check own\n"
    assert run("check", a_pack(tmp_path, proposal)).stderr == ""


def test_a_proposal_takes_a_name_in_one_piece_and_passes_over_a_column_without_a_name(tmp_path: Path) -> None:
    file = tmp_path / "odd.csv"
    file.write_text("Case No;Call Date;Client Name;D.O.B.;;Veteran\nA1;2026-11-01;Sample, Ann;1980-01-02;x;N\n")

    proposal = run("new", "--from", file, "--name", "own").stdout

    assert "    - when: {has: Client Name}\n      then:\n        family: {from: Client Name}\n" in proposal
    assert 'birth_date: {date: "D.O.B.", in: iso}' in proposal
    assert "client_name" not in proposal
    assert run("check", a_pack(tmp_path, proposal)).stderr == ""


def test_a_proposal_knows_years_in_two_digits_and_that_births_have_come(tmp_path: Path) -> None:
    file = tmp_path / "short.csv"
    file.write_text("Case No,Call Date,Call Time,Last,DOB\nA1,11/01/26,1:34 PM,Sample,02/03/58\n")

    proposal = run("new", "--from", file, "--name", "own").stdout

    assert (
        'started_at: {date: Call Date, in: "%m/%d/%y", time: Call Time, time_in: "%I:%M %p", zone: agency}' in proposal
    )
    assert 'birth_date: {date: DOB, in: "%m/%d/%y", future: last-century}' in proposal
    assert run("check", a_pack(tmp_path, proposal)).stderr == ""


def test_a_proposal_needs_a_table(tmp_path: Path) -> None:
    file = tmp_path / "sample.txt"
    file.write_text("hello")

    assert run("new", "--from", file).exit_code == 1


def test_a_pack_without_examples_is_told_where_to_put_them(tmp_path: Path) -> None:
    result = run("test", a_pack(tmp_path))

    assert result.stdout == "passed=0 failed=0\n"
    assert "own: no examples; put inputs into " in result.stderr


def test_an_example_without_an_expectation_gets_one_that_holds_and_is_not_written_again(tmp_path: Path) -> None:
    pack = a_pack(tmp_path)
    (pack / "examples" / "01-a-day.in.csv").write_text("CASE,DAY\nA-1,10/03/2026\n")
    expected = pack / "examples" / "01-a-day.out.ndjson"

    first = run("test", pack, "--write")
    expected.write_text(expected.read_text().replace("2026-10-03", "2026-10-04"))
    second = run("test", pack, "--write")

    assert (first.stdout, first.stderr) == ("passed=1 failed=0\n", f"written: {expected}\n")
    assert second.stdout == "passed=0 failed=1\n"


def test_an_example_without_an_expectation_fails(tmp_path: Path) -> None:
    pack = a_pack(tmp_path)
    (pack / "examples" / "01-a-day.in.csv").write_text("CASE,DAY\nA-1,10/03/2026\n")

    result = run("test", pack)

    assert result.stdout == "passed=0 failed=1\n"
    assert "01-a-day.in.csv: expected 01-a-day.out.ndjson beside it, found none" in result.stderr


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (["01-a.in.csv", "01-a.in.txt"], "expected one file 01-a.in.*, found 01-a.in.csv besides"),
        (["01-a.out.ndjson"], "expected a file 01-a.in.* beside it, found none"),
    ],
)
def test_examples_that_do_not_pair_stop_the_test(tmp_path: Path, files: list[str], message: str) -> None:
    pack = a_pack(tmp_path)
    for name in files:
        (pack / "examples" / name).write_text("CASE,DAY\nA-1,10/03/2026\n")

    result = run("test", pack)

    assert (result.exit_code, result.stdout) == (1, "")
    assert message in result.stderr


def test_explain_tells_what_is_wrong_with_a_record(tmp_path: Path) -> None:
    file = tmp_path / "own.csv"
    file.write_text("CASE,DAY,COLOUR\nA-1,2026-10-03,red\n")

    result = run("explain", file, "--mapping", a_pack(tmp_path))

    assert f"{file}: record 1: DAY: expected a date in the mapping's format, found another text" in result.stderr
    assert "unknown  COLOUR = 'red'\n" in result.stdout


def test_the_examples_of_a_partners_file_are_tried_with_it(tmp_path: Path) -> None:
    example = an_example_of_a_partner(tmp_path)
    expected, back = (example.with_name(f"01-a-name.out.{kind}") for kind in ("ndjson", "hl7"))

    written = run("test", "hl7v2/adt", "--config", tmp_path, "--write")
    bundle = expected.read_text()
    expected.write_text(bundle.replace("Sample name", "Another name"))
    back.write_text(back.read_text().replace("ADT^A31", "ADT^A28"))
    changed = run("test", "hl7v2/adt", "--config", tmp_path)

    assert (written.exit_code, written.stderr) == (0, f"written: {expected}\nwritten: {back}\n")
    assert '"name":[{"text":"Sample name"}]' in bundle
    assert changed.exit_code == 1
    told = [line.removeprefix("hl7v2/adt/01-a-name.in.hl7: ") for line in changed.stderr.splitlines()]
    assert told[0].endswith('resource.name[0].text: expected "Another name", found "Sample name"')
    assert told[1].startswith('out.hl7 line 1: expected "MSH|')


def test_an_example_of_hl7v2_without_an_expectation_fails_and_says_how_to_get_one(tmp_path: Path) -> None:
    an_example_of_a_partner(tmp_path)

    result = run("test", "hl7v2/adt", "--config", tmp_path)

    assert result.exit_code == 1
    assert result.stderr == (
        "hl7v2/adt/01-a-name.in.hl7: expected 01-a-name.out.ndjson beside it, found none;"
        " --write makes it of what comes out now\n"
    )


def an_example_of_a_partner(directory: Path) -> Path:
    """Write a partner's file that changes a row of the pack `adt`, and an example of it."""
    folder = directory / "mappings" / "hl7v2" / "adt"
    example = folder / "examples" / "sample-hospital" / "01-a-name.in.hl7"
    example.parent.mkdir(parents=True)
    (folder / "sample-hospital.yaml").write_text('rows: {PID-3: {to: "Patient.name[].text"}}\n')
    head = b"MSH|^~\\&|EHR|H|GW|WH|20261102101500-0800||ADT^A31|1|P|2.5.1\rEVN|A31|20261102101500-0800\r"
    example.write_bytes(head + b"PID|1||Sample name\r")
    return example


def test_a_partners_row_that_leads_nowhere_fails_the_check(tmp_path: Path) -> None:
    folder = tmp_path / "mappings" / "hl7v2" / "adt"
    folder.mkdir(parents=True)
    (folder / "sample-hospital.yaml").write_text("rows: {PV1-10: {to: Encounter.typo, as: CWE}}\n")

    result = run("check", "hl7v2/adt", "--config", tmp_path)

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("hl7v2/adt/sample-hospital.yaml:1:16: rows.PV1-10: expected an element that R4 has")


def test_a_file_of_nobody_who_is_registered_is_warned_of(tmp_path: Path) -> None:
    (tmp_path / "partners").mkdir()
    (tmp_path / "partners" / "hospital.yaml").write_text("id: org:sample-hospital\nname: Sample Hospital\n")
    folder = tmp_path / "mappings" / "hl7v2" / "adt"
    folder.mkdir(parents=True)
    for name in ("sample-hospital", "sample-hopsital"):
        (folder / f"{name}.yaml").write_text("zone: America/Los_Angeles\n")

    result = run("check", "hl7v2/adt", "--config", tmp_path)

    assert (result.exit_code, result.stdout) == (0, "hl7v2/adt: ok\n")
    assert result.stderr == (
        "hl7v2/adt/sample-hopsital.yaml: warning: expected the name of a partner, found no org:sample-hopsital in"
        " partners/; nothing is read by this file\n"
    )


def test_a_partners_file_that_cannot_be_read_is_told_and_no_example_is_tried(tmp_path: Path) -> None:
    folder = tmp_path / "mappings" / "hl7v2" / "adt"
    folder.mkdir(parents=True)
    (folder / "sample-hospital.yaml").write_text("rows: []\n")

    result = run("test", "hl7v2/adt", "--config", tmp_path)

    assert (result.exit_code, result.stdout) == (1, "")
    assert "sample-hospital.yaml:1:7: rows" in result.stderr
