"""Why a row is given up: every reason once, with its meaning, whether another try may end otherwise, and what to set.

A reason is a word to count by; the numbers behind it are in the drop's detail. What fails without a `Drop` has the name
of its error as its reason, such as `ValueError`, and may always be tried again: `headset explain` shows where it came
from.
"""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Reason:
    """One reason. In a `word` with a part in angle brackets that part is one of many, as in `<metric>_low`."""

    word: str
    meaning: str
    change: str = ""  # the field, or the deed, that lets such rows through; "" where nothing does
    again: bool = False  # whether the same try may end otherwise another time: `headset retry CORPUS --reason WORD`


_LISTED = {  # what was named on the command line or in a list, and never became a source
    "missing_file": ("no file of that name is there", "put it there", True),
    "not_a_file": ("a folder, a device or a socket", "name the files in it"),
    "unreadable": ("this user may not read it, or the disk could not", "its permissions", True),
    "name_not_utf8": ("a table cannot hold the file's name", "rename the file"),
    "empty_entry": ("a line or cell without anything in it", ""),
    "not_json": ("a line of a JSON list that is none", "the line"),
    "duplicate": ("the same source was named before", ""),
    "checksum_changed": ("not the content that the list states", "the list's sha256", False),
    "not_an_address": ("not an address that can be asked for", "the address"),
    "scheme_not_allowed": ("an address of another kind than http, https and s3", "the address"),
    "private_address": ("an address of this machine or its network", "DownloadVideo.allow_private"),
    "credentials_in_address": ("a manifest keeps no secrets", "s3:// with AWS's own chain, a netrc, or a cookies file"),
    "not_one_video": ("a page, channel, playlist or bucket with several", "list its videos one by one"),
    "missing_bucket": ("the bucket does not exist", "its name"),
    "access_denied": ("no credentials, wrong ones, or ones that do not suffice", "the credentials", True),
    "store_unreachable": ("the store did not answer", "", True),
    "taken_down": ("`headset takedown` removed it, and it must not come back", ""),
}
_FETCHED = {  # how an attempt to get a source ended
    "removed": ("the site says it is gone", ""),
    "private": ("the site shows it to its owner only", ""),
    "members_only": ("the site wants to be paid", "HEADSET_YTDLP with --cookies, of an account that may see it"),
    "age_gated": ("the site wants to know the viewer's age", "HEADSET_YTDLP with --cookies"),
    "geo_blocked": ("not shown in this country", "HEADSET_PROXIES"),
    "login_required": ("the site wants an account", "HEADSET_YTDLP with --cookies", True),
    "drm": ("protected against copying", ""),
    "live": ("not recorded yet", "", True),
    "bot_check": ("the site took us for a machine", "DownloadVideo.gap_s, HEADSET_PROXIES", True),
    "rate_limited": ("the site asked to be slower", "DownloadVideo.gap_s", True),
    "site_rests": ("the site asked for a pause, or served nobody; no try was made", "", True),
    "timeout": ("nothing came, or not all of it in time", "DownloadVideo.max_seconds, DownloadVideo.timeout_s", True),
    "unreachable": ("no connection, or no such host", "", True),
    "too_slow": ("the site drips: what was asked for is not there in its time", "", True),
    "outside_program": ("another program would have to fetch it, whose connections nobody checks", ""),
    "tls_error": ("the site's certificate cannot be trusted", ""),
    "truncated": ("less came than was promised, or than the file says it has", "", True),
    "http_<status>": ("the status that the site answered with; 408, 425, 429, 500 and 502 to 504 may pass", "", True),
    "too_many_redirects": ("more than ten addresses, one after the other", ""),
    "too_large": ("over the limit of bytes", "DownloadVideo.max_bytes"),
    "too_long": ("longer than is wanted", "DownloadVideo.max_duration_s; of a sentence CutSentences.max_s"),
    "format_missing": (
        "no format of the wanted height, with sound",
        "DownloadVideo.min_height, DownloadVideo.max_height",
    ),
    "licence_not_wanted": ("under a licence that the recipe does not name", "DownloadVideo.licences"),
    "channel_not_wanted": ("of a channel that the recipe does not name", "DownloadVideo.channels"),
    "language_not_wanted": ("in a language that the recipe does not name", "DownloadVideo.languages"),
    "tool_broken": ("words of the site that nobody knew yet", "update yt-dlp", True),
    "source_gone": ("its source was given up, and with it all that was to be made of it", ""),
}
_PROBED = {  # what is wrong with a file
    "not_a_video": ("a page, a text, a picture, or nothing that is known, whatever its name says", ""),
    "empty_file": ("a file of 0 bytes", "", True),
    "no_video_stream": ("nothing to be seen in it", "ProbeSource.needs"),
    "no_audio_stream": ("nothing to be heard in it", "ProbeSource.needs"),
    "no_decoder": ("this build of FFmpeg cannot decode it", ""),
    "corrupt_video": ("more than a tenth of its pictures cannot be decoded", ""),
    "corrupt_audio": ("more than a tenth of its sound cannot be decoded", ""),
    "frame_size_unknown": ("its source was not probed", "ProbeSource before this step"),
    "corrupt_file": ("reading it cannot go on", ""),
    "clock_restarts": (
        "its clock starts anew in the middle, and no seek leads to the parts",
        "join the parts anew, such as by FFmpeg's concat",
    ),
    "implausible": (
        "states what no camera or microphone makes: its size, its rate, or a length that its packets do not cover",
        "ProbeSource.max_s",
    ),
    "featureless": ("no look has the contrast to be told from others", "FingerprintSource.min_contrast"),
}
_PLANNED = {  # why a span is no clip, or a clip is none of those kept
    "no_face": (
        "no face where one is needed: in the shot, in the clip's span, or in too many of its frames",
        "TrackFaces.start_confidence, TakeRecordings.max_unseen",
    ),
    "skin_not_seen": ("the face's skin is black, burnt out, grey or bluish in every look: its tone cannot be told", ""),
    "not_two_faces": ("nobody else is in the picture to listen", ""),
    "no_speech": ("nobody is heard", ""),
    "shot_short": ("the shot is shorter than a clip", "PlanClips.min_s, PlanClips.margin_s"),
    "voice_off_screen": ("people are seen and heard, but none of those seen speaks", ""),
    "two_voices": ("someone else is heard at the same time", "PlanClips.max_other_voice"),
    "other_voice": ("the face moves its mouth, but the voice is another's", ""),
    "no_clip_face": (
        "no face is large enough for long enough to become a clip, so its sound was not listened to",
        "DiarizeSpeakers.min_face_px, DiarizeSpeakers.min_face_s",
    ),
    "face_small": ("the face is narrower than wanted", "PlanClips.min_face_px, PlanTubes.min_face_px"),
    "too_short": ("shorter than wanted", "PlanClips.min_s, PlanTubes.min_s, CutSentences.min_s"),
    "face_leaves_crop": ("the face moves over more than the frame is wide or high", "PlanClips.scale"),
    "other_face_in_crop": ("a second face comes into the crop", "PlanClips.scale"),
    "not_alone": ("a second face is seen meanwhile", "PlanTubes.alone"),
    "track_too_short": ("a face seen for a moment", "TrackFaces.min_s"),
    "face_unsure": ("too few sightings that are surely a face", "TrackFaces.min_sure"),
    "crop_small": ("the crop is smaller than wanted", "CropClips.min_px"),
    "crop_empty": ("less than 16 pixels of the crop lie in the frame", ""),
    "box_empty": ("the list's box holds no pixel", ""),
    "box_outside_frame": ("the list's box leaves the frame", "PlacePublished.slack_px, PlacePublished.cut_boxes"),
    "rule_unknown": ("the list names a rule for its crop that there is not", ""),
    "beyond_end": ("the list's span lies after the end of the video", "PlacePublished.short_s"),
    "frame_unknown": ("the list names a frame that the video has not, or none at all", ""),
    "no_silence": ("somebody speaks all the time, so lips at rest are not to be seen", ""),
    "no_frames": ("no frame lies in the span", ""),
    "moment_not_found": ("the listed moment is nowhere in the file that is there", "LocatePublished.max_distance"),
    "moment_cut": ("a part of the listed moment is not in the file that is there", ""),
    "name_unknown": ("the file's name does not say what it is", "TakeRecordings.path"),
    "cut_inside": ("a recording in one take has a cut", ""),
    "two_faces": ("a recording of one person shows two", "TakeRecordings.max_others"),
    "caption_missing": ("the captions given have none of this clip", "", False),
    "pose_differs": ("the pose video given does not decode, or is not as long as the clip", "", False),
    "not_reviewed": ("nobody said anything of the clip", "KeepReviewed.unreviewed"),
    "review_<verdict>": ("its reviewers say so, or do not agree: disputed", "KeepReviewed.verdicts"),
    "<metric>_low": ("the score is below its range", "KeepClips.ranges.<metric>"),
    "<metric>_high": ("the score is above its range", "KeepClips.ranges.<metric>"),
    "<metric>_missing": (
        "the clip has no such score, or one that is no number; another drop of the clip says why",
        "KeepClips.ranges.<metric>",
    ),
}
_HEARD = {  # why sound, words or sync cannot be told
    "audio_too_short": ("too little sound to be judged", ""),
    "digital_silence": ("every sample is 0", ""),
    "silent_audio": ("nothing to be heard in the span", ""),
    "no_sound": ("the span has no sound that changes", ""),
    "sync_too_short": ("too short to tell how sound and mouth go together", "ScoreSync.min_s"),
    "looks_too_sparse": ("the face was looked at too seldom to follow its mouth", "LandmarkFaces.rate_hz"),
    "mouth_unseen": ("the mouth is hidden in too many frames", "ScoreSync.min_seen"),
    "mouth_still": ("the mouth does not move", ""),
    "sound_out_of_sync": ("all clips of the source say that its sound is far off its picture", "EstimateOffset.most_s"),
    "no_words": ("no word was understood", ""),
    "no_word_fits": ("none of the words is one that is wanted", "CutWords.vocabulary"),
    "word_long": ("the word takes longer than its clip", "CutWords.frames"),
    "word_short": ("the word is over before it can be read from lips", "CutWords.min_word_s"),
    "word_at_edge": ("the word is cut off by the clip's edge", ""),
    "unsure": (
        "the words were understood with too little confidence",
        "CutSentences.min_confidence, CutWords.min_confidence",
    ),
}
_SCORED = {  # why a render has no value of a metric
    "no_reference": ("the metric compares with a recording, and there is none", ""),
    "size_mismatch": ("the render is of another size than its reference", "headset score --size"),
    "fps_not_25": ("the published code reads 25 frames a second only", "RenderClips.fps"),
    "face_too_small": ("the face is smaller than the published code takes", ""),
    "too_small": ("the picture is smaller than the definition needs", "headset score --size"),
    "no_edges": ("no frame has an edge to be measured", ""),
    "flat": ("the frames are of one colour", ""),
    "no_word": ("no word of the clip is known", "headset run lrw"),
    "not_in_lrw": ("the word is none of those the network knows", ""),
    "pair_unknown": ("no pair of that name: what it was to show is not known", "headset pairs"),
    "no_target": ("no recording shows what this render should show", ""),
    "no_recording": ("the clip that it is compared with is not rendered", "headset run", True),
    "fps_mismatch": ("the render and its recording have different frame rates", ""),
    "length_mismatch": ("the render and its recording are of different length", ""),
}  # fmt: skip
_RUN = {  # what happens to rows of any step, and to clips of any export
    "missing_render": ("the folder has no video for the pair", "put it there under the name that --pairs says", True),
    "worker_died": (
        "its worker died twice while the row was in work: a native library crashed, or memory ran out",
        "",
        True,
    ),
    "not_square": ("a face must not be stretched: the layout wants a square", "RenderClips.size"),
    "frames_differ": ("the file has other frames than the manifest says", "headset retry", True),
    "duplicate_key": ("a step made two rows of one key; the first was kept: a bug of the step", ""),
}

REASONS: dict[str, Reason] = {
    word: Reason(word, *told)  # pyright: ignore[reportArgumentType] - meaning, what to change, whether again
    for part in (_LISTED, _FETCHED, _PROBED, _PLANNED, _HEARD, _SCORED, _RUN)
    for word, told in part.items()
}


def reason(word: str) -> Reason | None:
    """What a drop's reason means; None for the name of an error, and for reasons of importers and layouts, which their
    files explain.
    """
    families = (
        one for one in REASONS.values() if "<" in one.word and re.fullmatch(re.sub(r"<\w+>", r"\\w+", one.word), word)
    )
    return REASONS.get(word) or next(families, None)
