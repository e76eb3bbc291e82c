"""Narrative: the XHTML a resource may carry, limited to what FHIR R4 lets a reader be shown (txt-1, txt-2)."""

import re
from typing import Any
from xml.parsers import expat

from gateway.validation.primitives import kind
from gateway.validation.run import Place, Run

XHTML = "http://www.w3.org/1999/xhtml"
ELEMENTS = re.compile(
    r"a|abbr|acronym|b|big|blockquote|br|caption|cite|code|col|colgroup|dd|dfn|div|dl|dt|em|h1|h2|h3|h4|h5"
    r"|h6|hr|i|img|li|ol|p|pre|q|samp|small|span|strong|sub|sup|table|tbody|td|tfoot|th|thead|tr|tt|ul|var"
)
ATTRIBUTES = re.compile(
    r"abbr|accesskey|align|alt|axis|bgcolor|border|cellhalign|cellpadding|cellspacing|cellvalign|char"
    r"|charoff|charset|cite|class|colspan|compact|coords|dir|frame|headers|height|href|hreflang|hspace|id"
    r"|lang|longdesc|name|nowrap|rel|rev|rowspan|rules|scope|shape|span|src|start|style|summary|tabindex"
    r"|title|type|valign|value|vspace|width|xml:lang|xml:space|xmlns|xmlns:.+"
)
SAFE_ADDRESSES = ("http:", "https:", "mailto:", "data:image/", "#", "urn:")
LONGEST = 2_000_000


class _Refused(ValueError):
    """The narrative holds something that FHIR does not let it hold."""


class _Reader:
    """Walk XHTML and refuse whatever is not on the lists."""

    def __init__(self) -> None:
        self.depth = 0
        self.has_content = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        if self.depth == 1 and (name != "div" or attributes.get("xmlns") != XHTML):
            raise _Refused(f"expected a div in the namespace {XHTML} around it, found something else")
        if ELEMENTS.fullmatch(name) is None:
            raise _Refused("expected only the elements FHIR allows in narrative, found another")
        for key, value in attributes.items():
            if ATTRIBUTES.fullmatch(key) is None:
                raise _Refused("expected only the attributes FHIR allows in narrative, found another")
            if key in ("href", "src") and ":" in value and not value.lower().startswith(SAFE_ADDRESSES):
                raise _Refused("expected an http, mailto or local address in narrative, found another scheme")
        self.has_content = self.has_content or name == "img"

    def end(self, name: str) -> None:
        self.depth -= 1

    def text(self, data: str) -> None:
        self.has_content = self.has_content or bool(data.strip())


def check_narrative(value: Any, place: Place, run: Run) -> None:
    """Check the XHTML of a Narrative: well-formed, only basic formatting, and not blank."""
    if type(value) is not str:
        run.broken("type", place, f"expected XHTML as text, found {kind(value)}")
        return
    try:
        reader = _read(value)
    except _Refused as refusal:
        run.error("txt-1", place, str(refusal))
        return
    except expat.ExpatError:
        run.error("txt-1", place, "expected well-formed XHTML, found something else")
        return
    if not reader.has_content:
        run.error("txt-2", place, "expected text that is not blank, found none; leave the narrative out")


def _read(text: str) -> _Reader:
    if "<!" in text.replace("<!--", "") or len(text) > LONGEST:
        raise _Refused("expected XHTML without declarations and of reasonable size, found another")
    reader = _Reader()
    parser = expat.ParserCreate()
    # XHTML names such as &nbsp; are declared in a DTD that nobody sends along; with this they are no error.
    parser.UseForeignDTD(True)
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.Parse(text, True)
    return reader
