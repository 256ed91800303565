"""Settings of a service from a TOML file: what has no place on a command line.

A table for each part, a list of tables where there are several; names are those of the settings' classes::

    directory = "/var/lib/vedette"

    [[tak.targets]]
    name = "north"
    host = "tak.example"
    ca = "/etc/vedette/tak-ca.pem"
    certificate = "/etc/vedette/vedette.pem"
    key = "/etc/vedette/vedette.key"
    partner_id = "0f0e..."

    [sensors.broker]
    host = "127.0.0.1"
    port = 1883
"""

from __future__ import annotations

import dataclasses
import tomllib
from pathlib import Path
from typing import Any, get_args, get_type_hints

from pydantic import TypeAdapter, ValidationError

from api.errors import SettingsError
from api.settings import Settings

__all__ = ["read_settings"]


def read_settings(file: Path, **given: Any) -> Settings:
    """The settings that a file says; what is `given` here counts in place of what stands there.

    Raises
    ------
    SettingsError
        When the file cannot be read, names something that is no setting, or says what cannot be.
    """
    try:
        said = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"settings {file} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"settings {file} are no TOML: {error}") from error
    _check_names(file, Settings, said, "")
    try:
        return TypeAdapter(Settings).validate_python(said | given)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise SettingsError(f"settings {file}: {where}: {first['msg']}") from error
    except SettingsError as error:
        raise SettingsError(f"settings {file}: {error}") from error


def _check_names(file: Path, kind: Any, value: Any, where: str) -> None:
    """A misspelt name must not leave a setting at its usual value unseen."""
    if isinstance(value, list):
        for number, each in enumerate(value):
            _check_names(file, kind, each, f"{where}.{number}")
        return
    classes = [each for each in (kind, *_parts(kind)) if dataclasses.is_dataclass(each)]
    if not classes or not isinstance(value, dict):
        return
    hints = get_type_hints(classes[0])
    for name, member in value.items():
        path = f"{where}.{name}".lstrip(".")
        if name not in hints:
            raise SettingsError(f"settings {file}: {path} is no setting: it may be {', '.join(sorted(hints))}")
        _check_names(file, hints[name], member, path)


def _parts(kind: Any) -> list[Any]:
    """The types inside of `X | None` and `tuple[X, ...]`."""
    return [inner for each in get_args(kind) for inner in (each, *_parts(each))]
