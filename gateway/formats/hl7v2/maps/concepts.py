"""Coded data types both ways: CWE, CE, ID, IS as CodeableConcept, Coding, code or yes and no.

With a table the FHIR code stands first and the sender's own code beside it, so that writing gives back what was sent.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from gateway.formats.hl7v2.build import Component, Field
from gateway.formats.hl7v2.maps.naming import coding_of, lists, system_name
from gateway.formats.hl7v2.maps.terms import TermTable

if TYPE_CHECKING:
    from gateway.formats.hl7v2.maps.outgoing import Writing
    from gateway.formats.hl7v2.maps.reading import Reading

Read = Callable[[str, "Reading", int], Any]
"""(one repetition, the message, the field's number) -> FHIR value; None for none."""
Write = Callable[[Any, "Writing"], Field]

_TABLES = "http://terminology.hl7.org/CodeSystem/v2-"


def concept(table: TermTable | None, system: str) -> tuple[Read, Write]:
    """CWE as CodeableConcept; `system` (a URI) is what the first code is of where the sender names none."""

    def read(raw: str, r: "Reading", number: int) -> Any:
        parts = r.components(raw)
        code, text, name = parts[0], parts[1], parts[2]
        code, text, name = code and r.text(code), text and r.text(text), name and r.text(name)
        codings = []
        if code:
            first = coding_of(code, text if text != code else "", name, r.names)
            mapped = table.coding(code) if table is not None else None
            if not name and system and (mapped is not None or table is None) and lists(system, code):
                first = {"system": system, **first}
            if mapped is None and table is not None and not name and not text:
                # A word of the sender's own: no table has it, and nobody says whose code it is.
                r.keep(number)
                return {"text": code}
            if mapped is not None:
                codings.append(mapped)
            elif table is not None:
                r.keep(number)
            if mapped is None or (mapped.get("code"), mapped.get("system")) != (code, first.get("system")):
                codings.append(first)
        if parts[3]:
            other = coding_of(r.text(parts[3]), parts[4] and r.text(parts[4]), parts[5] and r.text(parts[5]), r.names)
            codings.append(other)
        if parts[9]:
            third, words, named = (part and r.text(part) for part in parts[9:12])
            codings.append(coding_of(third, words, named, r.names))
        original = parts[8] and r.text(parts[8])
        value: dict[str, Any] = {"coding": codings} if codings else {}
        if original or not codings:
            value["text"] = original or text
        return value if codings or value.get("text") else None

    def write(value: Any, w: "Writing") -> Field:
        return written_concept(value, w, table, system)

    return read, write


def written_concept(
    value: Mapping[str, Any], w: "Writing", table: TermTable | None = None, system: str = ""
) -> tuple[Component, ...]:
    """Write a CodeableConcept: two codings at most, the sender's own before a mapped one, the text kept."""
    codings = [one for one in value.get("coding", ()) if one.get("code")]
    text = str(value.get("text", ""))
    if table is not None and codings:
        codings = _as_sent(codings, table, system)
    if not codings:
        return ("", text)
    first = codings[0]
    parts: list[Component] = [
        str(first["code"]),
        str(first.get("display") or text),
        system_name(str(first.get("system", "")), w.names),
    ]
    if len(codings) > 1:
        second = codings[1]
        named = system_name(str(second.get("system", "")), w.names)
        parts += [str(second["code"]), str(second.get("display", "")), named]
    if text and text != parts[1]:
        parts += [""] * (8 - len(parts)) + [text]
    return tuple(parts)


def _as_sent(codings: list[Any], table: TermTable, system: str) -> list[Any]:
    """Put the v2 code in place of the mapped one: that which was sent beside it, else what the table has."""
    mapped = next((one for one in codings if table.by_fhir.get(str(one["code"]))), None)
    if mapped is None:
        return codings
    others = [one for one in codings if one is not mapped]
    sent = [one for one in others if (table.by_v2.get(str(one["code"]).upper()) or {}).get("code") == mapped["code"]]
    if sent:
        return [*sent, *(one for one in others if one is not sent[0])]
    return [{**mapped, "code": table.v2_code(mapped["code"]), "system": system}, *others]


def coding(table: TermTable | None, system: str) -> tuple[Read, Write]:
    """CWE as one Coding: the table's, else the sender's."""

    def read(raw: str, r: "Reading", number: int) -> Any:
        parts = r.components(raw)
        code = parts[0] and r.text(parts[0])
        if not code:
            return None
        mapped = table.coding(code) if table is not None else None
        if mapped is not None:
            return mapped
        if table is not None:
            r.keep(number)
        found = coding_of(code, parts[1] and r.text(parts[1]), parts[2] and r.text(parts[2]), r.names)
        return found if "system" in found or not system or not lists(system, code) else {"system": system, **found}

    def write(value: Any, w: "Writing") -> Field:
        code = str(value.get("code", ""))
        v2 = table.v2_code(code) if table is not None else ""
        if v2 or (table is not None and not _is_v2(value)):
            return v2
        return (code, str(value.get("display", "")), system_name(str(value.get("system", "")), w.names))

    return read, write


def _is_v2(value: Mapping[str, Any]) -> bool:
    return str(value.get("system", "")).startswith(_TABLES)


def code(table: TermTable | None, system: str) -> tuple[Read, Write]:
    """ID, IS or CWE as a code of FHIR's own: only what the table knows."""

    def read(raw: str, r: "Reading", number: int) -> Any:
        sent = r.first_subcomponent(raw.partition(r.component)[0])
        if table is None:
            return sent or None
        known = table.coding(sent)
        if known is None:
            r.keep(number)
            return None
        return known["code"]

    def write(value: Any, w: "Writing") -> Field:
        return str(value) if table is None else table.v2_code(value)

    return read, write


def truth(table: TermTable | None, system: str) -> tuple[Read, Write]:
    """Y or N of HL7 table 0136 as a boolean."""

    def read(raw: str, r: "Reading", number: int) -> Any:
        sent = r.text(raw.partition(r.component)[0]).upper()
        if sent in ("Y", "YES", "N", "NO"):
            return sent[0] == "Y"
        r.keep(number)
        return None

    return read, lambda value, w: "Y" if value else "N"
