from typing import Any

import pytest

from gateway.formats import matching, niem_xml, read
from gateway.model.received import Received
from gateway.model.source_record import Skipped, SourceItem, SourceLayout, SourceRecord, Unreadable

LAYOUT = SourceLayout("small", "niem", recognize=("nc:Incident",), namespaces={"x": ("http://county.example/x/",)})

NC6 = "https://docs.oasis-open.org/niemopen/ns/model/niem-core/6.0/"
NC2, NC3 = "http://niem.gov/niem/niem-core/2.0", "http://release.niem.gov/niem/niem-core/3.0/"
S6, S3 = "https://docs.oasis-open.org/niemopen/ns/model/structures/6.0/", "http://release.niem.gov/niem/structures/3.0/"


def items(payload: str | bytes, layout: SourceLayout = LAYOUT) -> list[SourceItem]:
    raw = payload if isinstance(payload, bytes) else payload.encode()
    return list(read(Received.of_bytes("message", raw), layout))


def trees(payload: str, layout: SourceLayout = LAYOUT) -> list[dict[str, Any]]:
    found = items(payload, layout)
    assert all(isinstance(item, SourceRecord) for item in found), found
    return [item.rows[0] for item in found if isinstance(item, SourceRecord)]


@pytest.mark.parametrize("namespace", [NC6, NC3, NC2, "http://release.niem.gov/niem/niem-core/5.0/"])
def test_an_element_is_known_by_its_namespace_whatever_the_prefix(namespace: str) -> None:
    incident = "<zz:Incident><zz:A> a\n b </zz:A></zz:Incident>"
    payload = f'<q:Root xmlns:q="http://county.example/x/" xmlns:zz="{namespace}">{incident}</q:Root>'

    assert trees(payload) == [{"nc:Incident": {"nc:A": "a b"}}]


def test_the_same_prefix_with_a_foreign_namespace_is_not_ours() -> None:
    found = items('<nc:Root xmlns:nc="http://other.example/"><nc:Incident/></nc:Root>')

    assert found == [Skipped(1, "the message", "a message without nc:Incident carries no encounter")]


def test_an_incident_is_found_at_any_depth_and_keeps_what_stands_around_it() -> None:
    payload = (
        f'<a xmlns:n="{NC6}"><b><c><n:Incident><n:A>1</n:A></n:Incident></c></b><n:Person><n:B>2</n:B></n:Person></a>'
    )

    assert trees(payload) == [{"nc:Person": {"nc:B": "2"}, "b": {"c": {"nc:Incident": {"nc:A": "1"}}}}]


def test_several_incidents_are_several_records_and_do_not_share_persons() -> None:
    payload = f"""<a xmlns:n="{NC6}"><n:Incident><n:A>1</n:A></n:Incident><n:Person><n:B>p</n:B></n:Person>
        <n:Incident><n:A>2</n:A></n:Incident></a>"""

    assert trees(payload) == [{"nc:Incident": {"nc:A": "1"}}, {"nc:Incident": {"nc:A": "2"}}]


def test_each_report_of_a_submission_is_a_record_where_the_mapping_names_it() -> None:
    layout = SourceLayout(
        "small",
        "niem",
        recognize=("nc:Incident",),
        record=("x:Report",),
        namespaces={"x": ("http://county.example/x/",)},
    )
    report = "<q:Report><n:Incident><n:A>{}</n:A></n:Incident><n:Person><n:B>{}</n:B></n:Person></q:Report>"
    payload = (
        f'<q:Submission xmlns:q="http://county.example/x/" xmlns:n="{NC3}">'
        + report.format(1, "p1") + report.format(2, "p2") + "<q:Report><q:Zero>true</q:Zero></q:Report></q:Submission>"
    )  # fmt: skip

    found = items(payload, layout)

    assert [type(item) for item in found] == [SourceRecord, SourceRecord, Skipped]
    assert [item.rows[0]["nc:Person"]["nc:B"] for item in found if isinstance(item, SourceRecord)] == ["p1", "p2"]
    assert [item.number for item in found] == [1, 2, 3]


def test_ids_and_references_are_kept_for_following() -> None:
    payload = f"""<a xmlns:n="{NC3}" xmlns:s="{S3}" xmlns:i="http://www.w3.org/2001/XMLSchema-instance">
        <n:Incident><n:Role s:ref="P1" i:nil="true"/></n:Incident><n:Person s:id="P1"><n:B>x</n:B></n:Person></a>"""

    found = items(payload)[0]

    assert isinstance(found, SourceRecord)
    assert found.rows[0]["nc:Incident"]["nc:Role"] == {"$ref": "P1"}
    assert found.references["P1"] == {"$id": "P1", "nc:B": "x"}


