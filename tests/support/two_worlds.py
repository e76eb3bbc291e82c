"""One random world twice, with and without what a Part 2 program wrote or received, and all an outsider sees of either.

Used by the proof of non-interference: an observer who may not have the program's part must not be able to tell the
two apart by any byte that leaves.
"""

import re
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, TypeVar

import orjson
from flask.testing import FlaskClient

from gateway.delivery.fhir_push import transaction
from gateway.delivery.mllp_push import MllpPush
from gateway.flow.gateway import Gateway
from gateway.flow.work import work_once
from gateway.model.disclosure import Disclosure
from gateway.model.exchange import Accepted
from gateway.model.handoff import SendResult
from gateway.model.hl7_header import PeerAddress
from gateway.model.partner import Endpoint, LegalClass, Organization, Registry
from gateway.model.route import Route, Transport
from gateway.model.transport import Envelope
from gateway.settings import Client
from gateway.storage.database import open_database
from gateway.storage.message_views import MessageViews
from gateway.storage.staff import StaffAccounts
from gateway.storage.views import ConsoleViews
from gateway.testing import CountingIds, InMemoryDatabase
from gateway.testing.state import State
from gateway.web.app import create_app
from gateway.web.passwords import Passwords
from gateway.web.services import Services
from gateway.web.tokens import issue
from tests.support.flow_house import CONTACT, NOW, World, a_world, csv_of
from tests.support.web_house import TOKEN_KEY

T = TypeVar("T")
Row = dict[str, str]
Seen = tuple[Any, ...]

HOSPITAL = "demo-ehr"
POLICE = "demo-agency"
OFFICE = "demo-lead"
SHARED_DESKS = ("demo-records", "demo-corresponders")
"""Who hands in what an officer and a clinician wrote together, of police and of a provider: no observer, for it knows
what it hands in."""
OFFICES = ("demo-lead", "demo-detox", "demo-unsure", "nobody-registered")
"""Who keeps a case, or sends a clinician: a program, one whose very name tells, one that nobody classified, one that
nobody registered."""

NPI = "http://hl7.org/fhir/sid/us-npi"
PERSON_ID = "https://warmhandoff.example/id/person"
HOSPITAL_NPI, CLINIC_NPI = "9999999001", "9999999019"
PEER = PeerAddress("127.0.0.1", 5000)
EVERYBODY = ("org:demo-pd", "org:demo-corresponders", "org:demo-lead", "org:demo-detox", "org:demo-unsure")
CLIENTS = {
    one.id: one
    for one in (
        Client(
            id=POLICE, organization="org:demo-pd", scopes=("intake", "lookup", "system/Consent.cu"),
            submits_for=EVERYBODY,
        ),
        Client(id=OFFICE, organization="org:demo-lead", scopes=("intake", "system/Consent.cu"), submits_for=EVERYBODY),
        Client(id=SHARED_DESKS[0], organization="org:demo-pd", scopes=("intake",)),
        Client(
            id=SHARED_DESKS[1], organization="org:demo-corresponders", scopes=("intake",), submits_for=("org:demo-pd",)
        ),
        Client(
            id=HOSPITAL, organization="org:demo-hospital", person_role="clinician",
            scopes=("system/*.rs", "system/Task.u", "system/Consent.cu"),
        ),
    )
}  # fmt: skip

_SERVICES = frozenset({"crisis-clinic", "case-management", "sud-treatment", "medical-care", "mental-health-outpatient"})
_FRESH_ID = re.compile(rb"id[a-z2-7]{24}|id[a-z2-7]{18}")
"""What the maker of fresh ids gives, and its beginning in MSH-10: random where it counts, so no ground to tell by."""

PEOPLE: tuple[Row, ...] = (
    {"client_id": "K-1", "last_name": "Sample", "first_name": "Ari", "dob": "1990-01-02", "phone": "360-555-0101"},
    {"client_id": "K-2", "last_name": "Zztest", "first_name": "Bo", "dob": "1971-03-04", "phone": "360-555-0102"},
    {"client_id": "K-3", "last_name": "Mockname", "first_name": "Cy", "dob": "1985-06-07", "phone": "360-555-0103"},
)

