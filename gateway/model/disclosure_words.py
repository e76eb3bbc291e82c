"""What a disclosure was, in words for people: the accounting's page and its letter to the patient say the same.

Tables for programs keep the codes. What has no words here is shown as it is.
"""

PURPOSES = {
    "TREAT": "treatment", "ETREAT": "emergency treatment", "COC": "coordination of care", "CAREMGT": "care management",
    "HPAYMT": "payment", "HOPERAT": "health care operations", "HRESCH": "research", "PUBHLTH": "public health",
    "PATRQT": "request of the person", "HLEGAL": "a proceeding",
    "tenancy": "an application for housing", "employment": "work", "monitoring": "watching over a condition",
}  # fmt: skip
"""v3-ActReason, and our own codes for what it has none."""

_WAYS = {
    "fhir": "sent to its system", "hl7v2": "sent to its system", "read": "looked up by it", "search": "looked up by it",
    "consult": "its question answered", "lookup": "its question answered", "release": "released by staff",
    "link": "shown by a link", "document": "sent as a document",
}  # fmt: skip

_OCCASIONS = {
    "create of a referral": "a referral", "update of a referral": "a change to a referral",
    "cancel of a referral": "a referral taken back",
}  # fmt: skip

_TYPES = {
    "Appointment": ("appointment", "appointments"),
    "CarePlan": ("care plan", "care plans"),
    "CareTeam": ("care team", "care teams"),
    "Communication": ("notice", "notices"),
    "Condition": ("diagnosis", "diagnoses"),
    "Consent": ("consent", "consents"),
    "DiagnosticReport": ("report", "reports"),
    "DocumentReference": ("document", "documents"),
    "Encounter": ("visit or contact", "visits or contacts"),
    "Flag": ("safety flag", "safety flags"),
    "Goal": ("goal", "goals"),
    "MedicationRequest": ("prescription", "prescriptions"),
    "MedicationStatement": ("medication", "medications"),
    "Observation": ("observation", "observations"),
    "Patient": ("set of personal data", "sets of personal data"),
    "Procedure": ("procedure", "procedures"),
    "ServiceRequest": ("request for a service", "requests for a service"),
    "Task": ("referral", "referrals"),
}
"""FHIR type -> one of them, several."""


def purpose_words(codes: str) -> str:
    """Return purposes (codes with blanks between them) in words."""
    return ", ".join(PURPOSES.get(code, code) for code in codes.split())


def way_words(transport: str) -> str:
    """Return how a disclosure reached its recipient, in words."""
    return _WAYS.get(transport, transport)


def occasion_words(occasion: str) -> str:
    """Return on what occasion it was made, in words; who looked is named as before."""
    return _OCCASIONS.get(occasion, occasion)


def content_words(content: str) -> str:
    """Return "1 CarePlan, 2 Goal" as "1 care plan, 2 goals"."""
    return ", ".join(_counted(*one.split(" ", 1)) for one in content.split(", ")) if content else ""


def type_words(kind: str) -> str:
    """Return a FHIR type as several of it are called."""
    return _TYPES.get(kind, (kind, kind))[1]


def _counted(number: str, kind: str) -> str:
    one, several = _TYPES.get(kind, (kind, kind))
    return f"{number} {one if number == '1' else several}"
