"""Signed heads kept elsewhere, and the chain away from its service: whatever is done to either shows."""

import asyncio
import hashlib
import json
import os
import sqlite3
import time
from contextlib import closing

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

import api
from api import AuditHead, AuditTamperedError, HeadSettings, Settings, SettingsError, StorageError
from api.app import create_app
from api.background import Service as Background
from api.canonical import canonical
from api.identity.roles import SYSTEM, Call
from api.live.account import _close as close_idle
from api.live.account import account_for_live, count_down, tally_of
from api.trail.audit import append_audit, audit_head
from api.trail.heads import HeadKeeper, read_heads, sign_head, verify_with_heads
from api.trail.lines import LineTarget
from api.trail.tasks import keep_heads
from cli.commands import app
from tests.api.conftest import ON_SQLITE
from tests.api.raw import is_postgres, place_of
from tests.api.test_audit import tamper
from tests.full_disk import full_after

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
OTHER = Ed25519PrivateKey.from_private_bytes(b"o" * 32)


def chain(bodies):
    """The definition once more, sharing no line with the one under test."""
    link, found = b"\0" * 32, []
    for seq, body in enumerate(bodies, 1):
        link = hashlib.sha256(link + body.encode()).digest()
        found.append((seq, body, link.hex()))
    return found


def body(number, **more):
    return canonical({"seq": number, "action": "crossing.read", "objects": [f"{number:032x}"], **more})


def announcing(seq, number):
    return canonical({"seq": seq, "action": "audit.sign", "detail": {"number": number}})


def head_of(found):
    return AuditHead(found[-1][0], found[-1][2])


# Twelve entries; heads were signed at the fourth, eighth and eleventh.
SIGNED = {4: 1, 8: 2, 11: 3}
BODIES = [announcing(seq, SIGNED[seq]) if seq in SIGNED else body(seq, name="é\n") for seq in range(1, 13)]
CHAIN = chain(BODIES)


def heads_lines(found=CHAIN, key=KEY):
    lines = []
    for seq, number in SIGNED.items():
        previous = hashlib.sha256(lines[-1].encode()).hexdigest() if lines else None
        lines.append(sign_head(key, AuditHead(seq, found[seq - 1][2]), seq, number=number, previous=previous))
    return lines


LINES = heads_lines()
HEADS = read_heads(LINES, "heads", [KEY.public_key()])


def exported(folder, found=CHAIN):
    file = folder / "audit.ndjson"
    assert api.write_chain(found, head_of(found), file) == head_of(found)
    return file


def check(content, tmp, heads=()):
    file = tmp / "changed.ndjson"
    file.write_bytes(content)
    with api.chain_of_file(file) as (head, found):
        return verify_with_heads(found, head, heads)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("export")
    return folder, exported(folder).read_bytes()


def test_an_export_is_checked_with_ten_lines_of_anybody(whole):
    first, *lines = (json.loads(line) for line in whole[1].splitlines())
    link = bytes(32)
    for line in lines:
        link = hashlib.sha256(link + line["body"].encode()).digest()
        assert link.hex() == line["hash"]
    assert (first["seq"], first["hash"]) == (12, link.hex())
    assert check(whole[1], whole[0], HEADS) == head_of(CHAIN)


@given(place=st.integers(0, 10**6), bit=st.integers(0, 7))
def test_any_byte_of_an_export_that_changes_shows(whole, place, bit):
    folder, content = whole
    changed = bytearray(content)
    changed[place % len(content)] ^= 1 << bit
    with pytest.raises((AuditTamperedError, StorageError)):
        check(bytes(changed), folder)


def moves(size):
    places = st.integers(0, size - 1)
    return st.one_of(
        st.tuples(st.just("remove"), places, places),
        st.tuples(st.just("swap"), places, places).filter(lambda move: move[1] != move[2]),
        st.tuples(st.just("double"), places, st.integers(0, size)),
        st.tuples(st.just("cut"), places, places),
    )


def moved(items, move):
    """A list with an item taken out, two changed over, one put in again, or its end cut; and the first wrong index."""
    kind, one, two = move
    items = list(items)
    if kind == "remove":
        del items[one]
    elif kind == "swap":
        items[one], items[two] = items[two], items[one]
    elif kind == "double":
        items.insert(two, items[one])
    else:
        del items[one:]
    return items


def first_difference(before, after):
    pairs = enumerate(zip(before, after, strict=False))
    return next((index for index, (a, b) in pairs if a != b), min(len(before), len(after)))


