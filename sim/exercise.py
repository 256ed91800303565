"""An exercise: a scenario that people train with, told by a file in YAML or JSON.

It says who trains and what for, the border, the fleet and the world (in the words of `sim.world_file` and
`sim.sensors_file`), what happens when (`injects`), and what is to be reached (`objectives`). Each objective names a
measure of `sim.exercise_terms`; measures are taken from the simulator's own record and from what partners truly
received, never from what the program under exercise says of itself. Times are simulated seconds from power-on of the
fleet. `sim/exercises/` holds the ones that ship.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, Field, ValidationError, model_validator

from geo import CameraModel, LocalFrame, VedetteError
from sim.documents import Document, Number, Whole, read_document
from sim.errors import ExerciseError
from sim.exercise_terms import TERMS
from sim.fault_file import faults_from
from sim.faults import Fault, Faults
from sim.flight_wind import Wind
from sim.sensors_file import NetworkDocument, SensorNetwork, network_of
from sim.world import World
from sim.world_file import PlaceDocument, WorldDocument, place_m, world_of

__all__ = ["Exercise", "Inject", "Objective", "exercise_names", "find_exercise", "load_exercise"]

Floats = NDArray[np.float64]
Text = Annotated[str, Field(min_length=1, max_length=4000)]
Word = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")]
Seconds = Annotated[Number, Field(ge=0, le=86_400)]
_SHIPPED = Path(__file__).parent / "exercises"
_FAULTS = Literal[
    "packet_loss", "delay", "duplication", "reordering", "link_cut", "gps_loss", "gps_glitch", "wind_gust",
    "motor_failure", "battery_failure", "mission_rejected", "reboot", "second_station",
]  # fmt: skip


class _Border(Document):
    name: Word
    own: Word
    neighbour: Word
    own_side: Literal["left", "right"]
    stand_off_m: Annotated[Number, Field(ge=1, le=10_000)] = 60.0
    points: list[PlaceDocument] = Field(min_length=2, max_length=1000)


class _Camera(Document):
    """That of the default fleet of the planner: thermal, 640 x 512 pixels of 12 micrometres behind 13.5 mm.

    A patrol is planned to `max_gsd_m`, metres a pixel; somebody counts as seen up to `seen_gsd_m`.
    """

    width_px: Annotated[Whole, Field(ge=16, le=20_000)] = 640
    height_px: Annotated[Whole, Field(ge=16, le=20_000)] = 512
    focal_mm: Annotated[Number, Field(gt=0, le=1000)] = 13.5
    pixel_um: Annotated[Number, Field(gt=0, le=100)] = 12.0
    max_gsd_m: Annotated[Number, Field(gt=0, le=10)] = 0.125
    seen_gsd_m: Annotated[Number, Field(gt=0, le=10)] = 0.15

    @property
    def model(self) -> CameraModel:
        """As a pinhole."""
        return CameraModel.from_sensor(self.width_px, self.height_px, self.focal_mm, self.pixel_um)


class _Wind(Document):
    mean_mps: Annotated[Number, Field(ge=0, le=30)] = 0.0
    from_deg: Number = 0.0
    gust_mps: Annotated[Number, Field(ge=0, le=15)] = 0.0


class _Fleet(Document):
    vehicles: Annotated[Whole, Field(ge=1, le=20)] = 2
    base: PlaceDocument
    autopilot: Literal["ardupilot", "px4"] = "ardupilot"
    turnaround_s: Seconds = 180.0
    camera: _Camera = _Camera()
    wind: _Wind = _Wind()
    params: dict[str, Number] = Field(default={})


class _Agreement(Document):
    purposes: list[Word] = Field(min_length=1)
    kinds: list[Literal["person", "vehicle", "bicycle"]] = Field(min_length=1)
    fields: list[Word] = Field(min_length=1)


class _Partner(Document):
    name: Word
    agreement: _Agreement | None = None


class _Crew(Document):
    """What the automatic crew does; what it leaves is for trainees, or a crew that errs on purpose."""

    flies: bool = True
    shift_s: Annotated[Seconds, Field(gt=0)] | None = None  # until when flights take off; else 15 min before the end
    answers_cues: bool = True
    heeds_zones: bool = True
    reviews: bool = True
    releases_to: list[Word] = Field(default=[])
    recalls: bool = True


class _Inject(Document):
    at_s: Seconds
    words: Text | None = None


class Message(_Inject):
    """Something that is said to those who train; `legal` where it is about law or privacy."""

    kind: Literal["message"]
    to: Literal["pilot", "analyst", "partner", "all"] = "all"
    legal: bool = False


class CueInject(_Inject):
    """A report of a person or a partner; `actor` is who is truly there, none for a false alarm."""

    kind: Literal["cue"]
    source: Word
    place: PlaceDocument
    actor: Whole | None = None
    uncertainty_m: Annotated[Number, Field(ge=0, le=1000)] = 20.0
    station_s: Annotated[Number, Field(gt=0, le=3600)] = 60.0


class ZoneInject(_Inject):
    """An area that nobody may be in from `grace_s` after it was told."""

    kind: Literal["no_fly_zone"]
    name: Word
    ring: list[PlaceDocument] = Field(min_length=3, max_length=100)
    grace_s: Seconds = 240.0


class CameraInject(_Inject):
    """The cameras of some vehicles show nothing until their next take-off."""

    kind: Literal["camera_lost"]
    vehicles: list[Annotated[Whole, Field(ge=1, le=250)]] = Field(min_length=1)


class RequestInject(_Inject):
    """A partner asks to be given the latest record for a purpose."""

    kind: Literal["request"]
    partner: Word
    purpose: Word


class RecallInject(_Inject):
    """What a partner was given has to be taken back."""

    kind: Literal["recall"]
    partner: Word


class FaultInject(_Inject):
    """A fault of `sim.faults`; all other keys are those of its kind, but for times: `at_s`, and how long it lasts.

    With `event: take-off` its time counts from when its one vehicle first leaves the ground.
    """

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Any] = Field(init=False)

    kind: _FAULTS
    lasts_s: Annotated[Seconds, Field(gt=0)] | None = None
    event: Literal["power-on", "take-off"] = "power-on"

    @model_validator(mode="after")
    def _can_be(self) -> Self:
        self.fault  # noqa: B018  looked at now, where the file and its place are known
        return self

    @property
    def fault(self) -> Fault:
        """What the vehicles are given. Raises ValueError where it cannot be simulated."""
        wrong = {"from_s", "to_s"} & set(self.__pydantic_extra__)
        if wrong:
            raise ValueError(f"{', '.join(sorted(wrong))}: an inject has at_s and lasts_s instead")
        times = {"from_s": self.at_s} | ({} if self.lasts_s is None else {"to_s": self.at_s + self.lasts_s})
        try:
            made = faults_from([{"kind": self.kind, "event": self.event, **self.__pydantic_extra__, **times}]).listed[0]
        except VedetteError as error:
            raise ValueError(str(error)) from None
        if self.event == "take-off" and len(made.vehicles) != 1:
            raise ValueError("event take-off is that of one vehicle: give vehicles with one number")
        return made


Inject = Message | CueInject | ZoneInject | CameraInject | RequestInject | RecallInject | FaultInject


class Objective(Document):
    """What is to be reached: a measure of `sim.exercise_terms`, its bound, and what it counts.

    `must` marks a rule of safety or law: where it is not met the exercise is not passed, whatever else was. The other
    keys say what is measured; each measure has its own.
    """

    id: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,40}$")]
    words: Text
    measure: str
    at_least: Number | None = None
    at_most: Number | None = None
    weight: Annotated[Number, Field(gt=0, le=100)] = 1.0
    must: bool = False
    actors: list[Whole] | None = None
    vehicle: Whole | None = None
    partner: Word | None = None
    within_s: Seconds | None = None
    from_s: Seconds | None = None
    to_s: Seconds | None = None
    after: _FAULTS | None = None
    fields: list[Word] | None = None

    @model_validator(mode="after")
    def _measurable(self) -> Self:
        term = TERMS.get(self.measure)
        if term is None:
            raise ValueError(f"measure {self.measure!r} is not known: give one of {', '.join(TERMS)}")
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError("give either at_least or at_most")
        keys = ("actors", "vehicle", "partner", "within_s", "from_s", "to_s", "after", "fields")
        given = {key for key in keys if getattr(self, key) is not None}
        if term.needs - given:
            raise ValueError(f"measure {self.measure} needs {', '.join(sorted(term.needs - given))}: give it")
        if given - term.needs - term.takes:
            extra = ", ".join(sorted(given - term.needs - term.takes))
            raise ValueError(f"measure {self.measure} does not look at {extra}: take it out")
        if self.after is not None and (self.from_s is not None or self.vehicle is None):
            raise ValueError("after is a fault of one vehicle: give vehicle, and no from_s")
        return self


class Exercise(Document):
    """A whole exercise, checked; places in metres come by `border_m`, `base_m` and `ring_m`."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,40}$")]
    title: Word
    trains: list[Literal["pilot", "analyst", "partner liaison"]] = Field(min_length=1)
    briefing: Text
    rules: list[Text] = Field(min_length=1)
    duration_s: Annotated[Number, Field(ge=60, le=86_400)]
    pass_mark: Annotated[Number, Field(gt=0, le=1)] = 0.8
    speedup: Annotated[Number, Field(ge=0.1, le=200)] = 40.0
    world: WorldDocument
    border: _Border
    fleet: _Fleet
    sensors: NetworkDocument | None = None
    partners: list[_Partner] = Field(default=[])
    crew: _Crew = _Crew()
    injects: list[Annotated[Inject, Field(discriminator="kind")]] = Field(default=[], max_length=500)
    objectives: list[Objective] = Field(min_length=1, max_length=50)

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        _once("objectives", (each.id for each in self.objectives))
        _once("partners", (each.name for each in self.partners))
        if self.world.epoch is None:
            raise ValueError("world.epoch is missing: the same exercise is played at the same hour every time")
        actors, partners = {each.id for each in self.world.actors}, {each.name for each in self.partners}
        vehicles = set(range(1, self.fleet.vehicles + 1))
        for number, inject in enumerate(self.injects):
            where = f"injects.{number} ({inject.kind})"
            if inject.at_s > self.duration_s:
                raise ValueError(f"{where}: at_s {inject.at_s:g} is after the end, {self.duration_s:g} s")
            if isinstance(inject, CueInject) and inject.actor is not None:
                _known(where, "actor", [inject.actor], actors)
            if isinstance(inject, RequestInject | RecallInject):
                _known(where, "partner", [inject.partner], partners)
            if isinstance(inject, CameraInject):
                _known(where, "vehicle", inject.vehicles, vehicles)
            if isinstance(inject, FaultInject):
                _known(where, "vehicle", inject.fault.vehicles, vehicles)
        for one in self.objectives:
            where = f"objective {one.id}"
            _known(where, "actor", one.actors or (), actors)
            _known(where, "partner", [] if one.partner is None else [one.partner], partners)
            _known(where, "vehicle", [] if one.vehicle is None else [one.vehicle], vehicles)
            faults = {
                i.kind for i in self.injects if isinstance(i, FaultInject) and i.fault.happens_to(one.vehicle or 0)
            }
            _known(where, f"fault of vehicle {one.vehicle}", [] if one.after is None else [one.after], faults)
        _known("crew.releases_to", "partner", self.crew.releases_to, partners)
        return self

    @cached_property
    def frame(self) -> LocalFrame:
        """East, north, up at the origin of the world, on the ground."""
        origin = self.world.origin
        return LocalFrame(origin.lat, origin.lon, origin.ground_amsl_m)

    @cached_property
    def border_m(self) -> Floats:
        """The line in that frame, metres, shape (n, 2)."""
        return np.array([place_m(point, self.frame) for point in self.border.points])

    @property
    def own_sign(self) -> int:
        """What makes a signed distance to the line (`geo.locate`) positive on the own side."""
        return 1 if self.border.own_side == "left" else -1

    def place_deg(self, place: PlaceDocument) -> tuple[float, float]:
        """Latitude and longitude, degrees, of a place of the file."""
        lat, lon, _ = self.frame.to_geodetic(*place_m(place, self.frame))
        return round(float(lat), 8), round(float(lon), 8)

    def ring_m(self, zone: ZoneInject) -> Floats:
        """The outline of a zone, metres, shape (n, 2)."""
        return np.array([place_m(point, self.frame) for point in zone.ring])

    @property
    def faults(self) -> Faults:
        """What goes wrong with the vehicles."""
        return Faults(listed=tuple(each.fault for each in self.injects if isinstance(each, FaultInject)))

    @property
    def wind(self) -> Wind:
        """The wind of the site."""
        wind = self.fleet.wind
        return Wind(wind.mean_mps, wind.from_deg, wind.gust_mps)

    @cached_property
    def played_world(self) -> World:
        """Who moves where and when. Raises WorldError."""
        return world_of(self.world, f"exercise {self.name}, world.", epoch_us=0)

    @property
    def network(self) -> SensorNetwork | None:
        """The ground sensors, if any. Raises ConfigError."""
        return None if self.sensors is None else network_of(self.sensors, f"exercise {self.name}, sensors")


