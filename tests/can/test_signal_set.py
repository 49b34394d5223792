import json
from pathlib import Path
from typing import Any

import pytest

from contactor.can.isotp import Addressing
from contactor.can.signal_set import (
    Command,
    SignalSet,
    is_signal_set,
    load_obd2,
    load_signal_set,
    signal_set_of,
)
from contactor.errors import DatabaseError, UsageError

SOC = {"id": "SOC", "name": "Charge", "fmt": {"len": 8, "max": 100, "div": 2, "unit": "percent"}}


def command(**members: Any) -> dict[str, Any]:
    return {"hdr": "7E4", "cmd": {"22": "0101"}, "freq": 1, "signals": [SOC], **members}


def loaded(*commands: dict[str, Any], model_year: int | None = None) -> SignalSet:
    return signal_set_of("car.json", json.dumps({"commands": commands}), model_year=model_year)


def only(**members: Any) -> Command:
    (found,) = loaded(command(**members)).commands
    return found


def test_command_and_signal_are_read() -> None:
    found = only(rax="7EC", fcm1=True)
    assert (found.id, found.label) == ("7E4.7EC.220101|fc=1", "7E4.7EC.220101")
    assert (found.service, found.identifier) == (0x22, b"\x01\x01")
    assert found.answer_ids == (0x7EC,)
    (signal,) = found.signals
    assert (signal.name, signal.title, signal.unit) == ("SOC", "Charge", "percent")
    assert (signal.minimum, signal.maximum, signal.div) == (0, 100, 2)


@pytest.mark.parametrize(
    ("members", "answers"),
    [
        ({"hdr": "7E0", "rax": "7E8"}, (0x7E8,)),
        ({"hdr": "7E0"}, (0x7E8,)),
        ({"hdr": "DA10", "rax": "10"}, (0x18DAF110,)),
        ({"hdr": "DA10"}, (0x18DAF110,)),
        ({"hdr": "DA10", "rax": "10", "pri": "14"}, (0x14DAF110,)),
        ({"hdr": "DA10", "rax": "10", "tst": "F9"}, (0x18DAF910,)),
        ({"hdr": "FC00", "rax": "FE007B", "pri": "17"}, (0x17FE007B,)),
        ({"hdr": "D016", "rax": "1EC60E80", "pri": "1D"}, (0x1EC60E80,)),
        ({"hdr": "6F1", "eax": "12"}, (0x612,)),
    ],
)
def test_who_answers(members: dict[str, str], answers: tuple[int, ...]) -> None:
    assert only(**members).answer_ids == answers


def test_all_may_answer_who_asks_all() -> None:
    ids = only(hdr="7DF").answer_ids
    assert (0x7E8 in ids, 0x7EF in ids, 0x18DAF110 in ids, 0x7F0 in ids) == (
        True,
        True,
        True,
        False,
    )
    assert len(only(hdr="DB33").answer_ids) == 256


def test_address_byte_is_the_testers_or_the_units() -> None:
    assert only(hdr="6F1", rax="612", eax="12").route.addresses == (0x12, 0xF1)
    found = loaded(command(hdr="750", rax="758", eax="40"), command(rax="7EC"))
    assert found.answer_ids(Addressing.EXTENDED) == {0x758}
    assert found.answer_ids(Addressing.NORMAL) == {0x7EC}


@pytest.mark.parametrize(
    ("years", "is_taken"),
    [
        ({"from": 2020}, True),
        ({"to": 2020}, False),
        ({"from": 2021, "to": 2024}, True),
        ({"from": 2024, "to": 2021}, False),
        ({"from": 2022, "to": 2019}, True),
        ({"years": [2019, 2022]}, True),
        ({"to": 2019, "years": [2021]}, False),
        ({}, True),
    ],
)
def test_commands_of_other_years_are_left_out(years: dict[str, Any], is_taken: bool) -> None:
    found = loaded(command(filter=years), model_year=2022)
    assert len(found.commands) == is_taken
    if not is_taken:
        assert found.left_out[0].reason == "not of model year 2022"
    assert len(loaded(command(filter=years)).commands) == 1


def test_same_request_of_two_years_is_told_apart() -> None:
    found = loaded(
        command(rax="7EC", filter={"to": 2024}), command(rax="7EC", filter={"from": 2025})
    )
    labels = [each.label for each in found.commands]
    assert labels == ["7E4.7EC.220101|f=-2024", "7E4.7EC.220101|f=2025-"]


def test_commands_that_only_asking_tells_apart_keep_their_ids() -> None:
    found = loaded(command(fcm1=True), command())
    assert [each.label for each in found.commands] == ["7E4.220101|fc=1", "7E4.220101"]


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"hdr": "686A", "proto": "9141-2"}, "its protocol 9141-2 is not on CAN"),
        ({"hdr": "686A"}, "it does not say who answers"),
        ({"hdr": "7FF"}, "it does not say who answers"),
    ],
)
def test_what_is_not_on_can_is_left_out(members: dict[str, str], reason: str) -> None:
    found = loaded(command(**members))
    assert found.commands == ()
    assert [left.reason for left in found.left_out] == [reason]


@pytest.mark.parametrize(
    ("form", "reason"),
    [
        ({"len": 136, "unit": "ascii", "max": 0}, "136 bits do not fit a number of 64"),
        ({"len": 8, "spline": 3}, "its format has 'spline', which is not known"),
    ],
)
def test_signal_that_no_number_holds_is_left_out(form: dict[str, Any], reason: str) -> None:
    found = loaded(command(signals=[SOC, {"id": "X", "name": "x", "fmt": form}]))
    assert [signal.name for signal in found.commands[0].signals] == ["SOC"]
    assert [(left.name, left.reason) for left in found.left_out] == [("7E4.220101.X", reason)]


