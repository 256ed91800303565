"""One question, one answer: commands and parameters."""

from __future__ import annotations

import asyncio
import math
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot.dialect import ParamEncoding
from autopilot.errors import CommandError, ParameterError
from autopilot.link import Link
from autopilot.long_texts import Said
from autopilot.parameter_names import names_of
from autopilot.timing import Timing
from autopilot.wire import Message
from autopilot.words import command_name, command_words

__all__ = ["Exchange"]

_TRIES = 4
_ASKED = 7  # times for a parameter: of one that is absent nothing is said, and a quarter of all may be lost either way
_RETRY_S = 1.5
_REASONS_S = 1.0
_IN_PROGRESS_S = 60.0
_TEXTS_WALL_S = 0.1  # reasons travel as texts of their own, about the acknowledgement
_NAME_LENGTH = 16
_FLOAT32_RELATIVE = 1e-6

# Integer parameter types and their layout (MAV_PARAM_TYPE).
_INTEGERS = MappingProxyType(
    {
        mav.MAV_PARAM_TYPE_UINT8: "<Bxxx",
        mav.MAV_PARAM_TYPE_INT8: "<bxxx",
        mav.MAV_PARAM_TYPE_UINT16: "<Hxx",
        mav.MAV_PARAM_TYPE_INT16: "<hxx",
        mav.MAV_PARAM_TYPE_UINT32: "<I",
        mav.MAV_PARAM_TYPE_INT32: "<i",
    }
)


