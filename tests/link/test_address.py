"""What a link says, and that nothing is said in the clear beyond this machine."""

from pathlib import Path

import pytest

from contactor.errors import LinkError, UsageError
from contactor.link.nats.address import read_address, read_addresses


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.9.9", "[::1]", "LOCALHOST"])
def test_on_this_machine_it_may_be_in_the_clear(host: str) -> None:
    assert not read_address(f"nats://user:secret@{host}:4222").is_encrypted


@pytest.mark.parametrize(
    "host", ["garage.local", "192.0.2.7", "10.0.0.1", "0.0.0.0", "[fd00::7]", "localhost.example"]
)
def test_beyond_it_may_not(host: str) -> None:
    with pytest.raises(UsageError, match="it would be in the clear") as caught:
        read_address(f"nats://user:secret@{host}")
    assert f"allowed: tls://{host}:4222" in str(caught.value)
    assert "secret" not in str(caught.value)
    with pytest.raises(UsageError):
        read_addresses(f"nats://localhost,nats://{host}")
    address = read_address(f"tls://user:secret@{host}")
    assert (address.is_encrypted, address.host, address.port) == (True, host.strip("[]"), 4222)


def test_link_names_an_authority(tmp_path: Path) -> None:
    address = read_address(f"tls://a:b@localhost:1?authority={tmp_path}/a%20b.crt")
    assert address.authority == tmp_path / "a b.crt"
    assert address.shown == "tls://localhost:1"
    with pytest.raises(LinkError, match="cannot be read"):
        address.encryption()
    (tmp_path / "a b.crt").write_text("none")
    with pytest.raises(LinkError, match="cannot be read"):
        address.encryption()
