"""Networks on a graphics card: which engine is taken and why, and batches that say what single pictures do.

There is no card here: what ONNX Runtime tells of its providers is made up where the choice is tested; sessions are real
ones, on the processor.
"""

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.asked import few
from tests.vision.tiny_models import ANSWER, tiny_model
from vision import SHIPPED_MODEL, Detector, MissingExtra, ModelError, bare_rate, graphics, runtime
from vision.graphics import BATCH, BatchedSession, Card

TENSORRT, CUDA, CPU = "TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"


class Loaded:
    """A session on the processor that says it runs on a card."""

    def __init__(self, session, providers):
        self._session, self._providers = session, providers

    def get_providers(self):
        return self._providers

    def __getattr__(self, name):
        return getattr(self._session, name)


class Machine:
    """What ONNX Runtime was built with, and what of it loads."""

    def __init__(self, built, loads):
        self.built, self.loads, self.asked = built, loads, []

    def open(self, path, providers):
        names = [one if isinstance(one, str) else one[0] for one in providers]
        self.asked.append({one[0]: one[1] for one in providers if not isinstance(one, str)})
        real = onnxruntime.InferenceSession(str(path), providers=[CPU])
        return Loaded(real, [one for one in names if one in {CPU, *self.loads}])


@pytest.fixture
def machine(monkeypatch):
    def make(built, loads=()):
        one = Machine([*built, CPU], loads)
        monkeypatch.setattr(graphics.onnxruntime, "get_available_providers", lambda: one.built)
        monkeypatch.setattr(graphics, "_session", one.open)
        return one

    return make


@pytest.fixture
def model(tmp_path):
    return tiny_model(tmp_path / "tiny.onnx", ANSWER)


@pytest.mark.parametrize(
    ("built", "loads", "taken", "why"),
    [
        ((), (), "auto", ["tensorrt: not in this", "cuda: not in this"]),
        ((TENSORRT, CUDA), (TENSORRT, CUDA), "tensorrt", []),
        ((TENSORRT, CUDA), (CUDA,), "cuda", ["tensorrt: TensorrtExecutionProvider of ONNX Runtime"]),
        ((TENSORRT, CUDA), (), "auto", ["tensorrt: TensorrtExecutionProvider of", "cuda: CUDAExecutionProvider of"]),
        ((CUDA,), (CUDA,), "cuda", ["tensorrt: not in this"]),
    ],
)
def test_the_fastest_engine_that_loads_is_taken_and_why_no_faster_one(
    machine, model, tmp_path, built, loads, taken, why
):
    machine(built, loads)
    detector = Detector(model, cache_dir=tmp_path)
    assert detector.backend == taken
    assert len(detector.why_slower) == len(why)
    for told, begin in zip(detector.why_slower, why, strict=True):
        assert told.startswith(begin)
    assert len(detector.detect([np.zeros((64, 64, 3), np.uint8)])[0]) == 3
    assert detector.backend in ({taken} if taken != "auto" else {"onnxruntime", "openvino"})


def test_a_card_without_memory_is_passed_over(machine, model, tmp_path, monkeypatch):
    """It opens the network, and fails with the first batch: the processor serves, and it is said why."""
    machine((CUDA,), (CUDA,))
    ran = []

    def full(self, tensors):
        ran.append(len(tensors))
        raise RuntimeError("Failed to allocate memory for requested buffer of size 94371840\nand more")

    monkeypatch.setattr(BatchedSession, "run", full)
    detector = Detector(model, cache_dir=tmp_path)
    assert ran == [BATCH]
    assert "cuda: opens the network and does not run it (Failed to allocate memory" in detector.why_slower[1]
    assert len(detector.detect([np.zeros((64, 64, 3), np.uint8)])[0]) == 3
    assert detector.backend in {"onnxruntime", "openvino"}


def test_an_engine_that_was_asked_for_and_is_not_there_is_one_clear_error(machine, model):
    machine(())
    with pytest.raises(MissingExtra, match=r"engine cuda: not in this ONNX Runtime .*: pip uninstall onnxruntime"):
        Detector(model, backend="cuda")
    machine((TENSORRT, CUDA), (CUDA,))
    with pytest.raises(MissingExtra, match=r"engine tensorrt: Tens.* does not load for card 2: it needs .*TensorRT 10"):
        Detector(model, backend="tensorrt:2")


