"""Events to a TAK-style server over TLS: in order, at least once, to nobody else, through whatever breaks."""

import asyncio
import contextlib
import dataclasses
import hashlib
import itertools
import ssl
import time

import pytest

from api.background import Service as Running
from api.background import beside
from api.errors import OutletError, SettingsError, StorageError
from api.feeds.tables import LeaseRow
from api.live.settings import LiveSettings
from api.outlets.settings import Pace
from api.settings import Settings
from api.tak.link import linked
from api.tak.sender import serve_tak
from api.tak.settings import TakSettings, TakTarget
from api.times import now_us
from tests.api.conftest import DATABASES
from tests.api.samples import crossing_json
from tests.api.tak_server import TakServer
from tests.api.test_live_vehicles import NOON_US, SECOND_US, SEEN, agreed, put, state_json, vehicle_of
from tests.api.test_release import rectangle
from tests.certificates import certificate, server_context

# For tests of the wire, in which the database has no part.
on_one_database = pytest.mark.parametrize("databases", DATABASES[:1], indirect=True)


PACE = Pace(poll_s=0.02, first_wait_s=0.02, longest_wait_s=0.1, hold_s=1.0)


@dataclasses.dataclass
class Pki:
    folder: object
    ca: object
    issuer: object
    server: tuple
    client: tuple


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pki")
    ca, _, issuer = certificate(folder, "authority")
    server, client = certificate(folder, "takserver", issuer), certificate(folder, "vedette", issuer)
    return Pki(folder, ca, issuer, server[:2], client[:2])


@pytest.fixture
async def tak(pki):
    server = TakServer(server_context(*pki.server, pki.ca))
    await server.start()
    yield server
    await server.stop()
    assert server.faults == []


def target_of(pki, tak, **more):
    usual = {"ca": pki.ca, "certificate": pki.client[0], "key": pki.client[1], "port": tak.port, "answer_s": 2.0}
    return TakTarget(**{"name": "north", "host": "127.0.0.1"} | usual | more)


@contextlib.asynccontextmanager
async def sending(service, *targets):
    """The sender as it runs beside the routes; leaving the block cancels it."""
    paces = {"tak": TakSettings(targets, pace=PACE), "live": LiveSettings(pace_s=0.02)}
    settings = dataclasses.replace(Settings(service.store.directory), **paces)
    async with beside(Running(service.store, settings), [serve_tak]):
        yield


async def until(true, what, within_s=30.0):
    end = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < end, f"{what} did not come"
        await asyncio.sleep(0.01)


def latitudes(tak):
    return [event.find("point").get("lat") for event in tak.events]


async def outlet_of(service, name="tak:north"):
    answer = await asyncio.to_thread(service.ask, "supervisor", "GET", "/outlets")
    return next((each for each in answer.json()["outlets"] if each["name"] == name), None)


async def outlet_until(service, true, what, name="tak:north"):
    end = time.monotonic() + 30.0
    while (found := await outlet_of(service, name)) is None or not true(found):
        assert time.monotonic() < end, f"{what} did not come: {found}"
        await asyncio.sleep(0.02)
    return found


def short(source_id, **changes):
    return crossing_json(source_id, track=[], **changes)


def own(record_id):
    return f"vedette-{record_id}"


@on_one_database
async def test_crossings_come_as_they_are_delivered_and_go_when_dismissed(service, pki, tak):
    before = service.deliver(short("a"))
    async with sending(service, target_of(pki, tak)):
        await until(lambda: own(before) in tak.uids(), "what was there before")
        after = await asyncio.to_thread(service.deliver, short("b"))
        await until(lambda: own(after) in tak.uids(), "what came later")
        await asyncio.to_thread(service.judge, before, "dismiss")
        await until(lambda: f"{own(before)}-delete" in tak.uids(), "a delete")
        await until(lambda: tak.connections == 1, "one connection")
        found = await outlet_until(service, lambda each: each["behind"] == 0, "its confirmation")
    assert found["problem"] is None
    assert [event.get("type") for event in tak.events[:2]] == ["a-p-G", "a-p-G"]


