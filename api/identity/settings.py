"""How people and machines prove who they are, and how much they may ask."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlsplit

from api.errors import SettingsError
from api.identity.roles import Role

__all__ = ["Argon2", "IdentitySettings", "OidcSettings", "Policy", "is_safe_url"]

_ASYMMETRIC = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"})


@dataclass(frozen=True, slots=True)
class Policy:
    """A token bucket: `burst` tokens when full, `per_s` flow back each second.

    Raises
    ------
    SettingsError
        When either is not positive.
    """

    burst: int
    per_s: float

    def __post_init__(self) -> None:
        if self.burst < 1 or not 0 < self.per_s < 1e9:
            raise SettingsError(f"limit of {self.burst} at once and {self.per_s} a second lets nothing through")

    def share(self, processes: int) -> Policy:
        """What one of several processes lets through, so that all of them together let through what this says at most.

        One at once is the least: with more processes than `burst` there are as many at once as there are processes.
        """
        return Policy(max(1, self.burst // processes), self.per_s / processes)


@dataclass(frozen=True, slots=True)
class Argon2:
    """Cost of a password hash (argon2id). The default is the second choice of RFC 9106, section 4.

    Raises
    ------
    SettingsError
        When it is cheaper than 19 MiB and two passes, the least that OWASP takes.
    """

    time_cost: int = 3
    memory_kib: int = 64 << 10
    parallelism: int = 4

    def __post_init__(self) -> None:
        if self.time_cost < 2 or self.memory_kib < 19 << 10 or self.parallelism < 1:
            raise SettingsError(
                f"argon2 with {self.memory_kib} KiB and {self.time_cost} passes is too cheap to guess: "
                "give 19456 KiB and 2 passes at least"
            )


@dataclass(frozen=True, slots=True)
class OidcSettings:
    """An OpenID Connect provider that people may log in with.

    Parameters
    ----------
    issuer
        As the provider writes it in its tokens, to the letter; https, or http on this machine.
    client_id, client_secret
        As registered there; the redirect URI is `IdentitySettings.public_url` + `/oidc/callback`. Without a secret the
        client is a public one, which PKCE alone protects.
    roles
        Value of `roles_claim` -> role. Whoever has none of the values is refused. Of several, the first in this order
        counts: duties are separate, a person has one role. A partner's people have no place here: nothing in a token
        of ours says which partner they are of.
    roles_claim
        Name of the claim, a string or a list of strings; dots go into nested objects (`realm_access.roles`).
    scopes
        What is asked for.
    ca
        PEM file of the authority that signed the provider's certificate, where it is one of the agency's own.
    algorithms
        Signatures that are taken: asymmetric ones only.
    leeway_s
        How far the provider's clock and ours may differ.
    timeout_s
        Longest wait for the provider.
    keys_s
        How long its discovery document and keys are kept. A key that is not among them is looked for at once, but no
        more often than once in `keys_again_s`.

    Raises
    ------
    SettingsError
        When the issuer is not https, no role is mapped, or a signature is symmetric or none.
    """

    issuer: str
    client_id: str
    client_secret: str | None = field(default=None, repr=False)
    roles: Mapping[str, Role] = field(default_factory=lambda: MappingProxyType({}))
    roles_claim: str = "groups"
    scopes: tuple[str, ...] = ("openid", "profile")
    ca: Path | None = None
    algorithms: tuple[str, ...] = ("RS256", "ES256", "PS256", "EdDSA")
    leeway_s: int = 60
    timeout_s: float = 5.0
    keys_s: float = 3600.0
    keys_again_s: float = 30.0

    def __post_init__(self) -> None:
        if not is_safe_url(self.issuer):
            raise SettingsError(f"OIDC issuer {self.issuer} is not https: give it as the provider writes it")
        if not self.client_id or not self.roles:
            raise SettingsError("OIDC needs a client_id, and roles: which value of the claim is which role")
        if Role.PARTNER in self.roles.values():
            raise SettingsError("OIDC cannot say of which partner somebody is: give partner accounts or keys")
        if not self.algorithms or not set(self.algorithms) <= _ASYMMETRIC:
            raise SettingsError(f"OIDC signatures {self.algorithms}: give some of {sorted(_ASYMMETRIC)}")
        if "openid" not in self.scopes:
            raise SettingsError("OIDC scopes must have openid: without it there is no token that says who it is")
        if not 0 <= self.leeway_s <= 300 or min(self.timeout_s, self.keys_s, self.keys_again_s) <= 0:
            raise SettingsError("OIDC leeway_s is 0 to 300, and the other times are positive")


@dataclass(frozen=True, slots=True)
class IdentitySettings:
    """How people and machines prove who they are, and how much they may ask.

    Parameters
    ----------
    public_url
        Where browsers find the service (`https://vedette.example`). Without it the Host header of each request counts;
        OIDC needs it.
    idle_s, absolute_s
        A session ends when it was not used for so long, and so long after the login whatever happens.
    once_s
        How long the one-time secret of a new account is good.
    context_words
        Words that a password must not lean on, besides the names of service and account: the agency's, its place's.
    argon2
        Cost of a password hash.
    hashing_slots
        Password hashes at once; each takes `argon2.memory_kib`.
    partner_keys_need_certificate
        True refuses partner keys that are bound to no certificate, those issued before too.
    principal_limit, address_limit
        Requests of one principal, and of one address; None is without limit.
    failure_cost
        What a request that proves nothing takes from its address's bucket on top.
    login_limit
        Wrong passwords for one account from a device that logged in to it before.
    account_limit, stranger_limit
        Wrong passwords for one account from all other devices together, and from one address for all accounts.
    processes
        How many processes serve the store. They do not count together: each lets through its share of every limit.
    oidc
        A provider to log in with; None has local accounts alone.

    Raises
    ------
    SettingsError
        When a time is not positive, or OIDC lacks the public address.
    """

    public_url: str | None = None
    idle_s: int = 30 * 60
    absolute_s: int = 12 * 3600
    once_s: int = 72 * 3600
    context_words: tuple[str, ...] = ()
    argon2: Argon2 = field(default_factory=Argon2)
    hashing_slots: int = 2
    partner_keys_need_certificate: bool = False
    principal_limit: Policy | None = Policy(2000, 500.0)
    address_limit: Policy | None = Policy(4000, 1000.0)
    failure_cost: int = 10
    login_limit: Policy = Policy(5, 1 / 60)
    account_limit: Policy = Policy(20, 1 / 60)
    stranger_limit: Policy = Policy(20, 1 / 20)
    processes: int = 1
    oidc: OidcSettings | None = None

    def __post_init__(self) -> None:
        if not 0 < self.idle_s <= self.absolute_s or self.once_s <= 0:
            raise SettingsError("a session's idle_s is positive and at most its absolute_s; once_s is positive")
        if self.hashing_slots < 1 or self.failure_cost < 0 or self.processes < 1:
            raise SettingsError("hashing_slots and processes are 1 at least, failure_cost 0 at least")
        if self.public_url is not None and (not is_safe_url(self.public_url) or urlsplit(self.public_url).path):
            raise SettingsError(f"public_url {self.public_url}: give it as https://vedette.example, without a path")
        if self.oidc is not None and self.public_url is None:
            raise SettingsError("OIDC needs public_url: the provider sends people back there")


def is_safe_url(url: str) -> bool:
    """Whether `url` is https, or http to this machine, and has no more than host, port and path."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    if not parts.hostname or parts.query or parts.fragment or "@" in parts.netloc or not url.isascii():
        return False
    if any(character <= " " or character == "\x7f" for character in url):
        return False
    if parts.scheme == "https":
        return True
    try:
        return parts.scheme == "http" and ipaddress.ip_address(parts.hostname).is_loopback
    except ValueError:
        return parts.scheme == "http" and parts.hostname == "localhost"