@pytest.mark.parametrize("backend", ["cuda:x", "cuda:", "onnxruntime:1", "gpu", "openvino:1", "cuda:-1"])
def test_a_card_is_a_number_and_the_processor_has_none(machine, model, backend):
    machine((CUDA,), (CUDA,))
    if backend == "cuda:":
        assert Detector(model, backend=backend).at_once == BATCH
        return
    with pytest.raises(ModelError, match="is unknown: choose auto"):
        Detector(model, backend=backend)


def test_the_card_its_precision_and_its_cache_are_passed_on(machine, model, tmp_path):
    for precision, tf32, fp16 in (("f32", "0", "0"), ("auto", "1", "1")):
        one = machine((TENSORRT, CUDA), (TENSORRT, CUDA))
        Detector(model, backend="tensorrt:3", precision=precision, cache_dir=tmp_path / "cache")
        asked = one.asked[-1]
        assert asked[TENSORRT]["device_id"] == asked[CUDA]["device_id"] == "3"
        assert (asked[CUDA]["use_tf32"], asked[TENSORRT]["trt_fp16_enable"]) == (tf32, fp16)
        assert asked[TENSORRT]["trt_engine_cache_path"] == str(tmp_path / "cache" / "tensorrt")
        assert (tmp_path / "cache" / "tensorrt").is_dir()
    with pytest.raises(ModelError, match="precision 'f16' is unknown"):
        Detector(model, precision="f16")


def test_tensorrt_builds_one_engine_for_all_sizes_where_they_are_open(machine, model, tmp_path):
    one = machine((TENSORRT, CUDA), (TENSORRT, CUDA))
    Detector(SHIPPED_MODEL, backend="tensorrt", cache_dir=tmp_path)
    assert one.asked[-1][TENSORRT]["trt_profile_max_shapes"] == f"images:{BATCH}x3x1280x1280"
    Detector(model, backend="tensorrt", cache_dir=tmp_path)  # takes one picture at a time
    assert "trt_profile_max_shapes" not in one.asked[-1][TENSORRT]


def test_a_card_takes_a_batch_at_once(machine, model):
    machine((CUDA,), (CUDA,))
    assert Detector(model, backend="cuda:1").at_once == BATCH
    assert Detector(model, backend="onnxruntime", threads=3).at_once == 6


def test_without_openvino_the_processor_has_onnx_runtime_alone(machine, model, tmp_path, monkeypatch):
    machine(())
    monkeypatch.setattr("vision.processor_sessions.openvino", None)
    monkeypatch.setattr(runtime, "BACKENDS", {"onnxruntime": runtime.BACKENDS["onnxruntime"]})
    monkeypatch.setattr("vision.detector.BACKENDS", runtime.BACKENDS)
    with pytest.raises(MissingExtra, match="engine openvino: is not installed: pip install openvino"):
        Detector(model, backend="openvino")
    detector = Detector(model, cache_dir=tmp_path)
    assert detector.detect([np.zeros((64, 64, 3), np.uint8)])[0]
    assert detector.backend == "onnxruntime"
    assert "without" in next(iter(json.loads((tmp_path / "backends.json").read_text())))


class Spied:
    """A session that keeps what it was given."""

    def __init__(self, path):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 2
        self._real = onnxruntime.InferenceSession(str(path), options, providers=[CPU])
        self.given = []

    def get_inputs(self):
        return self._real.get_inputs()

    def run(self, names, inputs):
        (batch,) = inputs.values()
        self.given.append(batch)
        return self._real.run(names, inputs)


@pytest.fixture(scope="module")
def shipped():
    """The shipped network in batches, and picture by picture."""
    spied = Spied(SHIPPED_MODEL)
    return spied, BatchedSession(spied), runtime.open_session("onnxruntime", SHIPPED_MODEL, 1)


@settings(max_examples=8, deadline=None)
@given(st.integers(1, 5), st.integers(0, 2**32 - 1), st.booleans())
def test_a_batch_gives_what_single_pictures_give(shipped, count, seed, lying):
    spied, batched, single = shipped
    rng = np.random.default_rng(seed)
    pictures = [rng.random((1, 3, 32, 64), dtype=np.float32) for _ in range(count)]
    tensors = pictures
    if lying:  # in the memory that the session gives out, with what nobody asked for behind them
        tensors = batched.room([(1, 3, 32, 64)] * count)
        tensors[0].base[...] = np.nan
        for room, picture in zip(tensors, pictures, strict=True):
            room[...] = picture
    spied.given.clear()
    outputs = batched.run(tensors)
    (batch,) = spied.given
    assert len(batch) == min(size for size in (1, 2, 4, 8) if size >= count)
    assert np.shares_memory(batch, tensors[0]) == lying
    for output, expected in zip(outputs, single.run(pictures), strict=True):
        assert output.shape == expected.shape
        assert np.allclose(output, expected, rtol=1e-4, atol=1e-3)
    if lying:
        batched.let_go(tensors)


