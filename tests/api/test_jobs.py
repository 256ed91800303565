"""Video work on many machines: taken once, leased, taken up after a kill, delivered once in effect."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest
from procrastinate.jobs import Status

from api import Client, Settings, Spool, UnprocessableError, running
from api.jobs.kinds import KINDS, arguments_of
from api.jobs.leases import Leases
from api.jobs.left import deliver_left
from api.jobs.queue import add_job, job_app, list_jobs, prepare_jobs
from api.jobs.work import JobError, WorkOrder, _add_task, _look_after, work
from api.store.postgres import libpq_url
from tests.api.samples import crossing_json

ROOT = Path(__file__).parents[2]
COUNT = 5
# In place of `vedette watch`: tells of a crossing, and of the others when the test lets it go on.
WATCH = """
import os, sys, time
from pathlib import Path
from api import Client
from tests.api.samples import crossing_json
options = dict(one[2:].split("=", 1) for one in sys.argv[1:] if one.startswith("--") and "=" in one)
place = Path(sys.argv[-1])
Path(options["out"]).mkdir(parents=True, exist_ok=True)
with (place.parent / "begun").open("a") as begun:
    begun.write(f"{place.name} {os.getpid()}\\n")
if options.get("model") == "broken":
    sys.exit("no such model")
with Client(options["url"], os.environ["VEDETTE_KEY"], spool=Path(options["out"]) / "spool") as client:
    for number in range(COUNT):
        report = client.deliver(crossing_json(f"{place.name}-{number}", source=place.name, evidence=None))
        assert report.waiting == 0, report
        while not (place.parent / "go").exists():
            time.sleep(0.02)
""".replace("COUNT", str(COUNT))
WORKER = """
import asyncio, sys
from pathlib import Path
from api.jobs.work import WorkOrder, work
database, url, key, out, watch = sys.argv[1:]
asyncio.run(work(WorkOrder(database, url, key, Path(out), lease_s=5, grace_s=5, concurrency=2,
                           command=(sys.executable, watch), told=lambda text: print(text, flush=True))))
