"""Every error that Contactor raises on purpose, as one tree.

    ContactorError
    ├── UsageError              what the arguments alone show to be wrong (exit code 2)
    │   ├── UnknownProfile          no such built-in profile or folder
    │   ├── UnknownSignal           a path that the catalogue does not know
    │   ├── MalformedCar            a CAR url that cannot be read
    │   ├── MalformedMap            a map file whose content cannot be read
    │   ├── MalformedScenario       a scenario file whose content cannot be read
    │   └── MalformedQuery          a question to the fleet that cannot be read
    ├── MissingPart             this needs a larger installation size
    ├── LogError                a recording that cannot be read as frames
    ├── DatabaseError           a CAN database that cannot be read
    ├── TableError              a table that cannot be imported
    ├── FitError                recordings that a car's parameters cannot be fitted to
    ├── InvalidValue            a value outside its signal's type, range or allowed words
    ├── CommandRefused          a command that cannot be sent to its car
    ├── UnknownCommand          no command of that id
    ├── UnknownCampaign         no campaign of that id
    ├── UnknownAlert            no alert, rule or channel of that name
    ├── UnknownTrip             no trip or charge of that id
    ├── UnknownPlace            no place of that id
    ├── UnknownPerson           nobody of that name
    ├── UnknownConsent          no consent of that id
    ├── AccessRefused           a login or a code that lets nobody in
    ├── AuditBroken             an audit log that is not as it was written
    ├── MalformedRecord         bytes that are no record of ours
    ├── IdentityError           a key or certificate that cannot be read, made or accepted
    │   └── EnrolmentRefused        the cloud gave no certificate
    ├── UnknownIdentity         nobody was ever to enrol as that vehicle
    ├── LinkError               the broker refused, was lost, or answered too late
    │   └── LinkFull                the broker has no room for another message
    ├── OutboxError             the car's outbox cannot be read or written
    ├── FolderError             a data folder that is foreign, newer, unreadable or full
    │   ├── FolderInUse             another process holds it
    │   └── FolderFull              no space left for what had to be stored
    ├── LakeError               the columnar history cannot be read or written
    │   ├── UnknownVehicle          nothing is stored of a vehicle of that id
    │   └── StaleWriter             another ingest has committed since: this one must end
    └── InstanceError           a running instance failed, or could not start

A driver turns its library's errors into these with ``raise ... from``. The message says what was
wrong, with the value, and what is allowed.
"""


class ContactorError(Exception):
    """Base of all errors raised on purpose; its text is one line that a user can act on."""

    exit_code = 1


def first_failure(failures: BaseExceptionGroup[BaseException]) -> BaseException:
    """The first of our own errors in a group of failures, however deep, else the first of any."""
    group = failures.subgroup(ContactorError) or failures
    first = group.exceptions[0]
    return first_failure(first) if isinstance(first, BaseExceptionGroup) else first


class UsageError(ContactorError):
    """What the arguments alone show to be wrong."""

    exit_code = 2


class UnknownProfile(UsageError):
    """No built-in profile of that name and no such folder."""


class UnknownSignal(UsageError):
    """A path that the catalogue does not know."""


class MalformedCar(UsageError):
    """A CAR url that cannot be read."""


class MalformedMap(UsageError):
    """A map file whose content cannot be read."""


class MalformedScenario(UsageError):
    """A scenario file whose content cannot be read."""


class MalformedQuery(UsageError):
    """A question to the fleet that cannot be read; says at which character."""


class MissingPart(ContactorError):
    """A package of a larger installation size is needed and not installed."""


class LogError(ContactorError):
    """A recording that cannot be read as frames."""


class DatabaseError(ContactorError):
    """A CAN database that cannot be read."""


class TableError(ContactorError):
    """A table that cannot be imported."""


class FitError(ContactorError):
    """Recordings that a car's parameters cannot be fitted to."""


class InvalidValue(ContactorError):
    """A value outside its signal's type, range or allowed words."""


class CommandRefused(ContactorError):
    """A command that cannot be sent to its car; the text is the reason, as `kind: words`."""


class UnknownCommand(ContactorError):
    """No command of that id was given to that vehicle, or it is forgotten."""


class UnknownCampaign(ContactorError):
    """No campaign of that id was started."""


class UnknownAlert(ContactorError):
    """No alert of that id, or no rule or channel of that name."""


class UnknownTrip(ContactorError):
    """No trip or charge of that id is found in the vehicle's history."""


class UnknownPlace(ContactorError):
    """No place of that id is known."""


class UnknownPerson(ContactorError):
    """Nobody is known by that name."""


class UnknownConsent(ContactorError):
    """No consent of that id was given."""


class AccessRefused(ContactorError):
    """A name, a password or a code that lets nobody in; the text says no more than it must."""


class TooManyTries(AccessRefused):
    """Too much was tried from there; the text says when again."""


class AuditBroken(ContactorError):
    """An audit log is not as it was written; the text says at which line."""


class MalformedRecord(ContactorError):
    """Bytes that are no record of ours.

    `identity` is (vehicle_id, stream, sequence) where the envelope could be read.
    """

    def __init__(self, message: str, identity: tuple[str, int, int] | None = None) -> None:
        super().__init__(message)
        self.identity = identity


class IdentityError(ContactorError):
    """A key or certificate that cannot be read, made or accepted."""


class EnrolmentRefused(IdentityError):
    """The cloud gave no certificate; the text is the cloud's reason."""


class UnknownIdentity(ContactorError):
    """No code was ever made and no certificate given for a vehicle of that id."""


class LinkError(ContactorError):
    """The broker refused, was lost, or answered too late."""


class LinkFull(LinkError):
    """The broker has no room for another message: wait, then send again."""


class OutboxError(ContactorError):
    """The car's outbox cannot be read or written."""


class FolderError(ContactorError):
    """A data folder that is foreign, newer, unreadable or full."""


class FolderInUse(FolderError):
    """Another process holds the data folder."""


class FolderFull(FolderError):
    """No space was left for what had to be stored; what was stored before is intact."""


class LakeError(ContactorError):
    """The columnar history cannot be read or written."""


class UnknownVehicle(LakeError):
    """Nothing is stored of a vehicle of that id."""


class StaleWriter(LakeError):
    """Another ingest has committed to the lake since this one last read it: this one must end."""


class InstanceError(ContactorError):
    """A running instance failed, or could not start."""
