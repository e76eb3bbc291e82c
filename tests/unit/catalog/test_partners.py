"""`partners/*.yaml`: read into the registry, or refused with file and line."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

import gateway.catalog
from gateway.catalog.partners import overlaid, read_partner_entries, read_partners, registry_from
from gateway.formats.hl7v2.charsets import CODECS
from gateway.model.errors import ConfigurationError
from gateway.model.partner import Feed, RelayRule
from tests.support.shared_data import shared_data

HARBOR = """\
id: org:harbor
name: Harbor
identifiers: [{system: "urn:oid:2.999.5", value: "1"}]
state: WA
timezone: America/Los_Angeles
roles: [provider]
legal_class:
  - {from: 2019-03-01, part2: no, covered_entity: true}
agreements:
  - {id: q1, type: qsoa, with: org:cedar, from: 2026-01-01, to: 2026-12-31, services: [billing]}
endpoints:
  - {transport: fhir, address: "https://harbor.example", verified: 2026-06-01}
units:
  - {id: org:harbor-lab, name: Laboratory, identifiers: [{system: "urn:oid:2.999.5", value: "2"}]}
  - id: org:harbor-unit
    name: Unit 7
    roles: [provider, otp]
    legal_class: [{from: 2021-01-01, part2: yes, sud_only: true}]
"""
NOW = datetime(2026, 11, 2, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "harbor.yaml").write_text(HARBOR, encoding="utf-8")
    return tmp_path


def test_units_are_organizations_that_inherit_what_they_do_not_state(folder: Path) -> None:
    registry = read_partners(folder)

    harbor, lab, unit = registry.get("org:harbor"), registry.get("org:harbor-lab"), registry.get("org:harbor-unit")

    assert harbor is not None
    assert lab is not None
    assert unit is not None
    assert (lab.roles, lab.endpoints, lab.timezone) == (harbor.roles, harbor.endpoints, harbor.timezone)
    assert (lab.agreements, lab.parent) == ((), "org:harbor")
    assert (unit.roles, unit.is_program(NOW)) == (frozenset({"provider", "otp"}), True)
    assert (harbor.is_program(NOW), harbor.is_covered(NOW)) == (False, True)
    assert registry.find("urn:oid:2.999.5", "2") is lab


@pytest.mark.parametrize(
    ("old", "new", "where", "what"),
    [
        ("roles: [provider]", "roles: [doctor]", "harbor.yaml:6:", "is not one of"),
        ("part2: no,", "part2: maybe,", "harbor.yaml:8:", "is not one of"),
        ("from: 2019-03-01", "from: spring", "harbor.yaml:8:", "calendar day"),
        ("to: 2026-12-31", "to: never", "harbor.yaml:10:", "calendar day"),
        ("timezone: America/Los_Angeles", "timezone: Pacific", "harbor.yaml:5:", "time zone"),
        ("state: WA", "stat: WA", "harbor.yaml:1:", "stat"),
        ("name: Harbor\n", "", "harbor.yaml:1:", "name"),
        ("id: org:harbor-lab", "id: org:harbor", "harbor.yaml:14:", "expected an id or identifier of its own"),
        ('value: "2"', 'value: "1"', "harbor.yaml:14:", "expected an id or identifier of its own"),
    ],
)
def test_a_mistake_is_named_with_its_line(folder: Path, old: str, new: str, where: str, what: str) -> None:
    (folder / "harbor.yaml").write_text(HARBOR.replace(old, new), encoding="utf-8")

    with pytest.raises(ConfigurationError) as refused:
        read_partners(folder)

    assert where in str(refused.value)
    assert what in str(refused.value)


CEDAR = """\
id: org:cedar
name: Cedar
identifiers: [{system: "urn:oid:2.999.5", value: "9"}]
roles: [hie]
legal_class: [{from: 2020-01-01, part2: no}]
endpoints:
  - {transport: hl7v2, address: "mllp://cedar.example:2576"}
feeds:
  - application: CEDAR
    pass_on:
      - {to: org:oak, purpose: [TREAT, COC], types: [ADT, ORU]}
