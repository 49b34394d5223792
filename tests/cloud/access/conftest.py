"""What tests of people share: a clock that stands still, and somebody who owns all."""

from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher

from contactor.clock import NS_PER_S, FakeClock
from contactor.cloud.access import passwords
from contactor.cloud.access.area import ACCESS
from contactor.cloud.access.people import People
from contactor.cloud.database.database import Database

GOOD = "correct horse battery"
T0 = 1_772_535_600 * NS_PER_S


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(T0)


@pytest.fixture
def home(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[People]:
    """Mia, the owner; hashes take little, for that they are slow is not tried here."""
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=64))
    found = People(Database.open(":memory:", [ACCESS]), clock=clock)
    code = found.first_owner_code()
    assert code is not None
    found.become_first_owner(code, "Mia", GOOD)
    yield found
    found.close()
