"""Parameters of one vehicle: asked for and set by name, and which it does not have.

Of a parameter that it lacks a vehicle says nothing (PX4 before 2026; ArduPilot before 4.7), or PARAM_ERROR. Nothing is
also what a lost message says. So each question goes out with another, for a parameter by its index, which every vehicle
has: where that is answered and the name is not, four times in a row, the name is absent. Whatever share of the messages
is lost, that is seen of a parameter that is there once in 256 times or less: (q (1 - q))^4 is never more than 1/4^4.
Those that are asked for side by side go out with an index each: an answer to another would end the wait for this one
early.
"""

from __future__ import annotations

import asyncio
import math
import struct
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot.dialect import ParamEncoding
from autopilot.errors import AbsentError, ParameterError
from autopilot.link import Link
from autopilot.pace import Pace
from autopilot.parameter_names import names_of
from autopilot.timing import Timing
from autopilot.wire import Message
from autopilot.words import parameter_error_words

__all__ = ["Parameters"]

_ASKED = 7  # times: a quarter of all may be lost either way
_SURE = 4  # times in a row from the first in which the other question alone was answered; then nothing is late either
_INDICES = 16  # that the other question takes in turn
_GRACE_WALL_S = 0.02  # at least, for the answer that comes after that of the other question
_AT_ONCE = 5  # names that are asked for side by side; each costs up to three of the 20 questions that ArduPilot queues
_NAME_LENGTH = 16
_FLOAT32_RELATIVE = 1e-6
_BY_NAME = -1

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


class Parameters:
    """Parameters of one vehicle.

    What it lacks is remembered until it boots anew, or has another number of parameters: a setting may switch on a
    group of them.

    Parameters
    ----------
    link, sysid, component
        Whom to ask.
    timing
        How long to wait.
    encoding
        How integer parameters travel.
    boots
        Tells how often it has booted since it was first heard (`Telemetry.boots`).
    """

    def __init__(
        self,
        link: Link,
        sysid: int,
        component: int,
        timing: Timing,
        *,
        encoding: ParamEncoding,
        boots: Callable[[], int],
    ) -> None:
        self._link, self._sysid, self._component = link, sysid, component
        self._encoding, self._boots = encoding, boots
        self._who = f"{link.url} vehicle {sysid}"
        self._has: dict[str, bool] = {}
        self._since: tuple[int, int | None] = (boots(), None)
        self._asked = 0
        self._pace = Pace(timing, timing.retry_floor_s)
        self._written: dict[str, tuple[float, float]] = {}  # value, and until when an earlier one may still come

    async def read(self, name: str) -> float:
        """Value of a parameter, by whichever of its names the vehicle knows.

        Raises
        ------
        AbsentError
            When the vehicle has none of that name.
        ParameterError
            When it does not answer, or says what is no number.
        """
        _, value, _ = await self._read(name)
        if not math.isfinite(value):
            raise ParameterError(f"{self._who}: {name} is {value}, which is no number: set it")
        return value

    async def look_up(self, names: Iterable[str]) -> None:
        """Find out side by side which parameters it has, of those of which that is not known yet."""
        self.look_back()
        unknown = [name for name in dict.fromkeys(map(_newest, names)) if name not in self._has]
        few = asyncio.Semaphore(_AT_ONCE)

        async def ask(name: str) -> None:
            async with few:
                try:
                    await self._read(name)
                except ParameterError:
                    return  # whoever needs it asks for it, and is told

        for name in unknown[:1]:
            await ask(name)  # from its answer on it is known how many indices there are
        await asyncio.gather(*(ask(name) for name in unknown[1:]))

    def ask(self, name: str) -> None:
        """Ask for a parameter once; no answer is awaited. Raises LinkError when the link was lost."""
        self._link.send(self._question(name), self._sysid)

    def _question(self, name: str) -> Message:
        return mav.MAVLink_param_request_read_message(self._sysid, self._component, _encoded_name(name), _BY_NAME)

    async def _read(self, name: str) -> tuple[str, float, int]:
        newest = _newest(name)
        answers = _Answers(self, {one: self._question(one) for one in names_of(name)}, self._is_new)
        self.look_back()
        answers.absent = not self._has.get(newest, True)
        if not answers.absent:
            self._asked += 1
            answers.index = self._asked % min(_INDICES, self._since[1] or 1)
            await self._converse(answers)
        if answers.found is not None:
            self._has[newest] = True
            return answers.found
        if answers.absent:
            self._has[newest] = False
            raise AbsentError(f"{self._who} has no parameter {name}: check the name and the autopilot's version")
        raise ParameterError(
            f"{self._who} has no parameter {name}, or does not answer: check the name and the autopilot's version"
        )

    async def write(self, name: str, value: float) -> float:
        """Write a parameter, by the name that the vehicle has for it, and return the value that it then holds.

        Raises
        ------
        ParameterError
            When there is none of that name, or it did not take the value.
        """
        name, _, kind = await self._read(name)
        message = mav.MAVLink_param_set_message(
            self._sysid, self._component, _encoded_name(name), self._to_wire(value, kind, name), kind
        )
        answers = _Answers(self, {name: message}, lambda _, now: _same(now, value))
        await self._converse(answers)
        self._written.pop(name, None)
        if answers.found is None:
            raise ParameterError(f"{self._who} does not answer when {name} is set: check the link")
        now = answers.found[1]
        if not _same(now, value):
            raise ParameterError(f"{self._who}: {name} was set to {value:g} and is {now:g}: give a value in its range")
        late_s = _SURE * self._pace.longest_s
        self._written[name] = now, asyncio.get_running_loop().time() + late_s
        return now

    def _is_new(self, name: str, value: float) -> bool:
        """Whether a value cannot be a late one, of before it was written."""
        written, until_s = self._written.get(name, (value, 0.0))
        return _same(written, value) or asyncio.get_running_loop().time() >= until_s

    async def _converse(self, answers: _Answers) -> None:
        """Ask until it is answered, or seen to be absent, or nothing more is to be hoped for.

        Another value than is wanted may be a late answer to an earlier question, which may have gone out several times:
        it counts once it is said after so long that none of those is under way any more.
        """
        clock = asyncio.get_running_loop().time
        messages = list(answers.questions.values())
        if answers.index is not None:
            messages.append(mav.MAVLink_param_request_read_message(self._sysid, self._component, b"", answers.index))
        with self._link.mailbox(self._sysid, ("PARAM_VALUE", "PARAM_ERROR")) as box:
            first = clock()
            for number in range(_ASKED):
                answers.found = None
                for message in messages:
                    self._link.send(message, self._sysid, everywhere=number > 0)
                others, took_s = answers.others, None
                deadline = clock() + self._pace.longest_s
                while not answers.settled and (answer := await box.get(deadline - clock())) is not None:
                    if answer.get_srcComponent() != self._component:
                        continue
                    answers.take(answer)
                    if answers.others == others + 1:
                        # What was asked for comes about as late, if it comes; this may be to the first question yet.
                        deadline = min(deadline, clock() + max(clock() - first, _GRACE_WALL_S))
                    took_s = clock() - first if took_s is None else took_s
                self._measure(took_s, number)
                answers.others = min(answers.others, number + 1)
                if answers.settled or (answers.found is not None and number >= _SURE - 1):
                    return
                if answers.others == number + 1 == _SURE:
                    answers.absent = True
                    return

    def _measure(self, took_s: float | None, number: int) -> None:
        """Take note of how long an answer took, if one came, to a question that was asked so often before."""
        if took_s is None:
            return
        if number:
            self._pace.answered_vaguely()
        else:
            self._pace.measured(took_s)

    def denied(self, answer: Message, name: str) -> bool:
        """Whether a PARAM_ERROR says to us that a name is not there. Raises ParameterError for any other reason."""
        if _decoded_name(answer.param_id) != name or answer.target_system not in (0, self._link.system_id):
            return False
        if answer.error == mav.MAV_PARAM_ERROR_DOES_NOT_EXIST:
            return True
        words = parameter_error_words(answer.error)
        raise ParameterError(f"{self._who}: {name}: {words} (MAV_PARAM_ERROR {answer.error})")

    def look_back(self, answer: Message | None = None) -> None:
        """Forget which it has where that may have changed: `answer` is a PARAM_VALUE of its, where one came."""
        now = self._boots(), self._since[1] if answer is None else int(answer.param_count)
        if now != self._since:
            self._has.clear()
        self._since = now

    def value_in(self, answer: Message) -> tuple[str, float]:
        """Name and value of a PARAM_VALUE."""
        return _decoded_name(answer.param_id), self._from_wire(answer.param_value, answer.param_type)

    def _from_wire(self, value: float, kind: int) -> float:
        layout = _INTEGERS.get(kind)
        if layout is None or self._encoding is ParamEncoding.CAST:
            return float(value)
        return float(struct.unpack(layout, struct.pack("<f", value))[0])

    def _to_wire(self, value: float, kind: int, name: str) -> float:
        layout = _INTEGERS.get(kind)
        if layout is None or self._encoding is ParamEncoding.CAST:
            return value
        try:
            packed = struct.pack(layout, round(value))
        except (struct.error, ValueError, OverflowError) as error:  # the last two of what is no number
            raise ParameterError(f"{name}: {value:g} does not fit the parameter's type: {error}") from None
        return float(struct.unpack("<f", packed)[0])


