"""Shapes of what stands on the ground, made of capsules and flat faces, and the tones of their materials.

Frame: the world's ENU frame, metres; the third coordinate is the height above the ground.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.render_ground import Obstacle
from sim.world import Actor

__all__ = ["Shape", "actor_shape", "obstacle_shape", "palette"]

Floats = NDArray[np.float64]

_STRIDE_M = 1.45
_RUN_MPS = 2.3


@dataclass(frozen=True, slots=True)
class Shape:
    """A body of capsules (balls are capsules of no length) and convex faces.

    Parameters
    ----------
    ends_m
        Both ends of each capsule's axis, shape (n, 2, 3).
    radii_m
        Radii of the capsules, shape (n,).
    materials
        Material of each capsule, then of each face.
    faces_m
        Corners of the faces, anticlockwise seen from outside, shape (m, 4, 3).
    """

    ends_m: Floats
    radii_m: Floats
    materials: tuple[str, ...]
    faces_m: Floats

    def flattened(self, reach: tuple[float, float]) -> Shape:
        """Its shadow on the ground, faces from both sides; it reaches (east, north) metres for each metre of height."""
        slant = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [*reach, 0.0]])
        faces = self.faces_m @ slant
        materials = self.materials + self.materials[len(self.radii_m) :]
        return Shape(self.ends_m @ slant, self.radii_m, materials, np.concatenate([faces, faces[:, ::-1]]))


def actor_shape(actor: Actor, time_s: float) -> Shape:
    """The shape of an actor at a time, seconds since the world's epoch."""
    local = _BUILDERS[actor.kind](actor, time_s)
    heading = math.radians(actor.path.heading_deg(time_s))
    forward, right = (math.sin(heading), math.cos(heading)), (math.cos(heading), -math.sin(heading))
    turn = np.array([[*forward, 0.0], [*right, 0.0], [0.0, 0.0, 1.0]])
    origin = np.array([*actor.path.at(time_s), 0.0])
    return Shape(local.ends_m @ turn + origin, local.radii_m, local.materials, local.faces_m @ turn + origin)


def obstacle_shape(obstacle: Obstacle) -> Shape:
    """A clump of balls, small ones at its ragged rim, the higher ones later; a rock is closer and smoother."""
    rng = np.random.default_rng(obstacle.seed)
    count, largest, smallest = _CLUMPS[obstacle.material]
    angle, reach = rng.uniform(0, 2 * math.pi, count), np.sqrt(rng.uniform(0, 1, count))
    size = obstacle.radius_m * rng.uniform(0.8, 1.2, count) * (largest + (smallest - largest) * reach)
    oval = np.array([1.0, rng.uniform(0.6, 1.0)])[rng.permutation(2)]
    up = np.clip(obstacle.height_m * np.sort(rng.uniform(0.1, 1, count)) * (1.1 - 0.6 * reach) - size, 0.03, None)
    away = np.maximum(obstacle.radius_m - 0.5 * size, 0) * reach
    east = obstacle.east_m + away * np.cos(angle) * oval[0]
    north = obstacle.north_m + away * np.sin(angle) * oval[1]
    balls = np.stack([east, north, up], axis=1)
    materials = tuple(f"{obstacle.material}{i % 4}" for i in range(count))
    return Shape(np.stack([balls, balls], axis=1), size, materials, np.zeros((0, 4, 3)))


# Balls of a clump, and their radii in its middle and at its rim as shares of the clump's.
_CLUMPS: Mapping[str, tuple[int, float, float]] = {"leaf": (24, 0.34, 0.13), "rock": (7, 0.55, 0.35)}


def palette(seed: int, modality: str, *, moving: bool = False) -> Mapping[str, NDArray[np.float32]]:
    """Tones of all materials for one individual; a vehicle that is `moving` has a warm engine.

    Thermal tones have shape (1,): contrast to the mean of the ground in units of a bare, warm person's. Day tones have
    shape (3,): RGB, 0 to 255.
    """
    rng = np.random.default_rng([seed & 0x7FFFFFFF, 0xC0107])
    if modality == "thermal":
        state = max(rng.random(), float(moving))
        table = {name: mean + spread * rng.standard_normal() for name, (mean, spread) in _WARMTH.items()}
        if state < 0.35:  # cold: stood all night
            table.update({name: table["paint"] + 0.08 * rng.standard_normal() for name in ("hood", "engine", "tyre")})
        elif state < 0.5:  # heated by the sun
            table.update({name: rng.uniform(0.1, 0.9) for name in ("paint", "roof", "hood", "engine")})
        else:
            table["hood"] = table["paint"] + 0.25
        own = 0.05 * rng.standard_normal()
        table.update({name: tone + own for name, tone in table.items() if name.startswith(("leaf", "rock"))})
        return {name: np.array([tone], np.float32) for name, tone in table.items()}
    colours = {name: _COLOURS[name][int(rng.integers(len(_COLOURS[name])))] for name in _COLOURS}
    colours["hood"] = colours["roof"] = colours["engine"] = colours["paint"]
    light = {name: rng.uniform(0.85, 1.15) for name in colours}
    light["hood"] = light["roof"] = light["engine"] = light["paint"]
    return {name: np.asarray(colours[name], np.float32) * np.float32(light[name]) for name in colours}


