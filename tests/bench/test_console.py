"""What the measurements of the console lean on, without a browser."""

import threading

import httpx
import pytest

from api import Settings, running
from bench import console
from bench.rows import BenchError


def test_what_failed_beside_a_measurement_fails_it():
    called = threading.Event()

    def stumble(turn):
        if turn == 2:
            called.set()
            raise OSError("the line is cut")

    with pytest.raises(BenchError, match="the line is cut"), console._repeated(stumble, 0.001):
        assert called.wait(30)


def test_all_that_flies_is_within_the_frame_that_both_maps_show_and_raises_no_alarm(tmp_path, monkeypatch):
    monkeypatch.setattr(console, "CROSSINGS", 10)
    with running(Settings(tmp_path / "service", port=0)) as service:
        console._fill(service)
        headers = {"Authorization": f"Bearer {service.admin.key}"}
        key = httpx.post(f"{service.url}/keys", json={"name": "a", "role": "analyst"}, headers=headers).json()["key"]

        def places(kind):
            answer = httpx.get(f"{service.url}/{kind}?limit=1000", headers={"Authorization": f"Bearer {key}"})
            return [feature["geometry"]["coordinates"] for feature in answer.raise_for_status().json()["features"]]

        (west_south, corner, east_north), vehicles = places("segments")[0], places("vehicles")
    assert len(vehicles) == console.VEHICLES
    assert corner == [east_north[0], west_south[1]]
    margin = 0.005  # degrees: no stand-off is so wide
    for lon, lat in vehicles:
        assert west_south[0] + margin < lon < east_north[0] - margin
        assert west_south[1] + margin < lat < east_north[1] - margin
