import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactor.errors import MalformedRecord
from contactor.link import messages
from contactor.link.messages import (
    Hello,
    StreamHello,
    Watermark,
    decode_hello,
    decode_watermark,
    encode_hello,
    encode_watermark,
)

vehicle_ids = st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True)
stream_numbers = st.integers(0, 2**64 - 1)
counts = st.integers(0, 2**62)
texts = st.text(max_size=30)


@st.composite
def stream_hellos(draw: st.DrawFn) -> StreamHello:
    last = draw(st.integers(0, 2**61))
    lane = draw(st.sampled_from(["urgent", "live", "backlog"]))
    return StreamHello(draw(stream_numbers), lane, draw(st.integers(1, last + 1)), last)


hellos = st.builds(
    Hello,
    vehicle_id=vehicle_ids,
    profile=texts,
    streams=st.lists(stream_hellos(), max_size=4).map(tuple),
    flush=st.booleans(),
    closing=st.booleans(),
)


@st.composite
def watermarks(draw: st.DrawFn) -> Watermark:
    edges = sorted(draw(st.sets(st.integers(2, 2**60), max_size=10)))
    ranges = tuple(zip(edges[::2], edges[1::2], strict=False))
    below = edges[0] - 1 if edges else 2**60
    return Watermark(
        vehicle_id=draw(vehicle_ids),
        stream=draw(stream_numbers),
        watermark=draw(st.integers(0, below)),
        missing=ranges,
        rows_stored=draw(counts),
        rows_refused=draw(counts),
        refused=draw(st.dictionaries(texts, counts, max_size=4)),
        committed_at=draw(counts),
    )


@given(hellos)
def test_hello_comes_back_equal(hello: Hello) -> None:
    assert decode_hello(encode_hello(hello)) == hello


@given(watermarks())
def test_watermark_comes_back_equal(watermark: Watermark) -> None:
    assert decode_watermark(encode_watermark(watermark)) == watermark


def decodes_or_refuses(payload: bytes) -> None:
    for decode in (decode_hello, decode_watermark):
        try:
            decode(payload)
        except MalformedRecord:
            continue


@pytest.mark.fuzz
@given(st.binary(max_size=400))
def test_random_bytes_raise_nothing_but_our_error(payload: bytes) -> None:
    decodes_or_refuses(payload)


@pytest.mark.fuzz
@given(
    st.one_of(hellos.map(encode_hello), watermarks().map(encode_watermark)),
    st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=4),
    st.integers(0, 10_000),
    st.binary(max_size=6),
)
def test_mutated_messages_raise_nothing_but_our_error(
    payload: bytes, changes: list[tuple[int, int]], cut: int, tail: bytes
) -> None:
    mutated = bytearray(payload)
    for place, value in changes:
        mutated[place % len(mutated)] = value
    decodes_or_refuses(bytes(mutated))
    decodes_or_refuses(bytes(mutated[: cut % (len(mutated) + 1)]) + tail)


@pytest.mark.fuzz
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | texts,
        lambda inner: st.lists(inner, max_size=9) | st.dictionaries(texts, inner, max_size=3),
        max_leaves=12,
    ),
    st.sampled_from(["hello/1", "watermark/1"]),
)
def test_foreign_documents_raise_nothing_but_our_error(document: object, tag: str) -> None:
    decodes_or_refuses(msgspec.msgpack.encode(document))
    inner = document if isinstance(document, list) else [document]
    decodes_or_refuses(msgspec.msgpack.encode([tag, *inner]))


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(MalformedRecord):
        decode_hello(b"\x91" * 100_000)


def test_large_messages_are_refused_unread() -> None:
    with pytest.raises(MalformedRecord, match="limit"):
        decode_watermark(bytes(messages.MAX_BYTES + 1))


WATERMARK = Watermark("leaf", 7, 5, ((6, 6),), 10, 1, {"range": 1}, 1_700_000_000)


@pytest.mark.parametrize(
    "change",
    [
        {"vehicle_id": "a b"},
        {"vehicle_id": "x" * 65},
        {"vehicle_id": "leaf\n"},
        {"stream": -1},
        {"watermark": -1},
        {"rows_stored": -1},
        {"committed_at": -1},
        {"refused": {"a": -1}},
    ],
)
def test_watermark_out_of_bounds_is_refused(change: dict[str, object]) -> None:
    payload = msgspec.msgpack.encode(msgspec.structs.replace(WATERMARK, **change))
    with pytest.raises(MalformedRecord):
        decode_watermark(payload)


@pytest.mark.parametrize(
    "missing",
    [[[5, 5]], [[7, 6]], [[8, 9], [7, 7]], [[7, 8], [8, 9]], [[0, 1]], [[6]], [[6, 7, 8]]],
)
def test_missing_ranges_out_of_order_are_refused(missing: list[list[int]]) -> None:
    document = ["watermark/1", "leaf", 7, 5, missing, 0, 0, {}, 0]
    with pytest.raises(MalformedRecord):
        decode_watermark(msgspec.msgpack.encode(document))


def test_hello_that_holds_more_than_was_made_is_refused() -> None:
    document = ["hello/1", "leaf", "nissan_leaf_ze1", [[7, "live", 5, 3]]]
    with pytest.raises(MalformedRecord, match="first held 5"):
        decode_hello(msgspec.msgpack.encode(document))


def test_one_message_is_not_taken_for_the_other() -> None:
    with pytest.raises(MalformedRecord):
        decode_hello(encode_watermark(WATERMARK))


def test_watermark_is_cut_to_what_a_car_can_read() -> None:
    many = Watermark(
        vehicle_id="leaf",
        stream=7,
        watermark=0,
        missing=tuple((2 * n, 2 * n) for n in range(1, 500)),
        rows_stored=0,
        rows_refused=3_000,
        refused={f"reason {n} {'long ' * 500}": 3 for n in range(1_000)},
        committed_at=0,
    )
    read = decode_watermark(encode_watermark(many))
    assert read.missing == many.missing[: messages.MAX_MISSING]
    assert sum(read.refused.values()) == 3_000


def test_hello_of_too_many_streams_is_not_made() -> None:
    streams = tuple(StreamHello(n, "live", 1, 0) for n in range(messages.MAX_STREAMS + 1))
    with pytest.raises(ValueError, match="limit"):
        encode_hello(Hello("leaf", "nissan_leaf_ze1", streams))


def test_an_older_car_reads_a_watermark_that_asks_for_nothing() -> None:
    told: list[object] = msgspec.msgpack.decode(encode_watermark(WATERMARK))
    assert told[-1] == WATERMARK.committed_at
    asking = msgspec.structs.replace(WATERMARK, needs_codebook=True)
    assert decode_watermark(encode_watermark(asking)) == asking
