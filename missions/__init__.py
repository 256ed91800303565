"""Border geometry in, patrol plans out; mission files. Pure: no network, no clock."""

from typing import TYPE_CHECKING

from geo import lazily
from missions.cue_sortie import CueSortie, cue_sortie
from missions.explain import Change, Explanation, explain
from missions.fence_shapes import FenceCircle, FencePolygon, fence_shapes
from missions.resume import resume

if TYPE_CHECKING:
    from missions.airspace import Airspace, LandingSite, Zone, ZoneKind
    from missions.airspace_files import read_airspace, write_airspace
    from missions.atlas import borders_in, countries, cut, land_border, neighbours
    from missions.border import BorderSegment, Side
    from missions.border_files import read_border, read_borders, write_border, write_borders
    from missions.clearance import Clearance, clearance_of, form_clearance
    from missions.cue_ways import circle_of
    from missions.emergency import EmergencyRules, EmergencyStretch, emergency_sites
    from missions.errors import (
        AirspaceError,
        BorderError,
        FleetError,
        FormatError,
        GroundError,
        MissionError,
        MissionsError,
        ObservationError,
        PlanError,
        ProgressError,
        TooSharpError,
        TooSteepError,
        UnflyableError,
        UnknownGroundError,
    )
    from missions.export import plan_geojson, sortie_geojson, write_plan_geojson, write_plan_kml
    from missions.fence import fence_polygon, sortie_fence
    from missions.fleet import Aircraft, AircraftForm, Base, Camera, Fleet, Vehicle, default_fleet
    from missions.fleet_files import read_fleet, write_fleet
    from missions.homeward import straight_effort, straight_home
    from missions.landing import LandingProposal, LandingRules, propose_landing_sites, with_landing_sites
    from missions.launch_book import LaunchBook
    from missions.litchi import LitchiAction, LitchiWaypoint, compile_litchi, read_litchi, save_litchi, write_litchi
    from missions.map_picture import draw_map
    from missions.map_shapes import read_map_shapes
    from missions.mission import Dialect, Mission, MissionItem, compile_mission, legs_behind
    from missions.mission_kml import read_mission_kml, write_mission_kml
    from missions.network import BorderNetwork, Branch, LineKind
    from missions.network_build import build_network
    from missions.network_files import holds_network, read_network, read_patrolled, write_network
    from missions.network_planning import plan_network, plan_patrolled
    from missions.observation import Observation, observe
    from missions.operational_intent import FlightIntent, Geoid, Margins, operational_intents
    from missions.operational_intent_files import read_operational_intents, write_operational_intents
    from missions.options import Objective, PlanOptions
    from missions.past_crossings import PastCrossing, read_past_crossings, risk_of_past
    from missions.patrol import Bound, Coverage, Flight, GsdShare, PatrolPlan, Period, Roster, Uncovered
    from missions.plan_file import load_plan, save_plan
    from missions.plan_folder import write_plan_folder
    from missions.plan_report import read_report
    from missions.planning import plan
    from missions.postman import Tour, cover_lines
    from missions.progress import Progress
    from missions.qgc import read_qgc_plan, write_qgc_plan
    from missions.replanning import replan
    from missions.risk import Risk, RiskTable, risk_of_crossings
    from missions.risk_files import read_risk, write_risk
    from missions.sharing import Block, Team, share_out
    from missions.showing import HeightProfile, RevisitStretch, footprints, height_profile, revisit_along
    from missions.siting import base_behind, base_beside
    from missions.sortie import Leg, LegKind, Run, Sortie, Waypoint
    from missions.validation import check, validate
    from missions.validation_fence import validate_missions
    from missions.validation_rule import Rule, Validation
    from missions.viewing import Sight, Spot, Viewing
    from missions.waypoints import read_waypoints, write_waypoints
    from missions.weaving import LegTour, share_legs
    from missions.wind import Wind
    from missions.wpml import DJI_AIRCRAFT, WpmlAction, WpmlMission, WpmlWaypoint, compile_wpml
    from missions.wpml_files import read_wpml, save_wpml, write_wpml

