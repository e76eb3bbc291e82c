"""Whether a paper stands: elements, signatures, revocation, end. 42 CFR 2.31(a), (c), 2.14, 2.15, 2.35."""

from datetime import UTC, datetime, timedelta, tzinfo

from tests.oracle import purposes
from tests.oracle.papers import (
    Ask,
    Path,
    class_of,
    disclosers,
    kind_of,
    permits,
    purposes_of,
    recipients_of,
    root,
    stated_purposes,
    zone_of,
)
from tests.oracle.purposes import Purpose
from tests.oracle.reading import OWN, Json, NotJudged, covers, extensions, on_site, span
from tests.oracle.receivers import lacks_participants

_STUDY_IS_OVER = {"completed", "administratively-completed", "withdrawn", "disapproved"}


def revocations(paper: Json, ask: Ask) -> set[str]:
    """Return how a paper is revoked for this recipient by now: "oral", "written", both or not at all. 2.31(a)(6)."""
    zone = zone_of(paper, ask)
    from_then = revocable_from(paper, zone)
    found = set()
    everybody = ask.partners.with_wholes({ask.recipient, *ask.via})
    for one in extensions(paper, "revocation"):
        parts = {part["url"]: part for part in one.get("extension", [])}
        for_whom = [part["valueReference"] for part in one.get("extension", []) if part["url"] == "recipient"]
        if for_whom and not everybody & set(map(ask.partners.named, for_whom)):
            continue
        when = span(parts["when"]["valueDateTime"], zone)[0] if "when" in parts else ask.at
        found.add((when, parts.get("method", {}).get("valueCode")))
    for fact in ask.facts:
        if fact.get("type") == "revocation" and (fact["of"] == "all" or f"Consent/{paper['id']}" in fact["of"]):
            when = span(fact["received"], zone)[0]
            if fact["of"] == "all" and paper.get("dateTime") and when < span(paper["dateTime"], zone)[0]:
                continue
            found.add((when, fact["method"]))
    if paper.get("status") != "active" and not still_stands(paper, ask) and any(when > ask.at for when, _ in found):
        raise NotJudged("a paper that is inactive for a revocation still to come")
    methods = {method for when, method in found if max(when, from_then or when) <= ask.at}
    return {"oral" if method == "oral" else "written" for method in methods}


def revocable_from(paper: Json, zone: tzinfo) -> datetime | None:
    """Return from when a paper may be taken back, where it is one of 2.35: any other may be at once. 2.35(c)"""
    beginning = extensions(paper, "revocable-from") if kind_of(paper) == "criminal-justice-referral" else []
    return span(beginning[0]["valueDateTime"], zone)[0] if beginning else None


def still_stands(paper: Json, ask: Ask) -> bool:
    """Say whether a paper is in force: active, or inactive for nothing but a revocation that does not count yet."""
    if paper.get("status") == "active":
        return True
    since = revocable_from(paper, zone_of(paper, ask))
    whole = [
        one
        for one in extensions(paper, "revocation")
        if not any(part["url"] == "recipient" for part in one.get("extension", []))
    ]
    return paper.get("status") == "inactive" and bool(whole) and since is not None and ask.at < since


def has_ended(paper: Json, ask: Ask, surely: bool) -> bool:
    """Say whether the event that ends a paper has come; `surely`: without any doubt which treatment it was, and when.

    A treatment that was over before the paper was signed is not the one it speaks of.
    """
    event = next((one["valueCode"] for one in extensions(paper, "expiry")), None)
    if event == "end-of-research-study":
        studies = [one.get("status") for one in ask.facts if one.get("resourceType") == "ResearchStudy"]
        return not surely and bool(_STUDY_IS_OVER & set(studies))
    if event != "end-of-treatment":
        return False
    here = set(map(ask.partners.named, disclosers(paper)))
    for fact in ask.facts:
        if fact.get("resourceType") != "EpisodeOfCare" or fact["status"] != "finished":
            continue
        place = ask.partners.named(fact.get("managingOrganization"))
        if not ask.person.is_meant(fact.get("patient")) or (place and place not in here):
            continue
        over = _when_over(fact, ask.partners.zone(place))
        signed = _when_signed(paper, zone_of(paper, ask))
        if over and signed and over <= signed:
            continue
        is_sure = place is not None and over is not None and over <= ask.at and signed is not None
        if is_sure or not surely:
            return True
    return False


def _when_over(episode: Json, zone: tzinfo) -> datetime | None:
    end = episode.get("period", {}).get("end")
    return span(end, zone)[1] if end else None


