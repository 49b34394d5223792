"""What a new battery held, by the profile that the car named."""

from contactor.cloud.history.new_battery import new_battery


def test_a_built_in_profile_says_what_a_new_battery_held() -> None:
    new = new_battery("contactor_ev")
    assert new is not None
    assert abs(new.capacity_kwh - 82.0) < 0.5
    assert new.ends.full_v is not None
    assert new.ends.empty_v is not None
    assert new.ends.full_v > new.ends.empty_v > 200


def test_other_names_name_no_folder() -> None:
    assert new_battery("../../contactor_ev") is None
    assert new_battery("/etc") is None
    assert new_battery("") is None
