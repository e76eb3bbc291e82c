"""What waits for a person: unread inputs, held records, refused and dead deliveries, and the switches of the lanes."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from gateway.model.exchange import NOT_FOUND, RequestRefused
from gateway.storage.views import QUEUE_SIZE
from gateway.web.console.session import staff
from gateway.web.services import Services


def add_queue_pages(door: Blueprint, services: Services) -> None:
    """Add the page of the queues and its three actions to the console."""

    @door.get("/queues")
    def queues() -> str:
        views = services.views
        return render_template(
            "console/queues.html",
            quarantined=views.quarantined(),
            held=views.held_records(),
            held_work=views.stopped_work("held"),
            refused=views.stopped_work("refused"),
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
