"""The folder of a plan: its report, its fences made once, and nothing left of the sorties of an earlier plan."""

import json
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest

import missions.fence
import missions.plan_folder
from geo import FileWriteError, FlatTerrain, write_bytes
from missions import (
    FleetError,
    FormatError,
    MissionError,
    MissionsError,
    PlanError,
    Progress,
    check,
    compile_mission,
    load_plan,
    plan,
    read_litchi,
    read_qgc_plan,
    read_report,
    resume,
    sortie_fence,
    validate,
    validate_missions,
    write_plan_folder,
)
from tests.missions.app_helpers import Hills, app_fleet
from tests.missions.helpers import fleet_for, straight

ENDINGS = (".plan", ".waypoints", ".kml", ".kmz", ".csv")


@pytest.fixture(scope="module")
def long():
    border = straight(30_000)
    return plan(border, app_fleet(border, 2), FlatTerrain(700.0))


@pytest.fixture(scope="module")
def short():
    border = straight(4_000)
    return plan(border, app_fleet(border, 1), FlatTerrain(700.0))


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """Pictures of plans, and the plans, which keep their ids while they stand here."""
    return tmp_path_factory.mktemp("drawn"), {}


@pytest.fixture(autouse=True)
def _drawn_once(drawn, monkeypatch):
    """Tests here write the folders of a few plans over and over: each plan is drawn once."""
    real, (folder, plans) = missions.plan_folder.draw_map, drawn

    def draw(made, path, *more):
        picture = folder / f"{id(made)}{path.suffix}"
        if id(made) not in plans:
            real(made, picture, *more)
            plans[id(made)] = made
        write_bytes(path, picture.read_bytes())

    monkeypatch.setattr(missions.plan_folder, "draw_map", draw)


def files_of(made, folder):
    return {path for sortie in made.sorties for path in folder.iterdir() if path.stem == sortie.name}


