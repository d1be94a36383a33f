"""How well each identity network tells who a face is: pairs of looks at people of `benchmarks/truth/seen_by_eye.py`.

    HEADSET_MEDIA=... python -m benchmarks.accuracy.face_verification [LOOKS.npz]

Faces of 0.7 and more that are 20 px wide or more, once a second, of all films with written truth. A network is asked
twice: aligned by the detector's four points, as `EmbedFaces` does, and by five points of the mesh. Films are taken in
turns, by name: the threshold is chosen on the first half, where both errors are equal, and stated on the second. With a
file the looks are kept there and not made again.
"""

import sys
from collections import defaultdict
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy.tracks import MEDIA, person_of
from benchmarks.truth.seen_by_eye import AGAIN, ALONE, PEOPLE
from manifests.boxes import square_around
from operators.base import every
from operators.faces.detect_faces import DetectFaces
from operators.identities import Member
from operators.media.frames import VideoFrames
from operators.models.face_identity import NETWORKS, aligned, answered
from operators.models.face_landmarker import Landmarker
from pipeline.corpus_steps.identities import FindIdentities

ASKED = ("faceplugin", "dlib_resnet")
AROUND_PX = 300  # twice as wide as the box
MAX_YAW_DEG = 50.0  # as EmbedFaces asks


