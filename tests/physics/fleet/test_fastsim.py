"""With FASTSim's own numbers of a car, a fleet uses what FASTSim says."""

import pytest

from contactor.physics.cycles.standard import standard_cycle
from contactor.physics.fleet.fleet import Fleet
from tests.physics.fleet.fastsim_cars import CARS, FastsimCar


@pytest.mark.parametrize("cycle", ["UDDS", "HWFET"])
@pytest.mark.parametrize("car", CARS, ids=lambda car: car.name)
def test_consumption_is_fastsims(car: FastsimCar, cycle: str) -> None:
    fleet = Fleet(car.parameters, 1, losses=car.losses)
    fleet.drive(standard_cycle(cycle).speed_mps[1:])
    totals = fleet.totals
    used_j = totals.battery_out_j[0] - totals.battery_in_j[0]
    assert used_j / totals.distance_m[0] / 3.6 == pytest.approx(car.wh_per_km[cycle], rel=0.005)
    assert totals.speed_error_mps[0] < 1e-9
