"""Models from elsewhere: nothing is kept that is not, to the last byte, what was asked for.

The hash is known before the first byte comes: it is given, or a table has it. So a server, or whoever sits between,
can refuse and delay, and no more. Plain http is taken from this machine alone, since it tells everybody on the way
what is fetched.
"""

from __future__ import annotations

import hashlib
import ipaddress
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from geo import atomic_path
from vision.errors import ModelError
from vision.evidence import file_sha256
from vision.model_file import read_model_file
from vision.model_store import MODEL_NAME, SHA256, default_model_dir, read_model_table

__all__ = ["FetchLimits", "fetch_model"]

_CHUNK = 1 << 18
_REDIRECTS = 5
_MOVED = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """What a fetch may take.

    Parameters
    ----------
    size
        Most bytes.
    wait_s
        Longest wait for a connection or the next bytes, seconds.
    total_s
        Longest time for all of it, seconds.
    """

    size: int = 500_000_000
    wait_s: float = 30.0
    total_s: float = 1800.0


def fetch_model(
    what: str,
    *,
    sha256: str | None = None,
    name: str | None = None,
    folder: Path | None = None,
    ca: Path | None = None,
    limits: FetchLimits | None = None,
    progress: Callable[[int, int | None], None] | None = None,
) -> Path:
    """Fetch a model into the user's folder; it appears whole and right or not at all.

    Parameters
    ----------
    what
        A name of the table, or an ``https://`` or ``file://`` URL (``http://`` from this machine alone).
    sha256
        Hash of the file in hexadecimal; must be given where no table has it.
    name
        To keep it under; else that of the table or of the URL.
    folder
        Where; None takes `default_model_dir`.
    ca
        PEM file of the authority that vouches for the server, where the system does not know it.
    limits
        What it may take.
    progress
        Called with bytes so far, and in all where the server says.

    Returns
    -------
    Path
        The file. One that is there already with this hash is not fetched again.

    Raises
    ------
    ModelError
        When the hash is missing or wrong, the URL is not one to fetch from, the server fails, a limit is passed, what
        came is no detector, or another model of that name is there.
    FileWriteError
        When it cannot be written.
    """
    folder, limits = folder or default_model_dir(), limits or FetchLimits()
    url, wanted, name = _agreed(what, sha256, name, folder)
    out = folder / f"{name}.onnx"
    if out.exists():
        if file_sha256(out) == wanted:
            return out
        raise ModelError(f"{out}: is there already and is another model: remove it, or give another name (--name)")
    with atomic_path(out) as temporary:
        digest = hashlib.sha256()
        with _opened(url, ca, limits) as (chunks, told), temporary.open("wb") as file:
            for chunk in _bounded(chunks, told, _plain(url), limits, progress):
                digest.update(chunk)
                file.write(chunk)
        if digest.hexdigest() != wanted:
            raise ModelError(
                f"{_plain(url)}: what came has the hash {digest.hexdigest()}, not {wanted}: it is not what was asked "
                "for, and was not kept"
            )
        try:
            read_model_file(temporary)
        except ModelError as error:
            raise ModelError(str(error).replace(str(temporary), _plain(url))) from error
    return out


def _agreed(what: str, sha256: str | None, name: str | None, folder: Path) -> tuple[httpx.URL, str, str]:
    """Where from, which hash, and under which name."""
    if sha256 is not None and not SHA256.fullmatch(sha256.lower()):
        raise ModelError(f"hash {sha256!r}: give the SHA-256 of the file, 64 digits of 0 to f")
    sha256 = None if sha256 is None else sha256.lower()
    if "://" in what:
        url = _address(what)
        if sha256 is None:
            raise ModelError(f"{_plain(url)}: give the SHA-256 of the file: without it anything could be in it")
        name = name or Path(url.path).stem
    else:
        entries = read_model_table(folder)
        entry = entries.get(what)
        if entry is None:
            there = ", ".join(known for known, one in entries.items() if one.url) or "none"
            raise ModelError(f"{what}: no table knows such a model to fetch ({there}): give its URL and --sha256")
        if entry.url is None:
            raise ModelError(f"{what}: comes with vedette and is here already")
        if sha256 not in {None, entry.sha256}:
            raise ModelError(f"{what}: the table says hash {entry.sha256}, not {sha256}: one of them is wrong")
        url, sha256, name = _address(entry.url), entry.sha256, name or what
    if not MODEL_NAME.fullmatch(name):
        raise ModelError(f"{name!r} cannot name a model: use letters, digits, dots, dashes and underscores (--name)")
    if any(name == known for known, one in read_model_table(folder).items() if one.sha256 != sha256):
        raise ModelError(f"{name}: a table knows another model of that name: give another (--name)")
    return url, sha256, name


