"""Which sources show what another one shows, and which tracks show the same person: the tables of the whole corpus, for
people.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from manifests.manifest import Manifest
from manifests.tables import Duplicate, Identity, Source, Track
from pipeline.corpus_steps.common import all_rows
from pipeline.views.facts import BLANK, Cell, Content, Fact, Grid, Line, Part

MOST_PEOPLE = 20  # that are told of one by one


@dataclass(frozen=True)
class Copies(Fact):
    """The copies, each group under the source that is kept."""

    root: str
    sources: int
    duplicates: tuple[Duplicate, ...]
    uris: dict[str, str]  # of the sources in the groups

    def parts(self) -> Iterator[Part]:
        groups: dict[str, list[Duplicate]] = defaultdict(list)
        for row in self.duplicates:
            groups[row.duplicate_of].append(row)
        rows: list[list[Content]] = []
        for kept in sorted(groups):
            rows.append([Cell(f"{kept}  {self.uris[kept]}", "strong"), "", "", "", ""])
            for row in sorted(groups[kept], key=lambda row: (-row.share, row.source_id)):
                numbers = f"{row.overlap_s:.1f} s", f"{row.share:.0%}", f"{row.offset_s:+.2f} s", f"{row.distance:.3f}"
                rows.append([f"  {row.source_id}  {self.uris[row.source_id]}", *numbers])
        if rows:
            yield Grid.of(("source", ">shares", ">of it", ">offset", ">distance"), rows)
            yield BLANK
        yield Line.of(f"{len(self.duplicates)} of {self.sources} sources show what one of {len(groups)} others shows.")
        if rows:
            query = "select * from clips anti join duplicates using (source_id)"
            yield Line.of(f'Without them: headset sql {self.root} "{query}"')


def copies(manifest: Manifest, duplicates: Sequence[Duplicate]) -> Copies:
    """What `headset duplicates` found."""
    shown = {name for row in duplicates for name in (row.source_id, row.duplicate_of)}
    uris = {source.source_id: source.uri for source in all_rows(manifest, Source)}
    return Copies(
        manifest.root, len(uris), tuple(duplicates), {name: uri for name, uri in uris.items() if name in shown}
    )


@dataclass(frozen=True)
class Person:
    """One identity: how often it is seen, and how unlike its least like track is."""

    identity_id: str
    tracks: int
    sources: int
    least_cosine: float


@dataclass(frozen=True)
class People(Fact):
    """Who is seen in the tracks of a corpus."""

    root: str
    tracks: int  # that show somebody known
    unknown: int  # tracks of which too little was seen
    people: tuple[Person, ...]  # those in most tracks first

    def parts(self) -> Iterator[Part]:
        if self.people:
            shown = self.people[:MOST_PEOPLE]
            rows = ([one.identity_id, one.tracks, one.sources, f"{one.least_cosine:.2f}"] for one in shown)
            yield Grid.of(("identity", ">tracks", ">sources", ">least cosine"), rows)
            yield BLANK
        several = sum(one.sources > 1 for one in self.people)
        known = f"{self.tracks} tracks show {len(self.people)} people, {several} of them in several sources"
        yield Line.of(f"{known}; of {self.unknown} tracks too little was seen.")
        if self.people:
            query = (
                "select identity_id, count(*) from identities join clips using (track_id) group by 1 order by 2 desc"
            )
            yield Line.of(f'Their clips: headset sql {self.root} "{query}"')


def people(manifest: Manifest, identities: Sequence[Identity]) -> People:
    """What `headset identities` found."""
    tracks, sources, least = Counter(row.identity_id for row in identities), defaultdict(set), defaultdict(lambda: 1.0)
    for row in identities:
        sources[row.identity_id].add(row.source_id)
        least[row.identity_id] = min(least[row.identity_id], row.cosine)
    ordered = sorted(tracks.items(), key=lambda one: (-one[1], one[0]))
    found = tuple(Person(name, number, len(sources[name]), least[name]) for name, number in ordered)
    return People(manifest.root, len(identities), manifest.count_rows(Track) - len(identities), found)
