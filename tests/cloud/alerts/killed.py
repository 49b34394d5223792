"""A process that is killed: it looks at rows, notes what fires, sends it, and counts what is done.

    python -m tests.cloud.alerts.killed FOLDER URL ROWS

Like an ingest it goes on from what it has committed: rows after that come again.
"""

import asyncio
import sys
from pathlib import Path

from contactor.clock import SystemClock
from contactor.cloud.alerts.alerts import Alerts
from contactor.cloud.alerts.channels import Webhook
from contactor.cloud.alerts.document import Document
from contactor.cloud.ingest.presence import Presence
from contactor.history.alerts.rules import AtMost, OnSignal, Rule
from contactor.signals.campaign import Claim
from tests.cloud.alerts.support import CHARGE, batch

COMMIT_EVERY = 25
MS = 1_000_000
RULE = Rule("low", OnSignal((Claim(CHARGE, below=15.0, rearm=20.0),)), at_most=AtMost(1000, 86_400))


async def main(folder: Path, url: str, rows: int) -> None:
    start_ns = int((folder / "start").read_text())
    committed = folder / "committed"
    alerts = Alerts.open(folder / "contactor.sqlite3", presence=Presence(), clock=SystemClock())
    await alerts.put(Document(1, (RULE,), (Webhook("hook", url),)))
    running = asyncio.create_task(alerts.run())
    first = int(committed.read_text()) if committed.exists() else 0
    for row in range(first, rows):
        value = 10.0 if row % 2 else 30.0
        alerts.watch.take_batch(batch("leaf", [start_ns + row * MS], {CHARGE: [value]}))
        await asyncio.sleep(0.001)
        if row % COMMIT_EVERY == COMMIT_EVERY - 1:
            await alerts.watch.flush()
            draft = folder / "committed.draft"
            draft.write_text(str(row + 1))
            draft.rename(committed)
    while alerts.messages.next_due() is not None:
        await asyncio.sleep(0.05)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await alerts.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
