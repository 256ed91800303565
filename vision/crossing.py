"""Whether a ground track passed the border line.

The offset of a track from the line, positive on the own side, carries a random error, small after smoothing, and a
systematic one that shifts the whole track alike. From these:

- A point is on a *side* when its offset exceeds the hysteresis: `hysteresis_m`, or two sigmas of the random error.
  Between, it is astride. Past an end of the line it is on no side, and what was known of its side is forgotten: walking
  round the end crosses nothing.
- A *passage* is a settled stay on one side followed by a settled stay on the other. The stay after lasts `stay_s`, or
  goes `deep_m` in; what comes back sooner has returned; who walks into the picture or out of it by an edge has less to
  show where the systematic error may have taken it (`_least_s`). What is first seen astride was on no side before, and
  passes nothing.
- There and back counts only where the far side was certain: the ellipse cleared the line there. Else a systematic error
  may have carried the turning point over the line, and the object has returned, too.
- The net movement across must be significant beside the random error *and the change* of the systematic one between
  both places (a yaw error seen from a moving camera turns slowly into sideways motion). The constant part cancels: it
  cannot fake a passage, but it can mean that the passage was over another line, a few metres off.
- Whoever is first or last seen within that error of the line, on the way over, has no passage: most such claims would
  be wrong where they are last seen before it. That it is *open* is said.
- So a passage is *confirmed* only where the full 95 % ellipse was clear of the line before and after, and both stays
  were whole ones; else *probable*.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from vision.border import GroundLine
from vision.records import CHI_95, Direction, Status
from vision.types import GroundTrack

__all__ = ["CrossingRule", "Outcome", "Passage", "Verdict", "judge"]

Floats = NDArray[np.float64]

_OWN, _FAR, _ASTRIDE, _BEYOND = 1, -1, 0, 9
# Whoever goes away from the line faster is on the way: units of the plane a second.
_WALKS = 0.5


class Outcome(StrEnum):
    """What a track did to the line, the strongest word that fits."""

    CROSSED = "crossed"
    """Passed it, and stayed."""
    OPEN = "open"
    """Its way leads over the line, or has an end so near to it that by the errors of its places it may."""
    RETURNED = "returned"
    """Was over for less than the stay, and came back."""
    ASTRIDE = "astride"
    """Was so near the line that its side is open, and left to no other side."""
    APPROACHED = "approached"
    """Came closer on one side."""
    ALONG = "along"
    """Stayed on one side without coming closer, or past the end of the line."""


@dataclass(frozen=True, slots=True)
class CrossingRule:
    """When a passage counts.

    Parameters
    ----------
    hysteresis_m
        Offset that is a side, metres, at least.
    random_sigmas
        And at least this many sigmas of the random error.
    stay_before_s, stay_s
        Time on a side before and after the passage, seconds.
    deep_m
        Offset that settles a stay whatever its time, metres: a car is on its side for a few pictures only.
    travel_m
        Net movement across the line, metres, at least.
    travel_sigmas
        And at least this many sigmas of what could fake it.
    settle_s
        A passage of a track that goes on is decided this long after it, seconds: by then its ellipse may have cleared.
    """

    hysteresis_m: float = 0.4
    random_sigmas: float = 2.0
    stay_before_s: float = 0.4
    stay_s: float = 1.0
    deep_m: float = 2.5
    travel_m: float = 1.2
    travel_sigmas: float = 3.0
    settle_s: float = 6.0


@dataclass(frozen=True, slots=True, eq=False)
class Passage:
    """One passing of the line.

    Parameters
    ----------
    time_us
        When the smoothed track met the line, interpolated.
    xy, covariance
        Where, metres, shape (2,), and the full covariance there, shape (2, 2).
    direction, status
        Which way, and how sure.
    probability
        That the object was on one side before and on the other after, given all errors.
    decided_us
        Time of the last point that the decision rests on.
    """

    time_us: int
    xy: Floats
    covariance: Floats
    direction: Direction
    status: Status
    probability: float
    decided_us: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a track did, and its passages in the order of time.

    `outcome` is None where there is no line, or one in the picture, beside which an outcome has no scale. `open_at` is
    the point of the way at which it came within its error of the line and went no further across, or from which it
    left it, where that leaves open whether it passed.
    """

    outcome: Outcome | None
    passages: tuple[Passage, ...] = ()
    open_at: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class _Course:
    """A track beside the line.

    Per point the direction across it (n, 2), the offset, its random sigma, its systematic factor (n, k), and its zone.
    """

    track: GroundTrack
    across: Floats
    offset: Floats
    random: Floats
    shared: Floats
    zone: NDArray[np.int64]

    @property
    def sigma(self) -> Floats:
        """One sigma of the offset by all errors, metres, shape (n,)."""
        return np.asarray(np.sqrt(self.random**2 + (self.shared**2).sum(axis=1)))


@dataclass(frozen=True, slots=True)
class _Stay:
    """A stretch of points on one side: index of its first and last."""

    side: int
    first: int
    last: int


