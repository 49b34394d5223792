"""By which names and addresses this machine is reached: from itself, and from elsewhere.

    own = OwnNames.of("0.0.0.0")
    own.served          # what a certificate of its server must bear
    own.elsewhere       # what others are told, the best first

Nobody is asked: names and addresses are the kernel's own. That others find `NAME.local` needs a
responder on this machine (mDNS), which most have.
"""

import fcntl
import ipaddress
import re
import socket
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Self

HERE = ("localhost", "127.0.0.1", "::1")
EVERYWHERE = ("0.0.0.0", "::")
SIOCGIFADDR = 0x8915
"""Source: netdevice(7)."""
_NAME = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]{0,251}[a-z0-9])?")
_ROUTES = Path("/proc/net/route")
_ADDRESSES_6 = Path("/proc/net/if_inet6")


@dataclass(frozen=True, slots=True)
class OwnNames:
    """Names and addresses of this machine.

    Fields:
        served: all of them, those of itself among them.
        elsewhere: by which others reach it.
    """

    served: tuple[str, ...]
    elsewhere: tuple[str, ...]

    @classmethod
    def of(cls, host: str) -> Self:
        """Those of a server that listens on `host`, which may be every address."""
        names, addresses = host_names(socket.gethostname()), _addresses()
        listed = [] if host in EVERYWHERE else [plain(host)]
        served = dict.fromkeys([*HERE, *names, *addresses, *listed])
        # The last of the names is the one that others can find.
        told = listed or [*names[-1:], *addresses[:1]] or ["localhost"]
        return cls(tuple(served), tuple(told))


def host_names(name: str) -> list[str]:
    """What a machine of that name is called: by a bare name also in its own network."""
    found = name.lower().rstrip(".")
    if not _NAME.fullmatch(found) or found == "localhost":
        return []
    return [found] if "." in found else [found, f"{found}.local"]


def plain(host: str) -> str:
    """A host as certificates write it: an address in its shortest form, a name in small letters."""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return host.lower()


def _addresses() -> list[str]:
    """Of every interface, that of the way out first; without those that mean this machine alone."""
    way_out = _way_out()
    interfaces = sorted((name for _, name in socket.if_nameindex()), key=lambda n: n != way_out)
    found = [*filter(None, map(_address_4, interfaces)), *_addresses_6()]
    return [one for one in dict.fromkeys(found) if _is_reached(one)]


def _is_reached(address: str) -> bool:
    known = ipaddress.ip_address(address)
    return not (known.is_loopback or known.is_link_local or known.is_unspecified)


def _address_4(interface: str) -> str | None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        request = struct.pack("256s", interface.encode()[:15])
        try:
            answer = fcntl.ioctl(asked.fileno(), SIOCGIFADDR, request)
        except OSError:
            return None  # it has none
    return socket.inet_ntoa(answer[20:24])


def _addresses_6() -> list[str]:
    """From lines as `fe800000000000000000000000000001 02 40 20 80 eth0`."""
    lines = _lines(_ADDRESSES_6)
    return [str(ipaddress.IPv6Address(bytes.fromhex(line.split()[0]))) for line in lines]


def _way_out() -> str | None:
    """The interface of the default route, from lines as `eth0 00000000 0101A8C0 0003 ...`."""
    for line in _lines(_ROUTES)[1:]:
        interface, destination, *_ = line.split()
        if destination == "00000000":
            return interface
    return None


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="ascii").splitlines()
    except (OSError, ValueError):
        return []
