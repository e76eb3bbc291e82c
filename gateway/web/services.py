"""What the application object is built from; `wiring` fills it, tests fill it with fakes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from time import sleep
from typing import Any, Protocol

from gateway.access.consent_consult import AnswersConsults
from gateway.access.fhir_reads import AnswersReads
from gateway.access.officer_lookup import LooksUp
from gateway.access.receipts import GivesReceipts
from gateway.flow.consents.desk import ConsentDesk
from gateway.flow.messages.page import MessagePage
from gateway.flow.releases.desk import ReleaseDesk
from gateway.intake.consent_operations import TakesConsents
from gateway.intake.fhir_writes import TakesWrites
from gateway.intake.uploads import AcceptsInputs
from gateway.model.accounting import Accounting, Wanted
from gateway.model.handoff import FoundPerson
from gateway.ports import Clock, Database, NewId
from gateway.settings import Client
from gateway.storage.message_views import MessageViews
from gateway.storage.staff import StaffAccounts
from gateway.storage.views import ConsoleViews
from gateway.web.passwords import Passwords
from gateway.web.proxies import Network


class ServesConsole(Protocol):
    """What the console and the operations pages need of the house."""

    @property
    def database(self) -> Database:
        """The store."""
        ...

    @property
    def consent_desk(self) -> ConsentDesk:
        """Where consents are taken, compared, looked after and taken back."""
        ...

    @property
    def release_desk(self) -> ReleaseDesk:
        """Where releases are asked for and looked at."""
        ...

    def ready(self) -> dict[str, bool]:
        """Tell, by name, which parts are able to work."""
        ...

    def console_record(self, staff: tuple[str, str], handoff_id: str) -> dict[str, Any] | None:
        """Disclose one record to a staff member (id, role); None: missing or not for this person."""
        ...

    def accounting(self, actor: str, wanted: Wanted, since: datetime, until: datetime) -> Accounting | None:
        """Tell to whom records of a person were disclosed; None: nobody known."""
        ...

    def find_people(self, actor: str, family: str, given: str, birth_date: str) -> Sequence[FoundPerson]:
        """Return everybody of this whole name who was born on this day ("1980-02-03")."""
        ...

    def console_message(self, staff: tuple[str, str], input_id: str) -> MessagePage | None:
        """Disclose one HL7v2 message to a staff member (id, role); None when there is none."""
        ...

    def settle_consents(self, actor: str, input_id: str, person_id: str | None) -> bool:
        """Say whom the CONs of a message that waits are about, or (None) that they are set aside."""
        ...

    def decide_merge(self, actor: str, input_id: str, same: bool) -> bool:
        """Say for a merge that waits whether the persons are one."""
        ...

    def take_message_as(self, actor: str, input_id: str, organization: str) -> bool:
        """Take a message that nobody registered sent as the word of this partner."""
        ...

    def tell_whom(self, actor: str, input_id: str, person_id: str | None) -> bool:
        """Say whom a message is about: somebody it resembles, or (None) somebody new."""
        ...

    def leave_message(self, actor: str, input_id: str) -> bool:
        """Leave a message that waits as it is."""
        ...

    def resolve_match(self, caller_name: str, handoff_id: str, person_id: str | None) -> bool:
        """Say who a held record is about: a known person, or (None) somebody new."""
        ...

    def give_back(self, actor: str, handoff_id: str) -> bool:
        """Give a record that names several persons back to its source; False where it is no such record."""
        ...

    def route_again(self, actor: str, handoff_id: str) -> bool:
        """Route a record that waits for a route by the routes of now."""
        ...

    def replay(self, actor: str, work_id: int) -> bool:
        """Make a dead letter ready again."""
        ...

    def pause(self, actor: str, lane: str, paused: bool) -> None:
        """Stop or resume a lane."""
        ...


class House(
    AcceptsInputs,
    GivesReceipts,
    AnswersReads,
    AnswersConsults,
    LooksUp,
    TakesWrites,
    TakesConsents,
    ServesConsole,
    Protocol,
):
    """The stories, as the HTTP side calls them."""


@dataclass(frozen=True, slots=True)
class Services:
    """Everything `create_app` needs and does not make itself."""

    house: House
    registered: Callable[[str], Client | None]
    """`Settings.client`."""
    token_key: bytes = field(repr=False)
    session_key: bytes = field(repr=False)
    """Signs the cookie that carries the form token (CSRF); sessions themselves lie in the database."""
    staff: StaffAccounts
    views: ConsoleViews
    messages: MessageViews
    clock: Clock
    new_id: NewId
    base_url: str
    """Address under which partners reach this gateway, without a slash at the end."""
    installation: str
    """Its name, as the console shows it."""
    timezone: str
    """IANA zone in which the console tells times."""
    proxies: Sequence[Network] = ()
    """Those in front of us, whose word on who asks is believed."""
    metrics_key: bytes | None = field(default=None, repr=False)
    """Opens /metrics from anywhere; without one it is for callers on this machine, see `metrics_door`."""
    max_body_bytes: int = 64 * 1024 * 1024
    passwords: Passwords = field(default_factory=Passwords)
    places: int = 8
    """How many requests of one client may be at once at the doors whose answers may be kept back."""
    pause: Callable[[float], None] = sleep
    """Waits so many seconds, before an answer whose time shall not tell why it gives nothing."""

    @property
    def secure(self) -> bool:
        """Tell whether browsers reach us over TLS, so that cookies may and must say so."""
        return self.base_url.startswith("https://")