@given(moves(len(CHAIN)))
def test_entries_that_are_removed_swapped_put_in_or_cut_are_named(whole, move):
    folder, content = whole
    first, *lines = content.splitlines(keepends=True)
    after = moved(lines, move)
    with pytest.raises(AuditTamperedError) as found:
        check(first + b"".join(after), folder)
    assert found.value.seq == first_difference(lines, after) + 1


@given(st.lists(st.text(max_size=5), min_size=1, max_size=12), st.integers(0, 11))
def test_a_history_written_anew_is_caught_by_heads_alone(whole, texts, place):
    """Whoever holds the database can make a chain that fits in itself; the heads are not theirs."""
    place = min(place, max(SIGNED) - 1)
    forged = chain([*BODIES[:place], *(body(0, forged=text) for text in texts), *BODIES[place + len(texts) :]])
    assert verify_with_heads(forged, head_of(forged), []) == head_of(forged)
    with pytest.raises(AuditTamperedError) as found:
        verify_with_heads(forged, head_of(forged), HEADS)
    assert place < found.value.seq <= max(SIGNED) + 1
    with pytest.raises(AuditTamperedError, match="another key"):
        read_heads(heads_lines([*forged, *CHAIN][:12], OTHER), "heads", [KEY.public_key()])


@given(place=st.integers(0, 10**6), bit=st.integers(0, 7))
def test_any_byte_of_the_heads_that_changes_shows(place, bit):
    content = bytearray(("\n".join(LINES)).encode())
    content[place % len(content)] ^= 1 << bit
    lines = content.decode(errors="replace").split("\n")
    with pytest.raises(AuditTamperedError):
        verify_with_heads(CHAIN, head_of(CHAIN), read_heads(lines, "heads", [KEY.public_key()]))


@given(moves(len(LINES)))
def test_heads_that_are_removed_moved_or_cut_show(move):
    left = moved(LINES, move)
    if not left:  # an empty file is refused where it is read
        return
    with pytest.raises(AuditTamperedError):
        verify_with_heads(CHAIN, head_of(CHAIN), read_heads(left, "heads", [KEY.public_key()]))


def test_a_line_that_is_missing_shows_without_the_chain():
    with pytest.raises(AuditTamperedError, match="head 2 does not follow") as found:
        read_heads([LINES[0], LINES[2]], "heads", None)
    assert found.value.seq == 5


def test_what_is_changed_between_the_look_and_the_signature_is_not_signed(store, settings, target, monkeypatch):
    real = HeadKeeper._examine

    def then_tampered(self, session):
        found = real(self, session)
        append(store, 2)
        seq = head(store).seq
        tamper(store, f"UPDATE audit SET body = body || ' ' WHERE seq = {seq}")
        return found

    monkeypatch.setattr(HeadKeeper, "_examine", then_tampered)
    with pytest.raises(AuditTamperedError, match="was changed"):
        HeadKeeper(store, settings).sign()
    assert not target.exists()


def test_the_right_key_is_asked_for_and_any_is_named():
    with pytest.raises(AuditTamperedError, match="head 1 was signed with another key"):
        read_heads(LINES, "heads", [OTHER.public_key()])
    assert read_heads(LINES, "heads", [OTHER.public_key(), KEY.public_key()]) == HEADS
    assert {head.key for head in read_heads(LINES, "heads", None)} == {HEADS[0].key}


def test_two_heads_that_contradict_each_other():
    lie = read_heads([sign_head(KEY, AuditHead(4, "0" * 64), 4)], "heads", None)
    with pytest.raises(AuditTamperedError, match="contradict each other at audit entry 4"):
        verify_with_heads(CHAIN, head_of(CHAIN), [*HEADS, *lie])


# -- keeping them ---------------------------------------------------------------------------------------------------


def append(store, count=1):
    for number in range(count):
        with store.write() as session:
            append_audit(session, Call(SYSTEM, "test"), store.clock(), "crossing.read", [str(number)])


def verified(store, target, key=KEY):
    """As an auditor does, from outside."""
    heads = api.read_signed_heads(str(target), [key.public_key()])
    with api.chain_of_database(place_of(store)) as (head, found):
        return verify_with_heads(found, head, heads)


def head(store):
    with store.read() as session:
        return audit_head(session)


@pytest.fixture
def target(tmp_path):
    return tmp_path / "elsewhere" / "heads.jsonl"


@pytest.fixture
def settings(target):
    return HeadSettings(KEY, str(target), every_s=60, every_entries=10)


