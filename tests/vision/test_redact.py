"""Redacted copies: what is within boxes is gone from every picture, what is outside stays, and the copy verifies."""

import json
from fractions import Fraction

import av
import cv2
import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from vision import (
    SHIPPED_MODELS,
    Detection,
    EvidenceError,
    Observation,
    Track,
    TrackerSettings,
    open_source,
    redact_evidence,
    track_overlay,
    verify_evidence,
    write_evidence,
)

T0, FPS, COUNT, WIDTH, HEIGHT = 1_790_000_000_000_000, 10, 30, 320, 240
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
RNG = np.random.default_rng(0)
BACKGROUND = cv2.GaussianBlur(RNG.integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8), (0, 0), 3)
BODIES = [RNG.integers(0, 255, (48, 32, 3), np.uint8) for _ in range(2)]


def boxes_at(n):
    """Two people who walk: one is concerned, one is not."""
    return (20.0 + 4 * n, 40.0, 52.0 + 4 * n, 88.0), (250.0 - 4 * n, 150.0, 282.0 - 4 * n, 198.0)


def at(n):
    return T0 + n * 1_000_000 // FPS


@pytest.fixture(scope="module")
def evidence(tmp_path_factory):
    folder = tmp_path_factory.mktemp("evidence")
    video = folder / "flight.mp4"
    with av.open(str(video), "w") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt, stream.options = WIDTH, HEIGHT, "yuv420p", {"crf": "8"}
        for n in range(COUNT):
            image = BACKGROUND.copy()
            for (x1, y1, x2, y2), body in zip(boxes_at(n), BODIES, strict=True):
                image[int(y1) : int(y2), int(x1) : int(x2)] = body
            frame = av.VideoFrame.from_ndarray(image, format="bgr24")
            frame.pts, frame.time_base = n, Fraction(1, FPS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    track = Track(
        3,
        "person",
        0.9,
        tuple(Observation(at(n), n, Detection(*boxes_at(n)[0], "person", 0.9)) for n in range(COUNT)),
    )
    write_evidence(
        folder / "one",
        video,
        at(0),
        at(COUNT - 1),
        start_time=T0,
        key=KEY,
        pictures={"crossing": at(15)},
        overlay=track_overlay([track]),
        records={"record": {"kind": "person"}},
    )
    return folder / "one"


class Finder:
    """Knows the truth; misses pictures on demand."""

    def __init__(self, misses=(), blind=()):
        self.number, self.misses, self.blind = -1, misses, blind

    def detect(self, images):
        out = []
        for _ in images:
            self.number += 1
            boxes = boxes_at(self.number)
            seen = [] if self.number in self.blind else boxes[:1] if self.number in self.misses else boxes
            out.append([Detection(*box, "person", 0.8) for box in seen])
        return out


def pictures(folder):
    with open_source(folder / "clip.mp4", start_time=T0, sidecar=False) as source:
        return [frame.image.astype(float) for frame in source]


def likeness(a, b, box):
    """Correlation of the detail within a box: without the mean of each of 3 by 3 cells."""
    x1, y1, x2, y2 = map(int, box)
    details = []
    for image in (a, b):
        part = image[y1:y2, x1:x2].mean(axis=2)
        coarse = cv2.resize(cv2.resize(part, (3, 3), interpolation=cv2.INTER_AREA), part.shape[::-1])
        details.append((part - coarse).ravel())
    return float(np.corrcoef(*details)[0, 1])


def psnr(a, b, mask):
    return 10 * np.log10(255**2 / np.mean((a - b)[mask] ** 2))


def outside(n):
    """Far from all that anybody may have covered within half a second."""
    mask = np.ones((HEIGHT, WIDTH), bool)
    for m in range(n - 6, n + 7):
        for x1, y1, x2, y2 in boxes_at(m):
            mask[max(0, int(y1) - 20) : int(y2) + 20, max(0, int(x1) - 20) : max(0, int(x2) + 20)] = False
    return mask


def test_everybody_is_gone_from_every_picture_and_the_rest_stays(evidence, tmp_path):
    done = redact_evidence(evidence, tmp_path / "copy", Finder(), key=KEY)
    assert (done.pictures, done.whole) == (COUNT, 0)
    before, after = pictures(evidence), pictures(tmp_path / "copy")
    assert len(before) == len(after) == COUNT
    for n, (a, b) in enumerate(zip(before, after, strict=True)):
        for box in boxes_at(n):
            assert abs(likeness(a, b, box)) < 0.25
            assert likeness(a, a + 1, box) > 0.99
        assert psnr(a, b, outside(n)) > 36
    assert verify_evidence(tmp_path / "copy", public_key=KEY.public_key()) == []


def test_the_one_concerned_stays_visible(evidence, tmp_path):
    redact_evidence(evidence, tmp_path / "copy", Finder(), keep=[3])
    for n, (a, b) in enumerate(zip(pictures(evidence), pictures(tmp_path / "copy"), strict=True)):
        kept, other = boxes_at(n)
        assert abs(likeness(a, b, other)) < 0.25
        assert likeness(a, b, kept) > 0.9


def test_a_person_missed_in_some_pictures_is_hidden_in_them(evidence, tmp_path):
    redact_evidence(evidence, tmp_path / "copy", Finder(misses=range(10, 14)), keep=[3])
    for n, (a, b) in enumerate(zip(pictures(evidence), pictures(tmp_path / "copy"), strict=True)):
        assert abs(likeness(a, b, boxes_at(n)[1])) < 0.25


def test_where_nothing_is_known_all_is_blurred(evidence, tmp_path):
    """The detector fails for two seconds, and nobody of the overlay is to be relied on."""
    plain = tmp_path / "plain"
    write_evidence(plain, evidence / "clip.mp4", at(0), at(COUNT - 1), start_time=T0)
    done = redact_evidence(plain, tmp_path / "copy", Finder(blind=range(8, 28)))
    assert done.whole == 10  # from half a second after picture 7 to half a second before picture 28
    for n, (a, b) in enumerate(zip(pictures(plain), pictures(tmp_path / "copy"), strict=True)):
        if 13 <= n <= 22:
            assert abs(likeness(a, b, (5, 5, 315, 235))) < 0.1
    manifest = json.loads((tmp_path / "copy" / "manifest.json").read_text())
    assert manifest["redaction"]["pictures_blurred_whole"] == 10


def test_the_copy_names_its_original_and_holds_nothing_of_it(evidence, tmp_path):
    import hashlib

    redact_evidence(evidence, tmp_path / "copy", Finder(), key=KEY)
    manifest = json.loads((tmp_path / "copy" / "manifest.json").read_text())
    assert (
        manifest["redaction"]["manifest_sha256"]
        == hashlib.sha256((evidence / "manifest.json").read_bytes()).hexdigest()
    )
    assert manifest["redaction"]["kept_tracks"] == []
    assert json.loads((tmp_path / "copy" / "overlay.json").read_text()) == {"tracks": []}
    assert json.loads((tmp_path / "copy" / "record.json").read_text()) == {"kind": "person"}
    assert not list((tmp_path / "copy").glob("*.klv"))
    still, redacted = (cv2.imread(str(f / "crossing.png")).astype(float) for f in (evidence, tmp_path / "copy"))
    for box in boxes_at(15):
        assert abs(likeness(still, redacted, box)) < 0.25
    assert (still == redacted)[outside(15)].all()


def test_a_picture_that_is_not_in_the_clip_is_blurred_whole(evidence, tmp_path):
    other = tmp_path / "other"
    image = RNG.integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)
    write_evidence(other, evidence / "clip.mp4", at(0), at(9), start_time=T0, pictures={"strange": image})
    redact_evidence(other, tmp_path / "copy", Finder())
    redacted = cv2.imread(str(tmp_path / "copy" / "strange.png")).astype(float)
    assert abs(likeness(image.astype(float), redacted, (5, 5, 315, 235))) < 0.1


