"""More mutants of `benchmarks/mutants.py`, room by room: hearing, media, exports.

They were written from the code alone, before a look at what its tests hold.
"""

from benchmarks.mutant_list import LAYOUTS, MODELS, SPEECH, of

MEDIA, EXPORT = "tests/operators/media/test_", "tests/pipeline/export/test_"

_HEARING = [
    *of(
        "operators/speech/diarize_speakers.py",
        (SPEECH + "turns_told.py", SPEECH + "diarize_speakers.py"),
        beyond_the_end=("(span.start, min(span.end, duration_s), str(voice))", "(span.start, span.end, str(voice))"),
        flicker_is_a_turn=("if span[1] - span[0] >= self.min_turn_s)", "if span[1] > span[0])"),
        gate_not_fitted=("min([self.min_face_px, *(", "max([self.min_face_px, *("),
        voices_by_name=(
            "enumerate(dict.fromkeys(voice for _, _, voice in turns))",
            "enumerate(sorted({voice for _, _, voice in turns}, reverse=True))",
        ),
        long_turns_unheard=("bisect_left(starts, start_s - longest_s)", "bisect_left(starts, start_s)"),
        all_tracks_wide=("if self.min_face_px > 0 and not any(", "if self.min_face_px > 0 and not all("),
    ),
    *of(
        "operators/models/streamed_diarization.py",
        (MODELS + "streamed_diarization.py",),
        last_window_lost=("1 + math.ceil(rest / self.step)", "1 + rest // self.step"),
        first_window_deaf=("(begin - self.size) // self.step + 1)", "(begin - self.size) // self.step + 2)"),
        shortest_alone=("keepdims=True) > least, alone", "keepdims=True) > 0, alone"),
        least_voice_of_cluster=(
            "voices[:, clusters == cluster].max(axis=1)",
            "voices[:, clusters == cluster].min(axis=1)",
        ),
        merged_count_one=("            sizes[other] += sizes[last]\n", "            sizes[other] += 1\n"),
        small_to_the_farthest=("metric=self.metric).argmin(axis=0)", "metric=self.metric).argmax(axis=0)"),
        no_most_voices=("min(max(len(large), least), most)) != len(large)", "max(len(large), least)) != len(large)"),
    ),
    *of(
        "operators/models/silero_vad.py",
        (MODELS + "silero_vad.py",),
        state_forgotten=("said, state = self._session.run(", "said, _ = self._session.run("),
        context_forgotten=("given[0, :CONTEXT] = given[0, -CONTEXT:]", "given[0, :CONTEXT] = 0"),
        no_hysteresis=("low = max(threshold - HYSTERESIS, 0.01)", "low = threshold"),
        pad_beyond_end=("min(count, end + PAD)", "end + PAD"),
        rest_unheard=("    if len(rest):\n        yield np.pad", "    if False:\n        yield np.pad"),
    ),
    *of(
        "operators/speech/attribute_turns.py",
        (SPEECH + "attribute_turns.py",),
        still_face_speaks=("np.where(mine & (scores > 0), scores, -np.inf)", "np.where(mine, scores, -np.inf)"),
        mouth_out_of_view=("mouth = word & ~mine & ~busy & in_view", "mouth = word & ~mine & ~busy"),
        shorter_neighbour=("lengths[n + 1] > lengths[n - 1])", "lengths[n + 1] < lengths[n - 1])"),
        edge_is_judged=("STILL_MOUTHS) and end_s - start_s < self.edge_s:", "STILL_MOUTHS) and False:"),
        after_the_picture=(
            "between = bool(ordered) and ordered[0].start_s < at_s < ordered[-1].start_s",
            "between = bool(ordered)",
        ),
    ),
    *of(
        "operators/speech/score_audio.py",
        (SPEECH + "made_levels.py", SPEECH + "score_audio.py"),
        short_silence=("lengths >= hz / 10]", "lengths >= hz / 100]"),
        silent_channel_clips=("(1 - 2e-5)) & (top >= NOTHING))", "(1 - 2e-5)) & (top >= 0))"),
        crowded_on_average=(".mean(axis=1).max())\n", ".mean())\n"),
        true_peak_below=(
            '_db(max(float(said["lavfi.r128.true_peak"]), float(np.abs(channels).max())))',
            '_db(float(said["lavfi.r128.true_peak"]))',
        ),
        side_over_mid=("_ratio_db(left - right, left + right)", "_ratio_db(left + right, left - right)"),
        phase_unseen=("if side_db >= 6 else", "if side_db >= 60 else"),
        noise_is_median=("np.percentile(power, 10))", "np.percentile(power, 50))"),
        clip_of_two=("    for shift in range(3):\n", "    for shift in range(2):\n"),
    ),
    *of(
        "operators/speech/score_speech.py",
        (SPEECH + "made_levels.py", SPEECH + "score_speech.py"),
        last_window_unscored=("- WINDOW_S) + 1):", "- WINDOW_S) + 0):"),
        low_percentile=("np.percentile(dbfs(frames), [10, 95])", "np.percentile(dbfs(frames), [5, 95])"),
        peak_with_sign=(
            'float(np.abs(samples).max())),\n            ("speech_clipped"',
            'float(samples.max())),\n            ("speech_clipped"',
        ),
    ),
    *of(
        "operators/speech/transcribe_speech.py",
        (SPEECH + "transcribe_speech.py",),
        words_overlap=("min(max(start_s, before_s), length_s)", "min(max(start_s, 0.0), length_s)"),
        last_sound_cut=("int(heard[-1]) + 1)", "int(heard[-1]))"),
        whole_clip_is_quiet=("if len(heard) else (0, round((end_s - start_s) / step_s))", "if len(heard) else (0, 0)"),
    ),
    *of(
        "operators/speech/score_speech_rate.py",
        (SPEECH + "score_speech_rate.py",),
        words_of_others=("if word.subject == clip.clip_id]", "if word.subject]"),
    ),
    *of(
        "operators/speech/score_other_voices.py",
        (SPEECH + "score_other_voices.py",),
        own_voice_too=("if turn.speaker != clip.speaker]", "if turn.speaker]"),
    ),
    *of(
        "operators/speech/score_sync.py",
        (SPEECH + "score_sync.py",),
        last_tick_unheard=(": max(0, last + 1 - began)]", ": max(0, last - began)]"),
        unseen_mouth_scored=("        if seen.mean() < self.min_seen:\n", "        if False:\n"),
    ),
    *of(
        "operators/timeline.py",
        (SPEECH + "made_levels.py", "tests/operators/test_timeline.py", SPEECH + "attribute_turns.py"),
        hidden_is_visible=("        if then - at <= max_hidden_s:\n", "        if True:\n"),
        edges_are_silent=('half, mode="edge")', 'half, mode="constant")'),
        first_voice_is_own=(
            "if speaker is not None and together[speaker] else None",
            "if speaker is not None else None",
        ),
    ),
]

