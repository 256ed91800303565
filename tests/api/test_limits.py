"""Token buckets, and the 429 that they say."""

import asyncio
import threading
import time
from dataclasses import dataclass

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api import Settings, SettingsError, create_app
from api.identity.doorman import Doorman
from api.identity.limits import Buckets, address_key
from api.identity.logins import Logins
from api.identity.settings import IdentitySettings, Policy
from tests.api.conftest import ON_SQLITE, InProcess
from tests.api.test_routes import FORGED, assert_problem


@dataclass
class Seconds:
    now_s: float = 1000.0

    def __call__(self) -> float:
        return self.now_s


class Plain:
    """A bucket as one would first write it: a number of tokens that flow back."""

    def __init__(self, policy, now_s):
        self.policy, self.tokens, self.at_s = policy, float(policy.burst), now_s

    def take(self, now_s, cost):
        self.tokens = min(self.policy.burst, self.tokens + (now_s - self.at_s) * self.policy.per_s)
        self.at_s = now_s
        if self.tokens + 1e-6 < cost:
            return False
        self.tokens -= cost
        return True


@given(
    burst=st.integers(1, 20),
    per_s=st.floats(0.01, 100),
    asked=st.lists(st.tuples(st.floats(0, 30), st.sampled_from("ab"), st.integers(1, 5)), max_size=60),
)
def test_a_bucket_lets_through_what_tokens_that_flow_back_do(burst, per_s, asked):
    policy, clock = Policy(burst, per_s), Seconds()
    buckets, plain = Buckets(policy, clock=clock), {who: Plain(policy, clock.now_s) for who in "ab"}
    for wait_s, who, cost in asked:
        clock.now_s += wait_s
        standing = buckets.take(who, cost)
        near = abs(min(burst, plain[who].tokens + (clock.now_s - plain[who].at_s) * per_s) - cost) < 1e-5
        if near:  # of rounding alone
            return
        assert standing.allowed == plain[who].take(clock.now_s, cost)
        assert standing.remaining == pytest.approx(int(plain[who].tokens + 1e-5), abs=1)
        assert 0 <= standing.remaining <= burst


@given(burst=st.integers(1, 50), per_s=st.floats(0.1, 1000), taken=st.integers(1, 80))
def test_who_waits_as_long_as_told_is_let_through(burst, per_s, taken):
    clock = Seconds()
    buckets = Buckets(Policy(burst, per_s), clock=clock)
    allowed = [buckets.take("a").allowed for _ in range(taken)]
    assert allowed == [True] * min(taken, burst) + [False] * max(taken - burst, 0)
    standing = buckets.take("a")
    if not standing.allowed:
        clock.now_s += standing.retry_in_s * 0.5
        assert not buckets.take("a").allowed
        clock.now_s += standing.retry_in_s * 0.5 + 1e-6
        assert buckets.take("a").allowed
    clock.now_s += buckets.take("b", 0).full_in_s + burst / per_s
    assert buckets.take("a", burst).allowed  # full again


def test_memory_is_bounded_and_who_asks_on_is_not_forgotten():
    clock = Seconds()
    buckets = Buckets(Policy(2, 0.001), capacity=100, clock=clock)
    allowed = 0
    for number in range(10_000):
        buckets.take(f"stranger {number}")
        allowed += buckets.take("greedy").allowed
    assert len(buckets) == 100
    assert allowed == 2


def test_buckets_hold_under_many_threads():
    buckets = Buckets(Policy(500, 1e-6))
    allowed = []

    def ask():
        allowed.extend(buckets.take("a").allowed for _ in range(200))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert sum(allowed) == 500


def test_tokens_given_back_never_overfill():
    buckets = Buckets(Policy(3, 1e-6))
    buckets.take("a")
    for _ in range(10):
        buckets.give("a")
    buckets.give("never seen")
    assert [buckets.take("a").allowed for _ in range(4)] == [True, True, True, False]


@pytest.mark.parametrize(
    ("host", "key"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::9", "2001:db8:1:3::/64"),
        ("testclient", "testclient"),
        (None, None),
    ],
)
def test_a_site_is_one_address(host, key):
    assert address_key(host) == key


@pytest.mark.parametrize(("burst", "per_s"), [(0, 1.0), (5, 0.0), (5, -1.0), (5, float("nan")), (5, float("inf"))])
def test_a_limit_that_lets_nothing_through_is_refused(burst, per_s):
    with pytest.raises(SettingsError, match="lets nothing through"):
        Policy(burst, per_s)


