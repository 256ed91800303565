"""What the feeds are run with."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, fields

from api.errors import SettingsError

__all__ = ["FeedSettings"]


@dataclass(frozen=True, slots=True)
class FeedSettings:
    """What the feeds are run with.

    Parameters
    ----------
    poll_s
        How often the log is asked for what other processes wrote; what this one writes is seen at once.
    heartbeat_s
        Longest silence of a stream.
    recheck_s
        How often the keys of silent streams are looked up again.
    buffer_events
        Most events that wait for one stream; one that is further behind reads the log again.
    behind_s, send_timeout_s
        How long a stream may be so far behind, and how long its receiver may take none of its bytes: then it is cut
        off, and resumes by its cursor.
    streams, streams_per_key
        Most open streams of this process, and of one key.
    page_events, page_bytes
        Most events that are looked up for one stream at a time, and about how many bytes of them.
    targets
        Most webhook targets of one partner, and of the inside.
    target_ports
        Ports that targets may have.
    inside_networks
        Networks of the house, as CIDR, that targets of inside systems may lie in although they are not public.
    loopback_targets
        True allows targets on this machine and plain http: for tests and demonstrations.
    connect_timeout_s, answer_timeout_s
        How long a target may take to connect, and for the whole of a call.
    answer_bytes
        Most bytes of an answer that are read; they are not kept.
    calls
        Most calls to targets at a time.
    first_wait_s, longest_wait_s
        Wait after the first failure; it doubles, with jitter, up to the longest.
    give_up_days
        A target that failed for so long is disabled.
    old_secret_s
        For how long calls to a target are signed with its old secret too, after it was given a new one.
    reoffer_s
        How often a recall without a receipt is offered again.
    deliveries_days
        How long the delivery log is kept.
    lease_s
        How long a process that fell keeps others from sending.

    Raises
    ------
    SettingsError
        When a figure is not positive, a port does not exist, or a network cannot be read.
    """

    poll_s: float = 0.1
    heartbeat_s: float = 15.0
    recheck_s: float = 2.0
    buffer_events: int = 256
    behind_s: float = 30.0
    send_timeout_s: float = 10.0
    streams: int = 2000
    streams_per_key: int = 20
    page_events: int = 100
    page_bytes: int = 1 << 18
    targets: int = 10
    target_ports: tuple[int, ...] = (443, 8443)
    inside_networks: tuple[str, ...] = ()
    loopback_targets: bool = False
    connect_timeout_s: float = 5.0
    answer_timeout_s: float = 15.0
    answer_bytes: int = 65536
    calls: int = 64
    first_wait_s: float = 5.0
    longest_wait_s: float = 3600.0
    give_up_days: float = 5.0
    old_secret_s: float = 86400.0
    reoffer_s: float = 3600.0
    deliveries_days: float = 30.0
    lease_s: float = 15.0

    def __post_init__(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            if isinstance(value, (int, float)) and not isinstance(value, bool) and not 0 < value < float("inf"):
                raise SettingsError(f"{one.name} {value} must be positive and finite")
        if not all(0 < port < 65536 for port in self.target_ports):
            raise SettingsError(f"target_ports {self.target_ports}: a port is 1 to 65535")
        for network in self.inside_networks:
            try:
                ipaddress.ip_network(network)
            except ValueError as error:
                raise SettingsError(f"inside_networks: {error}; give CIDR such as 10.1.0.0/16") from None
