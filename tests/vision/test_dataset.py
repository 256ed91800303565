"""Data sets of judged evidence: what is in the pictures, what is not, and who may be in them at all.

The recordings show bright squares on grey ground, so that the pixels themselves tell whether a label is true.
"""

import json
import os
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.full_disk import full_after
from tests.vision.recordings import T0_US, klv, write_video
from vision import (
    Custody,
    DatasetSettings,
    Detection,
    EvidenceError,
    Judged,
    Observation,
    PictureSettings,
    Review,
    Track,
    iso_time,
    open_source,
    prepare,
    redact_evidence,
    reviewed_source,
    track_overlay,
    write_dataset,
    write_evidence,
)
from vision.dataset import _splits
from vision.reviewed import ReviewedClip, sort_flights
from vision.training_data import CLASSES, read_labels

WIDTH, HEIGHT, FPS, COUNT = 720, 560, 10, 30
GROUND, BRIGHT, SIDE = 60, 235, 24
GREY = 114
EACH = 8  # pictures of a clip of three seconds, 0.4 s apart
YES, NO = Review(Judged.PRESENT), Review(Judged.ABSENT)
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
DAY_US = 86_400_000_000
NOW = T0_US + 5 * DAY_US


@dataclass(frozen=True)
class Walk:
    """A square that goes along x from a place, so many pixels a picture."""

    x: int
    y: int
    step: int = 4

    def box(self, number):
        return self.x + self.step * number, self.y, self.x + self.step * number + SIDE, self.y + SIDE


WALKS = (Walk(40, 100), Walk(520, 300, -4), Walk(150, 130, 3), Walk(600, 500, -5))


def draw(walks):
    def one(number):
        image = np.full((HEIGHT, WIDTH, 3), GROUND, np.uint8)
        for walk in walks:
            x1, y1, x2, y2 = walk.box(number)
            image[y1:y2, x1:x2] = BRIGHT
        return image

    return one


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    """Four squares; its telemetry's clock jitters by more than a picture lasts."""
    jitter = np.random.default_rng(5).integers(-20_000, 20_000, COUNT)
    jitter[::7] += 70_000
    path = tmp_path_factory.mktemp("video") / "flight.ts"
    times = np.maximum.accumulate(T0_US + np.arange(COUNT) * 100_000 + jitter)
    write_video(path, COUNT, fps=FPS, pictures=draw(WALKS), telemetry=lambda n: klv(int(times[n]) + n))
    return path


class Blind:
    def detect(self, images):
        return [[] for _ in images]


class Sharp:
    """Reports every bright spot: another way to the truth than the labels'."""

    def detect(self, images):
        found = []
        for image in images:
            _, _, stats, _ = cv2.connectedComponentsWithStats((image[..., 1] > 150).astype(np.uint8))
            found.append([Detection(x, y, x + w, y + h, "person", 0.2) for x, y, w, h, a in stats[1:] if a > 20])
        return found


def frames_of(recording):
    with open_source(recording) as source:
        return [(frame.time_us, frame.index) for frame in source], source.start_us


def keep(
    folder, recording, walk, *, crossing=None, kind="person", numbers=range(COUNT), key=None, written=T0_US, **more
):
    """Evidence of one square, as `vedette watch` keeps it."""
    times, start_us = frames_of(recording)
    track = Track(
        1,
        kind,
        0.9,
        tuple(Observation(times[n][0], times[n][1], Detection(*walk.box(n), kind, 0.9)) for n in numbers),
    )
    custody = Custody(owner="unit 7", marking="INTERNAL", **more)
    record = {
        "source": "flight",
        "source_id": folder.name,
        "kind": kind,
        "purpose": custody.purpose,
        "owner": custody.owner,
        "marking": custody.marking,
        "retention_days": custody.retention_days,
    }
    write_evidence(
        folder,
        recording,
        times[0][0],
        times[-1][0],
        start_time=None if recording.suffix == ".ts" else start_us,
        overlay=track_overlay([track]),
        records={"record": record},
        key=key,
        written_us=written,
    )
    return folder


