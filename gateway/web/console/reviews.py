"""What a second person has to look at: broken glasses, releases under legal review, items that hold."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from gateway.web.console.session import member
from gateway.web.services import Services


def add_review_pages(door: Blueprint, services: Services) -> None:
    """Add the queue and its one action to the console."""

    @door.get("/reviews")
    def reviews() -> str:
        actor = member(services)
        return render_template("console/reviews.html", waiting=services.house.release_desk.waiting(actor), me=actor)

    @door.post("/reviews/<review_id>/close")
    def close_review(review_id: str) -> AnyResponse:
        again = request.form.get("again") == "yes"
        services.house.release_desk.close_review(
            member(services), review_id, request.form.get("note", ""), again=again
        )  # fmt: skip
        flash("Looked at, with your note. It is decided and sent once more." if again else "Looked at, with your note.")
        return redirect(url_for("console.reviews"), 303)
