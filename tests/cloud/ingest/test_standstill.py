from contactor.clock import NS_PER_S
from contactor.cloud.ingest.standstill import PATIENCE_NS, Standstill


def tell(standstill: Standstill, *, from_s: int, to_s: int) -> None:
    for second in range(from_s, to_s + 1):
        standstill.held(second * NS_PER_S)


def test_cars_that_hold_nothing_are_no_standstill() -> None:
    assert not Standstill().is_too_long()


def test_cars_that_go_on_holding_what_does_not_come_are_one_once() -> None:
    standstill, patience_s = Standstill(), PATIENCE_NS // NS_PER_S
    tell(standstill, from_s=100, to_s=100 + patience_s - 1)
    assert not standstill.is_too_long()
    tell(standstill, from_s=100 + patience_s, to_s=100 + patience_s)
    assert standstill.is_too_long()
    assert not standstill.is_too_long()
    tell(standstill, from_s=200, to_s=200 + patience_s)
    assert standstill.is_too_long()


def test_message_that_comes_begins_anew() -> None:
    standstill, patience_s = Standstill(), PATIENCE_NS // NS_PER_S
    tell(standstill, from_s=0, to_s=patience_s - 1)
    standstill.came()
    tell(standstill, from_s=patience_s, to_s=2 * patience_s - 1)
    assert not standstill.is_too_long()