def _person(actor: Actor, time_s: float) -> Shape:
    """Legs, torso, arms and head about a pelvis; forward is x, right is y."""
    speed = actor.path.speed_mps(time_s)
    return _figure(actor, math.tau * actor.path.walked_m(time_s) / _stride_m(speed), speed)


def _stride_m(speed_mps: float) -> float:
    return _STRIDE_M if speed_mps < _RUN_MPS else 1.6 * _STRIDE_M


def _figure(actor: Actor, phase: float, speed_mps: float) -> Shape:
    rng = np.random.default_rng([actor.seed, 0xB0D7])
    tall, wide = rng.uniform(1.58, 1.88) / 1.75, rng.uniform(1.0, 1.3)
    pack = rng.random() < 0.35
    runs = speed_mps > _RUN_MPS
    swing = 0.06 if speed_mps < 0.2 else (0.75 if runs else 0.45)
    lean = 0.16 if runs else 0.03
    parts: list[tuple[tuple[float, float, float], tuple[float, float, float], float, str]] = []
    for side, sign in ((-1.0, 1.0), (1.0, -1.0)):
        leg = sign * swing * math.sin(phase)
        bend = leg - (0.9 if runs else 0.45) * max(0.0, math.cos(phase) * sign) * (speed_mps > 0.2)
        hip = (0.0, 0.10 * side, 0.90)
        knee = (0.44 * math.sin(leg), 0.10 * side, 0.90 - 0.44 * math.cos(leg))
        foot = (knee[0] + 0.42 * math.sin(bend), 0.10 * side, knee[2] - 0.42 * math.cos(bend))
        parts += [(hip, knee, 0.085, "trousers"), (knee, foot, 0.06, "shin")]
        arm = -0.9 * leg
        shoulder = (1.40 * lean, 0.21 * side, 1.40)
        elbow = (shoulder[0] + 0.28 * math.sin(arm), 0.24 * side, 1.40 - 0.28 * math.cos(arm))
        fold = arm + (1.3 if runs else 0.35)
        hand = (elbow[0] + 0.25 * math.sin(fold), 0.22 * side, elbow[2] - 0.25 * math.cos(fold))
        parts += [(shoulder, elbow, 0.055, "coat"), (elbow, hand, 0.045, "coat"), (hand, hand, 0.05, "skin")]
    parts += [
        ((0.0, 0.0, 0.95), (1.3 * lean, 0.0, 1.33), 0.155, "coat"),
        ((1.40 * lean, -0.12, 1.38), (1.40 * lean, 0.12, 1.38), 0.10, "coat"),
        ((1.62 * lean, 0.0, 1.62), (1.62 * lean, 0.0, 1.64), 0.11, "skin"),
        ((1.62 * lean - 0.02, 0.0, 1.69), (1.62 * lean - 0.02, 0.0, 1.69), 0.10, "hair"),
    ]
    if pack:
        parts.append(((lean - 0.2, 0.0, 1.05), (1.3 * lean - 0.2, 0.0, 1.30), 0.13, "pack"))
    return _assemble(parts, tall, wide)


def _assemble(
    parts: list[tuple[tuple[float, float, float], tuple[float, float, float], float, str]], tall: float, wide: float
) -> Shape:
    ends = np.array([[start, end] for start, end, _, _ in parts]) * (tall, wide, tall)
    radii = np.array([radius for _, _, radius, _ in parts]) * wide
    return Shape(ends, radii, tuple(material for *_, material in parts), np.zeros((0, 4, 3)))


