"""Deliveries survive what can go wrong between a drone and the service."""

import errno
import hashlib
import json
import os
import threading
from functools import partial

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import api.courier.spool as spool_module
import api.store.objects
import vision
from api import Client, ClientError, RefusedError, Spool, SpoolError
from tests.api.conftest import ON_SQLITE
from tests.api.samples import CLIP, crossing_json
from tests.full_disk import full_after


@pytest.fixture
def evidence(tmp_path):
    folder = tmp_path / "evidence"
    folder.mkdir()
    (folder / "a.ts").write_bytes(CLIP)
    (folder / "a.json").write_bytes(b"{}")
    return folder


class FakeTime:
    def __init__(self):
        self.now_s = 100.0
        self.slept = []

    def clock(self):
        return self.now_s

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now_s += seconds


class Scripted(httpx.BaseTransport):
    """A service that goes wrong as told, one entry a request, then works; keeps what it took in order."""

    def __init__(self, *script):
        self.script, self.requests, self.taken = list(script), [], []

    def handle_request(self, request):
        body = request.read()
        self.requests.append((request.method, request.url.path))
        step = self.script.pop(0) if self.script else None
        if isinstance(step, Exception):
            raise step
        if isinstance(step, int):
            problem = {"type": "x", "title": "No", "status": step, "detail": "because"}
            return httpx.Response(step, json=problem, headers={"content-type": "application/problem+json"})
        if request.method == "POST":
            self.taken.append(json.loads(body)["source_id"])
            return httpx.Response(201, json={"id": "1", "revision": 1, "outcome": "created", "note": None})
        return httpx.Response(200, json={})


def client(tmp_path, transport, fake=None):
    fake = fake or FakeTime()
    return Client(
        "http://service.test:1",
        "key",
        spool=tmp_path / "spool",
        transport=transport,
        clock=fake.clock,
        sleep=fake.sleep,
    )


def test_a_delivery_goes_through_and_leaves_nothing(tmp_path, evidence):
    transport = Scripted()
    with client(tmp_path, transport) as courier:
        report = courier.deliver(crossing_json(), evidence)
    assert [answer["outcome"] for answer in report.delivered] == ["created"]
    assert (report.waiting, report.error, report.failed) == (0, None, ())
    assert [method for method, _ in transport.requests] == ["POST", "PUT", "PUT"]
    assert courier.spool.pending() == []
    assert list((tmp_path / "spool" / "scratch").iterdir()) == []


@pytest.mark.parametrize(
    "failure", [500, 502, 503, 429, 401, 403, 404, httpx.ConnectError("refused"), httpx.ReadTimeout("slow")]
)
@pytest.mark.parametrize("step", [0, 1, 2])
def test_what_may_mend_waits_in_order(tmp_path, evidence, failure, step):
    transport = Scripted(*[None] * step, failure)
    fake = FakeTime()
    with client(tmp_path, transport, fake) as courier:
        report = courier.deliver(crossing_json("first"), evidence)
        assert report.waiting == 1
        assert report.error
        assert 0 < report.retry_in_s <= 0.625
        # Before the wait is over nothing is tried, and the second does not overtake the first.
        tried = len(transport.requests)
        report = courier.deliver(crossing_json("second", evidence=None))
        assert (report.waiting, len(transport.requests)) == (2, tried)
        report = courier.flush(wait_s=10)
    assert (report.waiting, len(report.delivered)) == (0, 2)
    assert list(dict.fromkeys(transport.taken)) == ["first", "second"]
    assert len(fake.slept) == 1


def test_waits_grow_and_are_bounded(tmp_path):
    fake = FakeTime()
    with client(tmp_path, Scripted(*[503] * 30), fake) as courier:
        courier.deliver(crossing_json(evidence=None))
        report = courier.flush(wait_s=3600)
    assert report.waiting == 0
    assert len(fake.slept) == 30
    assert all(0.75 <= slept / min(60, 0.5 * 2**n) <= 1.25 for n, slept in enumerate(fake.slept))


@pytest.mark.parametrize("failure", [400, 409, 413, 415, 422])
def test_what_can_never_go_is_moved_aside_and_told(tmp_path, evidence, failure):
    transport = Scripted(503)
    fake = FakeTime()
    with client(tmp_path, transport, fake) as courier:
        for name in ("first", "poison", "third"):
            courier.deliver(crossing_json(name), evidence)
        transport.script = [None, None, None, failure]
        report = courier.flush(wait_s=10)
        assert transport.taken == ["first", "third"]
        (failed,) = report.failed
        assert "because" in failed.reason
        assert str(failure) in failed.reason
        assert json.loads((failed.folder / "crossing.json").read_bytes())["source_id"] == "poison"
        assert (failed.folder / "a.ts").read_bytes() == CLIP  # nothing is lost
        assert courier.spool.failed() == [failed]
        assert report.waiting == 0


