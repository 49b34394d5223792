"""Who is online, asleep or lost."""

from contactor.cloud.ingest.presence import MAX_HEARD, ONLINE_NS, Connectivity, Presence
from contactor.link.messages import Hello, StreamHello
from tests.cloud.lake.samples import T0


def hello(*lanes: str, closing: bool = False, asleep: bool = False) -> Hello:
    streams = tuple(StreamHello(number, lane, 1, 0) for number, lane in enumerate(lanes))
    return Hello("leaf", "", streams, closing=closing, asleep=asleep)


def test_car_that_was_heard_is_online_until_it_is_lost() -> None:
    presence = Presence()
    assert presence.of("leaf", T0) is Connectivity.ASLEEP
    presence.hear("leaf", T0)
    assert presence.of("leaf", T0 + ONLINE_NS) is Connectivity.ONLINE
    assert presence.of("leaf", T0 + ONLINE_NS + 1) is Connectivity.LOST


def test_car_that_rests_is_asleep_until_it_says_otherwise() -> None:
    for resting in (hello(closing=True), hello(asleep=True)):
        presence = Presence()
        presence.greet(resting, T0)
        presence.hear("leaf", T0)  # what its outbox still held
        assert presence.of("leaf", T0 + 10 * ONLINE_NS) is Connectivity.ASLEEP
        presence.greet(hello(), T0)
        assert presence.of("leaf", T0) is Connectivity.ONLINE


def test_car_asleep_listens_and_one_that_closed_does_not() -> None:
    presence = Presence()
    assert not presence.is_listening("leaf", T0)
    presence.greet(hello(asleep=True), T0)
    assert presence.is_listening("leaf", T0 + ONLINE_NS)
    assert not presence.is_listening("leaf", T0 + ONLINE_NS + 1)
    presence.greet(hello(closing=True), T0)
    assert not presence.is_listening("leaf", T0)


def test_import_that_ends_leaves_a_car_with_its_agent_as_it_is() -> None:
    presence = Presence()
    presence.greet(hello("live", "backlog"), T0)
    presence.greet(hello("backlog"), T0)
    presence.greet(hello("backlog", closing=True), T0)
    assert presence.of("leaf", T0) is Connectivity.ONLINE
    assert presence.is_listening("leaf", T0)
    assert presence.of("leaf", T0 + ONLINE_NS + 1) is Connectivity.LOST
    presence.greet(hello("live", asleep=True), T0)
    presence.greet(hello("backlog"), T0)
    assert presence.of("leaf", T0) is Connectivity.ASLEEP


def test_car_whose_agent_closed_rests_after_an_import_too() -> None:
    presence = Presence()
    presence.greet(hello("live"), T0)
    presence.greet(hello("live", closing=True), T0)
    assert presence.of("leaf", T0) is Connectivity.ASLEEP
    presence.greet(hello("backlog"), T0)
    assert presence.of("leaf", T0) is Connectivity.ONLINE
    presence.greet(hello("backlog", closing=True), T0)
    assert presence.of("leaf", T0) is Connectivity.ASLEEP


def test_presence_is_bounded() -> None:
    presence = Presence()
    for number in range(MAX_HEARD + 5):
        presence.hear(str(number), T0)
    assert presence.of(str(MAX_HEARD - 1), T0) is Connectivity.ONLINE
    assert presence.of(str(MAX_HEARD), T0) is Connectivity.ASLEEP
