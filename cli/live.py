"""`vedette fly` and `vedette patrol` tell a service where their vehicles are, and what their cameras see."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

import autopilot
import geo
import missions
from cli.arguments import InputError
from cli.terminal import complaints

if TYPE_CHECKING:
    import api

__all__ = ["LiveOptions", "live_options", "service_options", "telling_positions"]

_PERIOD_S = 1.0
_WEAK_S = 0.5  # a vehicle is asked for its place four times a second
_SAME_S = 0.01
_SLOW_M_S = 0.5  # below, the direction of a velocity is that of its noise
_DEFAULT_FRAME = "copter"
_FRAMES = {missions.AircraftForm.FIXED_WING: "plane", missions.AircraftForm.VTOL: "vtol"}
_SMALLEST_DEG = 1e-6  # a tenth of a metre


@dataclass(frozen=True, slots=True)
class LiveOptions:
    """Which service, as which ground station, and whose the records of vehicles are that it does not know yet."""

    url: str
    key: str
    station: str = "ground-station"
    owner: str = "unknown"
    marking: str | None = None


def live_options(url: str | None, key: str | None, station: str, owner: str, marking: str | None) -> LiveOptions | None:
    """What the options of a command mean; None where no service is named. Raises InputError where its key is not."""
    return None if url is None else service_options(url, key, station, owner, marking)


def service_options(url: str, key: str | None, station: str, owner: str, marking: str | None) -> LiveOptions:
    """As `live_options`, where a service is named. Raises InputError where its key is not."""
    if key is None:
        raise InputError("--service needs a key: give --key or VEDETTE_KEY")
    return LiveOptions(url, key, station, owner, marking)


@contextmanager
def telling_positions(
    options: LiveOptions | None, plan: missions.PatrolPlan | None, terrain: geo.Terrain | None
) -> Iterator[Callable[[autopilot.Vehicle], None] | None]:
    """What a flight is to be handed as `met`; None where no service is named.

    Raises
    ------
    ClientError
        When the URL is not one.
    """
    if options is None:
        yield None
        return
    import api  # noqa: PLC0415 - the service takes a second to load, and few flights tell one

    planned = {} if plan is None else {vehicle.sysid: vehicle for vehicle in plan.fleet.vehicles}
    teller = _Teller(options, plan, planned, terrain)
    with (
        api.Client(options.url, options.key, timeout_s=5.0) as client,
        api.LiveCourier(client, teller.record, _say, period_s=_PERIOD_S) as courier,
    ):
        tasks: list[asyncio.Task[None]] = []

        def met(vehicle: autopilot.Vehicle) -> None:
            tasks.append(asyncio.get_running_loop().create_task(teller.follow(vehicle, courier)))

        yield met
        for task in tasks:
            task.cancel()


def _say(words: str) -> None:
    complaints.print(f"note: {words}", markup=False)


class _Teller:
    """Makes records and states of the vehicles of one ground station."""

    def __init__(
        self,
        options: LiveOptions,
        plan: missions.PatrolPlan | None,
        planned: Mapping[int, missions.Vehicle],
        terrain: geo.Terrain | None,
    ) -> None:
        self._options, self._plan, self._planned, self._terrain = options, plan, planned, terrain
        self._at: dict[str, tuple[int, autopilot.Telemetry]] = {}

    async def follow(self, vehicle: autopilot.Vehicle, courier: api.LiveCourier) -> None:
        """Look at a vehicle every second; what is made of it is made elsewhere."""
        name, before_s, clock = self._name(vehicle.sysid), -math.inf, asyncio.get_running_loop().time
        while True:
            seen, silent_s, age_s = vehicle.telemetry, vehicle.silent_s, vehicle.position_age_s
            # By a clock that nobody sets: or nothing would be told until the day's has caught up with where it was.
            heard_s = clock() - age_s
            if not seen.not_located() and heard_s - before_s > _SAME_S:
                # Of when it is known, not of when it is told: one that is not heard any more grows old where it was.
                moment = datetime.now(UTC) - timedelta(seconds=age_s)
                self._at[name], before_s = (vehicle.sysid, seen), heard_s
                courier.hand(name, partial(self._state, name, vehicle, seen, silent_s, moment))
            await asyncio.sleep(_PERIOD_S)

    def record(self, name: str) -> dict[str, Any]:
        """The record of a vehicle that the service does not know: found at its base."""
        sysid, seen = self._at[name]
        planned = self._planned.get(sysid)
        now = datetime.now(UTC).isoformat()
        base = None if planned is None else (planned.base.lat_deg, planned.base.lon_deg)
        lat, lon = base or (seen.lat_deg, seen.lon_deg)
        options = self._options
        return {
            "source": options.station,
            "source_id": name,
            "time": now,
            "update_time": now,
            "owner": options.owner,
            "marking": options.marking,
            "purpose": "border-surveillance",
            "retention_days": 30,
            "personal_data": False,
            "name": name,
            "frame": _DEFAULT_FRAME if planned is None else _FRAMES.get(planned.aircraft.form, _DEFAULT_FRAME),
            "state": "known",
            "lat": lat,
            "lon": lon,
        }

    def _name(self, sysid: int) -> str:
        return self._planned[sysid].name if sysid in self._planned else f"vehicle-{sysid}"

    def _state(
        self, name: str, vehicle: autopilot.Vehicle, seen: autopilot.Telemetry, silent_s: float, moment: datetime
    ) -> dict[str, Any]:
        north, east, _ = seen.velocity_ned_m_s or (0.0, 0.0, 0.0)
        speed_m_s = math.hypot(north, east)
        state: dict[str, Any] = {
            "source": self._options.station,
            "source_id": name,
            "update_time": moment.isoformat(),
            "state": _doing(seen, vehicle.dialect.pause_mode),
            "lat": seen.lat_deg,
            "lon": seen.lon_deg,
            "altitude_amsl_m": None if seen.altitude is None else round(seen.altitude.amsl_m(), 1),
            "heading_deg": None if seen.yaw_deg is None else round(seen.yaw_deg, 1) % 360,
            "course_deg": None if speed_m_s < _SLOW_M_S else round(math.degrees(math.atan2(east, north)), 1) % 360,
            "speed_m_s": None if seen.velocity_ned_m_s is None else round(speed_m_s, 1),
            "battery_left": None if seen.battery_percent is None else seen.battery_percent / 100,
            "mode": seen.mode,
            "link": "weak" if silent_s > _WEAK_S else "good",
        }
        return state | self._view(vehicle.sysid, seen)

    def _view(self, sysid: int, seen: autopilot.Telemetry) -> dict[str, Any]:
        """Where the camera looks and what it sees; nothing where either is not known."""
        if self._plan is None or sysid not in self._planned or seen.gimbal_deg is None or seen.altitude is None:
            return {}
        yaw, pitch, roll = seen.gimbal_deg
        if not seen.gimbal_from_north:
            if seen.yaw_deg is None:
                return {}
            yaw += seen.yaw_deg
        assert seen.lat_deg is not None  # who follows looked
        assert seen.lon_deg is not None
        camera = self._plan.fleet.camera_of(self._planned[sysid])
        pose = geo.CameraPose(seen.lat_deg, seen.lon_deg, seen.altitude, yaw, pitch, roll)
        view = {
            "azimuth_deg": round(yaw % 360, 1) % 360,
            "elevation_deg": round(pitch, 1),
            "roll_deg": round(roll, 1),
            "fov_deg": round(camera.model.horizontal_fov_deg, 2),
            "vfov_deg": round(camera.model.vertical_fov_deg, 2),
            "model": camera.name,
        }
        return {"camera": view, "footprint": self._footprint(camera.model, pose, seen)}

    def _footprint(
        self, model: geo.CameraModel, pose: geo.CameraPose, seen: autopilot.Telemetry
    ) -> dict[str, Any] | None:
        """None where a corner of the picture sees no ground, or the vehicle stands on it."""
        ground = self._terrain
        if ground is None:
            if seen.home is None and seen.above_home_m is None:
                return None
            home_m = seen.home[2] if seen.home is not None else pose.altitude.amsl_m() - (seen.above_home_m or 0.0)
            ground = geo.FlatTerrain(home_m)
        try:
            corners = geo.footprint(model, pose, ground)
        except geo.GeoError:
            return None
        if np.isnan(corners).any() or np.ptp(corners, axis=0).min() < _SMALLEST_DEG:
            return None
        ring = [[round(float(lon), 7), round(float(lat), 7)] for lat, lon in corners]
        return {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}


def _doing(seen: autopilot.Telemetry, pause_mode: str) -> str:
    if seen.landed is not False:
        return "on the ground"
    return "paused" if seen.mode == pause_mode else "flying"