@ON_SQLITE
class TestAtTheGate:
    @pytest.fixture
    def identity(self):
        return IdentitySettings(principal_limit=Policy(5, 0.01), address_limit=None)

    def test_a_principal_that_asks_too_much_waits_and_others_do_not(self, service):
        began = time.monotonic()
        answers = [service.ask("pilot", "GET", "/me") for _ in range(7)]
        assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 2
        assert answers[0].headers["RateLimit-Policy"] == '"principal";q=5;w=500'
        assert answers[0].headers["RateLimit"].startswith('"principal";r=4;t=')
        assert_problem(answers[-1], 429)
        took_s = time.monotonic() - began
        assert 99 - took_s <= int(answers[-1].headers["Retry-After"]) <= 100
        assert answers[-1].headers["RateLimit"].startswith('"principal";r=0;')
        assert service.ask("analyst", "GET", "/me").status_code == 200

    def test_a_refusal_costs_the_audit_nothing(self, service):
        for _ in range(20):
            service.ask("pilot", "GET", "/me")
        entries = service.ask("auditor", "GET", "/audit", params={"limit": 1000}).json()["entries"]
        assert len([entry for entry in entries if entry["body"]["name"] == "pilot"]) == 5

    def test_what_is_ready_counts_as_what_is_read(self, service):
        answers = [service.ask("analyst", "GET", "/crossings") for _ in range(7)]
        assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 2
        assert [answer.headers["RateLimit"].split(";")[1] for answer in answers] == [
            f"r={left}" for left in (4, 3, 2, 1, 0, 0, 0)
        ]

    def test_what_is_ready_no_more_counts_once(self, service, crossing):
        for left in (4, 3):
            assert f";r={left};" in service.ask("analyst", "GET", "/crossings").headers["RateLimit"]
        service.deliver(crossing())
        assert ";r=2;" in service.ask("analyst", "GET", "/crossings").headers["RateLimit"]

    def test_a_key_that_stands_for_nobody_any_more_is_told_of_no_limit(self, service):
        key_id = service.key("second", "analyst")
        assert ["RateLimit" in service.ask("second", "GET", "/crossings").headers for _ in range(2)] == [True] * 2
        service.ask("administrator", "DELETE", f"/keys/{key_id}")
        answer = service.ask("second", "GET", "/crossings")
        assert_problem(answer, 401)
        assert "RateLimit" not in answer.headers

    def test_the_body_is_not_read_before(self, service):
        for _ in range(5):
            service.ask("pilot", "GET", "/me")
        received = _raw(service.app, "POST", "/cues", service.keys["pilot"])
        assert received == (429, 0)


def _raw(app, method, path, key):
    """Status, and how often the application asked for the body."""
    asked, status = [], []

    async def receive():
        asked.append(1)
        return {"type": "http.request", "body": b"x", "more_body": True}

    async def send(message):
        if message["type"] == "http.response.start":
            status.append(message["status"])

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"authorization", f"Bearer {key}".encode()), (b"content-type", b"application/json")],
        "client": ("192.0.2.1", 1),
    }
    asyncio.run(app(scope, receive, send))
    return status[0], len(asked)


def _asker(store, address, **identity):
    app = create_app(Settings(store.directory, identity=IdentitySettings(**identity)), store)
    transport = InProcess(app)
    transport.asgi.client = (address, 1)
    return httpx.Client(transport=transport, base_url="http://vedette.test")


@ON_SQLITE
def test_an_address_that_proves_nothing_is_shut_out_sooner(store, databases, template):
    key = {"Authorization": f"Bearer {template(databases).keys['pilot']}"}
    with _asker(store, "192.0.2.1", address_limit=Policy(50, 0.01), failure_cost=9) as http:
        forged = [http.get("/me", headers={"Authorization": f"Bearer {FORGED}"}).status_code for _ in range(7)]
        assert forged == [401] * 5 + [429] * 2
        assert http.get("/health").status_code == 429
        assert http.get("/me", headers=key).status_code == 429
        http._transport.asgi.client = ("192.0.2.2", 1)
        answer = http.get("/me", headers=key)
        assert answer.status_code == 200
        assert answer.headers["RateLimit"].startswith('"principal"')
        assert http.get("/health").headers["RateLimit"].startswith('"address";r=48;')


@ON_SQLITE
def test_behind_a_proxy_no_address_is_believed(store):
    settings = Settings(
        store.directory,
        host="0.0.0.0",
        plain_http_beyond_loopback=True,
        identity=IdentitySettings(address_limit=Policy(2, 0.01)),
    )
    with httpx.Client(transport=InProcess(create_app(settings, store)), base_url="http://vedette.test") as http:
        for number in range(6):
            assert http.get("/health", headers={"X-Forwarded-For": f"192.0.2.{number}"}).status_code == 200


@ON_SQLITE
@pytest.mark.parametrize("processes", [1, 3])
def test_several_processes_let_through_together_what_one_would(store, processes):
    identity = IdentitySettings(principal_limit=Policy(6, 1e-3), login_limit=Policy(6, 1e-3), processes=processes)
    doorman, logins = Doorman(store, Settings(store.directory, identity=identity)), Logins(store, identity)
    for buckets in (doorman._principals, logins._guesses.by_device):
        assert [buckets.take("a").allowed for _ in range(7)].count(True) == 6 // processes


def test_no_process_lets_through_nothing():
    assert Policy(5, 1.0).share(8) == Policy(1, 1 / 8)
    with pytest.raises(SettingsError, match="processes"):
        IdentitySettings(processes=0)
