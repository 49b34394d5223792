"""What may be asked of a car at all, as far as the cloud can know; the guard in the car decides.

    rules = ProfileRules()
    await rules.objection("nissan_leaf_ze1", path)      # 'no limit entry: ...', or None

Only built-in profiles are looked at: the name comes from the car, and names no folder of ours.
"""

import asyncio

from contactor.car.profiles.profile import installed_profiles, load_profile
from contactor.errors import CommandRefused, ContactorError, InvalidValue, UsageError
from contactor.signals.catalogue import Kind, catalogue
from contactor.signals.datatypes import Datatype
from contactor.signals.record import Scalar
from contactor.signals.validation import check_value


def check_request(path: str, value: object) -> Scalar:
    """The value of a request in the actuator's own type.

    Raises:
        UnknownSignal: the path is not in the catalogue.
        UsageError: the value has another type.
        CommandRefused: it is no actuator, or the value is not allowed.
    """
    signal = catalogue()[path]
    if signal.kind is not Kind.ACTUATOR:
        raise CommandRefused(f"not an actuator: {path} is a {signal.kind}")
    if not _is_of(signal.datatype, value):
        raise UsageError(f"value {value!r:.80} is no {signal.datatype}, the type of {path}")
    try:
        checked = check_value(signal, value)  # type: ignore[arg-type]  # it is of its type
    except InvalidValue as error:
        raise CommandRefused(f"out of range: {error}"[:400]) from error
    assert isinstance(checked, bool | int | float | str)
    return checked


def _is_of(datatype: Datatype, value: object) -> bool:
    if datatype.is_array:
        return False
    if datatype.is_text:
        return isinstance(value, str)
    if datatype is Datatype.BOOLEAN:
        return isinstance(value, bool)
    if isinstance(value, bool):
        return False
    return isinstance(value, int | float) if datatype.is_float else isinstance(value, int)


class ProfileRules:
    """The actuators of the built-in profiles that have a limit; each read once, in a thread."""

    def __init__(self) -> None:
        self._allowed: dict[str, frozenset[str] | None] = {}

    async def objection(self, profile: str | None, path: str) -> str | None:
        """Why a car of that profile cannot be asked for `path`; None where nothing is known."""
        if profile is None:
            return None
        if profile not in self._allowed:
            if profile not in installed_profiles():
                return None
            self._allowed[profile] = await asyncio.to_thread(_allowed, profile)
        allowed = self._allowed[profile]
        if allowed is None or path in allowed:
            return None
        return f"no limit entry: profile {profile} allows nothing to be asked of {path}"


def _allowed(profile: str) -> frozenset[str] | None:
    try:
        loaded = load_profile(profile)
    except ContactorError:
        return None  # the guard in the car decides
    sent = {entry.path for entry in loaded.map.actuators}
    return frozenset(limit.path for limit in loaded.limits.entries if limit.path in sent)
