"""The stories behind one object: what the doors (HTTP, MLLP, console, commands) call."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any

from gateway.flow import accept, follow_up, receipts, replays
from gateway.flow.chores import Chores
from gateway.flow.consents import filing
from gateway.flow.consents.desk import ConsentDesk
from gateway.flow.consents.segments import settle_consents
from gateway.flow.house import House
from gateway.flow.messages import desk, receiving
from gateway.flow.messages.page import MessagePage, console_message
from gateway.flow.messages.watch import DropCounts
from gateway.flow.pulls import access, consult, own_events
from gateway.flow.pulls.lookup import look_up
from gateway.flow.pulls.search import search
from gateway.flow.releases.desk import ReleaseDesk
from gateway.flow.staff import console, held_records, proof
from gateway.flow.staff.people import find_people
from gateway.flow.staff.routing import route_again
from gateway.model.accounting import Accounting, Wanted
from gateway.model.audit import AuditEntry
from gateway.model.caller import Caller
from gateway.model.consent_life import Revoking
from gateway.model.consult import Advice, Consult
from gateway.model.errors import GatewayError
from gateway.model.exchange import Accepted, Answer, Found, KeyReused, Problem
from gateway.model.handoff import Channel, FoundPerson
from gateway.model.hl7_header import PeerAddress
from gateway.model.lookup import Status
from gateway.ports import Clock, Database, NewId, Transaction


class Gateway:
    """Each method tells one story in the house it was built with."""

    def __init__(
        self,
        house: House,
        workers_alive: Callable[[], bool] = lambda: True,
        schema_is_current: Callable[[], bool] = lambda: True,
    ) -> None:
        self.house = house
        self.workers_alive = workers_alive
        self.schema_is_current = schema_is_current
        self._dropped = DropCounts()
        self._chores = Chores(self._dropped)

    @property
    def mappings(self) -> Collection[str]:
        """Names an intake path may carry."""
        return self.house.sources

    @property
    def database(self) -> Database:
        """The store."""
        return self.house.database

    @property
    def consent_desk(self) -> ConsentDesk:
        """Where consents are taken, compared, looked after and taken back."""
        return ConsentDesk(self.house)

    @property
    def release_desk(self) -> ReleaseDesk:
        """Where releases are asked for and looked at."""
        return ReleaseDesk(self.house)

    @property
    def clock(self) -> Clock:
        """The clock."""
        return self.house.clock

    @property
    def new_id(self) -> NewId:
        """The maker of ids."""
        return self.house.new_id

    def accept(
        self,
        channel: Channel,
        source: str,
        client: str | None,
        media_type: str,
        payload: bytes,
        idempotency_key: str | None,
    ) -> Accepted | KeyReused:
        """Keep an input durably, or find the earlier one of the same content."""
        return accept.accept(
            self.house, channel=channel, source=source, client=client, media_type=media_type, payload=payload,
            idempotency_key=idempotency_key,
        )  # fmt: skip

    def accept_message(self, content: bytes, peer: PeerAddress) -> bytes:
        """Keep an HL7v2 message durably and return its acknowledgement."""
        return receiving.accept_message(self.house, content, peer, self._dropped)

    def do_chores(self) -> None:
        """Do for the gateway itself what is due; called often, does nothing most of the time."""
        self._chores.do_due(self.house)

    def finish(self) -> None:
        """Write what this process still holds in its memory."""
        self._chores.finish(self.house)

    def keep_cut(self, content: bytes, peer: PeerAddress) -> None:
        """Keep the beginning of a message whose rest never came."""
        receiving.keep_cut(self.house, content, peer)

    def receipt(self, caller: Caller, input_id: str) -> dict[str, Any] | None:
        """Return what the sender of an input may know of it."""
        return receipts.receipt(self.house, caller, input_id)

    def read(self, caller: Caller, resource_type: str, resource_id: str) -> Answer | None:
        """Return a resource as this caller may see it; None for missing and refused alike."""
        if resource_type == "AuditEvent":
            return own_events.read_event(self.house, caller, resource_id)
        return access.read(self.house, caller, resource_type, resource_id)

    def search(self, caller: Caller, resource_type: str, parameters: list[tuple[str, str]]) -> Found:
        """Return what this caller may see of what it looks for."""
        if resource_type == "AuditEvent":
            return own_events.search_events(self.house, caller, parameters)
        return search(self.house, caller, resource_type, parameters)

    def consult(self, caller: Caller, question: Consult) -> Advice | Problem:
        """Say whether this caller may have records of a person, without giving them."""
        return consult.consult(self.house, caller, question)

    def look_up(self, caller: Caller, receipt: str, record: int) -> Status:
        """Tell the status of the newest referral that this caller may know of, about the person in its own record."""
        return look_up(self.house, caller, receipt, record)

    def update_task(self, caller: Caller, task_id: str, body: dict[str, Any], if_match: int) -> Answer | Problem:
        """Move a referral by its Task."""
        return follow_up.update_task(self.house, caller, task_id, body, if_match)

    def file_consent(
        self, caller: Caller, body: dict[str, Any], consent_id: str | None, if_match: int | None
    ) -> Answer | Problem:
        """Create a Consent (`consent_id` None) or write its next version."""
        return filing.file_consent(self.house, caller, body, consent_id, if_match)

    def file_with_document(self, caller: Caller, consent: dict[str, Any], document: dict[str, Any]) -> Answer | Problem:
        """Create a Consent with the paper it stands on ($file-consent)."""
        return filing.file_with_document(self.house, caller, consent, document)

    def organization_of(self, reference: dict[str, Any]) -> str | None:
        """Return the registry id of the organization that a logical Reference names, or None."""
        found = self.house.registry.find_by_reference(reference)
        return found.id if found is not None else None

    def revoke_consent(
        self,
        caller: Caller,
        consent: dict[str, Any],
        patient: dict[str, Any],
        document: dict[str, Any] | None,
        revoking: Revoking,
    ) -> Problem | None:
        """Take a consent back for its person ($revoke-consent); None = committed."""
        return filing.revoke_by_reference(self.house, caller, consent, patient, document, revoking)

    def console_record(self, staff: tuple[str, str], handoff_id: str) -> dict[str, Any] | None:
        """Disclose one record to a member of the operator's staff."""
        return console.console_record(self.house, staff, handoff_id)

    def accounting(self, actor: str, wanted: Wanted, since: datetime, until: datetime) -> Accounting | None:
        """Tell to whom records of a person were disclosed; the look is a row of the audit trail.

        Each line tells whose records there are, so an operator without an agreement with every program is told none.
        """
        house = self.house
        if not console.serves_every_program(house):
            return None
        return proof.accounting(house.database, house.registry, house.clock, actor, wanted, since, until)

    def find_people(self, actor: str, family: str, given: str, birth_date: str) -> Sequence[FoundPerson]:
        """Return everybody of this name who was born on this day; the search is a row of the audit trail."""
        return find_people(self.house, actor, family, given, birth_date)

    def console_message(self, staff: tuple[str, str], input_id: str) -> MessagePage | None:
        """Disclose one HL7v2 message to a member of the operator's staff."""
        return console_message(self.house, staff, input_id)

    def decide_merge(self, actor: str, input_id: str, same: bool) -> bool:
        """Say for a merge that waits whether the persons are one."""
        return desk.decide_merge(self.house, actor, input_id, same=same)

    def settle_consents(self, actor: str, input_id: str, person_id: str | None) -> bool:
        """Say whom the CONs of a message that waits are about, or (None) that they are set aside."""
        return settle_consents(self.house, actor, input_id, person_id)

    def take_message_as(self, actor: str, input_id: str, organization: str) -> bool:
        """Take a message that nobody registered sent as the word of this partner."""
        return desk.take_as(self.house, actor, input_id, organization)

    def tell_whom(self, actor: str, input_id: str, person_id: str | None) -> bool:
        """Say whom a message is about: somebody it resembles, or (None) somebody new."""
        return desk.tell_whom(self.house, actor, input_id, person_id)

    def leave_message(self, actor: str, input_id: str) -> bool:
        """Leave a message that waits as it is: it moves nothing."""
        return desk.leave(self.house, actor, input_id)

    def resolve_match(self, caller_name: str, handoff_id: str, person_id: str | None) -> bool:
        """Say who a held record is about: a known person, or (None) somebody new."""
        return held_records.resolve_match(self.house, caller_name, handoff_id, person_id)

    def give_back(self, actor: str, handoff_id: str) -> bool:
        """Give a record that names several persons back to its source."""
        return held_records.give_back(self.house, actor, handoff_id)

    def route_again(self, actor: str, handoff_id: str) -> bool:
        """Route a record that waits for a route by the routes of now."""
        return route_again(self.house, actor, handoff_id)

    def replay(self, actor: str, work_id: int) -> bool:
        """Bring work back that rests; tell whether it did."""
        return self.house.database.write(lambda tx: replays.replay(tx, work_id, actor, self.house.clock())) is None

    def pause(self, actor: str, lane: str, paused: bool) -> None:
        """Stop or resume a lane."""

        def switch(tx: Transaction) -> None:
            tx.outbox.pause(lane, paused)
            kind = "lane.paused" if paused else "lane.resumed"
            tx.audit.append(AuditEntry(self.house.clock(), kind, actor, {"lane": lane}))

        self.house.database.write(switch)

    def ready(self) -> dict[str, bool]:
        """Tell, by name, which parts are able to work.

        The schema was current when the store was opened; a process of a newer version may have gone on since.
        """
        workers = self.workers_alive()
        try:
            self.house.database.read(lambda tx: tx.outbox.get(0))
            return {"database": True, "workers": workers, "migrations": self.schema_is_current()}
        except GatewayError:
            return {"database": False, "workers": workers, "migrations": False}
