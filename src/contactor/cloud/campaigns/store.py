"""The campaigns of an instance in one SQLite file, so that they outlive the process.

    store = CampaignStore(folder.root / "campaigns.db")
    store.start(campaign, ["demo"], now_ns)     # kept, and a new list for each vehicle
    store.wanted("demo", now_ns)                # CampaignList: all that it is to record now
    store.page(limit=50)                        # newest first

Each vehicle's list has a revision, which grows with each change; `acknowledged` is the one that the
vehicle has said it goes by. Each write is on disk when it returns.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from contactor.cloud.campaigns.database import open_database, our_errors
from contactor.errors import UnknownCampaign, UsageError
from contactor.link.campaign_messages import CampaignList
from contactor.signals.campaign import MAX_PER_VEHICLE, Campaign, CampaignState, Progress
from contactor.sqlite_file import transaction

_campaign = msgspec.json.Decoder(Campaign)
_progress = msgspec.json.Decoder(Progress)


@dataclass(frozen=True, slots=True)
class Started:
    """A campaign as it was started; `stopped_at` is None while it was not stopped."""

    campaign: Campaign
    started_at: int
    stopped_at: int | None


@dataclass(frozen=True, slots=True)
class Totals:
    """Where a campaign stands over all its vehicles: how many in which state, and sums."""

    states: Mapping[CampaignState, int]
    triggered: int
    rows: int
    dropped: int


class CampaignStore:
    """Owns the file; used from one thread at a time.

    Args:
        path: the file, or ":memory:".

    Raises:
        FolderError: it cannot be opened, or a newer Contactor wrote it.
    """

    def __init__(self, path: Path | str) -> None:
        self._database = open_database(path)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    # ── what is asked ────────────────────────────────────────────────────────────────────────────

    def start(self, campaign: Campaign, vehicles: Collection[str], now_ns: int) -> None:
        """Keep a campaign, for these vehicles from now on.

        Raises:
            UsageError: a vehicle has as many as it may have.
            FolderFull, FolderError: it cannot be written; nothing was kept.
        """
        waiting = _encode(Progress(campaign.id, CampaignState.WAITING))
        with self._transaction():
            self._check_room(vehicles, now_ns)
            self._database.execute(
                "insert into campaign (id, started_at, until, body) values (?, ?, ?, ?)",
                (campaign.id, now_ns, campaign.until, msgspec.json.encode(campaign)),
            )
            self._database.executemany(
                "insert into progress values (?, ?, ?)",
                [(campaign.id, vehicle_id, waiting) for vehicle_id in vehicles],
            )
            self._revise(vehicles, now_ns)

    def stop(self, campaign_id: str, now_ns: int) -> list[str]:
        """Stop a campaign; the vehicles that are to hear of it, none where it was stopped before.

        Raises:
            UnknownCampaign: there is none of that id.
        """
        started = self.find(campaign_id)
        if started.stopped_at is not None:
            return []
        vehicles = [vehicle_id for vehicle_id, _ in self.vehicles(campaign_id)]
        with self._transaction():
            self._database.execute(
                "update campaign set stopped_at = ? where id = ?", (now_ns, campaign_id)
            )
            self._revise(vehicles, now_ns)
        return vehicles

    def wanted(self, vehicle_id: str, now_ns: int) -> CampaignList:
        """All that a vehicle is to record; revision 0 where nothing was ever asked of it."""
        rows = self._read(
            "select c.body from campaign c join progress p on p.campaign = c.id"
            " where p.vehicle_id = ? and c.stopped_at is null and c.until > ? order by c.number",
            vehicle_id,
            now_ns,
        )
        campaigns = tuple(_campaign.decode(body) for (body,) in rows)
        return CampaignList(vehicle_id, self._revision(vehicle_id)[0], campaigns)

    def unacknowledged(self) -> list[str]:
        """The vehicles that have not said that they go by their newest list."""
        rows = self._read("select vehicle_id from vehicle where acknowledged < revision")
        return [vehicle_id for (vehicle_id,) in rows]

    # ── what the vehicles say ────────────────────────────────────────────────────────────────────

    def hear(
        self, vehicle_id: str, revision: int, progress: Sequence[Progress], now_ns: int
    ) -> bool:
        """Take in what a vehicle reports; whether it goes by its newest list.

        One that goes by a list newer than any that is known here, which then was lost, is to get a
        newer one.
        """
        wanted, acknowledged = self._revision(vehicle_id)
        with self._transaction():
            if revision > wanted:
                self._set_revision(vehicle_id, max(now_ns, revision + 1))
                return False
            if revision == wanted and acknowledged != wanted:
                self._database.execute(
                    "update vehicle set acknowledged = ? where vehicle_id = ?",
                    (wanted, vehicle_id),
                )
                self._note_stopped(vehicle_id)
            for one in progress:
                self._database.execute(
                    "update progress set body = ? where campaign = ? and vehicle_id = ?",
                    (_encode(one), one.id, vehicle_id),
                )
        return revision == wanted

    # ── looking things up ────────────────────────────────────────────────────────────────────────

    def find(self, campaign_id: str) -> Started:
        """One campaign.

        Raises:
            UnknownCampaign: there is none of that id.
        """
        rows = self._read(
            "select body, started_at, stopped_at from campaign where id = ?", campaign_id
        )
        if not rows:
            raise UnknownCampaign(f"no campaign {campaign_id[:80]!r}")
        return _started(rows[0])

    def page(self, *, limit: int, before: str | None = None) -> list[Started]:
        """Campaigns, newest first, those started before the one of id `before`."""
        earlier = (
            "" if before is None else "where number < (select number from campaign where id = ?)"
        )
        rows = self._read(
            f"select body, started_at, stopped_at from campaign {earlier}"
            " order by number desc limit ?",
            *([] if before is None else [before]),
            limit,
        )
        return [_started(row) for row in rows]

    def vehicles(
        self, campaign_id: str, *, limit: int = -1, after: str = ""
    ) -> list[tuple[str, Progress]]:
        """The vehicles of a campaign by id, those after `after`, and where each stands."""
        rows = self._read(
            "select vehicle_id, body from progress where campaign = ? and vehicle_id > ?"
            " order by vehicle_id limit ?",
            campaign_id,
            after,
            limit,
        )
        return [(vehicle_id, _progress.decode(body)) for vehicle_id, body in rows]

    def totals(self, campaign_id: str) -> Totals:
        """Where a campaign stands over all its vehicles."""
        states: dict[CampaignState, int] = {}
        triggered = rows = dropped = 0
        for _, one in self.vehicles(campaign_id):
            states[one.state] = states.get(one.state, 0) + 1
            triggered, rows = triggered + one.triggered, rows + one.rows
            dropped += one.dropped
        return Totals(states, triggered, rows, dropped)

    def erase(self, vehicle_id: str) -> int:
        """Remove a vehicle from all campaigns, so that no byte of the file names it."""
        with our_errors():
            self._database.execute("pragma secure_delete = on")
            gone = self._database.execute(
                "delete from progress where vehicle_id = ?", (vehicle_id,)
            ).rowcount
            self._database.execute("delete from vehicle where vehicle_id = ?", (vehicle_id,))
            self._database.execute("vacuum")
            self._database.execute("pragma wal_checkpoint(truncate)")
            return gone

    # ── within ───────────────────────────────────────────────────────────────────────────────────

    def _check_room(self, vehicles: Collection[str], now_ns: int) -> None:
        for vehicle_id in vehicles:
            if len(self.wanted(vehicle_id, now_ns).campaigns) >= MAX_PER_VEHICLE:
                raise UsageError(
                    f"vehicle {vehicle_id} has {MAX_PER_VEHICLE} campaigns, as many as it may; "
                    "stop one first"
                )

    def _revise(self, vehicles: Collection[str], now_ns: int) -> None:
        for vehicle_id in vehicles:
            revision, _ = self._revision(vehicle_id)
            self._set_revision(vehicle_id, max(now_ns, revision + 1))

    def _revision(self, vehicle_id: str) -> tuple[int, int]:
        rows = self._read(
            "select revision, acknowledged from vehicle where vehicle_id = ?", vehicle_id
        )
        return (int(rows[0][0]), int(rows[0][1])) if rows else (0, 0)

    def _set_revision(self, vehicle_id: str, revision: int) -> None:
        self._database.execute(
            "insert into vehicle values (?, ?, 0)"
            " on conflict (vehicle_id) do update set revision = excluded.revision",
            (vehicle_id, revision),
        )

    def _note_stopped(self, vehicle_id: str) -> None:
        """It goes by a list in which the stopped ones are not."""
        rows = self._read(
            "select p.campaign, p.body from progress p join campaign c on c.id = p.campaign"
            " where p.vehicle_id = ? and c.stopped_at is not null",
            vehicle_id,
        )
        for campaign_id, body in rows:
            one = msgspec.structs.replace(_progress.decode(body), state=CampaignState.STOPPED)
            self._database.execute(
                "update progress set body = ? where campaign = ? and vehicle_id = ?",
                (_encode(one), campaign_id, vehicle_id),
            )

    def _read(self, query: str, *values: object) -> list[Any]:  # what SQLite holds, by our schema
        with our_errors():
            return self._database.execute(query, values).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with our_errors(), transaction(self._database):
            yield


def _started(row: Sequence[Any]) -> Started:
    body, started_at, stopped_at = row
    return Started(_campaign.decode(body), started_at, stopped_at)


def _encode(progress: Progress) -> bytes:
    return msgspec.json.encode(progress)
