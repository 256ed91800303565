"""Who asks for the write lock first has it first, and a wait that is broken off holds up nobody."""

import os
import signal
import threading
import time

import pytest

from api.store.turns import Turns


def wait_until(holds):
    while not holds():
        time.sleep(0.001)


def test_those_who_wait_come_in_the_order_in_which_they_asked():
    turns, came = Turns(), []

    def take(number):
        with turns:
            came.append(number)

    threads = [threading.Thread(target=take, args=(number,)) for number in range(8)]
    with turns:
        for number, thread in enumerate(threads, 1):
            thread.start()
            wait_until(lambda number=number: len(turns._waiting) == number)
        assert came == []
    for thread in threads:
        thread.join()
    with turns:
        assert came == list(range(8))


def test_a_wait_that_is_broken_off_holds_up_nobody():
    turns, release = Turns(), threading.Event()

    def hold():
        with turns:
            release.wait()

    def interrupt():
        wait_until(lambda: turns._waiting)
        os.kill(os.getpid(), signal.SIGUSR1)

    def broken_off(*_):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGUSR1, broken_off)
    holder, interrupter = threading.Thread(target=hold), threading.Thread(target=interrupt)
    try:
        holder.start()
        wait_until(lambda: turns._held)
        interrupter.start()
        with pytest.raises(KeyboardInterrupt), turns:
            pass
    finally:
        interrupter.join()
        signal.signal(signal.SIGUSR1, before)
        release.set()
        holder.join()
    with turns:
        assert not turns._waiting
