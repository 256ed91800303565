"""What a screen reader is told of a page: the browser's own accessibility tree."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page

__all__ = ["CONTROLS", "Heard", "heard", "told_of"]

CONTROLS = frozenset(
    {
        *(
            "button",
            "checkbox",
            "combobox",
            "ComboBoxSelect",
            "ComboBoxMenuButton",
            "Date",
            "DateTime",
            "DisclosureTriangle",
        ),
        *("gridcell", "InputTime", "link", "ListBox", "listbox", "menuitem", "option", "PopUpButton", "radio"),
        *("searchbox", "slider", "spinbutton", "switch", "tab", "textbox", "treeitem", "Video"),
    }
)
"""Roles of what is operated, as Chromium calls them."""


@dataclass(frozen=True)
class Heard:
    """A node that is told of.

    Parameters
    ----------
    key
        Of its element, the same as long as that is in the page.
    role, name
        What it is said to be, and called.
    states
        Further properties, by their names.
    words
        All that is in it.
    """

    key: int
    role: str
    name: str
    states: dict[str, Any]
    words: str


def heard(page: Page) -> list[Heard]:
    """All nodes that are told of, in the order of the page."""
    session = page.context.new_cdp_session(page)
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    session.detach()
    by_id = {node["nodeId"]: node for node in nodes}

    def words(node: dict[str, Any]) -> str:
        if node.get("role", {}).get("value") == "StaticText":
            return str(node["name"]["value"])
        return " ".join(words(by_id[child]) for child in node.get("childIds", ()) if child in by_id)

    return [
        Heard(
            node.get("backendDOMNodeId", 0),
            node["role"]["value"],
            node.get("name", {}).get("value", "").strip(),
            {each["name"]: each["value"].get("value") for each in node.get("properties", ())},
            words(node),
        )
        for node in nodes
        if not node.get("ignored")
    ]


@contextmanager
def told_of(page: Page, text: str) -> Iterator[None]:
    """What happens in the block is read out: words come into a region that was live before, or with an alert."""
    live = [each for each in heard(page) if _is_live(each)]
    before = {each.key for each in live}
    assert not any(_says(each, text) for each in live), f"{text!r} is there already"
    yield
    for _ in range(150):
        for each in heard(page):
            if _says(each, text) and (each.role == "alert" or (_is_live(each) and each.key in before)):
                return
        page.wait_for_timeout(200)
    raise AssertionError(f"{text!r} is never read out")


def _is_live(one: Heard) -> bool:
    return one.states.get("live") in {"polite", "assertive"}


def _says(one: Heard, text: str) -> bool:
    """Whatever elements the words are in: between two of those there may be no blank."""
    return "".join(text.split()) in "".join(one.words.split())
