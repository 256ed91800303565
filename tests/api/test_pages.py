"""Long lists a page at a time: who follows the links misses nothing and reads nothing twice, whatever comes."""

import re
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pytest

from api.canonical import new_id
from api.feeds.tables import DeliveryRow
from api.records.types import TYPE_OF_COLLECTION
from api.sensors.messages import Taken, take_message
from api.sensors.settings import SensorSettings
from api.times import iso
from tests.api.people import PASSWORD, Browser, settled
from tests.api.samples import crossing_json, record_json
from tests.api.test_matrix import launched

SENSORS = SensorSettings()


@dataclass(frozen=True)
class List:
    """A list that grows: who reads it, how a row is added, and which end of it comes first."""

    who: Any
    path: str
    add: Any
    member: str = "id"
    newest_first: bool = False

    def ask(self, service, url):
        """A key asks by its name; a person, in a browser."""
        return self.who.ask("GET", url) if isinstance(self.who, Browser) else service.ask(self.who, "GET", url)

    def page(self, service, url):
        answer = self.ask(service, url)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        if isinstance(body, dict) and "deliveries" in body:
            items, following = (
                body["deliveries"],
                [f"{self.path}?limit=2&cursor={body['next']}"] if body["next"] else [],
            )
        elif isinstance(body, dict) and "features" in body:
            items = body["features"]
            following = [link["href"] for link in body["links"] if link["rel"] == "next"]
        elif isinstance(body, dict):
            (items,) = [value for name, value in body.items() if name not in {"links", "next"}]
            following = [link["href"] for link in body.get("links", ()) if link["rel"] == "next"]
        else:
            items, following = body, [link["url"] for link in [answer.links.get("next")] if link is not None]
        return [item[self.member] for item in items], following[0] if following else None

    def walk(self, service, *, limit, meanwhile=0):
        """Every id in the order of the pages; a row is added after each of the first `meanwhile` that lead on."""
        ids, url = [], f"{self.path}{'&' if '?' in self.path else '?'}limit={limit}"
        while url is not None:
            found, url = self.page(service, url)
            assert len(found) <= limit
            assert len(found) == limit or url is None
            ids += found
            if url is not None and meanwhile > 0:
                self.add()
                meanwhile -= 1
        return ids


@pytest.fixture
def lists(service):
    bravo = service.partner("bravo")
    agreement = service.agree(bravo, subscriptions=True).json()["id"]
    crossing = service.deliver(crossing_json("first"))
    numbers = iter(range(1000))

    def post(who, path, **body):
        ask = who.ask if isinstance(who, Browser) else partial(service.ask, who)
        answer = ask("POST", path, json=body)
        assert answer.is_success, answer.text
        return answer.json()

    def share():
        record = service.deliver(crossing_json(f"n {next(numbers)}"))
        service.judge(record)
        return post("supervisor", "/releases", record_id=record, partner_id=bravo)["id"]

    def recall():
        assert service.ask("supervisor", "DELETE", f"/releases/{share()}").status_code == 204

    def account():
        body = {"login": f"somebody{next(numbers)}", "name": "some body", "role": "analyst"}
        post("administrator", "/accounts", **body)

    browser = settled(service, "anna")
    case = post("analyst", "/cases", title="night")["id"]

    def log_in():
        assert Browser.at(service).login("anna", PASSWORD).status_code == 200

    def note():
        etag = service.ask("analyst", "GET", f"/cases/{case}").headers["ETag"]
        body = {"note": f"the note {next(numbers)}"}
        assert service.ask("analyst", "PATCH", f"/cases/{case}", json=body, headers={"If-Match": etag}).is_success

    def refuse():
        assert take_message(service.store, SENSORS, "nowhere", b"%d" % next(numbers)) is Taken.REFUSED

    def target():
        return post("supervisor", "/webhooks", url="https://1.1.1.1/hook")["id"]  # never sent to

    return [
        List("auditor", "/partners", lambda: post("administrator", "/partners", name=f"p {next(numbers)}")),
        List("auditor", "/agreements", lambda: service.agree(bravo)),
        List("auditor", f"/releases?partner_id={bravo}", share),
        List("auditor", f"/releases?partner_id={bravo}&newest=true", share, newest_first=True),
        List("bravo", "/recalls", recall, member="release_id"),
        List("bravo", "/subscriptions", lambda: post("bravo", "/subscriptions", agreement_id=agreement)),
        List("auditor", "/holds", lambda: post("supervisor", "/holds", record_id=crossing, reason="court order")),
        List("administrator", "/keys", lambda: service.key(f"k {next(numbers)}", "analyst")),
        List("administrator", "/accounts", account),
        List("analyst", f"/crossings/{crossing}/annotations", lambda: post(
            "analyst", f"/crossings/{crossing}/annotations", text="a note")),
        List("analyst", f"/cases/{case}/history", note, member="text"),
        List("supervisor", "/webhooks", target),
        List("analyst", "/refused-messages", refuse, newest_first=True),
        List(browser, "/sessions", log_in, newest_first=True),
        List("analyst", "/cases", lambda: post("analyst", "/cases", title="night"), newest_first=True),
        *of_records(service, numbers, post),
        *of_what_is_done_to_them(service, numbers, post, target()),
    ]  # fmt: skip


