"""Heights of the ground for vehicles that ask for them, as a ground station gives them to ArduPilot.

A vehicle asks for a grid (TERRAIN_REQUEST) until it has it, and gets it block by block (TERRAIN_DATA). Blocks are sent
at a bounded rate, so that a radio has room for what matters more, and to all that ask in turn. A place that our terrain
does not know is not answered, and said once.
"""

from __future__ import annotations

import asyncio
import math
from collections import OrderedDict
from collections.abc import Callable

from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot.errors import LinkError
from autopilot.link import Link
from autopilot.terrain_grid import BLOCKS, Grid, Heights, heights_of
from autopilot.timing import Timing
from autopilot.wire import Message
from geo import Terrain

__all__ = ["TerrainAnswers"]

_PERIOD_S = 1.0 / 12.0  # a block a vehicle, 55 bytes: an eighth of a radio at 57600 baud
_AT_ONCE = 4  # vehicles that get one in that time
_TICK_WALL_S = 0.02
_MOST_ASKED = 64  # grids of one vehicle that wait
_MOST_KEPT = 256


class TerrainAnswers:
    """Answers the vehicles of one link for as long as it is open, or until `close`.

    Parameters
    ----------
    link
        The link. What comes from others than the autopilots heard on it is passed over.
    terrain
        Where the heights come from. It is read in a thread of its own.
    timing
        Sets the pace: vehicle seconds.
    told
        Called with what a person has to know: that heights are asked for which `terrain` does not have.

    Attributes
    ----------
    sent
        Blocks sent so far.
    """

    def __init__(self, link: Link, terrain: Terrain, timing: Timing, told: Callable[[str], None]) -> None:
        self.sent = 0
        self._link = link
        self._terrain = terrain
        self._period_s = _PERIOD_S / timing.time_scale
        self._told = told
        self._asked: OrderedDict[int, OrderedDict[Grid, int]] = OrderedDict()  # by vehicle: masks of missing blocks
        self._known: OrderedDict[Grid, Heights] = OrderedDict()
        self._said: set[tuple[int, int]] = set()
        self._serving: asyncio.Task[None] | None = None
        self._closed = False
        self._stop = link.listen(self._take, types=("TERRAIN_REQUEST",))
        self._forget = link.on_close(self._end)

    def close(self) -> None:
        """Answer no more."""
        if not self._closed:
            self._closed = True
            self._stop()
            self._forget()
            self._end()

    def _end(self) -> None:
        self._asked.clear()
        if self._serving is not None:
            self._serving.cancel()

    def _take(self, message: Message) -> None:
        system = message.get_srcSystem()
        heartbeat = self._link.vehicles.get(system)
        if heartbeat is None or heartbeat.get_srcComponent() != message.get_srcComponent():
            return
        grid = Grid(message.lat, message.lon, message.grid_spacing)
        mask = message.mask & ((1 << BLOCKS) - 1)
        if not grid.is_a_place or not mask:
            return
        grids = self._asked.setdefault(system, OrderedDict())
        # It says each time what it lacks: what was lost on the way is in it again.
        grids[grid] = mask
        if len(grids) > _MOST_ASKED:
            grids.popitem(last=False)
        if self._serving is None or self._serving.done():
            self._serving = asyncio.get_running_loop().create_task(self._serve())

    async def _serve(self) -> None:
        turns = max(1, math.ceil(_TICK_WALL_S / self._period_s))
        while self._asked:
            try:
                for _ in range(turns):
                    await self._turn()
            except LinkError:
                return
            await asyncio.sleep(turns * self._period_s)

    async def _turn(self) -> None:
        """A block for each of the vehicles that waited longest."""
        for system in list(self._asked)[:_AT_ONCE]:
            grids = self._asked.get(system)
            if grids is None:
                continue
            self._asked.move_to_end(system)
            grid = next(iter(grids))
            heights = await self._heights(grid, system)
            left = grids.get(grid, 0) & heights.mask
            if left:
                bit = (left & -left).bit_length() - 1
                self._link.send(_data(grid, bit, heights), system)
                self.sent += 1
                left &= left - 1
            if left:
                grids[grid] = left
            else:
                grids.pop(grid, None)
            if not grids and self._asked.get(system) is grids:
                del self._asked[system]

    async def _heights(self, grid: Grid, system: int) -> Heights:
        known = self._known.get(grid)
        if known is None:
            known = self._known[grid] = await asyncio.to_thread(heights_of, grid, self._terrain)
            if len(self._known) > _MOST_KEPT:
                self._known.popitem(last=False)
            cell = grid.lat_e7 // 10_000_000, grid.lon_e7 // 10_000_000
            if known.missing is not None and cell not in self._said:
                self._said.add(cell)
                self._told(
                    f"{self._link.url} vehicle {system} asks for heights that the terrain given does not have, and "
                    f"gets none there: {known.missing}"
                )
        return known


def _data(grid: Grid, bit: int, heights: Heights) -> Message:
    return mav.MAVLink_terrain_data_message(grid.lat_e7, grid.lon_e7, grid.spacing_m, bit, list(heights.blocks[bit]))
