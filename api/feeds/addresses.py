"""Where a webhook may be sent: https to public addresses alone, judged on the address that is connected to.

A name is resolved once, every address that it has must be allowed, and the connection goes to one of those very
addresses: a name that answers otherwise a moment later (DNS rebinding) has nothing to answer. The host name stays what
TLS asks for and verifies, and what the `Host` header says.

The table is IANA's registries of special-purpose addresses (RFC 6890 and after). Of IPv6 only global unicast 2000::/3
is allowed, less what is carved out of it: that leaves out IPv4-mapped addresses, NAT64 (64:ff9b::/96), unique local and
link-local ones at once. A NAT64 prefix that a network chose within its own global addresses cannot be told by looking.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
import typing
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

import anyio
import httpcore

from api.errors import UnprocessableError

__all__ = ["Address", "Network", "PinnedBackend", "Reach", "Resolver", "allowed", "check_url", "lookup", "reachable"]

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolver = Callable[[str, int], Awaitable[list[str]]]
"""The addresses of a host, as literals; raises OSError where there is none."""

_REFUSED: tuple[Network, ...] = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared by carriers (CGNAT)
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # public by number, but a cloud's own host answers there
        "169.254.0.0/16",  # link-local, and where clouds keep their metadata
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # IETF protocols
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # AMT
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
        "2001::/23",  # IETF protocols: Teredo, ORCHID, ...
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: an IPv4 address in disguise
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
    )
)
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
_LONGEST_URL = 2000


@dataclass(frozen=True, slots=True)
class Reach:
    """How far a target may lie.

    Parameters
    ----------
    ports
        Ports that may be connected to.
    networks
        Networks of the house that are allowed although they are not public: for targets of inside systems only.
    loopback
        True allows this machine, plain http and any port: for tests and demonstrations on one machine.
    """

    ports: frozenset[int] = frozenset({443, 8443})
    networks: tuple[Network, ...] = ()
    loopback: bool = False


def allowed(address: Address, reach: Reach) -> bool:
    """Whether that address may be connected to; what is not known to be public is not."""
    if isinstance(address, ipaddress.IPv6Address) and address.scope_id is not None:
        return False
    if reach.loopback and address.is_loopback:
        return True
    if any(address.version == network.version and address in network for network in reach.networks):
        return True
    if isinstance(address, ipaddress.IPv6Address) and address not in _GLOBAL_UNICAST:
        return False
    return not any(address.version == network.version and address in network for network in _REFUSED)


def check_url(url: str, reach: Reach) -> tuple[str, int]:
    """Host and port of a target's URL.

    Raises
    ------
    UnprocessableError
        When it is not a plain https URL on an allowed port: another scheme, credentials, a fragment, characters that
        two readers could read two ways.
    """
    if len(url) > _LONGEST_URL or not url.isascii() or any(sign <= " " or sign in '\\"<>^`{|}\x7f' for sign in url):
        raise UnprocessableError(f"url is over {_LONGEST_URL} characters or has some that do not belong in one")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise UnprocessableError("url cannot be read: give https://host/path") from None
    host = parts.hostname or ""
    if parts.scheme != "https" and not (reach.loopback and parts.scheme == "http"):
        raise UnprocessableError("url is not https")
    if not host or "@" in parts.netloc or parts.fragment or "%" in parts.netloc:
        raise UnprocessableError("url names no host, or carries credentials or a fragment: give https://host/path")
    port = port if port is not None else {"https": 443, "http": 80}[parts.scheme]
    if port not in reach.ports and not reach.loopback:
        some = ", ".join(str(number) for number in sorted(reach.ports))
        raise UnprocessableError(f"port {port} is not one that targets may have: {some}")
    return host, port


async def lookup(host: str, port: int) -> list[str]:
    """The addresses of a host by this machine's resolver. Raises OSError where there is none."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


async def reachable(host: str, port: int, reach: Reach, resolver: Resolver = lookup) -> list[str]:
    """The addresses of a host, all of which may be connected to.

    Raises
    ------
    UnprocessableError
        When it has none, or one that is not allowed. The message is the same for both, and names no address: it
        would tell what the names within this network stand for.
    """
    refusal = UnprocessableError(f"host {host} cannot be used: its name must resolve, and to public addresses alone")
    try:
        found = [ipaddress.ip_address(text) for text in await resolver(host, port)]
    except (OSError, ValueError):  # ValueError: a name that no resolver takes, or an answer that is no address
        raise refusal from None
    if not found or not all(allowed(address, reach) for address in found):
        raise refusal
    return [str(address) for address in dict.fromkeys(found)]


class PinnedBackend(httpcore.AsyncNetworkBackend):
    """What httpcore connects through: to checked addresses alone.

    Parameters
    ----------
    reach
        How far it may go.
    resolver
        Looks names up; for tests.
    """

    def __init__(self, reach: Reach, resolver: Resolver = lookup) -> None:
        self._reach = reach
        self._resolver = resolver
        self._inner: httpcore.AsyncNetworkBackend = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's own signature
        local_address: str | None = None,
        socket_options: Iterable[typing.Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to one of the checked addresses of `host`, in the resolver's order.

        Raises
        ------
        UnprocessableError
            When the port or an address is not allowed.
        httpcore.ConnectError, httpcore.ConnectTimeout
            When none of them takes the connection in `timeout` seconds, the lookup included.
        """
        if port not in self._reach.ports and not self._reach.loopback:
            raise UnprocessableError(f"port {port} is not one that targets may have")
        try:
            async with asyncio.timeout(timeout):
                found = await reachable(host, port, self._reach, self._resolver)
                return await self._first(found, port, local_address, socket_options)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout from error

    async def _first(
        self, found: list[str], port: int, local_address: str | None, options: Iterable[typing.Any] | None
    ) -> httpcore.AsyncNetworkStream:
        for place, address in enumerate(found, 1):
            try:
                stream = await self._inner.connect_tcp(address, port, None, local_address, options)
            except httpcore.ConnectError:
                if place == len(found):
                    raise
                continue
            ours, theirs = stream.get_extra_info("client_addr"), stream.get_extra_info("server_addr")
            if ours[0] == theirs[0] and not (self._reach.loopback or self._reach.networks):
                await stream.aclose()
                raise UnprocessableError("the target is this machine by its public address")
            return _Stream(stream)
        raise httpcore.ConnectError("no address")  # reachable gives at least one

    async def connect_unix_socket(self, *_args: typing.Any, **_more: typing.Any) -> httpcore.AsyncNetworkStream:
        """Never: a target is not a file. Raises UnprocessableError."""
        raise UnprocessableError("a target is not a file of this machine")

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await self._inner.sleep(seconds)


class _Stream(httpcore.AsyncNetworkStream):
    """A connection that is closed where its TLS handshake is cancelled: httpcore closes it where that fails alone."""

    def __init__(self, inner: httpcore.AsyncNetworkStream) -> None:
        self._inner = inner

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - as above
        return await self._inner.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        await self._inner.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> httpcore.AsyncNetworkStream:
        try:
            return await self._inner.start_tls(ssl_context, server_hostname, timeout)
        except asyncio.CancelledError:
            with anyio.CancelScope(shield=True):
                await self._inner.aclose()
            raise

    def get_extra_info(self, info: str) -> typing.Any:
        return self._inner.get_extra_info(info)
