"""What an item's own words and codes reveal: every coding and every piece of text in it, wherever it hides."""

import base64
import html
import re
from collections.abc import Iterable, Mapping
from typing import Any

from gateway.labeling.sensitivity_codes import CODES, PHRASES, PREFIX_LENGTHS, PREFIXES, WORDS
from gateway.model.extensions import is_understood
from gateway.model.labels import Label


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Keys whose strings are addresses, codes of the standard or binary: they are no text a person wrote.
_NOT_TEXT = _words(
    """
        resourceType id meta system code reference url fullUrl status contentType data div versionId
        lastUpdated language start end recorded issued authoredOn created date unit mode type use intent
        gender birthDate profile recordedDate effectiveDateTime onsetDateTime occurrenceDateTime performedDateTime
        abatementDateTime deceasedDateTime valueDateTime servicedDate lastModified sent received assertedDate
        """
)
_STAYING = frozenset({"text", "contained", "modifierExtension"})
"""Parts that never leave; neither do extensions that are not understood here."""
_NESTED = (dict, list)

INLINE_LABEL = "inline-sec-label"
"""How the address of the DS4P extension ends, in every edition of that guide."""
_WORD = re.compile(r"[a-z0-9]+")


def content_labels(resource: Mapping[str, Any], names: tuple[str, ...] = ()) -> tuple[set[Label], bool]:
    """Return the labels that codes, texts, displays and readable attachments call for, and whether a program is named.

    `names` are lower-case names that reveal treatment by themselves (programs that do nothing else).
    """
    return _read(resource, names, only_leaving=False)


def leaving_labels(resource: Mapping[str, Any]) -> set[Label]:
    """Return the labels of what can leave: no narrative, contained or foreign extension (`gateway.redaction`)."""
    return _read(resource, (), only_leaving=True)[0]


def has_staying_parts(canonical: bytes) -> bool:
    """Say, from its canonical JSON, whether a resource has a part that never leaves."""
    return b'"div":' in canonical or b'"contained":' in canonical or b'xtension":' in canonical


def _read(resource: Mapping[str, Any], names: tuple[str, ...], *, only_leaving: bool) -> tuple[set[Label], bool]:
    labels: set[Label] = set()
    texts: list[str] = []
    _collect(resource, labels, texts, only_leaving)
    if not texts:
        return labels, False
    text = "\n".join(texts).lower()
    _label_text(text, labels)
    return labels, any(name in text for name in names)


def stated_labels(resource: Mapping[str, Any]) -> Iterable[Label]:
    """Yield the labels in `meta.security` of the resource and of what it contains.

    A label without a code is one too: nobody can tell what it asks for, and nobody may lose it.
    """
    for one in (resource, *resource.get("contained", ())):
        for coding in one.get("meta", {}).get("security", ()):
            yield coding.get("system", ""), coding.get("code", "")


def inline_labels(resource: Mapping[str, Any]) -> Iterable[Label]:
    """Yield the labels put on single elements (HL7 DS4P inline-sec-label): what bars a part, bars the whole here."""
    open_values: list[Any] = [resource]
    while open_values:
        value = open_values.pop()
        if isinstance(value, dict):
            if str(value.get("url")).endswith(INLINE_LABEL):
                coding = value.get("valueCoding") or {}
                yield coding.get("system", ""), coding.get("code", "")
            open_values.extend(value.values())
        elif isinstance(value, list):
            open_values.extend(value)


def code_label(system: str, code: str) -> Label | None:
    """Return the label of a code, by the code itself or by the family it begins with."""
    found = CODES.get((system, code))
    if found is None:
        for length in PREFIX_LENGTHS.get(system, ()):
            found = PREFIXES.get((system, code[:length])) or found
    return found


def _collect(value: Any, labels: set[Label], texts: list[str], only_leaving: bool) -> None:
    if isinstance(value, dict):
        code = value.get("code")
        if isinstance(code, str):
            found = code_label(value.get("system", ""), code)
            if found:
                labels.add(found)
        for key, inner in value.items():
            if isinstance(inner, str):
                if key not in _NOT_TEXT:
                    texts.append(inner)
                elif key in ("div", "data"):
                    texts.append(_readable(key, inner, value))
            elif isinstance(inner, _NESTED) and key != "meta":
                _collect(_leaving(key, inner, value) if only_leaving else inner, labels, texts, only_leaving)
    else:
        for inner in value:
            if isinstance(inner, str):
                texts.append(inner)
            elif isinstance(inner, _NESTED):
                _collect(inner, labels, texts, only_leaving)


def _leaving(key: str, inner: Any, holder: Mapping[str, Any]) -> Any:
    """Return what of a part of a resource leaves, as `gateway.redaction` rebuilds it: of extensions the known ones."""
    if key in _STAYING:
        return []
    if key != "extension":
        return inner
    within = "" if "resourceType" in holder else str(holder.get("url", ""))
    return [one for one in inner if isinstance(one, dict) and is_understood(str(one.get("url", "")), within)]


def _readable(key: str, text: str, holder: Mapping[str, Any]) -> str:
    if key == "div":
        return html.unescape(text)
    if not str(holder.get("contentType")).startswith("text/"):
        return ""
    try:
        return html.unescape(base64.b64decode(text).decode(errors="replace"))
    except ValueError:
        return ""


def _label_text(text: str, labels: set[Label]) -> None:
    words = set(_WORD.findall(text))
    for label, vocabulary in WORDS.items():
        if label not in labels and (
            not vocabulary.isdisjoint(words) or any(phrase in text for phrase in PHRASES[label])
        ):
            labels.add(label)
