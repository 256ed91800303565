"""What a planning is asked for: the inputs of `vedette plan` as JSON.

Figures are judged by `missions`, which says what each may be.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from api.planning.shapes import Drawn, MapFeatures
from api.records.schemas import CustodyIn
from api.wire import Label, Lat, Lon, Moment, Wire

__all__ = [
    "AdoptionIn",
    "AircraftIn",
    "AircraftOptionsIn",
    "BaseIn",
    "CameraIn",
    "DrawnBorderIn",
    "PlanningIn",
    "PlanningOptionsIn",
    "RiskRowIn",
    "RiskTableIn",
    "ShippedBorderIn",
    "StandingAircraftIn",
    "WindIn",
]

MOST_AIRCRAFT = 100


class DrawnBorderIn(Wire):
    """A border, or a network of borders and branches, as somebody drew it.

    Properties of a Feature (`name`, `own_side`, `own`, `neighbour`, `stand_off_m`, `band_own_m`, `band_far_m`, `kind`)
    count before what is said here and in the planning. The side is that of one who walks along the line; of a polygon
    the own country is inside or outside.
    """

    geojson: Drawn
    own_side: Literal["left", "right", "inside", "outside"] | None = None


class ShippedBorderIn(Wire):
    """A stretch of a land border that ships with Vedette: own country first, by code or name.

    `near` is latitude and longitude of its middle.
    """

    countries: tuple[Label, Label]
    near: tuple[Lat, Lon] | None = None
    length_km: float = Field(default=40.0, gt=0, le=1000)


class AircraftIn(Wire):
    """A type of aircraft, as `missions.Aircraft` has it: metres, seconds, watts, watt hours."""

    cruise_m_s: float
    max_m_s: float
    climb_m_s: float
    descent_m_s: float
    hover_power_w: float
    cruise_power_w: float
    climb_power_w: float
    battery_wh: float
    reserve_fraction: float | None = None
    turn_round_s: float | None = None
    form: Literal["multirotor", "fixed_wing", "vtol"] = "multirotor"
    min_m_s: float | None = None
    turn_radius_m: float | None = None
    takeoff_s: float | None = None
    landing_s: float | None = None
    transition_s: float | None = None
    approach_deg: float | None = None
    navigation_error_m: float | None = None
    technical_error_m: float | None = None
    fence_vertices: int | None = None
    mission_items: int | None = None


class StandingAircraftIn(Wire):
    """So many aircraft of one model at a base: a name among the `aircraft` of the planning, or the ready-made one."""

    model: Label = "multirotor"
    count: int = Field(ge=1, le=MOST_AIRCRAFT)


class BaseIn(Wire):
    """A base. `batteries` are those at hand, null for enough; `charge_s` what one takes to charge, seconds."""

    name: Label
    lat: Lat
    lon: Lon
    aircraft: list[StandingAircraftIn] = Field(min_length=1, max_length=20)
    batteries: int | None = None
    charge_s: float | None = None
    runway_deg: float | None = None


class CameraIn(Wire):
    """The camera of every aircraft. The lens is focal_px, focal_mm with pixel_pitch_um, or horizontal_fov_deg."""

    name: Label = "camera"
    width_px: int = Field(ge=1, le=100_000)
    height_px: int = Field(ge=1, le=100_000)
    focal_px: float | None = None
    focal_mm: float | None = None
    pixel_pitch_um: float | None = None
    horizontal_fov_deg: float | None = None
    modality: Literal["thermal", "visible"] = "thermal"
    pitch_min_deg: float | None = None
    pitch_max_deg: float | None = None
    max_gsd_m: float | None = None

    @model_validator(mode="after")
    def _one_lens(self) -> Self:
        said = (self.focal_px, self.focal_mm, self.pixel_pitch_um, self.horizontal_fov_deg)
        known = tuple(figure is not None for figure in said)
        if known not in {(True, False, False, False), (False, True, True, False), (False, False, False, True)}:
            raise ValueError("give one lens: focal_px, focal_mm with pixel_pitch_um, or horizontal_fov_deg")
        return self


class RiskRowIn(Wire):
    """How much a stretch of the border matters: metres along it, hours of the day, weight (1 is the usual)."""

    from_m: float
    to_m: float
    weight: float
    from_hour: float = 0.0
    to_hour: float = 24.0
    line: Annotated[str, Field(max_length=200)] = ""


class RiskTableIn(Wire):
    """Rows of risk, and the time zone of their hours: that of the start where none is named."""

    rows: list[RiskRowIn] = Field(min_length=1, max_length=5000)
    zone: Annotated[str, Field(max_length=100)] = ""


class WindIn(Wire):
    """The wind to plan for; `gust_m_s` null is half as much again."""

    speed_m_s: float = 0.0
    from_deg: float = 0.0
    gust_m_s: float | None = None


class PlanningOptionsIn(Wire):
    """Other limits to plan within, as `missions.PlanOptions` has them; null is the planner's own."""

    dwell_s: float | None = None
    overlap: float | None = None
    picture_s: float | None = None
    gsd_m: float | None = None
    floor_agl_m: float | None = None
    patrol_ceiling_agl_m: float | None = None
    ceiling_agl_m: float | None = None
    layer_m: float | None = None
    margin_m: float | None = None
    fence_m: float | None = None
    launch_interval_s: float | None = None
    zone_margin_m: float | None = None
    separation_m: float | None = None
    separation_up_m: float | None = None


