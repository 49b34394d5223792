"""Campaigns as a program asks for them, and as a car answers."""

import asyncio
import json
from collections.abc import Awaitable, Callable

import httpx
import pytest

from contactor.clock import to_iso
from contactor.link import topics
from contactor.link.campaign_messages import CampaignReport, encode_campaign_report
from contactor.link.ports import Message
from contactor.signals.campaign import CampaignState, Progress
from tests.cloud.lake.samples import SPEED, T0, S, flush, state, store_drive
from tests.faces.web.conftest import Instance

CAMPAIGNS = "/api/v1/campaigns"
ASKED = {
    "version": 1,
    "name": "fast",
    "vehicles": ["demo"],
    "signals": [SPEED],
    "rate_hz": 10,
    "when": [{"signal": SPEED, "above": 100}],
    "before_s": 5,
    "after_s": 5,
    "until": to_iso(T0 + 86_400 * S),
}

Check = Callable[[httpx.AsyncClient], Awaitable[None]]


@pytest.fixture
def demo(instance: Instance) -> Instance:
    """With one car, which the lake and the twin know a speed of."""
    store_drive(instance.store, {SPEED: [0.0]}, vehicle_id="demo")
    known = state("demo", profile="contactor_ev", watermark=2, paths=frozenset({SPEED}))
    instance.store.commit(flush(instance.store.next_flush, streams=[known]))
    instance.start()
    return instance


def ask(instance: Instance, check: Check) -> None:
    async def within() -> None:
        transport = httpx.ASGITransport(instance.api(), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            await check(client)

    asyncio.run(within())


def report(instance: Instance, campaign_id: str, stands: CampaignState) -> None:
    revision = instance.asked.wanted("demo", T0).revision
    progress = Progress(campaign_id, stands, None, 2, 200, 5, T0)
    payload = encode_campaign_report(CampaignReport("demo", revision, (progress,)))
    instance.campaigns.hear(Message(topics.campaign_report("demo"), payload))


def test_campaign_is_started_followed_and_stopped(demo: Instance) -> None:
    async def check(client: httpx.AsyncClient) -> None:
        answer = await client.post(CAMPAIGNS, json=ASKED)
        assert answer.status_code == 202, answer.text
        campaign = answer.json()
        assert campaign == {
            **{name: value for name, value in ASKED.items() if name != "version"},
            "id": campaign["id"],
            "state": "running",
            "holds_s": 0.0,
            "upload": "at once",
            "max_rows_per_day": 100_000,
            "started_at": to_iso(T0),
            "stopped_at": None,
            "vehicles": 1,
            "states": {"waiting": 1},
            "triggered": 0,
            "rows": 0,
            "dropped": 0,
        }
        one = f"{CAMPAIGNS}/{campaign['id']}"
        assert (await client.get(one)).json() == campaign
        report(demo, campaign["id"], CampaignState.ACTIVE)
        now = (await client.get(one)).json()
        assert (now["states"], now["triggered"], now["rows"]) == ({"active": 1}, 2, 200)
        page = (await client.get(f"{one}/vehicles")).json()
        assert page == {
            "items": [
                {
                    "vehicle_id": "demo",
                    "state": "active",
                    "reason": None,
                    "triggered": 2,
                    "rows": 200,
                    "dropped": 5,
                    "last_trigger": to_iso(T0),
                }
            ],
            "next": None,
        }
        answer = await client.delete(one)
        assert (answer.status_code, answer.json()["state"]) == (202, "stopped")
        assert demo.asked.wanted("demo", T0).campaigns == ()

    ask(demo, check)


def test_lists_page_newest_first(demo: Instance) -> None:
    async def check(client: httpx.AsyncClient) -> None:
        for name in ("one", "two", "three"):
            await client.post(CAMPAIGNS, json={**ASKED, "name": name})
        first = (await client.get(CAMPAIGNS, params={"limit": 2})).json()
        assert [item["name"] for item in first["items"]] == ["three", "two"]
        rest = (await client.get(CAMPAIGNS, params={"limit": 2, "cursor": first["next"]})).json()
        assert ([item["name"] for item in rest["items"]], rest["next"]) == (["one"], None)

    ask(demo, check)


def test_vehicles_may_be_chosen_by_a_question(demo: Instance) -> None:
    async def check(client: httpx.AsyncClient) -> None:
        asked = {name: value for name, value in ASKED.items() if name != "vehicles"}
        answer = await client.post(CAMPAIGNS, json={**asked, "where": f"{SPEED} < 10"})
        assert (answer.status_code, answer.json().get("vehicles")) == (202, 1), answer.text
        answer = await client.post(CAMPAIGNS, json={**asked, "where": f"{SPEED} is 10"})
        assert answer.status_code == 400
        assert "where, character" in answer.json()["detail"]

    ask(demo, check)


@pytest.mark.parametrize(
    ("changed", "status", "words"),
    [
        ({"rate_hz": 1000}, 400, "`float` <= 50.0 - at `$.rate_hz`"),
        ({"rate_hz": "10"}, 400, "at `$.rate_hz`"),
        ({"colour": 1}, 400, "unknown field `colour`"),
        ({"signals": ["Vehicle.Warp"]}, 400, "unknown signal 'Vehicle.Warp'"),
        ({"until": to_iso(T0)}, 400, "is over"),
        ({"vehicles": ["zoe"]}, 404, "no vehicle 'zoe'"),
    ],
)
def test_what_cannot_be_is_refused_and_not_kept(
    demo: Instance, changed: dict[str, object], status: int, words: str
) -> None:
    async def check(client: httpx.AsyncClient) -> None:
        answer = await client.post(CAMPAIGNS, content=json.dumps({**ASKED, **changed}))
        assert (answer.status_code, words in answer.json()["detail"]) == (status, True), answer.text
        assert (await client.get(CAMPAIGNS)).json() == {"items": [], "next": None}

    ask(demo, check)


def test_unknown_campaign_is_not_found(demo: Instance) -> None:
    async def check(client: httpx.AsyncClient) -> None:
        for answer in (
            await client.get(f"{CAMPAIGNS}/none"),
            await client.get(f"{CAMPAIGNS}/none/vehicles"),
            await client.delete(f"{CAMPAIGNS}/none"),
        ):
            assert (answer.status_code, answer.json()["detail"]) == (404, "no campaign 'none'")

    ask(demo, check)
