"""Invariants as compiled rules: in Python for those nearly every resource meets, in FHIRPath for the rest.

A Python rule is found by the expression it stands for, letter by letter: a profile which words a rule otherwise gets
its own words evaluated. `tests/unit/validation/test_invariants.py` holds both forms against each other.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from gateway.validation.fhirpath import Holds, compile_expression


def compile_invariant(expression: str, path: str) -> Holds:
    """Return the rule for an expression on elements at `path`, in Python where we have it so."""
    return NATIVE.get(expression) or compile_expression(expression, path)


def has(value: Any, name: str) -> bool:
    """Tell whether an object holds an element, by value or by an extension in place of it."""
    return name in value or f"_{name}" in value


def has_choice(value: Any, name: str) -> bool:
    """Tell whether an object holds `name[x]` with any type."""
    return any(key.startswith((name, f"_{name}")) for key in value if len(key.lstrip("_")) > len(name))


def _all_local_references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for item in value.values():
            yield from _all_local_references(item)
    elif isinstance(value, list):
        for item in value:
            yield from _all_local_references(item)
    elif isinstance(value, str) and value.startswith("#"):
        yield value


def _contained_are_used(value: Any, resource: Any, root: Any) -> bool:
    contained = value.get("contained")
    if not contained:
        return True
    used = set(_all_local_references(value))
    return all(f"#{item.get('id')}" in used or "#" in set(_all_local_references(item)) for item in contained)


def _contained_have_no(names: tuple[str, ...], within: str) -> Holds:
    def holds(value: Any, resource: Any, root: Any) -> bool:
        if "contained" not in value:
            return True
        parts = (item.get(within, {}) for item in value["contained"])
        return not any(name in part for part in parts for name in names if isinstance(part, dict))

    return holds


def _local_reference_resolves(value: Any, resource: Any, root: Any) -> bool:
    """FHIR R4 ref-1, with what its expression forgets and its text allows: "#" alone is the container."""
    reference = value.get("reference")
    if not isinstance(reference, str) or not reference.startswith("#") or reference == "#":
        return True
    return any(item.get("id") == reference[1:] for item in root.get("contained", ()) if isinstance(item, dict))


def _period_runs_forward(value: Any, resource: Any, root: Any) -> bool:
    return not_before(value.get("end"), value.get("start"))


def not_before(later: Any, earlier: Any) -> bool:
    """Compare two dates or times to the precision both have; where that leaves it open, nothing is broken.

    The FHIRPath engine calls a year after a month of that year false, and with it valid partial periods.
    """
    if not isinstance(later, str) or not isinstance(earlier, str):
        return True
    if "T" in later and "T" in earlier:
        try:
            return datetime.fromisoformat(later) >= datetime.fromisoformat(earlier)
        except (ValueError, TypeError):
            return True  # not a time, or one without an offset: the type check has said so
    shared = min(len(later), len(earlier), 10)
    return later[:shared] >= earlier[:shared]


def _coded(value: Any, name: str, system: str, codes: tuple[str, ...]) -> bool:
    codings = value.get(name, {}).get("coding", ()) if isinstance(value.get(name), dict) else ()
    return any(item.get("system") == system and item.get("code") in codes for item in codings)


def _is_no_police_number(value: Any, resource: Any, root: Any) -> bool:
    codings = value.get("type", {}).get("coding", ())
    return value.get("system") != "http://hl7.org/fhir/sid/us-ssn" and not any(
        item.get("code") in ("SS", "DL") for item in codings
    )


def _is_named_or_says_why_not(value: Any, resource: Any, root: Any) -> bool:
    reason = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
    return (
        has(value, "family")
        or has(value, "given")
        or any(item.get("url") == reason for item in value.get("extension", ()))
    )


def _was_resolved(value: Any, resource: Any, root: Any) -> bool:
    """FHIR R4 con-4: what has abated is inactive, in remission or resolved."""
    codes = ("resolved", "remission", "inactive")
    return not has_choice(value, "abatement") or _coded(value, "clinicalStatus", _CONDITION_CLINICAL, codes)


def _has_status_unless_a_problem(value: Any, resource: Any, root: Any) -> bool:
    """FHIR R4 con-3 as published: it compares each category with a word, which none is, so any category counts."""
    return (
        "category" not in value
        or "clinicalStatus" in value
        or _coded(value, "verificationStatus", _CONDITION_STATUS, _MISTAKEN)
    )


def _has_patient_unless_scope_is(code: str) -> Holds:
    return lambda v, r, root: "patient" in v or not _coded(v, "scope", "something", (code,))


def _entries(value: Any) -> list[Any]:
    return [entry for entry in value.get("entry", ()) if isinstance(entry, dict)]


def _first_is(value: Any, type_name: str) -> bool:
    return any(entry.get("resource", {}).get("resourceType") == type_name for entry in _entries(value)[:1])


def _entries_have_when(name: str, types: tuple[str, ...]) -> Holds:
    def holds(value: Any, resource: Any, root: Any) -> bool:
        wanted = value.get("type") in types
        return all((name in entry) == wanted for entry in _entries(value))

    return holds


def _full_urls_differ(value: Any, resource: Any, root: Any) -> bool:
    if value.get("type") == "history":
        return True
    seen = [
        entry["fullUrl"] + str(entry.get("resource", {}).get("meta", {}).get("versionId", ""))
        for entry in _entries(value)
        if isinstance(entry.get("fullUrl"), str)
    ]
    return len(seen) == len(set(seen))


def _component_codes_differ(value: Any, resource: Any, root: Any) -> bool:
    """FHIR R4 obs-7: where the observation has a value, no component may carry the observation's own code."""
    if not value.get("component") or not has_choice(value, "value"):
        return True
    own = resource.get("code", {}).get("coding", [])
    return not any(coding in own for part in value["component"] for coding in part.get("code", {}).get("coding", ()))


