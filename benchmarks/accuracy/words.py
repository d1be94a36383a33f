"""Words and their times by `TranscribeSpeech`, against GRID's sentences and alignment.

    HEADSET_MEDIA=<folder of the test media> HEADSET_LISTS=<folder of the lists> python -m benchmarks.accuracy.words

prints tables in Markdown. A GRID sentence is coded in its file's name. Before they are compared, words are put into
lower case, numerals are spelled, and a letter is split from a numeral ("F2." is f, two); nothing else is forgiven.
LibriSpeech's transcripts are not part of the test media: for its utterances the two packaged models are held against
each other.
"""

import os
import platform
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import numpy as np

from operators.speech.transcribe_speech import TranscribeSpeech
from tests.operators.speech.grid_words import (
    ALIGNED,
    Heard,
    alignment,
    errors,
    hear,
    plain,
    sentence,
    time_errors,
)


def text(heard: Heard) -> str:
    return " ".join(word.text for word in heard.words)


def main() -> None:
    media, lists = Path(os.environ["HEADSET_MEDIA"]), Path(os.environ["HEADSET_LISTS"])
    models = {name: TranscribeSpeech(model=name) for name in ("tiny.en", "base")}
    print(
        f"faster-whisper {version('faster-whisper')}, ctranslate2 {version('ctranslate2')},"
        f" {platform.processor() or platform.machine()}"
    )

    print("\n| utterance | said | " + " | ".join(models) + " |\n|---|---|" + "---|" * len(models))
    cases = {path: sentence(path.stem[-6:]) for path in sorted((media / "grid").glob("*.mpg"))}
    cases[media / "single" / "lrs2_demo.mp4"] = plain("it's that simple")
    known = set(map(str.strip, (lists / "GRID" / "grid_sentences.txt").read_text().splitlines()))
    wrong, said, cpu_s = dict.fromkeys(models, 0), 0, dict.fromkeys(models, 0.0)
    for path, words in cases.items():
        if "grid" in path.parts and " ".join(words) not in known:
            raise ValueError(f"{' '.join(words)} is no sentence of GRID")
        heard = {name: hear(path, operator) for name, operator in models.items()}
        if "grid" in path.parts:
            said += len(words)
            for name, one in heard.items():
                wrong[name] += errors(words, plain(text(one)))
                cpu_s[name] += one.cpu_s
        told = " | ".join(f"{text(one)} ({errors(words, plain(text(one)))})" for one in heard.values())
        print(f"| {path.stem} | {' '.join(words)} | {told} |")
    print(f"| GRID | {said} words | " + " | ".join(f"**{wrong[name] / said:.0%}** wrong" for name in models) + " |")

    print("\n| times of swwp2s | mean error of starts | of ends | largest |\n|---|---|---|---|")
    truth = alignment(lists / "GRID" / f"{ALIGNED}.align")
    path = next((media / "grid").glob(f"*{ALIGNED}.mpg"))
    for name, operator in models.items():
        for quiet_db in (0.0, 20.0, 25.0, 30.0):
            starts, ends = time_errors(truth, hear(path, replace(operator, quiet_db=quiet_db)).words)
            largest = max(map(abs, starts + ends))
            print(
                f"| {name}, quiet_db {quiet_db:g} | {np.abs(starts).mean():.3f} s | {np.abs(ends).mean():.3f} s |"
                f" {largest:.3f} s |"
            )

    print("\n| LibriSpeech | words | told otherwise by base | starts apart, median | CPU a second: tiny.en | base |")
    print("|---|---|---|---|---|---|")
    count, other, apart, cost, length_s = 0, 0, [], dict.fromkeys(models, 0.0), 0.0
    for path in sorted((media / "speakers").glob("*.flac"))[::2]:
        one, two = (hear(path, operator) for operator in models.values())
        count += len(plain(text(one)))
        other += errors(plain(text(one)), plain(text(two)))
        if [plain(word.text) for word in one.words] == [plain(word.text) for word in two.words]:
            apart += [abs(a.start_s - b.start_s) for a, b in zip(one.words, two.words, strict=True)]
        length_s += one.length_s
        cost = {name: cost[name] + heard.cpu_s for name, heard in zip(models, (one, two), strict=True)}
    costs = " | ".join(f"{cpu / length_s:.2f}" for cpu in cost.values())
    print(
        f"| 10 utterances, {length_s:.0f} s | {count} | {other / count:.0%} | {np.median(apart):.3f} s of {len(apart)}"
        f" words | {costs} |"
    )


if __name__ == "__main__":
    main()
