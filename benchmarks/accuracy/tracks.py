"""Faces, tracks and identities in real films, beside what a person saw in them (`benchmarks/truth/seen_by_eye.py`).

    HEADSET_MEDIA=... HEADSET_WEIGHTS=... python -m benchmarks.accuracy.tracks [faces] [tracks] [again] [gallery] [cost]

`faces`: what each detector finds in 37 frames. `tracks`: tracks, switches of person, coverage and identities, by motion
alone and with the face embeddings of each network. `again`: identities in other films. `gallery`: whom the pictures of
`multi/gallery_hyland` find. `cost`: CPU seconds a minute of 720p.
"""

import itertools
import os
import sys
import time
from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from benchmarks.truth.seen_by_eye import AGAIN, ALONE, GALLERY, PEOPLE, Person
from manifests.boxes import Box
from manifests.tables import Face, FaceEmbedding, Identity, Shot, Source, Track
from operators.base import Drop
from operators.faces.detect_faces import DetectFaces
from operators.faces.embed_faces import EmbedFaces, middle
from operators.faces.track_faces import TrackFaces
from operators.identities import Member, members_of
from operators.media.frames import VideoFrames
from operators.models.face_identity import likeness_of
from operators.shots.detect_shots import DetectShots
from pipeline.corpus_steps.identities import FindIdentities
from tests.seen_by_eye import FACES

MEDIA = Path(os.environ.get("HEADSET_MEDIA", "."))
DETECTORS = ("mediapipe", "yunet", "retinaface")
WIDTHS = (0.0, 0.04, 0.05, 0.08, 1.0)  # of a face, in the frame's longer side
RATE_HZ = 5.0
NETWORKS = ("faceplugin", "dlib_resnet")
SURE = 0.8  # TrackFaces starts no track below


def faces() -> None:
    """How many of the faces seen by eye each detector finds, by width and kind, and what it finds besides."""
    looked = [
        (film, at_s, next(iter(VideoFrames(MEDIA / film, at_s, at_s + 0.2))), seen)
        for film, frames in FACES.items()
        for at_s, seen in frames.items()
    ]
    print(f"{len(looked)} frames; found of seen, by width in the frame's longer side")
    for detector in DETECTORS:
        find = DetectFaces(detector=detector)
        find.faces(next(iter(VideoFrames(MEDIA / "single/headpose_31.mp4"))))
        began = time.process_time()
        found = [find.faces(frame) for _, _, frame, _ in looked]
        cost_ms = 1000 * (time.process_time() - began) / len(looked)
        for least in (find.min_confidence, SURE):
            of, got, false = Counter[tuple[str, str]](), Counter[tuple[str, str]](), []
            for (film, at_s, frame, seen), boxes in zip(looked, found, strict=True):
                left = [box for box in boxes if box.confidence >= least]
                for face in seen:
                    hit = next(
                        (box for box in left if _within(box, face.x, face.y, 0.6 * face.width, 0.7 * face.width)), None
                    )
                    if hit:
                        left.remove(hit)
                    if face.kind != "unclear":
                        share = face.width / max(frame.width, frame.height)
                        least_width = max(width for width in WIDTHS if share >= width)
                        of[f"{least_width:.0%}+", face.kind] += 1
                        got[f"{least_width:.0%}+", face.kind] += hit is not None
                unclear = [face for face in seen if face.kind == "unclear"]
                false += [
                    (film, at_s) for box in left if not any(_within(box, f.x, f.y, f.width, f.width) for f in unclear)
                ]
            told = "  ".join(f"{width} {kind} {got[width, kind]}/{of[width, kind]}" for width, kind in sorted(of))
            print(
                f"{detector} from {least}: {told}; false {len(false)} {dict(Counter(film for film, _ in false))};"
                f" {cost_ms:.1f} ms"
            )


def _within(box: Box, x: float, y: float, across: float, down: float) -> bool:
    at = middle(box)
    return abs(at[0] - x) < across and abs(at[1] - y) < down


@dataclass(frozen=True)
class Film:
    """What the operators say of a film."""

    name: str
    shots: list[Shot]
    faces: list[Face]
    face_embeddings: dict[str, list[FaceEmbedding]]  # by network

    def tracks(self, network: str) -> list[Track]:
        """By motion alone, for "", or with a network's face embeddings."""
        found = []
        for shot in self.shots:
            try:
                rows = TrackFaces()(shot, self.faces, self.face_embeddings.get(network, []))
                found += [row for row in rows if isinstance(row, Track)]
            except Drop:
                continue
        return found


