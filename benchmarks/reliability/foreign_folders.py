"""Folders of strangers: corpora, releases, selections and media that try to reach beyond themselves, and what they
reached.

    python -m benchmarks.reliability.foreign_folders

Each case is a folder as an attacker would give it away, and the command a person would give on it, run as a person runs
it: as a process of its own without a terminal. Before and after, every file of the machine that the case might touch (a
folder of victims beside it) is compared by its bytes; a mark that hostile code would leave, and a secret that hostile
reading would copy, are looked for in all that was written or said. An effect is any of these. The exit status is 1
where there was one.
"""

import contextlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.reliability.stranger import SECRET, command, corpus, released, takedown
from manifests.manifest import Manifest
from manifests.tables import Clip, Published, Render, Source, Split


def index_named(name: str) -> Callable[[Path], str]:
    """A release whose index names a shard elsewhere, taken down and released anew."""

    def case(here: Path) -> str:
        corpus(here / "corpus")
        out = released(here)
        lines = [json.loads(line) for line in (out / "index.jsonl").read_text().splitlines()]
        (out / "index.jsonl").write_text(
            "".join(json.dumps({**line, "name": name, "clips": line["clips"][:1]}) + "\n" for line in lines)
        )
        told = takedown(here)
        return told + command(
            here, "release", str(here / "corpus"), "--out", str(out), "--format", "folder", "--name", "out"
        )

    return case


def linked_shard(here: Path) -> str:
    corpus(here / "corpus")
    out = released(here)
    (shard,) = out.glob("all-*")
    shard.rename(out / "kept")
    shard.symlink_to(here.parent / "victims")
    return takedown(here)


def state_of_a_stranger(here: Path) -> str:
    corpus(here / "corpus")
    out = released(here)
    (out / ".state").mkdir()
    line = json.loads((out / "index.jsonl").read_text().splitlines()[0])
    (out / ".state" / "x.json").write_text(json.dumps({**line, "name": "../../victims"}))
    return takedown(here)


def linked_media(here: Path) -> str:
    """The stranger knows what a file of ours holds, and has its copies deleted."""
    manifest = corpus(here / "corpus")
    row = next(row for row in manifest.table(Render).to_pylist() if row["source_id"] == "a")
    place = Path(manifest.root, row["media"])
    (victim := here.parent / "victims" / place.name).write_bytes(place.read_bytes())
    folder = place.parent
    place.unlink()
    folder.rmdir()
    folder.symlink_to(victim.parent)
    return takedown(here)


def linked_table(here: Path) -> str:
    manifest = corpus(here / "corpus")
    clips = Path(manifest.root, "clips", "MakeClips-000000000000")
    for file in clips.iterdir():
        file.rename(here.parent / "victims" / file.name)
    clips.rmdir()
    clips.symlink_to(here.parent / "victims")
    return takedown(here)


def step_elsewhere(here: Path) -> str:
    manifest = corpus(here / "corpus")
    run = manifest.run
    assert run
    step = asdict(run.steps[0]) | {"version": "../../../victims"}
    Path(manifest.root, "recipes", "made.json").write_text(json.dumps({**asdict(run), "steps": [step]}))
    return command(here, "status", manifest.root) + takedown(here)


def selection_elsewhere(here: Path) -> str:
    manifest = corpus(here / "corpus")
    command(here, "select", manifest.root, "--where", "seconds > 0", "--name", "hq")
    folder = Path(manifest.root, "selections", "hq")
    note = next(path for path in folder.glob("*.json") if path.name != "current.json")
    (here.parent / "victims" / "x.parquet").write_bytes(note.with_suffix(".parquet").read_bytes())
    note.write_text(json.dumps({**json.loads(note.read_text()), "name": "../../../victims", "version": "x"}))
    return takedown(here)


def splits_elsewhere(here: Path) -> str:
    manifest = corpus(here / "corpus")
    rows = [
        Split(clip["source_id"], f"{clip['clip_id']}/x", clip["clip_id"], "../../victims/x", "g")
        for clip in manifest.table(Clip).to_pylist()
    ]
    manifest.write_whole(Split, "SplitClips-000000000000", rows)
    return command(here, "release", manifest.root, "--out", str(here / "out"), "--format", "webdataset")


