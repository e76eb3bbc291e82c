"""A PDF file of Letter pages, drawn piece by piece: text in one typeface, lines, coloured ground and pictures.

Each piece states all that it needs and nothing is kept between two of them, so that one costs little more than its own
bytes: with a library that knows the whole state of a page, printing took three quarters of what it takes to send a
referral as HL7v2. Every reader has Helvetica (ISO 32000-1, 9.6.2.2), so no typeface travels in the file. The same
pieces give the same bytes.
"""

import io
import re
import zlib
from collections.abc import Mapping
from datetime import datetime
from functools import cache

from fpdf.fonts import CORE_FONTS_CHARWIDTHS
from PIL import Image

Color = tuple[int, int, int]
"""Red, green and blue, each of 255."""

PAGE_WIDTH, PAGE_HEIGHT = 215.9, 279.4
"""Letter, in millimetres, as every place and length here; `y` counts from the top."""

POINTS = 72 / 25.4
"""Points in a millimetre: sizes of type are in points."""
_LINE_WIDTH = 0.2

_FONTS = {"F1": "Helvetica", "F2": "Helvetica-Bold"}
_WIDTHS: tuple[Mapping[str, int], Mapping[str, int]] = (
    CORE_FONTS_CHARWIDTHS["helvetica"],
    CORE_FONTS_CHARWIDTHS["helveticaB"],
)
"""Of each character, in thousandths of the size; upright and bold."""

_DELIMITERS = re.compile(r"[()\\]")


def width_of(text: str, size: float, *, bold: bool = False) -> float:
    """Return how wide a line of Latin-1 text is."""
    return sum(map(_WIDTHS[bold].__getitem__, text)) * size / 1000 / POINTS


class PdfFile:
    """Collect pages and what is drawn on them; `to_bytes` gives the file."""

    def __init__(self) -> None:
        self._pages: list[list[str]] = []
        self._pictures: list[Image.Image] = []

    @property
    def page_count(self) -> int:
        """Return how many pages there are."""
        return len(self._pages)

    def add_page(self) -> None:
        """Begin the next page: what is drawn from here on is drawn on it, unless another is named."""
        self._pages.append([])

    def text(
        self, x: float, base_line: float, text: str, size: float, color: Color, *, bold: bool = False, page: int = 0
    ) -> None:
        """Write one line of Latin-1 text from `x` on its base line; `page` counts from 1, 0 is the last."""
        at = f"{x * POINTS:.2f} {(PAGE_HEIGHT - base_line) * POINTS:.2f}"
        font = "F2" if bold else "F1"
        self._pages[page - 1].append(f"BT /{font} {size:g} Tf {_paint(color)} rg {at} Td ({_escaped(text)}) Tj ET")

    def line(self, x: float, y: float, to_x: float, color: Color) -> None:
        """Draw a level line."""
        level = f"{(PAGE_HEIGHT - y) * POINTS:.2f}"
        self._pages[-1].append(
            f"{_LINE_WIDTH * POINTS:.2f} w {_paint(color)} RG "
            f"{x * POINTS:.2f} {level} m {to_x * POINTS:.2f} {level} l S"
        )

    def ground(self, x: float, y: float, width: float, height: float, color: Color) -> None:
        """Fill a rectangle; `y` is its upper edge."""
        self._pages[-1].append(f"{_paint(color)} rg {_box(x, y, width, height)} re f")

    def picture(self, png: bytes, x: float, y: float, width: float, height: float) -> None:
        """Draw a PNG in the middle of a rectangle, as large as it fits in; it must be one that can be read."""
        picture = Image.open(io.BytesIO(png)).convert("RGBA")
        ratio = picture.width / picture.height
        wide, high = min(width, height * ratio), min(height, width / ratio)
        place = _box(x + (width - wide) / 2, y + (height - high) / 2, wide, high)
        self._pictures.append(picture)
        left, bottom, wide_pt, high_pt = place.split()
        self._pages[-1].append(f"q {wide_pt} 0 0 {high_pt} {left} {bottom} cm /I{len(self._pictures)} Do Q")

    def to_bytes(self, title: str, created_at: datetime, language: str | None = None) -> bytes:
        """Write the file. `created_at` (aware) is the only time in it besides those that were drawn."""
        objects = _Objects()
        fonts = {name: objects.add(f"/Type /Font\n/Subtype /Type1\n/BaseFont /{font}\n/Encoding /WinAnsiEncoding")
                 for name, font in _FONTS.items()}  # fmt: skip
        pictures = {f"I{n}": _add_picture(objects, one) for n, one in enumerate(self._pictures, 1)}
        resources = objects.add(f"/Font {_references(fonts)}\n/XObject {_references(pictures)}")
        contents = [objects.add_stream("", "\n".join(page).encode("latin-1")) for page in self._pages]
        tree = objects.number + len(contents) + 1
        pages = [
            objects.add(f"/Type /Page\n/Parent {tree} 0 R\n/Resources {resources} 0 R\n/Contents {content} 0 R")
            for content in contents
        ]
        kids = " ".join(f"{page} 0 R" for page in pages)
        size = f"{PAGE_WIDTH * POINTS:.2f} {PAGE_HEIGHT * POINTS:.2f}"
        objects.add(f"/Type /Pages\n/Kids [{kids}]\n/Count {len(pages)}\n/MediaBox [0 0 {size}]")
        spoken = f"\n/Lang {_string(language)}" if language else ""
        catalog = objects.add(f"/Type /Catalog\n/Pages {tree} 0 R{spoken}")
        made = f"/CreationDate ({_date(created_at)})\n/Producer (Warm Handoff)"
        return objects.to_bytes(catalog, objects.add(f"/Title {_string(title)}\n{made}"))