def test_a_head_is_signed_when_time_or_entries_have_passed(store, clock, settings, target):
    keeper = HeadKeeper(store, settings)
    first = keeper.sign_if_due()
    assert (first.number, first.seq, first.hash) == (1, head(store).seq, head(store).hash)
    clock.now_us += 3_600_000_000
    assert keeper.sign_if_due() is None  # nothing was appended but the signing itself
    append(store)
    assert keeper.sign_if_due().number == 2
    append(store, 9)
    assert keeper.sign_if_due() is None
    append(store)
    assert keeper.sign_if_due().number == 3
    again = HeadKeeper(store, settings)  # the service starts anew and goes on in the file
    append(store)
    assert again.sign().number == 4
    assert [json.loads(line)["statement"]["number"] for line in target.read_text().splitlines()] == [1, 2, 3, 4]
    assert verified(store, target) == head(store)


@pytest.mark.parametrize("url", ["memory://heads-{}", "file://{}/heads"])
def test_heads_lie_in_an_object_store_one_object_each(store, tmp_path, url):
    url = url.format(tmp_path if "file" in url else tmp_path.name)
    keeper = HeadKeeper(store, HeadSettings(KEY, url))
    for _ in range(3):
        append(store)
        keeper.sign()
    assert verified(store, url) == head(store)
    target = LineTarget(url)
    with pytest.raises(StorageError, match="number 3 is there already"):
        target.append(3, "another")
    assert len(list(target.lines())) == 3


def test_a_head_that_could_not_be_written_is_written_later(store, settings, target, monkeypatch):
    keeper = HeadKeeper(store, settings)
    keeper.sign()
    real = os.fsync
    monkeypatch.setattr("api.trail.lines.os.fsync", lambda _handle: (_ for _ in ()).throw(OSError(28, "full")))
    append(store)
    with pytest.raises(StorageError, match="full"):
        keeper.sign()
    monkeypatch.setattr("api.trail.lines.os.fsync", real)
    assert len(target.read_text().splitlines()) == 1
    assert verified(store, target) == head(store)  # announced by the last entry: not yet missing
    append(store)
    with pytest.raises(AuditTamperedError, match="signed head 2"):
        verified(store, target)
    HeadKeeper(store, settings).sign()
    assert len(target.read_text().splitlines()) == 3
    assert verified(store, target) == head(store)


def test_of_a_line_that_the_disk_had_no_room_for_nothing_is_left(target):
    lines = LineTarget(str(target))
    lines.append(1, "a" * 100)
    with full_after(150), pytest.raises(StorageError, match="cannot be used"):
        lines.append(2, "b" * 200)
    lines.append(2, "c" * 200)
    assert list(LineTarget(str(target)).lines()) == ["a" * 100, "c" * 200]


def test_half_a_line_from_a_power_cut_is_dropped(store, settings, target):
    HeadKeeper(store, settings).sign()
    append(store)
    HeadKeeper(store, settings).sign()
    content = target.read_bytes()
    target.write_bytes(content[:-40])
    with pytest.raises(AuditTamperedError, match="head 2 is damaged"):
        verified(store, target)
    HeadKeeper(store, settings).sign()
    assert len(target.read_text().splitlines()) == 3
    assert verified(store, target) == head(store)


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("UPDATE audit SET body = body || ' ' WHERE seq = {last} + 2", "entry {place} was changed"),
        ("DELETE FROM audit WHERE seq = {last} + 2", "entry {place} is missing"),
        ("UPDATE audit SET hash = substr(hash, 2) || '0' WHERE seq = {last}", "entry {last} is not the one signed"),
        ("DELETE FROM audit WHERE seq >= {last}", "entry {last} is missing"),
        ("UPDATE audit_head SET seq = seq + 1", "its head says"),
    ],
)
def test_a_chain_that_was_touched_is_not_signed(store, settings, target, statement, problem):
    last = HeadKeeper(store, settings).sign().seq
    append(store, 5)
    tamper(store, statement.format(last=last))
    with pytest.raises(AuditTamperedError, match=problem.format(last=last, place=last + 2)):
        HeadKeeper(store, settings).sign_if_due()
    assert len(target.read_text().splitlines()) == 1


@pytest.mark.parametrize("left", [0, 1, 2])
def test_a_heads_file_that_was_cut_stays_found_out(store, settings, target, caplog, left):
    """The service goes on signing, but cannot heal what somebody took away."""
    keeper = HeadKeeper(store, settings)
    for _ in range(4):
        append(store)
        keeper.sign()
    target.write_text("".join(line + "\n" for line in target.read_text().splitlines()[:left]))
    append(store)
    HeadKeeper(store, settings).sign()
    assert "signed heads are missing" in caplog.text
    with pytest.raises(AuditTamperedError, match=f"signed head {left + 1}"):
        verified(store, target)


