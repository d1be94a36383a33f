"""Say which groups the filters cost most: seconds that came in, were dropped and were kept."""

import argparse

from pipeline.session import as_json, existing
from pipeline.views.console import answer

EXAMPLE = "headset balance corpus/ --by language,face_px,yaw"
GROUP = "choose"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("corpus")
    parser.add_argument(
        "--by",
        default="",
        metavar="NAME,...",
        help="language, height, fps, face_px, yaw, heard_language, skin_tone, or the name of an annotation (default:"
        " all that tell two groups apart; of annotations gender, age, ethnicity, race, accent)",
    )
    as_json(parser)


def main(options: argparse.Namespace) -> int:
    from pipeline.views.balance import balance_view

    by = tuple(name for name in (part.strip() for part in options.by.split(",")) if name)
    answer(balance_view(existing(options.corpus), by), options.json)
    return 0
