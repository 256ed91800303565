"""Software in the loop: vehicles that speak MAVLink, a world, cameras, sensors."""

from sim.camera import MEASURED, FlightTrack, PoseNoise, read_record
from sim.dataset import DatasetSummary, write_dataset
from sim.errors import ConfigError, FleetError, SimError, WorldError
from sim.fault_file import load_faults
from sim.faults import (
    BatteryFailure,
    Delay,
    Duplication,
    Fault,
    Faults,
    GpsGlitch,
    GpsLoss,
    LinkCut,
    MissionRejected,
    MotorFailure,
    PacketLoss,
    Reboot,
    Reordering,
    SecondStation,
    WindGust,
)
from sim.fleet import Endpoint, run_fleet
from sim.fleet_config import Boot, FleetConfig
from sim.fleet_process import RunningFleet, start_fleet
from sim.flight_power import PowerModel
from sim.flight_wind import Wind
from sim.klv import Platform, encode_packet, frame_packet
from sim.render import Box, Rendered, Renderer
from sim.render_sensor import DAY_LOOK, Look
from sim.sitl import peopled_world, sitl_config, start_sitl
from sim.sitl_vehicle import SitlFleet, SitlVehicle
from sim.stage import Recording, Scenario, Window, record, stage
from sim.video import Shot, write_video
from sim.video_truth import TrueCrossing, TrueFrame, find_crossings, write_mot, write_truth
from sim.world import KINDS, Actor, Road, World, join, stand, walk

__all__ = [
    "DAY_LOOK",
    "KINDS",
    "MEASURED",
    "Actor",
    "BatteryFailure",
    "Boot",
    "Box",
    "ConfigError",
    "DatasetSummary",
    "Delay",
    "Duplication",
    "Endpoint",
    "Fault",
    "Faults",
    "FleetConfig",
    "FleetError",
    "FlightTrack",
    "GpsGlitch",
    "GpsLoss",
    "LinkCut",
    "Look",
    "MissionRejected",
    "MotorFailure",
    "PacketLoss",
    "Platform",
    "PoseNoise",
    "PowerModel",
    "Reboot",
    "Recording",
    "Rendered",
    "Renderer",
    "Reordering",
    "Road",
    "RunningFleet",
    "Scenario",
    "SecondStation",
    "Shot",
    "SimError",
    "SitlFleet",
    "SitlVehicle",
    "TrueCrossing",
    "TrueFrame",
    "Wind",
    "WindGust",
    "Window",
    "World",
    "WorldError",
    "encode_packet",
    "find_crossings",
    "frame_packet",
    "join",
    "load_faults",
    "peopled_world",
    "read_record",
    "record",
    "run_fleet",
    "sitl_config",
    "stage",
    "stand",
    "start_fleet",
    "start_sitl",
    "walk",
    "write_dataset",
    "write_mot",
    "write_truth",
    "write_video",
]
