"""Token buckets: how much one principal or one address may ask, in bounded memory.

A bucket is one number, the moment when it will be full again (the generic cell rate algorithm, ITU-T I.371): a token
takes 1 / per_s seconds to flow back, and what would not be full within burst / per_s seconds is refused.
"""

from __future__ import annotations

import ipaddress
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from api.errors import RateLimitedError
from api.identity.settings import Policy

__all__ = ["Buckets", "Standing", "address_key"]

_SLACK_S = 1e-9  # of sums of floats


@dataclass(frozen=True, slots=True)
class Standing:
    """How a bucket stands.

    Parameters
    ----------
    allowed
        Whether the tokens were taken.
    remaining
        Whole tokens left.
    full_in_s, retry_in_s
        Seconds until it is full, and until as many tokens as were asked for are there.
    """

    policy: Policy
    allowed: bool
    remaining: int
    full_in_s: float
    retry_in_s: float

    def require(self, message: str) -> None:
        """Refuse with `message` what was not allowed; raises RateLimitedError."""
        if not self.allowed:
            raise RateLimitedError(message, self.retry_in_s)

    def headers(self, name: str) -> dict[str, str]:
        """`RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers)."""
        window_s = max(1, round(self.policy.burst / self.policy.per_s))
        return {
            "RateLimit-Policy": f'"{name}";q={self.policy.burst};w={window_s}',
            "RateLimit": f'"{name}";r={self.remaining};t={math.ceil(self.full_in_s)}',
        }


class Buckets:
    """One bucket for each name.

    Parameters
    ----------
    policy
        Size and flow of each.
    capacity
        How many are remembered. The one that was used longest ago is forgotten, which fills it; whoever wants to have
        a bucket forgotten must use that many others first.
    clock
        Monotonic seconds; for tests.
    """

    def __init__(self, policy: Policy, *, capacity: int = 20_000, clock: Callable[[], float] = time.monotonic) -> None:
        self.policy = policy
        self._capacity = capacity
        self._clock = clock
        self._full_at: OrderedDict[str, float] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._full_at)

    def take(self, who: str, cost: float = 1.0, *, anyway: bool = False) -> Standing:
        """Take `cost` tokens, all or none; `anyway` takes what is there where they do not suffice."""
        depth_s = self.policy.burst / self.policy.per_s
        with self._lock:
            now = self._clock()
            level_s = max(self._full_at.get(who, now) - now, 0.0)  # what is missing from a full bucket
            wanted_s = level_s + cost / self.policy.per_s
            allowed = wanted_s <= depth_s + _SLACK_S
            if allowed or anyway:
                level_s = min(wanted_s, depth_s)
            self._full_at[who] = now + level_s
            self._full_at.move_to_end(who)
            if len(self._full_at) > self._capacity:
                self._full_at.popitem(last=False)
        remaining = math.floor((depth_s - level_s) * self.policy.per_s + 1e-6)
        return Standing(self.policy, allowed, remaining, level_s, max(wanted_s - depth_s, 0.0))

    def give(self, who: str, tokens: float = 1.0) -> None:
        """Put tokens back, up to a full bucket."""
        with self._lock:
            if who in self._full_at:
                self._full_at[who] -= tokens / self.policy.per_s


@lru_cache(maxsize=4096)
def address_key(host: str | None) -> str | None:
    """What of an address counts as one: an IPv6 site has a /64 at least, so its 64 bits; None for none."""
    if host is None:
        return None
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host[:64]  # a socket's path, or a test's name
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((int(address) >> 64 << 64, 64)).network_address) + "/64"
    return str(address)
