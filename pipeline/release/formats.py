"""The formats of a shard: how its clips are written, and how some are taken out again."""

import hashlib
import io
import re
import shutil
import tarfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet as pq

from manifests.media import sha256_of

pc: Any = pyarrow.compute  # its functions are made when it is imported, where no type checker sees them

SUFFIX = {"webdataset": ".tar", "parquet": ".parquet", "folder": ""}
GROUP_BYTES = 32 * 2**20  # of media in a row group of Parquet: what a reader holds at a time
VIDEO = "video"


def sha256_of_files(path: Path) -> str:
    """Of a file; of a folder, of the lines `<sha256> <file>` of what it holds."""
    if path.is_file():
        return sha256_of(path)
    lines = "".join(f"{sha256_of(file)} {file.name}\n" for file in sorted(path.iterdir()))
    return hashlib.sha256(lines.encode()).hexdigest()


def bytes_of(path: Path) -> int:
    """Of a file, or of all that a folder holds."""
    return path.stat().st_size if path.is_file() else sum(file.stat().st_size for file in path.iterdir())


def key_of(clip_id: str) -> str:
    """The name of a clip's files: without dots, which would end a WebDataset key, and without slashes.

    >>> key_of("yt-3fk2/012480-018960/t1")
    'yt-3fk2__012480-018960__t1'
    """
    key = clip_id.replace("/", "__")
    plain = re.sub(r"[^A-Za-z0-9_-]", "-", key)
    return plain if plain == key else f"{plain}-{hashlib.sha256(clip_id.encode()).hexdigest()[:8]}"


def _write_tar(made: Path, table: pa.Table, lines: list[str], media: Iterable[Path]) -> None:
    with tarfile.open(made, "w", format=tarfile.PAX_FORMAT) as tar:
        for key, line, path in zip(table["key"].to_pylist(), lines, media, strict=True):
            _add(tar, f"{key}.json", io.BytesIO(line.encode()), len(line.encode()))
            with path.open("rb") as stream:
                _add(tar, f"{key}{path.suffix}", stream, path.stat().st_size)


def _add(tar: tarfile.TarFile, name: str, stream: Any, size: int) -> None:
    info = tarfile.TarInfo(name)  # its owner, mode and time are the same for everybody
    info.size = size
    tar.addfile(info, stream)


def _write_parquet(made: Path, table: pa.Table, _lines: list[str], media: Iterable[Path]) -> None:
    writer = parquet_writer(made, table.schema.append(pa.field(VIDEO, pa.binary())))
    with writer:
        first, videos = 0, []
        for number, path in enumerate(media, 1):
            videos.append(path.read_bytes())
            if sum(map(len, videos)) >= GROUP_BYTES or number == table.num_rows:
                part = table.slice(first, len(videos)).append_column(VIDEO, pa.array(videos, pa.binary()))
                writer.write_table(part, row_group_size=len(videos))
                first, videos = number, []


def parquet_writer(made: Path, schema: pa.Schema) -> pq.ParquetWriter:
    """A writer that neither packs nor counts the videos."""
    columns: Any = [name for name in schema.names if name != VIDEO]
    packed: Any = {**dict.fromkeys(columns, "zstd"), VIDEO: "none"}
    return pq.ParquetWriter(
        made, schema.remove_metadata(), compression=packed, use_dictionary=columns, write_statistics=columns
    )


def _write_folder(made: Path, table: pa.Table, lines: list[str], media: Iterable[Path]) -> None:
    made.mkdir()
    for key, line, path in zip(table["key"].to_pylist(), lines, media, strict=True):
        (made / f"{key}.json").write_text(line)
        shutil.copyfile(path, made / f"{key}{path.suffix}")


WRITE: dict[str, Callable[[Path, pa.Table, list[str], Iterable[Path]], None]] = {
    "webdataset": _write_tar,
    "parquet": _write_parquet,
    "folder": _write_folder,
}


def _tar_without(old: Path, new: Path, gone: set[str]) -> None:
    keys = {key_of(clip) for clip in gone}
    with tarfile.open(old) as tar, tarfile.open(new, "w", format=tarfile.PAX_FORMAT) as left:
        for member in tar:
            if member.name.rpartition(".")[0] not in keys:
                left.addfile(member, tar.extractfile(member))


def _parquet_without(old: Path, new: Path, gone: set[str]) -> None:
    with pq.ParquetFile(old) as file, parquet_writer(new, file.schema_arrow) as writer:
        for group in range(file.num_row_groups):
            rows = file.read_row_group(group)
            left = rows.filter(pc.invert(pc.is_in(rows["clip_id"], pa.array(sorted(gone), pa.string()))))
            if left.num_rows:
                writer.write_table(left, row_group_size=left.num_rows)


def _folder_without(old: Path, new: Path, gone: set[str]) -> None:
    keys = {key_of(clip) for clip in gone}
    new.mkdir()
    for path in sorted(old.iterdir()):
        if path.stem not in keys:
            shutil.copyfile(path, new / path.name)


WITHOUT: dict[str, Callable[[Path, Path, set[str]], None]] = {
    "webdataset": _tar_without,
    "parquet": _parquet_without,
    "folder": _folder_without,
}
