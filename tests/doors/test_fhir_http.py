"""The FHIR server through Flask's client: reads, searches, writes, and the answers that must look alike."""

from io import BytesIO
from typing import Any

import orjson
import pytest
from werkzeug.test import TestResponse

from tests.support.web_house import Site

pytest_plugins = ("tests.support.sites",)

A_TASK = {"resourceType": "Task", "id": "t1", "status": "accepted", "intent": "order"}
A_CONSENT = {
    "resourceType": "Consent",
    "status": "active",
    "scope": {"text": "patient privacy"},
    "category": [{"text": "disclosure"}],
}
FHIR = "application/fhir+json"


@pytest.fixture(autouse=True)
def task_in_version_3(site: Site) -> None:
    site.house.put(A_TASK, version=3)


def put_task(site: Site, body: Any = A_TASK, client: str = "demo-ehr", **headers: str) -> TestResponse:
    data = body if isinstance(body, bytes) else orjson.dumps(body)
    content_type = headers.pop("content_type", FHIR)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return site.client(client).put("/fhir/R4/Task/t1", data=data, content_type=content_type, headers=named)


def issue_of(answer: TestResponse) -> tuple[int, str]:
    assert answer.content_type == FHIR
    assert answer.json is not None
    assert answer.json["resourceType"] == "OperationOutcome"
    return answer.status_code, answer.json["issue"][0]["code"]


def test_a_read_gives_the_bytes_with_version_and_time(site: Site) -> None:
    answer = site.client("demo-ehr").get("/fhir/R4/Task/t1")

    assert answer.status_code == 200
    assert answer.data == orjson.dumps(A_TASK)
    assert answer.headers["ETag"] == 'W/"3"'
    assert answer.headers["Last-Modified"] == "Mon, 02 Nov 2026 18:00:00 GMT"
    assert answer.content_type == FHIR


def test_a_read_of_the_version_one_has_gives_304(site: Site) -> None:
    answer = site.client("demo-ehr").get("/fhir/R4/Task/t1", headers={"If-None-Match": 'W/"3"'})

    assert (answer.status_code, answer.data) == (304, b"")


@pytest.mark.parametrize("resource_id", ["t1", "t2", "not%20an%20id", "x" * 65])
def test_refused_missing_and_impossible_look_the_same(site: Site, resource_id: str) -> None:
    site.house.hidden.add(("Task", "t1"))
    client = site.client("demo-ehr")

    answer, missing = client.get(f"/fhir/R4/Task/{resource_id}"), client.get("/fhir/R4/Task/never-was")

    assert issue_of(answer) == (404, "not-found")
    assert answer.data == missing.data
    kept = [[pair for pair in each.headers if pair[0] != "X-Correlation-Id"] for each in (answer, missing)]
    assert kept[0] == kept[1]


def test_an_update_of_what_one_may_not_see_looks_like_a_read_of_nothing(site: Site) -> None:
    site.house.hidden.add(("Task", "t1"))

    answer = put_task(site, If_Match='W/"3"')

    assert answer.data == site.client("demo-ehr").get("/fhir/R4/Task/never-was").data


def test_a_search_passes_on_every_parameter_the_repeated_ones_too(site: Site) -> None:
    answer = site.client("demo-ehr").get("/fhir/R4/Task?status=requested&_lastUpdated=gt2026-11-01&status=accepted")

    assert answer.json is not None
    assert answer.json["total"] == 1
    parameters = [("status", "requested"), ("status", "accepted"), ("_lastUpdated", "gt2026-11-01")]
    assert site.house.asked == [("search", "demo-ehr", "Task", parameters)]


def test_a_searchset_says_what_was_looked_for_as_it_was_understood_and_nothing_else(site: Site) -> None:
    """FHIR R4 search.html, self link; Bundle.link."""
    client = site.client("demo-ehr")

    asked = client.get("/fhir/R4/Task?status=requested,accepted&identifier=urn:x|1&_format=json")
    by_form = client.post("/fhir/R4/Task/_search", data={"status": "requested"})
    site.house.hidden.add(("Task", "t1"))
    nothing = client.get("/fhir/R4/Task")

    urls = [answer.json["link"] for answer in (asked, by_form, nothing) if answer.json is not None]
    assert urls == [
        [
            {
                "relation": "self",
                "url": "http://127.0.0.1:8080/fhir/R4/Task?status=requested%2Caccepted&identifier=urn%3Ax%7C1",
            }
        ],
        [{"relation": "self", "url": "http://127.0.0.1:8080/fhir/R4/Task?status=requested"}],
        [{"relation": "self", "url": "http://127.0.0.1:8080/fhir/R4/Task"}],
    ]
    assert nothing.json is not None
    assert (nothing.json["total"], "entry" in nothing.json) == (0, False)


