"""Sessions that run an ONNX network: which engine there is, and on the processor which of two is faster.

On a graphics card TensorRT or CUDA run it, see `vision.graphics`; on the processor ONNX Runtime or OpenVINO. There a
single image runs on all threads (latency). Several images run side by side, one thread each (throughput), which costs
a third less processor time on two cores than giving each image both. Figures are 32-bit floats in both unless asked
otherwise: OpenVINO would pick bfloat16 by itself on some processors, twice as fast and not the same numbers.
"""

from __future__ import annotations

import contextlib
import json
import logging
import math
import os
import platform
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from geo import FileWriteError, write_text
from vision.errors import MissingExtra, ModelError, VisionError
from vision.graphics import BATCH, GRAPHICS, Card, open_graphics, why_not
from vision.model_file import input_sides

try:
    import openvino
    import openvino.preprocess
except ModuleNotFoundError:  # ONNX Runtime alone does, slower on most processors
    openvino = None

__all__ = [
    "BACKENDS",
    "ENGINES",
    "PRECISIONS",
    "Session",
    "best_graphics",
    "default_cache_dir",
    "open_session",
    "pick_backend",
]

Tensor = NDArray[np.float32]
Input = NDArray[Any]

_LOG = logging.getLogger("vedette.vision")
_PROBE_RUNS = 5


class Session(Protocol):
    """A network ready to run."""

    @property
    def input_shape(self) -> tuple[int | None, int | None]:
        """Height and width that the network insists on; None where it takes any."""

    @property
    def takes_bytes(self) -> bool:
        """Whether an input may be a picture as it is: (1, height, width, 3), uint8, blue-green-red."""

    def run(self, tensors: Sequence[Input]) -> list[Tensor]:
        """First output for each input of shape (1, 3, height, width), RGB in 0 to 1, in order. Thread-safe."""

    def room(self, shapes: Sequence[tuple[int, ...]]) -> list[Input]:
        """Memory for inputs of these shapes, bytes where it takes them: those that lie in it are run soonest."""

    def let_go(self, rooms: Sequence[Input]) -> None:
        """Take memory of `room` back."""


class _Rooms:
    """Memory for inputs, used again: fresh memory of this size comes page by page from the system."""

    takes_bytes = False

    def __init__(self) -> None:
        self._free: dict[tuple[int, ...], list[Input]] = {}

    def room(self, shapes: Sequence[tuple[int, ...]]) -> list[Input]:
        rooms = []
        for shape in shapes:
            try:
                rooms.append(self._free[shape].pop())
            except (KeyError, IndexError):
                rooms.append(np.empty(shape, np.uint8 if self.takes_bytes else np.float32))
        return rooms

    def let_go(self, rooms: Sequence[Input]) -> None:
        for one in rooms:
            self._free.setdefault(one.shape, []).append(one)


class _OnnxRuntime(_Rooms):
    """ONNX Runtime; a session on all threads, and on demand one that runs an image a thread."""

    def __init__(self, path: Path, threads: int, precision: str) -> None:
        super().__init__()
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
        return input_sides(
            *(dimension if isinstance(dimension, int) and dimension > 0 else None for dimension in shape)
        )

    def run(self, tensors: Sequence[Input]) -> list[Tensor]:
        if len(tensors) == 1 or self._threads == 1:
            return [self._wide.run(None, {self._name: tensor})[0] for tensor in tensors]
        with self._lock:
            if self._pool is None:
                self._narrow = self._open(1)
                self._pool = ThreadPoolExecutor(self._threads, "vedette-ort")
        return list(self._pool.map(lambda tensor: self._narrow.run(None, {self._name: tensor})[0], tensors))


