"""The forms of a release: each piece of evidence with its label, in plain words, and how it is read from what was sent.

Which evidence a kind asks for stands in `gateway.flow.releases.kinds`; what is enough, in the engine.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from werkzeug.datastructures import MultiDict

from gateway.model.disclosure_words import type_words

FieldKind = Literal["text", "words", "yes", "moment", "day", "choice", "many"]


@dataclass(frozen=True, slots=True)
class FormField:
    """One question of a form. `yes` is a box to tick, `moment` an instant in the console's zone, `many` several boxes.

    `options` are (value, label). `value` is what a box that is ticked says.
    """

    name: str
    label: str
    kind: FieldKind = "text"
    hint: str = ""
    required: bool = True
    options: tuple[tuple[str, str], ...] = ()
    value: Any = True


_FIELDS: Iterable[FormField] = (
    FormField("recipient_name", "Who receives it", hint="Name of the physician, nurse or paramedic."),
    FormField("recipient_affiliation", "Where they work", hint="Hospital and department, or ambulance service."),
    FormField("time", "Date and time of the disclosure", "moment"),
    FormField("nature", "Nature of the emergency", "words"),
    FormField(
        "consent_obtainable", "The person's written consent cannot be obtained", "yes", required=False, value=False,
        hint="Tick this, or state a declared disaster below.",
    ),
    FormField("declaration", "Declared disaster", required=False, hint="Number or name of the declaration."),
    FormField("program_closed", "The disaster closed the program", "yes", required=False),
    FormField("asked_by", "Who asks", hint="Court or agency, officer or attorney, their case number."),
    FormField("asked_for", "What they ask for and what they showed", "words", hint="Do not hand anything over yet."),
    FormField("approval", "Approval of the study", "choice", hint="As registered with the recipient."),
    FormField("agreement", "Agreement", "choice", hint="As registered with the recipient."),
    FormField("state_law", "State law that asks for the report", hint="For example RCW 26.44.030."),
    FormField(
        "content", "What the report tells", "many",
        hint="Only what the report needs; the page of the record says what each is.",
    ),
    FormField("on_premises", "It happened on the program's premises", "yes", required=False),
    FormField("against_personnel", "It was against the program's personnel, or a threat of it", "yes", required=False),
    FormField("incident", "What happened", "words", hint="The circumstances only: nothing about treatment."),
    FormField("occurred", "When it happened", "moment"),
    FormField("last_whereabouts", "Last known whereabouts", required=False),
    FormField("identity", "How the person proved who they are", hint="Kind of document; no number of it."),
    FormField("subject", "Why they look for the person", hint="Suspect, fugitive, witness or missing person."),
    FormField("facility", "Facility that has lawful custody"),
    FormField(
        "no_knowledge", "I know of nothing by which what is left could still tell who it is about", "yes",
        hint="A rare diagnosis, an event everybody heard of: then do not release it (45 CFR 164.514(b)(2)(ii)).",
    ),
)  # fmt: skip
FIELDS: Mapping[str, FormField] = {one.name: one for one in _FIELDS}
"""Name of a piece of evidence -> its question."""

_FINDINGS = (
    ("no-other-way", "Other ways of obtaining the information are not available or would not be effective"),
    ("interest-outweighs", "The public interest and the need outweigh the harm to the patient and the treatment"),
    ("extremely-serious-crime", "The crime is extremely serious (2.65)"),
    ("substantial-value", "The records are likely to be of substantial value (2.65)"),
    (
        "holder-had-counsel",
        "The holder could have counsel of its own, a public holder had; or the holder applied (2.65)",
    ),
    ("threat-or-serious-crime", "Confidential communications: threat to life, or extremely serious crime (2.63)"),
    ("patient-opened-it", "Confidential communications: the patient gave evidence of their content (2.63)"),
)
_SCOPE = tuple((kind, kind) for kind in (
    "Patient", "Encounter", "Condition", "Observation", "MedicationRequest", "Procedure", "CarePlan", "Goal",
    "ServiceRequest", "Task", "DocumentReference",
))  # fmt: skip

ONLY = FormField(
    "only", "Only these kinds of records", "many", required=False,
    options=tuple((kind, type_words(kind)) for kind in (
        "Condition", "Observation", "DiagnosticReport", "MedicationStatement", "MedicationRequest", "Procedure",
        "Encounter", "CarePlan", "Goal", "Flag", "DocumentReference",
    )),
    hint="Nothing ticked means everything of the record. Who it is about goes with it in any case.",
)  # fmt: skip
"""No evidence, but how much is asked for: not more than the purpose needs (42 CFR 2.13(a), 2.51(a))."""

ORDER_FIELDS: tuple[FormField, ...] = (
    FormField("court", "Court and number of the order"),
    FormField("kind", "Kind of order", "choice", options=(
        ("2.64", "2.64 noncriminal"), ("2.65", "2.65 criminal, against the patient"),
        ("2.66", "2.66 against the program or holder"), ("2.67", "2.67 undercover agent (discloses nothing)"),
    )),
    FormField("issued", "Issued on", "day"),
    FormField("expires", "Expires on", "day", required=False),
    FormField("status", "Status", "choice", options=(("in_force", "in force"), ("vacated", "vacated"))),
    FormField("holder", "Whom the order is to (holder of the records)", "choice"),
    FormField("findings", "What the court found", "many", options=_FINDINGS, required=False),
    FormField("scope", "What the order opens", "many", options=_SCOPE, required=False),
    FormField("confidential_communications", "It opens confidential communications", "yes", required=False),
    FormField("process", "Process that compels (subpoena or warrant)", required=False,
              hint="An order only authorizes. Leave empty while there is none: the release stays here."),
    FormField("process_issued", "Process issued on", "day", required=False),
)  # fmt: skip
"""What legal review registers of a court order (42 CFR 2.61 to 2.67) and of the process that compels."""


def read_fields(fields: Iterable[FormField], form: MultiDict[str, str], zone: ZoneInfo) -> dict[str, Any]:
    """Return what was stated, by name; what was left empty is not there, and a box says its value only where ticked."""
    read = {one.name: _READERS[one.kind](one, form, zone) for one in fields}
    return {name: value for name, value in read.items() if value not in (None, "", [])}


def says_why_no_consent(stated: Mapping[str, Any]) -> bool:
    """Say whether an emergency is stated with one of the two boxes that no browser can insist on (42 CFR 2.51(a)).

    Under stress a box is forgotten: that is asked for again, and makes no release that was refused.
    """
    return "consent_obtainable" in stated or ("declaration" in stated and "program_closed" in stated)


def court_order(stated: Mapping[str, Any], recipient: str, verified_by: str) -> dict[str, Any]:
    """Return the evidence of a court order as the engine reads it, from what legal review stated."""
    order = {
        "id": stated.get("court", ""),
        "court": stated.get("court"),
        "kind": stated.get("kind"),
        "issued": stated.get("issued"),
        "expires": stated.get("expires"),
        "status": stated.get("status"),
        "verified_by": verified_by,
        "holder": stated.get("holder"),
        "recipients": [recipient],
        "findings": stated.get("findings", []),
        "scope": [{"resource_type": kind} for kind in stated.get("scope", [])],
        "confidential_communications": bool(stated.get("confidential_communications")),
    }
    process = {"kind": stated.get("process"), "issued": stated.get("process_issued"), "verified_by": verified_by}
    return {"order": order, "process": process if stated.get("process") else None}


def _text(one: FormField, form: MultiDict[str, str], zone: ZoneInfo) -> str:
    return form.get(one.name, "").strip()[:4000]


def _yes(one: FormField, form: MultiDict[str, str], zone: ZoneInfo) -> Any:
    return one.value if form.get(one.name) == "yes" else None


def _moment(one: FormField, form: MultiDict[str, str], zone: ZoneInfo) -> str:
    """Read a wall clock time of the console's zone as an instant; what is no time is left for the rules to refuse."""
    try:
        return datetime.fromisoformat(_text(one, form, zone)).replace(tzinfo=zone).isoformat()
    except ValueError:
        return ""


def _many(one: FormField, form: MultiDict[str, str], zone: ZoneInfo) -> list[str]:
    return [value[:200] for value in form.getlist(one.name)][:200]


_READERS: Mapping[FieldKind, Callable[[FormField, MultiDict[str, str], ZoneInfo], Any]] = {
    "text": _text,
    "words": _text,
    "choice": _text,
    "day": _text,
    "yes": _yes,
    "moment": _moment,
    "many": _many,
}