def test_a_page_names_the_next_one_and_no_total(site: Site) -> None:
    """FHIR R4 http.html#paging; Bundle.total counts all that match."""
    client = site.client("demo-ehr")
    site.house.after = "e2"

    page = client.get("/fhir/R4/AuditEvent?date=ge2026-11-01&after=e1")
    site.house.after = None
    last = client.get("/fhir/R4/AuditEvent?date=ge2026-11-01&after=e2")

    assert page.json is not None
    assert last.json is not None
    assert page.json["link"][1] == {
        "relation": "next",
        "url": "http://127.0.0.1:8080/fhir/R4/AuditEvent?date=ge2026-11-01&after=e2",
    }
    assert [one["relation"] for one in last.json["link"]] == ["self"]
    assert ("total" in page.json, "total" in last.json) == (False, False)


def test_a_search_by_form_keeps_values_out_of_the_address(site: Site) -> None:
    answer = site.client("demo-ehr").post("/fhir/R4/Patient/_search", data={"identifier": "urn:x|1"})

    assert answer.status_code == 200
    assert site.house.asked == [("search", "demo-ehr", "Patient", [("identifier", "urn:x|1")])]


def test_a_search_whose_form_cannot_be_read_is_refused_not_answered_in_full(site: Site) -> None:
    answer = site.client("demo-ehr").post("/fhir/R4/Patient/_search", json={"identifier": "urn:x|1"})

    assert issue_of(answer) == (415, "not-supported")


def test_a_search_form_of_unknown_length_is_refused(site: Site) -> None:
    answer = site.client("demo-ehr").post(
        "/fhir/R4/Patient/_search",
        input_stream=BytesIO(b"identifier=urn:x|1"),
        content_type="application/x-www-form-urlencoded",
        headers={"Transfer-Encoding": "chunked"},
        environ_overrides={"wsgi.input_terminated": True},
    )

    assert issue_of(answer) == (411, "required")


@pytest.mark.parametrize("query", ["name=x", "patient.name=x", "status:not=x", "_count=5", "status="])
def test_a_filter_that_would_not_be_applied_is_refused(site: Site, query: str) -> None:
    assert issue_of(site.client("demo-ehr").get(f"/fhir/R4/Task?{query}")) == (400, "not-supported")


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/fhir/R4/Claim/1", (404, "not-supported")),
        ("GET", "/fhir/R4/Encounter", (404, "not-supported")),
        ("POST", "/fhir/R4/Task", (405, "not-supported")),
        ("PUT", "/fhir/R4/Patient/1", (405, "not-supported")),
        ("DELETE", "/fhir/R4/Task/t1", (405, "not-supported")),
        ("GET", "/fhir/R4/Task/t1/_history/1", (404, "not-found")),
        ("GET", "/fhir/R4/Task/t1?_format=xml", (406, "not-supported")),
    ],
)
def test_what_is_not_offered_says_so_as_an_operation_outcome(
    site: Site, method: str, path: str, expected: tuple[int, str]
) -> None:
    assert issue_of(site.client("demo-ehr").open(path, method=method)) == expected


def test_xml_is_not_offered(site: Site) -> None:
    answer = site.client("demo-ehr").get("/fhir/R4/Task/t1", headers={"Accept": "application/fhir+xml"})

    assert issue_of(answer) == (406, "not-supported")


def test_an_update_writes_the_next_version(site: Site) -> None:
    answer = put_task(site, A_TASK | {"status": "in-progress"}, If_Match='W/"3"')

    assert answer.status_code == 200
    assert answer.headers["ETag"] == 'W/"4"'
    assert answer.json is not None
    assert answer.json["status"] == "in-progress"


def test_who_prefers_a_minimal_answer_gets_headers_only(site: Site) -> None:
    answer = put_task(site, If_Match='W/"3"', Prefer="return=minimal")

    assert (answer.status_code, answer.data, answer.headers["ETag"]) == (200, b"", 'W/"4"')


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, (428, "required")),
        ({"If_Match": 'W/"2"'}, (412, "conflict")),
        ({"If_Match": "*"}, (400, "value")),
        ({"If_Match": 'W/"3"', "content_type": "text/plain"}, (415, "not-supported")),
    ],
    ids=["none", "stale", "any", "other media type"],
)
def test_who_writes_says_which_version_was_read(site: Site, headers: dict[str, str], expected: tuple[int, str]) -> None:
    assert issue_of(put_task(site, **headers)) == expected


def test_a_condition_on_a_create_is_refused_rather_than_ignored(site: Site) -> None:
    answer = site.client("demo-ehr").post(
        "/fhir/R4/Consent", data=orjson.dumps(A_CONSENT), content_type=FHIR,
        headers={"If-None-Exist": "identifier=urn:oid:2.999|C-1"},
    )  # fmt: skip

    assert issue_of(answer) == (400, "not-supported")


