"""Each defect by a small database of our own that has it."""

import re

import pytest

from contactor.can.database import Database, load_database
from contactor.errors import DatabaseError

GOOD = """\
VERSION ""

NS_ :

BS_:

BU_: VCM HMI

BO_ 475 Battery: 8 VCM
 SG_ Current : 7|11@0- (0.5,0) [-400|200] "A" HMI
 SG_ Gear : 16|3@1+ (1,0) [0|0] "" HMI
 SG_ Torque : 32|32@1- (1,0) [0|0] "Nm" HMI

CM_ SG_ 475 Gear "selected";
BA_DEF_ BO_ "GenMsgCycleTime" INT 0 65535;
BA_DEF_DEF_ "GenMsgCycleTime" 0;
BA_ "GenMsgCycleTime" BO_ 475 10;
VAL_ 475 Gear 0 "Park" 1 "Drive" ;
SIG_VALTYPE_ 475 Torque : 1;
"""
CURRENT = '(0.5,0) [-400|200] "A" HMI'


@pytest.fixture
def load(tmp_path):
    def load_text(text: str) -> Database:
        path = tmp_path / "a.dbc"
        path.write_text(text, encoding="utf-8", newline="")
        return load_database([path])

    return load_text


def values(database: Database) -> list[object]:
    """All that decides what frames mean."""
    return [
        (one.name, one.can_id, one.is_extended, one.length, one.cycle_time_ms, one.signals)
        for one in database.messages
    ]


def changed(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new)


