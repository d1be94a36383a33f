"""The mutants of `benchmarks/mutants.py`, as data: the text that is replaced stands once in its file."""

from typing import NamedTuple


class Mutant(NamedTuple):
    """One fault."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]

    @property
    def package(self) -> str:
        """The folder of the file, from the root."""
        return self.file.rpartition("/")[0]


def of(file: str, tests: tuple[str, ...], **faults: tuple[str, str]) -> list[Mutant]:
    """Faults of one file, by name: the old text and the new one."""
    return [Mutant(name, file, old, new, tests) for name, (old, new) in faults.items()]


GROUPS = "speech", "metrics", "models", "faces", "clips"
SPEECH, METRICS, MODELS, FACES, CLIPS = (f"tests/operators/{group}/test_" for group in GROUPS)
LAYOUTS, ENGINE, STEPS = (f"tests/pipeline/{name}/test_" for name in ("export/layouts", "engine", "corpus_steps"))

# fmt: off
MUTANTS = [
    # Survivors of earlier counts: hearing and seeing.
    Mutant(
        "lr_asd_sound_late", "operators/speech/detect_active_speaker.py", "(watch.first + len(watch.scores)) / TICK_HZ",
        "(watch.first + len(watch.scores) + 2) / TICK_HZ", (SPEECH + "detect_active_speaker.py",),
    ),
    Mutant(
        "lr_asd_score_late", "operators/speech/detect_active_speaker.py", "watch.first / TICK_HZ,",
        "(watch.first + 2) / TICK_HZ,", (SPEECH + "detect_active_speaker.py",),
    ),
    Mutant(
        "mouth_grey_bgr", "operators/speech/detect_active_speaker.py", "np.array([0.299, 0.587, 0.114])",
        "np.array([0.114, 0.587, 0.299])", (SPEECH + "detect_active_speaker.py",),
    ),
    Mutant(
        "has_word_from_below", "operators/timeline.py", "(scores > 0) &", "(scores > -0.5) &",
        ("tests/operators/test_timeline.py",),
    ),
    Mutant(
        "voice_late", "operators/models/sync_curves.py", "start_s = first / TICK_HZ", "start_s = (first + 2) / TICK_HZ",
        (SPEECH + "score_sync.py",),
    ),
    Mutant(
        "sync_voice_late", "operators/speech/score_sync.py", "first - self.reach,", "first - self.reach + 2,",
        (SPEECH + "score_sync.py",),
    ),
    Mutant(
        "overlap_embedded", "operators/models/streamed_diarization.py", "(said[number].sum(axis=1) < 2)",
        "(said[number].sum(axis=1) < 3)", (MODELS + "streamed_diarization.py",),
    ),
    Mutant(
        "overlap_not_asked", "operators/speech/diarize_speakers.py", "embedding_exclude_overlap=by.exclude_overlap",
        "embedding_exclude_overlap=False", (MODELS + "streamed_diarization.py",),
    ),
    Mutant(
        "threshold_doubled", "operators/speech/diarize_speakers.py", '"threshold": by.threshold',
        '"threshold": 2 * by.threshold', (MODELS + "streamed_diarization.py",),
    ),
    Mutant(
        "lse_sound_whole", "operators/metrics/lip_sync.py", "sound[first * HZ // FPS : last * HZ // FPS]", "sound",
        (METRICS + "lse.py",),
    ),
    Mutant(
        "box_top_is_left", "manifests/boxes.py", "(track.left_px, track.top_px,", "(track.left_px, track.left_px,",
        ("tests/manifests/test_boxes.py",),
    ),
    Mutant(
        "square_top_is_left", "manifests/boxes.py", "return x - half, y - half,", "return x - half, x - half,",
        ("tests/manifests/test_boxes.py",),
    ),
    Mutant(
        "s3fd_top_is_left", "operators/metrics/lip_sync.py", "(box.top + box.bottom) / 2 - _HIGHER",
        "(box.left + box.bottom) / 2 - _HIGHER", (METRICS + "lse.py",),
    ),
    # Survivors of earlier counts: exports, metrics, scores, corpus steps.
    Mutant(
        "headpose_silence", "pipeline/export/layouts/headpose.py", "np.pad(samples, _SILENCE)",
        "np.pad(samples, (0, _SILENCE))", (LAYOUTS + "headpose.py",),
    ),
    Mutant("lmd_points", "operators/metrics/lmd.py", "slice(48, 68)", "slice(47, 67)", (METRICS + "lmd.py",)),
    Mutant(
        "akd_axes", "operators/metrics/akd.py", "SIDE / picture.size", "SIDE / picture.size[::-1]",
        (METRICS + "akd.py",),
    ),
    Mutant(
        "mesh_axes", "operators/models/face_pictures.py", "found.points[:, :2] * picture.size",
        "found.points[:, :2] * picture.size[::-1]", (METRICS + "akd.py",),
    ),
    Mutant(
        "score_step_recordings", "pipeline/scoring/score.py", "Render: makers.get(RECORDING, ())}", "Render: ()}",
        ("tests/pipeline/scoring/test_score.py",),
    ),
    Mutant(
        "fingerprint_version", "operators/base.py", "[self.name, self.version, ", "[self.name, ",
        ("tests/operators/test_base.py",),
    ),
    Mutant(
        "yield_below", "pipeline/query/yields.py", 'rank if sign.startswith(">") else len(thresholds) - rank + 1',
        "rank", ("tests/pipeline/query/test_selection.py",),
    ),
    Mutant(
        "splits_swapped", "pipeline/corpus_steps/splits.py", '"test" if place < shares[2] else "validation" if',
        '"validation" if place < shares[2] else "test" if', (STEPS + "splits.py",),
    ),
    Mutant(
        "splits_faces", "pipeline/corpus_steps/splits.py", '"face", row["identity_id"]', '"face", row["source_id"]',
        (STEPS + "splits.py", STEPS + "identities.py"),
    ),
    Mutant(
        "duplicate_offset", "pipeline/corpus_steps/duplicates.py", "-stretch.offset_s,",
        "stretch.offset_s,", (STEPS + "duplicates.py",),
    ),
    # Survivors of earlier counts: engine, ledger, takedown, media.
    Mutant(
        "engine_receipts", "pipeline/engine/agenda.py", " if step.version not in found.done):", "):",
        (ENGINE + "worker.py", ENGINE + "run.py"),
    ),
    Mutant(
        "engine_rows_after_drop", "pipeline/engine/outcome.py",
        'rows, drops, status = [], [_dropped(name, row, drop)], "dropped"',
        'drops, status = [_dropped(name, row, drop)], "dropped"', (ENGINE + "outcome.py",),
    ),
    Mutant(
        "engine_joins", "pipeline/engine/rows.py",
        'on = self.reads.key if self.reads.key in table.__dataclass_fields__ else "source_id"', 'on = "source_id"',
        (ENGINE + "worker.py", ENGINE + "run.py"),
    ),
    Mutant(
        "ledger_receipt_first", "manifests/manifest.py", "        files = {table.table: self.write(",
        "        self.commit(step, shard, receipt)\n        files = {table.table: self.write(",
        (ENGINE + "worker.py", "tests/manifests/test_many_writers.py"),
    ),
    Mutant(
        "takedown_order", "pipeline/takedown/takedown.py", "    removal.delete_media()\n    removal.tables()\n",
        "    removal.tables()\n    removal.delete_media()\n", ("tests/pipeline/takedown/test_removal.py",),
    ),
    Mutant(
        "ntsc_as_30", "pipeline/export/files.py", "Fraction(fps).limit_denominator(1001)", "Fraction(round(fps))",
        ("tests/pipeline/export/test_written_video.py",),
    ),
    Mutant(
        "export_sound_from_0", "pipeline/export/clip.py", ".samples(begun_s, begun_s + self.frames / self.fps, hz)",
        ".samples(0.0, self.frames / self.fps, hz)",
        ("tests/pipeline/export/test_written_video.py", "tests/pipeline/export/test_export.py"),
    ),
    Mutant(
        "odd_chroma", "operators/media/pixels.py", "return frame.width % wide == 0 and frame.height % high == 0",
        "return True", ("tests/operators/media/test_subsampling.py",),
    ),
    # operators/speech
    Mutant(
        "tick_early", "operators/speech/detect_active_speaker.py", "tick / TICK_HZ < frame.pts_s - _EPSILON_S",
        "tick / TICK_HZ < frame.pts_s - 0.02", (SPEECH + "detect_active_speaker.py",),
    ),
    Mutant(
        "steadied_across", "operators/speech/detect_active_speaker.py", "size=(13, 1)", "size=(1, 13)",
        (SPEECH + "detect_active_speaker.py",),
    ),
    Mutant(
        "overlap_own_voice", "operators/speech/diarize_speakers.py", "if other != voice and min(", "if min(",
        (SPEECH + "diarize_speakers.py",),
    ),
    Mutant(
        "turn_clock", "operators/speech/diarize_speakers.py", "audio.start_s + start_s, audio.start_s + end_s",
        "start_s, audio.start_s + end_s", (SPEECH + "turns_told.py",),
    ),
    Mutant(
        "share_any_score", "operators/speech/score_sync.py", "sum(score > 0 for score", "sum(score != 0 for score",
        (SPEECH + "score_sync.py",),
    ),
    Mutant(
        "peak_side", "operators/models/sync_curves.py", "0.5 * (before - after)", "0.5 * (after - before)",
        (SPEECH + "score_sync.py",),
    ),
    Mutant(
        "confirm_any_face", "operators/speech/confirm_voices.py",
        "clip.track_id != attribution.track_id\n                or ",
        "",
        (SPEECH + "confirm_voices.py",),
    ),
    Mutant(
        "breath_of_two", "operators/speech/attribute_turns.py", " <= most and len(sides) == 1:", " <= most and sides:",
        (SPEECH + "attribute_turns.py",),
    ),
    # operators/metrics
    Mutant(
        "apd_long_way", "operators/metrics/apd.py", "turned if self.of_deep3d else (turned + 180) % 360 - 180",
        "turned", (METRICS + "apd.py",),
    ),
    Mutant(
        "mkr_of_render", "operators/metrics/mkr.py", "if mesh(other) is not None]", "if mesh(one) is not None]",
        (METRICS + "mkr.py", METRICS + "face_metrics.py"),
    ),
    Mutant(
        "covariance_n", "operators/metrics/frechet.py", "self.scatter / (self.count - 1)", "self.scatter / self.count",
        (METRICS + "frechet.py",),
    ),
    Mutant("ssim_constant", "operators/metrics/ssim.py", "(0.03 * 255)", "(0.02 * 255)", (METRICS + "ssim.py",)),
    Mutant("lra_middle", "operators/metrics/lra.py", "/ 2 * FPS - 0.5", "/ 2 * FPS", (METRICS + "lra.py",)),
    Mutant(
        "lse_frame_slack", "operators/metrics/lse.py", "- start_s - _EXACT_S", "- start_s + _EXACT_S",
        (METRICS + "lse.py",),
    ),
    Mutant(
        "render_voice_late", "operators/metrics/lip_sync.py", "voice_level(video.audio, -reach,",
        "voice_level(video.audio, 2 - reach,", (METRICS + "av_sync.py",),
    ),
    # operators/faces
    Mutant(
        "joined_whenever", "operators/faces/track_faces.py", "0 < gap_s <= self.max_hidden_s", "0 < gap_s",
        (FACES + "track_faces.py",),
    ),
    Mutant(
        "sure_one_more", "operators/faces/track_faces.py", "elif sure < self.min_sure:", "elif sure <= self.min_sure:",
        (FACES + "track_faces.py",),
    ),
    Mutant(
        "unsure_first", "operators/faces/detect_faces.py", "(-face.box.confidence, face.box)",
        "(face.box.confidence, face.box)", (FACES + "detect_faces.py",),
    ),
    Mutant(
        "measured_top_is_left", "operators/faces/measure_faces.py", "math.floor(square[1])", "math.floor(square[0])",
        (FACES + "measure_faces.py",),
    ),
    Mutant(
        "block_grid_axes", "operators/faces/measure_faces.py", "blockiness(native, x, y)", "blockiness(native, y, x)",
        (FACES + "measure_faces.py",),
    ),
    # operators/clips
    Mutant(
        "hdtf_width_for_height", "operators/clips/crops.py", "0.0), frame[1] - side)", "0.0), frame[0] - side)",
        (CLIPS + "crops.py",),
    ),
    Mutant(
        "pc_avs_smoothing", "operators/clips/crops.py", "0.2 * shift + 0.8 * now", "0.8 * shift + 0.2 * now",
        (CLIPS + "crops.py",),
    ),
    Mutant("ffhq_middle", "operators/clips/crops.py", "eyes + 0.1 * down", "eyes - 0.1 * down", (CLIPS + "crops.py",)),
    Mutant(
        "crop_below", "operators/clips/plan_clips.py", "- self.up * face)", "+ self.up * face)",
        (CLIPS + "plan_clips.py",),
    ),
    Mutant(
        "split_too_long", "operators/clips/plan_clips.py", "<= self.max_s:\n            return [(first, last)]",
        "<= 2 * self.max_s:\n            return [(first, last)]", (CLIPS + "plan_clips.py",),
    ),
    Mutant(
        "sentence_pause", "operators/clips/cut_sentences.py", "(said[first - 1].end_s + said[first].start_s) / 2",
        "said[first].start_s", (CLIPS + "cut_sentences.py",),
    ),
    Mutant(
        "retimed_wrong_way", "operators/clips/render_clips.py", "clip.start_s + clip.sound_late_s",
        "clip.start_s - clip.sound_late_s", (CLIPS + "render_clips.py", CLIPS + "retime_clips.py"),
    ),
    # pipeline/export
    Mutant(
        "wav2lip_val", "pipeline/export/layouts/wav2lip.py", 'names["val"] or names["test"]',
        'names["val"] or names["train"]', (LAYOUTS + "wav2lip.py",),
    ),
    Mutant(
        "wav2lip_window", "pipeline/export/layouts/wav2lip.py", "for n in range(_WINDOW))",
        "for n in range(_WINDOW - 1))", (LAYOUTS + "wav2lip.py",),
    ),
    Mutant(
        "headpose_nose", "pipeline/export/layouts/headpose.py", "landmarks[:, 33]", "landmarks[:, 30]",
        (LAYOUTS + "headpose.py",),
    ),
    Mutant(
        "pc_avs_layout_smoothing", "pipeline/export/layouts/pc_avs.py", "_KEPT * shift + (1 - _KEPT) * off",
        "(1 - _KEPT) * shift + _KEPT * off", (LAYOUTS + "pc_avs.py",),
    ),
    Mutant(
        "pc_avs_eyes", "pipeline/export/layouts/pc_avs.py", "slice(36, 42), slice(42, 48), slice(60",
        "slice(42, 48), slice(36, 42), slice(60", (LAYOUTS + "pc_avs.py",),
    ),
]
# fmt: on
