"""What a generation system needs on this machine: an interpreter, the authors' code, their weights; and what of it is
missing.

All lies in `<cache>/systems/<name>/`: `checkout` (the authors' code at the card's commit, or a link to a user's own),
`weights/`, `env-<lock>/` (made from the lock beside the adapter), and `python`, a text file with the path of a user's
own interpreter where one was named.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from manifests.cache import cache_folder
from manifests.errors import UsageError, WeightError
from manifests.media import sha256_of
from operators.generate.cards import UNKNOWN, Card, SystemWeight

READY = "READY"  # in an environment, with the sha256 of the lock it was made from: written last


@dataclass(frozen=True)
class Home:
    """The folder of one system on this machine."""

    card: Card

    @property
    def folder(self) -> Path:
        return cache_folder() / "systems" / self.card.name

    @property
    def checkout(self) -> Path:
        return self.folder / "checkout"

    @property
    def environment(self) -> Path:
        return self.folder / f"env-{self.card.lock_sha256[:12] or 'none'}"

    def python(self) -> str | None:
        """The interpreter: the user's own where one was named, headset's for floors that need no more, else that of the
        environment; None where there is none.
        """
        named = self.folder / "python"
        if named.is_file():
            return named.read_text().strip()
        if self.card.floor and self.card.kind == "command":
            return sys.executable
        ready = self.environment / READY
        made = ready.is_file() and ready.read_text() == self.card.lock_sha256
        return str(self.environment / "bin" / "python") if made else None

    def weight_path(self, weight: SystemWeight) -> Path | None:
        """Where a model file lies: in HEADSET_WEIGHTS, in its folder of the system's name, or in the system's home."""
        given = os.environ.get("HEADSET_WEIGHTS")
        places = [Path(given, self.card.name), Path(given)] if given else []
        return next(
            (place / weight.file for place in (*places, self.folder / "weights") if (place / weight.file).is_file()),
            None,
        )

    def missing(self, random: bool = False) -> list[str]:
        """What must be had before anything is generated, in sentences; empty when all is there."""
        if self.card.refusal:
            return [self.card.refusal]
        name, told = self.card.name, []
        if self.python() is None:
            how = (
                f"`headset systems fetch {name}` makes one from its lock; "
                if self.card.lock_sha256
                else "it has no lock: "
            )
            told.append(f"an environment: {how}`headset systems fetch {name} --python PATH` names one of your own")
        if self.card.repository and not self.checkout.is_dir():
            told.append(f"the authors' code: `headset systems fetch {name}` gets it, `--checkout DIR` names yours")
        told += (
            [] if random else [self._told(weight) for weight in self.card.weights if self.weight_path(weight) is None]
        )
        return told

    def _told(self, weight: SystemWeight) -> str:
        where = f" from {weight.address}" if weight.address != UNKNOWN else ", whose address is not known to us"
        return (
            f"{weight.file} (licence {weight.licence}){where}: put it into {self.folder / 'weights'}, or into"
            f" HEADSET_WEIGHTS/{self.card.name}"
        )

    def check(self, random: bool = False) -> None:
        """
        Raises:
            UsageError: for a system that cannot run here, with all that is missing.
            WeightError: where only model files are missing, or one is not what the card says.
        """
        if self.card.refusal:
            raise UsageError(self.card.refusal)
        if missing := self.missing(random):
            weights = {self._told(weight) for weight in self.card.weights}
            kind = WeightError if set(missing) <= weights else UsageError
            raise kind(
                f"{self.card.name} cannot run here yet. Missing:\n" + "\n".join(f"  - {line}" for line in missing)
            )
        if not random:
            self.weights_sha256()

    def weights_sha256(self) -> dict[str, str]:
        """By file the sha256 of each model file.

        Raises:
            WeightError: for one that is missing, or not what the card says.
        """
        found = {}
        for weight in self.card.weights:
            if (path := self.weight_path(weight)) is None:
                raise WeightError(self._told(weight))
            found[weight.file] = sha256_of(path)
            if weight.sha256 not in (UNKNOWN, found[weight.file]):
                raise WeightError(
                    f"{path} is not {weight.file} of {self.card.title}: its sha256 is {found[weight.file]}, not"
                    f" {weight.sha256}"
                )
        return found

    def link_weights(self) -> None:
        """Links each model file into `weights/` of the home, where the adapter looks."""
        for weight in self.card.weights:
            place, path = self.folder / "weights" / weight.file, self.weight_path(weight)
            if path is not None and path != place:
                place.parent.mkdir(parents=True, exist_ok=True)
                place.unlink(missing_ok=True)
                place.symlink_to(path)

    def code_version(self) -> str:
        """The commit of the checkout, or, of a folder that is no clone, the sha256 of its Python files; "+edited" after
        a commit that was edited.
        """
        if not self.checkout.is_dir():
            return ""
        top = _git(self.checkout, "rev-parse", "--show-toplevel")
        if top and os.path.samefile(top, self.checkout):
            return (_git(self.checkout, "rev-parse", "HEAD") or "") + (
                "+edited" if _git(self.checkout, "status", "--porcelain", "-uno") else ""
            )
        seen = hashlib.sha256()
        for path in sorted(self.checkout.resolve().rglob("*.py")):
            seen.update(f"{path.relative_to(self.checkout.resolve())}\n{sha256_of(path)}\n".encode())
        return f"files-{seen.hexdigest()[:12]}"

    # Getting it.

    def use_python(self, path: str) -> None:
        """Names the user's own interpreter.

        Raises:
            UsageError: for a path where there is none.
        """
        if not (found := shutil.which(path)):
            raise UsageError(f"{path} is no program that can be run")
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "python").write_text(os.path.abspath(found) + "\n")

    def use_checkout(self, folder: str) -> None:
        """Names the user's own copy of the authors' code.

        Raises:
            UsageError: where there is no folder.
        """
        if not Path(folder).is_dir():
            raise UsageError(f"{folder} is no folder")
        self.folder.mkdir(parents=True, exist_ok=True)
        self._forget_checkout()
        self.checkout.symlink_to(Path(folder).resolve(), target_is_directory=True)

    def fetch_checkout(self) -> None:
        """Clones the authors' code at the card's commit.

        Raises:
            UsageError: where git cannot.
        """
        if not self.card.repository or self.checkout.is_dir():
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        part = self.folder / "checkout.part"
        with _locked(self.folder):
            shutil.rmtree(part, ignore_errors=True)
            address = f"https://github.com/{self.card.repository}"
            for command in (
                ["clone", "--quiet", address, str(part)],
                ["-C", str(part), "checkout", "--quiet", "--detach", self.card.commit],
            ):
                done = subprocess.run(
                    ["git", *command], capture_output=True, text=True, env={**os.environ, "GIT_TERMINAL_PROMPT": "0"}
                )
                if done.returncode:
                    said = done.stderr.strip().splitlines()[-1:] or ["no words"]
                    raise UsageError(
                        f"git cannot get {self.card.repository} at {self.card.commit}: {said[0]}. "
                        f"`headset systems fetch {self.card.name} --checkout DIR` takes a copy of yours"
                    )
            part.rename(self.checkout)

    def make_environment(self) -> None:
        """Makes the environment from the lock beside the adapter, by uv where it is installed, else by venv and pip.
        What has no READY is made anew.

        Raises:
            UsageError: where there is no lock, or the tool cannot.
        """
        if self.python() is not None:
            return
        name = self.card.name
        if not self.card.lock_sha256:
            raise UsageError(
                f"{name} has no lock to make an environment from; `headset systems fetch {name} --python PATH` names"
                " one of your own"
            )
        self.folder.mkdir(parents=True, exist_ok=True)
        with _locked(self.folder):
            shutil.rmtree(self.environment, ignore_errors=True)
            python = str(self.environment / "bin" / "python")
            if uv := shutil.which("uv"):
                steps = [[uv, "venv", "-q", "--python", self.card.requires_python or "3", str(self.environment)],
                         [uv, "pip", "sync", "-q", "--python", python, "--require-hashes",
                          str(self.card.lock)]]  # fmt: skip
            else:
                steps = [[sys.executable, "-m", "venv", str(self.environment)],
                         [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-deps",
                          "--require-hashes", "-r", str(self.card.lock)]]  # fmt: skip
            for step in steps:
                done = subprocess.run(step, capture_output=True, text=True)
                if done.returncode:
                    raise UsageError(f"the environment of {name} cannot be made: {done.stderr.strip()[-1000:]}")
            (self.environment / READY).write_text(self.card.lock_sha256)

    def _forget_checkout(self) -> None:
        if self.checkout.is_symlink():
            self.checkout.unlink()
        elif self.checkout.is_dir():
            raise UsageError(f"{self.checkout} is there already; delete it first")


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One process at a time, of all machines that share the disk."""
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _git(folder: Path, *words: str) -> str:
    try:
        return subprocess.run(
            ["git", "-C", str(folder), *words], capture_output=True, text=True, check=True
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
