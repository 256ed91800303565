"""The score of an exercise: each objective against what was measured, and what went well or has to improve."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from sim.exercise import Objective
from sim.exercise_measures import MEASURES
from sim.exercise_record import ExerciseRecord
from sim.exercise_terms import TERMS

__all__ = ["ExerciseScore", "ObjectiveScore", "score_exercise"]


@dataclass(frozen=True, slots=True)
class ObjectiveScore:
    """One objective.

    Parameters
    ----------
    id, words, measure
        As the exercise has them.
    value, unit
        What was measured; None where the record holds nothing to measure it by, which is not met.
    bound
        What was wanted, in words.
    met, weight, must
        Whether it was reached, what it counts, and whether the exercise is not passed without it.
    shown_by
        What in the record shows it, in words.
    """

    id: str
    words: str
    measure: str
    value: float | None
    unit: str
    bound: str
    met: bool
    weight: float
    must: bool
    shown_by: str


@dataclass(frozen=True, slots=True)
class ExerciseScore:
    """All objectives, the share of their weight that was reached, and whether that passes."""

    exercise: str
    objectives: tuple[ObjectiveScore, ...]
    share: float
    pass_mark: float
    passed: bool

    def values(self) -> dict[str, Any]:
        """As plain values for JSON."""
        return asdict(self)


def score_exercise(record: ExerciseRecord) -> ExerciseScore:
    """Score a run from its record alone: the same record gives the same score."""
    done = tuple(_score(record, one) for one in record.exercise.objectives)
    share = round(sum(one.weight for one in done if one.met) / sum(one.weight for one in done), 4)
    passed = share >= record.exercise.pass_mark and all(one.met for one in done if one.must)
    return ExerciseScore(record.exercise.name, done, share, record.exercise.pass_mark, passed)


def _score(record: ExerciseRecord, one: Objective) -> ObjectiveScore:
    value, shown_by = MEASURES[one.measure](record, one)
    value = None if value is None else round(value, 3)
    unit = TERMS[one.measure].unit
    if one.at_least is not None:
        met, bound = value is not None and value >= one.at_least, f"at least {one.at_least:g}"
    else:
        assert one.at_most is not None  # one of the two, as the exercise was checked
        met, bound = value is not None and value <= one.at_most, f"at most {one.at_most:g}"
    return ObjectiveScore(
        one.id, one.words, one.measure, value, unit, f"{bound} {unit}".strip(), met, one.weight, one.must, shown_by
    )
