"""What tests of missions share."""

import pytest


@pytest.fixture(scope="module")
def sea_level_air():
    """The air at any height as thick as at sea level: for what is asked of slopes by the figures of an aircraft."""
    with pytest.MonkeyPatch.context() as patch:
        for module in ("wind", "effort", "mission", "thin_air"):
            patch.setattr(f"missions.{module}.true_per_equivalent", lambda *_: 1.0)
        for module in ("validation_flying", "validation_items"):
            patch.setattr(f"missions.{module}.true_by_equivalent", lambda *_, **__: 1.0)
        for module in ("validation_place", "validation_fence"):
            patch.setattr(f"missions.{module}.thinnest", lambda *_: 1.0)
        yield
