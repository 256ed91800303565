"""Memory that is lent: never twice at once, again once nobody has it, and not much of it lies idle."""

import threading
import tracemalloc

import numpy as np

from tests.vision.recordings import write_video
from vision import open_source
from vision.warm_memory import WarmMemory

SHAPE = 16, 16, 3


def place(array):
    return array.__array_interface__["data"][0]


def test_whoever_has_an_array_keeps_it_and_what_is_in_it():
    memory, random = WarmMemory(), np.random.default_rng(1)
    held = {}
    for number in range(400):
        array = memory.array(SHAPE)
        array[...] = number % 251
        held[number] = array[1:-1, ::2]  # a view is enough to keep all of it
        for gone in random.permutation(list(held))[: random.integers(0, 2)]:
            del held[gone]
        assert all((view == n % 251).all() for n, view in held.items())
    assert len({place(view) for view in held.values()}) == len(held) > 20


def test_what_nobody_has_is_used_again():
    memory = WarmMemory()
    first = memory.array(SHAPE)
    where = place(first)
    del first
    again = memory.array(SHAPE)
    assert place(again) == where
    assert place(memory.array(SHAPE)) != where
    del again
    other = memory.array((3, 5), np.float32)  # of another size, in the same memory's stead
    assert (other.shape, other.dtype, other.flags.writeable) == ((3, 5), np.float32, True)


def test_little_is_kept_and_nothing_once_the_memory_is_gone():
    tracemalloc.start()
    try:
        memory = WarmMemory()
        lent = [memory.array((1000, 1000)) for _ in range(40)]
        lent.clear()
        assert 7.5e6 < tracemalloc.get_traced_memory()[0] < 8.5e6
        last = memory.array((1000, 1000))
        del memory
        assert 7.5e6 < tracemalloc.get_traced_memory()[0] < 8.5e6
        del last
        assert tracemalloc.get_traced_memory()[0] < 0.5e6
    finally:
        tracemalloc.stop()


def test_threads_that_lend_and_let_go_do_not_meet():
    memory, wrong = WarmMemory(), []

    def work(own):
        for _ in range(2000):
            array = memory.array((50,))
            array[...] = own
            if (array != own).any():
                wrong.append(own)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_pictures_of_a_source_lie_where_those_before_them_lay_unless_somebody_has_them(tmp_path):
    path = write_video(tmp_path / "plain.mp4", 60)
    with open_source(path) as source:
        kept = [frame.image for frame in source]
    assert len({place(image) for image in kept}) == len(kept) == 60
    with open_source(path) as source:
        places = set()
        for frame, before in zip(source, kept, strict=True):
            places.add(place(frame.image))
            assert np.array_equal(frame.image, before)
    assert len(places) <= 4
