"""The second factor: begun, confirmed, asked for at log in, and ended."""

import pyotp
import pytest

from contactor.clock import NS_PER_S, FakeClock
from contactor.cloud.access.logins import STEP_LIFE_S, Step
from contactor.cloud.access.people import People
from contactor.cloud.access.sessions import Opened
from contactor.errors import AccessRefused, TooManyTries, UsageError
from tests.cloud.access.conftest import GOOD

HERE = "127.0.0.1"


def code_of(secret: str, clock: FakeClock, steps: int = 0) -> str:
    return pyotp.HOTP(secret).at(clock.now_ns() // (30 * NS_PER_S) + steps)


def wrong(secret: str, clock: FakeClock) -> str:
    """Six digits that are no code now."""
    good = {code_of(secret, clock, steps) for steps in (-1, 0, 1)}
    return next(code for code in ("000000", "111111", "222222", "333333") if code not in good)


def turned_on(home: People, clock: FakeClock) -> tuple[str, list[str]]:
    """Mia's secret and recovery codes; the step of the first code is over."""
    begun = home.logins.second_factors.begin("Mia", issuer="Contactor")
    codes = home.logins.second_factors.confirm("mia", code_of(begun.secret, clock))
    clock.advance(30)
    return begun.secret, codes


def first_step(home: People, password: str = GOOD, name: str = "Mia") -> str:
    step = home.logins.log_in(name, password, address=HERE, device="it")
    assert isinstance(step, Step)
    return step.secret


def second_step(home: People, step: str, code: str, address: str = HERE) -> Opened:
    return home.logins.log_in_by_code(step, code, address=address, device="it")


def test_it_is_asked_for_once_it_was_confirmed(home: People, clock: FakeClock) -> None:
    factors = home.logins.second_factors
    begun = factors.begin("Mia", issuer="Contactor")
    assert isinstance(home.logins.log_in("Mia", GOOD, address=HERE, device="it"), Opened)
    with pytest.raises(AccessRefused):
        factors.confirm("Mia", wrong(begun.secret, clock))
    assert factors.state("Mia").is_on is False
    codes = factors.confirm("Mia", code_of(begun.secret, clock))
    assert (factors.state("Mia").is_on, factors.state("Mia").recovery_codes) == (True, 10)
    assert len(set(codes)) == 10
    clock.advance(30)
    opened = second_step(home, first_step(home), code_of(begun.secret, clock))
    principal = home.logins.by_secret(opened.secret)
    assert principal is not None
    assert principal.person.name == "Mia"
    for again in (lambda: factors.begin("Mia", issuer="it"), lambda: factors.confirm("Mia", "1")):
        with pytest.raises(UsageError):
            again()


def test_a_step_opens_nothing_by_itself_and_is_good_for_one_session(
    home: People, clock: FakeClock
) -> None:
    secret, _ = turned_on(home, clock)
    step = first_step(home)
    assert home.logins.by_secret(step) is None
    second_step(home, step, code_of(secret, clock))
    clock.advance(30)
    with pytest.raises(AccessRefused, match="too long"):
        second_step(home, step, code_of(secret, clock))
    late = first_step(home)
    clock.advance(STEP_LIFE_S)
    with pytest.raises(AccessRefused, match="too long"):
        second_step(home, late, code_of(secret, clock))
    for none in ("", "cto_stp_x", "x" * 100_000):
        with pytest.raises(AccessRefused):
            second_step(home, none, code_of(secret, clock))


def test_a_code_is_good_once_also_for_who_saw_it(home: People, clock: FakeClock) -> None:
    secret, _ = turned_on(home, clock)
    mine, theirs = first_step(home), first_step(home)
    code = code_of(secret, clock)
    second_step(home, mine, f"{code[:3]} {code[3:]}")
    with pytest.raises(AccessRefused):
        second_step(home, theirs, code)
    with pytest.raises(AccessRefused):
        second_step(home, theirs, code_of(secret, clock, -1))
    second_step(home, theirs, code_of(secret, clock, 1))


def test_codes_cannot_be_guessed_also_not_from_many_places(home: People, clock: FakeClock) -> None:
    secret, codes = turned_on(home, clock)
    step = first_step(home)
    for number in range(5):
        with pytest.raises(AccessRefused):
            second_step(home, step, wrong(secret, clock), address=f"198.51.100.{number}")
    with pytest.raises(TooManyTries, match="again in 600 s"):
        second_step(home, step, code_of(secret, clock), address="203.0.113.7")
    assert second_step(home, step, codes[0]).secret  # who has these is not kept out
    clock.advance(600)
    assert second_step(home, first_step(home), code_of(secret, clock)).secret


def test_a_recovery_code_is_good_once_however_it_is_written(home: People, clock: FakeClock) -> None:
    _, codes = turned_on(home, clock)
    second_step(home, first_step(home), codes[3].upper().replace("-", " "))
    assert home.logins.second_factors.state("Mia").recovery_codes == 9
    step = first_step(home)
    for wrong_one in (codes[3], "abcd-efgh-ijkl-mnop", "", "12345"):
        with pytest.raises(AccessRefused):
            second_step(home, step, wrong_one)
    for _ in range(6):
        with pytest.raises(AccessRefused):
            second_step(home, step, "abcd-efgh-ijkl-mnop")
    with pytest.raises(TooManyTries):
        second_step(home, step, codes[4])
    assert second_step(home, step, codes[4], address="203.0.113.7").secret


def test_codes_are_of_their_person_alone(home: People, clock: FakeClock) -> None:
    secret, codes = turned_on(home, clock)
    home.add("Ben", GOOD, [])
    factors = home.logins.second_factors
    begun = factors.begin("Ben", issuer="Contactor")
    factors.confirm("Ben", code_of(begun.secret, clock))
    clock.advance(30)
    step = first_step(home, name="Ben")
    for mias in (code_of(secret, clock), codes[0]):
        with pytest.raises(AccessRefused):
            second_step(home, step, mias)
    assert factors.state("Mia").recovery_codes == 10


def test_a_step_ends_with_the_password_it_was_made_by(home: People, clock: FakeClock) -> None:
    secret, _ = turned_on(home, clock)
    step = first_step(home)
    home.set_password("Mia", "purple monkey dishwasher")
    with pytest.raises(AccessRefused, match="too long"):
        second_step(home, step, code_of(secret, clock))


def test_what_was_ended_is_asked_for_no_more(home: People, clock: FakeClock) -> None:
    secret, codes = turned_on(home, clock)
    step = first_step(home)
    home.logins.second_factors.end("Mia")
    for code in (code_of(secret, clock), codes[0]):
        with pytest.raises(AccessRefused):
            second_step(home, step, code)
    assert isinstance(home.logins.log_in("Mia", GOOD, address=HERE, device="it"), Opened)
    assert home.logins.second_factors.state("Mia").recovery_codes == 0


def test_without_a_password_there_is_nothing_to_stand_behind(home: People) -> None:
    home.add("Ben", None, [])
    with pytest.raises(UsageError, match="choose a password first"):
        home.logins.second_factors.begin("Ben", issuer="Contactor")


def test_a_session_is_fresh_for_a_quarter_of_an_hour(home: People, clock: FakeClock) -> None:
    opened = home.logins.log_in("Mia", GOOD, address=HERE, device="it")
    assert isinstance(opened, Opened)
    principal = home.logins.by_secret(opened.secret)
    assert principal is not None
    clock.advance(899)
    assert home.logins.is_fresh(principal)
    clock.advance(1)
    assert not home.logins.is_fresh(principal)


def test_all_other_sessions_end_at_once(home: People) -> None:
    made = [home.logins.log_in("Mia", GOOD, address=HERE, device="it") for _ in range(3)]
    home.add("Ben", GOOD, [])
    bens = home.logins.log_in("Ben", GOOD, address=HERE, device="it")
    assert home.logins.end_sessions("Mia", but=made[1].id) == 2
    there = [home.logins.by_secret(one.secret) is not None for one in (*made, bens)]
    assert there == [False, True, False, True]


def test_a_password_that_changes_meanwhile_lets_nobody_in(
    home: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    logins = home.logins
    checked = logins._checked

    def slowly(name: str, password: str, address: str) -> object:
        row = checked(name, password, address)
        home.set_password("Mia", "purple monkey dishwasher")
        return row

    monkeypatch.setattr(logins, "_checked", slowly)
    with pytest.raises(AccessRefused):
        logins.log_in("Mia", GOOD, address=HERE, device="it")
    assert logins.sessions("Mia") == []
