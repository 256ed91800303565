"""Files that a person writes, in YAML or JSON, read strictly: each refusal names the file, the key and what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sim.errors import SimError

__all__ = ["Document", "Number", "Whole", "read_document"]

_MOST_BYTES = 10_000_000

Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
"""A finite number; neither a word nor yes or no."""
Whole = Annotated[int, Field(strict=True)]
"""A whole number."""


class Document(BaseModel):
    """Base of what is in such a file: closed, immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True)


_D = TypeVar("_D", bound=Document)


def read_document(path: Path, what: str, model: type[_D], error: type[SimError]) -> _D:
    """Read a file into a model.

    Parameters
    ----------
    path
        YAML; JSON is YAML too.
    what
        What the file is, for messages.
    model
        What must be in it.
    error
        What is raised.

    Raises
    ------
    SimError
        Of the type `error`: when the file cannot be read, is neither YAML nor JSON, or holds something else.
    """
    where = f"{what} file {path}"
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise error(f"{where} is over {_MOST_BYTES // 1_000_000} MB: give a smaller one")
        read = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as failure:
        raise error(f"{where} cannot be read ({failure.strerror}): give a file in YAML or JSON") from failure
    except (yaml.YAMLError, ValueError, RecursionError) as failure:
        mark = getattr(failure, "problem_mark", None)
        line = "" if mark is None else f", line {mark.line + 1}"
        raise error(f"{where}{line} is neither YAML nor JSON: mend or replace it") from failure
    if not isinstance(read, dict):
        raise error(f"{where} is no table of keys and values: give {', '.join(model.model_fields)}")
    try:
        return model.model_validate(read)
    except ValidationError as failure:
        first = failure.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "the whole"
        say = _SAY.get(first["type"], first["msg"])
        raise error(f"{where}, {key}: {say}") from failure


_SAY = {
    "missing": "is missing: give it",
    "extra_forbidden": "is not known here: mend its spelling or take it out",
    "float_type": "is no number: give one",
    "int_type": "is no whole number: give one",
    "finite_number": "is no finite number: give one",
    "string_type": "is no text: give one",
    "list_type": "is no list: give one",
    "model_type": "is no table of keys and values: give one",
}
