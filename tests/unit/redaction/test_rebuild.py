"""A resource is built anew, element by element: what names somebody hidden goes with the entry it stands in."""

import base64
from typing import Any

import orjson
import pytest

from gateway.redaction.rebuild import modified_among, points_to, rebuild
from gateway.redaction.visible import OWN_BASE, Visible
from tests.support.part2_world import PARTNER, PERSON, organization, world

Json = dict[str, Any]

VISIBLE = Visible(
    references=frozenset({"Condition/flu"}),
    subjects=frozenset({"Patient/t1", f"{PERSON}|T1", "|77"}),
    registry=world(),
    hidden=frozenset({"org:aspen"}),
    needles=("aspen of nowhere", "aspen.example"),
)
FLU = {"reference": "Condition/flu"}
QUARRY = {**organization("quarry"), "display": "Quarry of Nowhere"}
UNDERSTOOD = OWN_BASE + "StructureDefinition/part2-expiry"


def rebuilt(element: Any) -> Any:
    """Rebuild one element that stands beside another in a list; return what is left of it, or "gone"."""
    resource = {"resourceType": "Observation", "id": "o", "component": [{"value": element}, {"value": "beside"}]}
    built = rebuild(resource, VISIBLE)
    assert built.keys() == {"resourceType", "id", "component"}
    assert built["component"][-1] == {"value": "beside"}
    return built["component"][0]["value"] if len(built["component"]) > 1 else "gone"


class TestReferences:
    @pytest.mark.parametrize(
        ("written", "left"),
        [
            (FLU, FLU),
            ({"reference": OWN_BASE + "Condition/flu"}, FLU),
            ({"reference": "Condition/flu/_history/3", "display": "what somebody called it"}, FLU),
            ({"reference": "Patient/t1", "identifier": {"system": "urn:oid:2.999.1", "value": "8"}},
             {"reference": "Patient/t1"}),
        ],
    )  # fmt: skip
    def test_one_to_what_leaves_is_kept_and_nothing_beside_it(self, written: Json, left: Json) -> None:
        assert rebuilt(written) == left

    @pytest.mark.parametrize(
        "written",
        [
            {"reference": "Condition/hidden", "type": "Condition"},
            {"reference": "Condition/flu2"},
            {"reference": "https://elsewhere.example/fhir/Condition/flu"},
            {"reference": "#inside"},
            {"reference": "Organization/clinic", "identifier": organization("aspen")["identifier"]},
            {"identifier": {"system": "urn:oid:2.999.9", "value": "1"}, "display": "a stranger"},
            {"identifier": {"system": PERSON, "value": "T2"}},
            {"identifier": {"system": PERSON}},
            {"identifier": {"value": "T1"}},
            {"identifier": {}, "type": "Organization"},
            {"identifier": {"system": "urn:oid:2.999.2", "value": "order-9"}, "type": "ServiceRequest"},
        ],
    )
    def test_one_to_what_does_not_leave_goes_with_its_entry(self, written: Json) -> None:
        assert rebuilt(written) == "gone"

    @pytest.mark.parametrize(
        "written",
        [
            {"identifier": {"system": PARTNER, "value": "quarry"}, "display": "their words", "type": "Practitioner"},
            {"identifier": {"system": PARTNER, "value": "quarry", "use": "old"}, "id": "a", "extension": []},
            {"reference": "Organization/hidden", "identifier": {"system": PARTNER, "value": "quarry"}},
        ],
    )
    def test_an_organization_that_may_be_named_is_named_in_our_words(self, written: Json) -> None:
        assert rebuilt(written) == QUARRY

    @pytest.mark.parametrize(
        ("written", "left"),
        [
            ({"identifier": {"system": PERSON, "value": "T1"}, "display": "Tess"},
             {"type": "Patient", "identifier": {"system": PERSON, "value": "T1"}}),
            ({"identifier": {"value": "77"}}, {"type": "Patient", "identifier": {"value": "77"}}),
            ({"reference": "Patient/other", "type": "Person", "identifier": {"system": PERSON, "value": "T1"}},
             {"type": "Person", "identifier": {"system": PERSON, "value": "T1"}}),
            ({"type": "Practitioner", "identifier": {"system": "urn:oid:2.999.2", "value": "9"}, "display": "Dr X"},
             {"type": "Practitioner", "identifier": {"system": "urn:oid:2.999.2", "value": "9"}}),
            ({"type": "RelatedPerson", "identifier": {"system": "urn:oid:2.999.2", "value": "5"}},
             {"type": "RelatedPerson", "identifier": {"system": "urn:oid:2.999.2", "value": "5"}}),
        ],
    )  # fmt: skip
    def test_the_person_and_those_who_acted_keep_their_number_only(self, written: Json, left: Json) -> None:
        assert rebuilt(written) == left

    @pytest.mark.parametrize(
        "identifier",
        [
            {"system": PERSON, "value": "T1", "assigner": organization("aspen")},
            {"system": "https://aspen.example/mrn", "value": "1"},
        ],
    )
    def test_a_number_somebody_hidden_gave_goes(self, identifier: Json) -> None:
        assert rebuilt({"type": "Practitioner", "identifier": identifier}) == "gone"

    @pytest.mark.parametrize(
        "element",
        [
            {"identifier": {"system": "urn:oid:2.999.9", "value": "1"}, "name": [{"family": "Testperson"}]},
            {"display": "her sister", "type": "RelatedPerson"},
            {"reference": {"display": "in her own words"}},
        ],
    )
    def test_what_only_looks_like_a_reference_is_read_as_what_it_is(self, element: Json) -> None:
        assert rebuilt(element) == element


