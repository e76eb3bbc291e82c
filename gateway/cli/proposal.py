"""Propose a mapping from sample rows: a first draft for a person to correct, never one to run unseen."""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from gateway.formats.csv_rows_header import DELIMITERS
from gateway.formats.csv_rows_text import decode
from gateway.formats.json_documents import documents, looks_like_json
from gateway.mapping.answers import answer_of
from gateway.mapping.dates import compile_format, compile_time_format

_ROWS = 500

_DATE_FORMATS = (
    "iso", "%m/%d/%Y", "%m/%d/%Y %H:%M", "%m/%d/%Y %I:%M %p", "%m/%d/%Y %I:%M:%S %p", "%Y/%m/%d", "%d-%b-%Y",
    "%d.%m.%Y", "%m/%d/%y", "%m/%d/%y %H:%M", "%d-%b-%y",
)  # fmt: skip
_FITTING = 0.75
"""Share of the values that must be dates for a column to be one of dates: real tables have slips in them."""
_TIME_FORMATS = ("%H:%M:%S", "%H:%M", "%I:%M:%S %p", "%I:%M %p", "HMM")

# Words in a column's name -> name of the contact vocabulary. The longest match wins; "last" and "first" end a name.
_PERSON = {
    "last name": "family", "lastname": "family", "surname": "family", "family name": "family",
    "first name": "given", "firstname": "given", "given name": "given", "middle name": "given",
    "full name": "whole", "client name": "whole", "patient name": "whole", "subject name": "whole",
    "dob": "birth_date", "d o b": "birth_date", "birth date": "birth_date", "birthdate": "birth_date",
    "date of birth": "birth_date",
    "sex": "gender", "gender": "gender", "phone": "phone", "cell phone": "phone", "telephone": "phone",
    "lname": "family", "fname": "given", "email": "email",
    "city": "city", "zip": "postal_code", "postal": "postal_code", "address": "line",
}  # fmt: skip
_LAST_WORD = {"last": "family", "first": "given"}
_WHEN_IT_WAS = ("call", "contact", "incident", "occurred", "crisis", "encounter", "event", "report", "reported")
"""Words of the date on which an encounter was, where there are several dates."""
_CODED = {
    "referred": "referrals", "referral": "referrals", "transported": "dispositions", "disposition": "dispositions",
    "outcome": "dispositions", "reason": "natures", "nature": "natures", "call type": "natures",
}  # fmt: skip
_CODED_LINES = {
    "natures": ("  natures: {{code: {column}, codes: natures}}",),
    "dispositions": ("  dispositions: {{code: {column}, codes: dispositions}}",),
    "referrals": ("  referrals:", "    - when: {{has: {column}}}", "      then: {{code: {column}, codes: services}}"),
}
_CONSENT = ("consent", "share", "release signed", "signed")
_FREE_TEXT = "free text is withheld from every output"
_DROPPED = "dropped at the boundary"
_LEFT_OUT = {
    "narrative": _FREE_TEXT, "notes": _FREE_TEXT, "comments": _FREE_TEXT, "remarks": _FREE_TEXT,
    "ssn": _DROPPED, "social security": _DROPPED, "license": _DROPPED,
    "badge": "the officer's number does not leave the agency",
    "officer": "the officer's identity does not leave the agency",
    "deputy": "the officer's identity does not leave the agency",
    "race": "as perceived by the officer; measures only",
}  # fmt: skip


def propose(sample: Path, name: str) -> str | None:
    """Return the text of a proposed mapping.yaml, or None where the file is no table."""
    rows = _sample(sample)
    columns = list(dict.fromkeys(column for row in rows for column in row if column))
    if len(columns) < 2:
        return None
    values = {column: [row[column] for row in rows if row.get(column)] for column in columns}
    key = next((column for column in columns if _is_key(values[column], len(rows))), columns[0])
    return "\n".join(_lines(name, columns, values, key)) + "\n"


def _sample(path: Path) -> list[dict[str, str]]:
    with path.open("rb") as stream:
        head = stream.read(1 << 20)
    if looks_like_json(head):
        found = [document.value for document in documents(io.BytesIO(head)) if isinstance(document.value, dict)]
        return [{name: str(cell).strip() for name, cell in row.items() if cell is not None} for row in found[:_ROWS]]
    text = decode(head.removeprefix(b"\xef\xbb\xbf"))
    delimiter = max(DELIMITERS, key=text.partition("\n")[0].count)
    try:
        table = [
            cells for _, cells in zip(range(_ROWS), csv.reader(io.StringIO(text), delimiter=delimiter), strict=False)
        ]
    except csv.Error:
        return []
    header = [cell.strip() for cell in table[0]] if table else []
    return [dict(zip(header, (cell.strip() for cell in cells), strict=False)) for cells in table[1:]]


