"""A Consent that says everything there is to say, compiled; and what is known of one nobody can read."""

from datetime import date
from typing import Any

import orjson
import pytest

from gateway.catalog.partners import registry_from
from gateway.consent import compile_consents
from gateway.consent.compile import compile_consent, disclosers_of
from gateway.model.consent_directive import (
    Consents,
    Directive,
    Party,
    Performer,
    RevocationOf,
)
from gateway.model.fhir_time import BEGINNING, instant
from gateway.model.labels import ACT_CODE, CONFIDENTIALITY
from gateway.model.request import ACT_REASON
from tests.support.part2_world import (
    EXTENSION,
    OWN,
    PARTNER,
    PARTNERS,
    PERSON,
    a_consent,
    a_permit,
    bundle,
    organization,
    recipient,
    world,
)

Json = dict[str, Any]

EARLIER, LATER = "2026-08-01T00:00:00Z", "2026-09-01T17:00:00Z"

AT_ASPEN = Party(frozenset({f"{PARTNER}|aspen"}), "org:aspen")
AT_MERCY = Party(frozenset({f"{PARTNER}|mercy"}), "org:mercy")
NOBODY = Party(frozenset(), vague=True)


def stated(name: str, **value: Any) -> Json:
    return {"url": EXTENSION + name, **value}


def parts(name: str, **values: Any) -> Json:
    """An extension of several parts: parts("revocation", when={"valueDateTime": ...})."""
    return {"url": EXTENSION + name, "extension": [{"url": one, **value} for one, value in values.items()]}


def compiled(consent: Json) -> Directive:
    return compile_consent(consent, world())


