"""The report of a run opens anywhere and says what it was given."""

import errno
import os
import re
from html.parser import HTMLParser
from pathlib import Path

import lxml.html
import pytest

import api
from api import (
    CrossingEntry,
    Figure,
    ModelCard,
    PartnerView,
    ReportError,
    RunReport,
    SortieEntry,
    VerificationEntry,
    write_report,
)
from geo import FileWriteError

# The smallest PNG there is: one grey pixel.
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b550000000a49444154789c63680000008200817f"
    "94c3d10000000049454e44ae426082"
)
VOID = {"meta", "img", "br", "link", "hr", "input"}


@pytest.fixture
def run(tmp_path):
    picture = tmp_path / "map.png"
    picture.write_bytes(PIXEL)
    clip = tmp_path / "clips" / "a clip#1.mp4"
    clip.parent.mkdir()
    clip.write_bytes(b"x")
    return RunReport(
        title="First flight <near> Nogales & beyond",
        subtitle="Two drones, 40 km.",
        made="2026-01-01T12:00:00Z",
        figures=(Figure("Border watched", "40.0", "km", ">= 40", True), Figure("Missed", "2", "", "0", False)),
        map_picture=picture,
        map_caption="The border and both flights",
        sorties=(SortieEntry("vehicle-1", 1, 20.5, 41.0, 31.0, 0.119, "completed"),),
        verifications=(VerificationEntry("vehicle-1", 1, "fence", 12, 12, True),),
        crossings=(
            CrossingEntry(
                "0123456789abcdef", "2026-01-01T10:00:00Z", "person", "inbound", "confirmed", "31.333, -110.940 ±3 m",
                0.912, "confirmed", None, "hit", picture, clip,
            ),
        ),
        readers=(PartnerView("<script>alert(1)</script>", "persons, no clip", 1, 16, ("kind", "position")),),
        model=ModelCard("thermal", "0" * 64, "Finds people.", (("mAP50", "0.81"),), ("Not for fog.",)),
        notes=("The flights were simulated.",),
        command="vedette demo --seed 1",
    )  # fmt: skip


class Balance(HTMLParser):
    """Every element that is opened is closed, in order."""

    def __init__(self):
        super().__init__()
        self.open = []

    def handle_starttag(self, tag, _attrs):
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_everything_is_there_and_nothing_is_fetched(run, tmp_path):
    path = tmp_path / "report.html"
    write_report(path, run)
    text = path.read_text(encoding="utf-8")
    balance = Balance()
    balance.feed(text)
    assert balance.open == []
    page = lxml.html.fromstring(text)
    assert page.xpath("string(//h1)") == run.title
    assert not page.xpath("//script")
    assert not page.xpath("//link")
    assert all(source.startswith("data:image/png;base64,") for source in page.xpath("//img/@src"))
    assert len(page.xpath("//img")) == 2
    assert all(page.xpath("//img/@alt"))
    assert page.xpath("//a/@href") == ["clips/a%20clip%231.mp4"]
    assert not re.search(r"https?://", text)
    assert [h.text for h in page.xpath("//h2")] == [
        "In short",
        "Map",
        "Crossings",
        "Who saw what",
        "Sorties",
        "Missions verified by read-back",
        "Detector",
        "Notes",
    ]
    rows = [" ".join(row.text_content().split()) for row in page.xpath("//tbody/tr")]
    assert any(row.startswith("Border watched") and row.endswith("met") for row in rows)
    assert any(row.startswith("Missed") and row.endswith("not met") for row in rows)
    for table in page.xpath("//table"):
        width = len(table.xpath(".//thead/tr/th"))
        assert all(len(row.xpath("./td|./th")) == width for row in table.xpath(".//tbody/tr"))
    assert "<script>alert" not in text
    assert "none: not shared" in text


def test_a_short_run_makes_a_short_report(tmp_path):
    path = tmp_path / "below" / "report.html"
    write_report(path, RunReport("T", "S", "2026-01-01", ()))
    page = lxml.html.fromstring(path.read_text())
    assert [h.text for h in page.xpath("//h2")] == ["In short"]


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("name", ["report.html"])
def test_contrast_meets_wcag_aa_in_light_and_dark(name):
    """WCAG 2.2, 1.4.3: 4.5 to 1 for text."""
    text = (Path(api.__file__).parent / "templates" / name).read_text(encoding="utf-8")
    palettes = re.findall(r":root \{([^}]*--paper[^}]*)\}", text)
    assert len(palettes) >= 2
    for palette in palettes:
        colours = {}
        for key, colour in re.findall(r"--(\w+): (#[0-9a-f]+)", palette):
            colours[key] = colour if len(colour) == 7 else "#" + "".join(c * 2 for c in colour[1:])
        grounds = [colours[key] for key in ("paper", "band") if key in colours]
        for key, colour in colours.items():
            if key in {"paper", "band", "line"}:
                continue
            for ground in grounds:
                low, high = sorted((luminance(colour), luminance(ground)))
                assert (high + 0.05) / (low + 0.05) >= 4.5, (name, key, ground)


def test_what_cannot_be_reported_is_said(run, tmp_path):
    from dataclasses import replace

    path = tmp_path / "report.html"
    with pytest.raises(ReportError, match="cannot be read"):
        write_report(path, replace(run, map_picture=tmp_path / "gone.png"))
    with pytest.raises(ReportError, match="no known kind"):
        write_report(path, replace(run, map_picture=tmp_path / "map.bmp"))
    outside = replace(run.crossings[0], clip=tmp_path.parent / "x.mp4")
    with pytest.raises(ReportError, match="outside"):
        write_report(path, replace(run, crossings=(outside,)))
    (tmp_path / "file").write_bytes(b"")
    before = sorted(found.name for found in tmp_path.iterdir())
    with pytest.raises(FileWriteError, match="cannot write"):
        write_report(tmp_path / "file" / "report.html", RunReport("T", "S", "2026-01-01", ()))
    assert not path.exists()
    assert sorted(found.name for found in tmp_path.iterdir()) == before


def test_a_full_disk_leaves_the_earlier_report(run, tmp_path, monkeypatch):
    path = tmp_path / "report.html"
    write_report(path, run)
    before = path.read_bytes()

    def full(*_args):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(FileWriteError, match=r"report\.html: the disk is full: free some room"):
        write_report(path, run)
    assert path.read_bytes() == before
    assert not list(tmp_path.glob(".*"))


def test_the_surface_is_what_it_says():
    assert sorted(api.__all__) == list(api.__all__)
    assert all(getattr(api, name).__doc__ for name in api.__all__)
