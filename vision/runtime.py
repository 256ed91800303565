"""An ONNX network opened by the engine that somebody names, or by the fastest one of a graphics card.

On a graphics card TensorRT or CUDA run it, see `vision.graphics`; on the processor ONNX Runtime or OpenVINO, see
`vision.processor_sessions`, of which `vision.engine_choice` finds the faster one.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from vision.errors import MissingExtra, ModelError, VisionError
from vision.graphics import BATCH, GRAPHICS, Card, open_graphics, why_not
from vision.processor_sessions import BACKENDS, OpenVino, Session

__all__ = ["ENGINES", "PRECISIONS", "best_graphics", "default_cache_dir", "open_session"]

ENGINES: Mapping[str, str] = {
    "auto": "auto",
    "tensorrt": "tensorrt",
    "cuda": "cuda",
    "openvino": "openvino",
    "cpu": "onnxruntime",
}
"""Backends of a detector by the names that people choose an engine by."""

PRECISIONS = ("f32", "auto")
"""How exactly a network is run: 32-bit floats, or what the engine holds to be good enough."""


_USUAL = 384, 640  # height and width of the network's input for a picture of 16 to 9


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
            session = BACKENDS.get(backend, OpenVino)(path, threads, precision)
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


def default_cache_dir() -> Path:
    """``$VEDETTE_CACHE``, else ``vedette`` in the user's cache folder."""
    given = os.environ.get("VEDETTE_CACHE")
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(given) if given else Path(base) / "vedette"
