"""A disk that is full in the middle: what was taken is there, nothing else is, and it goes on once there is room."""

import hashlib
import json

import pytest

from api import StorageError, Store, verify_audit
from api.account.backup import backup
from tests.api.live import LASTING, live
from tests.api.samples import crossing_json, packets
from tests.full_disk import full_after

FULL = 1 << 20
CLIP = packets(b"large" * 300_000)


def test_a_database_whose_disk_is_full_is_not_ready(tmp_path):
    store = Store(tmp_path)
    with full_after(1 << 16), pytest.raises(StorageError, match=rf"store folder {tmp_path} cannot be written"):
        store.check_database()
    store.check_database()
    store.close()


def test_a_service_whose_disk_is_full_says_so_and_goes_on_once_there_is_room(tmp_path):
    evidence = {"manifest": "a.json", "clip": "a.ts", "sha256": hashlib.sha256(CLIP).hexdigest(), "thumbnail": None}

    def a_crossing(number, **more):
        return crossing_json(f"{number}", retention_days=LASTING, **({"evidence": None} | more))

    def deliver(number):
        return served.ask("pilot", "POST", "/crossings", json=a_crossing(number))

    def ready():
        return served.http.get("/ready").status_code, served.http.get("/health").status_code

    with live(tmp_path) as served:
        taken = [served.must("pilot", "POST", "/crossings", json=a_crossing(0, evidence=evidence))["id"]]
        clip = f"/crossings/{taken[0]}/evidence/clip"
        lines = "\n".join(json.dumps(a_crossing(f"line {number}")) for number in range(300))
        with full_after(FULL):
            # What SQLite's log has room for is taken as ever.
            answers = [deliver(number) for number in range(1, 40)]
            taken += [answer.json()["id"] for answer in answers if answer.status_code == 201]
            assert {answer.status_code for answer in answers} == {201, 503}
            assert served.ask("pilot", "POST", "/crossings/bulk", content=lines).status_code == 503
            assert served.ask("pilot", "PUT", clip, content=CLIP).status_code == 503
        with full_after(1 << 16):
            assert ready() == (503, 200)
            with pytest.raises(StorageError, match=r"cannot be copied into .*; see that there is room"):
                backup(tmp_path / "live", tmp_path / "backup.tar")
        assert {path.name for path in tmp_path.iterdir()} == {"live"}
        assert not [path for path in (tmp_path / "live" / "objects").rglob("*") if path.is_file()]
        assert ready() == (200, 200)
        taken.append(deliver("then").json()["id"])
        served.must("pilot", "PUT", clip, content=CLIP)
        found = served.must("analyst", "GET", "/crossings", params={"limit": 1000})["features"]
        assert sorted(each["id"] for each in found) == sorted(taken)
        assert served.ask("analyst", "GET", clip).content == CLIP
        verify_audit(served.store)
        backup(tmp_path / "live", tmp_path / "backup.tar")