class Sums:
    """A network that adds up each picture; no other arithmetic, so that many pictures cost nothing."""

    def __init__(self, first="batch"):
        self.first, self.given = first, []

    def get_inputs(self):
        return [type("Input", (), {"name": "images", "shape": [self.first, 3, "height", "width"]})]

    def run(self, _, inputs):
        (batch,) = inputs.values()
        self.given.append(batch.shape)
        return [batch.sum(axis=(1, 2, 3))[:, None]]


@settings(max_examples=few(60), deadline=None)
@given(st.lists(st.tuples(st.sampled_from([(8, 8), (8, 16)]), st.integers(1, 80)), min_size=1, max_size=4))
def test_any_number_of_pictures_runs_in_batches_of_few_sizes_without_a_copy(groups):
    network = Sums()
    session = BatchedSession(network)
    shapes = [(1, 3, *size) for size, count in groups for _ in range(count)]
    rooms = session.room(shapes)
    assert [room.shape for room in rooms] == shapes
    for number, room in enumerate(rooms):
        room[...] = number
    # None lies in another: each still holds what was written to it.
    assert all((room == number).all() for number, room in enumerate(rooms))
    start = 0
    for (height, width), count in groups:
        outputs = session.run(rooms[start : start + count])
        expected = [number * 3.0 * height * width for number in range(start, start + count)]
        assert [float(output[0, 0]) for output in outputs] == expected
        start += count
    assert {shape[0] for shape in network.given} <= {1, 2, 4, 8, 16, BATCH}
    session.let_go(rooms)
    again = session.room(shapes)
    assert {room.base.ctypes.data for room in again} <= {room.base.ctypes.data for room in rooms}


def test_a_network_of_one_picture_runs_them_one_after_the_other():
    network = Sums(first=1)
    tensors = [np.full((1, 3, 4, 4), k, np.float32) for k in range(3)]
    assert [float(one[0, 0]) for one in BatchedSession(network).run(tensors)] == [0.0, 48.0, 96.0]
    assert network.given == [(1, 3, 4, 4)] * 3


def test_two_threads_do_not_share_memory():
    session = BatchedSession(Sums())

    def work(seed):
        rng = np.random.default_rng(seed)
        for _ in range(40):
            rooms = session.room([(1, 3, 8, 8)] * int(rng.integers(1, 50)))
            values = rng.integers(0, 9, len(rooms))
            for room, value in zip(rooms, values, strict=True):
                room[...] = value
            if [float(one[0, 0]) for one in session.run(rooms)] != [192.0 * value for value in values]:
                return False
            session.let_go(rooms)
        return True

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(4)))


def test_a_detector_finds_in_a_batch_what_it_finds_one_by_one(machine):
    """The whole way of a detector on a card: pictures of two sizes, prepared in the memory of the session."""
    machine((CUDA,), (CUDA,))
    rng = np.random.default_rng(4)
    pictures = [rng.integers(0, 255, (96 + 32 * (k % 2), 128, 3), dtype=np.uint8) for k in range(5)]
    ours = Detector(confidence=0.01, backend="cuda", image_size=128)
    theirs = Detector(confidence=0.01, backend="onnxruntime", image_size=128, threads=2)
    found, expected = ours.detect(pictures), [theirs.detect([picture])[0] for picture in pictures]
    assert sum(len(one) for one in expected) > 0
    for a, b in zip(found, expected, strict=True):
        assert [(one.kind, round(one.x1), round(one.y2)) for one in a] == [
            (one.kind, round(one.x1), round(one.y2)) for one in b
        ]
    assert bare_rate(ours, pictures, batch=2).per_second > 0


def test_what_is_asked_of_a_card_names_the_card():
    providers = Card("cuda", 1, "f32", None).providers("images", channels_open=True)
    assert [one if isinstance(one, str) else one[0] for one in providers] == [CUDA, CPU]
    assert providers[0][1]["device_id"] == "1"
