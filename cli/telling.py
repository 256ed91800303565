"""Crossings of live streams, told while the watch goes on: a line, a record in a file, a delivery to a service.

A live watch has no end to wait for. What two streams report of one event is one record, under the name of the first:
it is told again, later in its `update_time`, with the names of the others, and as the surer one saw it.
"""

from __future__ import annotations

import errno
import json
import os
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from cli.arguments import InputError
from cli.terminal import complaints, console
from geo import VedetteError, write_text

if TYPE_CHECKING:
    import api
    import vision

__all__ = ["Courier", "LiveReport"]

_RECENT_US = 120_000_000  # two reports of one event come as far apart as their tracks are long at most
_RETRY_S = 1.0

Key = tuple[str, str]


class Courier:
    """Delivers to a service in a thread of its own, through the client's spool: a watch waits for no network.

    Parameters
    ----------
    client
        With a spool. What it holds of earlier runs goes first.
    """

    def __init__(self, client: api.Client) -> None:
        self._client = client
        self._wake, self._stop = threading.Event(), False
        self._unspooled: deque[tuple[dict[str, Any], Path | None]] = deque()
        self._said: str | None = None
        self._thread = threading.Thread(target=self._run, name="vedette-courier", daemon=True)

    def __enter__(self) -> Self:
        self._wake.set()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop = True
        self._wake.set()
        self._thread.join()

    def hand(self, crossing: vision.Crossing, folder: Path | None) -> None:
        """Take over a crossing with its folder of evidence; it is on disk when this returns.

        Where the disk is full it goes to the service past the spool, as long as this process runs.

        Raises
        ------
        SpoolError
            When its evidence is not there.
        """
        import api  # noqa: PLC0415 - the service takes a second to load

        assert self._client.spool is not None
        record, evidence = crossing.to_json(), folder if crossing.evidence else None
        try:
            self._client.spool.put(record, evidence)
        except api.SpoolError as error:
            if not isinstance(error.__cause__, OSError):
                raise
            self._unspooled.append((record, evidence))
        self._wake.set()

    def _run(self) -> None:
        wait_s: float | None = None
        last = False
        while not last:
            self._wake.wait(wait_s)
            self._wake.clear()
            last = self._stop  # what was handed over before is still tried once
            try:
                left = self._client.flush()
                while self._unspooled:
                    self._client.deliver(*self._unspooled[0])
                    self._unspooled.popleft()
            except Exception as error:  # noqa: BLE001 - nobody else delivers
                why: str | None = str(error) or type(error).__name__
                wait_s = _RETRY_S
            else:
                for one in left.failed:
                    complaints.print(f"note: set aside in {one.folder}: {one.reason}", markup=False)
                why, wait_s = left.error, max(left.retry_in_s, 0.05) if left.waiting else None
            if why is not None and why != self._said:
                complaints.print(f"note: crossings wait for the service: {why}", markup=False)
            elif why is None and self._said is not None:
                console.print("the service takes crossings again", markup=False)
            self._said = why
        for record, _ in self._unspooled:
            complaints.print("note: neither the disk nor the service took this crossing:", markup=False)
            complaints.print(json.dumps(record), markup=False, highlight=False, soft_wrap=True)


