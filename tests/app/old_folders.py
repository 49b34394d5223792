"""The data folders of released versions, unpacked: `folders/format-N.tar.zst`."""

import io
import json
import tarfile
from pathlib import Path

import zstandard

FOLDERS = Path(__file__).parent / "folders"
OLD = sorted(int(path.name[7:-8]) for path in FOLDERS.glob("format-*.tar.zst"))


def unpack(number: int, root: Path) -> Path:
    """The folder of that format, as a stranger's tar would unpack it."""
    packed = (FOLDERS / f"format-{number}.tar.zst").read_bytes()
    plain = zstandard.ZstdDecompressor().stream_reader(packed).read()
    with tarfile.open(fileobj=io.BytesIO(plain)) as tar:
        tar.extractall(root, filter="data")
    return root


def told(number: int) -> dict[str, object]:
    """What the program that wrote it said of it."""
    return json.loads((FOLDERS / f"format-{number}.json").read_text())