def test_who_wrote_from_an_older_version_is_told_which_one_stands(site: Site) -> None:
    assert put_task(site, If_Match='W/"2"').headers["ETag"] == 'W/"3"'


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b'{"resourceType": "Task", "id": "t1", "id": "t1"}',
        b'{"resourceType": "Task", "id": "t1", "x": NaN}',
        b'{"resourceType": "Task", "id": "t1", "x": 1e999}',
        b'{"resourceType": "Task", "id": "t1", "x": "\\ud800"}',
        b'{"resourceType": "Task", "id": "t1", "x": "\\u0000"}',
        b'{"resourceType": "Task", "id": "t1", "x": "\xff"}',
        b'{"x":' * 60 + b"1" + b"}" * 60,
        b'{"x":' * 60 + b"[]" + b"}" * 60,
        b"[" * 100_000,
        b"9" * 10_000,
    ],
)
def test_what_only_looks_like_json_is_refused_before_anything_reads_it(site: Site, body: bytes) -> None:
    status, code = issue_of(put_task(site, body, If_Match='W/"3"'))

    assert status == 400
    assert code in ("structure", "invalid")


@pytest.mark.parametrize(
    "body", [A_TASK | {"id": "t2"}, A_TASK | {"resourceType": "Consent"}, {"id": "t1"}], ids=["id", "type", "no type"]
)
def test_a_body_that_is_not_what_the_address_says_is_refused(site: Site, body: dict[str, Any]) -> None:
    assert issue_of(put_task(site, body, If_Match='W/"3"')) == (400, "invalid")


def test_an_element_of_another_shape_is_refused_with_its_place(site: Site) -> None:
    answer = put_task(site, A_TASK | {"statusReason": "Otter-Test"}, If_Match='W/"3"')

    assert issue_of(answer) == (422, "structure")
    assert answer.json is not None
    assert answer.json["issue"][0]["expression"] == ["Task.statusReason"]
    assert "Otter" not in answer.text


def test_a_body_beyond_the_limit_is_refused(site: Site) -> None:
    assert issue_of(put_task(site, b" " * (1024 * 1024 + 1), If_Match='W/"3"')) == (413, "too-long")


def test_a_consent_is_created_under_an_id_of_ours(site: Site) -> None:
    answer = site.client("demo-ehr").post("/fhir/R4/Consent", data=orjson.dumps(A_CONSENT), content_type=FHIR)

    assert answer.json is not None
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"http://localhost/fhir/R4/Consent/{answer.json['id']}"
    assert answer.headers["ETag"] == 'W/"1"'


def test_a_consent_is_updated_by_version(site: Site) -> None:
    site.house.put(A_CONSENT | {"id": "c1"})
    revoked = orjson.dumps(A_CONSENT | {"id": "c1", "status": "inactive"})

    answer = site.client("demo-ehr").put(
        "/fhir/R4/Consent/c1", data=revoked, content_type=FHIR, headers={"If-Match": 'W/"1"'}
    )

    assert (answer.status_code, answer.headers["ETag"]) == (200, 'W/"2"')


def test_scopes_open_one_interaction_on_one_type_each(site: Site) -> None:
    client = site.client("task-only")

    assert client.get("/fhir/R4/Task/t1").status_code == 200
    assert issue_of(client.get("/fhir/R4/Task")) == (403, "forbidden")
    assert issue_of(client.get("/fhir/R4/Consent/c1")) == (403, "forbidden")
    assert issue_of(put_task(site, client="task-only", If_Match='W/"3"')) == (403, "forbidden")


def test_the_capability_statement_promises_only_what_is_there(site: Site) -> None:
    statement = site.client().get("/fhir/R4/metadata").json
    client = site.client("demo-ehr")
    bodies = {"Task": A_TASK, "Consent": A_CONSENT}

    assert statement is not None
    assert statement["fhirVersion"] == "4.0.1"
    for resource in statement["rest"][0]["resource"]:
        kind = resource["type"]
        site.house.put({"resourceType": kind, "id": "here"})
        for interaction in (one["code"] for one in resource["interaction"]):
            answers = {
                "read": lambda kind=kind: client.get(f"/fhir/R4/{kind}/here"),
                "search-type": lambda kind=kind: client.get(f"/fhir/R4/{kind}"),
                "create": lambda kind=kind: client.post(
                    f"/fhir/R4/{kind}", data=orjson.dumps(bodies[kind]), content_type=FHIR
                ),
                "update": lambda kind=kind: client.put(
                    f"/fhir/R4/{kind}/here",
                    data=orjson.dumps(bodies[kind] | {"id": "here"}),
                    content_type=FHIR,
                    headers={"If-Match": 'W/"1"'},
                ),
            }
            assert answers[interaction]().status_code in (200, 201), (kind, interaction)
        for parameter in resource.get("searchParam", []):
            assert client.get(f"/fhir/R4/{kind}?{parameter['name']}=x").status_code == 200, (kind, parameter)
