"""Crossings with real evidence: a small flight over ground on which somebody walks over the line."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

import vision
from tests.api.samples import crossing_json

FPS, PICTURES, WIDTH, HEIGHT = 10, 60, 640, 360
WALK_S = 2.5
"""From the first point of the track to the crossing, and on to the last."""
LAT, LON = 31.333, -110.94
PER_SECOND = 0.00001
"""Degrees of latitude that the walker makes: a good metre."""
BORDER = {"name": "Nogales", "line": [[-110.95, LAT], [-110.93, LAT]], "own_side": "left"}


def box(number: int) -> tuple[float, float, float, float]:
    """Where the walker is in a picture, pixels."""
    x, y = 200 + 4 * number, 250 - 2 * number
    return x, y, x + 12, y + 28


@dataclass
class Footage:
    """One flight, from which the evidence of any number of crossings is cut."""

    film: Path
    folder: Path

    @classmethod
    def filmed(cls, folder: Path, light: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> "Footage":
        """A flight over ground in that light: blue, green, red."""
        chance = np.random.default_rng(7)
        grains = (chance.integers(60, 110, (HEIGHT // 8, WIDTH // 8, 3), np.uint8) * np.array(light)).astype(np.uint8)
        ground = np.kron(grains, np.ones((8, 8, 1), np.uint8))
        with av.open(str(folder / "flight.mp4"), "w") as container:
            stream = container.add_stream("libx264", rate=FPS)
            stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
            stream.options = {"crf": "30", "preset": "ultrafast", "g": "10"}
            for number in range(PICTURES):
                image = ground.copy()
                x1, y1, x2, y2 = map(int, box(number))
                image[y1:y2, x1:x2] = (225, 235, 240)
                frame = av.VideoFrame.from_ndarray(image, format="bgr24")
                frame.pts, frame.time_base = number, Fraction(1, FPS)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        return cls(folder / "flight.mp4", folder)

    def deliver(self, live: Any, name: str, when: datetime, **changes: Any) -> str:
        """A crossing at a time, with the evidence that `vedette watch` writes; its id."""
        middle = round(when.timestamp() * 1_000_000)
        start = middle - PICTURES // 2 * 1_000_000 // FPS
        seen = tuple(
            vision.Observation(start + n * 1_000_000 // FPS, n, vision.Detection(*box(n), "person", 0.87))
            for n in range(0, PICTURES, 2)
        )
        evidence = vision.write_evidence(
            self.folder / f"{name}-{middle}",
            self.film,
            middle,
            middle,
            start_time=start,
            pictures={"crossing": middle},
            overlay=vision.track_overlay([vision.Track(1, "person", 0.87, seen)]),
            replace=True,
        )
        told = walk(name, when) | {"evidence": evidence.ref.to_json()} | changes
        id_: str = live.ask("pilot", "POST", "/crossings", json=told).json()["id"]
        names = evidence.ref
        for part, file in [
            ("manifest", names.manifest),
            ("clip", names.clip),
            *((other, other) for other in names.others),
        ]:
            live.ask("pilot", "PUT", f"/crossings/{id_}/evidence/{part}", content=(evidence.folder / file).read_bytes())
        return id_


def walk(name: str, when: datetime, **changes: Any) -> dict[str, Any]:
    """A crossing as it goes over the wire: straight to the north, over the line at `when`."""
    step = timedelta(seconds=0.5)
    steps = round(WALK_S / 0.5)
    track = [
        {"time": (when + k * step).isoformat(), "lat": LAT + k * 0.5 * PER_SECOND, "lon": LON, "sigma_m": 1.2}
        for k in range(-steps, steps + 1)
    ]
    times = {"time": when.isoformat(), "update_time": (when + timedelta(seconds=5)).isoformat()}
    return crossing_json(name, **times, lat=LAT, lon=LON, track=track, evidence=None, retention_days=3650) | changes


def tonight(second: float) -> datetime:
    """A moment of the last hour, so many seconds into it; whole microseconds."""
    return (datetime.now(UTC) - timedelta(minutes=50)).replace(microsecond=0) + timedelta(seconds=second)


def state_of(live: Any, id_: str) -> dict[str, Any]:
    """How the review of a crossing stands at the service."""
    feature = json.loads(live.ask("analyst", "GET", f"/crossings/{id_}").content)
    review: dict[str, Any] = feature["properties"]["review"]
    return review


def verdicts_of(live: Any, id_: str) -> list[dict[str, Any]]:
    """Every verdict on a crossing at the service."""
    found: list[dict[str, Any]] = live.ask("analyst", "GET", f"/crossings/{id_}/reviews").json()
    return found
