"""The subjects on the link: one row per kind of message, one token per vehicle.

contactor.v1.up.ID          records, car to cloud; kept by the broker until taken
contactor.v1.hello.ID       what the car holds, car to cloud; not kept
contactor.v1.watermark.ID   what is stored, cloud to car; not kept
contactor.v1.command.ID     requests to set an actuator, cloud to car; not kept
contactor.v1.report.ID      where a command stands, car to cloud; not kept
contactor.v1.campaign.ID    all that the car is to record, cloud to car; not kept
contactor.v1.campaign-report.ID     how far it is with each, car to cloud; not kept
contactor.v1.revoked.ID     the keys that hold no more, cloud to car; not kept
contactor.v1.revoked-heard.ID       by which list it goes, car to cloud; not kept
contactor.v1.renewal.ID     it asks for its next certificate, car to cloud; not kept
contactor.v1.certificate.ID that certificate, cloud to car; not kept
contactor.v1.enrol.TICKET   a car that has a code asks for its first one; not kept
contactor.v1.enrolled.TICKET        that certificate, or a refusal; not kept

uplink("leaf")                              # 'contactor.v1.up.leaf'
vehicle_of("contactor.v1.up.leaf")          # 'leaf'
matches(ALL_UPLINKS, uplink("leaf"))        # True
"""

from functools import lru_cache

from contactor.errors import MalformedRecord, UsageError
from contactor.signals.wire.limits import VEHICLE_ID

PREFIX = "contactor.v1"
MAX_REMEMBERED = 16_384
"""Subjects of which it is remembered what they say, for the same come all the time."""
ANY = "*"

_UPLINK = f"{PREFIX}.up"
_HELLO = f"{PREFIX}.hello"
_WATERMARK = f"{PREFIX}.watermark"
_COMMAND = f"{PREFIX}.command"
_REPORT = f"{PREFIX}.report"
_CAMPAIGN = f"{PREFIX}.campaign"
_CAMPAIGN_REPORT = f"{PREFIX}.campaign-report"
_REVOKED = f"{PREFIX}.revoked"
_REVOKED_HEARD = f"{PREFIX}.revoked-heard"
_RENEWAL = f"{PREFIX}.renewal"
_CERTIFICATE = f"{PREFIX}.certificate"
_ENROL = f"{PREFIX}.enrol"
_ENROLLED = f"{PREFIX}.enrolled"
FROM_CARS = (_HELLO, _REPORT, _CAMPAIGN_REPORT, _REVOKED_HEARD, _RENEWAL, _ENROL)
"""What only cars say, and is not kept."""
TO_CARS = (_WATERMARK, _COMMAND, _CAMPAIGN, _REVOKED, _CERTIFICATE, _ENROLLED)
"""What only the cloud says."""
KINDS = (_UPLINK, *FROM_CARS, *TO_CARS)

ALL_UPLINKS = f"{_UPLINK}.{ANY}"
ALL_HELLOS = f"{_HELLO}.{ANY}"
ALL_WATERMARKS = f"{_WATERMARK}.{ANY}"
ALL_REPORTS = f"{_REPORT}.{ANY}"
ALL_CAMPAIGN_REPORTS = f"{_CAMPAIGN_REPORT}.{ANY}"
ALL_REVOKED_HEARD = f"{_REVOKED_HEARD}.{ANY}"
ALL_RENEWALS = f"{_RENEWAL}.{ANY}"
ALL_ENROLMENTS = f"{_ENROL}.{ANY}"


def uplink(vehicle_id: str) -> str:
    """Where a vehicle's records go; kept by the broker until taken."""
    return _subject(_UPLINK, vehicle_id)


def hello(vehicle_id: str) -> str:
    """Where a vehicle says what it holds; not kept."""
    return _subject(_HELLO, vehicle_id)


def watermark(vehicle_id: str) -> str:
    """Where a vehicle hears what is stored; not kept."""
    return _subject(_WATERMARK, vehicle_id)


def command(vehicle_id: str) -> str:
    """Where a vehicle hears what it is asked to do; not kept."""
    return _subject(_COMMAND, vehicle_id)


def report(vehicle_id: str) -> str:
    """Where a vehicle says where a command stands; not kept."""
    return _subject(_REPORT, vehicle_id)


def campaign(vehicle_id: str) -> str:
    """Where a vehicle hears what it is to record; not kept."""
    return _subject(_CAMPAIGN, vehicle_id)


def campaign_report(vehicle_id: str) -> str:
    """Where a vehicle says how far it is with what it records; not kept."""
    return _subject(_CAMPAIGN_REPORT, vehicle_id)


def revoked(vehicle_id: str) -> str:
    """Where a vehicle hears which keys hold no more; not kept."""
    return _subject(_REVOKED, vehicle_id)


def revoked_heard(vehicle_id: str) -> str:
    """Where a vehicle says by which list of them it goes; not kept."""
    return _subject(_REVOKED_HEARD, vehicle_id)


def renewal(vehicle_id: str) -> str:
    """Where a vehicle asks for its next certificate; not kept."""
    return _subject(_RENEWAL, vehicle_id)


def certificate(vehicle_id: str) -> str:
    """Where a vehicle hears its next certificate; not kept."""
    return _subject(_CERTIFICATE, vehicle_id)


def enrol(ticket: str) -> str:
    """Where whoever has a code asks for a certificate; not kept."""
    return _subject(_ENROL, ticket)


def enrolled(ticket: str) -> str:
    """Where the answer to that is heard; not kept."""
    return _subject(_ENROLLED, ticket)


@lru_cache(maxsize=MAX_REMEMBERED)
def vehicle_of(subject: str) -> str:
    """The vehicle that a subject names, or the ticket of an enrolment.

    Raises:
        MalformedRecord: it is no subject of ours.
    """
    kind, _, vehicle_id = subject.rpartition(".")
    if kind not in KINDS or not VEHICLE_ID.fullmatch(vehicle_id):
        raise MalformedRecord(f"subject {subject[:120]!r} names no vehicle of ours")
    return vehicle_id


def matches(pattern: str, subject: str) -> bool:
    """Whether a subject falls under a pattern, in which `*` stands for one whole token."""
    wanted, given = pattern.split("."), subject.split(".")
    if len(wanted) != len(given):
        return False
    return all(want in {ANY, token} for want, token in zip(wanted, given, strict=True))


def check_vehicle_id(vehicle_id: str) -> None:
    """See that a subject can name a vehicle.

    Raises:
        UsageError: it cannot.
    """
    if not VEHICLE_ID.fullmatch(vehicle_id):
        raise UsageError(
            f"vehicle id {vehicle_id[:80]!r}; allowed: 1 to 64 letters, digits, '_' and '-'"
        )


def _subject(kind: str, vehicle_id: str) -> str:
    check_vehicle_id(vehicle_id)
    return f"{kind}.{vehicle_id}"
