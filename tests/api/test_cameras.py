"""What a camera sees: checked when it comes in, and told to a partner only where all of it may be told."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from api.canonical import canonical
from api.records.features import partner_feature
from api.records.types import TYPES
from api.release.schemas import AgreementTerms
from tests.api.samples import agreement_json, record_json
from tests.api.test_release import rectangle

CAMERA = {"azimuth_deg": 12.0, "elevation_deg": -30.0, "fov_deg": 40.0, "vfov_deg": 23.0, "range_m": 900.0}
PARTNER = "0" * 32
TAKEN = (
    "rtsp://camera.example/1",
    "rtsps://camera.example:322/north",
    "srt://camera.example:9000",
    "https://camera.example/live.m3u8",
    "rtsp://10.1.2.3/1",
)
REFUSED = (
    "http://camera.example/1",
    "javascript:alert(1)",
    "file:///etc/passwd",
    "rtsp://",
    "rtsp:///1",
    "rtsp://user@camera.example/1",
    "rtsp://user:word@camera.example/1",
    "rtsp://@camera.example/1",
    "srt://camera.example:9000?passphrase=word",
    "https://camera.example/live#token=word",
    "rtsp://camera.example:99999/1",
    "rtsp://[::1/1",
    "rtsp://camera.example/\n1",
    "rtsp://camera.example/ 1",
)
OUTSIDE = ("rtsp://camera.example/1", "rtsp://1.1.1.1/1", "rtsp://[2606:4700::1]/1", "rtsp://camera.example./1")
AMONG_US = (
    "rtsp://10.1.2.3/1",
    "rtsp://127.0.0.1/1",
    "rtsp://127.1/1",
    "rtsp://169.254.169.254/1",
    "rtsp://192.168.1.9/1",
    "rtsp://[::1]/1",
    "rtsp://[fd00::1]/1",
    "rtsp://[::ffff:10.1.2.3]/1",
    "rtsp://239.1.1.1/1",
    "rtsp://north-1/1",
    "rtsp://localhost./1",
    "rtsp://NORTH.LOCAL/1",
    "rtsp://nvr.lan/1",
    "rtsp://nvr.home.arpa/1",
)


def box(west, south, east, north):
    return rectangle(west, south, east, north)


def vehicle(**more):
    return record_json("vehicles") | more


def came_in(**more):
    return TYPES["vehicle"].model.model_validate_json(json.dumps(vehicle(**more)))


def shared(given, fields, area=None):
    terms = AgreementTerms.model_validate(agreement_json(PARTNER, records=["vehicle"], area=area))
    return partner_feature(TYPES["vehicle"], "a", given.document(), {}, fields=frozenset(fields), area=terms.bounds)[
        "properties"
    ]


def test_a_record_without_a_camera_is_kept_as_it_ever_was():
    """Or every vehicle that is delivered again would contradict what was stored before there were cameras."""
    before = vehicle() | {"time": "2026-01-01T10:00:00.000000Z", "update_time": "2026-01-01T10:00:00.000000Z"}
    usual = ("altitude_amsl_m", "heading_deg", "speed_m_s", "battery_left", "sortie")
    assert canonical(came_in().document()) == canonical(before | dict.fromkeys(usual))


@pytest.mark.parametrize("link", TAKEN)
def test_a_video_link_is_kept_as_it_was_given(link):
    assert came_in(video=link).document()["video"] == link


@pytest.mark.parametrize("link", REFUSED)
def test_a_video_link_holds_no_secret_and_leads_to_a_picture(link):
    with pytest.raises(ValidationError, match="video"):
        came_in(video=link)


@pytest.mark.parametrize(("links", "told"), [(OUTSIDE, True), (AMONG_US, False)])
def test_a_link_into_a_network_of_the_house_is_told_to_nobody_outside(links, told):
    for link in links:
        assert ("video" in shared(came_in(video=link), {"video", "position"})) is told, link


RING = [[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]


@pytest.mark.parametrize(
    ("rings", "word"),
    [
        ([[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]], "does not cross itself"),
        ([RING[:4]], "ends where it begins"),
        ([[[0, 0], [1, 1], [2, 2], [0, 0]]], "surface"),
        ([RING, RING], "at most 1"),
        ([[[0, 0], *([[1, 0], [1, 1]] * 100), [0, 0]]], "at most 200"),
    ],
)
def test_a_footprint_can_be_drawn_and_measured(rings, word):
    with pytest.raises(ValidationError, match=word):
        came_in(footprint={"type": "Polygon", "coordinates": rings})


@pytest.mark.parametrize(
    "change", [{"azimuth_deg": 360}, {"elevation_deg": 91}, {"fov_deg": 0}, {"vfov_deg": math.nan}]
)
def test_a_camera_looks_somewhere(change):
    with pytest.raises((ValidationError, ValueError)):
        came_in(camera=CAMERA | change)


edges = st.tuples(st.integers(0, 8), st.integers(1, 4), st.integers(0, 8), st.integers(1, 4)).map(
    lambda at: (at[0], at[2], at[0] + at[1], at[2] + at[3])
)


@given(
    seen=st.none() | edges,
    area=st.none() | edges,
    fields=st.sets(st.sampled_from(["camera", "video", "position", "status", "live"])),
    link=st.sampled_from([None, OUTSIDE[0], AMONG_US[0]]),
)
def test_what_a_camera_sees_is_told_only_while_all_of_it_lies_in_the_area(seen, area, fields, link):
    """Against a second telling, by the edges of rectangles."""
    record = came_in(
        camera=CAMERA, video=link, battery_left=0.5, mode="AUTO", link="good", footprint=seen and box(*seen)
    )
    told = shared(record, fields, area and box(*area))
    inside = area is None or (
        seen is not None
        and area[0] <= seen[0]
        and area[1] <= seen[1]
        and seen[2] <= area[2]
        and seen[3] <= area[3]
    )  # fmt: skip
    assert ("camera" in told) is ("camera" in fields and inside)
    assert ("footprint" in told) is ("camera" in fields and inside and seen is not None)
    assert ("video" in told) is ("video" in fields and inside and link == OUTSIDE[0])
    assert not {"battery_left", "mode", "link"} & set(told)  # of no agreement's business


@pytest.mark.parametrize("name", ["camera", "video", "live"])
def test_an_agreement_that_shares_what_tells_the_position_shares_the_position(name):
    with pytest.raises(ValidationError, match="would tell the position"):
        AgreementTerms.model_validate(agreement_json(PARTNER, fields=[name]))


def test_what_is_live_is_not_promised_later():
    with pytest.raises(ValidationError, match="cannot be held back"):
        AgreementTerms.model_validate(agreement_json(PARTNER, fields=["live", "position"], delay_s=1))
