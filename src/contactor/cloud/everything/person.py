"""Everything that is kept of one person.

    write_person(sources, "Mia", file, now_ns=now_ns)

What was said in the journal bears no name of who said it, and the lake knows no people.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import BinaryIO

import msgspec

from contactor.cloud.access.consents_told import ConsentNow
from contactor.cloud.access.people import People
from contactor.cloud.access.records import Record, Records, of_person
from contactor.cloud.access.told import PersonNow, SessionNow, TokenNow
from contactor.cloud.access.told_links import PasskeyNow
from contactor.cloud.commands.store import CommandStore
from contactor.cloud.commands.told import told
from contactor.cloud.everything.archive import Archive


@dataclass(frozen=True, slots=True)
class PersonSources:
    """Where everything of a person is kept; another closes them."""

    people: People
    records: Records
    commands: CommandStore


def write_person(
    sources: PersonSources,
    name: str,
    file: BinaryIO,
    *,
    now_ns: int,
    is_stopped: Callable[[], bool] = lambda: False,
) -> None:
    """Write the archive of a person.

    Args:
        is_stopped: says when it is to end.

    Raises:
        UnknownPerson: there is none of that name.
        InstanceError: it was to end.
        FolderError: something cannot be read.
    """
    people, records = sources.people, sources.records
    person = people.find(name)
    asdict, mine = msgspec.structs.asdict, of_person(person.id)
    sessions = [asdict(SessionNow.of(one)) for one in people.logins.sessions(person.name)]
    tokens = [asdict(TokenNow.of(one)) for one in people.logins.tokens(person.name)]
    passkeys = [asdict(PasskeyNow.of(one)) for one in people.passkeys.all(person.name)]
    second_factor = people.logins.second_factors.state(person.name)
    consents = [
        asdict(ConsentNow.of(one, now_ns))
        for one in people.consents.all()
        if one.giver is not None and one.giver.id == person.id
    ]
    commands = [asdict(told(one)) for one in sources.commands.of_issuer(person.name)]
    title = f"everything of {person.name}"
    with Archive(file, title=title, now_ns=now_ns, is_stopped=is_stopped) as archive:
        archive.document("account.json", PersonNow.of(person), "the account and its roles")
        archive.table("sessions", lambda: sessions, "logins that have not ended; no secrets")
        archive.table("tokens", lambda: tokens, "programs' tokens; no secrets")
        archive.table("passkeys", lambda: passkeys, "what lets them in without a password")
        archive.document("second-factor.json", second_factor, "whether there is one; no secret")
        archive.table("consents", lambda: consents, "consents that were given")
        archive.table("commands", lambda: commands, "what cars were asked for by them")
        archive.table(
            "audit",
            lambda: (_noted(one, person.name) for one in records.select(mine)),
            "what they did, and was done about them",
        )


def _noted(record: Record, name: str) -> Mapping[str, object]:
    """An entry; from where others acted is theirs to know."""
    is_own = record.who == name
    detail = {key: value for key, value in record.detail.items() if is_own or key != "address"}
    return {**msgspec.structs.asdict(record), "detail": detail}