def judge(track: GroundTrack, line: GroundLine, rule: CrossingRule | None = None) -> Verdict:
    """Say what a track did to a line, both in the same plane, metres."""
    rule = rule or CrossingRule()
    course = _course(track, line, rule)
    passages: list[Passage] = []
    settled: _Stay | None = None
    returned = unsure = False  # unsure: the last passage led to a side on which the ellipse never cleared the line
    for stay in _stays(course.zone):
        if stay is None:  # past the end of the line: which side it comes from is open again
            settled, unsure = None, False
            continue
        if settled is None:
            least_s = _least_s(course, stay, rule.stay_before_s, 0)
            settled = stay if _settles(course, stay, least_s, rule.deep_m) else None
        elif stay.side == settled.side:
            settled = _Stay(stay.side, settled.first, stay.last)
        elif _settles(course, stay, _least_s(course, stay, rule.stay_s, -1), rule.deep_m):
            passage = _passage(course, line, settled, stay, rule)
            if passage is not None and unsure:
                passages.pop()
                returned, unsure = True, False
            elif passage is not None:
                passages.append(passage)
                unsure = float(_clearance(course)[stay.first : stay.last + 1].max()) <= 0
            settled = stay
        else:
            returned = returned or stay.last < len(course.offset) - 1
    open_at = None if passages else _open_at(course, line, rule)
    if open_at is not None:
        return Verdict(Outcome.OPEN, open_at=open_at)
    return Verdict(_outcome(course, passages, returned=returned), tuple(passages))


def _course(track: GroundTrack, line: GroundLine, rule: CrossingRule) -> _Course:
    """Project a track's places and errors on the direction across the line."""
    position = line.locate(track.xy)
    across = line.towards_own(track.xy)
    random = np.sqrt(np.einsum("ni,nij,nj->n", across, track.random, across))
    shared = np.einsum("ni,nik->nk", across, track.systematic)
    threshold = np.maximum(rule.hysteresis_m, rule.random_sigmas * random)
    zone = np.select(
        [position.beyond, position.offset_m > threshold, position.offset_m < -threshold],
        [_BEYOND, _OWN, _FAR],
        default=_ASTRIDE,
    )
    return _Course(track, across, position.offset_m, random, shared, zone)


def _stays(zone: NDArray[np.int64]) -> Iterator[_Stay | None]:
    """Stretches on one side in the order of time, points astride skipped; None for a stretch past the end."""
    side, first, last = _ASTRIDE, 0, 0
    for i, here in enumerate(zone):
        if here == _ASTRIDE:
            continue
        if here != side:
            if side != _ASTRIDE:
                yield None if side == _BEYOND else _Stay(side, first, last)
            side, first = int(here), i
        last = i
    if side != _ASTRIDE:
        yield None if side == _BEYOND else _Stay(side, first, last)


def _settles(course: _Course, stay: _Stay, seconds: float, deep_m: float) -> bool:
    """Whether a stay is long or deep enough; two points at least."""
    times, depth = course.track.times_us, np.abs(course.offset[stay.first : stay.last + 1])
    long_enough = times[stay.last] - times[stay.first] >= seconds * 1e6
    return stay.last > stay.first and bool(long_enough or depth.max() >= deep_m)


def _least_s(course: _Course, stay: _Stay, whole_s: float, at: int) -> float:
    """How long the stay before the line (`at` 0) or behind it (-1) has to last, seconds: as a rule `whole_s`.

    Of somebody who walks in or out by the picture's edge, the systematic error may have taken as much of it as he walks
    in that time: a pose that is 2 m off shows the passage 1.5 s early or late. Who is lost in the middle of the picture
    was hidden, and may have turned back there.
    """
    track, depth = course.track, np.abs(course.offset)
    span_s = float(track.times_us[stay.last] - track.times_us[stay.first]) / 1e6
    end, away, cut = (stay.first, -1, track.cut_in) if at == 0 else (stay.last, 1, track.cut_off)
    if not cut or end != at % len(depth) or span_s <= 0:
        return whole_s
    there = away * stay.side * float(course.across[end] @ track.velocity[end])
    pace = away * float(depth[stay.last] - depth[stay.first]) / span_s
    if min(there, pace) < _WALKS:
        return whole_s
    # The faster of the two takes less time for what the error took. Where that is all of it two points do: their sides
    # are clear of the random error, and that alone has nothing to do with time.
    return max(0.0, whole_s - float(np.linalg.norm(course.shared[end])) / max(there, pace))


def _clearance(course: _Course) -> Floats:
    """How far the edge of the 95 % ellipse lies off the line, metres, shape (n,); negative where it is over it."""
    return np.asarray(np.abs(course.offset) - CHI_95 * course.sigma)


