"""The console in Chromium with its software renderer: how smooth the map is dragged, how soon it is there, its weight.

The view Fly shows 10,000 crossings and 200 vehicles of which each moves every second, at 1280 x 800. The map is dragged
by the mouse; frames are timed in the page. The peer is the same map of the same place with nothing on it but a line,
in the same run.
"""

from __future__ import annotations

import gzip
import math
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

import httpx
import numpy as np
from playwright.sync_api import Browser, FloatRect, Page, Response, sync_playwright

from api import Role, Settings, running
from api.identity.roles import Call, Principal
from api.ingest.records import deliver_all
from api.records.types import TYPES
from api.server import RunningService
from api.times import iso
from bench.api_records import crossing_json
from bench.rows import BenchError, Row, wanted

__all__ = ["rows"]

CROSSINGS, VEHICLES, DRAGGED_S = 10_000, 200, 5.0
_CENTRE = 31.35, -110.9
_SIZE = {"width": 1280, "height": 800}
_WITHIN: FloatRect = {"x": 200, "y": 250, "width": 600, "height": 350}
"""Of the map, where nothing else is written."""
_LAUNCH = ["--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--no-sandbox", "--disable-dev-shm-usage"]
_LAUNCH += ["--disable-blink-features=AutomationControlled"]  # under a test the page keeps what it draws, which costs
_AT_REST = 0.05
"""Share of a core that a browser may use which does nothing."""
_PASSWORD = "eleven loud herons fly"  # noqa: S105 - of a store that lasts for the measurement
_FRAMES = """() => {
  // While the button is down. A short frame in which the mouse stood still is left out: it flatters. A long one is not:
  // whatever the page did in it, the map stuck.
  window.frames_ms = [];
  let [last, moved, follows, down] = [performance.now(), false, false, false];
  addEventListener("mousemove", () => { moved = true; }, true);
  addEventListener("mousedown", () => { down = true; }, true);
  addEventListener("mouseup", () => { down = false; }, true);
  const step = (now) => {
    if (down && (follows || now - last > 50)) window.frames_ms.push(now - last);
    [last, follows, moved] = [now, moved, false];
    requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
}"""
_SEEN = f"""() => {{
  // When the picture is shown in which the list is whole and the map is drawn (it is there before, and not seen until
  // then): by the page's own clock. Whoever asks from outside waits for whatever else the page does by then.
  const look = () => {{
    const map = document.querySelector(".map canvas");
    const all = document.querySelectorAll(".roster li").length >= {VEHICLES};
    const seen = () => {{ window.seen_ms = performance.now(); }};
    requestAnimationFrame(all && map !== null && getComputedStyle(map).opacity === "1" ? seen : look);
  }};
  requestAnimationFrame(look);
}}"""
"""The time is since the navigation began."""
_CUSTODY = {"owner": "USA", "purpose": "border-surveillance", "marking": "REL BRAVO", "retention_days": 30}


def rows(data: Path | None, only: str | None) -> Iterator[Row]:
    """Yield the figures of ``console``; `data` is not needed. Raises BenchError where there is no Chromium."""
    del data
    for name, measure in _MEASURES.items():
        if wanted(name, only):
            yield from measure(name)


def _pan(name: str) -> Iterator[Row]:
    with _chromium() as browser:
        with _service() as empty:
            _frame(empty)
            idle = _dragged(_at_map(browser, empty))
        with _service() as service:
            _fill(service)
            page = _at_map(browser, service, CROSSINGS)
            page.get_by_text(f"{VEHICLES} live").wait_for(timeout=60_000)
            with _moving(service):
                time.sleep(3.0)
                frames = _dragged(page)
    for part in (50, 95):
        value, peer = (float(np.percentile(each, part)) for each in (frames, idle))
        goal = {"goal": "< 100 ms", "met": value < 100} if part == 95 else {}
        case = f"{name}/{CROSSINGS}-crossings-{VEHICLES}-vehicles-p{part}"
        yield Row(case, value, "ms a frame", "empty map", peer, value / peer, **goal)  # type: ignore[arg-type]


def _first_view(name: str) -> Iterator[Row]:
    with _chromium() as browser, _service() as service:
        _fill(service)
        taken = []
        login = _account(service)
        for _ in range(3):
            page = _page(browser, service, login)
            page.add_init_script(f"({_SEEN})()")
            _rest(browser)
            page.goto(f"{service.url}/#/fly", wait_until="commit")
            taken.append(page.wait_for_function("() => window.seen_ms", timeout=60_000).json_value())
            page.context.close()
    value = float(np.median(taken))
    yield Row(f"{name}/fly", value, "ms", "goal", 2000.0, value / 2000, "< 2 s", value < 2000)


