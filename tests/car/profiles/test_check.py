"""Each finding of `profile check`: what it says, how bad it is, and in which line.

The line that a finding must name bears the mark `#!`.
"""

import re
import shutil
from pathlib import Path

import pytest

from contactor.car.profiles.check import check_profile
from contactor.car.profiles.finding import Level, is_ok
from contactor.car.profiles.profile import installed_profiles, load_profile
from contactor.errors import MalformedMap, UsageError

HEAD = 'format = 1\ntitle = "Test car"\n\n'
MARK = "#!"
LIMIT = "Vehicle.Powertrain.TractionBattery.Charging.ChargeLimit"
START = "Vehicle.Powertrain.TractionBattery.Charging.StartStopCharging"
POWER = "Vehicle.LowVoltageSystemState"
ACTUATOR = f'[actuators."{LIMIT}"]\nframe = "Command.Limit"\n'


def speed(*keys):
    return "\n".join(['[signals."Vehicle.Speed"]', *keys]) + "\n"


def state(*keys):
    return "\n".join(['[signals."Vehicle.LowVoltageSystemState"]', *keys]) + "\n"


def signal(path, *keys):
    return "\n".join([f'[signals."{path}"]', *keys]) + "\n"


def actuator(*keys, path=LIMIT):
    return speed('from = "Wheel.Speed"') + "\n".join([f'[actuators."{path}"]', *keys]) + "\n"


def marked_line(text):
    lines = [number for number, line in enumerate(text.splitlines(), 1) if MARK in line]
    assert len(lines) == 1, f"one line must bear {MARK}"
    return lines[0]


def the_finding(folder, message):
    found = [one for one in check_profile(folder) if re.search(message, one.message)]
    assert len(found) == 1, check_profile(folder)
    return found[0]


