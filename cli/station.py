"""`vedette station`: a ground station that stands by, and flies the plans that pilots send it from a service.

It does one of two things at a time. It stands by: it listens on its links, orders nothing, and tells the service which
vehicles are ready and which are not. Or it flies one launch, as `vedette patrol --service` does. The links are closed
in between, so that a patrol has them to itself: what is proved of `vedette patrol` holds for what flies here.
"""

from __future__ import annotations

import asyncio
import hashlib
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import api
import autopilot
import missions
from cli.arguments import InputError
from cli.launch_folder import Launch, LaunchFolder
from cli.live import LiveOptions, telling_positions
from cli.patrol import GroundStation, failures_of, fly_shift
from cli.station_board import Board
from cli.stopping import noting_when_told, run_until_told
from cli.terminal import complaints, console
from geo import VedetteError

__all__ = ["keep_station"]

_LOOK_S = 0.25


class _RefusedLaunchError(VedetteError):
    """A launch that is not flown; the message says why."""


def keep_station(
    links: Sequence[str],
    ground: GroundStation,
    live: LiveOptions,
    out: Path,
    *,
    logs: bool,
    known: missions.PatrolPlan | None,
) -> None:
    """Stand by and fly what pilots send, one launch at a time, until told to stop.

    Parameters
    ----------
    links
        To any number of vehicles each.
    ground, live
        How it flies, and the service.
    out
        The folder of this station. A launch that was in the air when the station before this one was lost goes on.
    logs
        Whether the logs of each sortie are kept there.
    known
        A plan whose fleet the vehicles are, before one was flown; None for none.

    Raises
    ------
    InputError
        When the folder is in use or cannot be read, or a launch is in the air over other links.
    LinkError
        When the URL of a link is not understood, or two links would share a socket or a port.
    FlightError
        When it was stopped in the air and what flew did not come home as it should.
    """
    folder, board = LaunchFolder(out), Board(ground.dialect, ground.limits)

    def told(launch_id: str, state: str) -> None:
        try:
            folder.mark_told(launch_id, state)
        except (VedetteError, OSError) as error:
            _complain(f"that launch {launch_id[:8]} was told as {state} is not on the disk: {error}")

    with folder.held(), api.Client(live.url, live.key, timeout_s=5.0) as client:
        # What is wrong here is said before the service hears of this station.
        left = _left(folder, links)
        known = known or _newest_plan(folder, left)
        with api.LaunchCourier(client, live.station, board.state, _complain, told=told) as courier:
            _Station(links, ground, live, folder, board, client, courier, logs, known).run(left)


def _left(folder: LaunchFolder, links: Sequence[str]) -> Launch | None:
    """The launch of the station before this one. Raises InputError where it flies and cannot be gone on with."""
    left = folder.read()
    flew = left is not None and left.flying and folder.has_begun(left.id)
    if left is not None and flew and not set(left.links) <= set(links):
        raise InputError(
            f"{left.words} was in the air over {', '.join(dict.fromkeys(left.links))}: give these links, and it goes on"
        )
    return left


def _newest_plan(folder: LaunchFolder, left: Launch | None) -> missions.PatrolPlan | None:
    """The plan that was flown last, for the names of vehicles; None where there is none."""
    try:
        return None if left is None else missions.load_plan(folder.plan(left.id))
    except VedetteError:
        return None


def _complain(words: str) -> None:
    complaints.print(f"note: {words}", markup=False, highlight=False)


def _say(words: str) -> None:
    console.print(words, markup=False, highlight=False)


