"""Training of a detector by a recipe: prepared data in, trained weights out.

::

    Source, Source, ... --prepare()--> one YOLO data set of tiles --train()--> weights.pt --export()--> model.onnx
                                                  |                                                        |
                                                  '-------- val.csv: whole, held-out images ----> evaluate_model()

`Recipe` says as data what is done, so that a model card can point at it (`vision.recipe`). `prepare` is in
`vision.training_data`, `evaluate_model` in `vision.evaluation`: both work without the extra ``vedette[train]``
(ultralytics, AGPL-3.0, with torch), which `train` and `vision.export` need.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from vision.device_batches import Blend, DeviceBatches
from vision.errors import MissingExtra, VisionError
from vision.head_start import head_start_trainer, mix_back
from vision.recipe import Recipe, Stage
from vision.training_data import write_yaml

__all__ = [
    "train",
]

_SAVE_EVERY = 50  # steps


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