_SIGNED = {
    "roi_signed": "Y", "roi_signed_at": "2026-10-20T10:00:00", "roi_form": "part2", "roi_form_edition": "2024-04-16",
    "roi_document": "Release, signed on paper", "roi_scope": "part2_records", "roi_purpose": "treatment",
    "roi_statements": "revocation_right;redisclosure;tpo_warning;refusal_consequences",
    "roi_recipient": HOSPITAL_NPI, "roi_recipient_system": NPI, "roi_expires": "2027-10-20",
}  # fmt: skip
RELEASES: dict[str, Row] = {
    "not asked": {},
    "agreed to be referred": {**_SIGNED, "roi_form": "agreement", "roi_statements": "", "roi_scope": ""},
    "deficient": {**_SIGNED, "roi_statements": "redisclosure;tpo_warning;refusal_consequences"},
    "not signed": {**_SIGNED, "roi_document": ""},
    "expired": {**_SIGNED, "roi_expires": "2026-10-25"},
    "for another": {**_SIGNED, "roi_recipient": CLINIC_NPI},
    "for another purpose": {**_SIGNED, "roi_purpose": "payment"},
    "taken back": {**_SIGNED, "roi_revoked_at": "2026-10-21T10:00:00", "roi_revoked_how": "written"},
}
"""What a person said about the program's records, none of which lets the hospital have them."""

_SAYS_NOTHING_OF_OTHERS = ("not asked", "expired", "for another", "for another purpose", "taken back")
"""Releases that change nothing for what others wrote: neither a yes to the hospital in force nor a no to it."""

GOOD_RELEASE = _SIGNED
"""A consent with every element of 42 CFR 2.31(a), for the hospital."""


@dataclass(frozen=True, slots=True)
class Submission:
    """A record as it is handed in where the program wrote its part, and where it did not (None: not at all)."""

    source: str
    client: str
    full: Row
    bare: Row | None
    more: tuple[Row, ...] = ()
    """Further rows of the record where the program wrote its part."""

    def rows(self, *, has_program_part: bool) -> tuple[Row, ...]:
        """Return the rows that are handed in; none where the record is not."""
        if has_program_part:
            return (self.full, *self.more)
        return (self.bare,) if self.bare is not None else ()


def case(number: int, person: int, office: str, needs: str, goals: str, release: Row) -> Submission:
    """Return a police referral to a case management office, with what the office wrote into the same record.

    All of it is in the office's hands, so nothing of it may reach anybody here. Where the release says something that
    holds for others too (a yes to be referred is the person's, whoever asked), the world without the office's part has
    the record with the release alone.
    """
    row = {
        "referral_id": f"L-{number}", "lead_office": office, "referring_agency": "WA0990000",
        "referral_pathway": "social_contact", "referral_date": "2026-10-20T09:00:00", "sex": "F",
        "status": "enrolled", "needs": "", "goals": "", **PEOPLE[person], **release,
    }  # fmt: skip
    full = {**row, "needs": needs, "goals": goals}
    is_alone = any(release == RELEASES[name] for name in _SAYS_NOTHING_OF_OTHERS)
    return Submission("lead-referral", OFFICE, full, None if is_alone else row)


def mixed_contact(number: int, person: int, office: str, consent: str, issue_: str, needs: str = "") -> Submission:
    """Return a contact that police keep: an officer refers, with what a program's clinician found and asked for.

    The officer's part may go by the person's agreement. Nothing of the clinician's part may, nor that there is one.
    """
    row = {
        **CONTACT, **PEOPLE[person], "contact_id": f"M-{number}", "consent_status": consent,
        "clinician_org": office, "referral_by": "officer", "weapon": "Y", "primary_issue": "",
    }  # fmt: skip
    own_referral = {**row, "referral_by": "clinician", "referral_service": needs}
    full = {**row, "primary_issue": issue_, "suicide": "ideation"}
    more = (own_referral,) if needs else ()
    return Submission("co-responder-contact", SHARED_DESKS[number % 2], full, row, more)


def contact(number: int, person: int, consent: str, issue_: str) -> Submission:
    """Return a contact of police and clinicians who are no program: nothing of it is protected."""
    row = {
        **CONTACT, **PEOPLE[person], "contact_id": f"C-{number}", "consent_status": consent,
        "clinician_org": "demo-corresponders", "primary_issue": issue_,
    }  # fmt: skip
    return Submission("co-responder-contact", POLICE, row, row)


def hidden_contact(number: int, person: int, office: str, issue_: str) -> Submission:
    """Return a contact that a program's clinician refers on: nothing of it may reach anybody here."""
    row = {
        **CONTACT, **PEOPLE[person], "contact_id": f"H-{number}", "consent_status": "", "consent_at": "",
        "clinician_org": office, "primary_issue": issue_,
    }  # fmt: skip
    return Submission("co-responder-contact", OFFICE, row, None)