def test_map_gives_labels() -> None:
    form = {"len": 8, "map": {"0": "off", "1": {"value": "on", "description": "runs"}, "2": 5}}
    (signal,) = only(signals=[{"id": "X", "name": "x", "fmt": form}]).signals
    assert signal.labels == {0: "off", 1: "on", 2: "5"}
    assert signal.maximum is None


def signal_with(**form: Any) -> dict[str, Any]:
    return command(signals=[SOC, {"id": "X", "name": "x", "fmt": {"len": 8, **form}}])


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (command(hdr="7E"), r"commands\[0\]\.hdr is '7E', allowed: 3 or 4 hexadecimal digits"),
        (command(hdr=7), r"commands\[0\]\.hdr is 7, allowed"),
        (command(rax="XYZ"), r"commands\[0\]\.rax is 'XYZ', allowed"),
        (command(rax="FFF"), r"commands\[0\]\.rax is 'FFF', allowed: ids up to 7FF"),
        (command(hdr="DA10", rax="FFFFFFFF"), r"rax is 'FFFFFFFF', allowed: ids up to 1FFFFFFF"),
        (command(cmd={}), r"commands\[0\]\.cmd is \{\}, allowed: one service"),
        (command(cmd={"22": "1"}), r"commands\[0\]\.cmd\.22 is '1', allowed"),
        (command(cmd={"62": "0101"}), r"allowed: services from 01 to 3F"),
        (command(signals=5), r"commands\[0\]\.signals is 5, allowed: a list"),
        (command(fcm1="yes"), r"commands\[0\]\.fcm1 is 'yes', allowed: true or false"),
        (command(filter={"to": "x"}), r"commands\[0\]\.filter\.to is 'x', allowed: whole numbers"),
        (command(freq=True), r"commands\[0\]\.freq is True, allowed: a number"),
        (
            signal_with(len=0),
            r"signals\[1\]\.fmt\.len is 0, allowed: whole numbers from 1 to 32760",
        ),
        (signal_with(bix=-1), r"signals\[1\]\.fmt\.bix is -1, allowed"),
        (signal_with(bix=10**9), r"signals\[1\]\.fmt\.bix is 1000000000, allowed"),
        (signal_with(div=0), r"signals\[1\]\.fmt\.div is 0, allowed: numbers other than 0"),
        (signal_with(mul=10**400), r"signals\[1\]\.fmt\.mul is 10.*\.\.\., allowed: a number"),
        (signal_with(sign=1), r"signals\[1\]\.fmt\.sign is 1, allowed: true or false"),
        (signal_with(map={"x": "y"}), r"signals\[1\]\.fmt\.map\.x is 'y', allowed: whole numbers"),
        (command(signals=[{"id": "X"}]), r"commands\[0\]\.signals\[0\] has no 'fmt'"),
        ({}, r"commands\[0\] has no 'cmd'"),
    ],
)
def test_error_names_the_place(broken: dict[str, Any], message: str) -> None:
    with pytest.raises(DatabaseError, match=f"^car.json: .*{message}"):
        loaded(broken)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"commands": [\n{"hdr": }]}', "^car.json, line 2: "),
        ("[]", "^car.json: the file is \\[\\], allowed: an object"),
        ("{}", "^car.json: the file has no 'commands'"),
        ('{"commands": NaN}', "^car.json: NaN is no number of JSON"),
        ("[" * 200_000, "^car.json"),
        ('{"commands": ' + "9" * 10_000 + "}", "^car.json"),
    ],
)
def test_text_that_is_no_signal_set_is_refused(text: str, message: str) -> None:
    with pytest.raises(DatabaseError, match=message):
        signal_set_of("car.json", text)


def test_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "car.json"
    path.write_text("\ufeff" + json.dumps({"commands": [command()]}), "utf-8")
    assert load_signal_set(path).source == "car.json"
    with pytest.raises(UsageError, match="no such file"):
        load_signal_set(tmp_path / "none.json")
    path.write_bytes(b'{"commands": "\xff"}')
    with pytest.raises(DatabaseError, match="is not UTF-8"):
        load_signal_set(path)


@pytest.mark.parametrize(
    ("head", "is_one"),
    [
        ('{ "commands": [\n{ "hdr": "7E0"', True),
        ('\ufeff\n{"diagnosticLevel": "03",', True),
        ('{"commands": []}', True),
        ('{"type": "FeatureCollection"}', False),
        ('VERSION ""\nCM_ "commands": [', False),
        ("", False),
    ],
)
def test_signal_set_is_known_by_its_head(head: str, is_one: bool) -> None:
    assert is_signal_set(head) == is_one


def test_own_obd2_set_is_whole() -> None:
    found = load_obd2()
    assert found.left_out == ()
    names = [signal.name for each in found.commands for signal in each.signals]
    assert len(names) == len(set(names)) > 60
    assert {each.service for each in found.commands} == {1}


def test_every_command_of_a_published_set_is_read(shared_data: Path) -> None:
    found = load_signal_set(shared_data / "obd_ioniq5" / "signalsets" / "v3" / "default.json")
    assert (len(found.commands), found.left_out) == (34, ())
    assert sum(len(each.signals) for each in found.commands) == 389