__all__ = [
    "DJI_AIRCRAFT",
    "Aircraft",
    "AircraftForm",
    "Airspace",
    "AirspaceError",
    "Base",
    "Block",
    "BorderError",
    "BorderNetwork",
    "BorderSegment",
    "Bound",
    "Branch",
    "Camera",
    "Change",
    "Clearance",
    "Coverage",
    "CueSortie",
    "Dialect",
    "EmergencyRules",
    "EmergencyStretch",
    "Explanation",
    "FenceCircle",
    "FencePolygon",
    "Fleet",
    "FleetError",
    "Flight",
    "FlightIntent",
    "FormatError",
    "Geoid",
    "GroundError",
    "GsdShare",
    "HeightProfile",
    "LandingProposal",
    "LandingRules",
    "LandingSite",
    "LaunchBook",
    "Leg",
    "LegKind",
    "LegTour",
    "LineKind",
    "LitchiAction",
    "LitchiWaypoint",
    "Margins",
    "Mission",
    "MissionError",
    "MissionItem",
    "MissionsError",
    "Objective",
    "Observation",
    "ObservationError",
    "PastCrossing",
    "PatrolPlan",
    "Period",
    "PlanError",
    "PlanOptions",
    "Progress",
    "ProgressError",
    "RevisitStretch",
    "Risk",
    "RiskTable",
    "Roster",
    "Rule",
    "Run",
    "Side",
    "Sight",
    "Sortie",
    "Spot",
    "Team",
    "TooSharpError",
    "TooSteepError",
    "Tour",
    "Uncovered",
    "UnflyableError",
    "UnknownGroundError",
    "Validation",
    "Vehicle",
    "Viewing",
    "Waypoint",
    "Wind",
    "WpmlAction",
    "WpmlMission",
    "WpmlWaypoint",
    "Zone",
    "ZoneKind",
    "base_behind",
    "base_beside",
    "borders_in",
    "build_network",
    "check",
    "circle_of",
    "clearance_of",
    "compile_litchi",
    "compile_mission",
    "compile_wpml",
    "countries",
    "cover_lines",
    "cue_sortie",
    "cut",
    "default_fleet",
    "draw_map",
    "emergency_sites",
    "explain",
    "fence_polygon",
    "fence_shapes",
    "footprints",
    "form_clearance",
    "height_profile",
    "holds_network",
    "land_border",
    "legs_behind",
    "load_plan",
    "neighbours",
    "observe",
    "operational_intents",
    "plan",
    "plan_geojson",
    "plan_network",
    "plan_patrolled",
    "propose_landing_sites",
    "read_airspace",
    "read_border",
    "read_borders",
    "read_fleet",
    "read_litchi",
    "read_map_shapes",
    "read_mission_kml",
    "read_network",
    "read_operational_intents",
    "read_past_crossings",
    "read_patrolled",
    "read_qgc_plan",
    "read_report",
    "read_risk",
    "read_waypoints",
    "read_wpml",
    "replan",
    "resume",
    "revisit_along",
    "risk_of_crossings",
    "risk_of_past",
    "save_litchi",
    "save_plan",
    "save_wpml",
    "share_legs",
    "share_out",
    "sortie_fence",
    "sortie_geojson",
    "straight_effort",
    "straight_home",
    "validate",
    "validate_missions",
    "with_landing_sites",
    "write_airspace",
    "write_border",
    "write_borders",
    "write_fleet",
    "write_litchi",
    "write_mission_kml",
    "write_network",
    "write_operational_intents",
    "write_plan_folder",
    "write_plan_geojson",
    "write_plan_kml",
    "write_qgc_plan",
    "write_risk",
    "write_waypoints",
    "write_wpml",
]

__getattr__, __dir__ = lazily(__name__)
