from pathlib import Path

import pytest

from contactor.car.adapters.table_map import TimeUnit, load_table_map
from contactor.errors import MalformedMap, UsageError
from contactor.signals.groups import Group

TIME = '[time]\ncolumn = "t"\nunit = "s"\n'
SPEED = '[signals."Vehicle.Speed"]\ncolumn = "speed"\n'


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "trip.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_map_reads_every_key(tmp_path):
    path = write(
        tmp_path,
        """
        [time]
        column = "t"
        unit = "ms"
        origin = "2024-05-01T08:00:00Z"
        [table]
        delimiter = ";"
        decimal = ","
        [signals."Vehicle.Speed"]
        column = "v"
        unit = "m/s"
        scale = 0.1
        offset = -1
        valid = [0, 250]
        [signals."Vehicle.Powertrain.Transmission.CurrentGear"]
        column = "gear"
        values = {P = 0, R = -1, D = 1}
        group = "events"
        """,
    )
    table_map = load_table_map(path)
    assert table_map.time.columns == ("t",)
    assert table_map.time.unit is TimeUnit.MILLISECONDS
    assert table_map.time.origin_ns == 1_714_550_400_000_000_000
    assert (table_map.layout.delimiter, table_map.layout.decimal) == (";", ",")
    speed, gear = table_map.signals
    assert (speed.unit, speed.scale, speed.offset, speed.valid) == ("m/s", 0.1, -1.0, (0.0, 250.0))
    assert gear.values == (("P", 0), ("R", -1), ("D", 1))
    assert (speed.stored_group, gear.stored_group) == (Group.DRIVE, Group.EVENTS)
    assert table_map.columns == ("t", "v", "gear")
    assert table_map.content == path.read_bytes()


def test_map_takes_the_epoch_where_no_origin_is_given(tmp_path):
    assert load_table_map(write(tmp_path, TIME + SPEED)).time.origin_ns == 0


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        ('"epoch"', 0),
        ('"1970-01-01T00:00:01.000001Z"', 1_000_001_000),
        ('"1970-01-01T02:00:00+01:00"', 3_600_000_000_000),
        ("1970-01-01T00:00:01Z", 1_000_000_000),
        ("1970-01-02", 86_400_000_000_000),
        ('"1904-01-01T00:00:00"', -2_082_844_800_000_000_000),
    ],
)
def test_map_reads_an_origin_as_text_and_as_date_time(tmp_path, origin, expected):
    table_map = load_table_map(write(tmp_path, f"{TIME}origin = {origin}\n{SPEED}"))
    assert table_map.time.origin_ns == expected


