"""A house for tests of the HTTP side: it answers from tables that a test fills, and notes what it was asked."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import orjson
from flask import Flask
from flask.testing import FlaskClient

from gateway.flow.messages.page import MessagePage
from gateway.model.accounting import Accounting, Wanted
from gateway.model.caller import Caller
from gateway.model.consult import DENIED, Advice, Consult
from gateway.model.exchange import NOT_FOUND, Accepted, Answer, Found, KeyReused, Problem
from gateway.model.handoff import Channel, FoundPerson, StoredInput
from gateway.model.lookup import NOTHING_TO_TELL, Status
from gateway.model.partner import Organization
from gateway.model.release import Review
from gateway.model.staff import Member
from gateway.settings import Client
from gateway.storage.database import SqlDatabase
from gateway.storage.message_views import MessageViews
from gateway.storage.staff import StaffAccounts
from gateway.storage.views import ConsoleViews
from gateway.testing import CountingIds, FixedClock
from gateway.web.app import create_app
from gateway.web.passwords import Passwords
from gateway.web.services import Services
from gateway.web.tokens import issue
from tests.support.stored import AT

TOKEN_KEY = b"token-key-of-the-tests-not-secret"
CLIENTS = {
    "demo-agency": Client(id="demo-agency", organization="org:northpd", scopes=("intake",)),
    "other-agency": Client(id="other-agency", organization="org:southpd", scopes=("intake",)),
    "demo-ehr": Client(
        id="demo-ehr", organization="org:harbor", scopes=("system/Task.rus", "system/*.rs", "system/Consent.cu")
    ),
    "task-only": Client(id="task-only", organization="org:harbor", scopes=("system/Task.r",)),
}


class QuietDesk:
    """A desk at which nothing lies."""

    operator = "org:operator"
    organizations: tuple[Organization, ...] = ()
    serves_every_program = True

    def waiting(self, actor: Member) -> list[Review]:
        return []


@dataclass
class TableHouse:
    """`gateway.web.services.House` over tables."""

    database: SqlDatabase
    clock: FixedClock
    new_id: CountingIds
    mappings: frozenset[str] = frozenset({"seattle-rms-crisis", "eido"})
    inputs: dict[str, StoredInput] = field(default_factory=dict)
    input_keys: dict[tuple[str | None, str, str], str] = field(default_factory=dict)
    """The hash of the content by client, source and `Idempotency-Key`."""
    resources: dict[tuple[str, str], Answer] = field(default_factory=dict)
    hidden: set[tuple[str, str]] = field(default_factory=set)
    console_records: dict[str, dict[str, Any]] = field(default_factory=dict)
    console_messages: dict[str, MessagePage] = field(default_factory=dict)
    parts: dict[str, bool] = field(default_factory=lambda: {"database": True, "workers": True})
    accountings: dict[str, Accounting] = field(default_factory=dict)
    found_people: tuple[FoundPerson, ...] = ()
    status: Status = NOTHING_TO_TELL
    release_desk: Any = field(default_factory=QuietDesk)
    advice: Advice | Problem = DENIED
    after: str | None = None
    """Of what a search finds."""
    asked: list[tuple[Any, ...]] = field(default_factory=list)

    def accept(
        self,
        *,
        channel: Channel,
        source: str,
        client: str | None,
        media_type: str,
        payload: bytes,
        idempotency_key: str | None = None,
    ) -> Accepted | KeyReused:
        digest = hashlib.sha256(payload).hexdigest()
        if idempotency_key and self.input_keys.setdefault((client, source, idempotency_key), digest) != digest:
            return KeyReused()
        for known in self.inputs.values():
            if (known.client, known.source, known.sha256) == (client, source, digest):
                return Accepted(known.id, repeated=True)
        made = self.new_id()
        self.inputs[made] = StoredInput(made, channel, source, client, media_type, payload, digest, self.clock())
        return Accepted(made, repeated=False)

    def receipt(self, caller: Caller, input_id: str) -> dict[str, Any] | None:
        known = self.inputs.get(input_id)
        if known is None or known.client != caller.client:
            return None
        return {"id": input_id, "state": "pending", "records": []}

    def read(self, caller: Caller, resource_type: str, resource_id: str) -> Answer | None:
        key = (resource_type, resource_id)
        return None if key in self.hidden else self.resources.get(key)

    def search(self, caller: Caller, resource_type: str, parameters: list[tuple[str, str]]) -> Found:
        self.asked.append(("search", caller.client, resource_type, parameters))
        found = [
            orjson.loads(answer.body)
            for key, answer in self.resources.items()
            if key[0] == resource_type and key not in self.hidden
        ]
        return Found(found, self.after)

    def consult(self, caller: Caller, question: Consult) -> Advice | Problem:
        self.asked.append(("consult", caller.client, question))
        return self.advice

    def look_up(self, caller: Caller, receipt: str, record: int) -> Status:
        self.asked.append(("look_up", caller.client, receipt, record))
        return self.status

    def update_task(self, caller: Caller, task_id: str, body: dict[str, Any], if_match: int) -> Answer | Problem:
        return self._update("Task", task_id, body, if_match)

    def file_consent(
        self, caller: Caller, body: dict[str, Any], consent_id: str | None, if_match: int | None
    ) -> Answer | Problem:
        if consent_id is not None and if_match is not None:
            return self._update("Consent", consent_id, body, if_match)
        made = body | {"id": self.new_id()}
        return self.put(made)

    def put(self, resource: dict[str, Any], version: int = 1) -> Answer:
        """Store a resource as this version."""
        answer = Answer(orjson.dumps(resource), version, AT)
        self.resources[resource["resourceType"], resource["id"]] = answer
        return answer

    def _update(self, kind: str, resource_id: str, body: dict[str, Any], if_match: int) -> Answer | Problem:
        known = self.read(A_CALLER, kind, resource_id)
        if known is None:
            return NOT_FOUND
        if known.version != if_match:
            return Problem(412, "conflict", None, "Somebody else wrote a newer version.", version=3)
        return self.put(body, if_match + 1)

    def ready(self) -> dict[str, bool]:
        return self.parts

    def console_record(self, staff: tuple[str, str], handoff_id: str) -> dict[str, Any] | None:
        self.asked.append(("console_record", staff, handoff_id))
        return self.console_records.get(handoff_id)

    def accounting(self, actor: str, wanted: Wanted, since: datetime, until: datetime) -> Accounting | None:
        self.asked.append(("accounting", actor, wanted, since, until))
        return self.accountings.get(wanted.person or wanted.handoff)

    def find_people(self, actor: str, family: str, given: str, birth_date: str) -> Sequence[FoundPerson]:
        self.asked.append(("find_people", actor, family, given, birth_date))
        return self.found_people

    def console_message(self, staff: tuple[str, str], input_id: str) -> MessagePage | None:
        self.asked.append(("console_message", staff, input_id))
        return self.console_messages.get(input_id)

    def settle_consents(self, actor: str, input_id: str, person_id: str | None) -> bool:
        self.asked.append(("settle_consents", actor, input_id, person_id))
        return input_id in self.console_messages

    def decide_merge(self, actor: str, input_id: str, same: bool) -> bool:
        self.asked.append(("decide_merge", actor, input_id, same))
        return input_id in self.console_messages

    def take_message_as(self, actor: str, input_id: str, organization: str) -> bool:
        self.asked.append(("take_message_as", actor, input_id, organization))
        return organization != "org:nobody"

    def tell_whom(self, actor: str, input_id: str, person_id: str | None) -> bool:
        self.asked.append(("tell_whom", actor, input_id, person_id))
        return person_id != "nobody-here"

    def leave_message(self, actor: str, input_id: str) -> bool:
        self.asked.append(("leave_message", actor, input_id))
        return input_id in self.console_messages

    def give_back(self, actor: str, handoff_id: str) -> bool:
        self.asked.append(("give_back", actor, handoff_id))
        stored = self.database.read(lambda tx: tx.handoffs.get(handoff_id))
        return stored is not None and stored.state == "held" and stored.person_id is None

    def resolve_match(self, caller_name: str, handoff_id: str, person_id: str | None) -> bool:
        self.asked.append(("resolve_match", caller_name, handoff_id, person_id))
        return person_id != "nobody-here"

    def route_again(self, actor: str, handoff_id: str) -> bool:
        self.asked.append(("route_again", actor, handoff_id))
        stored = self.database.read(lambda tx: tx.handoffs.get(handoff_id))
        return stored is not None and stored.state == "unrouted"

    def replay(self, actor: str, work_id: int) -> bool:
        self.asked.append(("replay", actor, work_id))
        return True

    def pause(self, actor: str, lane: str, paused: bool) -> None:
        self.asked.append(("pause", actor, lane, paused))


A_CALLER = Caller("a-client", "org:a", frozenset(), None, "org:a")


@dataclass
class Site:
    """An application with everything behind it at hand."""

    app: Flask
    house: TableHouse
    services: Services

    @property
    def clock(self) -> FixedClock:
        return self.house.clock

    def token(self, client: str) -> str:
        """Return a fresh token of a client."""
        return issue(client, TOKEN_KEY, token_id="a-token", at=self.clock())

    def client(self, name: str | None = None) -> FlaskClient:
        """Return a browser or, with a name, a program that sends the token of that client."""
        made = self.app.test_client()
        if name is not None:
            made.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {self.token(name)}"
        return made


def a_site(database: SqlDatabase, clock: FixedClock, **changes: Any) -> Site:
    """Build the application on a store; `changes` replace fields of `Services`."""
    house = TableHouse(database, clock, CountingIds())
    services = Services(
        house=house,
        registered=CLIENTS.get,
        token_key=TOKEN_KEY,
        session_key=b"session-key-of-the-tests-not-secret",
        staff=StaffAccounts(database),
        views=ConsoleViews(database),
        messages=MessageViews(database),
        clock=clock,
        new_id=house.new_id,
        base_url="http://127.0.0.1:8080",
        installation="Test County",
        timezone="America/Los_Angeles",
        passwords=Passwords(rounds=1, memory_kib=64),
        pause=lambda seconds: None,
    )
    services = replace(services, **changes)
    return Site(create_app(services), house, services)