def scratch_elsewhere(here: Path) -> str:
    """A source whose id is a path: what was fetched in part of it is deleted with it."""
    manifest = Manifest(str(here / "corpus"))
    manifest.add([Source("../../../../victims", "https://example.org/a.mp4")])
    return command(here, "takedown", manifest.root, "--source", "../../../../victims", "--yes") + command(
        here, "takedown", manifest.root, "--source", "../../../../victims"
    )


def recipe_of_a_stranger(here: Path) -> str:
    mark = here.parent / "victims" / "ran"
    (here / "corpus").mkdir()
    (here / "corpus" / "recipe.py").write_text(f"import pathlib\npathlib.Path({str(mark)!r}).touch()\n")
    manifest = corpus(here / "corpus", origin=str(here / "corpus" / "recipe.py"))
    return command(here, "retry", manifest.root)


def where_of_a_stranger(where: str) -> Callable[[Path], str]:
    """A selection whose stored condition reads a file, compared with another."""

    def case(here: Path) -> str:
        manifest = corpus(here / "corpus")
        command(here, "select", manifest.root, "--where", "seconds > 0", "--name", "hq")
        command(here, "select", manifest.root, "--where", "seconds > 99", "--name", "none")
        for note in Path(manifest.root, "selections", "none").glob("*.json"):
            if note.name != "current.json":
                secret = here.parent / "victims" / "secret.txt"
                note.write_text(json.dumps({**json.loads(note.read_text()), "where": where.format(secret=secret)}))
        return command(here, "diff", f"{manifest.root}/@hq", f"{manifest.root}/@none")

    return case


def sql(query: str) -> Callable[[Path], str]:
    """A query out of a stranger's notebook."""

    def case(here: Path) -> str:
        manifest = corpus(here / "corpus")
        return command(here, "sql", manifest.root, query.format(victims=here.parent / "victims"), "--json")

    return case


def uri_of_a_stranger(here: Path) -> str:
    """A published clip of a source that is a file of ours: rebuilt, and what stands in its drops."""
    manifest = Manifest(str(here / "corpus"))
    row = Published("s", "list/x", "list", "x", 0.0, 1.0, None, None, 0.0, None, 0, 0, 1, 1, 1, 1, "", "", "")
    manifest.add([Source("s", str(here.parent / "victims" / "secret.txt"))], given=[row])
    return command(here, "rebuild", manifest.root, "--out", str(here / "again"), "--workers", "1", "--cpus", "1")


def pickle_in_parquet(here: Path) -> str:
    """A table whose schema asks for a Python type to be unpickled, as Arrow once did; and pickles that lie about."""
    manifest = corpus(here / "corpus")
    mark = here.parent / "victims" / "ran"
    evil = f"cbuiltins\nexec\n(S'import pathlib; pathlib.Path({str(mark)!r}).touch()'\ntR.".encode()
    (path,) = Path(manifest.root, "clips").glob("*/00000.parquet")
    rows = pq.read_table(path)
    field = pa.field(
        "clip_id",
        pa.string(),
        metadata={"ARROW:extension:name": "arrow.py_extension_type", "ARROW:extension:metadata": evil},
    )
    at = rows.schema.get_field_index("clip_id")
    pq.write_table(rows.cast(rows.schema.set(at, field)), path)
    for name in ("clips.pkl", "takedowns.pkl", "recipes/made.pkl"):
        Path(manifest.root, name).write_bytes(evil)
    return (
        command(here, "status", manifest.root)
        + command(here, "sql", manifest.root, "select * from clips")
        + takedown(here)
    )


