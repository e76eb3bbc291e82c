"""A request is read field by field; what is wrong is told by the name of its field."""

from typing import Any

import pytest

from gateway.consent import UnreadableRequest, read_request
from gateway.model.request import ACT_REASON

Json = dict[str, Any]

WHOLE: Json = {
    "requester": {
        "organization": "org:mercy",
        "authenticated_as": "org:portal",
        "person": {"id": "p1", "role": "nurse"},
        "link": {"issued_to": "org:plan"},
    },
    "recipient": "org:mercy",
    "via": ["org:relay"],
    "copies": ["org:plan"],
    "purpose": ["TREAT", "urn:x|own"],
    "patient": "Patient/t1",
    "basis": {"type": "emergency", "nature": "fall"},
    "transport": "link",
    "message": "ADT^A01",
    "items": ["Condition/f1120"],
}


def test_everything_that_is_stated_is_read() -> None:
    request = read_request(WHOLE)

    assert (request.organization, request.authenticated_as) == ("org:mercy", "org:portal")
    assert (request.person_id, request.person_role, request.link_issued_to) == ("p1", "nurse", "org:plan")
    assert (request.recipient, request.via, request.copies) == ("org:mercy", ("org:relay",), ("org:plan",))
    assert request.purposes == ((ACT_REASON, "TREAT"), ("urn:x", "own"))
    assert (request.patient, request.basis) == ("Patient/t1", {"type": "emergency", "nature": "fall"})
    assert (request.transport, request.items) == ("link", frozenset({"Condition/f1120"}))
    assert request.message == "ADT^A01"


def test_what_is_not_stated_is_nobody_and_nothing_over_fhir() -> None:
    request = read_request({"recipient": "org:mercy"})

    assert (request.organization, request.authenticated_as, request.person_id) == (None, None, None)
    assert (request.person_role, request.link_issued_to, request.patient) == (None, None, None)
    assert (request.via, request.copies, request.purposes) == ((), (), ())
    assert (request.basis, request.transport, request.items) == (None, "fhir", None)
    assert request.message == ""


def test_the_digest_is_of_what_is_stated_in_whatever_order() -> None:
    turned = dict(reversed(WHOLE.items()))

    assert read_request(turned).digest == read_request(WHOLE).digest
    assert read_request({**WHOLE, "patient": "Patient/t2"}).digest != read_request(WHOLE).digest


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ([], "request: expected an object"),
        ({**WHOLE, "requester": "org:mercy"}, "requester: expected an object or null"),
        ({**WHOLE, "requester": {"person": "p1"}}, "person: expected an object or null"),
        ({**WHOLE, "requester": {"link": "x"}}, "link: expected an object or null"),
        ({**WHOLE, "requester": {"organization": 7}}, "organization: expected text or null"),
        ({**WHOLE, "requester": {"authenticated_as": 7}}, "authenticated_as: expected text or null"),
        ({**WHOLE, "requester": {"person": {"id": 7}}}, "id: expected text or null"),
        ({**WHOLE, "requester": {"person": {"role": 7}}}, "role: expected text or null"),
        ({**WHOLE, "requester": {"link": {"issued_to": 7}}}, "issued_to: expected text or null"),
        ({**WHOLE, "patient": 7}, "patient: expected text or null"),
        ({**WHOLE, "message": 7}, "message: expected text or null"),
        ({**WHOLE, "basis": "emergency"}, "basis: expected an object or null"),
        ({**WHOLE, "basis": {"type": "because"}}, "basis.type: expected one of the bases of the contract"),
        ({**WHOLE, "transport": "pigeon"}, "transport: expected fhir, hl7v2, link, file or session"),
        ({**WHOLE, "recipient": ""}, "recipient: expected a registry id or a reference of a person"),
        ({**WHOLE, "via": "org:relay"}, "via: expected a list of texts"),
        ({**WHOLE, "copies": [7]}, "copies: expected a list of texts"),
        ({**WHOLE, "purpose": "TREAT"}, "purpose: expected a list of texts"),
        ({**WHOLE, "items": "Condition/f1120"}, "items: expected a list of texts"),
    ],
)
def test_what_cannot_be_read_is_named(written: Any, told: str) -> None:
    with pytest.raises(UnreadableRequest) as caught:
        read_request(written)

    assert str(caught.value) == told
