"""What somebody may say and hear on the link: a car its own subjects, and nothing else. No I/O.

    rights_of_vehicle("leaf", fingerprint).publish  # ('contactor.v1.up.leaf', ...)
    rights_of_enrolment(ticket).hear                # ('contactor.v1.enrolled.TICKET', ...)

An inbox is called by what no other car knows: the broker answers a record wherever its sender says,
so nobody is to guess where another listens.
"""

from dataclasses import dataclass

from contactor.link import topics

INBOX = "_CAR"


@dataclass(frozen=True, slots=True)
class Rights:
    """Subjects, each in full but for the tail of the inbox.

    Fields:
        inbox: what every subject begins with at which answers are awaited.
    """

    publish: tuple[str, ...]
    hear: tuple[str, ...]
    inbox: str


def inbox_of(fingerprint: str) -> str:
    """Where answers to the holder of a certificate, or of a ticket, come: below this."""
    return f"{INBOX}.{fingerprint}"


def rights_of_vehicle(vehicle_id: str, fingerprint: str) -> Rights:
    """What a vehicle may.

    Args:
        fingerprint: of the certificate that it came in with.

    Raises:
        UsageError: it is no vehicle id.
    """
    said = (
        topics.uplink,
        topics.hello,
        topics.report,
        topics.campaign_report,
        topics.revoked_heard,
        topics.renewal,
    )
    heard = (
        topics.watermark,
        topics.command,
        topics.campaign,
        topics.revoked,
        topics.certificate,
    )
    return _rights(
        [subject(vehicle_id) for subject in said],
        [subject(vehicle_id) for subject in heard],
        inbox_of(fingerprint),
    )


def rights_of_enrolment(ticket: str) -> Rights:
    """What somebody with a code may."""
    return _rights([topics.enrol(ticket)], [topics.enrolled(ticket)], inbox_of(ticket))


def _rights(publish: list[str], hear: list[str], inbox: str) -> Rights:
    # A client sends to its own inbox too: that tells it when the broker has acted on all before.
    return Rights((*publish, f"{inbox}.>"), (*hear, f"{inbox}.>"), inbox)
