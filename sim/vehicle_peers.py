"""Who a simulated vehicle talks with: each peer's parser, sequence numbers, streams and parameter download."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pymavlink.dialects.v20 import ardupilotmega as mav

from sim.dialect import Dialect
from sim.protocol_params import to_wire
from sim.protocol_streams import BUILDERS, Schedule, Snapshot

__all__ = ["Address", "Channel", "Peers"]

_COMPID = int(mav.MAV_COMP_ID_AUTOPILOT1)
_PARAMS_A_TURN = 10
_NO_INDEX = 65535

Address = Any


@dataclass(slots=True)
class Channel:
    """One peer: its parser and sequence numbers, its streams, its parameter download."""

    address: Address
    packer: Any
    schedule: Schedule
    keep: bool
    heard_s: float
    params: Iterator[str] = field(default_factory=lambda: iter(()))


class Peers:
    """The peers of one vehicle, and what is sent to them.

    Parameters
    ----------
    sysid, dialect, params
        Of the vehicle; parameters are read live.
    names
        Parameters by the names that they go under instead.
    stream_hz
        Most messages of one kind a second of the vehicle's clock.
    forget_s
        Seconds of the vehicle's clock after which a peer that is silent is forgotten.
    send
        Sends bytes to an address.
    snapshot
        Returns the vehicle at this moment.
    equip
        Makes a parser sign and check signatures.
    """

    def __init__(
        self,
        sysid: int,
        dialect: Dialect,
        params: dict[str, float],
        *,
        names: Mapping[str, str],
        stream_hz: float,
        forget_s: float,
        send: Callable[[Address, bytes], None],
        snapshot: Callable[[], Snapshot],
        equip: Callable[[Any], None],
    ) -> None:
        self._sysid = sysid
        self._dialect = dialect
        self._params = params
        self._names = names
        self._stream_hz = stream_hz
        self._forget_s = forget_s
        self._send_bytes = send
        self._snapshot = snapshot
        self._equip = equip
        self._channels: dict[Address, Channel] = {}

    def __iter__(self) -> Iterator[Channel]:
        return iter(list(self._channels.values()))

    def heard(self, address: Address, now_s: float) -> Channel:
        """The peer at an address, which has just been heard; a new one is taken up."""
        channel = self._channels.get(address) or self.open(address, now_s, keep=False)
        channel.heard_s = now_s
        return channel

    def open(self, address: Address, now_s: float, *, keep: bool) -> Channel:
        """Take up a peer, anew where it is known; whether it is kept however long it is silent."""
        packer = mav.MAVLink(None, srcSystem=self._sysid, srcComponent=_COMPID)
        packer.robust_parsing = True
        self._equip(packer)
        channel = Channel(address, packer, Schedule(self._stream_hz, self._dialect.streams), keep, now_s)
        self._channels[address] = channel
        return channel

    def close(self, address: Address) -> None:
        """Forget a peer."""
        self._channels.pop(address, None)

    def start_anew(self, now_s: float) -> None:
        """Know the addresses of the peers, and nothing else of them."""
        for channel in self:
            self.open(channel.address, now_s, keep=channel.keep)

    # --- out -------------------------------------------------------------------------------------------------------

    def stream(self, sim_s: float, now_s: float) -> None:
        """Send what is due, and forget who has been silent for long."""
        snapshot: Snapshot | None = None
        for channel in self:
            if not channel.keep and now_s - channel.heard_s > self._forget_s:
                self.close(channel.address)
                continue
            for kind in channel.schedule.due(sim_s, now_s):
                snapshot = snapshot or self._snapshot()
                self.send(channel, BUILDERS[kind](snapshot))
            for _, name in zip(range(_PARAMS_A_TURN), channel.params, strict=False):
                self.send_param(channel, name)

    def tell_all(self, messages: Iterable[Any]) -> None:
        """Send messages to everybody."""
        for message in messages:
            for channel in self:
                self.send(channel, message)

    def show_all(self, kinds: Iterable[int], *, unasked: bool = True) -> None:
        """Send kinds of message to everybody, or to those alone who get them as a stream."""
        kinds = tuple(kinds)
        for channel in self:
            for kind in kinds:
                if unasked or channel.schedule.interval_s(kind) is not None:
                    self.send_kind(channel, kind)

    def send_kind(self, channel: Channel, kind: int) -> bool:
        """Send one kind of message as it is now; False when there is none."""
        builder = None if kind in self._dialect.silent else BUILDERS.get(kind)
        message = None if builder is None else builder(self._snapshot())
        self.send(channel, message)
        return message is not None

    def send_param(self, channel: Channel, name: str, *, by_name: bool = False) -> None:
        """Send PARAM_VALUE of a parameter, which was asked for or set by its name, or not."""
        hidden = by_name and not self._dialect.numbers_named
        index = _NO_INDEX if hidden else list(self._params).index(name)
        wire_name = self._names.get(name, name).encode()
        kind = self._dialect.params[name].kind
        value = to_wire(self._params[name], kind, self._dialect)
        self.send(channel, mav.MAVLink_param_value_message(wire_name, value, kind, len(self._params), index))

    def hand_on(self, channel: Channel, packet: bytes) -> None:
        """Send everybody else what a peer has said to all.

        As ArduPilot does (MAVLink_routing.cpp, ``check_and_forward``), and PX4 on links that forward (MAV_0_FORWARD).
        """
        for other in self:
            if other is not channel:
                self._send_bytes(other.address, packet)

    def send(self, channel: Channel, message: Any) -> None:
        """Send a message to a peer; None is no message."""
        if message is None:
            return
        packer = channel.packer
        data = message.pack(packer)
        packer.seq = (packer.seq + 1) % 256
        self._send_bytes(channel.address, data)
