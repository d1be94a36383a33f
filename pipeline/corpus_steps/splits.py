"""Training, validation and test shares that have nobody and nothing in common.

Clips that share a source, a channel, an identity, a face that `headset identities` recognised, or sources that are
near-duplicates of each other are one group, and so are those joined by others between them: the connected components. A
group is in one split as a whole, chosen by a hash of its most lasting member alone: the first identity by hash, else
the first channel, else the first source. So, without any memory of earlier splits:

- a corpus gives the same splits in whatever order its sources came;
- a group stays where it is when any of its sources disappear, as long as its key member is among those left: always,
  where one identity or one channel holds it together;
- a source of a new group changes no other group; one that joins a group changes it with probability 1 / (members + 1)
  at most;
- a group that gets its first identity, or its first channel, gets another key by that;
- when two groups merge, the key of one of them is the key of both: it stays, and the other may have to move, since both
  are now one;
- larger shares for test and validation only take from training.

The shares are those of groups in expectation. One large group makes a corpus miss them; the outcome is told. A corpus
so small that a share which is asked for gets no group at all gives it the group whose place is nearest, where another
split has two: first test, then validation. That group may go back when the corpus grows.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from manifests.errors import UsageError
from manifests.manifest import Manifest
from manifests.tables import Annotation, Clip, Duplicate, Identity, Published, Source, Split
from pipeline.corpus_steps.common import column_rows, digest, step_named
from pipeline.query.selection import Selection

SPLITS = ("train", "validation", "test")
# by how lasting they are; a face that was recognised never gives the name
KINDS = ("identity", "channel", "source", "face")
VERSION = 1


@dataclass(frozen=True)
class Outcome:
    """What came of a split."""

    clips: dict[str, int]  # by split
    seconds: dict[str, float]
    groups: dict[str, int]
    largest: tuple[str, int]  # the group with most clips, and how many
    step: str


def groups_of(sources: Iterable[str], links: Iterable[tuple[str, str, str]]) -> dict[str, str]:
    """The key of each source's group.

    Args:
        links: source, the kind of what it is linked to (identity, channel, source or face), and its name.

    Returns:
        By source the key of its group, `identity:<name>`, `channel:<name>` or `source:<id>`.
    """
    parent: dict[str, str] = {}

    def root(node: str) -> str:
        while (above := parent.setdefault(node, node)) != node:
            parent[node] = node = parent.setdefault(above, above)
        return node

    there = list(sources)
    for source in there:
        root(f"source:{source}")
    for source, kind, name in links:
        parent[root(f"source:{source}")] = root(f"{kind}:{name}")
    key: dict[str, tuple[int, float, str]] = {}
    known = {f"source:{source}" for source in there}
    for node in list(parent):
        kind = node.partition(":")[0]
        if kind != "source" or node in known:  # a source that is gone gives no name
            top = root(node)
            key[top] = min(key.get(top, (9, 0.0, "")), (KINDS.index(kind), _place(node), node))
    return {source: key[root(f"source:{source}")][2] for source in there}


def split_of(key: str, shares: tuple[float, float, float]) -> str:
    """The split of a group: test below, validation above, training between, so that larger shares only take from
    training.
    """
    place = _place(key)
    return "test" if place < shares[2] else "validation" if place >= 1 - shares[1] else "train"


def shared_out(keys: Iterable[str], shares: tuple[float, float, float]) -> dict[str, str]:
    """By group its split. Each share that is asked for has a group, as long as there are as many groups."""
    found = {key: split_of(key, shares) for key in sorted(keys, key=_place)}
    asked = {name for name, share in zip(SPLITS, shares, strict=True) if share > 0}
    for name in ("test", "validation", "train"):
        if name in asked and name not in found.values():
            sizes = Counter(found.values())
            spare = [key for key, split in found.items() if sizes[split] > 1]  # in the order of their places
            if spare:
                found[{"test": spare[0], "validation": spare[-1], "train": spare[len(spare) // 2]}[name]] = name
    return found


def _shown(key: str) -> str:
    """The key as a table may hold it: a person's name is not spread over the rows of others."""
    kind, _, name = key.partition(":")
    return f"{kind}:{hashlib.sha256(name.encode()).hexdigest()[:12]}" if kind == "identity" else key


