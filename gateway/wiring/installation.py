"""Read the configuration, build the house and run it: the only file that names every concrete class."""

import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar

import structlog
from flask import Flask

from gateway.catalog.code_systems import read_code_systems
from gateway.catalog.hl7v2_packs import Hl7Packs, read_hl7_packs
from gateway.catalog.mappings import read_mappings
from gateway.catalog.partners import read_partners
from gateway.catalog.profiles import load_checker
from gateway.catalog.routes import read_alert_routes, read_routes
from gateway.catalog.wordings import read_wordings
from gateway.consent.switches import switch_problems
from gateway.delivery.fhir_push import FhirPush
from gateway.delivery.mllp_push import MllpPush
from gateway.flow.gateway import Gateway
from gateway.flow.house import Converted, House, RetryPolicy
from gateway.flow.work import work_once
from gateway.formats import InMemorySpill, read
from gateway.formats.hl7v2.standard import load_tables
from gateway.intake.spill import DiskSpill
from gateway.mapping import Agency, CompiledMapping, Context, apply
from gateway.mapping.explain import explain
from gateway.model.audit import read_checkpoint
from gateway.model.draft import Draft, TraceLine
from gateway.model.errors import ConfigurationError, GatewayError
from gateway.model.findings import Finding
from gateway.model.handoff import Resource, Work
from gateway.model.partner import Organization, Registry
from gateway.model.received import Received
from gateway.model.route import AlertRoute, Route
from gateway.model.source_record import SourceRecord
from gateway.settings import FILE_NAME, Settings, place_of
from gateway.storage.checkpoint_key import CheckpointKey
from gateway.storage.database import SqlDatabase, open_database
from gateway.storage.message_views import MessageViews
from gateway.storage.staff import StaffAccounts
from gateway.storage.views import ConsoleViews
from gateway.validation import Checker
from gateway.web.app import create_app
from gateway.web.services import Services
from gateway.wiring import clock, jitter, new_id
from gateway.wiring.feeds import feed_reader, message_writer
from gateway.wiring.mllp import mllp_listener, mllp_push

T = TypeVar("T")

_log = structlog.get_logger("gateway")
_POLL_S = 1.0
_CLOCK_OFF = timedelta(seconds=30)
"""How far a clock may be from the database's: by twice as much a lease is longer than a sending."""
_AN_ORGANIZATION = "the id of an organization in partners/"
_SPILL_BYTES = 8 * 1024 * 1024
"""Inputs from this size on group their rows on disk."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What the configuration folder says, read and checked whole."""

    registry: Registry
    routes: tuple[Route, ...]
    mappings: dict[str, CompiledMapping]
    packs: Hl7Packs
    alerts: tuple[AlertRoute, ...]


def read_rules(settings: Settings) -> Rules:
    """Read partners, routes and mappings of an installation.

    Raises:
        ConfigurationError: every mistake with file:line, what was expected and what kind of thing was found.
    """
    registry = read_partners(settings.directory / "partners", settings.installation.timezone)
    organizations = {organization.id: organization for organization in registry}
    routes = read_routes(settings.directory / "routes.yaml", organizations)
    mappings = read_mappings(settings.directory / "mappings")
    file = settings.directory / FILE_NAME
    unknown = [
        _unknown(settings, place, _AN_ORGANIZATION)
        for place, organization in _named_organizations(settings)
        if organization not in organizations
    ]
    unknown += [f"{file}: {problem}" for problem in switch_problems(settings.switches)]
    if unknown:
        raise ConfigurationError("\n".join(unknown))
    packs = read_hl7_packs(settings.directory / "mappings")
    alerts = read_alert_routes(settings.directory / "routes.yaml", organizations)
    return Rules(registry, routes, mappings, packs, alerts)


