"""A unit gets its key and certificate: in the car with a code, in a factory many at once.

    enrol_here(code, folder, link="nats://HOST:4222")                   # Enrolled
    enrol_batch(read_batch(path), identities, output, on_progress)

A factory's keys are made where this runs, and only requests leave it. What a cut-short batch has
made is gone on with.
"""

import asyncio
import csv
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from contactor.app.folder import DataFolder
from contactor.app.identities import Identities
from contactor.app.links import names_user
from contactor.car.agent.enrolment import enrol
from contactor.clock import to_iso
from contactor.cloud.identities.told import CertificateAsked
from contactor.errors import LinkError, UsageError
from contactor.link.identities.certificates import Certificate
from contactor.link.identities.codes import EnrolmentCode
from contactor.link.identities.unit import Applicant, Identity, Unit
from contactor.link.nats import NatsTransport
from contactor.link.nats.connection import Connection, read_addresses
from contactor.link.topics import check_vehicle_id

COLUMN = "vehicle_id"
AT_ONCE = 200
ANSWER_S = 15.0


class Enrolled(msgspec.Struct, frozen=True):
    """What a unit is known as from now on."""

    vehicle_id: str
    expires_at: str


def enrol_here(code: EnrolmentCode, folder: DataFolder, *, link: str) -> Enrolled:
    """Make a key in this folder and have it certified.

    Raises:
        EnrolmentRefused: the cloud said no, and why.
        IdentityError: the key cannot be kept.
        LinkError: the broker does not know the code, or nobody answers.
    """
    identity = asyncio.run(_enrol(code, Unit(folder.car_identities), link))
    return Enrolled(identity.vehicle_id, to_iso(identity.certificate.not_after))


async def _enrol(code: EnrolmentCode, unit: Unit, link: str) -> Identity:
    applicant = None if names_user(link) else Applicant(code, unit.begin(code.ticket))
    if applicant is not None:
        await _check_known(link, applicant)
    transport = NatsTransport(link, name="applicant", proof=applicant)
    try:
        await transport.wait_connected(ANSWER_S)
        return await enrol(code, unit=unit, transport=transport, timeout_s=ANSWER_S)
    finally:
        await transport.close()


async def _check_known(link: str, applicant: Applicant) -> None:
    """See at once whether a broker lets this code in; a transport would try for long.

    Raises:
        LinkError: none does; the text says why.
    """
    told = ""
    for address in read_addresses(link):
        connection = Connection()
        try:
            if await connection.connect(address, "applicant", applicant):
                return
        finally:
            await connection.end()
        told = f"no broker at {address.shown}: {connection.reason}"
    raise LinkError(told)


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
