"""The table of commands is the one place that names them."""

import importlib
import pkgutil

import pytest

from contactor.app import commands
from contactor.app.main import COMMANDS, main, module_of


def test_each_module_is_a_command_of_the_table() -> None:
    modules = {module.name for module in pkgutil.iter_modules(commands.__path__)}
    assert modules == {module_of(name) for name in COMMANDS}


@pytest.mark.parametrize("name", COMMANDS)
def test_module_leaves_its_name_and_help_to_the_table(
    name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    module = importlib.import_module(f"contactor.app.commands.{module_of(name)}")
    assert not hasattr(module, "NAME")
    assert not hasattr(module, "HELP")
    with pytest.raises(SystemExit, match="0"):
        main([name, "--help"])
    assert COMMANDS[name] in capfd.readouterr().out
