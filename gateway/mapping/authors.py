"""Who wrote a record: the agency, and each author unit with its organization. One contact may have two laws."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from gateway.mapping.codes import CodeTable
from gateway.mapping.compiler import Compiler, Expression, Location, kind_of
from gateway.mapping.readers import compile_expression
from gateway.mapping.scope import Agency, Scope
from gateway.model.zones import zone_named

Finder = Callable[[Scope], Agency]

_ORI = "https://warmhandoff.example/id/ori"


@dataclass(frozen=True, slots=True)
class Author:
    """One author unit of a mapping."""

    unit: str
    organization: Finder
    role: Callable[[Scope], dict[str, Any] | None]

    def of(self, scope: Scope) -> dict[str, Any]:
        """Return the unit as the write layer sees it."""
        agency = self.organization(scope)
        organization = {"system": agency.system, "value": agency.value, "name": agency.name or agency.value}
        return {"unit": self.unit, "organization": organization, "role": self.role(scope)}


def compile_organization(compiler: Compiler, node: dict[str, Any], at: Location, unit: str) -> Finder:
    """Compile who stands behind a unit: what the record says, else the installation's setting, else the example's."""
    identifier = compile_expression(compiler, node.get("identifier"), (*at, "identifier"))
    system = str(node.get("system", _ORI))
    shown = node.get("demonstration") or {}
    demonstration = Agency(system, str(shown.get("value", "")), shown.get("name"), shown.get("zone"))
    if demonstration.zone is not None and zone_named(demonstration.zone) is None:
        where = (*at, "demonstration", "zone")
        compiler.problem(where, f"expected a zone like America/Los_Angeles, found {demonstration.zone!r}")

    def find(scope: Scope) -> Agency:
        value = identifier(scope)
        if value is not None:
            known = scope.context.agencies(system, str(value))
            same = demonstration if str(value) == demonstration.value else None
            return known or same or Agency(system, str(value))
        return scope.context.assigned.get(unit) or demonstration

    return find


def zone_of(agency: Agency, scope: Scope) -> ZoneInfo | None:
    """Return the zone of an agency's clocks: its own, else the installation's."""
    name = agency.zone or scope.context.zone
    return zone_named(name) if name else None


def compile_authors(compiler: Compiler, node: Any, at: Location, agency: Finder, roles: CodeTable) -> list[Author]:
    """Compile `authors:`; the first is the author of everything that names no other."""
    if not isinstance(node, dict) or not node:
        compiler.problem(at, f"expected at least one author unit, found {kind_of(node)}")
        return []
    authors: list[Author] = []
    for unit, body in node.items():
        here = (*at, unit)
        body = body or {}
        organization = agency
        if "organization" in body:
            organization = compile_organization(compiler, body["organization"], (*here, "organization"), str(unit))
        elif authors:
            organization = _assigned_or(agency, str(unit))
        authors.append(Author(str(unit), organization, _role(compiler, body.get("role"), (*here, "role"), roles)))
    return authors


def _assigned_or(agency: Finder, unit: str) -> Finder:
    return lambda scope: scope.context.assigned.get(unit) or agency(scope)


def _role(compiler: Compiler, node: Any, at: Location, roles: CodeTable) -> Callable[[Scope], dict[str, Any] | None]:
    if isinstance(node, str) and roles.by_target and node not in roles.by_target:
        compiler.problem(at, f"expected a role of the table {roles.name}, found {node!r}")
    expression: Expression = compile_expression(compiler, node, at)

    def run(scope: Scope) -> dict[str, Any] | None:
        value = expression(scope)
        return roles.item_for(value) if isinstance(value, str) else value

    return run
