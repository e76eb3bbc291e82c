"""The desk of the console where consents are taken, compared, looked after and taken back."""

from collections.abc import Mapping, Sequence

from gateway.flow.consents import ends, restrictions, staff_work, taking, views
from gateway.flow.consents.choices import form_choices
from gateway.flow.consents.page import consent_page, form_again
from gateway.flow.house import House
from gateway.flow.staff.people import find_to_ask
from gateway.model.caveat import Restrictions, Wish
from gateway.model.consent_form import Captured, ConsentForm, FormRefused, FormText, Paper, Scan
from gateway.model.consent_life import ConsentList, ConsentPage, FormChoices, Revoking
from gateway.model.exchange import Problem
from gateway.model.handoff import FoundPerson
from gateway.model.staff import Member


class ConsentDesk:
    """Each method tells one story in its house. What is not there and what is not theirs is refused alike."""

    def __init__(self, house: House) -> None:
        self._house = house

    @property
    def languages(self) -> tuple[str, ...]:
        """Codes of the languages the form is offered in."""
        return tuple(sorted(self._house.wordings))

    def choices(self, language: str) -> FormChoices:
        """Return everything a form can be filled in with, in the words of a language (English where it has none)."""
        return form_choices(self._house, language)

    def text(self, actor: Member, form: ConsentForm) -> FormText | FormRefused:
        """Return the exact text of a form for its person to read before signing; its `digest` goes with each signature.

        `form` may be incomplete: the text shows what is chosen so far.
        """
        return taking.consent_text(self._house, actor, form)

    def shortcomings(self, actor: Member, form: ConsentForm) -> FormRefused | None:
        """Return everything that a form still lacks but its signature; None where it can be signed."""
        return taking.before_signing(self._house, actor, form)

    def blank(self, actor: Member, form: ConsentForm) -> Paper | FormRefused:
        """Print a form to be signed on paper."""
        return taking.blank_paper(self._house, actor, form)

    def capture(self, actor: Member, form: ConsentForm) -> Captured | FormRefused:
        """Keep a form that was signed, or declined, before this member of staff; it counts at once."""
        return taking.capture_consent(self._house, actor, form)

    def file_scan(self, actor: Member, form: ConsentForm, scan: Scan) -> Captured | FormRefused:
        """Keep a form signed on paper with its scan; it counts once a second member of staff has verified it."""
        return taking.file_scan(self._house, actor, form, scan)

    def revoke(self, actor: Member, consent_id: str, revoking: Revoking) -> Problem | None:
        """Write down that the person takes a consent back; None = done, and committed."""
        return staff_work.revoke_consent(self._house, actor, consent_id, revoking)

    def verify(self, actor: Member, consent_id: str, how: str) -> Problem | None:
        """Confirm a consent that waits; `how` says with what it was compared. Never by who filed it."""
        return staff_work.verify_consent(self._house, actor, consent_id, how)

    def reject(self, actor: Member, consent_id: str, reason: str) -> Problem | None:
        """Mark a consent that waits as entered in error."""
        return staff_work.reject_consent(self._house, actor, consent_id, reason)

    def settle_end(self, actor: Member, consent_id: str, why: str, *, has_come: bool) -> Problem | None:
        """Write down whether the event that a consent ends with has come; None = done."""
        return ends.settle_end(self._house, actor, consent_id, why, has_come=has_come)

    def report_false(self, actor: Member, consent_id: str, why: str) -> Problem | None:
        """Write down that a consent is known to be false; None = done, and nothing leaves on it any more."""
        return restrictions.report_false(self._house, actor, consent_id, why)

    def take_report_back(self, actor: Member, consent_id: str, why: str) -> Problem | None:
        """Take back the report that a consent is false. Never by who reported it."""
        return restrictions.take_report_back(self._house, actor, consent_id, why)

    def restrictions(self, actor: Member, handoff_id: str) -> Restrictions | None:
        """Return the restrictions of the person of a record; None where there is no such record."""
        return restrictions.restrictions_of_record(self._house, actor, handoff_id)

    def agree_restriction(self, actor: Member, handoff_id: str, wish: Wish) -> Problem | None:
        """Write down a restriction that was agreed with the person of a record; None = done, and committed."""
        return restrictions.agree_restriction(self._house, actor, handoff_id, wish)

    def end_restriction(self, actor: Member, caveat_id: str, how: str) -> Problem | None:
        """End a restriction because the person asked or agreed to; what it stopped is decided again."""
        return restrictions.end_restriction(self._house, actor, caveat_id, how)

    def waiting(self, actor: Member) -> ConsentList:
        """Return the consents that wait for their verification, the longest wait first."""
        return views.consents_waiting(self._house, actor)

    def ending(self, actor: Member) -> ConsentList:
        """Return the consents that end soon, the earliest first, with the referrals that would stop."""
        return views.consents_ending(self._house, actor)

    def page(self, actor: Member, consent_id: str) -> ConsentPage | None:
        """Return one consent with everything that stands on it; None where there is none to show."""
        return consent_page(self._house, actor, consent_id)

    def form_again(self, actor: Member, consent_id: str) -> ConsentForm | None:
        """Return a form filled in as a consent was, but for its end; None where there is none to show."""
        return form_again(self._house, actor, consent_id)

    def words(self, language: str) -> Mapping[str, str]:
        """Return the words of the form in a language it is offered in."""
        return self._house.wordings[language].texts

    def find(self, actor: Member, family: str, given: str, birth_date: str) -> Sequence[FoundPerson]:
        """Return who of this whole name and birth date a consent can be taken from here, each with a record."""
        return find_to_ask(self._house, actor, family, given, birth_date)

    def of_record(self, actor: Member, handoff_id: str) -> ConsentList | None:
        """Return the consents of the person of a record, the newest first; None where there is nobody in it."""
        return views.consents_of_record(self._house, actor, handoff_id)

    def patient_of_record(self, actor: Member, handoff_id: str) -> str | None:
        """Return the id of the Patient of a record, to begin a form with; None where the record is of nobody."""
        return views.patient_of_record(self._house, actor, handoff_id)

    def paper(self, actor: Member, consent_id: str) -> Paper | None:
        """Return the signed form or its scan: the patient's copy, and what a verification compares."""
        return views.consent_paper(self._house, actor, consent_id)
