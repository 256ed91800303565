"""Errors of ``sim``.

::

    VedetteError
    └── SimError            the simulator refuses or cannot go on
        ├── ConfigError     a figure of a configuration that cannot be simulated
        ├── CueError        messages of sensors cannot be taken to where they should go
        ├── ExerciseError   an exercise that cannot be played, or a record of one that is none
        ├── FleetError      the simulated fleet did not start, or ended by itself
        └── WorldError      a world, a scene or a recording that cannot be made as it is described
"""

from __future__ import annotations

from geo import VedetteError


class SimError(VedetteError):
    """The simulator refuses or cannot go on."""


class ConfigError(SimError):
    """A figure of a configuration that cannot be simulated."""


class CueError(SimError):
    """Messages of sensors cannot be taken to where they should go."""


class ExerciseError(SimError):
    """An exercise that cannot be played, or a record of one that is none."""


class FleetError(SimError):
    """The simulated fleet did not start, or ended by itself."""


class WorldError(SimError):
    """A world, a scene or a recording that cannot be made as it is described."""
