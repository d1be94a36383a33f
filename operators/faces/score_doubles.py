"""One person twice in one picture."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from statistics import median
from typing import ClassVar

from manifests.tables import Clip, FaceEmbedding, Score
from operators.base import Measure, Operator
from operators.identities import embeddings_of
from operators.models.face_identity import likeness_of


@dataclass(frozen=True)
class ScoreDoubles(Operator):
    """How much two faces that are seen at once in a clip's span are one person: split screens, before and after, a
    picture beside its copy, a window within a slide.

    Nobody is in two places, so who is there twice was put there: such a film was edited, or made. The whole frame
    counts, not the clip's box alone.

    | metric | variant | range | what |
    |---|---|---|---|
    | double_likeness | the network | up to 1, lower is better | of the looks in which two faces or more were embedded:
    the likeness of the two that are most alike, in the median; 0 with fewer than `min_looks` such looks |

    Likeness is a cosine on the scale of `IdentityNetwork`: below 0.3 for most two people. Faces are those of
    `EmbedFaces`: whole, of some size, not in profile. Where nothing was embedded, no second face was seen, and the
    score is 0.
    """

    measures: ClassVar[dict[str, Measure]] = {
        "double_likeness": Measure(
            "likeness of the two faces of a look that are most alike; 0 with one face", "", None, 1, better="lower"
        )
    }

    min_looks: int = 2

    def __call__(self, clip: Clip, face_embeddings: list[FaceEmbedding]) -> Iterator[Score]:
        looks = [row for row in face_embeddings if clip.start_s <= row.pts_s < clip.end_s and len(row.left_px) > 1]
        found = 0.0
        if len(looks) >= self.min_looks:
            found = median(_most_alike(row) for row in looks)
        variant = face_embeddings[0].model if face_embeddings else "none"
        metric = "double_likeness"
        yield Score(clip.source_id, f"{clip.clip_id}#{metric}", clip.clip_id, metric, variant, round(found, 4))


def _most_alike(row: FaceEmbedding) -> float:
    views = embeddings_of(row)
    return max(likeness_of(float(one @ other), row.model) for one, other in combinations(views, 2))
