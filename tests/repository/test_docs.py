"""The documentation is tested: what exists is named in it, and nothing of one machine is."""

import os
import re
import runpy
import subprocess
import tomllib
from itertools import chain
from pathlib import Path

import pytest

from contactor.app.main import COMMANDS

REPOSITORY = Path(__file__).resolve().parents[2]
DOCS = REPOSITORY / "docs"
SOURCE = REPOSITORY / "src" / "contactor"

# Character classes keep these patterns from finding themselves.
FOREIGN = {
    "a registry's address": re.compile(
        r"[p]ypi\.org|[p]ythonhosted\.org|[n]pmjs\.(org|com)|[d]ebian\.org"
    ),
    "a path of one machine": re.compile(r"(?<![\w.}])/(work|root)/\w"),
}


def packages() -> list[str]:
    """Every package under src/contactor, dotted, without the root."""
    folders = (path.parent.relative_to(SOURCE) for path in SOURCE.rglob("*.py"))
    return sorted({".".join(folder.parts) for folder in folders if folder.parts})


def dependencies() -> list[str]:
    """The name of every package that pyproject.toml asks for."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    lists = [
        project["build-system"]["requires"],
        project["project"]["dependencies"],
        *project["project"]["optional-dependencies"].values(),
        *project["dependency-groups"].values(),
    ]
    names = {re.split(r"[^\w.-]", wanted)[0] for wanted in chain(*lists)}
    return sorted(names - {"contactor"})


def tracked_files() -> list[Path]:
    """What is in the repository, or would be at the next commit."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    paths = (REPOSITORY / name for name in listed.split("\0") if name)
    return [path for path in paths if path.is_file()]


def words(text: str) -> set[str]:
    return set(re.findall(r"[\w.-]*\w", text))


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_docs_name_every_command(command: str) -> None:
    pages = (path for path in DOCS.rglob("*.md") if path.name != "commands.md")  # it is made
    text = "\n".join(path.read_text() for path in pages)
    assert re.search(rf"\bcontactor {command}\b", text), f"`contactor {command}` is in no page"


@pytest.mark.parametrize("package", packages())
def test_architecture_names_every_package(package: str) -> None:
    assert package in words((DOCS / "architecture.md").read_text())


@pytest.mark.parametrize("dependency", dependencies())
def test_dependencies_says_why_for_every_one(dependency: str) -> None:
    rows = (DOCS / "dependencies.md").read_text().splitlines()
    row = next((row for row in rows if row.startswith(f"| {dependency} |")), None)
    assert row is not None, f"no row for {dependency}"
    assert all(cell.strip() for cell in row.strip("|").split("|"))


def test_readme_lists_the_debian_packages_of_the_tests() -> None:
    wanted = (REPOSITORY / ".ci" / "debian-packages").read_text().split()
    listed = re.findall(r"`([\w.+-]+)`", section("README.md", "Debian packages"))
    assert sorted(listed) == sorted(wanted)


def section(name: str, heading: str) -> str:
    """The text of one section of a Markdown file."""
    text = (REPOSITORY / name).read_text()
    found = re.search(rf"^## {heading}.*?\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"{name} has no section {heading!r}"
    return found[1]


def test_changelog_names_the_version_of_the_package() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    assert f"## {project['version']}" in (REPOSITORY / "CHANGELOG.md").read_text()


def test_every_package_has_an_init() -> None:
    """Import contracts and types are silent about a folder without one."""
    folders = {path.parent for path in SOURCE.rglob("*.py")}
    folders |= {
        parent for folder in folders for parent in folder.parents if SOURCE in parent.parents
    }
    assert not [str(folder) for folder in folders if not (folder / "__init__.py").is_file()]


def test_every_package_has_its_place_in_the_import_contract() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    (direction,) = (
        contract
        for contract in project["tool"]["importlinter"]["contracts"]
        if contract["id"] == "direction"
    )
    placed = words(" ".join(direction["layers"]))
    modules = [path for path in SOURCE.glob("*.py") if path.stem != "__init__"]
    rooms = [f"contactor.{path.stem}" for path in modules]
    rooms += [f"contactor.{package}" for package in packages()]
    homeless = [room for room in rooms if not is_placed(room, placed)]
    assert not homeless, f"no layer in pyproject.toml holds {homeless}"


def is_placed(room: str, placed: set[str]) -> bool:
    """A room is placed if a layer holds it, or if every layer below it is named by itself."""
    return any(
        room == layer or room.startswith(f"{layer}.") or layer.startswith(f"{room}.")
        for layer in placed
    )


def test_no_file_names_a_registry_or_a_path_of_one_machine() -> None:
    found = [
        f"{path.relative_to(REPOSITORY)}:{number}: {what}: {line.strip()[:80]}"
        for path in tracked_files()
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        for what, pattern in FOREIGN.items()
        if pattern.search(line)
    ]
    assert not found, "\n".join(found)


def test_every_page_is_in_the_navigation() -> None:
    navigation = (REPOSITORY / "mkdocs.yml").read_text()
    pages = [str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md")]
    assert not [page for page in pages if page not in navigation]


def test_page_of_commands_is_that_of_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("CONTACTOR_")]:
        monkeypatch.delenv(name)
    made = runpy.run_path(str(REPOSITORY / "tools" / "make_commands.py"))["page"]()
    kept = (DOCS / "reference" / "commands.md").read_text(encoding="utf-8")
    assert kept == made, "make it anew: .venv/bin/python -P tools/make_commands.py"