def test_good_database_needs_no_repair(load):
    assert load(GOOD).repairs == ()


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        pytest.param(GOOD + "\0\0\0", 20, "no statement", id="zeros at the end"),
        pytest.param(GOOD + "</html>\n", 20, "no statement of a DBC: '</html>'", id="garbage"),
        pytest.param(changed("VCM HMI", "VCM 4WD"), 7, "left out", id="node with a digit"),
        pytest.param(changed('"Drive" ;', '"Drive"'), 18, "no semicolon", id="no semicolon"),
        pytest.param(changed('"selected";', '"selected"'), 14, "no semicolon", id="comment"),
        pytest.param(changed("475 Battery: 8", "475 Battery 8"), 9, "colon", id="colon of message"),
        pytest.param(changed("Gear : 16", "Gear 16"), 11, "colon", id="colon of signal"),
        pytest.param(changed("Battery: 8 VCM", "Battery: 8"), 9, "no readable sender", id="sender"),
        pytest.param(changed('"" HMI', '""'), 11, "no readable receivers", id="receivers"),
        pytest.param(changed('"A" HMI', "A HMI"), 10, "not in quotes: read as 'A'", id="unit"),
        pytest.param(
            changed('"A" HMI', '"A HMI'), 10, "not in quotes: read as 'A'", id="half unit"
        ),
        pytest.param(changed('"A" HMI', "“A” HMI"), 10, "", id="typographic quotes"),
        pytest.param(changed("(0.5,0)", "(.5,0)"), 10, "read as (0.5,0)", id="bare fraction"),
        pytest.param(changed("(0.5,0)", "(0,5,0)"), 10, "read as (0.5,0)", id="decimal comma"),
        pytest.param(changed("(0.5,0)", "(0,5;0)"), 10, "read as (0.5,0)", id="semicolon within"),
        pytest.param(
            changed('"selected"', '"the "selected" gear"'), 14, "comment", id="quotes in a comment"
        ),
        pytest.param(
            changed('"selected"', '"a\nBO_ is\n\nhere "x"'), 14, "comment", id="lines of a comment"
        ),
        pytest.param(changed('"selected";', '"selected;'), 14, "comment", id="unclosed comment"),
        pytest.param(GOOD + 'CM_ SG_ 475 "no name";\n', 20, "comment", id="comment on nothing"),
        pytest.param(
            GOOD + 'VAL_ 475 Ghost 0 "a" ;\n', 20, "'Ghost' of 475", id="labels of no signal"
        ),
        pytest.param(
            GOOD + 'VAL_ 99 Gear 0 "a" ;\n', 20, "'Gear' of 99", id="labels of no message"
        ),
        pytest.param(
            GOOD + "SIG_VALTYPE_ 475 Ghost : 1;\n", 20, "no such signal", id="type of none"
        ),
        pytest.param(
            GOOD + 'VAL_ 475 Gear 0 "Park" 1 "Drive" 2\n', 20, "left out: '2'", id="half label"
        ),
        pytest.param(
            GOOD + 'BA_DEF_ BO_ "Sent" BOOL False True;\n',
            *(20, "unknown type 'BOOL'"),
            id="type of an attribute",
        ),
        pytest.param(
            GOOD + 'BA_DEF_ BO_ "GenMsgCycleTime" INT 0 1;\nBA_ "Ghost" BO_ 475 1;\n',
            *(20, "defined again"),
            id="attribute defined again",
        ),
        pytest.param(
            changed('"GenMsgCycleTime" 0;', '"GenMsgCycleTime" false;'), 16, "not fit", id="default"
        ),
        pytest.param(
            GOOD + "BO_ 3221225472 VECTOR__INDEPENDENT_SIG_MSG: 0 X\n"
            ' SG_ Loose : 0|8@1+ (1,0) [0|0] "" X\nVAL_ 3221225472 Loose 0 "a" ;\n',
            *(22, "'Loose' of 3221225472"),
            id="signals of no message",
        ),
        pytest.param(
            GOOD + 'BO_ 1073741824 Never: 8 X\n SG_ A : 0|8@1+ (1,0) [0|0] "" X\n',
            *(20, "no frame can carry id 0x40000000"),
            id="id beyond 29 bits",
        ),
        pytest.param(
            changed(CURRENT, '(0.5,0) [-400|200] "A" HMI\n SG_ None : 0|0@1+ (1,0) [0|0] "" X'),
            *(11, "has no bits"),
            id="signal of no bits",
        ),
        pytest.param(
            changed(" SG_ Gear", f" SG_ Current : 7|11@0- {CURRENT}\n SG_ Gear"),
            *(11, "'Current' once more"),
            id="equal signals",
        ),
        pytest.param(
            changed("BO_ 475 B", "BO_ 475 Old: 8 VCM\n\nBO_ 475 B"),
            *(9, "line 11 defines its id again as 'Battery'"),
            id="message defined again",
        ),
    ],
)
def test_defect_is_told_and_leaves_the_values_as_they_are(load, text, line, what):
    database, good = load(text), load(GOOD)
    assert values(database) == values(good)
    if what:
        repair = next(repair for repair in database.repairs if what in repair.what)
        assert (repair.path, repair.line) == ("a.dbc", line)
    assert database.repairs


@pytest.mark.parametrize("newline", ["\r\n", "\r", "\n\r\n"])
@pytest.mark.parametrize("keyword", ["", "VERSION", "NS_ ", "BS_", "BU_"])
def test_missing_sections_and_any_line_ends_need_no_repair(load, keyword, newline):
    lines = [line for line in GOOD.split("\n") if not keyword or not line.startswith(keyword)]
    database = load(newline.join(lines))
    assert values(database) == values(load(GOOD))
    assert database.repairs == ()


def test_statements_on_one_line_are_read_each(load):
    text = (
        GOOD.replace(";\n", "; ").replace("\n SG_", " SG_").replace('VERSION "" ', 'VERSION ""\n')
    )
    text += 'VAL_ 475 Ghost 0 "a; VAL_ 1 b" ;'
    database = load(text)
    assert values(database) == values(load(GOOD))
    assert [repair.what for repair in database.repairs] == [
        "VAL_ of signal 'Ghost' of 475: no such signal"
    ]


def test_new_symbols_without_bit_timing_are_told(load):
    text = changed("NS_ :\n\nBS_:\n\nBU_: VCM HMI\n", "NS_ :\n NS_DESC_\n CM_\n")
    database = load(text)
    assert values(database) == values(load(GOOD))
    assert [str(repair) for repair in database.repairs] == ["a.dbc:3: no BS_ after NS_"]


