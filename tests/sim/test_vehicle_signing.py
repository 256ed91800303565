"""Signing at the vehicle's end, as pymavlink's own ground side sees it."""

import hashlib
import time
from types import SimpleNamespace

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

from sim.vehicle_signing import Signer
from tests.sim.mav_client import Client, fleet

KEY = hashlib.sha256(b"border").digest()
EPOCH_S = 1_420_070_400


def stamp(ahead_s=0.0):
    return int((time.time() + ahead_s - EPOCH_S) * 100_000)


class Signed(Client):
    """A client whose packets pymavlink signs; what comes is checked by pymavlink too."""

    def __init__(self, endpoint, key=KEY, *, timestamp=None, check=True, **more):
        self._key, self._stamp, self._check = key, timestamp, check
        super().__init__(endpoint, **more)

    def heartbeat(self):
        signing = self._mav.signing
        signing.timestamp = stamp() if self._stamp is None else self._stamp
        signing.secret_key, signing.sign_outgoing = self._key, True
        if not self._check:
            signing.allow_unsigned_callback = lambda *_: True
        super().heartbeat()


def answered(client, timeout_s=0.5):
    """Whether it answers a question at all."""
    client.send_param_read("WP_SPD" if client.estimator == 193 else "MPC_XY_CRUISE")
    try:
        client.wait("PARAM_VALUE", timeout_s=timeout_s)
    except AssertionError:
        return False
    return True


@pytest.mark.parametrize(("autopilot", "estimator"), [("ardupilot", 193), ("px4", 230)])
def test_only_what_is_signed_is_answered(autopilot, estimator):
    with fleet(signing_key=KEY, autopilot=autopilot) as endpoints:
        with Signed(endpoints[0], estimator=estimator) as client:
            assert answered(client, 10.0)
            assert client._mav.signing.goodsig_count > 0
            assert client._mav.signing.badsig_count == 0
        with Client(endpoints[0], estimator=estimator, sysid=250) as plain:
            assert not answered(plain)
        with Signed(
            endpoints[0], hashlib.sha256(b"other").digest(), check=False, sysid=249, estimator=estimator
        ) as wrong:
            assert not answered(wrong)


def test_a_forged_time_from_the_future_shuts_nobody_out():
    with fleet(signing_key=KEY) as endpoints:
        other = hashlib.sha256(b"other").digest()
        with Signed(endpoints[0], other, timestamp=stamp(1e6), check=False) as forger:
            assert not answered(forger)
        with Signed(endpoints[0]) as client:
            assert answered(client, 10.0)


def test_what_was_said_once_is_not_heard_again():
    with fleet(signing_key=KEY) as endpoints, Signed(endpoints[0]) as client:
        assert answered(client, 10.0)
        packet = mav.MAVLink_param_request_read_message(1, 1, b"RTL_ALT_M", -1).pack(client._mav)
        client._socket.sendto(packet, client._address)
        client.wait("PARAM_VALUE", where=lambda m: m.param_id == "RTL_ALT_M")
        client._socket.sendto(packet, client._address)
        assert "PARAM_VALUE" not in client.silent(0.5)


@pytest.mark.parametrize(("behind_s", "heard"), [(90.0, False), (30.0, True)])
def test_a_new_station_may_be_a_minute_behind_and_no_more(behind_s, heard):
    with fleet(signing_key=KEY) as endpoints, Signed(endpoints[0]) as client:
        assert answered(client, 10.0)
        late = mav.MAVLink(None, srcSystem=250, srcComponent=190)
        late.signing.secret_key, late.signing.sign_outgoing, late.signing.timestamp = KEY, True, stamp(-behind_s)
        client._socket.sendto(mav.MAVLink_param_set_message(1, 1, b"RTL_ALT_M", 4321.0, 9).pack(late), client._address)
        client.send_param_read("RTL_ALT_M")
        value = client.wait("PARAM_VALUE", where=lambda m: m.param_id == "RTL_ALT_M").param_value
        assert (value == 4321.0) is heard


def test_setup_signing_switches_it_on_and_then_needs_a_signature():
    with fleet() as endpoints:
        with Client(endpoints[0]) as client:
            assert answered(client, 10.0)
            client.send(mav.MAVLink_setup_signing_message(1, 1, list(KEY), stamp()))
            assert not answered(client)
            client.send(mav.MAVLink_setup_signing_message(1, 1, [0] * 32, 0))
            assert not answered(client)
        with Signed(endpoints[0], sysid=250) as signed:
            assert answered(signed, 10.0)
            signed.send(mav.MAVLink_setup_signing_message(1, 1, [0] * 32, 0))
        with Client(endpoints[0], sysid=249) as client:
            assert answered(client, 10.0)


