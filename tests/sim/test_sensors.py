"""What a ground sensor is and where it says that something was."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim import KINDS, SENSOR_MODELS, ConfigError, detection_probability, ground_sensor
from sim.sensors import place

DISTANCES = np.linspace(0.5, 400, 800)


@pytest.mark.parametrize("model", SENSOR_MODELS)
@pytest.mark.parametrize("kind", KINDS)
def test_farther_away_is_noticed_less(model, kind):
    chance = detection_probability(model, kind, DISTANCES)
    assert ((chance > 0) & (chance < 1)).all() or chance[-1] < 1e-12
    assert (np.diff(chance) <= 0).all()
    assert chance[0] >= 0.7


@pytest.mark.parametrize("model", ["pir", "seismic"])
@pytest.mark.parametrize("kind", KINDS)
def test_reach_is_logistic_in_the_distance(model, kind):
    make = SENSOR_MODELS[model]
    reach = make.targets[kind]
    chance = detection_probability(model, kind, [reach, reach * (1 + make.spread), reach * (1 - make.spread)])
    assert chance == pytest.approx([0.5, 1 / (1 + math.e), math.e / (1 + math.e)])


def test_sound_falls_with_twenty_log_of_the_distance():
    make = SENSOR_MODELS["acoustic"]

    def level_at_even_odds(distance, day):
        """Source level that would be heard in one of two passes, from the definition of the law."""
        noise = make.noise_db[0] if day else make.noise_db[1]
        return noise + make.threshold_db + 20 * math.log10(distance) + 0.005 * distance

    for kind, source in make.targets.items():
        for day in (True, False):
            even = next(r for r in np.arange(1, 2000, 0.01) if level_at_even_odds(r, day) >= source)
            assert detection_probability("acoustic", kind, even, day=day) == pytest.approx(0.5, abs=5e-3)
    # Twice as far is 6.02 dB less, which at 2 dB of spread is 3.01 less in the log-odds, and the air's share.
    odds = [math.log(p / (1 - p)) for p in detection_probability("acoustic", "person", [10.0, 20.0])]
    assert odds[0] - odds[1] == pytest.approx((20 * math.log10(2) + 0.05) / make.spread)
    assert detection_probability("acoustic", "vehicle", 200, day=True) < detection_probability(
        "acoustic", "vehicle", 200, day=False
    )


@given(st.floats(1, 360), st.floats(0, 359), st.sampled_from(["pir", "seismic"]), st.floats(5, 500))
def test_uncertainty_of_a_sector_is_that_of_targets_spread_over_it(field, heading, model, reach):
    sensor = ground_sensor("s", model, 0, 0, heading_deg=heading, field_deg=field, range_m=reach)
    distance, bearing, sigma = place(sensor)
    # All combinations of evenly spread distances and bearings: the integral, by the midpoint rule.
    r, b = np.meshgrid((np.arange(200) + 0.5) / 200 * reach, heading + field * ((np.arange(400) + 0.5) / 400 - 0.5))
    targets = np.stack([r * np.sin(np.radians(b)), r * np.cos(np.radians(b))])
    told = np.array([distance * math.sin(math.radians(bearing)), distance * math.cos(math.radians(bearing))])
    assert told == pytest.approx(targets.mean(axis=(1, 2)), abs=1e-3 * reach)
    assert sigma == pytest.approx(math.sqrt(((targets.T - told) ** 2).sum(axis=2).mean() / 2), rel=1e-3)


def test_uncertainty_along_a_beam_and_of_a_measured_bearing():
    beam = ground_sensor("b", "beam", 0, 0, heading_deg=90, range_m=60)
    distance, bearing, sigma = place(beam)
    along = (np.arange(1000) + 0.5) / 1000 * 60
    assert (distance, bearing) == (30, 90)
    assert sigma == pytest.approx(math.sqrt(((along - 30) ** 2).mean() / 2), rel=1e-3)

    ear = ground_sensor("a", "acoustic", 0, 0, range_m=300)
    rng = np.random.default_rng(1)
    r, true = rng.uniform(0, 300, 400_000), rng.uniform(0, 2 * math.pi, 400_000)
    measured = true + math.radians(SENSOR_MODELS["acoustic"].bearing_sigma_deg) * rng.standard_normal(400_000)
    error = 150 * np.exp(1j * measured) - r * np.exp(1j * true)
    distance, bearing, sigma = place(ear, 123.0)
    assert (distance, bearing) == (150, 123)
    assert sigma == pytest.approx(math.sqrt((np.abs(error) ** 2).mean() / 2), rel=5e-3)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"id": "a/b"}, ["a/b", "letters"]),
        ({"id": "#"}, ["letters"]),
        ({"model": "radar"}, ["radar", "pir"]),
        ({"lat_deg": 91.0}, ["sensor s", "91"]),
        ({"range_m": 0.0}, ["range_m", "between"]),
        ({"false_day_per_h": math.nan}, ["false_day_per_h", "nan"]),
        ({"hold_off_s": -1.0}, ["hold_off_s"]),
        ({"height_m": 3.0}, ["height_m", "heading_deg"]),
    ],
)
def test_what_cannot_be_simulated_is_refused_with_words(changes, words):
    given_ = {"id": "s", "model": "pir", "lat_deg": 0.0, "lon_deg": 0.0} | changes
    with pytest.raises(Exception, match=".*".join(words)) as refusal:
        ground_sensor(**given_)
    assert isinstance(refusal.value, ConfigError) or "lat_deg" in changes
