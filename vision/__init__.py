"""Video in, crossings out: source, detector, tracker, georeference, crossing, evidence."""

from vision.border import BorderLine, GroundLine, load_border
from vision.box_scores import BoxScore
from vision.calibrate import OUTLIER_SIGMAS, Fit, calibrate
from vision.calibration import Calibration, PointResult, load_calibration, save_calibration
from vision.camera_motion import CameraMotion, GroundPlane, SlidingPicture, SteadyPicture, StillCamera
from vision.clip import Clip, cut_clip, suffix_for
from vision.clock_offset import ClockOffset, estimate_clock_offset
from vision.crossing import CrossingRule, Outcome, Passage, Verdict, judge
from vision.cutter import EvidenceWriter
from vision.detector import SHIPPED_MODEL, Detector, Letterbox, Rate, bare_rate, letterbox
from vision.errors import (
    BorderError,
    EvidenceError,
    MetadataError,
    MissingExtra,
    ModelError,
    SourceError,
    TrackError,
    VisionError,
)
from vision.evaluate import Gates, Match, Score, TrueCrossing, load_truth, score
from vision.evaluation_result import Band, Crossed, Evaluation, Places, RecordingNote, Unmeasured
from vision.evidence import MANIFEST, Evidence, SourceFile, file_sha256, track_overlay, verify_evidence, write_evidence
from vision.fixed import Homography, KnownPoint, PixelLine, load_fixed
from vision.fusion import FusionGates, one_each
from vision.georeference import OBJECT_SIZES, ErrorModel, Georeferencer, ObjectSize
from vision.ground import GroundSettings, Pace, ground_track
from vision.image_motion import SmallPicture, StepMotion
from vision.klv import KlvFile, KlvPacket, decode_klv, read_klv, split_klv
from vision.known_points import POINT_COLUMNS, SeenPoint, Sighting, read_points, sightings
from vision.marked import write_marked_picture
from vision.media import SourceCounts
from vision.model_file import KINDS, ModelFile, read_model_file
from vision.output import to_geojson, write_crossings
from vision.place_scores import PlaceSample, PlaceScore, score_places
from vision.pose import (
    POSE_SIGMAS,
    PoseSample,
    PoseTrack,
    camera_from_klv,
    interpolate,
    pose_from_klv,
)
from vision.redact import Redaction, RedactionSettings, redact_evidence
from vision.sensor import SENSORS, SHIPPED_MODELS, ModelChoice, choose_model, sensor_of
from vision.sidecar import POSE_COLUMNS, read_pose_csv, read_pose_klv, read_sidecar
from vision.slicing import SliceRule, SlicingDetector
from vision.source import Source, open_source
from vision.srt import read_srt
from vision.timing import TIME_BASES
from vision.tlog import read_tlog
from vision.track_scores import ALPHAS, TrackScore
from vision.tracker import Tracker, TrackerSettings
from vision.train import RECIPES, Recipe, Stage
from vision.train import export as export_model
from vision.train import train as train_model
from vision.training_data import known_sources, prepare
from vision.types import (
    Crossing,
    Custody,
    Detection,
    Direction,
    Ellipse,
    EvidenceRef,
    Frame,
    GroundPoint,
    GroundTrack,
    Method,
    ModelRef,
    Observation,
    PicturePoint,
    Status,
    Track,
    TrackPoint,
    iso_time,
)
from vision.video_evaluation import EvaluationSettings, VideoEvaluation
from vision.video_truth import VideoTruth, find_truth, load_video_truth
from vision.watch import EvidenceCutter, FrameDetector, WatchResult, WatchSettings, watch

__all__ = [
    "ALPHAS",
    "KINDS",
    "MANIFEST",
    "OBJECT_SIZES",
    "OUTLIER_SIGMAS",
    "POINT_COLUMNS",
    "POSE_COLUMNS",
    "POSE_SIGMAS",
    "RECIPES",
    "SENSORS",
    "SHIPPED_MODEL",
    "SHIPPED_MODELS",
    "TIME_BASES",
    "Band",
    "BorderError",
    "BorderLine",
    "BoxScore",
    "Calibration",
    "CameraMotion",
    "Clip",
    "ClockOffset",
    "Crossed",
    "Crossing",
    "CrossingRule",
    "Custody",
    "Detection",
    "Detector",
    "Direction",
    "Ellipse",
    "ErrorModel",
    "Evaluation",
    "EvaluationSettings",
    "Evidence",
    "EvidenceCutter",
    "EvidenceError",
    "EvidenceRef",
    "EvidenceWriter",
    "Fit",
    "Frame",
    "FrameDetector",
    "FusionGates",
    "Gates",
    "Georeferencer",
    "GroundLine",
    "GroundPlane",
    "GroundPoint",
    "GroundSettings",
    "GroundTrack",
    "Homography",
    "KlvFile",
    "KlvPacket",
    "KnownPoint",
    "Letterbox",
    "Match",
    "MetadataError",
    "Method",
    "MissingExtra",
    "ModelChoice",
    "ModelError",
    "ModelFile",
    "ModelRef",
    "ObjectSize",
    "Observation",
    "Outcome",
    "Pace",
    "Passage",
    "PicturePoint",
    "PixelLine",
    "PlaceSample",
    "PlaceScore",
    "Places",
    "PointResult",
    "PoseSample",
    "PoseTrack",
    "Rate",
    "Recipe",
    "RecordingNote",
    "Redaction",
    "RedactionSettings",
    "Score",
    "SeenPoint",
    "Sighting",
    "SliceRule",
    "SlicingDetector",
    "SlidingPicture",
    "SmallPicture",
    "Source",
    "SourceCounts",
    "SourceError",
    "SourceFile",
    "Stage",
    "Status",
    "SteadyPicture",
    "StepMotion",
    "StillCamera",
    "Track",
    "TrackError",
    "TrackPoint",
    "TrackScore",
    "Tracker",
    "TrackerSettings",
    "TrueCrossing",
    "Unmeasured",
    "Verdict",
    "VideoEvaluation",
    "VideoTruth",
    "VisionError",
    "WatchResult",
    "WatchSettings",
    "bare_rate",
    "calibrate",
    "camera_from_klv",
    "choose_model",
    "cut_clip",
    "decode_klv",
    "estimate_clock_offset",
    "export_model",
    "file_sha256",
    "find_truth",
    "ground_track",
    "interpolate",
    "iso_time",
    "judge",
    "known_sources",
    "letterbox",
    "load_border",
    "load_calibration",
    "load_fixed",
    "load_truth",
    "load_video_truth",
    "one_each",
    "open_source",
    "pose_from_klv",
    "prepare",
    "read_klv",
    "read_model_file",
    "read_points",
    "read_pose_csv",
    "read_pose_klv",
    "read_sidecar",
    "read_srt",
    "read_tlog",
    "redact_evidence",
    "save_calibration",
    "score",
    "score_places",
    "sensor_of",
    "sightings",
    "split_klv",
    "suffix_for",
    "to_geojson",
    "track_overlay",
    "train_model",
    "verify_evidence",
    "watch",
    "write_crossings",
    "write_evidence",
    "write_marked_picture",
]
