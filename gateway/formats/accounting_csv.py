"""The accounting of disclosures as a table: one row for each disclosure, for a spreadsheet or another system."""

import csv
import io

from gateway.model.accounting import Accounting

COLUMNS = (
    "part", "at", "recipient", "name", "address", "occasion", "content", "purpose", "consent", "transport", "confirmed",
    "decision",
)  # fmt: skip

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""Beginnings that a spreadsheet would take for a formula."""


def accounting_csv(accounting: Accounting) -> bytes:
    """Write the table (RFC 4180, UTF-8); instants in UTC with offset, `confirmed` yes or no."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for one in accounting.disclosures:
        row = (
            one.part, one.at.isoformat(), one.recipient, one.name, one.address, one.occasion, one.content, one.purpose,
            one.consent, one.transport, "yes" if one.is_confirmed else "no", one.decision,
        )  # fmt: skip
        writer.writerow([f"'{value}" if value.startswith(_FORMULA) else value for value in row])
    return text.getvalue().encode()
