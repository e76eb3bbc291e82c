"""One consent as staff see it: everything that stands on it, whose it is, and what else the person has said.

A second person compares it with the paper, so nothing of what was written down may be missing here. What else counts
stands beside it, because who takes one consent back has not taken back the others (42 CFR 2.31(a)(6)).
"""

from gateway.flow.consents.states import IN_FORCE, is_early
from gateway.flow.consents.terms import read_directive
from gateway.flow.consents.views import lines_of, may_see, patient_in
from gateway.flow.house import House
from gateway.flow.people import person_of
from gateway.formats.consent_paper import written_down
from gateway.model.audit import AuditEntry
from gateway.model.consent_life import ConsentPage
from gateway.model.handoff import Resource
from gateway.model.staff import Member
from gateway.ports import StoredResource, Transaction

_STILL_COUNTS = IN_FORCE | {"refusal", "false"}


def consent_page(house: House, actor: Member, consent_id: str) -> ConsentPage | None:
    """Return one consent with everything on it; None where there is none to show. The look is a row of the trail."""

    def look(tx: Transaction) -> ConsentPage | None:
        stored = tx.resources.get("Consent", consent_id)
        is_shown = stored is not None and may_see(house, actor, read_directive(house, stored.body))
        tx.audit.append(AuditEntry(house.clock(), "consents.viewed", actor.id, {"lines": int(is_shown)}))
        return _page(house, tx, actor, stored) if stored is not None and is_shown else None

    return house.database.write(look)


def _page(house: House, tx: Transaction, actor: Member, stored: StoredResource) -> ConsentPage:
    of_person = tx.resources.of_person(["Consent"], stored.person_id) if stored.person_id else []
    (line,) = lines_of(house, tx, actor, [stored])
    directive = read_directive(house, stored.body)
    beside = (one for one in reversed(of_person) if one.body["id"] != line.consent_id)
    return ConsentPage(
        line=line,
        person=_named(tx, stored.body),
        written=written_down(stored.body, house.wordings["en"]),
        others=tuple(one for one in lines_of(house, tx, actor, beside) if one.state in _STILL_COUNTS),
        record=_newest_record(house, tx, actor, stored.person_id),
        revocable_from=directive.revocable_from if is_early(directive, house.clock()) else None,
    )


def _named(tx: Transaction, consent: Resource) -> str:
    """Name the person as the record that the consent points to does: the index has learned from other programs too."""
    reference = str(consent.get("patient", {}).get("reference", ""))
    patient = tx.resources.get("Patient", reference.removeprefix("Patient/"))
    if patient is None:
        return ""
    person = person_of(patient.body)
    born = f"born {person.birth_date}" if person.birth_date else ""
    return ", ".join(part for part in (f"{person.given} {person.family}".strip(), born) if part)


def _newest_record(house: House, tx: Transaction, actor: Member, person_id: str | None) -> str | None:
    records = reversed(tx.handoffs.of_person(person_id)) if person_id else iter(())
    return next((one.id for one in records if patient_in(house, tx, actor, one) is not None), None)
