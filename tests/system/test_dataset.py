"""``vedette dataset``: from evidence and verdicts, of a file or of the service, to what a trainer reads."""

import json

import pytest

import api
import vision

CUSTODY = {"purpose": "border-surveillance", "owner": "unit 7", "marking": "INTERNAL", "retention_days": 30}


@pytest.fixture(scope="module")
def kept(tmp_path_factory, shared_data):
    """Evidence of four people in thermal footage, as its labels have them; and the crossings to deliver."""
    video = shared_data("videos/1_60_50_0_00281-00407.mp4")
    frames = {}
    for line in shared_data("videos/1_60_50_0_00281-00407.gt.txt").read_text().splitlines():
        row = line.split(",")
        if row[7] == "0":
            frames.setdefault(int(row[0]) - 1, []).append([float(value) for value in row[2:6]])
    folder, crossings = tmp_path_factory.mktemp("kept") / "evidence", {}
    with vision.open_source(video) as source:
        times = [frame.time_us for frame in source]
    for number in range(4):
        # The labels tell no identities: the same place in the row, from the left, stands for one person.
        name, seen = f"crossing-{number}", []
        for i in range(20):
            if len(frames[i]) >= 4:
                x, y, w, h = sorted(frames[i])[number]
                seen.append(vision.Observation(times[i], i, vision.Detection(x, y, x + w, y + h, "person", 0.9)))
        track = vision.Track(1, "person", 0.9, tuple(seen))
        crossing = vision.Crossing(
            "drone",
            name,
            track.start_us,
            track.end_us,
            "person",
            vision.Direction.INBOUND,
            vision.Status.PROBABLE,
            vision.Method.PIXEL,
            "line",
            0.9,
            custody=vision.Custody(**CUSTODY),
        )
        record = crossing.to_json()
        evidence = vision.write_evidence(
            folder / name,
            video,
            track.start_us,
            track.end_us,
            overlay=vision.track_overlay([track]),
            records={"record": {key: value for key, value in record.items() if key != "evidence"}},
        )
        crossings[name] = record | {"evidence": evidence.ref.to_json()}
    return folder, crossings


def coco(folder):
    """Evidence that pictures came from, and all objects."""
    told = [json.loads(path.read_text()) for path in sorted((folder / "annotations").iterdir())]
    names = {image["evidence"] for part in told for image in part["images"]}
    return names, [one for part in told for one in part["annotations"]]


def test_verdicts_of_a_file(run, tmp_path, kept):
    folder, _ = kept
    (tmp_path / "verdicts.csv").write_text(
        "crossing,verdict\ncrossing-0,confirmed\ncrossing-1,false-alarm\ncrossing-9,confirmed\n"
    )
    ran = run("dataset", folder, "--reviews", tmp_path / "verdicts.csv", "--out", tmp_path / "out")
    assert ran.code == 0, ran.err
    names, boxes = coco(tmp_path / "out")
    assert names == {"crossing-0", "crossing-1"}
    assert len(boxes) >= 4
    told = " ".join(ran.out.split())
    assert "left out, 2: no verdict" in told
    assert "delete it by" in told
    assert "1 verdicts are on crossings of which no evidence was given" in " ".join(ran.err.split())
    assert "nothing is held out, since a flight is not parted" in " ".join(ran.err.split())
    again = run("dataset", folder, "--reviews", tmp_path / "verdicts.csv", "--out", tmp_path / "out")
    assert again.code == 1
    assert "is not empty: name a new folder" in again.err


def test_verdicts_of_the_service(run, tmp_path, kept):
    folder, crossings = kept
    verdicts = {
        "crossing-0": ("confirm", None),
        "crossing-1": ("dismiss", "False alarm: a stone"),
        "crossing-2": ("dismiss", "our own patrol"),
    }
    with (
        api.running(api.Settings(tmp_path / "store", port=0)) as service,
        api.Client(service.url, service.admin.key) as admin,
        api.Client(service.url, admin.create_key("drone", api.Role.PILOT, sources=["*"])) as drone,
    ):
        analyst_key = admin.create_key("analyst", api.Role.ANALYST)
        with api.Client(service.url, analyst_key) as analyst:
            for name, crossing in crossings.items():
                (answer,) = drone.deliver(crossing, folder / name).delivered
                if name in verdicts:
                    verdict, reason = verdicts[name]
                    analyst.review(answer["id"], verdict, reason=reason)
        to = ["--service", service.url, "--out", tmp_path / "out", "--format", "coco"]
        ran = run("dataset", folder, *to, "--key", analyst_key)
        assert ran.code == 0, ran.err
        far = run("dataset", "--service", service.url, "--out", tmp_path / "far", "--key", analyst_key)
        assert far.code == 0, far.err
        refused = run("dataset", folder, "--service", service.url, "--out", tmp_path / "no", "--key", "wrong")
        assert refused.code == 1
        assert "401" in refused.err
    names, boxes = coco(tmp_path / "out")
    assert names == {"crossing-0", "crossing-1"}
    assert len(boxes) >= 4
    assert not (tmp_path / "out" / "labels").exists()
    assert coco(tmp_path / "far")[0] == names  # of the evidence that the service has, no folder of ours
    told = json.loads((tmp_path / "out" / "dataset.json").read_text())
    assert {one["name"]: one["judged"] for one in told["evidence"]} == {
        "crossing-0": "confirmed",
        "crossing-1": "false-alarm",
    }
    assert {one["name"]: one["why"] for one in told["left_out"]} == {
        "crossing-2": "dismissed without saying that nothing was there",
        "crossing-3": "no verdict",
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "--reviews FILE, or --service URL, and not both"),
        (("--reviews", "v.csv", "--service", "http://127.0.0.1:9"), "and not both"),
        (("--service", "http://127.0.0.1:9"), "--service needs a key"),
        (("--reviews", "v.csv", "--nothing-here"), "name folders of evidence"),
        (("--reviews", "v.csv", "--format", "voc"), "--format voc is unknown: give yolo, coco or both"),
        (("--reviews", "v.csv"), "v.csv: verdicts cannot be read"),
    ],
)
def test_what_does_not_fit_is_said(run, tmp_path, monkeypatch, arguments, message):
    monkeypatch.delenv("VEDETTE_KEY", raising=False)
    monkeypatch.chdir(tmp_path)
    places = [] if "--nothing-here" in arguments else [tmp_path]
    ran = run("dataset", *places, *(one for one in arguments if one != "--nothing-here"), "--out", tmp_path / "out")
    assert ran.code == 1
    assert message in " ".join(ran.err.split())
    assert not (tmp_path / "out").exists()
