"""Map files over HTTP: read in a process of its own, which may die or go on for ever without harm to the service."""

import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

import missions
from api.planning import map_files
from tests.api.conftest import ON_SQLITE
from tests.missions.test_map_shapes import BORDER


def read(service, data: bytes, who: str = "pilot"):
    return service.ask(who, "POST", "/plannings/shapes", content=data)


def test_a_border_of_another_program_is_given_back_as_geojson(service, tmp_path):
    missions.write_borders([BORDER], tmp_path / "border.kmz")
    answer = read(service, (tmp_path / "border.kmz").read_bytes())
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "application/geo+json"
    assert answer.json() == missions.read_map_shapes(tmp_path / "border.kmz")
    assert read(service, b"", "analyst").status_code == 403


def test_what_cannot_be_read_says_why_and_names_no_place_of_this_machine(service):
    answer = read(service, b"PK and no more")
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("map file: is not a whole")


@pytest.mark.parametrize(
    ("reader", "why"),
    [
        ("import time; time.sleep(60)", "was not read within 0.5 s"),
        ("import os; os.abort()", "ended with code -6"),
        ("raise MemoryError", "ended with code 1"),
    ],
)
def test_a_reader_that_dies_or_never_ends_is_told_of_as_a_file_that_cannot_be_used(service, monkeypatch, reader, why):
    monkeypatch.setattr(map_files, "_COMMAND", (sys.executable, "-c", reader))
    monkeypatch.setattr(map_files, "_LIMIT_S", 0.5 if "sleep" in reader else 60.0)
    answer = read(service, b"<kml/>")
    assert answer.status_code == 422
    assert why in answer.json()["detail"]


NOTHING = '{"type": "FeatureCollection", "features": [], "notes": []}'
TOO_MUCH = """
from api.planning import map_worker
map_worker.missions.read_map_shapes = lambda path: len(bytearray(5 << 30))  # as a small file that unfolds
raise SystemExit(map_worker.main())
"""
COUNTED = f"""
import pathlib, sys, time
folder = pathlib.Path(sys.argv[1])
mine = folder / (pathlib.Path(sys.argv[2]).parent.name + ".reads")
mine.touch()
until = time.monotonic() + 3  # for another one, which a busy machine may be slow to start
while time.monotonic() < until and len([*folder.glob("*.reads")]) < 2:
    time.sleep(0.01)
time.sleep(0.2)  # for a third
mine.with_suffix(".saw").write_text(str(len([*folder.glob("*.reads")])))
mine.unlink()
print({NOTHING!r})
"""


@ON_SQLITE
def test_a_reader_has_no_more_memory_than_it_was_given(service, monkeypatch):
    monkeypatch.setattr(map_files, "_COMMAND", (sys.executable, "-c", TOO_MUCH))
    answer = read(service, b"<kml/>")
    assert answer.status_code == 422, answer.text
    assert "damaged or too large" in answer.json()["detail"]


@ON_SQLITE
def test_two_files_are_read_at_once_and_the_others_wait_their_turn(service, tmp_path, monkeypatch):
    monkeypatch.setattr(map_files, "_COMMAND", (sys.executable, "-S", "-c", COUNTED, str(tmp_path)))
    with ThreadPoolExecutor(6) as people:
        answers = list(people.map(lambda _: read(service, b"<kml/>"), range(6)))
    assert [answer.status_code for answer in answers] == [200] * 6, answers[0].text
    saw = [int(path.read_text()) for path in tmp_path.glob("*.saw")]
    assert len(saw) == 6
    assert max(saw) == 2
