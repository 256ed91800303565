"""Questions for parameters of a vehicle, and settings of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pymavlink.dialects.v20 import ardupilotmega as mav

from sim.dialect import Dialect
from sim.protocol_params import from_wire
from sim.vehicle_peers import Channel, Peers

__all__ = ["ParamDesk"]

# MAV_PARAM_ERROR of common.xml, which pymavlink's has not.
_TYPE_UNSUPPORTED, _TYPE_MISMATCH = 6, 7


class ParamDesk:
    """Answers for the parameters of one vehicle.

    Parameters
    ----------
    params, dialect
        The vehicle's; parameters are read and set live.
    names
        Parameters by the names that they go under instead.
    peers
        Who is answered, and told of what was set.

    Attributes
    ----------
    handlers
        What takes each message.
    """

    def __init__(self, params: dict[str, float], dialect: Dialect, names: Mapping[str, str], peers: Peers) -> None:
        self._params, self._dialect, self._names, self._peers = params, dialect, names, peers
        self.handlers: Mapping[int, Callable[[Channel, Any], None]] = {
            mav.MAVLINK_MSG_ID_PARAM_REQUEST_LIST: self._list,
            mav.MAVLINK_MSG_ID_PARAM_REQUEST_READ: self._read,
            mav.MAVLINK_MSG_ID_PARAM_SET: self._set,
        }

    def _list(self, channel: Channel, _: Any) -> None:
        channel.params = iter(list(self._params))

    def _read(self, channel: Channel, message: Any) -> None:
        names = list(self._params)
        if message.param_index >= 0:
            name = names[message.param_index] if message.param_index < len(names) else None
        else:
            name = self._known(message.param_id)
        if name is not None:
            self._peers.send_param(channel, name, by_name=message.param_index < 0)
        else:
            self._refuse(channel, message, message.param_index, mav.MAV_PARAM_ERROR_DOES_NOT_EXIST)

    def _set(self, channel: Channel, message: Any) -> None:
        name = self._known(message.param_id)
        if name is None:
            self._refuse(channel, message, -1, mav.MAV_PARAM_ERROR_DOES_NOT_EXIST)
            return
        kind = self._dialect.params[name].kind
        if self._dialect.bytewise and message.param_type != kind:
            known = message.param_type in (mav.MAV_PARAM_TYPE_INT32, mav.MAV_PARAM_TYPE_REAL32)
            self._refuse(channel, message, -1, _TYPE_MISMATCH if known else _TYPE_UNSUPPORTED)
            return
        value = from_wire(message.param_value, kind, self._dialect)
        if value is not None:
            self._params[name] = value
        elif self._refuse(channel, message, -1, mav.MAV_PARAM_ERROR_VALUE_OUT_OF_RANGE):
            return
        for each in [channel] if value is None else self._peers:
            self._peers.send_param(each, name, by_name=True)

    def _refuse(self, channel: Channel, message: Any, index: int, error: int) -> bool:
        """Say why nothing comes of a question for a parameter; whether this autopilot says so."""
        if self._dialect.names_absent:
            sender = message.get_srcSystem(), message.get_srcComponent()
            name = message.param_id.encode()
            self._peers.send(channel, mav.MAVLink_param_error_message(*sender, name, index, error))
        return self._dialect.names_absent

    def _known(self, given: str) -> str | None:
        modern = {old: new for new, old in self._names.items()}
        name = modern.get(given, given)
        return name if name in self._params and given not in self._names else None