def test_a_damaged_item_is_moved_aside(tmp_path, evidence):
    spool = Spool(tmp_path / "spool")
    torn = spool.put(crossing_json("torn"), evidence)
    (torn.folder / "crossing.json").write_bytes(b'{"source_id": "to')
    other = spool.put(crossing_json("other clip"), evidence)
    (other.folder / "a.ts").write_bytes(b"not the clip")
    lost = spool.put(crossing_json("lost"), evidence)
    (lost.folder / "a.ts").unlink()
    spool.put(crossing_json("good"), evidence)
    transport = Scripted()
    with client(tmp_path, transport) as courier:
        report = courier.flush()
    assert transport.taken == ["good"]
    assert [failed.name for failed in report.failed] == [torn.name, other.name, lost.name]


def test_a_crossing_is_in_the_spool_whole_or_not_at_all(tmp_path, evidence, monkeypatch):
    spool = Spool(tmp_path / "spool")
    real = os.replace

    def full(*_args):
        raise OSError(errno.ENOSPC, "No space left on device")

    for module, name in (
        (spool_module.os, "replace"),
        (spool_module.os, "fsync"),
        (spool_module.shutil, "copyfileobj"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(module, name, full)
            with pytest.raises(SpoolError, match="disk is full"):
                spool.put(crossing_json(), evidence)
        assert spool.pending() == []
        assert list((tmp_path / "spool" / "scratch").iterdir()) == []
    assert os.replace is real
    spool.put(crossing_json(), evidence)
    assert len(spool.pending()) == 1


def test_what_the_spool_has_no_room_for_goes_straight_to_the_service(tmp_path, evidence):
    """Behind what waits, so that the order stays; a limit of the system stands for the full disk."""
    transport = Scripted(503)
    with client(tmp_path, transport) as courier:
        assert courier.deliver(crossing_json("first"), evidence).waiting == 1
        with full_after(10), pytest.raises(SpoolError, match=r"cannot take a crossing.*does not take it now"):
            courier.deliver(crossing_json("too soon"), evidence)
        courier._due = -float("inf")
        with full_after(10):
            report = courier.deliver(crossing_json("second"), evidence)
        assert transport.taken == ["first", "second"]
        assert len(report.delivered) == 2
        assert report.waiting == 0
        transport.script.append(httpx.ConnectError("gone"))
        with full_after(10), pytest.raises(SpoolError, match=r"cannot take a crossing.*gone"):
            courier.deliver(crossing_json("third"), evidence)
    assert list((tmp_path / "spool" / "scratch").iterdir()) == []


def test_a_wrong_delivery_is_refused_before_it_is_spooled(tmp_path, evidence):
    spool = Spool(tmp_path / "spool")
    names = crossing_json()["evidence"]
    for crossing, folder in (
        (crossing_json(), None),
        (crossing_json(evidence=names | {"clip": "missing.ts"}), evidence),
        (crossing_json(evidence=names | {"clip": "../evidence/a.ts"}), evidence),
        (crossing_json(evidence=names | {"clip": "crossing.json"}), evidence),
        (crossing_json(lat=float("nan")), evidence),
        (crossing_json(owner=object()), evidence),
    ):
        with pytest.raises(SpoolError):
            spool.put(crossing, folder)
    assert spool.pending() == []
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(SpoolError, match="cannot be used"):
        Spool(tmp_path / "file")


def dies_while_putting(folder, evidence, call, at):
    """Put one whole item, then die at the `at`-th `call` of the next; a process of its own, killed without farewell."""
    child = os.fork()
    if child:
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
        return
    try:
        spool = Spool(folder)
        spool.put(crossing_json("before"), evidence)
        real, calls = getattr(os, call), []

        def dying(*arguments):
            calls.append(arguments)
            if len(calls) == at:
                os._exit(9)
            return real(*arguments)

        setattr(os, call, dying)
        spool.put(crossing_json("during"), evidence)
        os._exit(9)  # after the write, before any sending
    finally:
        os._exit(1)


@pytest.mark.parametrize(
    ("call", "at", "there"), [("fsync", 1, 1), ("fsync", 3, 1), ("replace", 1, 1), ("fsync", 5, 2), ("fsync", 99, 2)]
)
def test_a_process_that_dies_leaves_whole_items_alone(tmp_path, evidence, call, at, there):
    dies_while_putting(tmp_path / "spool", evidence, call, at)
    transport = Scripted()
    with client(tmp_path, transport) as courier:
        assert list((tmp_path / "spool" / "scratch").iterdir()) == []  # what was half-written is cleared away
        courier.flush()
    assert transport.taken == ["before", "during"][:there]


def test_dying_between_sending_and_letting_go_sends_again(tmp_path, evidence, service, monkeypatch):
    def dies(*_args):
        raise KeyboardInterrupt

    for crash in (True, False):
        courier = Client(
            "http://vedette.test", service.keys["pilot"], spool=tmp_path / "spool", transport=service.http._transport
        )
        with monkeypatch.context() as patch:
            if crash:
                patch.setattr(Spool, "done", dies)
                with pytest.raises(KeyboardInterrupt):
                    courier.deliver(crossing_json(), evidence)
            else:
                (answer,) = courier.flush().delivered
    assert answer["outcome"] == "unchanged"  # the service had it: one record, not two
    assert len(service.seen_by("analyst")) == 1


@ON_SQLITE
def test_what_another_machine_began_of_the_same_recording_is_gone_on_with(tmp_path, service):
    """The second one's manifest tells another time of writing: its files are those that the first one's lists."""

    def machine(name, **manifest):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "a.ts").write_bytes(CLIP)
        told = {"files": {"a.ts": {"sha256": hashlib.sha256(CLIP).hexdigest()}}, "written": name}
        (folder / "a.json").write_text(json.dumps(told | manifest))
        return folder

    first, second, other = machine("first"), machine("second"), machine("other", files={})
    pilot = Client("http://vedette.test", service.keys["pilot"], transport=service.http._transport)
    kept = pilot._object("POST", "/crossings", json=crossing_json())["id"]
    pilot._object("PUT", f"/crossings/{kept}/evidence/manifest", content=(first / "a.json").read_bytes())
    with pytest.raises(RefusedError, match="already has another manifest"):
        pilot.deliver(crossing_json(), other)
    (answer,) = pilot.deliver(crossing_json(), second).delivered
    assert (answer["id"], answer["outcome"]) == (kept, "unchanged")
    assert pilot.evidence(kept) == CLIP
    assert pilot.evidence(kept, "manifest") == (first / "a.json").read_bytes()


@ON_SQLITE
@pytest.mark.parametrize("came", ["manifest", "manifest.sig"])
@pytest.mark.parametrize("own", [True, False], ids=["one key", "a key each"])
def test_signed_evidence_that_another_machine_began_is_gone_on_with(tmp_path, service, came, own):
    """What stands in the end is the first one's manifest with a signature that holds for it."""
    keys = [Ed25519PrivateKey.from_private_bytes(bytes([number + 1]) * 32) for number in range(2)]
    clip_sha256, signed = hashlib.sha256(CLIP).hexdigest(), crossing_json()
    signed["evidence"]["others"] = ["manifest.sig"]
    pilot = Client("http://vedette.test", service.keys["pilot"], transport=service.http._transport)
    kept = pilot._object("POST", "/crossings", json=signed)["id"]
    for name, key in zip(("first", "second"), keys if not own else keys[:1] * 2, strict=True):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "a.ts").write_bytes(CLIP)
        (folder / "a.json").write_text(json.dumps({"files": {"a.ts": {"sha256": clip_sha256}}, "written": name}))
        (folder / "manifest.sig").write_bytes(vision.sign_manifest(key, (folder / "a.json").read_bytes()))
    first, second = tmp_path / "first", tmp_path / "second"
    for part, name in (("manifest", "a.json"), ("manifest.sig", "manifest.sig")):  # and then it died
        pilot._object("PUT", f"/crossings/{kept}/evidence/{part}", content=(first / name).read_bytes())
        if part == came:
            break
    if came == "manifest":
        with pytest.raises(SpoolError, match="has no key to sign it"):
            pilot.deliver(signed, second)
    sign = partial(vision.sign_manifest, keys[0 if own else 1])
    pilots, way = service.keys["pilot"], service.http._transport
    report = Client("http://vedette.test", pilots, spool=tmp_path / "spool", sign=sign, transport=way).deliver(
        signed, second
    )
    assert ([answer["id"] for answer in report.delivered], report.failed) == ([kept], ())
    assert pilot.evidence(kept) == CLIP
    manifest, signature = (pilot.evidence(kept, part) for part in ("manifest", "manifest.sig"))
    assert manifest == (first / "a.json").read_bytes()
    whose = keys[0 if own or came == "manifest.sig" else 1]
    assert vision.signature_problems(signature, manifest, whose.public_key()) == []


