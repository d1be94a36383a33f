"""Fits the head of `operators/models/mouth_cover.py` anew: `python -m training.mouth_cover OUT.npz`.

It is fitted to the free faces of films that may be used so (`FITTED`) and of a portrait in the public domain, with
drawn microphones, fingers and other things put before them. How far it can be believed,
`benchmarks/accuracy/occlusion.py` says. Needs HEADSET_MEDIA and HEADSET_WEIGHTS; takes minutes.
"""

import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.truth.hidden_mouths import FITTED
from manifests.boxes import Box
from operators.faces.detect_faces import DetectFaces
from operators.models.face_landmarker import Landmarker
from operators.models.mouth_cover import SIDE_PX, Head, MouthCover, lower_face, save_head
from training.mouth_looks import Look, Picture, lips_of, look, looks, shown
from training.occluders import Thing, fingers, microphone, put_before, thing

PER_FILM, PER_LOOK, RIDGE = 300, 40, 0.3
HIDDEN = 0.5  # share of the lips from which on a mouth is hidden


def spoilt(picture: Picture, rng: np.random.Generator) -> Picture:
    """As another camera might have it: mirrored, lighter or darker, of another colour, blurred, noisy, compressed."""
    made = picture[:, ::-1] if rng.random() < 0.5 else picture
    levels = 255 * (made / 255) ** rng.uniform(0.6, 1.7) * rng.uniform(0.4, 1.15) * rng.uniform(0.88, 1.12, 3)
    gray = levels.mean(axis=2, keepdims=True)
    made = np.clip(gray + (levels - gray) * rng.uniform(0.0, 1.4), 0, 255).astype(np.uint8)
    if rng.random() < 0.35:
        small = int(rng.uniform(24, 100))
        made = cv2.resize(cv2.resize(made, (small, small), interpolation=cv2.INTER_AREA), (SIDE_PX, SIDE_PX))
    if rng.random() < 0.3:
        made = np.clip(made + rng.normal(0, rng.uniform(1, 8), made.shape), 0, 255).astype(np.uint8)
    if rng.random() < 0.4:
        made = cv2.imdecode(
            cv2.imencode(".jpg", made, [cv2.IMWRITE_JPEG_QUALITY, int(rng.uniform(25, 90))])[1], cv2.IMREAD_COLOR
        )
    return np.ascontiguousarray(made)


def bearded(seen: Look, lips: NDArray[np.int32], rng: np.random.Generator) -> Look:
    """A look with a beard, which hides no lips: darker and rougher skin about them, as far as the chin, or a moustache
    alone.
    """
    side = seen.picture.shape[0]
    (x, y), wide = lips.mean(axis=0), seen.wide
    mask = np.zeros((side, side), np.float32)
    below = int(0.32 * wide) if rng.random() < 0.7 else 0
    if below:
        cv2.ellipse(mask, (int(x), int(y)), (int(rng.uniform(0.24, 0.42) * wide), below), 0, 0, 180, 1.0, -1)
    cv2.ellipse(
        mask,
        (int(x), int(y)),
        (int(rng.uniform(0.2, 0.3) * wide), int(rng.uniform(0.09, 0.14) * wide)),
        0,
        180,
        360,
        1.0,
        -1,
    )
    cv2.fillPoly(mask, [lips], (0.0,))
    mask = cv2.GaussianBlur(mask, (0, 0), 0.02 * wide)[..., None] * rng.uniform(0.4, 0.9)
    hair = cv2.GaussianBlur(
        rng.normal(0, 1, (side, side)).astype(np.float32), (0, 0), max(0.6, 0.006 * wide), sigmaY=0.012 * wide
    )[..., None]
    dark = np.clip(seen.picture * rng.uniform(0.25, 0.55) + hair / hair.std() * rng.uniform(4, 14), 0, 255)
    return replace(seen, picture=(seen.picture * (1 - mask) + dark * mask).astype(np.uint8))