def _named_organizations(settings: Settings) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield each organization that `gateway.toml` names, after the place where it does."""
    for name, program in settings.programs.items():
        yield ("programs", name, "agency"), program.agency
        if program.clinician:
            yield ("programs", name, "clinician"), program.clinician
    for n, client in enumerate(settings.clients):
        yield ("clients", n, "organization"), client.organization
        yield from ((("clients", n, "submits_for"), agency) for agency in client.submits_for)


def _unknown(settings: Settings, place: tuple[str | int, ...], expected: str) -> str:
    where, setting = place_of(settings.directory, *place), ".".join(map(str, place))
    return f"{where}: {setting}: expected {expected}, found an unknown one"


def check_configuration(settings: Settings) -> None:
    """Read everything an installation needs, so that a mistake stops the start before anything listens."""
    rules = read_rules(settings)
    unknown = [
        (("programs", name), "the name of a mapping") for name in settings.programs if name not in rules.mappings
    ]
    if rules.registry.get(settings.installation.operator) is None:
        unknown.append((("installation", "operator"), _AN_ORGANIZATION))
    if unknown:
        raise ConfigurationError("\n".join(_unknown(settings, place, what) for place, what in unknown))
    for name in ("id", "token", "session", "audit", *(("metrics",) if settings.http.metrics_key else ())):
        settings.secret(name)


def conversion_context(settings: Settings, registry: Registry, mapping: CompiledMapping, at: datetime) -> Context:
    """Return what a mapping may depend on in this installation."""
    program = settings.programs.get(mapping.name)
    assigned: dict[str, Agency] = {}
    behind = (program.agency, program.clinician) if program else ()
    for author, organization_id in zip(mapping.authors, behind, strict=False):
        organization = registry.get(organization_id)
        if organization is not None:
            assigned[author.unit] = _agency(organization)
    return Context(
        key=settings.secret("id"),
        at=at,
        agencies=partial(_registered_agency, registry),
        assigned=assigned,
        zone=settings.installation.timezone,
    )


def _registered_agency(registry: Registry, system: str, value: str) -> Agency | None:
    organization = registry.find(system, value)
    return _agency(organization, (system, value)) if organization else None


def _agency(organization: Organization, identifier: tuple[str, str] | None = None) -> Agency:
    system, value = identifier or organization.identifiers[0]
    return Agency(system, value, organization.name, organization.timezone)


def _convert(settings: Settings, rules: Rules, received: Received, source: str) -> Iterator[Converted]:
    mapping = rules.mappings[source]
    context = conversion_context(settings, rules.registry, mapping, clock())
    spill = DiskSpill() if len(received.head(_SPILL_BYTES)) == _SPILL_BYTES else InMemorySpill()
    for item in read(received, mapping.layout, spill):
        yield item.number, apply(item, mapping, context) if isinstance(item, SourceRecord) else item


def _explain(settings: Settings, rules: Rules, received: Received, source: str, number: int) -> list[TraceLine]:
    """Read an input again as far as one record, and say which source field and rule filled which element."""
    mapping = rules.mappings.get(source)
    if mapping is None:
        return []
    context = conversion_context(settings, rules.registry, mapping, clock())
    for item in read(received, mapping.layout):
        if item.number == number and isinstance(item, SourceRecord):
            draft = apply(item, mapping, context)
            return explain(item, draft, mapping, context) if isinstance(draft, Draft) else []
    return []


def _check(checker: Checker, resource: Resource) -> tuple[Finding, ...]:
    return checker.check(resource).items


def _check_foreign(checker: Checker, resource: Resource) -> tuple[Finding, ...]:
    return checker.check(resource, {}).items


def _signed(key: CheckpointKey, payload: bytes) -> str:
    """Sign a checkpoint and log it: logs often leave the machine, and there nobody with the database can change it."""
    head = read_checkpoint(payload)
    _log.info("audit.checkpoint", n=head.n, known=f"{head.seq}:{head.hash}")
    return key(payload)


def _report(work: Work, error: Exception) -> None:
    """Log what nobody foresaw by kind and place; its text may quote a record, so it is not logged."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else "?"
    _log.error("work.failed", work=work.id, kind=work.kind, error=type(error).__name__, place=place)


def _lease(timeout_s: float) -> timedelta:
    """Return how long a worker may be silent: as long as it waits for its turn at a receiver and for the answer.

    A lease that ends before would let another worker begin the same sending beside it; so would a clock that is ahead.
    """
    return 2 * _CLOCK_OFF + timedelta(seconds=2 * timeout_s)


def require_right_clock(database: SqlDatabase) -> None:
    """Refuse to work beside others by a clock that is too far from that of the database, which all of them can see.

    Raises:
        ConfigurationError: by how many seconds it is off.
    """
    ahead = database.clock_ahead()
    if abs(ahead) > _CLOCK_OFF:
        raise ConfigurationError(
            f"the clock of this machine is {ahead.total_seconds():+.0f} seconds from that of the database: expected at "
            f"most {_CLOCK_OFF.total_seconds():.0f}, or two workers could send the same; set both by a time server"
        )


