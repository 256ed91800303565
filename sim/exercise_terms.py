"""What can be measured in an exercise: each measure, its unit, its meaning, and what an objective says for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["TERMS", "Term"]


@dataclass(frozen=True, slots=True)
class Term:
    """One measure.

    Parameters
    ----------
    unit
        Of its value; empty for a count or a share.
    words
        What it measures.
    needs, takes
        Keys of an objective that it must have, and those that it may have beside them.
    """

    unit: str
    words: str
    needs: frozenset[str] = frozenset()
    takes: frozenset[str] = frozenset()


def _keys(*names: str) -> frozenset[str]:
    return frozenset(names)


TERMS: Mapping[str, Term] = MappingProxyType(
    {
        "nearest_border": Term(
            "m", "least distance of vehicles in the air to the border; below 0 beyond it", takes=_keys("vehicle")
        ),
        "inside_stand_off": Term("s", "time that vehicles in the air were nearer to the border than its stand-off"),
        "longest_gap": Term(
            "s", "longest time for which a point of the border was in no camera's view", _keys("from_s", "to_s")
        ),
        "seen_share": Term(
            "", "share of the border that was in view at least once", takes=_keys("from_s", "to_s")
        ),
        "answered_share": Term(
            "", "share of the reports whose place, or whoever was there, came into view in time", _keys("within_s"),
            _keys("actors", "from_s", "to_s"),
        ),
        "longest_answer": Term("s", "longest time from a report to the first view of what it was about",
                               takes=_keys("actors")),
        "watched": Term("s", "least time for which somebody was in view", _keys("actors"), _keys("from_s", "to_s")),
        "home_share": Term("", "share of the vehicles that stand whole at their pads at the end"),
        "lowest_battery": Term("%", "lowest charge of a vehicle in the air", takes=_keys("vehicle")),
        "take_offs": Term("", "flights that left the ground", takes=_keys("vehicle", "from_s", "to_s", "after")),
        "in_zone": Term("s", "time that vehicles in the air were in a zone that was in force"),
        "down_by": Term("s", "time from a fault, or from from_s, until the vehicle was on the ground", _keys("vehicle"),
                        _keys("from_s", "after")),
        "reported_in": Term(
            "s", "longest time from a crossing to the moment at which the partner could read of it",
            _keys("actors", "partner"),
        ),
        "false_reports": Term("", "records that the partner could read without a crossing behind", _keys("partner")),
        "extra_fields": Term("", "fields that the partner received beyond these", _keys("partner", "fields")),
        "records_read": Term("", "records that the partner could read at any time", _keys("partner")),
        "recalled_in": Term(
            "s", "longest time from an order to recall until the partner could read nothing of it", _keys("partner")
        ),
    }
)  # fmt: skip
"""Every measure, by the name that an objective gives."""
