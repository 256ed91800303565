"""Networks on a graphics card: ONNX Runtime with CUDA or TensorRT, pictures in batches, and why there is none.

Each picture alone would leave most of a card idle, so pictures of one size run as one batch. A card prepares itself
anew for each size of a batch, which takes longer than the pictures do; so batches are filled up to a few sizes, and
what is in the places that nobody asked for is not looked at.

Figures are 32-bit floats unless asked otherwise: cards would round the factors of a convolution to 19 bits (TF32) by
themselves, and TensorRT is four times as fast with 16.
"""

from __future__ import annotations

import contextlib
import ctypes
import io
import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from vision.errors import MissingExtra
from vision.model_file import input_sides

__all__ = ["BATCH", "GRAPHICS", "BatchedSession", "Card", "open_graphics", "why_not"]

Tensor = NDArray[np.float32]
T = TypeVar("T")

GRAPHICS: Mapping[str, str] = {"tensorrt": "TensorrtExecutionProvider", "cuda": "CUDAExecutionProvider"}
"""Providers of ONNX Runtime by the engine that they are, the fastest first."""

BATCH = 32
"""Most pictures of a batch; more do not make a card faster."""

_SIZES = (1, 2, 4, 8, 16, BATCH)
_NEEDS = {
    "cuda": "the NVIDIA driver, CUDA and cuDNN of the versions that it was built for (the extras cuda and cudnn of "
    "onnxruntime-gpu bring them)",
    "tensorrt": "the NVIDIA driver and TensorRT 10 (tensorrt-cu13), beside what cuda needs",
}
_WARNINGS = 2
_BLOCKING_SYNC = 4  # CU_CTX_SCHED_BLOCKING_SYNC
_SIDES = 32, 1280
_USUAL = 384, 640


def why_not(engine: str) -> str | None:
    """Why an engine of `GRAPHICS` cannot be there; None where it may, which only opening a model with it shows."""
    there = onnxruntime.get_available_providers()
    if GRAPHICS[engine] in there:
        return None
    return f"not in this ONNX Runtime {onnxruntime.__version__}"


@dataclass(frozen=True, slots=True)
class Card:
    """Which card, and how.

    Parameters
    ----------
    engine
        Key of `GRAPHICS`.
    number
        Of the card.
    precision
        As in `vision.Detector`.
    cache_dir
        Where TensorRT keeps what it has built, which takes it minutes.
    """

    engine: str
    number: int
    precision: str
    cache_dir: Path

    def providers(self, name: str, channels_open: bool) -> list[Any]:
        """What ONNX Runtime is to run a network on, whose input has a name; the processor last, for what is left."""
        exact = self.precision == "f32"
        cuda = {
            "device_id": str(self.number),
            "use_tf32": "0" if exact else "1",
            # By trial, it would try all ways of each convolution again for each size of a batch.
            "cudnn_conv_algo_search": "HEURISTIC",
            "arena_extend_strategy": "kSameAsRequested",
        }
        chain: list[Any] = [("CUDAExecutionProvider", cuda), "CPUExecutionProvider"]
        if self.engine != "tensorrt":
            return chain
        folder = self.cache_dir / "tensorrt"
        folder.mkdir(parents=True, exist_ok=True)
        tensorrt = {
            "device_id": str(self.number),
            "trt_fp16_enable": "0" if exact else "1",
            "trt_engine_cache_enable": "1",
            "trt_engine_cache_path": str(folder),
            "trt_timing_cache_enable": "1",
            "trt_timing_cache_path": str(folder),
        }
        if channels_open:
            # One engine for all sizes: another for each would take minutes at the first picture of each.
            (least, most), (height, width) = _SIDES, _USUAL
            tensorrt |= {
                "trt_profile_min_shapes": f"{name}:1x3x{least}x{least}",
                "trt_profile_opt_shapes": f"{name}:{BATCH // 2}x3x{height}x{width}",
                "trt_profile_max_shapes": f"{name}:{BATCH}x3x{most}x{most}",
            }
        return [("TensorrtExecutionProvider", tensorrt), *chain]


def open_graphics(path: Path, card: Card) -> BatchedSession:
    """Open a network on a card.

    Raises
    ------
    MissingExtra
        When ONNX Runtime is not built for it, or does not find what it needs.
    """
    reason = why_not(card.engine)
    if reason is not None:
        raise MissingExtra(
            f"engine {card.engine}: {reason}: pip uninstall onnxruntime, then pip install "
            "'onnxruntime-gpu[cuda,cudnn]' (both are one module: only one of them can be installed)"
        )
    probe = _session(path, ["CPUExecutionProvider"]).get_inputs()[0]
    _wait_without_spinning(card.number)
    onnxruntime.set_default_logger_severity(4)  # what it says of libraries that are absent is said below
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            with contextlib.suppress(Exception):
                onnxruntime.preload_dlls(msvc=False)  # finds those of NVIDIA's wheels; without them the system's serve
            session = _session(path, card.providers(probe.name, isinstance(probe.shape[0], str)))
    finally:
        onnxruntime.set_default_logger_severity(_WARNINGS)
    if GRAPHICS[card.engine] not in session.get_providers():
        # ONNX Runtime says so in its log alone, and goes on with the processor.
        raise MissingExtra(
            f"engine {card.engine}: {GRAPHICS[card.engine]} of ONNX Runtime {onnxruntime.__version__} does not load "
            f"for card {card.number}: it needs {_NEEDS[card.engine]}"
        )
    return BatchedSession(session)


