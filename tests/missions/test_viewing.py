"""Where the middle of a circle may be so that a spot is seen from all of it."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from missions.viewing import _narrowed


@given(st.floats(0, 300), st.floats(1, 500), st.floats(1, 300), st.floats(0, 800))
def test_a_circle_is_in_the_ring_where_it_is_said_to_be(near, width, circle_m, away):
    """Oracle: the nearest and the farthest point of a circle about a place from the middle of the ring."""
    far = near + width
    found = _narrowed((near, far), circle_m)
    nearest, farthest = abs(away - circle_m), away + circle_m
    inside = nearest >= near and farthest <= far
    if found is not None and found[0] <= away <= found[1]:
        assert nearest >= near - 1e-9
        assert farthest <= far + 1e-9
    if found is None:
        # Then none is, but on the edge.
        assert not (inside and nearest > near + 1e-6 and farthest < far - 1e-6)


def test_round_the_hole_where_there_is_no_room_beside_it():
    assert _narrowed((20.0, 180.0), 100.0) == (0.0, 80.0)
    assert _narrowed((0.0, 180.0), 100.0) == (0.0, 80.0)
    assert _narrowed((20.0, 180.0), 50.0) == (70.0, 130.0)
    assert _narrowed((20.0, 90.0), 100.0) is None
    assert np.isclose(_narrowed((90.0, 180.0), 100.0)[1], 10.0)
