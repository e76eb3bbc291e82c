"""Is the form signed by whom the law asks for, and is the evidence whole? (42 CFR 2.14, 2.15, 2.31(a)(8), (9))"""

import struct
import zlib
from collections.abc import Iterator

from gateway.formats.consent_paper.reader import Reader, short
from gateway.model.consent_form import ConsentForm, Shortcoming, Signature
from gateway.model.names import is_name_of, words_of

MAX_DRAWING_BYTES = 200 * 1024
_MOST_PIXELS = 2_000_000
_WHOLE_NAME = 2
"""Words at least."""
_PNG = b"\x89PNG\r\n\x1a\n"
_MOST_PER_PIXEL = 8
"""Bytes of a pixel at most (RGBA with 16 bits each), beside one byte a line."""


def unsigned(form: ConsentForm, reader: Reader) -> Iterator[Shortcoming]:
    """Yield what the signatures of a consent lack."""
    if not form.signatures:
        yield short("EL_SIGNATURE", "(a)(8)", "The form is not signed.")
        return
    for one in form.signatures:
        yield from _given(one, reader)
        if (one.method == "paper") != (form.statements is not None):
            yield short("EL_SIGNATURE", "(a)(8)", "What was signed on paper is filed with its scan, and nothing else.")
    yield from _capacities(form, reader)


def _given(one: Signature, reader: Reader) -> Iterator[Shortcoming]:
    yield from _named(one, reader)
    if one.at > reader.at:
        yield short("EL_DATE", "(a)(9)", "The date of signing is yet to come.")
    if one.method == "drawn" and not is_drawing(one.strokes):
        yield short("EL_SIGNATURE", "(a)(8)", "The signature is to be drawn, and there is no drawing that can be read.")
    if one.signer.capacity in ("guardian", "personal-representative") and not one.signer.document.strip():
        yield short("EL_SIGNATURE", "2.15", "Say what shows the right to sign for the person.")
    day, (since, until) = one.at.astimezone(reader.at.tzinfo).date(), (one.signer.valid_from, one.signer.valid_until)
    if (since is not None and day < since) or (until is not None and day > until):
        yield short("EL_SIGNATURE", "2.15", "The right to sign for the person was not in force on that day.")


def _named(one: Signature, reader: Reader) -> Iterator[Shortcoming]:
    """Yield where a name under the form is not that of whom the form says it is signed by.

    The name of somebody else under a consent is the sign of a wrong person's paper, or of a false one (2.31(c)(4)).
    """
    if not one.signer.name.strip():
        yield short("EL_SIGNATURE", "(a)(8)", "Write the name of who signs.")
    elif one.signer.capacity == "patient" and not is_name_of(one.signer.name, *reader.name):
        words = "The person signs with the name that stands on the form; this is another one."
        yield short("EL_SIGNATURE", "(a)(8)", words)
    elif one.signer.capacity != "patient" and len(words_of(one.signer.name)) < _WHOLE_NAME:
        yield short("EL_SIGNATURE", "(a)(8)", "Write the whole name of who signs for the person.")


def _capacities(form: ConsentForm, reader: Reader) -> Iterator[Shortcoming]:
    capacities = {one.signer.capacity for one in form.signatures}
    signed = max(one.at for one in form.signatures)
    if reader.is_minor(signed):
        if "patient" not in capacities:
            yield short("EL_SIGNATURE", "2.14", "A minor signs for themselves, also where a parent signs too.")
        if reader.needs_parent(signed) and not capacities & {"parental", "guardian"}:
            yield short("EL_SIGNATURE", "2.14", "At this age a parent or guardian signs too.")
    elif "parental" in capacities:
        yield short("EL_SIGNATURE", "2.14", "A parent does not sign for a person who is of age.")
    if "director-determination" in capacities and set(form.purposes) != {"payment"}:
        yield short("EL_SIGNATURE", "2.15(a)(2)", "A program director may consent for payment only.")


def is_drawing(png: bytes) -> bool:
    """Say whether these bytes are a whole PNG of reasonable size: it is printed, so a broken one must not get there."""
    if not png.startswith(_PNG) or len(png) > MAX_DRAWING_BYTES:
        return False
    kinds, data, place = [], b"", len(_PNG)
    while place + 12 <= len(png):
        length = int.from_bytes(png[place : place + 4])
        kind, body = png[place + 4 : place + 8], png[place + 8 : place + 8 + length]
        checksum = png[place + 8 + length : place + 12 + length]
        if zlib.crc32(kind + body).to_bytes(4) != checksum:
            return False
        kinds.append((kind, body))
        data += body if kind == b"IDAT" else b""
        place += 12 + length
    if place != len(png) or not kinds or kinds[0][0] != b"IHDR" or kinds[-1][0] != b"IEND" or len(kinds[0][1]) != 13:
        return False
    width, height = struct.unpack(">II", kinds[0][1][:8])
    return 0 < width * height <= _MOST_PIXELS and _inflates(data, height * (width * _MOST_PER_PIXEL + 1))


def _inflates(data: bytes, at_most: int) -> bool:
    """Say whether the picture's data unpack to the end within the size its header allows."""
    unpack = zlib.decompressobj()
    try:
        return len(unpack.decompress(data, at_most + 1)) <= at_most and unpack.eof
    except zlib.error:
        return False