def load_exercise(path: Path) -> Exercise:
    """Read an exercise from a file.

    Raises
    ------
    ExerciseError
        When the file cannot be read, or tells of an exercise that there cannot be: names file, key and what to do.
    """
    made = read_document(path, "exercise", Exercise, ExerciseError)
    try:
        _ = made.played_world, made.network, made.wind, made.border_m, made.fleet.camera.model
        for inject in made.injects:
            if isinstance(inject, ZoneInject):
                made.ring_m(inject)
            if isinstance(inject, CueInject):
                made.place_deg(inject.place)
        made.place_deg(made.fleet.base)
    except (VedetteError, ValidationError) as error:
        raise ExerciseError(f"exercise file {path}: {error}") from error
    return made


def exercise_names() -> tuple[str, ...]:
    """Names of those that ship, in the order in which they build on each other."""
    return tuple(path.stem.partition("-")[2] for path in sorted(_SHIPPED.glob("*.yaml")))


def find_exercise(name: str) -> Path:
    """The file of an exercise that ships, by its name, or any other file by its path.

    Raises
    ------
    ExerciseError
        When there is neither.
    """
    for path in _SHIPPED.glob("*.yaml"):
        if path.stem.partition("-")[2] == name:
            return path
    if Path(name).is_file():
        return Path(name)
    raise ExerciseError(f"no exercise {name!r}: give one of {', '.join(exercise_names())}, or the path of a file")


def _once(what: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ValueError(f"{what}: {name} is there twice: give each a name of its own")
        seen.add(name)


def _known(where: str, what: str, given: Iterable[Any], known: set[Any]) -> None:
    for one in given:
        if one not in known:
            raise ValueError(f"{where}: {what} {one} is not in the exercise: it has {sorted(known) or 'none'}")
