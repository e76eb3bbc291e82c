"""Read state law: the files the product ships, and an installation's own in `law/` beside its `partners/`.

A state is added by a file, never by code. A site's file about a state adds to the shipped one and cannot take
anything from it: each rule by itself keeps data back.
"""

import hashlib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from gateway.catalog.documents import Document, read_document, schema_of
from gateway.model.errors import ConfigurationError
from gateway.model.labels import ACT_CODE
from gateway.model.partner import ROLES
from gateway.model.request import ACT_REASON
from gateway.model.state_law import EVERYBODY, Allowance, StateLaw, StateRule

_HERE = Path(__file__).parent
_SCHEMA = schema_of("state_law")


@cache
def shipped_state_law() -> StateLaw:
    """Return the law of every state the product ships a file for."""
    return _read(_HERE / "law")


def read_state_law(folder: Path) -> StateLaw:
    """Return the shipped law and that of `folder` (`*.yaml`, one state a file), where there is such a folder.

    Raises ConfigurationError for a file that differs from state_law.schema.json or names a role nobody can have.
    """
    return shipped_state_law() + (_read(folder) if folder.is_dir() else ())


def law_digest(law: StateLaw) -> bytes:
    """Return what identifies a law, whatever the order its sets are kept in."""
    return hashlib.sha256(orjson.dumps([_plain(rule) for rule in law], option=orjson.OPT_SORT_KEYS)).digest()


def _plain(value: Any) -> Any:
    if isinstance(value, StateRule | Allowance):
        return {name: _plain(getattr(value, name)) for name in value.__slots__}
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, frozenset):
        return sorted(_plain(one) for one in value)
    return [_plain(one) for one in value] if isinstance(value, tuple) else value


def _read(folder: Path) -> StateLaw:
    documents = [read_document(path, _SCHEMA) for path in sorted(folder.glob("*.yaml"))]
    problems = [problem for document in documents for problem in _unknown_roles(document)]
    if problems:
        raise ConfigurationError("\n".join(problems))
    return tuple(rule for document in documents for rule in _rules(document.content))


def _unknown_roles(document: Document) -> Iterator[str]:
    for number, rule in enumerate(document.content["rules"]):
        named = {*rule.get("author_roles", ()), *rule["recipient_roles"]}
        named |= {one["recipient_role"] for one in rule.get("allow", ())}
        for role in sorted(named - ROLES - {EVERYBODY}):
            yield f"{document.where(('rules', number))}: {role}: expected a role of partner files, or {EVERYBODY}"


def _rules(content: Mapping[str, Any]) -> Iterator[StateRule]:
    for rule in content["rules"]:
        yield StateRule(
            state=content["state"],
            data_class=rule["data_class"],
            author_roles=frozenset(rule.get("author_roles", ())),
            labels=frozenset((ACT_CODE, code) for code in rule.get("labels", ())),
            recipient_roles=frozenset(rule["recipient_roles"]),
            reason=rule.get("reason", "STATE_LAW"),
            citation=rule["citation"],
            allowed=tuple(map(_allowance, rule.get("allow", ()))),
        )


def _allowance(stated: Mapping[str, Any]) -> Allowance:
    return Allowance(
        recipient_role=stated["recipient_role"],
        purposes=frozenset(map(_purpose, stated["purposes"])),
        minor=stated.get("minor"),
        elements={
            kind: None if elements == "all" else frozenset(elements) for kind, elements in stated["elements"].items()
        },
    )


def _purpose(text: str) -> tuple[str, str]:
    system, bar, code = text.rpartition("|")
    return (system, code) if bar else (ACT_REASON, text)
