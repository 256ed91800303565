"""The folder of a ground station: its newest launch, each launch's plan, journal, report and logs.

What stands in it is on the disk before the next thing is done: a station that starts anew knows from it which launch
was in the air, over which links, and what the service has not been told.
"""

from __future__ import annotations

import fcntl
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from cli.arguments import InputError
from geo import write_bytes, write_text

__all__ = ["Launch", "LaunchFolder"]

_FORMAT = "vedette-launch"
_ID = re.compile(r"[0-9a-f]{32}")
FLYING = "flying"


@dataclass(frozen=True, slots=True)
class Launch:
    """A launch that this station flies, or has flown.

    Parameters
    ----------
    id, run
        Its name at the service, and the run of the station that took it there.
    words
        What it is, for people.
    hours
        Length of the shift; None for that of the plan.
    links
        The link of each vehicle of the plan's fleet, in the order of system ids.
    state, outcome
        "flying", or what it came to and why.
    told
        Whether the service has that.
    """

    id: str
    run: str
    words: str
    hours: float | None
    links: tuple[str, ...]
    state: str = FLYING
    outcome: str | None = None
    told: bool = False

    @property
    def flying(self) -> bool:
        """Whether it has not come to an end that is known."""
        return self.state == FLYING


class LaunchFolder:
    """The folder of one station at a time.

    Parameters
    ----------
    path
        Made where there is none.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path / "launch.json"
        self._lock = threading.RLock()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep other stations out of it. Raises InputError where another has it."""
        self._path.mkdir(parents=True, exist_ok=True)
        # A lock of the file system: it ends with the process, however that ends.
        with (self._path / "station.lock").open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise InputError(f"{self._path} is in use by another ground station: give each a folder") from None
            yield

    def read(self) -> Launch | None:
        """The newest launch; None where there was none. Raises InputError where it cannot be read."""
        try:
            return _read(self._file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, AttributeError, InputError) as error:
            raise InputError(
                f"{self._file}: cannot be read, {error}: look whether its vehicles are on the ground, then remove it"
            ) from None

    def write(self, launch: Launch) -> None:
        """Put the newest launch on the disk. Raises OSError, FileWriteError."""
        values = {"format": _FORMAT, "version": 1, **asdict(launch)}
        with self._lock:
            write_text(self._file, json.dumps(values, indent=1) + "\n")

    def mark_told(self, launch_id: str, state: str) -> None:
        """Note that the service has what the newest launch came to. Raises InputError, OSError, FileWriteError."""
        with self._lock:
            launch = self.read()
            if launch is not None and (launch.id, launch.state) == (launch_id, state):
                self.write(replace(launch, told=True))

    def keep_plan(self, launch_id: str, plan: bytes) -> None:
        """Put the plan of a launch on the disk. Raises InputError, OSError, FileWriteError."""
        _check_id(launch_id)
        self.plan(launch_id).parent.mkdir(exist_ok=True)
        write_bytes(self.plan(launch_id), plan)

    def plan(self, launch_id: str) -> Path:
        """The plan of a launch."""
        return self._path / launch_id / "plan.json"

    def journal(self, launch_id: str) -> Path:
        """The journal of its shift, written before anything takes off."""
        return self._path / launch_id / "journal.jsonl"

    def has_begun(self, launch_id: str) -> bool:
        """Whether anything of it may have taken off: an empty journal is none."""
        journal = self.journal(launch_id)
        return journal.exists() and journal.stat().st_size > 0

    def report(self, launch_id: str) -> Path:
        """The report of its shift."""
        return self._path / launch_id / "patrol.json"

    def log(self, launch_id: str) -> Path:
        """The folder for the logs of its sorties."""
        return self._path / launch_id / "log"


def _read(text: str) -> Launch:
    value = json.loads(text)
    if value.pop("format") != _FORMAT or value.pop("version") != 1:
        raise ValueError("it is of another version")
    _check_id(value["id"])
    return Launch(**{**value, "links": tuple(value["links"])})


def _check_id(launch_id: str) -> None:
    """What names a folder came from elsewhere."""
    if _ID.fullmatch(launch_id) is None:
        raise InputError(f"{launch_id!r} is no name of a launch")
