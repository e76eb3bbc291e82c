"""A tree of provisions, read: every condition of one, actors that are contained, and the bounds of all."""

from datetime import UTC
from typing import Any

import pytest

from gateway.consent.compile import compile_consent
from gateway.consent.provision_tree import MAX_PROVISIONS, read_provision
from gateway.model.consent_directive import (
    DataReference,
    Party,
    Provision,
)
from gateway.model.fhir_time import instant
from gateway.model.labels import ACT_CODE, CONFIDENTIALITY
from gateway.model.request import ACT_REASON
from tests.support.part2_world import (
    OWN,
    PARTNER,
    a_class,
    a_consent,
    a_permit,
    labels,
    organization,
    recipient,
    world,
)

Json = dict[str, Any]

AT_ASPEN = Party(frozenset({f"{PARTNER}|aspen"}), "org:aspen")
AT_MERCY = Party(frozenset({f"{PARTNER}|mercy"}), "org:mercy")
NOBODY = Party(frozenset(), vague=True)


class TestProvisions:
    def read(self, written: Json, consent: Json | None = None) -> Provision:
        return read_provision(written, consent or {}, world(), UTC)

    def test_every_condition_is_read(self) -> None:
        found = self.read(
            {
                "type": "permit",
                "period": {"start": "2026-01-01", "end": "2026-01-31"},
                "actor": [
                    recipient("mercy"),
                    {"reference": {"reference": "Practitioner/p"}},
                    {"role": {"coding": [{"code": "CST"}]}, "reference": organization("aspen")},
                    {"role": {"coding": [{"code": "WIT"}]}, "reference": organization("plan")},
                ],
                "purpose": [{"system": ACT_REASON, "code": "ETREAT"}, {"code": "x"}],
                "securityLabel": [*labels("HIV"), {"system": CONFIDENTIALITY, "code": "R"},
                                  {"system": CONFIDENTIALITY, "code": "N"}],
                "class": [{"code": "Condition"}, {"system": "urn:x", "code": "text/plain"}],
                "code": [{"coding": [{"system": "urn:c", "code": "1"}, {"code": "2"}]}, {"text": "?"}],
                "data": [{"meaning": "related", "reference": {"reference": "Encounter/1"}}],
                "dataPeriod": {"start": "2025-01-01"},
                "action": [{"coding": [{"system": "urn:a", "code": "disclose"}]}],
                "provision": [{"type": "deny"}],
            }
        )  # fmt: skip

        assert (found.type, found.nested) == ("permit", (self.read({"type": "deny"}),))
        assert found.period == (instant("2026-01-01T00:00:00Z"), instant("2026-02-01T00:00:00Z"))
        assert found.recipients == (AT_MERCY, Party(frozenset({"Practitioner/p"})), NOBODY)
        assert found.disclosers == (AT_ASPEN,)
        assert found.purposes == ((ACT_REASON, "ETREAT"), ("", "x"))
        assert found.covered == {(ACT_REASON, one) for one in ("ETREAT", "BTG", "ERTREAT")} | {("", "x")}
        assert found.labels == {(ACT_CODE, "HIV")}
        assert found.confidentiality == 4
        assert found.classes == {"Condition", ""}
        assert found.codes == {("urn:c", "1"), ("", "2")}
        assert found.data == (DataReference("related", frozenset({"Encounter/1"})),)
        assert found.data_period == (instant("2025-01-01T00:00:00Z"), None)
        assert found.actions == {"disclose"}

    def test_what_is_not_stated_is_empty(self) -> None:
        assert self.read({"type": "deny"}) == Provision(
            type="deny", period=(None, None), recipients=(), disclosers=(), purposes=(), covered=frozenset(),
            labels=frozenset(), confidentiality=None, classes=frozenset(), codes=frozenset(), data=(), data_period=None,
            actions=frozenset(), nested=(),
        )  # fmt: skip
        assert self.read({}).type == "deny"

    def test_a_contained_actor_is_known_by_its_numbers_or_as_our_class(self) -> None:
        group, actor = a_class("treating-participants")
        foreign = {**group, "id": "f", "code": {"coding": [{"system": "urn:x", "code": "treating-participants"}]}}
        unknown = {**group, "id": "u", "code": {"coding": [{"system": OWN + "recipient-class", "code": "everybody"}]}}
        clinic = {
            "resourceType": "Organization",
            "id": "c",
            "code": group["code"],
            "identifier": [{"value": "7"}, {"system": "urn:y"}, {"system": PARTNER, "value": "mercy"}],
        }
        stranger = {"resourceType": "Organization", "id": "s", "identifier": [{"system": "urn:x", "value": "8"}]}
        nameless = {"resourceType": "Practitioner", "id": "n"}
        uncoded = {"resourceType": "Group", "id": "b"}
        consent = {"contained": [foreign, unknown, group, clinic, stranger, nameless, uncoded]}

        def party(name: str) -> Party:
            one = {**actor, "reference": {"reference": f"#{name}"}}
            return self.read({"type": "permit", "actor": [one]}, consent).recipients[0]

        assert party("treating-participants") == Party(frozenset(), recipient_class="treating-participants")
        assert party("f") == party("u") == party("n") == party("b") == NOBODY
        assert party("c") == Party(frozenset({"|7", f"{PARTNER}|mercy"}), "org:mercy")
        assert party("s") == Party(frozenset({"urn:x|8"}))

    @pytest.mark.parametrize(
        ("written", "told"),
        [
            ({"type": "maybe"}, "a provision that is neither permit nor deny"),
            ({"type": "deny", "provision": [{}]}, "a provision that is neither permit nor deny"),
            ({"purpose": [{"system": ACT_REASON, "code": "TREAT"}]}, "a root provision with conditions and no type"),
            ({"type": "deny", "purpose": [{"code": "TREAT"}]}, "a refusal of something nobody can tell"),
            ({"type": "deny", "securityLabel": [{"code": "HIV"}]}, "a refusal of something nobody can tell"),
            ({"type": "deny", "code": [{"coding": [{"code": "x"}]}]}, "a refusal of something nobody can tell"),
            ({"type": "deny", "class": [{"system": "urn:x", "code": "x"}]}, "a refusal of something nobody can tell"),
            (
                {"type": "permit", "actor": [{"reference": {"reference": "#none"}}]},
                "a reference to something the consent does not contain",
            ),
        ],
    )
    def test_what_nobody_can_tell_is_said(self, written: Json, told: str) -> None:
        with pytest.raises(ValueError) as caught:
            self.read(written)

        assert str(caught.value) == told

    def test_so_deep_they_are_read_and_no_deeper(self) -> None:
        def nested(depth: int) -> Json:
            return {"type": "permit", **({"provision": [nested(depth - 1)]} if depth else {})}

        assert self.read(nested(16)).nested
        with pytest.raises(ValueError, match=r"^provisions nested too deep or too many$"):
            self.read(nested(17))

    def test_a_label_without_a_system_is_another_than_one_with(self) -> None:
        assert self.read({"type": "permit", "securityLabel": [{"code": "HIV"}]}).labels == {("", "HIV")}

    def test_so_many_are_read_and_no_more(self) -> None:
        many = {"type": "deny", "provision": [{"type": "permit"}] * (MAX_PROVISIONS - 1)}
        more = {"type": "deny", "provision": [{"type": "permit"}] * MAX_PROVISIONS}

        assert len(self.read(many).nested) == MAX_PROVISIONS - 1
        with pytest.raises(ValueError, match=r"^provisions nested too deep or too many$"):
            self.read(more)

    @pytest.mark.parametrize(("root", "can_refuse", "tells_apart"), [
        (None, False, False),
        ({"type": "deny"}, True, False),
        ({"type": "deny", "provision": [a_permit()]}, False, False),
        ({"type": "deny", "provision": [{"type": "deny"}]}, True, False),
        ({"type": "permit", "provision": [{"type": "permit", "provision": [{"type": "deny"}]}]}, True, False),
        ({"type": "permit", "provision": [{"type": "deny", "provision": [a_permit()]}]}, True, False),
        ({"type": "permit", "class": [{"code": "Condition"}]}, False, False),
        ({"type": "permit", "code": [{"coding": [{"system": "urn:x", "code": "1"}]}]}, False, True),
        ({"type": "permit", "data": [{"meaning": "instance", "reference": {"reference": "Condition/1"}}]}, False, True),
        ({"type": "permit", "dataPeriod": {"start": "2026-01-01"}}, False, True),
        ({"type": "deny", "provision": [a_permit(dataPeriod={"end": "2026-01-01"})]}, False, True),
    ])  # fmt: skip
    def test_refusals_and_what_tells_items_apart_are_found_at_any_depth(
        self, root: Json | None, can_refuse: bool, tells_apart: bool
    ) -> None:
        found = compile_consent(a_consent(provision=root), world())

        assert (found.can_refuse, found.tells_items_apart) == (can_refuse, tells_apart)

    def test_a_permit_comes_with_what_is_around_it(self) -> None:
        inner = {"type": "permit", "purpose": [{"system": ACT_REASON, "code": "TREAT"}]}
        around = {**inner, "actor": [recipient("mercy")], "provision": [inner]}
        closed = {"type": "deny", "provision": [around]}
        stating = {**closed, "actor": [recipient("plan")]}

        def depths(root: Json) -> list[int]:
            return [len(one.provisions) for one in compile_consent(a_consent(provision=root), world()).grants]

        assert depths(closed) == [1, 2]
        assert depths(stating) == [2, 3]
        assert depths({"type": "permit", "provision": [{"type": "deny", "provision": [inner]}]}) == [1, 3]