async def test_a_partner_is_told_of_its_releases_and_their_recall_and_of_nothing_else(service, pki, tak):
    bravo = service.partner("bravo")
    service.agree(bravo, fields=["kind", "position"])
    released, kept = service.deliver(short("a")), service.deliver(short("b", lat=31.4))
    nowhere = service.deliver(short("c"))
    for record_id in (released, kept, nowhere):
        service.judge(record_id)
    release = service.release(released, bravo).json()
    async with sending(service, target_of(pki, tak, partner_id=bravo)):
        await until(lambda: tak.events, "the release")
        await asyncio.to_thread(service.ask, "supervisor", "DELETE", f"/releases/{release['id']}")
        await until(lambda: f"{own(released)}-delete" in tak.uids(), "the recall")
        await asyncio.sleep(0.1)
    text = b"".join(tak.raw).decode()
    assert kept not in text
    assert nowhere not in text
    assert "inbound" not in text  # a field that the agreement does not name
    assert [event.get("type") for event in tak.events] == ["a-u-G", "t-x-d-d", "t-x-d-d"]
    assert {event.find("detail/link").get("uid") for event in tak.events[1:]} == {
        own(released),
        f"{own(released)}-track",
    }


@on_one_database
async def test_a_release_that_was_recalled_before_it_was_sent_is_never_shown(service, pki, tak):
    bravo = service.partner("bravo")
    service.agree(bravo)
    record_id = service.deliver(short("a"))
    service.judge(record_id)
    release = service.release(record_id, bravo).json()
    service.ask("supervisor", "DELETE", f"/releases/{release['id']}")
    async with sending(service, target_of(pki, tak, partner_id=bravo)):
        await until(lambda: tak.events, "the recall")
        await asyncio.sleep(0.1)
    assert {event.get("type") for event in tak.events} == {"t-x-d-d"}


@pytest.mark.parametrize("cut_at", [1, 700, 5000])
@on_one_database
async def test_a_connection_cut_in_the_middle_of_an_event_loses_nothing(service, pki, tak, cut_at):
    tak.cut_at = cut_at
    ids = [service.deliver(short(str(n))) for n in range(8)]
    async with sending(service, target_of(pki, tak)):
        await until(lambda: set(map(own, ids)) <= set(tak.uids()), "all crossings")
        await until(lambda: tak.connections >= 2, "a second connection")
    # Each time from the beginning of what was not confirmed, in order.
    assert _runs_of(tak.uids(), list(map(own, ids)))


@on_one_database
async def test_a_server_that_is_killed_and_comes_back_gets_the_rest_in_order(service, pki, tak):
    first = service.deliver(short("0"))
    async with sending(service, target_of(pki, tak)):
        await until(lambda: own(first) in tak.uids(), "the first")
        await until(lambda: tak.connections, "a connection")
        await tak.stop()
        ids = [await asyncio.to_thread(service.deliver, short(str(n))) for n in range(1, 6)]
        for update in (6, 7):  # one of them changes twice while nobody listens
            again = short("1", update_time=f"2026-01-01T10:00:0{update}.000000Z", lat=31.33 + update / 1000)
            await asyncio.to_thread(service.deliver, again)
        waits = await outlet_until(service, lambda each: each["problem"] is not None, "a problem")
        assert "127.0.0.1" in waits["problem"]
        await tak.start()
        await until(lambda: set(map(own, ids)) <= set(tak.uids()), "the rest")
        await outlet_until(service, lambda each: each["problem"] is None, "an end of the problem")
    last = [event for event in tak.events if event.get("uid") == own(ids[0])][-1]
    assert last.find("point").get("lat") == "31.3370000"


@on_one_database
async def test_without_a_pong_nothing_counts_as_told(service, pki, tak):
    record_id = service.deliver(short("a"))
    tak.mute = True
    async with sending(service, target_of(pki, tak, answer_s=0.2)):
        await until(lambda: tak.connections >= 3, "tries in vain")
        assert (await outlet_of(service))["n"] == 0
        assert "ping" in (await outlet_of(service))["problem"]
        assert tak.events == []  # not even said: the server answers first
        tak.mute = False
        await until(lambda: own(record_id) in tak.uids(), "the crossing")