def looks() -> dict[str, NDArray]:
    """By column, a look each: film, who, yaw_deg, around (n, 300, 300, 3), detected (n, 4, 2), mesh (n, 478, 2)."""
    detector, landmarker = DetectFaces(), Landmarker(blendshapes=False)
    rows = []
    for film in (*PEOPLE, *ALONE, *AGAIN):
        for frame in every(VideoFrames(MEDIA / film), 1.0):
            for face in detector.detect([frame])[0]:
                box = face.box
                if box.confidence < 0.7 or box.right - box.left < 20:
                    continue
                who = person_of(box, frame.pts_s, PEOPLE[film]) if film in PEOPLE else ""
                if who is None:
                    continue
                name = f"{film} {who}" if film in PEOPLE else AGAIN.get(film, film)
                left, top, right, bottom = square_around(box, 2.0)
                around = frame.crop(left, top, right, bottom, (AROUND_PX, AROUND_PX))
                found = landmarker(around)
                mesh = found[0].points[:, :2] * AROUND_PX if found else np.full((478, 2), np.nan)
                points = (face.points - (left, top)) * (AROUND_PX / (right - left))
                rows.append((film, name, box.yaw_deg, around, points, mesh))
    names = ("film", "who", "yaw_deg", "around", "detected", "mesh")
    return {name: np.array(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}


def mesh_points(mesh: NDArray, network: str) -> NDArray:
    """(5, 2): those that align a face for the network."""
    return np.array([mesh[list(some)].mean(axis=0) for some in NETWORKS[network].mesh])


def places(table: dict[str, NDArray]) -> NDArray:
    """(4, 2): the medians of the detector's points in dlib's crops that the mesh aligned, of faces turned by 30 degrees
    at most.
    """
    from operators.models.face_identity import DLIB_5, similarity

    found = []
    for points, mesh, yaw in zip(table["detected"], table["mesh"], table["yaw_deg"], strict=True):
        if abs(yaw) <= 30 and not np.isnan(mesh).any():
            turn = similarity(mesh_points(mesh, "dlib_resnet"), DLIB_5)
            found.append(points @ turn[:, :2].T + turn[:, 2])
    return np.median(found, axis=0)


def answers_of(table: dict[str, NDArray], looks: NDArray, network: str, way: str) -> NDArray:
    """(n, numbers): what a network answers of the looks of these numbers, aligned by the `mesh` or by four points."""
    asked, found = NETWORKS[network], []
    for number in looks:
        around = table["around"][number]
        points, onto = table["detected"][number], asked.detected
        if way == "mesh":
            points, onto = mesh_points(table["mesh"][number], network), asked.meshed
        found.append(answered(aligned(around, points, onto, asked.size_px), network))
    return np.array(found)


def area(same: NDArray, other: NDArray) -> float:
    """The share of pairs of a same and an other value in which the same one is higher."""
    order = np.argsort(np.concatenate([same, other]), kind="stable")
    ranks = np.empty(len(order))
    ranks[order] = np.arange(1, len(order) + 1)
    return float((ranks[: len(same)].sum() - len(same) * (len(same) + 1) / 2) / (len(same) * len(other)))


def equal_error(same: NDArray, other: NDArray) -> float:
    """The cosine at which as great a share of the same lies below as of the others lies above."""
    values = np.sort(np.concatenate([same, other]))
    return float(min(values, key=lambda value: abs(np.mean(same < value) - np.mean(other >= value))))


def report(label: str, network: str, answers: NDArray, who: NDArray, half: NDArray) -> None:
    """One line for the pairs of all, one for the threshold of the first half over the second."""
    lengths = np.linalg.norm(answers, axis=1)
    known = lengths >= NETWORKS[network].min_length
    answers, who, half = answers[known] / lengths[known, None], who[known], half[known]
    cosines, one, two = answers @ answers.T, *np.triu_indices(len(answers), 1)
    same = who[one] == who[two]
    values = cosines[one, two]
    told = ", ".join(f"{value:.3f}" for value in np.percentile(values[same], [1, 5, 50]))
    others = ", ".join(
        f"{value:.3f}" for value in (values[~same].mean(), *np.percentile(values[~same], [95, 99.9, 100]))
    )
    print(
        f"{label}: {len(answers)} looks at {len(set(who))} people, {same.sum()} pairs of one, {(~same).sum()} of two;"
        f" AUC {area(values[same], values[~same]):.4f}; one person 1, 5, 50 %: {told}; of two mean, 95, 99.9, 100 %:"
        f" {others}"
    )
    parts = [(half[one] == part) & (half[two] == part) for part in (0, 1)]
    limit = equal_error(values[parts[0] & same], values[parts[0] & ~same])
    for part, name in zip(parts, ("chosen on", "stated on"), strict=True):
        missed, false = np.mean(values[part & same] < limit), np.mean(values[part & ~same] >= limit)
        print(
            f"  {name}: cosine {limit:.3f}, likeness {NETWORKS[network].likeness(limit):.2f}: {missed:.1%} of"
            f" {(part & same).sum()} pairs of one person missed, {false:.2%} of {(part & ~same).sum()} of two taken for"
            f" one; AUC {area(values[part & same], values[part & ~same]):.4f}"
        )


def doubles(table: dict[str, NDArray], seen: NDArray, network: str, answers: NDArray) -> None:
    """What `ScoreDoubles` goes by: likenesses of two people, of one at other moments of a film, and of a look and its
    mirror image.
    """
    asked, lengths = NETWORKS[network], np.linalg.norm(answers, axis=1)
    known = lengths >= asked.min_length
    answers, who, film = answers[known] / lengths[known, None], table["who"][seen][known], table["film"][seen][known]
    one, two = np.triu_indices(len(answers), 1)
    found = asked.likeness(answers @ answers.T)[one, two]
    same, together = who[one] == who[two], film[one] == film[two]
    mirrored = {**table, "around": table["around"][:, :, ::-1]}
    mirrored["detected"] = table["detected"][:, [1, 0, 2, 3]] * (-1, 1) + (AROUND_PX - 1, 0)
    copies = answers_of(mirrored, np.flatnonzero(seen)[known], network, "four points")
    alike = asked.likeness((answers * copies).sum(axis=1) / np.linalg.norm(copies, axis=1))
    print(f"doubles by {network}: mirrored, least, 5 %, median: {np.percentile(alike, [0, 5, 50]).round(2).tolist()}")
    for limit in (0.5, 0.6, 0.7, 0.75, 0.8):
        print(
            f"  {limit} and more: {np.mean(alike >= limit):.0%} of {len(alike)} mirrored,"
            f" {np.mean(found[same & together] >= limit):.0%} of {(same & together).sum()} pairs of one person in one"
            f" film, {np.sum(found[~same] >= limit)} of {(~same).sum()} pairs of two people, which have"
            f" {found[~same].max():.2f} at most"
        )


def identities(table: dict[str, NDArray], seen: NDArray, network: str, answers: NDArray) -> None:
    """What `FindIdentities` makes of the mean looks at each person of each film, by half of the films and threshold; it
    is not told who is seen at once.
    """
    lengths = np.linalg.norm(answers, axis=1)
    views: dict[tuple[str, str], list[NDArray]] = defaultdict(list)
    for answer, length, film, who in zip(answers, lengths, table["film"][seen], table["who"][seen], strict=True):
        if length >= NETWORKS[network].min_length:
            views[film, who].append(answer / length)
    films = sorted({film for film, _ in views})
    for half, same in product((0, 1), (0.3, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7)):
        whose = {f"{film}/{who}": who for film, who in views if films.index(film) % 2 == half}
        members = [
            Member(film, f"{film}/{who}", 0.0, 0.1, np.sum(some, axis=0), len(some), network)
            for (film, who), some in views.items()
            if f"{film}/{who}" in whose
        ]
        shown, holds = defaultdict(set), defaultdict(set)
        for row in FindIdentities(same=same).decide(members):
            shown[whose[row.track_id]].add(row.identity_id)
            holds[row.identity_id].add(whose[row.track_id])
        apart, mixed = (sum(len(some) > 1 for some in names.values()) for names in (shown, holds))
        print(
            f"identities by {network}, half {half + 1}, same {same}: {len(holds)} of {len(shown)} people, {apart} in"
            f" several, {mixed} of several people"
        )


def main(kept: str = "") -> None:
    if kept and Path(kept).is_file():
        table = dict(np.load(kept))
    else:
        table = looks()
        if kept:
            np.savez(kept, allow_pickle=False, **table)
    print("the detector's points in dlib's crop:", places(table).round(1).tolist())
    films = sorted(set(table["film"].tolist()))
    for most in (MAX_YAW_DEG, 90.0):
        seen = (np.abs(table["yaw_deg"]) <= most) & ~np.isnan(table["mesh"]).any(axis=(1, 2))
        who, film = table["who"][seen], table["film"][seen]
        half = np.array([films.index(name) % 2 for name in film])
        for network in ASKED:
            for way in ("four points", "mesh"):
                answers = answers_of(table, np.flatnonzero(seen), network, way)
                report(f"{network} by {way}, turned by {most:g} degrees at most", network, answers, who, half)
                if way == "four points" and most == MAX_YAW_DEG:
                    doubles(table, seen, network, answers)
                    identities(table, seen, network, answers)


if __name__ == "__main__":
    main(*sys.argv[1:])
