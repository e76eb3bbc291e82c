"""HL7v2 messages for interface engineers: the list, and one message field by field with our reading beside it.

The list shows headers and outcomes only. A message's own page is a disclosure to the member of staff who opens it, and
is decided and logged as one.
"""

from dataclasses import asdict, replace
from datetime import timedelta
from itertools import groupby
from typing import Any, get_args

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from gateway.formats.hl7v2.reading import FieldReading
from gateway.model.exchange import NOT_FOUND, RequestRefused
from gateway.model.handoff import RecordState
from gateway.storage.message_views import SEARCHED, MessageQuery
from gateway.web.console.session import staff
from gateway.web.services import Services

_FILTERS = ("type", "state", "sender", "before")
_LONGEST_FILTER = 100
_DROPPED_SHOWN = timedelta(days=7)
_STATES = ("pending", *get_args(RecordState))


def add_message_pages(door: Blueprint, services: Services) -> None:
    """Add the list of messages, the page of one, and what a person may say of one that waits to the console."""

    _add_answers(door, services)

    @door.get("/messages")
    def messages() -> str:
        query = MessageQuery(**{name: request.args.get(name, "").strip()[:_LONGEST_FILTER] for name in _FILTERS})
        page = services.messages.messages(query)
        return render_template(
            "console/messages.html",
            query=query,
            page=page,
            states=_STATES,
            searched=SEARCHED,
            awaited=services.messages.awaited(),
            dropped=services.messages.dropped((services.clock() - _DROPPED_SHOWN).date()),
            newest=_address_of(replace(query, before="")) if query.before else None,
            older=_address_of(replace(query, before=page.next)) if page.next else None,
        )

    @door.get("/messages/<input_id>")
    def message(input_id: str) -> str:
        owner = staff()
        found = services.house.console_message((owner.id, owner.role), input_id)
        if found is None:
            raise RequestRefused(NOT_FOUND)
        segments = [(name, list(fields)) for name, fields in groupby(found.fields, _segment_of)]
        return render_template("console/message.html", message=found, segments=segments)

    @door.post("/messages/<input_id>/merge")
    def decide_merge(input_id: str) -> AnyResponse:
        same = request.form.get("same") == "yes"
        if not services.house.decide_merge(staff().id, input_id, same):
            raise RequestRefused(NOT_FOUND)
        flash("Merged: they are one person now." if same else "Refused: nothing moved.")
        return redirect(url_for("console.message", input_id=input_id), 303)

    @door.post("/messages/<input_id>/consent")
    def settle_consents(input_id: str) -> AnyResponse:
        person = request.form.get("person") or None
        if not services.house.settle_consents(staff().id, input_id, person):
            raise RequestRefused(NOT_FOUND)
        flash(
            "It stands: what it forbids does not leave." if person else "Set aside: what it stopped is decided again."
        )
        return redirect(url_for("console.message", input_id=input_id), 303)


def _add_answers(door: Blueprint, services: Services) -> None:
    """Add what a person may say of a message that waits."""

    @door.post("/messages/<input_id>/sender")
    def take_message_as(input_id: str) -> AnyResponse:
        if not services.house.take_message_as(staff().id, input_id, request.form.get("organization", "")):
            raise RequestRefused(NOT_FOUND)
        flash("Taken as the word of that partner, and read again.")
        return redirect(url_for("console.message", input_id=input_id), 303)

    @door.post("/messages/<input_id>/person")
    def tell_whom(input_id: str) -> AnyResponse:
        person = request.form.get("person") or None
        if not services.house.tell_whom(staff().id, input_id, person):
            raise RequestRefused(NOT_FOUND)
        flash("The sender's number is theirs now, and the message was read again.")
        return redirect(url_for("console.message", input_id=input_id), 303)

    @door.post("/messages/<input_id>/leave")
    def leave_message(input_id: str) -> AnyResponse:
        if not services.house.leave_message(staff().id, input_id):
            raise RequestRefused(NOT_FOUND)
        flash("Left as it is: nothing moved.")
        return redirect(url_for("console.message", input_id=input_id), 303)


def _segment_of(reading: FieldReading) -> str:
    return reading.path.rpartition("-")[0]


def _address_of(query: MessageQuery) -> str:
    given: dict[str, Any] = {name: value for name, value in asdict(query).items() if value}
    return url_for("console.messages", **given)
