"""The whole API under requests made from its own description by somebody else's tool, as several.

No answer is a failure of the server, or other than described. `CONTACTOR_FUZZ_REQUESTS` says how
many requests each operation gets; where it is set, each role asks, and those at the edges of the
description come besides.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.app.processes import RunningInstance
from tests.faces.test_roles import instance, people  # noqa: F401  # the same instance and people

pytestmark = pytest.mark.processes

REQUESTS = os.environ.get("CONTACTOR_FUZZ_REQUESTS")
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
)
LIMIT_S = 3_600
ROLES = ("owner", "operator", "driver", "guest", "viewer", "workshop", "maker")
WHO = (
    ("owner", "driver@leaf")
    if not REQUESTS
    else ("nobody", *ROLES, *(f"{role}@leaf" for role in ROLES), "third party@leaf")
)


@pytest.mark.parametrize("who", WHO)
def test_every_answer_is_as_described(
    instance: RunningInstance,  # noqa: F811
    people: dict[str, dict[str, str]],  # noqa: F811
    tmp_path: Path,
    who: str,
) -> None:
    shown = [f"{name}: {value}" for name, value in people[who].items()]
    headers = [word for one in shown for word in ("--header", one)]
    url = f"{instance.document()['url']}/api/v1/openapi.json"
    command = [str(Path(sys.executable).parent / "st"), "run", url, *headers]
    phases = "coverage,fuzzing" if REQUESTS else "fuzzing"
    options = ["--max-examples", REQUESTS or "3", "--phases", phases, "--seed", "1"]
    options += ["--checks", ",".join(CHECKS), "--no-color", "--request-timeout", "60"]
    ended = subprocess.run(
        [*command, *options],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    told = ended.stdout[ended.stdout.find("FAILURES") :]
    short = "\n".join(line[:300] for line in told.splitlines() if line.strip())
    assert ended.returncode == 0, short[:6000] or ended.stderr[-2000:]