@dataclass
class WireTransport:
    """A `Transport` that writes what would go on the wire and keeps it."""

    sent: list[tuple[str, bytes]] = field(default_factory=list)

    def send(self, disclosure: Disclosure, endpoint: Endpoint, envelope: Envelope) -> SendResult:
        """Write the message as the real transports do."""
        if endpoint.transport == "fhir":
            message = orjson.dumps(transaction(disclosure.content, envelope))
        else:
            push = MllpPush(1, application="WARMHANDOFF", facility="GATEWAY", processing_id="P")
            message = push._written(disclosure, endpoint, envelope)
        self.sent.append((disclosure.recipient, message))
        return SendResult(code="200", sent=message)


class _Current:
    """Stands for the gateway of the world that is looked at, so that one application serves all of them."""

    def __init__(self) -> None:
        self.gateway: Gateway | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.gateway, name)


class OrderedIds:
    """`ports.NewId` whose ids sort as they were made: sorted by them, things come in the same order in both worlds."""

    def __init__(self) -> None:
        self._inner = CountingIds()

    def __call__(self) -> str:
        """Return the next id; `2` is the digit that stands for nothing."""
        return "id" + self._inner()[2:].replace("a", "2")


@dataclass(frozen=True, slots=True)
class Moment:
    """How a world stood: its store keeps what it held, for every write replaces the whole."""

    state: State
    at: datetime


class TwoWorld:
    """A house in memory with its HTTP doors, and the wire its deliveries go out on.

    One at a time: all of them share the clock of the mappings, which a new one sets back.
    """

    def __init__(self, transport: Transport, has_program_part: bool, message: str = "REF") -> None:
        self._full = has_program_part
        base = _base()
        base.clock.at = NOW
        self.wire = WireTransport()
        self.database = InMemoryDatabase(base.clock)
        self.clock = base.clock
        house = replace(
            base.house,
            database=self.database,
            new_id=OrderedIds(),
            registry=_registry(transport, message),
            routes=(_route(transport),),
            check=lambda resource: [],
            check_foreign=lambda resource: [],
            transports={"fhir": self.wire, "hl7v2": self.wire},
            clients=CLIENTS,
        )
        self.gateway = Gateway(house)

    @property
    def state(self) -> Any:
        """Everything that is stored."""
        return self.database.state

    def moment(self) -> Moment:
        """Remember how everything stands."""
        return Moment(self.state, self.clock.at)

    def return_to(self, moment: Moment) -> None:
        """Have everything as it stood then, with nothing sent yet."""
        self.database.state, self.clock.at = moment.state, moment.at
        self.wire.sent = []

    def references(self) -> list[str]:
        """Return `Type/id` of all that is stored."""
        return sorted(f"{kind}/{key}" for kind, key in self.state.resources)

    def inputs_of(self, client: str) -> list[str]:
        """Return the ids of a client's inputs, oldest first."""
        return [one.id for one in self.state.inputs.values() if one.client == client]

    def numbers(self) -> list[str]:
        """Return the placer number of every referral, and one that nobody gave."""
        return [*sorted(one.identifier for one in self.state.referrals.values()), "nobodys-number"]

    def hand_in(self, submissions: list[Submission]) -> list[str]:
        """Hand in what this world holds of the submissions, do the work, and return the inputs' ids."""
        inputs = []
        for one in submissions:
            rows = one.rows(has_program_part=self._full)
            if rows:
                taken = self.gateway.accept("http", one.source, one.client, "text/csv", csv_of(*rows), None)
                assert isinstance(taken, Accepted)
                inputs.append(taken.input_id)
            self.clock.advance(timedelta(seconds=1))
            self.work()
        return inputs

    def http(
        self,
        client: str,
        method: str,
        path: str,
        body: Any = None,
        if_match: str | None = None,
        media_type: str = "application/fhir+json",
    ) -> Seen:
        """Ask and return everything of the answer but its date and correlation id."""
        headers = {"Content-Type": media_type} if body is not None else {}
        if if_match is not None:
            headers["If-Match"] = if_match
        data = orjson.dumps(body) if body is not None else None
        answer = _browser(self, client).open(path, method=method, headers=headers, data=data)
        kept = sorted((k, v) for k, v in answer.headers if k not in ("Date", "X-Correlation-Id"))
        return answer.status_code, kept, answer.data

    def message(self, content: bytes) -> Seen:
        """Send an HL7v2 message and return its acknowledgement."""
        answer = self.gateway.accept_message(content, PEER)
        self.work()
        return (answer,)

    def work(self) -> None:
        """Do the work there is."""
        while work_once(self.gateway.house, "test"):
            pass