class LiveReport:
    """Tells of crossings as they are decided.

    Parameters
    ----------
    file
        JSON lines, which are added to what is there: a watch that was started again goes on with its record. What may
        have been a passage goes to one beside it, ``open.jsonl``.
    deliver
        Takes a crossing and its folder of evidence to a service; None without one.
    """

    def __init__(self, file: Path, deliver: Callable[[vision.Crossing, Path | None], None] | None) -> None:
        self._file, self._deliver, self._open_file = file, deliver, file.with_name("open.jsonl")
        self._recent: list[vision.Crossing] = []
        self._told: dict[Key, tuple[vision.Crossing, Path | None]] = {}

    def take(self, crossing: vision.Crossing, folder: Path | None) -> None:
        """Tell of a crossing, or that another stream saw one that was told of."""
        record, folder = self._joined(crossing, folder)
        place = "" if record.lat_deg is None else f" at {record.lat_deg:.5f}, {record.lon_deg:.5f}"
        also = f", also seen by {len(record.also_seen)} other" if record.also_seen else ""
        text = record.to_json()
        console.print(
            f"{text['time']} {record.source}: {record.kind} {record.direction}, {record.status}{place}{also}",
            markup=False,
            highlight=False,
        )
        for tell in (self._write, self._hand_on):
            try:
                tell(record, folder)
            except (VedetteError, OSError) as error:  # the other way is still open, and the watch goes on
                _complain(f"crossing {record.source_id}", error, text)

    def take_open(self, passage: vision.OpenPassage) -> None:
        """Tell of what may have been a passage, or that it is known now what it was.

        It goes to no service: whoever reads there reads of crossings, and this is none.
        """
        text = passage.to_json()
        what = "may have passed the line or not" if passage.became is None else f"is open no more ({passage.became})"
        console.print(
            f"{text['time']} {passage.source}: {passage.kind} {what} at {passage.lat_deg:.5f}, {passage.lon_deg:.5f}",
            markup=False,
            highlight=False,
        )
        try:
            _add_line(self._open_file, text)
        except OSError as error:
            _complain(f"open passage {passage.source_id}", error, text)

    def finish(self) -> int:
        """Write all records of the file, each as it was told last, for a map; how many there are.

        Raises
        ------
        FileWriteError
            When the map's file cannot be written.
        InputError
            When the file holds what is no record.
        """
        import vision  # noqa: PLC0415 - as above

        for file in (self._file, self._open_file):
            if not file.exists():
                write_text(file, "")  # whoever waits for it is told that there are none
        records: dict[Key, dict[str, Any]] = {}
        for number, line in enumerate(self._file.read_text("utf-8").splitlines(), 1):
            try:
                record = json.loads(line)
                vision.records_to_geojson([record])
                records[record["source"], record["source_id"]] = record
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise InputError(
                    f"{self._file}: line {number} is no crossing ({error}): put it right by hand"
                ) from error
        chart = self._file.with_suffix(".geojson")
        write_text(chart, json.dumps(vision.records_to_geojson(records.values()), indent=1) + "\n")
        return len(records)

    def _joined(self, crossing: vision.Crossing, folder: Path | None) -> tuple[vision.Crossing, Path | None]:
        """The record to tell, and its evidence: the crossing, or the one told before that is of the same event."""
        import vision  # noqa: PLC0415 - inference engines take a second to load

        self._recent = [one for one in self._recent if crossing.time_us - one.time_us < _RECENT_US] + [crossing]
        recent = {_key(one) for one in self._recent}
        self._told = {key: told for key, told in self._told.items() if key in recent}
        own = _key(crossing)
        event = next(one for one in vision.one_each(self._recent) if own in {_key(one), *one.also_seen})
        first = next((key for key in (_key(event), *event.also_seen) if key in self._told and key != own), None)
        if first is None:
            self._told[own] = (crossing, folder)
            return crossing, folder
        told, its_folder = self._told[first]
        others = {*told.also_seen, own} - {first}
        if crossing.status is vision.Status.CONFIRMED and told.status is not vision.Status.CONFIRMED:
            # Who is surer is believed; the record stays the one that whoever has it knows.
            since_us = told.update_time_us
            told = replace(crossing, source=told.source, source_id=told.source_id, update_time_us=since_us)
            its_folder = folder
        updated = replace(
            told,
            also_seen=tuple(sorted(others)),
            update_time_us=max(told.update_time_us + 1_000, crossing.update_time_us),
        )
        self._told[first] = (updated, its_folder)
        return updated, its_folder

    def _write(self, record: vision.Crossing, folder: Path | None) -> None:
        del folder
        _add_line(self._file, record.to_json())

    def _hand_on(self, record: vision.Crossing, folder: Path | None) -> None:
        if self._deliver is not None:
            self._deliver(record, folder)


def _complain(what: str, error: Exception, record: dict[str, Any]) -> None:
    complaints.print(f"note: {what}: {error}; the record:", markup=False)
    complaints.print(json.dumps(record), markup=False, highlight=False, soft_wrap=True)


def _add_line(path: Path, record: dict[str, Any]) -> None:
    """Add a record to a file of JSON lines, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b", buffering=0) as file:
        whole = _whole_lines(file)
        try:
            _write_whole(file, (json.dumps(record) + "\n").encode())
            os.fsync(file.fileno())
        except OSError:
            file.truncate(whole)
            raise


def _write_whole(file: Any, line: bytes) -> None:
    if file.write(line) != len(line):  # there was room for a part of it
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), file.name)


def _whole_lines(file: Any) -> int:
    """Where the records of a file end. Half a one, of a process that was killed, goes: it would spoil the next."""
    end: int = file.seek(0, os.SEEK_END)
    at = end
    while at:
        file.seek(at - 1)
        if file.read(1) == b"\n":
            break
        at -= 1
    if at == end:
        return end
    file.seek(at)
    try:
        json.loads(file.read())
    except ValueError:
        file.truncate(at)
        return at
    return int(file.write(b"\n")) + end  # whole: whoever edited it by hand left the last line open


def _key(crossing: vision.Crossing) -> Key:
    return crossing.source, crossing.source_id
