"""What autopilots take: what is planned for where a fleet file does not say what its aircraft store."""

__all__ = ["FENCE_TOLERANCE", "FENCE_VERTICES", "MAX_ITEMS", "MOST_FENCE_VERTICES", "MOST_ITEMS", "RALLY_POINTS"]

MAX_ITEMS = 500
"""Most items of a mission: what newer PX4 takes (``navigation.h``, NUM_MISSIONS_SUPPORTED; before it was 2000).

ArduPilot takes 650 of 15 bytes on a Pixhawk (``StorageManager.cpp``), and more with a card (``BRD_SD_MISSION``).
"""

MOST_ITEMS = 65534
"""Most items that any vehicle takes: MAVLink counts them in 16 bits, and the last number says that there is none."""

FENCE_VERTICES = 64
"""Most vertices of a fence, those of all its polygons together.

PX4 stores 64 (``dataman.h``, DM_KEY_FENCE_POINTS_MAX). ArduCopter on a Pixhawk has 560 bytes (``StorageManager.cpp``):
64 of 8 bytes, 4 in front, 1 at the end and 2 for each of the 21 polygons that they can make at most. Boards of less
storage have 304 bytes, for 32 in 10 polygons; with a card (``BRD_SD_FENCE``) ArduPilot stores as many as it counts.
"""

MOST_FENCE_VERTICES = 255
"""Most vertices that any vehicle stores: ArduPilot counts those of a polygon in one byte, older ones all of them."""

FENCE_TOLERANCE = 0.35
"""Share of the room between a fence's least distance from the border and the legs by which it is estimated how many
vertices a fence will have; the fence itself may use all of it."""

RALLY_POINTS = 6
"""Most rally points: the 90 bytes of ArduCopter's smallest boards hold six of 15 (StorageManager.cpp, AP_Rally.h).

PX4 stores 8 on small boards.
"""
