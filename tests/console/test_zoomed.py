"""Each view at 200 % (1.4.4, 1.4.10), and as a screen reader is told of it: names, headings, what tells of changes."""

import pytest
from playwright.sync_api import Page

from tests.console.test_accessible import CUT_OFF, PLACES, settled, stocked, too_wide

__all__ = ["stocked"]

WORKED = {
    "button",
    "link",
    "textbox",
    "combobox",
    "checkbox",
    "radio",
    "slider",
    "spinbutton",
    "tab",
    "option",
    "switch",
}
"""Roles of what somebody works with."""


def tree(page: Page) -> list[dict[str, str]]:
    """Role, name and level of all that the accessibility tree of Chromium holds."""
    with_page = page.context.new_cdp_session(page)
    nodes = with_page.send("Accessibility.getFullAXTree")["nodes"]
    with_page.detach()
    return [
        {"role": node["role"]["value"], "name": node.get("name", {}).get("value", "").strip()}
        | {each["name"]: str(each["value"].get("value", "")) for each in node.get("properties", [])}
        for node in nodes
        if not node.get("ignored", False)
    ]


def amiss(nodes: list[dict[str, str]]) -> list[str]:
    """What a screen reader would stumble over."""
    found = [f"{node['role']} without a name" for node in nodes if node["role"] in WORKED and not node["name"]]
    levels = [int(node["level"]) for node in nodes if node["role"] == "heading"]
    found += [
        f"a heading of level {b} follows one of {a}" for a, b in zip([0, *levels], levels, strict=False) if b > a + 1
    ]
    if levels.count(1) != 1:
        found.append(f"{levels.count(1)} headings of level 1")
    found += [f"no {role}" for role in ("main", "navigation") if role not in {node["role"] for node in nodes}]
    if not any(node.get("live") in {"polite", "assertive"} for node in nodes):
        found.append("nothing tells of what changes by itself")
    return found


@pytest.mark.parametrize("role", PLACES)
def test_at_200_percent_nothing_is_lost_and_the_accessibility_tree_is_whole(stocked, desk, role):
    """1280 x 800 pixels at 200 % are 640 x 400: maps and tables of data may scroll both ways, the page may not."""
    at = desk(stocked, role, f"#/{PLACES[role][0]}", width=640, height=400, device_scale_factor=2)
    page, found = at.page, []
    for place in PLACES[role]:
        at.open(f"#/{place}")
        settled(page)
        found += [f"{place}: {one}" for one in too_wide(page, 640)]
        found += [f"{place}: cut off: {one}" for one in page.evaluate(CUT_OFF)]
        found += [f"{place}: {one}" for one in amiss(tree(page))]
        at.picture(f"zoomed-{role}-{place.replace('/', '-')}")
    assert not found, "\n".join(found)
