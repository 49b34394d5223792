"""The certificate that a broker shows, looked at before anything is said to it.

    der = await shown_certificate(read_address("tls://garage.local:4222"), timeout_s=5)

Whether it is to be believed, who asks has to know: nothing is checked here.
"""

import asyncio
import json
import ssl

from contactor.errors import LinkError
from contactor.link.nats.address import Address
from contactor.link.nats.connection import explain

LONGEST_LINE_BYTES = 64 * 1024


async def shown_certificate(address: Address, timeout_s: float) -> bytes:
    """The certificate, as DER.

    Raises:
        LinkError: nobody is there, or who is speaks no TLS.
    """
    try:
        async with asyncio.timeout(timeout_s):
            return await _look(address)
    except (OSError, TimeoutError, ValueError, EOFError) as error:
        raise LinkError(f"no broker at {address.shown}: {explain(error)}") from error


async def _look(address: Address) -> bytes:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    reader, writer = await asyncio.open_connection(
        address.host, address.port, limit=LONGEST_LINE_BYTES
    )
    try:
        # A broker says who it is, and then awaits a handshake. INFO {"tls_required": true, ...}
        kind, _, said = (await reader.readline()).partition(b" ")
        if kind != b"INFO" or not json.loads(said).get("tls_required"):
            raise ValueError("it speaks no TLS")
        await writer.start_tls(context, server_hostname=address.host)
        der = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    finally:
        writer.close()
    if not der:
        raise ValueError("it shows no certificate")
    return bytes(der)
