"""What a planning is told as, and what it found: in the OpenAPI document, for the tests, and for whoever reads it.

Times of the shift are seconds after its start; heights are metres above mean sea level; shares are 0 to 1.
"""

from __future__ import annotations

from typing import Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, JsonValue

from api.planning.shapes import LineShape, ManyLinesShape, ManyPolygonsShape, PointShape, PolygonShape

__all__ = [
    "STATES",
    "AdoptionOut",
    "PlanningLine",
    "PlanningOut",
    "PlanningResult",
    "State",
]

State = Literal["queued", "running", "done", "failed", "cancelled"]
STATES: tuple[State, ...] = ("queued", "running", "done", "failed", "cancelled")
_Properties = TypeVar("_Properties")
_Geometry = TypeVar("_Geometry")
Lines = LineShape | ManyLinesShape
Areas = PolygonShape | ManyPolygonsShape


class Told(BaseModel):
    """Base of what goes out: closed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class _Feature(Told, Generic[_Geometry, _Properties]):
    type: Literal["Feature"] = "Feature"
    geometry: _Geometry
    properties: _Properties


class LineTold(Told):
    """A line by its name."""

    name: str


class BorderFeature(_Feature[Lines, LineTold]):
    """A line that is patrolled."""


class BandFeature(_Feature[Areas, LineTold]):
    """The ground beside a line that is to be watched."""


class SortieTold(Told):
    """A sortie; the third figure of its way is its height above sea level. Its start is that of its first flight."""

    name: str
    vehicle: str
    base: str
    start_s: float
    duration_s: float
    distance_m: float
    patrol_m: float
    energy_wh: float
    reserve_left: float
    flights: int


class SortieFeature(_Feature[Lines, SortieTold]):
    """The way of a sortie."""


class FenceTold(Told):
    """A part of the fence of a sortie: stay within, or keep out."""

    sortie: str
    inside: bool


class FenceFeature(_Feature[Areas, FenceTold]):
    """A part of a fence."""


class FootprintTold(Told):
    """Whose camera takes it in."""

    sortie: str


class FootprintFeature(_Feature[Areas, FootprintTold]):
    """What the camera of a sortie takes in of the band on level ground; what hills hide is among the gaps."""


class RevisitTold(Told):
    """For how long a stretch is left alone at most; null where nobody looks twice."""

    from_m: float
    to_m: float
    revisit_s: float | None


class RevisitFeature(_Feature[Lines, RevisitTold]):
    """A stretch of the line that is flown."""


class GapTold(Told):
    """A part of the band that nobody sees: metres along its line, and why."""

    line: str
    from_m: float
    to_m: float
    area_m2: float
    reason: str


class GapFeature(_Feature[PointShape, GapTold]):
    """Where nobody sees the band."""


class SiteTold(Told):
    """A place to come down in an emergency."""

    name: str
    radius_m: float


class SiteFeature(_Feature[PointShape, SiteTold]):
    """A landing site."""


class PlanMap(Told):
    """What a map of the plan shows, each as GeoJSON Features."""

    borders: list[BorderFeature]
    bands: list[BandFeature]
    sorties: list[SortieFeature]
    fences: list[FenceFeature]
    footprints: list[FootprintFeature]
    revisit: list[RevisitFeature]
    gaps: list[GapFeature]
    landing_sites: list[SiteFeature]


class SeenShare(Told):
    """Share of the band that is seen at a GSD, metres a pixel, or finer."""

    gsd_m: float
    share: float


class BoundTold(Told):
    """No plan of a kind is below this; the gap is how far this one is above it, as a share, null where none is."""

    name: str
    seconds: float
    claim: str
    gap: float | None


class PlanSummary(Told):
    """How well the plan watches.

    `figure_s` is what was made small: the revisit interval, times risk in a plan by risk, the last landing in one of a
    single coverage. `bound_s` and `gap` are of the greatest lower bound. `floor_agl_m` is the lowest height to patrol
    at, and `ceiling_agl_m` the highest to fly at, that the planner was held to.
    """

    objective: Literal["revisit", "coverage", "risk"]
    figure_s: float
    revisit_s: float
    risk_s: float | None
    bound_s: float
    gap: float
    bounds: list[BoundTold]
    coverage: float
    seen: list[SeenShare]
    sorties: int
    aircraft: int
    flights: int
    height_agl_m: float
    floor_agl_m: float
    ceiling_agl_m: float
    lateral_m: float
    speed_m_s: float
    notes: list[str]


class ChangeTold(Told):
    """What a change of the fleet would give; null, and why, where no plan can be made with it."""

    what: str
    figure_s: float | None
    coverage: float | None
    reason: str


class ExplanationTold(Told):
    """What limits the plan, a sentence each, and what changes would give, the best first."""

    limits: list[str]
    changes: list[ChangeTold]


class RuleTold(Told):
    """A rule that was checked: the figure nearest to breaking it, what it must keep, what breaks it."""

    name: str
    checked: int
    worst: float | None
    limit: float | None
    unit: str
    broken: list[str]


class ValidationTold(Told):
    """Every rule, checked by code that shares nothing with the planner."""

    kept: bool
    rules: list[RuleTold]


class Profile(Told):
    """Heights of a sortie and of the ground below it, by distance flown."""

    sortie: str
    distance_m: list[float]
    amsl_m: list[float]
    ground_m: list[float]


class FlightTold(Told):
    """One take-off of the shift."""

    start_s: float
    end_s: float
    sortie: str
    vehicle: str
    base: str
    round: int
    reserve_left: float


class ShiftTold(Told):
    """Who flies when; `start` is null where the planning names no day."""

    start: str | None
    length_s: float
    flights: list[FlightTold]


class FileTold(Told):
    """A file of the plan; `sortie` is null where it is of all of them. `not_written` files are not listed."""

    name: str
    media_type: str
    size: int
    href: str
    sortie: str | None


class PlanningFound(Told):
    """What the planner found, all but its files."""

    summary: PlanSummary
    explanation: ExplanationTold | None
    validation: ValidationTold
    map: PlanMap
    profiles: list[Profile]
    shift: ShiftTold


class PlanningResult(PlanningFound):
    """What the planner found."""

    files: list[FileTold]


class PlanningLine(Told):
    """A planning in a list. `stage` says in words what is done now, `error` what went wrong, and what to do."""

    id: str
    name: str
    state: State
    progress: float
    stage: str
    asked: str
    asked_by: str
    started: str | None
    ended: str | None
    error: str | None
    adopted: bool


class PlanningOut(PlanningLine):
    """A planning: what was asked for, as it was sent, and when it is done what was found."""

    request: dict[str, JsonValue]
    result: PlanningResult | None


class AdoptedRecord(Told):
    """A record of the adopted plan, and what its delivery did."""

    type: Literal["segment", "fleet", "plan", "sortie"]
    id: str
    source_id: str
    outcome: Literal["created", "unchanged", "replaced", "dropped"]


class AdoptionOut(Told):
    """The records that the plan is now: the plan's own, then all of them."""

    plan_id: str
    records: list[AdoptedRecord]