@pytest.mark.parametrize(
    ("entries", "level", "message"),
    [
        # the file as a whole
        (HEAD.replace("= 1", "= 2 #!") + speed('from = "Wheel.Speed"'), "error", r"format is 2; "),
        ("tilte = 'x' #!\n" + HEAD, "error", r"unknown key 'tilte'; nearest: title"),
        ("format = 1\ntitle = 3 #!\n" + speed('from = "Wheel.Speed"'), "error", r"title is 3, not"),
        (HEAD + speed('from = "Wheel.Speed"', "[x #!"), "error", r"not TOML: "),
        (HEAD + speed('from = "Wheel.Speed"') + speed(MARK)[:-4] + " #!\n", "error", "there twice"),
        (HEAD + speed("scale = 1", 'from = "Wheel.Speed"', "scale = 2 #!"), "error", "there twice"),
        (HEAD + 'signals."Vehicle.Speed" = 3 #!\n', "error", r"Vehicle\.Speed is 3, not a table"),
        # paths and sources
        (
            HEAD + '[signals."Vehicle.Sped"] #!\nfrom = "Wheel.Speed"',
            "error",
            r"unknown signal 'Ve",
        ),
        (HEAD + speed('form = "Wheel.Speed" #!'), "error", r"unknown key 'form'; nearest: from"),
        (HEAD + '[signals."Vehicle.Speed"] #!\nscale = 2\n', "error", r"from is missing"),
        (HEAD + speed("from = 3 #!"), "error", r"from is 3, not a text nor"),
        (
            HEAD + speed('from = "Wheel.Spede" #!'),
            "error",
            r"no signal 'Wheel.Spede'; nearest: Wheel",
        ),
        (HEAD + speed('from = ["Wheel.Speed", "Wheel.Exact"] #!'), "error", r'say combine = "pro'),
        (
            HEAD + speed('from = ["Wheel.Speed", "Wheel.Exact"]', 'combine = "prodxct" #!'),
            "error",
            r"combine is 'prodxct'; nearest: product",
        ),
        (
            HEAD + speed('from = "Wheel.Speed"', 'combine = "product" #!'),
            "error",
            "combine needs two",
        ),
        (
            HEAD + speed('from = ["Wheel.Speed", "Pack.Voltage"] #!', 'combine = "product"'),
            "error",
            r"not of one message",
        ),
        # not available
        (
            HEAD + speed('from = "Wheel.Speed"', "unavailable = 0xFFFF #!"),
            "error",
            r"unavailable is 65535; such as \[0x3FF\]",
        ),
        (
            HEAD + speed('from = "Wheel.Speed"', "unavailable = [true] #!"),
            "error",
            r"unavailable is \[True\]",
        ),
        (
            HEAD + speed('from = "Wheel.Speed"', "unavailable = [0x10000] #!"),
            "error",
            r"unavailable 65536 does not fit Wheel\.Speed: 16 bits hold 0\.\.65535",
        ),
        (
            HEAD + signal("Vehicle.Speed", 'from = "Pack.Current"', "unavailable = [-2049] #!"),
            "error",
            r"unavailable -2049 does not fit Pack\.Current: 12 signed bits hold -2048\.\.4095",
        ),
        (
            HEAD + speed('from = "Wheel.Speed"', "unavailable = { Sped = [1] } #!"),
            "error",
            r"unavailable names 'Sped'",
        ),
        (
            HEAD
            + signal(
                "Vehicle.Powertrain.TractionBattery.CurrentPower",
                'from = ["Pack.Voltage", "Pack.Current"]',
                'combine = "product"',
                "unavailable = [0xFFFF] #!",
            ),
            "error",
            r"such as \[\[0x3FF\], \[0x3FF\]\]",
        ),
        # types
        (
            HEAD
            + '[signals."Vehicle.Powertrain.TractionBattery.CellVoltage.CellVoltages"] #!\n'
            + 'from = "Pack.Voltage"\n',
            "error",
            r"float\[\]: say combine = \"list\"",
        ),
        (
            HEAD
            + '[signals."Vehicle.Powertrain.TractionBattery.CellVoltage.CellVoltages"]\n'
            + 'from = ["Pack.Voltage", "Pack.Voltage"] #!\ncombine = "list"\n',
            "error",
            r"from names Pack\.Voltage twice",
        ),
        (
            HEAD
            + '[signals."Vehicle.Powertrain.TractionBattery.CellVoltage.CellVoltages"]\n'
            + 'from = ["Pack.Voltage"]\ncombine = "list"\nvalues = { 1 = 2 } #!\n',
            "error",
            r"values has no meaning here: .*CellVoltages is float\[\]",
        ),
        (
            HEAD
            + '[signals."Vehicle.Powertrain.TractionBattery.Charging.ChargingPort.AnyPosition.'
            + 'SupportedInletTypes"] #!\nfrom = ["Pack.Mode"]\ncombine = "list"\n',
            "error",
            r"only arrays of numbers can be mapped",
        ),
        (
            HEAD + signal("Vehicle.Speed", 'from = ["Wheel.Speed"]', 'combine = "list" #!'),
            "error",
            r"Vehicle\.Speed is float: only an array takes a list",
        ),
        (
            HEAD + '[signals."Vehicle.LowVoltageSystemState"] #!\nfrom = "Pack.Mode"\n',
            "error",
            r"is string: it needs values",
        ),
        (
            HEAD + signal("Vehicle.IsMoving", 'from = "Pack.Plugged"', "scale = 2 #!"),
            "error",
            r"scale has no meaning here: Vehicle\.IsMoving is boolean",
        ),
        (
            HEAD + state('from = "Pack.Mode"', 'values = { 1 = "ON" }', "valid = [0, 1] #!"),
            "error",
            r"valid has no meaning here: values says it all",
        ),
        (
            HEAD
            + signal(
                "Vehicle.Powertrain.Transmission.CurrentGear",
                'from = "Pack.Mode"',
                'unit = "V" #!',
            ),
            "error",
            r"unit has no meaning here: Vehicle\.Powertrain\.Transmission\.CurrentGear has no unit",
        ),
        (
            HEAD + speed('from = "Wheel.Speed"', "otherwise = 3 #!"),
            "error",
            r"otherwise needs values",
        ),
        (
            HEAD + signal("Vehicle.IsMoving", 'from = "Pack.Mode" #!'),
            "warning",
            r"Mode has 4 bits: every raw value but 0 is true",
        ),
        (
            HEAD
            + signal(
                "Vehicle.IsMoving", 'from = ["Pack.Plugged", "Pack.Mode"] #!', 'combine = "product"'
            ),
            "error",
            r"words cannot be multiplied",
        ),
        # values
        (
            HEAD + speed('from = "Wheel.Exact"', "values = { 1 = 2.0 } #!"),
            "error",
            r"values needs whole raw values; Exact is a float",
        ),
        (HEAD + state('from = "Pack.Mode"', "values = {} #!"), "error", r"values is empty"),
        (
            HEAD + state('from = "Pack.Mode"', 'values = { on = "ON" } #!'),
            "error",
            r"'on' is no raw value",
        ),
        (
            HEAD + state('from = "Pack.Mode"', 'values = { 16 = "ON" } #!'),
            "error",
            r"values: 16 never comes: 4 bits hold 0\.\.15",
        ),
        (
            HEAD + state('from = "Pack.Mode"', 'values = { 1 = "ON", 0x1 = "ACC" } #!'),
            "error",
            r"raw value 1 is there twice",
        ),
        (
            HEAD
            + '[signals."Vehicle.LowVoltageSystemState"]\nfrom = "Pack.Mode"\n'
            + "[signals.\"Vehicle.LowVoltageSystemState\".values]\n1 = 'ON'\n2 = 'RUN' #!\n",
            "error",
            r"'RUN' is not one of UNDEFINED, LOCK, OFF, ACC, ON, START",
        ),
        (
            HEAD + state('from = "Pack.Mode"', 'values = { 1 = ["ON"] } #!'),
            "error",
            r"\['ON'\] is no string",
        ),
        (
            HEAD + state('from = "Pack.Mode"', 'values = { 1 = "ON" }', 'otherwise = "RUN" #!'),
            "error",
            r"'RUN' is not one of",
        ),
        (
            HEAD + signal("Vehicle.IsMoving", 'from = "Pack.Mode"', "values = { 1 = 1 } #!"),
            "error",
            r"1 is no boolean",
        ),
        # units
        (
            HEAD + speed('from = "Wheel.Speed"', 'unit = "kmph/s" #!'),
            "error",
            r"unknown unit 'kmph/s'; nearest: ",
        ),
        (
            HEAD + speed('from = "Wheel.Speed"', 'unit = "km" #!'),
            "error",
            r"km is a length, km/h is a speed; Vehicle\.Speed is in km/h",
        ),
        (
            HEAD + speed('from = "Pack.Voltage" #!'),
            "error",
            r"V is a voltage, km/h is a speed; Vehicle\.Speed is in km/h",
        ),
        (
            HEAD + speed('from = "Pack.Strange" #!'),
            "warning",
            r"Strange: its unit 'furlong' is not known; taken as km/h",
        ),
        (HEAD + speed('from = "Pack.Mode" #!'), "note", r"Mode: it has no unit; taken as km/h"),
        # numbers
        (
            HEAD + speed('from = "Wheel.Speed"', 'scale = "2" #!'),
            "error",
            r"scale is '2', not a nu",
        ),
        (
            HEAD + speed('from = "Wheel.Speed"', "scale = nan #!"),
            "error",
            r"scale is nan, not a num",
        ),
        (HEAD + speed('from = "Wheel.Speed"', "scale = 0 #!"), "error", r"scale is 0: every value"),
        (
            HEAD + speed('from = "Wheel.Speed"', "invert = 1 #!"),
            "error",
            r"invert is 1, not true or",
        ),
        (
            HEAD + speed('from = "Wheel.Speed"', "valid = [9, 1] #!"),
            "error",
            r"valid is \[9, 1\], not \[low, high\]",
        ),
        (
            HEAD
            + signal(
                "Vehicle.Powertrain.TractionBattery.StateOfHealth",
                'from = "Pack.Charge"',
                "valid = [0, 120] #!",
            ),
            "warning",
            r"valid \[0, 120\] is wider than the catalogue's a finite float in 0\.\.100",
        ),
        # storage
        (
            HEAD + speed('from = "Wheel.Speed"', 'group = "drv" #!'),
            "error",
            r"group is 'drv'; nearest: drive",
        ),
        (
            HEAD + speed('from = "Wheel.Speed"', "stale_s = 0 #!"),
            "error",
            r"stale_s is 0; more than",
        ),
        (
            HEAD + state('from = "Pack.Mode"', 'values = { 1 = "ON" }', "mean = true #!"),
            "error",
            r"is string, which has no mean",
        ),
        # actuators
        (
            HEAD + actuator('frme = "Command.Limit" #!'),
            "error",
            r"unknown key 'frme'; nearest: fra",
        ),
        (
            HEAD + actuator('frame = "Command.Limet" #!'),
            "error",
            r"no signal 'Command.Limet'; nearest",
        ),
        (
            HEAD + actuator('frame = "Command.Limit"').replace('Limit"]', 'Limit"] #!'),
            "warning",
            r"limits\.toml has no limit for it: the guard will refuse",
        ),
        (
            HEAD + actuator("scale = 2").replace('Limit"]', 'Limit"] #!'),
            "error",
            r"frame is missing",
        ),
        (
            HEAD
            + actuator('frame = "Command.Limit"', path="Vehicle.IsMoving").replace(
                'IsMoving"]', 'IsMoving"] #!'
            ),
            "error",
            r"Vehicle\.IsMoving is a sensor: only an actuator can be set",
        ),
        (
            HEAD
            + actuator(
                'frame = "Command.Start"', 'values = { 1 = "START", 2 = "START" } #!', path=START
            ),
            "error",
            r"two raw values stand for one value",
        ),
    ],
)
def test_check_finds_what_is_wrong_with_a_map(make_folder, entries, level, message):
    folder = make_folder(entries)
    finding = the_finding(folder, message)
    assert (finding.file, finding.line) == ("map.toml", marked_line(entries))
    assert finding.level == level
    if level == "error":
        with pytest.raises(MalformedMap, match=r"map\.toml, line \d+: "):
            load_profile(folder)


