"""Commands as a person runs them."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import pytest

import vedette
from tests.seen_before import SeenBefore


@dataclass(frozen=True)
class Ran:
    """What a command left: exit code, standard output, standard error without the colours."""

    code: int
    out: str
    err: str


@pytest.fixture
def run(monkeypatch, capsys) -> Callable[..., Ran]:
    """Run ``vedette ARGUMENTS`` in this process."""

    def call(*arguments: object) -> Ran:
        monkeypatch.setattr(sys, "argv", ["vedette", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            vedette.main()
        told = capsys.readouterr()
        return Ran(int(end.value.code or 0), told.out, told.err)

    return call


@pytest.fixture(scope="session")
def _seen_before() -> SeenBefore:
    return SeenBefore()


@pytest.fixture
def seen_before(_seen_before: SeenBefore) -> Iterator[SeenBefore]:
    """Pictures that were watched before, in this test or another that asks for it, need no network any more."""
    with _seen_before.noted():
        yield _seen_before


@pytest.fixture(scope="session")
def walker(shared_data, tmp_path_factory) -> Path:
    """The 22 s of a recording in which somebody comes, walks over the line x = 384 after 8 s, and goes."""
    whole = shared_data("videos/intel_one-by-one-person-detection.mp4")
    path = tmp_path_factory.mktemp("walker") / whole.name
    with av.open(str(whole)) as source, av.open(str(path), "w") as cut:
        cut.metadata.update(source.metadata)
        (video,) = source.streams.video
        to = cut.add_stream_from_template(video)
        begin, end = (round(at_s / video.time_base) for at_s in (68, 90))
        source.seek(begin, stream=video)  # a picture that stands alone
        for packet in source.demux(video):
            if packet.pts is None or packet.dts >= end:
                break
            packet.pts, packet.dts, packet.stream = packet.pts - begin, packet.dts - begin, to
            cut.mux(packet)
    return path
