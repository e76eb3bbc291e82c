"""The pages before the login: the one-time link that sets a password, login, logout."""

from flask import Blueprint, flash, g, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from gateway.model.exchange import NOT_FOUND, RequestRefused
from gateway.storage.staff import Staff
from gateway.web.console.session import end_session, record, staff, start_session
from gateway.web.console.throttle import LoginThrottle
from gateway.web.passwords import fault_of
from gateway.web.services import Services

_WRONG = "Name or password is not right."
_SLOW_DOWN = "Too many tries. Wait five minutes, then try again."
_NOT_THE_SAME = "The two passwords are not the same."

Page = str | tuple[str, int] | Response


def add_login_pages(door: Blueprint, services: Services) -> None:
    """Add the login pages to the console."""
    throttle = LoginThrottle()

    @door.get("/login")
    def login() -> Page:
        return redirect(url_for("console.today"), 303) if g.staff else render_template("console/login.html")

    @door.post("/login")
    def check_login() -> Page:
        return _check_login(services, throttle)

    @door.get("/welcome/<token>")
    def welcome(token: str) -> Page:
        return render_template("console/welcome.html", invited=_invited(services, token))

    @door.post("/welcome/<token>")
    def set_password(token: str) -> Page:
        return _set_password(services, token)

    @door.post("/logout")
    def logout() -> Page:
        record(services, "staff.logout", staff().id)
        session.clear()
        flash("You are logged out.")
        response = redirect(url_for("console.login"), 303)
        end_session(response, services)
        return response


def _check_login(services: Services, throttle: LoginThrottle) -> Page:
    name, address, at = request.form.get("name", "").strip()[:100], request.remote_addr or "", services.clock()
    if not throttle.begins(address, name, at):
        return render_template("console/login.html", fault=_SLOW_DOWN), 429
    found = services.staff.by_name(name)
    right = services.passwords.match(found.password_hash if found else None, request.form.get("password", ""))
    if found is None or not right:
        record(services, "staff.login_failed", found.id if found else "unknown")
        return render_template("console/login.html", fault=_WRONG), 422
    throttle.succeeded(address, name, at)
    record(services, "staff.login", found.id)
    return _enter(services, found)


def _set_password(services: Services, token: str) -> Page:
    invited = _invited(services, token)
    password = request.form.get("password", "")
    fault = fault_of(password, invited.name)
    if fault is None and password != request.form.get("again", ""):
        fault = _NOT_THE_SAME
    if fault is not None:
        return render_template("console/welcome.html", invited=invited, fault=fault), 422
    owner = services.staff.set_password(token, services.passwords.hashed(password), services.clock())
    if owner is None:
        raise RequestRefused(NOT_FOUND)
    record(services, "staff.password_set", owner.id)
    return _enter(services, owner)


def _invited(services: Services, token: str) -> Staff:
    invited = services.staff.invited(token, services.clock())
    if invited is None:
        raise RequestRefused(NOT_FOUND)
    return invited


def _enter(services: Services, owner: Staff) -> Response:
    session.clear()  # a form token from before the login must not live on after it
    response = redirect(url_for("console.today"), 303)
    start_session(response, owner, services)
    return response
