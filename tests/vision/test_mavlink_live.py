"""Poses of a vehicle in the air over real sockets: the same as out of a log of it, in time, and nothing guessed."""

import contextlib
import math
import socket
import threading
import time

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymavlink.dialects.v20 import ardupilotmega as mav

from tests.ports import free_port
from tests.vision.recordings import klv, write_video
from tests.vision.test_tlog import T0, device, flight, log, position
from vision import LivePoses, MetadataError, SourceError, open_source, read_tlog


class Vehicle:
    """Sends to a port of this machine; pairs of the vehicle's time and a message."""

    def __init__(self, port):
        self.to = ("127.0.0.1", port)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.packer = mav.MAVLink(None, srcSystem=1, srcComponent=1)
        self.system = 1

    def send(self, *messages, before=b""):
        self.packer.srcSystem = self.system
        for number, (_, message) in enumerate(sorted(messages, key=lambda m: m[0])):
            self.socket.sendto(before + message.pack(self.packer), self.to)
            if number % 20 == 19:  # no vehicle sends seconds at once, and what a socket's queue cannot hold is lost
                time.sleep(0.005)

    def heard(self):
        """Whether anybody answered."""
        self.socket.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            return self.socket.recv(1) is not None
        return False


@pytest.fixture
def vehicle():
    one = Vehicle(free_port())
    yield one
    one.socket.close()


def came(poses, time_us):
    """The pose at a time, asked for until all of its messages, and the vehicle's clock, have come."""
    until = time.monotonic() + 20
    while (found := poses.at(time_us)) is None and time.monotonic() < until:
        time.sleep(0.02)
    return found


@contextlib.contextmanager
def listening(vehicle, messages, **more):
    """Poses of a vehicle that sends these messages as soon as somebody listens."""
    with sending(vehicle, messages), LivePoses(f"udpin:127.0.0.1:{vehicle.to[1]}", **more) as poses:
        while poses._heard.newest_ms < max(ms for ms, message in messages if message.get_type() != "SYSTEM_TIME"):
            time.sleep(0.01)
        yield poses


@contextlib.contextmanager
def sending(*flights):
    """Pairs of vehicle and messages, sent once as soon as somebody listens at the vehicle's port."""
    vehicles, told = flights[::2], flights[1::2]

    stop = threading.Event()

    def send():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(vehicles[0].to)
            while not stop.wait(0.01):
                try:  # where nobody listens the system says so at the second
                    probe.send(b"?")
                    time.sleep(0.005)
                    probe.send(b"?")
                except ConnectionRefusedError:
                    continue
                break
            else:
                return
        for vehicle, messages in zip(vehicles, told, strict=True):
            vehicle.send(*messages)

    sender = threading.Thread(target=send)
    sender.start()
    try:
        yield
    finally:
        stop.set()
        sender.join()


def flown(seed):
    """A flight of three seconds that turns, climbs and looks about."""
    rng = np.random.default_rng(seed)
    yaw, pitch = rng.uniform(-180, 180), rng.uniform(-80, -20)
    return flight(yaw, lambda ms: device(ms, yaw / 3 + ms / 100, pitch + ms / 1000))


def same(a, b):
    if a is None or b is None or a.pose is None or b.pose is None:
        return (a is None or a.pose is None) == (b is None or b.pose is None)
    one, other = a.pose, b.pose
    apart = abs((one.yaw_deg - other.yaw_deg + 180) % 360 - 180)
    return (
        abs(one.lat_deg - other.lat_deg) < 1e-9
        and abs(one.altitude.metres - other.altitude.metres) < 1e-6
        and max(apart, abs(one.pitch_deg - other.pitch_deg), abs(one.roll_deg - other.roll_deg)) < 1e-6
    )


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 10_000))
def test_what_comes_is_what_a_log_of_it_holds(tmp_path, vehicle, seed):
    messages = flown(seed)
    recorded = read_tlog(log(tmp_path / "a.tlog", messages))
    with listening(vehicle, messages, patience_s=0.0) as poses:
        found = [(poses.at(T0 + ms * 1000), recorded.at(T0 + ms * 1000)) for ms in range(0, 3300, 77)]
    assert sum(live is not None and live.pose is not None for live, _ in found) > 30
    assert all(same(live, old) for live, old in found)
    assert not vehicle.heard()  # it only listens
    assert poses.notes[0].endswith("s from it")