def make(places, reviews, out, *, finder=None, **more):
    more = {"now_us": NOW, "finder": finder or Blind(), **more}
    return write_dataset(places, reviews, out, **more)


def pictures(folder):
    """Every picture of a data set with its COCO entry and objects, by a reader of COCO's own definition."""
    found = []
    for path in sorted((folder / "annotations").glob("instances_*.json")):
        told = json.loads(path.read_text())
        names = {category["id"]: category["name"] for category in told["categories"]}
        for image in told["images"]:
            pixels = cv2.imread(str(folder / "images" / image["file_name"]))
            assert pixels.shape == (image["height"], image["width"], 3)
            boxes = [
                (names[one["category_id"]], *one["bbox"])
                for one in told["annotations"]
                if one["image_id"] == image["id"]
            ]
            found.append((image, pixels, boxes))
    return found


def bright_share(pixels, x, y, w, h):
    """Share of bright pixels in a box, a pixel off its edges, and the brightest within three pixels around it."""
    part = pixels[round(y) + 1 : round(y + h) - 1, round(x) + 1 : round(x + w) - 1]
    return float((part > 180).mean())


def test_a_label_is_where_the_object_is_though_the_clock_jitters(recording, tmp_path):
    folder = keep(tmp_path / "a", recording, WALKS[0])
    done = make([folder], {"a": YES}, tmp_path / "out")
    assert (done.pictures["train"], done.boxes["train"], done.negatives["train"]) == (EACH, EACH, 0)
    for image, pixels, boxes in pictures(tmp_path / "out"):
        ((kind, x, y, w, h),) = boxes
        assert (kind, w, h) == ("person", SIDE, SIDE)
        assert bright_share(pixels, x, y, w, h) == 1.0
        left, top, width, height = image["region"]
        assert left <= x and top <= y and x + w <= left + width and y + h <= top + height  # noqa: PT018 - one fact
        outside = pixels.copy()
        outside[top : top + height, left : left + width] = GREY
        assert (outside == GREY).all()


def test_yolo_and_coco_agree_and_the_trainer_reads_them(recording, tmp_path):
    for name, walk, kind in (("a", WALKS[0], "person"), ("b", WALKS[1], "vehicle"), ("c", WALKS[3], "person")):
        keep(tmp_path / "evidence" / name, recording, walk, kind=kind)
    reviews = {"a": YES, "b": replace(YES, kind="animal"), "c": NO}
    done = make([tmp_path / "evidence"], reviews, tmp_path / "out")
    told = yaml.safe_load((tmp_path / "out" / "data.yaml").read_text())
    assert list(told["names"].values()) == list(CLASSES)
    seen = {"person": 0, "animal": 0, "nothing": 0}
    for image, _, boxes in pictures(tmp_path / "out"):
        path = tmp_path / "out" / "images" / image["file_name"]
        shares = read_labels(path, {number: number for number in told["names"]})
        size = np.array([image["width"], image["height"]])
        yolo = [(told["names"][int(row[0])], *((row[1:3] - row[3:] / 2) * size), *(row[3:] * size)) for row in shares]
        assert [row[0] for row in yolo] == [row[0] for row in boxes]
        for one, other in zip(yolo, boxes, strict=True):
            assert np.allclose(one[1:], other[1:], atol=0.01)
        seen[boxes[0][0] if boxes else "nothing"] += 1
    assert seen == {"person": EACH, "animal": EACH, "nothing": EACH}
    assert sum(done.negatives.values()) == EACH
    # The tiles that training is given: every picture once, false alarms among them.
    ready = prepare([reviewed_source(tmp_path / "out")], tmp_path / "tiles")
    names = (tmp_path / "tiles" / "train-reviewed.txt").read_text().splitlines()
    assert len(names) == 3 * EACH
    bare = [n for n in names if not (ready.parent / n.replace("images", "labels").replace(".jpg", ".txt")).read_text()]
    assert len(bare) == EACH


