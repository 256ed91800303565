"""What the planner may choose within."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from missions.clock import moment_of
from missions.errors import PlanError
from missions.figures import store_figures
from missions.wind import CALM, Wind

__all__ = ["Objective", "PlanOptions"]


class Objective(StrEnum):
    """What a plan makes small.

    Attributes
    ----------
    REVISIT
        The longest time for which a point of the band is unobserved.
    ONCE
        The time for one full coverage.
    RISK
        The longest of these times multiplied by the risk of the place meanwhile.
    """

    REVISIT = "revisit"
    ONCE = "once"
    RISK = "risk"


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """What the planner may choose within.

    Parameters
    ----------
    dwell_s
        How long each point of the band stays in view in one pass, seconds.
    overlap, picture_s
        Share of the view along the course that one picture has in common with the next, and the time between two
        pictures, seconds; 0 for video.
    gsd_m
        Coarsest GSD over the band, metres a pixel; the camera's own limit by default.
    floor_agl_m, patrol_ceiling_agl_m
        Heights above ground between which to patrol, metres.
    ceiling_agl_m
        Highest height above ground at all, metres (120 in most countries). Ways out and home are flown in a layer
        each between the patrol and this.
    layer_m
        Distance between the layers of transit, metres.
    margin_m
        By how much the flight line may be straightened (the path definition error), and what the view keeps beyond
        the band, metres. What an aircraft may be off its way is kept besides (`missions.clearance`).
    fence_m
        What every way keeps besides for its fence, which lies between stand-off and legs: the more, the fewer
        vertices take it round the bends of a border, and the longer a sortie may be, metres.
    launch_interval_s
        Least time between two take-offs from one base, seconds.
    zone_margin_m
        What every way keeps from a blocked zone, metres.
    wind
        The wind to plan for.
    objective
        What to make small.
    shift_s
        For how long the schedule runs, seconds.
    shift_hour
        Hour of the day, 0 to 24, at which it begins: risk tables go by the hour.
    shift_start
        Date and time with its zone, ISO 8601, at which it begins, instead of the hour; empty where there is no date.
    separation_m, separation_up_m
        Any two aircraft away from their bases are at least the first apart across, or the second in height, metres.
    """

    dwell_s: float = 8.0
    gsd_m: float | None = None
    floor_agl_m: float = 40.0
    patrol_ceiling_agl_m: float = 90.0
    ceiling_agl_m: float = 120.0
    layer_m: float = 10.0
    margin_m: float = 3.0
    fence_m: float = 5.0
    launch_interval_s: float = 30.0
    zone_margin_m: float = 30.0
    wind: Wind = CALM
    objective: Objective = Objective.REVISIT
    shift_s: float = 28_800.0
    shift_hour: float = 0.0
    separation_m: float = 50.0
    separation_up_m: float = 5.0
    overlap: float = 0.0
    picture_s: float = 0.0
    shift_start: str = ""

    def __post_init__(self) -> None:
        limits = {
            "dwell_s": (0.1, 1e4),
            "floor_agl_m": (1, 1e4),
            "patrol_ceiling_agl_m": (1, 1e4),
            "ceiling_agl_m": (1, 1e4),
            "layer_m": (1, 1e4),
            "margin_m": (2.5, 1e4),
            "fence_m": (0, 1e4),
            "launch_interval_s": (0, 1e5),
            "zone_margin_m": (1, 1e4),
            "shift_s": (1, 7 * 86_400),
            "shift_hour": (0, 24),
            "separation_m": (1, 1e4),
            "separation_up_m": (1, 1e4),
            "overlap": (0, 0.95),
            "picture_s": (0, 3600),
        }
        store_figures(self, limits, "option", PlanError)
        if self.gsd_m is not None:
            store_figures(self, {"gsd_m": (1e-3, 10)}, "option", PlanError)
        try:
            object.__setattr__(self, "objective", Objective(self.objective))
        except ValueError:
            raise PlanError(
                f"option objective is {self.objective!r}: give one of {', '.join(o.value for o in Objective)}"
            ) from None
        if self.shift_start:
            moment_of(self.shift_start, "option shift_start")
            if self.shift_hour:
                raise PlanError(
                    f"option shift_hour is {self.shift_hour:g} and shift_start {self.shift_start}: the start says the "
                    "hour, give one of them"
                )
        if not self.floor_agl_m <= self.patrol_ceiling_agl_m <= self.ceiling_agl_m:
            raise PlanError(
                f"heights {self.floor_agl_m:g}, {self.patrol_ceiling_agl_m:g} and {self.ceiling_agl_m:g} m: the floor "
                "must be below the patrol ceiling, and that below the ceiling"
            )

    def once_from_now(self) -> PlanOptions:
        """The options of a plan that is flown once, and whose times count from now, whenever that is.

        It has neither the date nor the hour of the shift that these are of.
        """
        return replace(self, objective=Objective.ONCE, shift_hour=0.0, shift_start="")

    def layers_agl_m(self, patrol_agl_m: float, spare_m: float = 0.0) -> tuple[float, float]:
        """Heights above ground, metres, of the way out and of the way home: apart where there is room for both.

        Who comes home meets those who fly out on the same ways, so they have a layer each, as near to the patrol as may
        be; where there is room for one they share it and wait for each other, where there is none they fly at the
        height of the patrol. Below the ceiling at least `spare_m` is left free.
        """
        layers = max(0, int((self.ceiling_agl_m - spare_m - patrol_agl_m) / self.layer_m + 1e-9))
        return patrol_agl_m + self.layer_m * min(layers, 1), patrol_agl_m + self.layer_m * min(layers, 2)
