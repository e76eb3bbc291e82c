"""The exact text of a consent form for what was chosen on it, in the person's language, and its hash.

The text is what a person reads before signing and what the PDF prints: one list of lines for both.
"""

import hashlib
from collections.abc import Iterator
from datetime import date

from gateway.formats.consent_paper.statements import needed_statements
from gateway.model.consent_form import ConsentForm, FormText, Line, Wording
from gateway.model.partner import Registry


def form_text(form: ConsentForm, wording: Wording, registry: Registry, name: str, born: str | None) -> FormText:
    """Write the text of a form that is filled in but not signed.

    `name` and `born` (as written in the index, None: not known) are the person's; organizations are named as the
    registry names them.
    """
    writer = _Writer(form, wording, registry)
    lines = tuple(writer.refusal(name, born) if form.outcome == "refused" else writer.consent(name, born))
    title = wording.texts["title.refused" if form.outcome == "refused" else f"title.{form.kind}"]
    return FormText(title, wording.language, wording.edition, lines, _digest(title, wording, lines))


def written_day(day: date) -> str:
    """Write a day so that no language reads it wrong: 2026-12-31."""
    return day.isoformat()


def _digest(title: str, wording: Wording, lines: tuple[Line, ...]) -> str:
    words = [wording.language, wording.edition.isoformat(), title]
    for line in lines:
        words += [line.heading, *line.paragraphs]
    return hashlib.sha256("\n".join(words).encode()).hexdigest()


class _Writer:
    """Writes the lines of one form."""

    def __init__(self, form: ConsentForm, wording: Wording, registry: Registry) -> None:
        self._form = form
        self._texts = wording.texts
        self._fill = wording.fill
        self._registry = registry

    def consent(self, name: str, born: str | None) -> Iterator[Line]:
        """Write a consent, in the order of 42 CFR 2.31(a)."""
        form = self._form
        needed = needed_statements(form, self._registry)
        yield self._line("about", self._texts[f"about.{form.kind}"])
        yield from self._who_and_whose(name, born)
        yield self._line("information", *self._information())
        yield self._line("recipients", *self._recipients())
        if "ce-redisclosure-statement" in needed:
            yield self._statement("ce-redisclosure-statement")
        yield self._line("purposes", *self._purposes())
        if "fundraising-opt-out" in needed:
            chosen = self._texts["fundraising.yes" if form.wants_fundraising else "fundraising.no"]
            yield self._statement("fundraising-opt-out", chosen)
        yield from self._condition()
        yield self._line("revocation-right", *self._revocation())
        yield self._line("expiry", self._expiry())
        for one in ("tpo-redisclosure-warning", "refusal-consequences"):
            if one in needed:
                yield self._statement(one)
        yield from self._supersedes()

    def refusal(self, name: str, born: str | None) -> Iterator[Line]:
        """Write a no."""
        named = self._form.recipients.named
        texts = {"programs": self._names(self._form.disclosers), "names": self._names(named)}
        yield self._line("about", self._texts["about.refused"])
        yield from self._who_and_whose(name, born)
        yield self._line("refused", self._fill("refused.body" if named else "refused.everybody", **texts))
        yield from self._supersedes()

    def _who_and_whose(self, name: str, born: str | None) -> Iterator[Line]:
        yield self._line("patient", self._fill("patient.body", name=name, born=born or self._unknown_birth))
        if self._form.outcome == "agreed":
            yield self._line("disclosers", self._fill("disclosers.body", names=self._names(self._form.disclosers)))

    @property
    def _unknown_birth(self) -> str:
        return self._texts["patient.unknown-birth"]

    def _information(self) -> Iterator[str]:
        if self._form.kind == "counseling-notes":
            yield self._texts["information.counseling-notes"]
        for kind in self._form.information:
            yield self._texts[f"information.{kind}"]
        yield self._texts["information.identity"]

    def _recipients(self) -> Iterator[str]:
        to = self._form.recipients
        if to.named:
            yield self._fill("recipients.named", names=self._names(to.named))
        if to.treating_class:
            yield self._texts["recipients.class"]
        if to.intermediary:
            key = "recipients.intermediary" if to.participants else "recipients.intermediary-treating"
            yield self._fill(key, name=self._names((to.intermediary,)), participants=self._names(to.participants))
            yield self._texts["recipients.list"]

    def _purposes(self) -> Iterator[str]:
        for purpose in self._form.purposes:
            yield self._texts[f"purpose.{purpose}"]
        if self._form.proceeding:
            yield self._fill("proceeding.body", text=self._form.proceeding)

    def _condition(self) -> Iterator[Line]:
        bound = self._form.criminal_justice
        if bound is not None:
            yield self._line("condition", self._texts[f"condition.{bound.condition_of}"], self._texts["condition.use"])

    def _revocation(self) -> Iterator[str]:
        bound = self._form.criminal_justice
        if bound is None or bound.revocable_from is None:
            yield self._texts["statement.revocation-right"]
            return
        yield self._fill("revocation.from", date=written_day(bound.revocable_from))
        if bound.revocable_event:
            yield self._fill("revocation.event", text=bound.revocable_event)

    def _expiry(self) -> str:
        on, event = self._form.expiry.on, self._form.expiry.event
        if on is not None:
            return self._fill("expiry.on", date=written_day(on))
        return self._texts[f"expiry.{event}"] if event else ""

    def _supersedes(self) -> Iterator[Line]:
        if self._form.supersedes:
            yield self._line("supersedes", self._fill("supersedes.body", count=str(len(self._form.supersedes))))

    def _statement(self, name: str, *more: str) -> Line:
        return self._line(name, self._texts[f"statement.{name}"], *more)

    def _line(self, key: str, *paragraphs: str) -> Line:
        return Line(key, self._texts[f"heading.{key}"], tuple(paragraphs))

    def _names(self, ids: tuple[str, ...]) -> str:
        names = [one.name for one in map(self._registry.get, ids) if one is not None]
        if len(names) < 2:
            return "".join(names)
        return ", ".join(names[:-1]) + self._texts["and"] + names[-1]