class _OpenVino(_Rooms):
    """OpenVINO; a compiled network for each form and size of its input and for one image or several.

    What makes floats of a picture's bytes is part of the compiled network, whose first layer reads them so at no cost.
    """

    takes_bytes = True

    def __init__(self, path: Path, threads: int, precision: str) -> None:
        super().__init__()
        if openvino is None:
            raise MissingExtra("engine openvino: is not installed: pip install openvino")
        self._core = openvino.Core()
        self._model = self._core.read_model(str(path))
        self._threads, self._precision = threads, precision
        self._compiled: dict[tuple[int, ...], _Requests] = {}
        self._lock = threading.Lock()

    @property
    def input_shape(self) -> tuple[int | None, int | None]:
        shape = self._model.inputs[0].partial_shape
        if shape.rank.is_dynamic:
            return None, None
        return input_sides(*(None if dimension.is_dynamic else dimension.get_length() for dimension in shape))

    def _requests(self, shape: tuple[int, ...], streams: int, *, as_bytes: bool) -> _Requests:
        key = (*shape, streams, as_bytes)
        with self._lock:
            if key not in self._compiled:
                model = self._model.clone()
                model.reshape([shape[0], shape[3], *shape[1:3]] if as_bytes else list(shape))
                if as_bytes:
                    model = _of_bytes(model)
                properties: dict[str, Any] = {
                    "INFERENCE_NUM_THREADS": self._threads,
                    "NUM_STREAMS": streams,
                    "PERFORMANCE_HINT": "LATENCY" if streams == 1 else "THROUGHPUT",
                }
                if self._precision != "auto":
                    properties["INFERENCE_PRECISION_HINT"] = self._precision
                self._compiled[key] = _Requests(self._core.compile_model(model, "CPU", properties), 2 * streams)
            return self._compiled[key]

    def run(self, tensors: Sequence[Input]) -> list[Tensor]:
        streams = 1 if len(tensors) == 1 else self._threads
        return self._requests(tensors[0].shape, streams, as_bytes=tensors[0].dtype == np.uint8).run(tensors)


def _of_bytes(model: Any) -> Any:
    """A network of OpenVINO that takes (1, height, width, 3), uint8, blue-green-red."""
    made = openvino.preprocess.PrePostProcessor(model)
    given = made.input()
    given.tensor().set_element_type(openvino.Type.u8).set_layout(openvino.Layout("NHWC"))
    given.tensor().set_color_format(openvino.preprocess.ColorFormat.BGR)
    given.model().set_layout(openvino.Layout("NCHW"))
    given.preprocess().convert_element_type(openvino.Type.f32)
    given.preprocess().convert_color(openvino.preprocess.ColorFormat.RGB).scale(255.0)
    return made.build()


class _Requests:
    """Requests of a compiled network of OpenVINO, used again.

    A call has up to `most` of them under way: more than run at a time, so that a thread that has ended one begins the
    next without waiting for Python. Calls of several threads overlap: the second one's begin where the first one's
    leave a thread free.
    """

    def __init__(self, compiled: Any, most: int) -> None:
        self._compiled, self._most = compiled, most
        self._free: list[Any] = []

    def run(self, tensors: Sequence[Input]) -> list[Tensor]:
        """First output for each input, in order. Thread-safe: a request belongs to one call at a time."""
        results: list[Tensor] = []
        under_way: deque[Any] = deque()
        try:
            for tensor in tensors:
                if len(under_way) == self._most:
                    results.append(self._result(under_way))
                try:
                    request = self._free.pop()
                except IndexError:
                    request = self._compiled.create_infer_request()
                request.start_async({0: tensor}, share_inputs=True)
                under_way.append(request)
            while under_way:
                results.append(self._result(under_way))
        finally:
            # Where one failed: the others still read the memory of their inputs.
            for request in under_way:
                with contextlib.suppress(RuntimeError):
                    request.wait()
        return results

    def _result(self, under_way: deque[Any]) -> Tensor:
        """The output of the oldest request, which is free again then."""
        request = under_way.popleft()
        request.wait()
        result = np.array(request.get_output_tensor(0).data, dtype=np.float32)
        self._free.append(request)
        return result


BACKENDS: Mapping[str, Callable[[Path, int, str], Session]] = {
    "onnxruntime": _OnnxRuntime,
    **({"openvino": _OpenVino} if openvino is not None else {}),
}
"""Runtimes of the processor that are installed, by name."""

ENGINES: Mapping[str, str] = {
    "auto": "auto",
    "tensorrt": "tensorrt",
    "cuda": "cuda",
    "openvino": "openvino",
    "cpu": "onnxruntime",
}
"""Backends of a detector by the names that people choose an engine by."""

_USUAL = 384, 640  # height and width of the network's input for a picture of 16 to 9

PRECISIONS = ("f32", "auto")
"""How exactly a network is run: 32-bit floats, or what the engine holds to be good enough."""