def listing(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_the_report_says_what_the_written_plan_and_missions_are_found_to_keep(long, tmp_path):
    written = write_plan_folder(long, tmp_path)
    assert tmp_path / "validation.json" in written
    report = json.loads((tmp_path / "validation.json").read_text())
    made = load_plan(tmp_path / "plan.json")
    read_back = [read_qgc_plan(tmp_path / f"{sortie.name}.plan") for sortie in made.sorties]
    rules = (*validate(made).rules, *validate_missions(made, read_back).rules)
    assert report["rules"] == [asdict(rule) | {"broken": []} for rule in rules]
    assert len(rules) > 10
    assert report["kept"] is True
    assert read_report(tmp_path / "validation.json").rules == rules
    assert report["heights_checked_on"] == "waypoints"


@pytest.mark.parametrize("text", ["[]", "{}", '{"format": "vedette-validation", "version": 1, "rules": [{"name": 1}]}'])
def test_a_file_that_is_no_report_is_refused(tmp_path, text):
    (tmp_path / "validation.json").write_text(text)
    with pytest.raises(FormatError, match=r"validation\.json: is no validation report.*plan again"):
        read_report(tmp_path / "validation.json")


def test_the_report_says_how_far_the_plan_is_from_each_bound_and_what_that_claims(long, tmp_path):
    write_plan_folder(long, tmp_path)
    report = json.loads((tmp_path / "validation.json").read_text())
    assert report["revisit_s"] == long.revisit_s
    assert [(b["name"], b["claim"]) for b in report["bounds"]] == [(b.name, f"no plan {b.claim}") for b in long.bounds]
    for bound in report["bounds"]:
        assert 0 < bound["seconds"] <= report["revisit_s"] + 1e-6
        assert bound["seconds"] * (1 + bound["gap"]) == pytest.approx(report["revisit_s"])


def test_heights_are_checked_on_the_terrain_where_there_is_one(tmp_path):
    border = straight(4_000)
    made = plan(border, fleet_for(border, 1), Hills())
    write_plan_folder(made, tmp_path / "hills", terrain=Hills())
    report = json.loads((tmp_path / "hills" / "validation.json").read_text())
    assert report["heights_checked_on"] == "terrain"
    flat = plan(border, fleet_for(border, 1), FlatTerrain(700.0))
    # What was planned over a plain would fly into the hills.
    assert check(flat, Hills())
    with pytest.raises(PlanError, match=r"breaks \d+ rules, and is not written: .* above ground"):
        write_plan_folder(flat, tmp_path / "flat", terrain=Hills())
    assert not (tmp_path / "flat").exists()


def test_a_plan_that_breaks_a_rule_leaves_the_folder_as_it_was(long, short, tmp_path):
    write_plan_folder(short, tmp_path)
    before = listing(tmp_path)
    low = replace(long, options=replace(long.options, patrol_ceiling_agl_m=60.0, ceiling_agl_m=60.0))
    with pytest.raises(PlanError, match="ceiling 60 m"):
        write_plan_folder(low, tmp_path)
    assert listing(tmp_path) == before


@pytest.mark.parametrize("stop", [FileWriteError("cannot write map.png: the disk is full"), KeyboardInterrupt()])
def test_what_fails_or_is_interrupted_leaves_an_earlier_plan_as_it_was(long, short, tmp_path, monkeypatch, stop):
    """Both plans have sorties of one name: a mission of the one beside the plan of the other would be flown."""
    write_plan_folder(short, tmp_path / "plan")
    before = {path.name: path.read_bytes() for path in (tmp_path / "plan").iterdir()}

    def draw_map(*_):
        raise stop

    monkeypatch.setattr("missions.plan_folder.draw_map", draw_map)
    with pytest.raises(type(stop)):
        write_plan_folder(long, tmp_path / "plan")
    assert {path.name: path.read_bytes() for path in (tmp_path / "plan").iterdir()} == before
    monkeypatch.undo()
    (tmp_path / "plan" / "map.png").unlink()
    (tmp_path / "plan" / "map.png").mkdir()
    del before["map.png"]
    with pytest.raises(FileWriteError, match=r"plan/map.png: a folder of that name is in the way"):
        write_plan_folder(long, tmp_path / "plan")
    assert {path.name: path.read_bytes() for path in (tmp_path / "plan").iterdir() if path.is_file()} == before


def test_while_files_are_put_in_place_the_folder_is_of_no_plan(long, short, tmp_path, monkeypatch):
    write_plan_folder(short, tmp_path)
    usual = Path.replace

    def replace_one(self, target):
        if target.name == "plan.kml" and target.parent == tmp_path:
            raise KeyboardInterrupt
        return usual(self, target)

    monkeypatch.setattr(Path, "replace", replace_one)
    with pytest.raises(KeyboardInterrupt):
        write_plan_folder(long, tmp_path)
    assert not (tmp_path / "plan.json").exists()
    monkeypatch.undo()
    names = {path.name for path in write_plan_folder(long, tmp_path)}
    assert names == {path.name for path in tmp_path.iterdir()}


def test_what_somebody_who_was_killed_had_begun_goes_with_the_next_plan(short, tmp_path):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    waiting = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        for owner in (ended.pid, waiting.pid):
            (tmp_path / f".plan-{owner}-abc").mkdir()
            (tmp_path / f".plan-{owner}-abc" / "map.png").write_bytes(b"")
        (tmp_path / ".plan-notes").mkdir()
        write_plan_folder(short, tmp_path)
    finally:
        waiting.communicate(b"")
    hidden = {path.name for path in tmp_path.iterdir() if path.name.startswith(".")}
    assert hidden == {f".plan-{waiting.pid}-abc", ".plan-notes"}


def test_a_resumed_plan_has_its_report(long, tmp_path):
    sortie = long.sorties[0]
    place = sortie.patrol[0].start
    progress = Progress(sortie.name, at=(place.lat_deg, place.lon_deg), battery=0.8, airborne=True)
    after = resume(long, progress, FlatTerrain(700.0))
    write_plan_folder(after, tmp_path)
    report = json.loads((tmp_path / "validation.json").read_text())
    assert [rule["name"] for rule in report["rules"]][: len(validate(after).rules)] == [
        rule.name for rule in validate(after).rules
    ]
    assert all(rule["broken"] == [] for rule in report["rules"])


def test_each_fence_is_made_once(long, tmp_path, monkeypatch):
    made = []
    real = missions.fence.sortie_fence

    def counted(of, sortie):
        made.append(sortie.name)
        return real(of, sortie)

    for module in ("fence", "mission", "plan_folder"):
        monkeypatch.setattr(f"missions.{module}.sortie_fence", counted)
    write_plan_folder(long, tmp_path)
    assert made == [sortie.name for sortie in long.sorties]
    monkeypatch.undo()
    features = json.loads((tmp_path / "plan.geojson").read_text())["features"]
    fences = [f for f in features if f["properties"].get("kind") == "fence"]
    for sortie, drawn in zip(long.sorties, fences, strict=True):
        ring = [(item.x / 1e7, item.y / 1e7) for item in compile_mission(long, sortie).fence]
        outline = [(lat, lon) for lon, lat in drawn["geometry"]["coordinates"][0][:-1]]
        # Drawn anticlockwise (RFC 7946), which the uploaded one need not be.
        assert outline in ([*ring[k:], *ring[:k]] for ring in (ring, ring[::-1]) for k in range(len(ring)))


def test_files_of_sorties_of_the_earlier_plan_go_and_nothing_else(long, short, tmp_path):
    write_plan_folder(long, tmp_path)
    gone = {s.name for s in long.sorties} - {s.name for s in short.sorties}
    assert gone
    assert {path.suffix for path in files_of(long, tmp_path)} == set(ENDINGS)
    one = min(gone)
    others = {
        "notes.csv": "mine",
        "vehicle-9-sortie-9.plan": "of another folder",
        f"{one}.txt": "about it",
        f"{one}.plan.bak": "a copy",
        f"{one} (2).kml": "another copy",
    }
    for name, text in others.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / f"{one}.plan").write_text("below")
    written = write_plan_folder(short, tmp_path)
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {path.name for path in written} | set(others) | {"deep"}
    assert {name: (tmp_path / name).read_text() for name in others} == others
    assert (tmp_path / "deep" / f"{one}.plan").read_text() == "below"
    assert load_plan(tmp_path / "plan.json") == short


