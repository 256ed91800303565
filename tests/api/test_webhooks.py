"""Webhooks over real sockets: signed, in order, at least once, whatever the target, the network or a fall does."""

import asyncio
import datetime as dt
import ipaddress
import json
import logging
import socket
import ssl
import threading
import time
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from standardwebhooks import Webhook

from api import Role, Settings, Store
from api.background import Service
from api.canonical import canonical
from api.feeds.lease import give_lease, holds_lease, take_lease
from api.feeds.schemas import WebhookIn
from api.feeds.sender import Sender, _has_come
from api.feeds.settings import FeedSettings
from api.feeds.signing import new_secret, signed_headers
from api.feeds.tables import WebhookRow
from api.feeds.told import Teller, Told
from api.feeds.webhooks import add_webhook, pause
from api.identity.keys import issue_key
from api.identity.roles import SYSTEM, Call, Principal
from api.outlets.cursors import hold
from api.outlets.settings import Outlet
from api.times import iso
from api.trail.log import append_event
from tests.api.live import Live, Target, live, status
from tests.asked import few


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with live(tmp_path_factory.mktemp("live"), answer_timeout_s=1.0, answer_bytes=1000) as made:
        yield made


@pytest.fixture
def target():
    made = Target()
    yield made
    made.close()


def name_target(service: Live, who: str, url: str, **more: Any) -> dict[str, Any]:
    return service.must(who, "POST", "/webhooks", json={"url": url, **more})


def seen_numbers(calls) -> list[int]:
    return [json.loads(body)["data"]["n"] for _, body in calls]


def deliveries(service: Live, who: str, webhook_id: str) -> list[dict[str, Any]]:
    return service.must(who, "GET", f"/webhooks/{webhook_id}/deliveries")["deliveries"]


def until(check, timeout_s: float = 40.0):
    deadline = time.monotonic() + timeout_s
    while not (found := check()):
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.02)
    return found


def test_calls_are_signed_as_the_standard_says_and_come_in_order(service: Live, target: Target):
    bravo = service.partner("bravo")
    made = name_target(service, "bravo", target.url)
    released = [service.released(bravo, f"a{number}")[0] for number in range(3)]
    calls = target.wait(3)
    assert seen_numbers(calls) == [1, 2, 3]
    assert len({headers["webhook-id"] for headers, _ in calls}) == 3
    for (headers, body), record_id in zip(calls, released, strict=True):
        told = Webhook(made["secret"]).verify(body, headers)
        assert told["type"] == told["data"]["kind"] == "release.created"
        assert told["timestamp"] == told["data"]["time"]
        assert told["data"]["feature"] == service.must("bravo", "GET", f"/crossings/{record_id}")
        with pytest.raises(Exception, match="signature"):
            Webhook(new_secret()).verify(body, headers)
    shown = [one["objects"] for one in service.audited("event.send") if one["partner"] == bravo]
    assert shown == [[record_id] for record_id in released]


