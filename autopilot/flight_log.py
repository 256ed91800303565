"""The log of one sortie: a .tlog as it flies, a table of it when it is over."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

from autopilot.errors import LogError
from autopilot.link import Link
from autopilot.log_table import tlog_to_parquet
from autopilot.wire import Recorder

__all__ = ["sortie_log"]


@contextlib.asynccontextmanager
async def sortie_log(link: Link, sysid: int, number: int, folder: Path | None, notes: list[str]) -> AsyncIterator[None]:
    """Record what one vehicle says and is told while the context lasts, then make a table of it.

    Parameters
    ----------
    link, sysid, number
        The vehicle, and the number of its sortie.
    folder
        Where ``vehicle-N-sortie-N-TIME.tlog`` and ``.parquet`` go; None for no log. Without pyarrow there is no table:
        `tlog_to_parquet` makes it anywhere, later.
    notes
        What goes wrong with the log once the sortie has begun is added here, and costs no flight.

    Raises
    ------
    LinkError
        When the log cannot be opened.
    """
    if folder is None:
        yield
        return
    stamp = f"{datetime.now(UTC):%Y%m%dT%H%M%S}Z"
    recorder = Recorder(folder / f"vehicle-{sysid}-sortie-{number}-{stamp}.tlog")
    stop = link.record(sysid, recorder)
    try:
        yield
    finally:
        stop()
        recorder.close()
    if recorder.failure is not None:
        notes.append(recorder.failure)
    elif importlib.util.find_spec("pyarrow") is not None:
        try:
            # Other vehicles are watched meanwhile.
            await asyncio.to_thread(tlog_to_parquet, recorder.path)
        except LogError as error:
            notes.append(str(error))
