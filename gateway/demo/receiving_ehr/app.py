"""The HTTP side: a FHIR R4 endpoint that files transactions, and /received, which shows what this EHR holds."""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Any

from flask import Flask, Response, render_template, request

from gateway.demo.receiving_ehr.front_desk import Names, owe_answers, placer_identifier, referral_from_task
from gateway.demo.receiving_ehr.r4_rules import Issue, takes, types_taken
from gateway.demo.receiving_ehr.records import Records, Resource, identifiers_of
from gateway.demo.receiving_ehr.transactions import (
    CONDITIONS,
    Filed,
    Refused,
    etag,
    file_transaction,
    transaction_response,
)

FHIR_JSON = "application/fhir+json"
_ID_AT_SENDER = "https://warmhandoff.example/id/resource"
_LARGEST_BYTES = 64 * 1024 * 1024


def make_app(
    records: Records, *, now: Callable[[], datetime], new_id: Iterator[str], names: Names, pace_s: float
) -> Flask:
    """Build the application; `pace_s` is the time between two answers to one referral."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = _LARGEST_BYTES

    @app.errorhandler(Refused)
    def refuse(refused: Refused) -> Response:
        return _fhir(_outcome(refused.issues), refused.status)

    @app.get("/fhir/metadata")
    def capability_statement() -> Response:
        return _fhir(_capabilities(now()))

    @app.post("/fhir")
    def transaction() -> Response:
        raw = request.get_data()
        try:
            with records.transaction():
                filed = file_transaction(records, _read_json(raw), new_id)
                _understand(records, filed, _gateway_ids(raw), now(), names, pace_s)
                records.add_arrival("fhir", raw, "200")
        except Refused as refused:
            records.add_arrival("fhir", raw, str(refused.status))
            raise
        return _fhir(transaction_response(filed))

    @app.get("/fhir/<kind>/<resource_id>")
    def read(kind: str, resource_id: str) -> Response:
        found = records.resource(kind, resource_id)
        if found is None:
            raise Refused(404, Issue("not-found", kind, "nothing is filed here under this id"))
        answer = _fhir(found)
        answer.headers["ETag"] = etag(found)
        return answer

    @app.get("/fhir/<kind>")
    def search(kind: str) -> Response:
        found = _search(records, kind)
        entries = [{"fullUrl": f"{request.base_url}/{body['id']}", "resource": body} for body in found]
        return _fhir({"resourceType": "Bundle", "type": "searchset", "total": len(found), "entry": entries})

    @app.get("/received")
    def received() -> Response | str:
        held = _held(records)
        if request.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html":
            return render_template("received.html", **held)
        return Response(json.dumps(held), mimetype="application/json")

    @app.get("/received/<int:n>")
    def received_bytes(n: int) -> Response:
        found = records.arrival(n)
        if found is None:
            raise Refused(404, Issue("not-found", "arrival", "nothing arrived under this number"))
        channel, raw = found
        return Response(raw, mimetype=FHIR_JSON if channel == "fhir" else "x-application/hl7-v2+er7")

    return app


def _read_json(raw: bytes) -> object:
    try:
        return json.loads(raw)
    except ValueError:
        raise Refused(400, Issue("structure", "Bundle", "the body is no JSON document")) from None


def _gateway_ids(raw: bytes) -> dict[str, str]:
    """Map each Task's placer identifier to its id at the sender: stated as identifier, else the resource's own id."""
    tasks = [entry["resource"] for entry in json.loads(raw)["entry"] if entry["resource"]["resourceType"] == "Task"]
    return {
        placer_identifier(task): dict(identifiers_of(task)).get(_ID_AT_SENDER, str(task.get("id", "")))
        for task in tasks
    }


def _understand(
    records: Records, filed: list[Filed], gateway_ids: dict[str, str], at: datetime, names: Names, pace_s: float
) -> None:
    """Let the front desk look at each Task that is new or changed."""
    for done in filed:
        if done.resource["resourceType"] != "Task" or not done.changed:
            continue
        placer = placer_identifier(done.resource)
        known = records.referral_by_placer("fhir", placer)
        if known is not None and done.resource["status"] == "cancelled":
            records.drop_answers(known.id, "cancelled by the sender")
        referral = referral_from_task(records, done.resource, gateway_ids.get(placer, ""), at.date(), names)
        # A Task we do not know asks for something only while it is requested; one we know is a change.
        if referral is not None and (known is not None or done.resource["status"] == "requested"):
            owe_answers(records, records.put_referral(referral), at.timestamp(), pace_s)


def _search(records: Records, kind: str) -> list[Resource]:
    if not takes(kind):
        raise Refused(404, Issue("not-supported", kind, "this resource type is not filed here"))
    if not request.args:
        return records.resources(kind)
    if len(request.args) > 1 or set(request.args) - set(CONDITIONS):
        raise Refused(400, Issue("not-supported", kind, "the search parameters here are identifier and _tag"))
    parameter, stated = next(iter(request.args.items()))
    system, _, value = stated.partition("|")
    found = (records.resource(kind, found_id) for found_id in records.ids_by_token(kind, parameter, system, value))
    return [body for body in found if body is not None]


def _held(records: Records) -> dict[str, Any]:
    """Say what lies here: counts of resources, every referral with its answers, every arrival."""
    referrals = [
        {**asdict(referral), "answers": [asdict(answer) for answer in records.answers(referral.id)]}
        for referral in records.referrals()
    ]
    return {"resources": records.resource_counts(), "referrals": referrals, "arrivals": records.arrivals()}


def _fhir(body: Resource, status: int = 200) -> Response:
    return Response(json.dumps(body), status=status, mimetype=FHIR_JSON)


def _outcome(issues: tuple[Issue, ...]) -> Resource:
    return {
        "resourceType": "OperationOutcome",
        "issue": [
            {"severity": "error", "code": issue.code, "diagnostics": issue.text, "expression": [issue.expression]}
            for issue in issues
        ],
    }


def _capabilities(at: datetime) -> Resource:
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": at.date().isoformat(),
        "kind": "instance",
        "software": {"name": "Warm Handoff stand-in EHR"},
        "implementation": {"description": "A stand-in for a receiving EHR; for demonstrations only"},
        "fhirVersion": "4.0.1",
        "format": ["json"],
        "rest": [
            {
                "mode": "server",
                "interaction": [{"code": "transaction"}],
                "resource": [
                    {
                        "type": kind,
                        "interaction": [{"code": "read"}, {"code": "search-type"}],
                        "conditionalCreate": True,
                        "conditionalUpdate": True,
                        "searchParam": [{"name": "identifier", "type": "token"}],
                    }
                    for kind in types_taken()
                ],
            }
        ],
    }
