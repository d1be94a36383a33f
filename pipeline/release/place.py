"""Where a release lies: a folder or `s3://bucket/prefix`, and its shards there."""

import json
import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from manifests.manifest import Manifest
from manifests.media import s3_client, s3_errors
from pipeline.corpus_steps.pairs import lines_of
from pipeline.release.formats import sha256_of_files


@dataclass(frozen=True)
class Shard:
    """One file of a release, or one folder of files."""

    name: str
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

    @property
    def _s3(self) -> tuple[str, str]:
        bucket, _, prefix = self.to.removeprefix("s3://").partition("/")
        return bucket, prefix.strip("/")

    def _key(self, name: str) -> str:
        return "/".join(part for part in (self._s3[1], name) if part)

    @cached_property
    def _client(self) -> Any:
        return s3_client()

    def put(self, made: Path, name: str) -> None:
        """Moves a finished file, or a folder of files, to its place."""
        if self.files.is_local:
            place = Path(self.to, name)
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
            key = f"{name}/{path.name}" if made.is_dir() else name
            with s3_errors(f"{self.to}/{key}"):
                self._client.upload_file(str(path), self._s3[0], self._key(key))
        shutil.rmtree(made) if made.is_dir() else made.unlink()

    def get(self, name: str, folder: Path) -> Path:
        """A copy of a file, or of a folder of files, under a folder of this machine; the file itself where it lies on this machine."""
        if self.files.is_local:
            return Path(self.to, name)
        folder.mkdir(parents=True, exist_ok=True)
        into = folder / Path(name).name
        if inside := self.files.names(name):
            into.mkdir(parents=True, exist_ok=True)
        for file in inside or [""]:
            with s3_errors(f"{self.to}/{name}/{file}"):
                self._client.download_file(self._s3[0], self._key(f"{name}/{file}" if file else name), str(into / file if file else into))
        return into

    def delete(self, name: str) -> None:
        if self.files.is_local:
            if (place := Path(self.to, name)).is_dir():
                shutil.rmtree(place)
            else:
                place.unlink(missing_ok=True)
            return
        for file in self.files.names(name):
            self.files.delete(f"{name}/{file}")
        self.files.delete(name)

    def holds(self, shard: Shard) -> bool:
        """Whether a shard is there as it was noted. On S3 an object appears whole, so its size tells."""
        if self.files.is_local:
            path = Path(self.to, shard.name)
            return path.exists() and sha256_of_files(path) == shard.sha256
        inside = self.files.names(shard.name)
        if inside:
            return len(inside) == 2 * len(shard.clips)
        there = self._client.list_objects_v2(Bucket=self._s3[0], Prefix=self._key(shard.name), MaxKeys=1).get("Contents", [])
        return bool(there) and there[0]["Key"] == self._key(shard.name) and there[0]["Size"] == shard.bytes

    def shards(self) -> list[Shard]:
        """The shards of a finished release, in order; none where it is not finished."""
        return [Shard(**json.loads(line)) for line in (self.files.text("index.jsonl") or "").splitlines()]

    def begun(self) -> list[Shard]:
        """The shards of a release that is not finished."""
        return [Shard(**self.files.load(f".state/{name}")) for name in self.files.names(".state")]


def put_pairs(place: Place, manifest: Manifest, shards: Iterable[Shard]) -> None:
    """Writes which pairs of the corpus a release holds, so that a system is scored on the same ones anywhere."""
    if lines := lines_of(manifest, {clip for shard in shards for clip in shard.clips}):
        place.files.put("pairs.jsonl", lines)
    elif place.files.text("pairs.jsonl") is not None:
        place.files.delete("pairs.jsonl")