@ON_SQLITE
def test_who_was_so_slow_that_another_signed_its_manifest_has_delivered(tmp_path, service):
    """A worker without a sign of life is taken for dead, and may come back: its work is done, by its key or another."""
    clip_sha256, signed = hashlib.sha256(CLIP).hexdigest(), crossing_json()
    signed["evidence"]["others"] = ["manifest.sig"]
    folders, couriers = {}, {}
    for number, name in enumerate(("slow", "other")):
        key = Ed25519PrivateKey.from_private_bytes(bytes([number + 1]) * 32)
        folder = folders[name] = tmp_path / name
        folder.mkdir()
        (folder / "a.ts").write_bytes(CLIP)
        (folder / "a.json").write_text(json.dumps({"files": {"a.ts": {"sha256": clip_sha256}}, "written": name}))
        (folder / "manifest.sig").write_bytes(vision.sign_manifest(key, (folder / "a.json").read_bytes()))
        couriers[name] = Client(
            "http://vedette.test",
            service.keys["pilot"],
            spool=tmp_path / f"spool of {name}",
            sign=partial(vision.sign_manifest, key),
            transport=service.http._transport,
        )
    slow = couriers["slow"]
    kept = slow._object("POST", "/crossings", json=signed)["id"]
    slow._object("PUT", f"/crossings/{kept}/evidence/manifest", content=(folders["slow"] / "a.json").read_bytes())
    for name in ("other", "slow"):
        report = couriers[name].deliver(signed, folders[name])
        assert ([answer["id"] for answer in report.delivered], report.failed, report.waiting) == ([kept], (), 0), name
    manifest, signature = (slow.evidence(kept, part) for part in ("manifest", "manifest.sig"))
    assert manifest == (folders["slow"] / "a.json").read_bytes()
    whose = Ed25519PrivateKey.from_private_bytes(bytes([2]) * 32)  # the other's: nothing is overwritten
    assert vision.signature_problems(signature, manifest, whose.public_key()) == []