class TestEverythingAConsentSays:
    RICH = a_consent(
        id="rich",
        meta={
            "versionId": "7",
            "lastUpdated": "2026-09-02T10:00:00Z",
            "source": "https://exchange.example/fhir",
            "extension": [
                {"url": "https://warmhandoff.example/fhir/StructureDefinition/part2-filed",
                 "valueInstant": "2026-09-03T10:00:00Z"},
                {"url": "urn:x", "valueInstant": "2026-09-09T10:00:00Z"},
            ],
        },
        category=[
            {"coding": [{"system": ACT_CODE, "code": "42CFRPart2CD"}, {"system": ACT_CODE, "code": "other"}]},
            {"coding": [{"system": OWN + "consent-category", "code": "proceedings"}]},
            {"text": "a kind in words"},
        ],
        dateTime="2026-09-01",
        sourceReference=None,
        performer=[
            {"reference": "Patient/t1", "extension": [{"url": "urn:x"}]},
            {
                "reference": "RelatedPerson/g",
                "extension": [
                    parts(
                        "authority",
                        basis={"valueCode": "guardian"},
                        document={"valueReference": {"reference": "DocumentReference/letters"}},
                        period={"valuePeriod": {"start": "2026-01-01", "end": "2026-12-31"}},
                    )
                ],
            },
            {"reference": "RelatedPerson/h", "extension": [parts("authority", basis={"valueCode": "parental"})]},
        ],
        verification=[
            {"verified": True, "verificationDate": "2026-09-04"},
            {"verified": True, "verificationDate": ["2026-09-05T10:00:00Z", "2026-09-06T10:00:00Z"]},
        ],
        extensions=[
            stated("fundraising-opt-out", valueBoolean=False),
            stated("signature", valueSignature={"when": "2026-09-01T10:00:00Z"}),
            stated("expiry", valueCode="none"),
            stated("form-edition", valueDate="2024-04-16"),
            stated("supersedes", valueReference={"reference": "https://warmhandoff.example/fhir/Consent/older"}),
            stated("condition-of", valueCode="parole"),
            stated("revocable-from", valueDateTime="2026-10-01"),
            parts(
                "revocation",
                when={"valueDateTime": "2026-10-02T10:00:00Z"},
                method={"valueCode": "oral"},
                by={"valueString": "x"},
                recipient={"valueReference": organization("mercy")},
            ),
            parts("revocation", when={"valueDateTime": "2026-10-03"}),
            {"url": "urn:x", "valueBoolean": True},
        ],
    )  # fmt: skip

    def test_when_it_can_be_taken_back_is_kept_of_a_referral_by_criminal_justice_alone(self) -> None:
        """42 CFR 2.35(c)."""
        of_court = {"system": OWN + "consent-category", "code": "criminal-justice-referral"}

        found = compiled({**self.RICH, "category": [{"coding": [of_court]}]})

        assert found.revocable_from == instant("2026-10-01T07:00:00Z")

    def test_is_kept(self) -> None:
        found = compiled(self.RICH)

        assert found.readable
        assert (found.reference, found.id, found.version) == ("Consent/rich", "rich", "7")
        assert (found.updated, found.source) == (instant("2026-09-02T10:00:00Z"), "https://exchange.example/fhir")
        assert (found.resource, found.status) == (self.RICH, "active")
        assert found.patient == {f"{PERSON}|T1"}
        assert found.kinds == {"part2", "proceedings"}
        assert found.disclosers == (AT_ASPEN,)
        assert found.dated == instant("2026-09-01T07:00:00Z")
        assert (found.is_signed, found.expiry, found.form_edition) == (True, "none", date(2024, 4, 16))
        assert (found.condition_of, found.revocable_from) == ("parole", None)
        assert found.supersedes == {"Consent/older"}
        assert found.mixes_proceedings

    def test_statements_are_those_it_makes(self) -> None:
        every = {"revocation-right", "ce-redisclosure-statement", "tpo-redisclosure-warning", "refusal-consequences"}

        assert compiled(self.RICH).statements == every
        twice = a_consent(extensions=[stated("revocation-right", valueBoolean=False)])
        assert "revocation-right" not in compiled(twice).statements

    def test_signers_are_kept_with_what_they_signed_by(self) -> None:
        year = (instant("2026-01-01T08:00:00Z"), instant("2027-01-01T08:00:00Z"))

        assert compiled(self.RICH).performers == (
            Performer(frozenset({"Patient/t1"})),
            Performer(frozenset({"RelatedPerson/g"}), "guardian", True, year),
            Performer(frozenset({"RelatedPerson/h"}), "parental"),
        )

    def test_revocations_are_kept_with_when_how_and_for_whom(self) -> None:
        assert compiled(self.RICH).revocations == (
            RevocationOf(instant("2026-10-02T10:00:00Z"), True, frozenset({f"{PARTNER}|mercy"})),
            RevocationOf(instant("2026-10-03T07:00:00Z"), False, frozenset()),
        )

    def test_confirmations_are_each_time_somebody_stood_by_it(self) -> None:
        doubted = {**self.RICH, "verification": [{"verified": False, "verificationDate": "2026-09-04"}]}

        assert compiled(self.RICH).verified is True
        assert compiled(self.RICH).confirmations == tuple(
            map(instant, ("2026-09-02T10:00:00Z", "2026-09-03T10:00:00Z", "2026-09-04T07:00:00Z",
                          "2026-09-05T10:00:00Z", "2026-09-06T10:00:00Z"))
        )  # fmt: skip
        assert compiled(self.RICH).verified_at == instant("2026-09-06T10:00:00Z")
        assert (compiled(doubted).verified, compiled(doubted).verified_at) == (False, None)
        assert len(compiled(doubted).confirmations) == 2

    def test_what_is_not_said_is_nothing(self) -> None:
        bare = compiled({"resourceType": "Consent", "id": "bare", "status": "draft"})

        assert bare.readable
        assert (bare.version, bare.updated, bare.source, bare.patient) == (None, BEGINNING, None, frozenset())
        assert (bare.kinds, bare.disclosers, bare.dated, bare.is_signed) == (frozenset(), (), None, False)
        assert (bare.performers, bare.statements, bare.expiry) == ((), frozenset(), None)
        assert (bare.form_edition, bare.revocations, bare.supersedes) == (None, (), frozenset())
        assert (bare.condition_of, bare.revocable_from, bare.verified, bare.confirmations) == (None, None, None, ())
        assert (bare.root, bare.can_refuse, bare.tells_items_apart) == (None, False, False)
        assert (bare.mixes_notes, bare.mixes_proceedings, bare.permits_something) == (False, False, False)

    def test_a_discloser_may_be_one_it_contains(self) -> None:
        contained = {"resourceType": "Organization", "id": "own", "identifier": [organization("aspen")["identifier"]]}

        found = compiled(a_consent(contained=[contained], organization=[{"reference": "#own"}]))

        assert found.disclosers == (AT_ASPEN,)

    def test_the_digest_is_of_what_it_says_in_whatever_order(self) -> None:
        assert compiled(dict(reversed(self.RICH.items()))).digest == compiled(self.RICH).digest
        assert compiled({**self.RICH, "status": "inactive"}).digest != compiled(self.RICH).digest

    @pytest.mark.parametrize(("paper", "is_signed"), [
        ({"sourceReference": {"reference": "DocumentReference/form"}}, True),
        ({"sourceAttachment": {"url": "x"}}, True),
        ({"sourceReference": None}, False), ({}, True),
    ])  # fmt: skip
    def test_a_paper_that_is_signed_is_one(self, paper: Json, is_signed: bool) -> None:
        assert compiled(a_consent(**paper)).is_signed is is_signed

    @pytest.mark.parametrize(("when", "dated"), [
        ("2026-09-01T09:00:00-07:00", "2026-09-01T16:00:00Z"), ("2026-11-01", "2026-11-01T07:00:00Z"),
        ("2026-09", None), ("2026", None),
    ])  # fmt: skip
    def test_a_month_is_no_date_of_signing(self, when: str, dated: str | None) -> None:
        assert compiled(a_consent(dateTime=when)).dated == (instant(dated) if dated else None)

    def test_days_are_those_of_the_first_discloser_whose_zone_is_known(self) -> None:
        registry = world(aspen={"timezone": "America/New_York"})
        strangers = a_consent(dateTime="2026-09-01", organization=[{"display": "?"}, organization("aspen")])
        nobody = a_consent(dateTime="2026-09-01", organization=[])

        assert compile_consent(strangers, registry).dated == instant("2026-09-01T04:00:00Z")
        assert compile_consent(strangers, registry).disclosers == (Party(frozenset({f"{PARTNER}|aspen"}), "org:aspen"),)
        assert compile_consent(nobody, registry).dated == instant("2026-09-01T07:00:00Z")
        in_berlin = registry_from(PARTNERS, zone="Europe/Berlin")
        assert compile_consent(nobody, in_berlin).dated == instant("2026-08-31T22:00:00Z")


