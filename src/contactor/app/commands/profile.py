"""`contactor profile`: what car profiles there are, what they read, and what is wrong with one.

contactor profile list
contactor profile show nissan_leaf_ze1 --message BatteryState
contactor profile check ./my_car --json
contactor profile fit trips/*.csv --map trips.toml --base contactor_ev --output my_car
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from contactor.app import profile_fit
from contactor.app.output import print_json, print_table
from contactor.errors import UsageError

if TYPE_CHECKING:
    from contactor.car.profiles.entry import MapEntry
    from contactor.car.profiles.finding import Finding
    from contactor.car.profiles.profile import Profile
    from contactor.physics.parameters import CarParameters
    from contactor.signals.record import Scalar

# The least that `dc_power_kw` may say: no socket for it.
NO_DC_KW = 0.1


class PhysicsFacts(TypedDict):
    """What a car of physics is, in short; `dc_power_max_kw` is 0 where it has no socket for it."""

    mass_kg: float
    power_max_kw: float
    torque_max_nm: float
    speed_max_kmh: float
    battery_kwh: float
    cells_in_series: int
    ac_power_max_kw: float
    ac_phases: int
    dc_power_max_kw: float


class SignalFacts(TypedDict):
    """One mapped signal, as `profile show --json` prints it; `values` is raw to value."""

    path: str
    source: list[str]
    datatype: str
    unit: str | None
    group: str
    mean: bool
    stale_s: float
    unavailable: dict[str, list[int]]
    valid: list[float] | None
    values: "dict[str, Scalar] | None"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the actions and their options."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listed = actions.add_parser("list", help="the built-in profiles")
    shown = actions.add_parser("show", help="the signals that a profile reads")
    shown.add_argument("profile", metavar="PROFILE", help="a built-in name or a folder")
    shown.add_argument("--message", metavar="NAME", help="draw the bits of one CAN message")
    checked = actions.add_parser("check", help="all that is wrong with a profile")
    checked.add_argument(
        "folder", metavar="FOLDER", help="the profile's folder, or a built-in name"
    )
    for action in (listed, shown, checked):
        action.add_argument("--json", action="store_true", help="print one JSON document")
    fitted = actions.add_parser("fit", help="a car's parameters out of recorded drives")
    profile_fit.add_arguments(fitted)


def run(args: argparse.Namespace) -> int:
    """Do one action."""
    if args.action == "list":
        return _list(is_json=args.json)
    if args.action == "show":
        return _show(args.profile, args.message, is_json=args.json)
    if args.action == "fit":
        return profile_fit.run(args)
    return _check(args.folder, is_json=args.json)


def _list(*, is_json: bool) -> int:
    from contactor.car.profiles.profile import installed_profiles, load_profile

    profiles = [load_profile(name) for name in installed_profiles()]
    facts = [
        {
            "name": profile.name,
            "title": profile.title,
            "signals": len(profile.map.entries),
            "read_only": profile.is_read_only,
            "physics": profile.physics is not None,
        }
        for profile in profiles
    ]
    if is_json:
        print_json(facts)
        return 0
    print_table(
        ["name", "title", "signals", ""],
        [
            [profile.name, profile.title, len(profile.map.entries), _access(profile)]
            for profile in profiles
        ],
    )
    return 0


# ── show ─────────────────────────────────────────────────────────────────────────────────────────


def _show(name: str, message: str | None, *, is_json: bool) -> int:
    from contactor.car.profiles.profile import load_profile

    profile = load_profile(name)
    if message is not None:
        if is_json:
            raise UsageError("--message draws a picture: give it without --json")
        print(_picture(profile, message))
    elif is_json:
        print_json(
            {
                "name": profile.name,
                "title": profile.title,
                "folder": str(profile.folder),
                "read_only": profile.is_read_only,
                "fingerprint": profile.fingerprint,
                "physics": profile.physics and _physics_facts(profile.physics),
                "signals": [_facts(profile, entry) for entry in profile.map.entries],
                "actuators": [
                    {"path": entry.path, "frame": entry.frame} for entry in profile.map.actuators
                ],
            }
        )
    else:
        print(f"{profile.name}: {profile.title}, {_access(profile)}")
        if profile.has_can:
            _print_signals(profile)
        if profile.physics is not None:
            _print_physics(profile, _physics_facts(profile.physics))
    return 0


def _access(profile: "Profile") -> str:
    """What can be done with it."""
    if not profile.has_can:
        return "physics alone"
    return "read only" if profile.is_read_only else f"{len(profile.map.actuators)} actuators"


def _facts(profile: "Profile", entry: "MapEntry") -> SignalFacts:
    unavailable = profile.map.unavailable
    values = None if entry.values is None else {str(raw): v for raw, v in entry.values.items()}
    return SignalFacts(
        path=entry.path,
        source=list(entry.sources),
        datatype=entry.signal.datatype.value,
        unit=entry.signal.unit,
        group=entry.group.value,
        mean=entry.is_mean,
        stale_s=entry.stale_s,
        unavailable={name: list(unavailable.get(name, ())) for name in entry.sources},
        valid=None if entry.valid is None else list(entry.valid),
        values=values,
    )


def _print_signals(profile: "Profile") -> None:
    print()
    unavailable = profile.map.unavailable
    print_table(
        ["signal", "unit", "group", "from", "not available"],
        [
            [
                entry.path.removeprefix("Vehicle."),
                entry.signal.unit or "",
                entry.group.value,
                _source(entry),
                _hexadecimal([raw for name in entry.sources for raw in unavailable.get(name, ())]),
            ]
            for entry in profile.map.entries
        ],
    )
    for actuator in profile.map.actuators:
        print(f"{actuator.path} -> {actuator.frame}")
    print()
    print("Every signal begins with Vehicle. --message NAME draws the bits of a CAN message.")


def _physics_facts(physics: "CarParameters") -> PhysicsFacts:
    dc_kw = max(physics.charging.dc_power_kw)
    return PhysicsFacts(
        mass_kg=physics.body.mass_kg,
        power_max_kw=physics.driveline.power_max_kw,
        torque_max_nm=physics.driveline.torque_max_nm,
        speed_max_kmh=physics.driveline.speed_max_kmh,
        battery_kwh=round(physics.battery.energy_kwh, 1),
        cells_in_series=physics.battery.cells_in_series,
        ac_power_max_kw=physics.charging.ac_power_max_kw,
        ac_phases=physics.charging.ac_phases,
        dc_power_max_kw=dc_kw if dc_kw > NO_DC_KW else 0.0,
    )


def _print_physics(profile: "Profile", facts: PhysicsFacts) -> None:
    phases, dc_kw = facts["ac_phases"], facts["dc_power_max_kw"]
    print()
    print(f"mass         {facts['mass_kg']:g} kg")
    print(f"motor        {facts['power_max_kw']:g} kW, {facts['torque_max_nm']:g} Nm")
    print(f"top speed    {facts['speed_max_kmh']:g} km/h")
    print(f"battery      {facts['battery_kwh']:g} kWh, {facts['cells_in_series']} in series")
    print(f"AC charging  {facts['ac_power_max_kw']:g} kW, {phases} phase{'s' * (phases > 1)}")
    print(f"DC charging  {f'{dc_kw:g} kW' if dc_kw else 'none'}")
    print()
    print(f"contactor simulate --profile {profile.name} --cycle WLTC3b drives it.")


def _source(entry: "MapEntry") -> str:
    """Where a signal comes from, in one short line."""
    if entry.is_list and len(entry.sources) > 2:
        return f"{entry.sources[0]} ... {entry.sources[-1]} ({len(entry.sources)})"
    return (", " if entry.is_list else " x ").join(entry.sources)


def _hexadecimal(raws: list[int]) -> str:
    return " ".join(f"0x{raw:X}" if raw >= 0 else str(raw) for raw in dict.fromkeys(raws))


def _picture(profile: "Profile", name: str) -> str:
    from contactor.car.profiles.bits import message_picture
    from contactor.car.profiles.document import nearest

    names = [message.name for message in profile.database.messages]
    if name not in names:
        hint = nearest(name, names, "it has")
        raise UsageError(f"{profile.name} has no message {name!r}; {hint}")
    return message_picture(profile.database.message(name))


# ── check ────────────────────────────────────────────────────────────────────────────────────────


def _check(name: str, *, is_json: bool) -> int:
    from contactor.car.profiles.check import check_profile
    from contactor.car.profiles.finding import is_ok

    folder = _folder(name)
    findings = check_profile(folder)
    is_fine = is_ok(findings)
    if is_json:
        print_json({"profile": folder.name, "ok": is_fine, "findings": findings})
    else:
        _print_findings(folder.name, findings, is_fine=is_fine)
    return 0 if is_fine else 1


def _folder(name: str) -> Path:
    """The folder to check: also one that is no profile yet."""
    from contactor.car.profiles.profile import find_profile, installed_profiles

    if name in installed_profiles():
        return find_profile(name)
    folder = Path(name)
    if not folder.is_dir():
        raise UsageError(f"no such folder: {name}")
    return folder.resolve()


def _print_findings(name: str, findings: "list[Finding]", *, is_fine: bool) -> None:
    for finding in findings:
        print(f"{finding.place}: {finding.level}: {finding.message}")
    counts = [
        f"{count} {level}{'' if count == 1 else 's'}"
        for level in ("error", "warning", "note")
        if (count := sum(finding.level == level for finding in findings))
    ]
    print(f"{name}: {'ok' if is_fine else 'not ok'}{', ' if counts else ''}{', '.join(counts)}")