def playlist(here: Path) -> str:
    """A folder of media: a playlist that names a file of ours, under the name of a video; and a list that does."""
    (here / "videos").mkdir()
    secret = here.parent / "victims" / "secret.txt"
    listed = f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://{secret}\n#EXT-X-ENDLIST\n"
    (here / "videos" / "film.mp4").write_text(listed)
    (here / "videos" / "film.mkv").write_text(f"ffconcat version 1.0\nfile '{secret}'\n")
    command(here, "run", "rebuild", str(here / "videos"), "--out", str(here / "again"), "--workers", "1", "--cpus", "1")
    return command(here, "sql", str(here / "again"), "select * from drops", "--json")


CASES: dict[str, Callable[[Path], str]] = {
    "release: a shard named ../../victims": index_named("../../victims"),
    "release: a shard named by an absolute path": index_named("{victims}"),
    "release: a note of an unfinished shard named ../../victims": state_of_a_stranger,
    "release: a shard that is a link": linked_shard,
    "corpus: splits named ../../victims/x": splits_elsewhere,
    "corpus: a folder of media that is a link": linked_media,
    "corpus: a folder of a table that is a link": linked_table,
    "corpus: a step named ../../../victims": step_elsewhere,
    "corpus: a source whose id is a path": scratch_elsewhere,
    "corpus: a recipe's file": recipe_of_a_stranger,
    "corpus: a source that is a file of ours": uri_of_a_stranger,
    "corpus: pickles": pickle_in_parquet,
    "selection: a name that is a path": selection_elsewhere,
    "selection: a condition that reads a file, as a number": where_of_a_stranger(
        "length((select content from read_text('{secret}'))) < 1"
    ),
    "selection: a condition that casts a file": where_of_a_stranger(
        "q > cast((select content from read_text('{secret}')) as double)"
    ),
    "query: COPY over a file": sql("copy (select 1) to '{victims}/kept.txt'"),
    "query: reads a file": sql("select content from read_text('{victims}/secret.txt')"),
    "query: attaches a database": sql("attach '{victims}/new.db' as d; create table d.t as select 1"),
    "media: playlists of our files under the names of videos": playlist,
}


def tried(case: Callable[[Path], str]) -> list[str]:
    """What a case reached: files of the victims that changed, came or went, and the secret where it was said or
    written.
    """
    with tempfile.TemporaryDirectory() as folder:
        here, victims = Path(folder, "stranger"), Path(folder, "victims")
        here.mkdir()
        victims.mkdir()
        (victims / "secret.txt").write_text(SECRET)
        (victims / "kept.txt").write_text("years of work")
        if case is CASES["release: a shard named by an absolute path"]:
            case = index_named(str(victims))
        before: dict[Path, bytes] = {}

        def seen() -> dict[Path, bytes]:
            return {path: path.read_bytes() for path in victims.rglob("*") if path.is_file()}

        # What a case itself lays into the folder of victims is there before the last command, which is what is judged.
        real = subprocess.run

        def watched(*arguments: object, **more: object) -> object:
            nonlocal before
            for path, content in seen().items():
                before.setdefault(path, content)
            return real(*arguments, **more)  # type: ignore[call-overload]

        subprocess.run = watched  # type: ignore[assignment]
        try:
            said = case(here)
        finally:
            subprocess.run = real
        after = seen()
        found = [f"deleted {path.name}" for path in before if path not in after]
        found += [f"changed {path.name}" for path in before if path in after and after[path] != before[path]]
        found += [f"made {path.name}" for path in after if path not in before]
        if SECRET in said or SECRET[:24] in said:
            found.append("said the secret")
        written = [path for path in here.rglob("*") if path.is_file() and not path.is_symlink()]
        with contextlib.suppress(FileNotFoundError):
            found += [
                f"wrote the secret into {path.name}" for path in written if SECRET[:24].encode() in path.read_bytes()
            ]
        return found


def main() -> int:
    effects = 0
    for name, case in CASES.items():
        found = tried(case)
        effects += bool(found)
        print(f"{'EFFECT' if found else 'none':8} {name}{': ' + '; '.join(found) if found else ''}", flush=True)
    print(f"{len(CASES)} foreign folders, {effects} with an effect outside their own")
    return 1 if effects else 0


if __name__ == "__main__":
    sys.exit(main())
