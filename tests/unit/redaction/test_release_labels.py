"""Each item leaves with the labels of its release: no less than it came with, and nothing that speaks to us alone."""

from typing import Any

import pytest

from gateway.labeling.origin import NO_ORIGIN
from gateway.model.decision import Basis, Verdict
from gateway.model.labeled import Item
from gateway.model.labels import ACT_CODE, CONFIDENTIALITY, COUNSELING_NOTES, OWN_LABEL, Label
from gateway.model.notice import STATEMENT_2
from gateway.redaction.release_labels import Metas, envelope_level, labels_of, meta_of

Json = dict[str, Any]

RELATED = "http://hl7.org/fhir/uv/security-label-ds4p/StructureDefinition/extension-sec-label-related-artifact"
DISPLAY = "http://hl7.org/fhir/uv/security-label-ds4p/StructureDefinition/extension-display"
HIV: Label = (ACT_CODE, "HIV")


def an_item(*labels: Label, shown: frozenset[Label] | None = None, **resource: Any) -> Item:
    both = frozenset(labels)
    content = {"resourceType": "Condition", "id": "c", **resource}
    return Item("Condition/c", "Condition", content, frozenset(), both, shown or both, NO_ORIGIN, b"")


def released(release: str, *obligations: str, basis: Basis | None = None) -> Verdict:
    return Verdict("Condition/c", "PERMIT", "OK_CONSENT", 1, frozenset(obligations), basis, release)


def codes(item: Item, release: str) -> list[str]:
    return [code for _, code in labels_of(item, released(release))]


HELD = ["42CFRPart2", "PERSISTLABEL", "SUD", "NOPROCEEDING"]


@pytest.mark.parametrize(
    ("release", "found"),
    [
        ("tpo", ["R", "42CFRPart2", "CPLYCD", "PERSISTLABEL", "SUD", "NOPROCEEDING"]),
        ("consent", ["R", "42CFRPart2", "CPLYCD", "NORDSCLCD", "PERSISTLABEL", "SUD", "NOPROCEEDING"]),
        ("bound", ["R", "42CFRPart2", "CPLYCD", "NORDSCLCD", "NOREUSE", "PERSISTLABEL", "SUD", "NOPROCEEDING"]),
        *((one, ["R", *HELD]) for one in ("emergency", "patient", "order", "report", "internal")),
        ("crime", ["N", "PERSISTLABEL"]),
        ("non_part2", ["N"]),
        ("deidentified", ["N"]),
    ],
)
def test_a_release_puts_its_labels_on_the_level_first(release: str, found: list[str]) -> None:
    assert codes(an_item(), release) == found


def test_what_the_item_speaks_of_and_what_somebody_asked_stays_on() -> None:
    asked: tuple[Label, ...] = (HIV, (ACT_CODE, "NOAUTH"), (OWN_LABEL, "NOPROCEEDING"))
    ours: tuple[Label, ...] = ((OWN_LABEL, "CJI"), (ACT_CODE, "42CFRPart2CD"), (CONFIDENTIALITY, "L"))

    assert codes(an_item(*asked, *ours), "non_part2") == ["L", "HIV", "NOAUTH", "NOPROCEEDING"]


def test_a_label_of_what_stays_here_stays_here() -> None:
    quiet = an_item(HIV, shown=frozenset({(CONFIDENTIALITY, "M")}))

    assert codes(quiet, "non_part2") == ["M"]


def test_counseling_notes_are_very_restricted_beside_all_their_labels() -> None:
    assert codes(an_item(COUNSELING_NOTES, HIV), "consent") == [
        "V", "42CFRPart2", "CPLYCD", "HIV", "NORDSCLCD", "PERSISTLABEL", "SUD", "NOPROCEEDING", "SUDNOTES",
    ]  # fmt: skip


