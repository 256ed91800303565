"""What a vehicle does by itself when it hears no ground station: known before it takes off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from autopilot.errors import NotReadyError, ParameterError
from autopilot.vehicle import Vehicle

__all__ = ["LINK_LOSS", "LinkLoss", "check_link_loss"]


@dataclass(frozen=True, slots=True)
class LinkLoss:
    """What the values of `GroundWays.action` mean.

    Parameters
    ----------
    acts
        What each value makes the vehicle do, in words.
    deadly
        Values that end the flight where it is.
    """

    acts: Mapping[int, str]
    deadly: frozenset[int] = frozenset()


LINK_LOSS: Mapping[str, LinkLoss] = MappingProxyType(
    {
        # ArduCopter's Parameters.cpp; FS_OPTIONS may let a mission go on all the same.
        "FS_GCS_ENABLE": LinkLoss(
            MappingProxyType(
                {
                    0: "goes on with its mission",
                    1: "returns",
                    2: "returns or goes on with its mission",
                    3: "returns the way it came",
                    4: "returns the way it came, or lands",
                    5: "lands where it is",
                    6: "goes to the landing of its mission, or returns",
                    7: "stops, or lands where it is",
                }
            ),
        ),
        # PX4's commander_params.c.
        "NAV_DLL_ACT": LinkLoss(
            MappingProxyType(
                {
                    0: "goes on with its mission",
                    1: "stays where it is",
                    2: "returns",
                    3: "lands where it is",
                    5: "ends its flight",
                    6: "stops its motors",
                }
            ),
            deadly=frozenset({5, 6}),
        ),
    }
)


async def check_link_loss(vehicle: Vehicle) -> str:
    """What a vehicle does when it hears nobody, in words.

    Raises
    ------
    NotReadyError
        When it would end its flight where it is.
    """
    parameter = vehicle.dialect.ground.action
    try:
        value = round(await vehicle.parameter(parameter))
    except ParameterError:
        return f"what it does when it hears nobody is not known: it has no {parameter}"
    meaning = LINK_LOSS.get(parameter, LinkLoss({}))
    act = meaning.acts.get(value, "does what this program does not know")
    if value in meaning.deadly:
        raise NotReadyError(
            f"{vehicle}: {act} when it hears nobody ({parameter} {value}): set it to return, or to go on"
        )
    return f"when it hears nobody it {act} ({parameter} {value})"
