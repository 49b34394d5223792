"""Sessions fused to one capacity."""

import math
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from contactor.history.battery.fusion import DAY_NS, Nuisance, Observation, fuse

NONE = Nuisance(0.0, 0.05)


def sessions(true_ah: float, sigma: float, count: int, seed: int = 1) -> list[Observation]:
    source = random.Random(seed)
    made = []
    for number in range(count):
        change = source.choice((-1, 1)) * source.uniform(0.1, 0.6)
        counted = true_ah * change + source.gauss(0, sigma)
        made.append(
            Observation(
                ts_ns=int(number * DAY_NS), counted=counted, change=change, lever=2.0, sigma=sigma
            )
        )
    return made


@settings(max_examples=30)
@given(true_ah=st.floats(0.5, 500.0), seed=st.integers(0, 1000))
def test_fuse_comes_to_the_truth_in_any_unit(true_ah: float, seed: int) -> None:
    last = fuse(sessions(true_ah, 0.01 * true_ah, 60, seed), Nuisance(0.0, 0.001 * true_ah))[-1]
    assert abs(last.value - true_ah) < 5 * last.sigma
    assert last.sigma < 0.02 * true_ah


def test_fuse_sets_a_single_outlier_aside() -> None:
    made = sessions(200.0, 1.0, 40)
    wrong = made[30]
    made[30] = Observation(
        ts_ns=wrong.ts_ns, counted=wrong.counted * 1.5, change=wrong.change, lever=2.0, sigma=1.0
    )
    fused = fuse(made, NONE)
    assert not fused[30].is_used
    assert abs(fused[-1].value - 200.0) < 2.0


def test_fuse_believes_a_new_battery() -> None:
    later = [
        Observation(
            ts_ns=one.ts_ns + int(40 * DAY_NS),
            counted=one.counted,
            change=one.change,
            lever=one.lever,
            sigma=one.sigma,
        )
        for one in sessions(260.0, 1.0, 20, seed=2)
    ]
    fused = fuse([*sessions(200.0, 1.0, 40), *later], NONE)
    assert abs(fused[-1].value - 260.0) < 5.0


def test_fuse_finds_the_offset_that_charge_and_drive_disagree_about() -> None:
    made = [
        Observation(
            ts_ns=one.ts_ns,
            counted=one.counted + 0.3 * one.lever,
            change=one.change,
            lever=one.lever,
            sigma=one.sigma,
        )
        for one in sessions(200.0, 0.5, 80)
    ]
    last = fuse(made, Nuisance(0.0, 0.5))[-1]
    assert abs(last.value - 200.0) < 3 * last.sigma
    assert math.isfinite(last.sigma)


def test_fuse_of_nothing_is_nothing() -> None:
    assert fuse([], NONE) == []
