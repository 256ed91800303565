"""TrackEval's own measures (``make peers``): what reads data sets in it, and its many dependencies, are left out."""

import importlib
import os
import sys
import types
from pathlib import Path

import numpy as np
import pytest

from vision.average_precision import overlap

_PEERS = Path(__file__).parents[2] / ".venv-peers" / "lib"
_QUIET = {"PRINT_CONFIG": False}


def trackeval_metrics():
    """HOTA, CLEAR and Identity; skips, or with VEDETTE_REQUIRE_ALL=1 fails, where they are not installed."""
    found = list(_PEERS.glob("python*/site-packages/trackeval"))
    if not found:
        message = "TrackEval is not installed: make peers"
        if os.environ.get("VEDETTE_REQUIRE_ALL") == "1":
            pytest.fail(message)
        pytest.skip(message)
    # The package's own start loads readers of data sets that want pycocotools.
    for name, path in (("trackeval", found[0]), ("trackeval.metrics", found[0] / "metrics")):
        if name not in sys.modules:
            module = types.ModuleType(name)
            module.__path__ = [str(path)]
            sys.modules[name] = module
    hota = importlib.import_module("trackeval.metrics.hota").HOTA
    clear = importlib.import_module("trackeval.metrics.clear").CLEAR
    identity = importlib.import_module("trackeval.metrics.identity").Identity
    return hota(), clear(dict(_QUIET)), identity(dict(_QUIET))


def trackeval_figures(frames):
    """All that TrackEval says of frames (`vision.track_scores.FrameTracks`)."""
    true = {i: n for n, i in enumerate(sorted({i for f in frames for i in f.true_ids.tolist()}))}
    found = {i: n for n, i in enumerate(sorted({i for f in frames for i in f.found_ids.tolist()}))}
    data = {
        "num_timesteps": len(frames),
        "num_gt_ids": len(true),
        "num_tracker_ids": len(found),
        "num_gt_dets": sum(len(f.true_ids) for f in frames),
        "num_tracker_dets": sum(len(f.found_ids) for f in frames),
        "gt_ids": [np.array([true[i] for i in f.true_ids.tolist()], int) for f in frames],
        "tracker_ids": [np.array([found[i] for i in f.found_ids.tolist()], int) for f in frames],
        "similarity_scores": [overlap(f.true_boxes, f.found_boxes) for f in frames],
    }
    return {k: v for metric in trackeval_metrics() for k, v in metric.eval_sequence(data).items()}