class TestWhatNobodyCanRead:
    def test_is_there_since_when_it_was_and_of_whom_it_is(self) -> None:
        paper = a_consent(implicitRules="https://elsewhere.example")

        found = compiled(paper)

        assert (found.readable, found.resource) == (False, paper)
        assert (found.reference, found.id, found.version) == ("Consent/paper", "paper", "1")
        assert found.updated == instant("2026-09-01T17:00:00Z")
        assert found.patient == {f"{PERSON}|T1"}
        assert (found.grants, found.root) == ((), None)

    @pytest.mark.parametrize(
        "change",
        [
            {"meta": {"lastUpdated": "yesterday"}},
            {"meta": "x"},
            {"modifierExtension": [{"url": "urn:x"}]},
            {"provision": {"type": "deny", "provision": [{"type": "permit", "modifierExtension": [{"url": "urn:x"}]}]}},
            {"note": [{"time": "2026-09-01T09:00:00"}]},
            {"extensions": [parts("revocation", recipient={"valueReference": {"display": "?"}})]},
            {"extensions": [stated("supersedes", valueString="x")]},
            {"provision": {"provision": [a_permit()], "purpose": [{"system": ACT_REASON, "code": "TREAT"}]}},
            {"provision": {"type": "maybe"}},
            {"provision": {"type": "deny", "provision": [{"actor": [recipient("mercy")]}]}},
            {"provision": {"type": "deny", "purpose": [{"code": "TREAT"}]}},
            {"provision": {"type": "deny", "securityLabel": [{"code": "HIV"}]}},
            {"provision": {"type": "deny", "code": [{"coding": [{"code": "F11.20"}]}]}},
            {"provision": {"type": "deny", "class": [{"system": "urn:x", "code": "text/plain"}]}},
            {"provision": {"type": "deny", "provision": [a_permit(actor=[{"reference": {"reference": "#none"}}])]}},
            {"provision": {"type": "deny", "securityLabel": [{"system": CONFIDENTIALITY, "code": "Z"}]}},
        ],
    )
    def test_is_what_may_not_be_skipped(self, change: Json) -> None:
        assert not compiled(a_consent(**change)).readable

    @pytest.mark.parametrize(("size_bytes", "readable"), [(20_000_000, True), (20_000_001, False)])
    def test_is_what_is_larger_than_any_scan_of_a_form(self, size_bytes: int, readable: bool) -> None:
        form = a_consent(sourceAttachment={"data": ""})
        form["sourceAttachment"]["data"] = "x" * (size_bytes - len(orjson.dumps(form)))

        found = compiled(form)

        assert (found.readable, found.reference) == (readable, "Consent/paper")

    def test_keeps_apart_what_it_can_of_two(self) -> None:
        one, other = (compiled(a_consent(implicitRules=rules)) for rules in ("urn:x", "urn:y"))
        nameless = compiled({"resourceType": "Consent", "status": "active"})
        unheard_of = compiled(a_consent(meta={"lastUpdated": "yesterday"}))

        assert one.digest != other.digest
        assert compiled(dict(reversed(one.resource.items()))).digest == one.digest
        assert (nameless.readable, nameless.reference, nameless.id) == (False, "Consent/", "")
        assert (unheard_of.readable, unheard_of.updated) == (False, BEGINNING)
        assert compiled(a_consent(implicitRules="urn:x", patient="t1")).patient == frozenset()

    def test_is_also_what_no_json_can_hold(self) -> None:
        one, other = compiled(a_consent(note=2**70)), compiled(a_consent(note=2**71))

        assert not one.readable
        assert one.digest == other.digest

    def test_gives_no_discloser(self) -> None:
        assert disclosers_of(a_consent(implicitRules="urn:x"), world()) == frozenset()
        assert disclosers_of({key: value for key, value in a_consent().items() if key != "id"}, world()) == {
            "org:aspen"
        }
        nested = a_permit(actor=[{"role": {"coding": [{"code": "CST"}]}, "reference": organization("birch")}])
        assert disclosers_of(a_consent(nested, organization=[{"identifier": {"value": "?"}}]), world()) == {
            None,
            "org:birch",
        }


