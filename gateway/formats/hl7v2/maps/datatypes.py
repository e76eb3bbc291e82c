"""The data types a row may name, each a pair of converters: what packs write after `as`."""

from collections.abc import Callable

from gateway.formats.hl7v2.maps import concepts, observed, parties, persons, values
from gateway.formats.hl7v2.maps.concepts import Read, Write
from gateway.formats.hl7v2.maps.terms import TermTable

Factory = Callable[[TermTable | None, str], tuple[Read, Write]]

DATA_TYPES: dict[str, Factory] = {
    "ST": values.text,
    "FT": values.formatted,
    "TX": values.formatted,
    "name": values.name_text,
    "text": values.text_concept,
    "DTM": values.date_time,
    "DT": values.date,
    "instant": values.instant,
    "SI": values.whole_number,
    "NM": values.whole_number,
    "CQ": values.quantity,
    "ED": values.attachment,
    "OBX-5": observed.result,
    "CWE": concepts.concept,
    "Coding": concepts.coding,
    "code": concepts.code,
    "boolean": concepts.truth,
    "XPN": persons.human_name,
    "XAD": persons.address,
    "XTN": persons.contact_point,
    "home XTN": persons.home_contact_point,
    "business XAD": lambda table, system: persons.business(persons.address(table, system)),
    "business XTN": lambda table, system: persons.business(persons.contact_point(table, system)),
    "CX": parties.identifier,
    "EI": parties.entity,
    "PLN": parties.provider_number,
    "XCN": parties.practitioner,
    "NDL": parties.reader_of_results,
    "XON": parties.organization,
    "coded XON": parties.coded_organization,
    "PL": parties.location,
}
"""Name in a pack -> factory of the pair."""

WHOLE_FIELD = frozenset(("FT", "TX", "ED", "OBX-5"))
"""Types that take all repetitions of a field together."""
