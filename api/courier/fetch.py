"""Evidence brought back from a service, as a folder like that which was delivered."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from api.courier.client import Client
from api.courier.spool import evidence_files

__all__ = ["fetch_evidence"]


def fetch_evidence(client: Client, feature: Mapping[str, Any], folder: Path) -> None:
    """Write all files of a crossing's evidence, under the rule by which the client's key reads them.

    Parameters
    ----------
    client
        Whose key it is; each file read is in the service's audit.
    feature
        The crossing as the service gives it.
    folder
        Made, and its parents; it must not be there yet.

    Raises
    ------
    ClientError
        When a file cannot be had: RefusedError with status 404 where it was not delivered or may not be read.
    SpoolError
        When a name would lead out of the folder.
    """
    files = evidence_files(dict(feature["properties"]))
    folder.mkdir(parents=True)
    for part, name in files:
        (folder / name).write_bytes(client.evidence(feature["id"], part))