def test_nobody_who_was_not_judged_is_taught_as_ground(recording, tmp_path):
    """Others are hidden, by the detector or by the evidence that they have themselves."""
    keep(tmp_path / "judged" / "a", recording, WALKS[0])
    for name, walk in (("b", WALKS[1]), ("c", WALKS[2]), ("d", WALKS[3])):
        keep(tmp_path / "open" / name, recording, walk)
    wide = DatasetSettings(pictures=PictureSettings(context=20.0))

    def bright_without_label(out):
        count = 0
        for _, pixels, boxes in pictures(out):
            rest = pixels.copy()
            for _, x, y, w, h in boxes:
                rest[int(y) : round(y + h), int(x) : round(x + w)] = 0
            count += int((rest > 150).any())
        return count

    make([tmp_path / "judged"], {"a": YES}, tmp_path / "blind", settings=wide)
    assert bright_without_label(tmp_path / "blind") > 3  # so there is something to hide
    for name, places, finder in (
        ("sharp", ["judged"], Sharp()),
        ("told", ["judged", "open"], Blind()),
    ):
        out = tmp_path / name
        make([tmp_path / place for place in places], {"a": YES}, out, settings=wide, finder=finder)
        assert bright_without_label(out) == 0
        for image, pixels, ((_, x, y, w, h),) in pictures(out):
            assert bright_share(pixels, x, y, w, h) == 1.0
            assert image["hidden"] > 0
    # With a verdict of its own it is a label.
    make([tmp_path / "judged", tmp_path / "open"], {"a": YES, "c": YES}, tmp_path / "both", settings=wide)
    several = [boxes for _, _, boxes in pictures(tmp_path / "both") if len(boxes) == 2]
    assert len(several) > 3
    assert bright_without_label(tmp_path / "both") <= 2  # where only a part of it is in the square


def test_a_false_alarm_stays_visible_though_the_detector_reports_it_again(recording, tmp_path):
    folder = keep(tmp_path / "a", recording, WALKS[3])
    done = make([folder], {"a": NO}, tmp_path / "out", finder=Sharp())
    assert (done.boxes["train"], done.negatives["train"]) == (0, EACH)
    for image, pixels, boxes in pictures(tmp_path / "out"):
        assert boxes == []
        assert (pixels > 180).sum() > 0.9 * 3 * SIDE**2
        assert image["hidden"] == 0
        assert (tmp_path / "out" / "labels" / image["file_name"]).with_suffix(".txt").read_text() == ""


