"""The first page: today's flow in numbers, its curve over the day, and what waits for a person."""

from datetime import datetime, time
from zoneinfo import ZoneInfo

from flask import Blueprint, render_template

from gateway.web.console.session import member
from gateway.web.console.sparkline import HEIGHT, WIDTH, sparkline
from gateway.web.services import Services


def add_today_page(door: Blueprint, services: Services) -> None:
    """Add the first page to the console."""
    zone = ZoneInfo(services.timezone)

    @door.get("/")
    def today() -> str:
        now = services.clock().astimezone(zone)
        numbers = services.views.flow_numbers(datetime.combine(now.date(), time(), zone))
        curves = [
            ("Received", sparkline(numbers.received_by_hour, now.hour), numbers.received_by_hour),
            ("Delivered", sparkline(numbers.delivered_by_hour, now.hour), numbers.delivered_by_hour),
        ]
        parts = services.house.ready()
        return render_template(
            "console/today.html", numbers=numbers, curves=curves, width=WIDTH, height=HEIGHT, now=now, parts=parts,
            waiting=services.house.release_desk.waiting(member(services)),
        )  # fmt: skip