def test_a_picture_waits_for_what_is_on_its_way_and_not_for_ever(vehicle):
    first, later = [m for m in flown(3) if m[0] < 1500], [m for m in flown(3) if m[0] >= 1500]
    with listening(vehicle, first, patience_s=30.0) as poses:
        sender = threading.Timer(0.3, vehicle.send, later)
        sender.start()
        start = time.monotonic()
        assert came(poses, T0 + 2_000_000).pose is not None
        assert 0.2 < time.monotonic() - start < 29
    sender.join()  # or the next would hear the rest of it
    with listening(vehicle, first, patience_s=0.3) as poses:
        start = time.monotonic()
        assert poses.at(T0 + 60_000_000) is None
        assert time.monotonic() - start > 0.2


def test_nothing_is_held_across_a_hole_or_before_the_beginning(vehicle):
    later = [(ms + 60_000, moved(message, 60_000)) for ms, message in flown(3)]
    with listening(vehicle, flown(3), patience_s=10.0) as poses:
        vehicle.send(*later)
        assert came(poses, T0 + 61_000_000).pose is not None
        assert poses.at(T0 + 30_000_000) is None
        assert poses.at(T0 - 10_000_000) is None


def moved(message, ms):
    """The same message, told so many milliseconds later in the vehicle's time."""
    told = mav.MAVLink(None).decode(bytearray(message.pack(mav.MAVLink(None, srcSystem=1))))
    told.time_boot_ms += ms
    if told.get_type() == "SYSTEM_TIME":
        told.time_unix_usec += ms * 1000
    return told


def test_a_vehicle_that_is_started_anew_is_followed_and_told(vehicle):
    late = [(ms + 100_000, moved(message, 100_000)) for ms, message in flown(3)]
    with listening(vehicle, late, patience_s=10.0) as poses:
        assert came(poses, T0 + 101_000_000).pose is not None
        vehicle.send(*flown(4)[1:], (50, mav.MAVLink_system_time_message(T0 + 500_050_000, 50)))
        assert came(poses, T0 + 501_000_000).pose is not None
        assert poses.at(T0 + 101_000_000) is None
        assert "was started anew 1 times" in poses.notes[-1]


def test_long_flights_do_not_fill_the_memory(vehicle):
    with listening(vehicle, flown(3), patience_s=10.0) as poses:
        for start in range(0, 200_000, 2_000):
            vehicle.send(*((start + ms, moved(message, start)) for ms, message in flown(3)[:30]))
            time.sleep(0.002)
        assert poses.at(T0 + 198_500_000) is not None
        assert sum(len(kept) for kept in (poses._heard.position, poses._heard.attitude, poses._heard.device)) < 4000
        assert len(poses._heard.stamps) <= 1000


def test_noise_among_the_messages_is_passed_over(vehicle):
    with listening(vehicle, flown(3), patience_s=10.0) as poses:
        vehicle.socket.sendto(bytes(range(256)), vehicle.to)
        vehicle.socket.sendto(b"\xfd" * 300, vehicle.to)
        vehicle.send(*((ms + 3000, moved(message, 3000)) for ms, message in flown(3)), before=b"\x00\x55")
        assert came(poses, T0 + 4_500_000).pose is not None


def test_over_tcp():
    packer = mav.MAVLink(None, srcSystem=1)
    data = b"".join(message.pack(packer) for _, message in sorted(flown(3), key=lambda m: m[0]))

    def serve(server):
        link, _ = server.accept()
        with link:
            for start in range(0, len(data), 37):  # messages come in pieces
                link.sendall(data[start : start + 37])

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, args=(server,))
        thread.start()
        with LivePoses(f"tcp:127.0.0.1:{server.getsockname()[1]}", patience_s=10.0) as poses:
            thread.join()
            assert came(poses, T0 + 2_000_000).pose is not None


def without(kind):
    return [m for m in flown(3) if m[1].get_type() != kind]


