"""How far `ScoreOcclusion` can be believed: `python -m benchmarks.accuracy.occlusion`.

What hides a mouth was written down by eye from contact sheets, before anything was run
(`benchmarks/truth/hidden_mouths.py`): one look a second at every face of 40 pixels or more in the real films, four a
second where something hides a mouth. The films are parted in three: some the head is fitted to (`FITTED`), some choose
all else (`CHOOSE`), and some are held back (`HELD`).

`training/mouth_cover.py` fits the head to drawn things before the first. On the others it meets real hands, microphones
and a drawn face, and made ones: pixels of real hands and clothes out of films of the same part, and a microphone,
before each film's face. Needs HEADSET_MEDIA and HEADSET_WEIGHTS.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from benchmarks.truth.hidden_mouths import CHOOSE, HANDS, HELD
from operators.faces.detect_faces import DetectFaces
from operators.faces.score_occlusion import HAND_FROM, HIDDEN_FROM, ScoreOcclusion
from operators.models.face_landmarker import Landmarker
from operators.models.mouth_cover import MouthCover, lower_face
from training.mouth_looks import Floats, Look, lips_of, looks, shown
from training.occluders import cloth, hand, microphone, put_before, skin_of

SHARES = (0.0, 0.1, 0.25, 0.5, 1.0)


def trials(films: tuple[str, ...], detector: DetectFaces) -> Iterator[Look]:
    """Every look of these films, and three free ones of each with made things before the mouth."""
    landmarker, operator = Landmarker(blendshapes=False), ScoreOcclusion()
    seen = [one for film in films for one in looks(film, detector)]
    cuts = [
        hand(
            min((one for one in seen if one.film == film), key=lambda one: (abs(one.at_s - at_s), -one.wide)), operator
        )
        for film, at_s in HANDS[films]
    ]
    rng = np.random.default_rng(7)
    for film in films:
        mine = [one for one in seen if one.film == film]
        free = [one for one in mine if one.grade == "free" and one.wide >= 25]
        for number in sorted({0, len(free) // 3, 2 * len(free) // 3}) if free else []:
            one = free[number]
            if (lips := lips_of(one, landmarker)) is None:
                continue
            others = [other for other in seen if other.film != film]
            for by in ("microphone", "hand", "cloth"):
                if by == "microphone":
                    what, width, side, colour = (
                        microphone(rng, str(rng.choice(("foam", "grille")))),
                        rng.uniform(0.45, 0.7),
                        False,
                        None,
                    )
                elif by == "hand":
                    what, width, side, colour = (
                        cuts[int(rng.integers(len(cuts)))],
                        rng.uniform(0.9, 1.2),
                        False,
                        skin_of(one),
                    )
                else:
                    what, width, side, colour = (
                        cloth(rng, others[int(rng.integers(len(others)))]),
                        rng.uniform(0.7, 1.1),
                        bool(rng.random() < 0.5),
                        None,
                    )
                for share in SHARES:
                    if made := put_before(one, lips, what, share, width, side, colour):
                        yield replace(made, by=f"made {by}", at_s=one.at_s, grade=f"{share:.0%}")
        yield from mine


def auc(hidden: Floats, free: Floats) -> float:
    """The chance that a hidden look has more than a free one, a tie counting half."""
    return float((np.sign(hidden[:, None] - free[None, :]) / 2 + 0.5).mean())


def report(films: tuple[str, ...], detector: DetectFaces) -> None:
    """A line for each kind of thing and how much it covers: looks, AUC against the free looks of all these films, how
    many are above the threshold.
    """
    model, operator = MouthCover(), ScoreOcclusion()
    rows, easy = [], []
    for one in trials(films, detector):
        frame = shown(one.picture)
        rows.append(
            (
                one.film,
                one.grade,
                one.by,
                float(model(lower_face(frame, one.box)[None])[0]),
                operator.hand_cover(frame, one.box),
            )
        )
        easy.append(one.wide >= 64 and abs(one.box.yaw_deg) <= 30)
    free = np.array([(cover, by_hands) for _, grade, _, cover, by_hands in rows if grade == "free"], np.float32)
    large = np.array([simple for (_, grade, *_), simple in zip(rows, easy, strict=True) if grade == "free"])
    false = free > (HIDDEN_FROM, HAND_FROM)
    print(
        f"{len(films)} films, {len(free)} free looks; false: {false[:, 0].sum()}, by hands {false[:, 1].sum()}; of the"
        f" {large.sum()} at faces 64 pixels",
        end=" ",
    )
    print(f"wide or more, turned by 30 degrees at most: {false[large, 0].sum()}, by hands {false[large, 1].sum()}")
    for film in films:
        mine = np.array([cover for name, grade, _, cover, _ in rows if name == film and grade == "free"])
        if (mine > HIDDEN_FROM).any():
            print(
                f"  {film}: {(mine > HIDDEN_FROM).sum()} of {len(mine)} free looks above it, the median"
                f" {np.median(mine):.2f}"
            )
    print(
        "| what | lips covered | looks | median | AUC | found | AUC of hands | found by hands | by either"
        " |\n|---|---|---|---|---|---|---|---|---|"
    )
    for by, grade in sorted(
        {(by, grade) for _, grade, by, *_ in rows if by}, key=lambda kind: (kind[0], kind[1].rstrip("%").zfill(9))
    ):
        mine = np.array([(cover, by_hands) for _, g, b, cover, by_hands in rows if (b, g) == (by, grade)], np.float32)
        share = [f"{(mine[:, n] > least).mean():.0%}" for n, least in ((0, HIDDEN_FROM), (1, HAND_FROM))]
        areas = [f"{auc(mine[:, n], free[:, n]):.2f}" for n in (0, 1)]
        either = f"{((mine[:, 0] > HIDDEN_FROM) | (mine[:, 1] > HAND_FROM)).mean():.0%}"
        print(
            f"| {by} | {grade} | {len(mine)} | {np.median(mine[:, 0]):.2f} | {areas[0]} | {share[0]} | {areas[1]} |"
            f" {share[1]} | {either} |",
            flush=True,
        )


def main() -> None:
    for detector in ("yunet", "mediapipe"):  # the sheets were made with the first; the second is the recipes'
        for name, films in (("to choose on", CHOOSE), ("held back", HELD)):
            print(f"\n{name}, faces found by {detector}: ", end="")
            report(films, DetectFaces(detector=detector))


if __name__ == "__main__":
    main()
