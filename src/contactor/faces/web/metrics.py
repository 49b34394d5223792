"""What an instance counts, in the text form that Prometheus reads.

    metrics_text([Metric("contactor_records_total", "counter", "Records taken in.", {"": 12})])

Source: Prometheus text exposition format 0.0.4.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from contactor.cloud.alerts.alerts import Alerts
from contactor.cloud.commands.dispatcher import Dispatcher
from contactor.cloud.identities.desk import IdentityDesk
from contactor.cloud.ingest.follower import Follower
from contactor.cloud.ingest.ingest import Ingest
from contactor.cloud.twin.twin import Twin
from contactor.faces.web.live import Live

MEDIA_TYPE = "text/plain; version=0.0.4"


@dataclass(frozen=True, slots=True)
class Metric:
    """One measure and its samples by label set, as `state="done"`; "" for none."""

    name: str
    kind: Literal["counter", "gauge"]
    text: str
    samples: Mapping[str, int]


def metrics_text(metrics: Iterable[Metric]) -> str:
    """The metrics as one text."""
    lines = []
    for metric in metrics:
        lines += [f"# HELP {metric.name} {metric.text}", f"# TYPE {metric.name} {metric.kind}"]
        for labels, value in metric.samples.items():
            lines.append(f"{metric.name}{f'{{{labels}}}' if labels else ''} {value}")
    return "\n".join(lines) + "\n"


def alert_metrics(alerts: Alerts) -> list[Metric]:
    """What the alerts of a running instance count."""
    outbox, watch = alerts.outbox, alerts.watch
    messages = {
        'outcome="delivered"': outbox.delivered,
        'outcome="retried"': outbox.retried,
        'outcome="given up"': outbox.given_up,
    }
    return [
        Metric("contactor_alerts_total", "counter", "Alerts that fired.", {"": watch.fired}),
        Metric(
            "contactor_alerts_lost_total",
            "counter",
            "Alerts dropped while the database could not be written.",
            {"": watch.lost_noted},
        ),
        Metric(
            "contactor_alert_rules_failed_total",
            "counter",
            "Batches of rows that a rule failed at.",
            {"": watch.failed},
        ),
        Metric(
            "contactor_alert_messages_total",
            "counter",
            "Messages to channels, by what became of them.",
            messages,
        ),
    ]


def identity_metrics(desk: IdentityDesk) -> list[Metric]:
    """What the gate of a running instance counts."""
    knocks = {f'outcome="{outcome}"': count for outcome, count in desk.knocks.items()}
    text = "Cars that came to the broker, by what became of it."
    return [Metric("contactor_knocks_total", "counter", text, knocks)]


def instance_metrics(
    *, ingest: Ingest | Follower, twin: Twin, dispatcher: Dispatcher, live: Live
) -> list[Metric]:
    """What a running instance counts."""
    intake = ingest.intake
    stands = {f'state="{state}"': count for state, count in dispatcher.store.counts().items()}
    return [
        Metric("contactor_records_total", "counter", "Records taken in.", {"": intake.records}),
        Metric("contactor_rows_total", "counter", "Rows in them.", {"": intake.rows}),
        Metric("contactor_repeats_total", "counter", "Records had before.", {"": intake.repeats}),
        Metric(
            "contactor_out_of_order_total",
            "counter",
            "Records too far ahead, left for later.",
            {"": intake.out_of_order},
        ),
        Metric(
            "contactor_thrown_away_total",
            "counter",
            "Messages that name no record, beyond those that are kept.",
            {"": intake.thrown_away},
        ),
        Metric("contactor_commands", "gauge", "Commands kept, by state.", stands),
        Metric(
            "contactor_reports_ignored_total",
            "counter",
            "Reports about no open command of their sender.",
            {"": dispatcher.reports_ignored},
        ),
        Metric("contactor_twin_vehicles", "gauge", "Cars in the twin.", {"": len(twin.vehicles)}),
        Metric("contactor_live_sockets", "gauge", "Open live streams.", {"": live.sockets}),
        Metric(
            "contactor_live_parked",
            "gauge",
            "Live streams that take nothing and are told nothing until they do.",
            {"": twin.feed.parked},
        ),
        Metric(
            "contactor_live_merged_total",
            "counter",
            "Values that a newer one replaced before a slow stream took them.",
            {"": twin.feed.merged},
        ),
    ]
