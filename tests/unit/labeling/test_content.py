"""Every word and every code is read where it may hide; what only looks like text is not."""

import base64
from typing import Any

import pytest

from gateway.labeling.content import code_label, content_labels, inline_labels, stated_labels
from gateway.labeling.sensitivity_codes import PREFIXES
from gateway.model.labels import ACT_CODE, CRIMINAL_JUSTICE_INFORMATION, HIV, SUD

Json = dict[str, Any]
NO_TEXTS = (
    "resourceType", "id", "system", "reference", "url", "fullUrl", "status", "contentType", "versionId",
    "lastUpdated", "language", "start", "end", "recorded", "issued", "authoredOn", "created", "date", "unit", "mode",
    "type", "use", "intent", "gender", "birthDate", "profile", "recordedDate", "effectiveDateTime", "onsetDateTime",
    "occurrenceDateTime", "performedDateTime", "abatementDateTime", "deceasedDateTime", "valueDateTime",
    "servicedDate", "lastModified", "sent", "received", "assertedDate", "code",
)  # fmt: skip
ICD = "http://hl7.org/fhir/sid/icd-10-cm"
OWN_EXTENSION = "https://warmhandoff.example/fhir/StructureDefinition/wh-reason"


def found(resource: Json) -> set[tuple[str, str]]:
    return content_labels(resource).labels


def shown(resource: Json) -> set[tuple[str, str]]:
    return content_labels(resource).shown


def attached(text: bytes, kind: Any = "text/plain") -> Json:
    return {"content": [{"attachment": {"contentType": kind, "data": base64.b64encode(text).decode()}}]}


class TestTexts:
    @pytest.mark.parametrize(
        ("text", "label"),
        [
            ("on METHADONE since May", SUD),
            ("history of substance  use: no; substance abuse: yes", SUD),
            ("takes biktarvy", HIV),
            ("low viral load", HIV),
            ("an open warrant", CRIMINAL_JUSTICE_INFORMATION),
            ("rap sheet attached", CRIMINAL_JUSTICE_INFORMATION),
        ],
    )
    def test_a_word_and_a_phrase_reveal_in_any_case(self, text: str, label: tuple[str, str]) -> None:
        assert found({"note": [{"text": text}]}) == {label}

    @pytest.mark.parametrize("text", ["a mathematician", "methadones", "guarantee", "audio", "hives", "warranty", ""])
    def test_a_part_of_a_word_does_not(self, text: str) -> None:
        assert found({"note": [{"text": text}]}) == set()

    def test_several_labels_are_found_together(self) -> None:
        assert found({"a": "heroin", "b": ["hiv", ["warrant"], {"c": "x"}]}) == {SUD, HIV, CRIMINAL_JUSTICE_INFORMATION}

    @pytest.mark.parametrize("key", NO_TEXTS)
    def test_an_address_a_date_and_a_code_are_no_text(self, key: str) -> None:
        assert found({key: "mat", "component": [{key: "otp"}]}) == set()

    def test_a_program_is_named_across_the_whole_of_the_texts(self) -> None:
        names = ("aspen of nowhere",)

        assert content_labels({"a": [{"display": "Aspen of Nowhere, east wing"}]}, names).names_program is True
        assert content_labels({"text": {"div": "<p>Aspen of Nowhere</p>"}}, names).names_program is True
        assert content_labels({"note": "x", "text": {"div": "<p>Aspen</p>"}}, ("x",)).names_program is True
        assert content_labels({"a": "aspen", "b": "of nowhere"}, names).names_program is False
        assert content_labels({"a": 1}, ("",)).names_program is False


class TestAttachments:
    def test_a_text_is_read_with_its_entities_its_line_breaks_and_its_broken_bytes(self) -> None:
        text = base64.b64encode(b"takes methadone at noon").decode()
        broken = {"contentType": "text/plain", "data": f"{text[:12]}\r\n{text[12:]}"}

        assert found(attached(b"meth&#97;done", "text/html")) == {SUD}
        assert found(attached(b"\xff\xfe methadone")) == {SUD}
        assert found({"content": [{"attachment": broken}]}) == {SUD}

    @pytest.mark.parametrize("kind", ["image/png", "application/text", 7, None])
    def test_what_is_no_text_is_not_read(self, kind: Any) -> None:
        assert found(attached(b"methadone", kind)) == set()

    def test_what_has_no_type_or_cannot_be_decoded_is_not_read(self) -> None:
        assert found({"data": base64.b64encode(b"methadone").decode()}) == set()
        assert found({"contentType": "text/plain", "data": "a"}) == set()
        assert found({"contentType": "text/plain", "data": "é"}) == set()

    def test_what_is_not_read_names_nobody(self) -> None:
        for unread in (attached(b"x", "image/png"), {"contentType": "text/plain", "data": "a"}):
            assert content_labels(unread, ("x",)) == (set(), set(), False)

    def test_narrative_is_read_with_its_entities(self) -> None:
        assert found({"text": {"status": "generated", "div": "<p>meth&#97;done</p>"}}) == {SUD}