def _place(key: str) -> float:
    """0 to 1, evenly spread."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8]) / 2**64


def links_of(manifest: Manifest) -> list[tuple[str, str, str]]:
    """What joins the sources of a corpus: channels, identities that a list or an annotation names, near-duplicates, and
    recognised faces.
    """
    found: set[tuple[str, str, str]] = set()
    for row in column_rows(manifest.dataset(Source), ["source_id", "channel"]):
        if row["channel"]:
            found.add((row["source_id"], "channel", row["channel"]))
    for row in column_rows(manifest.dataset(Published), ["source_id", "dataset", "identity"]):
        if row["identity"]:
            found.add((row["source_id"], "identity", f"{row['dataset']}/{row['identity']}"))
    for row in column_rows(manifest.dataset(Annotation), ["source_id", "name", "value"]):
        if row["name"] == "identity" and row["value"]:
            found.add((row["source_id"], "identity", row["value"]))
    found |= {
        (row["source_id"], "source", row["duplicate_of"])
        for row in column_rows(manifest.dataset(Duplicate), ["source_id", "duplicate_of"])
    }
    found |= {
        (row["source_id"], "face", row["identity_id"])
        for row in column_rows(manifest.dataset(Identity), ["source_id", "identity_id"])
    }
    return sorted(found)


def split_clips(manifest: Manifest, shares: tuple[float, float, float], chosen: Selection | None = None) -> Outcome:
    """Writes the table `splits` of a corpus.

    Args:
        shares: of training, validation and test; each 0 to 1, 1 together.
        chosen: the clips to split; all where None. The groups are those of the whole corpus either way, so that a clip
            is in the same split in every selection.

    Raises:
        UsageError: for shares that are none.
    """
    if len(shares) != 3 or min(shares) < 0 or abs(sum(shares) - 1) > 1e-6:
        raise UsageError(
            f"--shares {','.join(map(str, shares))}: name three from 0 to 1 that make 1, for {', '.join(SPLITS)}"
        )
    links = links_of(manifest)
    key_of = groups_of((row["source_id"] for row in column_rows(manifest.dataset(Source), ["source_id"])), links)
    wanted = None
    if chosen:
        wanted = set(manifest.parquet(chosen.file).to_table(columns=["clip_id"])["clip_id"].to_pylist())
    whole = {key_of[row["source_id"]] for row in column_rows(manifest.dataset(Clip), ["source_id"])}
    name_of = shared_out(whole, shares)
    clips, seconds, members = Counter[str](), Counter[str](), Counter[str]()
    rows = []
    for row in column_rows(manifest.dataset(Clip), ["source_id", "clip_id", "start_s", "end_s"]):
        clip, source = row["clip_id"], row["source_id"]
        if wanted is None or clip in wanted:
            key = key_of[source]
            split = name_of[key]
            clips[split] += 1
            members[key] += 1
            seconds[split] += row["end_s"] - row["start_s"]  # pyright: ignore[reportOperatorIssue, reportArgumentType]
            rows.append(Split(source, f"{clip}/{split}", clip, split, _shown(key)))
    rows.sort(key=lambda row: row.split_id)
    made = digest(f"{row.split_id} {row.group_id}" for row in rows)
    step = step_named("SplitClips", VERSION, shares, chosen.version if chosen else "", made)
    manifest.write_whole(Split, step, rows)
    groups = Counter(name_of[key] for key in members)
    largest = max(
        ((_shown(key), count) for key, count in members.items()), key=lambda one: (one[1], one[0]), default=("", 0)
    )
    return Outcome(dict(clips), dict(seconds), dict(groups), largest, step)