def test_the_meta_names_the_consent_on_the_label_of_its_law_alone() -> None:
    verdict = released("tpo", "NOTICE", basis=Basis("Consent", "paper", "1"))
    artifact = {"type": "justification", "resource": "https://warmhandoff.example/fhir/Consent/paper"}

    meta = meta_of(an_item(), verdict)

    assert meta["extension"] == [{"url": DISPLAY, "valueAnnotation": {"text": STATEMENT_2}}]
    assert meta["security"][:2] == [
        {"system": CONFIDENTIALITY, "code": "R"},
        {
            "system": ACT_CODE,
            "code": "42CFRPart2",
            "extension": [{"url": RELATED, "valueRelatedArtifact": artifact}],
        },
    ]
    assert not any("extension" in one for one in meta["security"][2:])


@pytest.mark.parametrize("basis", [None, Basis("Order", "o1")])
def test_without_a_consent_or_a_notice_nothing_is_said_of_them(basis: Basis | None) -> None:
    meta = meta_of(an_item(), released("order", basis=basis))

    assert meta.keys() == {"security"}
    assert all(one.keys() == {"system", "code"} for one in meta["security"])


def test_of_its_profiles_an_item_keeps_ours_and_those_of_the_standard() -> None:
    ours = "https://warmhandoff.example/fhir/StructureDefinition/wh-condition"
    standard = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-condition"
    tells = ["https://aspen.example/StructureDefinition/intake", "https://warmhandoff.example/fhir/x"]
    own = {"profile": [ours, *tells, standard], "tag": [{"code": "x"}], "versionId": "3"}

    assert meta_of(an_item(meta=own), released("non_part2")) == {
        "security": [{"system": CONFIDENTIALITY, "code": "N"}],
        "profile": [ours, standard],
    }
    assert "profile" not in meta_of(an_item(meta={"profile": tells}), released("non_part2"))


def test_the_envelope_carries_the_highest_level() -> None:
    levels: set[Label] = {(CONFIDENTIALITY, "L"), (CONFIDENTIALITY, "R"), (CONFIDENTIALITY, "N"), (ACT_CODE, "V")}

    assert envelope_level(levels) == "R"
    assert envelope_level(set()) == "N"


def test_all_labels_of_what_leaves_are_known() -> None:
    metas = Metas()

    metas.of(an_item((CONFIDENTIALITY, "L"), HIV), released("non_part2"))
    metas.of(an_item(), released("crime"))

    assert metas.labels == {(CONFIDENTIALITY, "L"), HIV, (CONFIDENTIALITY, "N"), (ACT_CODE, "PERSISTLABEL")}


def test_items_alike_leave_with_one_meta() -> None:
    metas = Metas()
    verdict = released("tpo", "NOTICE", basis=Basis("Consent", "paper", "1"))

    first, second = metas.of(an_item(HIV), verdict), metas.of(an_item(HIV), verdict)

    assert first is second
    assert first == meta_of(an_item(HIV), verdict)


OURS = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-condition"


@pytest.mark.parametrize(
    ("item", "verdict"),
    [
        (an_item(), released("tpo")),
        (an_item(HIV, shown=frozenset({(CONFIDENTIALITY, "M")})), released("tpo")),
        (an_item(HIV, COUNSELING_NOTES, shown=frozenset({HIV})), released("tpo")),
        (an_item(HIV, meta={"profile": [OURS]}), released("tpo")),
        (an_item(HIV), released("consent")),
        (an_item(HIV), released("tpo", "NOTICE")),
        (an_item(HIV), released("tpo", basis=Basis("Consent", "paper", "1"))),
    ],
)
def test_whatever_differs_between_items_gives_each_its_own_meta(item: Item, verdict: Verdict) -> None:
    metas = Metas()
    metas.of(an_item(HIV), released("tpo"))

    assert metas.of(item, verdict) == meta_of(item, verdict)
    assert metas.of(item, verdict) != meta_of(an_item(HIV), released("tpo"))
