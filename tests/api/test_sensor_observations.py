"""OGC SensorThings observations as cues, over HTTP; what they may not say."""

import dataclasses
import json
import math

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from api import Settings, create_app
from api.errors import SettingsError, UnprocessableError
from api.sensors.observations import Observation, cue_of
from api.sensors.settings import Broker, Custody, Datastream, MqttOutlet, SensorSettings
from tests.api.conftest import ON_SQLITE, InProcess, Service

CUSTODY = Custody("USA", "border-surveillance", "REL BRAVO", 30)
STREAM = Datastream("7", "gate-3", "motion", CUSTODY, location=(-110.94, 31.333), confidence=0.8)


def observation_json(**changes):
    usual = {
        "@iot.id": 1,
        "phenomenonTime": "2026-01-01T11:00:00.000Z",
        "resultTime": "2026-01-01T11:00:01.500Z",
        "result": True,
        "parameters": {"azimuth_deg": 12.5, "uncertainty_m": 20.0},
        "Datastream": {"@iot.id": 7},
    }
    return {name: value for name, value in (usual | changes).items() if value is not None}


def cue(stream=STREAM, **changes):
    return cue_of(Observation.model_validate(observation_json(**changes)), stream)


def test_an_observation_is_a_cue_with_what_the_settings_say_of_its_datastream():
    found = cue().document()
    assert found == {
        "type": "cue",
        "id": found["id"],
        "sensor": "gate-3",
        "kind": "motion",
        "phenomenonTime": "2026-01-01T11:00:00.000000Z",
        "resultTime": "2026-01-01T11:00:01.500000Z",
        "location": {"type": "Point", "coordinates": [-110.94, 31.333]},
        "uncertainty_m": 20.0,
        "confidence": 0.8,
        "parameters": {"azimuth_deg": 12.5},
        "custody": CUSTODY.to_json(),
    }


@pytest.mark.parametrize(
    ("stream", "result", "confidence"),
    [
        ({"result": "detected"}, True, 0.8),
        ({"result": "detected"}, 1, 0.8),
        ({"result": "detected"}, False, None),
        ({"result": "detected"}, 0, None),
        ({"result": "confidence"}, 0.93, 0.93),
        ({"result": "confidence"}, 0.49, None),
        ({"result": "count", "threshold": 3}, 3, 0.8),
        ({"result": "count", "threshold": 3}, 2, None),
    ],
)
def test_the_result_says_whether_something_was_there(stream, result, confidence):
    found = cue(dataclasses.replace(STREAM, **stream), result=result)
    assert (None if found is None else found.confidence) == confidence


@pytest.mark.parametrize(
    ("stream", "result"),
    [
        ({"result": "detected"}, "yes"),
        ({"result": "detected"}, 2),
        ({"result": "confidence"}, 1.1),
        ({"result": "confidence"}, True),
        ({"result": "count"}, "many"),
    ],
)
def test_a_result_of_another_sort_is_refused(stream, result):
    with pytest.raises(UnprocessableError, match="Datastream 7"):
        cue(dataclasses.replace(STREAM, **stream), result=result)


@pytest.mark.parametrize("time", ["yesterday", "2026-01-01T11:00:00", "", "/"])
def test_a_time_without_a_zone_is_none(time):
    with pytest.raises(UnprocessableError, match="phenomenonTime"):
        cue(phenomenonTime=time)


def test_of_an_interval_the_begin_counts():
    assert cue(phenomenonTime="2026-01-01T11:00:00Z/2026-01-01T11:00:09Z").document()["phenomenonTime"].endswith("00Z")


def test_the_place_is_that_of_the_feature_then_of_the_area_then_of_the_settings():
    point = {"type": "Point", "coordinates": [-110.5, 31.5]}
    feature = {"FeatureOfInterest": {"feature": {"type": "Feature", "geometry": point, "properties": {}}}}
    assert cue(**feature).location.coordinates == (-110.5, 31.5)
    assert cue(FeatureOfInterest={"encodingType": "application/geo+json", "feature": point}).location.coordinates == (
        -110.5,
        31.5,
    )
    ring = [[-110.6, 31.4], [-110.4, 31.4], [-110.4, 31.6], [-110.6, 31.6], [-110.6, 31.4]]
    area = {"Datastream": {"@iot.id": 7, "observedArea": {"type": "Polygon", "coordinates": [ring]}}}
    found = cue(**area, parameters={})
    assert found.location.coordinates == pytest.approx((-110.5, 31.5))
    corner_m = math.hypot(0.1 * 111_195 * math.cos(math.radians(31.5)), 0.1 * 111_195)
    assert found.uncertainty_m == pytest.approx(corner_m / 2, rel=0.01)
    with pytest.raises(UnprocessableError, match="no place"):
        cue(dataclasses.replace(STREAM, location=None))


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "Point", "coordinates": [200, 0]},
        {"type": "Point", "coordinates": []},
        {"type": "Point"},
        {"type": "Blob", "coordinates": [1, 2]},
        {"type": "Polygon", "coordinates": [[[0, 0]]]},
        {"type": "Point", "coordinates": ["a", "b"]},
        {"type": "Feature", "geometry": 7},
        {},
    ],
)
def test_a_place_that_is_none_is_refused(wrong):
    with pytest.raises(UnprocessableError, match="place"):
        cue(FeatureOfInterest={"feature": wrong})


