"""Known points as a camera sees them: residuals, their derivatives and covariance, and the fit to them.

What is looked for: a turn of the camera about its own axes (boresight, three angles), one about the vertical that
comes before it (heading error), and where asked for the focal length and a radial coefficient of the lens. What
disturbs: the error of each pixel, new each time; that of each surveyed place, the same wherever the place is seen; that
of the camera's position, the same in the whole recording; and a share of the attitude errors, new in each picture.
The latter three are normal with known sigma, so they are not solved for but make up the covariance of the residuals,

    V = D + A Aᵀ,

with D of the pixels and a column of A for each. The estimate is that of generalised least squares (Gauss-Newton),
with a wide normal prior for each parameter, so that what the data leave open stays there with an honest sigma.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from geo import Altitude, CameraModel, Datum, DatumError, LocalFrame, rotation_ned_from_frd
from vision.errors import MetadataError
from vision.known_points import Sighting

__all__ = ["PRIOR", "Scene", "Solved", "State"]

Floats = NDArray[np.float64]

PRIOR = np.array([*[math.radians(10.0)] * 4, 0.1, 0.3])
"""One sigma before any point is seen: turns of the camera and of the compass, ln of the focal length, k1."""

_PAIRS, _ROUNDS = 400, 100
_LEAST_M, _LEAST_APART = 1.0, 1e-3  # metres; radians
_TO_FRD = (2, 0, 1)  # components of a camera vector in the order forward, right, down


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """Estimates: boresight (FRD to FRD), heading error in radians, ln of the focal scale, k1."""

    boresight: Rotation
    heading: float = 0.0
    ln_focal: float = 0.0
    k1: float = 0.0

    def stepped(self, step: Floats) -> State:
        """The state a small step on, (6,)."""
        return State(
            self.boresight * Rotation.from_rotvec(step[:3]),
            self.heading + step[3],
            self.ln_focal + step[4],
            self.k1 + step[5],
        )

    def vector(self) -> Floats:
        """As (6,), the turn as a rotation vector."""
        return np.array([*self.boresight.as_rotvec(), self.heading, self.ln_focal, self.k1])


@dataclass(frozen=True, slots=True, eq=False)
class Solved:
    """A fit to the points that were kept.

    Parameters
    ----------
    state
        The estimate.
    kept
        Which points it is from, (n,).
    residuals, jacobian, noise
        Seen less predicted pixels (2n,), their Jacobian by the parameters looked for (2n, p), and V (2n, 2n), of all.
    weight, spread
        Inverse of V of those kept, and covariance of the estimate (p, p), prior included.
    settled
        Whether it came to rest.
    """

    state: State
    kept: NDArray[np.bool_]
    residuals: Floats
    jacobian: Floats
    noise: Floats
    weight: Floats
    spread: Floats
    settled: bool

    @property
    def rows(self) -> NDArray[np.bool_]:
        """Rows of the points that were kept."""
        return np.repeat(self.kept, 2)

    def departures(self) -> Floats:
        """How far each point is from what the others kept predict for it, in sigmas; NaN where they leave it open.

        For one that was kept, with Q = W - W J H⁻¹ Jᵀ W and W = V⁻¹, the difference is Q_ii⁻¹ (W r)_i with covariance
        Q_ii⁻¹ (W. Baarda, A testing procedure for use in geodetic networks, 1968); for one that was not, it is
        predicted through the disturbances that it shares with them.
        """
        rows = self.rows
        r, j = self.residuals[rows], self.jacobian[rows]
        seen = self.weight @ j
        q = self.weight - seen @ self.spread @ seen.T
        pull = self.weight @ r
        found = np.full(len(self.kept), np.nan)
        place = 0
        for i, kept in enumerate(self.kept):
            if kept:
                block, error = q[place : place + 2, place : place + 2], pull[place : place + 2]
                # Nothing of it is left over where it alone determines something.
                if np.linalg.eigvalsh(block).min() * self.noise[2 * i, 2 * i] > 1e-6:
                    found[i] = math.sqrt(max(0.0, float(error @ np.linalg.solve(block, error))))
                place += 2
                continue
            own = slice(2 * i, 2 * i + 2)
            shared = self.noise[own][:, rows] @ self.weight
            error = self.residuals[own] - shared @ r
            slope = self.jacobian[own] - shared @ j
            spread = self.noise[own, own] - shared @ self.noise[own][:, rows].T + slope @ self.spread @ slope.T
            found[i] = math.sqrt(max(0.0, float(error @ np.linalg.solve(spread, error))))
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """All sightings as arrays: vectors to the points (NED, n x 3), rotations of the poses, pixels, and their errors."""

    lines: Floats
    poses: Floats
    pixels: Floats
    sigma_px: Floats
    cameras: tuple[CameraModel, ...]
    names: tuple[str, ...]
    disturb: tuple[tuple[Floats, Floats], ...] = field(repr=False)
    free: tuple[int, ...]

    @classmethod
    def of(
        cls,
        sightings: Sequence[Sighting],
        *,
        focal: bool,
        radial: bool,
        attitude_share: float,
        undulation_m: float | None,
    ) -> Scene:
        """Sightings as arrays. Raises `MetadataError` where heights of two datums meet without the undulation."""
        lines, poses = [], []
        frames: dict[tuple[float, float, float], LocalFrame] = {}
        for s in sightings:
            height, target = _heights(s, undulation_m)
            at = (float(s.pose.lat_deg), float(s.pose.lon_deg), height)
            local = frames.setdefault(at, LocalFrame(*at))
            east, north, up = map(float, local.to_enu(s.point.lat_deg, s.point.lon_deg, target))
            if math.hypot(east, north, up) < _LEAST_M:
                raise MetadataError(f"{s.point.where}: {s.point.name} is at the camera itself: check the places")
            lines.append((north, east, -up))
            poses.append(rotation_ned_from_frd(s.pose.yaw_deg, s.pose.pitch_deg, s.pose.roll_deg))
        return cls(
            np.array(lines),
            np.array(poses),
            np.array([(s.point.x_px, s.point.y_px) for s in sightings]),
            np.array([s.point.sigma_px for s in sightings]),
            tuple(s.camera for s in sightings),
            tuple(s.point.name for s in sightings),
            _disturbances(sightings, attitude_share),
            (0, 1, 2, 3, *((4,) if focal else ()), *((5,) if radial else ())),
        )

    def start(self) -> State:
        """The turn that fits best, by the median of all points, among those that pairs of points give."""
        seen = np.array([c.rays(p) for c, p in zip(self.cameras, self.pixels, strict=True)])[:, _TO_FRD]
        if not np.isfinite(seen).all():
            raise MetadataError("known points: a pixel lies where the lens shows nothing: check lens and pixels")
        told = np.einsum("nij,ni->nj", self.poses, self.lines)
        told /= np.linalg.norm(told, axis=1, keepdims=True)
        pairs = list(itertools.combinations(range(len(seen)), 2))
        if len(pairs) > _PAIRS:
            chosen = np.random.default_rng(0).choice(len(pairs), _PAIRS, replace=False)
            pairs = [pairs[i] for i in chosen]
        apart = np.array([min(_apart(seen[i], seen[j]), _apart(told[i], told[j])) for i, j in pairs])
        if apart.max() < _LEAST_APART:
            raise MetadataError(
                "known points: they leave the roll of the camera open: all lie in one direction; spread them over the "
                "picture"
            )
        best, least = Rotation.identity(), math.inf
        for i, j in itertools.compress(pairs, apart >= 0.25 * apart.max()):
            turn = Rotation.from_matrix(_axes(told[i], told[j]) @ _axes(seen[i], seen[j]).T)
            misses = np.linalg.norm(turn.apply(seen) - told, axis=1)
            median = float(np.sort(misses)[len(misses) // 2])
            if median < least:
                best, least = turn, median
        return State(best)

    def solve(self, state: State, kept: NDArray[np.bool_]) -> Solved:
        """Generalised least squares from a state, with the points that are kept."""
        columns, rows = list(self.free), np.repeat(kept, 2)
        prior = np.diag(PRIOR[columns] ** -2.0)
        settled = False
        for _ in range(_ROUNDS):
            residuals, jacobian, noise = self.linear(state)
            weight: Floats = np.asarray(np.linalg.inv(noise[np.ix_(rows, rows)]), dtype=float)
            seen = weight @ jacobian[rows]
            spread: Floats = np.asarray(np.linalg.inv(jacobian[rows].T @ seen + prior), dtype=float)
            if settled:
                break
            full = np.zeros(len(PRIOR))
            full[columns] = spread @ (seen.T @ residuals[rows] - prior @ state.vector()[columns])
            # The first steps of a hopeless case would leave all sense: no more than 20 degrees at once.
            full *= min(1.0, 0.35 / max(float(np.abs(full).max()), 1e-12))
            state = state.stepped(full)
            settled = bool(np.abs(full).max() < 1e-10)
        return Solved(state, kept, residuals, jacobian, noise, weight, spread, settled)

    def linear(self, state: State) -> tuple[Floats, Floats, Floats]:
        """Residuals (2n,), their Jacobian (2n, p) and V (2n, 2n) at a state."""
        turned = rotation_ned_from_frd(math.degrees(state.heading), 0.0, 0.0)
        # Bᵀ Rᵀ Hᵀ: from NED through heading, pose and boresight to the camera's axes.
        to_frd = np.einsum("ji,nkj,lk->nil", state.boresight.as_matrix(), self.poses, turned)
        points = np.einsum("nij,nj->ni", to_frd, self.lines)
        # Behind the camera: as far aside as can be said, so that such a point pulls and is found out.
        points[:, 0] = np.maximum(points[:, 0], 0.05 * np.linalg.norm(points, axis=1))
        count, (shown, slope, scale, bend) = len(points), self._project(state, points)
        down = to_frd[:, :, 2]
        every = np.zeros((count, 2, 6))
        every[:, :, :3] = slope @ _cross(points)
        every[:, :, 3] = np.einsum("nij,nj->ni", slope, np.cross(points, down))
        every[:, :, 4], every[:, :, 5] = scale, bend
        noise = np.diag(np.repeat(self.sigma_px**2, 2))
        for moves, turns in self.disturb:  # (n, 3, k) each: metres in NED, and turns of the camera about NED axes
            aside = np.einsum("nij,njk->nik", to_frd, moves)
            about = np.einsum("nij,njk->nik", to_frd, turned @ turns)
            swing = np.cross(points[:, :, None], about, axis=1)
            effect = np.einsum("nij,njk->nik", slope, aside + swing).reshape(2 * count, -1)
            noise = noise + effect @ effect.T
        jacobian = every[:, :, list(self.free)].reshape(2 * count, -1)
        return (self.pixels - shown).ravel(), jacobian, noise

    def _project(self, state: State, points: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """Pixels (n, 2), and derivatives by point (n, 2, 3), ln of the focal length (n, 2) and k1 (n, 2)."""
        shown, slope, scale, bend = [], [], [], []
        for camera, frd in zip(self.cameras, points, strict=True):
            given = camera.distortion
            lens = replace(given, k1=given.k1 + state.k1)
            focal = camera.focal_px * math.exp(state.ln_focal)
            plane = frd[1:] / frd[0]
            if np.hypot(*plane) >= lens.reach:  # no place in the picture: the nearest that has one
                plane = plane * 0.999 * lens.reach / np.hypot(*plane)
            away = focal * lens.distort(plane)
            shown.append(away + np.array([camera.width_px, camera.height_px]) / 2)
            step = np.array([[-plane[0], 1.0, 0.0], [-plane[1], 0.0, 1.0]]) / frd[0]
            slope.append(focal * lens.jacobian(plane) @ step)
            scale.append(away)
            bend.append(focal * plane * (plane @ plane))
        return np.array(shown), np.array(slope), np.array(scale), np.array(bend)


def _apart(a: Floats, b: Floats) -> float:
    """Sine of the angle between unit vectors."""
    return float(np.linalg.norm(np.cross(a, b)))


def _axes(a: Floats, b: Floats) -> Floats:
    """Three orthogonal unit vectors as columns: between two unit vectors, across both, and the third (TRIAD)."""
    middle, across = a + b, np.cross(a, b)
    middle, across = middle / np.linalg.norm(middle), across / np.linalg.norm(across)
    return np.stack([middle, across, np.cross(middle, across)], axis=-1)


def _cross(vectors: Floats) -> Floats:
    """Matrices [v]x of vectors (n, 3): what a small turn of the camera does to a point in its axes."""
    zero = np.zeros(len(vectors))
    x, y, z = vectors.T
    return np.moveaxis(np.array([[zero, -z, y], [z, zero, -x], [-y, x, zero]]), 2, 0)


def _heights(sighting: Sighting, undulation_m: float | None) -> tuple[float, float]:
    """Heights of camera and point, metres, of one datum."""
    camera, point = sighting.pose.altitude, sighting.point.altitude
    if camera.datum is point.datum:
        return camera.metres, point.metres

    def amsl(height: Altitude, what: str) -> float:
        try:
            return height.amsl_m(undulation_m=undulation_m)
        except DatumError as error:
            wanted = "give --undulation" if height.datum is Datum.HAE else "give both above sea level"
            raise MetadataError(
                f"{sighting.point.where}: the pose's height is {camera.datum}, the point's {point.datum}, and the "
                f"{what} cannot be turned into the other: {wanted}"
            ) from error

    return amsl(camera, "pose's"), amsl(point, "point's")


def _disturbances(sightings: Sequence[Sighting], share: float) -> tuple[tuple[Floats, Floats], ...]:
    """Errors that points share, as moves and turns by one sigma, (n, 3, k): of camera, pictures, and places."""
    count = len(sightings)
    none = np.zeros((count, 3, 3))
    position = np.array([-np.diag([s.pose.sigma.horizontal_m] * 2 + [s.pose.sigma.vertical_m]) for s in sightings])
    groups = [(position, none)]
    for frame in dict.fromkeys(s.frame for s in sightings):
        turns = np.zeros((count, 3, 3))
        for i, s in enumerate(sightings):
            if s.frame == frame:
                plain = replace(s.pose, sigma=replace(s.pose.sigma, turns_deg=()))
                east, north, up = (share * plain.turns_enu()).T
                turns[i] = np.array([north, east, -up])
        groups.append((none, turns))
    for name in dict.fromkeys(s.point.name for s in sightings):
        moves = np.array([np.eye(3) * s.point.sigma_m if s.point.name == name else none[0] for s in sightings])
        groups.append((moves, none))
    return tuple(groups)