def test_an_object_described_in_two_places_is_known_as_one() -> None:
    payload = f"""<a xmlns:n="{NC6}" xmlns:s="{S6}">
        <n:Incident><n:Subject s:uri="#p"><n:A>1</n:A></n:Subject></n:Incident>
        <n:Person s:uri="#p"><n:B>2</n:B></n:Person></a>"""

    found = items(payload)[0]

    assert isinstance(found, SourceRecord)
    assert len(found.references["same", "p"]) == 2


def test_text_beside_attributes_and_repeated_elements() -> None:
    payload = f'<a xmlns:n="{NC6}"><n:Incident><n:A k="v">one</n:A><n:A>two</n:A><n:E/></n:Incident></a>'

    assert trees(payload) == [{"nc:Incident": {"nc:A": [{"@k": "v", "#": "one"}, "two"]}}]


def test_niem_json_is_read_through_its_context() -> None:
    message = '{"k:Incident": {"k:A": "1"}, "k:Person": {"@id": "#p", "k:B": 2}}'
    payload = f'{{"@context": {{"k": "{NC6}#"}}, "x:Message": {message}}}'

    found = items(payload)[0]

    assert isinstance(found, SourceRecord)
    assert found.rows[0]["x:Message"]["nc:Incident"] == {"nc:A": "1"}
    assert found.references["p"]["nc:B"] == 2


NO_DTD = "expected a document without a DTD, found one"
LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (f'<!DOCTYPE a [<!ENTITY l0 "ha">{LAUGHS}]><a>&l9;</a>', NO_DTD),
        ('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/motd">]><a>&x;</a>', NO_DTD),
        ('<!DOCTYPE a SYSTEM "http://192.0.2.1/a.dtd"><a/>', NO_DTD),
        ("<a>" + "<b>" * 101 + "</b>" * 101 + "</a>", "expected at most 100 levels, found more"),
        ("<a><b></a>", "expected well-formed XML, found a mistake at line 1, column 11"),
        ("<a><b>", "expected well-formed XML, found a mistake at line 1, column 7"),
        ("not xml", "expected well-formed XML, found a mistake at line 1, column 1"),
    ],
)
def test_what_is_dangerous_or_broken_is_one_unreadable_input(payload: str, reason: str) -> None:
    assert items(payload) == [Unreadable(1, "record 1", reason)]


def test_records_before_the_mistake_are_kept() -> None:
    incident = f'<n:Incident xmlns:n="{NC6}"><n:A>1</n:A></n:Incident>'

    found = items(f"<a>{incident * 3}<broken></a>")

    assert [type(item) for item in found] == [SourceRecord, SourceRecord, Unreadable]


def test_a_message_larger_than_the_limit_is_refused() -> None:
    found = items(f'<a xmlns:n="{NC6}"><n:Incident>' + "<b/>" * (niem_xml.NODE_LIMIT + 1) + "</n:Incident></a>")

    assert isinstance(found[0], Unreadable)
    assert found[0].reason == "expected records of at most 300000 elements, found a larger one"


def test_many_records_one_after_the_other_are_no_large_message() -> None:
    report = "<q:Report><n:Incident><n:A>1</n:A></n:Incident></q:Report>"
    layout = SourceLayout(
        "small",
        "niem",
        recognize=("nc:Incident",),
        record=("x:Report",),
        namespaces={"x": ("http://county.example/x/",)},
    )

    found = items(f'<q:S xmlns:q="http://county.example/x/" xmlns:n="{NC6}">' + report * 110_000 + "</q:S>", layout)

    assert len(found) == 110_000
    assert all(isinstance(item, SourceRecord) for item in found)


@pytest.mark.parametrize(
    ("payload", "is_ours"),
    [
        (f'<a xmlns="{NC6}"/>'.encode(), True), (f'<a xmlns:q="{NC2}"/>'.encode("utf-16"), True),
        (b'<a xmlns="http://county.example/x/"/>', True), (b"<a/>", False), (b"a,b,c", False),
        (f'{{"@context": {{"nc": "{NC3}#"}}}}'.encode(), True), (b'{"a": 1}', False),
    ],
)  # fmt: skip
def test_a_message_is_recognized_by_its_namespaces(payload: bytes, is_ours: bool) -> None:
    assert matching(Received.of_bytes("any", payload), [LAYOUT]) == ([LAYOUT] if is_ours else [])
