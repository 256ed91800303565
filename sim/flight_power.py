"""What flying costs: a power curve and the battery that pays it."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

from sim.errors import ConfigError

__all__ = ["Battery", "PowerModel"]

# Below this share of cruise no wing carries: the run on the ground.
_LEAST_RATIO = 0.4


@dataclass(frozen=True, slots=True)
class PowerModel:
    """Electrical figures of an aircraft. Power is drawn from take-off to touch-down, and a descent gives nothing back.

    On rotors it is ``hover_w + (cruise_w - hover_w) (airspeed / cruise_mps)^3 + climb_w_per_mps max(climb, 0)`` up to
    cruise: parasite drag grows with the cube of airspeed. By cruise lift takes less than in hover, and drag more than
    the two figures differ by (Zeng, Xu and Zhang 2019, equation 12): beyond it all of cruise but a third of hover is
    taken for drag.

    On wings it is ``cruise_w ((1 - induced) r^3 + induced n^2 / r) + wing_climb_w_per_mps max(climb, 0)`` with
    ``r = airspeed / cruise_mps`` and the load factor ``n``: power of a parabolic drag polar (Anderson, *Aircraft
    Performance and Design*, 5.2 to 5.4), scaled to its level flight at cruise, at sea level.

    In thin air all forces are those of the equivalent airspeed, and overcome at the true one: of wings (5.10, 5.11),
    and of rotors, whose induced and blade power, and the speeds that these depend on, go with one by the root of the
    density at fixed weight in that equation 12, while the drag of the airframe goes with the density.

    Parameters
    ----------
    capacity_wh, voltage_v
        Usable energy of a full battery and its nominal voltage.
    hover_w, cruise_w, cruise_mps
        Power at rest in the air, and at an airspeed, at sea level. A fixed wing never rests: `hover_w` says
        nothing of it.
    climb_w_per_mps, wing_climb_w_per_mps
        Power more for each m/s of climb (weight over efficiency): than hovering takes, and than level flight on wings;
        that of wings is the other by default.
    low_pct, critical_pct
        Charge at which the failsafes return and land.
    induced_share
        Share of the drag of wings that comes from lift, in level flight at cruise.

    Raises
    ------
    ConfigError
        When a figure is not finite and positive, or the low level is not above the critical one.
    """

    capacity_wh: float = 526.0
    voltage_v: float = 44.4
    hover_w: float = 560.0
    cruise_w: float = 660.0
    cruise_mps: float = 18.0
    climb_w_per_mps: float = 110.0
    low_pct: float = 20.0
    critical_pct: float = 8.0
    induced_share: float = 0.3
    wing_climb_w_per_mps: float | None = None

    def __post_init__(self) -> None:
        for name in ("capacity_wh", "voltage_v", "hover_w", "cruise_w", "cruise_mps"):
            value = getattr(self, name)
            if not (isfinite(value) and value > 0.0):
                raise ConfigError(f"power model {name} is {value}: give a positive figure")
        for name in ("climb_w_per_mps", "wing_climb_w_per_mps"):
            value = getattr(self, name)
            if value is not None and not (isfinite(value) and value >= 0.0):
                raise ConfigError(f"power model {name} is {value}: give a figure of 0 or more")
        if not 0.0 <= self.induced_share < 1.0:
            raise ConfigError(f"power model induced_share is {self.induced_share}: give a share of 0 or more, below 1")
        if not 0.0 <= self.critical_pct <= self.low_pct < 100.0:
            raise ConfigError(
                f"battery levels low {self.low_pct} %, critical {self.critical_pct} %: give 0 <= critical <= low < 100"
            )

    @property
    def capacity_mah(self) -> float:
        """Charge of a full battery, mAh."""
        return self.capacity_wh / self.voltage_v * 1000.0

    def power_w(self, airspeed_mps: float, climb_mps: float, load: float = 0.0, thin: float = 1.0) -> float:
        """Power in watts at a true airspeed and a rate of climb.

        It is on its wings where the load factor is above zero. `thin` is how many times the equivalent airspeed the
        true one is: rotors too take so many times more.
        """
        ratio = airspeed_mps / (self.cruise_mps * thin)
        climb_w = self.climb_w_per_mps * max(0.0, climb_mps)
        cube = ratio * ratio * ratio
        if load > 0.0:
            if self.wing_climb_w_per_mps is not None:
                climb_w = self.wing_climb_w_per_mps * max(0.0, climb_mps)
            induced = self.induced_share
            lift = induced * load * load / max(ratio, _LEAST_RATIO)
            return self.cruise_w * thin * ((1.0 - induced) * cube + lift) + climb_w
        more_w = self.cruise_w - self.hover_w
        if cube > 1.0:
            drag_w = max(abs(more_w), self.cruise_w - self.hover_w / 3.0)
            return thin * (self.cruise_w + drag_w * (cube - 1.0)) + climb_w
        return thin * (self.hover_w + more_w * cube) + climb_w


class Battery:
    """Charge left, and the draw of this moment.

    Attributes
    ----------
    effort
        How much more power a flight takes than that of a whole airframe.
    whole
        Share of the cells that live.
    """

    __slots__ = ("effort", "model", "power_w", "used_j", "whole")

    def __init__(self, model: PowerModel) -> None:
        self.model = model
        self.effort = 1.0
        self.whole = 1.0
        self.used_j = 0.0
        self.power_w = 0.0

    def draw(self, dt_s: float, airspeed_mps: float, climb_mps: float, load: float = 0.0, thin: float = 1.0) -> None:
        """Pay for one step; as `PowerModel.power_w`."""
        self.power_w = self.effort * self.model.power_w(airspeed_mps, climb_mps, load, thin)
        self.used_j += self.power_w * dt_s / self.whole

    def swap(self) -> None:
        """A full battery."""
        self.whole = 1.0
        self.used_j = 0.0
        self.power_w = 0.0

    def fail(self, left_pct: float, whole: float) -> None:
        """From now on only a share of the cells gives voltage, and no more than `left_pct` of the charge is left.

        A monitor counts charge: it sees a dead cell as less voltage and more current for the same power.
        """
        self.whole *= whole
        self.used_j = max(self.used_j, (1.0 - left_pct / 100.0) * self.model.capacity_wh * 3600.0)

    @property
    def voltage_v(self) -> float:
        """Voltage of the cells that live."""
        return self.whole * self.model.voltage_v

    @property
    def remaining_pct(self) -> float:
        """Charge left in percent, never below zero."""
        return max(0.0, 100.0 * (1.0 - self.used_j / (self.model.capacity_wh * 3600.0)))

    @property
    def used_mah(self) -> float:
        """Charge used, mAh."""
        return self.used_j / 3.6 / self.model.voltage_v

    @property
    def current_a(self) -> float:
        """Current of this moment, A."""
        return self.power_w / self.voltage_v
