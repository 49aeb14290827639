"""Prints the tests of what was changed since `main`, for `make test-fast`.

A test file is printed if it was changed, or if it imports a module that was.
"""

import re
import subprocess
from pathlib import Path

ALWAYS = "tests/architecture"


def changed_files() -> list[str]:
    """List what is not on main yet, committed or not."""
    since = subprocess.run(
        ["git", "merge-base", "HEAD", "main"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    commands = [
        ["git", "diff", "--name-only", "--diff-filter=d", since or "HEAD"],
        ["git", "ls-files", "--others", "--exclude-standard"],
    ]
    return [
        line
        for command in commands
        for line in subprocess.run(
            command, capture_output=True, text=True, check=True
        ).stdout.splitlines()
        if line.endswith(".py")
    ]


def import_of(path: str) -> str:
    """Match `import package.module` and `from package import module`."""
    module = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    package, _, name = module.rpartition(".")
    return rf"\b{re.escape(module)}\b|from {re.escape(package)} import .*\b{name}\b"


def tests_of(changed: list[str]) -> list[str]:
    """Find the test files that were changed or import what was."""
    imports = re.compile("|".join(map(import_of, changed)) or r"(?!)")
    return sorted(
        {
            str(path)
            for path in Path("tests").rglob("test_*.py")
            if str(path) in changed or imports.search(path.read_text())
        }
        | {ALWAYS}
    )


if __name__ == "__main__":
    print(*tests_of(changed_files()))  # noqa: T201 - this is what it is for
