"""Map files that a browser cannot read: the service does, and the page draws what it gives back."""

import re

from playwright.sync_api import expect

import missions
from tests.missions.test_map_shapes import BORDER, ZONE, zipped


def test_a_border_is_taken_from_every_format_that_the_planner_reads(live, desk, tmp_path):
    page = desk(live, "pilot", "#/plan").page
    chooses = page.get_by_label(re.compile("^Import"))
    form = page.get_by_role("form", name="What to plan")
    for suffix in (".kmz", ".gpkg", ".shp"):
        path = tmp_path / f"border{suffix}"
        missions.write_borders([BORDER], path)
        if suffix == ".shp":
            path = zipped(tmp_path).rename(tmp_path / "border.zip")
        chooses.set_input_files(path)
        expect(page.get_by_text(f"{path.name}: 1 lines, 0 bases and 0 zones taken.")).to_be_visible()
    expect(form.get_by_label("Name", exact=True)).to_have_count(3)
    sides = form.get_by_role("combobox", name="Own side")
    assert [side.input_value() for side in sides.all()] == ["left"] * 3


def test_a_zone_of_a_kmz_keeps_its_ceiling_and_what_cannot_be_read_says_why(live, desk, tmp_path):
    at = desk(live, "pilot", "#/plan")
    page = at.page
    chooses = page.get_by_label(re.compile("^Import"))
    (tmp_path / "range.kmz").write_bytes(missions.packed_xml.packed({"doc.kml": ZONE.format(kind="limits").encode()}))
    chooses.set_input_files(tmp_path / "range.kmz")
    part = page.get_by_role("region", name="No-fly zones and areas with limits")
    expect(part.get_by_role("spinbutton", name="Ceiling m")).to_have_value("60")
    expect(part.get_by_role("combobox", name="Ceiling above", exact=True)).to_have_value("AMSL")
    at.picture("plan-import-kmz")
    at.forgiven.append("status of 422")
    (tmp_path / "half.zip").write_bytes(b"PK and no more")
    chooses.set_input_files(tmp_path / "half.zip")
    expect(page.get_by_text("half.zip was not imported: map file: is not a whole")).to_be_visible()
