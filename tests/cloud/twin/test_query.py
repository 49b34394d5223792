"""Questions to the fleet: against a plain reading of the same, and what is refused where."""

import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contactor.clock import FakeClock
from contactor.cloud.ingest.presence import Presence
from contactor.cloud.twin.query import MAX_CLAIMS, MAX_DEPTH, Compare, parse
from contactor.cloud.twin.twin import Twin
from contactor.errors import MalformedQuery
from contactor.link.messages import Hello
from contactor.signals.groups import Group
from contactor.signals.record import Value
from tests.cloud.lake.samples import CELLS, GEAR, SPEED, T0, VIN, S

LOCK = "Vehicle.Cabin.Door.Row1.DriverSide.IsLocked"
PLUG = "Vehicle.Powertrain.TractionBattery.Charging.PortFlap.IsOpen"
FLOOR = "Vehicle.Powertrain.Type"  # of allowed words
UNTOLD = "Vehicle.Exterior.AirTemperature"

Fleet = dict[str, dict[str, tuple[Value | None, int]]]
"""By vehicle and path, the value (None: not available) and how old it is, in seconds."""

_CELLS: dict[str, st.SearchStrategy[Value | None]] = {
    SPEED: st.sampled_from([None, 0.0, 20.0, 20.5, 99.0]),
    GEAR: st.sampled_from([None, -1, 0, 3]),
    LOCK: st.sampled_from([None, True, False]),
    VIN: st.sampled_from([None, "", "W0L", "VF1"]),
    CELLS: st.sampled_from([None, (3.5, 3.5)]),
}
_FLEETS = st.dictionaries(
    st.sampled_from([f"v{number}" for number in range(6)]),
    st.fixed_dictionaries(
        {}, optional={p: st.tuples(v, st.sampled_from([1, 3600])) for p, v in _CELLS.items()}
    ),
    min_size=1,
)


def twin_of(fleet: Fleet, standing: dict[str, str]) -> Twin:
    presence, clock = Presence(), FakeClock(T0)
    twin = Twin(presence=presence, clock=clock)
    for vehicle_id, cells in fleet.items():
        twin.cells.row(vehicle_id)
        if (stands := standing.get(vehicle_id, "asleep")) != "asleep":
            heard = T0 if stands == "online" else T0 - 60 * S
            presence.greet(Hello(vehicle_id, "", ()), heard)
        for path, (value, age_s) in cells.items():
            twin.put(vehicle_id, path, value, ts=T0 - age_s * S, group=Group.DRIVE)
    return twin


Claim = tuple[str, ...]


@st.composite
def claims(draw: st.DrawFn) -> Claim:
    kind = draw(st.sampled_from(["compare", "alone", "known", "stale", "connectivity"]))
    if kind == "connectivity":
        return (
            kind,
            draw(st.sampled_from(["==", "!="])),
            draw(st.sampled_from(["online", "asleep", "lost"])),
        )
    if kind in ("known", "stale"):
        return kind, draw(st.sampled_from([*_CELLS, UNTOLD]))
    if kind == "alone":
        return kind, LOCK
    path = draw(st.sampled_from([SPEED, GEAR, LOCK, VIN, UNTOLD]))
    choices: dict[str, list[object]] = {LOCK: [True, False], VIN: ["W0L", "never told"]}
    literal = draw(st.sampled_from(choices.get(path, [0, 20.0, 1e3, -1])))
    operators = ["==", "!="] if path in choices else ["<", "<=", ">", ">=", "==", "!="]
    return kind, path, draw(st.sampled_from(operators)), json.dumps(literal)


Tree = tuple[object, ...]
_TREES: st.SearchStrategy[Tree] = st.recursive(
    claims(),
    lambda inner: st.one_of(
        st.tuples(st.just("not"), inner),
        st.tuples(st.sampled_from(["and", "or"]), inner, inner, inner),
    ),
    max_leaves=6,
)


def text_of(tree: Tree) -> str:
    match tree:
        case ("not", inner):
            return f"not {text_of(inner)}"  # type: ignore[arg-type]  # a tree, as made
        case ("and" | "or" as word, *parts):
            return "(" + f" {word} ".join(text_of(part) for part in parts) + ")"  # type: ignore[arg-type]  # trees
        case ("known" | "stale" as what, path):
            return f"{what}( {path})"
        case ("alone", path):
            return str(path)
        case ("connectivity", operator, word):
            return f"connectivity {operator} '{word}'"
    return " ".join(str(part) for part in tree[1:])


