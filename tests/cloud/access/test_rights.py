"""Which role may do what: the whole table, as people would say it."""

from pathlib import Path

import pytest

from contactor.cloud.access.rights import RIGHTS, SCOPES, Role, Scope, may
from contactor.signals.catalogue import Kind, catalogue
from contactor.signals.rights import Right, right_to_set, tells_where

R = Right
TABLE = {
    Role.OWNER: set(Right),
    Role.OPERATOR: set(Right) - {R.GOVERN},
    Role.DRIVER: {R.SEE, R.LOCATE, R.HISTORY, R.COMFORT, R.OPEN, R.JOURNAL},
    Role.GUEST: {R.SEE, R.COMFORT, R.OPEN},
    Role.VIEWER: {R.SEE, R.LOCATE, R.HISTORY},
    Role.WORKSHOP: {R.SEE, R.DIAGNOSE},
    Role.MAKER: {R.DIAGNOSE},
}


@pytest.mark.parametrize("role", Role)
def test_a_role_allows_what_the_table_says(role: Role) -> None:
    assert {right for right in Right if may(role, right)} == TABLE[role]


def test_the_owner_alone_governs() -> None:
    assert [role for role, rights in RIGHTS.items() if Right.GOVERN in rights] == [Role.OWNER]


def test_a_scope_holds_the_one_before() -> None:
    assert SCOPES[Scope.READ] < SCOPES[Scope.COMMAND] < SCOPES[Scope.ADMIN]


def test_what_lets_somebody_in_needs_more() -> None:
    actuators = [one.path for one in catalogue().values() if one.kind is Kind.ACTUATOR]
    opening = {path for path in actuators if right_to_set(path) is Right.OPEN}
    assert "Vehicle.Cabin.Door.Row1.DriverSide.IsLocked" in opening
    assert "Vehicle.Cabin.Door.Row1.DriverSide.Window.Position" in opening
    assert not any("HVAC" in path or "Seat" in path for path in opening)
    words = ("IsLocked", "Window", "Trunk", "Hood", "ChargingPort", "IsOpen")
    closing = {path for path in actuators if any(word in path for word in words)}
    harmless = ("Shade", "Mirrors", "GloveBox", "Windshield", "Infotainment")
    assert {path for path in closing - opening if not any(one in path for one in harmless)} == set()


def test_every_place_on_the_earth_tells_where_a_car_is() -> None:
    places = [path for path in catalogue() if path.endswith((".Latitude", ".Longitude"))]
    assert len(places) == 6
    assert all(map(tells_where, places))
    assert not tells_where("Vehicle.Acceleration.Longitudinal")


def test_the_guide_shows_the_table() -> None:
    guide = Path(__file__).resolve().parents[3] / "docs" / "guides" / "people.md"
    rows = [
        [cell.strip() for cell in line.strip("|\n").split("|")]
        for line in guide.read_text().splitlines()
        if line.startswith("|")
    ]
    roles = [Role(name) for name in rows[0][1:]]
    shown = {row[0].partition(":")[0]: row[1:] for row in rows[2:]}
    assert set(roles) == set(Role)
    assert shown == {
        right.value: ["✓" if may(role, right) else "" for role in roles] for right in Right
    }
