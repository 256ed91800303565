"""Ways out of a patrol where no arc has room: the shortest clear curve found."""

import math

import numpy as np
import pytest
import shapely

from missions.joining import Room, led_in, steered

RADIUS = 60.0


class Shut:
    """Everything is open but a shape."""

    def __init__(self, shape):
        self.shape = shape

    def clear(self, way):
        return not shapely.intersects(self.shape, shapely.linestrings(way))

    def route(self, start, stop):
        way = np.stack([start, stop])
        return way if self.clear(way) else None


def turns(way):
    step = np.diff(way, axis=0)
    step = step[np.hypot(*step.T) > 1e-6]
    return np.abs(np.diff(np.unwrap(np.arctan2(step[:, 1], step[:, 0]))))


def test_home_close_beside_the_end_of_a_patrol_and_the_other_way():
    """A wall to the north, another close to the south: the arc into the way home would touch one or the other."""
    walls = shapely.union_all([shapely.box(-2000, 20, 2000, 40), shapely.box(-2000, -110, 100, -100)])
    way = np.array([[0.0, 0.0], [-900.0, -60.0]])
    room = Room(RADIUS, Shut(walls))
    east = np.array([1.0, 0.0])
    assert led_in(way[::-1], -east, (1.0, -1.0), room) is None
    found = steered(way, east, -east, rest=lambda part: part, room=room)
    assert found[0] == pytest.approx(way[0])
    assert found[-1] == pytest.approx(way[-1])
    assert room.open_to.clear(found)
    assert turns(np.concatenate([[[-50.0, 0.0]], found, [way[-1] - [50.0, 0.0]]])).max() <= math.radians(15.1)
    # East past the end of the southern wall, and round: no more than a few turns longer than straight.
    assert np.hypot(*np.diff(found, axis=0).T).sum() < 900 + 12 * RADIUS


def test_where_everything_is_shut_there_is_none():
    box = shapely.boundary(shapely.box(-70, -50, 70, 50))
    way = np.array([[0.0, 0.0], [900.0, 0.0]])
    assert steered(way, np.array([1.0, 0.0]), None, rest=lambda part: part, room=Room(RADIUS, Shut(box))) is None


def test_it_comes_back_to_the_way_and_leaves_its_end_to_others():
    """A U-turn on to a way with corners; what makes its end is asked for each part that is left of it."""
    way = np.array([[0.0, 0.0], [-1000.0, 5.0], [-1500.0, -800.0]])
    asked = []

    def rest(part):
        asked.append(len(part))
        return np.concatenate([part, [[-1500.0, -900.0]]])

    # Nothing leads round the town but that way.
    town = shapely.union_all([shapely.box(-800, 20, 2000, 5000), shapely.box(-960, -5000, -500, -20)])
    found = steered(way, np.array([1.0, 0.0]), None, rest=rest, room=Room(RADIUS, Shut(town)))
    assert asked == [2]
    assert found[-2:] == pytest.approx(np.array([[-1500.0, -800.0], [-1500.0, -900.0]]))
    assert np.any(np.all(np.abs(found - way[1]) < 1e-6, axis=1))
