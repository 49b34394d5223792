"""Who is online, asleep or lost."""

from hypothesis import given, settings
from hypothesis import strategies as st

from contactor.cloud.ingest.presence import (
    CONNECTIVITIES,
    NOT_HELD,
    ONLINE_NS,
    PAUSE_NS,
    Connectivity,
    Presence,
)
from contactor.link.messages import Hello, StreamHello
from tests.cloud.lake.samples import T0, S


def hello(*lanes: str, closing: bool = False, asleep: bool = False) -> Hello:
    streams = tuple(StreamHello(number, lane, 1, 0) for number, lane in enumerate(lanes))
    return Hello("leaf", "", streams, closing=closing, asleep=asleep)


def test_car_that_was_heard_is_online_until_it_is_lost() -> None:
    presence = Presence()
    assert presence.of("leaf", T0) is Connectivity.ASLEEP
    presence.hear_all(["leaf"], T0)
    assert presence.of("leaf", T0 + ONLINE_NS) is Connectivity.ONLINE
    assert presence.of("leaf", T0 + ONLINE_NS + 1) is Connectivity.LOST


def test_car_that_rests_is_asleep_until_it_says_otherwise() -> None:
    for resting in (hello(closing=True), hello(asleep=True)):
        presence = Presence()
        presence.greet(resting, T0)
        presence.hear_all(["leaf"], T0)  # what its outbox still held
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
    presence = Presence(limit=5)
    for number in range(7):
        presence.hear_all([str(number)], T0)
    presence.hear_all(["4", "8"], T0)
    presence.greet(Hello("9", "", (), asleep=True), T0)
    assert presence.of("4", T0) is Connectivity.ONLINE
    for stranger in ("5", "8", "9"):
        assert presence.of(stranger, T0) is Connectivity.ASLEEP
        assert not presence.is_listening(stranger, T0)


_NAMES = [f"v{number}" for number in range(20)]
_STEPS = st.lists(
    st.tuples(
        st.sampled_from(["hear", "hear all", "live", "rest", "close", "import"]),
        st.sampled_from(_NAMES),
        st.integers(0, 30),
    ),
    max_size=40,
)


def step(presence: Presence, what: str, name: str, now_ns: int) -> None:
    streams = (StreamHello(1, "backlog" if what == "import" else "live", 1, 0),)
    if what == "hear":
        presence.hear_all([name], now_ns)
    elif what == "hear all":
        presence.hear_all([name, _NAMES[0], name], now_ns)
    else:
        closing, asleep = what == "close", what == "rest"
        presence.greet(Hello(name, "", streams, closing=closing, asleep=asleep), now_ns)


@settings(deadline=None)
@given(_STEPS, st.integers(0, 60))
def test_all_at_once_are_what_each_alone_is(
    steps: list[tuple[str, str, int]], later_s: int
) -> None:
    presence, now_ns = Presence(), T0
    for what, name, wait_s in steps:
        now_ns += wait_s * S
        step(presence, what, name, now_ns)
    now_ns += later_s * S
    codes = presence.codes(now_ns).tolist()
    told = dict(zip(presence.vehicles, (CONNECTIVITIES[code] for code in codes), strict=True))
    assert told == {name: presence.of(name, now_ns) for name in presence.vehicles}
    since = [presence.awake_since(name, now_ns) for name in presence.vehicles]
    assert presence.held_from(now_ns).tolist() == [
        NOT_HELD if one is None else one - PAUSE_NS for one in since
    ]


def test_restart_takes_nothing_from_what_was_known() -> None:
    """Time in which nobody could be heard makes no car lost."""
    presence = Presence()
    for name in ("rests", "lost", "here", "new"):
        presence.hear_all([name], T0)
    presence.greet(Hello("rests", "", (), asleep=True), T0)
    now_ns = T0 + ONLINE_NS + 1
    presence.hear_all(["here"], now_ns)
    kept = presence.kept(now_ns)
    again, later_ns = Presence(), now_ns + 3600 * S
    again.hear_all(["new"], later_ns)
    again.restore(kept, later_ns)
    found = {name: again.of(name, later_ns) for name in presence.vehicles}
    assert list(found.values()) == ["asleep", "lost", "online", "online"]
    assert again.of("here", later_ns + ONLINE_NS + 1) is Connectivity.LOST