@dataclass(slots=True)
class _Station:
    """A ground station with its links, its folder and its service; `known` is the plan whose names vehicles have."""

    links: Sequence[str]
    ground: GroundStation
    live: LiveOptions
    folder: LaunchFolder
    board: Board
    client: api.Client
    courier: api.LaunchCourier
    logs: bool
    known: missions.PatrolPlan | None
    _troubles: Mapping[str, str | None] = field(default_factory=dict)

    def run(self, left: Launch | None) -> None:
        """Stand by and fly until told to stop."""
        with noting_when_told() as told:
            if left is not None:
                self._go_on(left, told)
            while not told.is_set() and (launch := self._stand_by(told)) is not None:
                if told.is_set():
                    self._end(launch, "refused", "its ground station was told to stop")
                else:
                    self._fly(launch, told)

    # What was left.

    def _go_on(self, left: Launch, told: threading.Event) -> None:
        """Go on with what was in the air."""
        if left.flying and not self.folder.has_begun(left.id):
            _complain(
                f"{left.words} was taken before this station was lost, and nothing had taken off: it is not flown"
            )
            self._end(left, "failed", "its ground station was lost before anything took off: send it again")
        elif left.flying:
            _complain(f"goes on with {left.words}, which was in the air when this station was lost")
            self._fly(left, told)
        elif not left.told:
            self.courier.tell(left.id, left.state, left.outcome, run=left.run)

    # Standing by.

    def _stand_by(self, told: threading.Event) -> Launch | None:
        """The next launch to fly, checked, with the links closed; None when the station was told to stop."""
        _say(f"stands by as {self.live.station}")
        self.board.name(self.known)
        with telling_positions(self.live, self.known, self.ground.terrain) as met:
            ground = self.ground

            async def wait(stop: asyncio.Event) -> Launch | None:
                async with autopilot.standing_by(
                    self.links,
                    dialect=ground.dialect,
                    limits=ground.limits,
                    time_scale=ground.speedup,
                    system_id=ground.system_id,
                    signing=ground.signing,
                    met=met,
                ) as standby:
                    return await self._next(standby, stop)

            return run_until_told(wait, lambda: None, told)

    async def _next(self, standby: autopilot.Standby, stop: asyncio.Event) -> Launch | None:
        self.courier.stand_by()
        while not stop.is_set():
            self._show(standby)
            taken = self.courier.taken()
            if taken is not None:
                try:
                    return await self._checked(taken, standby, stop)
                except (VedetteError, OSError) as error:
                    _say(f"launch {taken.id[:8]}: refused: {error}")
                    self.courier.tell(taken.id, "refused", str(error))
                    self.courier.stand_by()
            await asyncio.sleep(_LOOK_S)
        return None

    def _show(self, standby: autopilot.Standby) -> None:
        """Say what changed: of vehicles whether they are ready, of links what is wrong with them."""
        for one in self.board.stand_by(standby.readiness()):
            _say(f"vehicle {one.sysid}: {'ready' if one.ready else 'not ready: ' + '; '.join(one.why_not)}")
        for url, trouble in standby.troubles.items():
            if trouble != self._troubles.get(url):
                _complain(trouble or f"{url}: is open again")
        self._troubles = dict(standby.troubles)

    async def _checked(self, taken: api.TakenLaunch, standby: autopilot.Standby, stop: asyncio.Event) -> Launch:
        """A launch that may be flown at this moment. Raises VedetteError, OSError for any other."""
        order = taken.launch
        words = f"{order['plan_name']}, ordered by {order['by']}"
        _say(f"launch {taken.id[:8]}: {words}" + (f": {order['reason']}" if order["reason"] else ""))
        plan = await asyncio.to_thread(self._plan_of, taken)
        sysids = sorted(vehicle.sysid for vehicle in plan.fleet.vehicles)
        if sysids != sorted(order["sysids"]):
            raise _RefusedLaunchError(f"its plan is for vehicles {sysids}, and it was ordered for {order['sysids']}")
        there = {one.sysid: one for one in standby.readiness()}
        in_the_way = list(_in_the_way(sysids, there))
        if in_the_way:
            raise _RefusedLaunchError("; ".join(in_the_way))
        if time.monotonic() > taken.until_s:
            raise _RefusedLaunchError("it ran out before it could begin: send it again")
        if stop.is_set():
            raise _RefusedLaunchError("its ground station was told to stop")
        links = tuple(there[sysid].url for sysid in sysids)
        launch = Launch(taken.id, self.courier.run, words, order["hours"], links)
        self.folder.write(launch)
        return launch

    def _plan_of(self, taken: api.TakenLaunch) -> missions.PatrolPlan:
        content = self.client.launch_plan(taken.id)
        if hashlib.sha256(content).hexdigest() != taken.launch["plan_sha256"]:
            raise _RefusedLaunchError("its plan is not the one that was ordered: its SHA-256 differs")
        self.folder.keep_plan(taken.id, content)
        return missions.load_plan(self.folder.plan(taken.id))

    # Flying.

    def _fly(self, launch: Launch, told: threading.Event) -> None:
        """Fly a launch to its end, and tell what it came to."""
        folder = self.folder
        begun = folder.has_begun(launch.id)  # by the station before this one

        def begin(_patrol: autopilot.Patrol) -> None:
            nonlocal begun
            begun = True
            self.courier.tell(launch.id, "accepted", run=launch.run)

        try:
            plan = self.known = missions.load_plan(folder.plan(launch.id))
            self.board.fly(f"flies {launch.words}", plan)
            report = fly_shift(
                plan,
                list(launch.links),
                self.ground,
                hours=launch.hours,
                journal=folder.journal(launch.id),
                log=folder.log(launch.id) if self.logs else None,
                json_file=folder.report(launch.id),
                met=self.board.follow,
                begun=begin,
                noted=told,
            )
        except (VedetteError, OSError) as error:
            if begun:
                self._end(launch, "failed", f"{error}; look what its vehicles do")
            else:
                self._end(launch, "refused", str(error))
            return
        failures = failures_of(report)
        if report.stopped:
            self._end(launch, "failed", "; ".join(["its ground station was told to stop", *report.words()]))
            if failures:
                raise autopilot.FlightError("; ".join(failures))
        else:
            self._end(launch, "failed" if failures else "done", "; ".join(failures or report.words()))

    def _end(self, launch: Launch, state: str, words: str) -> None:
        _say(f"launch {launch.id[:8]}: {state}: {words}")
        try:
            self.folder.write(replace(launch, state=state, outcome=words))
        except (VedetteError, OSError) as error:
            _complain(f"what came of {launch.words} is not on the disk: {error}")
        self.courier.tell(launch.id, state, words, run=launch.run)


def _in_the_way(sysids: Iterable[int], there: Mapping[int, autopilot.Readiness]) -> Iterator[str]:
    """Why vehicles cannot be flown now."""
    for sysid in sysids:
        if sysid not in there:
            yield f"vehicle {sysid} is not heard"
        elif not there[sysid].ready:
            yield f"vehicle {sysid}: {'; '.join(there[sysid].why_not)}"
