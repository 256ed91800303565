"""Frames, camera model, terrain: the mathematics that the other packages share."""

from typing import TYPE_CHECKING

from geo.lazy import lazily

if TYPE_CHECKING:
    from geo.altitude import Altitude, Datum
    from geo.angles import longitude_between, shorter_turn
    from geo.atmosphere import density_ratio, true_per_equivalent
    from geo.camera import (
        CameraModel,
        CameraPose,
        PoseSigma,
        attitude_from_rotation,
        compose_attitude,
        rotation_ned_from_frd,
    )
    from geo.distortion import Distortion
    from geo.errors import CoordinateError, DatumError, FileWriteError, GeoError, TerrainError, VedetteError
    from geo.files import atomic_path, write_bytes, write_text
    from geo.frames import (
        LocalFrame,
        check_coordinates,
        geodesic_destination,
        geodesic_distance_m,
        geodesic_length_m,
    )
    from geo.polyline import LinePosition, densify, locate, unwrap_longitudes, wrap_longitudes
    from geo.sight import visible
    from geo.terrain import FlatTerrain, GridTerrain, Terrain, footprint, intersect
    from geo.tiles import TileTerrain, open_terrain
else:
    __getattr__, __dir__ = lazily(__name__)

__all__ = [
    "Altitude",
    "CameraModel",
    "CameraPose",
    "CoordinateError",
    "Datum",
    "DatumError",
    "Distortion",
    "FileWriteError",
    "FlatTerrain",
    "GeoError",
    "GridTerrain",
    "LinePosition",
    "LocalFrame",
    "PoseSigma",
    "Terrain",
    "TerrainError",
    "TileTerrain",
    "VedetteError",
    "atomic_path",
    "attitude_from_rotation",
    "check_coordinates",
    "compose_attitude",
    "densify",
    "density_ratio",
    "footprint",
    "geodesic_destination",
    "geodesic_distance_m",
    "geodesic_length_m",
    "intersect",
    "lazily",
    "locate",
    "longitude_between",
    "open_terrain",
    "rotation_ned_from_frd",
    "shorter_turn",
    "true_per_equivalent",
    "unwrap_longitudes",
    "visible",
    "wrap_longitudes",
    "write_bytes",
    "write_text",
]
