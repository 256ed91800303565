"""One simulated vehicle on the wire: MAVLink 2 in, MAVLink 2 out, around a `Flight`."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from math import inf, radians
from typing import Any

from pymavlink.dialects.v20 import ardupilotmega as mav

from sim.fault_play import FaultPlay
from sim.fleet_config import LOCKSTEP, MOTORS, FleetConfig
from sim.flight import Flight
from sim.flight_frame import FlightFrame
from sim.flight_ground import Ground, opened
from sim.flight_state import Event, Mode, Reached, Setup, Severity, Text
from sim.flight_tasks import Vector
from sim.protocol_commands import carry_out, item_from_int, item_from_long
from sim.protocol_files import Disk
from sim.protocol_ftp import FtpServer
from sim.protocol_gimbal import GIMBAL_MESSAGES, take_gimbal
from sim.protocol_order import Order
from sim.protocol_params import parameter_table
from sim.protocol_streams import DATA_STREAMS, Snapshot
from sim.protocol_terrain import check_terrain, take_terrain
from sim.protocol_transfer import Peer, Transfer, wall_timer_s
from sim.vehicle_checks import CheckTeller
from sim.vehicle_lists import Storage, make_lists
from sim.vehicle_missions import LIST_MESSAGES, take_item, take_list_message
from sim.vehicle_params import ParamDesk
from sim.vehicle_peers import Address, Channel, Peers
from sim.vehicle_reached import ReachedTeller, last_of_each_step
from sim.vehicle_signing import Signer
from sim.vehicle_sticks import StickTaker
from sim.vehicle_targets import take_local_target, take_target

__all__ = ["Vehicle"]

_IDLE_FLOOR_WALL_S = 5.0
_FILMS = frozenset({mav.MAV_CMD_VIDEO_START_CAPTURE, mav.MAV_CMD_VIDEO_STOP_CAPTURE})
_REBOOT = 1.0  # of PREFLIGHT_REBOOT_SHUTDOWN; PX4 accepts 0, which asks for nothing
_GCS_FLOOR_S = 5.0
_TARGET_FLOOR_S = 0.5
_PEER_SILENT_S = 30.0
_TEXT_LENGTH = 50


class Vehicle:
    """A vehicle that answers whoever talks to it.

    Parameters
    ----------
    config
        The fleet.
    index
        Which one of it.
    send
        Sends bytes to an address.
    start_time_us
        UTC at power-on, microseconds since the Unix epoch.
    """

    def __init__(
        self, config: FleetConfig, index: int, send: Callable[[Address, bytes], None], start_time_us: int
    ) -> None:
        self.sysid = config.start_sysid + index
        self._dialect = config.dialect
        self.params = parameter_table(self.sysid, config.power, config.params, self._dialect)
        self._names = self._dialect.legacy_names if config.legacy_names else {}
        setup = _setup_of(config, index)
        self.flight = Flight(setup, self.params, [])
        self._config = config
        self._start_time_us = start_time_us
        self._now_s = 0.0
        refuse = partial(self.flight.say, Severity.WARNING)
        signer = self._signer = Signer(self.flight, config.autopilot, config.signing_key, refuse, self._utc_s)
        self._peers = Peers(
            self.sysid,
            self._dialect,
            self.params,
            names=self._names,
            stream_hz=config.stream_hz,
            # In lock-step a peer cannot speak while its own call lets an hour pass.
            forget_s=inf if config.clock == LOCKSTEP else _PEER_SILENT_S,
            send=send,
            snapshot=self._snapshot,
            equip=signer.equip,
        )
        self._gcs_heard_s: float | None = None
        self._gcs_lost = False
        self._steered_s = 0.0
        self._told_home: Vector | None = None
        self._was_landed = True
        self.faults = FaultPlay(config.faults, self.flight, motors=MOTORS.get(config.frame, 0), reboot=self.reboot)
        # Without faults the flight is stepped directly: a fleet of a hundred has no time to lose.
        self.step = self.faults.step if config.faults.all else self.flight.step
        self._reached = ReachedTeller(self._dialect.tells_again, 1.0 / config.stream_hz)
        self._storage = Storage(self.flight)
        self._transfers = make_lists(
            self.flight, config, self._storage, self.faults.refusal, new_mission=self._reached.forget
        )
        self._text_id = 0
        say = partial(self.flight.say, Severity.INFO)
        files = {kind: lists for kind, lists in self._transfers.items() if isinstance(lists, Transfer)}
        self._ftp = FtpServer(Disk(files), config.timer_speedup, self.params, say, config.dialect.tells_close)
        self._checks = CheckTeller(self.flight)
        self._sticks = StickTaker(self.flight, self.sysid, config.timer_speedup)
        self._handlers = self._taken_by(signer)
        if config.gcs is not None:
            self._peers.open(config.gcs, 0.0, keep=True)

    def _taken_by(self, signer: Signer) -> dict[int, Callable[[Channel, Any], None]]:
        """What takes messages, by their number."""
        return {
            mav.MAVLINK_MSG_ID_HEARTBEAT: self._on_heartbeat,
            mav.MAVLINK_MSG_ID_COMMAND_LONG: self._on_command,
            mav.MAVLINK_MSG_ID_COMMAND_INT: self._on_command,
            mav.MAVLINK_MSG_ID_SET_MODE: self._on_set_mode,
            **ParamDesk(self.params, self._dialect, self._names, self._peers).handlers,
            mav.MAVLINK_MSG_ID_RC_CHANNELS_OVERRIDE: self._on_sticks,
            mav.MAVLINK_MSG_ID_MANUAL_CONTROL: self._on_sticks,
            mav.MAVLINK_MSG_ID_REQUEST_DATA_STREAM: self._on_data_stream,
            mav.MAVLINK_MSG_ID_TIMESYNC: self._on_timesync,
            mav.MAVLINK_MSG_ID_PING: self._on_ping,
            mav.MAVLINK_MSG_ID_AUTOPILOT_VERSION_REQUEST: self._on_version_request,
            mav.MAVLINK_MSG_ID_LOG_REQUEST_LIST: self._on_log_list,
            mav.MAVLINK_MSG_ID_MISSION_ITEM_INT: self._on_item,
            mav.MAVLINK_MSG_ID_MISSION_ITEM: self._on_item,
            mav.MAVLINK_MSG_ID_MISSION_SET_CURRENT: self._on_set_current,
            mav.MAVLINK_MSG_ID_SET_POSITION_TARGET_GLOBAL_INT: self._on_target,
            mav.MAVLINK_MSG_ID_SET_POSITION_TARGET_LOCAL_NED: self._on_target,
            mav.MAVLINK_MSG_ID_FILE_TRANSFER_PROTOCOL: self._on_ftp,
            **dict.fromkeys(GIMBAL_MESSAGES[self._dialect.name], self._on_gimbal),
            mav.MAVLINK_MSG_ID_TERRAIN_DATA: self._on_terrain_data,
            mav.MAVLINK_MSG_ID_TERRAIN_CHECK: self._on_terrain_check,
            **dict.fromkeys(LIST_MESSAGES, self._on_mission),
            mav.MAVLINK_MSG_ID_SETUP_SIGNING: lambda _, message: signer.set_up(message),
        }

    # --- in --------------------------------------------------------------------------------------------------------

    def receive(self, address: Address, data: bytes, now_s: float) -> None:
        """Take bytes that came from an address."""
        self._now_s = now_s
        channel = self._peers.heard(address, now_s)
        for message in channel.packer.parse_buffer(data) or ():
            if message.get_msgId() < 0:
                continue
            target = getattr(message, "target_system", 0)
            handler = self._handlers.get(message.get_msgId())
            if handler is not None and target in (0, self.sysid):
                handler(channel, message)
        self._flush()

    def open(self, address: Address, now_s: float) -> None:
        """Speak to a peer that has connected."""
        self._now_s = now_s
        self._peers.open(address, now_s, keep=True)

    def close(self, address: Address) -> None:
        """Forget a peer whose connection has ended."""
        self._peers.close(address)

    def reboot(self) -> None:
        """Start the autopilot anew: it knows its peers' addresses, what it stored, and nothing else."""
        self._start_time_us += round(self.flight.time_s * 1e6)
        self.flight.reboot()
        self._storage.start_anew()
        for transfer in self._transfers.values():
            transfer.forget()
        self._ftp.forget()
        self._reached.forget()
        self._sticks.forget()
        self._checks = CheckTeller(self.flight)
        self._peers.start_anew(self._now_s)
        self._signer.start_anew()
        self._gcs_heard_s, self._gcs_lost, self._told_home = None, False, None

    def _utc_s(self) -> float:
        """What signatures are dated by, as those of ground stations: the wall at any speed, but for lock-step."""
        return self._config.start_us / 1e6 + self._now_s if self._config.clock == LOCKSTEP else time.time()

    def _peer(self, channel: Channel, message: Any) -> Peer:
        return Peer(message.get_srcSystem(), message.get_srcComponent(), lambda reply: self._peers.send(channel, reply))

    def _on_heartbeat(self, channel: Channel, message: Any) -> None:
        self._peers.hand_on(channel, bytes(message.get_msgbuf()))
        if self._dialect.failsafes.any_gcs:
            heard = message.type == mav.MAV_TYPE_GCS
        else:
            heard = message.get_srcSystem() == int(self.params["MAV_GCS_SYSID"])
        if heard:
            self._hear_gcs()

    def _hear_gcs(self) -> None:
        self._gcs_heard_s, self._gcs_lost = self._now_s, False

    def _on_sticks(self, _: Channel, message: Any) -> None:
        if self._sticks.take(message, self._now_s):
            self._hear_gcs()

    def _on_command(self, channel: Channel, message: Any) -> None:
        if self._dialect.films_apart and message.target_component == mav.MAV_COMP_ID_CAMERA:
            if message.command in _FILMS and message.target_system == self.sysid:
                self.flight.do(item_from_long(message, amsl=True))
                self._flush()
            return
        if not self._dialect.takes(message, self.sysid):
            return

        def send_now(kind: int) -> bool:
            return self._peers.send_kind(channel, kind)

        if message.get_msgId() == mav.MAVLINK_MSG_ID_COMMAND_LONG:
            item = item_from_long(message, amsl=self._dialect.amsl_commands)
        else:
            item = item_from_int(message, amsl=self._dialect.amsl_commands)
        source = message.get_srcSystem(), message.get_srcComponent()
        order = Order(item, channel.schedule, send_now, partial(self._peers.send, channel), source)
        control = self.flight.gimbal.control
        if self._dialect.takes_modes_twice and message.command == mav.MAV_CMD_DO_SET_MODE:
            taken = mav.MAV_RESULT_ACCEPTED
            self._peers.send(channel, mav.MAVLink_command_ack_message(message.command, taken, 0, 0, *order.source))
        result = carry_out(self.flight, order)
        self._flush()
        if message.command == mav.MAV_CMD_DO_SET_HOME and result == mav.MAV_RESULT_ACCEPTED:
            self._tell_home(again=True)
        self._peers.send(channel, mav.MAVLink_command_ack_message(message.command, result, 0, 0, *order.source))
        asked = message.command == mav.MAV_CMD_PREFLIGHT_REBOOT_SHUTDOWN and message.param1 == _REBOOT
        if asked and result == mav.MAV_RESULT_ACCEPTED:
            self.reboot()
            return
        if self.flight.gimbal.control != control:
            self._peers.show_all((mav.MAVLINK_MSG_ID_GIMBAL_MANAGER_STATUS,))

    def _on_set_mode(self, channel: Channel, message: Any) -> None:
        """ArduPilot acknowledges the message by its number, as if it were a command's; PX4 makes the command of it."""
        result = self._dialect.no_mode
        if message.base_mode & mav.MAV_MODE_FLAG_CUSTOM_MODE_ENABLED:
            mode = self._dialect.mode_of(message.custom_mode)
            done = mode is not None and self.flight.set_mode(mode)
            result = int(mav.MAV_RESULT_ACCEPTED) if done else self._dialect.refusal
        self._flush()
        source = message.get_srcSystem(), message.get_srcComponent()
        self._peers.send(channel, mav.MAVLink_command_ack_message(self._dialect.mode_ack, result, 0, 0, *source))

    def _on_set_current(self, channel: Channel, message: Any) -> None:
        if self.flight.set_current(message.seq + self._dialect.first):
            self._peers.send_kind(channel, mav.MAVLINK_MSG_ID_MISSION_CURRENT)

    def _on_target(self, _: Channel, message: Any) -> None:
        local = message.get_msgId() == mav.MAVLINK_MSG_ID_SET_POSITION_TARGET_LOCAL_NED
        take = take_local_target if local else take_target
        if take(self.flight, message):
            self._steered_s, self.flight.steering.heard = self._now_s, True

    def _on_ping(self, channel: Channel, message: Any) -> None:
        if message.target_system == 0:
            source = message.get_srcSystem(), message.get_srcComponent()
            self._peers.send(channel, mav.MAVLink_ping_message(message.time_usec, message.seq, *source))

    def _on_version_request(self, channel: Channel, _: Any) -> None:
        self._peers.send_kind(channel, mav.MAVLINK_MSG_ID_AUTOPILOT_VERSION)

    def _on_log_list(self, channel: Channel, _: Any) -> None:
        """It has no logs: one entry says so, as both autopilots have it."""
        self._peers.send(channel, mav.MAVLink_log_entry_message(0, 0, 0, 0, 0))

    def _on_timesync(self, channel: Channel, message: Any) -> None:
        if message.tc1 == 0:
            self._peers.send(channel, mav.MAVLink_timesync_message(round(self.flight.time_s * 1e9), message.ts1))

    def _on_data_stream(self, channel: Channel, message: Any) -> None:
        for kind in DATA_STREAMS.get(message.req_stream_id, ()):
            asked = bool(message.start_stop) and message.req_message_rate > 0
            if kind in self._dialect.silent:
                continue
            channel.schedule.set(kind, 1.0 / message.req_message_rate if asked else None)

    def _on_mission(self, channel: Channel, message: Any) -> None:
        take_list_message(self._transfers, self._peer(channel, message), message, self._now_s)

    def _on_ftp(self, channel: Channel, message: Any) -> None:
        self._ftp.take(self._peer(channel, message), channel.address, message.payload)

    def _on_item(self, channel: Channel, message: Any) -> None:
        take_item(self._transfers, self.flight, self._peer(channel, message), message, self._now_s)

    def _on_gimbal(self, _: Channel, message: Any) -> None:
        take_gimbal(self.flight, message, (message.get_srcSystem(), message.get_srcComponent()))

    def _on_terrain_data(self, _: Channel, message: Any) -> None:
        take_terrain(self.flight, message)

    def _on_terrain_check(self, channel: Channel, message: Any) -> None:
        self._peers.send(channel, check_terrain(self.flight, message))

    # --- out -------------------------------------------------------------------------------------------------------

    def pump(self, now_s: float) -> None:
        """Send what is due, run the timers; called between batches of steps."""
        self._now_s = now_s
        for transfer in self._transfers.values():
            transfer.update(now_s)
        self._ftp.update(now_s)
        self._watch_gcs()
        self._watch_targets()
        self._sticks.update(now_s)
        self._checks.update(now_s)
        self._flush()
        self._tell_landing()
        self._tell_home()
        again = self._reached.due(self.flight.time_s, now_s)
        if again is not None:
            self._peers.tell_all([mav.MAVLink_mission_item_reached_message(again)])
        self._peers.stream(self.flight.time_s, now_s)

    def _tell_home(self, *, again: bool = False) -> None:
        """Where home is, to everybody before the next heartbeat: once it has a position, and whenever it is moved.

        It is moved by an order, which tells it `again`, by PX4 as it has landed and disarmed, and by the crew.
        """
        home = self.flight.course.home.at
        if not self.flight.has_position or (home == self._told_home and not again):
            return
        first, self._told_home = self._told_home is None, home
        if first:
            self._signer.fixed()
        origin = (mav.MAVLINK_MSG_ID_GPS_GLOBAL_ORIGIN,) if first else ()
        self._peers.show_all((mav.MAVLINK_MSG_ID_HOME_POSITION, *origin))

    def _tell_landing(self) -> None:
        """Off the ground or on it again: told at once to those who are told of it at all.

        A vehicle may disarm seconds after it has landed, which in a fast simulation is before the next message is due.
        """
        if self.flight.landed == self._was_landed:
            return
        self._was_landed = self.flight.landed
        kinds = (mav.MAVLINK_MSG_ID_GLOBAL_POSITION_INT, mav.MAVLINK_MSG_ID_EXTENDED_SYS_STATE)
        self._peers.show_all(kinds, unasked=False)

    def _watch_gcs(self) -> None:
        figures = self.flight.params
        acts = bool(figures["FS_GCS_ENABLE"])
        self.flight.unheard = acts and self._dialect.wants_gcs and (self._gcs_lost or self._gcs_heard_s is None)
        if not acts or self._gcs_heard_s is None or self._gcs_lost:
            return
        silent_s = self._now_s - self._gcs_heard_s
        if silent_s > wall_timer_s(figures["FS_GCS_TIMEOUT"], _GCS_FLOOR_S, self._config.timer_speedup):
            self._gcs_lost = True
            self.flight.gcs_lost()

    def _watch_targets(self) -> None:
        steering = self.flight.steering
        if not steering.heard or steering.mode is not Mode.OFFBOARD:
            return
        most_s = wall_timer_s(self.flight.params["COM_OF_LOSS_T"], _TARGET_FLOOR_S, self._config.timer_speedup)
        if self._now_s - self._steered_s > most_s:
            steering.heard = False
            if self.flight.mode == Mode.OFFBOARD:
                self.flight.targets_lost()

    def _flush(self) -> None:
        """Events of the flight, to everybody."""
        events = list(self.flight.events)
        self.flight.events.clear()
        if self._dialect.tells_last:
            events = list(last_of_each_step(events))
        for event in events:
            self._peers.tell_all(self._event_messages(event))

    def _event_messages(self, event: Event) -> list[Any]:
        """A text of more than 50 characters goes in numbered parts of one id."""
        if isinstance(event, Reached):
            seq = event.seq - self._dialect.first
            self._reached.told(seq, self.flight.time_s, self._now_s)
            return [mav.MAVLink_mission_item_reached_message(seq)]
        assert isinstance(event, Text)
        text, severity = event.text.encode("ascii", "replace"), int(event.severity)
        if len(text) <= _TEXT_LENGTH:
            return [mav.MAVLink_statustext_message(severity, text)]
        self._text_id = self._text_id % 0xFFFF + 1
        parts = [text[at : at + _TEXT_LENGTH] for at in range(0, len(text) + 1, _TEXT_LENGTH)]
        return [mav.MAVLink_statustext_message(severity, part, self._text_id, n) for n, part in enumerate(parts)]

    def _snapshot(self) -> Snapshot:
        mission, fence, rally = (getattr(store, "list_id", 0) for store in self._transfers.values())
        kind = self._dialect.types[self._config.frame]
        return Snapshot(self.flight, kind, self._start_time_us, (mission, fence, rally))


def _setup_of(config: FleetConfig, index: int) -> Setup:
    """What the flight of a vehicle of a fleet is made of."""
    sysid = config.start_sysid + index
    lat, lon, home_amsl_m = config.home
    land = None if config.terrain is None else opened(config.terrain)
    if land is not None:
        # The first pad is where home is; the others lie as the ground does.
        home_amsl_m += Ground(land, FlightFrame(lat, lon)).at(index * config.pad_spacing_m, 0.0)
    return Setup(
        sysid=sysid,
        frame=FlightFrame(*FlightFrame(lat, lon).to_geodetic(index * config.pad_spacing_m, 0.0)),
        home_amsl_m=home_amsl_m,
        heading_rad=radians(config.heading_deg),
        boot=config.boot,
        power=config.power,
        wind=config.wind,
        seed=config.seed * 1000 + sysid,
        step_s=config.step_s,
        turnaround_s=config.turnaround_s,
        idle_floor_s=_IDLE_FLOOR_WALL_S * config.timer_speedup if config.timer_speedup > 1.0 else 0.0,
        record_dir=config.record_dir,
        dialect=config.dialect,
        terrain=land,
        terrain_on_card=config.terrain_on_card,
    )
