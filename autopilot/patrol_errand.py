"""One flight of a patrol that may be sent to a cue on its way, and goes on with its patrol from there."""

from __future__ import annotations

from typing import Any

from autopilot.area import Place
from autopilot.cue import Errand
from autopilot.errors import AutopilotError, FlightError, LinkError
from autopilot.orders_camera import look_ahead, look_at
from autopilot.patrol_conduct import PatrolConduct
from autopilot.patrol_states import Happening, State
from autopilot.watch import FlightWatch
from geo import geodesic_distance_m
from missions import legs_behind

__all__ = ["ErrandConduct"]

_SENT_FROM = frozenset({State.OUTBOUND, State.ON_TASK, State.RELIEVED})
_ORDER_S = 2.0  # an order may take as long, with one that is lost on the way
_THERE_M = 10.0
_BESIDE_M = 15.0  # wings circle that far beside their radius


class ErrandConduct(PatrolConduct):
    """As `PatrolConduct`, with a cue beside the patrol."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._errand: Errand | None = None
        self._sent = False
        self._there_s: float | None = None

    @property
    def free_for_errand(self) -> bool:
        """Whether it can be sent to a cue now."""
        silent = self._shift.duties[self._turn.vehicle.sysid].silent
        return self._launched and self._errand is None and self._state in _SENT_FROM and not silent

    @property
    def stays(self) -> Place | None:
        """Where it is sent beside its patrol."""
        return None if self._errand is None else self._errand.place

    @property
    def stays_m(self) -> float:
        """Radius on which it circles there, metres."""
        return 0.0 if self._errand is None else self._errand.circle_m

    def send(self, errand: Errand) -> None:
        """Send it; it goes at its next look."""
        self._errand, self._sent, self._there_s = errand, False, None

    def _miss_errand(self, why: str) -> None:
        """It does nothing more about its errand; where it did not get there, somebody else may."""
        errand, self._errand = self._errand, None
        if errand is not None:
            errand.visit.leave(why)
            if self._there_s is None:
                errand.missed(why)

    async def _run_errand(self, watch: FlightWatch) -> None:
        errand, vehicle = self._errand, self._vehicle
        assert errand is not None
        if not self._sent:
            self._sent = True
            if self._state in _SENT_FROM:
                await self._set_out(errand, watch)
            else:  # since it was sent it has flown on, or was told to stop
                self._miss_errand(f"is {self._state} by now")
            return
        now, place = vehicle.telemetry, errand.place
        if now.mode == vehicle.dialect.mission_mode or now.lat_deg is None or now.lon_deg is None:
            return
        if self._there_s is None:
            away = float(geodesic_distance_m(now.lat_deg, now.lon_deg, place.lat_deg, place.lon_deg))
            if away <= errand.circle_m + (_BESIDE_M if errand.circle_m else _THERE_M):
                self._there_s = self._shift.now_s()
                errand.visit.there = True
                watch.note(now, f"is where the cue is seen from: {errand.words}")
            return
        if self._shift.now_s() - self._there_s >= errand.station_s:
            self._errand, errand.visit.stayed = None, True
            await self._go_on(watch)

    async def _set_out(self, errand: Errand, watch: FlightWatch) -> None:
        """To the place, with the camera on the spot. An order that is refused leaves it on its patrol.

        `Diversion` has looked at way and place, and it has flown on since.
        """
        vehicle, spot = self._vehicle, errand.spot
        try:
            here = self._orders.here()
            north, east, _ = vehicle.telemetry.velocity_ned_m_s or (0.0, 0.0, 0.0)
            area, turn_m = await self._orders.area(), await self._orders.turn_m(errand.circle_m or None, errand.place)
            # A vehicle that the plan takes for a multirotor and that says to have wings, too.
            if turn_m > errand.circle_m + 1.0:
                raise FlightError(f"{vehicle}: circles on {turn_m:g} m, and {errand.circle_m:.0f} m were looked at")
            area.check_diversion(here, errand.place, (east, north), _ORDER_S, radius_m=turn_m)
            await self._orders.go_unchecked(errand.place, turn_m)
        except AutopilotError as error:
            watch.note_failure(vehicle.telemetry, f"was not sent to the cue: {error}")
            self._miss_errand(str(error))
            if vehicle.telemetry.mode != vehicle.dialect.mission_mode:
                raise
            return
        self._tell(Happening.CUED, errand.words)
        try:
            await look_at(vehicle, spot.lat_deg, spot.lon_deg)
        except AutopilotError as error:
            watch.note_failure(vehicle.telemetry, f"its camera was not turned to the cue: {error}")

    async def _go_on(self, watch: FlightWatch, after: str = "a cue") -> None:
        """Back to its patrol where that is lawful and its battery allows, else home."""
        sortie, craft = self._turn.sortie, self._turn.vehicle.aircraft
        behind = max((legs_behind(self._mission, sortie, item.seq) for item in watch.reached), default=0)
        rest_wh = sum(leg.energy_wh for leg in sortie.legs[behind:])
        percent = self._vehicle.telemetry.battery_percent
        keep_wh = craft.reserve_fraction * craft.battery_wh
        if percent is None or percent / 100 * craft.battery_wh - rest_wh < keep_wh:
            await self._recall(f"after {after} its battery does not take it over the rest of its patrol")
            return
        try:
            await look_ahead(self._vehicle)
            await self._orders.resume()
        except LinkError:
            raise
        except AutopilotError as error:
            watch.note_failure(self._vehicle.telemetry, f"does not go on after {after}: {error}")
            if self._vehicle.telemetry.mode != self._vehicle.dialect.mission_mode:
                await self._recall(f"it could not go on with its patrol after {after}")
                return
        self._tell(Happening.RESUMED)

    def leave(self, why: str) -> None:
        """Nothing more comes of its errand either."""
        self._miss_errand(why)
        super().leave(why)

    async def _beside(self, watch: FlightWatch) -> None:
        if self._errand is not None:
            await self._run_errand(watch)
        elif self._state is State.ON_CUE and self._turn.number >= 0:
            await self._recall("it was at a cue when the ground station was lost")
