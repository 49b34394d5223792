"""A bus of python-can: where somebody else's tool, or a real car, is attached. Its only driver.

bus = CanBus("udp_multicast", clock=clock)
bus.send(frames)
frames = bus.receive()          # what others have sent since, at most `MAX_AT_ONCE`
"""

from typing import Protocol

import can

from contactor.can.frames import FrameTable
from contactor.clock import NS_PER_S, Clock
from contactor.errors import LogError, UsageError

INTERFACES = ("virtual", "udp_multicast")
"""Buses that need no hardware, for `--bus`."""
MULTICAST_GROUP = "239.74.163.2"
"""python-can's own IPv4 group for `udp_multicast`."""
MAX_AT_ONCE = 1_000


class Bus(Protocol):
    """A bus beside the agent's own way."""

    def send(self, frames: FrameTable) -> None:
        """Put frames on the bus, in order.

        Raises:
            LogError: the bus refused.
        """
        ...

    def receive(self) -> FrameTable:
        """What others have sent since the last call; empty where nothing came.

        Raises:
            LogError: the bus failed.
        """
        ...


class CanBus:
    """A python-can bus without hardware.

    Args:
        interface: one of `INTERFACES`; `udp_multicast` stays on this machine (hop limit 0).
        channel: the bus's name; of `udp_multicast` the group's address.

    Raises:
        UsageError: another interface.
        LogError: it cannot be opened.
    """

    def __init__(self, interface: str, *, clock: Clock, channel: str | None = None) -> None:
        self._clock = clock
        if interface not in INTERFACES:
            raise UsageError(f"bus {interface!r}; allowed: {', '.join(INTERFACES)}")
        try:
            if interface == "udp_multicast":
                group = channel or MULTICAST_GROUP
                self._bus = can.Bus(channel=group, interface=interface, hop_limit=0)
            else:
                self._bus = can.Bus(channel=channel or "contactor", interface=interface)
        except (can.CanError, OSError) as error:
            raise LogError(f"bus {interface} cannot be opened: {error}") from error

    def send(self, frames: FrameTable) -> None:
        for row in range(len(frames)):
            frame = frames[row]
            message = can.Message(
                timestamp=frame.ts / NS_PER_S,
                arbitration_id=frame.can_id,
                is_extended_id=frame.is_extended,
                is_fd=frame.is_fd,
                data=frame.data,
            )
            try:
                self._bus.send(message)
            except (can.CanError, OSError) as error:
                raise LogError(f"bus refused a frame: {error}") from error

    def receive(self) -> FrameTable:
        messages: list[can.Message] = []
        try:
            while len(messages) < MAX_AT_ONCE:
                message = self._bus.recv(timeout=0)
                if message is None:
                    break
                messages.append(message)
        except (can.CanError, OSError) as error:
            # What was read before it is not lost; a bus that stays broken fails the next call.
            if not messages:
                raise LogError(f"bus failed: {error}") from error
        if not messages:
            return FrameTable.empty()
        now_ns = self._clock.now_ns()
        return FrameTable.of(
            ts=[now_ns] * len(messages),
            can_id=[message.arbitration_id for message in messages],
            data=[bytes(message.data) for message in messages],
            is_extended=[message.is_extended_id for message in messages],
            is_fd=[message.is_fd for message in messages],
            is_remote=[message.is_remote_frame for message in messages],
            is_error=[message.is_error_frame for message in messages],
        )

    def close(self) -> None:
        """Leave the bus."""
        self._bus.shutdown()
