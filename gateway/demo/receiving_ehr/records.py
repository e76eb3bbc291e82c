"""The stand-in EHR's one SQLite file: what arrived byte for byte, resources filed, referrals and their answers."""

import json
import secrets
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

Resource = dict[str, Any]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS ehr (instance TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS arrival (
    n INTEGER PRIMARY KEY, channel TEXT NOT NULL, outcome TEXT NOT NULL, raw BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS resource (
    type TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (type, id));
CREATE TABLE IF NOT EXISTS token (
    type TEXT NOT NULL, parameter TEXT NOT NULL, system TEXT NOT NULL, value TEXT NOT NULL, id TEXT NOT NULL,
    PRIMARY KEY (type, parameter, system, value, id));
CREATE TABLE IF NOT EXISTS message (
    application TEXT NOT NULL, facility TEXT NOT NULL, control_id TEXT NOT NULL,
    sha256 TEXT NOT NULL, answer BLOB NOT NULL, PRIMARY KEY (application, facility, control_id));
CREATE TABLE IF NOT EXISTS referral (
    id TEXT PRIMARY KEY, channel TEXT NOT NULL, placer TEXT NOT NULL, body TEXT NOT NULL, UNIQUE (channel, placer));
CREATE TABLE IF NOT EXISTS answer (
    n INTEGER PRIMARY KEY, referral TEXT NOT NULL REFERENCES referral (id), step TEXT NOT NULL, reason TEXT NOT NULL,
    due REAL NOT NULL, tries INTEGER NOT NULL, state TEXT NOT NULL, result TEXT NOT NULL, message BLOB);
"""


@dataclass(frozen=True, slots=True)
class Subject:
    """The person of a referral, as far as an answering message must name them again."""

    identifiers: tuple[tuple[str, str], ...] = ()
    """(assigner or system, value), those the gateway sent."""
    family: str = ""
    given: str = ""
    birth_date: str = ""
    """FHIR date, possibly partial; empty when unknown."""
    gender: str = ""


@dataclass(frozen=True, slots=True)
class Referral:
    """What this EHR understood of one request for one person."""

    id: str
    """This EHR's own number of the referral (HL7 v2.5.1 RF1-11, identifier type FILL)."""
    channel: str
    """"fhir" or "hl7v2": how it came and how it is answered."""
    placer: str
    """The gateway's identifier (RF1-6, identifier type PLAC)."""
    service: str
    """Code of the service asked for, or "other"."""
    priority: str
    """FHIR R4 request priority."""
    age: int | None
    subject: Subject
    task_id: str = ""
    """Logical id of the Task at the gateway; empty for a referral that came by HL7v2."""
    application: str = ""
    facility: str = ""
    """Who gets the HL7v2 answer (MSH-3, MSH-4 of the referral)."""
    own_application: str = ""
    own_facility: str = ""
    """As whom it was addressed, and therefore answers (MSH-5, MSH-6)."""
    message_id: str = ""
    """MSH-10 of the message it came in, which the answer names in MSA-2."""
    arrivals: int = 1
    """How often it has come: 2 and more are changes."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One step this EHR owes the gateway, and how far it has got with it."""

    n: int
    referral: str
    step: str
    reason: str
    tries: int
    state: str
    """waiting, given or failed."""
    result: str


class Records:
    """All of it, behind one connection; every public method is safe to call from any thread."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.executescript(_SCHEMA)
        with self.transaction():
            if self._db.execute("SELECT 1 FROM ehr").fetchone() is None:
                self._db.execute("INSERT INTO ehr VALUES (?)", (secrets.token_hex(4).upper(),))
        self.instance: str = self._db.execute("SELECT instance FROM ehr").fetchone()[0]
        """Part of every number this EHR gives out, so that two runs never give the same one."""

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Keep all of what happens inside, or none of it."""
        with self._lock:
            if self._db.in_transaction:
                yield
                return
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    # --- what arrived ---

    def add_arrival(self, channel: str, raw: bytes, outcome: str) -> int:
        """Keep bytes as they came with what was answered, and return their number."""
        with self.transaction():
            cursor = self._db.execute(
                "INSERT INTO arrival (channel, outcome, raw) VALUES (?, ?, ?)", (channel, outcome, raw)
            )
            assert cursor.lastrowid is not None
            return cursor.lastrowid

    def arrivals(self) -> list[dict[str, Any]]:
        """List the arrivals without their bytes, oldest first."""
        rows = self._all("SELECT n, channel, outcome, length(raw) AS size_bytes FROM arrival ORDER BY n")
        return [dict(row) for row in rows]

    def arrival(self, n: int) -> tuple[str, bytes] | None:
        """Return channel and bytes of one arrival."""
        row = self._one("SELECT channel, raw FROM arrival WHERE n = ?", n)
        return None if row is None else (row["channel"], row["raw"])

    # --- resources ---

    def put_resource(self, resource: Resource) -> int:
        """File a resource under its type and id as the next version, and return that version."""
        kind, resource_id = resource["resourceType"], resource["id"]
        with self.transaction():
            row = self._one("SELECT version FROM resource WHERE type = ? AND id = ?", kind, resource_id)
            version = 1 if row is None else row["version"] + 1
            meta = {**resource.get("meta", {}), "versionId": str(version)}
            body = json.dumps({**resource, "meta": meta})
            self._db.execute("INSERT OR REPLACE INTO resource VALUES (?, ?, ?, ?)", (kind, resource_id, version, body))
            self._db.execute("DELETE FROM token WHERE type = ? AND id = ?", (kind, resource_id))
            self._db.executemany(
                "INSERT OR IGNORE INTO token VALUES (?, ?, ?, ?, ?)",
                [(kind, parameter, system, value, resource_id) for parameter, system, value in _tokens(resource)],
            )
            return version

    def resource(self, kind: str, resource_id: str) -> Resource | None:
        """Return the current version of a resource."""
        row = self._one("SELECT body FROM resource WHERE type = ? AND id = ?", kind, resource_id)
        return None if row is None else json.loads(row["body"])

    def ids_by_token(self, kind: str, parameter: str, system: str, value: str) -> list[str]:
        """Return the ids of the resources of a type that carry this token as `identifier` or `_tag`."""
        rows = self._all(
            "SELECT id FROM token WHERE type = ? AND parameter = ? AND system = ? AND value = ?",
            kind, parameter, system, value,
        )  # fmt: skip
        return [row["id"] for row in rows]

    def resources(self, kind: str) -> list[Resource]:
        """Return every resource of a type."""
        return [json.loads(row["body"]) for row in self._all("SELECT body FROM resource WHERE type = ?", kind)]

    def resource_counts(self) -> dict[str, int]:
        """Count the resources filed, by type."""
        rows = self._all("SELECT type, count(*) AS n FROM resource GROUP BY type ORDER BY type")
        return {row["type"]: row["n"] for row in rows}

    # --- HL7v2 messages ---

    def answered_message(self, application: str, facility: str, control_id: str) -> tuple[str, bytes] | None:
        """Return content hash and answer of a message taken before (HL7 v2.5.1 ch. 2.9.2: repeat the same answer)."""
        row = self._one(
            "SELECT sha256, answer FROM message WHERE application = ? AND facility = ? AND control_id = ?",
            application, facility, control_id,
        )  # fmt: skip
        return None if row is None else (row["sha256"], row["answer"])

    def remember_message(self, application: str, facility: str, control_id: str, sha256: str, answer: bytes) -> None:
        """Keep the answer given to a message."""
        with self.transaction():
            self._db.execute(
                "INSERT OR REPLACE INTO message VALUES (?, ?, ?, ?, ?)",
                (application, facility, control_id, sha256, answer),
            )

    # --- referrals and the answers they are owed ---

    def new_referral_id(self) -> str:
        """Return the next number of this EHR's own for a referral."""
        count = self._one("SELECT count(*) AS n FROM referral")
        assert count is not None
        return f"R{self.instance}-{count['n'] + 1:04d}"

    def put_referral(self, referral: Referral) -> Referral:
        """File a referral; one with the same placer identifier keeps its number and counts as a change."""
        with self.transaction():
            known = self.referral_by_placer(referral.channel, referral.placer)
            if known is not None:
                referral = replace(referral, id=known.id, arrivals=known.arrivals + 1)
            self._db.execute(
                "INSERT OR REPLACE INTO referral VALUES (?, ?, ?, ?)",
                (referral.id, referral.channel, referral.placer, json.dumps(asdict(referral))),
            )
        return referral

    def referral(self, referral_id: str) -> Referral:
        """Return a referral by this EHR's number; an unknown one is a KeyError."""
        row = self._one("SELECT body FROM referral WHERE id = ?", referral_id)
        if row is None:
            raise KeyError(referral_id)
        return _read_referral(row["body"])

    def referral_by_placer(self, channel: str, placer: str) -> Referral | None:
        """Return the referral with the gateway's identifier, if it has come before."""
        row = self._one("SELECT body FROM referral WHERE channel = ? AND placer = ?", channel, placer)
        return None if row is None else _read_referral(row["body"])

    def referrals(self) -> list[Referral]:
        """Return every referral in the order they first came."""
        return [_read_referral(row["body"]) for row in self._all("SELECT body FROM referral ORDER BY id")]

    def add_answer(self, referral_id: str, step: str, reason: str, due: float) -> None:
        """Note a step that this EHR owes the gateway."""
        with self.transaction():
            self._db.execute(
                "INSERT INTO answer (referral, step, reason, due, tries, state, result)"
                " VALUES (?, ?, ?, ?, 0, 'waiting', '')",
                (referral_id, step, reason, due),
            )

    def next_answer(self, now: float) -> Answer | None:
        """Return the oldest step that is due and whose referral owes no earlier one."""
        row = self._one(
            "SELECT * FROM answer AS a WHERE state = 'waiting' AND due <= ? AND NOT EXISTS ("
            " SELECT 1 FROM answer AS b WHERE b.referral = a.referral AND b.state = 'waiting' AND b.n < a.n)"
            " ORDER BY due, n LIMIT 1",
            now,
        )
        return None if row is None else _read_answer(row)

    def note_try(self, answer: Answer, state: str, result: str, due: float) -> None:
        """Write how a try went: `waiting` tries again at `due`, `given` and `failed` are final."""
        with self.transaction():
            self._db.execute(
                "UPDATE answer SET tries = tries + 1, state = ?, result = ?, due = ? WHERE n = ?",
                (state, result, due, answer.n),
            )

    def keep_message(self, answer_n: int, raw: bytes) -> None:
        """Keep the HL7v2 message of an answer before it is sent, so that a repetition sends the same bytes."""
        with self.transaction():
            self._db.execute("UPDATE answer SET message = ? WHERE n = ?", (raw, answer_n))

    def message_to_repeat(self, answer_n: int) -> bytes | None:
        """Return the HL7v2 message of an answer that was tried before."""
        row = self._one("SELECT message FROM answer WHERE n = ?", answer_n)
        return None if row is None else row["message"]

    def drop_answers(self, referral_id: str, reason: str) -> None:
        """Give up every step still owed for a referral (it was cancelled, or is closed at the gateway)."""
        with self.transaction():
            self._db.execute(
                "UPDATE answer SET state = 'failed', result = ? WHERE referral = ? AND state = 'waiting'",
                (reason, referral_id),
            )

    def answers(self, referral_id: str) -> list[Answer]:
        """Return the steps of a referral in order."""
        return [
            _read_answer(row) for row in self._all("SELECT * FROM answer WHERE referral = ? ORDER BY n", referral_id)
        ]

    def _one(self, sql: str, *values: object) -> sqlite3.Row | None:
        with self._lock:
            row: sqlite3.Row | None = self._db.execute(sql, values).fetchone()
            return row

    def _all(self, sql: str, *values: object) -> list[sqlite3.Row]:
        with self._lock:
            return self._db.execute(sql, values).fetchall()


def identifiers_of(resource: Resource) -> list[tuple[str, str]]:
    """Return the (system, value) pairs of a resource's business identifiers."""
    stated = resource.get("identifier", [])
    entries = stated if isinstance(stated, list) else [stated]
    return [(entry.get("system", ""), entry["value"]) for entry in entries if entry.get("value")]


def _tokens(resource: Resource) -> Iterator[tuple[str, str, str]]:
    for system, value in identifiers_of(resource):
        yield "identifier", system, value
    for tag in resource.get("meta", {}).get("tag", []):
        yield "_tag", tag.get("system", ""), tag.get("code", "")


def _read_referral(body: str) -> Referral:
    stored = json.loads(body)
    subject = stored.pop("subject")
    pairs = tuple((system, value) for system, value in subject.pop("identifiers"))
    return Referral(**stored, subject=Subject(identifiers=pairs, **subject))


def _read_answer(row: sqlite3.Row) -> Answer:
    return Answer(row["n"], row["referral"], row["step"], row["reason"], row["tries"], row["state"], row["result"])