def _wait_without_spinning(number: int) -> None:
    """Have whoever waits for a card sleep: FFmpeg decodes in the context of inference only where it waits like that."""
    with contextlib.suppress(OSError, AttributeError):
        driver = ctypes.CDLL("libcuda.so.1")
        driver.cuInit(0)
        driver.cuDevicePrimaryCtxSetFlags_v2(number, _BLOCKING_SYNC)


def _session(path: Path, providers: list[Any]) -> Any:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(str(path), options, providers=providers)


class BatchedSession:
    """A network that runs pictures of one size together; see `vision.processor_sessions.Session`.

    Parameters
    ----------
    session
        Of ONNX Runtime. One whose input takes one picture runs them one after the other.
    """

    takes_bytes = False

    def __init__(self, session: Any) -> None:
        self._session = session
        self._input = session.get_inputs()[0]
        self._single = self._input.shape[0] == 1
        self._free: dict[tuple[int, ...], list[Tensor]] = {}
        self._lock = threading.Lock()

    @property
    def input_shape(self) -> tuple[int | None, int | None]:
        """Height and width that the network insists on; None where it takes any."""
        return input_sides(*(one if isinstance(one, int) and one > 0 else None for one in self._input.shape))

    def run(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """First output for each input of shape (1, 3, height, width), in order. Thread-safe."""
        if self._single:
            return [self._session.run(None, {self._input.name: tensor})[0] for tensor in tensors]
        outputs: list[Tensor] = []
        while len(outputs) < len(tensors):
            part = _alike(tensors, len(outputs), lambda tensor: tensor.shape)
            with self._batch(part) as batch:
                output = self._session.run(None, {self._input.name: batch})[0]
            outputs += [output[k : k + 1] for k in range(len(part))]
        return outputs

    def outputs(self, tensors: Sequence[Tensor]) -> Generator[Tensor]:
        """As `run`."""
        yield from self.run(tensors)

    def room(self, shapes: Sequence[tuple[int, ...]]) -> list[Tensor]:
        """Memory for inputs of the shapes (1, 3, height, width) that `run` takes as it lies, without copying it.

        It is the caller's until it is handed to `let_go`.
        """
        rooms: list[Tensor] = []
        while len(rooms) < len(shapes):
            part = _alike(shapes, len(rooms), lambda shape: shape)
            block = self._block(part[0][1:])
            rooms += [block[k : k + 1] for k in range(len(part))]
        return rooms

    def let_go(self, rooms: Sequence[Tensor]) -> None:
        """Take memory of `room` back."""
        blocks = {id(one.base): one.base for one in rooms if one.base is not None}
        with self._lock:
            for block in blocks.values():
                self._free.setdefault(block.shape[1:], []).append(block)

    def _block(self, shape: tuple[int, ...]) -> Tensor:
        with self._lock:
            free = self._free.get(shape)
            if free:
                return free.pop()
        return np.zeros((BATCH, *shape), np.float32)

    @contextlib.contextmanager
    def _batch(self, tensors: Sequence[Tensor]) -> Iterator[Tensor]:
        """The inputs as one, filled up to one of `_SIZES`."""
        size = next(one for one in _SIZES if one >= len(tensors))
        block = tensors[0].base
        if isinstance(block, np.ndarray) and _lie_in(block, tensors) and len(block) >= size:
            yield block[:size]
            return
        rooms = self.room([tensors[0].shape] * len(tensors))
        try:
            for room, tensor in zip(rooms, tensors, strict=True):
                room[...] = tensor
            assert rooms[0].base is not None
            yield rooms[0].base[:size]
        finally:
            self.let_go(rooms)


def _alike(items: Sequence[T], start: int, shape: Callable[[T], tuple[int, ...]]) -> Sequence[T]:
    """Those from one on that make a batch: of its shape, and no more than `BATCH`."""
    end = start + 1
    while end < min(len(items), start + BATCH) and shape(items[end]) == shape(items[start]):
        end += 1
    return items[start:end]


def _lie_in(block: NDArray[Any], tensors: Sequence[Tensor]) -> bool:
    """Whether inputs are the first places of a block, in order."""
    first = block.ctypes.data
    step = tensors[0].nbytes
    return (
        block.ndim == 4
        and block.flags.c_contiguous
        and block.dtype == np.float32
        and all(one.base is block and one.flags.c_contiguous for one in tensors)
        and tensors[0].ctypes.data == first
        and all(b.ctypes.data - a.ctypes.data == step for a, b in pairwise(tensors))
    )
