"""The client's plans, past what the demonstration does with them."""

from types import SimpleNamespace

import pytest

from api import ClientError
from api.courier.plans import Plans


def planner(*states):
    """A service whose planning is in one state after another."""
    left = list(states)

    def ask(_method, _path, **_more):
        told = {"state": left.pop(0), "name": "night", "error": "stand-off: 60 m do not fit"}
        return SimpleNamespace(json=lambda: told)

    return ask


def test_a_plan_is_waited_for():
    waits = []
    assert Plans(planner("queued", "running", "done"), waits.append).wait("p")["state"] == "done"
    assert len(waits) == 2


@pytest.mark.parametrize("state", ["failed", "cancelled"])
def test_what_came_to_no_plan_says_why(state):
    with pytest.raises(ClientError, match=f"planning night {state}: stand-off: 60 m do not fit"):
        Plans(planner("running", state), lambda _s: None).wait("p")
