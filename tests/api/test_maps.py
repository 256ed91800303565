"""The operator's maps: what is listed, what is served and to whom; what is no map is left out."""

import dataclasses
import gzip
import json
import logging
import struct

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from api import Settings, SettingsError
from api.console.archives import ArchiveError, read_archive
from api.console.settings import ConsoleSettings
from tests.api.conftest import ON_SQLITE
from tests.asked import few

BALKANS = (19.0, 39.5, 27.25, 44.0)
TILES = bytes(range(256)) * 8


def varint(number):
    """An unsigned number in groups of seven bits, the lowest first."""
    groups = [number & 127]
    while number := number >> 7:
        groups.append(number & 127)
    return [*(each | 128 for each in groups[:-1]), groups[-1]]


def archive(metadata=None, *, kind=1, internal=2, packed=2, zooms=(0, 14), bounds=BALKANS, version=3, tiles=TILES):
    """The bytes of a PMTiles archive, field by field at the places that its specification names."""
    said = gzip.compress(json.dumps({} if metadata is None else metadata).encode(), mtime=0)
    root = gzip.compress(bytes([1, 0, 1, *varint(len(tiles)), 1]), mtime=0)  # one tile, that of the whole world
    header = bytearray(127)
    header[0:8] = b"PMTiles" + bytes([version])
    at = 127
    for place, length in ((8, len(root)), (24, len(said)), (40, 0), (56, len(tiles))):
        struct.pack_into("<QQ", header, place, at, length)
        at += length
    header[96:102] = bytes([1, internal, packed, kind, *zooms])
    struct.pack_into("<4i", header, 102, *(round(value * 1e7) for value in bounds))
    return bytes(header) + root + said + tiles


@pytest.fixture
def folder(service, tmp_path):
    """A folder of maps that the service looks into."""
    maps = tmp_path / "maps"
    maps.mkdir()
    state = service.app.state
    state.settings = dataclasses.replace(state.settings, console=ConsoleSettings(maps=maps))
    return maps


def listed(service):
    answer = service.ask("pilot", "GET", "/maps")
    assert answer.status_code == 200, answer.text
    return answer.json()


@ON_SQLITE
def test_maps_are_told_as_their_archives_say(service, folder):
    layers = [{"id": "roads"}, {"id": "water"}]
    (folder / "roads.pmtiles").write_bytes(archive({"attribution": "the ministry", "vector_layers": layers}))
    (folder / "air photographs 2026.pmtiles").write_bytes(archive(kind=3, packed=1, zooms=(8, 17)))
    (folder / "read me.txt").write_text("not a map")
    box = list(BALKANS)
    photographs = {"kind": "raster", "bounds": box, "minzoom": 8, "maxzoom": 17, "attribution": "", "layers": []}
    roads = {"kind": "vector", "bounds": box, "minzoom": 0, "maxzoom": 14, "attribution": "the ministry"}
    assert listed(service) == [
        {"name": "air photographs 2026", **photographs},
        {"name": "roads", **roads, "layers": ["roads", "water"]},
    ]
    (folder / "roads.pmtiles").unlink()  # maps come and go while the service runs
    assert [each["name"] for each in listed(service)] == ["air photographs 2026"]


@ON_SQLITE
def test_without_a_folder_there_are_no_maps(service):
    assert listed(service) == []
    assert service.ask("pilot", "GET", "/maps/roads").status_code == 404


@ON_SQLITE
def test_a_browser_takes_ranges(service, folder):
    whole = archive()
    (folder / "roads.pmtiles").write_bytes(whole)

    def ask(**headers):
        return service.ask("analyst", "GET", "/maps/roads", headers=headers)

    part = ask(Range="bytes=100-299")
    assert (part.status_code, part.content) == (206, whole[100:300])
    assert part.headers["Content-Range"] == f"bytes 100-299/{len(whole)}"
    assert ask().content == whole
    beyond = ask(Range=f"bytes={len(whole)}-{len(whole) + 9}")
    assert (beyond.status_code, beyond.headers["Content-Range"]) == (416, f"bytes */{len(whole)}")
    assert beyond.headers["Content-Type"] == "application/problem+json"
    several = ask(Range="bytes=0-1,4-5,8-9")
    assert "multipart" not in several.headers["Content-Type"]
    etag = part.headers["ETag"]
    (folder / "roads.pmtiles").write_bytes(archive(tiles=TILES * 2))
    assert ask(Range="bytes=0-9").headers["ETag"] != etag


