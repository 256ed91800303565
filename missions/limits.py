"""What autopilots take."""

__all__ = ["FENCE_TOLERANCE", "FENCE_VERTICES", "MAX_ITEMS"]

MAX_ITEMS = 600
"""Most items of a mission. ArduPilot's default store takes 650; the rest is for resuming one half-way."""

FENCE_VERTICES = 64
"""Most vertices of a fence: what PX4 stores on small boards, and ArduPilot holds beside a few rally points."""

FENCE_TOLERANCE = 0.35
"""Share of the room between a fence's least distance from the border and the legs that straightening it may use."""
