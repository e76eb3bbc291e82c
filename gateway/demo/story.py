"""The demonstration's story: invented records of six programs go the whole way, and each outcome is looked up.

Everything is done through public doors, and every answer is caused by what arrived. What should happen to whom stands
with the samples; what did happen is asked of receipts, metrics and the receiving EHR.
"""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import time
from typing import Any

from gateway.demo.consents import CLINIC, HOSPITAL, revoked, signed
from gateway.demo.doors import Doors, Sent, wait_for
from gateway.demo.received import Arrived, has_findings, has_goals
from gateway.demo.receivers import Receivers
from gateway.demo.samples import files, people
from gateway.demo.samples.files import CASE_MANAGEMENT, FILES, FOLDER
from gateway.demo.samples.sample import Expected, SampleFile
from gateway.demo.stage import Stage
from gateway.demo.telling import Telling

HOSPITAL_LANE = "org:demo-hospital/fhir"
CLINIC_LANE = "org:demo-clinic/hl7v2"
_UNFINISHED = frozenset({"ready", "sending"})
_READS_AS = {"fhir": "demo-ehr", "hl7v2": "demo-clinic-ehr"}


@dataclass(slots=True)
class Tally:
    """The last line of `gateway demo --once` (docs/demo.md)."""

    ok: bool = True
    records: int = 0
    programs: int = 0
    converted: int = 0
    quarantined: int = 0
    duplicates: int = 0
    skipped: int = 0
    delivered_fhir: int = 0
    delivered_hl7v2: int = 0
    refused: int = 0
    held: int = 0
    withheld: int = 0
    answered: int = 0
    dead: int = 0

    def as_json(self) -> str:
        """Return the line."""
        return json.dumps(asdict(self))