def open_session(
    backend: str, path: Path, threads: int, precision: str = "f32", cache_dir: Path | None = None
) -> Session:
    """Open a network.

    Parameters
    ----------
    backend
        One of `BACKENDS` or `vision.graphics.GRAPHICS`; of the latter with the number of the card behind a colon where
        it is not the first, ``"cuda:1"``.
    path
        ONNX file.
    threads
        Of the processor.
    precision, cache_dir
        As in `vision.Detector`.

    Raises
    ------
    ModelError
        When the backend is none of these, or cannot load the file.
    MissingExtra
        When it is not installed, or what it needs is not.
    """
    engine, _, number = backend.partition(":")
    if backend not in BACKENDS and not (engine in GRAPHICS and (number or "0").isdecimal()) and backend != "openvino":
        known = ", ".join(dict.fromkeys([*BACKENDS, "openvino", *GRAPHICS]))
        raise ModelError(
            f"backend {backend!r} is unknown: choose auto, {known}; a card by its number where there are several "
            "(cuda:1)"
        )
    try:
        session: Session
        if engine in GRAPHICS:
            card = Card(engine, int(number or 0), precision, cache_dir or default_cache_dir())
            session = open_graphics(path, card)
        else:
            session = BACKENDS.get(backend, _OpenVino)(path, threads, precision)
        _ = session.input_shape
    except MissingExtra:
        raise
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from error
    except Exception as error:  # the runtimes raise a dozen types, RuntimeError among them
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ModelError(f"{path}: {backend} cannot load the model ({first[:160]}): export it again") from error
    return session


def best_graphics(path: Path, threads: int, precision: str, cache_dir: Path) -> tuple[str, Session | None, list[str]]:
    """The fastest engine of a graphics card that runs a network, its session, and why none before it does.

    It has to run a whole batch: a card whose memory others have taken opens a network, and fails with the first
    pictures. Without one the name is empty and the session None.
    """
    told: list[str] = []
    for engine in GRAPHICS:
        reason = why_not(engine)
        if reason is None:
            try:
                session = open_session(engine, path, threads, precision, cache_dir)
                height, width = (given or usual for given, usual in zip(session.input_shape, _USUAL, strict=True))
                session.run([np.zeros((1, 3, height, width), np.float32)] * BATCH)
            except VisionError as error:
                reason = str(error).removeprefix(f"engine {engine}: ")
            except Exception as error:  # noqa: BLE001 - the runtimes raise a dozen types, RuntimeError among them
                reason = f"opens the network and does not run it ({(str(error).splitlines() or ['?'])[0][:160]})"
            else:
                return engine, session, told
        told.append(f"{engine}: {reason}")
    return "", None, told


def pick_backend(
    sessions: Mapping[str, Callable[[], Session]],
    key: Sequence[object],
    ask: Callable[[Session, int], object],
    cache_dir: Path,
    count: int,
) -> tuple[str, Session]:
    """The session that looks at pictures faster on this processor, `count` of them at a time.

    `ask` has a session look at so many, making its inputs included: one that takes bytes has little to be made.

    One alone is to have its answer soon, so the clock decides. Several fill the processor, and the session that takes
    less of it gets more of them done; that is measured as well where other programs run.

    Measured once, the best of some runs: the choice and the milliseconds it rests on are kept in ``backends.json`` of
    the cache folder, under `key`, the count, the processor and the versions of the runtimes. Delete the file to
    measure again.
    """
    where = cache_dir / "backends.json"
    name = " | ".join(
        str(part)
        for part in (
            *key,
            f"{count} at once, with their inputs",
            _processor(),
            os.cpu_count(),
            onnxruntime.__version__,
            _openvino_version(),
        )
    )
    known = _read_choices(where)
    choice = known.get(name, {}).get("choice")
    if choice in sessions:
        return choice, sessions[choice]()
    opened = {backend: make() for backend, make in sessions.items()}
    clock = time.perf_counter if count == 1 else time.process_time
    least_ms = dict.fromkeys(opened, math.inf)
    for session in opened.values():
        ask(session, count)
    for _ in range(_PROBE_RUNS):  # in turns, so that another program's load falls on both
        for backend, session in opened.items():
            start = clock()
            ask(session, count)
            # Whatever else runs makes a run longer, never shorter.
            least_ms[backend] = min(least_ms[backend], round((clock() - start) * 1e3 / count, 2))
    best = min(least_ms, key=lambda backend: least_ms[backend])
    _write_choices(where, {**known, name: {"choice": best, "least_ms": least_ms}})
    return best, opened[best]


def default_cache_dir() -> Path:
    """``$VEDETTE_CACHE``, else ``vedette`` in the user's cache folder."""
    given = os.environ.get("VEDETTE_CACHE")
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(given) if given else Path(base) / "vedette"


def _openvino_version() -> str:
    return "without" if openvino is None else str(openvino.__version__)


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
