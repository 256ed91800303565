"""Errors of the vision package.

::

    geo.VedetteError
    └── VisionError
        ├── SourceError          a video, folder or stream cannot be opened or read
        ├── MetadataError        a pose, time or telemetry record is missing or malformed
        ├── ModelError           a detector's model is missing, broken or not one we can run
        ├── TrackError           a tracker or a ground track was given input that it cannot use
        ├── BorderError          a border file or a fixed line cannot be used
        ├── EvidenceError        a clip or a manifest cannot be written, or does not verify
        └── MissingExtra         an optional dependency is needed and not installed

Each is made from one message: what was wrong, where, and what to do.
"""

from geo import VedetteError


class VisionError(VedetteError):
    """Anything that the vision package refuses or cannot do."""


class SourceError(VisionError):
    """A video, an image folder or a stream cannot be opened or read."""


class MetadataError(VisionError):
    """A pose, a time or a telemetry record is missing or malformed."""


class ModelError(VisionError):
    """A model file is missing, broken or not a detector that can be run."""


class TrackError(VisionError):
    """A tracker or a ground track was given input that it cannot use."""


class BorderError(VisionError):
    """A border file or a fixed line cannot be read or used."""


class EvidenceError(VisionError):
    """Evidence cannot be written, or what was written does not verify."""


class MissingExtra(VisionError):  # noqa: N818 - the name says what to install, as in geo
    """An optional dependency is needed and not installed."""
