"""A contact sheet: some frames of every kept clip with its numbers, to be looked at."""

from pathlib import Path

from manifests.cache import media_cache
from manifests.errors import UsageError
from manifests.manifest import Manifest
from manifests.media import MediaStore
from manifests.tables import Clip, Render, Score

FRAMES = 8  # of a clip, evenly over its length
SIDE = 128  # pixels of a frame
CAPTION = 34
SHOWN = ("face_width_px", "yaw_deg", "sharpness", "dnsmos_ovrl", "speaking_share", "av_offset_s")


def draw_sheet(manifest: Manifest, out: Path, most: int = 40) -> int:
    """Draws a row of frames for each of at most `most` rendered clips, and returns how many were drawn.

    decord picks the frames: these are files that headset encoded itself, whose random access it gets right and fast
    (docs/measured/decode.md).

    Raises:
        UsageError: when no clip is rendered.
    """
    import decord
    from PIL import Image, ImageDraw

    renders = manifest.table(Render).to_pylist()
    if not renders:
        raise UsageError(f"{manifest.root} holds no rendered clips; `headset status {manifest.root}` says why")
    renders = [renders[i * len(renders) // min(most, len(renders))] for i in range(min(most, len(renders)))]
    clips = {clip["clip_id"]: clip for clip in manifest.table(Clip).to_pylist()}
    scores: dict[str, dict[str, float]] = {}
    for score in manifest.table(Score).to_pylist():
        scores.setdefault(score["subject"], {})[score["metric"]] = score["value"]
    store = MediaStore(manifest.root)
    sheet = Image.new("RGB", (FRAMES * SIDE, len(renders) * (SIDE + CAPTION)), "white")
    pen = ImageDraw.Draw(sheet)
    for number, render in enumerate(renders):
        reader = decord.VideoReader(
            str(store.fetch(render["media"], render["sha256"], media_cache())), width=SIDE, height=SIDE, num_threads=1
        )
        top = number * (SIDE + CAPTION)
        picks = [min(len(reader) - 1, round((i + 0.5) * len(reader) / FRAMES)) for i in range(FRAMES)]
        for i, picture in enumerate(reader.get_batch(picks).asnumpy()):
            sheet.paste(Image.fromarray(picture), (i * SIDE, top + CAPTION))
        clip = clips[render["clip_id"]]
        values = ", ".join(
            f"{name} {scores[clip['clip_id']][name]:.2f}" for name in SHOWN if name in scores.get(clip["clip_id"], {})
        )
        pen.text((4, top + 3), f"{clip['clip_id']}   {render['duration_s']:.2f} s, {clip['speaker']}", fill="black")
        pen.text((4, top + 17), values, fill="#555555")
    out.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(out)
    return len(renders)
