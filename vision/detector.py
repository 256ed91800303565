"""Objects in pictures: a YOLO network on a graphics card or the processor, close to the limit of either."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.engine_choice import pick_backend
from vision.errors import ModelError
from vision.graphics import BATCH, GRAPHICS
from vision.letterboxes import Letterbox, laid, letterbox, size_of
from vision.model_file import KINDS, ModelFile, read_model_file
from vision.planes import DecodedFrame
from vision.processor_sessions import BACKENDS, Session
from vision.records import ModelRef
from vision.runtime import PRECISIONS, best_graphics, default_cache_dir, open_session
from vision.sensor import SHIPPED_MODELS
from vision.torch_weights import SUFFIX, network_of
from vision.types import Detection, Frame
from vision.yolo_output import decode_output, suppress

__all__ = ["SHIPPED_MODEL", "Detector", "Rate", "bare_rate"]

Image = NDArray[np.uint8]
Floats = NDArray[np.float32]
Input = NDArray[Any]
Ints = NDArray[np.intp]
# Boxes, scores and class numbers, see `decode_output`.
_Seen = tuple[Floats, Floats, Ints]

SHIPPED_MODEL = SHIPPED_MODELS["thermal"]
"""The one that is taken where nothing is said."""


class Detector:
    """Finds persons, vehicles, bicycles and animals.

    Parameters
    ----------
    model_path
        ONNX detector as Ultralytics exports it, or its weights (``.pt``), which ultralytics makes one of, once (the
        extra ``train``); None takes `SHIPPED_MODEL`.
    backend
        ``"tensorrt"`` or ``"cuda"`` on a graphics card (the second one: ``"cuda:1"``), ``"onnxruntime"`` or
        ``"openvino"`` on the processor, or ``"auto"``: the first of these that a card is there for, else the faster
        on this processor (see `several`), measured once and kept in `cache_dir`. Pin one where two runs must give the
        same numbers on a fresh machine.
    confidence, iou
        Least score of a detection; overlap above which the weaker of two boxes of one kind goes.
    image_size
        Longer side of the network's input, pixels; None takes the model's own.
    threads
        Processor threads; None takes all. One picture runs on all of them; hand over several for throughput.
    cache_dir
        Where the measurement is kept, and what TensorRT builds; None takes `default_cache_dir`.
    precision
        ``"f32"``, or ``"auto"`` to let the engine choose a faster, coarser number format: OpenVINO bfloat16 where the
        processor has it, CUDA TF32, TensorRT 16 bits.
    kinds
        Kinds that are reported, of "person", "vehicle", "bicycle", "animal"; a thing of another kind is not reported
        as one of these.
    classes
        Our kind by class name, for a model whose names `KINDS` does not know.
    several
        Whether pictures mostly come several at once, as those of recordings and of several cameras do: the engine is
        then the one that gets most of them done, else the one that has a single one done soonest.

    Raises
    ------
    ModelError
        When the model is missing, broken or not a detector, or an argument is out of range.
    MissingExtra
        When the backend that was asked for is not there.
    """

    overlaps = True
    """Two threads may call `detect` at once: one makes its pictures ready while the other one's are looked at."""

    def __init__(
        self,
        model_path: str | Path | None = None,
        *,
        backend: str = "auto",
        confidence: float = 0.25,
        iou: float = 0.6,
        image_size: int | None = None,
        threads: int | None = None,
        cache_dir: str | Path | None = None,
        precision: str = "f32",
        kinds: Sequence[str] = ("person", "vehicle", "bicycle"),
        classes: Mapping[str, str] | None = None,
        several: bool = False,
    ) -> None:
        if not (0 < confidence < 1 and 0 < iou <= 1):
            raise ModelError(f"confidence {confidence} and iou {iou}: give both between 0 and 1")
        if precision not in PRECISIONS:
            raise ModelError(f"precision {precision!r} is unknown: give one of {', '.join(PRECISIONS)}")
        self._cache_dir = Path(cache_dir) if cache_dir else default_cache_dir()
        file = _model_file(Path(model_path or SHIPPED_MODEL), self._cache_dir)
        table = {**KINDS, **(classes or {})}
        self._kinds = tuple(sorted(set(kinds)))
        self._kind_of = np.full(max(file.names) + 1, -1, dtype=np.intp)
        for number, name in file.names.items():
            if table.get(name.lower()) in self._kinds:
                self._kind_of[number] = self._kinds.index(table[name.lower()])
        if (self._kind_of < 0).all():
            raise ModelError(
                f"{file.path}: none of its classes ({', '.join(file.names.values())[:80]}) is one of "
                f"{', '.join(self._kinds)}: say which is which (classes)"
            )
        self._classes = len(file.names)
        self._wanted = np.flatnonzero(self._kind_of[: self._classes] >= 0)
        self._confidence, self._iou = confidence, iou
        self._size, self._stride = image_size or file.image_size, file.stride
        self._threads, self._several = threads or os.cpu_count() or 1, several
        self._path, self._precision = file.path, precision
        self.model = ModelRef(file.name, file.sha256)
        self.names = file.names
        self._to_tensor = cv2.dnn.Image2BlobParams()
        self._to_tensor.scalefactor, self._to_tensor.swapRB = (1 / 255,) * 4, True
        self._pool: ThreadPoolExecutor | None = None
        self._opening = threading.Lock()
        self._backend = backend
        self._session: Session | None = None
        self.why_slower: tuple[str, ...] = ()
        """Why engines that would be faster do not run it, where it was to choose by itself."""
        if backend == "auto":
            found, self._session, told = best_graphics(self._path, self._threads, precision, self._cache_dir)
            self._backend, self.why_slower = found or backend, tuple(told)
        else:
            self._session = self._open(backend)

    def _open(self, backend: str) -> Session:
        return open_session(backend, self._path, self._threads, self._precision, self._cache_dir)

    @property
    def image_size(self) -> int:
        """Longer side of the network's input, pixels."""
        return self._size

    @property
    def at_once(self) -> int:
        """Pictures that are best handed over in one call: two a thread, so that none waits long for another's end.

        A graphics card takes a whole batch.
        """
        return BATCH if self._backend.partition(":")[0] in GRAPHICS else 2 * self._threads

    @property
    def backend(self) -> str:
        """The engine in use; "auto" before the first picture, where it is to choose among those of the processor."""
        return self._backend

    def detect(self, images: Sequence[Image | Frame]) -> list[list[Detection]]:
        """Detections of each picture, best first, in its own pixels and clipped to it.

        Parameters
        ----------
        images
            Pictures, shape (height, width, 3), uint8, blue-green-red; sizes may differ. Of a frame that is given in
            place of its picture no more is made than the network looks at.

        Raises
        ------
        ModelError
            When a picture has another shape, or the network's output is not a detector's.
        """
        if not images:
            return []
        # Pictures of one size run together, whatever stands between them.
        order = sorted(range(len(images)), key=lambda k: size_of(images[k]))
        prepared = self._prepared([images[k] for k in order])
        assert self._session is not None
        inputs = [given for given, _ in prepared]
        outputs = self._run(inputs)
        self._session.let_go(inputs)
        found: list[list[Detection]] = [[] for _ in images]
        for k, seen, (_, box) in zip(order, outputs, prepared, strict=True):
            found[k] = self._detections(seen, box, size_of(images[k]))
        return found

    def detect_frames(self, frames: Sequence[Frame]) -> list[list[Detection]]:
        """As `detect`, of frames."""
        return self.detect(frames)

    def _prepared(self, images: Sequence[Image | Frame]) -> list[tuple[Input, Letterbox]]:
        """Inputs of pictures; several are made side by side, since the processor's other threads have nothing to do."""
        for image in images:
            _check_picture(image)
        session = self._opened(images[0])
        boxes = [self._letterbox(image, session) for image in images]
        rooms = session.room([_shape(session, box) for box in boxes])
        if len(images) == 1 or self._threads == 1:
            return list(map(self._input, [session] * len(images), images, boxes, rooms))
        with self._opening:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(self._threads, "vedette-prepare")
        return list(self._pool.map(self._input, [session] * len(images), images, boxes, rooms))

    def prepare(self, image: Image, spare: Floats | None = None) -> tuple[Floats, Letterbox]:
        """The network's input, shape (1, 3, height, width), RGB in 0 to 1, and how the picture lies in it.

        `spare` is a tensor that may be overwritten when its shape fits.
        """
        _check_picture(image)
        box = self._letterbox(image, self._opened(image))
        return self._floats(image, box, spare), box

    def _input(self, session: Session, image: Image | Frame, box: Letterbox, room: Input) -> tuple[Input, Letterbox]:
        """What a session takes of a picture, in `room`."""
        return (laid(image, box, room) if session.takes_bytes else self._floats(image, box, room)), box

    def _floats(self, image: Image | Frame, box: Letterbox, room: Floats | None) -> Floats:
        """See `prepare`."""
        tensor = np.empty((1, 3, box.height, box.width), np.float32) if room is None else room
        blob: Any = cv2.dnn.blobFromImageWithParams(laid(image, box)[0], blob=tensor, param=self._to_tensor)
        return np.asarray(blob, dtype=np.float32)

    def _opened(self, image: Image | Frame) -> Session:
        """The session; which one of the processor's is found out with the first picture."""
        with self._opening:
            if self._session is None:
                self._backend, self._session = self._choose_backend(size_of(image))
            return self._session

    def _letterbox(self, image: Image | Frame, session: Session) -> Letterbox:
        return letterbox(size_of(image), self._size, self._stride, session.input_shape)

    def _choose_backend(self, size: tuple[int, int]) -> tuple[str, Session]:
        box = letterbox(size, self._size, self._stride, self._open(next(iter(BACKENDS))).input_shape)
        image = np.full((size[1], size[0], 3), 127, np.uint8)

        def look(session: Session, count: int) -> None:
            rooms = session.room([_shape(session, box)] * count)
            session.run([self._input(session, image, box, room)[0] for room in rooms])
            session.let_go(rooms)

        return pick_backend(
            {name: partial(self._open, name) for name in BACKENDS},
            (self.model.sha256, self._threads, self._precision, size, (box.width, box.height)),
            look,
            self._cache_dir,
            2 * self._threads if self._several else 1,
        )

    def _run(self, tensors: list[Input]) -> list[_Seen]:
        assert self._session is not None
        results: list[_Seen] = []
        start = 0
        for end in range(1, len(tensors) + 1):
            if end == len(tensors) or tensors[end].shape != tensors[start].shape:
                try:
                    with contextlib.closing(self._session.outputs(tensors[start:end])) as outputs:
                        results += [
                            decode_output(one, self._classes, self._confidence, self._wanted) for one in outputs
                        ]
                except ModelError:
                    raise
                except Exception as error:  # the runtimes raise a dozen types, RuntimeError among them
                    first = (str(error).strip().splitlines() or [type(error).__name__])[0]
                    raise ModelError(
                        f"{self._path}: {self._backend} cannot run it on {tensors[start].shape} ({first[:160]}): "
                        "give another image size or model"
                    ) from error
                start = end
        return results

    def _detections(self, seen: _Seen, box: Letterbox, size: tuple[int, int]) -> list[Detection]:
        boxes, scores, numbers = seen
        kinds = self._kind_of[np.minimum(numbers, len(self._kind_of) - 1)]
        ours = kinds >= 0
        boxes, scores, kinds = box.to_picture(boxes[ours]), scores[ours], kinds[ours]
        boxes[:, 0::2] = boxes[:, 0::2].clip(0, size[0])
        boxes[:, 1::2] = boxes[:, 1::2].clip(0, size[1])
        kept = suppress(boxes, scores, kinds, self._iou)
        return [
            Detection(x1, y1, x2, y2, self._kinds[kind], score)
            for (x1, y1, x2, y2), kind, score in zip(
                boxes[kept].tolist(), kinds[kept].tolist(), scores[kept].tolist(), strict=True
            )
            if x2 > x1 and y2 > y1
        ]