@cache
def film(name: str) -> Film:
    """One decode a film, whoever asks."""
    detector = DetectFaces(detector=DETECTOR)
    source, frames = Source(name, name), list(VideoFrames(MEDIA / name))
    shots = list(DetectShots()(source, frames))
    rows = list(detector(source, frames))
    return Film(
        name,
        [shot for shot in shots if isinstance(shot, Shot)],
        rows,
        {network: list(EmbedFaces(network=network, detector=detector)(source, frames)) for network in NETWORKS},
    )


DETECTOR = "mediapipe"


def person_of(box: Box, at_s: float, people: list[Person]) -> str | None:
    """Whose face a box is: the nearest that is to be seen there, within one and a half widths."""
    there = [
        (np.hypot(*np.subtract(middle(box), place)), person.name) for person in people if (place := person.at(at_s))
    ]
    if not there or min(there)[0] > 1.5 * (box.right - box.left):
        return None
    return min(there)[1]


def owner(track: Track, people: list[Person]) -> tuple[str | None, int]:
    """Who is seen in most looks of a track, and how often it goes over to someone else for two looks or more."""
    seen = []
    for look, at_s in enumerate(track.times_s):
        if track.confidence[look] > 0:
            box = Box(track.left_px[look], track.top_px[look], track.right_px[look], track.bottom_px[look], 1.0, 0.0)
            seen.append(person_of(box, at_s, people))
    named = [name for name in seen if name]
    steady = [a for a, b in itertools.pairwise(named) if a == b]
    switches = sum(a != b for a, b in itertools.pairwise(steady))
    return (Counter(named).most_common(1)[0][0] if len(named) * 2 > len(seen) else None), switches


def tracks() -> None:
    """By film and person: how many tracks and identities, switches within a track, and share of the looks covered."""
    for network in ("", *NETWORKS):
        total = Counter[str]()
        everyone: list[Member] = []
        whose: dict[str, str] = {}
        print(f"with face embeddings by {network}" if network else "by motion alone")
        for name, people in PEOPLE.items():
            one = film(name)
            rows = one.tracks(network)
            owners = {row.track_id: owner(row, people) for row in rows}
            looks = {person.name: [face.pts_s for face in one.faces if person.at(face.pts_s)] for person in people}
            mine = {person.name: [row for row in rows if owners[row.track_id][0] == person.name] for person in people}
            share = {
                who: (
                    sum(any(row.times_s[0] <= at_s <= row.times_s[-1] for row in mine[who]) for at_s in times)
                    / max(1, len(times))
                )
                for who, times in looks.items()
            }
            switches = sum(count for _, count in owners.values())
            told = ", ".join(f"{who} {len(mine[who])} ({share[who]:.0%})" for who in share)
            line = (
                f"  {name}: {len(rows)} tracks of {sum(bool(some) for some in mine.values())} of {len(people)} people,"
                f" {switches} switches"
            )
            if network:
                members = members_of(rows, one.face_embeddings[network])
                found = FindIdentities().decide(members)
                everyone += members
                whose |= {track: f"{name} {who or track}" for track, (who, _) in owners.items()}
                line += f"; {_people(found, whose)}"
            print(f"{line}; {told}")
            total.update({"tracks": len(rows), "switches": switches, "looks": sum(map(len, looks.values()))})
            total["covered"] += round(sum(share[who] * len(looks[who]) for who in share))
        print(
            f"  all: {total['tracks']} tracks, {total['switches']} switches, {total['covered'] / total['looks']:.1%} of"
            " the looks covered"
        )
        if network:
            for name in ALONE:
                everyone += _alone(name, name, whose, network)
            _who_is_who(f"multi and single together, {len(PEOPLE) + len(ALONE)} films", everyone, whose, network)


def again() -> None:
    """Identities in films on which no threshold was chosen."""
    for network in NETWORKS:
        whose: dict[str, str] = {}
        everyone = [member for name, person in AGAIN.items() for member in _alone(name, person, whose, network)]
        _who_is_who(f"{len(AGAIN)} other films of {len(set(AGAIN.values()))} people", everyone, whose, network)


def _alone(name: str, person: str, whose: dict[str, str], network: str) -> list[Member]:
    """The tracks of a film of one person."""
    rows = film(name).tracks(network)
    whose |= {row.track_id: person for row in rows}
    return members_of(rows, film(name).face_embeddings[network])


