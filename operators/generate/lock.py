"""The lock of a system's environment: every package with its version and the sha256 of the files that are installed.

pip chooses: it is asked what it would install on each Python that the card allows, and nothing is installed. A lock
names no index, so that it serves behind a mirror as well, and it serves the platform on which it was made.
"""

import json
import platform
import re
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from manifests.errors import UsageError
from operators.generate.cards import Card


def make_lock(card: Card, pythons: Sequence[str]) -> str:
    """The text of a lock, in pip's format of requirements with hashes.

    The first Python's versions hold for the others too, so that one lock has one version of everything.

    Args:
        pythons: interpreters with pip, one of each Python that the lock shall serve.

    Raises:
        UsageError: where pip finds no set of versions, or two Pythons need different ones.
    """
    if not card.dependencies:
        raise UsageError(f"{card.name} states no dependencies to lock")
    versions: dict[str, str] = {}
    hashes: dict[str, set[str]] = defaultdict(set)
    for python in pythons:
        for name, version, sha256 in _would_install(card, python, versions):
            if versions.setdefault(name, version) != version:
                raise UsageError(f"{card.name}: {python} needs {name} {version}, the first Python {versions[name]}")
            hashes[name].add(sha256)
    lines = [
        " \\\n".join([f"{name}=={versions[name]}", *(f"    --hash=sha256:{one}" for one in sorted(hashes[name]))])
        for name in sorted(versions)
    ]
    return "\n".join([f"# {platform.system()} {platform.machine()}, Python {card.requires_python}", *lines, ""])


def _would_install(card: Card, python: str, versions: dict[str, str]) -> list[tuple[str, str, str]]:
    """(name, version, sha256) of each package that pip would install."""
    with tempfile.TemporaryDirectory(prefix="headset-lock-") as folder:
        held = Path(folder, "versions.txt")
        held.write_text("".join(f"{name}=={version}\n" for name, version in versions.items()))
        asked = [python, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--quiet", "--report", "-"]
        done = subprocess.run(
            [*asked, "--disable-pip-version-check", "-c", str(held), *card.dependencies],
            capture_output=True,
            text=True,
        )
    if done.returncode:
        raise UsageError(f"pip finds no environment for {card.name} on {python}: {done.stderr.strip()[-1000:]}")
    found = []
    for package in json.loads(done.stdout)["install"]:
        name = re.sub(r"[-_.]+", "-", package["metadata"]["name"]).lower()  # as PEP 503 spells it
        found.append(
            (name, package["metadata"]["version"], package["download_info"]["archive_info"]["hashes"]["sha256"])
        )
    return found
