"""Sending a plan to its vehicles at the page: checked, given once, followed. The ground station here is words alone."""

import re
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.api.samples import planning_json
from tests.console.desk import Desk, Live

CUSTODY = {"owner": "Border Watch", "purpose": "border-surveillance", "marking": None, "retention_days": 30}
START = "2026-12-01T06:00:00Z"
TELLS_S = 0.5
"""How often the station here tells how it stands; a real one does every two seconds."""


class Station:
    """A ground station as the service knows one: what it tells again and again, and the launches that it is told."""

    def __init__(self, live: Live, source: str) -> None:
        self.live, self.source, self.run = live, source, secrets.token_hex(16)
        self.busy: str | None = None
        self.vehicles = [self.vehicle(1), self.vehicle(2)]
        self.over = threading.Event()

    @staticmethod
    def vehicle(sysid: int, *why_not: str) -> dict[str, Any]:
        where = {"lat": 31.345, "lon": -110.94}
        return {
            "sysid": sysid,
            "heard": True,
            "ready": not why_not,
            "why_not": [*why_not],
            "battery_left": 0.98,
            **where,
        }

    def tell(self) -> list[dict[str, Any]]:
        body = {"run": self.run, "busy": self.busy, "vehicles": self.vehicles}
        told: list[dict[str, Any]] = self.live.ask("pilot", "PUT", f"/stations/{self.source}", json=body).json()[
            "launches"
        ]
        return told

    def go_on(self) -> None:
        while not self.over.wait(TELLS_S):
            self.tell()

    def outcome(self, launch_id: str, state: str, words: str | None = None) -> None:
        body = {"run": self.run, "state": state, "words": words}
        self.live.ask("pilot", "POST", f"/launches/{launch_id}/outcome", json=body)


@contextmanager
def standing_by(live: Live, source: str = "hill") -> Iterator[Station]:
    station = Station(live, source)
    station.tell()
    thread = threading.Thread(target=station.go_on)
    thread.start()
    try:
        yield station
    finally:
        station.over.set()
        thread.join()


@pytest.fixture(scope="module")
def planned(peopled: Live, served, tmp_path_factory: pytest.TempPathFactory) -> Live:
    """A service that has stopped, and has made a plan: planning takes long, and is not what is looked at here."""
    with served(peopled, tmp_path_factory.mktemp("planned") / "service") as live:
        asked = live.ask("pilot", "POST", "/plannings", json=planning_json()).json()["id"]
        until = time.monotonic() + 90
        while (told := live.ask("pilot", "GET", f"/plannings/{asked}").json())["state"] in {"queued", "running"}:
            assert time.monotonic() < until
            time.sleep(0.1)
        assert told["state"] == "done", told["error"]
        return live


@pytest.fixture
def live(tmp_path: Path, planned: Live, served) -> Iterator[Live]:
    """A service of its own for a test, which has the plan."""
    with served(planned, tmp_path / "service") as live:
        yield live


def adopt(live: Live) -> None:
    (planning,) = live.ask("pilot", "GET", "/plannings").json()
    body = {**CUSTODY, "source": "console", "start": START}
    live.ask("pilot", "POST", f"/plannings/{planning['id']}/adoption", json=body)


def given(live: Live) -> list[dict[str, Any]]:
    """What the service has of launches, the newest first."""
    found: list[dict[str, Any]] = live.ask("pilot", "GET", "/launches").json()
    return found


def at_send(at: Desk) -> Page:
    """The tab from which the plan is sent."""
    at.page.get_by_role("button", name="Nogales").click()
    at.page.get_by_role("tab", name="Send").click()
    return at.page


