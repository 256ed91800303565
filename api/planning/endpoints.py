"""Planning over HTTP: ask for a plan, see how far it is and what it came to, take its files, adopt it."""

from __future__ import annotations

import json
from pathlib import PurePath
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Path, Query, Request
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.asked import Number
from api.http import GEOJSON, Caller, Given, Route, Stored, answer, answer_page, read, write, write_alone
from api.identity.roles import Permission
from api.live.account import show_counted, tally_of
from api.pages import Asked
from api.planning import answers, plannings
from api.planning.answers import MEDIA_TYPES
from api.planning.ground import ground_at
from api.planning.map_files import shapes_of
from api.planning.schemas import AdoptionIn, PlanningIn

__all__ = ["ROUTES"]

FileName = Annotated[str, Path(min_length=1, max_length=300)]


def post_planning(wish: PlanningIn, call: Caller, store: Stored, settings: Given) -> Response:
    """Ask for a plan: what cannot be planned at all is refused here, the rest is queued for the planner."""
    from api.planning.orders import check_terrain, order_of  # noqa: PLC0415 - `missions` takes a second to load

    check_terrain(wish, settings.planning.terrain)
    order_of(wish)
    request = json.dumps(wish.model_dump(mode="json", exclude_unset=True))
    most, kept = settings.planning.per_person, settings.planning.kept_per_person

    def work(session: Session, now: int) -> dict[str, Any]:
        row = plannings.ask(session, call, now, name=wish.name, request=request, most=most, kept=kept)
        return plannings.line_of(row)

    line = write(store, call, work)
    return answer(line, 202, Location=f"/plannings/{line['id']}")


async def post_planning_shapes(request: Request, call: Caller, store: Stored) -> Response:
    """The lines, areas and points of a KML, KMZ, GeoPackage or zipped Shapefile as GeoJSON, to go on drawing with.

    Nothing is kept. Places are degrees of WGS 84; `notes` says how well they are known where that is not to a metre.
    """
    shapes = await shapes_of(await request.body())
    await run_in_threadpool(read, store, call, "planning.read_map", lambda _session, _now: (None, []))
    return Response(shapes, 200, None, GEOJSON)


def get_plannings(request: Request, call: Caller, store: Stored, asked: Asked) -> Response:
    """Plannings, newest first."""

    def work(session: Session, _now: int) -> tuple[Any, list[str]]:
        found = plannings.list_plannings(session, call.principal, asked).map(plannings.line_of)
        return found, [line["id"] for line in found.items]

    return answer_page(request, read(store, call, "planning.list", work))


def get_planning(planning_id: str, call: Caller, store: Stored) -> Response:
    """How far a planning is, and when it is done what was found."""

    def work(session: Session, _now: int) -> tuple[Any, list[str]]:
        row = plannings.find(session, call.principal, planning_id, whole=True)
        return plannings.told_of(session, row), [row.id]

    return answer(read(store, call, "planning.read", work))


def delete_planning(planning_id: str, call: Caller, store: Stored) -> Response:
    """Cancel a planning that waits or runs; forget one that has ended. An adopted plan stays."""
    write(store, call, lambda session, now: plannings.drop(session, call, now, planning_id))
    return Response(status_code=204)


def get_planning_file(planning_id: str, name: FileName, call: Caller, store: Stored) -> Response:
    """A file of a plan, as the tools of pilots read it."""

    def work(session: Session, _now: int) -> tuple[Any, list[str]]:
        return plannings.file_of(session, call.principal, planning_id, name), [planning_id]

    content = read(store, call, "planning.read_file", work)
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}"}
    return Response(content, 200, headers, MEDIA_TYPES[PurePath(name).suffix])


def post_planning_adoption(planning_id: str, wish: AdoptionIn, call: Caller, store: Stored) -> Response:
    """Make a plan one of the service: records of its segments, its fleet, itself, and each flight as planned."""
    from api.planning.adoption import adopt  # noqa: PLC0415 - as above

    return answer(write_alone(store, call, lambda session, now: adopt(session, call, now, planning_id, wish)))


def get_ground(
    lat: Annotated[Number, Query(ge=-90, le=90)],
    lon: Annotated[Number, Query(ge=-180, le=180)],
    call: Caller,
    store: Stored,
    settings: Given,
) -> Response:
    """How high the ground is at a place, by the terrain that the service plans with; null where it has none.

    It lies between samples that are `resolution_m` apart: trees, masts and houses stand on it. Partners are told none.
    """
    terrain = None if call.principal.partner_id is not None else settings.planning.terrain
    tally = tally_of(store, call, "ground.read", settings.live.account_s, counted="places")
    return answer(show_counted(store, call, tally, lambda _session, _now: (ground_at(terrain, lat, lon), ["terrain"])))


ROUTES: tuple[Route, ...] = (
    Route("POST", "/plannings", post_planning, Permission.ASSET_WRITE, answers=answers.ASKED),
    Route("POST", "/plannings/shapes", post_planning_shapes, Permission.ASSET_WRITE, "map", answers=answers.SHAPES),
    Route("GET", "/plannings", get_plannings, Permission.ASSET_READ, answers=answers.PLANNINGS),
    Route("GET", "/plannings/{planning_id}", get_planning, Permission.ASSET_READ, answers=answers.PLANNING),
    Route("DELETE", "/plannings/{planning_id}", delete_planning, Permission.ASSET_WRITE, answers=answers.FORGOTTEN),
    Route(
        "GET", "/plannings/{planning_id}/files/{name}", get_planning_file, Permission.ASSET_READ, answers=answers.FILE
    ),
    Route("GET", "/ground", get_ground, Permission.ASSET_READ, answers=answers.GROUND),
    Route(
        "POST",
        "/plannings/{planning_id}/adoption",
        post_planning_adoption,
        Permission.ASSET_WRITE,
        answers=answers.ADOPTED,
    ),
)