def test_a_flight_record_of_the_same_name_stays(long, short, tmp_path):
    write_plan_folder(long, tmp_path)
    one = min({s.name for s in long.sorties} - {s.name for s in short.sorties})
    assert read_litchi(tmp_path / f"{one}.csv")
    record = tmp_path / f"{one}.csv"
    record.write_text("t_s,lat_deg,lon_deg,amsl_m,mode\n0.000,46.000000000,8.000000000,700.0000,AUTO\n")
    kept = record.read_bytes()
    write_plan_folder(short, tmp_path)
    assert record.read_bytes() == kept
    assert not (tmp_path / f"{one}.plan").exists()


@pytest.mark.parametrize("name", ["../outside", "{outside}", "", ".", "..", "a\0b", "n" * 5000, "deep/inner", 7, None])
def test_a_name_that_leads_elsewhere_is_not_followed(short, tmp_path, name):
    folder = tmp_path / "plan"
    write_plan_folder(short, folder)
    for victim in (tmp_path / "outside.plan", folder / "deep" / "inner.plan"):
        victim.parent.mkdir(exist_ok=True)
        victim.write_text("not of this plan")
    named = name.format(outside=tmp_path / "outside") if isinstance(name, str) and "{" in name else name
    value = json.loads((folder / "plan.json").read_text())
    value["plan"]["sorties"] = [{"name": named}]
    (folder / "plan.json").write_text(json.dumps(value))
    before = {path for path in tmp_path.rglob("*") if path.is_file()}
    write_plan_folder(short, folder)
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == before


ELSEWHERE = [
    "../outside",
    "/outside",
    "deep/inner",
    "deep\\inner",
    "c:x",
    "a\0b",
    "a\nb",
    "",
    ".",
    "..",
    "x.",
    " x",
    "n" * 201,
]


@pytest.mark.parametrize("name", ELSEWHERE)
def test_nothing_is_written_where_a_name_leads_elsewhere(short, tmp_path, name):
    """Of a plan file from outside, or a fleet file."""
    changed = replace(short, sorties=(replace(short.sorties[0], name=name), *short.sorties[1:]))
    with pytest.raises(PlanError, match="no file can be named so"):
        write_plan_folder(changed, tmp_path / "plan")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(FleetError, match="mission files are named after it"):
        replace(short.fleet.vehicles[0], name=name)


