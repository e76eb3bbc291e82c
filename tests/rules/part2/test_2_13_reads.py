"""42 CFR 2.13(c)(2): a question by FHIR is answered as if what may not be told did not exist, or not answered at all.

What this server cannot apply to the visible set alone (counts, projections, includes, conditions) it refuses to
everybody, whatever there is.
"""

from typing import Any

import orjson
import pytest
from werkzeug.test import TestResponse

from tests.support.web_house import Site

pytest_plugins = ("tests.support.sites",)

Json = dict[str, Any]
FHIR = "application/fhir+json"
HIDDEN = {
    "resourceType": "Condition",
    "id": "c1",
    "identifier": [{"system": "urn:x", "value": "c1"}],
    "code": {"text": "methadone"},
    "subject": {"reference": "Patient/t1"},
}


@pytest.fixture
def hiding(site: Site) -> Site:
    """A server with a Condition, and a CarePlan that names it, which its client may not have."""
    site.house.put(HIDDEN)
    site.house.put({"resourceType": "CarePlan", "id": "p1", "addresses": [{"reference": "Condition/c1"}]})
    site.house.hidden |= {("Condition", "c1"), ("CarePlan", "p1")}
    return site


def seen(answer: TestResponse) -> tuple[int, bytes, list[tuple[str, str]]]:
    return answer.status_code, answer.data, [one for one in answer.headers if one[0] != "X-Correlation-Id"]


def asked(site: Site, path: str, method: str = "GET", body: Json | None = None, **headers: str) -> Any:
    data = orjson.dumps(body) if body is not None else None
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return seen(
        site.client("demo-ehr").open(
            f"/fhir/R4/{path}", method=method, data=data, content_type=FHIR if data else None, headers=named
        )
    )


@pytest.mark.parametrize(
    "query",
    [
        "patient=t1&_summary=count",
        "patient=t1&_count=0",
        "patient=t1&code=F11.20",
        "patient=t1&code:in=http://valueset.example/sud",
        "_elements=code",
        "_sort=code",
        "_has:Provenance:target:agent=x",
    ],
)
def test_a_search_that_could_count_or_sort_what_is_hidden_is_refused_alike_to_everybody(
    hiding: Site, site: Site, query: str
) -> None:
    about_one, about_nobody = (asked(hiding, f"Condition?{query.replace('t1', who)}") for who in ("t1", "nobody"))

    assert about_one == about_nobody
    assert about_one[0] in (400, 404)


@pytest.mark.parametrize(
    "query", ["_include=CarePlan:condition", "_revinclude=Provenance:target", "_elements=addresses"]
)
def test_nothing_is_included_or_projected_beside_what_is_decided_on(hiding: Site, query: str) -> None:
    """A projection would leave out what the filter looks at."""
    status, body, _ = asked(hiding, f"CarePlan?{query}")

    assert status in (400, 404)
    assert b"c1" not in body


@pytest.mark.parametrize("path", ["Condition/c1", "Condition/c1/_history", "Condition/c1/_history/1"])
def test_a_hidden_id_its_versions_and_its_history_are_those_of_one_that_never_was(hiding: Site, path: str) -> None:
    status, _, _ = hidden = asked(hiding, path)

    assert hidden == asked(hiding, path.replace("c1", "c2"))
    assert status == 404


def test_one_that_was_deleted_is_not_gone_but_was_never_there(hiding: Site) -> None:
    hiding.house.hidden.discard(("Condition", "c1"))

    assert asked(hiding, "Condition/c9")[0] == 404


def test_a_condition_on_a_create_finds_nothing_whether_there_is_something_or_not(hiding: Site) -> None:
    about_one, about_nobody = (
        asked(hiding, "Condition", "POST", {"resourceType": "Condition"}, If_None_Exist=f"identifier=urn:x|{who}")
        for who in ("c1", "c2")
    )

    assert about_one == about_nobody
    assert about_one[0] in (404, 405)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_no_client_can_write_labels_off_a_record(hiding: Site, method: str) -> None:
    """HL7 DS4P, PERSISTLABEL: there is no door by which a clinical resource is overwritten."""
    status, _, _ = asked(hiding, "Condition/c1", method, {**HIDDEN, "meta": {}})

    assert status in (404, 405)


def test_nobody_is_notified_of_what_is_added(hiding: Site) -> None:
    """No subscription on clinical resources is offered, so that no notice, heartbeat or gap can tell."""
    criteria = {"resourceType": "Subscription", "status": "requested", "criteria": "Condition?patient=t1"}

    assert asked(hiding, "Subscription", "POST", criteria)[0] in (404, 405)


def test_the_total_of_a_search_is_of_what_is_visible(hiding: Site) -> None:
    hiding.house.put({"resourceType": "Task", "id": "shown", "status": "accepted", "intent": "order"})
    hiding.house.put({"resourceType": "Task", "id": "kept", "status": "accepted", "intent": "order"})
    hiding.house.hidden.add(("Task", "kept"))

    answer = hiding.client("demo-ehr").get("/fhir/R4/Task?status=accepted")

    assert answer.json is not None
    assert (answer.json["total"], len(answer.json["entry"])) == (1, 1)
    assert b"kept" not in answer.data
