"""The recipe of the detector: prepared data in, trained weights and an ONNX file out.

::

    Source, Source, ... --prepare()--> one YOLO data set of tiles --train()--> weights.pt --export()--> model.onnx
                                                  |                                                        |
                                                  '-------- val.csv: whole, held-out images ----> evaluate_model()

`Recipe` says as data what is done, so that a model card can point at it. `prepare` is in `vision.training_data`,
`evaluate_model` in `vision.evaluation`; both work without the extra ``vedette[train]`` (ultralytics, AGPL-3.0, with
torch), which `train` and `export` need.
"""

from __future__ import annotations

import math
import random
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from vision.device_batches import Blend, DeviceBatches
from vision.errors import MissingExtra, VisionError
from vision.evaluation import Score, evaluate_model
from vision.head_start import head_start_trainer, mix_back
from vision.training_data import CLASSES, Source, known_sources, prepare, write_yaml

if TYPE_CHECKING:
    import onnx

__all__ = [
    "RECIPES",
    "Recipe",
    "Score",
    "Source",
    "Stage",
    "evaluate_model",
    "export",
    "halve_weights",
    "known_sources",
    "prepare",
    "train",
]

_SAVE_EVERY = 50  # steps
_FEW = 256  # arrays with fewer numbers than this gain nothing in half precision