@pytest.mark.parametrize("limits", ["[0,5|1,5]", "[|]", "[-|-]", "[0..5]", "", "[nan|inf]"])
def test_garbage_for_a_range_leaves_the_signal(load, limits):
    database = load(changed("[-400|200]", limits))
    current = database.messages[0].signals[0]
    assert (current.scale, current.unit, current.name) == (0.5, "A", "Current")
    assert [repair.line for repair in database.repairs] == [10]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("4WD", "4WD"),
        ("1E5_x", "1E5_x"),
        ("Pack Current", "Pack_Current"),
        ("Pack-Current", "Pack-Current"),
        ("Pack.Current[A]", "Pack_Current_A"),
        ("电流", "电流"),
        ("Strömung", "Strömung"),
        ("FILTER", "FILTER"),
    ],
)
def test_name_that_a_parser_does_not_take_is_shown(load, name, shown):
    text = re.sub(r"\bGear\b", name, GOOD).replace("Battery", name)
    database = load(text)
    assert database.message(shown).signals[1].name == shown
    assert database.message(shown).signals[1].labels == {0: "Park", 1: "Drive"}
    assert {9, 11} <= {repair.line for repair in database.repairs}


@pytest.mark.parametrize(
    ("written", "mux"),
    [("Cur rent", None), ("Cur rent m2", (2,)), ("Cur  rent  M", ()), ("Cur rent of all", None)],
)
def test_second_word_of_a_signal_is_part_of_its_name(load, written, mux):
    good = changed("SG_ Torque :", "SG_ Page M :") if mux else GOOD
    database = load(good.replace("SIG_VALTYPE_ 475 Torque : 1;\n", "").replace("Current", written))
    current = database.messages[0].signals[0]
    assert current.name == ("Cur_rent_of_all" if "all" in written else "Cur_rent")
    assert current.multiplexer_ids == (mux or ())
    assert current.is_multiplexer is (mux == ())
    assert [str(repair) for repair in database.repairs if "name" in repair.what] == [
        f"a.dbc:10: name {' '.join(written.split()).rstrip(' mM2')!r} holds ' ': read as "
        f"{current.name!r}"
    ]


def test_multiplexing_that_is_none_is_no_part_of_a_name(load):
    reason = "line 10: 'M2' of signal 'Current' is not M, m5 or m5M"
    with pytest.raises(DatabaseError, match=reason):
        load(changed("SG_ Current :", "SG_ Current M2 :"))


def test_multiplexer_with_a_name_that_a_parser_does_not_take_keeps_its_signals(load):
    text = GOOD.replace(" Gear :", " 4WD M :").replace("SG_ Torque :", "SG_ Torque m1 :")
    gear, torque = load(text.replace("Gear", "4WD")).messages[0].signals[1:]
    assert (gear.name, gear.is_multiplexer) == ("4WD", True)
    assert (torque.multiplexer, torque.multiplexer_ids) == ("4WD", (1,))


@pytest.mark.parametrize("written", [0x18FF50E5, -0x6700AF1B, 0x98FF50E5])
def test_extended_id_is_known_without_its_flag(load, written):
    text = GOOD.replace("475", str(written))
    (message,) = load(text).messages
    assert (message.can_id, message.is_extended) == (0x18FF50E5, True)
    assert message.signals[1].labels == {0: "Park", 1: "Drive"}
    assert message.signals[2].is_float
    assert message.cycle_time_ms == 10


def test_labels_that_forget_the_flag_of_their_message_are_its(load):
    text = GOOD.replace("BO_ 475", f"BO_ {475 | 0x80000000}")
    (message,) = load(text).messages
    assert message.signals[1].labels == {0: "Park", 1: "Drive"}


def test_labels_go_to_the_message_that_counts_of_two_with_one_id(load):
    old = 'BO_ 475 Old: 8 VCM\n SG_ Gear : 0|3@1+ (1,0) [0|0] "" X\n\n'
    text = changed("BO_ 475 B", f"{old}BO_ 475 B")
    (message,) = load(text).messages
    assert message.signals[1].labels == {0: "Park", 1: "Drive"}


