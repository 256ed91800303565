"""Weights of PyTorch made an ONNX network, once for each file: by ultralytics, of the extra for training.

A ``.pt`` file is a pickle: whoever wrote it can run code where it is loaded. An ONNX file cannot do that.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from pathlib import Path

from geo import FileWriteError, atomic_path
from vision.errors import MissingExtra, ModelError

__all__ = ["SUFFIX", "network_of"]

SUFFIX = ".pt"
_OPSET = 17


def network_of(weights: Path, cache_dir: Path) -> tuple[Path, str]:
    """The ONNX network of weights, and the SHA-256 of the weights in hexadecimal.

    Parameters
    ----------
    weights
        ``.pt`` of a YOLO detector, as ultralytics writes it.
    cache_dir
        Where the network is kept, under the hash of the weights.

    Raises
    ------
    MissingExtra
        When it is not kept there, and ultralytics or onnx is not installed.
    ModelError
        When the weights cannot be read, are none of a detector, or the network cannot be kept.
    """
    try:
        digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    except OSError as error:
        raise ModelError(
            f"{weights}: the weights cannot be read ({error.strerror}): give a .pt or ONNX file"
        ) from error
    kept = cache_dir / "weights" / f"{weights.stem}-{digest[:16]}.onnx"
    if kept.is_file():
        return kept, digest
    try:
        import onnx  # noqa: F401, PLC0415 - ultralytics would try to install it
        from ultralytics import YOLO  # noqa: PLC0415 - the extra is large; only .pt files and training need it
    except ImportError as error:
        raise MissingExtra(
            f"{weights}: a .pt file needs ultralytics, torch and onnx: pip install vedette[train], or give it as ONNX"
        ) from error
    with tempfile.TemporaryDirectory() as folder:  # ultralytics writes beside the weights
        copy = shutil.copyfile(weights, Path(folder) / "model.pt")
        try:
            made = YOLO(str(copy)).export(format="onnx", dynamic=True, simplify=False, opset=_OPSET)
        except Exception as error:  # torch, pickle and ultralytics raise dozens of types
            first = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise ModelError(
                f"{weights}: ultralytics makes no network of it ({first[:160]}): give weights of a YOLO detector"
            ) from error
        try:
            with atomic_path(kept) as out:
                shutil.copyfile(made, out)
        except FileWriteError as error:
            raise ModelError(str(error)) from error
    return kept, digest
