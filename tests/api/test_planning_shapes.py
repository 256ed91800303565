"""Map files over HTTP: read in a process of its own, which may die or go on for ever without harm to the service."""

import sys

import pytest

import missions
from api.planning import map_files
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
