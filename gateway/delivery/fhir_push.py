"""Send a disclosure to a receiving FHIR server: one transaction Bundle, conditional on business identifiers.

A repetition changes nothing at the receiver (FHIR R4 http, conditional create): each entry is created only if none
carries its identifier. A changed record goes out as conditional updates, because `ifNoneExist` alone never changes
anything. Receivers give resources their own ids, so references inside the transaction are `urn:uuid`.
"""

import uuid
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

import orjson
import requests

from gateway.delivery.timed_http import TimedAdapter, TimeLimit
from gateway.model.disclosure import Disclosure
from gateway.model.errors import TryLater, WillNeverWork
from gateway.model.handoff import Resource, SendResult
from gateway.model.partner import Endpoint
from gateway.model.transport import Envelope

SOURCE_ID = "https://warmhandoff.example/id/resource"
"""Identifier system (and, where a type has no identifier, tag system) of our logical id at a receiver."""

_NAMESPACE = uuid.UUID("5a0ff4c0-7f0a-5d1f-9a0c-2f8d5f2d6c11")
_WITHOUT_IDENTIFIER = frozenset({"Provenance", "AuditEvent", "OperationOutcome", "Binary", "Parameters"})
_UPDATED_ON_CREATE = frozenset({"Patient"})
"""A Patient that the receiver already has from an earlier handoff is brought up to date, not left as it was."""

_PACKET_BYTES = 65536
_LONGEST_ANSWER_BYTES = 16 * 1024 * 1024


class FhirPush:
    """The `fhir` transport. One instance serves all endpoints.

    `certificates` is a PEM file of authorities to trust in place of the public ones.
    """

    scheme = "fhir"

    def __init__(self, timeout_s: float, certificates: str | None = None) -> None:
        self._timeout_s = timeout_s
        self._session = requests.Session()
        self._session.trust_env = False  # settings are read in one place; the environment's proxies are none of ours
        self._session.verify = certificates or True
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, TimedAdapter())

    def send(self, disclosure: Disclosure, endpoint: Endpoint, envelope: Envelope) -> SendResult:
        """POST the transaction and return the receiver's answer.

        Raises:
            TryLater: no connection, time-out, 401, 408, 409, 425, 429 or 5xx.
            WillNeverWork: the receiver refused the content (other 4xx), sends us to another address, or answered with
                something that is no transaction-response.
        """
        body = orjson.dumps(transaction(disclosure.content, envelope))
        code, answered, asked_s = self._posted(endpoint.address, body)
        if code in (401, 408, 409, 425, 429) or code >= 500:
            raise TryLater(f"the receiver answered {code}", asked_s)
        if 300 <= code < 400:
            raise WillNeverWork(
                f"the receiver answered {code}: expected its partner file to have the address it moved to"
            )
        if code >= 400:
            raise WillNeverWork(f"the receiver refused the transaction with {code}")
        if not _is_bundle(answered):
            raise WillNeverWork("expected a transaction-response Bundle, found something else")
        return SendResult(code=str(code), sent=body, answered=answered)

    def _posted(self, address: str, body: bytes) -> tuple[int, bytes, float]:
        """Return status and body of the answer, and the seconds for which it asks to be left alone.

        No redirect is followed: the other address is one that nobody has verified (42 CFR 2.16).
        """
        headers = {"Content-Type": "application/fhir+json", "Accept": "application/fhir+json"}
        try:
            with (
                TimeLimit(self._timeout_s) as limit,
                self._session.post(
                    address, data=body, headers=headers, timeout=self._timeout_s, allow_redirects=False, stream=True
                ) as answer,
            ):
                code, answered, asked_s = answer.status_code, _whole(answer), _retry_after(answer)
        except requests.RequestException as error:
            raise TryLater(f"no answer from the receiver ({type(error).__name__})") from error
        if limit.is_over:
            raise TryLater(f"no whole answer from the receiver within {self._timeout_s:g} seconds")
        return code, answered, asked_s


def _retry_after(answer: requests.Response) -> float:
    """Return the seconds of Retry-After (RFC 9110 section 10.2.3); a date is taken by the clock of who stated it."""
    stated = answer.headers.get("Retry-After", "").strip()
    if stated.isdecimal():
        return float(stated)
    try:
        until, now = (parsedate_to_datetime(one) for one in (stated, answer.headers.get("Date", "")))
        return (until - now).total_seconds()
    except (TypeError, ValueError):
        return 0.0


def _whole(answer: requests.Response) -> bytes:
    received = bytearray()
    for packet in answer.iter_content(_PACKET_BYTES):
        received += packet
        if len(received) > _LONGEST_ANSWER_BYTES:
            raise WillNeverWork(f"expected an answer of at most {_LONGEST_ANSWER_BYTES} bytes, found a longer one")
    return bytes(received)


def transaction(bundle: Resource, envelope: Envelope) -> Resource:
    """Turn the collection Bundle of a disclosure into the transaction that stores it at a receiver."""
    resources = [entry["resource"] for entry in bundle["entry"]]
    urns = {f"{r['resourceType']}/{r['id']}": _urn(r) for r in resources if "id" in r}
    return {
        "resourceType": "Bundle",
        "type": "transaction",
        "identifier": {"system": "https://warmhandoff.example/id/message", "value": envelope.message_id},
        "timestamp": envelope.created_at,
        **({"meta": bundle["meta"]} if "meta" in bundle else {}),
        "entry": [_entry(resource, urns, envelope) for resource in resources],
    }


def _entry(resource: Resource, urns: dict[str, str], envelope: Envelope) -> Resource:
    kind = resource["resourceType"]
    body = {name: _repointed(value, urns) for name, value in resource.items() if name != "id"}
    condition = _stamp(body, kind, resource["id"])
    update = envelope.action != "create" or kind in _UPDATED_ON_CREATE
    request = (
        {"method": "PUT", "url": f"{kind}?{condition}"}
        if update
        else {"method": "POST", "url": kind, "ifNoneExist": condition}
    )
    return {"fullUrl": _urn(resource), "resource": body, "request": request}


def _stamp(body: Resource, kind: str, resource_id: str) -> str:
    """Write our id into the resource and return the search condition that finds it again."""
    key = f"{quote(SOURCE_ID, safe='')}%7C{resource_id}"
    if kind in _WITHOUT_IDENTIFIER:
        meta = body.get("meta", {})
        tag = {"system": SOURCE_ID, "code": resource_id}
        body["meta"] = {**meta, "tag": [*meta.get("tag", []), tag]}
        return f"_tag={key}"
    own = {"system": SOURCE_ID, "value": resource_id}
    known = body.get("identifier", [])
    body["identifier"] = [*(known if isinstance(known, list) else [known]), own]
    return f"identifier={key}"


def _repointed(value: Any, urns: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {
            name: urns.get(part, part) if name == "reference" and isinstance(part, str) else _repointed(part, urns)
            for name, part in value.items()
        }
    if isinstance(value, list):
        return [_repointed(part, urns) for part in value]
    return value


def _urn(resource: Resource) -> str:
    return f"urn:uuid:{uuid.uuid5(_NAMESPACE, resource['resourceType'] + '/' + resource['id'])}"


def _is_bundle(answered: bytes) -> bool:
    try:
        response = orjson.loads(answered)
    except orjson.JSONDecodeError:
        return False
    return isinstance(response, dict) and response.get("resourceType") == "Bundle"