def without_fresh_ids(seen: list[Seen]) -> bytes:
    """Write down what was seen with every fresh (random) id replaced by the order in which it first came."""
    text = repr(seen).encode()
    order: dict[bytes, bytes] = {}
    return _FRESH_ID.sub(lambda found: order.setdefault(found[0][:20], b"<%d>" % len(order)), text)


def an_answer(referral: str, status: str, number: int) -> bytes:
    """Return an RRI of the hospital for a referral number."""
    return (
        f"MSH|^~\\&|DEMO_EHR|DEMO_HOSPITAL|WARMHANDOFF|GATEWAY|20261102110000-0800||RRI^I12|R{number}|P|2.5.1\r"
        f"RF1|{status}|||||{referral}^WARMHANDOFF|||20261102110000-0800||H-77\rPRD|RT|Welcome^Nora\r"
        "PID|1||M-1^^^HOSPITAL^MR||Sample^Ari||19900102|F\r"
    ).encode()


def an_admission(person: int, number: int) -> bytes:
    """Return an ADT^A01 of a person by name."""
    who = PEOPLE[person]
    return (
        f"MSH|^~\\&|DEMO_EHR|DEMO_HOSPITAL|WARMHANDOFF|GATEWAY|20261102120000-0800||ADT^A01|A{number}|P|2.5.1\r"
        f"EVN|A01|20261102120000-0800\rPID|1||M-1^^^HOSPITAL^MR||{who['last_name']}^{who['first_name']}||"
        f"{who['dob'].replace('-', '')}|F\rPV1|1|E|ED^^^HOSPITAL||||||||||||||||V-1\r"
    ).encode()


@cache
def _base() -> World:
    return a_world()


@cache
def _registry(transport: Transport, message: str) -> Registry:
    starter = _base().house.registry
    known = {one.id: one for one in starter}
    office = known["org:demo-lead"]
    hospital = known["org:demo-hospital"]
    address = "http://127.0.0.1:8090/fhir" if transport == "fhir" else "mllp://127.0.0.1:2576"
    endpoint = Endpoint(
        transport, address, version="2.5.1", stores_nte=True, verified=date(2026, 1, 1), message=message
    )
    known["org:demo-hospital"] = replace(hospital, endpoints=(endpoint,))
    known["org:demo-detox"] = _office(
        office, "demo-detox", "Exampleville Detox", LegalClass(date(2024, 1, 1), "yes", True)
    )
    known["org:demo-unsure"] = _office(
        office, "demo-unsure", "Unsure Services", LegalClass(date(2024, 1, 1), "unknown")
    )
    known["org:operator"] = replace(known["org:operator"], agreements=())
    return Registry(known.values())


def _office(like: Organization, name: str, title: str, law: LegalClass) -> Organization:
    return replace(
        like, id=f"org:{name}", name=title, legal_classes=(law,),
        identifiers=(("https://warmhandoff.example/id/partner", name),),
    )  # fmt: skip


def _route(transport: Transport) -> Route:
    nothing: frozenset[str] = frozenset()
    return Route("test", nothing, nothing, _SERVICES, nothing, "org:demo-hospital", transport, ("TREAT",), None)


@cache
def _application() -> tuple[Any, _Current, Any]:
    current = _Current()
    database = open_database(f"sqlite:///{Path(mkdtemp()) / 'staff.db'}", clock=_base().clock)
    services = Services(
        house=current,  # type: ignore[arg-type]
        registered=CLIENTS.get, token_key=TOKEN_KEY, session_key=b"s" * 32, staff=StaffAccounts(database),
        views=ConsoleViews(database), messages=MessageViews(database), clock=lambda: NOW,
        new_id=lambda: "correlation", base_url="http://127.0.0.1:8080",
        installation="Test County", timezone="America/Los_Angeles", passwords=Passwords(rounds=1, memory_kib=64),
        pause=lambda seconds: None,
    )  # fmt: skip
    return create_app(services), current, database


def _browser(world: TwoWorld, client: str) -> FlaskClient:
    application, current, _ = _application()
    current.gateway = world.gateway
    browser: FlaskClient = application.test_client()
    token = issue(client, TOKEN_KEY, token_id="a-token", at=NOW)
    browser.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    return browser
