"""The office of a data folder: who certifies its cars; and its own cars, which need no code.

office = open_office(folder, SystemClock())
enrol_own_cars(folder, ["demo"], clock=SystemClock())
"""

import logging
from collections.abc import Sequence
from contextlib import closing

from contactor.app.folder import DataFolder
from contactor.clock import Clock
from contactor.cloud.commands.keys import KeyBook
from contactor.cloud.identities.office import Office
from contactor.cloud.identities.register import Register
from contactor.errors import IdentityError
from contactor.link.identities.authority import NAME, Authority
from contactor.link.identities.grants import CommandSigner
from contactor.link.identities.keys import KeyPair
from contactor.link.identities.unit import Identity, Unit
from contactor.whole_files import make_private_folder

_log = logging.getLogger(__name__)


def open_office(folder: DataFolder, clock: Clock) -> Office:
    """The office of a folder, which is held by the caller; made where it is new.

    An authority that is made anew, as in a restored folder, accepts nobody whom the one before
    it enrolled: the register says so.

    Raises:
        IdentityError: the authority's key cannot be read or written.
        FolderError: the register cannot be opened.
    """
    now_ns = clock.now_ns()
    make_private_folder(folder.authority)
    register = Register(folder.register)
    try:
        if not (folder.authority / NAME).exists():
            ended = register.expire_all(now_ns)
            if ended:
                _log.warning("authority made anew, to be enrolled again vehicles=%d", ended)
        return Office(register, Authority.kept(folder.authority, now_ns), clock=clock)
    except BaseException:
        register.close()
        raise


def enrol_own_cars(folder: DataFolder, vehicles: Sequence[str], *, clock: Clock) -> list[str]:
    """Enrol those of an instance's own cars that are not yet.

    Returns:
        Those that are not enrolled without being asked for: revoked ones, and those that another
        unit is enrolled as.

    Raises:
        IdentityError: a key cannot be kept.
    """
    unit, left_out = Unit(folder.car_identities), []
    with closing(open_office(folder, clock)) as office:
        for vehicle_id in vehicles:
            identity = _identity(unit, vehicle_id)
            if identity is not None and office.is_good(identity.certificate):
                continue
            if office.is_elsewhere(vehicle_id):
                left_out.append(vehicle_id)
                continue
            request = unit.begin(vehicle_id).request()
            certificate = office.enrol_own(vehicle_id, request)
            unit.settle(vehicle_id, certificate, office.authority_pem)
    return left_out


def open_keys(
    folder: DataFolder, authority: Authority, clock: Clock
) -> tuple[KeyBook, CommandSigner]:
    """The digital keys of a folder, and the cloud's own, which signs for people.

    The cloud's comes of the authority's: one made anew has another.

    Raises:
        FolderError: they cannot be kept.
    """
    keys = KeyBook(folder.keys, authority=authority)
    pair = KeyPair.of_seed(authority.secret("commands"))
    return keys, CommandSigner(pair, keys.own(pair, clock.now_ns()))


def _identity(unit: Unit, vehicle_id: str) -> Identity | None:
    """One that is damaged is as good as none: another is made."""
    try:
        return unit.identity(vehicle_id)
    except IdentityError as error:
        _log.warning("car is enrolled anew reason=%s", error)
        return None
