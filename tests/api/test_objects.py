"""Objects in a folder and in stores that fsspec reaches: the same tests on both."""

import hashlib
import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import httpx
import pytest

from api import Settings, StorageError, backup, create_app, restore
from api.errors import TooLargeError, UnprocessableError
from api.store.incoming import StoredObject
from api.store.objects import ObjectFolder, open_objects
from api.store.remote import RemoteObjects
from tests.api.conftest import InProcess, Service
from tests.api.raw import is_postgres, place_of
from tests.api.samples import CLIP
from tests.programs import Program

ROOT = Path(__file__).parents[2]
BYTES = b"clip" * 1000
SHA256 = hashlib.sha256(BYTES).hexdigest()
SHA256_OF_CLIP = hashlib.sha256(CLIP).hexdigest()


@pytest.fixture(scope="module")
def s3():
    """An S3-compatible store on loopback."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield {"endpoint_url": f"http://{host}:{port}", "key": "test", "secret": "test"}
    server.stop()


KINDS = ("folder", "file", "memory", "s3")


@pytest.fixture(params=KINDS)
def make(request, tmp_path):
    """Opens the same store again at each call."""
    kind, name = request.param, uuid.uuid4().hex
    url = {"file": f"file://{tmp_path}/far", "memory": f"memory://{name}", "s3": f"s3://bucket-{name}/far"}.get(kind)
    options = request.getfixturevalue("s3") if kind == "s3" else {}

    def opened(**more):
        if url is None:
            return ObjectFolder(tmp_path / "objects")
        return RemoteObjects(url, tmp_path / "cache", **options, **more)

    return opened


@pytest.fixture
def objects(make):
    return make()


def keep(objects, content=BYTES, limit=10**6):
    with objects.incoming(limit_bytes=limit) as incoming:
        for start in range(0, len(content), 999):
            incoming.write(content[start : start + 999])
        item = incoming.seal()
        incoming.keep()
    return item


def harm(objects, content):
    """As a disk or a hand would."""
    if isinstance(objects, ObjectFolder):
        path = objects.path(SHA256)
        path.write_bytes(content)
        os.utime(path, ns=(1, time.time_ns()))
    else:
        objects._fs.pipe_file(objects._name(SHA256), content)
        for path in objects._cache.iterdir():
            path.unlink()


def names(objects):
    return {item.sha256: item.size for item in objects.kept()}


def scratch(objects):
    folder = objects.folder if isinstance(objects, ObjectFolder) else objects._cache
    return [path.name for path in folder.rglob("*.tmp")]


def test_what_is_kept_is_read_back(make, objects):
    assert names(objects) == {}
    assert keep(objects) == StoredObject(SHA256, len(BYTES))
    assert keep(objects) == StoredObject(SHA256, len(BYTES))  # again costs nothing
    empty = keep(objects, b"")
    assert names(objects) == {SHA256: len(BYTES), empty.sha256: 0}
    again = make()
    assert again.holds(SHA256)
    for _ in range(2):
        assert again.local(SHA256).read_bytes() == BYTES
    assert all(abs(item.kept_s - time.time()) < 60 for item in again.kept())
    assert scratch(objects) == []
    again.check()
    assert names(again) == names(objects)


def test_what_is_not_kept_leaves_nothing(objects):
    with objects.incoming(limit_bytes=10) as incoming:
        incoming.write(b"0123456789")
        incoming.seal()
    with pytest.raises(TooLargeError, match="10 bytes"), objects.incoming(limit_bytes=10) as incoming:
        incoming.write(b"0123456789x")
    with pytest.raises(UnprocessableError), objects.incoming(limit_bytes=10) as incoming:  # an error of the caller's
        raise UnprocessableError("not the declared file")
    with pytest.raises(KeyError), objects.incoming(limit_bytes=10):
        raise KeyError
    assert (names(objects), scratch(objects)) == ({}, [])


def test_removing(objects):
    keep(objects)
    objects.local(SHA256)
    objects.remove(SHA256)
    objects.remove(SHA256)
    assert not objects.holds(SHA256)
    assert names(objects) == {}
    with pytest.raises(StorageError, match=f"{SHA256} is gone"):
        objects.local(SHA256)
    if isinstance(objects, RemoteObjects):
        assert list(objects._cache.iterdir()) == []  # no copy stays behind


@pytest.mark.parametrize("harmed", [BYTES[:-1], BYTES[:-1] + b"?", b""])
def test_damage_is_not_handed_out_and_is_healed_by_the_same_bytes(objects, harmed):
    keep(objects)
    objects.local(SHA256)
    harm(objects, harmed)
    with pytest.raises(StorageError, match="is not what it was"):
        objects.local(SHA256)
    keep(objects)
    assert objects.local(SHA256).read_bytes() == BYTES


def test_names_that_are_no_hash_are_nobodys(objects, tmp_path):
    keep(objects)
    if isinstance(objects, ObjectFolder):
        (objects.path(SHA256).parent / "notes.txt").write_text("x")
    else:
        objects._fs.pipe_file(f"{objects._root}/{SHA256[:2]}/notes.txt", b"x")
    assert set(names(objects)) == {SHA256}


def age(path, seconds):
    os.utime(path, (time.time() - seconds, time.time() - seconds))


@pytest.mark.parametrize("make", KINDS[1:], indirect=True)
def test_what_was_read_lately_lies_here_within_bounds(make):
    objects = make(cache_bytes=9000)
    kept = [keep(objects, bytes([number]) * 4000).sha256 for number in range(4)]
    for sha256 in kept:
        age(objects.local(sha256), 1000)
    lying = {path.name for path in objects._cache.iterdir()}
    assert lying == set(kept[2:])  # what was read longest ago went first
    age(objects._cache / kept[2], 100_000)
    objects.tidy()
    assert [path.name for path in objects._cache.iterdir()] == [kept[3]]  # and after a day, unasked
    (objects._cache / kept[3]).write_bytes(b"harmed")  # a copy that was changed is fetched again
    assert objects.local(kept[3]).read_bytes() == b"\x03" * 4000


def test_what_a_killed_writer_left_goes_after_a_day(objects):
    folder = objects.folder if isinstance(objects, ObjectFolder) else objects._cache
    for name, seconds in (("old.tmp", 90_000), ("new.tmp", 60)):
        (folder / name).write_bytes(b"half")
        age(folder / name, seconds)
    objects.tidy()
    assert scratch(objects) == ["new.tmp"]


def test_a_store_out_of_reach_says_so(tmp_path):
    with pytest.raises(StorageError, match="nokind"):
        open_objects("nokind://x", tmp_path)
    far = RemoteObjects(
        "s3://bucket/x", tmp_path / "cache", endpoint_url="http://127.0.0.1:9", key="a", secret="b",
        config_kwargs={"connect_timeout": 0.2, "retries": {"max_attempts": 0}},
    )  # fmt: skip
    for work in (far.check, lambda: far.local(SHA256), lambda: keep(far), lambda: list(far.kept())):
        with pytest.raises(StorageError, match="object store s3://bucket/x"):
            work()
    assert scratch(far) == []
    assert isinstance(open_objects(None, tmp_path), ObjectFolder)


@pytest.mark.parametrize("kind", ["memory", "s3"])
def test_the_service_keeps_its_evidence_there(
    request, store, databases, template, clock, crossing, clip, tmp_path, kind, monkeypatch
):
    if kind == "s3":
        options = request.getfixturevalue("s3")
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", options["endpoint_url"])
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", options["key"])
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", options["secret"])
    url = f"{kind}://bucket-{uuid.uuid4().hex}/evidence"
    database = place_of(store) if is_postgres(store) else None
    settings = Settings(store.directory, database=database, objects=url, max_evidence_bytes=100_000)
    app = create_app(settings)
    with httpx.Client(transport=InProcess(app), base_url="http://vedette.test") as http:
        service = Service(app.state.store, clock, app, http, dict(template(databases).keys))
        record_id = service.deliver(
            crossing(time="2099-01-01T00:00:00Z", update_time="2099-01-01T00:00:00Z"), clip=clip
        )
        path = f"/crossings/{record_id}/evidence/clip"
        assert service.ask("analyst", "GET", path).content == clip
        part = service.ask("analyst", "GET", path, headers={"Range": "bytes=5-14"})
        assert (part.status_code, part.content) == (206, clip[5:15])
        assert not list((store.directory / "objects").rglob("*.*"))
        done = backup(place_of(store), tmp_path / "b.tar", objects=url, directory=store.directory)
        assert (done.objects, done.object_bytes) == (1, len(clip))
        elsewhere = f"memory://{uuid.uuid4().hex}"
        where = databases.new() or tmp_path / "restored"
        restore(tmp_path / "b.tar", where, ledger=None, objects=elsewhere, directory=tmp_path / "restored")
        assert open_objects(elsewhere, tmp_path / "restored").local(SHA256_OF_CLIP).read_bytes() == clip
        erased = service.ask("supervisor", "POST", "/erasures", json={"record_id": record_id, "reason": "x"})
        assert erased.status_code == 200, erased.text
        assert names(app.state.store.objects) == {}
        assert service.http.get("/ready").status_code == 200
        app.state.store.close()


KILLED = """
import sys
from pathlib import Path
from api.store.objects import open_objects
objects = open_objects(sys.argv[1] or None, Path(sys.argv[2]))
for number in range(10_000):
    with objects.incoming(limit_bytes=1 << 20) as incoming:
        incoming.write(number.to_bytes(4, "big") * 50_000)
        incoming.seal()
        incoming.keep()
    print(number, flush=True)
"""


@pytest.mark.parametrize("far", [False, True])
def test_a_killed_writer_leaves_whole_objects_alone(tmp_path, far):
    url = f"file://{tmp_path}/far" if far else ""
    command = [sys.executable, "-c", KILLED, url, str(tmp_path / "store")]
    with Program(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        said = [process.stdout.readline() for _ in range(20)]
        process.send_signal(signal.SIGKILL)
        said += process.stdout.readlines()
    objects = open_objects(url or None, tmp_path / "store")
    kept = names(objects)
    assert len(kept) >= len([line for line in said if line.endswith("\n")])
    for sha256 in kept:
        assert hashlib.sha256(objects.local(sha256).read_bytes()).hexdigest() == sha256