@pytest.mark.parametrize(
    ("text", "level", "message"),
    [
        ("format = 1\nlimit = 1 #!\n", "error", r"unknown key 'limit'; nearest: limits"),
        ('[limits."Vehicle.Sped"] #!\n', "error", r"unknown signal 'Vehicle\.Sped'"),
        (
            '[limits."Vehicle.IsMoving"] #!\n',
            "error",
            r"is a sensor: only an actuator can be asked",
        ),
        (
            f'[limits."{LIMIT}"]\nminimun = 3 #!\n',
            "error",
            r"unknown key 'minimun'; nearest: minim",
        ),
        (
            f'[limits."{LIMIT}"]\nminimum = 9 #!\nmaximum = 8\n',
            "error",
            r"minimum 9 is above maxim",
        ),
        (f'[limits."{LIMIT}"]\nminimum = -1 #!\n', "error", r"minimum -1 is outside the catalogue"),
        (
            f'[limits."{LIMIT}"]\nmaximum = 101 #!\n',
            "error",
            r"maximum 101 is outside the catalogu",
        ),
        (f'[limits."{START}"]\nmaximum = 1 #!\n', "error", r"is string: it has no maximum"),
        (f'[limits."{START}"]\nallowed = ["GO"] #!\n', "error", r"'GO' is not one of START, STOP"),
        (f'[limits."{START}"]\nallowed = "GO" #!\n', "error", r"allowed is 'GO', not a list"),
        (f'[limits."{LIMIT}"]\nrate_limit_s = -1 #!\n', "error", r"rate_limit_s is -1; 0 or more"),
        (f'[limits."{LIMIT}"]\nnot_while_moving = 1 #!\n', "error", r"not_while_moving is 1, not"),
        (f'[limits."{START}"] #!\n', "warning", r"no \[actuators\] entry in map\.toml sends it"),
        # states of the car
        (f'[limits."{LIMIT}"]\ngears = 126 #!\n', "error", r"gears is 126, not a list such as"),
        (f'[limits."{LIMIT}"]\ngears = ["P"] #!\n', "error", r"SelectedGear: 'P' is no int8"),
        (f'[limits."{LIMIT}"]\ngears = [126] #!\n', "warning", r"reads no .*SelectedGear: the gu"),
        (
            f'[limits."{LIMIT}"]\n\n\nnot_while = {{ "Vehicle.Cabin.IsLocked" = true }} #!\n',
            "error",
            r"unknown signal 'Vehicle\.Cabin\.IsLocked'",
        ),
        (
            f'[limits."{LIMIT}"]\nnot_while = {{ "{POWER}" = "IGN" }} #!\n',
            "error",
            r"'IGN' is not one of UNDEFINED, LOCK",
        ),
        (
            f'[limits."{LIMIT}"]\nonly_while = {{ "Vehicle.Speed" = 0 }} #!\n',
            "error",
            r"Vehicle\.Speed is float: a state is no such number",
        ),
        (f'[limits."{LIMIT}"]\nonly_while = "ON" #!\n', "error", r"only_while is 'ON', not a tab"),
        (
            f'[limits."{LIMIT}"]\nonly_while = {{ "{POWER}" = "ON" }} #!\n',
            "warning",
            r"map\.toml reads no Vehicle\.LowVoltageSystemState: the guard will refuse",
        ),
        (f'[limits."{LIMIT}"]\nexcludes = 3 #!\n', "error", r"excludes is 3, not a text"),
        (f'[limits."{LIMIT}"]\nexcludes = ["{LIMIT}"] #!\n', "error", r"excludes .*, itself; all"),
        (
            f'[limits."{LIMIT}"]\nexcludes = ["Vehicle.Speed"] #!\n',
            "error",
            r"excludes Vehicle\.Speed, a sensor; allowed: another actuator",
        ),
        (
            f'[limits."{LIMIT}"]\nexcludes = ["{START}"] #!\n',
            "warning",
            r"excludes .*StartStopCharging, which may not be asked for anything",
        ),
    ],
)
def test_check_finds_what_is_wrong_with_limits(make_folder, text, level, message):
    text = text if text.startswith("format") else f"format = 1\n{text}"
    folder = make_folder(HEAD + speed('from = "Wheel.Speed"') + ACTUATOR, limits=text)
    finding = the_finding(folder, message)
    assert (finding.file, finding.line) == ("limits.toml", marked_line(text))
    assert finding.level == level


