"""The folder of a fitted profile: the base's, with the fitted numbers, and where they come from.

write_profile(Path("my_car"), base=load_profile("contactor_ev"), found=found, names=names)
"""

import math
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from contactor import __version__
from contactor.car.profiles.document import read_document
from contactor.car.profiles.physics_file import read_physics
from contactor.car.profiles.profile import DATABASE, LIMITS, MAP, PHYSICS, README, Profile
from contactor.car.profiles.rewrite import rewritten
from contactor.errors import UsageError
from contactor.physics.calibration import Fit
from contactor.physics.calibration.parameters import CONSTANT, LOAD, PARAMETERS, value_of
from contactor.physics.parameters import CarParameters

REMARK = "fitted"


def check_rewritable(base: Profile) -> CarParameters:
    """The base's numbers, if they can be changed line by line; to be asked before any work.

    Raises:
        UsageError: it has no `physics.toml`, or one that writes its groups in another way.
    """
    path = base.folder / PHYSICS
    if base.physics is None:
        raise UsageError(f"profile {base.name!r} has no {PHYSICS} to start from")
    names = [LOAD, CONSTANT, *(one.name for one in PARAMETERS)]
    own = {name: value_of(base.physics, name) for name in names}
    again = _read(_rewritten(base, own))
    for name, value in own.items():
        if again is None or not math.isclose(value_of(again, name), value, rel_tol=1e-4):
            raise UsageError(
                f"{path}: {name} cannot be replaced there; write each group as a table, such as"
                " [body], and each number on a line of its own"
            )
    return base.physics


def write_profile(folder: Path, *, base: Profile, found: Fit, names: Sequence[str]) -> None:
    """Write all of the folder, or nothing.

    Args:
        folder: not there yet, or empty.
        names: of the recordings.

    Raises:
        OSError: the folder cannot be written.
    """
    folder = folder.absolute()
    part = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        part.mkdir()
        for name in (DATABASE, MAP, LIMITS):
            if (base.folder / name).is_file():
                shutil.copyfile(base.folder / name, part / name)
        values = {name: one.value for name, one in found.parameters.items()}
        (part / PHYSICS).write_text(_rewritten(base, values), encoding="utf-8")
        readme = _readme(folder.name, base.name, found, names)
        (part / README).write_text(readme, encoding="utf-8")
        if folder.exists():
            folder.rmdir()
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _rewritten(base: Profile, values: Mapping[str, float]) -> str:
    text = (base.folder / PHYSICS).read_text(encoding="utf-8")
    return rewritten(text, values, remark=REMARK)


def _read(text: str) -> CarParameters | None:
    with tempfile.TemporaryDirectory(prefix="contactor-fit-") as folder:
        path = Path(folder) / PHYSICS
        path.write_text(text, encoding="utf-8")
        root = read_document(path, [])
    return None if root is None else read_physics(root)


def _readme(name: str, base: str, found: Fit, names: Sequence[str]) -> str:
    rows = [
        f"| `{key}` | {one.value:.4g} | {one.low:.4g} to {one.high:.4g} | {one.unit} |"
        for key, one in found.parameters.items()
    ]
    held = [f"- `{key}`: {reason}" for key, reason in found.held.items()]
    return "\n".join(
        [
            f"# {name}: {base}, fitted to recordings",
            "",
            f"The profile `{base}` with these numbers fitted by `contactor profile fit`,"
            f" Contactor {__version__}. All others are those of the base.",
            "",
            "| parameter | value | 95 % interval | unit |",
            "| --- | --- | --- | --- |",
            *rows,
            "",
            *(["Held at the base's value:", "", *held, ""] if held else []),
            "Recordings, whose terms of use hold for what is made of them:",
            "",
            *(f"- `{Path(one).name}`" for one in names),
            "",
        ]
    )
