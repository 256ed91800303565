"""A face that loads a name when it is first asked for."""

import importlib
import sys

import pytest

FACE = """
from typing import TYPE_CHECKING

from geo import lazily

if TYPE_CHECKING:
    from house.kitchen import bread
    from house.cellar import wine
else:
    __getattr__, __dir__ = lazily(__name__)

__all__ = ["bread", "wine"]
"""


@pytest.fixture
def house(tmp_path, monkeypatch):
    (tmp_path / "house").mkdir()
    for name, text in {"__init__": FACE, "kitchen": "bread = object()", "cellar": "wine = object()"}.items():
        (tmp_path / "house" / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("house")
    for name in [name for name in sys.modules if name.partition(".")[0] == "house"]:
        del sys.modules[name]


def test_a_name_loads_its_module_and_no_other(house):
    assert not {"house.kitchen", "house.cellar"} & set(sys.modules)
    from house import bread

    assert bread is house.bread is sys.modules["house.kitchen"].bread
    assert "house.cellar" not in sys.modules


def test_all_of_it_is_there_for_whoever_takes_all(house):
    taken = {}
    exec("from house import *", taken)
    assert {"bread", "wine"} <= set(taken)


def test_another_name_is_none_as_in_any_module(house):
    assert not hasattr(house, "water")
    with pytest.raises(AttributeError, match="module 'house' has no attribute 'water'"):
        _ = house.water
    with pytest.raises(ImportError, match="water"):
        from house import water  # noqa: F401


def test_what_is_put_in_its_place_stays(house, monkeypatch):
    monkeypatch.setattr(house, "wine", "vinegar")
    assert house.wine == "vinegar"
    monkeypatch.undo()
    assert house.wine is sys.modules["house.cellar"].wine


def test_names_are_listed_before_they_are_loaded(house):
    assert {"bread", "wine"} <= set(dir(house))
    assert not {"house.kitchen", "house.cellar"} & set(sys.modules)
