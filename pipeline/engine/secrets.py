"""Secrets that a process of a cluster takes from a file, so that they stand in no description of a job.

Ray answers whoever may ask its dashboard with every variable of a job, name and value; only for browsers it leaves the
values out. So what travels with a job is where its secrets lie: HEADSET_SECRETS, a file of `NAME=value` lines, or a
folder with a file a name.
"""

import os
from pathlib import Path

from manifests.errors import UsageError


def load_secrets() -> None:
    """Puts what HEADSET_SECRETS names into this process's environment. What is set already stays as it is.

    Ray calls it in each worker of a job as it starts, and the command line as it does.

    Raises:
        UsageError: for a file that is not there or cannot be read as one. The text holds nothing of what is in it.
    """
    if place := os.environ.get("HEADSET_SECRETS"):
        for name, value in read_secrets(Path(place)).items():
            os.environ.setdefault(name, value)


def read_secrets(path: Path) -> dict[str, str]:
    """By name the values that a file or a folder holds.

    Raises:
        UsageError: naming the file and the line, never a value.
    """
    try:
        if path.is_dir():
            return {
                one.name: one.read_text().rstrip("\n")
                for one in sorted(path.iterdir())
                if one.is_file() and not one.name.startswith(".")
            }
        lines = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise UsageError(f"HEADSET_SECRETS names {path}, which cannot be read on this machine: {why}") from None
    found = {}
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.startswith("#"):
            name, equals, value = line.partition("=")
            if not equals or not name.isidentifier():
                raise UsageError(f"{path}, line {number}: write NAME=value")
            found[name] = value
    return found


def write_secrets(values: dict[str, str], path: Path) -> None:
    """Writes a file that `read_secrets` reads, for its owner alone.

    Raises:
        UsageError: for a value of several lines.
    """
    if several := [name for name, value in values.items() if "\n" in value]:
        raise UsageError(f"{several[0]} has several lines, which a file of NAME=value lines cannot hold; use a folder")
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        stream.writelines(f"{name}={value}\n" for name, value in sorted(values.items()))
