"""Countries by whatever people call them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from missions import BorderError, countries, land_border, neighbours
from missions.atlas import _names

CODES = countries()

# As ISO 3166, the United Nations and people write them.
WRITTEN = {
    "BIH": "Bosnia & Herzegovina",
    "CAF": "central african republic",
    "CIV": "Ivory Coast",
    "CZE": "Czech Republic",
    "COD": "Congo (the Democratic Republic of the)",
    "COG": "Republic of the Congo",
    "DEU": "Federal Republic of Germany",
    "GBR": "UK",
    "IRN": "Iran (Islamic Republic of)",
    "KOR": "Korea, Republic of",
    "LAO": "Lao People\u2019s Democratic Republic",
    "MKD": "North Macedonia",
    "MMR": "Burma",
    "NLD": "Netherlands (Kingdom of the)",
    "PRK": "Korea, Democratic People's Republic of",
    "RUS": "Russian Federation",
    "SSD": "South Sudan",
    "SWZ": "Swaziland",
    "TLS": "East Timor",
    "TUR": "Türkiye",
    "TWN": "Republic of China",
    "TZA": "Tanzania, United Republic of",
    "USA": "the United States",
    "VAT": "Vatican City State",
    "XKX": "kosovo",
}


@given(
    code=st.sampled_from(sorted(CODES)),
    spelled=st.sampled_from([str, str.upper, str.lower, " {} ".format, "the {}".format]),
)
def test_every_country_goes_by_its_codes_and_its_name_however_they_are_written(code, spelled):
    known = _names()
    two = known.countries[code]["alpha2"]
    assert known.code(code.lower()) == code
    assert two is None or known.code(two.lower()) == code
    assert known.code(spelled(CODES[code])) == code


@pytest.mark.parametrize(("code", "name"), WRITTEN.items())
def test_other_names_in_use_are_known(code, name):
    assert _names().code(name) == code


def test_borders_are_found_by_them():
    assert land_border("South Sudan", "DR Congo") == land_border("SSD", "COD")
    assert "MOZ" in neighbours("Swaziland")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Kaliningrad", "it lies in Russia (RUS): give that"),
        ("Northern Ireland", "it lies in United Kingdom (GBR)"),
        ("Korea", "did you mean South Korea (KOR), North Korea (PRK)?"),
        ("Switzerlnd", "did you mean Switzerland (CHE)?"),
    ],
)
def test_what_is_no_country_is_answered_by_the_one_that_is_meant(name, words):
    with pytest.raises(BorderError) as error:
        neighbours(name)
    assert words in str(error.value)


@pytest.mark.parametrize("name", ["Atlantis", "Republic", "Qx", "the", ""])
def test_what_is_close_to_no_name_is_given_none(name):
    with pytest.raises(BorderError) as error:
        neighbours(name)
    assert str(error.value) == f"no country {name!r}: give its ISO 3166 code of two or three letters, or its name"