@dataclass(frozen=True, slots=True)
class Exchange:
    """Questions to one vehicle.

    Parameters
    ----------
    link, sysid, component
        Whom to ask.
    timing
        How long to wait.
    encoding
        How integer parameters travel.
    """

    link: Link
    sysid: int
    component: int
    timing: Timing
    encoding: ParamEncoding

    async def command(self, command: int, params: tuple[float, ...]) -> None:
        """COMMAND_LONG with up to seven parameters, until it is accepted. Raises CommandError."""
        await self._commanded(command, lambda confirmation: self._long(command, params, confirmation))

    def tell(self, command: int, params: tuple[float, ...]) -> None:
        """COMMAND_LONG once; no answer is awaited. Raises LinkError when the link was lost."""
        self.link.send(self._long(command, params, 0), self.sysid)

    def _long(self, command: int, params: tuple[float, ...], confirmation: int) -> Message:
        seven = (*params, *(0.0,) * (7 - len(params)))
        return mav.MAVLink_command_long_message(self.sysid, self.component, command, confirmation, *seven)

    async def command_int(
        self, command: int, params: tuple[float, ...], *, frame: int, x: int, y: int, z: float
    ) -> None:
        """COMMAND_INT with up to four parameters and a place (1e-7 degrees, metres). Raises CommandError."""
        four = (*params, *(0.0,) * (4 - len(params)))
        message = mav.MAVLink_command_int_message(self.sysid, self.component, frame, command, 0, 0, *four, x, y, z)
        await self._commanded(command, lambda _: message)

    async def _commanded(self, command: int, message: Message) -> None:
        clock = asyncio.get_running_loop().time
        said = Said()
        with self.link.mailbox(self.sysid, ("COMMAND_ACK", "STATUSTEXT")) as box:
            for confirmation in range(_TRIES):
                self.link.send(message(confirmation), self.sysid, everywhere=confirmation > 0)
                deadline = clock() + self.timing.retry_s(_RETRY_S)
                while (answer := await box.get(deadline - clock())) is not None:
                    if answer.get_type() == "STATUSTEXT":
                        said.take(answer, clock())
                    elif not self._answers(answer, command):
                        continue
                    elif answer.result == mav.MAV_RESULT_IN_PROGRESS:
                        deadline = clock() + self.timing.wall_s(_IN_PROGRESS_S)
                    elif answer.result == mav.MAV_RESULT_ACCEPTED:
                        return
                    else:
                        while (late := await box.get(_TEXTS_WALL_S)) is not None:
                            if late.get_type() == "STATUSTEXT":
                                said.take(late, clock())
                        raise self._refused(command, answer.result, said.texts())
        raise CommandError(
            f"{self.link.url} vehicle {self.sysid}: no answer to {command_name(command)} in {_TRIES} tries: "
            "check the link"
        )

    def _answers(self, answer: Message, command: int) -> bool:
        return (
            answer.command == command
            and answer.get_srcComponent() == self.component
            and answer.target_system in (0, self.link.system_id)
            and answer.target_component in (0, self.link.component_id)
        )

    def _refused(self, command: int, result: int, said: list[str]) -> CommandError:
        reasons = f"; it said: {' | '.join(dict.fromkeys(said))}" if said else ""
        return CommandError(
            f"{self.link.url} vehicle {self.sysid}: {command_name(command)}: {command_words(result)} "
            f"(MAV_RESULT {result}){reasons}",
            result,
        )

    async def prearm_reasons(self) -> tuple[str, ...]:
        """Ask why it would not arm; its warnings of the moment, each once. It may say nothing, or not know the command.

        ArduPilot and PX4 tell by themselves only now and then, PX4 only what has changed, and all of it when asked.
        """
        clock = asyncio.get_running_loop().time
        said = Said()
        with self.link.mailbox(self.sysid, ("STATUSTEXT",)) as box:
            self.ask_why()
            deadline = clock() + self.timing.retry_s(_REASONS_S)
            while (text := await box.get(deadline - clock())) is not None:
                said.take(text, clock())
        return tuple(dict.fromkeys(said.texts(most=mav.MAV_SEVERITY_WARNING)))

    def ask_why(self) -> None:
        """Have it tell what keeps it from arming; no answer is awaited."""
        self.tell(mav.MAV_CMD_RUN_PREARM_CHECKS, ())

    async def explained(self, error: CommandError) -> CommandError:
        """A refusal to arm, with the reasons that it did not give: PX4 says with it that there are some, not which."""
        if error.result is None:
            return error
        # ArduPilot says "Arm:" of what it says "PreArm:" of when it is asked.
        reasons = [one for one in await self.prearm_reasons() if one.split(": ", 1)[-1] not in str(error)]
        return CommandError(f"{error}; asked why: {' | '.join(reasons)}", error.result) if reasons else error

    async def read_parameter(self, name: str) -> float:
        """Value of a parameter, by whichever of its names the vehicle knows. Raises ParameterError."""
        _, value, _ = await self._read_parameter(name)
        return value

    def ask_parameter(self, name: str) -> None:
        """Ask for a parameter once; no answer is awaited. Raises LinkError when the link was lost."""
        self.link.send(self._question(name), self.sysid)

    def _question(self, name: str) -> Message:
        return mav.MAVLink_param_request_read_message(self.sysid, self.component, _encoded_name(name), -1)

    async def _read_parameter(self, name: str) -> tuple[str, float, int]:
        missing = f"vehicle {self.sysid} has no parameter {name}, or does not answer"
        return await self._parameter({one: self._question(one) for one in names_of(name)}, missing)

    async def write_parameter(self, name: str, value: float) -> float:
        """Write a parameter, by the name that the vehicle has for it, and return the value that it then holds.

        Raises
        ------
        ParameterError
            When there is none of that name, or it did not take the value.
        """
        name, _, kind = await self._read_parameter(name)
        message = mav.MAVLink_param_set_message(
            self.sysid, self.component, _encoded_name(name), self._to_wire(value, kind, name), kind
        )
        missing = f"vehicle {self.sysid} does not answer when {name} is set"
        _, now, _ = await self._parameter({name: message}, missing, lambda now: _same(now, value))
        if not _same(now, value):
            raise ParameterError(
                f"{self.link.url} vehicle {self.sysid}: {name} was set to {value:g} and is {now:g}: "
                "give a value in its range"
            )
        return now

    async def _parameter(
        self, questions: Mapping[str, Message], missing: str, wanted: Callable[[float], bool] = lambda _: True
    ) -> tuple[str, float, int]:
        """Name, value and MAV_PARAM_TYPE of the first that is answered: of one that is absent nothing is said.

        Another value than is wanted may be a late answer to an earlier question: it counts once it is said to a second.
        """
        clock = asyncio.get_running_loop().time
        other: tuple[str, float, int] | None = None
        with self.link.mailbox(self.sysid, ("PARAM_VALUE",)) as box:
            for number in range(_ASKED):
                for message in questions.values():
                    self.link.send(message, self.sysid, everywhere=number > 0)
                deadline = clock() + self.timing.retry_s(_RETRY_S)
                while (answer := await box.get(deadline - clock())) is not None:
                    name, value = self.parameter_in(answer)
                    if answer.get_srcComponent() == self.component and name in questions:
                        other = name, value, answer.param_type
                        if wanted(value):
                            return other
                if other is not None and number > 0:
                    return other
        raise ParameterError(f"{self.link.url} {missing}: check the name and the autopilot's version")

    def parameter_in(self, answer: Message) -> tuple[str, float]:
        """Name and value of a PARAM_VALUE."""
        return _decoded_name(answer.param_id), self._from_wire(answer.param_value, answer.param_type)

    def _from_wire(self, value: float, kind: int) -> float:
        layout = _INTEGERS.get(kind)
        if layout is None or self.encoding is ParamEncoding.CAST:
            return float(value)
        return float(struct.unpack(layout, struct.pack("<f", value))[0])

    def _to_wire(self, value: float, kind: int, name: str) -> float:
        layout = _INTEGERS.get(kind)
        if layout is None or self.encoding is ParamEncoding.CAST:
            return value
        try:
            packed = struct.pack(layout, round(value))
        except struct.error as error:
            raise ParameterError(f"{name}: {value:g} does not fit the parameter's type: {error}") from None
        return float(struct.unpack("<f", packed)[0])


def _same(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=_FLOAT32_RELATIVE, abs_tol=_FLOAT32_RELATIVE)


def _encoded_name(name: str) -> bytes:
    if not (name.isascii() and 0 < len(name) <= _NAME_LENGTH):
        raise ParameterError(f"{name!r} is no parameter name: give 1 to {_NAME_LENGTH} ASCII characters")
    return name.encode()


def _decoded_name(name: str | bytes) -> str:
    text = name if isinstance(name, str) else name.decode(errors="replace")
    return text.rstrip("\0")
