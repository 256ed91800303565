"""A network for our classes that begins with what it knew of COCO's.

ultralytics builds a new head where the number of classes changes, and so forgets how a person looks. Here the head
stays as it is, and of its last layer, which has a row of weights for each class, the rows of like classes are kept:
before the first step the network finds people and cars as well as before. That matters most where training shows
rendered people only.

For the same reason `mix_back` mixes the weights of the beginning into those that were trained: the mean of both finds
real things almost as well as the one and new things almost as well as the other (Wortsman et al. 2022, "Robust
fine-tuning of zero-shot models").
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from vision.errors import VisionError
from vision.training_data import CLASSES

__all__ = ["BEGINS_AS", "head_start_trainer", "keep_classes", "mix_back", "mixed", "rows_kept"]

BEGINS_AS: Mapping[str, str] = MappingProxyType(
    {"person": "person", "vehicle": "car", "bicycle": "bicycle", "animal": "cow"}
)
"""Class of COCO whose row of weights each of ours begins with."""


def rows_kept(names: Mapping[int, str]) -> list[int]:
    """Numbers of a network's classes that become `CLASSES`, in their order.

    Raises
    ------
    VisionError
        When it knows neither one of our classes nor what that begins as.
    """
    numbers = {name: number for number, name in names.items()}
    rows = []
    for name in CLASSES:
        row = numbers.get(name, numbers.get(BEGINS_AS[name]))
        if row is None:
            raise VisionError(
                f"the weights know no {name} and no {BEGINS_AS[name]}: start from a network of COCO's classes, or ours"
            )
        rows.append(row)
    return rows


def keep_classes(network: Any) -> Any:
    """A copy of an ultralytics detection network with `CLASSES` alone.

    Raises
    ------
    VisionError
        As `rows_kept`.
    """
    network = copy.deepcopy(network).float()
    rows = rows_kept(network.names)
    head = network.model[-1]
    for branch in head.cv3:
        last = branch[-1]
        last.weight.data, last.bias.data = last.weight.data[rows].clone(), last.bias.data[rows].clone()
        last.out_channels = len(rows)
    head.nc, head.no = len(rows), len(rows) + 4 * head.reg_max
    network.nc, network.names = len(rows), dict(enumerate(CLASSES))
    network.yaml["nc"] = len(rows)
    return network


def head_start_trainer(batches: Callable[[Any], Any] | None = None) -> type[Any]:
    """The trainer of ultralytics, made to begin with `keep_classes`.

    Where `batches` is given, it makes the loader of training batches for a device, e.g. a
    `vision.device_batches.DeviceBatches`, in place of that of ultralytics.
    """
    from ultralytics.models.yolo.detect import DetectionTrainer  # noqa: PLC0415 - the extra is large

    class Trainer(DetectionTrainer):  # type: ignore[misc, no-any-unimported, unused-ignore]
        def get_model(self, cfg: Any = None, weights: Any = None, verbose: bool = True) -> Any:
            if weights is None:
                return super().get_model(cfg, weights, verbose)
            network = keep_classes(weights)
            for parameter in network.parameters():
                parameter.requires_grad = True
            return network

        def get_dataloader(self, dataset_path: str, batch_size: int = 16, rank: int = 0, mode: str = "train") -> Any:
            if batches is None or mode != "train":
                return super().get_dataloader(dataset_path, batch_size, rank, mode)
            return batches(self.device)

    return Trainer


def mixed(trained: Mapping[str, Any], begun: Mapping[str, Any], keep: float) -> dict[str, Any]:
    """Arrays of a network between those it has and those it began with; counters stay those it has.

    Parameters
    ----------
    trained, begun
        Arrays by name; the same names and shapes.
    keep
        Share of `begun`, 0 to 1.

    Raises
    ------
    VisionError
        When the two are not of one network, or the share is out of range.
    """
    if not 0 <= keep <= 1:
        raise VisionError(f"keep {keep}: give a share from 0 to 1")
    if {name: one.shape for name, one in trained.items()} != {name: one.shape for name, one in begun.items()}:
        raise VisionError("the trained network has other layers than the weights that it is to be mixed with")
    return {
        name: one if name.endswith("num_batches_tracked") else (1 - keep) * one + keep * begun[name]
        for name, one in trained.items()
    }


def mix_back(trained: Path, begun: Path, keep: float, out: Path) -> Path:
    """Write to `out` the weights in file `trained` with a share `keep` of those in file `begun`; return `out`."""
    from ultralytics import YOLO  # noqa: PLC0415 - the extra is large

    model = YOLO(str(trained))
    start = keep_classes(YOLO(str(begun)).model)
    model.model.load_state_dict(mixed(model.model.float().state_dict(), start.state_dict(), keep))
    model.save(str(out))
    return out
