"""Incidents of a NIEM 6 exchange: one message with several incidents would be rare, so each is a message of its own."""

from dataclasses import dataclass
from xml.sax.saxutils import escape

from gateway.demo.samples import people
from gateway.demo.samples.people import Invented

_NAMESPACES = (
    'xmlns:nc="https://docs.oasis-open.org/niemopen/ns/model/niem-core/6.0/" '
    'xmlns:j="https://docs.oasis-open.org/niemopen/ns/model/domains/justice/6.0/" '
    'xmlns:structures="https://docs.oasis-open.org/niemopen/ns/model/structures/6.0/" '
    'xmlns:x="https://police.example/ns/crisis-report/1.0/"'
)
_NIBRS = 'xmlns:nibrs="http://fbi.gov/cjis/nibrs/2019"'


@dataclass(frozen=True, slots=True)
class _Case:
    person: Invented | None
    state_of_mind: str = ""
    service: str = ""
    arrested: bool = False
    weapon: bool = False


def messages() -> dict[str, bytes]:
    """Return the messages by file name."""
    made = {f"niem-incident-{number}.xml": _message(number, case) for number, case in enumerate(_CASES, start=1)}
    return made | {"niem-property-crime.xml": _property_crime(), "niem-truncated.xml": _truncated()}


def _message(number: int, case: _Case) -> bytes:
    incident = f"""
  <nc:Incident>
    {_identified(4400 + number)}
    <nc:ActivityDate><nc:DateTime>2025-11-0{number}T1{number}:20:00-08:00</nc:DateTime></nc:ActivityDate>
    <nc:ActivityDescriptionText>Invented free text.</nc:ActivityDescriptionText>
    <j:IncidentAugmentation>
      <j:IncidentArrestMadeIndicator>{_xml_boolean(case.arrested)}</j:IncidentArrestMadeIndicator>
      <j:IncidentCrisisResponseTeamActivatedIndicator>true</j:IncidentCrisisResponseTeamActivatedIndicator>
      <j:IncidentForceInvolvedIndicator>false</j:IncidentForceInvolvedIndicator>
      <j:IncidentWeaponInvolvedIndicator>{_xml_boolean(case.weapon)}</j:IncidentWeaponInvolvedIndicator>
    </j:IncidentAugmentation>
  </nc:Incident>"""
    person = _person(case.person, number, case.state_of_mind) if case.person else ""
    return _document(incident + person + (_referral(case.service) if case.service else ""))


def _document(content: str, extra: str = "") -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<x:CrisisReport {_NAMESPACES}{extra}>{content}\n"
        "  <j:EnforcementUnit><nc:OrganizationAugmentation><j:OrganizationORIIdentification>"
        "<nc:IdentificationID>WA0990000</nc:IdentificationID></j:OrganizationORIIdentification>"
        "</nc:OrganizationAugmentation></j:EnforcementUnit>\n"
        "</x:CrisisReport>\n"
    ).encode()


def _person(person: Invented, number: int, state_of_mind: str) -> str:
    return f"""
  <nc:Person structures:uri="https://police.example/person/{8800 + number}">
    <nc:PersonBirthDate><nc:Date>{person.born}</nc:Date></nc:PersonBirthDate>
    <nc:PersonMentalStateText>{escape(state_of_mind)}</nc:PersonMentalStateText>
    <nc:PersonName>
      <nc:PersonGivenName>{escape(person.given)}</nc:PersonGivenName>
      <nc:PersonSurName>{escape(person.family)}</nc:PersonSurName>
    </nc:PersonName>
    <j:PersonSexCode>{person.sex}</j:PersonSexCode>
  </nc:Person>"""


def _referral(service: str) -> str:
    return f"""
  <nc:Referral>
    <j:ReferralAugmentation>
      <j:ReferralServiceDeliveryProgram><nc:ProgramName>{escape(service)}</nc:ProgramName></j:ReferralServiceDeliveryProgram>
    </j:ReferralAugmentation>
  </nc:Referral>"""


def _property_crime() -> bytes:
    """An offense report of the same agency: no encounter, so it is skipped with that reason."""
    return _document(
        f"""
  <nibrs:ReportHeader>
    <nibrs:NIBRSReportCategoryCode>GROUP A INCIDENT REPORT</nibrs:NIBRSReportCategoryCode>
  </nibrs:ReportHeader>
  <nc:Incident>
    {_identified(4499)}
    <nc:ActivityDate><nc:Date>2025-11-06</nc:Date></nc:ActivityDate>
  </nc:Incident>""",
        f" {_NIBRS}",
    )


def _truncated() -> bytes:
    """The first part of a message whose rest was lost on the way: kept, and shown to a person."""
    whole = _message(7, _Case(people.RON, "Mania", "Crisis Clinic"))
    return whole[: len(whole) // 2]


def _identified(report: int) -> str:
    number = f"<nc:IdentificationID>EX-2025-{report}</nc:IdentificationID>"
    return f"<nc:ActivityIdentification>{number}</nc:ActivityIdentification>"


def _xml_boolean(value: bool) -> str:
    return "true" if value else "false"


_CASES = [
    _Case(people.OWEN, "Hopeless/depressed", "Crisis Clinic"),
    _Case(people.PAM, "Mania", "Mobile Crisis Team", weapon=True),
    _Case(people.REX, "Out of touch with reality", "DMHP Referral"),
    _Case(people.SKY, "Seemed far away", arrested=True),
    _Case(None),
]