_SOUND = (MEDIA + "sound.py", MEDIA + "sound_in_time.py")
_MEDIA = [
    *of(
        "operators/media/sound.py",
        _SOUND,
        overlap_is_jitter=("abs(pts_s - self.end_s) <= jitter_s", "pts_s - self.end_s <= jitter_s"),
        resampler_tail=("count = min(self._made, round(self._samples * self._hz / self._rate))", "count = self._made"),
        phase_at_once=("return -10 * common >= 3 * power > 0", "return -10 * common >= 9 * power > 0"),
        bytes_unsigned=("left, right = left - 128, right - 128", "left, right = left, right"),
        earlier_is_heard=("        for piece in self.pieces:\n", "        for piece in reversed(self.pieces):\n"),
        no_overlap_of_coder=("at_s = max(start_s - 1.0, ", "at_s = max(start_s, "),
        jitter_clicks=(
            "placed_s = next_s if next_s is not None and abs(pts_s - next_s) <= SourceAudio.JITTER_S else pts_s",
            "placed_s = pts_s",
        ),
    ),
    *of(
        "operators/media/containers.py",
        (MEDIA + "containers.py", MEDIA + "frames.py", "tests/operators/sources/test_probe_source.py"),
        cover_is_the_film=("if not stream.disposition & Disposition.attached_pic]", "if True]"),
        any_size=("    if found is not None:\n", "    if False:\n"),
        latin_1_title=('            metadata_errors="replace",\n', ""),
        broken_shape=("sar if sar and 1 / MAX_SHAPE <= sar <= MAX_SHAPE else None", "sar or None"),
        mirrored=("return cls(height, width, True, c < 0, b < 0,", "return cls(height, width, True, b < 0, c < 0,"),
        any_format=('{"protocol_whitelist": "file", "format_whitelist": CONTAINERS}', '{"protocol_whitelist": "file"}'),
    ),
    *of(
        "operators/media/decoding.py",
        (MEDIA + "frames.py", MEDIA + "timestamps.py", MEDIA + "sound.py"),
        half_lost_is_fine=("self.lost * 10 > self.packets", "self.lost * 2 > self.packets"),
        same_time_twice=("or pts_s <= last_s:", "or pts_s < last_s:"),
        last_held_at_once=("untimed_s = last_s + step_s if when_decoded", "untimed_s = last_s if when_decoded"),
    ),
    *of(
        "operators/media/clock.py",
        (MEDIA + "clock.py",),
        stray_time_is_a_part=("STAYS = 3", "STAYS = 1"),
        third_part_early=("added_s[part] = end_s + added_s[part - 1] - start_s", "added_s[part] = end_s - start_s"),
        apart_is_joined=("            if lag_s > TOGETHER_S:\n", "            if False:\n"),
        b_frames_are_parts=("if latest_s - BACK_S <= time.decoded_s", "if latest_s <= time.decoded_s"),
    ),
    *of(
        "operators/media/frames.py",
        (MEDIA + "frames.py", MEDIA + "frame_crops.py"),
        end_included=(
            "self.end_s is not None and pts_s >= self.end_s:",
            "self.end_s is not None and pts_s > self.end_s:",
        ),
        late_seek=("if first is not None and first[1] <= self.start_s:", "if first is not None:"),
        luma_unexpanded=(
            "        if not is_full_range(self._frame):\n            stored",
            "        if False:\n            stored",
        ),
    ),
    *of(
        "operators/media/pixels.py",
        (MEDIA + "frame_crops.py", MEDIA + "frames.py"),
        first_line_of_step=("source[y0 // high + step // 2 :: step,", "source[y0 // high :: step,"),
    ),
    *of(
        "operators/media/tone.py",
        (MEDIA + "tone.py",),
        primaries_across=("nits / WHITE_NITS @ TO_709.T", "nits / WHITE_NITS @ TO_709"),
        no_system_gamma=("[..., None] ** 0.2", "[..., None] ** 0.0"),
    ),
]

