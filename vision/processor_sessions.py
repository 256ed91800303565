"""Sessions that run an ONNX network on the processor: ONNX Runtime and OpenVINO.

A single image runs on all threads (latency). Several images run side by side, one thread each (throughput), which costs
a third less processor time on two cores than giving each image both. Figures are 32-bit floats in both unless asked
otherwise: OpenVINO would pick bfloat16 by itself on some processors, twice as fast and not the same numbers.
"""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from vision.errors import MissingExtra
from vision.model_file import input_sides
from vision.warm_memory import WarmMemory

try:
    import openvino
    import openvino.preprocess
except ModuleNotFoundError:  # ONNX Runtime alone does, slower on most processors
    openvino = None

__all__ = ["BACKENDS", "OpenVino", "Session", "versions"]

Tensor = NDArray[np.float32]
Input = NDArray[Any]


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

    def outputs(self, tensors: Sequence[Input]) -> Generator[Tensor]:
        """As `run`, where each output may lie in memory of the engine: it is good until the next one is asked for.

        Close it where it is not read to its end: the engine may still read the inputs.
        """

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

    def outputs(self, tensors: Sequence[Input]) -> Generator[Tensor]:
        yield from self.run(tensors)


class OpenVino(_Rooms):
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
        """As of a `Session`."""
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
        """As of a `Session`."""
        return self._requests_for(tensors).run(tensors)

    def outputs(self, tensors: Sequence[Input]) -> Generator[Tensor]:
        """As of a `Session`."""
        return self._requests_for(tensors).outputs(tensors)

    def _requests_for(self, tensors: Sequence[Input]) -> _Requests:
        streams = 1 if len(tensors) == 1 else self._threads
        return self._requests(tensors[0].shape, streams, as_bytes=tensors[0].dtype == np.uint8)


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
        self._compiled, self._most, self._memory = compiled, most, WarmMemory()
        self._free: list[Any] = []

    def run(self, tensors: Sequence[Input]) -> list[Tensor]:
        """First output for each input, in order. Thread-safe: a request belongs to one call at a time."""
        results: list[Tensor] = []
        for output in self.outputs(tensors):
            results.append(self._memory.array(output.shape, np.float32))
            np.copyto(results[-1], output)
        return results

    def outputs(self, tensors: Sequence[Input]) -> Generator[Tensor]:
        """The same as they lie in the requests' own memory: each is good until the next one is asked for."""
        under_way: deque[Any] = deque()
        try:
            for tensor in tensors:
                if len(under_way) == self._most:
                    yield from self._output(under_way)
                try:
                    request = self._free.pop()
                except IndexError:
                    request = self._compiled.create_infer_request()
                request.start_async({0: tensor}, share_inputs=True)
                under_way.append(request)
            while under_way:
                yield from self._output(under_way)
        finally:
            # Where one failed, or nobody wants the rest: they still read the memory of their inputs.
            for request in under_way:
                with contextlib.suppress(RuntimeError):
                    request.wait()

    def _output(self, under_way: deque[Any]) -> Iterator[Tensor]:
        """The output of the oldest request, which is free again once that was looked at."""
        request = under_way.popleft()
        request.wait()
        yield request.get_output_tensor(0).data
        self._free.append(request)


BACKENDS: Mapping[str, Callable[[Path, int, str], Session]] = {
    "onnxruntime": _OnnxRuntime,
    **({"openvino": OpenVino} if openvino is not None else {}),
}
"""Runtimes of the processor that are installed, by name."""


def versions() -> tuple[str, str]:
    """Of ONNX Runtime and OpenVINO; "without" where that is not installed."""
    return onnxruntime.__version__, "without" if openvino is None else str(openvino.__version__)
