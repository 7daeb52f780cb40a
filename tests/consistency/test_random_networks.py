"""Random networks with the same weights, in three frameworks that share one process."""

from __future__ import annotations

import itertools
from contextlib import nullcontext
from types import ModuleType

import numpy as np
import pytest
from labs import open_lab

# The demo's network in float32 has a file of its own, and so have fresh processes.
CASES = [("demo", "float64"), ("dense 1", "float32"), ("dense 2", "float64")]


@pytest.mark.parametrize(("network", "dtype"), CASES)
def test_maps_agree(table: ModuleType, network: str, dtype: str) -> None:
    answers = {}
    for name in table.FRAMEWORKS:
        lab = open_lab(name)
        # Where 64-bit numbers have to be switched on, only its own calls see them.
        with lab.double() if dtype == "float64" else nullcontext():
            answers[name, dtype] = table.explain(name, dtype, [network])
    found = table.compare(answers)
    assert len(found) == len(table.METHODS) * len(table.PAIRS)
    assert not {key: far for key, far in found.items() if not table.within(key, far)}
    for one, other in table.PAIRS:
        for key, result in answers[one, dtype].items():
            np.testing.assert_array_equal(result.targets, answers[other, dtype][key].targets)
            largest = np.abs(result.scores).max()
            excess = np.abs(result.scores - answers[other, dtype][key].scores).max() / largest
            assert excess <= table.TOLERANCES[dtype]


def test_the_networks_differ_in_depth_width_activation_and_bias(table: ModuleType) -> None:
    networks = [table.dense_layers(name, "float64") for name in table.DENSE]
    assert sorted(len(layers) - 1 for layers in networks) == [1, 2, 3, 4]
    assert len({layers[0][0].shape for layers in networks}) == len(networks)
    assert {bool(layers[0][1].any()) for layers in networks} == {True, False}
    used = set(itertools.chain(*([name for *_, name in layers] for layers in networks)))
    assert used == {*table.ACTIVATIONS, "linear"}
