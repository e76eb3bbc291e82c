"""How converted records leave `gateway convert`: FHIR Bundles or HL7v2 referrals, on stdout or a file each."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.catalog.profiles import load_checker
from gateway.cli.conversion import Invalid, Outcome, Take
from gateway.formats import fhir_json
from gateway.formats.hl7v2.envelopes import batch_begin, batch_end, file_begin, file_end, referrals_of
from gateway.model.draft import Draft, Rejected
from gateway.model.errors import WillNeverWork
from gateway.model.hl7_header import Hl7Header
from gateway.model.source_record import Skipped


def checked(take: Take) -> Take:
    """Return what takes only records whose Bundle meets R4 and our profiles; a warning is no obstacle."""
    checker = load_checker()

    def check(draft: Draft, number: int, where: str) -> Outcome:
        errors = checker.check(draft.bundle).errors
        return Invalid(number, where, errors) if errors else take(draft, number, where)

    return check


@contextmanager
def as_fhir(out: Path | None) -> Iterator[Take]:
    """Write one Bundle a record: a line of NDJSON on stdout, or a file below `out`."""

    def take(draft: Draft, number: int, where: str) -> Outcome:
        line = fhir_json.dumps(draft.bundle) + b"\n"
        if out is None:
            sys.stdout.buffer.write(line)
        else:
            (out / f"{draft.handoff}.json").write_bytes(line)
        return draft

    yield take


@contextmanager
def as_hl7v2(out: Path | None, header: Hl7Header) -> Iterator[Take]:
    """Write the referrals of every record as REF^I12: one batch on stdout, or a batch a record below `out`.

    A record without a referral is skipped. Where nothing at all is written there is no empty batch either.
    """
    opening = file_begin(header) + batch_begin(header)
    written = 0

    def take(draft: Draft, number: int, where: str) -> Outcome:
        nonlocal written
        try:
            messages = referrals_of(draft.bundle, header)
        except WillNeverWork as problem:
            return Rejected(number, where, "no-message", str(problem))
        if not messages:
            return Skipped(number, where, "it refers nobody, and HL7v2 carries referrals only")
        if out is None:
            sys.stdout.buffer.write((b"" if written else opening) + b"".join(messages))
        else:
            closing = batch_end(len(messages)) + file_end()
            (out / f"{draft.handoff}.hl7").write_bytes(opening + b"".join(messages) + closing)
        written += len(messages)
        return draft

    yield take
    if written and out is None:
        sys.stdout.buffer.write(batch_end(written) + file_end())
