"""FHIR -> v2 -> FHIR: what a disclosure is labeled with when it leaves, its receiver reads back (K13)."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.catalog.hl7v2_packs import read_hl7_packs
from gateway.formats.hl7v2 import Message, read_message
from gateway.formats.hl7v2.labels import labeled
from gateway.formats.hl7v2.maps import FeedContext, Sender, read_feed
from gateway.formats.hl7v2.referral import write_referral
from gateway.formats.hl7v2.referral_document import write_document
from gateway.formats.hl7v2.referral_order import write_order
from gateway.model.hl7_header import Hl7Header
from gateway.model.labels import ACT_CODE, CONFIDENTIALITY, CONFIDENTIALITY_RANK, HANDLING, PART2, SUD, high_water_mark
from gateway.model.notice import STATEMENT_2
from tests.support.referrals import referral_bundle

PACKS = read_hl7_packs()
CONTEXT = FeedContext(b"a key for tests", datetime(2026, 11, 2, 18, tzinfo=UTC), Sender("urn:oid:2.999.1", "us", "Us"))
HEADER = Hl7Header(("W",), ("G",), ("E",), ("R",), "20261102101500-0800", "MSG1", trigger_event="I12", security="R")
LABELS = sorted(HANDLING | {PART2, SUD, (ACT_CODE, "HIV"), (ACT_CODE, "ETHUD"), (CONFIDENTIALITY, "V")})


def written(kind: str, bundle: dict[str, Any]) -> bytes:
    if kind == "OMG":
        return write_order(bundle, STATEMENT_2, HEADER, "create")
    if kind == "MDM":
        return write_document(bundle, STATEMENT_2, HEADER, "create")
    return write_referral(bundle, STATEMENT_2, HEADER)


@pytest.mark.parametrize("kind", ["REF", "OMG", "MDM"])
@settings(max_examples=15, deadline=None)
@given(st.frozensets(st.sampled_from(LABELS), min_size=1), st.frozensets(st.sampled_from(LABELS)))
def test_no_label_is_lost_and_no_level_falls(
    kind: str, one: frozenset[tuple[str, str]], two: frozenset[tuple[str, str]]
) -> None:
    bundle = referral_bundle()
    entries = [{**entry, "resource": labeled(entry["resource"], one)} for entry in bundle["entry"][:1]]
    entries += [{**entry, "resource": labeled(entry["resource"], two)} for entry in bundle["entry"][1:]]

    message = read_message(written(kind, {**bundle, "entry": entries}))
    assert isinstance(message, Message)
    pack = PACKS.for_message(message.text("MSH-9.1"), message.text("MSH-9.2"), "")
    assert pack is not None
    result = read_feed(message, pack, CONTEXT)

    content = [each for each in result.resources if each["resourceType"] in ("Patient", "Encounter", "ServiceRequest")]
    assert content
    for resource in content:
        read = {(each["system"], each["code"]) for each in resource["meta"]["security"]}
        assert {label for label in one | two if label[0] != CONFIDENTIALITY} <= read
        assert CONFIDENTIALITY_RANK[high_water_mark(read)] >= CONFIDENTIALITY_RANK[high_water_mark(one | two)]
