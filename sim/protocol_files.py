"""Files of a simulated vehicle: its lists under ``@MISSION`` as ArduPilot has them, and ordinary ones in memory.

A list's file is made as it is read. One that is written is taken into the vehicle when it is closed, by the rules of
AP_Filesystem_Mission.cpp: a wrong magic or length, or an item of nothing but zeros, leaves the old list; a mission or
rally set with an item that is refused is left half-way; a fence is taken whole or not at all.
"""

from __future__ import annotations

import errno
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from sim.flight_items import Item
from sim.protocol_transfer import Transfer

__all__ = ["Disk", "DiskError", "Handle"]

_MAGIC = 0x763D
_HEADER_BYTES, _ITEM_BYTES = 10, 38
_KEEP_OLD = 1
_ITEM = struct.Struct("<ffffiifHHBBBBBB")
_LIST_SIZE = 1 << 20  # said of every list, whatever it holds
_ROOM = 4 << 20
_MOST_OPEN_LISTS = 4
_NAMES = {0: "mission.dat", 1: "fence.dat", 2: "rally.dat"}
_FOLDER = "@MISSION/"


class DiskError(Exception):
    """What the file system refuses. Attribute `number` is the errno."""

    def __init__(self, number: int) -> None:
        super().__init__(errno.errorcode.get(number, str(number)))
        self.number = number


class Handle(Protocol):
    """An open file."""

    def read(self, offset: int, count: int) -> bytes:
        """Bytes from an offset; none at the end."""

    def write(self, offset: int, data: bytes) -> None:
        """Write bytes at an offset."""

    def close(self) -> None:
        """Close it."""


@dataclass(slots=True)
class _Plain:
    content: bytearray
    room: Callable[[], int]

    def read(self, offset: int, count: int) -> bytes:
        return bytes(self.content[offset : offset + count])

    def write(self, offset: int, data: bytes) -> None:
        _put(self.content, offset, data, self.room())

    def close(self) -> None:
        pass


@dataclass(slots=True)
class _List:
    """One of the three lists, open to be read, or with what was written so far."""

    kind: int
    store: Transfer
    written: bytearray | None
    closed: Callable[[_List], None]
    count: int = field(init=False)

    def __post_init__(self) -> None:
        self.count = len(self.store.items)

    def read(self, offset: int, count: int) -> bytes:
        if self.written is not None:
            raise DiskError(errno.EBADF)
        head = struct.pack("<HHHHH", _MAGIC, self.kind, 0, 0, self.count)[offset : offset + count]
        past = max(0, offset - _HEADER_BYTES)
        first, skip = divmod(past, _ITEM_BYTES)
        most = first + count // _ITEM_BYTES + 2
        items = enumerate(self.store.listing()[first:most], first)
        body = b"".join(_packed(number, item, self.kind) for number, item in items)
        return head + body[skip : skip + count - len(head)]

    def write(self, offset: int, data: bytes) -> None:
        if self.written is None:
            raise DiskError(errno.EBADF)
        _put(self.written, offset, data, _ROOM)

    def close(self) -> None:
        self.closed(self)
        if self.written is not None and not self._taken(bytes(self.written)):
            raise DiskError(errno.EINVAL)

    def _taken(self, data: bytes) -> bool:
        if len(data) < _HEADER_BYTES:
            return False
        magic, _, options, start, count = struct.unpack_from("<HHHHH", data)
        bodies = [data[at : at + _ITEM_BYTES] for at in range(_HEADER_BYTES, len(data), _ITEM_BYTES)]
        if bodies and len(bodies[-1]) < _ITEM_BYTES:
            bodies.pop()
        if magic != _MAGIC or len(bodies) != count or any(not any(body) for body in bodies):
            return False
        return self.store.load([_unpacked(body) for body in bodies], start=start, keep=bool(options & _KEEP_OLD))