def _passage(course: _Course, line: GroundLine, before: _Stay, after: _Stay, rule: CrossingRule) -> Passage | None:
    """The passage between two stays, or None where it is not significant or not over the line itself."""
    sigma = course.sigma
    clear = _clearance(course)
    # The point of each stay at which the ellipse was clearest of the line speaks for it.
    a = before.first + int(np.argmax(np.where(_inside(course, before), clear[before.first : before.last + 1], -np.inf)))
    b = after.first + int(np.argmax(clear[after.first : after.last + 1]))
    travel = abs(course.offset[b] - course.offset[a])
    faked = math.sqrt(
        course.random[a] ** 2 + course.random[b] ** 2 + float(((course.shared[a] - course.shared[b]) ** 2).sum())
    )
    if travel < max(rule.travel_m, rule.travel_sigmas * faked):
        return None
    track = course.track
    met = _meeting(course, line, before.last, after.first)
    if met is None:
        return None
    i, share, xy = met
    near = i if share < 0.5 else i + 1
    # Who was gone sooner may have turned back unseen, and who came later may have come from anywhere.
    stays = (before, rule.stay_before_s), (after, rule.stay_s)
    whole = all(_settles(course, stay, seconds, rule.deep_m) for stay, seconds in stays)
    return Passage(
        time_us=int(track.times_us[i] + round(share * float(track.times_us[i + 1] - track.times_us[i]))),
        xy=xy,
        covariance=track.covariance[near],
        direction=Direction.INBOUND if after.side == _OWN else Direction.OUTBOUND,
        status=Status.CONFIRMED if clear[a] > 0 and clear[b] > 0 and whole else Status.PROBABLE,
        probability=_both_sides(
            before.side * float(course.offset[a]),
            after.side * float(course.offset[b]),
            float(sigma[a]),
            float(sigma[b]),
            -float(course.shared[a] @ course.shared[b]),
        ),
        decided_us=int(track.times_us[after.last]),
    )


def _meeting(course: _Course, line: GroundLine, first: int, last: int) -> tuple[int, float, Floats] | None:
    """Where a way last meets the line between a point on one side and one on the other; None for past its end.

    The point before, the share of the step from it on, and the place.
    """
    between = course.offset[first : last + 1] * np.sign(course.offset[first])
    i = first + int(np.flatnonzero((between[:-1] > 0) & (between[1:] <= 0))[-1])
    share = float(course.offset[i] / (course.offset[i] - course.offset[i + 1]))
    xy = np.asarray((1 - share) * course.track.xy[i] + share * course.track.xy[i + 1])
    return None if line.locate(xy[None]).beyond[0] else (i, share, xy)


def _inside(course: _Course, stay: _Stay) -> NDArray[np.bool_]:
    """Which points of a stay are on its side (a return that was too short to count is not)."""
    return np.asarray(course.zone[stay.first : stay.last + 1] == stay.side)


def _both_sides(before: float, after: float, sigma_before: float, sigma_after: float, covariance: float) -> float:
    """Probability that two normal variables of given means, sigmas and covariance are both positive.

    One is conditioned on the other, and the product integrated by Simpson's rule over its positive part.
    """
    if min(sigma_before, sigma_after) <= 0:
        return float(before > 0 and after > 0)
    rho = max(-0.999999, min(0.999999, covariance / (sigma_before * sigma_after)))
    low = max(-before / sigma_before, -8.0)
    if low >= 8:
        return 0.0
    z = np.linspace(low, 8.0, 401)
    weights = np.ones(401)
    weights[1:-1:2], weights[2:-1:2] = 4.0, 2.0
    density = np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
    other = ndtr((after / sigma_after + rho * z) / math.sqrt(1 - rho**2))
    return float(min(1.0, (weights * density * other).sum() * (z[1] - z[0]) / 3))


def _open_at(course: _Course, line: GroundLine, rule: CrossingRule) -> int | None:
    """Where the systematic error may have hidden a passage: with another one the way has an end on either side.

    The first point, or that since which it went no further across up to the last; None where it may have hidden none.
    What comes up and turns back has both ends on one side; what stands or walks along goes across too little.
    """
    ends, clear = [0, -1], _clearance(course)
    across_m = np.abs(course.offset - course.offset[-1])
    faked = math.hypot(*course.random[ends], float(np.linalg.norm(course.shared[-1] - course.shared[0])))
    if across_m[0] < max(rule.travel_m, rule.travel_sigmas * faked) or clear[ends].min() > 0:
        return None
    same_side = course.offset[0] * course.offset[-1] > 0
    if _BEYOND in course.zone or not (same_side or _meeting(course, line, 0, len(course.offset) - 1) is not None):
        return None
    return 0 if clear[-1] > 0 else int(np.flatnonzero(across_m >= rule.travel_m)[-1]) + 1


def _outcome(course: _Course, passages: Sequence[Passage], *, returned: bool) -> Outcome:
    """The strongest word that fits."""
    sides = set(course.zone.tolist())
    if passages:
        return Outcome.CROSSED
    if returned:
        return Outcome.RETURNED
    if _ASTRIDE in sides or {_OWN, _FAR} <= sides:
        return Outcome.ASTRIDE
    distance = np.abs(course.offset)
    if course.zone[0] in {_OWN, _FAR} and distance[0] - distance.min() > max(1.0, 3 * float(course.random.max())):
        return Outcome.APPROACHED
    return Outcome.ALONG
