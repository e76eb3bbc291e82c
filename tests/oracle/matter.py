"""The request being decided, and the words that may be said of an item of it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from tests.oracle import papers
from tests.oracle.papers import Ask
from tests.oracle.reading import CRIMINAL_HISTORY, Item, Json, NotJudged, Partners, extensions
from tests.oracle.standing import is_unverified

LAW_ENFORCEMENT = {"police", "prosecutor"}
OFFICERS = {"officer", "detective", "prosecutor"}


@dataclass(frozen=True)
class Word:
    """What is said of one item. `step` orders reasons; `reasons` are several where the law leaves them open.

    `obligations` are owed with it, `absent` would be wrong with it.
    """

    step: tuple[int, int]
    decision: str
    reasons: frozenset[str]
    obligations: frozenset[str] = frozenset()
    absent: frozenset[str] = frozenset()
    unordered: bool = False
    """Whether no rule puts its reasons in an order: any of them will do, whatever is said of other items."""


def no(step: int, *reasons: str, minor: int = 0, hold: bool = False) -> Word:
    """Withhold an item, for any of the reasons."""
    return Word((step, minor), "HOLD" if hold else "DENY", frozenset(reasons))


def unordered(word: Word, *reasons: str) -> Word:
    """Withhold an item for several things at once that no rule puts in an order."""
    return replace(word, reasons=word.reasons | frozenset(reasons), unordered=True)


def yes(step: int, reason: str, *obligations: str, absent: Iterable[str] = ()) -> Word:
    """Let an item go."""
    return Word((step, 0), "PERMIT", frozenset({reason}), frozenset({*obligations, "AUDIT"}), frozenset(absent))


class Matter:
    """One request: who asks for what, and which papers of the person count."""

    def __init__(self, ask: Ask, case: Json) -> None:
        self._case, self.ask = case, ask
        self.partners: Partners = ask.partners
        self.request: Json = case["request"]
        self.basis: Json = self.request.get("basis") or {}
        self.roles = self.partners.roles(ask.recipient)
        self.law_enforcement = ask.is_for_officer or bool(self.roles & LAW_ENFORCEMENT)
        resources = [one["resource"] for one in case["consents"].get("entry", [])]
        self.all_papers = [one for one in resources if one["resourceType"] == "Consent"]
        people = {(one["id"], str(one.get("patient"))) for one in self.all_papers}
        if len({name for name, _ in people}) < len(people):
            raise NotJudged("a paper whose versions are of different people")
        self.existing = self._latest_versions()
        mine = [one for one in self.existing if "patient" not in one or ask.person.is_meant(one["patient"])]
        self.theirs = mine
        """Every paper that may be the person's, those replaced too: what was received under one was."""
        replaced, surely = _replaced(mine, ask)
        self.papers = [one for one in mine if f"Consent/{one['id']}" not in replaced]
        self.may_refuse = [one for one in mine if f"Consent/{one['id']}" not in surely]
        """What nobody can be sure to have been replaced: it permits nothing more, and refuses what it refused."""

    def for_another(self, ask: Ask) -> "Matter":
        """Return the same request as if it were for somebody else."""
        return Matter(ask, self._case)

    def _latest_versions(self) -> list[Json]:
        identities = {one["id"] for one in self.all_papers}
        versions = [[one for one in self.all_papers if one["id"] == each] for each in sorted(identities)]
        return [one for each in versions if (one := papers.latest(each, self.ask.at)) is not None]


def _replaced(held: list[Json], ask: Ask) -> tuple[set[str], set[str]]:
    """Return which papers others have replaced: at all, and surely, by one in force that is what it says."""
    found: set[str] = set()
    surely: set[str] = set()
    for one in held:
        links = {link["valueReference"]["reference"] for link in extensions(one, "supersedes")}
        if one.get("status") in ("active", "inactive"):
            found |= links
        if one.get("status") == "active" and not (links and is_unverified(one, ask)):
            surely |= links
    return found, surely


def is_barred_as_history(matter: Matter, item: Item) -> bool:
    """Say whether it is criminal justice information that police wrote, wherever it has come since. 28 CFR 20.33."""
    by_police = any(matter.partners.roles(one or "") & LAW_ENFORCEMENT for one in item.authors)
    return by_police and CRIMINAL_HISTORY in item.stated_labels
