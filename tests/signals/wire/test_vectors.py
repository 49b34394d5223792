"""The test vectors of docs/reference/wire.md, against the program and against the C of examples."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from contactor.signals.record import Gap, Record
from contactor.signals.wire.codebook import Codebook
from contactor.signals.wire.decode import decode_codebook, decode_gap, decode_record
from contactor.signals.wire.encode import encode_codebook, encode_gap, encode_record
from contactor.signals.wire.envelope import read_envelope
from tests.signals.wire.records import told
from tests.signals.wire.vectors import CODEBOOK, GAP, RECORDS, STREAM, VEHICLE

ROOT = Path(__file__).parents[3]
FIRMWARE = ROOT / "examples" / "firmware"
SECTION = re.compile(r"^### (.+?)\n\n```text\n(.+?)```", re.DOTALL | re.MULTILINE)


def vectors() -> dict[str, bytes]:
    """The bytes of each vector of the page, by its heading; what follows `;` are remarks."""
    page = (ROOT / "docs" / "reference" / "wire.md").read_text()
    return {
        name: bytes.fromhex("".join(line.partition(";")[0] for line in lines.splitlines()))
        for name, lines in SECTION.findall(page)
    }


def heading(name: str) -> str:
    return name[0].upper() + name[1:]


@pytest.mark.parametrize("name", RECORDS)
def test_a_record_is_written_and_read_as_the_page_says(name: str) -> None:
    payload = vectors()[heading(name)]
    codebook = Codebook(CODEBOOK.entries)
    assert encode_record(RECORDS[name], codebook) == payload
    assert codebook.id == CODEBOOK.id
    found = decode_record(read_envelope(payload), payload, CODEBOOK)
    assert told(found) == told(RECORDS[name])


def test_codebook_and_gap_are_written_and_read_as_the_page_says() -> None:
    payload, gap = vectors()["Codebook"], vectors()["Gap"]
    assert encode_codebook(VEHICLE, STREAM, CODEBOOK) == payload
    assert decode_codebook(read_envelope(payload), payload).entries == CODEBOOK.entries
    assert encode_gap(GAP) == gap
    assert decode_gap(read_envelope(gap), gap) == GAP


def test_every_vector_of_the_page_is_tested() -> None:
    assert set(vectors()) == {"Codebook", "Gap", *map(heading, RECORDS)}


def test_firmware_writes_what_the_page_says(tmp_path: Path) -> None:
    compiler = shutil.which("cc")
    assert compiler, "no C compiler 'cc'"
    sources = [str(FIRMWARE / name) for name in ("main.c", "contactor_wire.c")]
    strict = ("-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic")
    subprocess.run([compiler, *strict, "-o", tmp_path / "wire", *sources], check=True, timeout=60)
    printed = subprocess.run(
        [tmp_path / "wire"], check=True, capture_output=True, text=True, timeout=10
    ).stdout
    written = {
        name: bytes.fromhex(text)
        for name, text in (line.split(": ") for line in printed.splitlines())
    }
    assert set(written) == {"Codebook", "One row", "Even instants", "Gap"}
    assert written == {name: vectors()[name] for name in written}
    messages: list[Record | Gap] = []
    for name, payload in written.items():
        envelope = read_envelope(payload)
        if name == "Gap":
            messages.append(decode_gap(envelope, payload))
        elif name != "Codebook":
            codebook_message = written["Codebook"]
            codebook = decode_codebook(read_envelope(codebook_message), codebook_message)
            messages.append(decode_record(envelope, payload, codebook))
    assert [message.sequence for message in messages] == [1, 2, 8]
