"""The clips of a corpus, as exports are given them."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from manifests.errors import UsageError
from manifests.manifest import Manifest
from manifests.tables import Annotation, Clip, FaceLandmarks, Published, Render, Score, Source, Split, Word
from pipeline.export.clip import ExportClip, SourceFile, Spoken

_SPAN = [
    *("clip_id", "speaker", "start_s", "end_s", "published_id", "sound_late_s"),
    *("left_px", "top_px", "right_px", "bottom_px"),
]
_RENDER = ["source_id", "clip_id", "made_by", "media", "sha256", "fps", "width", "height", "frames"]
_SOURCE = ["source_id", "licence", "width", "height", "uri", "media", "sha256", "audio_track", "audio_channels"]
# What captions are made of, and what an export tells of lip sync.
SCORES = (
    *("face_width_px", "faces_in_view", "yaw_deg", "yaw_range_deg", "picture_brightness"),
    *("av_offset_s", "av_confidence", "speaking_share", "lse_c", "lse_d"),
)


def clips_of(manifest: Manifest, selected: Iterable[str] | None = None, test_share: float = 0.1) -> list[ExportClip]:
    """The clips of a corpus that are rendered, sorted by id, with who is in them and which split they belong to.

    The identity is the one annotated to the clip, or of the published list it comes from; where nobody says, it is the
    speaker of its source, so one person in two sources counts as two. The split is that of `headset split`, else
    annotated, else published. Where nobody says, people (never clips) are drawn for the test by a hash of their
    identity, at least one of two or more, so a person stays in a split when others come and go.

    Args:
        selected: ids of clips; all where None.

    Raises:
        UsageError: where there is no rendered clip, where some clips have a split and others none, or where a split has
            another name.
    """
    wanted = None if selected is None else set(selected)
    told = _Told.by(manifest)
    spans = {row["clip_id"]: row for row in manifest.table(Clip).select(_SPAN).to_pylist()}
    found = []
    for render in manifest.table(Render).select(_RENDER).to_pylist():
        clip_id = render["clip_id"]
        if render.pop("made_by") == "recording" and clip_id in spans and (wanted is None or clip_id in wanted):
            found.append(told.clip(render, spans[clip_id]))
    if not found:
        raise UsageError(
            f"{manifest.root} has no rendered clip to export; `headset status {manifest.root}` tells where it stands"
        )
    found.sort(key=lambda clip: clip.clip_id)
    return _drawn(found, test_share)


@dataclass(frozen=True)
class _Told:
    """What a corpus says of its clips, by clip or by published clip."""

    root: str
    facts: dict[str, dict[str, str]]
    parts: dict[str, dict[str, dict[tuple[float, float], str]]]
    splits: dict[str, str]
    sources: dict[str, dict[str, Any]]
    face_landmarks: dict[str, str]
    words: dict[str, str]
    scores: dict[str, dict[str, float]]

    @staticmethod
    def by(manifest: Manifest) -> "_Told":
        facts: dict[str, dict[str, str]] = {}
        for row in manifest.table(Published).select(["published_id", "identity", "split"]).to_pylist():
            facts[row["published_id"]] = {name: row[name] for name in ("identity", "split") if row[name]}
        parts: dict[str, dict[str, dict[tuple[float, float], str]]] = {}
        for row in manifest.table(Annotation).select(["subject", "name", "value", "start_s", "end_s"]).to_pylist():
            if row["start_s"] is None:
                facts.setdefault(row["subject"], {})[row["name"]] = row["value"]
            elif row["name"] in ("word", "asd_score"):
                of_name = parts.setdefault(row["subject"], {}).setdefault(row["name"], {})
                of_name[row["start_s"], row["end_s"]] = row["value"]
        splits = manifest.table(Split).select(["clip_id", "split"]).to_pylist()
        sources = manifest.table(Source).select(_SOURCE).to_pylist()
        return _Told(
            manifest.root,
            facts,
            parts,
            {row["clip_id"]: row["split"] for row in splits},
            {row["source_id"]: row for row in sources},
            _mesh_files(manifest),
            _words(manifest),
            _scores(manifest),
        )

    def clip(self, render: Mapping[str, Any], span: Mapping[str, Any]) -> ExportClip:
        clip_id, source_id = render["clip_id"], render["source_id"]
        said = {**self.facts.get(span["published_id"] or "", {}), **self.facts.get(clip_id, {})}
        source = self.sources.get(source_id, {})
        track = clip_id.rpartition("/")[2]
        return ExportClip(
            **render,
            identity=said.get("identity") or f"{source_id}/{span['speaker'] or track}",
            split=_split_name(clip_id, self.splits.get(clip_id, "") if self.splits else said.get("split", "")),
            start_s=span["start_s"],
            end_s=span["end_s"],
            root=self.root,
            licence=source.get("licence") or "",
            annotations=said,
            spoken=_spoken(self.parts.get(clip_id) or self.parts.get(span["published_id"] or "", {}), span),
            box=_shares(span, source.get("width") or 0, source.get("height") or 0),
            crop_px=(span["left_px"], span["top_px"], span["right_px"], span["bottom_px"]),
            mesh=self.face_landmarks.get(clip_id, ""),
            sound_late_s=span["sound_late_s"],
            transcript=said.get("transcript") or self.words.get(clip_id, ""),
            scores=self.scores.get(clip_id, {}),
            source=SourceFile(**{name: source[name] for name in _SOURCE[4:]}) if source else None,
        )


def _words(manifest: Manifest) -> dict[str, str]:
    """By clip, what was heard in it."""
    heard: dict[str, list[tuple[float, str]]] = {}
    for row in manifest.table(Word).select(["subject", "start_s", "text"]).to_pylist():
        heard.setdefault(row["subject"], []).append((row["start_s"], row["text"]))
    return {subject: " ".join(text for _, text in sorted(words)) for subject, words in heard.items()}


def _scores(manifest: Manifest) -> dict[str, dict[str, float]]:
    """By clip, the scores that exports tell of, each as `metric:variant`; those of its recording are its own."""
    from pyarrow.compute import field as column

    table = manifest.dataset(Score)
    rows = table.filter(column("metric").isin(SCORES)) if manifest.files(Score) else table
    columns = ["subject", "metric", "variant", "value"]
    taken = rows.to_table(columns=columns) if manifest.files(Score) else rows.select(columns)
    found: dict[str, dict[str, float]] = {}
    for row in taken.to_pylist():
        clip_id = row["subject"].removesuffix("@recording")
        found.setdefault(clip_id, {})[f"{row['metric']}:{row['variant']}"] = row["value"]
    return found


def _spoken(parts: Mapping[str, Mapping[tuple[float, float], str]], clip: Mapping[str, Any]) -> tuple[Spoken, ...]:
    scores = parts.get("asd_score", {})
    words = [Spoken(text, *span, scores.get(span, "")) for span, text in sorted(parts.get("word", {}).items())]
    if late_s := clip["sound_late_s"]:
        length_s = clip["end_s"] - clip["start_s"]

        def heard_s(at_s: float) -> float:
            return round(min(max(at_s - late_s, 0.0), length_s), 3)

        moved = [replace(word, start_s=heard_s(word.start_s), end_s=heard_s(word.end_s)) for word in words]
        words = [word for word in moved if word.start_s < word.end_s]
    return tuple(words)


def _mesh_files(manifest: Manifest) -> dict[str, str]:
    """By clip, the file that holds its mesh: of those with the points and the blendshapes of every frame."""
    import pyarrow.compute

    compute: Any = pyarrow.compute  # its functions are made when it is imported, where no type checker sees them
    found = {}
    whole = (compute.field("rate_hz") == 0) & (compute.binary_length(compute.field("blendshapes")) > 0)
    for name in manifest.files(FaceLandmarks):
        rows = manifest.parquet(name).to_table(columns=["clip_id"], filter=whole)
        found |= dict.fromkeys(rows["clip_id"].to_pylist(), name)
    return found


def _shares(span: Mapping[str, Any], width: int, height: int) -> tuple[float, float, float, float] | None:
    if not width or not height:
        return None
    return span["left_px"] / width, span["top_px"] / height, span["right_px"] / width, span["bottom_px"] / height


def _split_name(clip_id: str, split: str) -> str:
    name = {"validation": "val", "valid": "val", "dev": "val"}.get(split, split)
    if name not in ("train", "val", "test", ""):
        raise UsageError(f"{clip_id} is in the split {split!r}; layouts know train, validation and test")
    return name


def _drawn(clips: list[ExportClip], test_share: float) -> list[ExportClip]:
    without = [clip.clip_id for clip in clips if not clip.split]
    if not without:
        return clips
    if len(without) < len(clips):
        raise UsageError(
            f"{len(without)} of {len(clips)} clips have no split, such as {without[0]}; `headset split` gives one to"
            " each"
        )
    people = {clip.identity for clip in clips}
    draws = {who: int(hashlib.sha256(f"split {who}".encode()).hexdigest()[:8], 16) / 2**32 for who in people}
    test = {who for who, draw in draws.items() if draw < test_share}
    if not test and len(draws) > 1:
        test = {min(draws, key=lambda who: draws[who])}
    return [replace(clip, split="test" if clip.identity in test else "train") for clip in clips]