class _Objects:
    """The numbered objects of a file, as bytes one after the other."""

    def __init__(self) -> None:
        self._file = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
        self._starts: list[int] = []

    @property
    def number(self) -> int:
        """Return the number of the last object."""
        return len(self._starts)

    def add(self, entries: str, stream: bytes = b"") -> int:
        """Add a dictionary of these entries, with its stream if it has one, and return its number."""
        self._starts.append(len(self._file))
        tail = b"\nstream\n%b\nendstream" % stream if stream else b""
        self._file += b"%d 0 obj\n<<%b>>%b\nendobj\n" % (self.number, f"{entries}\n".encode("ascii"), tail)
        return self.number

    def add_stream(self, entries: str, content: bytes) -> int:
        """Add a stream, compressed."""
        packed = zlib.compress(content)
        return self.add(f"{entries}/Filter /FlateDecode\n/Length {len(packed)}", packed)

    def to_bytes(self, catalog: int, information: int) -> bytes:
        """Return the file with the table of where each object begins (ISO 32000-1, 7.5.4)."""
        start = len(self._file)
        table = "".join(f"{one:010} 00000 n \n" for one in self._starts)
        size = self.number + 1
        trailer = (
            f"trailer\n<</Size {size}\n/Root {catalog} 0 R\n/Info {information} 0 R>>\nstartxref\n{start}\n%%EOF\n"
        )
        self._file += f"xref\n0 {size}\n0000000000 65535 f \n{table}{trailer}".encode("ascii")
        return bytes(self._file)


def _add_picture(objects: _Objects, picture: Image.Image) -> int:
    """Add a picture and, as the mask it is drawn through, how opaque each of its points is."""
    size = f"/Type /XObject\n/Subtype /Image\n/Width {picture.width}\n/Height {picture.height}\n/BitsPerComponent 8\n"
    mask = objects.add_stream(f"{size}/ColorSpace /DeviceGray\n", picture.getchannel("A").tobytes())
    colors = picture.convert("RGB").tobytes()
    return objects.add_stream(f"{size}/ColorSpace /DeviceRGB\n/SMask {mask} 0 R\n", colors)


def _references(named: Mapping[str, int]) -> str:
    return f"<<{' '.join(f'/{name} {number} 0 R' for name, number in named.items())}>>"


@cache
def _paint(color: Color) -> str:
    return " ".join(f"{part / 255:.4g}" for part in color)


def _box(x: float, y: float, width: float, height: float) -> str:
    bottom = PAGE_HEIGHT - y - height
    return " ".join(f"{length * POINTS:.2f}" for length in (x, bottom, width, height))


def _escaped(text: str) -> str:
    return _DELIMITERS.sub(r"\\\g<0>", text)


def _string(text: str) -> str:
    """Write text about the file: letter by letter in ASCII, else in UTF-16 (ISO 32000-1, 7.9.2.2)."""
    return f"({_escaped(text)})" if text.isascii() else f"<feff{text.encode('utf-16-be').hex()}>"


def _date(at: datetime) -> str:
    """Write an instant with its offset (ISO 32000-1, 7.9.4)."""
    offset = f"{at:%z}"
    return f"D:{at:%Y%m%d%H%M%S}{offset[:3]}'{offset[3:5]}'"