@on_one_database
async def test_a_lost_pong_brings_the_batch_again(service, pki, tak):
    record_id = service.deliver(short("a"))
    async with sending(service, target_of(pki, tak, answer_s=0.3)):
        await until(lambda: own(record_id) in tak.uids(), "the first")
        tak.mute = True
        second = await asyncio.to_thread(service.deliver, short("b"))
        await until(lambda: own(second) in tak.uids(), "the second")
        tak.mute = False
        await until(lambda: tak.uids().count(own(second)) == 2, "the second once more")
    assert tak.uids().count(own(record_id)) == 1


async def test_a_restart_goes_on_where_it_was(service, pki, tak):
    first = service.deliver(short("a"))
    async with sending(service, target_of(pki, tak)):
        await until(lambda: own(first) in tak.uids(), "the first")
        await outlet_until(service, lambda each: each["behind"] == 0, "its confirmation")
    second = service.deliver(short("b"))
    async with sending(service, target_of(pki, tak)):
        await until(lambda: own(second) in tak.uids(), "the second")
    assert tak.uids() == [own(first), own(second)]


async def test_one_process_at_a_time_serves_a_server(service, pki, tak):
    async with sending(service, target_of(pki, tak)), sending(service, target_of(pki, tak)):
        ids = [await asyncio.to_thread(service.deliver, short(str(n))) for n in range(20)]
        await until(lambda: set(map(own, ids)) <= set(tak.uids()), "all crossings")
        assert tak.connections == 1
    assert tak.uids() == list(map(own, ids))


async def test_what_a_killed_process_held_goes_to_another_when_its_time_is_over(service, pki, tak, monkeypatch):
    first = service.deliver(short("a"))
    with monkeypatch.context() as patch:
        patch.setattr("api.outlets.follow.let_go", lambda *_: None)  # a kill leaves no time for it
        async with sending(service, target_of(pki, tak)):
            await until(lambda: own(first) in tak.uids(), "the first")
    second = service.deliver(short("b"))
    async with sending(service, target_of(pki, tak)):
        await asyncio.sleep(0.5)
        assert own(second) not in tak.uids()
        service.clock.now_us += 1_100_000
        await until(lambda: own(second) in tak.uids(), "the second")


async def test_since_now_leaves_out_what_was(service, pki, tak):
    service.deliver(short("a"))
    async with sending(service, target_of(pki, tak, since="now")):
        await until(lambda: tak.connections, "a connection")
        later = await asyncio.to_thread(service.deliver, short("b"))
        await until(lambda: tak.events, "what came later")
    assert tak.uids() == [own(later)]


@on_one_database
async def test_one_server_that_is_away_does_not_hold_up_another(service, pki, tak, unused_tcp_port):
    record_id = service.deliver(short("a"))
    away = target_of(pki, tak, name="south", port=unused_tcp_port)
    async with sending(service, away, target_of(pki, tak)):
        await until(lambda: own(record_id) in tak.uids(), "the crossing")
        await outlet_until(service, lambda each: each["problem"] is not None, "a problem", "tak:south")


FORGED = (
    b"""<event uid=' type="t-x-c-t-r"' type='a-f-G'/><event type="b-t-f"><detail>t-x-c-t-r</detail></event>""",
    b"""<!-- <event type="t-x-c-t-r"/> --><event type="a"/></event>""",
    b"""<!DOCTYPE event [<!ENTITY a "t-x-c-t-r">]><event type="&a;"></event>""",
    b"</event>" * 50 + b"t-x-c-t-r</event>",
)


@pytest.mark.parametrize("noise", FORGED)
async def test_nobody_can_forge_a_pong_in_what_the_server_sends_on(pki, tak, noise):
    tak.noise, tak.mute = noise, True
    assert "ping" in await refused(target_of(pki, tak, answer_s=0.3))
    tak.mute = False
    async with linked(target_of(pki, tak), now_us):
        pass


async def test_an_event_without_an_end_does_not_fill_the_memory(pki, tak):
    tak.noise, tak.mute = b"<event " + b"x" * (3 << 20), True
    assert "without an end" in await refused(target_of(pki, tak))


# -- who is it --------------------------------------------------------------------------------------------------------


async def refused(target):
    with pytest.raises(OutletError) as problem:
        async with linked(target, now_us):
            pass
    return str(problem.value)