def _who_is_who(what: str, everyone: list[Member], whose: dict[str, str], network: str) -> None:
    print(f"{what}, {network}: {_people(FindIdentities().decide(everyone), whose)}")
    films = sorted({one.source_id for one in everyone})
    for half, word in ((0, "one half of the films"), (1, "the other half")):
        part = [one for one in everyone if films.index(one.source_id) % 2 == half]
        print(f"  {word}: {len({whose[one.track_id] for one in part})} people in {len(part)} tracks")
        for same in (0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7):
            shown, holds = defaultdict(set), defaultdict(set)
            for row in FindIdentities(same=same).decide(part):
                shown[whose[row.track_id]].add(row.identity_id)
                holds[row.identity_id].add(whose[row.track_id])
            apart, mixed = (sum(len(some) > 1 for some in names.values()) for names in (shown, holds))
            print(f"    same {same}: {len(holds)} identities, {apart} people in several, {mixed} of several people")
    means, names = np.stack([one.mean for one in everyone]), [whose[one.track_id] for one in everyone]
    cosines = np.vectorize(lambda cosine: likeness_of(cosine, network))(means @ means.T)
    for word, same in (("two people", False), ("one person", True)):
        found = np.array([cosines[a, b] for a in range(len(names)) for b in range(a) if (names[a] == names[b]) is same])
        of = ", ".join(f"{value:.2f}" for value in np.percentile(found, [0, 50, 99, 100]))
        print(f"  {len(found)} pairs of tracks of {word}: likeness least, median, 99th percentile, most: {of}")


def _people(found: list[Identity], whose: dict[str, str]) -> str:
    shown = defaultdict(set)
    for row in found:
        shown[whose[row.track_id]].add(row.identity_id)
    return f"{len({row.identity_id for row in found})} identities of {len(shown)} people in {len(found)} tracks"


def gallery() -> None:
    """The likeness of the people of `multi/gallery_hyland` with every track of all films."""
    from PIL import Image

    from operators.models.face_pictures import embedding
    from operators.picture import Picture

    for (name, truth), network in itertools.product(GALLERY.items(), NETWORKS):
        views = [
            found
            for path in sorted((MEDIA / "multi" / "gallery_hyland" / name).glob("*.jpg"))
            if (found := embedding(Picture(np.asarray(Image.open(path).convert("RGB"))), network)) is not None
        ]
        told = []
        for film_name in (*PEOPLE, *ALONE):
            one = film(film_name)
            rows = one.tracks(network)
            for member in members_of(rows, one.face_embeddings[network]):
                who = owner(next(row for row in rows if row.track_id == member.track_id), PEOPLE.get(film_name, []))[0]
                nearest = likeness_of(max(float(member.mean @ view) for view in views), network)
                told.append((nearest, film_name, who, member.track_id))
        told.sort(key=lambda one: -one[0])
        same = FindIdentities().same
        print(
            f"{name}, {len(views)} pictures, by {network}, is {truth}: found in"
            f" {sum(likeness >= same for likeness, *_ in told)} of {len(told)} tracks; nearest:"
        )
        for likeness, film_name, who, track_id in told[:3]:
            print(f"  {likeness:.2f} {film_name} {who} {track_id}")


def cost() -> None:
    """CPU seconds a minute of 720p for the default settings, each operator alone and together, less the decode."""
    path, source = MEDIA / "single/headpose_31.mp4", Source("s", "s")
    minutes = 24.28 / 60
    spent = {}
    began = time.process_time()
    for _ in VideoFrames(path):
        pass
    spent["decode"] = time.process_time() - began
    for detector in DETECTORS:
        op = DetectFaces(detector=detector)
        op.faces(next(iter(VideoFrames(path))))
        frames = list(VideoFrames(path, 0, 12.14))
        began = time.process_time()
        list(op(source, frames))
        spent[f"DetectFaces {detector}"] = 2 * (time.process_time() - began)
        for network in NETWORKS:
            embed = EmbedFaces(network=network, detector=op)
            list(embed(source, frames[:1]))  # loads the network
            began = time.process_time()
            rows = list(embed(source, frames))
            spent[f"EmbedFaces {network} beside {detector} ({len(rows)} looks in half of the film)"] = 2 * (
                time.process_time() - began
            )
    for what, seconds in spent.items():
        print(f"{what}: {seconds / minutes:.2f} CPU s a minute of 720p")


if __name__ == "__main__":
    parts = {"faces": faces, "tracks": tracks, "again": again, "gallery": gallery, "cost": cost}
    for part in sys.argv[1:] or parts:
        parts[part]()
