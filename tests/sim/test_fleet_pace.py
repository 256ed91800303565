"""A fleet in fast simulated time looks at its sockets as often as wall time asks for, and not after each step."""

import time

from sim.fleet_link import Links
from tests.sim.mav_client import fleet


def test_steps_that_are_shorter_than_a_pause_go_together(monkeypatch):
    waits_s = []
    poll = Links.poll
    monkeypatch.setattr(Links, "poll", lambda links, wait_s: waits_s.append(wait_s) or poll(links, wait_s))
    with fleet(speedup=100.0):
        time.sleep(0.3)
    # A step takes half a millisecond; whoever is spoken to is woken up.
    assert 0.001 < max(waits_s) <= 0.004
