"""Which segments of a message belong together, what hangs on what, and what each group says."""

import time

import pytest

from gateway.formats.hl7v2 import Message, Unreadable, read_message
from gateway.formats.hl7v2.parts import parts_of
from gateway.model.hl7_parts import MessagePart

SUBJECT = {"reference": "Patient/t1"}
PERSON = "PID|1||T1"


def parts(*segments: str) -> list[MessagePart]:
    found = parts_of(a_message(*segments), SUBJECT)
    assert not isinstance(found, Unreadable), found
    return list(found)


def a_message(*segments: str) -> Message:
    message = read_message("\r".join(("MSH|^~\\&|A|B|C|D|2026||ORU^R01|1|P|2.5.1", *segments, "")).encode())
    assert isinstance(message, Message)
    return message


def tree(*segments: str) -> dict[str, str | None]:
    """Return each group as its segments, and the segments of what it hangs on."""
    message = a_message(*segments)
    names = {
        part.reference: " ".join(message.segments[line].id for line in part.lines) + f"@{part.lines[0]}"
        for part in parts(*segments)
    }
    found = {names[part.reference]: names.get(part.parent or "") for part in parts(*segments)}
    return {name: parent for name, parent in found.items() if not name.startswith(("MSH", "PID"))}


@pytest.mark.parametrize(
    ("segments", "expected"),
    [
        (("ORC|RE", "OBR|1", "TQ1|1", "OBX|1|NM|a"), {"ORC OBR TQ1@2": None, "OBX@5": "ORC OBR TQ1@2"}),
        (("OBR|1", "OBX|1|NM|a", "NTE|1", "NTE|2"), {"OBR@2": None, "OBX@3": "OBR@2", "NTE NTE@4": "OBX@3"}),
        (("OBX|1|TX|a||x", "OBX|2|TX|a||y", "OBX|3|TX|b||z"), {"OBX OBX@2": None, "OBX@4": None}),
        (("PV1|1", "PV2|", "DG1|1", "IN1|1", "IN2|"), {"PV1 PV2@2": None, "DG1@4": None, "IN1 IN2@5": None}),
        (("OBR|1", "OBX|1|NM|a", "PV1|1", "DG1|2"), {"OBR@2": None, "OBX@3": "OBR@2", "PV1@4": None, "DG1@5": None}),
        (("PRB|AD", "NTE|1", "GOL|AD", "ORC|N"), {"PRB@2": None, "NTE@3": "PRB@2", "GOL@4": "PRB@2", "ORC@5": "PRB@2"}),
        (("TXA|1", "OBX|1|TX|a||x"), {"TXA@2": None, "OBX@3": "TXA@2"}),
        (("RGS|1", "AIS|1", "AIP|1"), {"RGS@2": None, "AIS@3": "RGS@2", "AIP@4": "RGS@2"}),
        (("ZZZ|1", "NTE|1"), {"ZZZ@2": None, "NTE@3": "ZZZ@2"}),
    ],
)  # fmt: skip
def test_what_hangs_on_what(segments: tuple[str, ...], expected: dict[str, str | None]) -> None:
    assert tree(PERSON, *segments) == expected


def test_unknown_segments_are_opaque_and_still_read() -> None:
    [opaque] = [part for part in parts(PERSON, "ZSU|on methadone") if part.kind == "opaque"]

    assert opaque.resource is not None
    assert opaque.resource["note"] == [{"text": "on methadone"}]


def test_what_a_field_says_is_read_in_every_way_its_separators_allow() -> None:
    part = parts(PERSON, "AL1|1||met\\X68\\a^done&x")[-1]

    assert part.resource is not None
    assert part.resource["note"][0]["text"].split("\n") == ["1", "metha done x", "methadonex", "metha", "done", "x"]


@pytest.mark.parametrize(
    ("segment", "coding"),
    [
        ("DG1|1||F11.20^x^I10C", ("http://hl7.org/fhir/sid/icd-10-cm", "F11.20")),
        ("OBX|1|CWE|1^a^L||3879-4^Opiates^LN", ("http://loinc.org", "3879-4")),
        ("RXE||^^^1819^buprenorphine^RXNORM", ("http://www.nlm.nih.gov/research/umls/rxnorm", "1819")),
        ("DG1|1||F11.20", ("http://hl7.org/fhir/sid/icd-10-cm", "F11.20")),
        ("NTE|1|L|see F11.20", ("http://hl7.org/fhir/sid/icd-10-cm", "F11.20")),
    ],
)
def test_codes_are_found_with_and_without_a_system(segment: str, coding: tuple[str, str]) -> None:
    resource = parts(PERSON, segment)[-1].resource

    assert resource is not None
    assert coding in [(one["system"], one["code"]) for one in resource["code"]["coding"]]


def test_a_local_code_is_no_code_of_any_table() -> None:
    resource = parts(PERSON, "OBR|1|||1819^Urinalysis^L")[-1].resource

    assert resource is not None
    assert "code" not in resource


@pytest.mark.parametrize("content", [(), (PERSON, PERSON), (PERSON, "zz1|x"), (PERSON, "OBX|1|NM||")])
def test_what_has_no_form_is_not_taken_apart(content: tuple[str, ...]) -> None:
    assert isinstance(parts_of(a_message(*content), SUBJECT), Unreadable)


def test_the_cost_grows_with_the_number_of_results_and_no_faster() -> None:
    def cost(count: int) -> float:
        message = a_message(PERSON, "OBR|1", *(f"OBX|{n}|NM|2345-7^Glucose^LN||95|mg/dL" for n in range(count)))
        begun = time.process_time()
        parts_of(message, SUBJECT)
        return time.process_time() - begun

    assert min(cost(2000) for _ in range(3)) < 30 * min(cost(200) for _ in range(3)) + 0.05