def test_check_knows_the_states_that_the_car_never_says(make_folder):
    gear = "Vehicle.Powertrain.Transmission.SelectedGear"
    text = f'format = 1\n[limits."{LIMIT}"]\ngears = [126, 5] #!\n'
    map_text = HEAD + signal(gear, 'from = "Pack.Mode"', "values = { 0 = 126, 1 = 127 }") + ACTUATOR
    finding = the_finding(make_folder(map_text, limits=text), r"SelectedGear is never 5; map\.toml")
    assert (finding.line, finding.level) == (marked_line(text), Level.WARNING)


def test_check_misses_the_format_of_a_file(make_folder):
    folder = make_folder("title = 'x'\n" + speed('from = "Wheel.Speed"'), limits="")
    found = [one for one in check_profile(folder) if "format is missing" in one.message]
    assert [(one.file, one.line) for one in found] == [("map.toml", None), ("limits.toml", None)]


def test_check_misses_title_and_signals(make_folder):
    messages = [one.message for one in check_profile(make_folder("format = 1\n"))]
    assert [message.partition(":")[0].partition(";")[0] for message in messages] == [
        "title is missing",
        'no [signals."..."]',
    ]


@pytest.mark.parametrize(
    ("name", "level", "message"),
    [
        ("dbc", Level.ERROR, "this file is missing"),
        ("map_text", Level.ERROR, "this file is missing"),
        ("limits", Level.WARNING, "nothing may be asked of the car"),
        ("readme", Level.WARNING, "where do the facts come from"),
    ],
)
def test_check_finds_missing_files(make_folder, name, level, message):
    finding = the_finding(make_folder(**{name: None}), message)
    files = {
        "dbc": "car.dbc",
        "map_text": "map.toml",
        "limits": "limits.toml",
        "readme": "README.md",
    }
    assert (finding.file, finding.line, finding.level) == (files[name], None, level)