def _bundle(name: str) -> Iterator[Row]:
    with _service() as service, _chromium() as browser:
        asked: set[str] = set()
        page = _page(browser, service, _account(service))
        page.on("request", lambda request: asked.add(request.url))
        page.goto(f"{service.url}/#/fly")
        page.locator(".map canvas").wait_for()
        page.wait_for_load_state("load")
    built = Path(__file__).parents[1] / "api" / "console" / "built"
    files = [path for path in built.iterdir() if path.suffix in {".css", ".html", ".js", ".mjs", ".svg"}]
    weights = {path.name: len(gzip.compress(path.read_bytes(), 9)) / 1000 for path in files}
    first = sum(weight for file, weight in weights.items() if any(url.endswith(f"/{file}") for url in asked))
    whole = sum(weights.values())
    yield Row(f"{name}/first-view", first, "kB gzipped", "everything", whole, first / whole)
    yield Row(f"{name}/everything", whole, "kB gzipped", "goal", 700.0, whole / 700, "< 700 kB", whole < 700)


_MEASURES: dict[str, Callable[[str], Iterator[Row]]] = {
    "bundle": _bundle,
    "first-view": _first_view,
    "pan": _pan,
}


@contextmanager
def _chromium() -> Iterator[Browser]:
    program = shutil.which("chromium") or shutil.which("chromium-headless-shell")
    if program is None:
        raise BenchError(
            "neither chromium nor chromium-headless-shell is there: install one, it draws what is measured"
        )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=_LAUNCH)
        yield browser
        browser.close()


@contextmanager
def _service() -> Iterator[RunningService]:
    with TemporaryDirectory() as folder, running(Settings(Path(folder) / "service", port=0)) as service:
        yield service


def _account(service: RunningService) -> dict[str, str]:
    """Login and password of somebody who looks on."""
    if service.admin is None:
        raise BenchError("the store of the measurement is not new")
    headers = {"Authorization": f"Bearer {service.admin.key}"}
    body = {"login": "looks", "name": "Looks", "role": "supervisor"}
    secret = httpx.post(f"{service.url}/accounts", json=body, headers=headers).raise_for_status().json()["secret"]
    login = {"login": "looks", "password": secret, "new_password": _PASSWORD}
    httpx.post(f"{service.url}/login", json=login, headers={"Origin": service.url}).raise_for_status()
    return {"login": "looks", "password": _PASSWORD}


def _page(browser: Browser, service: RunningService, login: dict[str, str]) -> Page:
    """A page of a browser that was never here, logged in."""
    context = browser.new_context(viewport=_SIZE, base_url=service.url)  # type: ignore[arg-type]
    answer = context.request.post("/login", data=login, headers={"Origin": service.url})
    if not answer.ok:
        raise BenchError(f"nobody can log in: {answer.status}")
    return context.new_page()


def _rest(browser: Browser) -> None:
    """Until the window is there: Chromium readies the list under its address bar in it, of hundreds of files.

    Whoever opens a page has a window. Raises BenchError where it does not come to rest.
    """
    system = browser.new_browser_cdp_session()

    def spent_s() -> float:
        return float(sum(each["cpuTime"] for each in system.send("SystemInfo.getProcessInfo")["processInfo"]))

    end, last = time.monotonic() + 60, spent_s()
    while True:
        time.sleep(0.3)
        now = spent_s()
        if 0 <= now - last < _AT_REST * 0.3:  # less than before: a process has ended
            break
        if time.monotonic() > end:
            raise BenchError("the browser's window does not come to rest")
        last = now
    system.detach()


def _at_map(browser: Browser, service: RunningService, crossings: int = 0) -> Page:
    """The view Fly at rest. Raises BenchError where it has not all `crossings` to draw."""
    page = _page(browser, service, _account(service))
    read: list[int] = []
    page.on("response", lambda answer: read.append(_features_of(answer)))
    page.goto(f"{service.url}/#/fly")
    page.locator(".map canvas").wait_for()
    end = time.monotonic() + 60
    while sum(read) < crossings:
        if time.monotonic() > end:
            raise BenchError(f"the page has {sum(read)} of {crossings} crossings: what is measured is not what is told")
        page.wait_for_timeout(100)
    page.wait_for_timeout(1500)  # what comes after the first view is not what is measured
    return page


def _features_of(answer: Response) -> int:
    """How many crossings an answer has; none where it is of something else."""
    path = urlsplit(answer.url).path
    return len(answer.json()["features"]) if path == "/crossings" and answer.ok else 0


