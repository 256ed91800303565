"""One vehicle: what it is told, beside what it says (`Heard`)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from types import TracebackType
from typing import Self

from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot.dialect import Dialect, StepKind
from autopilot.dialects import dialect_of
from autopilot.errors import CommandError, LinkError, NotReadyError, VehicleState
from autopilot.exchange import Exchange
from autopilot.fence_loading import FenceLoading
from autopilot.heard import Heard
from autopilot.judged import check_judged
from autopilot.link import Link
from autopilot.parameters import Parameters
from autopilot.proof import Proof
from autopilot.standing import say_again
from autopilot.streams import Streams
from autopilot.telemetry import Telemetry
from autopilot.timing import Timing
from autopilot.transfer import Progress, Verified
from autopilot.wire import Message
from autopilot.words import MissionKind
from missions import Mission, MissionItem

__all__ = ["Vehicle"]

_ACCEPTED = mav.MAV_RESULT_ACCEPTED
_CONNECT_S = 10.0
_MODE_S, _MODE_TRIES = 10.0, 2
_TOLD_S = 2.5  # within this a vehicle has told its mode
_ARM_S = 10.0
_OLD_S = 2.0
_UNTOLD_S = 10.0
_PLACED_S = 10.0
_READY_S = 180.0  # EKF and GPS take 41 s after boot in ArduPilot's own simulator


class Vehicle(Heard):
    """A vehicle on a link. Made by `Vehicle.connect`; an async context manager.

    Attributes
    ----------
    link, sysid, component, dialect, timing
        Where it is, who it is and how it is spoken to.
    arm_ordered
        Whether it was ordered to arm, whatever it answered; set back by who takes charge of its next flight.
    """

    def __init__(self, link: Link, sysid: int, component: int, dialect: Dialect, timing: Timing) -> None:
        super().__init__(link, sysid, component, dialect, timing)
        self._exchange = Exchange(link, sysid, component, timing)
        self._command_lock = asyncio.Lock()
        self._streams = Streams(dialect.estimator_message, self.command, self._exchange.tell)
        self._parameters = Parameters(
            link, sysid, component, timing, encoding=dialect.param_encoding, boots=lambda: self.telemetry.boots
        )
        self._proof = Proof(link, sysid, component, dialect, timing)
        self._fence = FenceLoading(self)
        self.arm_ordered = False
        self._unchanged: Callable[[], None] = lambda: None

    @classmethod
    async def connect(
        cls,
        link: Link,
        sysid: int | None = None,
        *,
        timing: Timing | None = None,
        streams: bool = True,
        wait_s: float | None = None,
    ) -> Self:
        """Wait for a vehicle's heartbeat and, with `streams`, ask for its telemetry.

        Parameters
        ----------
        link
            An open link.
        sysid
            Which vehicle; None for the first that is heard.
        timing
            How long to wait.
        streams
            Whether to ask for the messages of `STREAMS`: a fresh link may carry heartbeats only.
        wait_s
            Wall seconds to wait for the first heartbeat, and for answers: a vehicle may still be starting, at any speed
            of simulation. None takes what `timing` says.

        Raises
        ------
        LinkError
            When no such vehicle is heard; the message says what was. When two are that have its system id.
        AutopilotError
            When it is neither ArduPilot nor PX4.
        CommandError
            When it refuses to report its position.
        """
        timing = timing or Timing()
        patience_s = timing.wall_s(_CONNECT_S) if wait_s is None else wait_s
        end_s = asyncio.get_running_loop().time() + patience_s
        heartbeat = await link.wait_vehicle(sysid, timeout_s=patience_s)
        dialect = dialect_of(heartbeat.autopilot, heartbeat.type)
        vehicle = cls(link, heartbeat.get_srcSystem(), heartbeat.get_srcComponent(), dialect, timing)
        vehicle._take(heartbeat)
        if streams:
            vehicle._unchanged = link.on_change(vehicle.sysid, vehicle.ask_again)
            try:
                await vehicle._request_streams(end_s)
            except BaseException:
                vehicle.close()
                raise
        try:
            link.check_alone(vehicle.sysid)
        except LinkError:
            vehicle.close()
            raise
        return vehicle

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening. The link stays open."""
        super().close()
        self._exchange.close()
        self._unchanged()

    # What it is told.

    async def wait_ready(self, vehicle_s: float = _READY_S) -> Telemetry:
        """Wait until the estimator, the GPS and the pre-arm checks are good.

        Raises
        ------
        NotReadyError
            When they are not within `vehicle_s` seconds of the vehicle's time; with what is missing and what it said.
        """
        end_s, ready = self._clock() + self.timing.wall_s(vehicle_s), None
        while ready is None and (left_s := end_s - self._clock()) > 0.0:
            look_s = min(left_s, self.timing.retry_s(_UNTOLD_S))
            ready = await self.wait_until(lambda t: not t.not_ready(), 0.0, wall_s=look_s)
            if ready is None and self.telemetry.is_untold:
                self.ask_again()  # it was acknowledged, and the order may be lost all the same
        if ready is None:
            said = " | ".join(await self._exchange.prearm_reasons() or dict.fromkeys(t.text for t in self.texts[-5:]))
            raise NotReadyError(
                f"{self}: not ready to arm after {vehicle_s:g} s: {', '.join(self.telemetry.not_ready())}"
                f"{f'; it said: {said}' if said else ''}: wait for the sky or mend what it names"
            )
        return ready

    async def command(self, command: int, *params: float) -> None:
        """COMMAND_LONG with up to seven parameters, repeated until it is accepted.

        Raises
        ------
        CommandError
            With MAV_RESULT in words and what the vehicle said, or after no answer.
        LinkError
            When the link was lost.
        """
        async with self._command_lock:
            await self._exchange.command(command, params)

    async def command_at_once(self, command: int, *params: float) -> None:
        """A command that waits for no other that is still unanswered, over every channel. Raises as above."""
        await self._exchange.command(command, params, everywhere=True)

    async def command_int(self, command: int, *params: float, frame: int, x: int, y: int, z: float) -> None:
        """COMMAND_INT with up to four parameters and a place, x and y in 1e-7 degrees, z in metres. Raises as above."""
        async with self._command_lock:
            await self._exchange.command_int(command, params, frame=frame, x=x, y=y, z=z)

    async def parameter(self, name: str) -> float:
        """Value of a parameter. Raises AbsentError where there is none of that name, else ParameterError."""
        return await self._parameters.read(name)

    async def look_up(self, names: Iterable[str]) -> None:
        """Find out side by side which parameters it has: what it lacks is remembered until it boots anew."""
        await self._parameters.look_up(names)

    async def set_parameter(self, name: str, value: float) -> float:
        """Write a parameter; the value it then has. Raises ParameterError where it did not take it."""
        return await self._parameters.write(name, value)

    def ask_parameter(self, name: str) -> None:
        """Ask for a parameter's value, and wait for no answer: it comes as a PARAM_VALUE."""
        self._parameters.ask(name)

    def parameter_in(self, message: Message) -> tuple[str, float]:
        """Name and value of a PARAM_VALUE of this vehicle."""
        return self._parameters.value_in(message)

    async def request_streams(self) -> None:
        """Ask for the messages of `STREAMS` and the estimator's, each at its rate in the vehicle's own time.

        Raises
        ------
        CommandError
            When position, GPS or the estimator is refused; the vehicle may lack any other.
        """
        await self._streams.request()

    async def _request_streams(self, end_s: float) -> None:
        """One that gives no answer is asked for as long as one that is not heard is waited for."""
        while True:
            try:
                return await self._streams.request()
            except CommandError as error:
                if error.result is not None or self._clock() >= end_s:
                    raise

    async def request_stream(self, number: int, rate_hz: float) -> None:
        """Ask for one message more, by its number, from now on. Raises CommandError."""
        await self._streams.add(number, rate_hz)

    def ask_again(self) -> None:
        """Ask for the messages of `request_streams` once more, and wait for no answer.

        A reboot forgets them, and so does a connection that was opened anew; on another link they were never asked for.
        """
        self._streams.ask_again()

    def ask_home(self) -> None:
        """Ask where its home is, and wait for no answer: `telemetry` has it."""
        self._exchange.tell(mav.MAV_CMD_REQUEST_MESSAGE, (mav.MAVLINK_MSG_ID_HOME_POSITION,))

    def ask_why(self) -> None:
        """Ask what keeps it from arming, and wait for no answer: it comes as `texts`."""
        self._exchange.ask_why()

    async def upload(
        self,
        mission: Mission,
        *,
        progress: Progress | None = None,
        repaired: Callable[[MissionKind, VehicleState], None] | None = None,
    ) -> tuple[Verified, ...]:
        """Upload fence, rally points and mission, each proved by read-back; raises as `upload_verified` does.

        The fence goes first: what fails after it leaves the vehicle fenced. A mission without a fence leaves the
        vehicle's own where it is; it has `fence_items` then. `repaired` is told what the vehicle holds
        of a list whose upload broke off.
        """
        done = await self._proof.upload(mission, self.telemetry.boots, progress, repaired)
        if mission.fence:
            self._fence.taken(len(mission.fence))
        return done

    @property
    def fence_items(self) -> int:
        """How many items the fence has that it was proved to hold; 0 before an upload."""
        return self._proof.fence_items

    def held(self, kind: MissionKind) -> tuple[MissionItem, ...]:
        """The list that it holds by proof, empty where nothing was uploaded. Raises NotReadyError, LinkError."""
        self.link.check_alone(self.sysid)
        if self._proof.begun:
            self._proof.check(self.telemetry.boots)
        return self._proof.items(kind)

    async def prove(self, *, progress: Progress | None = None) -> None:
        """Prove once more that the vehicle holds the lists of the last upload: read-back is only true of its moment.

        Raises
        ------
        NotReadyError
            When nothing was uploaded, or the vehicle's clock stepped back since: what it keeps over a reboot, and
            whether it is still the same vehicle, is not known.
        MismatchError
            When it holds something else by now, such as what another ground station sent.
        TransferError, LinkError
            When it cannot be read, or another vehicle speaks with its system id.
        """
        self.check_same()
        self._proof.check(self.telemetry.boots)
        await self._placed_anew()
        self._proof.check(self.telemetry.boots)
        await self._proof.renew(progress)
        self._proof.check(self.telemetry.boots)
        self.check_same()

    async def _placed_anew(self) -> None:
        """One that booted anew has forgotten what it was asked for: what it said before need not be so now."""
        if self.position_age_s <= self.timing.retry_s(_OLD_S):
            return
        since = self._placed
        self.ask_again()
        if await self.wait_until(lambda _: self._placed > since, _PLACED_S) is None:
            raise NotReadyError(f"{self}: no new position for {self.position_age_s:.0f} s: look at its GPS and streams")

    async def recognise(self, mission: Mission, *, progress: Progress | None = None) -> None:
        """Prove that it holds a mission that was uploaded before us; nothing is written. Raises as `prove` does."""
        await self._proof.recognise(mission, self.telemetry.boots, progress)

    async def set_mode(self, name: str) -> None:
        """Set a flight mode by its name and wait until the vehicle says it. Raises CommandError, AutopilotError.

        One that stays as it was is told again: the acknowledgement may have been another's. One that somebody puts in
        another mode is left in that. One that accepts and then says that nothing comes of it (PX4) is believed that
        when it stays as it is.
        """
        (main, sub), before, said = self.dialect.mode_command(name), self.telemetry.mode, len(self.texts)
        with self._exchange.second_thoughts(mav.MAV_CMD_DO_SET_MODE) as refused:
            for _ in range(_MODE_TRIES):
                await self.command(mav.MAV_CMD_DO_SET_MODE, mav.MAV_MODE_FLAG_CUSTOM_MODE_ENABLED, main, sub)
                found = await self.wait_until(lambda t: t.mode == name or bool(refused), _MODE_S / _MODE_TRIES)
                if found is not None and found.mode != name:
                    # It may have been the last word on an order before.
                    wall_s = self.timing.retry_s(_TOLD_S)
                    found = await self.wait_until(lambda t: t.mode == name, 0.0, wall_s=wall_s)
                    if found is None:
                        raise self._exchange.refused(
                            mav.MAV_CMD_DO_SET_MODE, refused[-1], [one.text for one in self.texts[said:]]
                        )
                if found is not None:
                    return
                if self.telemetry.mode != before:
                    break
        raise CommandError(
            f"{self}: accepted mode {name} and stays in {self.telemetry.mode}: look at its texts", _ACCEPTED
        )

    async def arm(self) -> None:
        """Arm and wait until the vehicle says so. Raises CommandError with the pre-arm reasons that it gave."""
        self.arm_ordered = True
        await self._arm(armed=True)

    async def disarm(self) -> None:
        """Disarm and wait until the vehicle says so; refused in the air. Raises CommandError."""
        await self._arm(armed=False)

    async def _arm(self, *, armed: bool) -> None:
        try:
            await self.command(mav.MAV_CMD_COMPONENT_ARM_DISARM, float(armed))
        except CommandError as error:
            raise await self._exchange.explained(error) if armed else error from None
        if await self.wait_until(lambda t: t.armed is armed, _ARM_S) is None:
            what = "arm" if armed else "disarm"
            raise CommandError(f"{self}: accepted to {what} and did not: look at its texts", _ACCEPTED)

    async def start_mission(
        self,
        *,
        before_arming: Callable[[], Awaitable[None]] | None = None,
        once_armed: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """From ready on the ground to flying the uploaded mission, by the dialect's steps.

        Parameters
        ----------
        before_arming
            The last check, right before the order to arm: what it raises leaves the vehicle disarmed. None for
            `prove`, where its lists were uploaded from here.
        once_armed
            A check between the order to arm and the next step: what it raises leaves the vehicle armed. PX4 takes off
            as it arms: there it is too late for one.

        Raises
        ------
        CommandError
            When a step is refused.
        NotReadyError
            When the vehicle rejects the mission that it holds, by its own checks.
        """
        if self._proof.begun:
            await self._fence.settle()  # PX4 looks at a mission only then
            await check_judged(self)
        for step in self.dialect.start:
            if step.kind is StepKind.MODE:
                await self.set_mode(str(step.value))
            elif step.kind is StepKind.ARM:
                if before_arming is not None:
                    await before_arming()
                elif self._proof.begun:
                    await self.prove()
                await self.arm()
                if once_armed is not None:
                    await once_armed()
            else:
                await self.command(int(step.value))

    async def pause(self) -> None:
        """Stop where it is, in the air."""
        await self.set_mode(self.dialect.pause_mode)

    async def resume(self) -> None:
        """Go on with the mission, speed and camera commands said again. Raises CommandError where one is refused."""
        await self.set_mode(self.dialect.mission_mode)
        await say_again(self)

    async def return_home(self) -> None:
        """Fly home, or to the nearest rally point, and land."""
        await self.set_mode(self.dialect.return_mode)

    async def land(self) -> None:
        """Land where it is; a plane without rotors by the landing sequence of its mission. Raises CommandError."""
        try:
            await self.set_mode(self.dialect.land_mode)
        except CommandError as error:
            if self.dialect.hovers is None or error.result is None:
                raise
            await self.command(mav.MAV_CMD_DO_LAND_START)
