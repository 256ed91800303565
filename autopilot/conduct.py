"""What a sortie asks of whoever has ordered it, at its steps from the ground to the ground."""

from __future__ import annotations

from autopilot.watch import FlightWatch

__all__ = ["Conduct"]


class Conduct:
    """By itself a sortie sets off as soon as it can and waits for nobody; who wants more overrides a step.

    What a step raises as `AutopilotError` ends the sortie: on the ground it stays there, from the air it is brought
    home.
    """

    def unheard(self, act: str) -> None:
        """Told at its check what the vehicle does by itself when it hears no ground station, in words."""

    async def turn(self, watch: FlightWatch) -> None:
        """Checked, uploaded and ready; returns when it is time to prove it once more and to start."""

    async def clear(self, watch: FlightWatch) -> None:
        """Proved, right before the order to arm; returns at the moment at which it may take off."""

    async def look(self, watch: FlightWatch) -> None:
        """In flight, several times a wall second."""

    def bears(self, silent_wall_s: float) -> bool:  # noqa: ARG002 - for those who override it
        """Whether a silence in flight of so many wall seconds is waited out; else the sortie is off."""
        return False

    def off(self, cause: str) -> None:
        """The sortie is off; what is in the air is brought home from here on."""
