"""Requests of OpenVINO: several calls at once, and one that fails."""

import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pytest

from vision.processor_sessions import _Requests
from vision.runtime import open_session


class Network:
    """Stands in for a compiled network: answers with the number in the input, when it is let."""

    def __init__(self, fails=()):
        self.fails, self.made, self.begun, self.waited = set(fails), 0, [], []
        self.let = threading.Event()
        self.let.set()

    def create_infer_request(self):
        self.made += 1
        return Request(self)


class Request:
    def __init__(self, network):
        self.network, self.number = network, None

    def start_async(self, inputs, share_inputs):
        assert share_inputs
        assert self.number is None, "it is under way for another call"
        self.number = int(inputs[0].ravel()[0])
        self.network.begun.append(self.number)

    def wait(self):
        self.network.let.wait(10)
        self.answer, self.number = self.number, None
        self.network.waited.append(self.answer)
        if self.answer in self.network.fails:
            raise RuntimeError(f"number {self.answer}")

    def get_output_tensor(self, _):
        return SimpleNamespace(data=np.full((1, 2), self.answer, np.float32))


def inputs(*numbers):
    return [np.full((1, 3, 4, 4), number, np.float32) for number in numbers]


def test_answers_come_in_the_order_of_the_inputs_and_requests_are_used_again():
    network = Network()
    requests = _Requests(network, 3)
    for start in (0, 20):
        numbers = range(start, start + 8)
        assert [one[0, 0] for one in requests.run(inputs(*numbers))] == list(numbers)
    assert network.made == 3


def test_a_second_call_does_not_wait_for_the_first_to_end():
    network = Network()
    requests = _Requests(network, 4)
    network.let.clear()
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(requests.run, inputs(1, 2))
        second = pool.submit(requests.run, inputs(3, 4))
        for _ in range(1000):
            if len(network.begun) == 4:
                break
            threading.Event().wait(0.01)
        begun = sorted(network.begun)
        network.let.set()
        assert [one[0, 0] for one in first.result()] == [1, 2]
        assert [one[0, 0] for one in second.result()] == [3, 4]
    assert begun == [1, 2, 3, 4]


def test_one_that_fails_is_told_when_nothing_reads_the_inputs_any_more():
    network = Network(fails={1})
    requests = _Requests(network, 3)
    with pytest.raises(RuntimeError, match="number 1"):
        requests.run(inputs(0, 1, 2, 3, 4))
    assert set(network.waited) == set(network.begun)
    network.fails = set()
    assert [one[0, 0] for one in requests.run(inputs(5, 6, 7, 8))] == [5, 6, 7, 8]


def test_calls_of_several_threads_get_what_is_theirs(shared_data):
    session = open_session("openvino", shared_data("weights/coco-yolo11n.onnx"), 2)
    rng = np.random.default_rng(4)
    calls = [[rng.random((1, 3, 96, 96), np.float32) for _ in range(3)] for _ in range(6)]
    alone = [session.run(tensors) for tensors in calls]
    with ThreadPoolExecutor(3) as pool:
        together = list(pool.map(session.run, calls * 3))
    for expected, found in zip(alone * 3, together, strict=True):
        np.testing.assert_array_equal(expected, found)
    assert len({one.tobytes() for call in alone for one in call}) == 18


def test_who_wants_no_more_outputs_waits_for_what_reads_the_inputs():
    network = Network()
    requests = _Requests(network, 3)
    outputs = requests.outputs(inputs(0, 1, 2, 3, 4))
    assert next(outputs)[0, 0] == 0
    outputs.close()
    assert set(network.waited) == set(network.begun)
    assert [one[0, 0] for one in requests.run(inputs(5, 6))] == [5, 6]


def test_an_output_stays_as_it_is_until_the_next_is_asked_for(shared_data):
    session = open_session("openvino", shared_data("weights/coco-yolo11n.onnx"), 2)
    rng = np.random.default_rng(4)
    tensors = [rng.random((1, 3, 96, 96), np.float32) for _ in range(6)]
    kept = session.run(tensors)
    for expected, lent in zip(kept, session.outputs(tensors), strict=True):
        np.testing.assert_array_equal(expected, lent)
