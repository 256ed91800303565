"""XML out of files that come from outside, zipped or not: no entities, no network, no bombs."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

from lxml import etree

from missions.errors import FormatError

__all__ = ["LARGEST", "packed", "parsed", "read_limited", "unpacked"]

LARGEST = 128 * 2**20
"""Bytes of XML that are read, unpacked: a line of a million vertices has about 30."""


def read_limited(path: Path) -> bytes:
    """Bytes of a file, one more than `LARGEST` at most; FormatError names the file and why it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(LARGEST + 1)
    except OSError as error:
        raise FormatError(f"{path}: cannot be read: {error.strerror}") from None


def unpacked(data: bytes, path: Path, choose: Callable[[list[str]], str]) -> bytes:
    """One member of an archive, and no more of it than is read at all: a small zip may unpack to terabytes.

    Parameters
    ----------
    data
        The archive.
    path
        Its name, for messages.
    choose
        Gives the name of the member out of those of all, or raises FormatError.

    Raises
    ------
    FormatError
        When it is no whole archive, or the member is packed in a way that cannot be undone.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive, archive.open(choose(archive.namelist())) as member:
            return member.read(LARGEST + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError) as error:
        raise FormatError(f"{path}: is not a whole KMZ (zip) file: {error}: fetch it again") from None
    except (RuntimeError, NotImplementedError) as error:  # encrypted, or an unknown packing
        raise FormatError(f"{path}: its KML cannot be unpacked: {error}: pack it again without a password") from None


def packed(members: Mapping[str, bytes]) -> bytes:
    """An archive of members, with no clock in it: the same members give the same bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def parsed(data: bytes, where: Path | str) -> etree._Element:
    """Root of an XML document that brings no document type. Entities and the network stay off.

    Raises
    ------
    FormatError
        When it is larger than `LARGEST`, is no XML, or has a document type.
    """
    if len(data) > LARGEST:
        raise FormatError(f"{where}: is larger than {LARGEST >> 20} MiB of KML: cut it into several files")
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        # Inside a text they would end it for whoever reads no further than the first child.
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(data.lstrip(), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        said = error.msg if isinstance(error, etree.XMLSyntaxError) else str(error)
        raise FormatError(f"{where}: is not XML: {said}") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise FormatError(f"{where}: has a document type (DOCTYPE), which no KML needs: remove it")
    return root