def of_records(service, numbers, post):
    """The collections, each as a list of ours and as one of OGC API - Features."""

    def tell(collection):
        now = iso(service.clock())
        body = record_json(collection, f"n {next(numbers)}")
        if collection == "cues":
            body |= {"id": f"{next(numbers):032x}", "phenomenonTime": now, "resultTime": now}
        else:
            body |= {"time": now, "update_time": now}
        post("sensor" if collection == "cues" else "pilot", f"/{collection}", **body)

    own = [List("analyst", f"/{each}", partial(tell, each), newest_first=True) for each in TYPE_OF_COLLECTION]
    return [*own, *(replace(each, path=f"/ogc/collections{each.path}/items") for each in own)]


def of_what_is_done_to_them(service, numbers, post, hook):
    """Orders to a vehicle, launches of a plan, attempts to tell a target."""
    pat, plan = settled(service, "pat", "pilot"), post("pilot", "/plans", **record_json("plans", "of launches"))["id"]
    post("pilot", "/vehicles", **record_json("vehicles", "v"))

    def order():
        vehicle = {"source": "station", "source_id": "v"}
        post(pat, "/orders", client_id=f"{next(numbers)}", vehicle=vehicle, kind="pause")

    def attempt():
        told = {"kind": "record.created", "attempt": 1, "duration_us": 1, "status": 200, "outcome": "taken"}
        row = DeliveryRow(id=new_id(), webhook_id=hook, n=next(numbers), time_us=service.clock(), **told)
        with service.store.write() as session:
            session.add(row)

    return [
        List("supervisor", f"/webhooks/{hook}/deliveries", attempt, member="n", newest_first=True),
        List("supervisor", "/orders", order, newest_first=True),
        List("supervisor", "/launches", lambda: launched(service, plan, f"{next(numbers)}"), newest_first=True),
    ]


def test_pages_are_joined_without_a_gap_while_rows_come(service, lists, monkeypatch):
    for each in lists:
        with monkeypatch.context() as at_once:  # several rows of one time: the id decides
            at_once.setattr(type(service.clock), "__call__", lambda clock: clock.now_us)
            for _ in range(3):
                each.add()
        before = each.walk(service, limit=1000)
        walked = each.walk(service, limit=2, meanwhile=2)
        assert len(set(walked)) == len(walked), each.path
        if each.newest_first:
            assert walked == before, each.path
        else:
            assert walked == each.walk(service, limit=1000), each.path
            assert len(walked) > len(before), each.path


ELSEWHERE = {
    "/reviews/queue": "test_queue.py: test_pages_join_in_order_of_severity_and_time_under_any_rules",
    "/plannings": "test_planning.py: test_plannings_are_listed_newest_first_a_page_at_a_time",
    "/cot": "test_cot_feed.py: test_the_link_leads_over_every_page_once",
}
"""Lists whose pages are asked in a way of their own."""


def test_every_list_with_pages_is_asked(service, lists):
    document = service.ask("analyst", "GET", "/openapi.json").json()["paths"]
    paged = {
        path
        for path, item in document.items()
        if any(each["name"] == "cursor" for each in item.get("get", {}).get("parameters", ()))
    }
    asked = {each.path.partition("?")[0] for each in lists}
    templates = {path: re.compile(re.sub(r"\{.*?\}", "[^/]+", path)) for path in paged}
    missing = {path for path, pattern in templates.items() if not any(map(pattern.fullmatch, asked))}
    assert missing == set(ELSEWHERE), "a list more: ask it here"


def test_a_link_asks_the_same_question(service, lists):
    releases, _ = [each for each in lists if each.path.startswith("/releases")]
    for _ in range(3):
        releases.add()
    first = service.ask("auditor", "GET", f"{releases.path}&limit=1&waiting=false")
    following = first.links["next"]
    assert following["type"] == "application/json"
    assert "waiting=false" in following["url"]
    assert releases.path.partition("?")[2] in following["url"]
    second = service.ask("auditor", "GET", following["url"])
    assert second.links["next"]["url"].count("cursor=") == 1
    assert "next" not in service.ask("auditor", "GET", f"{releases.path}&limit=3").links


def test_what_a_stranger_writes_into_the_question_reaches_no_header(service, lists):
    lists[0].add(), lists[0].add()
    evil = '>; rel="evil", <\r\nSet-Cookie: a=b'
    refused = service.ask("auditor", "GET", "/partners", params={"limit": 1, "x": evil})
    assert refused.status_code == 400
    assert not {"set-cookie", "link"} & set(refused.headers)
    answer = service.ask("auditor", "GET", "/partners?%6cimit=%31")
    assert list(answer.links) == ["next"]
    assert service.ask("auditor", "GET", answer.links["next"]["url"]).status_code == 200


def test_a_cursor_that_is_none_is_refused(service, lists):
    for each in lists:
        for wrong in ("limit=0", "limit=1001", "cursor=", "cursor=1", "cursor=1.x", f"cursor=1.{'f' * 33}"):
            answer = each.ask(service, f"{each.path}{'&' if '?' in each.path else '?'}{wrong}")
            status = 422
            if each.path.startswith("/ogc"):  # the standard has its own status, and cuts a limit to the largest
                status = 200 if wrong == "limit=1001" else 400
            assert answer.status_code == status, (each.path, wrong, answer.text)
