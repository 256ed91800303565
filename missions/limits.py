"""What autopilots take."""

__all__ = ["FENCE_TOLERANCE", "FENCE_VERTICES", "MAX_ITEMS", "RALLY_POINTS"]

MAX_ITEMS = 600
"""Most items of a mission. ArduPilot's default store takes 650; the rest is for resuming one half-way."""

FENCE_VERTICES = 64
"""Most vertices of a fence, those of all its polygons together.

PX4 stores 64 (dataman.h, DM_KEY_FENCE_POINTS_MAX). ArduCopter on a Pixhawk has 560 bytes (StorageManager.cpp): 64 of 8
bytes, 4 in front, 1 at the end and 2 for each of the 21 polygons that they can make at most.
"""

FENCE_TOLERANCE = 0.35
"""Share of the room between a fence's least distance from the border and the legs by which it is estimated how many
vertices a fence will have; the fence itself may use all of it."""

RALLY_POINTS = 6
"""Most rally points: the 90 bytes of ArduCopter's smallest boards hold six of 15 (StorageManager.cpp, AP_Rally.h).

PX4 stores 8 on small boards.
"""
