"""The service in an exercise: its people and partners, a stand-in for the detector, and what each partner can read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import api
import sim
from geo import VedetteError

__all__ = ["MARKING", "OWNER", "PURPOSE", "Desk", "opened_desk"]

OWNER, MARKING, PURPOSE = "Border Watch (exercise)", "EXERCISE", "border-surveillance"
_SIGMA_M = 4.0


@dataclass(eq=False)
class Desk:
    """Everybody's client of the service.

    Parameters
    ----------
    url
        The service.
    zero_us
        Wall time of second 0 in its records. Its clock is the wall clock, which goes more slowly than the exercise:
        with this shift the exercise ends now, and no record comes from the future.
    pilot, analyst, supervisor
        Those who train, or the automatic crew in their place.
    keys
        By role, for trainees.
    partner_ids, partners
        By name of the partner: its id, and its own client, with which the exercise looks what it can read.
    """

    url: str
    zero_us: int
    pilot: api.Client
    analyst: api.Client
    supervisor: api.Client
    keys: dict[str, str]
    partner_ids: dict[str, str]
    partners: dict[str, api.Client]
    _held: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def report(self, exercise: sim.Exercise, time_s: float, crossing: sim.TrueCrossing) -> str:
        """Deliver what a detector would have seen of a true crossing; the service's id of it."""
        name = f"exercise-{crossing.id}-{crossing.time_us}"
        moment = _iso(self.zero_us + round(time_s * 1e6))
        answer = self.pilot.deliver(
            {
                "source": "exercise control",
                "source_id": name,
                "time": moment,
                "update_time": moment,
                "kind": crossing.kind,
                "direction": crossing.direction,
                "status": "confirmed",
                "method": "ground",
                "lat": crossing.lat_deg,
                "lon": crossing.lon_deg,
                "ellipse": {"semi_major_m": 2.45 * _SIGMA_M, "semi_minor_m": 2.45 * _SIGMA_M, "orientation_deg": 0.0},
                "border": exercise.border.name,
                "confidence": 0.9,
                "track": [],
                "evidence": None,
                "model": None,
                "purpose": PURPOSE,
                "owner": OWNER,
                "marking": MARKING,
                "retention_days": 30,
            }
        )
        return str(answer.delivered[0]["id"])

    def changed_views(self) -> Iterator[tuple[str, list[dict[str, Any]]]]:
        """Partners that can read something else than when this was last asked, each with all that it can read."""
        for name, client in self.partners.items():
            held = sorted(client.crossings(), key=lambda feature: str(feature["id"]))
            if held != self._held.get(name, []):
                self._held[name] = held
                yield name, held


@contextmanager
def opened_desk(exercise: sim.Exercise, folder: Path, now_us: int) -> Iterator[Desk | None]:
    """Run a service for as long as the context lasts; None for an exercise without partners.

    Parameters
    ----------
    exercise
        Its partners and their agreements.
    folder
        Of the store.
    now_us
        Wall time, UTC microseconds since the Unix epoch.
    """
    if not exercise.partners:
        yield None
        return
    with api.running(api.Settings(folder, port=0)) as service, ExitStack() as stack:
        if service.admin is None:
            raise VedetteError(f"{folder} holds a store already: play into a new folder")
        admin = stack.enter_context(api.Client(service.url, service.admin.key))
        keys = {role: admin.create_key(role, role) for role in (api.Role.ANALYST, api.Role.SUPERVISOR)}
        keys[api.Role.PILOT] = admin.create_key(api.Role.PILOT, api.Role.PILOT, sources=["*"])

        def client(key: str) -> api.Client:
            return stack.enter_context(api.Client(service.url, key))

        # A client without a spool raises where the service refuses: in an exercise that has to show.
        staff = {role: client(key) for role, key in keys.items()}
        ids, partners = {}, {}
        for partner in exercise.partners:
            ids[partner.name] = str(admin.create_partner(partner.name)["id"])
            if partner.agreement is not None:
                terms = partner.agreement.model_dump()
                admin.create_agreement(partner_id=ids[partner.name], markings=[MARKING], **terms)
            key = admin.create_key(partner.name, api.Role.PARTNER, partner_id=ids[partner.name])
            partners[partner.name] = client(key)
        yield Desk(
            service.url,
            now_us - round(exercise.duration_s * 1e6),
            staff[api.Role.PILOT],
            staff[api.Role.ANALYST],
            staff[api.Role.SUPERVISOR],
            {str(role): key for role, key in keys.items()},
            ids,
            partners,
        )


def _iso(time_us: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=time_us)).isoformat()
