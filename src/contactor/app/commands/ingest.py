"""`contactor ingest`: one of several ingests of a fleet, over a broker of its own."""

import argparse

from contactor.app.folder import DataFolder
from contactor.app.ingest import run_ingest
from contactor.app.lake_place import add_lake_option, settle_lake
from contactor.app.settings import add_data_option, add_option
from contactor.cloud.ingest.partition import Partition
from contactor.errors import UsageError
from contactor.link.nats.address import read_addresses


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_option(
        parser,
        "--partition",
        default="1/1",
        metavar="K/N",
        help="which of how many ingests this is, default 1/1",
    )
    add_option(parser, "--link", metavar="URL", help="the broker's url, or a cluster's")
    add_data_option(parser)
    add_lake_option(parser)


def run(args: argparse.Namespace) -> int:
    """Take and commit until SIGINT or SIGTERM."""
    partition = Partition.parse(args.partition)
    if not args.link:
        raise UsageError("no --link given: nats://[USER:PASSWORD@]HOST:PORT of the broker")
    read_addresses(args.link)
    folder = DataFolder.create(args.data)
    settle_lake(folder, args.lake)
    return run_ingest(folder, partition=partition, link=args.link)
