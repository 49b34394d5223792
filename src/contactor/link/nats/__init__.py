"""The link over NATS with JetStream.

    put ──► stream CONTACTOR_UP (on disk, bounded, refuses when full) ──► consumer NAME ──► take
    publish ──► core NATS, kept nowhere ──► subscribe

Nothing here trusts the broker's disk. Whoever takes makes stream and consumer, and makes them again
after every error; whoever puts treats a missing stream as a lost link.

    transport = NatsTransport("nats://contactor:secret@127.0.0.1:4222", name="agent")
    await transport.wait_connected(timeout_s=5.0)
    await transport.put(topics.uplink("leaf"), payload, message_id="1-1")
    await transport.close()
"""

from contactor.link.nats.transport import NatsTransport

__all__ = ["NatsTransport"]
