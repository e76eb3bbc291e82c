"""Text, times, numbers and files both ways: ST, FT, DTM, NM, CQ, ED."""

import base64
import binascii
import re
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from gateway.formats.hl7v2.build import Field, Formatted
from gateway.formats.hl7v2.maps.concepts import Read, Write
from gateway.formats.hl7v2.maps.persons import human_name
from gateway.formats.hl7v2.maps.terms import TermTable

if TYPE_CHECKING:
    from gateway.formats.hl7v2.maps.outgoing import Writing
    from gateway.formats.hl7v2.maps.reading import Reading

_DECIMAL = re.compile(r"[+-]?[0-9]*\.?[0-9]+")
_BASE64 = re.compile(r"[A-Za-z0-9+/=\s]*")


def text(table: TermTable | None, system: str) -> tuple[Read, Write]:
    """ST as string: the repetition as it stands, separators a sender forgot to escape included."""

    def read(raw: str, r: "Reading", number: int) -> Any:
        return r.text(raw) or None

    return read, lambda value, w: str(value)


def formatted(table: TermTable | None, system: str) -> tuple[Read, Write]:
    """FT, TX: text whose line breaks are kept; repetitions are lines (whole field)."""

    def read(raw: str, r: "Reading", number: int) -> Any:
        if r.repetition not in raw:
            return r.text(raw).strip() or None
        return "\n".join(r.text(line) for line in raw.split(r.repetition)).strip() or None

    return read, lambda value, w: Formatted(str(value))


def name_text(table: TermTable | None, system: str) -> tuple[Read, Write]:
    """XPN as the words of a name."""
    read_name, _ = human_name(None, "")

    def read(raw: str, r: "Reading", number: int) -> Any:
        found = read_name(raw, r, number) or {}
        return " ".join([*found.get("given", ()), found.get("family", "")]).strip() or None

    return read, lambda value, w: (str(value),)


def text_concept(table: TermTable | None, system: str) -> tuple[Read, Write]:
    """ST as a CodeableConcept that is text alone."""

    def read(raw: str, r: "Reading", number: int) -> Any:
        found = r.text(raw)
        return {"text": found} if found else None

    return read, lambda value, w: str(value.get("text", ""))


def date_time(table: TermTable | None, system: str) -> tuple[Read, Write]:
    """TS, DTM as dateTime: precision and zone as they are; a time without any zone is its date."""
    return (lambda raw, r, number: r.time(raw)), (lambda value, w: w.dtm(value))


def date(table: TermTable | None, system: str) -> tuple[Read, Write]:
    """DT, or the day of a DTM, as date."""

    def read(raw: str, r: "Reading", number: int) -> Any:
        found = r.time(raw[:8])
        return found and found[:10]

    return read, lambda value, w: w.dtm(value)[:8]


def instant(table: TermTable | None, system: str) -> tuple[Read, Write]:
    """DTM as instant: only what has a time and an offset."""

    def read(raw: str, r: "Reading", number: int) -> Any:
        found = r.time(raw)
        return found if found and "T" in found else None

    return read, lambda value, w: w.dtm(value)


def whole_number(table: TermTable | None, system: str) -> tuple[Read, Write]:
    """NM, SI as a positive whole number."""

    def read(raw: str, r: "Reading", number: int) -> Any:
        sent = r.text(raw.partition(r.component)[0]).strip()
        return int(sent) if sent.isdecimal() and sent.isascii() and len(sent) < 10 and int(sent) else None

    return read, lambda value, w: str(value)


def quantity(table: TermTable | None, system: str) -> tuple[Read, Write]:
    """CQ, NM as Quantity."""

    def read(raw: str, r: "Reading", number: int) -> Any:
        parts = r.components(raw)
        value = decimal(r.text(parts[0]))
        unit = parts[1] and r.first_subcomponent(parts[1])
        return None if value is None else {"value": value, **({"unit": unit} if unit else {})}

    return read, lambda value, w: (str(value.get("value", "")), str(value.get("unit", "")))


def decimal(sent: str) -> Decimal | int | None:
    """Return the number a sender wrote, with its digits as they are; None for what is none."""
    sent = sent.strip()
    if len(sent) > 30 or not _DECIMAL.fullmatch(sent):
        return None
    try:
        value = Decimal(sent)
    except InvalidOperation:
        return None
    return int(value) if sent.lstrip("+-").isdigit() else value