def dbc(*signals, name="Pack", length=8):
    lines = [f"BO_ 256 {name}: {length} Vector__XXX", *signals]
    return 'VERSION ""\n\n' + "\n".join(lines) + "\n"


A = ' SG_ A : 0|8@1+ (1,0) [0|0] "" Vector__XXX'
B = ' SG_ B : 15|8@0+ (1,0) [0|0] "" Vector__XXX'


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (dbc(A, B.replace("15|8", "7|8")), 5, r"Pack\.B shares bits with A"),
        (dbc(A.replace("0|8", "16|8"), B.replace("15|8", "8|2")), 5, r"Pack\.B shares bits with A"),
        (dbc(A, B, length=1), 5, r"Pack\.B \(8 bits at 15\) does not fit the 1 bytes of its mess"),
        (dbc(A, B.replace("15|8", "8|9"), length=2), 5, r"does not fit the 2 bytes"),
        (dbc(A.replace("0|8@1+", "0|65@1+")), 4, r"does not fit the 8 bytes"),
        (dbc(A, A), 5, r"signal A is there twice"),
        (dbc(A) + "\nBO_ 256 Other: 8 X\n" + B, 6, r"message id 256 is there twice"),
        (dbc(A, " SG_ B : nonsense"), 5, r"line 5"),
        (dbc(" SG_ nonsense"), 4, r"SG_ nonsense is not read as a signal"),
        ('VERSION ""\n', None, r"no message \(BO_\) in it"),
        ("nothing at all", None, r"no CAN database"),
    ],
)
def test_check_finds_what_is_wrong_with_a_dbc(make_folder, text, line, message):
    found = [
        one
        for one in check_profile(make_folder(dbc=text))
        if one.file == "car.dbc" and re.search(message, one.message)
    ]
    assert found
    assert (found[0].line, found[0].level) == (line, Level.ERROR)