@dataclass(frozen=True)
class Stage:
    """One run of the optimiser (AdamW; the learning rate rises over `warmup` steps, then falls along a cosine).

    Attributes
    ----------
    name : str
    steps : int
        How often the weights move.
    lr, final_lr : float
        Learning rate after warm-up, and at the end.
    mix : Mapping of str to float
        Source name to how often an epoch shows each of its tiles; 0.5 takes a random half, the same in every epoch.
    freeze : int
        The first so many layers of the network keep the weights and statistics they came with.
    image_size : int
        Side of the square training image, px.
    mosaic : float
        Chance that a training image is put together from four tiles.
    zoom : float
        Scale jitter: each training image is scaled by ``1 - zoom`` to ``1 + zoom``.
    warmup : int
        Steps.
    keep : float
        Share of the weights that training began with which is mixed into those of the stage at its end.
    """

    name: str
    steps: int
    lr: float
    final_lr: float
    mix: Mapping[str, float]
    freeze: int = 0
    image_size: int = 640
    mosaic: float = 0.5
    zoom: float = 0.5
    warmup: int = 100
    keep: float = 0.0


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what comes out of training, save the data.

    Attributes
    ----------
    stages : tuple of Stage
        Run in order; each starts from the last weights of the one before.
    batch : int
        Images a step; the optimiser moves at every step.
    tile_px : int
        Side of the tiles that `prepare` cuts.
    seed : int
        For the tiles, the mix and the augmentation. Floating-point sums on several threads still differ in the last
        bits.
    """

    stages: tuple[Stage, ...]
    batch: int = 64
    tile_px: int = 640
    seed: int = 7

    def mixed_with(self, source: str, share: float = 1.0) -> Recipe:
        """The same with a further source in every stage."""
        return replace(self, stages=tuple(replace(stage, mix={**stage.mix, source: share}) for stage in self.stages))


RECIPES: Mapping[str, Recipe] = MappingProxyType(
    {
        # Heat from above: little of what COCO taught is of use.
        "thermal": Recipe(
            (
                Stage("thermal", 2266, 1.5e-3, 1e-5, {"hit-uav": 1, "rendered-thermal": 1}),
                Stage("longer", 2644, 8e-4, 5e-6, {"hit-uav": 1.5, "rendered-thermal": 1}, zoom=0.35),
            )
        ),
        # No free set of real images shows people in daylight from above. The network learns their size and pose from
        # rendered ones and their shape from real ones in thermal images; what COCO taught of real ones in colour is
        # lost on the way and mixed back in.
        "daylight": Recipe(
            (
                Stage("daylight", 2301, 5e-4, 5e-6, {"aerial-vehicles": 1, "rendered-daylight": 1}, keep=0.5),
                Stage(
                    "together",
                    701,
                    3e-4,
                    3e-6,
                    {"aerial-vehicles": 2, "rendered-daylight": 1, "hit-uav": 1},
                    keep=0.25,
                ),
            )
        ),
    }
)
"""The recipes of the shipped models by their sensor; the model card says what they cost and reached."""


def train(
    recipe: Recipe,
    data: Path,
    weights: Path,
    out: Path,
    *,
    stages: Sequence[str] | None = None,
    hours: float | None = None,
    threads: int | None = None,
    device: str = "cpu",
    workers: int = 1,
    on_device: bool = False,
) -> Path:
    """Train a detector on a prepared data set.

    Every 50 steps the stage is saved to ``<out>/<stage>/weights/last.pt``. A stage that was broken off goes on from
    there when `train` is called again; one that is finished is not run again.

    Parameters
    ----------
    recipe : Recipe
    data : Path
        ``data.yaml`` that `prepare` wrote.
    weights : Path
        ``.pt`` to start from, e.g. YOLO11n trained on COCO.
    out : Path
        Folder of the run.
    stages : sequence of str, optional
        Names of the stages to run; all by default.
    hours : float, optional
        Longest time for each stage. A stage that will not get through its steps by then brings its learning rate down
        in time all the same: a schedule that is cut off at a high rate is worth little.
    threads : int, optional
        Threads of torch. By default ultralytics leaves one core idle, which is half of a small machine.
    device : str
        ``"cpu"``, or the number of a GPU, which computes in bfloat16.
    workers : int
        Processes that prepare images. A GPU waits for them: give it all cores, or use `on_device`.
    on_device : bool
        Keep the images in the memory of the device, 1.2 MB each, and put batches together there
        (`vision.device_batches`): several times as fast on a large GPU. No image may be larger than
        `Stage.image_size`.

    Returns
    -------
    Path
        Weights after the last stage. ``<out>/<stage>/finished`` says how many steps and seconds it took.

    Raises
    ------
    MissingExtra
        ultralytics is not installed.
    VisionError
        The mix of a stage names a source that is not in the data, or no stage has the name asked for.
    """
    try:
        import torch  # noqa: PLC0415 - the extra is large; only training needs it
        from ultralytics import YOLO  # noqa: PLC0415
    except ImportError as error:
        raise MissingExtra("training needs ultralytics and torch: pip install vedette[train]") from error
    chosen = [stage for stage in recipe.stages if stages is None or stage.name in stages]
    if not chosen or (stages is not None and len(chosen) != len(set(stages))):
        raise VisionError(f"the stages of this recipe are {', '.join(s.name for s in recipe.stages)}; not {stages}")
    begun = weights
    for stage in chosen:
        mixed, images = _mix(data, stage, recipe.seed, out)
        last = out / stage.name / "weights" / "last.pt"
        done = out / stage.name / "finished"
        if not done.exists():
            model = YOLO(str(last if last.exists() else weights))
            if threads is not None:
                model.add_callback("on_train_start", lambda _trainer: torch.set_num_threads(threads))
            pace = _Pace(stage, hours)
            model.add_callback("on_train_batch_start", pace.before)
            model.add_callback("on_train_batch_end", pace.after)
            trainer = head_start_trainer(_batches(data, recipe, stage) if on_device else None)
            if last.exists():
                model.train(resume=True, trainer=trainer)
            else:
                epochs = math.ceil(stage.steps * recipe.batch / images)
                machine = {"device": device, "workers": workers, "amp": False if device == "cpu" else "bf16"}
                model.train(trainer=trainer, **_arguments(recipe, stage, mixed, out, epochs), **machine)
            done.write_text(f"{pace.steps} steps, {time.monotonic() - pace.start:.0f} s\n", encoding="utf-8")
        weights = last
        if stage.keep:
            weights = mix_back(last, begun, stage.keep, last.with_name("mixed.pt"))
    return weights


def _batches(data: Path, recipe: Recipe, stage: Stage) -> Callable[[Any], DeviceBatches]:
    """What makes the batches of a stage on a device."""
    root = data.parent.resolve()
    mix = {root / f"train-{source}.txt": share for source, share in stage.mix.items()}
    blend = Blend(stage.image_size, stage.mosaic, stage.zoom)
    return lambda device: DeviceBatches(mix, root, batch=recipe.batch, blend=blend, device=device, seed=recipe.seed)


class _Pace:
    """Sets the learning rate before each step, saves now and then, and ends the stage after its last step.

    ultralytics moves the rate once an epoch only, which is too coarse for stages of one to five epochs.
    """

    def __init__(self, stage: Stage, hours: float | None) -> None:
        self.stage = stage
        self.seconds = math.inf if hours is None else hours * 3600
        self.start = time.monotonic()
        self.steps = 0

    def before(self, trainer: Any) -> None:
        self.steps = int(trainer.ema.updates)
        for group in trainer.optimizer.param_groups:
            group["lr"] = learning_rate(self.stage, self.steps, self._progress())

    def after(self, trainer: Any) -> None:
        self.steps = int(trainer.ema.updates)
        if self._progress() >= 1:
            trainer.stop = True
        elif self.steps % _SAVE_EVERY == 0:
            trainer.save_model()

    def _progress(self) -> float:
        return max(self.steps / self.stage.steps, (time.monotonic() - self.start) / self.seconds)


def learning_rate(stage: Stage, step: int, progress: float) -> float:
    """Learning rate of a stage at a step, when a share `progress` of the stage, 0 to 1, is over."""
    falling = stage.final_lr + (stage.lr - stage.final_lr) * (1 + math.cos(math.pi * min(progress, 1.0))) / 2
    return falling * min(1.0, (step + 1) / max(stage.warmup, 1))


def _mix(data: Path, stage: Stage, seed: int, out: Path) -> tuple[Path, int]:
    """Write the list of training images of one stage and the ``data.yaml`` that names it; and tell their number."""
    root = data.parent.resolve()
    names: list[str] = []
    for source, share in stage.mix.items():
        listing = root / f"train-{source}.txt"
        if not listing.exists():
            raise VisionError(f"{data}: stage {stage.name} wants source {source}, but {listing} was not prepared")
        lines = listing.read_text(encoding="utf-8").splitlines()
        rng = random.Random(f"{seed} {source}")  # noqa: S311 - not for secrets
        names += lines * int(share) + rng.sample(lines, round(len(lines) * (share % 1)))
    out.mkdir(parents=True, exist_ok=True)
    listing = out / f"{stage.name}.txt"
    listing.write_text("".join(f"{root / name}\n" for name in names), encoding="utf-8")
    # ultralytics must validate on something at the end; its figures, at the size of the tiles, say nothing
    few = out / f"{stage.name}-few.txt"
    few.write_text("".join(f"{root / name}\n" for name in names[:8]), encoding="utf-8")
    return write_yaml(out / f"{stage.name}.yaml", root, [str(listing.resolve())], str(few.resolve())), len(names)


def _arguments(recipe: Recipe, stage: Stage, data: Path, out: Path, epochs: int) -> dict[str, Any]:
    return {
        "data": str(data), "project": str(out.resolve()), "name": stage.name, "exist_ok": True, "epochs": epochs,
        "imgsz": stage.image_size, "batch": recipe.batch, "nbs": recipe.batch, "seed": recipe.seed,
        "optimizer": "AdamW", "momentum": 0.9, "lr0": stage.lr, "warmup_epochs": 0, "freeze": stage.freeze,
        "mosaic": stage.mosaic, "close_mosaic": 0, "scale": stage.zoom,
        "flipud": 0.5, "fliplr": 0.5, "hsv_s": 0.5,  # from above there is no right way up
        "cache": "ram", "deterministic": False, "plots": False, "val": False,
    }  # fmt: skip


def export(
    weights: Path,
    out: Path,
    *,
    data: str,
    image_size: int = 640,
    licence: str = "AGPL-3.0-or-later",
    date: str | None = None,
) -> Path:
    """Write trained weights as an ONNX file of any batch, height and width, with weights in half precision.

    Input ``images``, float32 (N, 3, H, W), red, green, blue, 0 to 1, H and W multiples of 32. Output ``output0``,
    float32 (N, 4 + classes, anchors): centre x, centre y, width and height in input pixels, then a score for each
    class.

    Parameters
    ----------
    weights : Path
        ``.pt`` that `train` returned.
    out : Path
        ``.onnx`` to write.
    data : str
        What it was trained on, with licences; goes into the file's metadata.
    image_size : int
        Size that the metadata recommend, px.
    licence : str
        Licence of the model, for the metadata.
    date : str, optional
        ISO 8601; today by default.

    Returns
    -------
    Path
        `out`.

    Raises
    ------
    MissingExtra
        ultralytics or onnx is not installed.
    VisionError
        `weights` does not exist, or finds other classes than ours.
    """
    try:
        import onnx  # noqa: PLC0415 - the extra is large; only export needs it
        from ultralytics import YOLO  # noqa: PLC0415
    except ImportError as error:
        raise MissingExtra("export needs ultralytics, torch and onnx: pip install vedette[train]") from error
    if not weights.is_file():
        raise VisionError(f"{weights} does not exist: train first, or give the path of a .pt file")
    with tempfile.TemporaryDirectory() as folder:  # ultralytics writes beside the weights
        copy = shutil.copyfile(weights, Path(folder) / "model.pt")
        network = YOLO(str(copy))
        found = tuple(network.names.values())
        if found != CLASSES:
            raise VisionError(f"{weights} finds {', '.join(found[:5])} ..., not {', '.join(CLASSES)}: train it first")
        model = onnx.load(network.export(format="onnx", dynamic=True, simplify=True, opset=17, imgsz=image_size))
    model = halve_weights(model)
    del model.metadata_props[:]
    told = {
        "description": "Vedette YOLO11n: people, vehicles, bicycles and animals from the air",
        "task": "detect",
        "names": str(dict(enumerate(CLASSES))),
        "stride": "32",
        "imgsz": str([image_size, image_size]),
        "licence": licence,
        "date": date or datetime.now(UTC).date().isoformat(),
        "data": data,
    }
    onnx.helper.set_model_props(model, told)
    out.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, out)
    return out


def halve_weights(model: onnx.ModelProto) -> onnx.ModelProto:
    """Store the weights of a model as float16, each with a Cast back to float32: half the file, same arithmetic.

    ONNX Runtime and OpenVINO fold the Cast when they load the file, so that inference is as fast as before, and
    computes exactly what a float32 model with weights rounded to float16 would.

    Parameters
    ----------
    model : onnx.ModelProto
        Is not changed.

    Returns
    -------
    onnx.ModelProto
        Arrays that are small, or hold a number beyond the range of float16, stay as they are.
    """
    from onnx import ModelProto, TensorProto, helper, numpy_helper  # noqa: PLC0415 - only export needs it

    halved = ModelProto()
    halved.CopyFrom(model)
    graph = halved.graph
    replaceable = {one.name for one in graph.initializer} - {one.name for one in graph.input}
    casts = []
    for weight in graph.initializer:
        if weight.data_type != TensorProto.FLOAT or weight.name not in replaceable:
            continue
        values = numpy_helper.to_array(weight)
        with np.errstate(over="ignore"):
            small = values.astype(np.float16)
        if values.size < _FEW or not np.isfinite(small).all():
            continue
        name = weight.name
        weight.CopyFrom(numpy_helper.from_array(small, f"{name}_float16"))
        casts.append(helper.make_node("Cast", [weight.name], [name], name=f"{name}_cast", to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    return halved
