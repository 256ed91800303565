"""Behind ``vedette sim``: the world of a file, ground sensors in it, where their cues go, and the truth."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import sim
from geo import VedetteError

__all__ = ["Sensing", "SensingError", "sensing"]


class SensingError(VedetteError):
    """Options of the world and its sensors that do not go together."""


@dataclass(frozen=True, eq=False)
class Sensing:
    """A world and what is told of it.

    Parameters
    ----------
    world
        What moves.
    network
        The ground sensors; None for none.
    cues
        Where their messages go: an mqtt, mqtts, http or https address, or a file.
    truth
        Folder of the truth; None for none.
    key
        Of an HTTP service.
    """

    world: sim.World
    network: sim.SensorNetwork | None
    cues: str | None
    truth: Path | None
    key: str | None

    @property
    def home(self) -> str:
        """The origin of the world, as --home takes it."""
        return f"{self.world.lat_deg},{self.world.lon_deg},{self.world.ground_amsl_m}"

    @contextmanager
    def running(self, speedup: float, seed: int, tell: Callable[[str], None]) -> Iterator[None]:
        """Sensors listen while the context lasts, from the world's epoch on; then the truth is written.

        Parameters
        ----------
        speedup
            Simulated seconds a second.
        seed
            Of the sensors.
        tell
            Called with what became of the cues.
        """
        world, reports = self.world, list[sim.SensorReport]()
        sensors, custody = ((), None) if self.network is None else (self.network.sensors, self.network.custody)
        field = sim.SensorField(world, sensors, seed, custody=custody)
        courier = None if self.cues is None else sim.CueCourier(_sink(self.cues, self.key))

        def take(report: sim.SensorReport) -> None:
            if courier is not None:
                courier.put(report.message)
            if self.truth is not None and report.is_cue:
                reports.append(report)

        with ExitStack() as stack:
            if courier is not None:
                stack.callback(lambda: tell(_outcome(courier.close())))
            played = stack.enter_context(sim.play_sensors(field, world.epoch_us, speedup, take))
            yield
        if self.truth is not None and played() > world.epoch_us:
            sim.write_tracks(self.truth / "tracks.geojson", world, world.epoch_us, played())
            sim.write_cue_truth(self.truth / "cues.truth.jsonl", reports)
            tell(f"{len(world.actors)} tracks -> {self.truth}/tracks.geojson")


def sensing(
    world: Path | None, sensors: Path | None, cues: str | None, truth: Path | None, key: str | None
) -> Sensing | None:
    """What the options of ``vedette sim`` ask for; None where they ask for nothing.

    Raises
    ------
    SensingError
        When an option lacks another.
    SimError
        When a file cannot be used.
    """
    if world is None:
        if sensors is not None or truth is not None or cues is not None:
            raise SensingError("--sensors, --cues and --truth are about a world: give --world FILE")
        return None
    if (sensors is None) != (cues is None):
        raise SensingError("--sensors FILE and --cues mqtt://..., http://... or FILE go together: give both or neither")
    network = None if sensors is None else sim.load_sensors(sensors)
    return Sensing(sim.load_world(world, epoch_us=time.time_ns() // 1000), network, cues, truth, key)


def _sink(cues: str, key: str | None) -> sim.Sink:
    scheme = urlsplit(cues).scheme
    if scheme in {"mqtt", "mqtts"}:
        return sim.MqttSink(cues)
    if scheme in {"http", "https"}:
        return sim.HttpSink(cues, key=key)
    if "://" in cues:
        raise SensingError(f"--cues: {scheme}:// is not known: give mqtt://, mqtts://, http://, https:// or a file")
    return sim.FileSink(Path(cues))


def _outcome(count: sim.DeliveryCount) -> str:
    said = (
        f"messages of sensors: {count.delivered} delivered, {count.refused} refused, "
        f"{count.dropped} dropped for want of room, {count.waiting} left over"
    )
    return said if count.problem is None else f"{said}; {count.problem}"
