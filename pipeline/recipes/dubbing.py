"""Sentences to dub: each with its words, who says it, who else is heard, and how much of the lips is to be seen.

The fields are those of the lists that dubbing systems read (FunAudioLLM/FunCineForge f24dd462, `exps/data/demo.jsonl`:
text, dialogue turns with speakers, a face, a voice apart): the transcript and word times are annotations, the speaker
is the clip's, and three scores say the rest: `other_voice_share`, `other_voices`, `mouth_hidden_share`. `headset export
--layout ltx2 --substitute video_mask` writes such clips for in-painting.

Sentences are 1 to 15 s long: the longest line of their sample is 5.7 s, and what one hears as a sentence seldom takes
more than 15. The mouth is hidden in no more than a tenth of the looks, and others are heard in no more than a tenth
of the clip, as their overlap removal
wants none: turns are off by 0.2 s at their edges, a tenth of 4 s.

Not followed: they part the voice from its background by a network that no package brings; here the sound is as it was.
Age, gender and the described manner of speech are not asked for. Their second pass, a language model that mends
transcripts (character errors 4.5 to 0.9 %), is left out.
"""

from operators.clips.cut_sentences import CutSentences
from operators.clips.keep_clips import KeepClips
from operators.clips.plan_clips import PlanClips
from operators.clips.render_clips import RenderClips
from operators.faces.detect_faces import DetectFaces
from operators.faces.embed_faces import EmbedFaces
from operators.faces.landmark_faces import LandmarkFaces
from operators.faces.score_occlusion import ScoreOcclusion
from operators.faces.track_faces import TrackFaces
from operators.shots.detect_shots import DetectShots
from operators.sources.download_video import DownloadVideo
from operators.sources.fingerprint_source import FingerprintSource
from operators.sources.probe_source import ProbeSource
from operators.speech.detect_active_speaker import DetectActiveSpeaker
from operators.speech.diarize_speakers import DiarizeSpeakers
from operators.speech.score_other_voices import ScoreOtherVoices
from operators.speech.score_sync import ScoreSync
from operators.speech.transcribe_speech import TranscribeSpeech
from pipeline.recipe import Recipe, Stage

RECIPE = Recipe(
    "dubbing",
    "sentences with speaker, other voices and visible lips, to dub",
    (
        Stage(DownloadVideo()),
        Stage(ProbeSource()),
        Stage(DetectShots(), DetectFaces(), EmbedFaces(), FingerprintSource()),
        Stage(TrackFaces()),
        Stage(DiarizeSpeakers()),
        Stage(DetectActiveSpeaker()),
        Stage(PlanClips(min_s=1.0, max_s=30.0, min_face_px=96.0)),  # 30 s is what Whisper hears at once
        Stage(TranscribeSpeech()),
        Stage(CutSentences(min_s=1.0, max_s=15.0, max_characters=300)),
        Stage(LandmarkFaces(), ScoreOtherVoices(), ScoreOcclusion()),
        Stage(ScoreSync()),
        Stage(KeepClips(ranges={"other_voice_share": (None, 0.1), "mouth_hidden_share": (None, 0.1)})),
        Stage(RenderClips()),
    ),
)
