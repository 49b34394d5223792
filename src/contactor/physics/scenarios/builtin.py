"""The scenarios that come with the package."""

from functools import cache
from importlib.resources import files

from contactor.errors import UsageError
from contactor.physics.scenarios.read import read_scenario
from contactor.physics.scenarios.scenario import Scenario

SUFFIX = ".toml"


@cache
def scenario_names() -> tuple[str, ...]:
    """The names of all."""
    folder = files("contactor.physics.scenarios")
    found = [one.name.removesuffix(SUFFIX) for one in folder.iterdir() if one.name.endswith(SUFFIX)]
    return tuple(sorted(found))


@cache
def load_scenario(name: str) -> Scenario:
    """A scenario by name.

    Raises:
        UsageError: there is no such one.
    """
    return read_scenario(text_of(name), name=name, extended=text_of)


def text_of(name: str) -> str:
    """The file of a built-in scenario."""
    if name not in scenario_names():
        known = ", ".join(scenario_names())
        raise UsageError(f"unknown scenario {name[:80]!r}; known: {known}")
    folder = files("contactor.physics.scenarios")
    return folder.joinpath(f"{name}{SUFFIX}").read_text("utf-8")
