"""What a consent form has to tell the person who signs it, for what was chosen on it (42 CFR 2.31(a))."""

from collections.abc import Iterator

from gateway.formats.consent_paper.reader import Reader, short
from gateway.model.consent_form import STATEMENTS, ConsentForm, Shortcoming
from gateway.model.partner import Registry

TPO = frozenset({"treatment", "payment", "operations", "coordination"})
"""Purposes that are treatment, payment or health care operations."""

_MISSING = {
    "revocation-right": ("EL_REVOCATION", "(a)(6)", "The paper does not say that and how it can be taken back."),
    "ce-redisclosure-statement": (
        "EL_CE_STATEMENT", "(a)(4)(iii)", "The paper does not say what covered entities may do with the records.",
    ),
    "tpo-redisclosure-warning": (
        "EL_TPO_STATEMENTS", "(a)(10)(i)", "The paper does not warn that records may be passed on.",
    ),
    "refusal-consequences": (
        "EL_TPO_STATEMENTS", "(a)(10)(ii)", "The paper does not say what follows from not signing.",
    ),
    "fundraising-opt-out": (
        "EL_PURPOSE", "(a)(5)(iii)", "The paper does not offer the choice against fundraising.",
    ),
}  # fmt: skip


def needed_statements(form: ConsentForm, registry: Registry) -> tuple[str, ...]:
    """Name what our own form tells for what was chosen on it, in the order of STATEMENTS.

    It tells of covered entities wherever a purpose is theirs: who is one may change while the consent lasts.
    """
    needed = {"revocation-right"}
    if TPO & set(form.purposes) and form.kind != "criminal-justice-referral":
        needed |= {"ce-redisclosure-statement", "tpo-redisclosure-warning", "refusal-consequences"}
    if any("fundraising" in one.roles for one in map(registry.get, form.recipients.named) if one):
        needed |= {"fundraising-opt-out"}
    return tuple(name for name in STATEMENTS if name in needed)


def unstated(form: ConsentForm, reader: Reader) -> Iterator[Shortcoming]:
    """Ask a paper that is not ours for what it has to tell; ours tells it by itself."""
    if form.statements is None:
        return
    for name in needed_statements(form, reader.registry):
        is_asked = name != "ce-redisclosure-statement" or _reaches_covered_entities(form, reader)
        if is_asked and name not in form.statements:
            yield short(*_MISSING[name])


def _reaches_covered_entities(form: ConsentForm, reader: Reader) -> bool:
    to = form.recipients
    if to.treating_class or to.intermediary:
        return True
    return any(one.is_covered(reader.at) for one in reader.known(to.named))
