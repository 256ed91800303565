"""One question, one answer: commands, and why a vehicle would not arm."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot.acknowledgements import Acknowledgements
from autopilot.errors import CommandError
from autopilot.link import Link
from autopilot.link_account import advice
from autopilot.long_texts import SAYING, Said
from autopilot.timing import Timing
from autopilot.wire import Message
from autopilot.words import command_name, command_words

__all__ = ["Exchange"]

_TRIES = 4
_REASONS_S = 1.0
_IN_PROGRESS_S = 60.0
_TEXTS_WALL_S = 0.1  # reasons travel as texts of their own, about the acknowledgement


@dataclass(slots=True)
class Exchange:
    """Questions to one vehicle.

    Parameters
    ----------
    link, sysid, component
        Whom to ask.
    timing
        How long to wait.
    """

    link: Link
    sysid: int
    component: int
    timing: Timing
    _acks: Acknowledgements = field(init=False)
    _heeded: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        self._acks = Acknowledgements(self.link, self.sysid, self.component, self.timing)

    def close(self) -> None:
        """Stop listening."""
        self._acks.close()

    async def command(self, command: int, params: tuple[float, ...], *, everywhere: bool = False) -> None:
        """COMMAND_LONG with up to seven parameters, until it is accepted. Raises CommandError.

        Parameters
        ----------
        command, params
            What is ordered.
        everywhere
            Over every channel from the first try on.
        """
        await self._commanded(command, lambda nth: self._long(command, params, nth), everywhere=everywhere)

    def tell(self, command: int, params: tuple[float, ...]) -> None:
        """COMMAND_LONG once; no answer is awaited. Raises LinkError when the link was lost."""
        self.link.send(self._long(command, params, 0), self.sysid)
        self._acks.told(command)

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

    async def _commanded(self, command: int, message: Callable[[int], Message], *, everywhere: bool = False) -> None:
        clock = asyncio.get_running_loop().time
        said, acks = Said(), self._acks
        with acks.order(command) as order, self.link.mailbox(self.sysid, ("COMMAND_ACK", *SAYING)) as box:
            for confirmation in range(_TRIES):
                self.link.send(message(confirmation), self.sysid, everywhere=everywhere or confirmation > 0)
                acks.sent(order)
                deadline = clock() + acks.retry_s
                while (answer := await box.get(deadline - clock())) is not None:
                    if answer.get_type() in SAYING:
                        said.take(answer, clock())
                    elif acks.is_at_work(order, answer):
                        deadline = clock() + self.timing.wall_s(_IN_PROGRESS_S)
                    elif not acks.is_of(order, answer):
                        continue
                    elif answer.result == mav.MAV_RESULT_ACCEPTED:
                        self._heeded = True
                        return
                    else:
                        while (late := await box.get(_TEXTS_WALL_S)) is not None:
                            if late.get_type() in SAYING:
                                said.take(late, clock())
                        raise self.refused(command, answer.result, said.texts())
        raise CommandError(
            f"{self.link.url} vehicle {self.sysid}: no answer to {command_name(command)} in {_TRIES} tries: "
            f"{advice(self.sysid, self.link.channels, heeded=self._heeded)}"
        )

    @contextmanager
    def second_thoughts(self, command: int) -> Iterator[list[int]]:
        """MAV_RESULT of each refusal of a command that comes while the context lasts.

        PX4 main of May 2026 accepts a change of mode as it comes in, and refuses it in a second acknowledgement.
        """
        refused: list[int] = []

        def take(answer: Message) -> None:
            if self._acks.refuses(command, answer):
                refused.append(answer.result)

        end = self.link.listen(take, sysid=self.sysid, types=("COMMAND_ACK",))
        try:
            yield refused
        finally:
            end()

    def refused(self, command: int, result: int, said: list[str]) -> CommandError:
        """The error of a refusal, with what was said about it."""
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
        with self.link.mailbox(self.sysid, SAYING) as box:
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