def training(seen: list[Look], rng: np.random.Generator) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Lower faces (n, 128, 128, 3) and the share of the lips that is covered in each, from free looks."""
    landmarker = Landmarker(blendshapes=False)
    by_film = {film: sum(one.film == film for one in seen) for film in {one.film for one in seen}}
    pictures, shares = [], []
    for one in seen:
        lips = lips_of(one, landmarker)
        if lips is None:  # in profile, blurred or small: such faces are what a head most easily takes for hidden
            x, y = (one.box.left + one.box.right) / 2, one.box.top + 0.76 * (one.box.bottom - one.box.top)
            half = int(0.2 * one.wide), int(0.09 * one.wide)
            lips = np.asarray(cv2.ellipse2Poly((int(x), int(y)), half, 0, 0, 360, 18))
        for _ in range(max(PER_LOOK, PER_FILM // by_film[one.film])):
            made: Look | None = bearded(one, lips, rng) if rng.random() < 0.3 else one
            if rng.random() < 0.65:
                kind, width = int(rng.integers(5)), rng.uniform(0.5, 1.2)
                what = (
                    microphone(rng, str(rng.choice(("foam", "grille", "blue"))))
                    if kind == 0
                    else thing(rng)
                    if kind == 1
                    else fingers(rng, one)
                )
                if kind and rng.random() < 0.5:
                    what = _turned(what, rng.uniform(-70, 70))
                width = rng.uniform(0.4, 0.75) if kind == 0 else width
                made = put_before(
                    made,
                    lips,
                    what,
                    float(rng.choice((0, 0.2, 0.5, 0.8, 1.0, 1.0, 1.0))),
                    width,
                    bool(rng.random() < 0.35),
                )
            if made is None:
                continue
            wide, high = one.wide, one.box.bottom - one.box.top
            x, y = rng.normal(0, (0.07, 0.04)) * (wide, high)
            grown = rng.uniform(-0.08, 0.08) * wide
            box = Box(
                one.box.left + x - grown,
                one.box.top + y - grown,
                one.box.right + x + grown,
                one.box.bottom + y + grown,
                1.0,
                0.0,
            )
            turn = cv2.getRotationMatrix2D(
                ((box.left + box.right) / 2, (box.top + box.bottom) / 2), rng.normal(0, 8), 1.0
            )
            narrow = rng.uniform(0.65, 1.1)  # as a face is that turns away
            turn[0] = narrow * turn[0] + (0, 0, (1 - narrow) * (box.left + box.right) / 2)
            size = made.picture.shape[1::-1]
            pictures.append(
                spoilt(lower_face(shown(cv2.warpAffine(made.picture, turn, size).astype(np.uint8)), box), rng)
            )
            shares.append(min(made.share / HIDDEN, 1.0))
    return np.stack(pictures), np.array(shares)


def _turned(what: Thing, deg: float) -> Thing:
    texture, mask = what
    turn = cv2.getRotationMatrix2D((texture.shape[1] / 2, texture.shape[0] / 2), deg, 0.9)
    size = texture.shape[1::-1]
    turned = cv2.warpAffine(texture, turn, size, borderMode=cv2.BORDER_REPLICATE), cv2.warpAffine(mask, turn, size)
    return turned[0].astype(np.float32), turned[1].astype(np.float32)


def fitted(numbers: NDArray[np.float32], shares: NDArray[np.float64], ridge: float) -> Head:
    """Weights and a constant whose logistic function is nearest to the shares in cross entropy, with a ridge on weights
    of standardised numbers.
    """
    from scipy.optimize import minimize

    means, spreads = numbers.mean(axis=0), numbers.std(axis=0) + 1e-6
    given = (numbers - means) / spreads

    def loss(at: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        logits = given @ at[:-1] + at[-1]
        off = 1 / (1 + np.exp(-logits)) - shares
        value = np.mean(np.logaddexp(0, logits) - shares * logits) + ridge / 2 * at[:-1] @ at[:-1]
        return float(value), np.append(given.T @ off / len(shares) + ridge * at[:-1], off.mean())

    found = minimize(loss, np.zeros(given.shape[1] + 1), jac=True, method="L-BFGS-B", options={"maxiter": 300}).x
    weights = found[:-1] / spreads
    return weights, float(found[-1] - weights @ means)


def portraits() -> list[Look]:
    """Faces in the public domain that lie in installed packages."""
    from skimage import data

    picture = data.astronaut()
    face = DetectFaces().faces(shown(picture))[0]
    return [look("astronaut", shown(picture), face, "free", "")]


def fit() -> Head:
    """The head, by the same films and seed the same but for what other versions of libraries make of them."""
    detector, rng = DetectFaces(detector="yunet"), np.random.default_rng(20261122)
    seen = [one for film in FITTED for one in looks(film, detector) if one.grade == "free"] + portraits()
    pictures, shares = training(seen, rng)
    model = MouthCover()
    numbers = np.concatenate([model.numbers(pictures[n : n + 64]) for n in range(0, len(pictures), 64)])
    print(
        f"{len(seen)} free looks, {len(pictures)} pictures of them, the mean share covered {shares.mean():.2f}",
        flush=True,
    )
    return fitted(numbers, shares, RIDGE)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m training.mouth_cover OUT.npz")
    save_head(Path(sys.argv[1]), fit())
