"""The page that says why something was withheld: for the program it comes from, and whoever works for that program."""

from flask import Blueprint, render_template

from gateway.web.console.session import member
from gateway.web.services import Services


def add_withheld_page(door: Blueprint, services: Services) -> None:
    """Add the page of one record to the console."""

    @door.get("/withheld/<handoff_id>")
    def withheld(handoff_id: str) -> str:
        told = services.house.release_desk.withheld(member(services), handoff_id)
        return render_template("console/withheld.html", handoff_id=handoff_id, told=told)