def _shape(session: Session, box: Letterbox) -> tuple[int, ...]:
    """Of a session's input."""
    return (1, box.height, box.width, 3) if session.takes_bytes else (1, 3, box.height, box.width)


def _model_file(path: Path, cache_dir: Path) -> ModelFile:
    """What a network says of itself; one of weights has their name and hash."""
    if path.suffix != SUFFIX:
        return read_model_file(path)
    network, digest = network_of(path, cache_dir)
    return replace(read_model_file(network), name=path.stem, sha256=digest)


def _check_picture(image: Image | Frame) -> None:
    if isinstance(image, DecodedFrame):
        return  # its picture is of the decoder
    image = image.image if isinstance(image, Frame) else image
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
        raise ModelError(f"picture of shape {image.shape} and type {image.dtype}: give (height, width, 3) of uint8")


@dataclass(frozen=True, slots=True)
class Rate:
    """Pictures a second by the clock, and processor milliseconds a picture over all threads."""

    per_second: float
    cpu_ms: float


def bare_rate(detector: Detector, images: Sequence[Image], *, batch: int = 1) -> Rate:
    """Speed of a detector's session alone, on pictures prepared beforehand and outputs not looked at.

    Outputs are not even copied. The limit for `Detector.detect`: their ratio is what preparing, decoding and
    suppression cost.
    """
    batches = [
        [tensor for tensor, _ in detector._prepared(images[start : start + batch])]  # noqa: SLF001
        for start in range(0, len(images), batch)
    ]
    session = detector._session  # noqa: SLF001
    assert session is not None
    for _ in session.outputs(batches[0]):
        pass
    wall, cpu = time.perf_counter(), time.process_time()
    for tensors in batches:
        for _ in session.outputs(tensors):
            pass
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    for tensors in batches:
        session.let_go(tensors)
    return Rate(len(images) / wall, cpu * 1e3 / len(images))
