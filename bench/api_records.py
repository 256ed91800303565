"""A crossing as it goes over the wire, for measurements."""

from __future__ import annotations

from typing import Any

from api.times import iso

__all__ = ["crossing_json"]


def crossing_json(number: int, *, lat: float = 31.3, lon: float = -110.9, time_us: int | None = None) -> dict[str, Any]:
    """A crossing of a size that is usual: five points of its track, evidence named."""
    time = iso(1_767_225_600_000_000 + number * 1_000_000 if time_us is None else time_us)
    point = {"time": time, "lat": lat, "lon": lon, "sigma_m": 1.5}
    return {
        "source": "bench",
        "source_id": str(number),
        "time": time,
        "update_time": time,
        "kind": "person",
        "direction": "inbound",
        "status": "confirmed",
        "method": "ground",
        "lat": lat,
        "lon": lon,
        "ellipse": {"semi_major_m": 3.0, "semi_minor_m": 2.0, "orientation_deg": 40.0},
        "border": "bench",
        "confidence": 0.9,
        "track": [point] * 5,
        "evidence": {"manifest": "a.json", "clip": "a.ts", "sha256": "0" * 64, "thumbnail": "a.jpg"},
        "model": {"name": "none", "sha256": "0" * 64},
        "purpose": "border-surveillance",
        "owner": "USA",
        "marking": "REL BRAVO",
        "retention_days": 3650,
    }