"""
OAK = CEDAR.partition("feeds:")[0].replace("cedar", "oak").replace('"9"', '"10"')


def test_a_feed_says_to_whom_it_is_passed_on(folder: Path) -> None:
    (folder / "cedar.yaml").write_text(CEDAR, encoding="utf-8")
    (folder / "oak.yaml").write_text(OAK, encoding="utf-8")

    cedar = read_partners(folder).get("org:cedar")

    assert cedar is not None
    assert cedar.feeds == (Feed("CEDAR", pass_on=(RelayRule("org:oak", ("TREAT", "COC"), frozenset({"ADT", "ORU"})),)),)


def test_a_feed_says_what_its_messages_are_written_in(folder: Path) -> None:
    (folder / "oak.yaml").write_text(f"{OAK}feeds: [{{application: OAK, charset: 8859/2}}]\n", encoding="utf-8")

    registry = read_partners(folder)

    assert (registry.charset_of("OAK", "ANY"), registry.charset_of("ELM", "ANY")) == ("8859/2", "")


def test_every_set_that_a_feed_may_state_is_one_that_we_read() -> None:
    schema = json.loads((Path(gateway.catalog.__path__[0]) / "schemas" / "partner.schema.json").read_text())

    feed = schema["$defs"]["organization"]["properties"]["feeds"]["items"]["properties"]

    assert set(feed["charset"]["enum"]) <= CODECS.keys()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("to: org:oak", "to: org:harbor"),
        ("to: org:oak", "to: org:nowhere"),
        ("to: org:oak", "to: org:cedar"),
        ("    pass_on:\n", "    pass_on:\n      - {to: org:oak, purpose: TREAT, types: [MDM]}\n"),
        ("types: [ADT, ORU]", "types: [REF]"),
        ("purpose: [TREAT, COC]", "purpose: []"),
    ],
    ids=["takes no HL7v2", "unknown", "its own sender", "twice", "a type between two", "no purpose"],
)
def test_a_receiver_that_cannot_be_passed_on_to_is_named_with_its_line(folder: Path, old: str, new: str) -> None:
    (folder / "cedar.yaml").write_text(CEDAR.replace(old, new), encoding="utf-8")
    (folder / "oak.yaml").write_text(OAK, encoding="utf-8")

    with pytest.raises(ConfigurationError, match=r"cedar\.yaml:1[12]:\d+: (to|feeds)"):
        read_partners(folder)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="expected a folder of partner files"):
        read_partners(tmp_path / "partners")


def test_an_overlay_replaces_keys_before_units_inherit(folder: Path) -> None:
    entries = read_partner_entries(folder)

    changed = registry_from(
        overlaid(
            entries,
            [
                {"id": "org:harbor", "roles": ["payer"]},
                {"id": "org:harbor-unit", "name": "Unit 8"},
                {"id": "org:new", "name": "New", "roles": ["other"]},
            ],
        )
    )

    assert [changed.organizations[one].roles for one in ("org:harbor", "org:harbor-lab")] == [{"payer"}, {"payer"}]
    assert changed.organizations["org:harbor-unit"].name == "Unit 8"
    assert "org:new" in changed
    assert registry_from(entries).organizations["org:harbor"].roles == {"provider"}


def test_the_digest_is_that_of_the_content(folder: Path) -> None:
    entries = read_partner_entries(folder)

    same, other = registry_from(entries), registry_from(overlaid(entries, [{"id": "org:harbor", "name": "Port"}]))

    assert same.digest == read_partners(folder).digest
    assert other.digest != same.digest


def test_an_overlay_is_held_to_the_schema(folder: Path) -> None:
    with pytest.raises(ConfigurationError, match="is not one of"):
        overlaid(read_partner_entries(folder), [{"id": "org:harbor", "roles": ["doctor"]}])


def test_the_shared_test_world_is_read() -> None:
    registry = read_partners(shared_data("world", "partners"))

    assert registry.organizations["org:harbor-addiction-unit"].is_program(NOW)
    assert registry.organizations["org:harbor-ed"].roles == {"provider"}
    assert len(registry) == 37
