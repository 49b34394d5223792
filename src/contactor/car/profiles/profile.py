"""A car profile: DBC, map, limits and physics, from the package or from a folder of yours.

    profile = load_profile("nissan_leaf_ze1")       # or load_profile("./my_car")
    profile.title, profile.is_read_only             # ('Nissan Leaf ZE1 (2018 on)', True)

A profile without `limits.toml` allows nothing to be asked of its car; one without `physics.toml`
is of a car that cannot be made up. One with `physics.toml` alone, neither `car.dbc` nor `map.toml`,
is of a car that can be driven (`simulate`) but speaks no CAN; its title is its README's first line.
"""

import hashlib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from contactor.can.database import Database, load_database
from contactor.car.profiles.document import read_document
from contactor.car.profiles.finding import Finding, refuse_errors
from contactor.car.profiles.limits import Limits, read_limits
from contactor.car.profiles.map_file import read_map
from contactor.car.profiles.mapping import SignalMap
from contactor.car.profiles.physics_file import read_physics
from contactor.errors import MalformedMap, UnknownProfile
from contactor.physics.parameters import CarParameters

DATABASE = "car.dbc"
MAP = "map.toml"
LIMITS = "limits.toml"
PHYSICS = "physics.toml"
README = "README.md"


@dataclass(frozen=True, slots=True)
class Profile:
    """All that is known of one car model.

    Fields:
        name: the built-in name, or the folder's.
        fingerprint: SHA-256 (hex) of car.dbc and map.toml: what readings depend on.
        physics: what a virtual car of this model is made of; None where the folder does not say.
    """

    name: str
    title: str
    folder: Path
    database: Database
    map: SignalMap
    limits: Limits
    fingerprint: str
    physics: CarParameters | None = None

    @property
    def is_read_only(self) -> bool:
        """Whether the car can be asked for nothing."""
        return not self.map.actuators

    @property
    def has_can(self) -> bool:
        """Whether it says what the car speaks; else it is physics alone."""
        return bool(self.database.messages)


def installed_profiles() -> list[str]:
    """The names of the built-in profiles."""
    return sorted(path.name for path in _home().iterdir() if _is_profile(path))


def load_profile(name_or_folder: str | Path) -> Profile:
    """A built-in profile by its name, or the profile in a folder.

    Raises:
        UnknownProfile: there is neither; the message lists the built-in names.
        MalformedMap: a TOML file of it is wrong; names file, line and what is allowed.
        DatabaseError: its car.dbc cannot be read.
    """
    folder = find_profile(name_or_folder)
    findings: list[Finding] = []
    if is_physics_alone(folder):
        title, database, signals = _title(folder), Database(()), SignalMap(())
    else:
        database = load_database([folder / DATABASE])
        root = read_document(folder / MAP, findings)
        refuse_errors(folder, findings)
        if root is None:
            raise MalformedMap(f"{folder / MAP} cannot be read")
        mapped = read_map(root, database)
        title, signals = mapped.title, mapped.map
    limits = Limits()
    if (folder / LIMITS).exists():
        limits_root = read_document(folder / LIMITS, findings)
        limits = Limits() if limits_root is None else read_limits(limits_root)
    physics = None
    if (folder / PHYSICS).exists():
        physics_root = read_document(folder / PHYSICS, findings)
        physics = None if physics_root is None else read_physics(physics_root)
    refuse_errors(folder, findings)
    return Profile(
        name=folder.name,
        title=title,
        folder=folder,
        database=database,
        map=signals,
        limits=limits,
        fingerprint=_fingerprint(folder),
        physics=physics,
    )


def find_profile(name_or_folder: str | Path) -> Path:
    """The folder of a profile.

    Raises:
        UnknownProfile: no built-in profile of that name, and no such folder with a profile in it.
    """
    text = str(name_or_folder)
    installed = installed_profiles()
    if text in installed:
        return _home() / text
    folder = Path(text)
    if folder.is_dir() and text:
        missing = [name for name in (DATABASE, MAP) if not (folder / name).is_file()]
        if not missing or is_physics_alone(folder):
            return folder.resolve()
        raise UnknownProfile(f"{text} is a folder without a profile: no {' and no '.join(missing)}")
    listed = ", ".join(installed)
    raise UnknownProfile(f"unknown profile {text[:80]!r}; installed: {listed}, or a folder")


def is_physics_alone(folder: Path) -> bool:
    """Whether the folder has `physics.toml`, but neither `car.dbc` nor `map.toml`."""
    has_can = (folder / DATABASE).exists() or (folder / MAP).exists()
    return (folder / PHYSICS).is_file() and not has_can


def _is_profile(folder: Path) -> bool:
    return (folder / MAP).is_file() or is_physics_alone(folder)


def _title(folder: Path) -> str:
    """The README's first line; the folder's name where there is none."""
    readme = folder / README
    if not readme.is_file():
        return folder.name
    with readme.open(encoding="utf-8", errors="replace") as lines:
        return lines.readline(200).lstrip("#").strip() or folder.name


def _home() -> Path:
    """The folder of the built-in profiles; a wheel is always unpacked (PEP 427)."""
    return Path(str(files("contactor.car.profiles")))


def _fingerprint(folder: Path) -> str:
    digest = hashlib.sha256()
    for name in (DATABASE, MAP):
        if (folder / name).is_file():
            digest.update((folder / name).read_bytes())
    return digest.hexdigest()
