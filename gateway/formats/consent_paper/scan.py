"""What a scanned form may be: a PDF, a JPEG or a PNG by its first bytes, and no larger than a scan has to be."""

from gateway.model.consent_form import Scan, Shortcoming

MAX_SCAN_BYTES = 10 * 1024 * 1024

_BEGINNINGS = {
    "application/pdf": b"%PDF-",
    "image/jpeg": b"\xff\xd8\xff",
    "image/png": b"\x89PNG\r\n\x1a\n",
}
EXTENSIONS = {"application/pdf": "pdf", "image/jpeg": "jpg", "image/png": "png"}
"""File name endings of the media types a scan may have."""

_RULE = "42 CFR 2.31(a)(8)"


def media_type_of(content: bytes) -> str | None:
    """Return what a file is by its first bytes, or None for anything that no scan may be."""
    return next((name for name, beginning in _BEGINNINGS.items() if content.startswith(beginning)), None)


def scan_shortcomings(scan: Scan) -> tuple[Shortcoming, ...]:
    """Return what keeps a file from being taken as the signed paper."""
    if not scan.content:
        return (Shortcoming("EL_SIGNATURE", _RULE, "Choose the file with the scan of the signed paper."),)
    if len(scan.content) > MAX_SCAN_BYTES:
        size = f"{MAX_SCAN_BYTES // 1024 // 1024} MiB"
        return (Shortcoming("TOO_LONG", _RULE, f"The scan is larger than {size}: scan it in gray, at 200 dpi."),)
    found = media_type_of(scan.content)
    if found is None or found != scan.media_type.partition(";")[0].strip().lower():
        return (Shortcoming("EL_SIGNATURE", _RULE, "A scan is a PDF, JPEG or PNG file, and named as what it is."),)
    return ()