class TestTexts:
    def test_narrative_goes_at_every_depth_and_a_coded_text_stays(self) -> None:
        section = {"title": "Plan", "text": {"status": "generated", "div": "<div>x</div>"}, "code": {"text": "plan"}}

        assert rebuilt(section) == {"title": "Plan", "code": {"text": "plan"}}

    def test_an_element_of_narrative_alone_leaves_nothing(self) -> None:
        assert rebuilt({"text": {"div": "<div>x</div>"}}) == "gone"

    @pytest.mark.parametrize("text", ["sent by ASPEN OF NOWHERE", "https://aspen.example/visit/1"])
    def test_a_text_that_names_somebody_hidden_takes_its_entry_along(self, text: str) -> None:
        assert rebuilt(text) == "gone"
        assert rebuilt({"time": "2026-10-01", "deep": {"text": text}}) == "gone"

    @pytest.mark.parametrize(
        "element",
        [
            {"text": {"status": "additional", "div": "<div>x</div>"}},
            {"contained": [{"resourceType": "Condition", "id": "inside"}]},
            {"meta": {"tag": [{"code": "x"}]}},
            {"implicitRules": "https://elsewhere.example/rules"},
            {"language": "en"},
            {"modifierExtension": [{"url": UNDERSTOOD, "valueCode": "none"}]},
            {"note": [{"text": "Aspen of Nowhere"}]},
            {"evidence": []},
        ],
    )
    def test_what_never_leaves_leaves_no_empty_element(self, element: Json) -> None:
        assert rebuild({"resourceType": "Condition", "id": "c", **element}, VISIBLE) == {
            "resourceType": "Condition",
            "id": "c",
        }


class TestExtensions:
    @pytest.mark.parametrize("address", [UNDERSTOOD, "http://hl7.org/fhir/StructureDefinition/data-absent-reason"])
    def test_those_understood_here_stay_on_resource_and_element(self, address: str) -> None:
        extension = [{"url": address, "valueCode": "none"}]

        assert rebuild({"resourceType": "Consent", "extension": extension}, VISIBLE)["extension"] == extension
        assert rebuilt({"extension": extension}) == {"extension": extension}

    @pytest.mark.parametrize(
        "address", ["https://elsewhere.example/program", "urn:oid:2.999.4", "program", "", UNDERSTOOD[8:]]
    )
    def test_every_other_goes_and_its_element_stays(self, address: str) -> None:
        extension = [{"url": address, "valueString": "intake"}, {"valueString": "without an address"}]

        built = rebuild({"resourceType": "Consent", "id": "c", "extension": extension}, VISIBLE)

        assert built == {"resourceType": "Consent", "id": "c"}
        assert rebuilt({"value": 7, "extension": extension}) == {"value": 7}

    def test_of_a_complex_one_the_named_parts_stay(self) -> None:
        parts = [{"url": "end-date", "valueDate": "2026-12-31"}, {"url": "who", "valueReference": FLU}]
        foreign = [{"url": "https://elsewhere.example/x", "valueCode": "x"}, {"url": "urn:x", "valueCode": "x"}]

        built = rebuilt({"extension": [{"url": UNDERSTOOD, "extension": [*parts, *foreign, {"valueCode": "x"}]}]})

        assert built == {"extension": [{"url": UNDERSTOOD, "extension": parts}]}

    def test_one_that_names_somebody_hidden_goes_alone(self) -> None:
        telling = {"url": UNDERSTOOD, "valueReference": {"reference": "Condition/hidden"}}
        kept = {"url": UNDERSTOOD, "valueCode": "none"}

        assert rebuilt({"value": 7, "extension": [telling, kept]}) == {"value": 7, "extension": [kept]}


