"""What a vehicle is proved to hold, since when, and proving it again."""

from __future__ import annotations

from collections.abc import Callable

from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot.compare import prepared
from autopilot.dialect import Dialect
from autopilot.errors import NotReadyError, RejectedError, VehicleState
from autopilot.link import Link
from autopilot.timing import Timing
from autopilot.transfer import Progress, Verified, download, upload_verified, verify
from autopilot.transfer_peer import lists_of
from autopilot.words import MissionKind
from missions import Mission, MissionItem

__all__ = ["Proof"]


class Proof:
    """The lists of one vehicle: uploaded, proved, proved again.

    Parameters
    ----------
    link, sysid, component, dialect, timing
        The vehicle.

    Attributes
    ----------
    begun
        Whether an upload was begun, whatever came of it.
    """

    def __init__(self, link: Link, sysid: int, component: int, dialect: Dialect, timing: Timing) -> None:
        self._link = link
        self._sysid = sysid
        self._component = component
        self._dialect = dialect
        self._timing = timing
        self._held: dict[MissionKind, tuple[MissionItem, ...]] = {}
        self._since: tuple[int, int] | None = None
        self.begun = False

    async def upload(
        self,
        mission: Mission,
        boots: int,
        progress: Progress | None,
        repaired: Callable[[MissionKind, VehicleState], None] | None,
    ) -> tuple[Verified, ...]:
        """Upload and prove every list; `boots` is `Telemetry.boots` now. Raises as `upload_verified` does.

        A fence is only ever replaced by a fence: where the mission has none the vehicle's own stays and is remembered.
        """
        self._since = None
        self.begun = True
        since = boots, self._link.moves(self._sysid)
        done = []
        for kind, items in lists_of(mission):
            if kind is MissionKind.FENCE and not items:
                await self._keep_fence(progress)
                continue
            done.append(
                await upload_verified(
                    self._link,
                    self._sysid,
                    items,
                    kind,
                    dialect=self._dialect,
                    component=self._component,
                    timing=self._timing,
                    progress=progress,
                    held=self._held.get(kind),
                    repaired=None if repaired is None else lambda state, kind=kind: repaired(kind, state),  # type: ignore[misc]
                )
            )
            self._held[kind] = prepared(items, kind, self._dialect)
        self._since = since
        return tuple(done)

    async def recognise(self, mission: Mission, boots: int, progress: Progress | None) -> None:
        """Prove lists that were uploaded before us. Raises as `renew` does."""
        since = boots, self._link.moves(self._sysid)
        for kind, items in lists_of(mission):
            if items or kind is MissionKind.MISSION:
                self._held[kind] = prepared(items, kind, self._dialect)
        self.begun = True
        await self.renew(progress)
        self._since = since

    async def _keep_fence(self, progress: Progress | None) -> None:
        self._held.pop(MissionKind.FENCE, None)
        try:
            self._held[MissionKind.FENCE] = await download(
                self._link,
                self._sysid,
                MissionKind.FENCE,
                component=self._component,
                window=self._dialect.download_window,
                timing=self._timing,
                progress=progress,
            )
        except RejectedError as error:
            if error.result != mav.MAV_MISSION_UNSUPPORTED:  # it has no such list: none to keep, and none to prove
                raise

    @property
    def fence_items(self) -> int:
        """How many items the fence has that the vehicle was proved to hold; 0 before that."""
        return len(self.items(MissionKind.FENCE))

    def items(self, kind: MissionKind) -> tuple[MissionItem, ...]:
        """The list that the vehicle was proved to hold; empty before that."""
        return self._held.get(kind, ())

    async def renew(self, progress: Progress | None) -> None:
        """Read every list back once more. Raises MismatchError, TransferError, LinkError."""
        for kind, items in self._held.items():
            await verify(
                self._link,
                self._sysid,
                items,
                kind,
                dialect=self._dialect,
                component=self._component,
                timing=self._timing,
                progress=progress,
            )

    def check(self, boots: int) -> None:
        """Whether what was proved can hold still, by `Telemetry.boots` now. Raises NotReadyError, LinkError."""
        self._link.check_alone(self._sysid)
        where = f"{self._link.url} vehicle {self._sysid}"
        if self._since is None:
            raise NotReadyError(f"{where}: holds no list that was proved by read-back: upload its mission first")
        if boots != self._since[0]:
            raise NotReadyError(
                f"{where}: its clock stepped back after its lists were proved: it booted anew, or another vehicle "
                "speaks with its system id: look at it, then upload again"
            )
        if self._link.moves(self._sysid) != self._since[1]:
            raise NotReadyError(
                f"{where}: is heard from another address since its lists were proved: it may be another vehicle: look "
                "at it, then upload again"
            )