def _bicycle(actor: Actor, time_s: float) -> Shape:
    """A rider on two wheels."""
    turn = math.tau * actor.path.walked_m(time_s) / 4.5
    parts = []
    for centre in (-0.52, 0.52):
        rim = [
            (centre + 0.31 * math.cos(a), 0.0, 0.34 + 0.31 * math.sin(a)) for a in np.linspace(0, math.tau, 9).tolist()
        ]
        parts += [(a, b, 0.025, "tube") for a, b in itertools.pairwise(rim)]
    parts += [
        ((-0.52, 0.0, 0.34), (-0.15, 0.0, 0.85), 0.03, "tube"),
        ((-0.15, 0.0, 0.80), (0.42, 0.0, 0.85), 0.03, "tube"),
        ((0.52, 0.0, 0.34), (0.40, 0.0, 1.0), 0.03, "tube"),
        ((0.40, -0.25, 1.0), (0.40, 0.25, 1.0), 0.025, "tube"),
    ]
    for side, sign in ((-1.0, 1.0), (1.0, -1.0)):
        pedal = (0.02 + 0.17 * sign * math.cos(turn), 0.12 * side, 0.32 + 0.17 * sign * math.sin(turn))
        knee = (0.22 + 0.08 * sign * math.cos(turn), 0.13 * side, 0.72 + 0.1 * sign * math.sin(turn))
        parts += [((-0.15, 0.1 * side, 0.95), knee, 0.085, "trousers"), (knee, pedal, 0.06, "shin")]
        parts.append(((0.2, 0.2 * side, 1.38), (0.40, 0.23 * side, 1.02), 0.05, "coat"))
    parts += [
        ((-0.13, 0.0, 0.97), (0.18, 0.0, 1.36), 0.155, "coat"),
        ((0.2, -0.12, 1.38), (0.2, 0.12, 1.38), 0.10, "coat"),
        ((0.3, 0.0, 1.6), (0.3, 0.0, 1.62), 0.11, "skin"),
        ((0.28, 0.0, 1.67), (0.28, 0.0, 1.67), 0.10, "hair"),
    ]
    return _assemble(parts, 1.0, 1.0)


def _animal(actor: Actor, time_s: float) -> Shape:
    """Four legs, a body, a neck and a head: a dog, a goat or a calf by size."""
    size = float(np.random.default_rng([actor.seed, 0xA1]).uniform(0.55, 1.3))
    phase = math.tau * actor.path.walked_m(time_s) / (0.9 * size)
    parts = []
    for along, side, lag in ((0.4, 1, 0.0), (0.4, -1, math.pi), (-0.4, 1, math.pi), (-0.4, -1, 0.0)):
        reach = 0.16 * math.sin(phase + lag)
        parts.append(((along, 0.12 * side, 0.55), (along + reach, 0.12 * side, 0.05), 0.05, "fur"))
    parts += [
        ((-0.42, 0.0, 0.66), (0.42, 0.0, 0.68), 0.19, "fur"),
        ((0.45, 0.0, 0.72), (0.66, 0.0, 0.92), 0.09, "fur"),
        ((0.66, 0.0, 0.92), (0.86, 0.0, 0.86), 0.09, "muzzle"),
    ]
    return _assemble([(a, b, r * size, m) for a, b, r, m in parts], size, size)


def _box(low: tuple[float, float, float], high: tuple[float, float, float], inset: tuple[float, float]) -> Floats:
    """Five visible faces (4 sides, then top), shape (5, 4, 3), of a box whose top is inset along and across."""
    (x0, y0, z0), (x1, y1, z1), (ix, iy) = low, high, inset
    bottom = [(x0, y0, z0), (x1, y0, z0), (x1, y1, z0), (x0, y1, z0)]
    top = [(x0 + ix, y0 + iy, z1), (x1 - ix, y0 + iy, z1), (x1 - ix, y1 - iy, z1), (x0 + ix, y1 - iy, z1)]
    # x forward, y right, z up is left-handed: these orders run clockwise here and anticlockwise once in the world.
    sides = [[bottom[i], top[i], top[(i + 1) % 4], bottom[(i + 1) % 4]] for i in range(4)]
    return np.array([*sides, top[::-1]])


def _wheel(along: float, y: float) -> Floats:
    """A wheel seen from its side, shape (1, 4, 3), facing away from the middle of the vehicle."""
    low, high, out = 0.05, 0.62, math.copysign(0.02, y)
    rear, front, side = along - 0.3, along + 0.3, y + out
    face = np.array([(rear, side, low), (rear, side, high), (front, side, high), (front, side, low)])
    return (face if y < 0 else face[::-1])[None]