@contextmanager
def _opened(url: httpx.URL, ca: Path | None, limits: FetchLimits) -> Iterator[tuple[Iterator[bytes], int | None]]:
    """Chunks of what is behind a URL, and how many bytes there are where that is told."""
    own = _of_this_machine(url)
    if url.scheme == "file":
        with _file(url) as opened:
            yield opened
        return
    try:
        trust = ssl.create_default_context(cafile=None if ca is None else str(ca))
    except (OSError, ssl.SSLError) as error:
        raise ModelError(f"{ca}: is no PEM file of an authority ({error})") from error
    try:
        with httpx.Client(verify=trust, timeout=limits.wait_s, trust_env=not own) as client:
            for _ in range(_REDIRECTS + 1):
                _check(url, own=own)
                with client.stream("GET", url, headers={"Accept-Encoding": "identity"}) as answer:
                    if answer.status_code in _MOVED and "location" in answer.headers:
                        url = _address(answer.headers["location"], url)
                        continue
                    if answer.status_code != 200:
                        raise ModelError(f"{_plain(url)}: the server answers {answer.status_code}: check the address")
                    length = answer.headers.get("content-length", "")
                    yield answer.iter_raw(), int(length) if length.isdigit() else None
                    return
            raise ModelError(f"{_plain(url)}: leads on more than {_REDIRECTS} times: check the address")
    except httpx.HTTPError as error:
        raise ModelError(f"{_plain(url)}: cannot be fetched ({str(error) or type(error).__name__})") from error


@contextmanager
def _file(url: httpx.URL) -> Iterator[tuple[Iterator[bytes], int | None]]:
    path = Path(url.path)
    if url.host not in {"", "localhost"} or not path.is_file():
        raise ModelError(f"{_plain(url)}: is no file of this machine: give file:///PATH")
    try:
        file = path.open("rb")
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror})") from error
    with file:
        yield iter(lambda: file.read(_CHUNK), b""), path.stat().st_size


def _bounded(
    chunks: Iterator[bytes],
    told: int | None,
    where: str,
    limits: FetchLimits,
    progress: Callable[[int, int | None], None] | None,
) -> Iterator[bytes]:
    """Chunks as they come, as long as they keep within the limits."""
    too_large = f"{where}: is larger than {limits.size} bytes: it was not kept"
    if told is not None and told > limits.size:
        raise ModelError(too_large)
    until, size = time.monotonic() + limits.total_s, 0
    for chunk in chunks:
        size += len(chunk)
        if size > limits.size:
            raise ModelError(too_large)
        if time.monotonic() > until:
            raise ModelError(f"{where}: did not come whole within {limits.total_s:g} s: it was not kept")
        if progress is not None:
            progress(size, told)
        yield chunk


def _check(url: httpx.URL, *, own: bool) -> None:
    """Refuse what is not to be fetched from, at every hop: also a server elsewhere that leads into this machine."""
    if _of_this_machine(url) and not own:
        raise ModelError(f"{_plain(url)}: another machine leads to this one: check the address")
    if (url.scheme == "https" and url.host) or (url.scheme == "http" and _of_this_machine(url)):
        return
    if url.scheme == "http":
        raise ModelError(f"{_plain(url)}: http is taken from this machine alone: give https")
    raise ModelError(f"{_plain(url)}: is nothing to fetch from: give an https:// or file:// URL")


def _of_this_machine(url: httpx.URL) -> bool:
    try:
        return url.host == "localhost" or ipaddress.ip_address(url.host).is_loopback
    except ValueError:
        return False


def _address(text: str, base: httpx.URL | None = None) -> httpx.URL:
    """A URL as the client itself will read it, so that what is checked is what is asked."""
    try:
        return httpx.URL(text) if base is None else base.join(text)
    except (httpx.InvalidURL, ValueError) as error:
        raise ModelError(f"{text.partition('?')[0].rpartition('@')[2]}: is no address ({error})") from error


def _plain(url: httpx.URL) -> str:
    """A URL without password and question, for messages."""
    return str(url.copy_with(username="", password="", query=None, fragment=None))