class Disk:
    """The files of one vehicle.

    Parameters
    ----------
    stores
        MAV_MISSION_TYPE to the list that stands behind its file.
    """

    def __init__(self, stores: Mapping[int, Transfer]) -> None:
        self._stores = {_FOLDER + _NAMES[kind]: (kind, store) for kind, store in stores.items()}
        self._plain: dict[str, bytearray] = {}
        self._folders = {""}
        self._open: list[_List] = []

    def forget(self) -> None:
        """The autopilot starts anew: files stay, what was written to a list and not closed is gone."""
        self._open.clear()

    def size(self, path: str) -> int:
        """What is said of a file's size."""
        if path in self._stores:
            return _LIST_SIZE
        return len(self._content(path))

    def open(self, path: str, *, write: bool, empty: bool = False) -> Handle:
        """Open a file to read or to write; to write makes it where there is none."""
        if path in self._stores:
            return self._open_list(*self._stores[path], write=write)
        name = _plain(path)
        if write:
            if path.startswith("@") or _parent(name) not in self._folders or name in self._folders:
                raise DiskError(errno.ENOENT)
            if empty or name not in self._plain:
                self._plain[name] = bytearray()
        return _Plain(self._content(path), lambda: _ROOM - sum(map(len, self._plain.values())))

    def _open_list(self, kind: int, store: Transfer, *, write: bool) -> Handle:
        if write and any(each.written is not None for each in self._open):
            raise DiskError(errno.EBUSY)
        if len(self._open) >= _MOST_OPEN_LISTS:
            raise DiskError(errno.ENFILE)
        handle = _List(kind, store, bytearray() if write else None, self._open.remove)
        self._open.append(handle)
        return handle

    def remove(self, path: str) -> None:
        """Remove a file or an empty folder."""
        name = _plain(path)
        if name in self._folders - {""}:
            if any(_parent(each) == name for each in (*self._plain, *self._folders)):
                raise DiskError(errno.ENOTEMPTY)
            self._folders.remove(name)
        elif self._plain.pop(name, None) is None:
            raise DiskError(errno.ENOENT)

    def make_folder(self, path: str) -> None:
        """Make a folder."""
        name = _plain(path)
        if name in self._folders or name in self._plain:
            raise DiskError(errno.EEXIST)
        if _parent(name) not in self._folders:
            raise DiskError(errno.ENOENT)
        self._folders.add(name)

    def rename(self, old: str, new: str) -> None:
        """Give a file another name."""
        content = self._content(old)
        if _parent(_plain(new)) not in self._folders or _plain(new) in self._folders:
            raise DiskError(errno.ENOENT)
        del self._plain[_plain(old)]
        self._plain[_plain(new)] = content

    def entries(self, path: str) -> list[tuple[str, int | None]]:
        """Names and sizes in a folder, in order; no size for a folder."""
        name = _plain(path)
        if name not in self._folders:
            raise DiskError(errno.ENOENT)
        inside: list[tuple[str, int | None]] = [(n, len(c)) for n, c in self._plain.items() if _parent(n) == name]
        inside += [(n, None) for n in self._folders if n and _parent(n) == name]
        return sorted((n.rpartition("/")[2], size) for n, size in inside)

    def _content(self, path: str) -> bytearray:
        if _plain(path) not in self._plain:
            raise DiskError(errno.ENOENT)
        return self._plain[_plain(path)]


def _plain(path: str) -> str:
    return path.strip("/")


def _parent(name: str) -> str:
    return name.rpartition("/")[0]


def _put(content: bytearray, offset: int, data: bytes, room: int) -> None:
    grown = offset + len(data) - len(content)
    if grown > room:
        raise DiskError(errno.ENOSPC)
    if grown > 0:
        content.extend(bytes(grown))
    content[offset : offset + len(data)] = data


def _packed(number: int, item: Item, kind: int) -> bytes:
    return _ITEM.pack(*item.params, item.x, item.y, item.z, number, item.command, 0, 0, item.frame, 0, 1, kind)


def _unpacked(body: bytes) -> Item:
    p1, p2, p3, p4, x, y, z, _, command, _, _, frame, *_ = _ITEM.unpack(body)
    return Item(command, frame, (p1, p2, p3, p4), x, y, z)