def _is_key(values: list[str], rows: int) -> bool:
    return len(values) == rows and len(set(values)) > 0.5 * rows and not _formats(values)


def _formats(values: list[str]) -> list[str]:
    """Return the date formats in which nearly every value can be read, those that read the most first."""
    if not values or _is_number(values):
        return []
    read = {one: sum(1 for value in values if compile_format(one)(value)) for one in _DATE_FORMATS}
    fitting = [one for one in _DATE_FORMATS if read[one] >= _FITTING * len(values)]
    return sorted(fitting, key=lambda one: -read[one])


def _is_number(values: list[str]) -> bool:
    return all(value.isdecimal() for value in values)


def _lines(name: str, columns: list[str], values: dict[str, list[str]], key: str) -> Iterator[str]:
    yield from (
        f"# A proposal from {len(columns)} columns of sample rows. Read every line (docs/mapping-language.md).",
        f"mapping: {name}", f"title: {name}", "program: {code: cit, text: Crisis intervention team}", "",
        "source:", "  format: table", f"  recognize: [{_telling(columns, key)}]", "", f"key: [{_quoted(key)}]", "",
        "agency:", "  system: https://warmhandoff.example/id/ori",
        "  demonstration: {value: WA0990000, name: Exampleville Police Department, zone: America/Los_Angeles}", "",
        "authors:", "  police: {role: officer}", "",
    )  # fmt: skip
    rest = [column for column in columns if column != key]
    left_out = {column: reason for column in rest if (reason := _matching(column, _LEFT_OUT))}
    person = {column: part for column in rest if column not in left_out and (part := _part_of_person(column))}
    rest = [column for column in rest if column not in left_out and column not in person]
    coded = _coded(rest, values)
    consents = [column for column in rest if _has_word(column, _CONSENT)]
    rest = [column for column in rest if column not in coded.values()]
    dates = [column for column in rest if _formats(values[column])]
    dates.sort(key=lambda column: (column in consents, not _has_word(column, _WHEN_IT_WAS)))
    flags = [column for column in rest if values[column] and all(value.upper() == "X" for value in values[column])]
    reads = [
        *_started(dates, values, rest),
        *_person(person, values),
        *_flags(flags),
        *_codes(coded),
        *_asked(consents),
    ]
    yield "read:" if reads else "read: {}"
    yield from (*reads, "", "facts:")
    if dates:
        yield "  started_at: {read: started_at}"
    used = {*flags, *dates[:1], *(clock for clock, _ in (_clock(dates[0], values, rest) if dates else ()))}
    yield from (f"  {_fact(column)}: {_fact_reader(column, values[column])}" for column in rest if column not in used)
    if left_out:
        yield from ("", "left_out:")
        yield from (f"  {_quoted(column)}: {reason}" for column, reason in left_out.items())
    yield from ("", "use: contact")


def _started(dates: list[str], values: dict[str, list[str]], others: list[str]) -> Iterator[str]:
    if dates:
        yield f"  started_at: {_date(dates[0], values, others)}"


def _telling(columns: list[str], key: str) -> str:
    """List the columns a file is to be recognized by: the key and the first two others."""
    return ", ".join(map(_quoted, [key, *[column for column in columns if column != key][:2]]))


def _part_of_person(column: str) -> str | None:
    """Return which part of a person a column holds; `whole` where a name stands in one piece."""
    name = _fact(column)
    return _matching(column, _PERSON) or _LAST_WORD.get(name.split("_")[-1]) or ("whole" if name == "name" else None)


def _coded(columns: list[str], values: dict[str, list[str]]) -> dict[str, str]:
    """Return name of the vocabulary -> the first column that seems to hold its codes, and not only yes or no."""
    found: dict[str, str] = {}
    for column in columns:
        says_more = not all(answer_of(value) for value in values[column])
        if says_more and (name := _matching(column, _CODED)):
            found.setdefault(name, column)
    return found


def _codes(coded: dict[str, str]) -> Iterator[str]:
    if coded:
        yield "  # Words that no table knows are kept as text and counted: add them to codes/ beside this file."
    for name, lines in _CODED_LINES.items():
        if name in coded:
            yield from (line.format(column=_quoted(coded[name])) for line in lines)


def _asked(columns: list[str]) -> Iterator[str]:
    if columns:
        yield f"  # What the person said may stand in these: {', '.join(columns)}."
        yield "  # Write it as `consent`: without the person's yes no referral leaves, unless its route says so."


