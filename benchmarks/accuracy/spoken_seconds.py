"""Who is said to speak in which second, as text and as a picture."""

import numpy as np
from numpy.typing import NDArray

from manifests.tables import ActiveSpeaker


def most_of(spans: list[tuple[float, float, str]], second: int) -> str:
    """What is said for longest within a second; nobody where no turn holds a fifth of it."""
    held: dict[str, float] = {}
    for start_s, end_s, who in spans:
        held[who] = held.get(who, 0.0) + max(0.0, min(end_s, second + 1) - max(start_s, second))
    return max(held, key=lambda who: held[who]) if sum(held.values()) >= 0.2 else "-"


def draw_seconds(picture: str, drawn: dict[str, list[tuple[str, list[tuple[float, float, str]]]]]) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from matplotlib.patches import Patch

    colours = {"L": "#4477aa", "R": "#ee6677", "V": "#ccbb44", "-": "#dddddd"}
    figure, plots = plt.subplots(len(drawn), 1, figsize=(10, 1.15 * len(drawn)), layout="constrained", sharex=True)
    for axes, (label, rows) in zip(plots, drawn.items(), strict=True):
        for n, (_, spans) in enumerate(rows):
            axes.barh(-n, len(rows[0][1]), height=0.8, color=colours["-"])
            for start_s, end_s, who in spans:
                axes.barh(-n, end_s - start_s, left=start_s, height=0.8, color=colours[who])
        axes.set_yticks([-n for n in range(len(rows))], [name for name, _ in rows], fontsize=7)
        axes.set_title(label, fontsize=8, loc="left", pad=2)
        axes.set(xlim=(0, 20), ylim=(-len(rows) + 0.5, 0.5))
        axes.spines[["top", "right"]].set_visible(False)
    plots[-1].set_xlabel("seconds")
    meaning = {
        "L": "the face on the left, or the only one",
        "R": "the face on the right",
        "V": "a voice of no face in view",
        "-": "nobody that can be told",
    }
    figure.legend(
        handles=[Patch(color=colours[who], label=text) for who, text in meaning.items()],
        loc="outside lower center",
        ncols=4,
        fontsize=8,
        frameon=False,
    )
    figure.savefig(picture, dpi=100)


def smoothed(row: ActiveSpeaker) -> NDArray[np.float64]:
    padded = np.pad(row.score, 6, mode="edge")
    return np.median(np.lib.stride_tricks.sliding_window_view(padded, 13), axis=1)


def by_second(row: ActiveSpeaker) -> str:
    seconds = np.floor(row.start_s + row.step_s * np.arange(len(row.score)) + 1e-6)
    return " ".join(
        f"{second:.0f}:{np.median(np.array(row.score)[seconds == second]):+.1f}" for second in np.unique(seconds)
    )