def test_factor_zero_is_read_as_one(load):
    database = load(changed("(0.5,0)", "(0,5)"))
    current = database.messages[0].signals[0]
    assert (current.scale, current.offset) == (1, 5)
    assert "factor 0" in database.repairs[0].what


def test_signals_of_one_name_are_told_apart(load):
    second = ' SG_ Current : 32|8@1+ (1,0) [0|0] "" X\n SG_ Gear'
    database = load(changed(" SG_ Gear", second).replace(" SG_ Torque : 32", " SG_ Torque : 8"))
    names = sorted(signal.name for signal in database.messages[0].signals)
    assert names == ["Current", "Current_2", "Gear", "Torque"]
    assert "defined again: read as 'Current_2'" in database.repairs[0].what


def test_quotes_within_a_label_are_kept(load):
    text = changed('0 "Park"', '0 "P "ark" x"') + 'VAL_ 99 Gear 0 "a" ;\n'
    assert load(text).messages[0].signals[1].labels == {0: 'P "ark" x', 1: "Drive"}


def test_signals_without_their_multiplexer_are_told(load):
    text = GOOD.replace(" Gear :", " Gear m1 :")
    database = load(text)
    assert database.messages[0].signals[1].multiplexer_ids == ()
    assert [repair.line for repair in database.repairs] == [11]
    assert "multiplexed, by which signal is not told" in database.repairs[0].what


def test_multiplexer_values_are_those_that_its_bits_can_hold(load):
    text = GOOD.replace(" Gear :", " Gear M :").replace("SG_ Torque :", "SG_ Torque m0 :")
    database = load(text + "SG_MUL_VAL_ 475 Torque Gear 1-4294967295;\n")
    torque = database.messages[0].signals[2]
    assert sorted(torque.multiplexer_ids) == list(range(8))
    assert "beyond its 3 bits" in database.repairs[0].what


def test_message_length_beyond_all_frames_is_refused(load):
    with pytest.raises(DatabaseError, match=r"a\.dbc: line 9: length '99999999' of message"):
        load(changed("Battery: 8", "Battery: 99999999") + 'VAL_ 1 Ghost 0 "" ;\n')


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (changed("7|11@0-", "7,11@0-"), r"line 10: SG_ Current .* no start\|length"),
        (changed("7|11@0-", "7|11@0"), r"line 10: SG_ Current .* no start\|length"),
        (changed("(0.5,0)", "(1,5,5)"), r"line 10: no certain \(factor,offset\)"),
        (changed("(0.5,0)", "0.5 0"), r"line 10: no certain \(factor,offset\)"),
        (changed("BO_ 475", "BO_ abc"), r"line 9: id 'abc' of message 'Battery' is no number"),
        (changed("Battery: 8", "Battery: x"), r"line 9: length 'x'"),
        (changed(" SG_ Gear", " SG Gear"), r"line 11: no statement: 'SG Gear"),
        (changed("BO_ 475", "BQ_ 475"), r"line 9: no statement|line 10: a signal before"),
        (changed("Torque : 1", "Torque ; 1"), r"line 19: no signal's type"),
        (GOOD[: GOOD.index(" [-400")], "line 10: the file ends within a signal"),
        (GOOD[: GOOD.index("ark")], r"line 18: the file ends within a string.*'Torque'"),
    ],
)
def test_what_has_no_certain_reading_is_refused_with_its_line(load, text, reason):
    with pytest.raises(DatabaseError, match=reason) as raised:
        load(text)
    assert "\n" not in str(raised.value)


def test_end_within_a_label_is_certain_where_no_type_can_follow(load):
    text = GOOD.replace("32|32@1-", "32|16@1-")
    database = load(text[: text.index("ark")])
    assert len(database.messages[0].signals) == 3
    assert any("ends within a string" in repair.what for repair in database.repairs)


def test_comment_of_a_million_characters_is_no_burden(load):
    database = load(changed('"selected"', '"' + "x" * 3_000_000 + '"'))
    assert values(database) == values(load(GOOD))
