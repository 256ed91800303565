"""Border geometry in, patrol plans out; mission files. Pure: no network, no clock."""

from missions.atlas import countries, cut, land_border, neighbours
from missions.border import BorderSegment, Side
from missions.border_files import read_border, write_border
from missions.check import check
from missions.errors import (
    BorderError,
    FleetError,
    FormatError,
    MissionError,
    MissionsError,
    ObservationError,
    PlanError,
)
from missions.export import plan_geojson, write_plan_folder, write_plan_geojson, write_plan_kml
from missions.fence import fence_polygon
from missions.fleet import Aircraft, Base, Camera, Fleet, Vehicle, default_fleet
from missions.fleet_files import read_fleet, write_fleet
from missions.mission import Dialect, Mission, MissionItem, compile_mission
from missions.observation import Observation, observe
from missions.partition import Block, Costs, share_out
from missions.options import Objective, PlanOptions
from missions.patrol import Coverage, Flight, Leg, LegKind, PatrolPlan, Sortie, Uncovered, Waypoint
from missions.picture import draw_map
from missions.plan_file import load_plan, save_plan
from missions.planning import plan
from missions.qgc import read_qgc_plan, write_qgc_plan
from missions.siting import base_beside

__all__ = [
    "Aircraft",
    "Base",
    "Block",
    "BorderError",
    "BorderSegment",
    "Camera",
    "Costs",
    "Coverage",
    "Dialect",
    "Fleet",
    "FleetError",
    "Flight",
    "FormatError",
    "Leg",
    "LegKind",
    "Mission",
    "MissionError",
    "MissionItem",
    "MissionsError",
    "Objective",
    "Observation",
    "ObservationError",
    "PatrolPlan",
    "PlanError",
    "PlanOptions",
    "Side",
    "Sortie",
    "Uncovered",
    "Vehicle",
    "Waypoint",
    "base_beside",
    "check",
    "compile_mission",
    "countries",
    "cut",
    "default_fleet",
    "draw_map",
    "fence_polygon",
    "land_border",
    "load_plan",
    "neighbours",
    "observe",
    "plan",
    "plan_geojson",
    "read_border",
    "read_fleet",
    "read_qgc_plan",
    "save_plan",
    "share_out",
    "write_border",
    "write_fleet",
    "write_plan_folder",
    "write_plan_geojson",
    "write_plan_kml",
    "write_qgc_plan",
]