def encoded(text: bytes) -> str:
    return base64.b64encode(text).decode()


class TestAttachments:
    def test_one_keeps_its_type_language_content_and_date(self) -> None:
        kept = {"contentType": "text/plain", "language": "en", "data": encoded(b"rest"), "creation": "2026-10-01"}

        assert rebuilt({**kept, "title": "t", "url": "urn:x", "size": 4, "hash": "x", "id": "x"}) == kept

    @pytest.mark.parametrize(
        "data",
        [
            encoded(b"seen at Aspen of Nowhere"),
            encoded(b"\xff\xfe Aspen of Nowhere"),
            "\n".join([encoded(b"seen at Aspen of Nowhere")[:10], encoded(b"seen at Aspen of Nowhere")[10:]]),
        ],
    )
    def test_a_text_inside_that_names_somebody_hidden_takes_it_along(self, data: str) -> None:
        assert rebuilt({"contentType": "text/plain; charset=utf-8", "data": data}) == "gone"

    @pytest.mark.parametrize(
        "attachment",
        [
            {"contentType": "text/plain", "creation": "2026-10-01"},
            {"contentType": "text/plain", "data": "abcde"},
            {"contentType": "image/png", "data": encoded(b"Aspen of Nowhere")},
        ],
    )
    def test_one_nobody_can_read_as_text_is_no_text(self, attachment: Json) -> None:
        assert rebuilt(attachment) == attachment


def test_values_that_are_no_text_pass_as_they_are() -> None:
    assert rebuilt({"a": True, "b": 0, "c": 1.5, "d": None}) == {"a": True, "b": 0, "c": 1.5, "d": None}


@pytest.mark.parametrize("key", ["modifierExtension", "implicitRules"])
@pytest.mark.parametrize("wrap", [lambda odd: odd, lambda odd: {"a": [{"b": [1, odd]}]}])
def test_a_modifier_unknown_here_is_found_at_every_depth(key: str, wrap: Any) -> None:
    plain = {"resourceType": "Condition", **wrap({"kept": 1})}
    empty = {"resourceType": "Condition", **wrap({key: []})}
    modified = {"resourceType": "Condition", **wrap({key: ["x"]})}

    assert modified_among({"plain": plain}) == set()
    assert modified_among({"plain": plain, "empty": empty}) == set()
    assert modified_among({"plain": plain, "modified": modified, "empty": empty}) == {"modified"}


def test_every_modifier_is_found_where_there_are_several() -> None:
    rules, extended = {"implicitRules": "urn:x"}, {"modifierExtension": [{"url": "urn:x"}]}

    assert modified_among({"rules": rules, "extended": extended, "both": rules | extended, "none": {}}) == {
        "rules", "extended", "both",
    }  # fmt: skip


def test_a_reference_is_found_at_every_depth_and_never_in_a_text_that_quotes_one() -> None:
    quoting = orjson.dumps({"valueString": orjson.dumps({"reference": "Organization/o1"}).decode()})
    written = orjson.dumps({"subject": {"reference": "Patient/t1"}, "entry": [{"reference": {"x": [QUARRY, FLU]}}]})

    assert points_to(written, "Patient/t1")
    assert points_to(written, "Condition/flu")
    assert not points_to(written, "Patient/t")
    assert not points_to(quoting, "Organization/o1")
