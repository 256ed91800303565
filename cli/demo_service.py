"""What a demonstration found, in a service: delivered, planned, judged and released over HTTP, as people do it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import api
import missions
import vision
from cli.outcome import EPOCH_US, MARKING, OWNER, DemoError
from cli.terminal import bars

__all__ = ["PARTNERS", "Filled", "Run", "filled_service", "read_run"]

PARTNERS = ("Coast Guard (exercise)", "Rescue Service (exercise)")
_TERMS = {
    "kinds": ["person", "vehicle"],
    "purposes": [vision.Custody().purpose],
    "markings": [MARKING],
    "fields": ["kind", "direction", "status", "position", "ellipse", "border"],
}
_ADOPTION = {
    "source": "demonstration",
    "owner": OWNER,
    "purpose": vision.Custody().purpose,
    "marking": MARKING,
    "retention_days": vision.Custody().retention_days,
    "personal_data": False,
    "start": vision.iso_time(EPOCH_US),
}


@dataclass(frozen=True, slots=True)
class Run:
    """What a demonstration left in its folder.

    Parameters
    ----------
    folder
        With ``border.geojson``, and ``evidence`` by `source_id` of each crossing.
    plan
        The plan that was flown.
    crossings
        As the service takes them, in order of time.
    """

    folder: Path
    plan: missions.PatrolPlan
    crossings: list[dict[str, Any]]


def read_run(folder: Path) -> Run:
    """Read what an earlier demonstration left. Raises DemoError where there is none."""
    plan, crossings = folder / "plan.json", folder / "crossings.jsonl"
    if not plan.is_file() or not crossings.is_file():
        raise DemoError(f"{folder} holds no demonstration: run it first, without --show")
    return Run(folder, missions.load_plan(plan), list(_records(crossings)))


def _records(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a file, one a line. Raises DemoError where a line is none."""
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        try:
            record = json.loads(line)
            record["source_id"]
        except (ValueError, KeyError, TypeError) as error:
            raise DemoError(f"{path}: line {number} is no crossing: run the demonstration again") from error
        yield record


@dataclass(frozen=True, slots=True)
class Filled:
    """A service that holds a demonstration.

    Parameters
    ----------
    url
        Where it is.
    admin, auditor
        Clients.
    admin_key
        The administrator's key, which is written nowhere.
    readers
        Clients of those who look: "analyst" is our own, the others are partners by name.
    partner_ids
        By name.
    stored
        The service's id of each crossing, by `source_id`.
    reviewed
        `source_id` of the crossing that a person confirmed and that was released.
    release
        The service's id of the release.
    """

    url: str
    admin: api.Client
    auditor: api.Client
    admin_key: str = field(repr=False)
    readers: dict[str, api.Client]
    partner_ids: dict[str, str]
    stored: dict[str, str]
    reviewed: str
    release: str