@dataclass(slots=True)
class Story:
    """One telling of the story on one stage."""

    stage: Stage
    telling: Telling
    receivers: Receivers
    sent: Sent
    doors: Doors = field(init=False)
    tally: Tally = field(default_factory=Tally)
    _states: Counter[str] = field(default_factory=Counter)
    _ids: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.doors = Doors(self.stage, self.sent)

    def tell(self) -> Tally:
        """Tell it from beginning to end and return what came of it; anything unexpected makes `ok` false."""
        self.telling.title(
            "Warm Handoff",
            "From a police or crisis encounter into care, and nothing out that the law or the person has not allowed.\n"
            "Everybody in this story is invented. Everything happens on this machine, through public doors.",
        )
        self._open()
        self._police_records()
        self._agreements()
        self._case_manager_on_board()
        self._part2_program()
        self._outage()
        self._again()
        self._unreadable()
        self._answers()
        self._inside_and_outside()
        tally = self._count()
        for exchange in self.receivers.exchanges():
            self.sent(f"to-receiver.{'json' if exchange.channel == 'fhir' else 'hl7'}", exchange.sent)
        return tally

    # --- chapters ---

    def _open(self) -> None:
        self.telling.chapter(
            "A gateway, a hospital and a clinic",
            "The hospital takes FHIR. The clinic treats substance use, is a Part 2 program and takes HL7v2.",
        )
        with self.telling.working("starting the gateway and the stand-in EHR"):
            gateway = self.stage.start_gateway(self.receivers.to)
            self.receivers.open()
        self.telling.say(f"  gateway  {gateway.http}  mllp {gateway.mllp[0]}:{gateway.mllp[1]}")
        self.telling.say(f"  EHR      {self.receivers.to.fhir}  mllp {self.receivers.to.mllp}")

    def _police_records(self) -> None:
        self.telling.chapter(
            "The police hand in their records",
            "Crisis templates of 117 columns, open data, NIEM 6 XML and dispatch objects (EIDO). Some refer a person;\n"
            "none of the forms asks the person. So everything is converted and counted, and nothing is sent.",
        )
        receipts = self._hand_in(files.CRISES, files.OPEN_DATA, *files.INCIDENTS, *files.DISPATCHES)
        self.telling.say("What the police learn of a record, whatever becomes of the person:")
        self.telling.plain("  " + json.dumps(receipts[0]["records"][0]))
        self._settle()
        arrived = self.receivers.referrals()
        self._check("nothing reached anybody", not arrived, f"{len(arrived)} referrals")

    def _agreements(self) -> None:
        self.telling.chapter(
            "Co-responders ask, and hand in what each person said",
            "A signed or spoken yes lets a referral go, and with it what officers had written about the same person.\n"
            "A no, an agreement taken back, a question not asked, a person who is only possibly known: nothing goes.",
        )
        self._hand_in(files.CONTACTS)
        self._settle()
        self._compare(files.CRISES, files.CONTACTS)

    def _case_manager_on_board(self) -> None:
        self.telling.chapter(
            "Police refer, with a case manager on board",
            "The case manager works for a program under 42 CFR Part 2. The officers asked, Mia and Ted said yes: the\n"
            "officers' referrals go. What the case manager found needs a Part 2 consent: it stays behind, silently.",
        )
        self._hand_in(files.RIDES)
        self._settle()
        self._compare(files.RIDES)
        for person, whose, wanted in (
            (people.ANN, "the co-responder", True),
            (people.MIA, "the case manager", False),
            (people.TED, "the case manager", False),
        ):
            found = has_findings(self.receivers.exchanges(), person)
            self._check(
                f"the hospital has {'what' if wanted else 'nothing that'} {whose} found of {person.given}",
                found == wanted,
            )

    def _part2_program(self) -> None:
        self.telling.chapter(
            "A Part 2 program refers",
            "What the program itself hands in is its Part 2 record, whoever wrote it: the police's part too. A column\n"
            "that says 'signed' is no consent. Two people sign the whole form: Wes names the clinic, Xia the clinic\n"
            "and the hospital. So nothing of Wes goes to the hospital, and nothing of the others goes anywhere.",
        )
        self._hand_in(files.DIVERSIONS)
        self._file_consent(files.DIVERSIONS, 1, [CLINIC])
        self._file_consent(files.DIVERSIONS, 2, [CLINIC, HOSPITAL])
        self._settle()
        self._compare(files.DIVERSIONS)
        for person, wanted in ((people.WES, False), (people.YAN, False), (people.XIA, True)):
            found = has_goals(self.receivers.exchanges(), person)
            self._check(f"the hospital has {'the' if wanted else 'no'} goals of {person.given}", found == wanted)

    def _outage(self) -> None:
        self.telling.chapter(
            "Both receivers are down, and somebody changes their mind",
            "Two referrals wait for the clinic. Lou takes the consent back before the clinic is there again.",
        )
        self.receivers.cut()
        self._hand_in(files.OUTAGE)
        lous, etag = self._file_consent(files.OUTAGE, 1, [CLINIC])
        self._file_consent(files.OUTAGE, 2, [CLINIC])
        waiting = wait_for(lambda: self._waiting_for_clinic(2), "two referrals that wait for the clinic")
        self.telling.say(f"  {waiting} referrals wait for the clinic")
        self.doors.change_consent(CASE_MANAGEMENT, revoked(lous, _now()), etag)
        self.telling.say("  Lou's consent is revoked; the clinic comes back")
        self.receivers.open()
        self._settle()
        self._compare(files.OUTAGE)
        own = {one.removeprefix("Task/") for one in self._ids[files.OUTAGE.name] if one.startswith("Task/")}
        reasons = [str(work["reason"]) for work in self.doors.at_rest() if work["subject"] in own]
        revoked_ones = [reason for reason in reasons if reason.startswith("CONSENT_REVOKED")]
        self._check("what waited for Lou was refused because of the revocation", len(revoked_ones) == 1, str(reasons))

    def _again(self) -> None:
        self.telling.chapter(
            "The same again, and changed",
            "A record that comes twice is a duplicate. A changed one goes out as an update, to whoever has it.",
        )
        self._hand_in(files.CRISES_AGAIN, files.CONTACTS_AGAIN, files.DIVERSIONS_AGAIN)
        self._settle()
        for person, service in (
            (people.BEN, "mobile-crisis"),
            (people.BEN, "peer-support"),
            (people.XIA, "sud-treatment"),
        ):
            times = next((one.times for one in self.receivers.referrals() if one.concerns(person, service)), 0)
            self._check(f"the change reached {person.given}'s {service} referral", times > 1, f"{times} arrivals")

    def _unreadable(self) -> None:
        self.telling.chapter(
            "What cannot be read is kept",
            "A truncated message and a report of the future are in quarantine already. A stranger's HL7v2 message is\n"
            "accepted, stored and waits for a person.",
        )
        code = self.doors.say(_strangers_message())
        self._check("the stranger got an acknowledgement", code in ("AA", "CA"), code)

    def _answers(self) -> None:
        self.telling.chapter(
            "The receivers answer",
            "The EHR accepts, declines, books, admits and discharges by its own rules: Task by FHIR; RRI, SIU and ADT\n"
            "by HL7v2. Each answer moves the referral at the gateway, which is asked as the receiver would ask.",
        )
        with self.telling.working("waiting until every answer is given"):
            arrived = wait_for(self._all_answered, "the EHR's answers")
            self._settle()
        rows = []
        for one in arrived:
            status = self._status_at_gateway(one)
            rows.append([f"{one.given} {one.family}", one.service, one.channel, one.status, status])
            self.tally.answered += one.is_answered and status == one.status
        self.telling.table("Referrals", ["person", "service", "by", "the EHR said", "the gateway knows"], rows)
        asked = [one for one in arrived if one.answers]
        self._check("every answer moved its referral", self.tally.answered == len(asked), f"{self.tally.answered}")

    def _inside_and_outside(self) -> None:
        self.telling.chapter(
            "Why nothing was sent, inside and outside",
            "An operator sees rule and section of every refusal. Outside, a refused referral and one that never was\n"
            "look the same.",
        )
        at_rest = self.doors.at_rest()
        reasons = Counter((str(work["state"]), str(work["reason"])) for work in at_rest)
        rows = [[state, reason, str(count)] for (state, reason), count in reasons.most_common()]
        self.telling.table("gateway dead-letters --state refused --state held", ["state", "reason", "referrals"], rows)
        named = [work for work in at_rest if work["state"] == "refused" and "(" in str(work["reason"])]
        refused = [work for work in at_rest if work["state"] == "refused"]
        self._check("every refusal names its rule and section", named == refused)
        to_hospital = next(work for work in refused if work["lane"] == HOSPITAL_LANE)
        seen = self.doors.read_task("demo-ehr", to_hospital["subject"])
        missing = self.doors.read_task("demo-ehr", "never-was")
        self._check(
            "the hospital sees no difference to a referral that never was", seen == missing, f"{seen}, {missing}"
        )

    # --- doing ---

    def _hand_in(self, *handed: SampleFile) -> list[dict[str, Any]]:
        with self.telling.working("handing in"):
            locations = [(file, self.doors.hand_in(file, FOLDER)) for file in handed]
            receipts = [(file, self.doors.receipt(file, location)) for file, location in locations]
        by_source: dict[tuple[str, str], Counter[str]] = {}
        for file, receipt in receipts:
            states = _states(receipt)
            self._states.update(states)
            by_source.setdefault((file.source, file.client), Counter()).update(states)
            self._ids[file.name] = [one for record in receipt["records"] for one in record["ids"]]
            if states != Counter(dict(file.states)):
                self._check(f"{file.name} became {dict(file.states)}", False, str(dict(states)))
        rows = [
            [source, client, ", ".join(f"{n} {state}" for state, n in states.items())]
            for (source, client), states in by_source.items()
        ]
        self.telling.table("Receipts", ["source", "handed in by", "records"], rows)
        for file, receipt in receipts:
            for record in receipt["records"]:
                if record["reason"]:
                    self.telling.say(f"  {file.name}, record {record['n']} {record['state']}: {record['reason']}")
        return [receipt for _, receipt in receipts]

    def _file_consent(self, file: SampleFile, n: int, recipients: list[dict[str, Any]]) -> tuple[dict[str, Any], str]:
        patients = [one for one in self._ids[file.name] if one.startswith("Patient/")]
        consent = signed(patients[n - 1], recipients, _now())
        named = " and ".join(str(recipient["display"]) for recipient in recipients)
        self.telling.say(f"  a Part 2 consent is filed that names {named}")
        return self.doors.file_consent(CASE_MANAGEMENT, consent)

    def _settle(self) -> None:
        """Wait until the gateway has nothing to do."""
        with self.telling.working("waiting until the gateway has nothing to do"):
            wait_for(lambda: True if not self._unfinished() else None, "an idle gateway", timeout_s=90)

    def _unfinished(self) -> int:
        return sum(count for (_, state), count in self.doors.work().items() if state in _UNFINISHED)

    def _waiting_for_clinic(self, wanted: int) -> int | None:
        count = sum(n for (lane, state), n in self.doors.work().items() if lane == CLINIC_LANE and state in _UNFINISHED)
        return count if count >= wanted else None

    def _all_answered(self) -> list[Arrived] | None:
        arrived = self.receivers.referrals()
        return arrived if not any(one.waits_for_answers for one in arrived) else None

    def _status_at_gateway(self, one: Arrived) -> str:
        return self.doors.task_status(_READS_AS[one.channel], one.placer) or "(nothing)"

    # --- looking ---

    def _compare(self, *handed: SampleFile) -> None:
        """Compare which referrals of these files arrived with what the samples expect."""
        arrived = self.receivers.referrals()
        rows = []
        for expected in _expected(handed):
            found = next(
                (one.channel for one in arrived if one.concerns(expected.person, expected.service)), "nothing arrived"
            )
            holds = found == expected.outcome or (
                found == "nothing arrived" and expected.outcome in ("refused", "held")
            )
            person = f"{expected.person.given} {expected.person.family}"
            rows.append([person, expected.service, expected.outcome, found])
            if not holds:
                self._check(f"{person}, {expected.service}: {expected.outcome}", False, found)
        self.telling.table("Referrals", ["person", "service", "expected", "at the receiver"], rows)

    def _count(self) -> Tally:
        """Count what happened, from receipts, metrics and the EHR, and compare with what should have happened."""
        tally, work, arrived = self.tally, self.doors.work(), self.receivers.referrals()
        expected = Counter(one.outcome for one in _expected(FILES))
        tally.records = sum(self._states.values())
        tally.programs = len({file.source for file in FILES})
        tally.converted, tally.quarantined = self._states["converted"], self._states["quarantined"]
        tally.duplicates, tally.skipped = self._states["duplicate"], self._states["skipped"]
        tally.delivered_fhir = sum(one.channel == "fhir" for one in arrived)
        tally.delivered_hl7v2 = sum(one.channel == "hl7v2" for one in arrived)
        tally.refused, tally.held, tally.dead = (_in_state(work, state) for state in ("refused", "held", "dead"))
        sent = self.receivers.exchanges()
        tally.withheld = sum(not has_findings(sent, one.person) for one in _expected(FILES) if one.withheld)
        self.telling.chapter("What came of it", "Counted from receipts, metrics and the receiving EHR.")
        for name, wanted in (
            ("delivered_fhir", expected["fhir"]),
            ("delivered_hl7v2", expected["hl7v2"]),
            ("refused", expected["refused"]),
            ("held", expected["held"]),
            ("withheld", sum(one.withheld for one in _expected(FILES))),
            ("dead", 0),
        ):
            found = getattr(tally, name)
            self._check(f"{name}: {wanted}", found == wanted, str(found))
        self.telling.table("Tally", ["", ""], [[name, str(value)] for name, value in asdict(tally).items()])
        return tally

    def _check(self, what: str, holds: bool, found: str = "") -> None:
        self.telling.check(what, holds, found)
        self.tally.ok = self.tally.ok and holds


