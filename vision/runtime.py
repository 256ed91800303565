"""Sessions that run an ONNX network on the processor: ONNX Runtime and OpenVINO behind one call, and which is faster.

A single image runs on all threads (latency). Several images run side by side, one thread each (throughput), which
costs a third less processor time on two cores than giving each image both. Figures are 32-bit floats in both unless
asked otherwise: OpenVINO would pick bfloat16 by itself on some processors, twice as fast and not the same numbers.
"""

from __future__ import annotations

import json
import logging
import os
import platform
import statistics
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import onnxruntime
import openvino
from numpy.typing import NDArray

from geo import FileWriteError, write_text
from vision.errors import ModelError

__all__ = ["BACKENDS", "Session", "default_cache_dir", "open_session", "pick_backend"]

Tensor = NDArray[np.float32]

_LOG = logging.getLogger("vedette.vision")
_PROBE_RUNS = 5


class Session(Protocol):
    """A network ready to run."""

    @property
    def input_shape(self) -> tuple[int | None, int | None]:
        """Height and width that the network insists on; None where it takes any."""

    def run(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """First output for each input of shape (1, 3, height, width), in order. Thread-safe."""


class _OnnxRuntime:
    """ONNX Runtime; a session on all threads, and on demand one that runs an image a thread."""

    def __init__(self, path: Path, threads: int, precision: str) -> None:
        del precision  # it computes as the model is stored
        self._path, self._threads = path, threads
        self._wide = self._open(threads)
        self._narrow: Any = None
        self._pool: ThreadPoolExecutor | None = None
        self._lock = threading.Lock()
        self._name = self._wide.get_inputs()[0].name

    def _open(self, threads: int) -> Any:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 4
        # Threads that wait in a loop take the processor from decoding and tracking.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        return onnxruntime.InferenceSession(str(self._path), options, providers=["CPUExecutionProvider"])

    @property
    def input_shape(self) -> tuple[int | None, int | None]:
        shape = self._wide.get_inputs()[0].shape
        return _sides(*(dimension if isinstance(dimension, int) and dimension > 0 else None for dimension in shape))

    def run(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        if len(tensors) == 1 or self._threads == 1:
            return [self._wide.run(None, {self._name: tensor})[0] for tensor in tensors]
        with self._lock:
            if self._pool is None:
                self._narrow = self._open(1)
                self._pool = ThreadPoolExecutor(self._threads, "vedette-ort")
        return list(self._pool.map(lambda tensor: self._narrow.run(None, {self._name: tensor})[0], tensors))


class _OpenVino:
    """OpenVINO; a compiled network for each input size and for one image or several."""

    def __init__(self, path: Path, threads: int, precision: str) -> None:
        self._core = openvino.Core()
        self._model = self._core.read_model(str(path))
        self._threads, self._precision = threads, precision
        self._compiled: dict[tuple[int, ...], Any] = {}
        self._lock = threading.Lock()

    @property
    def input_shape(self) -> tuple[int | None, int | None]:
        shape = self._model.inputs[0].partial_shape
        if shape.rank.is_dynamic:
            return None, None
        return _sides(*(None if dimension.is_dynamic else dimension.get_length() for dimension in shape))

    def _queue(self, shape: tuple[int, ...], streams: int) -> Any:
        key = (*shape, streams)
        if key not in self._compiled:
            model = self._model.clone()
            model.reshape(list(shape))
            properties: dict[str, Any] = {
                "INFERENCE_NUM_THREADS": self._threads,
                "NUM_STREAMS": streams,
                "PERFORMANCE_HINT": "LATENCY" if streams == 1 else "THROUGHPUT",
            }
            if self._precision != "auto":
                properties["INFERENCE_PRECISION_HINT"] = self._precision
            self._compiled[key] = openvino.AsyncInferQueue(
                self._core.compile_model(model, "CPU", properties), jobs=streams
            )
        return self._compiled[key]

    def run(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        results: list[Tensor | None] = [None] * len(tensors)
        # One at a time: the queue's callback belongs to this call's results.
        with self._lock:
            queue = self._queue(tensors[0].shape, 1 if len(tensors) == 1 else self._threads)

            def keep(request: Any, number: int) -> None:
                results[number] = np.array(request.get_output_tensor(0).data, dtype=np.float32)

            queue.set_callback(keep)
            for number, tensor in enumerate(tensors):
                queue.start_async({0: tensor}, number, share_inputs=True)
            queue.wait_all()
        return [result for result in results if result is not None]


BACKENDS: Mapping[str, Callable[[Path, int, str], Session]] = {
    "onnxruntime": _OnnxRuntime,
    "openvino": _OpenVino,
}
"""Runtimes by name."""


def open_session(backend: str, path: Path, threads: int, precision: str = "f32") -> Session:
    """Open a network.

    Raises
    ------
    ModelError
        When the backend is not one of `BACKENDS` or cannot load the file.
    """
    if backend not in BACKENDS:
        raise ModelError(f"backend {backend!r} is unknown: choose auto, {', '.join(BACKENDS)}")
    try:
        session = BACKENDS[backend](path, threads, precision)
        _ = session.input_shape
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from error
    except Exception as error:  # the runtimes raise a dozen types, RuntimeError among them
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ModelError(f"{path}: {backend} cannot load the model ({first[:160]}): export it again") from error
    return session


def pick_backend(
    sessions: Mapping[str, Callable[[], Session]], key: Sequence[object], tensor: Tensor, cache_dir: Path
) -> tuple[str, Session]:
    """The session that runs a tensor faster on this processor.

    Measured once: the choice and the milliseconds it rests on are kept in ``backends.json`` of the cache folder, under
    `key`, the processor and the versions of the runtimes. Delete the file to measure again.
    """
    where = cache_dir / "backends.json"
    name = " | ".join(
        str(part)
        for part in (*key, tensor.shape, _processor(), os.cpu_count(), onnxruntime.__version__, openvino.__version__)
    )
    known = _read_choices(where)
    choice = known.get(name, {}).get("choice")
    if choice in sessions:
        return choice, sessions[choice]()
    opened = {backend: make() for backend, make in sessions.items()}
    times_ms: dict[str, list[float]] = {backend: [] for backend in opened}
    for session in opened.values():
        session.run([tensor])
    for _ in range(_PROBE_RUNS):  # in turns, so that another program's load falls on both
        for backend, session in opened.items():
            start = time.perf_counter()
            session.run([tensor])
            times_ms[backend].append((time.perf_counter() - start) * 1e3)
    medians = {backend: round(statistics.median(times), 2) for backend, times in times_ms.items()}
    best = min(medians, key=lambda backend: medians[backend])
    _write_choices(where, {**known, name: {"choice": best, "median_ms": medians}})
    return best, opened[best]


def default_cache_dir() -> Path:
    """``$VEDETTE_CACHE``, else ``vedette`` in the user's cache folder."""
    given = os.environ.get("VEDETTE_CACHE")
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(given) if given else Path(base) / "vedette"


def _sides(*shape: int | None) -> tuple[int | None, int | None]:
    """Height and width of an input's shape; None for a dimension that is open."""
    if len(shape) != 4 or shape[1] not in {3, None} or shape[0] not in {1, None}:
        told = ", ".join("any" if dimension is None else str(dimension) for dimension in shape)
        raise ModelError(f"its input has the shape [{told}]: a detector takes one picture, [1, 3, height, width]")
    return shape[2], shape[3]


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:  # not Linux
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _read_choices(where: Path) -> dict[str, Any]:
    try:
        known = json.loads(where.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        _LOG.warning("%s: cannot be read (%s): the backends are measured again", where, error)
        return {}
    return {k: v for k, v in known.items() if isinstance(v, dict)} if isinstance(known, dict) else {}


def _write_choices(where: Path, choices: Mapping[str, Any]) -> None:
    try:
        write_text(where, json.dumps(choices, indent=1, sort_keys=True))
    except FileWriteError as error:
        _LOG.warning("%s (until then the backends are measured at each start)", error)
