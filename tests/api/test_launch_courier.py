"""A ground station's courier: launches are taken once and only while it stands by, and what came of them is told."""

import json
import time

import httpx
import pytest

import api
from api.launches.schemas import LaunchOutcomeIn

RUN_S = 30.0


class Service:
    """Answers as the service does to one station; a script says what goes wrong."""

    def __init__(self, *waiting):
        self.waiting = list(waiting)
        self.states, self.told = [], []
        self.away = False
        self.lose_taken = 0
        self.refuse = None

    def __call__(self, request):
        if self.away:
            raise httpx.ConnectError("away")
        body = json.loads(request.read())
        if request.method == "PUT":
            self.states.append(body)
            return httpx.Response(200, json={"launches": [{"id": each} for each in self.waiting]})
        launch_id = request.url.path.split("/")[2]
        self.told.append((launch_id, body["run"], body["state"], body["words"]))
        if self.refuse is not None:
            headers = {"Content-Type": "application/problem+json"}
            return httpx.Response(self.refuse, json={"detail": "no"}, headers=headers)
        self.waiting = [each for each in self.waiting if each != launch_id]
        if body["state"] == "taken" and self.lose_taken:
            self.lose_taken -= 1
            raise httpx.ReadTimeout("no answer")
        return httpx.Response(200, json={"id": launch_id, "left_s": 40.0})

    def said(self, launch_id):
        return [state for each, _, state, _ in self.told if each == launch_id]


class At:
    """A courier at a service, and what it says."""

    def __init__(self, service, **more):
        self.words, self.handled = [], []
        client = api.Client("http://vedette.test", "k", transport=httpx.MockTransport(service))
        state = {"busy": None, "vehicles": []}
        self.courier = api.LaunchCourier(
            client, "north", lambda: state, self.words.append,
            told=lambda *each: self.handled.append(each), period_s=0.01, **more,
        )  # fmt: skip

    def taken(self):
        return until(self.courier.taken)


def until(look):
    end = time.monotonic() + RUN_S
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.005)
    raise AssertionError("it never came")


def test_a_launch_is_taken_once_and_none_while_the_station_flies():
    service = Service("a", "b")
    at = At(service, clock=lambda: 1000.0)
    with at.courier as courier:
        until(lambda: len(service.states) > 2)
        assert service.told == []  # it does not stand by yet
        courier.stand_by()
        first = at.taken()
        assert (first.id, first.until_s) == ("a", 1040.0)
        count = len(service.states)
        until(lambda: len(service.states) > count + 2)
        assert (courier.taken(), service.said("b")) == (None, [])
        courier.tell("a", "done", "both are down")
        courier.stand_by()
        assert at.taken().id == "b"
        assert service.told[1] == ("a", courier.run, "done", "both are down")
    assert {state["run"] for state in service.states} == {courier.run}
    assert at.handled[:1] == [("a", "done")]


def test_one_that_was_asked_for_without_an_answer_is_asked_for_again():
    """It is no longer among those that wait: the service may have given it to us."""
    service = Service("a")
    service.lose_taken = 2
    at = At(service)
    with at.courier as courier:
        courier.stand_by()
        assert at.taken().id == "a"
        assert service.said("a") == ["taken"] * 3
    assert any("does not hear" in words for words in at.words)


@pytest.mark.parametrize(("status", "said"), [(409, 0), (403, 1)])
def test_one_that_may_not_be_taken_is_not_asked_for_again(status, said):
    service = Service("a")
    service.refuse = status
    at = At(service)
    with at.courier as courier:
        courier.stand_by()
        until(lambda: service.told)
        count = len(service.states)
        until(lambda: len(service.states) > count + 3)
        assert service.said("a") == ["taken"]
        assert courier.taken() is None
    assert len(at.words) == said


def test_what_came_of_one_is_told_once_the_service_is_back_which_is_said_once():
    service = Service()
    service.away = True
    at = At(service)
    with at.courier as courier:
        courier.tell("a", "failed", "lost", run="0" * 32)
        until(lambda: at.words)
        time.sleep(0.1)
        assert (len(at.words), at.handled) == (1, [])
        service.away = False
        until(lambda: at.handled)
        assert service.told == [("a", "0" * 32, "failed", "lost")]
    assert ["not hear" in words for words in at.words] == [True, False]


@pytest.mark.parametrize("status", [401, 403, 500])
def test_what_came_of_one_waits_for_a_key_that_is_put_right(status):
    service = Service()
    service.refuse = status
    at = At(service)
    with at.courier as courier:
        courier.tell("a", "done", "both are down")
        until(lambda: len(service.told) > 1)
        assert at.handled == []
        service.refuse = None
        until(lambda: at.handled)
    assert at.handled == [("a", "done")]


@pytest.mark.parametrize("status", [404, 409, 422])
def test_what_no_later_try_can_mend_holds_nothing_up(status):
    service = Service("b")
    service.refuse = status
    at = At(service)
    with at.courier as courier:
        courier.tell("a", "done", "both are down")
        until(lambda: at.handled)
        service.refuse = None
        courier.stand_by()
        assert at.taken().id == "b"
    assert service.said("a") == ["done"]


def test_words_of_a_vehicle_are_told_as_a_text_that_the_service_takes():
    service = Service()
    with At(service).courier as courier:
        courier.tell("a", "refused", "it says: Pre\x1bArm:\x00 \u200b RC\n" + "x" * 600)
        until(lambda: service.told)
    ((_, run, state, words),) = service.told
    assert words.startswith("it says: Pre Arm: RC xxx")
    LaunchOutcomeIn.model_validate({"run": run, "state": state, "words": words})


def test_what_was_taken_and_not_begun_when_the_station_ends_is_refused():
    service = Service("a")
    at = At(service)
    with at.courier as courier:
        courier.stand_by()
        until(lambda: service.said("a"))
    assert service.said("a") == ["taken", "refused"]
