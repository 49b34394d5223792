"""What every test may use: the recordings, hypothesis profiles, and an account of what was skipped.

make test                      a skip is listed with its reason
CI=true make test              a skip fails the run, unless its data are missing
"""

import os
from collections import Counter
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

REPOSITORY = Path(__file__).resolve().parent.parent
DATA_MISSING = "shared data missing"

os.environ.setdefault("CONTACTOR_NO_AUTH", "1")  # but where a test asks for a login

settings.register_profile("default", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.register_profile(
    "fuzz",
    deadline=None,
    max_examples=20_000,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("ci" if os.environ.get("CI") else "default")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The real recordings; a test that asks for them is skipped where they are not."""
    path = Path(os.environ.get("CONTACTOR_TEST_DATA") or REPOSITORY.parent / "shared" / "data")
    if not path.is_dir():
        pytest.skip(f"{DATA_MISSING}: {path}")
    return path


def skips(config: pytest.Config) -> Counter[str]:
    """How many tests each reason skipped."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    reports = reporter.stats.get("skipped", []) if reporter else []
    reasons = (r.longrepr[2] if isinstance(r.longrepr, tuple) else r.longrepr for r in reports)
    return Counter(str(reason).removeprefix("Skipped: ") for reason in reasons)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI every skip but for missing data fails the run: a test nobody runs proves nothing."""
    is_worker = hasattr(session.config, "workerinput")
    if is_worker or not os.environ.get("CI") or session.exitstatus != pytest.ExitCode.OK:
        return
    if any(not reason.startswith(DATA_MISSING) for reason in skips(session.config)):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> Generator[None, None, None]:
    """The count of skipped tests by reason, last before pytest's closing line."""
    yield
    reasons = skips(config)
    terminalreporter.section("skipped")
    terminalreporter.line(f"{reasons.total()} tests skipped")
    for reason, count in reasons.most_common():
        is_allowed = reason.startswith(DATA_MISSING) or not os.environ.get("CI")
        terminalreporter.line(f"{count:6} {reason}{'' if is_allowed else '  <- fails in CI'}")