def _vehicle(actor: Actor, _time_s: float) -> Shape:
    """Body, wheels, hood and cabin of a car, a pick-up or a van, in the order in which they may be drawn."""
    rng = np.random.default_rng([actor.seed, 0xCA2])
    long, wide, style = rng.uniform(4.2, 5.3), rng.uniform(1.75, 2.0), rng.random()
    x, y = long / 2, wide / 2
    rear, front, tall = next(cabin for share, cabin in _CABINS if style < share)
    faces = [
        _box((-x, -y, 0.30), (x, y, 0.95), (0.06, 0.05)),
        *(_wheel(end * long * 0.31, side * y) for end in (-1, 1) for side in (-1, 1)),
        _box((front * x, -0.86 * y, 0.93), (0.97 * x, 0.86 * y, 0.99), (0.04, 0.04)),
        _box((front * x + 0.15, -0.55 * y, 0.99), (0.9 * x, 0.55 * y, 1.0), (0.1, 0.1)),
        _box((rear * x, -0.93 * y, 0.93), (front * x, 0.93 * y, 0.93 + tall), (0.42, 0.16)),
    ]
    materials = ("paint",) * 5 + ("tyre",) * 4 + ("hood",) * 5 + ("engine",) * 5 + ("glass",) * 4 + ("roof",)
    return Shape(np.zeros((0, 2, 3)), np.zeros(0), materials, np.concatenate(faces))


# Share of vehicles up to this style; rear and front of the cabin as shares of the half length; height of the cabin, m.
_CABINS = ((0.55, (-0.92, 0.28, 0.62)), (0.85, (-0.15, 0.42, 0.72)), (1.0, (-1.0, 0.62, 1.0)))

_BUILDERS = {"person": _person, "vehicle": _vehicle, "bicycle": _bicycle, "animal": _animal}

# Mean and spread of thermal contrast; painted metal and glass mirror a cold sky.
_WARMTH: Mapping[str, tuple[float, float]] = {
    "skin": (1.05, 0.06),
    "hair": (0.85, 0.10),
    "coat": (0.88, 0.12),
    "trousers": (0.82, 0.12),
    "shin": (0.72, 0.14),
    "pack": (0.35, 0.25),
    "fur": (0.75, 0.15),
    "muzzle": (0.95, 0.10),
    "tube": (-0.20, 0.15),
    "paint": (-0.40, 0.20),
    "roof": (-0.62, 0.18),
    "glass": (-0.55, 0.20),
    "hood": (-0.15, 0.15),
    "engine": (0.50, 0.25),
    "tyre": (0.45, 0.20),
    "leaf0": (-0.25, 0.03),
    "leaf1": (-0.21, 0.03),
    "leaf2": (-0.17, 0.03),
    "leaf3": (-0.12, 0.03),
    "rock0": (0.08, 0.05),
    "rock1": (0.11, 0.05),
    "rock2": (0.14, 0.05),
    "rock3": (0.17, 0.05),
}

_Colour = tuple[float, float, float]
_COLOURS: Mapping[str, tuple[_Colour, ...]] = {
    "skin": ((196, 150, 122), (150, 106, 80), (110, 76, 58)),
    "hair": ((38, 32, 28), (70, 52, 38), (120, 110, 100), (170, 40, 40), (210, 205, 195)),
    "coat": (
        (30, 34, 44),
        (60, 66, 58),
        (130, 44, 40),
        (46, 70, 120),
        (200, 196, 188),
        (96, 88, 70),
        (24, 24, 26),
        (214, 140, 50),
    ),
    "trousers": ((34, 44, 70), (28, 28, 30), (96, 86, 66), (62, 64, 66)),
    "shin": ((34, 42, 66), (30, 28, 28), (92, 82, 64)),
    "pack": ((26, 26, 28), (60, 74, 50), (120, 40, 36), (40, 60, 110)),
    "fur": ((96, 66, 44), (40, 34, 30), (190, 176, 150)),
    "muzzle": ((80, 56, 40), (34, 30, 28), (170, 156, 132)),
    "tube": ((36, 36, 38), (130, 30, 30), (150, 150, 152)),
    "paint": (
        (226, 226, 226),
        (40, 42, 46),
        (150, 152, 156),
        (122, 26, 26),
        (40, 62, 112),
        (92, 96, 88),
        (188, 176, 150),
    ),
    "glass": ((36, 42, 50), (52, 58, 64)),
    "tyre": ((26, 26, 28),),
    "leaf0": ((50, 60, 34), (62, 64, 42)),
    "leaf1": ((66, 76, 42), (78, 80, 54)),
    "leaf2": ((84, 94, 54), (94, 94, 66)),
    "leaf3": ((102, 110, 68), (112, 110, 80)),
    "rock0": ((120, 108, 94),),
    "rock1": ((146, 132, 116),),
    "rock2": ((166, 152, 134),),
    "rock3": ((184, 170, 150),),
}
