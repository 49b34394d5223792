"""`contactor alerts`: be told when something happens to a car.

contactor alerts add alerts.toml
contactor alerts test phone
contactor alerts list --open
contactor alerts ack 5f0c9a3e7b124d68
contactor alerts rules
contactor alerts remove battery-low
contactor alerts warnings leaf --html leaf.html
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from contactor.app.output import print_json, print_table
from contactor.app.settings import add_data_option

if TYPE_CHECKING:
    from contactor.app.alerts import AskedAlerts
    from contactor.cloud.alerts.told import AlertNow, ChannelNow, RuleNow
    from contactor.cloud.alerts.warnings_told import WarningNow

LISTED = 50


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the actions and their options."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listed = actions.add_parser("list", help="what has fired, newest first")
    listed.add_argument("--open", action="store_true", help="only what nobody has acknowledged")
    listed.add_argument("--limit", type=int, default=LISTED, metavar="N", help="at most so many")
    added = actions.add_parser("add", help="keep the rules and channels of a file")
    added.add_argument("file", metavar="FILE", type=Path, help="TOML, or JSON if named .json")
    rules = actions.add_parser("rules", help="every rule and channel")
    removed = actions.add_parser("remove", help="forget a rule or a channel")
    removed.add_argument("name", metavar="NAME", help="as rules says it")
    seen = actions.add_parser("ack", help="acknowledge an alert: it is told no more")
    seen.add_argument("id", metavar="ID", help="as list says it")
    tested = actions.add_parser("test", help="send a message to a channel now")
    tested.add_argument("channel", metavar="CHANNEL", help="as rules says it")
    warned = actions.add_parser("warnings", help="what is odd about a car, and what shows it")
    warned.add_argument("vehicle", metavar="VEHICLE", help="as vehicles says it")
    warned.add_argument("--html", metavar="FILE", type=Path, help="write it with pictures")
    for action in (warned, listed, added, rules, removed, seen, tested):
        add_data_option(action)
        action.add_argument("--json", action="store_true", help="one JSON document on stdout")


def run(args: argparse.Namespace) -> int:
    """Do one action."""
    from contactor.app.alerts import open_alerts
    from contactor.cloud.alerts.document import read_document
    from contactor.errors import UsageError

    if args.action == "add":
        document = read_document(args.file)
        kept = open_alerts(args.data).put(document)
        return _print_rules(kept.rules, kept.channels, is_json=args.json)
    if args.action == "list" and args.limit < 1:
        raise UsageError(f"--limit {args.limit}; allowed: at least 1")
    return _act(args, open_alerts(args.data))


def _act(args: argparse.Namespace, alerts: "AskedAlerts") -> int:
    if args.action == "list":
        found = alerts.alerts(limit=args.limit, is_open=args.open)
        return _print_alerts(found, is_json=args.json)
    if args.action == "rules":
        return _print_rules(alerts.rules(), alerts.channels(), is_json=args.json)
    if args.action == "ack":
        seen = alerts.acknowledge(args.id)
        if args.json:
            print_json(seen)
            return 0
        return _print_alerts([seen], is_json=False)
    if args.action == "warnings":
        return _warn(args, alerts.warnings(args.vehicle))
    if args.action == "remove":
        alerts.remove(args.name)
        return _say({"removed": args.name}, f"removed {args.name}", is_json=args.json)
    message = alerts.test(args.channel)
    document = {"channel": args.channel, "message": message}
    return _say(document, f"{args.channel} has taken {message}", is_json=args.json)


def _warn(args: argparse.Namespace, warnings: "Sequence[WarningNow]") -> int:
    from contactor.app.warnings_page import warnings_page
    from contactor.whole_files import write_whole

    if args.html is not None:
        write_whole(args.html, warnings_page(args.vehicle, warnings))
    if args.json:
        print_json(warnings)
        return 0
    if not warnings:
        print(f"{args.vehicle}: nothing odd")
        return 0
    rows = [[one.kind, one.severity, one.since.partition("T")[0], one.text] for one in warnings]
    print_table(("warning", "severity", "since", "text"), rows)
    return 0


def _say(document: object, line: str, *, is_json: bool) -> int:
    if is_json:
        print_json(document)
    else:
        print(line)
    return 0


def _print_alerts(alerts: "Sequence[AlertNow]", *, is_json: bool) -> int:
    if is_json:
        print_json(alerts)
        return 0
    if not alerts:
        print("no alerts")
        return 0
    heads = ("id", "at", "vehicle", "rule", "severity", "seen", "sent", "text")
    rows = [
        [
            one.id,
            one.at.partition(".")[0].removesuffix("Z") + "Z",
            one.vehicle_id,
            one.rule,
            one.severity,
            "yes" if one.acknowledged_at else "no",
            _sent(one),
            one.text,
        ]
        for one in alerts
    ]
    print_table(heads, rows)
    return 0


def _sent(alert: "AlertNow") -> str:
    if not alert.is_sent:
        return "withheld"
    return ", ".join(f"{one.channel} {one.state}" for one in alert.deliveries) or "nowhere"


def _print_rules(
    rules: "Sequence[RuleNow]", channels: "Sequence[ChannelNow]", *, is_json: bool
) -> int:
    if is_json:
        print_json({"rules": rules, "channels": channels})
        return 0
    from contactor.cloud.alerts.words import told_at

    heads = ("rule", "severity", "vehicles", "when", "sent to")
    rows = [
        [
            one.rule.name,
            one.rule.severity,
            ", ".join(one.rule.vehicles) or "all",
            told_at(one.rule),
            ", ".join(one.rule.send_to) or "all",
        ]
        for one in rules
    ]
    if rows:
        print_table(heads, rows)
    if rows and channels:
        print()
    if channels:
        print_table(("channel", "kind", "goes to"), [[c.name, c.kind, c.place] for c in channels])
    if not rows and not channels:
        print("no rules")
    return 0
