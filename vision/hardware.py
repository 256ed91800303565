"""Where video is decoded: on a device that has a decoder of its own, else on the processor.

What FFmpeg decodes on the device depends on how it was built (`av.codec.hwaccel.hwdevices_available`), on the driver,
and on the video. Where any of these does not do, the processor decodes, and why is kept.

Pictures are fetched from the device as they are decoded, in its own layout (NV12): a decoder has a few surfaces, and
pictures that wait in a queue would hold all of them. To colours they are made only where somebody wants the picture,
as those of the processor are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import av
from av.codec.hwaccel import HWAccel, hwdevices_available

from vision.errors import SourceError
from vision.media import SourceCounts

__all__ = ["DECODERS", "Decoding"]

DECODERS = ("auto", "software", "cuda", "vaapi", "qsv", "videotoolbox", "d3d11va")
"""Where video can be decoded; "auto" takes the first device that is there, else the processor ("software")."""

_PROBE_CODEC = "h264"
# The context of CUDA that inference has, too: one for each of sixteen streams costs memory and takes turns. FFmpeg
# refuses it where whoever came first has set it up otherwise; then it makes one of its own.
_OPTIONS: Mapping[str, tuple[Mapping[str, str], ...]] = {"cuda": ({"primary_ctx": "1"}, {})}
_FAILURES = (av.error.FFmpegError, OSError, ValueError, RuntimeError, NotImplementedError)


class Decoding:
    """Where one source is decoded: on a device, and on the processor once the device has not served it.

    Parameters
    ----------
    asked
        One of `DECODERS`; a device by its number or path behind a colon, ``"cuda:1"``.
    name, counts
        Of the source, and where it is noted why a device that was asked for is not used.
    threads
        Of a decoder on the processor.

    Raises
    ------
    SourceError
        When `asked` is none of them.
    """

    def __init__(self, asked: str, name: str, counts: SourceCounts, threads: int = 2) -> None:
        device, _, which = asked.partition(":")
        if device not in DECODERS or (which and device in {"auto", "software"}):
            raise SourceError(
                f"{name}: it cannot be decoded on {asked!r}: give {', '.join(DECODERS)}, a device with its number or "
                "path where there are several (cuda:1)"
            )
        self._name, self._counts, self._threads = name, counts, threads
        self._asked, self._which = device, which or None
        self.device: str | None = None
        """The device that decodes; None: the processor."""
        self.why = ""
        """Why the processor decodes, where a device was looked for."""
        self._refused = device == "software"

    @property
    def threads(self) -> int:
        """Of the decoder. A device decodes by itself: more than one would only hold its surfaces."""
        return 1 if self.device else self._threads

    def accel(self) -> HWAccel | None:
        """What to open the video with; None for the processor. Looks for the device each time: it may be gone."""
        self.device = None
        if self._refused:
            return None
        possible = [one for one in DECODERS[2:] if _built_for(one)]
        if self._asked != "auto" and self._asked not in possible:
            self.why = f"{self._asked}: this FFmpeg decodes on {' and '.join(possible) or 'no device'} alone"
            possible = []
        elif self._asked != "auto":
            possible = [self._asked]
        for device in possible:
            accel = _answering(device, self._which)
            if accel is not None:
                self.device, self.why = device, ""
                return accel
            self.why = f"{device}: no such device answers; is its driver installed?"
        if self._asked != "auto":
            self._tell(self.why)
        return None

    def takes(self, stream: Any) -> bool:
        """Whether pictures of a stream come from the device; where they do not it is not tried again.

        To be asked when one has been decoded: FFmpeg finds out with the first.
        """
        if self.device is None:
            return False
        codec = stream.codec_context
        formats = {one.format.name for one in codec.codec.hardware_configs if _is(one, self.device)}
        if not formats:
            self.refuse(f"it has no decoder for {codec.name}")
        elif codec.pix_fmt not in formats:
            self.refuse(f"it does not decode this {codec.name} ({codec.width}x{codec.height}, {codec.profile})")
        return self.device is not None

    def refuse(self, why: str) -> None:
        """Let the processor decode from now on."""
        self._refused, self.why, self.device = True, f"{self.device}: {why}", None
        self._tell(self.why)

    def _tell(self, why: str) -> None:
        self._counts.note(f"{self._name}: the processor decodes it ({why})")


def _built_for(device: str) -> bool:
    """Whether FFmpeg was built to decode on such devices."""
    return device in hwdevices_available() and any(
        _is(one, device) for one in av.Codec(_PROBE_CODEC, "r").hardware_configs
    )


def _answering(device: str, which: str | None) -> HWAccel | None:
    """A device that can be opened."""
    for options in _OPTIONS.get(device, ({},)):
        accel = HWAccel(device, device=which, allow_software_fallback=True, options=dict(options))
        try:
            accel.create(av.Codec(_PROBE_CODEC, "r"))
        except _FAILURES:
            continue
        return accel
    return None


def _is(config: Any, device: str) -> bool:
    return bool(config.is_supported and config.device_type.name == device)