"""


@pytest.fixture
def database(postgres):
    name = postgres.create()
    yield postgres.url(name)
    postgres.drop(name)


@pytest.fixture
def bench(tmp_path, database):
    """A service on the database, workers to start, and what they work on."""
    (tmp_path / "watch.py").write_text(WATCH)
    started = []
    with running(Settings(tmp_path / "store", database=database, port=0)) as service:
        with Client(service.url, service.admin.key) as admin:
            keys = {"analyst": admin.create_key("a", "analyst"), "pilot": admin.create_key("p", "pilot", sources=["*"])}

        def worker(name):
            command = [sys.executable, "-c", WORKER, database, service.url, keys["pilot"]]
            command += [str(tmp_path / name), str(tmp_path / "watch.py")]
            log = (tmp_path / f"{name}.log").open("wb")
            environment = os.environ | {"PYTHONPATH": str(ROOT)}
            process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, env=environment)
            log.close()
            started.append(process)
            return process

        def crossings():
            with Client(service.url, keys["analyst"]) as analyst:
                found = list(analyst.crossings())
            return sorted((each["properties"]["source_id"], each["properties"]["revision"]) for each in found)

        yield worker, crossings, tmp_path
        for process in started:
            process.kill()
            process.wait()


def until(true, what, within_s=60.0):
    end = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < end, what
        time.sleep(0.05)


async def seen(true, within_s=60.0):
    for _ in range(round(within_s / 0.02)):
        if true():
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"not seen within {within_s} s")


def states(database):
    return [job.state for job in list_jobs(database)]


def begun(folder):
    path = folder / "begun"
    return [line.split() for line in path.read_text().splitlines()] if path.exists() else []


def told(folder):
    return "\n".join(path.read_text() for path in sorted(folder.glob("*.log")))


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_killed_workers_videos_are_taken_up_nothing_lost_or_doubled(bench, database):
    worker, crossings, folder = bench
    for name in ("a.ts", "b.ts"):
        assert add_job(database, "watch.archive", str(folder / name), {"owner": "USA"}) is not None
    first = worker("first")
    until(lambda: len(crossings()) == 2, "a first crossing of each")
    watching = [int(pid) for _, pid in begun(folder)]
    first.send_signal(signal.SIGKILL)
    first.wait()
    until(lambda: not any(alive(pid) for pid in watching), "its processes end with it")
    assert "succeeded" not in states(database)
    (folder / "go").touch()
    worker("second")
    worker("third")
    until(lambda: states(database) == ["succeeded"] * 2, f"all is done: {states(database)} {told(folder)}")
    assert crossings() == [(f"{name}-{number}", 1) for name in ("a.ts", "b.ts") for number in range(COUNT)]
    names = [name for name, _ in begun(folder)]
    assert sorted(names) == ["a.ts", "a.ts", "b.ts", "b.ts"]  # what was left, and that once
    assert "taken up again" in told(folder)


def test_a_worker_that_is_told_to_stop_gives_its_video_back(bench, database):
    worker, crossings, folder = bench
    add_job(database, "watch.archive", str(folder / "a.ts"), {})
    first = worker("first")
    until(lambda: begun(folder), "it is begun")
    first.send_signal(signal.SIGTERM)
    assert first.wait(30) == 0
    (folder / "go").touch()
    worker("second")
    until(lambda: states(database) == ["succeeded"], f"it is done: {states(database)} {told(folder)}")
    assert crossings() == [(f"a.ts-{number}", 1) for number in range(COUNT)]


def test_what_fails_is_tried_again_later_and_said(bench, database):
    worker, _, folder = bench
    add_job(database, "watch.archive", str(folder / "a.ts"), {"model": "broken"})
    worker("first")
    until(lambda: [job.tries for job in list_jobs(database)] == [1], f"it comes back: {told(folder)}")
    assert states(database) == ["todo"]
    until(lambda: "no such model" in told(folder), "why is said")


def test_a_worker_that_cannot_take_up_one_thing_takes_up_the_next(database, tmp_path):
    """Of two machines of two ages: what the older one does not know stays, and a mishap ends no looking."""
    add_job(database, "watch.archive", str(tmp_path / "a.ts"), {})
    told, said = [], asyncio.Event()

    def tell(text):
        told.append(text)
        if len(told) == 2:
            said.set()

    order = WorkOrder(database, "http://127.0.0.1:9", "key", tmp_path, lease_s=0.3, told=tell)

    async def look():
        async with job_app(database).open_async() as app:
            await app.connector.execute_query_async(
                "INSERT INTO procrastinate_jobs (queue_name, task_name, status) VALUES ('new', 'watch.moon', 'doing')"
            )
            await app.connector.execute_query_async("UPDATE procrastinate_jobs SET status = 'doing'")
            stalled, failures = app.job_manager.get_stalled_jobs, [RuntimeError("a mishap")]

            async def fails_once(**how):
                if failures:
                    raise failures.pop()
                return await stalled(**how)

            app.job_manager.get_stalled_jobs = fails_once
            looking = asyncio.create_task(_look_after(app, order))
            await asyncio.wait([asyncio.create_task(said.wait()), looking], return_when=asyncio.FIRST_COMPLETED)
            looking.cancel()
            await asyncio.wait([looking])

    asyncio.run(asyncio.wait_for(look(), 60))
    assert "RuntimeError: a mishap" in told[0]
    assert "watch.archive was left by a worker that is gone, taken up again" in told[1]
    assert [(job.kind, job.state) for job in list_jobs(database)] == [
        ("watch.archive", "todo"),
        ("watch.moon", "doing"),
    ]


@pytest.mark.parametrize(
    ("lease_s", "said"),
    [
        pytest.param(3, "another worker took it up", id="it sees the loss"),
        pytest.param(60, "job 1: done", id="its work ends well before it looks again"),
    ],
)
def test_who_comes_back_after_its_lease_leaves_the_job_to_who_has_it_and_takes_the_next(
    database, tmp_path, lease_s, said
):
    """It ends its own work on it, in words, and neither ends the job nor puts it back for the other."""
    began, lost, told = tmp_path / "began", tmp_path / "lost", []
    program = (
        f"import pathlib, time; pathlib.Path({str(began)!r}).touch()\n"
        f"while {lease_s} < 60 or not pathlib.Path({str(lost)!r}).exists(): time.sleep(0.02)"
    )
    order = WorkOrder(
        database,
        "http://127.0.0.1:9",
        "key",
        tmp_path,
        lease_s=lease_s,
        command=(sys.executable, "-c", program),
        told=told.append,
    )
    another = "SELECT status::text, worker_id, attempts FROM procrastinate_jobs"
    with psycopg.connect(libpq_url(database), options="-c search_path=jobs", autocommit=True) as connection:

        async def come_back():
            working = asyncio.create_task(work(order))
            await seen(began.exists)
            (other,) = connection.execute(
                "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() + interval '1 hour') RETURNING id"
            ).fetchone()
            connection.execute("UPDATE procrastinate_jobs SET worker_id = %s, attempts = attempts + 1", (other,))
            lost.touch()
            await seen(lambda: any(said in line for line in told))
            began.unlink()
            add_job(database, "watch.archive", str(tmp_path / "b.ts"), {})
            await seen(began.exists)
            assert connection.execute(f"{another} ORDER BY id").fetchone() == ("doing", other, 1)
            working.cancel()
            await asyncio.wait([working])

        add_job(database, "watch.archive", str(tmp_path / "a.ts"), {})
        asyncio.run(come_back())
        assert connection.execute(f"{another} ORDER BY id").fetchone()[0] == "doing"


@pytest.mark.parametrize("what", ["finish", "retry"])
def test_a_job_that_is_taken_up_at_that_very_moment_is_left_to_who_took_it(database, what, caplog):
    """Who ends it waits for who takes it up, and looks again at whose it is."""
    waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    jobs = {"options": "-c search_path=jobs"}

    async def end(manager, job):
        if what == "finish":
            await manager.finish_job(job, Status.SUCCEEDED, delete_job=False)
        else:
            await manager.retry_job(job)

    async def meet():
        async with job_app(database).open_async() as app:
            await app.connector.execute_query_async("UPDATE procrastinate_jobs SET status = 'doing'")
            (job,) = await app.job_manager.list_jobs_async()
            with psycopg.connect(libpq_url(database), **jobs) as other, psycopg.connect(libpq_url(database)) as eyes:
                eyes.autocommit = True
                other.execute("UPDATE procrastinate_jobs SET attempts = attempts + 1")
                ending = asyncio.create_task(end(app.job_manager, job))
                await seen(lambda: ending.done() or eyes.execute(waits).fetchone() == (1,))
                other.commit()
                await ending
            assert "taken up by another worker meanwhile" in caplog.text
            (theirs,) = await app.job_manager.list_jobs_async()
            assert (theirs.status, theirs.attempts) == ("doing", 1)
            await end(app.job_manager, theirs)  # for whom it is, it ends
            (ended,) = await app.job_manager.list_jobs_async()
            assert (ended.status, ended.attempts) == ("succeeded" if what == "finish" else "todo", 2)

    add_job(database, "watch.archive", "a.ts", {})
    asyncio.run(meet())


def test_why_a_worker_cannot_know_whose_a_job_is_is_told_as_it_is(tmp_path):
    class Broken(Leases):
        async def holds(self, job):  # noqa: ARG002 - as it is called
            raise RuntimeError("a mishap")

    runs, told = [], []
    app = SimpleNamespace(task=lambda **_: runs.append, job_manager=Broken(None))
    command = (sys.executable, "-c", "import time; time.sleep(600)")
    order = WorkOrder("", "http://127.0.0.1:9", "key", tmp_path, lease_s=0.03, command=command, told=told.append)
    _add_task(app, KINDS["watch.archive"], order)
    context = SimpleNamespace(job=SimpleNamespace(id=7, attempts=0))
    with pytest.raises(JobError, match="RuntimeError: a mishap"):
        asyncio.run(asyncio.wait_for(runs[0](context, "a.ts", {}), 60))
    assert ("a mishap" in told[-1], "another worker" in told[-1]) == (True, False)


def test_what_a_watch_left_in_its_spool_is_delivered_though_its_video_is_watched_elsewhere(tmp_path):
    told = []
    for video in ("a", "b"):
        Spool(tmp_path / video / "spool").put(crossing_json(video, evidence=None))
    deliver_left(tmp_path, "http://127.0.0.1:9", "key", told.append)
    assert ["1 crossings wait" in line for line in told] == [True, True]
    with running(Settings(tmp_path / "store", port=0)) as service, Client(service.url, service.admin.key) as admin:
        key = admin.create_key("pilot", "pilot", sources=["*"])
        deliver_left(tmp_path, service.url, key, told.append)
        with Client(service.url, key) as pilot:
            assert {one["properties"]["source_id"] for one in pilot.crossings()} == {"a", "b"}
        left = len(told)
        deliver_left(tmp_path, service.url, key, told.append)
    assert len(told) == left  # nothing is left to tell of


def test_a_spool_that_cannot_be_locked_is_told_of_and_the_others_are_delivered(tmp_path):
    told = []
    for video in ("a", "b"):
        Spool(tmp_path / video / "spool").put(crossing_json(video, evidence=None))
    (tmp_path / "a" / "spool" / "take.lock").mkdir()  # opens as little as a file of a disk that went read-only
    deliver_left(tmp_path, "http://127.0.0.1:9", "key", told.append)
    assert ["cannot be taken from" in line for line in told] == [True, False]


def test_a_worker_goes_on_looking_when_delivery_fails(tmp_path, monkeypatch):
    tries, twice = [], asyncio.Event()

    def deliver(*_given):
        tries.append(1)
        raise RuntimeError("a mishap")

    def tell(line):
        told.append(line)
        if len(told) == 2:
            twice.set()

    async def nobody(**_given):
        return []

    async def look():
        looking = asyncio.create_task(_look_after(app, order))
        await asyncio.wait([asyncio.create_task(twice.wait()), looking], return_when=asyncio.FIRST_COMPLETED)
        looking.cancel()
        await asyncio.wait([looking])

    monkeypatch.setattr("api.jobs.work.deliver_left", deliver)
    told, app = [], SimpleNamespace(job_manager=SimpleNamespace(get_stalled_jobs=nobody))
    order = WorkOrder("", "", "", tmp_path, lease_s=0.003, told=tell)
    asyncio.run(asyncio.wait_for(look(), 60))
    assert (len(tries) >= 2, "RuntimeError: a mishap" in told[1]) == (True, True)


def test_a_recording_is_taken_once_a_stream_while_it_runs(database):
    prepare_jobs(database)
    prepare_jobs(database)
    assert add_job(database, "watch.archive", "/videos/a.ts", {}) is not None
    assert add_job(database, "watch.archive", "/videos/a.ts", {"owner": "USA"}) is None
    assert add_job(database, "watch.archive", "/videos/b.ts", {}) is not None
    assert add_job(database, "watch.stream", "rtsp://camera/1", {}) is not None
    assert add_job(database, "watch.stream", "rtsp://camera/1", {}) is None
    ended(database, "succeeded")
    assert add_job(database, "watch.archive", "/videos/a.ts", {}) is None
    assert add_job(database, "watch.stream", "rtsp://camera/1", {}) is not None
    ended(database, "failed")
    assert add_job(database, "watch.stream", "rtsp://camera/1", {}) is not None


def ended(database, state):
    with psycopg.connect(libpq_url(database), options="-c search_path=jobs") as connection:
        connection.execute("UPDATE procrastinate_jobs SET status = 'doing' WHERE status = 'todo'")
        connection.execute(f"UPDATE procrastinate_jobs SET status = '{state}' WHERE status = 'doing'")


@pytest.mark.parametrize(
    ("place", "options"), [("a.ts", {"out": "/"}), ("a.ts", {"url": "http://other"}), ("--key", {}), ("a.ts", {"": ""})]
)
def test_what_is_no_option_is_refused(database, place, options):
    with pytest.raises(UnprocessableError):
        add_job(database, "watch.archive", place, options)
    assert list_jobs(database) == []


def test_an_order_becomes_one_command():
    kind = KINDS["watch.archive"]
    given = arguments_of(kind, "a b.ts", {"owner": "-x", "border": "b"}, out=Path("o"), url="u")
    assert given == ["--border=b", "--owner=-x", "--out=o", "--url=u", "--", "a b.ts"]


def test_the_password_of_a_stream_is_in_no_line_of_a_worker(tmp_path):
    """What procrastinate calls, without the database that it takes the work from."""
    runs, told = [], []
    app = SimpleNamespace(task=lambda **_: runs.append, job_manager=Leases(None))
    command = (sys.executable, "-c", "import sys; sys.exit(3)")
    order = WorkOrder("", "http://127.0.0.1:9", "key", tmp_path, command=command, told=told.append)
    _add_task(app, KINDS["watch.stream"], order)
    context = SimpleNamespace(job=SimpleNamespace(id=7, attempts=0))
    with pytest.raises(JobError):
        asyncio.run(runs[0](context, "rtsp://guard:s3cret@127.0.0.1:1/a", {"line": "0,0,9,9"}))
    assert told[0] == "job 7: watch.stream rtsp://***@127.0.0.1:1/a, try 1"
    assert "s3cret" not in " ".join(told)
