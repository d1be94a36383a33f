"""The funnel as a picture: of every table, what went on and what was given up for which reason."""

from collections import Counter
from pathlib import Path

from manifests.errors import UsageError
from manifests.manifest import Manifest
from manifests.tables import Clip, Dropped, Shot, Source, Track

SHOWN = (Source, Shot, Track, Clip)
MOST = 6  # reasons told apart; rarer ones are summed up


def reasons(manifest: Manifest) -> dict[str, tuple[int, Counter[str]]]:
    """By table: rows that went on, and the reasons of those that did not, each row counted once, by the last step that
    gave it up.
    """
    last: dict[tuple[str, str], str] = {}
    for drop in manifest.table(Dropped).to_pylist():
        last[drop["subject_table"], drop["subject"]] = drop["reason"]
    found = {}
    for table in SHOWN:
        present = set(manifest.table(table)[table.key].to_pylist())
        given_up = {subject: reason for (name, subject), reason in last.items() if name == table.table}
        found[table.table] = len(present - given_up.keys()), Counter(given_up.values())
    return found


def draw_funnel(manifest: Manifest, out: Path) -> None:
    """Draws one bar a table, in shares of what was proposed.

    Raises:
        UsageError: where nothing ran yet.
    """
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    if manifest.run is None:
        raise UsageError(f"{manifest.root}: nothing ran yet, so there is no funnel to draw")
    rows = reasons(manifest)
    figure, axes = plt.subplots(figsize=(11, 0.8 + 0.75 * len(rows)), dpi=110)
    shades = plt.get_cmap("OrRd")
    for place, (table, (went_on, why)) in enumerate(rows.items()):
        total = went_on + why.total()
        if not total:
            continue
        common = why.most_common(MOST)
        rest = why.total() - sum(number for _, number in common)
        parts = [("kept" if table == "clips" else "went on", went_on), *common, *([("others", rest)] if rest else [])]
        left = 0.0
        for number, (name, count) in enumerate(parts):
            share = count / total
            colour = "#3a9d5d" if number == 0 else shades(0.2 + 0.5 * number / len(parts))
            axes.barh(place, share, left=left, color=colour, edgecolor="white")
            if share * 100 > len(name) + 2:
                axes.text(
                    left + share / 2,
                    place,
                    f"{name}\n{count}",
                    ha="center",
                    va="center",
                    fontsize=8,
                    color="white" if number == 0 else "black",
                )
            elif count and share > 0.015:
                axes.text(
                    left + share / 2, place, f"{name} {count}", ha="center", va="center", fontsize=6.5, rotation=90
                )
            left += share
    axes.set_yticks(
        range(len(rows)), [f"{went_on + why.total()} {table}" for table, (went_on, why) in rows.items()], fontsize=10
    )
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.set_xticks([])
    for side in ("top", "right", "bottom", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(left=False)
    figure.tight_layout()
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out)
    plt.close(figure)
