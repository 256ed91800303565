"""Software in the loop: vehicles that speak MAVLink, a world, cameras, sensors."""

from typing import TYPE_CHECKING

from geo import lazily

if TYPE_CHECKING:
    from sim.camera import MEASURED, FlightTrack, PoseNoise, read_record
    from sim.dataset import DatasetSummary, write_dataset
    from sim.errors import ConfigError, CueError, ExerciseError, FleetError, SimError, WorldError
    from sim.exercise import (
        CameraInject,
        CueInject,
        Exercise,
        FaultInject,
        Inject,
        Message,
        Objective,
        RecallInject,
        RequestInject,
        ZoneInject,
        exercise_names,
        find_exercise,
        load_exercise,
    )
    from sim.exercise_record import ExerciseRecord, border_distance_m, in_view, load_record, true_crossings
    from sim.exercise_replay import replay, write_replay_log
    from sim.exercise_score import ExerciseScore, ObjectiveScore, score_exercise
    from sim.exercise_terms import TERMS, Term
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
    from sim.lockstep import LocalLink, LockstepFleet
    from sim.render import Box, Rendered, Renderer
    from sim.render_sensor import DAY_LOOK, Look
    from sim.sensors import SENSOR_MODELS, GroundSensor, SensorModel, detection_probability, ground_sensor
    from sim.sensors_cue import Custody, SensorReport, write_cue_truth
    from sim.sensors_delivery import CueCourier, DeliveryCount, FileSink, MessageRefusedError, Sink, UnreachableError
    from sim.sensors_field import SensorField
    from sim.sensors_file import SensorNetwork, load_sensors
    from sim.sensors_http import HttpSink
    from sim.sensors_mqtt import MqttSink
    from sim.sensors_run import play_sensors
    from sim.sitl import peopled_world, sitl_config, start_sitl
    from sim.sitl_vehicle import SitlFleet, SitlVehicle
    from sim.staging import Recording, Scenario, Window, record, stage
    from sim.truth_record import TruthFollower, VehicleTruth, read_truth
    from sim.video import Shot, write_video
    from sim.video_truth import TrueCrossing, TrueFrame, find_crossings, write_mot, write_truth
    from sim.world import KINDS, Actor, Road, World, join, stand, walk
    from sim.world_file import load_world
    from sim.world_truth import track_features, write_tracks
else:
    __getattr__, __dir__ = lazily(__name__)

__all__ = [
    "DAY_LOOK",
    "KINDS",
    "MEASURED",
    "SENSOR_MODELS",
    "TERMS",
    "Actor",
    "BatteryFailure",
    "Boot",
    "Box",
    "CameraInject",
    "ConfigError",
    "CueCourier",
    "CueError",
    "CueInject",
    "Custody",
    "DatasetSummary",
    "Delay",
    "DeliveryCount",
    "Duplication",
    "Endpoint",
    "Exercise",
    "ExerciseError",
    "ExerciseRecord",
    "ExerciseScore",
    "Fault",
    "FaultInject",
    "Faults",
    "FileSink",
    "FleetConfig",
    "FleetError",
    "FlightTrack",
    "GpsGlitch",
    "GpsLoss",
    "GroundSensor",
    "HttpSink",
    "Inject",
    "LinkCut",
    "LocalLink",
    "LockstepFleet",
    "Look",
    "Message",
    "MessageRefusedError",
    "MissionRejected",
    "MotorFailure",
    "MqttSink",
    "Objective",
    "ObjectiveScore",
    "PacketLoss",
    "Platform",
    "PoseNoise",
    "PowerModel",
    "Reboot",
    "RecallInject",
    "Recording",
    "Rendered",
    "Renderer",
    "Reordering",
    "RequestInject",
    "Road",
    "RunningFleet",
    "Scenario",
    "SecondStation",
    "SensorField",
    "SensorModel",
    "SensorNetwork",
    "SensorReport",
    "Shot",
    "SimError",
    "Sink",
    "SitlFleet",
    "SitlVehicle",
    "Term",
    "TrueCrossing",
    "TrueFrame",
    "TruthFollower",
    "UnreachableError",
    "VehicleTruth",
    "Wind",
    "WindGust",
    "Window",
    "World",
    "WorldError",
    "ZoneInject",
    "border_distance_m",
    "detection_probability",
    "encode_packet",
    "exercise_names",
    "find_crossings",
    "find_exercise",
    "frame_packet",
    "ground_sensor",
    "in_view",
    "join",
    "load_exercise",
    "load_faults",
    "load_record",
    "load_sensors",
    "load_world",
    "peopled_world",
    "play_sensors",
    "read_record",
    "read_truth",
    "record",
    "replay",
    "run_fleet",
    "score_exercise",
    "sitl_config",
    "stage",
    "stand",
    "start_fleet",
    "start_sitl",
    "track_features",
    "true_crossings",
    "walk",
    "write_cue_truth",
    "write_dataset",
    "write_mot",
    "write_replay_log",
    "write_tracks",
    "write_truth",
    "write_video",
]
