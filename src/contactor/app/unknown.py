"""Why databases say nothing of a log: what people should know, a line each.

    for line in why_unknown(job):          # when its chunks have been read
        note(line)

The ids of the whole log are known by then (see `Matcher.met`). What is near is told as well: the
same ids in the other frame format, on another bus, or of the same J1939 parameter group.
"""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from contactor.can.frames import id_name
from contactor.can.identities import BUS_SHIFT, EXTENDED_SHIFT, ID_MASK, KEY_MASK
from contactor.can.j1939 import parameter_groups
from contactor.can.job import Job
from contactor.can.matching import FIRST_LANE, MOST_KEPT, matcher_of
from contactor.can.plan import MessagePlan

MOST_SHOWN = 4
# These formats number buses from 1, and we from 0.
FROM_ONE = ("asc", "trc", "blf")

# Ids with their frame format, as in a key: extended << 31 | id.
Ids = NDArray[np.int64]


def why_unknown(job: Job) -> Iterator[str]:
    """What can be said of a log, all chunks of which were read, where databases do not fit it."""
    if job.plan is None:
        return
    keys, lanes = matcher_of(job.plan).met()
    if not len(keys):
        return
    buses = sorted(set((keys >> BUS_SHIFT).tolist()))
    if len(keys) < MOST_KEPT:  # of more, not all are known
        yield from _of_buses(job, buses)
    ids = np.unique(keys & KEY_MASK)
    answers = _answers(job)
    if (lanes >= FIRST_LANE).any() or np.isin(ids, answers).any():
        return
    messages = job.plan.messages
    known = np.unique(np.array([_id_of(message) for message in messages], np.int64))
    elsewhere = np.intersect1d(ids, known)
    if len(elsewhere):
        named = sorted({message.bus for message in messages if message.bus is not None})
        yield (
            f"{len(elsewhere)} of the log's {len(ids)} ids are in {_files(job)}, but for "
            f"{_buses(named)}; in the log they are on {_buses(_buses_of(elsewhere, keys))}: "
            f"{_shown(elsewhere)}"
        )
        return
    yield (
        f"none of the log's {len(ids)} ids is in {_files(job)}: the log has {_shown(ids)}; "
        f"the database has {_known(len(messages), known, answers)}"
    )
    yield from _near(ids, known)


def _of_buses(job: Job, buses: list[int]) -> Iterator[str]:
    """Databases of a bus on which nothing is."""
    for bus in sorted({file.bus for file in job.files if file.bus is not None} - set(buses)):
        names = " and ".join(file.path.name for file in job.files if file.bus == bus)
        line = f"no data frame is on bus {bus}, which {names} is for; the log has {_buses(buses)}"
        one = next((log.format for log in job.logs if log.format in FROM_ONE), None)
        yield f"{line}, where bus 1 of {one} counts as 0" if one else line


def _near(ids: Ids, known: Ids) -> Iterator[str]:
    """Ids that are almost those of the database."""
    other = np.intersect1d(ids ^ 1 << EXTENDED_SHIFT, known)
    if len(other):
        bits, wanted = (11, 29) if other[0] >> EXTENDED_SHIFT else (29, 11)
        yield (
            f"{len(other)} of the ids are in the database with {wanted} bits, in the log with "
            f"{bits}: {_shown(other ^ 1 << EXTENDED_SHIFT)}"
        )
    extended, messages = (one[one >> EXTENDED_SHIFT == 1] & ID_MASK for one in (ids, known))
    groups = parameter_groups(messages)
    rows = np.flatnonzero(np.isin(parameter_groups(extended), groups))
    if len(rows):
        found = int(extended[rows[0]])
        like = int(messages[np.flatnonzero(groups == parameter_groups(extended[rows[:1]]))[0]])
        yield (
            f"{len(rows)} of the ids are messages of the database by their J1939 parameter group, "
            f"such as {id_name(found, is_extended=True)}, there {id_name(like, is_extended=True)}; "
            "but the database does not say that these are J1939 (a DBC: by VFrameFormat)"
        )


def _known(messages: int, known: Ids, answers: Ids) -> str:
    """How many messages a database has, and a few of their ids."""
    parts = [f"{messages} messages ({_shown(known)})"] if messages else []
    parts += [f"the answers of {_shown(answers)}"] if len(answers) else []
    return " and ".join(parts) or "no message"


def _files(job: Job) -> str:
    names = list(dict.fromkeys(file.path.name for file in job.files))
    return " or ".join(names) if len(names) < MOST_SHOWN else f"any of {len(names)} databases"


def _answers(job: Job) -> Ids:
    """The ids by which signal sets are answered."""
    if job.transport is None:
        return np.zeros(0, np.int64)
    return np.array(
        [can_id | (can_id > 0x7FF) << EXTENDED_SHIFT for can_id in job.transport.answer_ids],
        np.int64,
    )


def _id_of(message: MessagePlan) -> int:
    return message.is_extended << EXTENDED_SHIFT | message.can_id


def _buses_of(ids: Ids, keys: Ids) -> list[int]:
    """The buses that some ids are on."""
    return sorted(set((keys[np.isin(keys & KEY_MASK, ids)] >> BUS_SHIFT).tolist()))


def _buses(buses: Iterable[int]) -> str:
    return f"bus {', '.join(map(str, buses))}"


def _shown(ids: Ids) -> str:
    names = [
        id_name(one & ID_MASK, is_extended=bool(one >> EXTENDED_SHIFT))
        for one in ids[:MOST_SHOWN].tolist()
    ]
    return " ".join(names) + (" …" if len(ids) > MOST_SHOWN else "")
