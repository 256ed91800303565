"""``vedette render`` as a person runs it."""

import cv2
import numpy as np
import pytest


@pytest.mark.parametrize(("share", "flat"), [(0, False), (1, True)])
def test_a_share_of_the_images_lies_on_photographs(run, tmp_path, share, flat):
    """Under a photograph of one colour most of the image has that colour; rendered ground never is so even."""
    photos = tmp_path / "photos"
    photos.mkdir()
    cv2.imwrite(str(photos / "green.png"), np.full((700, 900, 3), (60, 120, 70), np.uint8))
    out = tmp_path / "set"
    done = run(
        "render", out, "--count", 1, "--seed", 3, "--thermal", 0, "--backgrounds", photos, "--background-share", share
    )
    assert done.code == 0, done.err
    images = [cv2.imread(str(path)).astype(float) for path in sorted(out.rglob("*.jpg"))]
    assert len(images) == 1
    for image in images:
        blurred = cv2.GaussianBlur(image, (0, 0), 4)
        assert (np.abs(blurred - np.median(blurred, axis=(0, 1))).max(axis=2).mean() < 12) == flat
