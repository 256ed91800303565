"""A person at the console, and the service behind it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import ConsoleMessage, Error, FloatRect, Page, Request, expect

from api import Role
from api.server import RunningService
from tests.api.people import PASSWORD

ROLES = tuple(role.value for role in Role if role is not Role.SENSOR)
THEMES = ("light", "dark", "night")
WEB = Path(__file__).parents[2] / "api" / "console" / "web"
AXE = WEB / "node_modules" / "axe-core" / "axe.min.js"
_WCAG = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
_COLOURS = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
"""Rules of these that look at colours: a theme is a set of colours, and nothing else."""
MUCH_OF_RED, DIM = 0.64, 24
"""By night: how much of the red light of a point may be other light; and what is too dim to count (0 to 255)."""
_FINDINGS = """async only => {
  const found = await axe.run(document, { runOnly: only, resultTypes: ["violations"] });
  return found.violations.flatMap(({ id, nodes }) => nodes.map(one => `${id}: ${one.target} ${one.failureSummary}`));
}"""
PLACE = re.compile(r"([\d.]+)° ([NS]), ([\d.]+)° ([EW])")
_NO_TLS = False
"""For `verify`: certificates that nobody asks for take longer to read than all the rest of a request."""


def login_of(role: str) -> str:
    """How the account of a role is called."""
    return "chief" if role == "administrator" else role


def log_in(url: str, login: str, password: str, **more: Any) -> httpx.Response:
    """Log in past the page."""
    body = {"login": login, "password": password} | more
    return httpx.post(f"{url}/login", json=body, headers={"Origin": url}, timeout=60, verify=_NO_TLS)


def pixels(png: bytes) -> NDArray[np.int_]:
    """A screenshot as rows of red, green and blue."""
    return cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR_RGB).astype(int)


def at_rest(page: Page, clip: FloatRect) -> bytes:
    """The map once all is drawn that was on its way: what comes later than a click is not what that has changed."""
    drawn = page.screenshot(clip=clip)
    for _ in range(100):
        page.wait_for_timeout(300)
        before, drawn = drawn, page.screenshot(clip=clip)
        if drawn == before:
            return drawn
    raise AssertionError("the map never comes to rest")


def told_apart(one: bytes, other: bytes) -> bool:
    """Whether two pictures of a control, in two states, differ by 3 to 1 in a part that is seen (WCAG 1.4.11)."""
    light = []
    for png in (one, other):
        part = pixels(png) / 255
        linear = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
        light.append(linear @ (0.2126, 0.7152, 0.0722) + 0.05)
    return int(np.count_nonzero(np.maximum(light[0] / light[1], light[1] / light[0]) >= 3)) >= 40


def place_at(page: Page, x: float, y: float) -> tuple[float, float]:
    """Latitude and longitude of a pixel of the page, as the map says where the pointer is."""
    page.mouse.move(x + 3, y)
    expect(page.locator(".pointer")).to_be_visible()
    before = page.locator(".pointer").inner_text()
    page.mouse.move(x, y)
    expect(page.locator(".pointer")).not_to_have_text(before)
    told = PLACE.search(page.locator(".pointer").inner_text())
    assert told is not None
    lat, north, lon, east = told.groups()
    return float(lat) * (1 if north == "N" else -1), float(lon) * (1 if east == "E" else -1)


def middle_is(page: Page, place: str) -> None:
    """Wait until the map's middle is there; the page tells where the pointer is as it moves."""
    box = page.locator(".map canvas").bounding_box()
    assert box is not None
    told = ""
    for turn in range(200):
        page.mouse.move(box["x"] + box["width"] / 2 + turn % 2, box["y"] + box["height"] / 2)
        pointer = page.locator(".pointer")
        told = pointer.inner_text() if pointer.count() else ""
        if place in told:
            return
        page.wait_for_timeout(100)
    raise AssertionError(told)


@dataclass
class Live:
    """A running service; each role has an account whose login is its name, a session of it, and a key."""

    url: str
    service: RunningService
    directory: Path
    keys: dict[str, str]
    sessions: dict[str, dict[str, str]]
    """Cookies of each role's account, logged in."""
    partner_id: str

    @classmethod
    def of(cls, service: RunningService, directory: Path) -> "Live":
        """Make partner, accounts and keys in a service that has none."""
        assert service.admin is not None
        head = {"Authorization": f"Bearer {service.admin.key}"}
        with httpx.Client(base_url=service.url, headers=head, timeout=60, verify=_NO_TLS) as admin:

            def post(path: str, **body: Any) -> dict[str, Any]:
                answer = admin.post(path, json=body)
                assert answer.is_success, answer.text
                made: dict[str, Any] = answer.json()
                return made

            partner_id = post("/partners", name="Coast guard of the neighbour")["id"]
            keys = {"administrator": service.admin.key}
            sessions = {}
            for role in ROLES:
                bound = {"partner_id": partner_id} if role == "partner" else {}
                login = login_of(role)
                secret = post("/accounts", login=login, name=role.title(), role=role, **bound)["secret"]
                answer = log_in(service.url, login, secret, new_password=PASSWORD)
                assert answer.is_success, answer.text
                sessions[role] = dict(answer.cookies)
            for role in ("pilot", "sensor", "analyst", "supervisor", "partner", "auditor"):
                bound = {"partner_id": partner_id} if role == "partner" else {}
                sources = {"sources": ["*"]} if role in {"pilot", "sensor"} else {}
                keys[role] = post("/keys", name=f"key of the {role}", role=role, **bound, **sources)["key"]
        return cls(service.url, service, directory, keys, sessions, partner_id)

    def ask(self, role: str, method: str, path: str, **more: Any) -> httpx.Response:
        """Ask the service past the page, with the role's key; fails the test when that is refused."""
        headers = {"Authorization": f"Bearer {self.keys[role]}"} | more.pop("headers", {})
        answer = httpx.request(method, self.url + path, headers=headers, timeout=30, verify=_NO_TLS, **more)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer


