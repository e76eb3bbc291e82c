"""Every reason for which something is withheld, in plain words: what it means, and what would change it.

For the staff of the program the record comes from, and nobody else: to an outsider a refusal says nothing at all.
A test holds this table to the vocabulary of `gateway.consent.reasons`.
"""

from collections.abc import Mapping
from typing import NamedTuple


class InWords(NamedTuple):
    """One reason: `means` says why it was withheld, `change` what somebody could do about it."""

    means: str
    change: str


_NEW_FORM = "Have the person sign a new consent with this element; the consent page asks for each."

WORDS: Mapping[str, InWords] = {
    "NO_CONSENT": InWords(
        "There is no consent of the person that covers this recipient.", "Ask the person for a consent."
    ),
    "CONSENT_NOT_ACTIVE": InWords(
        "The consent on file is not in force: it has ended, was replaced, was never completed, or is an error.",
        "Its page says which; ask the person for a new one.",
    ),
    "CONSENT_REVOKED": InWords("The person took the consent back.", "Only a new consent of the person."),
    "CONSENT_EXPIRED": InWords("The consent has ended.", "Ask the person whether they renew it."),
    "CONSENT_NOT_YET_EFFECTIVE": InWords(
        "The consent begins later, or was not yet signed.", "Wait until it begins; nothing else has to be done."
    ),
    "CONSENT_FALSE": InWords(
        "The consent is reported as false, or should have been known to be.",
        "Settle the report; then ask the person for a new consent.",
    ),
    "CONSENT_UNVERIFIED": InWords(
        "Nobody has verified the consent: it came from another system, was taken back in speech only, or was signed "
        "for a minor who is of age now.",
        "Verify it with the person, or ask for it in writing.",
    ),
    "CONSENT_DEFICIENT": InWords(
        "The form is an old edition or a general authorization: it is not enough for these records.",
        "Have the person sign the current form.",
    ),
    "CONSENT_DEFICIENT:EL_PATIENT": InWords("The consent does not name the person.", _NEW_FORM),
    "CONSENT_DEFICIENT:EL_DISCLOSER": InWords("The consent does not say who may disclose.", _NEW_FORM),
    "CONSENT_DEFICIENT:EL_INFO": InWords("The consent does not say which information it covers.", _NEW_FORM),
    "CONSENT_DEFICIENT:EL_RECIPIENT": InWords("The consent does not name who may receive.", _NEW_FORM),
    "CONSENT_DEFICIENT:EL_INTERMEDIARY": InWords(
        "The consent names an intermediary, but not whom it may pass records to.", _NEW_FORM
    ),
    "CONSENT_DEFICIENT:EL_CE_STATEMENT": InWords(
        "The consent does not state that a covered entity may redisclose under HIPAA, except in proceedings.", _NEW_FORM
    ),
    "CONSENT_DEFICIENT:EL_PURPOSE": InWords("The consent states no purpose.", _NEW_FORM),
    "CONSENT_DEFICIENT:EL_REVOCATION": InWords(
        "The consent does not state the right to take it back, or when it becomes revocable.", _NEW_FORM
    ),
    "CONSENT_DEFICIENT:EL_EXPIRY": InWords("The consent states no day or event on which it ends.", _NEW_FORM),
    "CONSENT_DEFICIENT:EL_SIGNATURE": InWords(
        "A signature is missing, or whoever signed could not sign for this person.", _NEW_FORM
    ),
    "CONSENT_DEFICIENT:EL_DATE": InWords("The consent is not dated, or dated later than now.", _NEW_FORM),
    "CONSENT_DEFICIENT:EL_TPO_STATEMENTS": InWords(
        "For treatment, payment and operations the consent must warn of redisclosure and say what a refusal means.",
        _NEW_FORM,
    ),
    "COMBINED_NOTES": InWords(
        "A consent for counseling notes was combined with another one.", "Have the two signed apart."
    ),
    "NOTES_NO_SPECIFIC": InWords(
        "These are counseling notes: they need a consent of their own.", "Ask for a consent to the notes alone."
    ),
    "COMBINED_PROCEEDING": InWords(
        "A consent for a legal proceeding was combined with another one.", "Have the two signed apart."
    ),
    "PROCEEDING_NO_SPECIFIC": InWords(
        "It is asked for a legal proceeding, and no consent for that proceeding stands alone.",
        "A consent for that proceeding alone, or a court order: ask legal review.",
    ),
    "PATIENT_MISMATCH": InWords(
        "The item, or the consent, is about somebody else.", "Find out whose it is; do not send it by other means."
    ),
    "PATIENT_UNKNOWN": InWords("The person asked about is not known here.", "Register the person's number."),
    "PATIENT_AMBIGUOUS": InWords(
        "More than one person could be meant.", "Decide on the record's page whether they are one person."
    ),
    "DISCLOSER_NOT_NAMED": InWords(
        "The consent lets others disclose, not the program this comes from.", "Ask for a consent that names it."
    ),
    "RECIPIENT_NOT_NAMED": InWords(
        "The consent names other recipients than this one.", "Ask for a consent that names the recipient."
    ),
    "RECIPIENT_NOT_TREATING": InWords(
        "The consent covers those who treat the person; nothing shows that this recipient does.",
        "Have the recipient show it: an open encounter, a care team, an accepted referral.",
    ),
    "IDENTITY_MISMATCH": InWords(
        "Whoever asked is not who their credential says.", "Check the client's registration; this may be an incident."
    ),
    "ENDPOINT_UNVERIFIED": InWords(
        "Nobody has verified that the address is the recipient's.",
        "Verify the endpoint and write the day into partners/; then decide again.",
    ),
    "PURPOSE_MISSING": InWords("The request states no purpose.", "State the purpose with the route or the client."),
    "PURPOSE_NOT_COVERED": InWords(
        "The consent covers other purposes than this one.", "Ask for a consent that names the purpose."
    ),
    "SCOPE_NOT_COVERED": InWords(
        "The consent covers other information than this.", "Ask for a consent that names this kind of information."
    ),
    "EXPLICIT_DENY": InWords(
        "The person refused this, and a refusal beats every permission.", "Only the person can take the refusal back."
    ),
    "RESTRICTION_AGREED": InWords(
        "The program agreed with the person not to share this.", "Talk to the person; the agreement is theirs to end."
    ),
    "RESTRICTION_SELF_PAY": InWords(
        "The person paid for this themselves and asked that their health plan not have it.", "Nothing: it binds."
    ),
    "MIN_NECESSARY": InWords(
        "The purpose does not need this item, or it has more in it than the purpose needs.",
        "Nothing, if the purpose is right.",
    ),
    "LE_NO_BASIS": InWords(
        "Law enforcement asked, and nothing lets it have this.",
        "A consent that names the department and the information, or a court order: ask legal review.",
    ),
    "SUBPOENA_ALONE": InWords(
        "There is a demand, but no court order under part 2: a subpoena or warrant alone does not do.",
        "Legal review answers it; a court has to make an order.",
    ),
    "ORDER_DEFICIENT": InWords(
        "The order is not in force, has expired, or has no findings.", "Legal review reads the order again."
    ),
    "ORDER_SCOPE": InWords(
        "The order does not open this item, or is to another holder or recipient.",
        "Nothing beyond the order goes; only the court can widen it.",
    ),
    "ORDER_NOT_COMPULSORY": InWords(
        "There is an order, but no subpoena or warrant that compels.", "Legal review waits for the process."
    ),
    "CJ_NOT_ELIGIBLE": InWords(
        "The consent is of the criminal justice kind, but treatment is no condition of disposition, parole or release "
        "here, or the recipient does not monitor it.",
        "An ordinary consent that names the recipient.",
    ),
    "REDISCLOSURE_BARRED": InWords(
        "Whoever holds this copy may not pass it on in this way.", "A consent that lets the holder disclose."
    ),
    "REGISTRY_USE_BARRED": InWords(
        "A central registry's copy serves to prevent double enrollment and nothing else.", "A court order."
    ),
    "EMERGENCY_NOT_MEDICAL_PERSONNEL": InWords(
        "An emergency opens records to medical personnel only.", "Name the hospital or ambulance service that treats."
    ),
    "EMERGENCY_CONSENT_OBTAINABLE": InWords(
        "The person's consent could be had, so the emergency rule does not apply.", "Ask the person."
    ),
    "EMERGENCY_UNDOCUMENTED": InWords(
        "One of the four facts of the emergency is missing.", "Break the glass again with all four."
    ),
    "EMERGENCY_OVER": InWords(
        "The emergency was stated for a time that lies longer back than this site lets one last.",
        "Ask the person; where the emergency goes on, break the glass again with the time of now.",
    ),
    "RESEARCH_NO_APPROVAL": InWords(
        "No approval of this study with this program is registered and in force.", "Register it with the recipient."
    ),
    "AUDIT_NO_AGREEMENT": InWords(
        "No audit agreement with the undertakings of the rule is registered and in force.",
        "Register it with the recipient.",
    ),
    "QSOA_NOT_IN_FORCE": InWords(
        "No service agreement between the recipient and the program is in force.", "Register or renew the agreement."
    ),
    "NOT_DEIDENTIFIED": InWords(
        "Something in it could identify a person.", "Remove it, or raise the size of the smallest count."
    ),
    "STATE_MH": InWords(
        "State law protects this mental health information from law enforcement.", "Ask legal review."
    ),
    "STATE_LAW": InWords("A state law stricter than part 2 keeps this from the recipient.", "Ask legal review."),
    "CJI_BARRED": InWords(
        "It is criminal justice information, which never leaves as a health record.", "Nothing: it binds."
    ),
    "ORIGIN_UNKNOWN": InWords(
        "Nobody knows who wrote it: its author is not in the registry.",
        "Register the author in partners/; then decide again.",
    ),
    "OTHER_LAW_38USC7332": InWords(
        "It comes from the Department of Veterans Affairs, whose own law governs.", "Ask legal review."
    ),
    "UNSEGMENTABLE": InWords(
        "What may go cannot be taken apart from what may not, as in a scan.", "Have the source send the parts apart."
    ),
    "UNPARSEABLE": InWords(
        "A consent of the person cannot be read safely, and it might be a refusal.", "Correct or replace that consent."
    ),
    "LABEL_DOWNGRADE": InWords(
        "It carries a security label that nobody here understands, and passing it on would drop that protection.",
        "Ask the source what its label means, and have it registered.",
    ),
    "NOTICE_UNATTACHABLE": InWords(
        "The recipient's system cannot take the notice that must travel along.",
        "Agree with the recipient on where the notice goes, or send another way.",
    ),
    "CONSENT_SOURCE_UNAVAILABLE": InWords(
        "A source of consents could not be asked, and a refusal might be there.", "It is decided again once it answers."
    ),
    "AUDIT_UNAVAILABLE": InWords(
        "The audit store could not be written, and nothing leaves unlogged.", "It is decided again once it works."
    ),
}  # fmt: skip
"""Reason -> its words."""

_UNKNOWN = InWords("The rules withheld it.", "Ask whoever runs this gateway.")


def in_words(reason: str) -> InWords:
    """Return a reason in words; a reason of a newer version than this table gets words that promise nothing."""
    return WORDS.get(reason, _UNKNOWN)
