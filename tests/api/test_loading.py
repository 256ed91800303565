"""What comes in is of the types that it says, names each member once, and shows what it says."""

import inspect
import json
from collections import Counter
from typing import get_type_hints

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from api import app
from api.errors import MalformedError
from api.loading import load_json, number_of
from api.planning.schemas import PlanningIn
from api.records.types import TYPES
from api.release.schemas import AgreementTerms, ReceiptIn
from api.wire import Wire
from tests.api.samples import agreement_json, crossing_json, planning_json, record_json


class Members(list):
    """An object as it is written: a name may come twice."""


TEXTS = st.text(st.sampled_from('ab"\\:,{}[]u0é\u202d\u2069\x00'), max_size=4)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.lists(st.tuples(TEXTS, inner), max_size=3).map(Members),
    max_leaves=12,
)


def written(value, draw):
    """JSON of a value, each text with or without escapes, spaces here and there."""
    space = draw(st.sampled_from(["", " ", "\n"]))
    if isinstance(value, Members):
        inner = ",".join(f"{written(name, draw)}{space}:{space}{written(each, draw)}" for name, each in value)
        return f"{{{space}{inner}{space}}}"
    if isinstance(value, list):
        return f"[{space}{','.join(written(each, draw) for each in value)}]"
    return json.dumps(value, ensure_ascii=draw(st.booleans()))


def is_fine(value):
    """By walking what was written, and by Unicode's own list of what turns text around."""
    if isinstance(value, str):
        return not any(each == "\0" or 0x202A <= ord(each) <= 0x202E or 0x2066 <= ord(each) <= 0x2069 for each in value)
    if isinstance(value, Members):
        names = Counter(name for name, _ in value)
        return max(names.values(), default=1) == 1 and all(is_fine(name) and is_fine(each) for name, each in value)
    return not isinstance(value, list) or all(map(is_fine, value))


@settings(deadline=None)
@given(VALUES, st.data())
def test_a_member_comes_once_and_no_character_hides(value, data):
    """Beside Python's own reader of JSON, and a walk over what was written."""
    text = written(value, data.draw)
    if is_fine(value):
        assert load_json(text.encode()) == json.loads(text)
    else:
        with pytest.raises(MalformedError):
            load_json(text.encode())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b'{"a": {"b": [0, {"c": 1, "d": 2, "c": 3}]}}', "#/a/b/1/c: there are two"),
        (b'{"a": 1, "\\u0061": 1}', "#/a: there are two"),  # the same name, written otherwise
        (b'{"a": ["x\\u0000"]}', r"#/a/0: the character U\+0000"),
        ('{"a": {"b\u202e": 1}}'.encode(), "#/a: the name"),
        (b'{"a": ["\\ud800"]}', r"#/a/0: the character U\+D800"),
        (b'{"a": NaN}', "#/a: this is no number"),
        (b'{"a": [-1e999]}', "#/a/0: this is no number"),
        ('{"a": 1}'.encode("utf-16"), "#: no JSON"),
        (b"[" * 600 + b"]" * 600, "#: nested"),
        (b"[" * 100_000, "#: no JSON"),
    ],
)
def test_it_says_where(text, says):
    with pytest.raises(MalformedError, match=f"^{says}"):
        load_json(text)


BODIES = [
    *((type_.model, record_json(type_.collection)) for type_ in TYPES.values()),
    (AgreementTerms, agreement_json("0" * 32, valid_until="2027-01-01T00:00:00Z", subscriptions=True)),
    (PlanningIn, planning_json(landing_sites=True, start="2026-01-01T00:00:00Z")),
    (ReceiptIn, {"erased": True}),
]
OTHERS = [True, False, 0, 1, 5.0, 5.5, "5", "31.5", "true", "1767268800", None, [], {}, ["5"]]


def changed(value, other):
    """`value` with each of its leaves in turn replaced by `other`."""
    parts = enumerate(value) if isinstance(value, list) else value.items() if isinstance(value, dict) else None
    if parts is None:
        yield other
        return
    for step, part in parts:
        for new in changed(part, other):
            copy = value.copy()
            copy[step] = new
            yield copy