@on_one_database
async def test_only_the_right_server_is_spoken_to(service, pki, tak, tmp_path):
    service.deliver(short("a"))
    ca, _, _ = certificate(tmp_path, "stranger")
    assert "certificate verify failed" in await refused(target_of(pki, tak, ca=ca))
    assert "certificate" in await refused(target_of(pki, tak, server_name="tak.example"))
    assert "fingerprint" in await refused(target_of(pki, tak, fingerprint="0" * 64))
    right = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pki.server[0].read_text())).hexdigest()
    async with linked(target_of(pki, tak, fingerprint=right), now_us):
        pass
    old = certificate(tmp_path, "old", pki.issuer, old=True)
    server = TakServer(server_context(*old[:2], pki.ca))
    await server.start()
    assert "expired" in await refused(target_of(pki, server))
    async with sending(service, target_of(pki, server)):
        await asyncio.sleep(0.3)
    await server.stop()
    assert server.events == []


async def test_a_server_by_another_name_is_reached_by_the_name_in_its_certificate(pki, tmp_path):
    pem, key, _ = certificate(tmp_path, "named", pki.issuer, host="takserver.mil")
    server = TakServer(server_context(pem, key, pki.ca))
    await server.start()
    assert "IP address mismatch" in await refused(target_of(pki, server))
    async with linked(target_of(pki, server, server_name="takserver.mil"), now_us):
        pass
    await server.stop()


@on_one_database
async def test_a_server_that_does_not_know_us_is_told_nothing(service, pki, tak, tmp_path):
    service.deliver(short("a"))
    _, _, issuer = certificate(tmp_path, "stranger")
    pem, key, _ = certificate(tmp_path, "us", issuer)
    stranger = target_of(pki, tak, certificate=pem, key=key)
    await refused(stranger)
    async with sending(service, stranger):
        await outlet_until(service, lambda each: each["problem"] is not None, "a problem")
    assert tak.events == []


async def test_plain_tcp_is_no_tak_server(pki):
    server = TakServer(None)
    await server.start()
    assert "127.0.0.1" in await refused(target_of(pki, server, answer_s=1.0))
    await server.stop()


@on_one_database
async def test_files_that_are_missing_are_told_of_at_once(service, pki, tak, tmp_path):
    settings = TakSettings((target_of(pki, tak, ca=tmp_path / "none.pem"),), pace=PACE)
    running = Running(service.store, dataclasses.replace(Settings(service.store.directory), tak=settings))
    with pytest.raises(SettingsError, match=r"none\.pem"):
        await serve_tak(running)


@pytest.mark.parametrize(
    "wrong",
    [{"port": 0}, {"fingerprint": "AB"}, {"answer_s": 0.0}, {"name": ""}, {"name": "a\nb"}, {"types": frozenset()}],
)
async def test_targets_that_cannot_be_are_refused(pki, tak, wrong):
    with pytest.raises(SettingsError):
        target_of(pki, tak, **wrong)
    with pytest.raises(SettingsError, match="twice"):
        TakSettings((target_of(pki, tak), target_of(pki, tak)))


# -- others that speak it ---------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@on_one_database
async def test_pytak_reads_what_the_server_sends_on(service, pki, tak):
    import pytak

    config = {
        "COT_URL": f"tls://127.0.0.1:{tak.port}",
        "PYTAK_TLS_CLIENT_CERT": str(pki.client[0]),
        "PYTAK_TLS_CLIENT_KEY": str(pki.client[1]),
        "PYTAK_TLS_CLIENT_CAFILE": str(pki.ca),
    }
    reader, writer = await pytak.protocol_factory(config)
    queue = asyncio.Queue()
    worker = pytak.RXWorker(queue, config, reader)
    record_id = service.deliver(short("a"))
    async with sending(service, target_of(pki, tak)):
        async with asyncio.timeout(40):
            read = b""
            while b"a-p-G" not in read:
                await worker.run_once()
                read = await queue.get()
    assert own(record_id).encode() in read
    writer.close()


