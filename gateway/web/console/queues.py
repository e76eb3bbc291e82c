"""What waits for a person: unread inputs, held records, refused and dead deliveries, and the switches of the lanes."""

import re
from dataclasses import replace

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from gateway.model.exchange import NOT_FOUND, RequestRefused
from gateway.storage.view_rows import WorkRow
from gateway.storage.views import QUEUE_SIZE
from gateway.web.console.session import staff
from gateway.web.services import Services

_OF_A_RULE = re.compile(r"[A-Z][A-Z_]+\b")
"""A reason that the engine gave begins with its code; every other one with a word."""


def add_queue_pages(door: Blueprint, services: Services) -> None:
    """Add the page of the queues and its three actions to the console."""

    @door.get("/queues")
    def queues() -> str:
        views = services.views
        return render_template(
            "console/queues.html",
            quarantined=views.quarantined(),
            held=views.held_records(),
            held_work=[_told(services, row) for row in views.stopped_work("held")],
            refused=[_told(services, row) for row in views.stopped_work("refused")],
            dead=views.stopped_work("dead"),
            lanes=views.lanes(),
            limit=QUEUE_SIZE,
            now=services.clock(),
        )

    @door.post("/work/<int:work_id>/replay")
    def replay(work_id: int) -> AnyResponse:
        if not services.house.replay(staff().id, work_id):
            raise RequestRefused(NOT_FOUND)
        flash(f"Delivery {work_id} will be tried again.")
        return redirect(url_for("console.queues", _anchor="dead"), 303)

    @door.post("/lane")
    def switch_lane() -> AnyResponse:
        lane, paused = request.form.get("lane", ""), request.form.get("paused") == "yes"
        if lane not in {row.name for row in services.views.lanes()}:
            raise RequestRefused(NOT_FOUND)
        services.house.pause(staff().id, lane, paused)
        flash(f"Lane {lane} is {'paused' if paused else 'running'}.")
        return redirect(url_for("console.queues", _anchor="lanes"), 303)


def _told(services: Services, row: WorkRow) -> WorkRow:
    """Leave out why the rules stopped a delivery where the operator does not serve every program.

    The reason can rest on what a program's record says that the person consented to, or took back.
    """
    is_of_a_rule = _OF_A_RULE.match(row.reason or "") is not None
    return replace(row, reason=None) if is_of_a_rule and not services.house.release_desk.serves_every_program else row