@dataclass
class Desk:
    """Somebody's page. It remembers what went wrong in it, and where its requests went."""

    page: Page
    live: Live
    pictures: Path
    faults: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    forgiven: list[str] = field(default_factory=list)
    """Parts of faults that the test brings about itself."""
    is_nobody: bool = False
    """Whether nobody is logged in now: the page asks who it is, and is told 401."""

    def __post_init__(self) -> None:
        self.hear(self.page)

    def hear(self, page: Page) -> None:
        """Remember what goes wrong in a page, and where its requests go; of other pages of hers too."""
        page.on("console", self._on_console)
        page.on("pageerror", self._on_error)
        page.on("request", self._on_request)

    def _on_console(self, message: ConsoleMessage) -> None:
        nobody = self.is_nobody and "status of 401" in message.text
        if nobody and message.location.get("url") == f"{self.live.url}/me":
            return
        if message.type == "error" or "Content Security Policy" in message.text:
            self.faults.append(f"console: {message.text} ({message.location.get('url', '')})")

    def _on_error(self, error: Error) -> None:
        self.faults.append(f"error: {error}")

    def _on_request(self, request: Request) -> None:
        self.requests.append(request.url)

    def open(self, place: str = "") -> None:
        """Go to a place of the page, `#/review`."""
        self.page.goto(f"{self.live.url}/{place}")

    def log_in(self, role: str, place: str = "") -> None:
        """Open a place of the page as somebody who is logged in."""
        cookies = self.live.sessions[role].items()
        self.page.context.add_cookies([{"name": name, "value": value, "url": self.live.url} for name, value in cookies])
        self.open(place)
        expect(self.page.get_by_role("navigation", name="Views")).to_be_visible()

    def fill_in(self, login: str, password: str = PASSWORD) -> None:
        """Fill in the form of who wants to log in, and send it."""
        self.page.get_by_label("Login").fill(login)
        self.page.get_by_label("Password", exact=True).fill(password)
        self.page.get_by_role("button", name="Log in").click()

    def log_out(self) -> None:
        """Log out; the page begins anew by itself."""
        with self.page.expect_event("load"):
            self.page.get_by_role("button", name="Log out").click()

    @contextmanager
    def as_nobody(self) -> Iterator[None]:
        """While nobody is logged in: that the page is told so is no fault."""
        self.is_nobody = True
        yield
        self.is_nobody = False

    def prefer(self, label: str, choice: str) -> None:
        """Choose in the preferences: `prefer("Theme", "night")`."""
        opened = self.page.get_by_role("combobox", name=label)
        if not opened.is_visible():
            self.page.get_by_text("Preferences", exact=True).first.click()
        opened.select_option(choice)
        self.page.keyboard.press("Escape")

    def picture(self, name: str) -> Path:
        """Keep a screenshot."""
        path = self.pictures / f"{name}.png"
        self.page.screenshot(path=path)
        return path

    def red_alone(self) -> bool:
        """Whether all of the page that is lit is lit red, as eyes that are used to the dark want it."""
        blue, green, red = cv2.imdecode(np.frombuffer(self.page.screenshot(), np.uint8), cv2.IMREAD_COLOR).T.astype(int)
        return bool((np.maximum(blue, green) <= MUCH_OF_RED * red + DIM).all())

    def axe(self, *, colours_alone: bool = False) -> list[str]:
        """What axe-core finds against WCAG 2.2 A and AA, a line each; of a page in another theme its colours do."""
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE.read_text(encoding="utf-8"))
        found: list[str] = self.page.evaluate(_FINDINGS, _COLOURS if colours_alone else _WCAG)
        return found

    def axe_in_every_theme(self, picture: str | None = None) -> list[str]:
        """The same in each theme, the preferences not being asked; with a picture of each."""
        found = []
        for theme in THEMES:
            self.page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
            found += [f"{theme}: {one}" for one in self.axe(colours_alone=theme != THEMES[0])]
            if picture is not None:
                self.picture(f"{picture}-{theme}")
        return found

    def leave(self) -> None:
        """Listen to the page no more."""
        self.page.remove_listener("console", self._on_console)
        self.page.remove_listener("pageerror", self._on_error)
        self.page.remove_listener("request", self._on_request)

    def check(self) -> None:
        """Nothing went wrong but what the test forgives, and no request left the host."""
        faults = [fault for fault in self.faults if not any(part in fault for part in self.forgiven)]
        assert not faults, "\n".join(faults)
        own = (f"{self.live.url}/", f"blob:{self.live.url}/", "data:")
        assert [url for url in self.requests if not url.startswith(own)] == []