def attachment(table: TermTable | None, system: str) -> tuple[Read, Write]:
    """ED, or text, as Attachment. Text is kept as base64 of UTF-8, what is not base64 is not a document."""

    def read(raw: str, r: "Reading", number: int) -> Any:
        if r.fields[0] == "OBX" and r.fields[2] != "ED":
            return _pointer(raw, r) or _text_attachment(raw, r)
        parts = r.components(raw.partition(r.repetition)[0])
        kind, subtype, encoding = (parts[n] and r.text(parts[n]) for n in (1, 2, 3))
        data = _data(r.text(parts[4]), encoding)
        if not data:
            r.keep(number)
            return None
        return {"contentType": _media_type(kind, subtype), "data": data}

    def write(value: Any, w: "Writing") -> Field:
        media_type = str(value.get("contentType", "application/octet-stream")).partition(";")[0]
        data = str(value.get("data", ""))
        if not data and "url" in value:
            w.fields[2] = "RP"
            return (str(value["url"]), "", *media_type.split("/", 1))
        if not data:
            return ""
        if media_type == "text/plain" and data:
            w.fields[2] = "TX"
            return Formatted(base64.b64decode(data).decode("utf-8", "replace"))
        w.fields[2] = "ED"
        kind, _, subtype = media_type.partition("/")
        return ("", kind, subtype, "Base64", data)

    return read, write


def _pointer(raw: str, r: "Reading") -> dict[str, Any] | None:
    """Read RP, a document that stays where it is: its address, and its kind where that is told."""
    parts = r.components(raw)
    url = r.text(parts[0]) if r.fields[2] == "RP" else ""
    if not url.startswith(("http://", "https://")) or " " in url:
        return None
    kind, subtype = r.text(parts[2]), r.text(parts[3])
    return {**({"contentType": _media_type(kind, subtype)} if kind or subtype else {}), "url": url}


def _text_attachment(raw: str, r: "Reading") -> dict[str, Any] | None:
    """Gather the text of a document: every further line of it goes to the attachment that the first began."""
    words = [r.text(line) for line in raw.split(r.repetition)] if r.repetition else [r.text(raw)]
    document = r.open.get("Document")
    if document is None:
        return None
    if r.lines and r.lines[-1][0] is document:
        r.lines[-1][2].extend(words)
        r.has_gathered = True
        return None
    begun: dict[str, Any] = {"contentType": "text/plain; charset=utf-8", "data": ""}
    r.lines.append((document, begun, words))
    return begun


def _media_type(kind: str, subtype: str) -> str:
    """Return the MIME type of ED-2 and ED-3: HL7 tables 0834 or 0191, and 0291; senders of PDF call it an image too."""
    kind, subtype = kind.lower(), subtype.lower()
    if "/" in subtype or "/" in kind:
        return subtype if "/" in subtype else kind
    if known := _MEDIA_TYPES.get(subtype):
        return known
    if subtype in ("", "octet-stream") or kind not in _MEDIA_KINDS:
        return "text/plain" if kind in ("text", "tx", "ft") and not subtype else "application/octet-stream"
    return f"{kind}/{subtype}"


_MEDIA_KINDS = frozenset(("application", "audio", "image", "model", "multipart", "text", "video"))
_MEDIA_TYPES = {
    "pdf": "application/pdf",
    "rtf": "application/rtf",
    "dicom": "application/dicom",
    "html": "text/html",
    "xml": "text/xml",
    "plain": "text/plain",
    "gif": "image/gif",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "png": "image/png",
    "tiff": "image/tiff",
    "tif": "image/tiff",
}


def _data(sent: str, encoding: str) -> str:
    """Return base64 of what was sent: base64 as it is, hex and plain text (A) turned into it."""
    compact = "".join(sent.split())
    if encoding.lower() == "hex":
        try:
            return base64.b64encode(bytes.fromhex(compact)).decode("ascii")
        except ValueError:
            return ""
    if encoding.lower() == "base64" or (not encoding and _BASE64.fullmatch(sent)):
        try:
            base64.b64decode(compact, validate=True)
        except (binascii.Error, ValueError):
            return ""
        return compact
    return _encoded(sent)


def _encoded(words: str) -> str:
    return base64.b64encode(words.encode("utf-8")).decode("ascii")