@ON_SQLITE
@pytest.mark.parametrize(
    "name",
    [
        "../secret",
        "..%2Fsecret",
        "%2e%2e%2fsecret",
        ".hidden",
        "roads.pmtiles",
        "roads%00",
        "%2Fetc%2Fhostname",
        "*",
    ],
)
def test_nothing_leads_out_of_the_folder(service, folder, name):
    for path in (folder.parent / "secret.pmtiles", folder / ".hidden.pmtiles", folder / "roads.pmtiles"):
        path.write_bytes(archive())
    answer = service.ask("pilot", "GET", f"/maps/{name}")
    assert answer.status_code == 404
    assert b"PMTiles" not in answer.content


@ON_SQLITE
def test_who_is_not_logged_in_sees_no_map(service, folder):
    (folder / "roads.pmtiles").write_bytes(archive())
    assert [service.ask(None, "GET", path).status_code for path in ("/maps", "/maps/roads")] == [401, 401]


@ON_SQLITE
@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "no PMTiles archive"),
        (b"PMTiles\x03", "no PMTiles archive"),
        (b"SQLite format 3\0" + bytes(200), "no PMTiles archive"),
        (archive(version=2), "version 2"),
        (archive()[:-1], "cut off"),
        (archive(packed=3), "Brotli"),
        (archive(internal=4), "Zstandard"),
        (archive(kind=0), "type 0"),
        (archive(zooms=(9, 3)), "bounds or zooms"),
        (archive(bounds=(27.0, 39.0, 19.0, 44.0)), "bounds or zooms"),
        (archive(bounds=(19.0, 39.0, 27.0, 91.0)), "bounds or zooms"),
        (archive(internal=1), "metadata that cannot be read"),
        (archive({"name": "0" * (5 << 20)}), "more than 4 MiB"),
        (archive({"attribution": "\ud800"}), "no text"),
        (archive({"vector_layers": [{"id": "\udfff"}]}), "no text"),
    ],
)
def test_a_broken_file_is_left_out_and_the_log_says_why(service, folder, caplog, content, problem):
    (folder / "broken.pmtiles").write_bytes(content)
    (folder / "roads.pmtiles").write_bytes(archive())
    with caplog.at_level(logging.WARNING, "vedette.api"):
        assert [each["name"] for each in listed(service)] == ["roads"]
        listed(service)
    (said,) = [record.fields for record in caplog.records if record.message == "not a map"]
    assert said["file"] == "broken.pmtiles"
    assert problem in said["problem"]
    assert service.ask("pilot", "GET", "/maps/broken").status_code == 404


@given(cut=st.integers(0, 127), put=st.binary(max_size=40))
@example(cut=24, put=b"\xff" * 16)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=few(200))
def test_whatever_stands_in_a_header_is_read_or_refused(tmp_path, cut, put):
    whole = archive({"vector_layers": [{"id": "roads"}]})
    path = tmp_path / "some.pmtiles"
    path.write_bytes(whole[:cut] + put + whole[cut + len(put) :])
    refusal = None
    try:
        west, south, east, north = read_archive(path).bounds
    except ArchiveError as error:
        refusal = str(error)
    else:
        assert -180 <= west < east <= 180
        assert -90 <= south < north <= 90
    assert refusal is None or ":" in refusal  # what is wrong, and what to do


def test_a_folder_that_is_none_is_refused_at_the_start(tmp_path):
    with pytest.raises(SettingsError, match="no folder"):
        Settings(tmp_path, console=ConsoleSettings(maps=tmp_path / "maps"))