@pytest.mark.parametrize("name", ["vehicle-1", "Grünau 3", "n" * 40, "a.b", "x'y"])
def test_other_names_are_fine(short, tmp_path, name):
    vehicle = replace(short.fleet.vehicles[0], name=name)
    sortie = replace(short.sorties[0], name=f"{name}-s", vehicle=vehicle)
    changed = replace(short, sorties=(sortie,), fleet=replace(short.fleet, vehicles=(vehicle,)))
    assert tmp_path / f"{name}-s.plan" in write_plan_folder(changed, tmp_path)


def test_a_sortie_named_like_a_file_of_the_plan_does_not_take_it_along(short, tmp_path):
    write_plan_folder(short, tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    value = json.loads((tmp_path / "plan.json").read_text())
    value["plan"]["sorties"] = [{"name": "plan"}, {"name": short.sorties[0].name.upper()}]
    (tmp_path / "plan.json").write_text(json.dumps(value))
    written = write_plan_folder(short, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == names
    assert all(path.is_file() for path in written)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "3", '{"format": "vedette-plan"}', '{"format": "vedette-plan", "plan": {"sorties": 3}}', "\ud800"],
)
def test_a_plan_file_that_cannot_be_read_names_nothing(long, short, tmp_path, text):
    write_plan_folder(long, tmp_path)
    (tmp_path / "plan.json").write_bytes(text.encode("utf-8", "surrogatepass"))
    before = {path.name for path in tmp_path.iterdir()}
    write_plan_folder(short, tmp_path)
    assert before <= {path.name for path in tmp_path.iterdir()}
    assert load_plan(tmp_path / "plan.json") == short


def test_the_names_in_a_plan_file_of_an_older_version_are_understood(long, short, tmp_path):
    write_plan_folder(long, tmp_path)
    value = json.loads((tmp_path / "plan.json").read_text())
    (tmp_path / "plan.json").write_text(json.dumps(value | {"version": 1}))
    with pytest.raises(MissionsError, match="version 1"):
        load_plan(tmp_path / "plan.json")
    written = write_plan_folder(short, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in written}


@pytest.mark.parametrize(
    ("lost", "said", "reason"),
    [
        (0, "{}: no lawful fence: straighten the line", "no lawful fence: straighten the line"),
        (1, "no room\nfor {}", "no room for {}"),
    ],
)
def test_a_sortie_that_no_fence_holds_is_listed_and_all_others_are_written(
    long, tmp_path, monkeypatch, lost, said, reason
):
    """A plan of this program has none: one that somebody changed may."""
    assert len(long.sorties) > 1
    write_plan_folder(long, tmp_path)
    bare = long.sorties[lost].name
    reason = reason.format(bare)

    def fence(made, sortie):
        if sortie.name == bare:
            raise MissionError(said.format(bare))
        return sortie_fence(made, sortie)

    monkeypatch.setattr("missions.plan_folder.sortie_fence", fence)
    written = write_plan_folder(long, tmp_path)
    assert {path for path in tmp_path.iterdir() if path.stem == bare} == set()
    for sortie in long.sorties:
        assert (tmp_path / f"{sortie.name}.plan").exists() == (sortie.name != bare)
    assert (tmp_path / "not-written.txt").read_text() == f"{bare}: {reason}\n"
    assert tmp_path / "not-written.txt" in written
    assert f"{bare}.kmz: not written: no lawful fence holds it" in (tmp_path / "apps.txt").read_text()
    report = json.loads((tmp_path / "validation.json").read_text())
    assert report["kept"] is False
    assert [rule["broken"] for rule in report["rules"] if rule["broken"]] == [[f"{bare}: has no mission"]]
    assert load_plan(tmp_path / "plan.json") == long
    monkeypatch.undo()
    write_plan_folder(long, tmp_path)
    assert not (tmp_path / "not-written.txt").exists()
    assert json.loads((tmp_path / "validation.json").read_text())["kept"] is True


def test_a_plan_of_which_no_sortie_has_a_fence_is_refused_whole(short, tmp_path, monkeypatch):
    def none(made, sortie):
        raise MissionError(f"{sortie.name}: no lawful fence")

    monkeypatch.setattr("missions.plan_folder.sortie_fence", none)
    with pytest.raises(MissionError, match="no lawful fence"):
        write_plan_folder(short, tmp_path / "none")
    assert not (tmp_path / "none").exists()
