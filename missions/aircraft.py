"""A type of aircraft: how fast it flies, how tightly it turns, what that takes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from missions.errors import FleetError
from missions.figures import check_counts, store_figures
from missions.limits import FENCE_VERTICES, MAX_ITEMS, MOST_FENCE_VERTICES, MOST_ITEMS
from missions.wind import Wind

__all__ = ["Aircraft", "AircraftForm"]

Floats = NDArray[np.float64]

_L1_PERIOD_S = 17.0
_ERRORS = ("navigation_error_m", "technical_error_m")
_LEAST_VERTICES, _LEAST_ITEMS = 4, 50
"""No fence has fewer vertices; 50 items are what PX4 takes on the smallest of boards."""


class AircraftForm(StrEnum):
    """How an aircraft stays up."""

    MULTIROTOR = "multirotor"
    FIXED_WING = "fixed_wing"
    VTOL = "vtol"


@dataclass(frozen=True, slots=True)
class Aircraft:
    """A type of aircraft.

    Parameters
    ----------
    kind
        Name of the type.
    cruise_m_s, max_m_s
        Airspeed of transit and the highest airspeed, metres a second. Of wings they are equivalent airspeeds, as a
        pitot tube tells them and an autopilot holds them: true ones at sea level. Higher up they fly faster.
    climb_m_s, descent_m_s
        Vertical speeds, metres a second, both positive.
    hover_power_w, cruise_power_w, climb_power_w
        Electric power when hovering, in level flight at `cruise_m_s`, and in a climb at `climb_m_s`, watts, at sea
        level: `power_w` says what they are higher up. `climb_more_w` says what of it a climb adds. A fixed wing has
        `hover_power_w` in the procedures of take-off and landing only.
    battery_wh
        Energy of a full battery, watt hours.
    reserve_fraction
        Share of the battery that is left at landing.
    turn_round_s
        From landing to the next take-off, with a fresh battery, seconds.
    form
        How it stays up.
    min_m_s
        Lowest airspeed in level flight, as `cruise_m_s`: above zero for wings.
    turn_radius_m
        Least radius of a turn in patrol, metres, in calm air at sea level: above zero for wings.
    takeoff_s, landing_s
        What the procedures of take-off and landing take beside climb and descent, seconds, at `hover_power_w`.
    transition_s
        Time of one change between hover and wings of a VTOL, at the greater of the powers of hover and climb, seconds.
    approach_deg
        Slope of the final approach of a fixed wing, degrees below level. PX4 refuses more than 5 (``FW_LND_ANG``).
    navigation_error_m
        Lateral navigation system error: how far it is from where it believes to be, at 95 % of the time, metres. By
        default that of a satellite receiver without corrections; `missions.clearance` says what follows from it.
    technical_error_m
        Lateral flight technical error on a straight way in gusts up to 10 m/s, at 95 % of the time, metres; by default
        that of its form.
    fence_vertices, mission_items
        How many vertices of a fence, those of all its polygons together, and items of a mission its autopilot stores.
        By default what both PX4 and ArduPilot store on common boards; small boards store fewer, ArduPilot with a card
        more (`missions.limits`). Sorties are planned so that it holds theirs.

    Raises
    ------
    FleetError
        When a figure is impossible; the message names the field.
    """

    kind: str
    cruise_m_s: float
    max_m_s: float
    climb_m_s: float
    descent_m_s: float
    hover_power_w: float
    cruise_power_w: float
    climb_power_w: float
    battery_wh: float
    reserve_fraction: float = 0.2
    turn_round_s: float = 300.0
    form: AircraftForm = AircraftForm.MULTIROTOR
    min_m_s: float = 0.0
    turn_radius_m: float = 0.0
    takeoff_s: float = 0.0
    landing_s: float = 0.0
    transition_s: float = 0.0
    approach_deg: float = 4.0
    navigation_error_m: float | None = None
    technical_error_m: float | None = None
    fence_vertices: int = FENCE_VERTICES
    mission_items: int = MAX_ITEMS

    def __post_init__(self) -> None:
        what = f"aircraft {self.kind!r}"
        try:
            object.__setattr__(self, "form", AircraftForm(self.form))
        except ValueError:
            forms = ", ".join(form.value for form in AircraftForm)
            raise FleetError(f"{what}: form is {self.form!r}: give one of {forms}") from None
        limits = {
            "cruise_m_s": (0.5, 60),
            "max_m_s": (0.5, 80),
            "climb_m_s": (0.2, 30),
            "descent_m_s": (0.2, 30),
            "hover_power_w": (1, 1e5),
            "cruise_power_w": (1, 1e5),
            "climb_power_w": (1, 1e5),
            "battery_wh": (1, 1e6),
            "reserve_fraction": (0.0, 0.9),
            "turn_round_s": (0, 1e6),
            "min_m_s": (0, 60),
            "turn_radius_m": (0, 2000),
            "takeoff_s": (0, 3600),
            "landing_s": (0, 3600),
            "transition_s": (0, 600),
            "approach_deg": (1, 15),
        }
        limits |= {name: (0.01, 200) for name in _ERRORS if getattr(self, name) is not None}
        store_figures(self, limits, f"{what}:", FleetError)
        counts = {"fence_vertices": (_LEAST_VERTICES, MOST_FENCE_VERTICES), "mission_items": (_LEAST_ITEMS, MOST_ITEMS)}
        check_counts(self, counts, f"{what}:", FleetError)
        if self.cruise_m_s > self.max_m_s:
            raise FleetError(f"{what}: cruise_m_s {self.cruise_m_s} is above max_m_s {self.max_m_s}")
        if self.min_m_s > self.cruise_m_s:
            raise FleetError(f"{what}: min_m_s {self.min_m_s} is above cruise_m_s {self.cruise_m_s}")
        if self.has_wings:
            for name in ("min_m_s", "turn_radius_m"):
                if getattr(self, name) <= 0:
                    raise FleetError(f"{what}: {name} is 0: wings need some, give it")
        elif self.min_m_s > 0 or self.turn_radius_m > 0:
            raise FleetError(f"{what}: min_m_s and turn_radius_m are for wings: leave them out, or correct form")
        if self.ground_energy_wh >= self.usable_wh:
            raise FleetError(
                f"{what}: takeoff_s and landing_s use {self.ground_energy_wh:.0f} Wh of the {self.usable_wh:.0f} Wh "
                "above the reserve: nothing is left to fly with; give a larger battery_wh"
            )

    @property
    def has_wings(self) -> bool:
        """Whether it needs airspeed to stay up in level flight."""
        return self.form is not AircraftForm.MULTIROTOR

    @property
    def needs_runway(self) -> bool:
        """Whether it takes off and lands along a line, and not on the spot."""
        return self.form is AircraftForm.FIXED_WING

    @property
    def stores(self) -> tuple[int, int]:
        """What it stores: vertices of a fence, items of a mission."""
        return self.fence_vertices, self.mission_items

    def true_m_s(self, airspeed_m_s: float, wind: Wind) -> float:
        """What one of its airspeeds is at most in some air, metres a second: rotors hold theirs at any height."""
        return airspeed_m_s * wind.true_per_equivalent if self.has_wings else airspeed_m_s

    def turn_radius_in(self, wind: Wind) -> float:
        """Least radius over the ground of its turns on patrol in some air, metres; 0 where it turns on the spot.

        Of wings it is wider than `turn_radius_m` by the square of their true by their equivalent airspeed, and by the
        wind. ArduPlane widens its circles so too; PX4 banks more as long as its limit lets it.
        """
        return wind.turn_radius_m(self.turn_radius_m, self.cruise_m_s)

    def stray_in(self, wind: Wind) -> float:
        """How far off its line it may come in a bend in a wind, metres.

        Wings are led along a line, not through it: simulated ones with the settings that ArduPlane comes with cut bends
        of 60 m radius by up to 26 m, PX4's by 9 m. Half the radius is kept.
        """
        return self.turn_radius_in(wind) / 2

    def wide_in(self, wind: Wind) -> float:
        """How far outside a long turn of its least radius it is flown in a wind, metres; 0 where it turns on the spot.

        ArduPlane aims at the line ahead of it, and flies round a polygon of radius R where what L1 asks for there holds
        it: outside by the e for which e (R + e) = (P v / 2 pi)^2, v its speed over ground, P its NAVL1_PERIOD of 17 s
        (AP_L1_Control.cpp). PX4 stays within a few metres.
        """
        if not self.has_wings:
            return 0.0
        over_ground_m_s = self.true_m_s(self.cruise_m_s, wind) + wind.speed_m_s
        radius_m, lead_m = self.turn_radius_in(wind), _L1_PERIOD_S * over_ground_m_s / (2 * math.pi)
        return (math.hypot(radius_m, 2 * lead_m) - radius_m) / 2

    @property
    def usable_wh(self) -> float:
        """Energy that a sortie may use, watt hours."""
        return self.battery_wh * (1 - self.reserve_fraction)

    @property
    def ground_s(self) -> float:
        """Time of the procedures of one take-off and landing, seconds."""
        return self.takeoff_s + self.landing_s + 2 * self.transition_s

    @property
    def ground_energy_wh(self) -> float:
        """Energy of the procedures of one take-off and landing at sea level, watt hours; as thin air has it above."""
        procedures = (self.takeoff_s + self.landing_s) * self.hover_power_w
        return (procedures + 2 * self.transition_s * self.transition_power_w) / 3600

    @property
    def transition_power_w(self) -> float:
        """Power of a change between hover and wings at sea level, watts: rotors and propeller work both."""
        return max(self.hover_power_w, self.climb_power_w)

    def climb_more_w(self, *, level: bool = True) -> float:
        """What a climb at `climb_m_s` takes beside `power_w`, watts.

        Lifting a mass m at the rate c takes m g c, whatever holds it up, and the efficiency of the drive more. A file
        gives no mass, but the power of a climb: of rotors what it takes beside hovering, of wings beside level flight
        at cruise. `climb_power_w` of a VTOL is that of its climb on wings. Where it is that of a climb on its rotors,
        as most makers give it, the climb on wings is taken for dearer than it is, which is safe; where it is less than
        hovering takes, its rotors climb on the spot at the power of their hover. No climb gives energy back. Thin air
        makes it no more: of rotors less, for the faster they draw the air, the less of that a climb takes off them.

        Parameters
        ----------
        level
            False for a climb on the spot.
        """
        beside_w = self.cruise_power_w if self.has_wings and level else self.hover_power_w
        return max(self.climb_power_w - beside_w, 0.0)

    def power_w(self, speed_m_s: ArrayLike, *, level: bool = True, thin: ArrayLike = 1.0) -> Floats:
        """Power at a true airspeed, watts.

        Of a multirotor quadratic in speed through the figures for hover and cruise: above its true curve between the
        two, whose power first falls with speed, so on the safe side. Beyond cruise all of the figure of cruise but what
        blades and lift take at least, a third of hover, rises with the cube of speed, as the drag of the airframe does:
        above what momentum theory has of rotors whose lift takes no more than three quarters of hover (Zeng, Xu and
        Zhang, *Energy minimization for wireless communication with rotary-wing UAV*, 2019, equation 12). Of wings in
        level flight the cube law of drag above cruise, and the figure of cruise below it: flying slower than cruise
        saves nothing that is counted on.

        In thin air all forces are those at sea level where the true airspeed is t = `thin` times as great, and are
        overcome that much faster: P(v) is t times P(v / t) at sea level. Of wings that is their drag at the equivalent
        airspeed (Anderson, *Aircraft Performance and Design*, chapter 5). Of rotors, which turn t times as fast for the
        same thrust, blades, lift and drag of the airframe alike: in that equation 12 induced power and blade power go
        with t at fixed weight, the speeds that they depend on as well, and drag with v³ / t². What thin air saves of
        that drag is not counted on: in any air rotors take at least what they do at sea level.

        Parameters
        ----------
        speed_m_s
            True airspeed.
        level
            False for a wing that hovers or climbs on the spot: `hover_power_w`.
        thin
            True by equivalent airspeed in that air, broadcast over the speeds.
        """
        speed, thin = np.asarray(speed_m_s, dtype=float), np.asarray(thin, dtype=float)
        if not self.has_wings:
            return np.maximum(self._rotor_w(speed), thin * self._rotor_w(speed / thin))
        ratio = speed / (thin * self.cruise_m_s)
        if not level:
            return np.asarray(thin * self.hover_power_w * np.ones_like(ratio))
        return np.asarray(thin * self.cruise_power_w * np.maximum(1.0, ratio) ** 3)

    def most_more(self, thinner: float) -> float:
        """How many times as much power it takes at most, whatever it does, in air that is so much thinner.

        By `power_w` t times as much, for true by equivalent airspeed t times as great. Of rotors whose power falls with
        speed up to cruise it is more: at the same true airspeed they are further from the cheapest one; most at it.
        """
        if self.has_wings or self.cruise_power_w >= self.hover_power_w:
            return thinner
        return thinner * float(self._rotor_w(np.asarray(self.cruise_m_s / thinner))) / self.cruise_power_w

    def _rotor_w(self, speed_m_s: Floats) -> Floats:
        """Power of rotors at an airspeed at sea level, watts."""
        ratio = speed_m_s / self.cruise_m_s
        more_w = self.cruise_power_w - self.hover_power_w
        drag_w = max(abs(more_w), self.cruise_power_w - self.hover_power_w / 3)
        rise_w = np.where(ratio > 1, drag_w * (ratio**3 - 1), more_w * (ratio**2 - 1))
        return np.asarray(self.cruise_power_w + rise_w)