def ask_to_send(page: Page) -> Locator:
    page.get_by_role("button", name="Send to vehicles…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("checkbox").first).to_be_visible()
    return dialog


def tick_all(page: Page, dialog: Locator) -> None:
    """By keyboard alone."""
    dialog.get_by_role("checkbox").first.focus()
    for _ in dialog.get_by_role("checkbox").all():
        page.keyboard.press("Space")
        page.keyboard.press("Tab")


def test_a_plan_is_sent_when_its_vehicles_are_ready_and_every_check_is_done(live, desk):  # noqa: PLR0915 - one flow
    keys = [item["key"] for item in live.ask("pilot", "GET", "/launches/checklist").json()["items"]]
    with standing_by(live) as station:
        station.vehicles[1] = Station.vehicle(2, "battery at 40 %: 95 % are wanted")
        at = desk(live, "pilot")
        page = at_send(at)
        send = page.get_by_role("button", name="Send to vehicles…")
        expect(send).to_be_disabled()
        page.get_by_role("button", name="To Adopt").click()
        page.get_by_label("Owner").fill("Border Watch")
        page.get_by_label("Shift begins").fill("2026-12-01T06:00")
        page.get_by_role("button", name="Adopt this plan").click()
        expect(page.get_by_text("This plan is adopted.")).to_be_visible()
        page.get_by_role("tab", name="Send").click()

        dialog = ask_to_send(page)
        go, why = dialog.get_by_role("button", name="Send: they take off"), dialog.get_by_role("status")
        expect(dialog.get_by_role("radio", name="hill")).to_be_checked()
        expect(dialog.get_by_role("row", name="vehicle-1")).to_contain_text("ready")
        expect(dialog.get_by_role("row", name="vehicle-2")).to_contain_text("battery at 40 %: 95 % are wanted")
        expect(why).to_contain_text("vehicle-2: battery at 40 %")
        expect(why).to_contain_text(f"{len(keys)} checks are left")
        assert at.axe_in_every_theme() == []
        page.evaluate("document.documentElement.dataset.theme = 'dark'")
        at.picture("launch-unready")
        tick_all(page, dialog)
        expect(why).not_to_contain_text("left")
        expect(go).to_be_disabled()
        station.vehicles[1] = Station.vehicle(2)
        expect(why).to_have_text("hill takes the plan, and its 2 vehicles take off by themselves.")
        dialog.get_by_label("Fly for (hours)").fill("25")
        expect(go).to_be_disabled()
        dialog.get_by_label("Fly for (hours)").fill("1,5")
        expect(go).to_be_enabled()
        page.keyboard.press("Enter")  # sends nobody into the air
        at.picture("launch-ready")
        assert given(live) == []

        go.click()
        expect(dialog).to_have_count(0)
        newest = page.get_by_role("tabpanel").get_by_role("status")
        expect(newest).to_contain_text("hill has not taken it yet")
        (launch,) = given(live)
        assert (launch["station"], launch["hours"], launch["sysids"]) == ("hill", 1.5, [1, 2])
        assert launch["checklist"] == keys
        at.picture("launch-given")
        station.outcome(launch["id"], "taken")
        expect(newest).to_contain_text("hill has it")
        station.outcome(launch["id"], "accepted")
        expect(newest).to_contain_text("hill flies it")
        expect(page.get_by_text("hill flies Nogales.")).to_be_visible()
        at.picture("launch-flies")
        newest.get_by_role("link", name="Watch it in Fly").click()
        expect(page.get_by_role("heading", name="Fly")).to_be_attached()
        words = "vehicle 1: 3 flights, 2 flown to the end, at most 9 s after their time; called back by Pat; "
        station.outcome(launch["id"], "done", 3 * words + "all are down")
        page.get_by_role("link", name="Plan", exact=True).click()
        page.get_by_role("tab", name="Send").click()
        panel = page.get_by_role("tabpanel")
        expect(panel).to_contain_text("all are down")
        assert panel.evaluate("it => it.scrollWidth <= it.clientWidth"), "what the station said is cut off"
        at.picture("launch-done")


def test_what_waits_is_withdrawn_and_what_the_service_refuses_is_said_with_nothing_lost(live, desk):
    adopt(live)
    with standing_by(live) as station:
        at = desk(live, "pilot")
        at.forgiven.append("/launches")
        page = at_send(at)
        dialog = ask_to_send(page)
        tick_all(page, dialog)
        dialog.get_by_role("textbox", name="Note").fill("as briefed")
        go = dialog.get_by_role("button", name="Send: they take off")
        expect(go).to_be_enabled()

        def too_late(route: Route) -> None:
            """It flies off while the launch is on its way."""
            station.busy = "a flight to a cue"
            station.tell()
            route.continue_()

        page.route("**/launches", too_late)
        go.click()
        expect(dialog.get_by_role("alert")).to_contain_text("a flight to a cue")
        assert given(live) == []
        at.picture("launch-refused")
        expect(dialog.get_by_role("textbox", name="Note")).to_have_value("as briefed")
        page.unroute("**/launches")
        expect(dialog.get_by_role("status")).to_contain_text("hill flies: a flight to a cue.")
        station.busy = None
        expect(go).to_be_enabled()
        go.click()
        expect(dialog).to_have_count(0)
        (launch,) = given(live)
        assert launch["reason"] == "as briefed"

        page.get_by_role("button", name="Withdraw").click()
        newest = page.get_by_role("tabpanel").get_by_role("status")
        expect(newest).to_contain_text("nothing flies")
        assert given(live)[0]["state"] == "withdrawn"
        assert station.tell() == []


def test_a_launch_without_an_answer_is_sent_again_and_given_once(live, desk):
    adopt(live)
    with standing_by(live):
        at = desk(live, "pilot")
        at.forgiven += ["/launches", "ERR_FAILED"]
        page = at_send(at)
        names: list[str] = []
        is_read = False

        def cut(route: Route) -> None:
            """The service gets what is sent first; its answer is lost."""
            if route.request.method != "POST":
                (route.continue_ if is_read else route.abort)()
                return
            names.append(route.request.post_data_json["client_id"])
            if len(names) != 2:
                route.fetch()
                route.abort()
            else:
                route.continue_()

        dialog = ask_to_send(page)
        tick_all(page, dialog)
        page.route(re.compile(r"/launches(/[0-9a-f]{32})?(\?.*)?$"), cut)  # nor is read what the stream tells of
        go = dialog.get_by_role("button", name="Send: they take off")
        go.click()
        expect(dialog.get_by_text("cannot be reached").first).to_be_visible()
        expect(dialog).to_contain_text("Nobody knows whether it was given.")
        at.picture("launch-lost")
        dialog.get_by_role("button", name="Try again").click()
        expect(dialog).to_have_count(0)
        (first,) = given(live)
        assert names == [first["client_id"]] * 2

        # What the page hears of otherwise needs no second try.
        is_read = True
        page.get_by_role("button", name="Withdraw").click()
        expect(page.get_by_role("tabpanel").get_by_role("status")).to_contain_text("nothing flies")
        ask_to_send(page)
        tick_all(page, dialog)
        go.click()
        expect(dialog).to_have_count(0)
        second, _ = given(live)
        assert (second["state"], second["client_id"]) == ("given", names[2])
        assert len(names) == 3


def test_nothing_is_sent_before_it_is_known_what_others_have_sent(live, desk):
    adopt(live)
    with standing_by(live):
        page = at_send(desk(live, "pilot"))
        page.route("**/launches?*", lambda _: None)
        dialog = ask_to_send(page)
        tick_all(page, dialog)
        status = dialog.get_by_role("status")
        expect(status).to_contain_text("Whether it has been sent already is not known yet.")
        expect(dialog.get_by_role("button", name="Send: they take off")).to_be_disabled()
        page.unroute_all()
        expect(status).to_contain_text("take off")
        expect(dialog.get_by_role("button", name="Send: they take off")).to_be_enabled()


def test_a_plan_of_before_is_taken_over_changed_and_asked_for_again(live, desk):
    page = desk(live, "pilot", "#/plan").page
    form = page.get_by_role("form", name="What to plan")
    page.get_by_role("button", name="Nogales").click()
    form.get_by_role("button", name="Take its settings over").click()
    expect(form.get_by_label("Name of the plan")).to_have_value("Nogales")
    expect(form.get_by_role("button", name="Take its settings over")).to_have_count(0)
    page.get_by_role("region", name="Plan that was found").get_by_role("button", name="Earlier plannings").click()
    page.get_by_role("region", name="Earlier").get_by_role("button", name="Nogales").click()  # it is in the list still
    expect(page.get_by_role("region", name="Plan that was found")).to_be_visible()
    form.get_by_label("Name of the plan").fill("Nogales again")
    form.get_by_role("button", name="Plan again").click()
    expect(page.get_by_role("region", name="Earlier")).to_contain_text("Nogales again")
    first, last = (live.ask("pilot", "GET", f"/plannings/{each['id']}").json() for each in _oldest_first(live))
    live.ask("pilot", "DELETE", f"/plannings/{last['id']}")
    (line,) = last["request"]["border"]["geojson"]["features"]
    border = {"geojson": line["geometry"], "own_side": line["properties"]["own_side"]}
    model = last["request"]["aircraft"]["light"]
    assert (model.pop("reserve_fraction"), model.pop("turn_round_s")) == (0.2, 300)  # as the planner takes it
    again = last["request"] | {"border": border, "name": "Nogales", "explain": False}
    assert {name: again[name] for name in first["request"]} == first["request"]
    page.get_by_role("button", name="Undo u").click()  # the name
    page.get_by_role("button", name="Undo u").click()  # and all that was taken over
    expect(form.get_by_label("Name of the plan")).to_have_value("")


def test_what_went_wrong_in_plan_is_said_there_and_nowhere_else(live, desk):
    at = desk(live, "pilot", "#/plan")
    at.forgiven += ["ERR_FAILED", "/adoption"]
    page = at.page
    notice = page.locator(".notice.bad")
    page.get_by_role("button", name="Nogales").click()
    page.get_by_role("tab", name="Adopt").click()
    page.get_by_label("Owner").fill("Border Watch")
    page.get_by_label("Shift begins").fill("2026-12-01T06:00")
    page.route("**/adoption", lambda route: route.abort())
    page.get_by_role("button", name="Adopt this plan").click()
    expect(notice).to_be_visible()
    page.get_by_role("link", name="Fly", exact=True).click()
    expect(page.get_by_role("region", name="Alarms")).to_be_visible()
    expect(notice).to_have_count(0)
    page.route("**/plannings?*", lambda route: route.abort())
    page.get_by_role("link", name="Plan", exact=True).click()
    expect(notice).to_be_visible()
    page.get_by_role("button", name="Earlier plannings").click()
    page.get_by_role("link", name="Account", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(notice).to_have_count(0)


def _oldest_first(live: Live) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = live.ask("pilot", "GET", "/plannings").json()
    return found[::-1]
