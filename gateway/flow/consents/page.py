"""One consent as staff see it: everything that stands on it, whose it is, and what else the person has said.

A second person compares it with the paper, so nothing of what was written down may be missing here. What else counts
stands beside it, because who takes one consent back has not taken back the others (42 CFR 2.31(a)(6)).
"""

from collections.abc import Iterable
from dataclasses import replace

from gateway.flow.consents.states import IN_FORCE, is_early
from gateway.flow.consents.terms import read_directive
from gateway.flow.consents.views import lines_of, may_see, patient_in
from gateway.flow.house import House
from gateway.flow.people import person_of
from gateway.formats.consent_paper import chosen_on, written_down
from gateway.model.audit import AuditEntry
from gateway.model.consent_directive import Directive, Party
from gateway.model.consent_form import ConsentForm, Recipients
from gateway.model.consent_life import ConsentPage
from gateway.model.handoff import Resource
from gateway.model.staff import Member
from gateway.ports import StoredResource, Transaction

_STILL_COUNTS = IN_FORCE | {"refusal", "false"}


def consent_page(house: House, actor: Member, consent_id: str) -> ConsentPage | None:
    """Return one consent with everything on it; None where there is none to show."""

    def look(tx: Transaction) -> ConsentPage | None:
        stored = _shown(house, tx, actor, consent_id)
        return _page(house, tx, actor, stored) if stored is not None else None

    return house.database.write(look)


def form_again(house: House, actor: Member, consent_id: str) -> ConsentForm | None:
    """Return a form filled in as a consent was, to be gone through with the person; None where there is none to show.

    It replaces that one while it is in force. When it ends is not taken over: that is chosen anew.
    """

    def look(tx: Transaction) -> ConsentForm | None:
        stored = _shown(house, tx, actor, consent_id)
        if stored is None:
            return None
        directive = read_directive(house, stored.body)
        return replace(
            chosen_on(stored.body),
            disclosers=_registered(directive.disclosers),
            recipients=_recipients(directive),
            supersedes=(consent_id,) if stored.body.get("status") == "active" else (),
        )

    return house.database.write(look)


def _shown(house: House, tx: Transaction, actor: Member, consent_id: str) -> StoredResource | None:
    """Return a consent that this member of staff may see; the look is a row of the trail, also where there is none."""
    stored = tx.resources.get("Consent", consent_id)
    is_shown = stored is not None and may_see(house, actor, read_directive(house, stored.body))
    tx.audit.append(AuditEntry(house.clock(), "consents.viewed", actor.id, {"lines": int(is_shown)}))
    return stored if is_shown else None


def _recipients(directive: Directive) -> Recipients:
    direct = [party for grant in directive.grants if len(grant.levels) == 1 for party in grant.parties]
    through = [grant.levels for grant in directive.grants if len(grant.levels) > 1]
    intermediary = next(iter(_registered(through[0][0].recipients)), None) if through else None
    return Recipients(
        named=tuple(one for one in _registered(direct) if one != intermediary),
        treating_class=any(one.recipient_class == "tpo" for one in direct),
        intermediary=intermediary,
        participants=_registered(through[0][-1].recipients) if through else (),
    )


def _registered(parties: Iterable[Party]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.organization for one in parties if one.organization is not None))


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
