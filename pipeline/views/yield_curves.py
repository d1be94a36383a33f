"""What other thresholds would leave, as curves beside the table of the cuts."""

from dataclasses import dataclass
from html import escape

from pipeline.query.yields import Cut
from pipeline.views.yields import YieldView

WIDE, HIGH, LEFT, TOP = 270, 150, 48, 22  # pixels of a panel's axes, and of the room for labels


@dataclass(frozen=True)
class YieldCurves(YieldView):
    """A panel a cut: minutes that survive each threshold, alone (grey) and where all other cuts hold (green)."""

    def _repr_html_(self) -> str:
        cuts = [cut for cut in self.found.cuts if len(cut.curve) > 1]
        width, height = max(len(cuts), 1) * (WIDE + LEFT + 16), HIGH + TOP + 40
        panels = "".join(_panel(cut, number * (WIDE + LEFT + 16) + LEFT) for number, cut in enumerate(cuts))
        svg = (
            f'<svg width="{width}" height="{height}" style="font:11px sans-serif;background:#fff" '
            f'xmlns="http://www.w3.org/2000/svg">{panels}</svg><br>'
        )
        return f'<div class="headset">{svg if cuts else ""}{super()._repr_html_()}</div>'


def _panel(cut: Cut, left: int) -> str:
    low, high = cut.curve[0].threshold, cut.curve[-1].threshold
    most = max(max(point.seconds for point in cut.curve), 1e-9)

    def x(at: float) -> float:
        return left + WIDE * (at - low) / ((high - low) or 1.0)

    def y(seconds: float) -> float:
        return TOP + HIGH * (1 - seconds / most)

    alone = " ".join(f"{x(point.threshold):.1f},{y(point.seconds):.1f}" for point in cut.curve)
    joint = " ".join(f"{x(point.threshold):.1f},{y(point.joint_seconds):.1f}" for point in cut.curve)
    made = [
        f'<rect x="{left}" y="{TOP}" width="{WIDE}" height="{HIGH}" fill="none" stroke="#dee2e6"/>',
        f'<polyline points="{alone}" fill="none" stroke="#adb5bd" stroke-width="2"/>',
        f'<polyline points="{joint}" fill="none" stroke="#2b8a3e" stroke-width="2"/>',
        f'<text x="{left}" y="{TOP - 8}">{escape(cut.column)} {escape(cut.sign)}</text>',
        f'<text x="{left - 4}" y="{TOP + 10}" text-anchor="end">{most / 60:.3g} min</text>',
        f'<text x="{left - 4}" y="{TOP + HIGH}" text-anchor="end">0</text>',
        f'<text x="{left}" y="{TOP + HIGH + 14}">{low:.3g}</text>',
        f'<text x="{left + WIDE}" y="{TOP + HIGH + 14}" text-anchor="end">{high:.3g}</text>',
        f'<text x="{left}" y="{TOP + HIGH + 30}" fill="#868e96">alone</text>',
        f'<text x="{left + 40}" y="{TOP + HIGH + 30}" fill="#2b8a3e">with all other cuts</text>',
    ]
    if low <= cut.threshold <= high:
        at = f"{x(cut.threshold):.1f}"
        made.append(f'<line x1="{at}" x2="{at}" y1="{TOP}" y2="{TOP + HIGH}" stroke="#c92a2a"/>')
        made.append(
            f'<text x="{at}" y="{TOP + HIGH + 14}" text-anchor="middle" fill="#c92a2a">{cut.threshold:g}</text>'
        )
    return "".join(made)
