"""Crossings that a watch on this machine found, and ended before the service had them.

Their video may be watched elsewhere by now, and a stream shows nothing twice: without this they would wait in this
machine's spools until the same video came back to it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from api.courier.client import Client
from api.errors import ClientError, SpoolError

__all__ = ["SPOOL", "deliver_left"]

SPOOL = "spool"
"""Where in its folder `vedette watch` keeps what waits to be delivered."""


def deliver_left(out: Path, url: str, key: str, told: Callable[[str], None]) -> None:
    """Deliver what waits in the spools of all jobs of this machine, those of running ones too: one at a time takes.

    Parameters
    ----------
    out
        Folder with a folder for each video.
    url, key
        The service, and a pilot's key.
    told
        Takes lines for a person: what was delivered, refused, or still waits. Nothing is raised.
    """
    for spool in sorted(path for path in out.glob(f"*/{SPOOL}") if any((path / "pending").glob("*"))):
        try:
            with Client(url, key, spool=spool) as client:
                report = client.flush()
        except (ClientError, SpoolError) as error:
            told(f"{spool}: {error}")
            continue
        for failed in report.failed:
            told(f"set aside in {failed.folder}: {failed.reason}")
        if report.delivered:
            told(f"{spool}: {len(report.delivered)} crossings that were left are delivered")
        if report.waiting:
            told(f"{spool}: {report.waiting} crossings wait: {report.error}")