@ON_SQLITE
def test_a_signature_that_does_not_fit_what_the_service_has_is_told_of(tmp_path, service):
    pilot = Client("http://vedette.test", service.keys["pilot"], transport=service.http._transport)
    signed = crossing_json()
    signed["evidence"]["others"] = ["manifest.sig"]
    kept = pilot._object("POST", "/crossings", json=signed)["id"]
    clip_sha256 = hashlib.sha256(CLIP).hexdigest()
    ours, theirs = (
        json.dumps({"files": {"a.ts": {"sha256": clip_sha256}}, "written": name}).encode() for name in ("us", "them")
    )
    (tmp_path / "a.ts").write_bytes(CLIP)
    (tmp_path / "a.json").write_bytes(ours)
    (tmp_path / "manifest.sig").write_bytes(b"{}")
    pilot._object("PUT", f"/crossings/{kept}/evidence/manifest", content=theirs)
    pilot._object("PUT", f"/crossings/{kept}/evidence/manifest.sig", content=b"{}")
    with pytest.raises(SpoolError, match="does not fit its manifest"):
        pilot.deliver(signed, tmp_path)


def test_many_threads_fill_and_empty_one_spool(tmp_path):
    transport = Scripted()
    start = threading.Barrier(4)

    def fill(number):
        with client(tmp_path, transport) as courier:
            start.wait()
            for step in range(5):
                courier.deliver(crossing_json(f"{number}.{step}", evidence=None))

    threads = [threading.Thread(target=fill, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(transport.taken) == sorted(f"{number}.{step}" for number in range(4) for step in range(5))
    for number in range(4):
        mine = [name for name in transport.taken if name.startswith(f"{number}.")]
        assert mine == sorted(mine)
    assert Spool(tmp_path / "spool").pending() == []


def test_without_a_spool_a_failure_is_raised_and_names_the_url(evidence):
    with Client("http://service.test:1", "key", transport=Scripted(httpx.ConnectError("refused"))) as courier:
        with pytest.raises(ClientError, match=r"http://service\.test:1 cannot be reached"):
            courier.deliver(crossing_json(), evidence)
        with pytest.raises(SpoolError, match="no spool"):
            courier.flush()
    with Client("http://service.test:1", "key", transport=Scripted(409)) as courier:
        with pytest.raises(RefusedError, match="because") as refused:
            courier.deliver(crossing_json(), evidence)
        assert refused.value.status == 409
    with pytest.raises(ClientError, match="not a service URL"):
        Client("service.test", "key")


def test_something_else_at_the_url_is_not_taken_for_the_service():
    def stranger(_request):
        return httpx.Response(200, html="<h1>It works</h1>")

    with (
        Client("http://service.test:1", "key", transport=httpx.MockTransport(stranger)) as courier,
        pytest.raises(ClientError, match="check the URL"),
    ):
        courier.me()
    assert api.store.objects.sync_folder is spool_module.sync_folder
