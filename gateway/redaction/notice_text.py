"""The notice and the explanation of the consent, as entries of the disclosure itself (42 CFR 2.32).

The scope is always written anew from the permit and never a copy of the paper: a copy would tell this recipient what
others may have and what the person kept back.
"""

import base64
import hashlib
from typing import Any

from gateway.model.consent_directive import Directive
from gateway.model.decision import Permit
from gateway.model.fhir_time import written
from gateway.model.notice import STATEMENT_1, STATEMENT_2
from gateway.model.partner import Registry

NOTICE_ID = "part2-notice"
ASKING_ID = "part2-no-further-use"
ASK_NO_FURTHER_USE = (
    "The patient asked for a restriction on these records, which a medical emergency overrides. "
    "Please do not use or disclose them further (42 CFR 2.26(a)(4))."
)

_PURPOSES = {
    "TREAT": "treatment",
    "ETREAT": "emergency treatment",
    "COC": "coordination of care",
    "HPAYMT": "payment",
    "HOPERAT": "health care operations",
    "PATRQT": "at the request of the patient",
    "HLEGAL": "a legal proceeding",
}


def statement_for(transport: str) -> tuple[int, str]:
    """Return number and text of the notice for a transport: Statement 1, and Statement 2 where room is short."""
    return (2, STATEMENT_2) if transport == "hl7v2" else (1, STATEMENT_1)


def notice_entry() -> dict[str, Any]:
    """Return the information entry that carries the full statement; it is about no person."""
    return _document(NOTICE_ID, "Notice: 42 CFR 2.32(a)", STATEMENT_1, None)


def asking_entry() -> dict[str, Any]:
    """Return the information entry that asks an emergency's recipient for no further use (42 CFR 2.26(a)(4))."""
    return _document(ASKING_ID, "Request: 42 CFR 2.26(a)(4)", ASK_NO_FURTHER_USE, None)


def scope_entry(directive: Directive, permit: Permit, registry: Registry, subject: str | None) -> dict[str, Any]:
    """Return the information entry that explains the scope of the consent for this recipient (42 CFR 2.32(b))."""
    text = scope_text(directive, permit, registry)
    key = hashlib.sha256(f"{directive.reference}|{directive.version}|{permit.recipients}".encode()).hexdigest()
    return _document(f"part2-scope-{key[:26]}", "Scope of the consent: 42 CFR 2.32(b)", text, subject)


def scope_text(directive: Directive, permit: Permit, registry: Registry) -> str:
    """Explain a consent in plain words, as far as it concerns this recipient and these purposes."""
    disclosers = [registry.get(party.organization) for party in directive.disclosers]
    recipients = [registry.get(one) for one in permit.recipients]
    purposes = [_PURPOSES.get(one.rpartition("|")[2], one.rpartition("|")[2]) for one in permit.purposes]
    until = directive.period[1]
    lines = [
        f"Made with the patient's written consent {directive.id}, version {directive.version or '1'}.",
        f"Disclosed by: {', '.join(one.name for one in disclosers if one)}.",
        f"Disclosed to: {', '.join(one.name for one in recipients if one)}.",
        f"For: {', '.join(purposes)}.",
        "It covers the records of this disclosure.",
        f"Signed: {written(directive.dated)[:10] if directive.dated else 'not stated'}.",
        f"It ends before: {written(until)}." if until else f"It ends: {directive.expiry or 'not stated'}.",
        "The patient may revoke it in writing.",
    ]
    return "\n".join(lines)


def _document(identifier: str, title: str, text: str, subject: str | None) -> dict[str, Any]:
    data = base64.b64encode(text.encode()).decode("ascii")
    document: dict[str, Any] = {
        "resourceType": "DocumentReference",
        "id": identifier,
        "status": "current",
        "type": {"text": title},
        "description": text,
        "content": [
            {
                "attachment": {
                    "contentType": "text/plain; charset=utf-8",
                    "data": data,
                }
            }
        ],
    }
    return {**document, "subject": {"reference": subject}} if subject else document
