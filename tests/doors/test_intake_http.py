"""`POST /intake/{source}` and its receipts through Flask's client."""

import gzip
from io import BytesIO

import pytest
from gunicorn.http.errors import InvalidChunkSize, NoMoreData

from gateway.storage.database import SqlDatabase
from gateway.testing import FixedClock
from tests.support.web_house import Site, a_site

pytest_plugins = ("tests.support.sites",)

A_RECORD = b"report,name\n1,Otter-Test\n"


def test_an_upload_is_kept_as_it_came_and_answered_with_its_receipt(site: Site) -> None:
    answer = site.client("demo-agency").post(
        "/intake/seattle-rms-crisis", data=A_RECORD, content_type="text/csv; charset=windows-1252"
    )

    (kept,) = site.house.inputs.values()
    assert answer.status_code == 202
    assert answer.headers["Location"] == f"/intake/receipts/{kept.id}"
    assert answer.json == {"id": kept.id, "receipt": f"/intake/receipts/{kept.id}"}
    assert (kept.payload, kept.media_type, kept.client) == (A_RECORD, "text/csv; charset=windows-1252", "demo-agency")


def test_a_body_sent_as_a_form_by_curl_is_taken_as_it_is(site: Site) -> None:
    site.client("demo-agency").post("/intake/eido", data=b"a=1&b=2", content_type="application/x-www-form-urlencoded")

    (kept,) = site.house.inputs.values()
    assert kept.payload == b"a=1&b=2"


def test_the_same_content_again_gives_the_same_receipt(site: Site) -> None:
    client = site.client("demo-agency")

    first, second = (client.post("/intake/eido", data=A_RECORD) for _ in range(2))

    assert (first.status_code, second.status_code) == (202, 202)
    assert first.headers["Location"] == second.headers["Location"]
    assert first.data == second.data


def test_an_idempotency_key_used_for_other_content_is_refused(site: Site) -> None:
    client = site.client("demo-agency")
    client.post("/intake/eido", data=A_RECORD, headers={"Idempotency-Key": "k1"})

    answer = client.post("/intake/eido", data=b"other", headers={"Idempotency-Key": "k1"})

    assert answer.status_code == 422
    assert answer.json is not None
    assert answer.json["code"] == "duplicate"


@pytest.mark.parametrize("key", ["k1", "k2"])
def test_an_idempotency_key_first_given_with_known_content_is_refused_for_other_content(site: Site, key: str) -> None:
    client = site.client("demo-agency")
    client.post("/intake/eido", data=A_RECORD)
    for given in ("k1", "k2"):
        assert client.post("/intake/eido", data=A_RECORD, headers={"Idempotency-Key": given}).status_code == 202

    answer = client.post("/intake/eido", data=b"other", headers={"Idempotency-Key": key})

    assert answer.status_code == 422


@pytest.mark.parametrize("key", ["", "x" * 256, "tab\tkey"])
def test_an_idempotency_key_of_another_shape_is_refused(site: Site, key: str) -> None:
    answer = site.client("demo-agency").post("/intake/eido", data=A_RECORD, headers={"Idempotency-Key": key})

    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("path", "body", "content_type", "status"),
    [
        ("/intake/nowhere", A_RECORD, "text/csv", 404),
        ("/intake/eido", b"", "text/csv", 400),
        ("/intake/eido", b"--b--", "multipart/form-data; boundary=b", 415),
        ("/intake/eido", b"x" * 2001, "text/csv", 413),
    ],
    ids=["unknown source", "empty", "multipart", "too large"],
)
def test_what_cannot_be_taken_is_refused_with_a_problem(
    web_store: SqlDatabase, clock: FixedClock, path: str, body: bytes, content_type: str, status: int
) -> None:
    site = a_site(web_store, clock, max_body_bytes=2000)

    answer = site.client("demo-agency").post(path, data=body, content_type=content_type)

    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    assert site.house.inputs == {}


@pytest.mark.parametrize(("size", "status"), [(1999, 202), (2000, 413), (5000, 413)])
def test_a_chunked_body_is_never_cut_off_silently(
    web_store: SqlDatabase, clock: FixedClock, size: int, status: int
) -> None:
    site = a_site(web_store, clock, max_body_bytes=2000)

    answer = site.client("demo-agency").post(
        "/intake/eido",
        input_stream=BytesIO(b"x" * size),
        headers={"Transfer-Encoding": "chunked"},
        environ_overrides={"wsgi.input_terminated": True},
    )

    assert answer.status_code == status
    assert [len(kept.payload) for kept in site.house.inputs.values()] == ([size] if status == 202 else [])


def test_a_body_that_was_broken_off_is_not_taken_for_a_file(site: Site) -> None:
    """Gunicorn hands on what came (`wsgi.input_terminated`): the last of its records might be half of one."""
    answer = site.client("demo-agency").post(
        "/intake/eido",
        data=A_RECORD,
        environ_overrides={"wsgi.input_terminated": True, "CONTENT_LENGTH": str(len(A_RECORD) + 1)},
    )

    assert (answer.status_code, answer.content_type) == (400, "application/problem+json")
    assert site.house.inputs == {}


class _BrokenChunks(BytesIO):
    """A chunked body as gunicorn hands it on when its sender goes away, or frames a chunk wrongly."""

    def __init__(self, fault: Exception) -> None:
        super().__init__()
        self._fault = fault

    def read(self, size: int | None = -1) -> bytes:
        raise self._fault


@pytest.mark.parametrize("fault", [NoMoreData(), InvalidChunkSize(b"zz")], ids=["broken off", "framed wrongly"])
def test_a_chunked_body_that_is_not_whole_is_refused(site: Site, fault: Exception) -> None:
    answer = site.client("demo-agency").post(
        "/intake/eido",
        input_stream=_BrokenChunks(fault),
        headers={"Transfer-Encoding": "chunked"},
        environ_overrides={"wsgi.input_terminated": True},
    )

    assert (answer.status_code, answer.content_type) == (400, "application/problem+json")


def test_a_compressed_body_is_refused_rather_than_kept_unreadable(site: Site) -> None:
    answer = site.client("demo-agency").post(
        "/intake/eido", data=gzip.compress(A_RECORD), headers={"Content-Encoding": "gzip"}
    )

    assert answer.status_code == 415
    assert site.house.inputs == {}


def test_a_client_without_the_intake_scope_may_not_hand_in(site: Site) -> None:
    assert site.client("demo-ehr").post("/intake/eido", data=A_RECORD).status_code == 403


def test_the_receipt_is_for_the_client_that_handed_in_and_for_nobody_else(site: Site) -> None:
    location = site.client("demo-agency").post("/intake/eido", data=A_RECORD).headers["Location"]

    own, foreign = site.client("demo-agency").get(location), site.client("other-agency").get(location)
    unknown = site.client("other-agency").get("/intake/receipts/nothing")

    assert own.json == {"id": location.rsplit("/", 1)[1], "state": "pending", "records": []}
    assert foreign.status_code == 404
    assert foreign.data == unknown.data


def test_nothing_of_the_body_or_the_address_comes_back_in_a_problem(site: Site) -> None:
    answer = site.client("demo-agency").post("/intake/Otter-Test?name=Otter-Test", data=b"Otter-Test")

    assert b"Otter" not in answer.data
    assert all("Otter" not in value for value in answer.headers.values())
