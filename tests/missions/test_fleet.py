"""Aircraft, cameras, bases and fleet files."""

import json
import math
from dataclasses import replace

import pytest

from geo import Distortion
from missions import (
    Base,
    Fleet,
    FleetError,
    FormatError,
    PlanOptions,
    Vehicle,
    Wind,
    check,
    default_fleet,
    plan,
    read_fleet,
    write_fleet,
)
from tests.missions.helpers import fleet_for, straight

BASE = Base("hill", 46.0, 8.0)
FLEET = default_fleet(BASE, 2)


def test_power_passes_through_hover_and_cruise():
    craft = FLEET.vehicles[0].aircraft
    assert craft.power_w(0) == craft.hover_power_w
    assert craft.power_w(craft.cruise_m_s) == pytest.approx(craft.cruise_power_w)
    assert craft.hover_power_w < craft.power_w(7) < craft.cruise_power_w


def test_a_multirotor_whose_cruise_takes_less_than_hover_takes_more_again_beyond_it():
    """Until it was so, one that flew at twice its cruise cost next to nothing, and no bound held."""
    figures = {"cruise_m_s": 10.0, "max_m_s": 23.0, "hover_power_w": 575.0, "cruise_power_w": 340.0}
    craft = replace(FLEET.vehicles[0].aircraft, **figures)
    powers = craft.power_w([0.0, 5.0, 10.0, 15.0, 23.0])
    assert powers[0] == 575.0
    assert powers[2] == 340.0
    assert powers[0] > powers[1] > powers[2] < powers[3] < powers[4]
    border = straight(6000.0)
    fleet = fleet_for(border, 1)
    fast = Fleet(replace(fleet.camera, max_gsd_m=0.3), (replace(fleet.vehicles[0], aircraft=craft),))
    made = plan(border, fast, options=PlanOptions(dwell_s=2.0, wind=Wind(4.0, 200.0)))
    assert made.observation.speed_m_s > 15.0
    assert check(made) == []


def test_the_default_type_hovers_for_50_to_60_minutes():
    craft = FLEET.vehicles[0].aircraft
    assert 50 < craft.usable_wh / craft.hover_power_w * 60 < 60


def test_the_default_camera_is_the_one_on_the_data_sheet():
    model = FLEET.camera.model
    assert (model.width_px, model.height_px, model.focal_px) == (640, 512, 1125.0)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("battery_wh", 0),
        ("cruise_m_s", float("nan")),
        ("reserve_fraction", 1.5),
        ("hover_power_w", "much"),
        ("max_m_s", 2),
        ("fence_vertices", 300),
        ("fence_vertices", 64.0),
        ("mission_items", True),
        ("mission_items", 20),
    ],
)
def test_an_impossible_aircraft_names_its_field(field, value):
    with pytest.raises(FleetError, match=field):
        replace(FLEET.vehicles[0].aircraft, **{field: value})


@pytest.mark.parametrize(("field", "value"), [("pitch_min_deg", -120), ("max_gsd_m", 0), ("modality", "x-ray")])
def test_an_impossible_camera_names_its_field(field, value):
    with pytest.raises(FleetError, match=field):
        replace(FLEET.camera, **{field: value})


def test_two_vehicles_cannot_share_a_system_id_and_a_fleet_is_not_empty():
    vehicle = FLEET.vehicles[0]
    with pytest.raises(FleetError, match="sysid 1"):
        Fleet(FLEET.camera, (vehicle, replace(vehicle, name="other")))
    with pytest.raises(FleetError, match="no vehicle"):
        Fleet(FLEET.camera, ())
    with pytest.raises(FleetError, match="sysid"):
        Vehicle(0, "zero", vehicle.aircraft, BASE)
    with pytest.raises(FleetError, match="lat_deg"):
        Base("pole", 91.0, 0.0)


def test_a_fleet_file_comes_back(tmp_path):
    write_fleet(FLEET, tmp_path / "fleet.json")
    assert read_fleet(tmp_path / "fleet.json") == FLEET


TOML = """
[camera]
name = "eye"
width_px = 640
height_px = 512
focal_mm = 13.5
pixel_pitch_um = 12.0
[aircraft.heavy]
cruise_m_s = 15
max_m_s = 20
climb_m_s = 4
descent_m_s = 3
hover_power_w = 500
cruise_power_w = 550
climb_power_w = 800
battery_wh = 600
fence_vertices = 127
[bases.hill]
lat_deg = 46.0
lon_deg = 8.0
[[vehicles]]
sysid = 3
aircraft = "heavy"
base = "hill"
"""


def test_a_fleet_in_toml_is_read(tmp_path):
    path = tmp_path / "fleet.toml"
    path.write_text(TOML)
    fleet = read_fleet(path)
    assert fleet.camera.model.focal_px == 1125.0
    assert [(v.sysid, v.name, v.aircraft.kind, v.base) for v in fleet.vehicles] == [(3, "vehicle-3", "heavy", BASE)]
    # What is not said is what both autopilots store.
    assert fleet.vehicles[0].aircraft.stores == (127, 500)


