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
from vision.dataset import DATASET_FORMATS, Dataset, DatasetSettings, write_dataset
from vision.detecting import FrameDetector
from vision.detector import SHIPPED_MODEL, Detector, Rate, bare_rate
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
from vision.evidence import (
    MANIFEST,
    SIGNATURE,
    Evidence,
    SourceFile,
    file_sha256,
    sign_manifest,
    track_overlay,
    write_evidence,
)
from vision.evidence_check import signature_problems, verify_evidence
from vision.export import export as export_model
from vision.fixed import Homography, KnownPoint, PixelLine, load_fixed
from vision.frames import Source
from vision.fusion import FusionGates, one_each
from vision.georeference import OBJECT_SIZES, ErrorModel, Georeferencer, ObjectSize
from vision.ground import GroundSettings, Pace, ground_track
from vision.hardware import DECODERS, decoding_devices
from vision.image_motion import SmallPicture, StepMotion
from vision.klv import KlvFile, KlvPacket, decode_klv, read_klv, split_klv
from vision.known_points import POINT_COLUMNS, SeenPoint, Sighting, read_points, sightings
from vision.letterboxes import Letterbox, letterbox
from vision.live_picture import LIVE_PICTURE_PX, View, live_picture
from vision.location import is_live, location_name
from vision.marked import write_marked_picture
from vision.mavlink_live import LivePoses
from vision.media import SourceCounts
from vision.model_check import EngineCheck, ModelCheck, check_model
from vision.model_fetch import FetchLimits, fetch_model
from vision.model_file import KINDS, ModelFile, read_model_file
from vision.model_store import ListedModel, ModelEntry, default_model_dir, find_model, list_models, read_model_table
from vision.output import records_to_geojson, to_geojson, write_crossings
from vision.place_scores import PlaceSample, PlaceScore, score_places
from vision.pose import (
    POSE_SIGMAS,
    PoseSample,
    PoseTrack,
    camera_from_klv,
    interpolate,
    pose_from_klv,
)
from vision.recipe import RECIPES, Recipe, Stage
from vision.reconnect import BackOff
from vision.recorder import Recorder, Recording
from vision.records import (
    Crossing,
    Custody,
    Direction,
    Ellipse,
    EvidenceRef,
    Method,
    ModelRef,
    OpenPassage,
    Status,
    TrackPoint,
    iso_time,
)
from vision.redact import Redaction, RedactionSettings, redact_evidence
from vision.reviewed import LeftOut
from vision.reviewed_pictures import PictureSettings
from vision.reviews import NOTHING_THERE, Judged, Review, read_reviews, review_of, what_was_judged
from vision.runtime import ENGINES
from vision.sensor import SENSORS, SHIPPED_MODELS, ModelChoice, choose_model, sensor_of
from vision.sidecar import POSE_COLUMNS, read_pose_csv, read_pose_klv, read_sidecar
from vision.slicing import SliceRule, SlicingDetector
from vision.source import open_source
from vision.srt import read_srt
from vision.streams import Stream, StreamResult, watch_streams
from vision.timing import TIME_BASES
from vision.tlog import read_tlog
from vision.track_scores import ALPHAS, TrackScore
from vision.tracker import Tracker, TrackerSettings
from vision.train import train as train_model
from vision.training_data import known_sources, prepare, reviewed_source
from vision.types import Detection, Frame, GroundPoint, GroundTrack, Observation, PicturePoint, Track
from vision.video_evaluation import EvaluationSettings, VideoEvaluation
from vision.video_truth import VideoTruth, find_truth, load_video_truth
from vision.watch import watch
from vision.watcher import EvidenceCutter, WatchResult, WatchSettings

__all__ = [
    "ALPHAS",
    "DATASET_FORMATS",
    "DECODERS",
    "ENGINES",
    "KINDS",
    "LIVE_PICTURE_PX",
    "MANIFEST",
    "NOTHING_THERE",
    "OBJECT_SIZES",
    "OUTLIER_SIGMAS",
    "POINT_COLUMNS",
    "POSE_COLUMNS",
    "POSE_SIGMAS",
    "RECIPES",
    "SENSORS",
    "SHIPPED_MODEL",
    "SHIPPED_MODELS",
    "SIGNATURE",
    "TIME_BASES",
    "BackOff",
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
    "Dataset",
    "DatasetSettings",
    "Detection",
    "Detector",
    "Direction",
    "Ellipse",
    "EngineCheck",
    "ErrorModel",
    "Evaluation",
    "EvaluationSettings",
    "Evidence",
    "EvidenceCutter",
    "EvidenceError",
    "EvidenceRef",
    "EvidenceWriter",
    "FetchLimits",
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
    "Judged",
    "KlvFile",
    "KlvPacket",
    "KnownPoint",
    "LeftOut",
    "Letterbox",
    "ListedModel",
    "LivePoses",
    "Match",
    "MetadataError",
    "Method",
    "MissingExtra",
    "ModelCheck",
    "ModelChoice",
    "ModelEntry",
    "ModelError",
    "ModelFile",
    "ModelRef",
    "ObjectSize",
    "Observation",
    "OpenPassage",
    "Outcome",
    "Pace",
    "Passage",
    "PicturePoint",
    "PictureSettings",
    "PixelLine",
    "PlaceSample",
    "PlaceScore",
    "Places",
    "PointResult",
    "PoseSample",
    "PoseTrack",
    "Rate",
    "Recipe",
    "Recorder",
    "Recording",
    "RecordingNote",
    "Redaction",
    "RedactionSettings",
    "Review",
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
    "Stream",
    "StreamResult",
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
    "View",
    "VisionError",
    "WatchResult",
    "WatchSettings",
    "bare_rate",
    "calibrate",
    "camera_from_klv",
    "check_model",
    "choose_model",
    "cut_clip",
    "decode_klv",
    "decoding_devices",
    "default_model_dir",
    "estimate_clock_offset",
    "export_model",
    "fetch_model",
    "file_sha256",
    "find_model",
    "find_truth",
    "ground_track",
    "interpolate",
    "is_live",
    "iso_time",
    "judge",
    "known_sources",
    "letterbox",
    "list_models",
    "live_picture",
    "load_border",
    "load_calibration",
    "load_fixed",
    "load_truth",
    "load_video_truth",
    "location_name",
    "one_each",
    "open_source",
    "pose_from_klv",
    "prepare",
    "read_klv",
    "read_model_file",
    "read_model_table",
    "read_points",
    "read_pose_csv",
    "read_pose_klv",
    "read_reviews",
    "read_sidecar",
    "read_srt",
    "read_tlog",
    "records_to_geojson",
    "redact_evidence",
    "review_of",
    "reviewed_source",
    "save_calibration",
    "score",
    "score_places",
    "sensor_of",
    "sightings",
    "sign_manifest",
    "signature_problems",
    "split_klv",
    "suffix_for",
    "to_geojson",
    "track_overlay",
    "train_model",
    "verify_evidence",
    "watch",
    "watch_streams",
    "what_was_judged",
    "write_crossings",
    "write_dataset",
    "write_evidence",
    "write_marked_picture",
]