def test_check_finds_signals_that_cannot_be_decoded(make_folder):
    text = dbc(A.replace("0|8@1+", "0|24@1+")) + "SIG_VALTYPE_ 256 A : 1;\n"
    assert the_finding(make_folder(dbc=text), "cannot be decoded: no IEEE 754").line == 4


def test_check_lets_multiplexed_signals_share_bits(make_folder):
    text = dbc(
        ' SG_ Which M : 56|8@1+ (1,0) [0|0] "" X',
        A.replace("A :", "A m0 :"),
        A.replace("A :", "B m1 :"),
    )
    findings = check_profile(make_folder(dbc=text))
    assert not [one for one in findings if one.file == "car.dbc"]


def test_check_finds_multiplexed_signals_of_one_case_that_share_bits(make_folder):
    text = dbc(
        ' SG_ Which M : 56|8@1+ (1,0) [0|0] "" X',
        A.replace("A :", "A m0 :"),
        A.replace("A :", "B m0 :"),
    )
    assert the_finding(make_folder(dbc=text), "Pack.B shares bits with A").line == 6


def test_check_of_a_map_goes_on_without_its_dbc(make_folder):
    text = HEAD + speed('from = "Any.Thing"', "scale = 0 #!")
    finding = the_finding(make_folder(text, dbc=None), "scale is 0")
    assert finding.line == marked_line(text)


def test_check_tells_all_that_is_wrong_at_once(make_folder):
    text = HEAD + speed('from = "Nix"', "scale = 0", 'group = "x"', "valid = 3")
    findings = check_profile(make_folder(text))
    assert [one.line for one in findings] == [5, 6, 7, 8]
    assert not is_ok(findings)


def test_check_of_a_sound_folder_finds_nothing(make_folder):
    assert check_profile(make_folder()) == []


@pytest.mark.parametrize("name", installed_profiles())
def test_check_of_the_built_in_profiles_finds_nothing(name):
    assert check_profile(load_profile(name).folder) == []


def test_check_of_text_that_is_no_utf_8_names_the_line(make_folder):
    folder = make_folder()
    (folder / "map.toml").write_bytes(b"format = 1\ntitle = '\xff'\n")
    finding = the_finding(folder, "not UTF-8")
    assert (finding.file, finding.line) == ("map.toml", 2)


def test_check_of_a_huge_file_reads_nothing(make_folder):
    folder = make_folder("#" * 1_000_001)
    assert the_finding(folder, "1000001 bytes; at most 1000000").level is Level.ERROR


def test_check_of_a_folder_for_a_file_is_a_finding(make_folder):
    folder = make_folder(map_text=None)
    (folder / "map.toml").mkdir()
    assert the_finding(folder, "cannot be read: Is a directory").file == "map.toml"


def test_check_of_no_folder_is_a_usage_error(tmp_path: Path):
    with pytest.raises(UsageError, match="no such folder"):
        check_profile(tmp_path / "nix")


def test_check_reads_a_copy_of_a_built_in_profile(tmp_path: Path):
    folder = tmp_path / "mine"
    shutil.copytree(load_profile("nissan_leaf_ze1").folder, folder)
    text = (folder / "map.toml").read_text(encoding="utf-8")
    text = text.replace('"BatteryState.PackVoltage"\n', '"BatteryState.PackVolt" #!\n', 1)
    (folder / "map.toml").write_text(text, encoding="utf-8")
    finding = the_finding(folder, "nearest: BatteryState.PackVoltage")
    assert finding.line == marked_line(text)
