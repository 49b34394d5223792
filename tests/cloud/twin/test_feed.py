"""Subscriptions: who hears what, and that what waits is bounded and newest."""

from contactor.cloud.ingest.presence import Connectivity
from contactor.cloud.twin.events import Change, CommandEvent, ConnectivityChange, Desired, Stale
from contactor.cloud.twin.feed import MAX_COMMANDS_WAITING, Feed, Subscription
from tests.cloud.lake.samples import GEAR, SPEED

T = "2024-05-01T08:00:0{}Z"


def waiting(subscription: Subscription) -> list[object]:
    found: list[object] = []
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
    feed = Feed()
    both = [feed.subscribe(), feed.subscribe()]
    event = change(1, speed=1.0)
    feed.publish(event)
    for subscription in both:
        [heard] = waiting(subscription)
        assert heard is event


def test_same_filter_shares_what_is_left_of_an_event() -> None:
    feed = Feed()
    both = [feed.subscribe(paths=frozenset({SPEED})) for _ in range(2)]
    feed.publish(change(1, speed=1.0, gear=2.0))
    [first], [second] = (waiting(subscription) for subscription in both)
    assert first is second
    assert first == change(1, speed=1.0)


def test_subscriber_hears_of_its_vehicles_and_paths() -> None:
    feed = Feed()
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


def test_newest_value_replaces_one_that_waits() -> None:
    feed = Feed()
    subscription = feed.subscribe()
    feed.publish(change(1, speed=1.0, gear=1.0))
    feed.publish(Stale("leaf", (SPEED, GEAR)))
    for second in range(2, 6):
        feed.publish(change(second, speed=float(second)))
    assert feed.merged == 4
    assert waiting(subscription) == [
        change(5, speed=5.0),
        change(1, gear=1.0),
        Stale("leaf", (GEAR,)),
    ]
    subscription.close()
    assert (feed.merged, feed.is_heard) == (4, False)


def test_what_waits_is_bounded_however_much_is_published() -> None:
    feed = Feed()
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
    assert len(changes) == 7
    assert {value for event in changes for value in event.values.values()} == {
        float(number) for number in range(9_993, 10_000)
    }


def test_commands_wait_in_their_newest_state() -> None:
    feed = Feed()
    subscription = feed.subscribe()
    for state in ("queued", "sent", "accepted"):
        feed.publish(command(1, state))
    assert waiting(subscription) == [command(1, "accepted")]


def test_vehicle_that_waits_longest_comes_first() -> None:
    feed = Feed()
    subscription = feed.subscribe()
    feed.publish(change(1, "elm", speed=1.0))
    feed.publish(change(1, "leaf", speed=1.0))
    feed.publish(change(2, "elm", speed=2.0))
    assert waiting(subscription) == [change(2, "elm", speed=2.0), change(1, "leaf", speed=1.0)]
