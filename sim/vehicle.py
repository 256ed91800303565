"""One simulated vehicle on the wire: MAVLink 2 in, MAVLink 2 out, around a `Flight`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from math import isfinite, radians
from typing import Any

from pymavlink.dialects.v20 import ardupilotmega as mav

from sim.fault_play import FaultPlay
from sim.fleet_config import MOTORS, FleetConfig
from sim.flight import Flight
from sim.flight_frame import FlightFrame
from sim.flight_items import Item
from sim.flight_state import Event, Reached, Setup, Severity, Text
from sim.protocol_commands import carry_out, order_from_int, order_from_long
from sim.protocol_files import Disk
from sim.protocol_ftp import FtpServer
from sim.protocol_params import from_wire, parameter_table, to_wire
from sim.protocol_streams import BUILDERS, DATA_STREAMS, Schedule, Snapshot
from sim.protocol_transfer import Peer, Transfer, wall_timer_s
from sim.protocol_transfer_px4 import Px4Transfer
from sim.vehicle_lists import make_lists
from sim.vehicle_signing import Signer

__all__ = ["Vehicle"]

_COMPID = int(mav.MAV_COMP_ID_AUTOPILOT1)
_PARAMS_A_TURN = 10
_IDLE_FLOOR_WALL_S = 5.0
_GCS_FLOOR_S = 5.0
_PEER_SILENT_S = 30.0
_GO_THERE = 2
_TEXT_LENGTH = 50
_MISSION_MESSAGES: dict[int, Callable[[Transfer | Px4Transfer, Peer, Any, float], None]] = {
    mav.MAVLINK_MSG_ID_MISSION_COUNT: lambda store, peer, m, now: store.count(peer, m.count, now),
    mav.MAVLINK_MSG_ID_MISSION_WRITE_PARTIAL_LIST: lambda store, peer, m, now: store.partial(
        peer, m.start_index, m.end_index, now
    ),
    mav.MAVLINK_MSG_ID_MISSION_REQUEST_LIST: lambda store, peer, _, now: store.request_list(peer, now),
    mav.MAVLINK_MSG_ID_MISSION_REQUEST_INT: lambda store, peer, m, now: store.request(
        peer, m.seq, as_float=False, wall_s=now
    ),
    mav.MAVLINK_MSG_ID_MISSION_REQUEST: lambda store, peer, m, now: store.request(
        peer, m.seq, as_float=True, wall_s=now
    ),
    mav.MAVLINK_MSG_ID_MISSION_CLEAR_ALL: lambda store, peer, _, __: store.clear(peer),
    mav.MAVLINK_MSG_ID_MISSION_ACK: lambda store, peer, _, __: store.cancel(peer),
}

Address = Any


@dataclass(slots=True)
class _Channel:
    """One peer: its parser and sequence numbers, its streams, its parameter download."""

    address: Address
    packer: Any
    schedule: Schedule
    keep: bool
    heard_s: float
    params: Iterator[str] = field(default_factory=lambda: iter(()))


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
        lat, lon, home_amsl_m = config.home
        pad = FlightFrame(lat, lon).to_geodetic(index * config.pad_spacing_m, 0.0)
        self._dialect = config.dialect
        self.params = parameter_table(self.sysid, config.power, config.params, self._dialect)
        self._names = self._dialect.legacy_names if config.legacy_names else {}
        setup = Setup(
            sysid=self.sysid,
            frame=FlightFrame(*pad),
            home_amsl_m=home_amsl_m,
            heading_rad=radians(config.heading_deg),
            boot=config.boot,
            power=config.power,
            wind=config.wind,
            seed=config.seed * 1000 + self.sysid,
            step_s=config.step_s,
            turnaround_s=config.turnaround_s,
            idle_floor_s=_IDLE_FLOOR_WALL_S * config.speedup if config.speedup > 1.0 else 0.0,
            record_dir=config.record_dir,
            dialect=self._dialect,
        )
        self.flight = Flight(setup, self.params, [])
        self._config = config
        self._send_bytes = send
        self._start_time_us = start_time_us
        self._channels: dict[Address, _Channel] = {}
        self._wall_s = 0.0
        self._gcs_heard_s: float | None = None
        self._gcs_lost = False
        self._had_position = False
        self._was_landed = True
        self.faults = FaultPlay(config.faults, self.flight, motors=MOTORS.get(config.frame, 0), reboot=self.reboot)
        # Without faults the flight is stepped directly: a fleet of a hundred has no time to lose.
        self.step = self.faults.step if config.faults.all else self.flight.step
        self._transfers = make_lists(self.flight, config, self.faults.refusal)
        self._text_id = 0
        say = partial(self.flight.say, Severity.INFO)
        files = {kind: lists for kind, lists in self._transfers.items() if isinstance(lists, Transfer)}
        self._ftp = FtpServer(Disk(files), config.speedup, self.params, say)
        self._handlers: dict[int, Callable[[_Channel, Any], None]] = {
            mav.MAVLINK_MSG_ID_HEARTBEAT: self._on_heartbeat,
            mav.MAVLINK_MSG_ID_COMMAND_LONG: self._on_command,
            mav.MAVLINK_MSG_ID_COMMAND_INT: self._on_command,
            mav.MAVLINK_MSG_ID_SET_MODE: self._on_set_mode,
            mav.MAVLINK_MSG_ID_PARAM_REQUEST_LIST: self._on_param_list,
            mav.MAVLINK_MSG_ID_PARAM_REQUEST_READ: self._on_param_read,
            mav.MAVLINK_MSG_ID_PARAM_SET: self._on_param_set,
            mav.MAVLINK_MSG_ID_REQUEST_DATA_STREAM: self._on_data_stream,
            mav.MAVLINK_MSG_ID_TIMESYNC: self._on_timesync,
            mav.MAVLINK_MSG_ID_MISSION_COUNT: self._on_mission,
            mav.MAVLINK_MSG_ID_MISSION_ITEM_INT: self._on_item,
            mav.MAVLINK_MSG_ID_MISSION_ITEM: self._on_item,
            mav.MAVLINK_MSG_ID_MISSION_REQUEST_LIST: self._on_mission,
            mav.MAVLINK_MSG_ID_MISSION_WRITE_PARTIAL_LIST: self._on_mission,
            mav.MAVLINK_MSG_ID_MISSION_REQUEST_INT: self._on_mission,
            mav.MAVLINK_MSG_ID_MISSION_REQUEST: self._on_mission,
            mav.MAVLINK_MSG_ID_MISSION_CLEAR_ALL: self._on_mission,
            mav.MAVLINK_MSG_ID_MISSION_ACK: self._on_mission,
            mav.MAVLINK_MSG_ID_MISSION_SET_CURRENT: self._on_set_current,
            mav.MAVLINK_MSG_ID_SET_POSITION_TARGET_GLOBAL_INT: self._on_target,
            mav.MAVLINK_MSG_ID_FILE_TRANSFER_PROTOCOL: self._on_ftp,
        }
        refuse = partial(self.flight.say, Severity.CRITICAL)
        self._signer = Signer(self.flight, config.autopilot, config.signing_key, refuse)
        self._handlers[mav.MAVLINK_MSG_ID_SETUP_SIGNING] = lambda _, message: self._signer.set_up(message)
        if config.gcs is not None:
            self._open(config.gcs, keep=True)

    # --- in --------------------------------------------------------------------------------------------------------

    def receive(self, address: Address, data: bytes, wall_s: float) -> None:
        """Take bytes that came from an address."""
        self._wall_s = wall_s
        channel = self._channels.get(address) or self._open(address, keep=False)
        channel.heard_s = wall_s
        for message in channel.packer.parse_buffer(data) or ():
            if message.get_msgId() < 0:
                continue
            target = getattr(message, "target_system", 0)
            handler = self._handlers.get(message.get_msgId())
            if handler is not None and target in (0, self.sysid):
                handler(channel, message)
        self._flush()

    def open(self, address: Address, wall_s: float) -> None:
        """Speak to a peer that has connected."""
        self._wall_s = wall_s
        self._open(address, keep=True)

    def close(self, address: Address) -> None:
        """Forget a peer whose connection has ended."""
        self._channels.pop(address, None)

    def reboot(self) -> None:
        """Start the autopilot anew: it knows its peers' addresses, what it stored, and nothing else."""
        self._start_time_us += round(self.flight.time_s * 1e6)
        self.flight.reboot()
        for transfer in self._transfers.values():
            transfer.forget()
        self._ftp.forget()
        for address, channel in list(self._channels.items()):
            self._open(address, keep=channel.keep)
        self._gcs_heard_s, self._gcs_lost, self._had_position = None, False, False

    def _open(self, address: Address, *, keep: bool) -> _Channel:
        packer = mav.MAVLink(None, srcSystem=self.sysid, srcComponent=_COMPID)
        packer.robust_parsing = True
        self._signer.equip(packer)
        channel = _Channel(address, packer, Schedule(self._config.stream_hz, self._dialect.streams), keep, self._wall_s)
        self._channels[address] = channel
        return channel

    def _peer(self, channel: _Channel, message: Any) -> Peer:
        return Peer(message.get_srcSystem(), message.get_srcComponent(), lambda reply: self._send(channel, reply))

    def _on_heartbeat(self, _: _Channel, message: Any) -> None:
        if self._dialect.failsafes.any_gcs:
            heard = message.type == mav.MAV_TYPE_GCS
        else:
            heard = message.get_srcSystem() == int(self.params["MAV_GCS_SYSID"])
        if heard:
            self._gcs_heard_s = self._wall_s
            self._gcs_lost = False

    def _on_command(self, channel: _Channel, message: Any) -> None:
        def send_now(kind: int) -> bool:
            return self._send_kind(channel, kind)

        if message.get_msgId() == mav.MAVLINK_MSG_ID_COMMAND_LONG:
            order = order_from_long(message, channel.schedule, send_now, amsl=self._dialect.amsl_commands)
        else:
            order = order_from_int(message, channel.schedule, send_now)
        result = carry_out(self.flight, order)
        self._flush()
        source = (message.get_srcSystem(), message.get_srcComponent())
        self._send(channel, mav.MAVLink_command_ack_message(message.command, result, 0, 0, *source))

    def _on_set_mode(self, _: _Channel, message: Any) -> None:
        mode = self._dialect.mode_of(message.custom_mode)
        if mode is not None:
            self.flight.set_mode(mode)

    def _on_set_current(self, channel: _Channel, message: Any) -> None:
        if self.flight.set_current(message.seq + self._dialect.first):
            self._send_kind(channel, mav.MAVLINK_MSG_ID_MISSION_CURRENT)

    def _on_target(self, _: _Channel, message: Any) -> None:
        frames = {5: 0, 6: 3, 0: 0, 3: 3}
        frame = frames.get(message.coordinate_frame)
        position_ignored = message.type_mask & 0b111
        if frame is None or position_ignored or not isfinite(message.alt):
            return
        item = Item(
            mav.MAV_CMD_DO_REPOSITION, frame, (0.0, 0.0, 0.0, 0.0), message.lat_int, message.lon_int, message.alt
        )
        self.flight.go_to(self.flight.course.point_of(item))

    def _on_timesync(self, channel: _Channel, message: Any) -> None:
        if message.tc1 == 0:
            self._send(channel, mav.MAVLink_timesync_message(round(self.flight.time_s * 1e9), message.ts1))

    def _on_data_stream(self, channel: _Channel, message: Any) -> None:
        for kind in DATA_STREAMS.get(message.req_stream_id, ()):
            asked = bool(message.start_stop) and message.req_message_rate > 0
            if kind in self._dialect.silent:
                continue
            channel.schedule.set(kind, 1.0 / message.req_message_rate if asked else None)

    def _on_param_list(self, channel: _Channel, _: Any) -> None:
        channel.params = iter(list(self.params))

    def _on_param_read(self, channel: _Channel, message: Any) -> None:
        names = list(self.params)
        if message.param_index >= 0:
            name = names[message.param_index] if message.param_index < len(names) else None
        else:
            name = self._known(message.param_id)
        if name is not None:
            self._send_param(channel, name)

    def _on_param_set(self, channel: _Channel, message: Any) -> None:
        name = self._known(message.param_id)
        if name is None:
            return
        value = from_wire(message.param_value, self._dialect.params[name].kind, self._dialect)
        if value is not None:
            self.params[name] = value
        for each in [channel] if value is None else list(self._channels.values()):
            self._send_param(each, name)

    def _known(self, given: str) -> str | None:
        modern = {old: new for new, old in self._names.items()}
        name = modern.get(given, given)
        return name if name in self.params and given not in self._names else None

    def _on_mission(self, channel: _Channel, message: Any) -> None:
        peer = self._peer(channel, message)
        transfer = self._transfers.get(message.mission_type)
        if transfer is not None:
            _MISSION_MESSAGES[message.get_msgId()](transfer, peer, message, self._wall_s)
        elif (
            message.mission_type == mav.MAV_MISSION_TYPE_ALL
            and message.get_msgId() == mav.MAVLINK_MSG_ID_MISSION_CLEAR_ALL
        ):
            for each in self._transfers.values():
                each.clear(peer)
        else:
            result = mav.MAV_MISSION_UNSUPPORTED
            peer.send(mav.MAVLink_mission_ack_message(peer.sysid, peer.compid, result, message.mission_type))

    def _on_ftp(self, channel: _Channel, message: Any) -> None:
        self._ftp.take(self._peer(channel, message), channel.address, message.payload)

    def _on_item(self, channel: _Channel, message: Any) -> None:
        """An item of an upload, or the older way to say: go there in GUIDED."""
        if message.get_msgId() == mav.MAVLINK_MSG_ID_MISSION_ITEM:
            message = _as_int(message)
        peer = self._peer(channel, message)
        item = _item(message)
        if message.current == _GO_THERE:
            done = self.flight.go_to(self.flight.course.point_of(item))
            result = mav.MAV_MISSION_ACCEPTED if done else mav.MAV_MISSION_ERROR
            peer.send(mav.MAVLink_mission_ack_message(peer.sysid, peer.compid, result, 0))
        elif message.mission_type in self._transfers:
            self._transfers[message.mission_type].item(peer, message.seq, item, self._wall_s)

    # --- out -------------------------------------------------------------------------------------------------------

    def pump(self, wall_s: float) -> None:
        """Send what is due, run the timers; called between batches of steps."""
        self._wall_s = wall_s
        for transfer in self._transfers.values():
            transfer.update(wall_s)
        self._ftp.update(wall_s)
        self._watch_gcs()
        self._flush()
        self._tell_landing()
        snapshot: Snapshot | None = None
        sim_s = self.flight.time_s
        for channel in list(self._channels.values()):
            if not channel.keep and wall_s - channel.heard_s > _PEER_SILENT_S:
                del self._channels[channel.address]
                continue
            for kind in channel.schedule.due(sim_s, wall_s):
                snapshot = snapshot or self._snapshot()
                self._send_message(channel, BUILDERS[kind](snapshot))
            for _, name in zip(range(_PARAMS_A_TURN), channel.params, strict=False):
                self._send_param(channel, name)
        if self.flight.has_position and not self._had_position:
            self._had_position = True
            for channel in self._channels.values():
                self._send_kind(channel, mav.MAVLINK_MSG_ID_HOME_POSITION)
                self._send_kind(channel, mav.MAVLINK_MSG_ID_GPS_GLOBAL_ORIGIN)

    def _tell_landing(self) -> None:
        """Off the ground or on it again: told at once to those who are told of it at all.

        A vehicle may disarm seconds after it has landed, which in a fast simulation is before the next message is due.
        """
        if self.flight.landed == self._was_landed:
            return
        self._was_landed = self.flight.landed
        for channel in self._channels.values():
            for kind in (mav.MAVLINK_MSG_ID_GLOBAL_POSITION_INT, mav.MAVLINK_MSG_ID_EXTENDED_SYS_STATE):
                if channel.schedule.interval_s(kind) is not None:
                    self._send_kind(channel, kind)

    def _watch_gcs(self) -> None:
        figures = self.flight.params
        if not figures["FS_GCS_ENABLE"] or self._gcs_heard_s is None or self._gcs_lost:
            return
        silent_s = self._wall_s - self._gcs_heard_s
        if silent_s > wall_timer_s(figures["FS_GCS_TIMEOUT"], _GCS_FLOOR_S, self._config.speedup):
            self._gcs_lost = True
            self.flight.gcs_lost()

    def _flush(self) -> None:
        """Events of the flight, to everybody."""
        events = list(self.flight.events)
        self.flight.events.clear()
        for event in events:
            for message in self._event_messages(event):
                for channel in self._channels.values():
                    self._send(channel, message)

    def _event_messages(self, event: Event) -> list[Any]:
        """A text of more than 50 characters goes in numbered parts of one id."""
        if isinstance(event, Reached):
            return [mav.MAVLink_mission_item_reached_message(event.seq - self._dialect.first)]
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

    def _send_kind(self, channel: _Channel, kind: int) -> bool:
        builder = None if kind in self._dialect.silent else BUILDERS.get(kind)
        message = None if builder is None else builder(self._snapshot())
        self._send_message(channel, message)
        return message is not None

    def _send_param(self, channel: _Channel, name: str) -> None:
        index = list(self.params).index(name)
        wire_name = self._names.get(name, name).encode()
        kind = self._dialect.params[name].kind
        value = to_wire(self.params[name], kind, self._dialect)
        self._send(channel, mav.MAVLink_param_value_message(wire_name, value, kind, len(self.params), index))

    def _send_message(self, channel: _Channel, message: Any) -> None:
        if message is not None:
            self._send(channel, message)

    def _send(self, channel: _Channel, message: Any) -> None:
        packer = channel.packer
        data = message.pack(packer)
        packer.seq = (packer.seq + 1) % 256
        self._send_bytes(channel.address, data)


def _item(message: Any) -> Item:
    params = (message.param1, message.param2, message.param3, message.param4)
    return Item(message.command, message.frame, params, message.x, message.y, message.z, bool(message.autocontinue))


def _as_int(message: Any) -> Any:
    """A MISSION_ITEM as MISSION_ITEM_INT: degrees to 1e-7 degrees; what is no place at all becomes out of range."""
    place = [round(v * 1e7) if isfinite(v) and abs(v) < 200.0 else 2_000_000_000 for v in (message.x, message.y)]
    return mav.MAVLink_mission_item_int_message(
        message.target_system, message.target_component, message.seq, message.frame, message.command,
        message.current, message.autocontinue, message.param1, message.param2, message.param3, message.param4,
        *place, message.z, message.mission_type,
    )  # fmt: skip