@on_one_database
async def test_sending_is_audited_before_it_leaves(service, pki, tak):
    record_id = service.deliver(short("a"))
    async with sending(service, target_of(pki, tak)):
        await until(lambda: tak.events, "the crossing")
    entries = (await asyncio.to_thread(service.ask, "auditor", "GET", "/audit", params={"limit": 1000})).json()
    told = [entry["body"] for entry in entries["entries"] if entry["body"]["action"] == "outlet.tell"]
    assert [entry["objects"] for entry in told] == [[record_id]]
    assert told[0]["name"] == "tak:north"


def _runs_of(seen, wanted):
    """Whether `seen` is `wanted`, begun again here and there at or before where it broke off."""
    reached = 0
    for now, after in itertools.pairwise([*seen, None]):
        at = wanted.index(now)
        if at > reached:
            return False
        reached = max(reached, at + 1)
        if after is not None and wanted.index(after) not in {at + 1, 0} and wanted.index(after) > reached:
            return False
    return reached == len(wanted)


@on_one_database
async def test_a_partners_server_sees_a_vehicle_live_while_it_is_in_the_area(service, pki, tak):
    vehicle_id = vehicle_of(service)
    agreed(service, "bravo", vehicle_id, area=rectangle(-111, 31, -110, 32))
    partner_id = service.ask("administrator", "GET", "/partners").json()[0]["id"]
    put(service, state_json(lat=31.5))

    def at(lat):
        return [event for event in tak.events if event.find("point").get("lat") == f"{lat:.7f}"]

    async with sending(service, target_of(pki, tak, partner_id=partner_id, types=frozenset({"vehicle"}))):
        await until(lambda: at(31.5), "where it is")
        await asyncio.to_thread(put, service, state_json(at_us=NOON_US + SECOND_US, lat=32.5))
        await until(lambda: f"{own(vehicle_id)}-delete" in tak.uids(), "that it is gone")
        await asyncio.to_thread(put, service, state_json(at_us=NOON_US + 2 * SECOND_US, lat=31.75))
        await until(lambda: at(31.75), "where it is again")
    with service.store.read() as session:  # so that another process need not wait for the end of a lease
        assert session.get(LeaseRow, "tak-live:north") is None
    assert at(31.5)[0].get("stale") == "2026-01-01T12:00:30.000Z"
    assert at(31.75)[0].get("uid") == own(vehicle_id)
    assert at(32.5) == []


@on_one_database
async def test_it_stops_telling_vehicles_though_the_database_is_gone(service, pki, tak, monkeypatch):
    vehicle_of(service)

    def gone(_work):
        raise StorageError("the database is gone")

    async with asyncio.timeout(30):
        async with sending(service, target_of(pki, tak, types=frozenset({"vehicle"}))):
            for second, lat in enumerate((31.5, 31.625, 31.75), start=1):
                await asyncio.to_thread(put, service, state_json(at_us=NOON_US + second * SECOND_US, lat=lat))
                await until(lambda lat=f"{lat:.7f}": lat in latitudes(tak), "where it is")
            # No entry of the audit tells of the last yet.
            monkeypatch.setattr(service.store, "write_together", gone)


@on_one_database
async def test_what_clients_show_of_a_vehicle_goes_when_it_does_though_the_server_was_away(service, pki, tak):
    kept, gone = vehicle_of(service, "a"), vehicle_of(service, "b")
    put(service, state_json("a", footprint=SEEN), state_json("b"))
    partner = service.partner("bravo")
    assert service.agree(partner, records=["vehicle"], fields=["camera", "live", "position"]).status_code == 201
    releases = [service.release(each, partner).json()["id"] for each in (kept, gone)]
    async with sending(service, target_of(pki, tak, partner_id=partner, types=frozenset({"vehicle"}))):
        await until(lambda: {own(kept), f"{own(kept)}-footprint", own(gone)} <= set(tak.uids()), "what there is")
        await asyncio.to_thread(put, service, state_json("a", at_us=NOON_US + SECOND_US))
        await until(lambda: f"{own(kept)}-footprint-delete" in tak.uids(), "that its camera is not known to see any")
        assert f"{own(kept)}-delete" not in tak.uids()
        await tak.stop()
        await asyncio.to_thread(service.ask, "supervisor", "DELETE", f"/releases/{releases[1]}")
        await tak.start()
        await until(lambda: f"{own(gone)}-delete" in tak.uids(), "that it went meanwhile")
        assert f"{own(kept)}-delete" not in tak.uids()
