"""Where video comes from: told apart, and cameras at this machine read like streams."""

import itertools
import re
import time

import av
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from vision import Recorder, is_live, open_source
from vision.errors import EvidenceError, SourceError
from vision.location import Location, without_secrets


@pytest.mark.parametrize(
    ("text", "camera", "options"),
    [
        ("/dev/video0", "v4l2", {"timestamps": "abs"}),
        ("/dev/v4l/by-id/usb-cam-index0", "v4l2", {"timestamps": "abs"}),
        (
            "v4l2:/dev/video2?video_size=1280x720&input_format=mjpeg",
            "v4l2",
            {"timestamps": "abs", "video_size": "1280x720", "input_format": "mjpeg"},
        ),
        ("v4l2:/dev/video2?timestamps=default", "v4l2", {"timestamps": "default"}),
        ("avfoundation:0?framerate=30", "avfoundation", {"framerate": "30"}),
        ("dshow:video=USB Camera", "dshow", {}),
    ],
)
def test_cameras_at_this_machine(text, camera, options):
    found = Location.of(text)
    assert (found.camera, found.options, found.file, found.network) == (camera, options, None, False)
    assert is_live(text)


@given(st.text(st.characters(exclude_characters="\0"), min_size=1))
@example("video:1.mp4")
@example("lavfi://x")
@example("/dev/videos/a.mp4")
@example("a v4l2:/dev/video0")
def test_anything_else_is_a_file(text):
    assume(
        not re.match(
            r"(v4l2|avfoundation|dshow|x11grab|lavfi):|/dev/video[0-9]|/dev/v4l/|[a-z]+://", text, re.IGNORECASE
        )
    )
    assert Location.of(text).file is not None
    assert not is_live(text)


def test_addresses_are_streams_and_keep_their_secrets():
    for text in ("rtsp://a:b@host/x", "udp://1.2.3.4:5", "SRT://h:1?passphrase=tenletters"):
        found = Location.of(text)
        assert found.network
        assert found.file is found.camera is None
        assert "tenletters" not in found.name
        assert "a:b" not in found.name


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("rtsp://guard:s3cret@cam/1", "rtsp://***@cam/1"),
        ("rtsp://guard:p@s3cret@cam/1", "rtsp://***@cam/1"),
        ("rtsp://guard:s3cret@@cam:554?a=1", "rtsp://***@cam:554?a=1"),
        ("rtsp://cam/1?mail=a@b", "rtsp://cam/1?mail=a@b"),
        ("rtsp://cam/a@b", "rtsp://cam/a@b"),
        *(
            (f"rtsp://cam/1?user=a&{name}=s3cret&x=1", f"rtsp://cam/1?user=a&{name}=***&x=1")
            for name in (
                "pwd",
                "PASS",
                "passwd",
                "auth",
                "secret",
                "token",
                "access_token",
                "key",
                "api-key",
                "X-Signature",
            )
        ),
        ("srt://h:1?passphrase=s3@cret&pbkeylen=16", "srt://h:1?passphrase=***&pbkeylen=16"),
        ("http://cam/1?pass=s3#cret", "http://cam/1?pass=***"),
        ("udp://h:1?pkt_size=1316&fifo=9", "udp://h:1?pkt_size=1316&fifo=9"),
    ],
)
def test_no_name_of_a_stream_holds_its_password(told, kept):
    assert without_secrets(told) == Location.of(told).name == kept


def test_a_camera_is_opened_by_its_driver_with_its_options(monkeypatch):
    """There is no camera where tests run: what its driver is asked for is shown, and what a person is told."""
    asked = {}

    def opened(file, **how):
        asked.update(how, file=file)
        raise av.error.PermissionError(13, "Permission denied")

    monkeypatch.setattr(av, "open", opened)
    with pytest.raises(SourceError, match=r"/dev/video0: cannot be opened.*Permission denied.*you may read it"):
        open_source("/dev/video0")
    assert (asked["file"], asked["format"], asked["options"]) == ("/dev/video0", "v4l2", {"timestamps": "abs"})


def test_pictures_of_a_camera_have_the_time_of_this_machine():
    before_us = time.time_ns() // 1000
    with Recorder() as recorder:
        where = "lavfi:testsrc=size=320x256:rate=20,realtime"
        with open_source(where, recorder=recorder, decode="software") as source:
            assert source.live
            assert source.time_basis == "device"
            assert not source.time_is_relative
            frames = list(itertools.islice(source, 20))
            counts = source.counts
            # Pictures as the driver gives them, a hundred megabytes a second of them, are not kept.
            with pytest.raises(EvidenceError, match="not compressed"), recorder.recording(frames[-1].time_us, 1, 1):
                pass
    after_us = time.time_ns() // 1000
    times = [frame.time_us for frame in frames]
    # The first picture was there before its time is taken, by as long as it took to be decoded.
    assert before_us <= times[0] <= times[-1] <= after_us + 1_000_000
    assert {b - a for a, b in itertools.pairwise(times)} <= {50_000 * k for k in range(1, 40)}
    assert any("not compressed" in problem for problem in counts.problems)
