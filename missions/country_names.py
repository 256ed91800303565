"""Countries by the names and codes that people give them.

The shipped data has one short name of each country, as maps print it ("S. Sudan", "Dem. Rep. Congo"), and its ISO 3166
codes. Here are the names beside those: abbreviations written out, forms of state left out, and other names in use. Of
places that are no country of their own but have a land border it is known whose they are.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from missions.errors import BorderError

__all__ = ["CountryNames"]

_WRITTEN_OUT = {
    "barb": "barbuda", "br": "british", "dem": "democratic", "eq": "equatorial", "fr": "french", "geo": "georgia",
    "gren": "grenadines", "herz": "herzegovina", "i": "island", "is": "islands", "n": "north", "rep": "republic",
    "s": "south", "st": "saint", "ter": "territory", "vin": "vincent", "w": "western",
}  # fmt: skip
_LINKS = frozenset({"the", "of", "and"})
_STATES = frozenset(
    {"republic", "kingdom", "state", "federal", "islamic", "sultanate", "principality", "commonwealth", "union"}
    | {"grand", "duchy", "city"}
)
"""Words for the form of a state: without them its name is still its own."""

_OTHER_NAMES = {
    "ARE": ("UAE", "Emirates"),
    "BIH": ("Bosnia",),
    "BOL": ("Plurinational State of Bolivia",),
    "BRN": ("Brunei Darussalam",),
    "CHN": ("People's Republic of China", "PRC", "Mainland China"),
    "CIV": ("Ivory Coast",),
    "COD": ("DR Congo", "DRC", "Congo-Kinshasa", "Zaire", "Congo (Democratic Republic)"),
    "COG": ("Congo-Brazzaville",),
    "CPV": ("Cape Verde",),
    "CYN": ("Northern Cyprus",),
    "CZE": ("Czech Republic",),
    "ESH": ("Sahrawi Arab Democratic Republic",),
    "FLK": ("Falklands",),
    "FRO": ("Faroe Islands", "Faroes"),
    "FSM": ("Federated States of Micronesia",),
    "GBR": ("Great Britain", "Britain", "UK", "United Kingdom of Great Britain and Northern Ireland"),
    "IRN": ("Persia",),
    "KOR": ("Republic of Korea", "ROK", "Korea (South)"),
    "LAO": ("Lao People's Democratic Republic", "Lao PDR", "Lao"),
    "LBY": ("Libyan Arab Jamahiriya",),
    "MAC": ("Macau",),
    "MKD": ("North Macedonia", "FYROM"),
    "MMR": ("Burma",),
    "MNP": ("Northern Mariana Islands",),
    "NLD": ("Holland",),
    "PRK": ("Democratic People's Republic of Korea", "DPRK", "Korea (North)"),
    "PSE": ("Palestinian Territories", "Occupied Palestinian Territory"),
    "RUS": ("Russian Federation",),
    "SWZ": ("Swaziland",),
    "SYR": ("Syrian Arab Republic",),
    "TLS": ("East Timor",),
    "TUR": ("Türkiye",),
    "TWN": ("Republic of China", "Chinese Taipei"),
    "TZA": ("United Republic of Tanzania", "Tanganyika"),
    "USA": ("United States", "America", "U.S.A.", "U.S."),
    "VAT": ("Vatican City", "Holy See"),
    "VEN": ("Bolivarian Republic of Venezuela",),
    "VIR": ("US Virgin Islands",),
    "VNM": ("Viet Nam",),
    "XKX": ("KOS", "XKS", "RKS"),
}
_PARTS = {
    "AGO": ("Cabinda",),
    "ARE": ("Dubai", "Abu Dhabi", "Fujairah"),
    "AZE": ("Nakhchivan",),
    "CHN": ("Tibet", "Xinjiang"),
    "DEU": ("Bavaria",),
    "DNK": ("Jutland",),
    "ESP": ("Ceuta", "Melilla", "Catalonia"),
    "FRA": ("French Guiana", "Guyane"),
    "GBR": ("Northern Ireland", "England", "Scotland", "Wales"),
    "IDN": ("West Papua", "West Timor"),
    "ITA": ("South Tyrol", "Sicily"),
    "MYS": ("Sarawak", "Sabah"),
    "OMN": ("Musandam",),
    "PSE": ("Gaza", "Gaza Strip", "West Bank"),
    "RUS": ("Kaliningrad", "Kaliningrad Oblast", "Siberia", "Chechnya"),
    "TLS": ("Oecusse",),
    "USA": ("Alaska", "Texas", "California", "Arizona", "New Mexico"),
}
"""Places with a land border that lie in one country alone."""

_CLOSE = 0.8
"""How much of two names is alike, 0 to 1, where one may be meant by the other."""

_MOST = 4


@dataclass(frozen=True)
class CountryNames:
    """The names of the countries of a table.

    Parameters
    ----------
    countries
        By alpha-3 code: ``name`` and ``alpha2``, which may be None.
    """

    countries: Mapping[str, Mapping[str, Any]]

    def code(self, country: str) -> str:
        """Alpha-3 code of a country that is given by either code or by a name, however it is written.

        Raises
        ------
        BorderError
            When there is none: with the country that the place lies in, or the names that are close to it.
        """
        wanted = _plain(str(country))
        found = self._codes.get(_sorted(wanted)) or self._codes.get(_sorted(_bare(wanted)))
        if found is not None:
            return found
        part = next((code for code, names in _PARTS.items() if wanted in map(_plain, names)), None)
        if part is not None:
            raise BorderError(f"no country {country!r}: it lies in {self._named(part)}: give that")
        close = difflib.get_close_matches(wanted, self._spelled, n=_MOST, cutoff=_CLOSE)
        # Some words of a name, as of the two Koreas.
        words = set(wanted.split()) - _STATES
        close = close or [name for name in self._spelled if words and words <= set(name.split())][:_MOST]
        names = ", ".join(dict.fromkeys(self._named(self._spelled[name]) for name in close))
        raise BorderError(
            f"no country {country!r}: "
            + (f"did you mean {names}?" if names else "give its ISO 3166 code of two or three letters, or its name")
        )

    def _named(self, code: str) -> str:
        return f"{self.countries[code]['name']} ({code})"

    @cached_property
    def _spelled(self) -> dict[str, str]:
        """Codes by plain names."""
        found = {_plain(entry["name"]): code for code, entry in self.countries.items()}
        for code, names in _OTHER_NAMES.items():
            if code in self.countries:
                found |= {_plain(name): code for name in names}
        return found

    @cached_property
    def _codes(self) -> dict[str, str]:
        """Codes by everything that stands for a country: a code before a name, a name before what is left of one."""
        found = {_sorted(_bare(_plain(entry["name"]))): code for code, entry in self.countries.items()}
        found |= {_sorted(name): code for name, code in self._spelled.items()}
        found |= {entry["alpha2"].casefold(): code for code, entry in self.countries.items() if entry["alpha2"]}
        return found | {code.casefold(): code for code in self.countries}


def _plain(name: str) -> str:
    """A name in small letters without accents, signs and words that link, its abbreviations written out."""
    letters = "".join(c for c in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(c))
    given = re.findall(r"[^\W_]+", re.sub(r"['\u2019]s\b", "s", letters))
    # A name of one word is no abbreviation: it may be a code.
    if len(given) < 2:
        return "".join(given)
    return " ".join(_WRITTEN_OUT.get(word, word) for word in given if word not in _LINKS)


def _sorted(name: str) -> str:
    """The words of a plain name in alphabetical order: lists turn names round, as in "Korea, Republic of"."""
    return " ".join(sorted(name.split()))


def _bare(name: str) -> str:
    """A plain name without the form of the state; as it is where too little is left."""
    left = [word for word in name.split() if word not in _STATES]
    return name if not left or left == ["united"] else " ".join(left)