def test_what_cannot_be_redacted_is_refused_and_leaves_nothing(evidence, tmp_path):
    with pytest.raises(EvidenceError, match="has no track 7 to keep; there is 3"):
        redact_evidence(evidence, tmp_path / "copy", Finder(), keep=[7])
    with pytest.raises(EvidenceError, match="has no file of telemetry"):
        redact_evidence(evidence, tmp_path / "copy", Finder(), telemetry=True)
    with pytest.raises(EvidenceError, match="exists already"):
        redact_evidence(evidence, evidence, Finder())
    broken = tmp_path / "broken"
    write_evidence(broken, evidence / "clip.mp4", at(0), at(9), start_time=T0, records={"note": 1})
    (broken / "note.json").write_text("2")
    with pytest.raises(EvidenceError, match="is not whole, so it is not copied: note"):
        redact_evidence(broken, tmp_path / "copy", Finder())
    assert sorted(p.name for p in tmp_path.iterdir()) == ["broken"]


def test_without_a_detector_that_for_the_sensor_of_the_clip_looks(evidence, tmp_path, monkeypatch):
    """The one for heat would miss people in colour, and who is missed is shown."""
    taken = []

    class Blind:
        def __init__(self, path, confidence, kinds):
            assert "person" in kinds
            taken.append((path, confidence))

        def detect(self, images):
            return [[] for _ in images]

    monkeypatch.setattr("vision.finder.Detector", Blind)
    redact_evidence(evidence, tmp_path / "copy")
    assert taken == [(SHIPPED_MODELS["daylight"], TrackerSettings().low_score)]