@pytest.mark.parametrize(("model", "body"), BODIES, ids=lambda each: getattr(each, "__name__", ""))
def test_nothing_is_taken_for_another_type(model, body):
    """Beside the schema that the OpenAPI document has, as the library jsonschema reads it."""
    schema = jsonschema.Draft202012Validator(model.model_json_schema())
    assert schema.is_valid(body)
    model.model_validate(body)
    refused = 0
    for other in OTHERS:
        for given_ in changed(body, other):
            if not schema.is_valid(given_):
                refused += 1
                with pytest.raises(ValidationError):
                    model.model_validate(given_)
    assert refused >= len(OTHERS) / 2


@pytest.mark.parametrize("time", ["1767268800", "1767268800.5", "1.7e-9", "-1767268800", "2026-01-01"])
def test_a_time_says_its_day_and_zone(time):
    with pytest.raises(ValidationError) as caught:
        TYPES["crossing"].model.model_validate(crossing_json(time=time))
    assert [each["loc"] for each in caught.value.errors()] == [("time",)]


def test_a_number_of_json_without_a_fraction_is_an_integer():
    """JSON has one type of numbers (RFC 8259, 6), and so has JSON Schema."""
    assert TYPES["crossing"].model.model_validate(crossing_json(retention_days=5.0)).retention_days == 5


def bodies_of(endpoint):
    hints = get_type_hints(endpoint)
    return {each for each in hints.values() if inspect.isclass(each) and issubclass(each, BaseModel)}


def test_every_body_is_strict():
    models = set().union(*(bodies_of(route.endpoint) for route in app.ROUTES))
    assert len(models) > 30
    assert [each.__name__ for each in models if not issubclass(each, Wire)] == []


TWICE = json.dumps(crossing_json()).replace('"lat": 31.333', '"lat": 31.333, "lat": 31.4')


@pytest.mark.parametrize(
    ("who", "path", "content", "pointer"),
    [
        ("pilot", "/crossings", TWICE, "#/body/lat"),
        ("pilot", "/crossings", json.dumps(crossing_json(lat=True)), "#/body/lat"),
        ("pilot", "/crossings", json.dumps(crossing_json(time=5)), "#/body/time"),
        ("pilot", "/crossings", json.dumps(crossing_json(owner="U\0SA")), "#/body/owner"),
        ("pilot", "/crossings", json.dumps(crossing_json(border="Nog\u202eales")), "#/body/border"),
        ("pilot", "/crossings", json.dumps(crossing_json(border="Nogales\u200f")), "#/body/border"),
        ("pilot", "/crossings", "{", "#/body"),
        ("administrator", "/partners", '{"name": "a", "name": "b"}', "#/body/name"),
        ("administrator", "/keys", '{"name": "a", "role": "pilot", "role": "administrator"}', "#/body/role"),
        ("supervisor", "/releases", '{"record_id": 5, "partner_id": "5"}', "#/body/record_id"),
        (None, "/login", '{"login": "a", "password": "b", "password": "c"}', "#/body/password"),
    ],
)
def test_a_problem_names_the_member(service, who, path, content, pointer):
    answer = service.ask(who, "POST", path, content=content, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json"), answer.text
    assert answer.json()["errors"][0]["pointer"] == pointer
    assert answer.json()["detail"].startswith(f"{pointer}: ")


def test_a_line_of_many_is_read_as_one_is(service):
    lines = [json.dumps(crossing_json("good")), TWICE, json.dumps(crossing_json("bad", lat="31.5")), "{"]
    answer = service.ask("pilot", "POST", "/crossings/bulk", content="\n".join(lines))
    results = answer.json()["results"]
    assert [each["outcome"] for each in results] == ["created", "refused", "refused", "refused"]
    assert [each["note"].split(":")[0] for each in results[1:]] == ["#/lat", "#/lat", "#"]


@given(st.floats(allow_nan=False, allow_infinity=False), st.sampled_from(["{}", " {}", "{} ", "{:e}"]))
def test_a_number_of_a_parameter_is_what_it_says(number, form):
    text = form.format(number)
    assert number_of(text) == float(text)


@pytest.mark.parametrize(
    "text", ["1_0", "\u0663", "1\u0663", "nan", "inf", "-Infinity", "0x1", "", " ", ".", "1e", "\u00b2"]
)
def test_what_python_alone_takes_for_a_number_is_none(text):
    with pytest.raises(ValueError, match="no number"):
        number_of(text)
