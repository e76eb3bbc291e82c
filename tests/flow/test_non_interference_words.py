"""Non-interference of what partners write: consents they file, replace and take back, and messages about anybody.

The courses of `test_non_interference` read more than they write. Here the hospital and the police file consents about
whatever Patient exists in the fuller world, also one that a program's record alone holds, replace and take back
whatever consent does, and feeds, known and unknown, send messages of every kind that can name a person, a referral or a
consent.
`NON_INTERFERENCE_EXAMPLES` and `NON_INTERFERENCE_SEED` count here too (docs/proofs.md).
"""

from typing import Any

from hypothesis import given, seed, settings
from hypothesis import strategies as st

from tests.flow.test_feed_non_interference import a_world
from tests.flow.test_non_interference import COURSES, RUNS, SEED, WORLDS, submissions, take
from tests.support.courses import Guessed, Step, assert_alike
from tests.support.filed_consents import a_filed, post, post_with_paper, put
from tests.support.two_worlds import HOSPITAL, PEOPLE, PERSON_ID, POLICE, Seen, Submission, TwoWorld, contact

_SENDERS = ("EHR|HOSPITAL", "CENTER|CRISIS", "NOBODY|KNOWN")
_STEP = st.tuples(
    st.sampled_from(["file", "file", "put", "revoke", "word", "word", "again", "search", "events"]),
    st.integers(0, 10_000),
    st.integers(0, 10_000),
)
_COURSE = st.lists(_STEP, min_size=2, max_size=4)


@seed(f"{SEED}/words")
@given(records=submissions(unrouted=True), courses=st.lists(_COURSE, min_size=COURSES, max_size=COURSES))
@settings(parent=WORLDS, max_examples=max(RUNS // 3200, 1))
def test_what_partners_write_tells_them_nothing_of_what_is_withheld(
    records: list[Submission], courses: list[list[Step]]
) -> None:
    assert_alike(lambda is_full: a_world(has_program_part=is_full), records, courses, taken)


def taken(world: TwoWorld, records: list[Submission], number: int, step: Step, guessed: Guessed) -> list[Seen]:
    """Take one step and return what came back."""
    kind, one, other = step
    client, consent = (HOSPITAL, POLICE)[one % 2], guessed.any_of("Consent", one // 2)[8:]
    if kind == "file":
        body = a_filed(a_patient(guessed, other), ("demo-lead", "demo-pd")[one // 2 % 2], f"Consent/{consent}")
        return [(post, post_with_paper)[one // 4 % 2](world, client, body)]
    if kind == "put":
        return [put(world, client, a_filed(a_patient(guessed, other), "demo-lead"), consent, 1 + one // 2 % 2)]
    if kind == "word":
        referral = guessed.numbers[one % len(guessed.numbers)]
        return [world.message(a_word(one, other, f"W{number}", referral, consent))]
    return take(world, records, number, step, guessed)


def a_patient(guessed: Guessed, n: int) -> dict[str, Any]:
    """Name a Patient of the fuller world, whoever holds them, by id or by our number."""
    reference = guessed.any_of("Patient", n // 2)
    return {"identifier": {"system": PERSON_ID, "value": reference[8:]}} if n % 2 else {"reference": reference}


def a_word(one: int, other: int, control_id: str, referral: str, consent: str) -> bytes:
    """Return a message about a person, a referral by its number or a consent by its id."""
    who = PEOPLE[one % 3]
    at = "20261102093000-0800"
    pid = f"PID|1||M-{other % 2}^^^HOSPITAL^MR||{who['last_name']}^{who['first_name']}||{who['dob'].replace('-', '')}|F"
    placed = f"{referral}^WARMHANDOFF"
    kinds: tuple[tuple[str, tuple[str, ...]], ...] = (
        ("ADT^A08^ADT_A01", ("PV1|1|E|ED^^^X", f"CON|1|001||{consent}|||||||X|||{at}")),
        ("ADT^A08^ADT_A01", ("PV1|1|E|ED^^^X", f"CON|1|001||||||||||R|||{at}")),
        ("ADT^A08^ADT_A01", ("PV1|1|E|ED^^^X", f"CON|1|001||||||||||X|||{at}")),
        ("ADT^A40^ADT_A39", (f"MRG|M-{1 - other % 2}^^^HOSPITAL^MR",)),
        ("ORU^R01", (f"ORC|RE|{placed}", f"OBR|1|{placed}||X^x|||20261101", "OBX|1|ST|X^x||done||||||F")),
        ("REF^I13", (f"RF1|P|R|Psy|||{placed}", "PRD|RP|S^S", "PRD|RT|T^T")),
        ("REF^I14", (f"RF1|P|R|Psy|||{placed}", "PRD|RP|S^S", "PRD|RT|T^T")),
    )
    message_type, segments = kinds[other % len(kinds)]
    header = f"MSH|^~\\&|{_SENDERS[one % 3]}|WARMHANDOFF|GATEWAY|{at}||{message_type}|{control_id}|P|2.5.1"
    event = [f"EVN|{message_type[4:7]}|{at}"] if message_type.startswith("ADT") else []
    return "\r".join([header, *event, pid, *segments, ""]).encode()


def test_each_of_these_steps_does_something() -> None:
    """Without that the comparison above would compare nothing."""
    world = a_world(has_program_part=True)
    records = [contact(1, 0, "verbal", "mental_health")]
    world.hand_in(records)
    guessed = Guessed.of(world)

    (filed,) = taken(world, records, 0, ("file", 0, 0), guessed)
    words = [taken(world, records, n, ("word", 0, n), guessed)[0][0] for n in range(7)]

    assert filed[0] == 201
    assert all(b"MSA|AA|" in one for one in words), words
    assert len(words) == len({*words})
