"""Subscriptions: who hears what, and that what waits is bounded and newest."""

from collections.abc import Sequence

from contactor.cloud.ingest.presence import Connectivity
from contactor.cloud.twin.events import (
    Change,
    CommandEvent,
    ConnectivityChange,
    Desired,
    Event,
    Stale,
)
from contactor.cloud.twin.feed import IDLE_TICKS, MAX_COMMANDS_WAITING, Feed, Subscription
from tests.cloud.lake.samples import GEAR, SPEED

T = "2024-05-01T08:00:0{}Z"


def made(vehicles: Sequence[str] = ()) -> Feed:
    """A feed of vehicles of which nothing is known but a speed."""
    return Feed(
        retell=lambda vehicle_id, _: [change(9, vehicle_id, speed=0.0)], vehicles=lambda: vehicles
    )


def waiting(subscription: Subscription) -> list[Event]:
    found: list[Event] = []
    while events := subscription.take():
        found += events
    return found


def change(second: int, vehicle: str = "leaf", **values: float) -> Change:
    named = {"speed": SPEED, "gear": GEAR}
    return Change(vehicle, T.format(second), {named[key]: value for key, value in values.items()})


def command(number: int, state: str = "queued") -> CommandEvent:
    return CommandEvent(
        vehicle_id="leaf",
        id=str(number),
        path=GEAR,
        value=1,
        issued_by="test",
        issued_at=T.format(0),
        expires_at=T.format(9),
        state=state,
        reason=None,
    )


def test_event_is_encoded_once_for_all_who_keep_up() -> None:
    feed = made()
    both = [feed.subscribe(), feed.subscribe()]
    event = change(1, speed=1.0)
    feed.publish(event)
    for subscription in both:
        [heard] = waiting(subscription)
        assert heard is event


def test_same_filter_shares_what_is_left_of_an_event() -> None:
    feed = made()
    both = [feed.subscribe(paths=frozenset({SPEED})) for _ in range(2)]
    feed.publish(change(1, speed=1.0, gear=2.0))
    [first], [second] = (waiting(subscription) for subscription in both)
    assert first is second
    assert first == change(1, speed=1.0)


def test_subscriber_hears_of_its_vehicles_and_paths() -> None:
    feed = made()
    subscription = feed.subscribe(vehicles=frozenset({"leaf"}), paths=frozenset({SPEED}))
    for vehicle in ("elm", "leaf"):
        feed.publish(change(1, vehicle, gear=1.0))
        feed.publish(Stale(vehicle, (SPEED, GEAR)))
        feed.publish(Desired(vehicle, {GEAR: 1}))
        feed.publish(ConnectivityChange(vehicle, Connectivity.LOST))
    feed.publish(command(1))
    assert waiting(subscription) == [
        Stale("leaf", (SPEED,)),
        ConnectivityChange("leaf", Connectivity.LOST),
        command(1),
    ]


def test_state_of_then_replaces_values_that_a_newer_one_overtook() -> None:
    state = [change(9, speed=9.0, gear=1.0), Stale("leaf", (GEAR,))]
    asked: list[tuple[str, frozenset[str] | None]] = []

    def retell(vehicle_id: str, paths: frozenset[str] | None) -> list[Event]:
        asked.append((vehicle_id, paths))
        return list(state)

    feed = Feed(retell=retell, vehicles=lambda: ["leaf"])
    paths = frozenset({SPEED, GEAR})
    subscription = feed.subscribe(paths=paths)
    feed.publish(change(1, speed=1.0, gear=1.0))
    feed.publish(Stale("leaf", (SPEED, GEAR)))
    for second in range(2, 6):
        feed.publish(change(second, speed=float(second)))
    assert waiting(subscription) == state
    assert asked == [("leaf", paths)]
    assert feed.merged == 5
    feed.publish(change(6, speed=6.0))
    assert waiting(subscription) == [change(6, speed=6.0)]
    subscription.close()
    assert (feed.merged, feed.is_heard) == (5, False)


def test_what_waits_is_bounded_however_much_is_published() -> None:
    feed = made()
    subscription = feed.subscribe()
    for number in range(10_000):
        feed.publish(change(number % 10, f"v{number % 7}", speed=float(number)))
        feed.publish(command(number))
        feed.publish(Desired("v0", {GEAR: number}))
    found = waiting(subscription)
    commands = [event for event in found if isinstance(event, CommandEvent)]
    changes = [event for event in found if isinstance(event, Change)]
    assert [int(event.id) for event in commands] == list(
        range(10_000 - MAX_COMMANDS_WAITING, 10_000)
    )
    assert sorted(event.vehicle_id for event in changes) == [f"v{n}" for n in range(7)]


def test_subscriber_that_stands_is_parked_and_told_all_when_it_takes_again() -> None:
    names = ["elm", "leaf", "oak"]
    feed = made(names)
    stands, reads = feed.subscribe(), feed.subscribe(vehicles=frozenset({"leaf"}))
    feed.publish(change(1, speed=1.0))
    for _ in range(IDLE_TICKS):
        assert waiting(reads) in ([change(1, speed=1.0)], [])
        assert feed.parked == 0
        feed.tick()
    assert feed.parked == 1
    assert feed.wanted == frozenset({"leaf"})
    for second in range(2, 9):
        feed.publish(change(second, speed=1.0))
        waiting(reads)
        feed.tick()
    feed.publish(command(1))
    assert waiting(reads) == [command(1)]
    heard = stands.take()
    assert feed.parked == 0
    feed.publish(change(9, "ash", speed=1.0))
    heard += waiting(stands)
    assert {event.vehicle_id for event in heard} == {"ash", *names}
    assert [event for event in heard if isinstance(event, CommandEvent)] == [command(1)]
    stands.close()
    assert feed.wanted == frozenset({"leaf"})


def test_nothing_is_parked_that_has_nothing_to_take() -> None:
    feed = made()
    subscription = feed.subscribe()
    for _ in range(5):
        feed.tick()
    feed.publish(change(1, speed=1.0))
    assert waiting(subscription) == [change(1, speed=1.0)]


def test_commands_wait_in_their_newest_state() -> None:
    feed = made()
    subscription = feed.subscribe()
    for state in ("queued", "sent", "accepted"):
        feed.publish(command(1, state))
    assert waiting(subscription) == [command(1, "accepted")]


def test_vehicle_that_waits_longest_comes_first() -> None:
    feed = made()
    subscription = feed.subscribe()
    feed.publish(change(1, "elm", speed=1.0))
    feed.publish(change(1, "leaf", speed=1.0))
    feed.publish(change(2, "elm", speed=2.0))
    assert [event.vehicle_id for event in waiting(subscription)] == ["elm", "leaf"]
