"""What a detector is trained by, as data: stages, and the recipes of the shipped models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

__all__ = ["RECIPES", "Recipe", "Stage"]


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