def build_house(settings: Settings, rules: Rules, database: SqlDatabase, push: MllpPush) -> House:
    """Put the house together from its parts."""
    checker = load_checker()
    delivery = settings.delivery
    certificates = str(settings.directory / delivery.certificates) if delivery.certificates else None
    return House(
        database=database,
        clock=clock,
        new_id=new_id,
        registry=rules.registry,
        routes=rules.routes,
        switches=settings.switches,
        key=settings.secret("id"),
        programs={name: program.agency for name, program in settings.programs.items()},
        convert=partial(_convert, settings, rules),
        explain=partial(_explain, settings, rules),
        check=partial(_check, checker),
        check_foreign=partial(_check_foreign, checker),
        read_feed=feed_reader(rules.packs, settings.secret("id"), settings.installation.timezone, clock),
        timezone=settings.installation.timezone,
        alerts=rules.alerts,
        transports={
            "fhir": FhirPush(delivery.timeout_s, certificates),
            "hl7v2": push,
        },
        acknowledge=push.acknowledge,
        relay=push,
        answer_within=timedelta(hours=delivery.answer_within_h),
        jitter=jitter,
        sources=frozenset(rules.mappings),
        retry=RetryPolicy(delivery.back_off_base_s, delivery.back_off_cap_s, delivery.max_tries),
        lease=_lease(delivery.timeout_s),
        report=_report,
        operator=settings.installation.operator,
        processing_id=settings.mllp.processing_id,
        wordings=read_wordings(),
        code_systems=read_code_systems(),
        consent_reminder_days=settings.consents.reminder_days,
        clients={client.id: client for client in settings.clients},
    )  # fmt: skip


class Installation:
    """A running gateway in this process: database, doors and delivery workers."""

    def __init__(self, settings: Settings, mllp: socket.socket | None) -> None:
        """Open the database; nothing is taken, from `mllp` either, or sent before `start`."""
        rules = read_rules(settings)
        load_tables()
        self._settings = settings
        signer = partial(_signed, CheckpointKey(settings.secret("audit")))
        self._database = open_database(settings.database_url, clock=clock, signer=signer)
        require_right_clock(self._database)
        self._push = mllp_push(settings, message_writer(rules.packs))
        house = build_house(settings, rules, self._database, self._push)
        self.gateway = Gateway(house, self._workers_alive, self._database.has_current_schema)
        self._listener = mllp_listener(settings, mllp) if mllp is not None else None
        self._stop = threading.Event()
        self._workers: list[threading.Thread] = []
        self.app = _application(settings, self.gateway, self._database)

    @property
    def mllp_address(self) -> tuple[str, int]:
        """Return where HL7v2 is taken."""
        assert self._listener is not None, "this process was opened without the MLLP door"
        return self._listener.address

    def start(self) -> None:
        """Sign the audit trail as it was found, then take messages and deliver."""
        self._database.checkpoint()
        if self._listener is not None:
            self._listener.start(self.gateway.accept_message, self.gateway.keep_cut)
        for number in range(self._settings.delivery.workers):
            name = f"worker-{new_id()[:8]}-{number}"
            thread = threading.Thread(target=self._work, args=(name,), name=name, daemon=True)
            thread.start()
            self._workers.append(thread)

    def stop(self, drain_s: float) -> None:
        """Finish what has begun, then close; what is queued stays queued."""
        self._stop.set()
        if self._listener is not None:
            self._listener.drain(drain_s)
        for thread in self._workers:
            thread.join(drain_s)
        self.gateway.finish()
        self._push.close()
        try:
            self._database.checkpoint()
        except GatewayError as error:  # what is unsigned now is signed by the checkpoint of the next start
            _log.error("audit.checkpoint_failed", error=type(error).__name__)
        self._database.close()

    def _workers_alive(self) -> bool:
        return bool(self._workers) and all(thread.is_alive() for thread in self._workers)

    def _work(self, owner: str) -> None:
        while not self._stop.is_set():
            self._try(owner, "chores.failed", self.gateway.do_chores)
            if self._try(owner, "worker.failed", lambda: work_once(self.gateway.house, owner)) is False:
                self._database.wait_for_work(_POLL_S)

    def _try(self, owner: str, event: str, do: Callable[[], T]) -> T | None:
        """Do one part of the loop; a part that fails is logged, and stops neither the worker nor the other part."""
        try:
            return do()
        except Exception as error:  # the outermost loop: a worker that died would stop every lane, silently
            _log.error(event, owner=owner, error=type(error).__name__)
            self._stop.wait(_POLL_S)
            return None


def _application(settings: Settings, gateway: Gateway, database: SqlDatabase) -> Flask:
    return create_app(
        Services(
            house=gateway,
            registered=settings.client,
            token_key=settings.secret("token"),
            session_key=settings.secret("session"),
            proxies=settings.http.proxies,
            metrics_key=settings.secret("metrics") if settings.http.metrics_key else None,
            staff=StaffAccounts(database),
            views=ConsoleViews(database),
            messages=MessageViews(database),
            clock=clock,
            new_id=new_id,
            base_url=settings.installation.base_url.rstrip("/"),
            installation=settings.installation.name,
            timezone=settings.installation.timezone,
            max_body_bytes=settings.http.max_body_mib * 1024 * 1024,
            places=max(1, settings.http.threads // 2),
        )
    )


def open_installation(settings: Settings, *, mllp: socket.socket | None = None) -> Installation:
    """Open an installation for serving (HL7v2 from the listening socket `mllp`) or for delivering only.

    Raises:
        GatewayError: what is configured cannot be used; the text says what to do.
    """
    return Installation(settings, mllp)
