"""XML: texts that it can carry, and a parser that neither expands an entity nor fetches anything."""

from __future__ import annotations

import re
from typing import Final

from lxml import etree

from api.errors import UnprocessableError

__all__ = ["XML_HEAD", "parsed", "plain", "serialised"]

XML_HEAD: Final = b'<?xml version="1.0" encoding="UTF-8"?>\n'
# XML 1.0, production 2 (Char): anything else makes a document that no parser may read.
_NO_CHAR = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def plain(text: str) -> str:
    """`text` with U+FFFD for every character that XML 1.0 cannot carry."""
    return _NO_CHAR.sub("\ufffd", text)


def serialised(element: etree._Element) -> bytes:
    """UTF-8 without a declaration and without white space of ours."""
    return etree.tostring(element, encoding="UTF-8", xml_declaration=False)


def parsed(data: bytes) -> etree._Element:
    """The root of a document.

    Raises
    ------
    UnprocessableError
        When it is no XML, or has a document type: entities are declared there, and none of ours needs one.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise UnprocessableError(f"this is no XML: {error}") from error
    if root.getroottree().docinfo.doctype:
        raise UnprocessableError("the XML has a document type: leave it out")
    return root
