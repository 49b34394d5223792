"""Where the instance's own broker listens to cars: on this machine, or beyond it over TLS.

add_link_host_options(parser)
link_host_of(args)              # ("0.0.0.0", 4222); (None, None): this machine, the port it had
"""

import argparse

from contactor.app.settings import LOOPBACK, add_option, host, port


def add_link_host_options(parser: argparse.ArgumentParser) -> None:
    """--link-host, --link-port."""
    add_option(
        parser,
        "--link-host",
        type=host,
        metavar="HOST",
        help="where the broker listens to cars, over TLS; default this machine alone",
    )
    add_option(
        parser,
        "--link-port",
        type=port,
        default=0,
        metavar="PORT",
        help="port of the broker; default the one that it had, or a free one",
    )


def link_host_of(args: argparse.Namespace) -> tuple[str | None, int | None]:
    """What those options say: the host beyond this machine, and the port that is asked for."""
    is_beyond = args.link_host and args.link_host not in LOOPBACK
    return args.link_host if is_beyond else None, args.link_port or None