def _states(receipt: dict[str, Any]) -> Counter[str]:
    """Count a receipt's records by state; an input that could not be read at all is one record in quarantine."""
    if not receipt["records"]:
        return Counter({receipt["state"]: 1})
    return Counter(record["state"] for record in receipt["records"])


def _expected(handed: Iterable[SampleFile]) -> list[Expected]:
    return [one for file in handed for one in file.referrals]


def _in_state(work: Counter[tuple[str, str]], state: str) -> int:
    return sum(count for (_, found), count in work.items() if found == state)


def _strangers_message() -> bytes:
    at = (_now() - timedelta(minutes=1)).strftime("%Y%m%d%H%M%S%z")
    return (
        f"MSH|^~\\&|STRANGER|ELSEWHERE|||{at}||ADT^A01^ADT_A01|S-1|P|2.5.1\rEVN|A01|{at}\r"
        "PID|1||77^^^ELSEWHERE^MR||Nobody-Test^Known||19700101|U\rPV1|1|I\r"
    ).encode()


def _now() -> datetime:
    # The story stands outside of the gateway, whose clock it could not take.
    return datetime.fromtimestamp(time(), tz=UTC)


def keep_in(folder: Path | None) -> Sent:
    """Return what keeps sent bytes: numbered files in a folder, or nothing."""
    numbers = iter(range(1, 1_000_000))

    def keep(name: str, content: bytes) -> None:
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{next(numbers):03d}-{name}").write_bytes(content)

    return keep
