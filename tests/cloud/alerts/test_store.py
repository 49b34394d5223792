"""What is kept of alerts."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from contactor.clock import NS_PER_DAY, NS_PER_S
from contactor.cloud.alerts.channels import Ntfy, Webhook
from contactor.cloud.alerts.document import Document
from contactor.cloud.alerts.messages import MessageStore, wait_s
from contactor.cloud.alerts.store import AlertStore, Noted, RuleKey
from contactor.cloud.alerts.tables import ALERTS
from contactor.cloud.database.database import Database
from contactor.errors import UnknownAlert
from contactor.history.alerts.machine import Fired, RuleState
from contactor.history.alerts.rules import FactKind, OnFact, Rule, Severity

NOW = 1_700_000_000 * NS_PER_S
CHARGED = Rule("charged", OnFact(FactKind.CHARGE))
DOCUMENT = Document(
    1, (CHARGED,), (Ntfy("phone", "https://a.org/t"), Webhook("hook", "https://a.org"))
)


@pytest.fixture
def store(place: Path | str) -> Iterator[AlertStore]:
    database = Database.open(place, [ALERTS])
    yield AlertStore(database)
    database.close()


def noted(
    key: str, *, send_at_ns: int | None = NOW, channels: tuple[str, ...] = ("phone",)
) -> Noted:
    fired = Fired(key, NOW, Severity.WARNING, "", send_at_ns)
    return Noted("charged", "leaf", fired, f"text {key}", channels)


def test_rules_and_channels_are_kept(store: AlertStore) -> None:
    store.put(DOCUMENT, NOW)

    assert store.rules()["charged"].rule == CHARGED
    assert sorted(store.channels()) == ["hook", "phone"]


def test_rule_that_is_another_begins_anew(store: AlertStore) -> None:
    store.put(DOCUMENT, NOW)
    state = RuleState.first(CHARGED)
    store.note({RuleKey("charged", "leaf"): state}, [])
    store.put(DOCUMENT, NOW + 1)
    assert store.states() == {RuleKey("charged", "leaf"): state}
    assert store.rules()["charged"].changed_at == NOW

    store.put(Document(1, (Rule("charged", OnFact(FactKind.TRIP)),)), NOW + 2)

    assert store.states() == {}
    assert store.rules()["charged"].changed_at == NOW + 2


def test_alert_is_kept_once(store: AlertStore) -> None:
    assert len(store.note({}, [noted("1"), noted("2")])) == 2
    assert store.note({}, [noted("1")]) == []

    assert [one.key for one in store.alerts(limit=10)] == ["2", "1"]


def test_alerts_are_told_page_by_page(store: AlertStore) -> None:
    store.note({}, [noted(str(n)) for n in range(5)])

    first = store.alerts(limit=2)
    rest = store.alerts(limit=10, before=first[-1].number)

    assert [one.key for one in [*first, *rest]] == ["4", "3", "2", "1", "0"]


def test_acknowledged_alert_is_not_open(store: AlertStore) -> None:
    store.note({}, [noted("1"), noted("2")])
    [two, one] = store.alerts(limit=10)

    assert store.acknowledge(one.id, NOW + 5).acknowledged_at == NOW + 5
    assert store.acknowledge(one.id, NOW + 9).acknowledged_at == NOW + 5

    assert store.alerts(limit=10, is_open=True) == [two]
    with pytest.raises(UnknownAlert):
        store.acknowledge("none", NOW)


def test_messages_are_due_one_of_each_channel_oldest_first(store: AlertStore) -> None:
    messages = MessageStore(store.database)
    store.note({}, [noted(key, channels=("phone", "hook")) for key in "123"])

    due = messages.due(NOW)
    assert {name: one.message.text for name, one in due.items()} == {
        "phone": "text 1",
        "hook": "text 1",
    }
    messages.delivered(due["phone"], NOW)
    assert messages.due(NOW, but=["hook"])["phone"].message.text == "text 2"


def test_message_is_tried_again_until_it_is_old(store: AlertStore) -> None:
    messages = MessageStore(store.database)
    store.note({}, [noted("1"), noted("2", send_at_ns=None)])
    [due] = messages.due(NOW).values()

    assert messages.failed(due, "no", NOW, retry_s=5)
    assert messages.due(NOW + 4 * NS_PER_S) == {}
    assert messages.next_due() == NOW + 5 * NS_PER_S
    [again] = messages.due(NOW + 5 * NS_PER_S).values()
    assert not messages.failed(again, "no", NOW + NS_PER_DAY, retry_s=5)

    assert messages.due(NOW + 2 * NS_PER_DAY) == {}
    assert messages.counts() == {"failed": 1}


def test_waits_grow_and_are_bounded() -> None:
    waits = [wait_s(attempts, part=0.5) for attempts in range(1, 40)]

    assert waits[:3] == [5, 10, 20]
    assert waits == sorted(waits)
    assert waits[-1] == 3600


def test_what_is_removed_is_not_sent(store: AlertStore) -> None:
    store.put(DOCUMENT, NOW)
    messages = MessageStore(store.database)
    store.note({}, [noted("1", channels=("phone", "hook"))])

    store.remove_channel("hook")
    assert list(messages.due(NOW)) == ["phone"]
    store.remove_rule("charged")
    assert messages.due(NOW) == {}
    for remove in (store.remove_rule, store.remove_channel):
        with pytest.raises(UnknownAlert, match="none"):
            remove("none")


def test_erased_car_leaves_nothing(store: AlertStore) -> None:
    alone = Rule("alone", CHARGED.on, vehicles=("leaf",))
    both = Rule("both", CHARGED.on, vehicles=("leaf", "zoe"))
    store.put(Document(1, (CHARGED, alone, both)), NOW)
    store.note({RuleKey("charged", "leaf"): RuleState.first(CHARGED)}, [noted("1")])

    assert store.forget("leaf") == 4

    assert {name: kept.rule.vehicles for name, kept in store.rules().items()} == {
        "both": ("zoe",),
        "charged": (),
    }
    assert store.alerts(limit=10) == []
    assert store.states() == {}
    assert MessageStore(store.database).counts() == {}


def test_key_is_made_once(store: AlertStore) -> None:
    assert [store.key("push", "a"), store.key("push", "b")] == ["a", "a"]
