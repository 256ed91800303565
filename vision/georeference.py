"""From a box in the picture to a place on the ground, with the error of that place in two parts.

The ray through a pixel meets the ground at ``p = o + t r``. With n the normal of the ground there, small errors of the
camera's place do, of the ray dr and of the ground's height dh move it by

    dp = P (do + t dr) + r (n_up / n.r) dh,        P = I - r nᵀ / (n.r)

(P projects along the ray onto the ground). A turn by a small angle about the axis a moves the ray by dr = a × r: yaw
about the vertical, pitch about the level right-hand axis, roll about the optical axis.

Errors of pose, clock and terrain are the same in every frame of a pass: they make the *systematic* factor. The error of
the box and a small share of the pose errors are new in every frame: they make the *random* covariance. A filter may
average the second, never the first.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from geo import CameraModel, CameraPose, Datum, FlatTerrain, LocalFrame, Terrain, intersect
from vision.errors import MetadataError
from vision.types import Detection, Frame, GroundPoint

__all__ = ["OBJECT_SIZES", "ErrorModel", "Georeferencer", "ObjectSize"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ObjectSize:
    """Height of a kind of object over the ground and one sigma of it, metres."""

    height_m: float
    sigma_m: float


OBJECT_SIZES: Mapping[str, ObjectSize] = {
    "person": ObjectSize(1.7, 0.15),
    "vehicle": ObjectSize(1.6, 0.4),
    "bicycle": ObjectSize(1.6, 0.25),
}


@dataclass(frozen=True, slots=True)
class ErrorModel:
    """Errors that the pose does not carry, one sigma each.

    Parameters
    ----------
    pixel_px
        Place of a box in its picture, pixels, each way.
    terrain_m
        Elevation of the ground, metres; the same for neighbouring points.
    timing_s
        Clock of the pose against that of the picture, seconds; matters in proportion to the camera's speed.
    pose_jitter
        Share of each pose error that is new in every frame.
    """

    pixel_px: float = 1.0
    terrain_m: float = 1.0
    timing_s: float = 0.02
    pose_jitter: float = 0.1


@dataclass(frozen=True, slots=True)
class Georeferencer:
    """Puts boxes on the ground.

    Parameters
    ----------
    frame
        Local frame of the results; heights AMSL.
    terrain
        The ground.
    errors
        Errors besides those of the pose.
    min_depression_deg
        Rays that look less far below the horizon give no place: an error of 1 degree in pitch moves a point seen from
        90 m up by 1.6 m times 1 / sin² of this angle, 52 m at 10 degrees.
    max_range_m
        Rays that meet the ground farther away give no place.
    sizes
        Height of each kind of object; other kinds are taken to lie flat.
    """

    frame: LocalFrame
    terrain: Terrain
    errors: ErrorModel = field(default_factory=ErrorModel)
    min_depression_deg: float = 10.0
    max_range_m: float = 2000.0
    sizes: Mapping[str, ObjectSize] = field(default_factory=lambda: OBJECT_SIZES)

    @classmethod
    def for_frame(cls, first: Frame, terrain: Terrain | None = None, errors: ErrorModel | None = None) -> Georeferencer:
        """One for a recording that begins with the frame `first`; `errors` None: the usual ones.

        Raises
        ------
        MetadataError
            When the frame has no pose or no camera, or neither `terrain` nor the frame tells the ground's elevation.
        """
        if first.pose is None or first.camera is None:
            raise MetadataError(
                f"frame {first.index} has no camera pose: give video with ST 0601 metadata or telemetry, "
                "or a fixed camera's line or homography"
            )
        if terrain is None and first.pose.altitude.datum is Datum.AGL:
            terrain = FlatTerrain()  # over level ground a height above it needs no other
        if terrain is None:
            if first.ground_amsl_m is None:
                raise MetadataError(
                    f"frame {first.index}: the elevation of the ground is unknown: "
                    "give terrain or video with ST 0601 tag 25"
                )
            terrain = FlatTerrain(first.ground_amsl_m)
        pose = first.pose
        ground = float(terrain.known_elevation_m(pose.lat_deg, pose.lon_deg))
        if math.isnan(ground):  # any height near it does: places are told in degrees
            ground = 0.0 if pose.altitude.datum is Datum.AGL else pose.altitude.metres
        return cls(LocalFrame(float(pose.lat_deg), float(pose.lon_deg), ground), terrain, errors or ErrorModel())

    def points(
        self, frame: Frame, detections: Sequence[Detection], velocity_enu: Floats | None = None
    ) -> list[GroundPoint | None]:
        """Where the objects of one frame stand; None where a ray meets no ground in range.

        Parameters
        ----------
        frame
            The frame, with pose and camera.
        detections
            Its boxes.
        velocity_enu
            Velocity of the camera, metres a second, shape (3,): turns the error of the clock into one of place.

        Raises
        ------
        MetadataError
            When the frame has no pose or no camera.

        Notes
        -----
        An object is taken as an upright rod. The point at the share λ of the way from the centre of its box to the
        lower edge lies (1 - λ) / 2 of its height above the ground, so the ray through that point is met with a
        surface raised by as much. With λ = cos² of the depression the point is the box's foot for a level view and
        its centre at nadir, where the foot is hidden below the object.
        """
        if frame.pose is None or frame.camera is None:
            raise MetadataError(f"frame {frame.index} has no camera pose: nothing in it has a place on the ground")
        if not detections:
            return []
        boxes = np.array([(d.x1, d.y1, d.x2, d.y2) for d in detections])
        sizes = [self.sizes.get(d.kind, ObjectSize(0.0, 0.0)) for d in detections]
        height = np.array([s.height_m for s in sizes])
        centre = (boxes[:, :2] + boxes[:, 2:]) / 2
        rotation = frame.pose.rotation_enu_from_camera()
        upward = (frame.camera.rays(centre) @ rotation.T)[:, 2]
        # cos² of the depression of the centre; what lies flat is seen around its middle.
        share = np.where(height > 0, 1.0 - upward**2, 0.0)
        anchor = centre + np.stack([np.zeros(len(share)), share * (boxes[:, 3] - boxes[:, 1]) / 2], axis=-1)
        lift = (1.0 - share) / 2
        blur = self.errors.pixel_px + _cut_px(boxes, frame.camera)
        sight = self._sight(frame.pose, frame.camera, anchor, lift * height)
        random, systematic = self._errors(frame.pose, frame.camera, sight, blur, velocity_enu)
        # The rod's own height is wrong in the same way for as long as it is seen.
        rod = sight.slide[:, :2] * (-lift * np.array([s.sigma_m for s in sizes]))[:, None]
        systematic = np.concatenate([systematic, rod[:, :, None]], axis=2)
        return [
            GroundPoint(frame.time_us, sight.xy[i], random[i], systematic[i]) if sight.seen[i] else None
            for i in range(len(detections))
        ]

    def level_amsl_m(self, pose: CameraPose, camera: CameraModel) -> float | None:
        """Elevation of the ground in the middle of the picture, or below the camera that looks too shallow for one.

        None where the terrain knows neither.
        """
        if not isinstance(self.terrain, FlatTerrain):  # that is the same everywhere
            middle = np.array([[camera.width_px / 2, camera.height_px / 2]])
            sight = self._sight(pose, camera, middle, np.zeros(1))
            if sight.seen[0]:
                lat, lon, _ = self.frame.to_geodetic(sight.xy[:, 0], sight.xy[:, 1])
                return float(self.terrain.known_elevation_m(lat, lon)[0])
        below = self._below_amsl_m(pose)
        return None if math.isnan(below) else below

    def _below_amsl_m(self, pose: CameraPose) -> float:
        """Elevation of the ground below a camera, metres; NaN where it is not known."""
        return float(self.terrain.known_elevation_m(pose.lat_deg, pose.lon_deg))

    def places(self, pose: CameraPose, camera: CameraModel, pixels: Floats) -> tuple[Floats, Floats]:
        """Bare ground at pixels, shape (n, 2): east and north, metres, (n, 2), and full covariance, (n, 2, 2); or NaN.

        The covariance takes pixels as exact to `errors.pixel_px` and holds all errors, random and systematic.
        """
        sight = self._sight(pose, camera, np.asarray(pixels, dtype=float), np.zeros(len(pixels)))
        blur = np.full((len(pixels), 2), self.errors.pixel_px)
        random, systematic = self._errors(pose, camera, sight, blur, None)
        random[~sight.seen] = np.nan
        return np.where(sight.seen[:, None], sight.xy, np.nan), random + systematic @ np.swapaxes(systematic, 1, 2)

    def _sight(self, pose: CameraPose, camera: CameraModel, pixels: Floats, lift_m: Floats) -> _Sight:
        """Meet the rays through pixels with the ground, taken as a plane around the hit and raised by `lift_m`."""
        amsl = float(pose.altitude.amsl_m(ground_amsl_m=self._below_amsl_m(pose)))
        rays = camera.rays(pixels) @ pose.rotation_enu_from_camera().T
        down = rays[:, 2] < -math.sin(math.radians(self.min_depression_deg))
        hits = np.full((len(pixels), 3), np.nan)
        local = LocalFrame(float(pose.lat_deg), float(pose.lon_deg), 0.0 if math.isnan(amsl) else amsl)
        if not math.isnan(amsl):  # how high is what is so high above unknown ground?
            hits[down] = intersect(local, (0.0, 0.0, 0.0), rays[down], self.terrain, self.max_range_m, voids=True)
        seen = ~np.isnan(hits[:, 0])
        slope = np.zeros((len(pixels), 2))
        xy = np.zeros((len(pixels), 2))
        if seen.any():
            lat, lon, ground = local.to_geodetic(*hits[seen].T)
            east, north, _ = self.frame.to_enu(lat, lon, ground)
            xy[seen] = np.stack([east, north], axis=-1)
            slope[seen] = _slope(self.terrain, lat, lon)
            seen &= ~np.isnan(slope).any(axis=1)  # unknown ground begins there
        normal = np.concatenate([-slope, np.ones((len(pixels), 1))], axis=1)
        facing = np.einsum("nk,nk->n", normal, rays)
        # A ray that runs along a slope has no definite end.
        seen &= facing < -math.sin(math.radians(self.min_depression_deg)) / 2
        facing = np.where(seen, facing, -1.0)
        onto = np.eye(3) - rays[:, :, None] * normal[:, None, :] / facing[:, None, None]
        slide = rays / facing[:, None]
        distance = np.where(seen, np.linalg.norm(np.nan_to_num(hits), axis=1) + lift_m / facing, 0.0)
        return _Sight(pixels, xy + slide[:, :2] * lift_m[:, None], seen, rays, distance, onto, slide)

    def _errors(
        self, pose: CameraPose, camera: CameraModel, sight: _Sight, blur_px: Floats, velocity_enu: Floats | None
    ) -> tuple[Floats, Floats]:
        """Random covariances, shape (n, 2, 2), and systematic factors, shape (n, 2, k), of what a sight meets."""
        rotation, sigma, turns = pose.rotation_enu_from_camera(), pose.sigma, pose.turns_enu()
        reach = sight.distance[:, None, None] * sight.onto
        turned = np.einsum("nij,anj->nia", reach, np.cross(turns[:, None, :], sight.rays[None, :, :]))
        moved = sight.onto * [sigma.horizontal_m, sigma.horizontal_m, sigma.vertical_m]
        raised = sight.slide[:, :, None] * self.errors.terrain_m
        clock = (sight.onto @ (velocity_enu if velocity_enu is not None else np.zeros(3)))[:, :, None]
        pose_factor = np.concatenate([moved, turned], axis=2)[:, :2]
        systematic = np.concatenate([pose_factor, raised[:, :2], clock[:, :2] * self.errors.timing_s], axis=2)
        # A pixel's step across the ray: 1 / focal length, shorter off the axis where the ray is longer, and as the lens
        # bends it.
        axial = sight.rays @ rotation[:, 2]
        pixel = reach @ rotation[:, :2] @ camera.plane_step(sight.pixels) * axial[:, None, None] * blur_px[:, None, :]
        jitter = pose_factor * self.errors.pose_jitter
        random = pixel[:, :2] @ np.swapaxes(pixel[:, :2], 1, 2) + jitter @ np.swapaxes(jitter, 1, 2)
        return random, systematic


@dataclass(frozen=True, slots=True, eq=False)
class _Sight:
    """Where n rays meet the ground: all that the errors need.

    Their pixels (n, 2); places `xy` (n, 2); whether there is one, (n,); unit rays in ENU (n, 3); distances along them,
    metres; the projectors P (n, 3, 3); and `slide` (n, 3), r / (n.r): the shift for ground that is 1 m higher.
    """

    pixels: Floats
    xy: Floats
    seen: NDArray[np.bool_]
    rays: Floats
    distance: Floats
    onto: Floats
    slide: Floats


def _cut_px(boxes: Floats, camera: CameraModel) -> Floats:
    """Extra blur, pixels, shape (n, 2), of boxes that the edge of the picture may have cut: a third of their size."""
    margin = 2.0
    cut_x = (boxes[:, 0] < margin) | (boxes[:, 2] > camera.width_px - margin)
    cut_y = (boxes[:, 1] < margin) | (boxes[:, 3] > camera.height_px - margin)
    size = boxes[:, 2:] - boxes[:, :2]
    return np.asarray(np.stack([cut_x, cut_y], axis=-1) * size / 3)


def _slope(terrain: Terrain, lat_deg: Floats, lon_deg: Floats) -> Floats:
    """Rise of the ground a metre to the east and to the north, shape (n, 2); NaN beside unknown ground."""
    if math.isinf(terrain.resolution_m):
        return np.zeros((len(lat_deg), 2))
    step_m = terrain.resolution_m / 4
    north = step_m / 111_132.0
    east = north / np.cos(np.radians(lat_deg))
    known_m = terrain.known_elevation_m
    rise_east = known_m(lat_deg, lon_deg + east) - known_m(lat_deg, lon_deg - east)
    rise_north = known_m(lat_deg + north, lon_deg) - known_m(lat_deg - north, lon_deg)
    return np.stack([rise_east, rise_north], axis=-1) / (2 * step_m)
