"""Heights do not mix datums."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo import Altitude, Datum, DatumError

heights = st.floats(-500, 9000)


@given(heights, heights, st.floats(-110, 90))
def test_every_datum_comes_back_through_amsl(metres, ground, undulation):
    for datum in Datum:
        amsl = Altitude(metres, datum).amsl_m(ground_amsl_m=ground, undulation_m=undulation)
        back = {Datum.AMSL: amsl, Datum.AGL: amsl - ground, Datum.HAE: amsl + undulation}[datum]
        assert back == pytest.approx(metres, abs=1e-9)


def test_above_ground():
    assert Altitude(1270.0, Datum.AMSL).above_ground(ground_amsl_m=1180.0) == Altitude(90.0, Datum.AGL)


@pytest.mark.parametrize(("datum", "lacks"), [(Datum.AGL, "ground elevation"), (Datum.HAE, "undulation")])
def test_a_missing_link_between_datums_is_said(datum, lacks):
    with pytest.raises(DatumError, match=lacks):
        Altitude(10.0, datum).amsl_m()


def test_a_height_is_finite():
    with pytest.raises(DatumError, match="nan"):
        Altitude(float("nan"), Datum.AMSL)
