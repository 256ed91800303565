"""Streams whose protocol PyAV's wheels lack, fetched by the ffmpeg program as a transport stream."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from typing import IO

from vision.errors import MissingExtra

__all__ = ["Bridge", "needs_bridge"]

_TIMEOUT_US = 10_000_000
_END_S = 2.0


def needs_bridge(location: str) -> bool:
    """Whether an address can only be read through a `Bridge`: SRT, which the wheels of PyAV are built without."""
    return bool(re.match(r"srt://", location, re.IGNORECASE))


class Bridge:
    """A process that receives a stream and hands it on untouched: packets, their times, and telemetry.

    Parameters
    ----------
    location
        Address of the stream.

    Attributes
    ----------
    pipe
        Its output, an MPEG transport stream.

    Raises
    ------
    MissingExtra
        When the program is not installed.
    """

    def __init__(self, location: str) -> None:
        program = shutil.which("ffmpeg")
        if program is None:
            raise MissingExtra("srt:// needs the ffmpeg program: install it (apt-get install ffmpeg)")
        # To a file: a pipe that nobody reads fills, and then the program stands.
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        self._process = subprocess.Popen(  # noqa: S603 - an argument list, no shell
            [
                *(program, "-nostdin", "-hide_banner", "-loglevel", "error", "-timeout", str(_TIMEOUT_US)),
                *("-i", location, "-map", "0", "-c", "copy", "-copy_unknown", "-copyts"),
                *("-muxdelay", "0", "-muxpreload", "0", "-flush_packets", "1", "-f", "mpegts", "pipe:1"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._said,
        )

    @property
    def pipe(self) -> IO[bytes]:
        """Its output, an MPEG transport stream."""
        assert self._process.stdout is not None
        return self._process.stdout

    def close(self) -> str:
        """End the process; the last line that it said, or nothing."""
        self._process.terminate()
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self.pipe.close()
        if self._said.closed:
            return ""
        self._said.seek(0)
        lines = self._said.read().decode(errors="replace").strip().splitlines()
        self._said.close()
        return lines[-1] if lines else ""