class TestABundleOfThem:
    def of(self, *resources: Json) -> Consents:
        return compile_consents(bundle(*resources), world())

    def test_finds_each_version_by_its_number_and_its_time(self) -> None:
        def version(number: str, updated: str) -> Json:
            return a_consent(meta={"versionId": number, "lastUpdated": updated})

        same = "2026-09-01T17:00:00Z"
        found = self.of(version("10", same), version("9", same), version("2", "2026-08-01T00:00:00Z"))

        assert len(found) == 1
        assert [one.version for one in found.histories[0]] == ["2", "9", "10"]
        latest = found.get("Consent/paper", instant(same))
        assert latest is not None
        assert latest.version == "10"
        assert not found.any_at(instant("2026-07-31T23:59:59Z"))
        assert found.any_at(instant("2026-08-01T00:00:00Z"))

    @pytest.mark.parametrize(
        ("first", "then", "number"),
        [
            ("https://x.example/fhir/Consent/paper/_history/1", "https://x.example/fhir/Consent/paper/_history/2", 1),
            ("https://x.example/fhir/Consent/paper", "https://y.example/fhir/Consent/paper", 2),
            ("urn:uuid:1", "urn:uuid:2", 1),
            ("https://warmhandoff.example/fhir/Consent/paper", None, 1),
        ],
    )
    def test_knows_a_consent_by_its_address_on_a_server(self, first: str, then: str | None, number: int) -> None:
        entries = [
            {"resource": a_consent(meta={"versionId": str(place), "lastUpdated": f"2026-09-0{place}T00:00:00Z"}),
             **({"fullUrl": address} if address else {})}
            for place, address in enumerate((first, then), start=1)
        ]  # fmt: skip

        assert len(compile_consents({"entry": entries}, world())) == number

    @pytest.mark.parametrize(
        ("first", "then"),
        [
            ({"versionId": "1"}, {"versionId": "2"}),
            ({"versionId": "1", "lastUpdated": EARLIER}, {"versionId": "2"}),
            ({"versionId": "1"}, {"versionId": "2", "lastUpdated": EARLIER}),
            ({"lastUpdated": EARLIER}, {"lastUpdated": LATER}),
            ({"versionId": "b", "lastUpdated": EARLIER}, {"versionId": "a", "lastUpdated": LATER}),
            ({"versionId": "1", "lastUpdated": EARLIER}, {"versionId": "1", "lastUpdated": LATER}),
            ({"versionId": "9", "lastUpdated": EARLIER}, {"versionId": "10", "lastUpdated": EARLIER}),
            ({"versionId": "1", "lastUpdated": EARLIER}, {"versionId": "b", "lastUpdated": LATER}),
        ],
    )
    def test_follow_one_another_by_number_or_by_time(self, first: Json, then: Json) -> None:
        older, newer = a_consent(meta=first), a_consent(meta=then, status="inactive")

        for order in ((older, newer), (newer, older), (older, newer, older)):
            history = self.of(*order).histories[0]

            assert [(one.status, one.readable) for one in history] == [("active", True), ("inactive", True)]

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ({}, {"versionId": "1"}),
            ({"versionId": "1"}, {"lastUpdated": LATER}),
            ({"versionId": "2", "lastUpdated": EARLIER}, {"versionId": "1", "lastUpdated": LATER}),
            ({"versionId": "2", "lastUpdated": LATER}, {"versionId": "2", "lastUpdated": LATER}),
            ({"versionId": "0", "lastUpdated": LATER}, {"versionId": "b", "lastUpdated": LATER}),
            ({"versionId": "1", "lastUpdated": LATER}, {"versionId": "2", "lastUpdated": "2026-10-01T10:00:00"}),
        ],
    )
    def test_are_unreadable_where_nobody_can_tell_which_is_the_latest(self, one: Json, other: Json) -> None:
        papers = (a_consent(meta=one), a_consent(meta=other, status="inactive"))

        for order in (papers, papers[::-1]):
            latest = self.of(*order).get("Consent/paper", instant(LATER))

            assert latest is not None
            assert latest.readable is False

    def test_keeps_what_else_comes_with_them(self) -> None:
        form = {"resourceType": "DocumentReference", "id": "form"}

        found = compile_consents({"entry": [{"resource": one} for one in (form, {"resourceType": "List"})]}, world())

        assert found.resources == {"DocumentReference/form": form}

    @pytest.mark.parametrize("entry", [{}, {"resource": "x"}, {"resource": {"id": "x"}}])
    def test_is_refused_where_an_entry_is_no_resource(self, entry: Json) -> None:
        with pytest.raises(ValueError, match=r"^expected a resource in every entry of the consents$"):
            compile_consents({"entry": [entry]}, world())

    def test_of_nothing_is_nothing(self) -> None:
        assert len(compile_consents({}, world())) == 0
        assert not compile_consents({}, world()).any_at(instant("2026-11-02T18:00:00Z"))
