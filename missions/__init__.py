"""Border geometry in, patrol plans out; mission files. Pure: no network, no clock."""

from missions.airspace import Airspace, LandingSite, Zone, ZoneKind
from missions.airspace_files import read_airspace, read_risk, write_airspace, write_risk
from missions.atlas import borders_in, countries, cut, land_border, neighbours
from missions.border import BorderSegment, Side
from missions.border_files import read_border, read_borders, write_border, write_borders
from missions.errors import (
    AirspaceError,
    BorderError,
    FleetError,
    FormatError,
    MissionError,
    MissionsError,
    ObservationError,
    PlanError,
)
from missions.explain import Change, Explanation, explain
from missions.export import plan_geojson, write_plan_folder, write_plan_geojson, write_plan_kml
from missions.fence import fence_polygon
from missions.fleet import Aircraft, AircraftForm, Base, Camera, Fleet, Vehicle, default_fleet
from missions.fleet_files import read_fleet, write_fleet
from missions.mission import Dialect, Mission, MissionItem, compile_mission
from missions.network import BorderNetwork, Branch, LineKind
from missions.network_build import build_network
from missions.network_files import holds_network, read_network, write_network
from missions.network_planning import plan_network
from missions.observation import Observation, observe
from missions.options import Objective, PlanOptions
from missions.patrol import Coverage, Flight, Leg, LegKind, PatrolPlan, Sortie, Uncovered, Waypoint
from missions.picture import draw_map
from missions.plan_file import load_plan, save_plan
from missions.planning import plan
from missions.postman import Tour, cover_lines
from missions.qgc import read_qgc_plan, write_qgc_plan
from missions.risk import Risk, RiskTable, risk_of_crossings
from missions.sharing import Block, Team, share_out
from missions.siting import base_behind, base_beside
from missions.validation import Rule, Validation, check, validate
from missions.waypoints import read_waypoints, write_waypoints
from missions.wind import Wind

__all__ = [
    "Aircraft",
    "AircraftForm",
    "Airspace",
    "AirspaceError",
    "Base",
    "Block",
    "BorderError",
    "BorderNetwork",
    "BorderSegment",
    "Branch",
    "Camera",
    "Change",
    "Coverage",
    "Dialect",
    "Explanation",
    "Fleet",
    "FleetError",
    "Flight",
    "FormatError",
    "LandingSite",
    "Leg",
    "LegKind",
    "LineKind",
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
    "Risk",
    "RiskTable",
    "Rule",
    "Side",
    "Sortie",
    "Team",
    "Tour",
    "Uncovered",
    "Validation",
    "Vehicle",
    "Waypoint",
    "Wind",
    "Zone",
    "ZoneKind",
    "base_behind",
    "base_beside",
    "borders_in",
    "build_network",
    "check",
    "compile_mission",
    "countries",
    "cover_lines",
    "cut",
    "default_fleet",
    "draw_map",
    "explain",
    "fence_polygon",
    "holds_network",
    "land_border",
    "load_plan",
    "neighbours",
    "observe",
    "plan",
    "plan_geojson",
    "plan_network",
    "read_airspace",
    "read_border",
    "read_borders",
    "read_fleet",
    "read_network",
    "read_qgc_plan",
    "read_risk",
    "read_waypoints",
    "risk_of_crossings",
    "save_plan",
    "share_out",
    "validate",
    "write_airspace",
    "write_border",
    "write_borders",
    "write_fleet",
    "write_network",
    "write_plan_folder",
    "write_plan_geojson",
    "write_plan_kml",
    "write_qgc_plan",
    "write_risk",
    "write_waypoints",
]
