"""A car profile: DBC, map, limits and physics, from the package or from a folder of yours.

    profile = load_profile("nissan_leaf_ze1")       # or load_profile("./my_car")
    profile.title, profile.is_read_only             # ('Nissan Leaf ZE1 (2018 on)', True)

A profile without `limits.toml` allows nothing to be asked of its car; one without `physics.toml`
is of a car that cannot be made up.
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


def installed_profiles() -> list[str]:
    """The names of the built-in profiles."""
    return sorted(path.name for path in _home().iterdir() if (path / MAP).is_file())


def load_profile(name_or_folder: str | Path) -> Profile:
    """A built-in profile by its name, or the profile in a folder.

    Raises:
        UnknownProfile: there is neither; the message lists the built-in names.
        MalformedMap: a TOML file of it is wrong; names file, line and what is allowed.
        DatabaseError: its car.dbc cannot be read.
    """
    folder = find_profile(name_or_folder)
    database = load_database([folder / DATABASE])
    findings: list[Finding] = []
    root = read_document(folder / MAP, findings)
    refuse_errors(folder, findings)
    if root is None:
        raise MalformedMap(f"{folder / MAP} cannot be read")
    mapped = read_map(root, database)
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
        title=mapped.title,
        folder=folder,
        database=database,
        map=mapped.map,
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
        if not missing:
            return folder.resolve()
        raise UnknownProfile(f"{text} is a folder without a profile: no {' and no '.join(missing)}")
    listed = ", ".join(installed)
    raise UnknownProfile(f"unknown profile {text[:80]!r}; installed: {listed}, or a folder")


def _home() -> Path:
    """The folder of the built-in profiles; a wheel is always unpacked (PEP 427)."""
    return Path(str(files("contactor.car.profiles")))


def _fingerprint(folder: Path) -> str:
    digest = hashlib.sha256()
    for name in (DATABASE, MAP):
        digest.update((folder / name).read_bytes())
    return digest.hexdigest()
