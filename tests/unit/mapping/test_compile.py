import pytest

from gateway.model.errors import ConfigurationError
from tests.support.small_mapping import HEAD, a_mapping


def mistakes(body: str, head: str = HEAD) -> str:
    """Return the text of everything that is wrong with a mapping."""
    with pytest.raises(ConfigurationError) as caught:
        a_mapping(body, head)
    return str(caught.value)


def test_a_mistake_names_file_line_and_column() -> None:
    text = mistakes("read:\n  started_at:\n    date: D\n    in: '%Q'\nuse: contact\n")

    assert text.startswith("small/mapping.yaml:16:9: read.started_at.in: expected one of %Y")


def test_every_mistake_is_told_at_once() -> None:
    text = mistakes(
        "facts:\n  x: {from: A, form: 1}\n  y: {code: A, codes: nowhere}\n  z: {when: {hass: A}, then: 1}\n"
    )

    assert [line.split(": ")[1] for line in text.splitlines()] == ["facts.x.form", "facts.y.codes", "facts.z.when"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("facts: {x: {map: {Yes: 1}, from: A}}", "put Yes, No, On, Off in quotes"),
        ("facts: {x: {when: {is: [A, Yes]}, then: 1}}", "put it in quotes"),
        ("facts: {x: {map: {M: male}}}", "expected {map: {SOURCE: VALUE, ...}, from: PATH}"),
        ("facts: {x: {flags: {A: nonsense}, codes: behaviors}}", "expected a target_code of the table behaviors"),
        ("facts: {x: {read: later}}", "expected a name read before this line"),
        ("facts: {x: {date: A, zone: Mars/Olympus}}", "expected `agency`, `UTC` or a zone"),
        ("facts: {x: {date: A, zone: Pacific}}", "expected `agency`, `UTC` or a zone"),
        ("facts: {x: {from: A, as: color}}", "expected one of integer, number, boolean"),
        ("facts: {x: {from: 12}}", "expected a path as text, found a number"),
        ("facts: {x: {concat: A}}", "expected a list of expressions"),
        ("facts: {x: {from: A}}\nleft_out: {A: not wanted here}", "cannot be left out as well"),
        ("read: {started: {from: A}}\nuse: contact", "found 'started'; nothing would be written of it"),
        ("use: nothing", "expected the name of a template (contact)"),
        ("write: [{name: x, resource: Patient, id: [x]}]", "expected a block with name, resource, id and set"),
        ("write: [{name: x, resource: Basic, id: [x], set: {subject: {$ref: patient}}}]", "a block written before"),
        ("write: [{name: x, resource: Basic, id: [x], set: {code: {$concpt: $a}}}]", "expected an instruction"),
    ],
)
def test_a_mistake_says_what_was_expected(body: str, expected: str) -> None:
    assert expected in mistakes(body)


@pytest.mark.parametrize("zone", ["Mars", "Pacific"])
def test_an_unknown_zone_of_the_agency_is_a_mistake(zone: str) -> None:
    assert f"America/Los_Angeles, found '{zone}'" in mistakes("", HEAD.replace("America/Los_Angeles", zone))


def test_an_unknown_role_is_a_mistake() -> None:
    assert "authors.police.role: expected a role" in mistakes("", HEAD.replace("role: officer", "role: wizard"))


def test_columns_are_one_whatever_their_case() -> None:
    mapping = a_mapping("facts: {x: {from: Call Type}, y: {from: CALL  TYPE}}")

    assert mapping.known_columns == {"ID", "Call Type"}


def test_an_alias_leads_to_the_column() -> None:
    head = HEAD.replace("recognize: [ID]", "recognize: [ID], aliases: {A: [a_from_api]}")

    assert a_mapping("facts: {x: {from: A}}", head).layout.columns["a_from_api"] == "A"