@ON_SQLITE  # a file that is put back is its way
def test_a_chain_older_than_its_heads_is_found(store, settings, target, tmp_path):
    """A database put back from before: whole in itself."""
    append(store, 3)
    older = tmp_path / "older"
    older.mkdir()
    with sqlite3.connect(store.directory / "vedette.sqlite") as source:
        copy = sqlite3.connect(older / "vedette.sqlite")
        source.backup(copy)
        copy.close()
    source.close()
    append(store, 3)
    HeadKeeper(store, settings).sign()
    with api.chain_of_database(older) as (end, found):
        heads = api.read_signed_heads(str(target))
        with pytest.raises(AuditTamperedError, match="before the noted entry"):
            verify_with_heads(found, end, heads)


async def test_the_task_signs_while_the_service_runs(store, settings, target):
    append(store)
    quick = HeadSettings(KEY, str(target), every_s=1e-6, check_s=0.01)
    task = asyncio.create_task(keep_heads(Background(store, Settings(store.directory, heads=quick))))
    while not target.exists() or len(target.read_text().splitlines()) < 2:
        await asyncio.sleep(0.01)
        await asyncio.to_thread(append, store)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert verified(store, target)
    await keep_heads(Background(store, Settings(store.directory)))  # nothing to do


async def stopped(store, target):
    """A service that signs at its start, shows a live view twice, and stops."""
    lazy = Settings(store.directory, heads=HeadSettings(KEY, str(target), every_s=1e6, check_s=1e6))
    service = create_app(lazy, store)
    async with asyncio.timeout(60), service.router.lifespan_context(service):
        while not target.exists():  # noqa: ASYNC110 - a file says nothing when it comes
            await asyncio.sleep(0.01)
        await asyncio.to_thread(append, store)
        session = tally_of(store, Call(SYSTEM, "r"), "vehicle.stream", 1e6)
        for _ in range(2):  # the second stands in no entry yet: as the service stops, one is written of it
            await asyncio.to_thread(count_down, store, session, {"0" * 32})


@pytest.fixture
def few_tasks(monkeypatch):
    """What writes to the audit as it ends, and what signs; what writes takes its time."""

    def slowly(store, before_us):
        time.sleep(0.2)
        close_idle(store, before_us)

    monkeypatch.setattr("api.app.TASKS", (account_for_live, keep_heads))
    monkeypatch.setattr("api.live.account._close", slowly)


async def test_what_was_done_last_is_signed_as_the_service_stops(store, target, few_tasks):
    append(store)
    await stopped(store, target)
    assert len(target.read_text().splitlines()) == 2
    assert json.loads(target.read_text().splitlines()[-1])["statement"]["seq"] == head(store).seq
    assert verified(store, target)


async def test_what_was_done_last_is_signed_though_signing_had_failed(store, target, few_tasks, monkeypatch):
    append(store)

    def broken(_keeper):
        target.parent.mkdir(exist_ok=True)
        target.touch()
        raise StorageError("away for a moment")

    monkeypatch.setattr(HeadKeeper, "sign_if_due", broken)
    await stopped(store, target)
    (line,) = target.read_text().splitlines()
    assert json.loads(line)["statement"]["seq"] == head(store).seq
    assert verified(store, target)


async def test_a_service_stops_though_its_last_head_cannot_be_signed(store, target, few_tasks, caplog, monkeypatch):
    append(store)

    def broken(_keeper):
        raise AuditTamperedError("touched", 1)

    monkeypatch.setattr(HeadKeeper, "sign_if_new", broken)
    await stopped(store, target)
    assert "last head not signed" in caplog.text


def test_the_service_hands_out_its_head(service):
    unsigned = service.ask("auditor", "GET", "/audit/head")
    assert unsigned.json()["signature"] is None
    service.app.state.settings = Settings(service.store.directory, heads=HeadSettings(KEY))
    line = service.ask("auditor", "GET", "/audit/head").text
    (noted,) = read_heads([line], "answer", [KEY.public_key()])
    assert (noted.seq, noted.number) == (head(service.store).seq - 1, None)
    assert service.ask("analyst", "GET", "/audit/head").status_code == 403
    (service.store.directory.parent / "noted").write_text(line)
    assert verified(service.store, service.store.directory.parent / "noted") == head(service.store)