@settings(max_examples=few(50))
@given(body=st.binary(max_size=200), time_us=st.integers(0, 4 * 10**15), message_id=st.text(max_size=30))
def test_the_signature_is_that_of_the_reference(body, time_us, message_id):
    secret = new_secret()
    text = body.decode("latin-1")
    headers = signed_headers([secret], message_id, time_us, text.encode())
    at = dt.datetime.fromtimestamp(time_us // 1_000_000, dt.UTC)
    assert headers["webhook-signature"] == Webhook(secret).sign(message_id, at, text)
    assert headers["webhook-timestamp"] == str(time_us // 1_000_000)


def test_the_secret_is_shown_once_and_is_nowhere_else(service: Live, target: Target, caplog):
    caplog.set_level(logging.DEBUG)
    bravo = service.partner("bravo")
    made = name_target(service, "bravo", target.url)
    target.script = [status(500)]
    service.released(bravo, "a")
    target.wait(2)
    secret = made["secret"]
    assert secret.startswith("whsec_")
    answers = [
        service.ask("bravo", "GET", "/webhooks").text,
        service.ask("bravo", "GET", f"/webhooks/{made['id']}/deliveries").text,
        service.ask("bravo", "POST", f"/webhooks/{made['id']}/redelivery", json={}).text,
        service.ask("analyst", "GET", "/events").text,
        json.dumps([service.audited(action) for action in ("webhook.create", "event.send", "webhook.redeliver")]),
        caplog.text,
        *(str(vars(record)) for record in caplog.records),
        *(headers.__repr__() + body.decode() for headers, body in target.calls),
    ]
    assert all(secret.removeprefix("whsec_") not in answer for answer in answers)
    with service.store.read() as session:
        assert secret not in repr(session.scalars(select(WebhookRow).where(WebhookRow.secret == secret)).one())


@pytest.mark.parametrize(
    ("trouble", "outcome", "code"),
    [
        (status(500, body=b"do not keep this"), "refused", 500),
        (status(302, "Location: http://127.0.0.1:1/"), "refused", 302),
        (None, "broken", None),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", "broken", None),
        (b"not http at all\r\n\r\n", "broken", None),
        (5.0, "timeout", None),
    ],
    ids=["500", "redirect", "hangs up", "closes half-way", "no http", "slow"],
)
def test_what_is_not_taken_is_sent_again_under_its_id_and_holds_back_what_follows(
    service, target, trouble, outcome, code
):
    bravo = service.partner("bravo")
    target.script = [trouble, trouble]
    made = name_target(service, "bravo", target.url)
    service.released(bravo, "a")
    service.released(bravo, "b")
    calls = target.wait(4)
    assert seen_numbers(calls) == [1, 1, 1, 2]
    assert len({headers["webhook-id"] for headers, _ in calls[:3]}) == 1
    log = until(lambda: (found := deliveries(service, "bravo", made["id"])) and len(found) == 4 and found)
    assert [(one["n"], one["attempt"], one["outcome"], one["status"]) for one in reversed(log)] == [
        (1, 1, outcome, code),
        (1, 2, outcome, code),
        (1, 3, "taken", 204),
        (2, 1, "taken", 204),
    ]
    assert all(one["duration_ms"] > 0 for one in log)
    assert "do not keep this" not in json.dumps(log)


def test_a_target_that_is_down_gets_all_when_it_is_back(service: Live, target: Target):
    bravo = service.partner("bravo")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    name_target(service, "bravo", f"http://127.0.0.1:{port}/")
    name_target(service, "bravo", target.url)
    service.released(bravo, "a")
    target.wait(1)  # another target is not held up
    webhook_id = service.must("bravo", "GET", "/webhooks")[0]["id"]
    until(lambda: len(deliveries(service, "bravo", webhook_id)) >= 2)
    assert {one["outcome"] for one in deliveries(service, "bravo", webhook_id)} == {"connect"}
    back = Target.__new__(Target)
    back.calls, back.script, back.came = [], [], threading.Condition()
    back._listener = socket.create_server(("127.0.0.1", port))
    back._thread = threading.Thread(target=back._serve, daemon=True)
    back._thread.start()
    assert seen_numbers(back.wait(1)) == [1]
    back.close()


def test_an_answer_without_end_is_not_read_to_its_end(service: Live, target: Target):
    bravo = service.partner("bravo")
    target.script = [b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n" + b"x" * 500_000]
    made = name_target(service, "bravo", target.url)
    service.released(bravo, "a")
    (one,) = until(lambda: deliveries(service, "bravo", made["id"]))
    assert (one["outcome"], one["status"]) == ("taken", 200)


def test_a_redirect_is_not_followed(service: Live, target: Target):
    other = Target()
    bravo = service.partner("bravo")
    target.script = [status(307, f"Location: {other.url}")]
    name_target(service, "bravo", target.url)
    service.released(bravo, "a")
    target.wait(2)
    assert other.calls == []
    other.close()


def test_a_target_that_is_gone_or_fails_for_days_is_disabled_with_an_event_and_set_going_again(tmp_path, target):
    with live(tmp_path, give_up_days=0.000005) as service:
        bravo = service.partner("bravo")
        target.script = [status(410), *[status(500)] * 5]
        made = name_target(service, "bravo", target.url)
        crossing_id, _ = service.released(bravo, "a")

        def disabled() -> Any:
            (found,) = service.must("bravo", "GET", "/webhooks")
            return found["disabled"] and found

        assert "410" in until(disabled)["disabled_reason"]
        service.must("bravo", "POST", f"/webhooks/{made['id']}/redelivery", json={})
        until(lambda: not disabled())
        assert "days" in until(disabled)["disabled_reason"]
        told = [one for one in service.must("analyst", "GET", "/events")["events"] if one["kind"] == "webhook.disabled"]
        assert [one["detail"]["webhook_id"] for one in told] == [made["id"]] * 2
        written = service.audited("webhook.disable")
        assert [(one["actor"], one["objects"]) for one in written] == [("system", [made["id"]])] * 2
        assert [one["detail"] for one in written] == [{"reason": one["detail"]["reason"]} for one in told]
        target.script = []
        count = len(target.calls)
        service.must("bravo", "POST", f"/webhooks/{made['id']}/redelivery", json={})
        assert json.loads(target.wait(count + 1)[-1][1])["data"]["record_id"] == crossing_id


def test_all_after_an_event_is_sent_again_when_that_is_asked_for(service: Live, target: Target):
    bravo = service.partner("bravo")
    made = name_target(service, "bravo", target.url)
    for number in range(3):
        service.released(bravo, f"a{number}")
    first = target.wait(3)
    service.must("bravo", "POST", f"/webhooks/{made['id']}/redelivery", json={"after": 1})
    calls = target.wait(5)
    assert seen_numbers(calls) == [1, 2, 3, 2, 3]
    assert [headers["webhook-id"] for headers, _ in calls[3:]] == [headers["webhook-id"] for headers, _ in first[1:]]
    beyond = service.ask("bravo", "POST", f"/webhooks/{made['id']}/redelivery", json={"after": 99})
    assert beyond.status_code == 422


def test_a_release_that_is_recalled_before_its_call_is_told_as_recalled(service: Live, target: Target):
    bravo = service.partner("bravo")
    target.script = [status(503, "Retry-After: 1")]
    name_target(service, "bravo", target.url)
    _, release_id = service.released(bravo, "a", lat=31.777123)
    target.wait(1)
    service.recall(release_id)
    calls = target.wait(3)
    told = [json.loads(body)["data"] for _, body in calls]
    assert [(one["kind"], one["state"]) for one in told] == [
        ("release.created", "current"),
        ("release.created", "recalled"),
        ("release.recalled", "recalled"),
    ]
    assert all(one["feature"] is None for one in told[1:])


def test_a_recall_is_offered_again_until_there_is_a_receipt(tmp_path, target):
    with live(tmp_path, reoffer_s=0.2) as service:
        bravo = service.partner("bravo")
        name_target(service, "bravo", target.url)
        _, release_id = service.released(bravo, "a")
        service.recall(release_id)
        calls = target.wait(4)
        assert seen_numbers(calls)[:4] == [1, 2, 2, 2]
        assert "again" not in json.loads(calls[1][1])["data"]
        assert json.loads(calls[2][1])["data"]["again"] is True
        assert calls[1][0]["webhook-id"] == calls[2][0]["webhook-id"]
        service.must("bravo", "POST", f"/recalls/{release_id}/receipt", json={"erased": True})
        count = len(target.calls)
        time.sleep(1.0)  # for five more
        assert len(target.calls) <= count + 1  # that was on its way


def test_a_target_that_is_paused_while_recalls_are_offered_again_gets_none_of_the_rest(tmp_path, target):
    with live(tmp_path, reoffer_s=0.2) as service:
        bravo = service.partner("bravo")
        for release_id in [service.released(bravo, name)[1] for name in "ab"]:
            service.recall(release_id)

        def pauses() -> bytes:
            if json.loads(target.calls[-1][1])["data"].get("again"):
                (mine,) = service.must("bravo", "GET", "/webhooks")
                service.must("bravo", "POST", f"/webhooks/{mine['id']}/pause")
            return status(204)

        target.script = [pauses] * 5
        made = name_target(service, "bravo", target.url, after=0)
        target.wait(5)
        until(lambda: len(deliveries(service, "bravo", made["id"])) == 5)  # the call that it was paused in has ended
        service.must("bravo", "POST", f"/webhooks/{made['id']}/redelivery", json={})
        assert seen_numbers(target.wait(6))[:6] == [1, 2, 3, 4, 3, 3]


def test_kinds_that_are_not_asked_for_are_passed_over(service: Live, target: Target):
    made = name_target(service, "supervisor", target.url, kinds=["crossing.reviewed"])
    bravo = service.partner("bravo")
    service.released(bravo, "a")
    (headers, body), *_ = target.wait(1)
    assert json.loads(body)["type"] == "crossing.reviewed"
    assert headers["webhook-id"].startswith(made["id"])
    until(lambda: service.must("supervisor", "GET", "/webhooks")[-1]["after"] == service.mark())
    assert len(target.calls) == 1
    service.must("supervisor", "DELETE", f"/webhooks/{made['id']}")
    assert service.ask("supervisor", "POST", "/webhooks", json={"url": target.url, "kinds": ["x"]}).status_code == 422


def test_a_target_rests_until_it_is_set_going_again_and_misses_nothing(service: Live, target: Target):
    bravo = service.partner("bravo")
    made = name_target(service, "bravo", target.url)
    service.released(bravo, "before")
    target.wait(1)
    paused = service.must("bravo", "POST", f"/webhooks/{made['id']}/pause")
    assert (paused["disabled"] is not None, paused["disabled_reason"]) == (True, "paused by its owner")
    assert service.ask("bravo", "POST", f"/webhooks/{made['id']}/pause").status_code == 409
    service.released(bravo, "meanwhile")
    service.must("bravo", "POST", f"/webhooks/{made['id']}/redelivery", json={})
    service.released(bravo, "after")
    until(lambda: 3 in seen_numbers(target.wait(3)))
    assert list(dict.fromkeys(seen_numbers(target.calls))) == [1, 2, 3]  # what is answered late comes again
    assert [one["objects"] for one in service.audited("webhook.pause")] == [[made["id"]]]


def test_a_new_secret_signs_from_the_next_call_on_and_for_a_time_those_before_too(service: Live, target: Target):
    bravo = service.partner("bravo")
    made = name_target(service, "bravo", target.url)
    service.released(bravo, "before")
    target.wait(1)
    # Renewed again within the day, perhaps by mistake: the secret that the receiver has counts to the end of its time.
    secrets = [made["secret"], *(renewed["secret"] for renewed in (renew(service, made), renew(service, made)))]
    assert len(set(secrets)) == 3
    service.released(bravo, "after")
    (headers, body) = target.wait(2)[1]
    for secret in secrets:
        Webhook(secret).verify(body, headers)
    renewed = renew(service, made)
    with service.store.write() as session:
        row = session.get_one(WebhookRow, made["id"])
        (newest, until_us), *others = json.loads(row.old_secrets)
        assert newest == secrets[-1]
        assert iso(until_us) == renewed["old_secret_until"]
        assert 0 < until_us - service.store.clock() <= FeedSettings().old_secret_s * 1e6
        row.old_secrets = canonical([[newest, until_us], *([secret, service.store.clock()] for secret, _ in others)])
    service.released(bravo, "much later")  # the time of the others is over
    (headers, body) = target.wait(3)[2]
    for secret in (renewed["secret"], newest):
        Webhook(secret).verify(body, headers)
    for secret in secrets[:-1]:
        with pytest.raises(Exception, match="signature"):
            Webhook(secret).verify(body, headers)
    for _ in range(5):
        last = renew(service, made)
    with service.store.read() as session:
        kept = [secret for secret, _ in json.loads(session.get_one(WebhookRow, made["id"]).old_secrets)]
    assert len(kept) == 4  # of whoever renews without end
    assert newest not in kept
    assert last["secret"] not in service.ask("bravo", "GET", "/webhooks").text
    assert all(last["secret"] not in json.dumps(one) for one in service.audited("webhook.renew_secret"))


def renew(service: Live, webhook):
    return service.must("bravo", "POST", f"/webhooks/{webhook['id']}/secret")


def test_a_target_is_seen_and_touched_by_its_own_alone(service: Live, target: Target):
    service.partner("bravo")
    service.partner("charlie")
    made = name_target(service, "bravo", target.url)
    for who in ("charlie", "supervisor"):
        assert made["id"] not in service.ask(who, "GET", "/webhooks").text
        for method, path, body in (
            ("DELETE", "", None),
            ("GET", "/deliveries", None),
            ("POST", "/redelivery", {}),
            ("POST", "/pause", None),
            ("POST", "/secret", None),
        ):
            answer = service.ask(who, method, f"/webhooks/{made['id']}{path}", json=body)
            absent = service.ask(who, method, f"/webhooks/{'0' * 32}{path}", json=body)
            assert answer.status_code == absent.status_code == 404
    for who in ("pilot", "sensor", "analyst", "administrator"):
        assert service.ask(who, "POST", "/webhooks", json={"url": target.url}).status_code == 403
    service.must("bravo", "DELETE", f"/webhooks/{made['id']}")
    assert service.must("bravo", "GET", "/webhooks") == []


def test_a_target_is_sent_nothing_once_its_key_is_revoked_and_comes_back_with_another(service: Live, target: Target):
    bravo = service.partner("bravo")
    made = name_target(service, "bravo", target.url)
    service.released(bravo, "a")
    target.wait(1)
    service.revoke("bravo")
    service.released(bravo, "b")
    service.key("bravo", "partner", partner_id=bravo)

    def disabled() -> Any:
        (found,) = service.must("bravo", "GET", "/webhooks")
        return found["disabled"] and found

    assert "key" in until(disabled)["disabled_reason"]
    assert len(target.calls) == 1
    service.must("bravo", "POST", f"/webhooks/{made['id']}/redelivery", json={})
    assert seen_numbers(target.wait(2)) == [1, 2]


def test_there_are_so_many_targets_and_no_more(tmp_path, target):
    with live(tmp_path, targets=2) as service:
        service.partner("bravo")
        for _ in range(2):
            name_target(service, "bravo", target.url)
        assert service.ask("bravo", "POST", "/webhooks", json={"url": target.url}).status_code == 409
        name_target(service, "supervisor", target.url)


@pytest.mark.parametrize(
    "url",
    [
        "http://93.184.216.34/", "https://10.0.0.1/", "https://127.0.0.1/", "https://[::1]/", "https://169.254.169.254/",
        "https://[::ffff:10.0.0.1]/", "https://localhost/", "https://2130706433/", "https://93.184.216.34:22/",
        "https://u:p@93.184.216.34/", "ftp://93.184.216.34/", "https://[fd00::1]/", "https://100.64.0.1/",
    ],
)  # fmt: skip
def test_targets_that_are_not_public_are_refused_when_they_are_named(closed, url):
    answer = closed.ask("supervisor", "POST", "/webhooks", json={"url": url})
    assert answer.status_code == 422, answer.text


@pytest.fixture(scope="module")
def closed(tmp_path_factory):
    with live(tmp_path_factory.mktemp("closed"), loopback_targets=False, inside_networks=("10.9.0.0/16",)) as made:
        yield made


def test_a_network_of_the_house_is_for_systems_of_the_inside(closed):
    closed.partner("bravo")
    assert closed.ask("supervisor", "POST", "/webhooks", json={"url": "https://10.9.0.1/"}).status_code == 201
    assert closed.ask("bravo", "POST", "/webhooks", json={"url": "https://10.9.0.1/"}).status_code == 422
    assert closed.ask("bravo", "POST", "/webhooks", json={"url": "https://93.184.216.34/hook"}).status_code == 201


# From here on the sender alone, beside a store: what a process does that falls, and what two do.


def standing_target(folder, target_url: str, events: int, **feeds: Any) -> tuple[Service, str]:
    """A store with a target of the inside that has `events` to come."""
    quick = {"poll_s": 0.02, "loopback_targets": True, "first_wait_s": 0.05, "longest_wait_s": 0.1, "lease_s": 0.6}
    set_up = Settings(folder / "live", feeds=FeedSettings(**(quick | feeds)))
    store = Store(folder / "live")
    now = store.clock()
    with store.write() as session:
        key = issue_key(session, Call(SYSTEM, "test"), now, name="s", role=Role.SUPERVISOR)
        call = Call(Principal(key.id, "s", Role.SUPERVISOR), "test")
        webhook, _ = add_webhook(session, call, now, WebhookIn(url=target_url), set_up.feeds)
        for _ in range(events):
            append_event(session, now, "partner.created", partner_id="c" * 32)
    return Service(store, set_up), webhook["id"]


async def test_a_process_that_falls_between_call_and_commit_sends_it_again_and_loses_nothing(tmp_path, target):
    service, _ = await asyncio.to_thread(standing_target, tmp_path, target.url, 4, lease_s=600.0)

    fell = asyncio.Event()

    class Falls(Sender):
        async def _send(self, job):
            outcome = await super()._send(job)
            if len(target.calls) == 2:  # nothing after this is done: no commit, no lease given back
                fell.set()
                await asyncio.sleep(3600)
            return outcome

        async def _stop(self):
            await asyncio.gather(*self._busy.values(), return_exceptions=True)

    sender = Falls(service)
    falling = asyncio.create_task(sender.run())
    await asyncio.wait_for(fell.wait(), 40)
    for task in (*sender._busy.values(), falling):
        task.cancel()
    await asyncio.wait([falling])
    later = Store(tmp_path / "live", clock=lambda: service.store.clock() + 601_000_000)  # its lease has run out
    following = asyncio.create_task(Sender(Service(later, service.settings)).run())
    calls = await asyncio.to_thread(target.wait, 5)
    following.cancel()
    await asyncio.wait([following])
    numbers = seen_numbers(calls)
    assert numbers == [numbers[0] + step for step in (0, 1, 1, 2, 3)]
    assert calls[1][0]["webhook-id"] == calls[2][0]["webhook-id"]
    service.store.close()


async def test_of_two_processes_one_sends_and_the_other_takes_over(tmp_path, target):
    """While a lease runs nothing is sent twice; this one lasts longer than any machine pauses."""
    service, _ = await asyncio.to_thread(standing_target, tmp_path, target.url, 30, lease_s=600.0)
    senders = [Sender(Service(Store(tmp_path / "live"), service.settings)) for _ in range(2)]
    running = {sender: asyncio.create_task(sender.run()) for sender in senders}
    await asyncio.to_thread(target.wait, 30)
    (holder,) = (sender for sender in senders if sender._may_send())
    await asyncio.gather(*holder._busy.values())  # it has written down that the last was taken
    running[holder].cancel()
    await asyncio.wait([running[holder]])
    with service.store.write() as session:
        append_event(session, service.store.clock(), "partner.created", partner_id="d" * 32)
    numbers = seen_numbers(await asyncio.to_thread(target.wait, 31))
    assert numbers == list(range(numbers[0], numbers[0] + 31))
    for task in running.values():
        task.cancel()
    await asyncio.wait(running.values())
    service.store.close()


async def test_who_slept_past_its_lease_begins_no_call(tmp_path, target, monkeypatch):
    """Between the look for the next event and the call; awake again it sends under a new lease."""
    service, webhook_id = await asyncio.to_thread(standing_target, tmp_path, target.url, 2, lease_s=600.0)
    sender = Sender(service)
    slept_s = 0.0
    look = sender._next

    def doze(webhook_id: str) -> Any:
        nonlocal slept_s
        slept_s = 601.0
        return look(webhook_id)

    its_time = SimpleNamespace(perf_counter=time.perf_counter, monotonic=lambda: time.monotonic() + slept_s)
    monkeypatch.setattr("api.feeds.sender.time", its_time)
    monkeypatch.setattr(sender, "_next", doze)
    assert await sender._holds()
    await sender._drain(webhook_id)
    assert target.calls == []
    assert await sender._holds()
    await sender._drain(webhook_id)
    assert len(target.calls) == 2
    await sender._stop()
    service.store.close()


async def test_what_was_looked_up_before_its_target_was_paused_does_not_leave(tmp_path, target, monkeypatch):
    service, webhook_id = await asyncio.to_thread(standing_target, tmp_path, target.url, 1, lease_s=600.0)
    tell = Teller.tell

    def told(teller: Teller, who: Principal, event: dict[str, Any]) -> Told:
        with service.store.write() as session:
            pause(session, Call(who, "test"), service.store.clock(), webhook_id)
        return tell(teller, who, event)

    monkeypatch.setattr(Teller, "tell", told)
    sender = Sender(service)
    assert await sender._holds()
    await sender._drain(webhook_id)
    assert target.calls == []
    await sender._stop()
    service.store.close()


async def test_who_lost_the_lease_in_a_call_moves_no_cursor_and_the_other_sends_it_again(tmp_path, target):
    """Twice is sent what was on its way when the lease changed hands, under one id, and nothing else."""
    service, _ = await asyncio.to_thread(standing_target, tmp_path, target.url, 3, lease_s=600.0)

    class Slow(Sender):
        async def _send(self, job):
            outcome = await super()._send(job)
            if len(target.calls) == 2:
                with self._store.write() as session:  # it sleeps for so long that another has the lease
                    assert take_lease(session, "webhooks", "another", self._store.clock() + 3_600_000_000, 1)
            return outcome

    slow = Slow(service)
    assert await slow._holds()
    (webhook_id,) = await slow._reading(slow._due)
    await slow._drain(webhook_id)
    assert len(target.calls) == 2
    assert not slow._may_send()
    with service.store.write() as session:
        give_lease(session, "webhooks", "another")
    other = asyncio.create_task(Sender(service).run())
    calls = await asyncio.to_thread(target.wait, 4)
    numbers = seen_numbers(calls)
    assert numbers == [numbers[0] + step for step in (0, 1, 1, 2)]
    assert len({headers["webhook-id"] for headers, _ in calls}) == 3
    assert calls[1][0]["webhook-id"] == calls[2][0]["webhook-id"]
    other.cancel()
    await asyncio.wait([other])
    await slow._stop()
    service.store.close()


async def test_a_name_that_changes_its_mind_reaches_nothing_within(tmp_path, target):
    """Rebinding between naming and sending: the address is judged again for every connection."""
    service, webhook_id = await asyncio.to_thread(
        standing_target, tmp_path, target.url, 1, loopback_targets=False, target_ports=(443, target.port)
    )

    async def rebound(_host, _port):
        return ["127.0.0.1"]

    sender = Sender(service, resolver=rebound)
    task = asyncio.create_task(sender.run())

    def outcome() -> Any:
        with service.store.read() as session:
            return session.get_one(WebhookRow, webhook_id).failures

    await asyncio.to_thread(until, outcome)
    task.cancel()
    await asyncio.wait([task])
    assert target.calls == []
    service.store.close()


def _certificate(host: str) -> tuple[bytes, bytes]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    return made.public_bytes(serialization.Encoding.PEM), secret


@pytest.mark.parametrize("host", ["target.example", "other.example"])
async def test_the_name_stays_what_tls_and_the_host_header_ask_for(tmp_path, host):
    """The connection goes to the checked address; the certificate is that of the name, or there is no call."""
    certificate, secret = await asyncio.to_thread(_certificate, "target.example")
    await asyncio.to_thread((tmp_path / "c.pem").write_bytes, certificate + secret)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "c.pem")
    names: list[str] = []
    context.sni_callback = lambda _ssl, name, _context: names.append(name)
    requests: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(status(204))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    service, webhook_id = await asyncio.to_thread(standing_target, tmp_path, "http://127.0.0.1:1/", 1)
    with service.store.write() as session:
        session.get_one(WebhookRow, webhook_id).url = f"https://{host}:{port}/hook"

    async def here(_host, _port):
        assert ipaddress.ip_address("127.0.0.1").is_loopback
        return ["127.0.0.1"]

    trust = ssl.create_default_context(cadata=certificate.decode())
    sender = Sender(service, resolver=here, tls=trust)
    assert await sender._holds()
    await sender._drain(webhook_id)
    assert names == [host]
    if host == "target.example":
        assert requests[0].startswith(b"POST /hook HTTP/1.1\r\n")
        assert f"Host: {host}:{port}".encode() in requests[0]
    else:
        assert requests == []
    await sender._stop()
    server.close()
    await server.wait_closed()
    service.store.close()


@given(failures=st.integers(1, 10**6), asked=st.floats(0, 10**6))
def test_waits_double_to_the_longest_with_jitter(failures, asked):
    sender = Sender.__new__(Sender)
    sender._settings = FeedSettings(first_wait_s=5.0, longest_wait_s=3600.0)
    whole = min(5.0 * 2.0 ** min(failures - 1, 60), 3600.0)
    assert max(whole / 2, min(asked, 3600.0)) <= sender._wait_s(failures, asked) <= max(whole, min(asked, 3600.0))


def test_a_lease_is_one_owners_until_it_runs_out_or_is_given_back(store):
    with store.write() as session:
        assert take_lease(session, "job", "a", 1000, 100)
        assert not take_lease(session, "job", "b", 1099, 100)
        assert take_lease(session, "other", "b", 1000, 100)
        assert holds_lease(session, "job", "a", 1099)
        assert not holds_lease(session, "job", "b", 1099)
        assert not holds_lease(session, "job", "a", 1100)
        assert take_lease(session, "job", "a", 1050, 100)  # for longer
        assert not take_lease(session, "job", "b", 1149, 100)
        assert take_lease(session, "job", "b", 1150, 100)
        give_lease(session, "job", "a")  # is not its
        assert holds_lease(session, "job", "b", 1160)
        give_lease(session, "job", "b")
        assert take_lease(session, "job", "a", 1160, 100)


def test_a_clock_that_is_set_back_keeps_nobody_waiting(store):
    """Neither for a lease that was given in what is now the future, nor for the time of a next attempt."""
    year_us, now_us = 365 * 86_400_000_000, 10**15
    with store.write() as session:
        assert take_lease(session, "job", "dead", now_us + year_us, 15_000_000)
        assert take_lease(session, "job", "b", now_us, 15_000_000)
        assert not take_lease(session, "job", "c", now_us + 14_000_000, 15_000_000)
        assert not take_lease(session, "job", "c", now_us - 60_000_000, 15_000_000)  # as clocks may differ
    assert [bool(_has_come(at, now_us, 60)) for at in (now_us, now_us + 60_000_000, now_us + 60_000_001)] == [
        True,
        False,
        True,
    ]


def test_an_outlet_whose_holder_fell_before_the_clock_was_set_back_is_taken(store, clock):
    outlet = Outlet("north")
    clock.now_us += 86_400_000_000
    assert hold(store, outlet, "dead", 30)
    assert not hold(store, outlet, "b", 30)
    clock.now_us -= 86_400_000_000
    assert hold(store, outlet, "b", 30)
    assert not hold(store, outlet, "c", 30)