@contextmanager
def filled_service(settings: api.Settings, run: Run) -> Iterator[Filled]:
    """Serve a demonstration in a new store while the block runs.

    The crossings go through the spool, a person confirms the surest one, and it is released to one partner of two. The
    plan is asked for, and adopted when it is the one that was flown.

    Raises
    ------
    DemoError
        When there is no crossing, one is not taken, or the service plans otherwise.
    VedetteError
        As the service and its clients do.
    """
    if not run.crossings:
        raise DemoError("no crossing was found, so there is nothing to review: try another seed")
    with api.running(settings) as service, ExitStack() as stack:
        assert service.admin is not None  # a new store
        admin = stack.enter_context(api.Client(service.url, service.admin.key))

        def client(role: api.Role, partner: str | None = None, **more: Any) -> api.Client:
            bound = ["*"] if role is api.Role.PILOT else None
            key = admin.create_key(f"{role} of the demonstration", role, partner_id=partner, sources=bound)
            return stack.enter_context(api.Client(service.url, key, **more))

        partners = {name: str(admin.create_partner(name)["id"]) for name in PARTNERS}
        for partner_id in partners.values():
            admin.create_agreement(partner_id=partner_id, **_TERMS)
        readers = {"analyst": client(api.Role.ANALYST)}
        readers |= {name: client(api.Role.PARTNER, partner_id) for name, partner_id in partners.items()}
        spool = stack.enter_context(TemporaryDirectory(prefix="vedette-spool-"))
        pilot = client(api.Role.PILOT, spool=Path(spool))
        with bars() as progress:
            task = progress.add_task("deliver, review, release, plan", total=len(run.crossings) + 3)
            planning = pilot.plans.ask(_wish(run))  # it is planned while crossings are delivered
            stored = {}
            for crossing in run.crossings:
                stored[crossing["source_id"]] = _delivered(pilot, crossing, run.folder)
                progress.advance(task)
            surest = max(run.crossings, key=lambda each: (each["status"] == "confirmed", each["confidence"]))
            chosen = stored[surest["source_id"]]
            readers["analyst"].review(chosen, "confirm")
            progress.advance(task)
            supervisor = client(api.Role.SUPERVISOR)
            release = supervisor.release(chosen, partners[PARTNERS[0]], reason="joint exercise")
            progress.advance(task)
            _adopt(pilot, planning, run.plan)
            progress.advance(task)
        yield Filled(
            url=service.url,
            admin=admin,
            auditor=client(api.Role.AUDITOR),
            admin_key=service.admin.key,
            readers=readers,
            partner_ids=partners,
            stored=stored,
            reviewed=surest["source_id"],
            release=str(release["id"]),
        )


def _delivered(drone: api.Client, crossing: dict[str, Any], folder: Path) -> str:
    """The service's id of a crossing."""
    name = crossing["source_id"]
    answer = drone.deliver(crossing, folder / "evidence" / name)
    if answer.waiting or answer.failed:
        raise DemoError(f"crossing {name} was not taken: {answer.error or answer.failed}")
    return str(answer.delivered[0]["id"])


def _wish(run: Run) -> dict[str, Any]:
    """What is to be planned, as the form of the console says it: border, aircraft where they stand, ground."""
    with TemporaryDirectory(prefix="vedette-fleet-") as folder:
        path = Path(folder) / "fleet.json"
        missions.write_fleet(run.plan.fleet, path)
        fleet = json.loads(path.read_text(encoding="utf-8"))
    standing = {(each["base"], each["aircraft"]): 0 for each in fleet["vehicles"]}
    for each in fleet["vehicles"]:
        standing[each["base"], each["aircraft"]] += 1
    bases = [
        {
            "name": name,
            "lat": base["lat_deg"],
            "lon": base["lon_deg"],
            "aircraft": [{"model": model, "count": count} for (at, model), count in standing.items() if at == name],
        }
        for name, base in fleet["bases"].items()
    ]
    return {
        "name": run.plan.border.name,
        "border": {"geojson": json.loads((run.folder / "border.geojson").read_text(encoding="utf-8"))},
        "bases": bases,
        "aircraft": fleet["aircraft"],
        "camera": fleet["camera"],
        "ground_m": run.plan.sorties[0].home.ground_amsl_m,
    }


def _adopt(pilot: api.Client, planning: str, flown: missions.PatrolPlan) -> None:
    """Make the plan that was asked for one of the service. Raises DemoError where it is not the one that was flown."""
    pilot.plans.wait(planning)
    with TemporaryDirectory(prefix="vedette-plan-") as folder:
        path = Path(folder) / "plan.json"
        path.write_bytes(pilot.plans.file(planning, path.name))
        if missions.load_plan(path) != flown:
            raise DemoError(
                "the service plans otherwise than what was flown: run the demonstration again where another version "
                "of this program made it, and report a fault where this one did"
            )
    pilot.plans.adopt(planning, _ADOPTION)
