"""Settings from a file: what stands there, no more, and nothing misspelt."""

from pathlib import Path

import pytest

from api.errors import SettingsError
from api.outlets.settings import Pace
from api.sensors.settings import Broker, Custody, Datastream
from api.settings import Settings
from api.settings_file import read_settings

WHOLE = """
directory = "/var/lib/vedette"
port = 9000

[[tak.targets]]
name = "north"
host = "tak.example"
ca = "/etc/vedette/tak-ca.pem"
certificate = "/etc/vedette/vedette.pem"
key = "/etc/vedette/vedette.key"
types = ["crossing"]
rules = { stale_s = 600.0, opex = "e-Autumn" }

[cap]
sender = "watch@example.org"
status = "Exercise"

[sensors]
pace = { poll_s = 1.0 }
custody = { owner = "USA", purpose = "border-surveillance" }

[sensors.broker]
host = "127.0.0.1"
port = 1883

[[sensors.datastreams]]
id = "7"
sensor = "gate-3"
kind = "motion"
custody = { owner = "USA", purpose = "border-surveillance", marking = "REL BRAVO" }
location = [-110.94, 31.333]

[[sensors.outlets]]
name = "bravo"
broker = { host = "127.0.0.1", port = 1884 }
partner_id = "0f0f"
"""


@pytest.fixture
def file(tmp_path):
    made = tmp_path / "vedette.toml"
    made.write_text(WHOLE)
    return made


def test_a_file_says_everything_there_is(file):
    settings = read_settings(file, port=0)
    assert (settings.directory, settings.port) == (Path("/var/lib/vedette"), 0)
    (target,) = settings.tak.targets
    assert (target.host, target.port, target.types) == ("tak.example", 8089, frozenset({"crossing"}))
    assert target.ca == Path("/etc/vedette/tak-ca.pem")
    assert (target.rules.stale_s, target.rules.opex) == (600.0, "e-Autumn")
    assert settings.cap.status == "Exercise"
    assert settings.sensors.broker == Broker("127.0.0.1", 1883)
    assert settings.sensors.pace == Pace(poll_s=1.0)
    custody = Custody("USA", "border-surveillance", "REL BRAVO")
    assert settings.sensors.datastreams == (Datastream("7", "gate-3", "motion", custody, location=(-110.94, 31.333)),)
    assert settings.sensors.outlets[0].broker.port == 1884


def test_what_is_not_said_has_its_usual_value(tmp_path):
    file = tmp_path / "few.toml"
    file.write_text("")
    assert read_settings(file, directory=tmp_path) == Settings(tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[cap]", "[alerts]", "alerts is no setting: it may be"),
        ("stale_s", "stale_seconds", r"tak\.targets\.0\.rules\.stale_seconds is no setting"),
        ('sensor = "gate-3"', 'sensors = "gate-3"', r"sensors\.datastreams\.0\.sensors is no setting"),
        ("stale_s = 600.0", 'stale_s = "long"', r"tak\.targets\.0\.rules\.stale_s"),
        ("stale_s = 600.0", "stale_s = 0.0", "stale_s 0.0 is not from"),
        ('status = "Exercise"', 'status = "Draft"', r"cap\.status"),
        ('kind = "motion"', 'kind = "smell"', r"sensors\.datastreams\.0\.kind"),
        ('host = "tak.example"\n', "", r"tak\.targets\.0\.host"),
        ("port = 9000", "port = ", "no TOML"),
    ],
)
def test_what_cannot_be_is_refused_and_the_place_named(file, old, new, message):
    assert old in WHOLE
    file.write_text(WHOLE.replace(old, new, 1))
    with pytest.raises(SettingsError, match=message):
        read_settings(file)


def test_a_file_that_is_not_there_is_told_of(tmp_path):
    with pytest.raises(SettingsError, match="cannot be read"):
        read_settings(tmp_path / "none.toml")