class _Answers:
    """What came of one question, which goes by all names of a parameter.

    Attributes
    ----------
    found
        Name, value and MAV_PARAM_TYPE, once a value came.
    settled
        Whether nothing more is to be asked.
    absent
        Whether none of the names is there.
    index
        Of the parameter that is asked for beside it; None where there is none.
    others
        How often that was told instead.
    """

    def __init__(self, of: Parameters, questions: Mapping[str, Message], wanted: Callable[[str, float], bool]) -> None:
        self._of, self.questions, self._wanted = of, questions, wanted
        self._denied: set[str] = set()
        self.found: tuple[str, float, int] | None = None
        self.settled = self.absent = False
        self.index: int | None = None
        self.others = 0

    def take(self, answer: Message) -> None:
        """Take in a PARAM_VALUE or a PARAM_ERROR of the vehicle. Raises ParameterError where it refuses."""
        if answer.get_type() == "PARAM_ERROR":
            self._denied |= {name for name in self.questions if self._of.denied(answer, name)}
            self.settled = self.absent = self._denied == set(self.questions)
            return
        self._of.look_back(answer)
        name, value = self._of.value_in(answer)
        if name in self.questions:
            self.found = name, value, answer.param_type
            self.settled = self._wanted(name, value)
        elif answer.param_index == self.index:
            self.others += 1


def _newest(name: str) -> str:
    return names_of(name)[0]


def _same(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=_FLOAT32_RELATIVE, abs_tol=_FLOAT32_RELATIVE)


def _encoded_name(name: str) -> bytes:
    if not (name.isascii() and 0 < len(name) <= _NAME_LENGTH):
        raise ParameterError(f"{name!r} is no parameter name: give 1 to {_NAME_LENGTH} ASCII characters")
    return name.encode()


def _decoded_name(name: str | bytes) -> str:
    text = name if isinstance(name, str) else name.decode(errors="replace")
    return text.rstrip("\0")
