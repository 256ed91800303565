"""A backup that is restored brings nothing back that was taken back since: the ledger outside of it tells."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import httpx
import pytest
from typer.testing import CliRunner

from api import AuditTamperedError, Settings, StorageError, Store, backup, create_app, restore, verify_audit
from api.account.databases import open_database
from api.account.erasure import sweep
from api.account.ledger import LedgerKeeper, read_ledger
from api.account.settings import AccountSettings
from api.account.tasks import keep_ledger
from api.background import Service as Beside
from api.canonical import canonical
from api.jobs.queue import prepare_jobs
from api.store.tables import EvidenceRow
from cli.commands import app
from tests.api.conftest import DATABASES, ON_SQLITE, InProcess, Service
from tests.api.people import PASSWORD, Browser, settled
from tests.api.raw import is_postgres, place_of
from tests.api.samples import record_json

DAY_US = 86_400_000_000


@pytest.fixture
def shared(service, crossing, clip):
    """Three crossings, two of them with a partner; the ids by name."""
    bravo = service.partner("bravo")
    agreement = service.agree(bravo, media="original", fields=["kind", "position", "clip"]).json()["id"]
    ids = {name: service.deliver(crossing(name), clip=clip if name == "a" else None) for name in "abc"}
    for name in "ab":
        service.judge(ids[name])
        ids[f"release of {name}"] = service.release(ids[name], bravo).json()["id"]
    ids["key"] = service.key("spare", "analyst")
    return ids | {"bravo": bravo, "agreement": agreement}


def must(service, who, method, path, **more):
    answer = service.ask(who, method, path, **more)
    assert answer.is_success, answer.text
    return answer.json() if answer.content else None


def keep(service, where):
    return LedgerKeeper(service.store, str(where)).keep()


def saved(service, file):
    backup(place_of(service.store), file, directory=service.store.directory)


def restored(service, databases, tmp_path, ledger):
    """A service over what was restored, with the keys of the one before."""
    folder = tmp_path / "new"
    where = databases.new() if is_postgres(service.store) else folder
    done = restore(tmp_path / "b.tar", where, ledger=ledger and str(ledger), directory=folder)
    store = Store(folder, database=None if where is folder else where, clock=service.clock)
    app = create_app(Settings(folder), store)
    http = httpx.Client(transport=InProcess(app), base_url="http://vedette.test")
    return done, Service(store, service.clock, app, http, dict(service.keys))


@pytest.mark.parametrize("with_ledger", [True, False])
def test_what_was_taken_back_since_is_taken_back_again(service, databases, tmp_path, shared, crossing, with_ledger):
    person = settled(service, "anna")
    saved(service, tmp_path / "b.tar")
    late = service.deliver(crossing("late"))
    for record_id in (shared["a"], late):
        must(service, "supervisor", "POST", "/erasures", json={"record_id": record_id, "reason": "asked for by name"})
    must(service, "supervisor", "DELETE", f"/releases/{shared['release of b']}")
    must(service, "administrator", "DELETE", f"/keys/{shared['key']}")
    assert keep(service, tmp_path / "ledger.jsonl") == 6  # a password before, two erasures, two recalls, a key
    assert "asked for" not in (tmp_path / "ledger.jsonl").read_text()
    done, there = restored(service, databases, tmp_path, tmp_path / "ledger.jsonl" if with_ledger else None)
    with there.http:
        assert (there.ask("analyst", "GET", f"/crossings/{shared['a']}").status_code == 404) is with_ledger
        assert there.ask("analyst", "GET", f"/crossings/{shared['c']}").status_code == 200
        assert sorted(there.seen_by("bravo")) == ([] if with_ledger else sorted([shared["a"], shared["b"]]))
        assert (there.ask("spare", "GET", "/me").status_code == 401) is with_ledger
        assert (
            there.http.get("/me", headers={"Cookie": f"vedette={person.cookie}"}).status_code == 401
        )  # no login outlives it
        with there.store.read() as session:
            named = {row.sha256 for row in session.query(EvidenceRow)}
        assert {item.sha256 for item in there.store.objects.kept()} == named
        assert bool(named) is not with_ledger
        verify_audit(there.store)
        (entry,) = [
            entry["body"]
            for entry in must(there, "auditor", "GET", "/audit?limit=1000")["entries"]
            if entry["body"]["action"] == "store.restore"
        ]
        assert entry["detail"] == {"ledger": with_ledger, "again": done.again.counts}
    assert done.again.counts == ({"record.erased": 1, "release.recalled": 2, "key.revoked": 1} if with_ledger else {})
    there.store.close()


@ON_SQLITE
def test_an_agreement_a_partner_an_account_and_a_password_too(service, databases, tmp_path, shared, crossing):
    anna, other = settled(service, "anna"), settled(service, "otto")
    ids = {one["login"]: one["id"] for one in must(service, "administrator", "GET", "/accounts")}
    charlie = service.partner("charlie")
    saved(service, tmp_path / "b.tar")
    changed = {"password": PASSWORD, "new_password": "nine slow storks circle"}
    assert anna.ask("PUT", "/password", json=changed).is_success
    must(service, "administrator", "PATCH", f"/accounts/{ids['otto']}", json={"disabled": True})
    must(service, "administrator", "DELETE", f"/agreements/{shared['agreement']}")
    must(service, "administrator", "DELETE", f"/partners/{charlie}")
    assert keep(service, tmp_path / "ledger.jsonl") == 8
    done, there = restored(service, databases, tmp_path, tmp_path / "ledger.jsonl")
    with there.http:
        for login in ("anna", "otto"):  # the old password opens nothing: an administrator gives a new secret
            assert Browser.at(there).login(login).status_code == 401
        assert there.seen_by("bravo") == []
        assert there.ask("charlie", "GET", "/me").status_code == 401
        (agreement,) = must(there, "administrator", "GET", "/agreements")
        assert agreement["ended"] is not None
    assert done.again.admin is None
    there.store.close()
    del other


@ON_SQLITE
def test_a_clock_that_ran_ahead_before_the_backup_hides_nothing_that_was_taken_back_since(
    service, databases, tmp_path, shared
):
    must(service, "supervisor", "DELETE", f"/releases/{shared['release of a']}")
    service.clock.now_us += DAY_US
    key_id = service.key("early", "analyst")
    service.clock.now_us -= DAY_US
    saved(service, tmp_path / "b.tar")
    must(service, "administrator", "DELETE", f"/keys/{key_id}")
    keep(service, tmp_path / "ledger.jsonl")
    done, there = restored(service, databases, tmp_path, tmp_path / "ledger.jsonl")
    with there.http:
        assert there.ask("early", "GET", "/me").status_code == 401
    assert done.again.counts == {"key.revoked": 1}
    there.store.close()


@ON_SQLITE
def test_what_was_shared_and_recalled_since_no_subscription_shares_anew(service, databases, tmp_path, crossing):
    bravo = service.partner("bravo")
    agreement = service.agree(bravo, subscriptions=True).json()["id"]
    must(service, "bravo", "POST", "/subscriptions", json={"agreement_id": agreement})
    ids = [service.deliver(crossing(name)) for name in "ab"]
    saved(service, tmp_path / "b.tar")
    for record_id in ids:
        service.judge(record_id)
    assert sorted(service.seen_by("bravo")) == sorted(ids)
    (shared,) = must(service, "supervisor", "GET", f"/releases?record_id={ids[0]}")
    must(service, "supervisor", "DELETE", f"/releases/{shared['id']}")
    keep(service, tmp_path / "ledger.jsonl")
    done, there = restored(service, databases, tmp_path, tmp_path / "ledger.jsonl")
    with there.http:
        for record_id in ids:
            there.judge(record_id)
        assert there.seen_by("bravo") == [ids[1]]
        (kept,) = must(there, "supervisor", "GET", f"/releases?record_id={ids[0]}")
        assert (kept["id"], kept["recalled"] is None) == (shared["id"], False)
        assert must(there, "bravo", "GET", "/recalls") == []  # it hears nothing of what this store never told it
        assert there.release(ids[0], bravo).status_code == 201  # a person may
        assert sorted(there.seen_by("bravo")) == sorted(ids)
        verify_audit(there.store)
    assert done.again.counts == {"release.recalled": 1}
    there.store.close()


@ON_SQLITE
def test_what_had_run_out_came_back_and_was_erased_on_request_does_not_come_back_again(service, databases, tmp_path):
    def told(who, update_time):
        body = record_json("sensors") | {"update_time": update_time}
        return must(who, "pilot", "POST", "/sensors", json=body)

    record_id = told(service, "2026-01-01T10:00:00Z")["id"]
    service.clock.now_us += 31 * DAY_US
    assert sweep(service.store) == 1
    saved(service, tmp_path / "b.tar")
    assert told(service, "2026-02-01T13:00:00Z")["outcome"] == "replaced"
    must(service, "supervisor", "POST", "/erasures", json={"record_id": record_id, "reason": "asked for"})
    keep(service, tmp_path / "ledger.jsonl")
    done, there = restored(service, databases, tmp_path, tmp_path / "ledger.jsonl")
    with there.http:
        assert told(there, "2026-02-01T14:00:00Z")["outcome"] == "dropped"
        assert there.ask("analyst", "GET", f"/sensors/{record_id}").status_code == 404
        verify_audit(there.store)
    assert done.again.counts == {"record.erased": 1}
    there.store.close()


@ON_SQLITE
def test_where_no_administrator_is_left_there_is_a_new_one(service, databases, tmp_path):
    saved(service, tmp_path / "b.tar")
    (first,) = [key["id"] for key in must(service, "administrator", "GET", "/keys") if key["role"] == "administrator"]
    service.key("second", "administrator")
    must(service, "second", "DELETE", f"/keys/{first}")
    keep(service, tmp_path / "ledger.jsonl")
    done, there = restored(service, databases, tmp_path, tmp_path / "ledger.jsonl")
    with there.http:
        there.keys["new"] = done.again.admin.key
        assert there.ask("administrator", "GET", "/keys").status_code == 401
        assert there.ask("new", "GET", "/keys").status_code == 200
    there.store.close()


def lines_changed(lines):
    """What may happen to a ledger, and what is said of it."""
    yield "damaged", StorageError, []
    yield "cut", StorageError, lines[:-1]
    for number in range(1, len(lines) - 1):
        yield "missing", AuditTamperedError, lines[:number] + lines[number + 1 :]
        other = lines[number].replace('"release_id":"', '"release_id":"0').replace('"key_id":"', '"key_id":"0')
        yield "changed", AuditTamperedError, [*lines[:number], other, *lines[number + 1 :]]
    yield "no JSON", AuditTamperedError, [*lines, "{"]
    yield "another's", StorageError, [canonical({"format": "vedette.ledger/1", "store": "0" * 64})]


@ON_SQLITE
def test_a_ledger_that_is_not_whole_is_refused_and_nothing_is_made(service, databases, tmp_path, shared):
    for name in ("a", "b"):
        must(service, "supervisor", "DELETE", f"/releases/{shared[f'release of {name}']}")
    must(service, "administrator", "DELETE", f"/keys/{shared['key']}")
    keep(service, tmp_path / "whole.jsonl")
    saved(service, tmp_path / "b.tar")
    lines = (tmp_path / "whole.jsonl").read_text().splitlines()
    assert len(lines) == 4
    with pytest.raises(StorageError, match="holds no ledger"):
        restored(service, databases, tmp_path, tmp_path / "absent.jsonl")
    for what, error, changed in lines_changed(lines):
        (tmp_path / "bad.jsonl").write_text("".join(f"{line}\n" for line in changed))
        with pytest.raises(error):
            restored(service, databases, tmp_path, tmp_path / "bad.jsonl")
        assert not (tmp_path / "new").exists(), what


def test_a_restore_that_is_refused_at_its_end_takes_away_what_it_put_into_a_database_and_a_store_of_objects(
    service, databases, tmp_path, shared
):
    def attempt(folder, where, ledger):
        kept = f"file://{tmp_path}/kept"
        return restore(tmp_path / "b.tar", where or folder, ledger=str(ledger), directory=folder, objects=kept)

    def kept():
        return [path for path in (tmp_path / "kept").rglob("*") if path.is_file()]

    keep(service, tmp_path / "ledger.jsonl")
    (tmp_path / "other.jsonl").write_text(canonical({"format": "vedette.ledger/1", "store": "0" * 64}) + "\n")
    if is_postgres(service.store):
        prepare_jobs(place_of(service.store))
    saved(service, tmp_path / "b.tar")
    where = databases.new()
    with pytest.raises(StorageError, match="no ledger of this store"):
        attempt(tmp_path / "new", where, tmp_path / "other.jsonl")
    assert (kept(), (tmp_path / "new").exists()) == ([], False)
    attempt(tmp_path / "new", where, tmp_path / "ledger.jsonl")  # as if nothing had ever been there
    assert len(kept()) == 1
    with pytest.raises(StorageError, match="no ledger of this store"):
        attempt(tmp_path / "newer", databases.new(), tmp_path / "other.jsonl")
    assert len(kept()) == 1  # it is the other's


@pytest.mark.skipif("postgres" not in DATABASES, reason="a folder has its name only when all is in it")
@pytest.mark.parametrize("databases", ["postgres"], indirect=True)
def test_a_database_whose_restore_was_killed_is_no_store(service, databases, tmp_path):
    dumped, url = tmp_path / "dumped", databases.new()
    open_database(place_of(service.store)).dump(dumped)
    loaded = open_database(url)
    loaded.load(dumped)
    with pytest.raises(StorageError, match="half restored"):
        Store(tmp_path / "new", database=url)
    loaded.finish()
    Store(tmp_path / "new", database=url).close()


@ON_SQLITE
@pytest.mark.parametrize("kind", ["file", "url"])
def test_a_ledger_goes_on_after_a_stop_a_half_line_and_a_restore(service, databases, tmp_path, shared, kind):
    where = tmp_path / "ledger.jsonl" if kind == "file" else f"file://{tmp_path}/ledger"
    saved(service, tmp_path / "b.tar")
    assert keep(service, where) == 0
    must(service, "administrator", "DELETE", f"/keys/{shared['key']}")
    keeper = LedgerKeeper(service.store, str(where))
    assert (keeper.keep(), keeper.keep(), keep(service, where)) == (1, 0, 0)
    if kind == "file":
        with where.open("a") as file:
            file.write('{"detail":')  # the power went
    must(service, "supervisor", "DELETE", f"/releases/{shared['release of a']}")
    assert keep(service, where) == 1
    _, there = restored(service, databases, tmp_path, where)
    with there.http:
        must(there, "supervisor", "DELETE", f"/releases/{shared['release of b']}")
    keep(there, where)  # the same store, which counts its events on from the backup
    there.store.close()
    (tmp_path / "new").rename(tmp_path / "lost")
    done, there = restored(service, databases, tmp_path, where)
    with there.http:
        assert there.seen_by("bravo") == []
    assert done.again.counts == {"key.revoked": 1, "release.recalled": 2}
    there.store.close()
    assert [taken.kind for taken in read_ledger(str(where))].count("key.revoked") == 2  # told twice, done once


@ON_SQLITE
@pytest.mark.parametrize("kind", ["file", "url"])
def test_two_services_on_one_store_keep_one_ledger(service, tmp_path, shared, kind):
    where = str(tmp_path / "ledger.jsonl") if kind == "file" else f"file://{tmp_path}/ledger"
    keepers = [LedgerKeeper(service.store, where) for _ in range(2)]
    taken = [shared["key"], *(service.key(f"spare {number}", "analyst") for number in range(5))]
    for number, key_id in enumerate(taken):
        must(service, "administrator", "DELETE", f"/keys/{key_id}")
        assert keepers[number % 2].keep() == 1
        if number == 3:
            assert keepers[0].keep() == 0
    assert [one.detail["key_id"] for one in read_ledger(where)] == taken


def keep_lines(folder, where, count):
    """As another process: keep until the ledger holds so many lines after its first."""
    with closing(Store(folder)) as store:
        keeper = LedgerKeeper(store, str(where))
        while where.read_text().count("\n") <= count:
            keeper.keep()


@ON_SQLITE
def test_two_services_that_write_at_once_keep_one_ledger(service, tmp_path, shared):
    where = tmp_path / "ledger.jsonl"
    taken = [service.key(f"spare {number}", "analyst") for number in range(20)]
    with ThreadPoolExecutor() as pool:
        done = [pool.submit(keep_lines, service.store.directory, where, len(taken)) for _ in range(3)]
        for key_id in taken:
            must(service, "administrator", "DELETE", f"/keys/{key_id}")
        for one in done:
            one.result(timeout=60)
    assert [one.detail["key_id"] for one in read_ledger(str(where))] == taken


@ON_SQLITE
def test_the_service_keeps_it_beside_the_store_or_where_it_is_told_to(service, tmp_path, shared):
    must(service, "administrator", "DELETE", f"/keys/{shared['key']}")

    async def until_there(settings, file):
        task = asyncio.create_task(keep_ledger(Beside(service.store, settings)))
        async with asyncio.timeout(30):
            while not file.exists() or len(file.read_text().splitlines()) < 2:  # noqa: ASYNC110 - in a thread
                await asyncio.sleep(0.01)
        task.cancel()

    folder = service.store.directory
    asyncio.run(until_there(Settings(folder), folder / "ledger.jsonl"))
    asyncio.run(until_there(Settings(folder, account=AccountSettings(ledger=str(tmp_path / "x"))), tmp_path / "x"))


@ON_SQLITE
def test_the_command_wants_the_ledger_or_a_word_that_there_is_none(service, tmp_path, shared):
    def run(*arguments):
        outcome = CliRunner().invoke(app, ["restore", str(tmp_path / "b.tar"), *map(str, arguments)])
        return outcome.exit_code, " ".join(f"{outcome.output} {outcome.exception}".split())

    saved(service, tmp_path / "b.tar")
    must(service, "administrator", "DELETE", f"/keys/{shared['key']}")
    keep(service, tmp_path / "ledger.jsonl")
    code, said = run("--store", tmp_path / "new")
    assert (code, "--without-ledger" in said, (tmp_path / "new").exists()) == (1, True, False)
    code, said = run("--store", tmp_path / "new", "--ledger", tmp_path / "ledger.jsonl")
    assert (code, "again key.revoked: 1" in said) == (0, True), said
    code, said = run("--store", tmp_path / "other", "--without-ledger")
    assert (code, "may be there again" in said) == (0, True), said
