"""The wheel installs into an empty environment outside the clone and works there."""

import re
import zipfile
from pathlib import Path

import pytest

from tools import sizes


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sizes.build_wheel(tmp_path_factory.mktemp("dist"))


def test_wheel_holds_the_package_and_its_data_only(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    folders = {name.split("/")[0] for name in names}
    assert {folder.partition("-")[0] for folder in folders} == {"contactor"}
    assert "contactor/py.typed" in names
    assert not [name for name in names if "__pycache__" in name]


def test_wheel_carries_the_web_app(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    folder = "contactor/faces/web/static"
    page = archive.read(f"{folder}/index.html").decode()
    scripts = [name for name in archive.namelist() if re.search(r"/assets/.*\.js$", name)]
    assert scripts
    assert all(name.removeprefix(folder) in page for name in scripts)
    assert not [name for name in archive.namelist() if "node_modules" in name]


def test_base_size_fits_the_car(wheel: Path, tmp_path: Path) -> None:
    size = sizes.measure("base", wheel=wheel, folder=tmp_path)
    assert size.megabytes < sizes.BASE_LIMIT_MB
