"""All parameters of a vehicle at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import islice

from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot.errors import ParameterError
from autopilot.mailbox import Mailbox
from autopilot.vehicle import Vehicle
from autopilot.wire import Message

__all__ = ["all_parameters"]

_QUIET_S = 1.5
_WINDOW = 16
_ROUNDS = 6  # in a row in which nothing new came
_RENUMBERED = 10  # times at most: a group that a setting switches on is another number once
_NO_INDEX = 0xFFFF  # of a value that was asked for by name
_MOST = 10_000  # several times as many as any autopilot has


async def all_parameters(vehicle: Vehicle, *, progress: Callable[[int, int], None] | None = None) -> dict[str, float]:
    """Every parameter of a vehicle: PARAM_REQUEST_LIST, then what was lost of it by number.

    Parameters
    ----------
    vehicle
        The vehicle.
    progress
        Called with how many came and how many there are.

    Returns
    -------
    dict
        Name to value, in the vehicle's order.

    Raises
    ------
    ParameterError
        When the vehicle stops answering before all are there, the message says how many lack; when it says another
        number of them again and again, or a number that no autopilot has; or when two of them have one name.
    LinkError
        When the link was lost.
    """
    table = _Table(vehicle, progress)
    idle = 0
    with vehicle.link.mailbox(vehicle.sysid, ("PARAM_VALUE",)) as box:
        table.ask()
        while True:
            came = await table.take(box)
            if table.whole:
                return table.values()
            if table.renumbered > _RENUMBERED:
                raise ParameterError(f"{vehicle}: says another number of its parameters again and again: update it")
            idle = 0 if came else idle + 1
            if idle == _ROUNDS:
                raise ParameterError(f"{vehicle}: {table.state()} came and no more: check the link")
            table.ask()


class _Table:
    """What came so far.

    Attributes
    ----------
    renumbered
        How often there was another number of them than before.
    """

    def __init__(self, vehicle: Vehicle, progress: Callable[[int, int], None] | None) -> None:
        self._vehicle = vehicle
        self._progress = progress
        self._found: dict[int, tuple[str, float]] = {}
        self._count: int | None = None
        self.renumbered = 0

    @property
    def whole(self) -> bool:
        return len(self._found) == self._count

    def values(self) -> dict[str, float]:
        values = dict(self._found[index] for index in sorted(self._found))
        if len(values) < len(self._found):
            count = len(self._found)
            raise ParameterError(f"{self._vehicle}: {count} parameters came under {len(values)} names: read them again")
        return values

    def state(self) -> str:
        return f"{len(self._found)} of {'its' if self._count is None else self._count} parameters"

    def ask(self) -> None:
        """For all while nothing is known, else for some of those that lack."""
        link, sysid, component = self._vehicle.link, self._vehicle.sysid, self._vehicle.component
        if self._count is None:
            link.send(mav.MAVLink_param_request_list_message(sysid, component), sysid)
            return
        for index in islice((i for i in range(self._count) if i not in self._found), _WINDOW):
            link.send(mav.MAVLink_param_request_read_message(sysid, component, b"", index), sysid)

    async def take(self, box: Mailbox) -> bool:
        """Take values in until all are there or none has come for a while; whether one came."""
        clock = asyncio.get_running_loop().time
        quiet_s = self._vehicle.timing.retry_s(_QUIET_S)
        deadline = clock() + quiet_s
        came = False
        while (
            not self.whole
            and self.renumbered <= _RENUMBERED
            and (answer := await box.get(deadline - clock())) is not None
        ):
            if answer.get_srcComponent() == self._vehicle.component and self._is_new(answer):
                came = True
                deadline = clock() + quiet_s
        return came

    def _is_new(self, answer: Message) -> bool:
        if answer.param_index == _NO_INDEX:
            return False
        if self._count is None or answer.param_count != self._count:
            # A parameter that switches a group on renumbers them all.
            self.renumbered += self._count is not None
            self._found, self._count = {}, int(answer.param_count)
        if self._count > _MOST:
            raise ParameterError(
                f"{self._vehicle}: says that it has {self._count} parameters; no more than {_MOST} are read: "
                "check what answers there"
            )
        if answer.param_index in self._found or answer.param_index >= self._count:
            return False
        self._found[answer.param_index] = self._vehicle.parameter_in(answer)
        if self._progress is not None:
            self._progress(len(self._found), int(answer.param_count))
        return True