@pytest.mark.parametrize("lens", ["focal_px = 1125", "horizontal_fov_deg = 31.756216"])
def test_a_lens_is_given_by_its_focal_length_or_its_field_of_view(tmp_path, lens):
    """By hand: 320 px at half of 31.76 degrees are a focal length of 320 / tan 15.88° px."""
    path = tmp_path / "fleet.toml"
    path.write_text(TOML.replace("focal_mm = 13.5\npixel_pitch_um = 12.0", f'modality = "visible"\n{lens}'))
    camera = read_fleet(path).camera
    assert camera.model.focal_px == pytest.approx(320 / math.tan(math.radians(15.878108)), rel=1e-5)
    assert camera.model.focal_px == pytest.approx(1125.0, rel=1e-4)
    assert camera.modality == "visible"


@pytest.mark.parametrize(
    ("old", "new", "kind", "words"),
    [
        ("focal_mm = 13.5", "", FleetError, "camera: the lens is missing"),
        ("battery_wh = 600", "", FleetError, "aircraft 'heavy': battery_wh is missing"),
        ("battery_wh = 600", "battery_wh = -1", FleetError, "battery_wh is -1"),
        ("battery_wh = 600", "battery_wh = 600\ncolour = 1", FleetError, "colour is not a field"),
        ("width_px = 640", "width_px = '640'", FleetError, "width_px is '640'"),
        ('base = "hill"', 'base = "moon"', FleetError, "vehicle 1: base is 'moon': give one of hill"),
        ("[[vehicles]]", "[[gone]]", FleetError, "table vehicles is missing"),
        ("[camera]", "[camera", FormatError, "not TOML"),
    ],
)
def test_a_broken_fleet_file_names_object_and_field(tmp_path, old, new, kind, words):
    path = tmp_path / "fleet.toml"
    path.write_text(TOML.replace(old, new))
    with pytest.raises(kind) as error:
        read_fleet(path)
    assert words in str(error.value)
    assert "fleet.toml" in str(error.value)


@pytest.mark.parametrize(
    ("old", "new", "whole"),
    [
        (
            "battery_wh = 600",
            "battery_wh = -1",
            "aircraft 'heavy': battery_wh is -1: give a number between 1 and 1e+06",
        ),
        ("lat_deg = 46.0", "lat_deg = 99", "base 'hill': lat_deg is 99: give a number between -90 and 90"),
        ("sysid = 3", "sysid = 0", "vehicle 'vehicle-0': sysid is 0: give a whole number from 1 to 250"),
        ("width_px = 640", "width_px = -5", "camera: width_px is -5: give a number between 0 and 1e+06"),
    ],
)
def test_an_error_names_the_file_and_the_object_once(tmp_path, old, new, whole):
    path = tmp_path / "fleet.toml"
    assert old in TOML
    path.write_text(TOML.replace(old, new))
    with pytest.raises(FleetError) as error:
        read_fleet(path)
    assert str(error.value) == f"{path}: {whole}"


def test_a_fleet_that_is_a_list_is_refused(tmp_path):
    (tmp_path / "fleet.json").write_text(json.dumps([1]))
    with pytest.raises(FleetError, match="not a table"):
        read_fleet(tmp_path / "fleet.json")


def test_cameras_of_their_own_come_back_with_their_vehicles(tmp_path):
    zoom = replace(FLEET.camera, name="zoom", max_gsd_m=0.05, pitch_min_deg=-70.0)
    vehicles = tuple(replace(v, camera=zoom) if k else v for k, v in enumerate(FLEET.vehicles))
    fleet = replace(FLEET, vehicles=vehicles)
    write_fleet(fleet, tmp_path / "fleet.json")
    assert read_fleet(tmp_path / "fleet.json") == fleet


def test_what_a_file_could_not_tell_apart_is_not_written(tmp_path):
    first, second, *rest = FLEET.vehicles
    for other in (
        replace(second, aircraft=replace(second.aircraft, battery_wh=1.5 * second.aircraft.battery_wh)),
        replace(second, camera=replace(FLEET.camera, max_gsd_m=0.2)),
    ):
        beside = replace(first, camera=replace(FLEET.camera, max_gsd_m=0.3)) if other.camera else first
        with pytest.raises(FleetError, match="two different"):
            write_fleet(replace(FLEET, vehicles=(beside, other, *rest)), tmp_path / "fleet.json")
    assert not (tmp_path / "fleet.json").exists()


def test_an_unknown_camera_of_a_vehicle_is_named(tmp_path):
    path = tmp_path / "fleet.json"
    write_fleet(FLEET, path)
    value = json.loads(path.read_text())
    value["vehicles"][0]["camera"] = "none such"
    path.write_text(json.dumps(value))
    with pytest.raises(FleetError, match=r"vehicle 1: camera is 'none such'"):
        read_fleet(path)


def test_the_distortion_of_a_lens_comes_back_and_is_checked(tmp_path):
    fleet = default_fleet(Base("b", 46.0, 8.0))
    bent = replace(
        fleet, camera=replace(fleet.camera, model=replace(fleet.camera.model, distortion=Distortion(-0.1, k2=0.02)))
    )
    path = tmp_path / "fleet.json"
    write_fleet(bent, path)
    assert read_fleet(path) == bent
    told = json.loads(path.read_text())
    for wrong, words in (({"k9": 1.0}, "k9 is not a field"), ({"k1": "x"}, "k1 is 'x': give a number")):
        path.write_text(json.dumps({**told, "camera": {**told["camera"], "distortion": wrong}}))
        with pytest.raises(FleetError, match=words):
            read_fleet(path)