_CONDITION_STATUS = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
_CONDITION_CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
_ALLERGY_STATUS = "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification"
_MISTAKEN = ("entered-in-error",)

NATIVE: dict[str, Holds] = {
    # Every resource
    "contained.contained.empty()": lambda v, r, root: (
        "contained" not in v or not any("contained" in item for item in v["contained"])
    ),
    "contained.where((('#'+id in (%resource.descendants().reference | %resource.descendants().as(canonical) | "
    "%resource.descendants().as(uri) | %resource.descendants().as(url))) or descendants().where(reference = '#')"
    ".exists() or descendants().where(as(canonical) = '#').exists() or descendants().where(as(canonical) = '#')"
    ".exists()).not()).trace('unmatched', id).empty()": _contained_are_used,
    "contained.meta.versionId.empty() and contained.meta.lastUpdated.empty()": _contained_have_no(
        ("versionId", "lastUpdated"), "meta"
    ),
    "contained.meta.security.empty()": _contained_have_no(("security",), "meta"),
    "text.`div`.exists()": lambda v, r, root: "div" in v.get("text", ()),
    # Datatypes
    "extension.exists() != value.exists()": lambda v, r, root: ("extension" in v) != has_choice(v, "value"),
    "reference.startsWith('#').not() or (reference.substring(1).trace('url') in "
    "%rootResource.contained.id.trace('ids'))": _local_reference_resolves,
    "start.hasValue().not() or end.hasValue().not() or (start <= end)": _period_runs_forward,
    "value.empty() or system.exists()": lambda v, r, root: not has(v, "value") or has(v, "system"),
    "data.empty() or contentType.exists()": lambda v, r, root: not has(v, "data") or has(v, "contentType"),
    "code.empty() or system.exists()": lambda v, r, root: not has(v, "code") or has(v, "system"),
    "comparator.empty()": lambda v, r, root: not has(v, "comparator"),
    # The resources of a handoff
    "name.exists() or telecom.exists() or address.exists() or organization.exists()": lambda v, r, root: (
        "name" in v or "telecom" in v or "address" in v or "organization" in v
    ),
    "(identifier.count() + name.count()) > 0": lambda v, r, root: "identifier" in v or has(v, "name"),
    "where(use = 'home').empty()": lambda v, r, root: v.get("use") != "home",
    "low.exists() or high.exists() or text.exists()": lambda v, r, root: "low" in v or "high" in v or has(v, "text"),
    "dataAbsentReason.empty() or value.empty()": lambda v, r, root: (
        "dataAbsentReason" not in v or not has_choice(v, "value")
    ),
    "value.empty() or component.code.where(coding.intersect(%resource.code.coding).exists()).empty()": (
        _component_codes_differ
    ),
    "orderDetail.empty() or code.exists()": lambda v, r, root: "orderDetail" not in v or "code" in v,
    "lastModified.exists().not() or authoredOn.exists().not() or lastModified >= authoredOn": lambda v, r, root: (
        not_before(v.get("lastModified"), v.get("authoredOn"))
    ),
    "policy.exists() or policyRule.exists()": lambda v, r, root: "policy" in v or "policyRule" in v,
    **{
        # As published, ppc-2 to ppc-5 name the code system 'something'; they are kept as R4 has them.
        f"patient.exists() or scope.coding.where(system='something' and code='{code}').exists().not()": (
            _has_patient_unless_scope_is(code)
        )
        for code in ("patient-privacy", "research", "adr", "treatment")
    },
    "detail.empty() or reference.empty()": lambda v, r, root: "detail" not in v or "reference" not in v,
    "(detail.exists() and measure.exists()) or detail.exists().not()": lambda v, r, root: (
        not has_choice(v, "detail") or "measure" in v
    ),
    # R4 words ras-2 so that a prediction without a probability comes out neither true nor false.
    "probability is decimal implies (probability as decimal) <= 100": lambda v, r, root: (
        v.get("probabilityDecimal", 0) <= 100
    ),
    "member.empty() or (actual = true)": lambda v, r, root: "member" not in v or v.get("actual") is True,
    "name.empty() or query.empty()": lambda v, r, root: not has(v, "name") or not has(v, "query"),
    f"verificationStatus.coding.where(system='{_CONDITION_STATUS}' and code='entered-in-error').empty() or "
    "clinicalStatus.empty()": lambda v, r, root: (
        "clinicalStatus" not in v or not _coded(v, "verificationStatus", _CONDITION_STATUS, _MISTAKEN)
    ),
    f"clinicalStatus.exists() or verificationStatus.coding.where(system='{_CONDITION_STATUS}' and "
    "code = 'entered-in-error').exists() or category.select($this='problem-list-item').empty()": (
        _has_status_unless_a_problem
    ),
    f"abatement.empty() or clinicalStatus.coding.where(system='{_CONDITION_CLINICAL}' and (code='resolved' or "
    "code='remission' or code='inactive')).exists()": _was_resolved,
    f"verificationStatus.coding.where(system = '{_ALLERGY_STATUS}' and code = 'entered-in-error').exists() or "
    "clinicalStatus.exists()": lambda v, r, root: (
        "clinicalStatus" in v or _coded(v, "verificationStatus", _ALLERGY_STATUS, _MISTAKEN)
    ),
    f"verificationStatus.coding.where(system = '{_ALLERGY_STATUS}' and code = 'entered-in-error').empty() or "
    "clinicalStatus.empty()": lambda v, r, root: (
        "clinicalStatus" not in v or not _coded(v, "verificationStatus", _ALLERGY_STATUS, _MISTAKEN)
    ),
    # Our own profiles
    "system != 'http://hl7.org/fhir/sid/us-ssn' and type.coding.where(code = 'SS' or code = 'DL').empty()": (
        _is_no_police_number
    ),
    "family.exists() or given.exists() or extension.where(url = "
    "'http://hl7.org/fhir/StructureDefinition/data-absent-reason').exists()": _is_named_or_says_why_not,
    "value.exists() or dataAbsentReason.exists() or component.exists() or hasMember.exists()": lambda v, r, root: (
        has_choice(v, "value") or "dataAbsentReason" in v or "component" in v or "hasMember" in v
    ),
    "(status in ('rejected' | 'cancelled' | 'on-hold' | 'failed')) implies statusReason.exists()": lambda v, r, root: (
        "statusReason" in v or v.get("status") not in ("rejected", "cancelled", "on-hold", "failed")
    ),
    "status = 'active' implies provision.exists()": lambda v, r, root: v.get("status") != "active" or "provision" in v,
    "status = 'draft' implies provision.empty()": lambda v, r, root: v.get("status") != "draft" or "provision" not in v,
    "url.exists() or data.exists()": lambda v, r, root: has(v, "url") or has(v, "data"),
    # Bundle
    "total.empty() or (type = 'searchset') or (type = 'history')": lambda v, r, root: (
        not has(v, "total") or v.get("type") in ("searchset", "history")
    ),
    "entry.search.empty() or (type = 'searchset')": lambda v, r, root: (
        v.get("type") == "searchset" or not any("search" in entry for entry in _entries(v))
    ),
    "entry.all(request.exists() = (%resource.type = 'batch' or %resource.type = 'transaction' or "
    "%resource.type = 'history'))": _entries_have_when("request", ("batch", "transaction", "history")),
    "entry.all(response.exists() = (%resource.type = 'batch-response' or %resource.type = 'transaction-response' or "
    "%resource.type = 'history'))": _entries_have_when(
        "response", ("batch-response", "transaction-response", "history")
    ),
    "(type = 'history') or entry.where(fullUrl.exists()).select(fullUrl&resource.meta.versionId).isDistinct()": (
        _full_urls_differ
    ),
    "fullUrl.exists() implies fullUrl.contains('/_history/').not()": lambda v, r, root: (
        "/_history/" not in str(v.get("fullUrl", ""))
    ),
    "resource.exists() or request.exists() or response.exists()": lambda v, r, root: (
        "resource" in v or "request" in v or "response" in v
    ),
    "type = 'document' implies (identifier.system.exists() and identifier.value.exists())": lambda v, r, root: (
        v.get("type") != "document" or {"system", "value"} <= v.get("identifier", {}).keys()
    ),
    "type = 'document' implies (timestamp.hasValue())": lambda v, r, root: (
        v.get("type") != "document" or "timestamp" in v
    ),
    "type = 'document' implies entry.first().resource.is(Composition)": lambda v, r, root: (
        v.get("type") != "document" or _first_is(v, "Composition")
    ),
    "type = 'message' implies entry.first().resource.is(MessageHeader)": lambda v, r, root: (
        v.get("type") != "message" or _first_is(v, "MessageHeader")
    ),
}