AircraftOptionsIn = Annotated[dict[Label, AircraftIn], Field(max_length=20)]


class PlanningIn(Wire):
    """What to plan.

    `stand_off_m` and the bands hold for lines that do not say their own. `airspace` has no-fly zones, areas with
    heights and landing sites, as `missions.read_airspace` has it; `landing_sites` proposes more. The ground is level
    at `ground_m`, or with `terrain` that of the service. The shift begins at `start`, or at an `hour` of any day.
    """

    name: Label
    border: DrawnBorderIn | ShippedBorderIn
    stand_off_m: float | None = None
    band_own_m: float | None = None
    band_far_m: float | None = None
    bases: list[BaseIn] = Field(min_length=1, max_length=50)
    aircraft: AircraftOptionsIn = Field(default_factory=dict)
    camera: CameraIn | None = None
    airspace: MapFeatures | None = None
    landing_sites: bool = False
    objective: Literal["revisit", "coverage", "risk"] = "revisit"
    risk: RiskTableIn | None = None
    shift_h: float = Field(default=8.0, gt=0, le=24)
    start: Moment | None = None
    hour: float = Field(default=0.0, ge=0, le=24)
    wind: WindIn = WindIn()
    ground_m: float | None = Field(default=None, ge=-500, le=9000)
    terrain: bool = False
    options: PlanningOptionsIn = PlanningOptionsIn()
    dialect: Literal["ardupilot", "px4"] = "ardupilot"
    explain: bool = True

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.terrain and self.ground_m is not None:
            raise ValueError("ground_m is for level ground: leave it out, or terrain")
        if self.start is not None and self.hour:
            raise ValueError("the start says the hour: leave hour out, or start")
        names = [base.name for base in self.bases]
        if len(set(names)) < len(names):
            raise ValueError("two bases have one name: each needs its own")
        if sum(each.count for base in self.bases for each in base.aircraft) > MOST_AIRCRAFT:
            raise ValueError(f"more than {MOST_AIRCRAFT} aircraft: plan the border in shorter parts")
        return self


class AdoptionIn(CustodyIn):
    """A plan that becomes one of the service: whose its records are, and what for.

    `source` is their source, which the caller's key must be bound to; `start` when the shift begins, where the
    planning does not say it.
    """

    source: Label
    start: Moment | None = None
