"""Software in the loop: vehicles that speak MAVLink, a world, cameras, sensors."""

from sim.camera import MEASURED, FlightTrack, PoseNoise, read_record
from sim.dataset import DatasetSummary, write_dataset
from sim.errors import ConfigError, FleetError, SimError, WorldError
from sim.fleet import Endpoint, run_fleet
from sim.fleet_config import Boot, Faults, FleetConfig
from sim.fleet_process import RunningFleet, start_fleet
from sim.flight_power import PowerModel
from sim.flight_wind import Wind
from sim.klv import Platform, encode_packet, frame_packet
from sim.render import Box, Rendered, Renderer
from sim.render_sensor import DAY_LOOK, Look
from sim.stage import Recording, Scenario, Window, record, stage
from sim.video import Shot, write_video
from sim.video_truth import TrueCrossing, TrueFrame, find_crossings, write_mot, write_truth
from sim.world import KINDS, Actor, Road, World, join, stand, walk

__all__ = [
    "DAY_LOOK",
    "KINDS",
    "MEASURED",
    "Actor",
    "Boot",
    "Box",
    "ConfigError",
    "DatasetSummary",
    "Endpoint",
    "Faults",
    "FleetConfig",
    "FleetError",
    "FlightTrack",
    "Look",
    "Platform",
    "PoseNoise",
    "PowerModel",
    "Recording",
    "Rendered",
    "Renderer",
    "Road",
    "RunningFleet",
    "Scenario",
    "Shot",
    "SimError",
    "TrueCrossing",
    "TrueFrame",
    "Wind",
    "Window",
    "World",
    "WorldError",
    "encode_packet",
    "find_crossings",
    "frame_packet",
    "join",
    "read_record",
    "record",
    "run_fleet",
    "stage",
    "stand",
    "start_fleet",
    "walk",
    "write_dataset",
    "write_mot",
    "write_truth",
    "write_video",
]