def test_map_joins_several_time_columns(tmp_path):
    text = '[time]\ncolumn = ["Date", "Time"]\nunit = "timestamp"\nformat = "%m/%d/%Y %H:%M:%S"\n'
    assert load_table_map(write(tmp_path, text + SPEED)).time.columns == ("Date", "Time")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[time\n", "trip.toml: Expected"),
        ("", "[time] is missing"),
        (TIME, "[signals] is missing"),
        (TIME + "[signals]\n", "line 4: [signals] maps no signal"),
        (SPEED, "[time] is missing; such as"),
        ("times = 1\n" + TIME + SPEED, "line 1: times is unknown; did you mean 'time'?"),
        ('[time]\nunit = "s"\n' + SPEED, "line 1: [time] column is missing"),
        ('[time]\ncolumn = "t"\n' + SPEED, "line 1: [time] unit is missing; one of s, ms,"),
        ('[time]\ncolumn = 3\nunit = "s"\n' + SPEED, "line 2: [time] column 3 is no column name"),
        (
            '[time]\ncol = "t"\nunit = "s"\n' + SPEED,
            "line 2: [time] col is unknown; did you mean 'column'? allowed: column, unit,",
        ),
        (
            '[time]\ncolumn = "t"\nunit = "iso"\n' + SPEED,
            "line 3: [time] unit 'iso' is unknown; did you mean 'iso8601'? one of s, ms, us, ns,",
        ),
        (TIME + 'origin = "yesterday"\n' + SPEED, "line 4: [time] origin 'yesterday' is no"),
        (TIME + "origin = 12\n" + SPEED, "line 4: [time] origin 12 is no instant"),
        (TIME + 'origin = "0001-01-01"\n' + SPEED, "is not in 1678..2262"),
        (TIME + 'timezone = "Europe/Berlin"\n' + SPEED, "line 4: [time] timezone is not allowed"),
        (
            '[time]\ncolumn = "t"\nunit = "iso8601"\norigin = "epoch"\n' + SPEED,
            "line 4: [time] origin is not allowed",
        ),
        (
            '[time]\ncolumn = "t"\nunit = "iso8601"\ntimezone = "Europe/Bern"\n' + SPEED,
            "line 4: [time] timezone unknown 'Europe/Bern'",
        ),
        (
            '[time]\ncolumn = "t"\nunit = "timestamp"\nformat = "hh:mm"\n' + SPEED,
            "line 4: [time] format 'hh:mm' has no %",
        ),
        ('[time]\ncolumn = ["a", "b"]\nunit = "s"\n' + SPEED, "several columns are joined as text"),
        (TIME + '[table]\ndelimiter = ", "\n' + SPEED, "line 5: [table] delimiter ', ' is not one"),
        (TIME + '[table]\ndecimal = ";"\n' + SPEED, "line 5: [table] decimal ';' is neither"),
        (TIME + "[table]\nskip = 1\n" + SPEED, "allowed: delimiter, decimal"),
        (TIME + "signals = 3\n", "line 4: [time] signals is unknown"),
        ("signals = 3\n" + TIME, "line 1: signals 3 is no table"),
        (
            TIME + '[signals."Vehicle.Sped"]\ncolumn = "v"\n',
            "line 4: [signals] Vehicle.Sped unknown signal 'Vehicle.Sped'; nearest: Vehicle.Speed",
        ),
        (
            TIME + '[signals.Vehicle.Speed]\ncolumn = "v"\n',
            'a path stands in quotes: [signals."Vehicle....',
        ),
        (TIME + '[signals]\n"Vehicle.Speed" = "v"\n', "line 5: [signals] Vehicle.Speed"),
        (TIME + SPEED + "unit = 3\n", 'line 6: [signals."Vehicle.Speed"] unit 3 is no text'),
        (TIME + SPEED + 'unit = "parsec/s"\n', 'line 6: [signals."Vehicle.Speed"] unit'),
        (TIME + SPEED + 'unit = "V"\n', "Vehicle.Speed is in km/h"),
        (TIME + SPEED + "scale = true\n", "scale True is no number"),
        (TIME + SPEED + "scale = 0\n", "scale is 0"),
        (TIME + SPEED + "offset = inf\n", "offset inf is not finite"),
        (TIME + SPEED + "valid = [3]\n", "valid [3.0] is not [min, max]"),
        (TIME + SPEED + "valid = [3, 1]\n", "is not [min, max]"),
        (TIME + SPEED + "valid = [nan, 1]\n", "is not [min, max]"),
        (TIME + SPEED + "valid = 3\n", "valid 3 is no list of numbers"),
        (TIME + SPEED + 'group = "driv"\n', "group 'driv' is unknown; did you mean 'drive'?"),
        (TIME + SPEED + "values = {}\n", "values names no word"),
        (TIME + SPEED + 'values = {a = "fast"}\n', "'fast' is no float"),
        (TIME + SPEED + "values = {a = 1}\nscale = 2\n", "scale is not allowed: values already"),
        (TIME + '[signals."Vehicle.Speed"]\ncolumn = ["a", "b"]\n', "Vehicle.Speed is no array"),
        (
            TIME + '[signals."Vehicle.Powertrain.Transmission.CurrentGear"]\ncolumn="g"\nunit="V"',
            "CurrentGear has no unit",
        ),
        (
            TIME + '[signals."Vehicle.Powertrain.Transmission.IsParkLockEngaged"]\n'
            'column = "p"\nvalid = [0, 1]\n',
            "valid is not allowed: Vehicle.Powertrain.Transmission.IsParkLockEngaged is boolean",
        ),
        (
            TIME + '[signals."Vehicle.Powertrain.Transmission.IsParkLockEngaged"]\n'
            'column = "p"\nvalues = {P = 1}\n',
            "1 is no boolean",
        ),
    ],
)
def test_map_error_names_file_line_key_and_what_is_allowed(tmp_path, text, told):
    with pytest.raises(MalformedMap) as caught:
        load_table_map(write(tmp_path, text))
    message = str(caught.value)
    assert message.startswith(str(tmp_path / "trip.toml"))
    assert told in message
    assert "\n" not in message
    assert caught.value.exit_code == 2


def test_map_error_finds_the_line_in_an_inline_table(tmp_path):
    text = TIME + '[signals]\n"Vehicle.Speed" = {column = "v", scael = 2}\n'
    with pytest.raises(MalformedMap, match=r"line 5: .*scael is unknown; did you mean 'scale'"):
        load_table_map(write(tmp_path, text))


def test_map_refuses_bytes_that_are_no_text(tmp_path):
    path = tmp_path / "trip.toml"
    path.write_bytes(b"[time]\n\xff\xfe")
    with pytest.raises(MalformedMap, match="line 2: not UTF-8"):
        load_table_map(path)


def test_map_refuses_a_huge_file(tmp_path):
    with pytest.raises(MalformedMap, match="at most 1000000 bytes"):
        load_table_map(write(tmp_path, "#" * 1_000_001))


def test_map_that_is_missing_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match="no such file"):
        load_table_map(tmp_path / "none.toml")
    with pytest.raises(UsageError, match="is a directory, not a map"):
        load_table_map(tmp_path)


def test_example_maps_load():
    folder = Path(__file__).parents[3] / "examples" / "import"
    maps = [load_table_map(path) for path in sorted(folder.glob("*.toml"))]
    assert len(maps) == 3
