"""A crossing and an agreement as they go over the wire, and when it is."""

import hashlib
from typing import Any


def packets(payload: bytes) -> bytes:
    """Something that looks like a transport stream, with `payload` in it."""
    parts = [payload[start : start + 187] for start in range(0, max(len(payload), 187 * 4), 187)]
    return b"".join(b"\x47" + part.ljust(187, b".") for part in parts)


CLIP = packets(b"clip" * 6000)
NOON_US = 1_767_268_800_000_000  # 2026-01-01T12:00:00Z


def agreement_json(partner_id: str, **terms: Any) -> dict[str, Any]:
    usual = {
        "partner_id": partner_id,
        "kinds": ["person", "vehicle", "bicycle"],
        "purposes": ["border-surveillance"],
        "markings": ["REL BRAVO"],
        "fields": ["kind", "position"],
        "media": "original",
    }
    return usual | terms


def crossing_json(source_id: str = "a", **changes: Any) -> dict[str, Any]:
    usual = {
        "source": "vehicle-1",
        "source_id": source_id,
        "time": "2026-01-01T10:00:00.000001Z",
        "update_time": "2026-01-01T10:00:05.000000Z",
        "kind": "person",
        "direction": "inbound",
        "status": "confirmed",
        "method": "ground",
        "lat": 31.333,
        "lon": -110.94,
        "ellipse": {"semi_major_m": 3.0, "semi_minor_m": 2.0, "orientation_deg": 40.0},
        "border": "Nogales",
        "confidence": 0.91,
        "track": [{"time": "2026-01-01T09:59:59.000000Z", "lat": 31.3331, "lon": -110.94, "sigma_m": 1.2}],
        "evidence": {
            "manifest": "a.json",
            "clip": "a.ts",
            "sha256": hashlib.sha256(CLIP).hexdigest(),
            "thumbnail": None,
        },
        "model": {"name": "thermal", "sha256": "0" * 64},
        "purpose": "border-surveillance",
        "owner": "USA",
        "marking": "REL BRAVO",
        "retention_days": 30,
    }
    return usual | changes


def record_json(collection: str, source_id: str = "a") -> dict[str, Any]:
    """One record of a collection as it goes over the wire."""
    custody = {"owner": "USA", "purpose": "border-surveillance", "marking": "REL BRAVO", "retention_days": 30}
    times = {"time": "2026-01-01T10:00:00Z", "update_time": "2026-01-01T10:00:00Z"}
    common = {"source": "station", "source_id": source_id, **times, **custody}
    way = [[-110.94, 31.34], [-110.90, 31.34]]
    own: dict[str, dict[str, Any]] = {
        "segments": {"name": "Nogales", "line": way, "own_side": "left", "stand_off_m": 60.0, "band_depth_m": 30.0},
        "fleets": {
            "name": "south",
            "aircraft": [{"model": "quad", "count": 2, "base": "b"}],
            "bases": {"b": [-110.93, 31.345]},
        },
        "plans": {
            "name": "night",
            "segments": ["Nogales"],
            "objective": "revisit",
            "sorties": 2,
            "ways": [way],
            "sha256": "0" * 64,
        },
        "sorties": {"vehicle": "v1", "state": "planned", "take_off": "2026-01-01T10:00:00Z", "way": way},
        "vehicles": {"name": "v1", "frame": "copter", "state": "on task", "lat": 31.34, "lon": -110.94},
        "sensors": {"name": "gate", "kind": "motion", "lat": 31.34, "lon": -110.94},
    }
    if collection == "crossings":
        return crossing_json(source_id)
    if collection == "cues":
        return {
            "type": "cue",
            "id": f"{sum(source_id.encode()):032x}",
            "sensor": "gate-3",
            "kind": "motion",
            "phenomenonTime": times["time"],
            "resultTime": times["time"],
            "location": {"type": "Point", "coordinates": [-110.94, 31.333]},
            "uncertainty_m": 20.0,
            "confidence": 0.9,
            "custody": custody,
        }
    return common | own[collection]


def planning_json(**more: Any) -> dict[str, Any]:
    """A planning of 2 km of border by two light aircraft, quickly planned."""
    light = {
        "cruise_m_s": 12.0,
        "max_m_s": 14.0,
        "climb_m_s": 4.0,
        "descent_m_s": 3.0,
        "hover_power_w": 300.0,
        "cruise_power_w": 320.0,
        "climb_power_w": 450.0,
        "battery_wh": 300.0,
    }
    line = {"type": "LineString", "coordinates": [[-110.95, 31.333], [-110.93, 31.333]]}
    base = {"name": "north", "lat": 31.345, "lon": -110.94, "aircraft": [{"model": "light", "count": 2}]}
    return {
        "name": "Nogales",
        "border": {"geojson": line, "own_side": "left"},
        "bases": [base],
        "aircraft": {"light": light},
        "ground_m": 1180.0,
        "shift_h": 2.0,
        "explain": False,
        **more,
    }