def test_verdicts_that_contradict_each_other_teach_nothing(recording, tmp_path):
    keep(tmp_path / "e" / "a", recording, WALKS[0])
    keep(tmp_path / "e" / "b", recording, WALKS[0])
    with pytest.raises(EvidenceError, match="no box of a judged track fits"):
        make([tmp_path / "e"], {"a": YES, "b": NO}, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    make([tmp_path / "e"], {"a": YES, "b": YES}, tmp_path / "out")
    assert {len(boxes) for _, _, boxes in pictures(tmp_path / "out")} == {1}


def test_the_object_is_anywhere_in_the_square(recording, tmp_path):
    """Were it always in the middle, the middle would tell."""
    folder = keep(tmp_path / "a", recording, WALKS[0])
    many = DatasetSettings(pictures=PictureSettings(per_clip=30, apart_s=0.0))
    make([folder], {"a": YES}, tmp_path / "out", settings=many)
    places = []
    for image, _, ((_, x, y, w, h),) in pictures(tmp_path / "out"):
        left, top, width, height = image["region"]
        places.append(((x - left) / (width - w), (y - top) / (height - h)))
    low, high = np.quantile(places, [0.1, 0.9], axis=0)
    assert (high - low > 0.4).all()


def test_the_same_again_is_the_same(recording, tmp_path):
    keep(tmp_path / "e" / "a", recording, WALKS[0])
    for name in ("one", "two"):
        make([tmp_path / "e"], {"a": YES}, tmp_path / name)
    files = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*") if path.is_file())
    assert files == sorted(p.relative_to(tmp_path / "two") for p in (tmp_path / "two").rglob("*") if p.is_file())
    assert all((tmp_path / "one" / f).read_bytes() == (tmp_path / "two" / f).read_bytes() for f in files)


@pytest.mark.parametrize("form", ["yolo", "coco"])
def test_one_form_alone(recording, tmp_path, form):
    folder = keep(tmp_path / "a", recording, WALKS[0])
    make([folder], {"a": YES}, tmp_path / "out", settings=DatasetSettings(formats=(form,)))
    there = {path.name for path in (tmp_path / "out").iterdir()}
    assert there == {"images", "dataset.json"} | ({"labels", "data.yaml"} if form == "yolo" else {"annotations"})


def test_the_data_set_says_whose_records_it_holds_and_until_when(recording, tmp_path):
    keep(tmp_path / "e" / "a", recording, WALKS[0], retention_days=9)
    keep(tmp_path / "e" / "b", recording, WALKS[1], written=T0_US + DAY_US, retention_days=7)
    expires = T0_US + 8 * DAY_US
    done = make([tmp_path / "e"], {"a": YES, "b": NO, "gone": YES}, tmp_path / "out")
    assert (done.delete_by_us, done.unmatched) == (expires, 1)
    told = json.loads((tmp_path / "out" / "dataset.json").read_text())
    assert told["delete_by"] == iso_time(expires)
    assert (told["purposes"], told["owners"], told["markings"]) == (["border-surveillance"], ["unit 7"], ["INTERNAL"])
    assert {one["name"]: (one["judged"], one["retention_days"]) for one in told["evidence"]} == {
        "a": ("confirmed", 9),
        "b": ("false-alarm", 7),
    }
    for one in told["evidence"]:
        manifest = json.loads((tmp_path / "e" / one["name"] / "manifest.json").read_text())
        assert one["recording_sha256"] == manifest["source"]["sha256"]
    coco = json.loads((tmp_path / "out" / "annotations" / "instances_train.json").read_text())
    assert coco["info"]["delete_by"] == told["delete_by"]


LEFT_OUT = {
    "no verdict": ({}, {}, "no verdict"),
    "expired": ({"retention_days": 5}, {"b": YES}, "its retention has ended"),
    "expired in the service": ({}, {"b": replace(YES, expires_us=NOW - 1)}, "its retention has ended"),
    "purpose": ({"purpose": "search-and-rescue"}, {"b": YES}, "kept for 'search-and-rescue', which was not allowed"),
    "dismissed": ({}, {"b": Review(Judged.UNSAID)}, "dismissed without saying that nothing was there"),
    "another clip": ({}, {"b": replace(YES, clip_sha256="0" * 64)}, "the verdict is about another clip"),
    "kind": ({"kind": "boat"}, {"b": YES}, "its kind is none that a detector learns"),
    "no box": ({"numbers": range(0)}, {"b": YES}, "none of its boxes fits a picture"),
}


@pytest.mark.parametrize("case", LEFT_OUT)
def test_what_teaches_nothing_or_may_not_is_left_out_and_told(recording, tmp_path, case):
    more, reviews, why = LEFT_OUT[case]
    keep(tmp_path / "e" / "a", recording, WALKS[0])
    keep(tmp_path / "e" / "b", recording, WALKS[1], **more)
    done = make([tmp_path / "e"], {"a": YES, **reviews}, tmp_path / "out")
    ((name, told),) = [(one.name, one.why) for one in done.left_out]
    assert name == "b"
    assert told.startswith(why)
    assert {image["evidence"] for image, _, _ in pictures(tmp_path / "out")} == {"a"}
    names = [path.name for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert not any(name.startswith("b-") for name in names)
    with pytest.raises(EvidenceError, match="nothing to learn from"):
        make([tmp_path / "e" / "b"], reviews, tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_a_purpose_is_used_where_somebody_allows_it(recording, tmp_path):
    folder = keep(tmp_path / "a", recording, WALKS[0], purpose="search-and-rescue")
    allowed = DatasetSettings(purposes=("search-and-rescue",))
    assert make([folder], {"a": YES}, tmp_path / "out", settings=allowed).pictures["train"] == EACH


def changed(name, change):
    def make_it(folder):
        told = json.loads((folder / name).read_text())
        change(told)
        (folder / name).write_text(json.dumps(told))

    return make_it


def resealed(name, change):
    """Changed by somebody who mends the manifest as well."""

    def make_it(folder):
        import hashlib

        if name != "manifest.json":
            changed(name, change)(folder)
            content = (folder / name).read_bytes()
            told = json.loads((folder / "manifest.json").read_text())
            told["files"][name] = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
            (folder / "manifest.json").write_text(json.dumps(told))
        else:
            changed(name, change)(folder)

    return make_it


REFUSED = {
    "record changed": (changed("record.json", lambda r: r.update(kind="vehicle")), r"is not whole.*record\.json"),
    "manifest gone": (lambda f: (f / "manifest.json").unlink(), "is not whole|holds no evidence"),
    "redacted": (resealed("manifest.json", lambda m: m.update(redaction={})), "is a redacted copy"),
    "name leads outside": (resealed("manifest.json", lambda m: m.update(id="../../x")), "not those of a crossing"),
    "no retention": (resealed("record.json", lambda r: r.pop("retention_days")), "not those of a crossing"),
    "box upside down": (
        resealed("overlay.json", lambda o: o["tracks"][0]["boxes"][0].update(x2=0.0)),
        "not those of a crossing",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_evidence_that_cannot_be_trusted_stops_it(recording, tmp_path, case):
    spoil, message = REFUSED[case]
    good, bad = keep(tmp_path / "e" / "a", recording, WALKS[0]), keep(tmp_path / "e" / "b", recording, WALKS[1])
    spoil(bad)
    with pytest.raises(EvidenceError, match=message):
        make([good, bad], {"a": YES, "b": YES}, tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["e"]


def test_a_real_redacted_copy_is_refused(recording, tmp_path):
    folder = keep(tmp_path / "a", recording, WALKS[0])
    redact_evidence(folder, tmp_path / "copy", Blind(), keep=[1])
    with pytest.raises(EvidenceError, match="copy: is a redacted copy: blurred people are no training data"):
        make([tmp_path / "copy"], {"a": YES}, tmp_path / "out")


def test_the_signature_can_be_demanded(recording, tmp_path):
    signed = keep(tmp_path / "a", recording, WALKS[0], key=KEY)
    make([signed], {"a": YES}, tmp_path / "out", public_key=KEY.public_key())
    unsigned = keep(tmp_path / "b", recording, WALKS[1])
    with pytest.raises(EvidenceError, match=r"manifest\.sig: is missing"):
        make([signed, unsigned], {"a": YES}, tmp_path / "other", public_key=KEY.public_key())


def test_places_that_hold_no_evidence_or_are_given_twice(recording, tmp_path):
    folder = keep(tmp_path / "e" / "a", recording, WALKS[0])
    (tmp_path / "empty").mkdir()
    with pytest.raises(EvidenceError, match="empty: holds no evidence"):
        make([tmp_path / "empty"], {}, tmp_path / "out")
    with pytest.raises(EvidenceError, match="absent: cannot be read"):
        make([tmp_path / "absent"], {}, tmp_path / "out")
    with pytest.raises(EvidenceError, match="is given twice"):
        make([folder, tmp_path / "e"], {"a": YES}, tmp_path / "out")
    other = keep(tmp_path / "f" / "a", recording, WALKS[1])
    with pytest.raises(EvidenceError, match="has the name of"):
        make([folder, other], {"a": YES}, tmp_path / "out")


def test_a_folder_with_something_in_it_is_left_alone(recording, tmp_path):
    folder = keep(tmp_path / "a", recording, WALKS[0])
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(EvidenceError, match="out is not empty: name a new folder"):
        make([folder], {"a": YES}, tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine.txt"]
    (tmp_path / "out" / "mine.txt").unlink()
    make([folder], {"a": YES}, tmp_path / "out")
    assert (tmp_path / "out" / "data.yaml").is_file()


@pytest.mark.parametrize("limit", [0, 40, 900, 2500])
def test_a_full_disk_leaves_nothing(recording, tmp_path, limit):
    folder = keep(tmp_path / "a", recording, WALKS[0])
    with full_after(limit), pytest.raises(EvidenceError, match="out: cannot be written"):
        make([folder], {"a": YES}, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def clip(name, recording, start_us, end_us):
    return ReviewedClip(
        Path(name),
        Path(name),
        name,
        name,
        "",
        recording,
        start_us,
        end_us,
        0,
        (),
        Judged.PRESENT,
        "person",
        Custody(),
        0,
    )


MINUTE_US = 60_000_000
clips_of_a_summer = st.lists(
    st.tuples(st.integers(0, 12), st.integers(0, 100_000), st.integers(0, 20)), min_size=1, max_size=25
).map(
    lambda rows: [
        clip(f"c{i}", f"{recording:064x}", T0_US + start * MINUTE_US, T0_US + (start + long) * MINUTE_US)
        for i, (recording, start, long) in enumerate(rows)
    ]
)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(clips_of_a_summer, st.integers(0, 5), st.floats(0.05, 0.9))
def test_no_flight_is_parted(clips, seed, share):
    """Against the plain definition: whatever is joined, over any number of steps, is in one split."""
    flights = sort_flights(clips)
    assert sorted(c.name for flight in flights for c in flight) == sorted(c.name for c in clips)
    where = {c.name: i for i, flight in enumerate(flights) for c in flight}
    for a in clips:
        for b in clips:
            apart = max(a.start_us, b.start_us) - min(a.end_us, b.end_us)
            if a.recording == b.recording or apart < 30 * MINUTE_US:
                assert where[a.name] == where[b.name]
    # And nothing is joined without a reason: every flight of several hangs together.
    for flight in flights:
        reached, left = [flight[0]], list(flight[1:])
        while left:
            joined = [
                c
                for c in left
                if any(
                    c.recording == r.recording or max(c.start_us, r.start_us) - min(c.end_us, r.end_us) < 30 * MINUTE_US
                    for r in reached
                )
            ]
            assert joined
            reached += joined
            left = [c for c in left if c not in joined]
    names = _splits(flights, DatasetSettings(val_share=share, seed=seed))
    assert set(names) == ({"train", "val"} if len(flights) > 1 else set(names))
    assert sort_flights(list(reversed(clips))) == flights


def test_clips_without_a_time_of_day_are_joined_by_their_recording_alone():
    clips = [clip(f"c{i}", f"{i % 3:064x}", 0, 8_000_000) for i in range(9)]
    assert [len(flight) for flight in sort_flights(clips)] == [3, 3, 3]


def test_a_flight_stays_in_its_split_when_others_come(recording):
    early = [[clip(f"c{i}", os.urandom(32).hex(), T0_US + i * DAY_US, T0_US + i * DAY_US)] for i in range(40)]
    before = _splits(early[:20], DatasetSettings())
    assert _splits(early, DatasetSettings())[:20] == before
    assert before.count("val") / 20 + 0.05 > 0.05


def test_a_split_is_held_out_whole(recording, tmp_path):
    for day in range(4):
        plain = write_video(
            tmp_path / f"day{day}.mp4",
            COUNT,
            fps=FPS,
            pictures=draw(WALKS[: day + 1]),
            metadata={"creation_time": iso_time(T0_US + day * DAY_US)},
        )
        for number in range(2):
            keep(tmp_path / "e" / f"{day}{number}", plain, WALKS[0], numbers=range(number * 15, number * 15 + 15))
    reviews = {f"{day}{number}": YES for day in range(4) for number in range(2)}
    done = make([tmp_path / "e"], reviews, tmp_path / "out", settings=DatasetSettings(val_share=0.3))
    assert sum(done.flights.values()) == 4
    assert min(done.flights.values()) >= 1
    by_split = {}
    for image, _, _ in pictures(tmp_path / "out"):
        split, flight, _ = image["file_name"].split("/")
        by_split.setdefault(flight, set()).add(split)
    assert all(len(splits) == 1 for splits in by_split.values())
    assert len(by_split) == 4