_EXPORTS = [
    *of(
        "pipeline/export/export.py",
        (EXPORT + "export.py",),
        other_render_is_same=("if clip is None or before.sha256 != clip.sha256:", "if clip is None:"),
        other_split_is_same=("(before.split, before.person) == (clip.split, clip.person)", "True"),
        torn_line_stays=("        if lines[-1]:\n", "        if False:\n"),
        any_version=('        "version": layout.version,\n', '        "version": 1,\n'),
        numbers_again=("highest = max((outcome.number for outcome in done.values()), default=0)", "highest = 0"),
    ),
    *of(
        "pipeline/export/corpus_clips.py",
        (EXPORT + "corpus_clips.py", EXPORT + "export.py"),
        list_over_annotation=(
            '{**self.facts.get(span["published_id"] or "", {}), **self.facts.get(clip_id, {})}',
            '{**self.facts.get(clip_id, {}), **self.facts.get(span["published_id"] or "", {})}',
        ),
        dev_is_unknown=(', "dev": "val"}', "}"),
        words_wrong_way=("min(max(at_s - late_s, 0.0), length_s)", "min(max(at_s + late_s, 0.0), length_s)"),
        scores_of_recording=('row["subject"].removesuffix("@recording")', 'row["subject"]'),
        some_looks_are_all=('(compute.field("rate_hz") == 0) & ', ""),
        top_of_width=('span["top_px"] / height', 'span["top_px"] / width'),
        words_in_any_order=("for _, text in sorted(words))", "for _, text in words)"),
        nobody_for_the_test=("    if not test and len(draws) > 1:\n", "    if False:\n"),
    ),
    *of(
        "pipeline/export/clip.py",
        (EXPORT + "corpus_clips.py", EXPORT + "export.py"),
        frame_too_late=(
            "made / rate < frame.pts_s - begun_s - _EXACT_S:",
            "made / rate < frame.pts_s - begun_s - 0.02:",
        ),
        track_unnamed=('video = self.video if track == "t0" else', "video = self.video if track else"),
        one_part_more=("count = -(-frames // longest)", "count = frames // longest + 1"),
        exact_fit_left=("if length <= count - first)", "if length < count - first)"),
        mesh_turned=("- (left, top, 0.0)) * (across, down, across)", "- (top, left, 0.0)) * (across, down, across)"),
        mesh_one_scale=("(across, down, across)", "(across, across, across)"),
        frames_missing=("        if read != self.frames:\n", "        if read > self.frames:\n"),
    ),
    *of(
        "pipeline/export/files.py",
        (EXPORT + "written_video.py", EXPORT + "export.py", EXPORT + "source_sound.py"),
        loud_sound_wraps=("np.clip(channels.T, -1, 1) * 32767", "channels.T * 32767"),
        sides_swapped=(
            "video.height, video.width = picture.shape[:2]",
            "video.width, video.height = picture.shape[:2]",
        ),
        half_a_file=(
            "        os.replace(part, path)\n    finally:\n        part.unlink",
            "        os.replace(part, path)\n    except ValueError:\n        part.unlink",
        ),
    ),
    *of(
        "pipeline/export/captions.py",
        (EXPORT + "captions.py",),
        other_side=('side = "right" if yaw > 0 else "left"', 'side = "left" if yaw > 0 else "right"'),
        one_is_others=("people is None or people < 1.5", "people is None or people < 0.5"),
    ),
    *of(
        "pipeline/export/checks.py",
        (EXPORT + "checks.py", *(LAYOUTS + f"{name}.py" for name in ("hallo3", "stableavatar", "keysync", "dfa_nerf"))),
        mask_of_nothing=(' if low == high else ""', ' if low > high else ""'),
        numbers_not_finite=(" or not np.isfinite(array).all():", ":"),
    ),
    *of(
        "pipeline/export/faces.py",
        (EXPORT + "export.py", EXPORT + "faces.py", LAYOUTS + "pc_avs.py", LAYOUTS + "latentsync.py"),
        gap_one_longer=(".max()) - 1\n", ".max()) - 2\n"),
        farther_face=("nearest = int(np.argmin(", "nearest = int(np.argmax("),
    ),
    *of("pipeline/export/layouts/wav2lip.py", (LAYOUTS + "wav2lip.py",), wav2lip_least=("_LEAST = 16", "_LEAST = 15")),
    *of(
        "pipeline/export/layouts/lrs3.py",
        (LAYOUTS + "lrs3.py",),
        lrs3_right_for_width=("\\t{right - left:.3f} \\t{bottom", "\\t{right:.3f} \\t{bottom"),
        lrs3_from_zero=("first = round(clip.start_s * FPS)", "first = 0"),
        lrs3_test_in_pretrain=('            if subset == "test":\n', '            if subset == "none":\n'),
    ),
    *of(
        "pipeline/export/layouts/hallo3.py",
        (LAYOUTS + "hallo3.py",),
        hallo3_intersection=("union = np.max([face_mask", "union = np.min([face_mask"),
    ),
    *of(
        "pipeline/export/layouts/musetalk.py",
        (LAYOUTS + "musetalk.py",),
        musetalk_narrower=("int(max(box[2], marks[:, 0].max())", "int(min(box[2], marks[:, 0].max())"),
        musetalk_face_size=(
            "[int(boxes[0, 3] - boxes[0, 1]), int(boxes[0, 2] - boxes[0, 0])]",
            "[int(boxes[0, 2] - boxes[0, 0]), int(boxes[0, 3] - boxes[0, 1])]",
        ),
    ),
    *of(
        "pipeline/export/layouts/latentsync.py",
        (LAYOUTS + "latentsync.py",),
        latentsync_smoothing=("_KEPT * shift + (1 - _KEPT) * off", "(1 - _KEPT) * shift + _KEPT * off"),
        latentsync_name=('f"{clip.name}-{clip.sha256[:10]}"', 'f"{clip.name}-0"'),
        latentsync_brows=("slice(17, 22), slice(22, 27), [29", "slice(22, 27), slice(17, 22), [29"),
    ),
    *of(
        "pipeline/export/layouts/vico.py",
        (LAYOUTS + "vico.py",),
        vico_shorter_listener=('if listener.note["frames"] < speaker.note["frames"] else', "if False else"),
        vico_apart=('        return "not_together"\n', "        pass\n"),
    ),
    *of(
        "pipeline/export/layouts/dfa_nerf.py",
        (LAYOUTS + "dfa_nerf.py",),
        dfa_nerf_camera_turned=("turn.T, -turn.T @ place", "turn, -turn.T @ place"),
        dfa_nerf_centimetres=("matrix[:3, 3] / grown / 100", "matrix[:3, 3] / grown"),
        dfa_nerf_chin=("(points[8, 1] - y) * 1.15", "(points[8, 1] - y) * 1.0"),
    ),
]
MEDIA_ROOMS = [*_HEARING, *_MEDIA, *_EXPORTS]
