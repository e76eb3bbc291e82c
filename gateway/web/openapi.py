"""The description of the HTTP API at /openapi.json: everything but FHIR, which describes itself at `metadata`."""

from typing import Any

from gateway import __version__

_PROBLEM = {
    "description": "RFC 9457 problem; never repeats a value of the request",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
_BEARER: list[dict[str, list[str]]] = [{"bearer": []}]


def describe(base_url: str) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Warm Handoff",
            "version": __version__,
            "description": "Intake, consults and operations. The FHIR server describes itself at /fhir/R4/metadata.",
        },
        "servers": [{"url": base_url}],
        "paths": {
            "/intake/{source}": {"post": _upload()},
            "/intake/receipts/{input_id}": {"get": _receipt()},
            "/lookup": {"post": _look_up()},
            "/cds-services": {"get": _page("CDS Hooks discovery", "application/json")},
            "/cds-services/patient-consent-consult": {"post": _consult()},
            "/healthz": {"get": _page("The process is alive", "application/json")},
            "/readyz": {"get": _readiness()},
            "/metrics": {"get": _metrics()},
            "/openapi.json": {"get": _page("This document", "application/json")},
            "/console/": {"get": _page("Staff console (login by form, cookie session)", "text/html")},
        },
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "description": "gateway token CLIENT"}},
            "schemas": {
                "Accepted": _ACCEPTED,
                "Receipt": _RECEIPT,
                "Consult": _CONSULT,
                "LookUp": _LOOK_UP,
                "Status": _STATUS,
                "Problem": _PROBLEM_SCHEMA,
            },
        },
    }


def _upload() -> dict[str, Any]:
    return {
        "operationId": "upload",
        "summary": "Hand in a record, batch or file; it is on disk when the answer comes",
        "security": _BEARER,
        "parameters": [
            {
                "name": "source",
                "in": "path",
                "required": True,
                "schema": {"type": "string"},
                "description": "Mapping name",
            },
            {"name": "Idempotency-Key", "in": "header", "schema": {"type": "string", "minLength": 1, "maxLength": 255}},
        ],
        "requestBody": {"required": True, "content": {"*/*": {"schema": {"type": "string", "format": "binary"}}}},
        "responses": {
            "202": {
                "description": "Kept. The same content again gives the same receipt and has no second effect",
                "headers": {"Location": {"description": "The receipt", "schema": {"type": "string"}}},
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Accepted"}}},
            },
            **dict.fromkeys(("400", "401", "403", "404", "413", "415", "422", "503"), _PROBLEM),
        },
    }


def _receipt() -> dict[str, Any]:
    return {
        "operationId": "receipt",
        "summary": "What became of each record of an input",
        "security": _BEARER,
        "parameters": [{"name": "input_id", "in": "path", "required": True, "schema": {"type": "string"}}],
        "responses": {
            "200": {
                "description": "The receipt; a law-enforcement client learns nothing of what became of a person",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Receipt"}}},
            },
            **dict.fromkeys(("401", "403", "404", "429", "503"), _PROBLEM),
        },
    }


def _consult() -> dict[str, Any]:
    return {
        "operationId": "consult",
        "summary": "Ask whether the calling client may have records of a person (CDS Hooks); every denial is the same",
        "security": _BEARER,
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Consult"}}},
        },
        "responses": {
            "200": {"description": "One card, with the decision in its extension", "content": {"application/json": {}}},
            **dict.fromkeys(("400", "401", "403", "413", "415", "429", "503"), _PROBLEM),
        },
    }


def _look_up() -> dict[str, Any]:
    return {
        "operationId": "lookUp",
        "summary": "Ask for the status of a referral of the person in a record that this client handed in",
        "security": _BEARER,
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/LookUp"}}},
        },
        "responses": {
            "200": {
                "description": "The status with its notice, or null: nothing to tell, for whatever reason",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Status"}}},
            },
            **dict.fromkeys(("400", "401", "403", "413", "415", "429", "503"), _PROBLEM),
        },
    }


def _readiness() -> dict[str, Any]:
    page = _page("Every part is able to work", "application/json")
    page["responses"]["503"] = {"description": "Some part is not; the body names it"}
    return page


def _metrics() -> dict[str, Any]:
    page = _page("Prometheus metrics, for this machine or whoever shows their key", "text/plain")
    page["responses"]["401"] = _PROBLEM
    return page


def _page(description: str, media_type: str) -> dict[str, Any]:
    return {"responses": {"200": {"description": description, "content": {media_type: {}}}}}


_STATES = ["pending", "converted", "quarantined", "duplicate", "skipped"]

_ACCEPTED = {
    "type": "object",
    "required": ["id", "receipt"],
    "properties": {"id": {"type": "string"}, "receipt": {"type": "string"}},
}
_RECEIPT = {
    "type": "object",
    "required": ["id", "state", "records"],
    "properties": {
        "id": {"type": "string"},
        "state": {"enum": _STATES},
        "records": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "n": {"type": "integer", "minimum": 1},
                    "state": {"enum": _STATES},
                    "reason": {"type": ["string", "null"]},
                    "ids": {"type": "array", "items": {"type": "string"}},
                },
            },
        },
    },
}
_LOOK_UP = {
    "type": "object",
    "required": ["receipt"],
    "properties": {"receipt": {"type": "string"}, "record": {"type": "integer", "minimum": 1, "default": 1}},
}
_STATUS = {
    "type": "object",
    "required": ["status"],
    "properties": {
        "status": {"type": ["string", "null"]}, "notice": {"type": "string"}, "scope": {"type": "string"},
    },
}  # fmt: skip
_KEYS = {
    "type": "array",
    "maxItems": 20,
    "items": {
        "type": "object",
        "required": ["system"],
        "properties": {"system": {"type": "string"}, "value": {"type": "string"}, "code": {"type": "string"}},
    },
}
_CONSULT = {
    "type": "object",
    "required": ["hook", "context"],
    "properties": {
        "hook": {"const": "patient-consent-consult"},
        "hookInstance": {"type": "string"},
        "context": {
            "type": "object",
            "required": ["actor", "patientId"],
            "additionalProperties": False,
            "properties": {
                "actor": _KEYS,
                "patientId": _KEYS,
                "scope": {"type": ["string", "object"]},
                "purposeOfUse": {"type": ["string", "array"], "items": {"type": "string"}},
                "category": _KEYS,
                "class": _KEYS,
            },
        },
    },
}
_PROBLEM_SCHEMA = {
    "type": "object",
    "required": ["type", "title", "status", "code", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "A code of FHIR ValueSet issue-type"},
        "detail": {"type": "string"},
    },
}
