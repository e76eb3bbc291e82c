import io
from decimal import Decimal
from typing import Any

import pytest

from gateway.formats import fhir_json, read
from gateway.formats.json_documents import documents
from gateway.model.received import Received
from gateway.model.source_record import Skipped, SourceLayout, SourceRecord, Unreadable


def read_all(text: str | bytes) -> list[tuple[Any, str | None]]:
    raw = text if isinstance(text, bytes) else text.encode()
    return [(document.value, document.problem) for document in documents(io.BytesIO(raw))]


@pytest.mark.parametrize(
    "text",
    ['[{"a": 1}, {"a": 2}]', '{"a": 1}\n{"a": 2}\n', '{"a": 1} {"a": 2}', '\ufeff [ {"a":1} ,\n{"a":2}\n]\n'],
)
def test_a_list_lines_and_documents_one_after_the_other_are_the_same(text: str) -> None:
    assert read_all(text) == [({"a": 1}, None), ({"a": 2}, None)]


def test_a_single_document_is_one() -> None:
    assert read_all('{"a": {"b": [1, 2]}}') == [({"a": {"b": [1, 2]}}, None)]


@pytest.mark.parametrize("text", ["", "   \n", "[]", "[ ]\n"])
def test_nothing_is_no_document(text: str) -> None:
    assert read_all(text) == []


def test_a_decimal_keeps_the_digits_it_came_with() -> None:
    assert read_all('{"a": 1.10}') == [({"a": Decimal("1.10")}, None)]
    assert fhir_json.dumps({"a": Decimal("1.10"), "b": Decimal("1E+3")}) == b'{"a":1.10,"b":1E+3}'


def test_a_whole_number_beyond_64_bits_keeps_its_digits() -> None:
    assert read_all('{"a": 100000000000000000001}') == [({"a": Decimal("100000000000000000001")}, None)]


def test_a_pair_of_escaped_surrogates_is_a_character() -> None:
    assert read_all('{"a": "\\ud83d\\ude00"}') == [({"a": "😀"}, None)]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('[{"a": NaN}]', "expected a number, found NaN"),
        ('[{"a": 1, "a": 2}]', "expected each member once in an object, found one twice"),
        ('{"a": ' + "[" * 60 + "]" * 60 + "}", "expected at most 60 levels, found more"),
        ('[{"a": ' + "[" * 100_000, "expected at most 60 levels, found more"),
        ('[{"a": "secret', "expected JSON, found a mistake at line 1, column 8: Unterminated string starting at"),
        (b'[{"a": "\xff\xfe"}]', "expected UTF-8, found other bytes"),
        ('[{"a": 1e9999999999999999999}]', "expected a number, found one whose exponent is too large"),
        ('{"a": "\\uD83D"}', "expected text in Unicode, found half a surrogate pair"),
        ('{"\\udc00": 1}', "expected text in Unicode, found half a surrogate pair"),
    ],
)
def test_what_strict_json_does_not_allow_is_told_without_its_values(text: str | bytes, problem: str) -> None:
    found = read_all(text)

    assert found[0] == (None, problem)
    assert "secret" not in problem


def test_a_broken_line_does_not_stop_the_next() -> None:
    found = read_all('{"a": 1}\n{"a": \n{"a": 3}\n')

    assert [value for value, _ in found] == [{"a": 1}, None, {"a": 3}]


def test_a_list_that_breaks_off_gives_what_came_before() -> None:
    found = read_all('[{"a": 1}, {"a": 2}')

    assert [value for value, _ in found] == [{"a": 1}, {"a": 2}, None]
    assert found[2][1] == "expected the end of the list, found the end of the file"


def test_a_large_list_is_read_in_pieces() -> None:
    text = "[" + ",".join(f'{{"a": "{"x" * 1000}", "n": {n}}}' for n in range(2000)) + "]"

    assert [value["n"] for value, _ in read_all(text)] == list(range(2000))


TABLE = SourceLayout("small", "table", key=("ID",), recognize=("ID",), columns={"id": "ID", "kind_of_call": "Kind"})


def test_a_list_of_flat_objects_is_a_table() -> None:
    payload = (
        b'[{"id": 1, "kind_of_call": " x ", "more": true}, {"id": 1, "list": ["a", 2, null]}, {"kind_of_call": "y"}]'
    )

    found = list(read(Received.of_bytes("rows", payload), TABLE))

    assert isinstance(found[0], SourceRecord)
    assert found[0].rows == ({"ID": "1", "Kind": "x", "more": "true"}, {"ID": "1", "list": "a;2"})
    assert found[0].columns == {"ID", "Kind", "more", "list"}
    assert found[1] == Unreadable(2, "object 3", "expected a value in ID, found a blank")


TREES = SourceLayout("small", "json", recognize=("incident.kind",))


def test_each_document_is_a_record_with_its_references() -> None:
    payload = b'{"incident": {"kind": "x", "who": {"$ref": "p1"}}, "people": [{"$id": "p1", "name": "a"}]}'

    found = next(read(Received.of_bytes("doc", payload), TREES))

    assert isinstance(found, SourceRecord)
    assert found.references == {"p1": {"$id": "p1", "name": "a"}}


def test_a_document_without_what_makes_it_ours_is_skipped() -> None:
    found = list(read(Received.of_bytes("doc", b'[{"incident": {}}, {"incident": {"kind": "x"}}, 7]'), TREES))

    assert [type(item) for item in found] == [Skipped, SourceRecord, Unreadable]


def test_records_may_lie_inside_a_wrapper() -> None:
    layout = SourceLayout("small", "json", recognize=("kind",), record=("features.attributes",))
    payload = b'{"features": [{"attributes": {"kind": "a"}}, {"attributes": {"kind": "b"}}]}'

    found = list(read(Received.of_bytes("doc", payload), layout))

    assert [item.rows[0]["kind"] for item in found if isinstance(item, SourceRecord)] == ["a", "b"]


@pytest.mark.parametrize(
    "payload", [b"[]", b'{"id": "x"}', b'{"resourceType": 1}', b"{", b'{"resourceType": "A", "x": NaN}']
)
def test_what_is_no_fhir_resource_is_refused(payload: bytes) -> None:
    with pytest.raises(fhir_json.NotStrictJson):
        fhir_json.loads(payload)


def test_a_fhir_resource_keeps_its_decimals() -> None:
    resource = fhir_json.loads(b'{"resourceType": "Observation", "valueQuantity": {"value": 1.10}}')

    assert resource["valueQuantity"]["value"] == Decimal("1.10")
