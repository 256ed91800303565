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