def missing_elements(path: Path, paper: Json, ask: Ask) -> list[str]:
    """Return the elements of 42 CFR 2.31(a) that a paper lacks.

    Each permit has to say what, to whom and for what; the paper as a whole what it must say once.
    """
    granting = permits(paper)
    stated = stated_purposes(paper)
    tpo = any(map(purposes.is_tpo, stated))
    criminal = kind_of(paper) == "criminal-justice-referral"
    here = [[class_of(one, paper) for one in recipients_of(node)] for node in path if recipients_of(node)]
    of_tpo = [each for each in granting if any(map(purposes.is_tpo, purposes_of(each)))]
    recipients = [one for each in of_tpo for node in each for one in recipients_of(node)]
    to_class = any(class_of(one, paper) for one in recipients)
    to_covered = any(ask.partners.is_covered(ask.partners.named(one) or "") for one in recipients)

    signed = _when_signed(paper, zone_of(paper, ask))

    fundraising = "fundraising" in ask.partners.roles(ask.recipient)

    def says(name: str) -> bool:
        return any(one.get("valueBoolean") is True for one in extensions(paper, name))

    def lacking(*kinds: str) -> bool:
        return not any(kind in node for node in path for kind in kinds)

    tests = {
        "EL_PATIENT": "patient" not in paper,
        "EL_DISCLOSER": not disclosers(paper),
        "EL_INFO": lacking("securityLabel", "class", "code", "data"),
        "EL_RECIPIENT": not here or any(set(one) == {""} for one in here),
        "EL_INTERMEDIARY": lacks_participants(path, paper, ask),
        "EL_CE_STATEMENT": tpo and not criminal and (to_class or to_covered) and not says("ce-redisclosure-statement"),
        "EL_PURPOSE": lacking("purpose") or (fundraising and not says("fundraising-opt-out")),
        "EL_REVOCATION": not says("revocation-right") or (criminal and not extensions(paper, "revocable-from")),
        "EL_EXPIRY": not _states_its_end(paper, stated, criminal),
        "EL_SIGNATURE": not _is_signed(paper, ask, stated),
        "EL_DATE": signed is None or signed > ask.at,
        "EL_TPO_STATEMENTS": tpo
        and not criminal
        and not (says("tpo-redisclosure-warning") and says("refusal-consequences")),
    }
    return [name for name, lacks in tests.items() if lacks]


def _when_signed(paper: Json, zone: tzinfo) -> datetime | None:
    """Return when a paper was signed; a month or a year is no date."""
    if len(paper.get("dateTime", "")) < 10:
        return None
    return span(paper["dateTime"], zone)[0]


def _states_its_end(paper: Json, stated: set[Purpose], criminal: bool) -> bool:
    """Say whether (a)(7) is met: a date, or an event that the purposes allow; 2.35(b) asks for a period."""
    if "end" in root(paper).get("period", {}):
        return True
    event = next((one["valueCode"] for one in extensions(paper, "expiry")), None)
    if criminal:
        return False
    if event in ("none", "end-of-treatment"):
        return bool(stated) and all(map(purposes.is_tpo, stated))
    return event == "end-of-research-study" and all(purposes.is_under(one, purposes.RESEARCH) for one in stated)


def _is_signed(paper: Json, ask: Ask, stated: set[Purpose]) -> bool:
    """Say whether there is a signature and everybody who signed was entitled to. 2.31(a)(8), 2.14, 2.15."""
    signed = any(key.startswith("source") for key in paper) or bool(extensions(paper, "signature"))
    performers = paper.get("performer", [])
    if not signed or not performers:
        return False
    zone = zone_of(paper, ask)
    day, after = span(paper["dateTime"], zone) if "dateTime" in paper else (ask.at, ask.at)
    age = ask.person.age(on_site(day))
    by_patient = [one for one in performers if ask.person.is_meant(one)]
    others = [one for one in performers if not ask.person.is_meant(one)]
    bases = {_authority(one, (day, max(day, after - timedelta(microseconds=1))), zone) for one in others}
    if age is not None and age < 18:
        parental = ask.switches.get("minor_consent", 13) == "parental"
        needs_parent = parental or age < int(ask.switches.get("minor_consent", 13))
        entitled = bases <= {"parental", "guardian", "personal-representative"}
        return bool(by_patient) and entitled and (not needs_parent or bool(bases & {"parental", "guardian"}))
    beyond = not all(purposes.is_under(one, purposes.PAYMENT) for one in (*stated, *ask.purposes))
    if "director-determination" in bases and beyond:
        return False
    return bases <= {"guardian", "personal-representative", "director-determination"}


def _authority(performer: Json, when: tuple[datetime, datetime], zone: tzinfo) -> str | None:
    """Return the capacity in which somebody else signs, in force all the while it may have been; None for none."""
    for one in extensions(performer, "authority"):
        parts = {part["url"]: part for part in one.get("extension", [])}
        basis: str = parts["basis"]["valueCode"]
        if not all(covers(parts.get("period", {}).get("valuePeriod"), one, zone) for one in when):
            return None
        if basis in ("guardian", "personal-representative") and "document" not in parts:
            return None
        return basis
    return None


def is_now_of_age(paper: Json, ask: Ask) -> bool:
    """Say whether a minor whose parent signed too is of age now. 42 CFR 2.14."""
    by_parent = any(
        part.get("valueCode") == "parental"
        for performer in paper.get("performer", [])
        for one in extensions(performer, "authority")
        for part in one["extension"]
    )
    zone = zone_of(paper, ask)
    then, now = (ask.person.age(on_site(one)) for one in (span(paper["dateTime"], zone)[0], ask.at))
    return by_parent and then is not None and now is not None and then < 18 <= now


def is_unverified(paper: Json, ask: Ask) -> bool:
    """Say whether a paper of another system lacks its verification, or a word of that system within a day.

    What it wrote of the paper is such a word too, and none lies ahead. 42 CFR 2.31(c)(3), (4).
    """
    source = paper.get("meta", {}).get("source", "")
    if any(one.get("verified") is not True for one in paper.get("verification", [])):
        return True
    if not source or source.startswith(OWN):
        return False
    stores = [one for one in ask.switches.get("verified_sources", []) if source.startswith(one["address"])]
    dated = [one["verificationDate"] for one in paper.get("verification", []) if "verificationDate" in one]
    vouched = bool(paper.get("verification")) and all(span(one, UTC)[0] <= ask.at for one in dated)
    vouched = vouched or any(span(one["verified"], UTC)[0] <= ask.at for one in stores)
    if not vouched and ask.switches.get("require_verification_external") is not False:
        return True
    told = [paper["meta"].get("lastUpdated"), *dated]
    past = [one for one in (span(text, UTC)[0] for text in told if text) if one <= ask.at]
    return not past or max(past) < ask.at - timedelta(hours=24)
