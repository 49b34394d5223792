"""The sender's rules: pace, going back, missing ranges."""

from contactor.car.agent.window import ASK_NS, MAX_IN_FLIGHT, STANDSTILL_NS, SendWindow


def test_new_window_sends_from_the_watermark_on() -> None:
    assert SendWindow(7).next(0) == (7, MAX_IN_FLIGHT)


def test_no_more_than_the_limit_is_in_flight() -> None:
    window = SendWindow(0)
    window.sent(0, MAX_IN_FLIGHT, 0)
    assert window.next(0) == (MAX_IN_FLIGHT, 0)
    window.heard(100, (), 1)
    assert window.next(1) == (MAX_IN_FLIGHT, 100)


def test_connection_begins_again_at_the_watermark() -> None:
    window = SendWindow(0)
    window.sent(0, 50, 0)
    window.heard(20, (), 1)
    before = window.round
    window.connected(2)
    assert window.next(2)[0] == 20
    assert window.round > before


def test_watermark_that_stands_still_for_ten_seconds_sends_again() -> None:
    window = SendWindow(0)
    window.sent(0, 50, 0)
    assert window.next(STANDSTILL_NS - 1)[0] == 50
    assert window.next(STANDSTILL_NS)[0] == 0


def test_standstill_is_counted_from_the_first_message_out() -> None:
    window = SendWindow(0)
    window.sent(0, 50, 5 * STANDSTILL_NS)
    assert window.next(5 * STANDSTILL_NS + 1)[0] == 50


def test_idle_window_never_goes_back() -> None:
    window = SendWindow(9)
    before = window.round
    assert window.next(100 * STANDSTILL_NS) == (9, MAX_IN_FLIGHT)
    assert window.round == before


def test_missing_range_is_sent_first_then_it_goes_on() -> None:
    window = SendWindow(0)
    window.sent(0, 50, 0)
    window.heard(10, ((11, 14), (20, 20)), 1)
    assert window.next(1) == (10, 4)
    window.sent(10, 12, 1)
    assert window.next(1) == (12, 2)
    window.sent(12, 14, 1)
    assert window.next(1) == (19, 1)
    window.sent(19, 20, 1)
    assert window.next(1)[0] == 50


def test_missing_range_is_not_sent_again_at_every_reminder() -> None:
    window = SendWindow(0)
    window.sent(0, 50, 0)
    window.heard(10, ((11, 14),), 1)
    window.sent(10, 14, 1)
    window.heard(10, ((11, 14),), 2)
    assert window.next(2)[0] == 50


def test_missing_range_beyond_what_was_sent_is_cut() -> None:
    window = SendWindow(0)
    window.sent(0, 12, 0)
    window.heard(10, ((11, 10**9),), 1)
    assert window.next(1) == (10, 2)


def test_watermark_beyond_the_cursor_moves_it() -> None:
    window = SendWindow(0)
    window.heard(30, (), 0)
    assert window.next(0) == (30, MAX_IN_FLIGHT)


def test_asks_for_a_watermark_only_while_it_waits_for_one() -> None:
    window = SendWindow(0)
    assert not window.should_ask(10 * ASK_NS)
    window.sent(0, 3, 10 * ASK_NS)
    assert not window.should_ask(11 * ASK_NS - 1)
    assert window.should_ask(11 * ASK_NS)
    assert not window.should_ask(11 * ASK_NS + 1)