def meaning(tree: Tree, cells: dict[str, tuple[Value | None, int]], stands: str) -> bool | None:
    """What a question says of one car; None where it is neither true nor false (Kleene)."""
    match tree:
        case ("not", inner):
            found = meaning(inner, cells, stands)  # type: ignore[arg-type]  # a tree, as made
            return None if found is None else not found
        case ("and" | "or" as word, *parts):
            told = [meaning(part, cells, stands) for part in parts]  # type: ignore[arg-type]  # trees
            decides = word == "or"
            if decides in told:
                return decides
            return None if None in told else not decides
        case ("known", path):
            return str(path) in cells and cells[str(path)][0] is not None
        case ("stale", path):
            return str(path) in cells and (cells[str(path)][1] > 10 or stands == "lost")
        case ("connectivity", operator, word):
            return (stands == word) is (operator == "==")
        case ("alone", path):
            return cells[str(path)][0] if str(path) in cells else None  # type: ignore[return-value]  # a boolean
    _, path, operator, literal = tree
    value = cells[str(path)][0] if str(path) in cells else None
    if value is None:
        return None
    return bool(eval(f"value {operator} other", {"value": value, "other": json.loads(literal)}))  # type: ignore[arg-type]


@settings(deadline=None, max_examples=300)
@given(_FLEETS, st.data(), _TREES)
def test_answer_is_that_of_a_plain_reading(fleet: Fleet, data: st.DataObject, tree: Tree) -> None:
    standing = {
        vehicle_id: data.draw(st.sampled_from(["online", "asleep", "lost"])) for vehicle_id in fleet
    }
    twin = twin_of(fleet, standing)
    found = twin.select(parse(text_of(tree)), limit=100)
    assert found == [
        vehicle_id
        for vehicle_id in sorted(fleet)
        if meaning(tree, fleet[vehicle_id], standing[vehicle_id])
    ]


def test_not_goes_inwards() -> None:
    assert parse(f"not ({SPEED} < 20 and not {LOCK})") == parse(f"{SPEED} >= 20 or {LOCK}")
    assert parse(f"not not {SPEED} == 1e1") == Compare(SPEED, "==", 10.0)


def test_and_binds_closer_than_or() -> None:
    claim = f"{SPEED} > 1"
    assert parse(f"{claim} or {claim} and {LOCK}") == parse(f"{claim} or ({claim} and {LOCK})")


def test_pages_hold_each_once() -> None:
    twin = twin_of({f"v{n}": {SPEED: (float(n % 3), 1)} for n in range(20)}, {})
    query, found, after = parse(f"{SPEED} > 0"), [], None
    while page := twin.select(query, limit=3, after=after):
        found += page
        after = page[-1]
    assert found == sorted(f"v{n}" for n in range(20) if n % 3)


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("", 1, "the end; allowed: a path"),
        (f"{SPEED} <", 16, "the end; allowed: a number: Vehicle.Speed is float"),
        (f"{SPEED} < 20 && {LOCK}", 20, "'&& Vehicle.C'; allowed: paths"),
        (f"{SPEED} < 20 {LOCK}", 20, "allowed: and, or, or the end"),
        (f"{SPEED} < 'x'", 17, """"'x'"; allowed: a number"""),
        (f"{SPEED}", 14, "the end; allowed: an operator: Vehicle.Speed is float"),
        ("Vehicle.Sped > 1", 1, "unknown signal 'Vehicle.Sped'; nearest: Vehicle.Speed"),
        ("StateOfCharge.Current < 20", 1, "nearest: Vehicle."),
        (f"known({SPEED}", 20, "the end; allowed: )"),
        (f"({SPEED} > 1", 19, "the end; allowed: )"),
        (f"{LOCK} < true", len(LOCK) + 2, "'<'; allowed: == or !="),
        (f"{LOCK} == 1", len(LOCK) + 5, "allowed: true or false"),
        (f"{VIN} == W0L", len(VIN) + 5, "'W0L'; allowed: a text in quotes"),
        (f"{CELLS} > 3", 1, "allowed: known or stale"),
        ("connectivity == 'away'", 17, 'allowed: "online" or "asleep" or "lost"'),
        ("connectivity < 'lost'", 14, "allowed: == or !="),
        (f"{FLOOR} == 'STEAM'", len(FLOOR) + 5, "the words of Vehicle.Powertrain.Type"),
        (f"{SPEED} > 1.2.3", 17, "'1.2.3'; allowed: paths"),
        (f"{SPEED} > 5x", 17, "'5x'; allowed: paths"),
        ("not " * (MAX_DEPTH + 1) + LOCK, 4 * MAX_DEPTH + 1, f"at most {MAX_DEPTH}"),
        (" or ".join([LOCK] * (MAX_CLAIMS + 1)), None, f"at most {MAX_CLAIMS} claims"),
        ("x" * 4_001, None, "where has 4001 characters; at most 4000"),
    ],
)
def test_question_that_cannot_be_read_names_the_place(
    text: str, place: int | None, words: str
) -> None:
    with pytest.raises(MalformedQuery) as refused:
        parse(text)
    assert words in str(refused.value)
    assert place is None or f"where, character {place}: " in str(refused.value)


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from([SPEED, LOCK, "and", "or", "not", "(", ")", "<", "==", "1", "'", "known"])
    ).map(" ".join)
    | st.text(max_size=40)
)
def test_any_text_is_a_question_or_refused(text: str) -> None:
    with contextlib.suppress(MalformedQuery):
        parse(text)
