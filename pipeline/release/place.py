"""Where a release lies: a folder or `s3://bucket/prefix`, and its shards there.

What is read there may come from anybody, so a shard's name is held to a pattern, and no link out of the folder is
followed.
"""

import json
import os
import re
import shutil
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

from manifests.errors import OutsideRoot, StorageError
from manifests.manifest import Manifest
from manifests.names import inside, record
from pipeline.corpus_steps.pairs import lines_of
from pipeline.release.formats import sha256_of_files

SHARD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*-[0-9]{5,}(\.tar|\.parquet)?")


@dataclass(frozen=True)
class Shard:
    """One file of a release, or one folder of files."""

    name: str  # <split>-<number><suffix of the format>
    split: str
    sha256: str  # of a folder: of the lines `<sha256> <file>` of what it holds
    bytes: int
    plan: str  # of what it is made: with the same plan, it would be the same again
    clips: list[str]


@dataclass(frozen=True)
class Place:
    """Where a release lies."""

    to: str

    @cached_property
    def files(self) -> Manifest:
        """Its small files, read and written whole."""
        return Manifest(self.to)

    def put(self, made: Path, name: str) -> None:
        """Moves a finished file, or a folder of files, to its place."""
        if self.files.is_local:
            place = self.path(name)
            place.parent.mkdir(parents=True, exist_ok=True)
            part = place.with_name(f".{place.name}.part")
            if part.is_dir():
                shutil.rmtree(part)
            shutil.move(made, part)
            if place.is_dir():
                shutil.rmtree(place)
            os.replace(part, place)
            return
        for path in sorted(made.iterdir()) if made.is_dir() else [made]:
            self.files.storage.take(path, f"{name}/{path.name}" if made.is_dir() else name)
        if made.is_dir():
            shutil.rmtree(made)

    def get(self, name: str, folder: Path) -> Path:
        """A copy of a file, or of a folder of files, under a folder of this machine; the file itself where it lies on
        this machine.
        """
        if self.files.is_local:
            return self.path(name)
        folder.mkdir(parents=True, exist_ok=True)
        into = folder / Path(name).name
        if inside := self.files.names(name):
            into.mkdir(parents=True, exist_ok=True)
        for file in inside or [""]:
            self.files.storage.fetch(f"{name}/{file}" if file else name, into / file if file else into)
        return into

    def delete(self, name: str) -> None:
        if self.files.is_local:
            if (place := self.path(name)).is_dir():
                shutil.rmtree(place)
            else:
                place.unlink(missing_ok=True)
            return
        for file in self.files.names(name):
            self.files.delete(f"{name}/{file}")
        self.files.delete(name)

    def forget_state(self) -> None:
        """Deletes the notes by which a release that was cut short goes on."""
        for state in self.files.names(".state"):
            self.files.delete(f".state/{state}")
        if self.files.is_local:
            shutil.rmtree(Path(self.to, ".state"), ignore_errors=True)

    def has(self, shard: Shard) -> bool:
        """Whether a shard lies there with as many bytes as were noted; `holds` reads them."""
        return (
            self.files.storage.size(shard.name) or sum(size for _, size in self.files.storage.walk(shard.name))
        ) == shard.bytes

    def there(self, name: str) -> bool:
        """Whether a shard is there, whatever it holds."""
        return (
            self.path(name).exists()
            if self.files.is_local
            else bool(self.files.names(name)) or self.files.storage.size(name) is not None
        )

    def holds(self, shard: Shard) -> bool:
        """Whether a shard is there as it was noted. An object of a bucket appears whole, so its size tells."""
        if self.files.is_local:
            path = self.path(shard.name)
            return path.exists() and sha256_of_files(path) == shard.sha256
        inside = self.files.names(shard.name)
        if inside:
            return len(inside) == 2 * len(shard.clips)
        return self.files.storage.size(shard.name) == shard.bytes

    def path(self, name: str) -> Path:
        """Where a shard lies on this machine.

        Raises:
            OutsideRoot: where it, or a file of it, is a link out of the release.
        """
        path = inside(self.to, name)
        for file in path.iterdir() if path.is_dir() else []:
            inside(self.to, f"{name}/{file.name}")
        return path

    def shards(self) -> list[Shard]:
        """The shards of a finished release, in order; none where it is not finished.

        Raises:
            StorageError: where the index is not as headset writes it.
        """
        lines = (self.files.text("index.jsonl") or "").splitlines()
        return [self._shard(line, f"line {number} of {self.to}/index.jsonl") for number, line in enumerate(lines, 1)]

    def begun(self) -> list[Shard]:
        """The shards of a release that is not finished.

        Raises:
            StorageError: where a note is not as headset writes it.
        """
        names = [f".state/{name}" for name in self.files.names(".state") if name.endswith(".json")]
        return [self._shard(self.files.text(name) or "", f"{self.to}/{name}") for name in names]

    def _shard(self, text: str, where: str) -> Shard:
        try:
            shard = record(Shard, json.loads(text), where)
        except json.JSONDecodeError as error:
            raise StorageError(f"{where} is damaged: {error}") from None
        if not SHARD.fullmatch(shard.name):
            raise OutsideRoot(f"{where} names a shard {shard.name!r}, which headset does not; nothing of it is touched")
        return shard

    def write_index(self, shards: Iterable[Shard]) -> None:
        """Says which shards the release has."""
        self.files.put("index.jsonl", "".join(json.dumps(asdict(shard)) + "\n" for shard in shards).encode())

    def sweep(self) -> list[str]:
        """Removes what a killed `put` has left beside a shard. Returns the names."""
        if not self.files.is_local:
            return []
        found = sorted(
            path for path in Path(self.to).glob(".*.part") if SHARD.fullmatch(path.name[1:].removesuffix(".part"))
        )
        for path in found:
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        return [path.name for path in found]


def put_pairs(place: Place, manifest: Manifest, shards: Iterable[Shard]) -> None:
    """Writes which pairs of the corpus a release holds, so that a system is scored on the same ones anywhere."""
    if lines := lines_of(manifest, {clip for shard in shards for clip in shard.clips}):
        place.files.put("pairs.jsonl", lines)
    elif place.files.text("pairs.jsonl") is not None:
        place.files.delete("pairs.jsonl")