class TestCodes:
    def test_a_code_counts_by_itself_by_its_family_and_only_in_its_system(self) -> None:
        assert code_label(ICD, "B20") == HIV
        assert code_label(ICD, "F11.20") == SUD
        assert code_label(ICD, "F11") == SUD
        assert code_label(ICD, "F1") is None
        assert code_label("", "F11.20") is None

    def test_a_code_of_a_family_has_its_label_however_long_it_is(self) -> None:
        assert {code_label(system, prefix + "0") == label for (system, prefix), label in PREFIXES.items()} == {True}

    def test_a_coding_is_found_at_every_depth_and_one_without_a_system_is_none(self) -> None:
        coding = {"system": ICD, "code": "B20"}

        assert found({"a": [[{"b": {"coding": [coding]}}]]}) == {HIV}
        assert found({"code": "B20"}) == set()
        assert found({"code": 20, "system": ICD}) == set()

    def test_meta_is_not_read(self) -> None:
        assert found({"meta": {"tag": [{"system": ICD, "code": "B20", "display": "hiv"}]}}) == set()


class TestWhatLeaves:
    @pytest.mark.parametrize("key", ["text", "contained", "extension", "modifierExtension"])
    def test_parts_that_stay_count_for_the_decision_alone(self, key: str) -> None:
        inner = {"div": "<p>hiv</p>", "valueString": "hiv"}
        resource = {"note": "heroin", key: [inner] if key != "text" else inner, "a": [{key: [inner]}]}

        assert found(resource) == {SUD, HIV}
        assert shown(resource) == {SUD}

    @pytest.mark.parametrize(
        "extension",
        [
            {"url": OWN_EXTENSION, "valueString": "hiv"},
            {"url": OWN_EXTENSION, "valueCoding": {"system": ICD, "code": "B20"}},
            {"url": OWN_EXTENSION, "extension": [{"url": "why", "valueString": "hiv"}]},
            {"url": "http://hl7.org/fhir/StructureDefinition/reason", "valueString": "hiv"},
        ],
    )
    def test_an_extension_that_leaves_counts_there_too(self, extension: dict[str, Any]) -> None:
        assert shown({"extension": [extension]}) == {HIV}
        assert shown({"a": [{"extension": [extension]}]}) == {HIV}

    def test_a_part_of_an_extension_that_stands_alone_does_not(self) -> None:
        alone = {"resourceType": "Observation", "code": {"extension": [{"url": "why", "valueString": "hiv"}]}}

        assert shown(alone) == set()

    def test_a_part_without_an_address_stays(self) -> None:
        part = {"valueString": "hiv"}

        assert shown({"extension": [{"url": OWN_EXTENSION, "extension": [part]}]}) == set()

    @pytest.mark.parametrize("key", ["extension", "modifierExtension"])
    def test_a_part_of_an_extension_that_stays_stays_too(self, key: str) -> None:
        part = {"url": "why", "valueString": "hiv"}
        foreign = {"url": "https://elsewhere.example/why", "extension": [{"url": OWN_EXTENSION, "valueString": "hiv"}]}

        assert shown({key: [part, foreign], "resourceType": "Questionnaire", "url": "x"}) == set()

    def test_a_text_that_is_a_string_leaves(self) -> None:
        assert shown({"code": {"text": "heroin"}}) == {SUD}

    def test_what_stays_within_what_stays_is_read_too(self) -> None:
        inner = {"text": {"div": "<p>hiv</p>"}, "extension": [{"url": OWN_EXTENSION, "valueString": "heroin"}]}

        assert found({"contained": [inner]}) == {HIV, SUD}
        assert shown({"contained": [inner]}) == set()

    @pytest.mark.parametrize("odd", [{"url": OWN_EXTENSION, "valueString": "hiv"}, ["hiv"], [["hiv"]]])
    def test_what_is_no_extension_stays_and_is_read_all_the_same(self, odd: Any) -> None:
        assert found({"extension": odd}) == {HIV}
        assert shown({"extension": odd}) == set()

    def test_what_is_added_to_the_labels_of_the_whole_is_not_shown(self) -> None:
        content = content_labels({"note": "heroin"})
        content.labels.add(HIV)

        assert content.shown == {SUD}


class TestStatedLabels:
    def test_are_those_of_the_resource_and_of_what_it_contains(self) -> None:
        security = [{"system": ACT_CODE, "code": "HIV"}, {"code": "SUD"}, {"system": "urn:x"}, {"display": "secret"}]
        resource = {"meta": {"security": security}, "contained": [{"meta": {"security": [{"code": "B"}]}}, {}]}

        assert list(stated_labels(resource)) == [HIV, ("", "SUD"), ("urn:x", ""), ("", ""), ("", "B")]
        assert list(stated_labels({"meta": {}})) == []
        assert list(stated_labels({})) == []

    def test_on_single_elements_are_found_at_every_depth_in_every_edition(self) -> None:
        address = "http://hl7.org/fhir/uv/security-label-ds4p/StructureDefinition/extension-inline-sec-label"
        coded = {"url": address, "valueCoding": {"system": ACT_CODE, "code": "HIV"}}
        others = [{"url": "inline-sec-label"}, {"url": address + "-x", "valueCoding": {"code": "X"}}, {"a": [1, "b"]}]

        assert set(inline_labels({"name": [{"extension": [coded, *others]}]})) == {HIV, ("", "")}
        assert list(inline_labels({"url": address, "valueCoding": None})) == [("", "")]
        assert list(inline_labels({"url": address, "valueCoding": {"code": "B"}})) == [("", "B")]
        assert list(inline_labels({"url": address, "valueCoding": {"system": "urn:x"}})) == [("urn:x", "")]
        assert list(inline_labels({"name": "x"})) == []