@pytest.mark.parametrize(
    ("autopilot", "armed", "taken"),
    [("ardupilot", False, True), ("ardupilot", True, False), ("px4", False, False), ("px4", True, False)],
)
def test_an_armed_ardupilot_takes_no_key_and_px4_none_but_by_usb(autopilot, armed, taken):
    said = []
    signer = Signer(SimpleNamespace(armed=armed), autopilot, None, said.append)
    signer.set_up(SimpleNamespace(secret_key=KEY, initial_timestamp=7))
    assert (signer.key == KEY) is taken
    assert said == (["ERROR: Won't setup signing when armed"] if autopilot == "ardupilot" and armed else [])


@pytest.mark.parametrize(
    ("autopilot", "unsigned"),
    [
        ("ardupilot", {mav.MAVLINK_MSG_ID_RADIO_STATUS, mav.MAVLINK_MSG_ID_RADIO}),
        (
            "px4",
            {
                mav.MAVLINK_MSG_ID_RADIO_STATUS,
                mav.MAVLINK_MSG_ID_ADSB_VEHICLE,
                mav.MAVLINK_MSG_ID_COLLISION,
            },
        ),
    ],
)
def test_what_each_autopilot_takes_unsigned(autopilot, unsigned):
    signer = Signer(SimpleNamespace(armed=False), autopilot, KEY, print)
    assert {number for number in mav.mavlink_map if signer.accepts_unsigned(number)} == unsigned


def test_the_clock_never_goes_back():
    now = [EPOCH_S + 1000.0]
    signer = Signer(SimpleNamespace(armed=False), "px4", KEY, print, wall=lambda: now[0])
    one = signer.next()
    now[0] -= 500.0
    assert signer.next() == one + 1
    signer.heard(one + 1_000_000)
    assert signer.next() == one + 1_000_001


MINUTE = 60 * 100_000


def test_the_clock_of_ardupilot_stands_a_minute_ahead_of_its_key_until_the_gps_sets_it():
    """As ArduCopter 4.7-dev said over UDP: 60.00000 s, the same a minute later, 60 s more after a boot."""
    now = [EPOCH_S + 1000.0]
    signer = Signer(SimpleNamespace(armed=False), "ardupilot", None, print, wall=lambda: now[0])
    begin = 500 * 100_000
    signer.set_up(SimpleNamespace(secret_key=KEY, initial_timestamp=begin))
    assert signer.next() == begin + MINUTE + 1
    now[0] += 3000.0
    assert signer.next() == begin + MINUTE + 2
    signer.start_anew()
    assert signer.next() == begin + 2 * MINUTE + 3
    signer.fixed()
    assert signer.next() == 4000 * 100_000 + 1
    now[0] -= 3500.0
    signer.fixed()
    assert signer.next() == 4000 * 100_000 + 2


def frame(sysid, timestamp):
    sender = mav.MAVLink(None, srcSystem=sysid, srcComponent=190)
    sender.signing.secret_key, sender.signing.sign_outgoing, sender.signing.timestamp = KEY, True, timestamp
    return mav.MAVLink_heartbeat_message(6, 8, 0, 0, 4, 3).pack(sender)


def taken(packer, data):
    try:
        return packer.decode(bytearray(data)) is not None
    except mav.MAVError:
        return False


def test_after_a_boot_nothing_of_before_is_taken_and_no_more_than_sixteen_senders_are():
    signer = Signer(SimpleNamespace(armed=False), "ardupilot", None, print)
    packer = mav.MAVLink(None, srcSystem=1, srcComponent=1)
    signer.equip(packer)
    begin = stamp()
    signer.set_up(SimpleNamespace(secret_key=KEY, initial_timestamp=begin))
    # A sender that is new may be a minute behind the vehicle's clock, which is a minute ahead.
    assert not taken(packer, frame(250, begin - 100_000))
    assert taken(packer, frame(250, begin + 100_000))
    signer.start_anew()
    assert not taken(packer, frame(250, begin + 200_000))
    late = begin + 2 * MINUTE
    assert [taken(packer, frame(sysid, late)) for sysid in range(1, 19)] == [True] * 16 + [False] * 2
    assert taken(packer, frame(16, late + 10))
