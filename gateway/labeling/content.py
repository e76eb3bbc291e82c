"""What an item's own words and codes reveal: every coding and every piece of text in it, wherever it hides."""

import base64
import html
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from gateway.labeling.sensitivity_codes import CODES, FAMILIES, PHRASES, WORDS
from gateway.model.extensions import is_understood
from gateway.model.labels import Label


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Keys whose strings are addresses, words of the standard or binary: they are no text a person wrote. A code is looked
# up instead.
_NOT_TEXT = _words(
    """
        resourceType id meta system reference url fullUrl status contentType versionId
        lastUpdated language start end recorded issued authoredOn created date unit mode type use intent
        gender birthDate profile recordedDate effectiveDateTime onsetDateTime occurrenceDateTime performedDateTime
        abatementDateTime deceasedDateTime valueDateTime servicedDate lastModified sent received assertedDate
        """
)
_WRAPPED = frozenset({"div", "data"})
"""Keys whose strings hold a text in another notation."""
_APART = frozenset({"meta", "text", "contained", "extension", "modifierExtension"})
"""Parts of which not all leaves, or which are read elsewhere (meta)."""
_NESTED = (dict, list)

INLINE_LABEL = "inline-sec-label"
"""How the address of the DS4P extension ends, in every edition of that guide."""
_WORD = re.compile(r"[a-z0-9]+")


class Content(NamedTuple):
    """What a resource reveals: the labels of all that is in it, and of what of it can leave (`gateway.redaction`)."""

    labels: set[Label]
    shown: set[Label]
    names_program: bool
    """Whether a text names a program that would reveal treatment by itself."""


def content_labels(resource: Mapping[str, Any], names: tuple[str, ...] = ()) -> Content:
    """Return what codes, texts, displays and readable attachments reveal.

    `names` are lower-case names that reveal treatment by themselves (programs that do nothing else). Narrative,
    contained resources and foreign extensions never leave.
    """
    staying: list[Any] = []
    shown, names_program = _read([resource], staying, names)
    if not staying:
        return Content(set(shown), shown, names_program)
    kept, names_one_too = _read(staying, staying, names)
    return Content(shown | kept, shown, names_program or names_one_too)


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
    """Return the label of a code, by the code itself or by the longest family it begins with."""
    found = CODES.get((system, code))
    if found is None:
        for length, families in FAMILIES.get(system, ()):
            found = families.get(code[:length]) or found
    return found


def _read(values: list[Any], staying: list[Any], names: tuple[str, ...]) -> tuple[set[Label], bool]:
    """Read parts of a resource, and put aside into `staying` what in them does not leave.

    What lies inside a part is added to `values` and read in its turn.
    """
    labels: set[Label] = set()
    texts: list[str] = []
    for value in values:
        entries = value.items() if isinstance(value, dict) else [("", one) for one in value]
        for key, inner in entries:
            if isinstance(inner, str):
                if key == "code":
                    label = code_label(value.get("system", ""), inner)
                    if label is not None:
                        labels.add(label)
                elif key not in _NOT_TEXT:
                    texts.append(_readable(key, inner, value) if key in _WRAPPED else inner)
            elif isinstance(inner, _NESTED):
                if key in _APART:
                    _take_apart(key, inner, value, values, staying)
                else:
                    values.append(inner)
    return labels, bool(texts) and _read_texts("\n".join(texts).lower(), labels, names)


def _take_apart(key: str, part: Any, holder: Mapping[str, Any], leaving: list[Any], staying: list[Any]) -> None:
    """Tell apart what of a part of a resource leaves and what stays, as `gateway.redaction` rebuilds it."""
    if key == "extension" and isinstance(part, list):
        within = "" if "resourceType" in holder else str(holder.get("url", ""))
        for one in part:
            leaves = isinstance(one, dict) and is_understood(str(one.get("url", "")), within)
            (leaving if leaves else staying).append([one])
    elif key != "meta":
        staying.append(part)


def _readable(key: str, text: str, holder: Mapping[str, Any]) -> str:
    if key == "div":
        return html.unescape(text)
    if not str(holder.get("contentType")).startswith("text/"):
        return ""
    try:
        return html.unescape(base64.b64decode(text).decode(errors="replace"))
    except ValueError:
        return ""


def _read_texts(text: str, labels: set[Label], names: tuple[str, ...]) -> bool:
    """Add the labels that words call for, and say whether one of `names` stands there."""
    words = set(_WORD.findall(text))
    for label, vocabulary in WORDS.items():
        if label not in labels and (
            not vocabulary.isdisjoint(words) or any(phrase in text for phrase in PHRASES[label])
        ):
            labels.add(label)
    return any(name in text for name in names)
