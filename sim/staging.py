"""A scenario along true flights: crossings and decoys where the cameras pass, and its recordings."""

from __future__ import annotations

import contextlib
import multiprocessing
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from geo import CameraModel, PoseSigma, locate
from sim.camera import MEASURED, FlightTrack, PoseNoise
from sim.errors import WorldError
from sim.klv import Platform, frame_packet
from sim.render import MODALITIES, Renderer
from sim.stage_moments import Moment, find_moments, spread
from sim.stage_plays import CROSSINGS, DECOYS, Play, Stage
from sim.video import Shot, write_video
from sim.video_truth import SIDES, TrueCrossing, TrueFrame, find_crossings, line_in_world, write_mot, write_truth
from sim.world import Actor, Road, World
from sim.world_truth import write_tracks

__all__ = ["Recording", "Scenario", "Window", "record", "stage"]


@dataclass(frozen=True, eq=False)
class Window:
    """One recording to be made.

    Parameters
    ----------
    name
        File name without suffix.
    play
        What happens in it.
    flight
        The flight whose camera records it.
    start_us, end_us
        Span, UTC microseconds since the Unix epoch.
    world
        What there is to see.
    seed
        Chooses the errors of the measured poses.
    """

    name: str
    play: str
    flight: FlightTrack
    start_us: int
    end_us: int
    world: World
    seed: int


