"""A demonstration in the console: its service is up, and simulated vehicles fly its plan again, ten times as fast."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
from rich.table import Table

import api
import autopilot
import missions
import sim
from cli.demo_service import PARTNERS, Filled, filled_service, read_run
from cli.live import LiveOptions, telling_positions
from cli.outcome import MARKING, OWNER
from cli.piloting import taking_orders
from cli.simulated import simulated_fleet
from cli.stopping import run_until_told
from cli.terminal import complaints, console
from geo import VedetteError

__all__ = ["ShownDemo", "show_demo", "shown_demo"]

_PACE = 10
"""Simulated seconds a second: on its border a vehicle is after a minute, at its own pace after ten."""
_BANNER = f"{MARKING}: all is simulated; vehicles fly {_PACE} times as fast as in the air"
_STATION = "simulated ground station"
_VIEWS = {
    api.Role.PILOT: "Plan: the plan that was flown; Fly: the vehicles, and orders to them",
    api.Role.ANALYST: "Review: crossings with their clips; Fly",
    api.Role.SUPERVISOR: "Share: releases, and what a partner would see; Review, Fly",
    api.Role.PARTNER: "Review, Share: what was released to it, and no more",
    api.Role.AUDITOR: "Account: the audit and its chain",
    api.Role.ADMINISTRATOR: "Account: accounts and keys; Share: partners and agreements",
}
"""What there is to look at, by login, which is a role."""
_SEED = 1


@dataclass(frozen=True, slots=True)
class ShownDemo:
    """A demonstration that is served.

    Parameters
    ----------
    url
        Where the console is.
    password
        Of every account; the logins are the roles.
    station_key
        Of the ground station that tells where vehicles are and takes orders.
    plan
        What they fly.
    """

    url: str
    password: str = field(repr=False)
    station_key: str = field(repr=False)
    plan: missions.PatrolPlan


def show_demo(folder: Path, port: int) -> None:
    """Serve an earlier demonstration, and fly its plan again, until Ctrl-C. Raises as `shown_demo` does."""
    with shown_demo(folder, port) as shown:
        _tell(shown)
        _fly_until_told(shown)


@contextmanager
def shown_demo(folder: Path, port: int) -> Iterator[ShownDemo]:
    """Serve what a demonstration left, while the block runs, in a store that ends with it: its folder stays as it is.

    Parameters
    ----------
    folder
        Of the demonstration.
    port
        Of the service; 0 takes a free one.

    Raises
    ------
    DemoError
        When there is no demonstration, it is spoilt, or another version of the program planned it, and otherwise.
    SettingsError
        When the port is taken.
    """
    run = read_run(folder)
    with TemporaryDirectory(prefix="vedette-demo-") as store:
        settings = api.Settings(Path(store) / "store", port=port, console=api.ConsoleSettings(_BANNER))
        with filled_service(settings, run) as filled:
            key = filled.admin.create_key(_STATION, api.Role.PILOT, sources=[_STATION])
            yield ShownDemo(filled.url, _password_of_all(filled), key, run.plan)


def _password_of_all(filled: Filled) -> str:
    """Make an account for every role, whose login it is, and set one password for all as each person would do it."""
    password = "-".join(secrets.token_hex(2) for _ in range(4))
    once = {
        str(role): filled.admin.create_account(role, f"{role} of the demonstration", role, partner_id=partner)
        for role in _VIEWS
        if role is not api.Role.ADMINISTRATOR
        for partner in [filled.partner_ids[PARTNERS[0]] if role is api.Role.PARTNER else None]
    }
    for login, secret in (once | {str(api.Role.ADMINISTRATOR): filled.admin_key}).items():
        said = {"login": login, "password": secret, "new_password": password}
        with httpx.Client(base_url=filled.url, headers={"Origin": filled.url}, trust_env=False) as browser:
            token = browser.post("/login", json=said).raise_for_status().json()["csrf"]
            browser.post("/logout", headers={"X-Vedette-Csrf": token}).raise_for_status()
    return password


def _tell(shown: ShownDemo) -> None:
    table = Table("login", "what there is to look at")
    for login, views in _VIEWS.items():
        table.add_row(login, views)
    console.print(table)
    console.print(f"password of all: {shown.password}", markup=False, soft_wrap=True)
    console.print(f"console: {shown.url}", markup=False, soft_wrap=True)
    count = len(shown.plan.fleet.vehicles)
    console.print(
        f"{count} simulated vehicles fly the plan again, {_PACE} times as fast as in the air, and take orders.\n"
        "Ctrl-C ends it, and what was done in it is gone."
    )


def _fly_until_told(shown: ShownDemo) -> None:
    options = LiveOptions(shown.url, shown.station_key, _STATION, OWNER, MARKING)
    ready = replace(simulated_fleet(shown.plan, speedup=_PACE, seed=_SEED), boot=sim.Boot(0, 0, 0))
    with (
        sim.start_fleet(ready) as fleet,
        telling_positions(options, shown.plan, None) as met,
        taking_orders(options, shown.plan) as begun,
    ):
        urls = [endpoint.url for endpoint in fleet.endpoints]
        run_until_told(
            lambda stop: _patrol(shown.plan, urls, stop, met=met, begun=begun), lambda: console.print("it ends")
        )


async def _patrol(
    plan: missions.PatrolPlan,
    urls: list[str],
    stop: asyncio.Event,
    *,
    met: Callable[[autopilot.Vehicle], None] | None,
    begun: Callable[[autopilot.Patrol], None] | None,
) -> None:
    """Fly the shift; the service stays up when it is over. Nobody waits for simulated vehicles to come home."""
    flight = asyncio.ensure_future(autopilot.fly_patrol(plan, urls, time_scale=_PACE, met=met, begun=begun))
    told = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait([flight, told], return_when=asyncio.FIRST_COMPLETED)
        if flight.done():
            _say_end(flight)
        await told
    finally:
        flight.cancel()
        await asyncio.gather(flight, return_exceptions=True)


def _say_end(flight: asyncio.Future[autopilot.PatrolReport]) -> None:
    try:
        lines = flight.result().words()
    except VedetteError as error:
        lines = [f"the flight ended: {error}"]
    for line in lines:
        complaints.print(line, markup=False, highlight=False)
