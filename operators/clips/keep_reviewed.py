"""Which clips people kept."""

from collections.abc import Iterator
from dataclasses import dataclass

from manifests.tables import Clip, Review
from operators.base import Drop, Operator

VERDICTS = ("keep", "reject", "flag", "disputed")


@dataclass(frozen=True)
class KeepReviewed(Operator):
    """Clips of which all reviewers say one of the `verdicts`, by the table `reviews` of `headset import-reviews`.

    A clip of which they say another is dropped as `review_<verdict>`, with their reasons; `review_disputed` where they
    do not agree. Reviews are of clips that a run has made: run, review, import, and run again with this operator behind
    the steps that made them. Other reviews make its step, and those behind it, anew.
    """

    verdicts: tuple[str, ...] = ("keep",)
    unreviewed: bool = False  # whether clips of which nobody said anything stay; else they are dropped: not_reviewed

    def __post_init__(self) -> None:
        """
        Raises:
            ValueError: for a word that is no verdict, or for none.
        """
        if not self.verdicts or not set(self.verdicts) <= set(VERDICTS):
            raise ValueError(f"KeepReviewed.verdicts is {list(self.verdicts)}; it is some of {', '.join(VERDICTS)}")

    def __call__(
        self,
        clip: Clip,
        reviews: list[Review] = [],  # noqa: B006 - only read
    ) -> Iterator[Clip]:
        said = {review.verdict for review in reviews}
        if not said and not self.unreviewed:
            raise Drop("not_reviewed")
        verdict = said.pop() if len(said) == 1 else "disputed"
        if reviews and verdict not in self.verdicts:
            told = sorted({review.reason for review in reviews} - {""})
            raise Drop(f"review_{verdict}", detail="; ".join(told))
        yield clip
