"""A factory's file of vehicles: a key and a certificate for each, in folders to be put into cars.

    vehicles = read_batch(Path("cars.csv"))
    enrol_batch(vehicles, identities, Path("units"), on_progress)

Keys are made where this runs, and only requests leave it. What a cut-short batch has made is gone
on with.
"""

import csv
from collections.abc import Callable, Sequence
from pathlib import Path

from contactor.app.identities import Identities
from contactor.cloud.identities.told import CertificateAsked
from contactor.errors import UsageError
from contactor.link.identities.certificates import Certificate
from contactor.link.identities.unit import Unit
from contactor.link.topics import check_vehicle_id

COLUMN = "vehicle_id"
AT_ONCE = 200


def read_batch(path: Path) -> list[str]:
    """The vehicles of a factory's file, in its order.

    Raises:
        UsageError: it cannot be read, has no such column, or a wrong or doubled id in it.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            table = csv.DictReader(file)
            if COLUMN not in (table.fieldnames or ()):
                raise UsageError(f"{path} has no column {COLUMN}")
            lines = [(table.line_num, (row[COLUMN] or "").strip()) for row in table]
    except FileNotFoundError as error:
        raise UsageError(f"no file {path}") from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path} cannot be read: {error}") from error
    seen: set[str] = set()
    for line, vehicle_id in lines:
        try:
            check_vehicle_id(vehicle_id)
        except UsageError as error:
            raise UsageError(f"{path}, line {line}: {error}") from error
        if vehicle_id in seen:
            raise UsageError(f"{path}, line {line}: vehicle {vehicle_id} stands twice")
        seen.add(vehicle_id)
    if not lines:
        raise UsageError(f"{path} names no vehicle")
    return [vehicle_id for _, vehicle_id in lines]


def enrol_batch(
    vehicles: Sequence[str],
    identities: Identities,
    output: Path,
    on_progress: Callable[[int, int], None],
) -> int:
    """A folder with key, certificate and authority for each vehicle; how many are new.

    Raises:
        IdentityError: a vehicle is enrolled with another key, or a file cannot be written.
    """
    unit = Unit(output)
    done = set(unit.vehicles())
    new = [vehicle_id for vehicle_id in vehicles if vehicle_id not in done]
    for start in range(0, len(new), AT_ONCE):
        some = new[start : start + AT_ONCE]
        asked = [CertificateAsked(one, unit.begin(one).request()) for one in some]
        given = identities.certify(asked)
        authority = given.authority.encode()
        for vehicle_id, der in zip(some, given.items, strict=True):
            unit.settle(vehicle_id, Certificate.of_der(der), authority)
        on_progress(start + len(some), len(new))
    return len(new)