def test_the_same_observation_is_the_same_cue_and_another_is_another():
    assert cue().id == cue(resultTime=None).id
    assert cue().id != cue(**{"@iot.id": 2}).id
    assert cue().id != cue(dataclasses.replace(STREAM, id="8")).id
    assert cue(**{"@iot.id": None}).id == cue(**{"@iot.id": None}).id
    assert cue(**{"@iot.id": None}).id != cue(**{"@iot.id": None, "phenomenonTime": "2026-01-01T11:00:02Z"}).id


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda each: st.lists(each, max_size=3) | st.dictionaries(st.text(max_size=8), each, max_size=3),
    max_leaves=6,
)
PLACES = st.fixed_dictionaries({"type": st.sampled_from(["Point", "Polygon", "Feature", "x"]), "coordinates": JSON})


@given(result=JSON, time=st.text(max_size=30), place=PLACES | JSON, measured=JSON)
def test_whatever_comes_it_is_a_cue_or_is_refused(result, time, place, measured):
    message = observation_json(FeatureOfInterest={"feature": place}) | {
        "result": result,
        "phenomenonTime": time,
        "parameters": measured,
    }
    for changed in (message, message | {"phenomenonTime": "2026-01-01T11:00:00Z", "parameters": {}, "result": 1}):
        try:
            found = cue_of(Observation.model_validate_json(json.dumps(changed)), STREAM)
        except (UnprocessableError, ValidationError):
            continue
        assert found is None or found.sensor == "gate-3"


# -- over HTTP --------------------------------------------------------------------------------------------------------


@pytest.fixture
def things(store, clock, databases, template):
    sensors = SensorSettings(
        datastreams=(STREAM, Datastream("8", "road", "radar", CUSTODY, location=(0.0, 0.0), speaker="gateway"))
    )
    app = create_app(Settings(store.directory, sensors=sensors), store)
    with httpx.Client(transport=InProcess(app), base_url="http://vedette.test") as http:
        made = Service(store, clock, app, http, dict(template(databases).keys))
        made.key("gate-3", "sensor")
        made.key("gateway", "sensor", sources=["road"])
        yield made


def post(things, who, path="Observations", **changes):
    return things.ask(who, "POST", f"/sensorthings/v1.1/{path}", json=observation_json(**changes))


def cues_of(things):
    return things.ask("analyst", "GET", "/cues").json()["features"]


def test_an_observation_is_taken_once(things):
    first = post(things, "gate-3")
    assert first.status_code == 201, first.text
    assert first.headers["Location"] == f"/cues/{first.json()['@iot.id']}"
    again = post(things, "gate-3", "Datastreams(7)/Observations", Datastream=None)
    assert (again.status_code, again.json()) == (200, first.json())
    (found,) = cues_of(things)
    assert found["id"] == first.json()["@iot.id"]
    assert found["properties"]["sensor"] == "gate-3"
    assert post(things, "gate-3", result=False, **{"@iot.id": 2}).status_code == 204
    assert len(cues_of(things)) == 1


def test_the_same_id_with_another_content_is_refused(things):
    assert post(things, "gate-3").status_code == 201
    assert post(things, "gate-3", parameters={}).status_code == 409


def test_a_sensor_speaks_for_itself_alone(things):
    assert post(things, "gate-3", Datastream={"@iot.id": "8"}).status_code == 403
    assert post(things, "sensor").status_code == 403  # a sensor's key, and not this sensor's
    assert post(things, "gateway", Datastream={"@iot.id": "8"}).status_code == 201
    assert post(things, "gateway").status_code == 403
    assert post(things, "gate-3", "Datastreams(7)/Observations", Datastream={"@iot.id": 8}).status_code == 422
    for who in ("analyst", "pilot", "administrator"):
        assert post(things, who).status_code == 403
    assert len(cues_of(things)) == 1


@ON_SQLITE
@pytest.mark.parametrize(
    "changes",
    [{"Datastream": None}, {"Datastream": {"@iot.id": 9}}, {"result": None}, {"phenomenonTime": "x"}, {"result": [1]}],
)
def test_what_is_no_observation_of_ours_is_422(things, changes):
    assert post(things, "gate-3", **changes).status_code == 422
    assert cues_of(things) == []


# -- settings ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "make",
    [
        lambda: Broker("127.0.0.1", 0),
        lambda: Broker("broker.example"),
        lambda: Broker("127.0.0.1", identifier=""),
        lambda: Broker("127.0.0.1", certificate="a", key="b"),
        lambda: Broker("127.0.0.1", keepalive_s=0),
        lambda: Datastream("a/b", "gate-3", "motion", CUSTODY),
        lambda: Datastream("7", "gate 3", "motion", CUSTODY),
        lambda: Datastream("7", "gate-3", "motion", CUSTODY, confidence=2.0),
        lambda: SensorSettings(prefix="a/#"),
        lambda: SensorSettings(things="/v1.1"),
        lambda: SensorSettings(datastreams=(STREAM, STREAM)),
        lambda: SensorSettings(most_refused=0),
        lambda: MqttOutlet("", Broker("127.0.0.1")),
        lambda: MqttOutlet("a", Broker("127.0.0.1"), prefix="+"),
    ],
)
def test_settings_that_cannot_be_are_refused(make):
    with pytest.raises(SettingsError):
        make()


def test_a_password_is_not_shown():
    assert "hush" not in repr(Broker("127.0.0.1", user="us", password="hush"))
