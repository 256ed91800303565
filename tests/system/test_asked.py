"""CI asks a test of hypothesis fewer questions: seen by how many it is asked."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.asked import MOST, few


@pytest.mark.parametrize(("told", "asked"), [(3 * MOST, MOST), (MOST // 2, MOST // 2)])
def test_no_more_than_most_and_never_more_than_it_says(told, asked):
    questions = []

    @settings(max_examples=told, database=None)
    @given(st.integers())
    def one(number):
        questions.append(number)

    few(one)
    one()
    assert len(questions) == asked


def test_another_test_stays_as_it_is():
    def one():
        return "as it is"

    few(one)
    few(None)
    assert vars(one) == {}
    assert one() == "as it is"
