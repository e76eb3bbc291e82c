"""For those who run the gateway: liveness, readiness, Prometheus metrics and the description of the HTTP API."""

import orjson
from flask import Blueprint, Response, jsonify
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from gateway.web.metrics_door import require_metrics_key
from gateway.web.openapi import describe
from gateway.web.services import Services

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})


def known_method(method: str) -> str:
    """Return the method, or "other" for one made up by the caller: its words go into no log and no time series."""
    return method if method in _METHODS else "other"


class RequestMetrics:
    """Counts and durations of requests by route, method and status; a registry of its own for each application."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "gateway_http_requests_total",
            "HTTP requests answered",
            ["route", "method", "status"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "gateway_http_request_seconds", "Time to answer", ["route"], registry=self.registry, buckets=_BUCKETS
        )

    def observe(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        self._requests.labels(route, known_method(method), str(status)).inc()
        self._seconds.labels(route).observe(seconds)


def operations(services: Services, metrics: RequestMetrics) -> Blueprint:
    """Build the pages for operators. They say nothing about any person, and only the metrics ask who reads them."""
    door = Blueprint("operations", __name__)
    work = Gauge("gateway_work", "Pieces of work by lane and state", ["lane", "state"], registry=metrics.registry)
    failures = Gauge("gateway_lane_failures", "Failed tries in a row", ["lane"], registry=metrics.registry)
    resting = Gauge(
        "gateway_lane_resting_seconds", "How long a lane that failed is still left alone", ["lane"],
        registry=metrics.registry,
    )  # fmt: skip
    description = orjson.dumps(describe(services.base_url), option=orjson.OPT_INDENT_2)

    @door.get("/healthz")
    def healthz() -> Response:
        return jsonify(status="ok")

    @door.get("/readyz")
    def readyz() -> tuple[Response, int]:
        parts = services.house.ready()
        able = all(parts.values())
        return jsonify(status="ready" if able else "not ready", parts=parts), 200 if able else 503

    @door.get("/metrics")
    def prometheus() -> Response:
        require_metrics_key(services.metrics_key, services.base_url)
        work.clear()
        for row in services.views.work_counts():
            work.labels(row.lane, row.state).set(row.count)
        for lane in services.views.lanes():
            rest_s = (lane.due - services.clock()).total_seconds() if lane.failures else 0.0
            failures.labels(lane.name).set(lane.failures)
            resting.labels(lane.name).set(max(0.0, rest_s))
        return Response(generate_latest(metrics.registry), content_type=CONTENT_TYPE_LATEST)

    @door.get("/openapi.json")
    def openapi() -> Response:
        return Response(description, content_type="application/json")

    return door