def _dragged(page: Page) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Milliseconds of each frame while the map is dragged to and fro. Raises BenchError where it does not follow."""
    page.evaluate(_FRAMES)
    before = page.screenshot(clip=_WITHIN)
    end, turn = time.monotonic() + DRAGGED_S, 0
    page.mouse.move(450, 400)
    page.mouse.down()
    while time.monotonic() < end:
        turn += 1
        to = 450 + 250 * math.sin(turn), 400 + 120 * math.cos(turn / 1.4)
        page.mouse.move(*to, steps=12)  # each is on its way as soon as the page has had the one before
    page.mouse.up()
    frames = np.array(page.evaluate("window.frames_ms"))
    if len(frames) < DRAGGED_S or page.screenshot(clip=_WITHIN) == before:
        raise BenchError(f"the map was dragged for {DRAGGED_S:.0f} s and did not follow: {len(frames)} frames")
    return frames


def _pilot() -> Call:
    return Call(Principal("pilot", "pilot", Role.PILOT), "bench")


def _frame(service: RunningService) -> None:
    """A border around the place: Fly shows the whole of it when it opens, whatever else is there or is not."""
    (lat, lon), moment = _CENTRE, iso(service.store.clock())
    line = [[lon - 0.46, lat - 0.15], [lon + 0.46, lat - 0.15], [lon + 0.46, lat + 0.15]]
    border = _CUSTODY | {"source": "bench", "source_id": "frame", "name": "frame", "update_time": moment, "line": line}
    border |= {"time": moment, "own_side": "left", "stand_off_m": 1.0, "band_depth_m": 1.0}
    model = TYPES["segment"].model.model_validate(border)
    with service.store.write() as session:
        deliver_all(session, _pilot(), service.store.clock(), TYPES["segment"], [model])


def _fill(service: RunningService) -> None:
    _frame(service)
    random, now_us = np.random.default_rng(7), service.store.clock()
    crossing, vehicle = TYPES["crossing"].model.model_validate, TYPES["vehicle"].model.model_validate
    places = zip(random.uniform(31.2, 31.5, CROSSINGS), random.uniform(-111.4, -110.4, CROSSINGS), strict=True)
    crossings = [
        crossing(crossing_json(n, lat=float(lat), lon=float(lon), time_us=now_us - n * 1_000_000))
        for n, (lat, lon) in enumerate(places)
    ]
    moment = iso(now_us)
    common = {"source": "bench", "time": moment, "update_time": moment, "frame": "copter", "state": "on task"}
    vehicles = [
        vehicle(common | _CUSTODY | {"source_id": f"v{n}", "name": f"v{n}", "lat": _CENTRE[0], "lon": _CENTRE[1]})
        for n in range(VEHICLES)
    ]
    for type_, records in (("crossing", crossings), ("vehicle", vehicles)):
        for start in range(0, len(records), 1000):
            with service.store.write() as session:
                deliver_all(session, _pilot(), service.store.clock(), TYPES[type_], records[start : start + 1000])
    _put_states(service, _key(service), 0)


def _key(service: RunningService) -> str:
    if service.admin is None:
        raise BenchError("the store of the measurement is not new")
    headers = {"Authorization": f"Bearer {service.admin.key}"}
    body = {"name": "bench", "role": "pilot", "sources": ["*"]}
    key: str = httpx.post(f"{service.url}/keys", json=body, headers=headers).raise_for_status().json()["key"]
    return key


def _put_states(service: RunningService, key: str, turn: int) -> None:
    angle = [2 * math.pi * n / VEHICLES + turn / 60 for n in range(VEHICLES)]
    states = [
        {
            "source": "bench",
            "source_id": f"v{n}",
            "update_time": iso(service.store.clock()),
            "state": "on task",
            "lat": _CENTRE[0] + 0.14 * math.sin(a * (1 + n % 3)),
            "lon": _CENTRE[1] + 0.45 * math.cos(a),
            "altitude_amsl_m": 1200.0,
            "heading_deg": math.degrees(a) % 360,
            "speed_m_s": 15.0,
            "battery_left": 0.7,
            "link": "good",
            "mode": "AUTO",
        }
        for n, a in enumerate(angle)
    ]
    headers = {"Authorization": f"Bearer {key}"}
    httpx.put(f"{service.url}/vehicles/states", json={"states": states}, headers=headers).raise_for_status()


@contextmanager
def _moving(service: RunningService) -> Iterator[None]:
    """Each vehicle tells where it is once a second while the block runs. Raises BenchError where one could not."""
    put = partial(_put_states, service, _key(service))
    with _repeated(put, 1.0):
        yield


@contextmanager
def _repeated(act: Callable[[int], None], each_s: float) -> Iterator[None]:
    """Call `act` with 1, 2, ... beside the block. Raises BenchError, when the block is done, where a call failed."""
    stop = threading.Event()
    failed: list[Exception] = []

    def run() -> None:
        turn = 0
        while not stop.wait(each_s):
            turn += 1
            try:
                act(turn)
            except Exception as error:  # noqa: BLE001 - raised where it can be heard
                failed.append(error)
                return

    thread = threading.Thread(target=run, name="bench-moving")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
    if failed:
        raise BenchError(f"what moves stood still: {failed[0]}") from failed[0]