@dataclass(frozen=True, eq=False)
class Scenario:
    """Windows of recording along a border, in order of time.

    Parameters
    ----------
    border_lonlat
        The border, (longitude, latitude) in degrees.
    own_side
        "left" or "right".
    camera
        The camera of every flight.
    windows
        The recordings to be made.
    """

    border_lonlat: tuple[tuple[float, float], ...]
    own_side: str
    camera: CameraModel
    windows: tuple[Window, ...]

    def crossings(self) -> list[TrueCrossing]:
        """Every crossing within the spans of the windows."""
        return [
            crossing
            for window in self.windows
            for crossing in find_crossings(
                window.world, self.border_lonlat, self.own_side, window.start_us, window.end_us
            )
        ]


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording on disk.

    Parameters
    ----------
    video, truth, mot, tracks
        The MPEG-TS file, its truth (.truth.json), its boxes as MOT text (.gt.txt), and the ways of the actors on the
        ground (.tracks.geojson).
    vehicle
        Name of the vehicle.
    sortie
        Number of its sortie.
    start_us, end_us
        Exposure of the first and the last frame, UTC microseconds since the Unix epoch.
    play
        What happens in it.
    """

    video: Path
    truth: Path
    mot: Path
    tracks: Path
    vehicle: str
    sortie: int
    start_us: int
    end_us: int
    play: str


def stage(
    border_lonlat: Sequence[tuple[float, float]],
    own_side: str,
    flights: Sequence[FlightTrack],
    camera: CameraModel,
    seed: int,
    *,
    crossings: int = 10,
    windows: int = 16,
    window_s: float = 14.0,
    patrol_pitch_deg: float = -57.0,
    ground_amsl_m: float = 1180.0,
) -> Scenario:
    """Place groups of people and vehicles where the cameras of true flights pass.

    Parameters
    ----------
    border_lonlat
        The border, (longitude, latitude), degrees.
    own_side
        "left" or "right" of its direction.
    flights
        True trajectories, as `read_record` gives them.
    camera
        The camera of every flight.
    seed
        Chooses everything.
    crossings
        How many crossings there are in all.
    windows
        How many recordings; those without crossings hold decoys or nobody.
    window_s
        Length of each, seconds.
    patrol_pitch_deg
        Pitch of the gimbal on patrol, degrees; elsewhere nothing is recorded.
    ground_amsl_m
        Elevation of the ground, metres AMSL.

    Raises
    ------
    WorldError
        When the side is unknown, the crossings do not fit the windows, or the flights offer too few moments.
    """
    if own_side not in SIDES:
        raise WorldError(f"own side {own_side!r} is unknown: give left or right")
    rng = np.random.default_rng([seed, 0x57A6E])
    plays = _programme(crossings, windows)
    half_s = window_s / 2
    found = [
        find_moments(
            flight,
            index,
            border_lonlat,
            camera,
            ground_amsl_m=ground_amsl_m,
            half_s=half_s,
            pitch_deg=patrol_pitch_deg,
        )
        for index, flight in enumerate(flights)
    ]
    moments = spread(found, windows, half_s, rng)
    made = [
        _window(
            border_lonlat,
            own_side,
            flights[moment.flight],
            moment,
            plays[number],
            half_s=half_s,
            ground_amsl_m=ground_amsl_m,
            key=(seed, number),
        )
        for number, moment in zip(rng.permutation(windows).tolist(), moments, strict=True)
    ]
    made.sort(key=lambda window: (window.start_us, window.flight.vehicle))
    return Scenario(tuple((float(lon), float(lat)) for lon, lat in border_lonlat), own_side, camera, tuple(made))


def _programme(crossings: int, windows: int) -> list[tuple[str, Play]]:
    """Plays for the windows whose crossings add up to the number asked for."""
    programme: list[tuple[str, Play]] = []
    left = crossings
    while left > 0:
        for name, play in CROSSINGS.items():
            if play.crossings <= left:
                programme.append((name, play))
                left -= play.crossings
    if crossings < 0 or len(programme) > windows:
        raise WorldError(f"{crossings} crossings take {len(programme)} windows of {windows}: ask for more windows")
    decoys = list(DECOYS.items())
    return programme + [decoys[i % len(decoys)] for i in range(windows - len(programme))]


def _window(
    border_lonlat: Sequence[tuple[float, float]],
    own_side: str,
    flight: FlightTrack,
    moment: Moment,
    play: tuple[str, Play],
    *,
    half_s: float,
    ground_amsl_m: float,
    key: tuple[int, int],
) -> Window:
    """The window about a moment, with the world of its play."""
    rng = np.random.default_rng([*key, 0x91A7])
    middle_us = flight.start_us + round(moment.time_s * 1e6)
    empty = World(moment.lat_deg, moment.lon_deg, ground_amsl_m, middle_us)
    line = line_in_world(empty, border_lonlat)
    along = float(locate(line, np.zeros((1, 2))).along_m[0])
    scene = Stage(line, 1.0 if own_side == "left" else -1.0, along)
    roles = play[1].act(scene, rng)
    first_id = 100 * key[1] + 1
    actors = tuple(
        Actor(first_id + i, role.kind, role.path, int(rng.integers(1 << 31))) for i, role in enumerate(roles)
    )
    roads = []
    if rng.random() < 0.6:
        beside = np.stack([np.linspace(-150, 150, 31), np.full(31, rng.uniform(6, 12))], axis=1)
        roads.append(Road(scene.at(beside), float(rng.uniform(2.5, 4))))
    world = World(
        moment.lat_deg,
        moment.lon_deg,
        ground_amsl_m,
        middle_us,
        actors,
        tuple(roads),
        int(rng.integers(1 << 31)),
        float(rng.uniform(0.3, 0.9)),
    )
    start_us = middle_us - round(half_s * 1e6)
    name = f"{flight.name}-sortie-{flight.sortie}-{round(moment.time_s):05d}"
    end_us = middle_us + round(half_s * 1e6)
    return Window(name, play[0], flight, start_us, end_us, world, int(rng.integers(1 << 31)))


def record(
    scenario: Scenario,
    out_dir: Path,
    *,
    fps: int = 5,
    modality: str = "thermal",
    sigma: PoseSigma = MEASURED,
    processes: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> list[Recording]:
    """Render the windows of a scenario to video with metadata and truth.

    Parameters
    ----------
    scenario
        What to record.
    out_dir
        Folder for <window>.ts, <window>.truth.json, <window>.gt.txt and <window>.tracks.geojson; made if absent.
    fps
        Frames a second.
    modality
        "thermal" or "day".
    sigma
        One-sigma errors of the poses in the metadata, which states them.
    processes
        How many windows are rendered at a time; the files are the same for any number.
    progress
        Called with the number of windows done and their total.

    Returns
    -------
    list of Recording
        In the order of the windows.

    Raises
    ------
    WorldError
        When the modality is unknown or the folder cannot be made.
    FileWriteError
        When a file cannot be written.
    """
    if modality not in MODALITIES or fps < 1:
        raise WorldError(f"recording in {modality!r} at {fps} frames a second: give thermal or day, and 1 or more")
    try:
        out_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WorldError(f"{out_dir} cannot be made: {error.strerror}") from error
    jobs = [_Job(scenario, window, out_dir, fps, modality, sigma) for window in scenario.windows]
    done: list[Recording] = []
    with contextlib.ExitStack() as stack:
        results: Iterable[Recording] = map(_record_window, jobs)
        if processes > 1:
            # Spawned, not forked: the caller may have threads.
            context = multiprocessing.get_context("spawn")
            pool = stack.enter_context(
                ProcessPoolExecutor(processes, context, initializer=cv2.setNumThreads, initargs=(1,))
            )
            results = pool.map(_record_window, jobs)
        for recording in results:
            done.append(recording)
            if progress is not None:
                progress(len(done), len(jobs))
    return done


@dataclass(frozen=True, eq=False)
class _Job:
    """A window to record, with all that it takes."""

    scenario: Scenario
    window: Window
    out_dir: Path
    fps: int
    modality: str
    sigma: PoseSigma


def _record_window(job: _Job) -> Recording:
    window, scenario = job.window, job.scenario
    frames: list[TrueFrame] = []
    video = job.out_dir / f"{window.name}.ts"
    write_video(video, _shots(job, frames), job.fps)
    crossings = find_crossings(
        window.world, scenario.border_lonlat, scenario.own_side, frames[0].time_us, frames[-1].time_us
    )
    truth, mot, tracks = (video.with_suffix(suffix) for suffix in (".truth.json", ".gt.txt", ".tracks.geojson"))
    write_truth(truth, video.name, frames, crossings, scenario.camera)
    write_mot(mot, frames)
    start_us, end_us = frames[0].time_us, frames[-1].time_us
    write_tracks(tracks, window.world, start_us, max(end_us, start_us + 1))
    flight = window.flight
    return Recording(video, truth, mot, tracks, flight.name, flight.sortie, start_us, end_us, window.play)


def _shots(job: _Job, frames: list[TrueFrame]) -> Iterator[Shot]:
    """Frames of a window; their truth is appended to `frames` as they are made."""
    window, camera = job.window, job.scenario.camera
    renderer = Renderer(window.world, camera, job.modality)
    noise = PoseNoise(job.sigma, window.seed)
    for number in range(round((window.end_us - window.start_us) * job.fps / 1e6)):
        time_us = window.start_us + round(number * 1e6 / job.fps)
        pose = window.flight.pose(time_us)
        rendered = renderer.frame(pose, time_us)
        frames.append(TrueFrame(time_us, rendered.boxes))
        heading, pitch, roll = window.flight.attitude(time_us)
        platform = Platform(window.flight.name, heading, pitch, roll, "LWIR" if job.modality == "thermal" else "EO")
        packet = frame_packet(
            time_us,
            camera,
            noise.measured(pose, time_us),
            platform,
            window.world.ground_amsl_m,
            sigma=job.sigma,
        )
        yield Shot(time_us, rendered.image, packet)
