"""What is built once is the same for all threads, however many come before it is there."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from api.identity.roles import Principal, Role
from api.once import once
from api.records import readable
from api.records.readable import readable_records


def at_once(work, count=8):
    """What `work` gives in as many threads that begin together."""
    together = threading.Barrier(count)

    def begin(_number):
        together.wait(10)
        return work()

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(begin, range(count)))


def test_threads_that_come_together_get_one_value_and_other_arguments_another():
    built = []

    @once
    def build(name):
        time.sleep(0.02)
        built.append(name)
        return object()

    assert len(set(at_once(lambda: build("a")))) == 1
    assert build("a") is not build("b")
    assert built == ["a", "b"]


def test_what_cannot_be_built_is_built_anew():
    tried = []

    @once
    def build():
        tried.append(1)
        if len(tried) == 1:
            raise ZeroDivisionError
        return "there"

    with pytest.raises(ZeroDivisionError):
        build()
    assert build() == "there"


@pytest.mark.parametrize("role", [Role.ANALYST, Role.PARTNER])
def test_a_filter_and_its_question_are_over_the_same_rows(monkeypatch, role):
    """Else the first filters after a start are answered by what they do not ask for: each row beside each other one."""
    who = Principal("k", "who", role, partner_id="p" if role is Role.PARTNER else None)
    of_columns, unasked = readable._columns, frozenset({f"crossing of {role}"})  # nothing is built of these yet
    monkeypatch.setattr(readable, "_types", lambda _principal: unasked)
    monkeypatch.setattr(readable, "_columns", lambda: time.sleep(0.02) or of_columns())
    assert len({id(rows) for rows in at_once(lambda: readable_records(who, 0).rows)}) == 1