REFUSED = {
    "nothing": ([], {}, "nothing was heard in 0.4 s: have the vehicle's telemetry sent there"),
    "no place": (without("GLOBAL_POSITION_INT"), {}, "no vehicle tells its position .* heard are the systems 1"),
    "no gimbal": (without("GIMBAL_DEVICE_ATTITUDE_STATUS"), {}, "has no gimbal angles"),
    "no attitude": (without("ATTITUDE"), {}, "has no ATTITUDE"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_missing_is_said(vehicle, case):
    messages, more, message = REFUSED[case]
    with sending(vehicle, messages), pytest.raises(MetadataError, match=message):
        LivePoses(f"udpin:127.0.0.1:{vehicle.to[1]}", wait_s=0.4, **more)
    assert [thread.name for thread in threading.enumerate() if thread.name == "vedette-poses"] == []


def test_a_camera_fixed_to_the_airframe(vehicle):
    messages = without("GIMBAL_DEVICE_ATTITUDE_STATUS")
    with listening(vehicle, messages, attitude=(0.0, -60.0, 0.0), patience_s=0.0) as poses:
        assert came(poses, T0 + 1_000_000).pose is not None


def test_of_several_vehicles_one_is_chosen():
    one = Vehicle(free_port())
    seven = Vehicle(one.to[1])
    seven.system = 7
    address = f"udpin:127.0.0.1:{one.to[1]}"
    far = [(ms, position(ms, lat=45.0)[1] if m.get_type() == "GLOBAL_POSITION_INT" else m) for ms, m in flown(3)]
    with (
        sending(one, flown(3)[:3], seven, far),
        pytest.raises(MetadataError, match=r"has the vehicles 1, 7: choose one, as \?system=1"),
    ):
        LivePoses(address, wait_s=3.0).close()
    with sending(one, flown(3), seven, far), LivePoses(f"{address}?system=7", patience_s=10.0) as poses:
        assert came(poses, T0 + 1_000_000).pose.lat_deg == pytest.approx(45.0)
    one.socket.close()
    seven.socket.close()


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("udpin:127.0.0.1", "is no address of telemetry"),
        ("udpin:127.0.0.1:0", "is no address of telemetry"),
        ("udpin:127.0.0.1:99999", "is no address of telemetry"),
        ("udpin:14550", "is no address of telemetry"),
        ("udpin:127.0.0.1:14550?system=300", r"may stand \?system=N"),
        ("udpin:127.0.0.1:14550?speed=3", r"may stand \?system=N"),
        ("udpin:192.0.2.1:14550", "telemetry cannot be received there"),
    ],
)
def test_an_address_that_is_none(address, message):
    with pytest.raises(MetadataError, match=message):
        LivePoses(address)


def test_a_port_that_is_taken_or_where_nobody_serves(vehicle):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(MetadataError, match=r"cannot be received there \(Address already in use\)"):
            LivePoses(f"udp:127.0.0.1:{taken.getsockname()[1]}")
    with pytest.raises(MetadataError, match=r"cannot be received there \(Connection refused\)"):
        LivePoses(f"tcp://127.0.0.1:{free_port()}")


def timed(ms):
    """Metadata that tell the time alone."""
    nothing = dict.fromkeys(
        (
            *("platform_heading_deg", "platform_pitch_deg", "platform_roll_deg"),
            *("sensor_lat_deg", "sensor_lon_deg", "sensor_alt_m"),
            *("sensor_rel_az_deg", "sensor_rel_el_deg", "sensor_rel_roll_deg", "frame_center_elev_m"),
        )
    )
    return klv(T0 + ms * 1000, **nothing)


def test_pictures_get_the_pose_of_their_moment(vehicle, tmp_path):
    video = write_video(tmp_path / "a.ts", 15, telemetry=lambda n: timed(200 * n))
    recorded = read_tlog(log(tmp_path / "a.tlog", flown(5)))
    with sending(vehicle, flown(5)), open_source(video, pose=f"udpin:127.0.0.1:{vehicle.to[1]}") as source:
        assert source.has_pose
        frames = list(source)
    assert any("times are the vehicle's" in problem for problem in source.counts.problems)
    posed = [frame for frame in frames if frame.pose is not None]
    assert len(posed) >= 13
    for frame in posed:
        want = recorded.at(frame.time_us).pose
        assert frame.pose.lat_deg == pytest.approx(want.lat_deg, abs=1e-9)
        assert math.isclose(frame.pose.yaw_deg, want.yaw_deg, abs_tol=1e-6)
    assert [thread.name for thread in threading.enumerate() if thread.name == "vedette-poses"] == []


def test_a_video_without_a_time_of_day_cannot_be_matched(vehicle, tmp_path):
    video = write_video(tmp_path / "a.mp4", 5)
    with (
        listening(vehicle, flown(5)) as poses,
        pytest.raises(MetadataError, match="the poses carry times of day and the video none"),
    ):
        open_source(video, pose=poses)
    # What was opened for it is let go of where the video cannot be opened.
    with sending(vehicle, flown(5)), pytest.raises(SourceError):
        open_source(tmp_path / "absent.mp4", pose=f"udpin:127.0.0.1:{vehicle.to[1]}")
    assert [one.name for one in threading.enumerate() if one.name == "vedette-poses"] == []