def _flags(flags: list[str]) -> Iterator[str]:
    if not flags:
        return
    yield "  # These look like check boxes: give each its code of the table, or make it a fact."
    yield from ("  behaviors:", "    flags:")
    yield from (f"      {_quoted(column)}: other" for column in flags)
    yield "    codes: behaviors"


def _person(person: dict[str, str], values: dict[str, list[str]]) -> Iterator[str]:
    by_part: dict[str, list[str]] = {}
    for column, part in person.items():
        by_part.setdefault(part, []).append(column)
    if "family" not in by_part and "whole" in by_part:
        yield "  # A name in one cell stays in one piece: which part is which is not guessed."
        by_part["family"] = by_part.pop("whole")
    if "family" not in by_part:
        if by_part:
            yield "  # Columns about a person, and none with a family name: " + ", ".join(person)
        return
    family = _quoted(by_part["family"][0])
    yield from ("  persons:", f"    - when: {{has: {family}}}", "      then:")
    for part, template in _PERSON_LINES.items():
        if part in by_part:
            first = by_part[part][0]
            every = ", ".join(f"{{from: {_quoted(column)}}}" for column in by_part[part])
            yield template.format(first=_quoted(first), every=every, formats=_born(values[first]))
    address = [part for part in _ADDRESS_LINES if part in by_part]
    yield from ["        address:"] if address else []
    yield from (_ADDRESS_LINES[part].format(first=_quoted(by_part[part][0])) for part in address)
    for part, columns in by_part.items():
        if part != "given" and len(columns) > 1:
            yield f"  # More than one column looks like {part}; these are not placed: {', '.join(columns[1:])}"


def _born(values: list[str]) -> str:
    """Write the formats of birth dates: 58 is a year that has come."""
    formats = _format_list(_formats(values))
    return f"{formats}, future: last-century" if "%y" in formats else formats


_PERSON_LINES = {
    "family": "        family: {{from: {first}}}",
    "given": "        given: [{every}]",
    "birth_date": "        birth_date: {{date: {first}, in: {formats}}}",
    "gender": "        gender: {{map: {{M: male, F: female, Male: male, Female: female, U: unknown}}, from: {first}}}",
    "phone": "        phones: [{{number: {{from: {first}}}}}]",
    "email": "        email: {{from: {first}}}",
}
_ADDRESS_LINES = {
    "line": "          line: [{{from: {first}}}]",
    "city": "          city: {{from: {first}}}",
    "postal_code": "          postal_code: {{from: {first}}}",
}


def _date(column: str, values: dict[str, list[str]], others: list[str]) -> str:
    text = f"{{date: {_quoted(column)}, in: {_format_list(_formats(values[column]))}"
    for clock, form in _clock(column, values, others):
        text += f", time: {_quoted(clock)}, time_in: {_quoted(form)}"
    return text + ", zone: agency}"


def _clock(day: str, values: dict[str, list[str]], others: list[str]) -> list[tuple[str, str]]:
    """Return the column of the time of that day with its format, or nothing."""
    clocks = (other for other in others if other != day and "time" in other.casefold())
    for clock in clocks:
        fitting = [one for one in _TIME_FORMATS if values[clock] and all(map(compile_time_format(one), values[clock]))]
        if fitting:
            return [(clock, fitting[0])]
    return []


def _format_list(formats: list[str]) -> str:
    return _quoted(formats[0]) if len(formats) == 1 else "[" + ", ".join(map(_quoted, formats or ["iso"])) + "]"


def _fact_reader(column: str, values: list[str]) -> str:
    if values and all(answer_of(value) for value in values) and not _is_number(values):
        return f"{{answer: {_quoted(column)}}}"
    if formats := _formats(values):
        return f"{{date: {_quoted(column)}, in: {_format_list(formats)}}}"
    return (
        f"{{from: {_quoted(column)}, as: integer}}" if values and _is_number(values) else f"{{from: {_quoted(column)}}}"
    )


def _fact(column: str) -> str:
    return "_".join("".join(letter if letter.isalnum() else " " for letter in column.casefold()).split()) or "unnamed"


def _has_word(column: str, words: Iterable[str]) -> bool:
    return _matching(column, dict.fromkeys(words, column)) is not None


def _matching(column: str, words: dict[str, str]) -> str | None:
    name = f" {_fact(column).replace('_', ' ')} "
    found = [word for word in words if f" {word} " in name]
    return words[max(found, key=len)] if found else None


def _quoted(text: str) -> str:
    """Write a text so that YAML reads it back as that text."""
    is_plain = text and all(letter.isalnum() or letter in "_ -" for letter in text) and text == text.strip()
    is_word = text.casefold() in ("y", "n", "yes", "no", "on", "off", "true", "false", "null")
    return text if is_plain and not is_word and not text[0].isdecimal() and text[0] != "-" else json.dumps(text)
