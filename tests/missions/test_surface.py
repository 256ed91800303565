"""The public face of missions."""

import types

import missions


def test_the_surface_is_exactly_what_all_says():
    public = {n for n, v in vars(missions).items() if not n.startswith("_") and not isinstance(v, types.ModuleType)}
    assert public == set(missions.__all__)