@pytest.mark.parametrize("wrong", [{"target": "x"}, {"every_s": 0}, {"every_entries": 0}, {"check_s": -1}])
def test_settings_that_cannot_work(wrong):
    with pytest.raises(SettingsError, match="audit"):
        HeadSettings(**wrong)
    assert "k" * 32 not in repr(HeadSettings(KEY))


# -- commands -------------------------------------------------------------------------------------------------------


def run(*arguments):
    outcome = CliRunner().invoke(app, ["audit", *map(str, arguments)])
    return outcome.exit_code, " ".join(f"{outcome.output} {outcome.exception or ''}".split())


def pem(path, key):
    path.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return path


def test_commands(store, settings, target, tmp_path, monkeypatch):
    append(store, 5)
    HeadKeeper(store, settings).sign()
    last = head(store)
    before = {path: path.read_bytes() for path in store.directory.iterdir() if path.name == "vedette.sqlite"}
    named = ("--database" if is_postgres(store) else "--store", place_of(store))
    code, said = run("verify", *named, "--heads", target, "--public-key", pem(tmp_path / "k", KEY))
    assert (code, f"whole: {last.seq} entries" in said, "fits 1 signed heads" in said) == (0, True, True), said
    assert before == {path: path.read_bytes() for path in before}
    if is_postgres(store):
        monkeypatch.setenv("VEDETTE_DATABASE", str(place_of(store)))
        code, said = run("verify", "--store", store.directory)
        assert (code, f"whole: {last.seq} entries" in said) == (0, True), said
    export = tmp_path / "audit.ndjson"
    assert run("export", *named, export)[0] == 0
    text = export.read_text().splitlines(keepends=True)
    export.write_text("".join([*text[:3], text[3].replace("system", "sister"), *text[4:]]))
    code, said = run("verify", "--export", export, "--heads", target)
    assert (code, "audit entry 3 was changed" in said) == (3, True), said


@ON_SQLITE
def test_a_variable_does_not_have_another_database_checked_than_the_folder_that_is_named(store, tmp_path, monkeypatch):
    append(store, 5)
    elsewhere = tmp_path / "elsewhere"
    with closing(api.Store(elsewhere)) as other:
        append(other, 2)
    there = f"sqlite:///{elsewhere / 'vedette.sqlite'}"
    monkeypatch.setenv("VEDETTE_DATABASE", there)
    for command in (["verify"], ["export", tmp_path / "copy"]):
        code, said = run(*command, "--store", store.directory)
        assert (code, "VEDETTE_DATABASE names another" in said) == (1, True), said
    for arguments, entries, where in (
        (["--store", tmp_path], 2, there),  # a folder of objects alone
        (["--store", store.directory, "--database", there], 2, there),
        (["--database", f"sqlite:///{store.directory / 'vedette.sqlite'}"], head(store).seq, store.directory),
    ):
        code, said = run("verify", *arguments)
        assert (code, f"whole: {entries} entries" in said, str(where) in said) == (0, True, True), said
    monkeypatch.delenv("VEDETTE_DATABASE")
    code, said = run("verify", "--store", store.directory)
    assert (code, f"whole: {head(store).seq} entries" in said, str(store.directory) in said) == (0, True, True), said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "give one of"),
        (["--store", "nowhere"], "is no store"),
        (["--store", "nowhere", "--export", __file__], "leave --store and --database out"),
        (["--store", "nowhere", "--database", "nonsense"], "is no URL"),  # as vedette serve is called
        (["--export", __file__], "is no export"),
        (["--database", "nonsense"], "is no URL"),
        (["--database", "postgresql+nothing://me:secret@host/db"], "is not served"),
    ],
)
def test_what_cannot_be_read_is_not_called_broken(arguments, said):
    code, told = run("verify", *arguments)
    assert (code, said in told, "secret" in told) == (1, True, False), told


@ON_SQLITE  # PostgreSQL keeps no such text
def test_a_body_that_is_no_text_is_a_changed_body(store, tmp_path):
    append(store, 5)
    tamper(store, "UPDATE audit SET body = CAST(x'ff7b' AS TEXT) WHERE seq = 3")
    with api.chain_of_database(place_of(store)) as (end, found), pytest.raises(AuditTamperedError) as broken:
        verify_with_heads(found, end, [])
    assert broken.value.seq == 3
    with pytest.raises(AuditTamperedError), api.chain_of_database(place_of(store)) as (end, found):
        api.write_chain(found, end, tmp_path / "copy")
    assert not list(tmp_path.glob("copy*"))
