"""Adapters as tests need them: good ones, and hostile ones."""

from pathlib import Path

BLOCK = '''"""{prose}"""
# /// script
# requires-python = ">=3.6"
# dependencies = ["numpy", "opencv-python"]
# [tool.headset]
# title = "Made up"
# paper = "none"
# year = 2026
# driven_by = "video"
# code = "full"
# licence = "Apache-2.0"
# kind = "command"
# floor = true
{more}# [tool.headset.input]
# px = 64
# [tool.headset.output]
{output}# ///
'''

BODY = '''
import os, sys, time, json, signal, subprocess
import numpy as np
import cv2


def prepare(folder):
    pass


def load(device):
    {load}


def video(request, frames=None, rate=None, side=64, name="made.avi", folder=None, flat=False):
    """Writes noise that moves."""
    frames = request["frames"] if frames is None else frames
    rate = rate or request["fps"][0] / request["fps"][1]
    path, size = os.path.join(folder or request["out_dir"], name), (side * {panels}, side)
    made = cv2.VideoWriter(path, cv2.VideoWriter_fourcc(*"FFV1"), rate, size)
    noise = np.random.default_rng(1).integers(0, 256, (side, side * {panels}, 3), np.uint8)
    for k in range(frames):
        made.write(np.full_like(noise, 90) if flat else np.roll(noise, k, axis=1))
    made.release()
    return {{"video": name}}


def generate(request):
    {generate}
'''


def write_adapter(
    folder: Path,
    name: str,
    generate: str = "return video(request)",
    *,
    load: str = "pass",
    more: str = "",
    output: str = "",
    panels: int = 1,
) -> Path:
    """An adapter whose `generate` is these lines, four spaces in."""
    path = folder / f"{name}.py"
    folder.mkdir(parents=True, exist_ok=True)
    block = BLOCK.format(prose="Made up.", more=more, output=output)
    path.write_text(
        block + BODY.format(load=load.replace("\n", "\n    "), generate=generate.replace("\n", "\n    "), panels=panels)
    )
    return path


ESCAPES = (
    'subprocess.Popen([sys.executable, "-c", "import time, os; open(%r, \'w\').write(str(os.getpid()));'
    ' time.sleep(600)" % {pid!r}], start_new_session=True)\n'
)

# By name: what `generate` does, and the reason that its pair is given up with; "" where its video is taken all the
# same.
HOSTILE = {
    "dies": ("os._exit(3)", "died"),
    "crashes": ("os.kill(os.getpid(), signal.SIGSEGV)", "died"),
    "raises": ('raise ValueError("no such thing")', "died"),
    "hangs": ("time.sleep(600)", "timed_out"),
    "stops": ("os.kill(os.getpid(), signal.SIGSTOP)", "silent"),
    "prints_noise": (
        'print("noise " * 100000, flush=True); os.write(2, bytes(range(256)) * 1000)\nreturn video(request)', "",
    ),
    "floods_stdout": ('for _ in range(200000): os.write(1, b"x" * 1000)\nreturn video(request)', ""),
    "garbage_json": ('os.write(int(sys.argv[3]), b"{not json\\n")\ntime.sleep(600)', "bad_answer"),
    "endless_line": ('while True: os.write(int(sys.argv[3]), b"x" * 65536)', "bad_answer"),
    "no_dictionary": ('os.write(int(sys.argv[3]), b"[1, 2]\\n")\ntime.sleep(600)', "bad_answer"),
    "names_nothing": ('return {"video": "nothing.avi"}', "bad_answer"),
    "short": ("return video(request, frames=3)", "short"),
    "much_longer": ("return video(request, frames=200)", "bad_video"),
    "wrong_fps": ("return video(request, rate=50)", "bad_video"),
    "one_colour": ("return video(request, flat=True)", "bad_video"),
    "no_video": (
        'open(os.path.join(request["out_dir"], "made.avi"), "wb").write(b"RIFF" + bytes(5000));'
        ' return {"video": "made.avi"}',
        "bad_video",
    ),
    "truncated": (
        'video(request); path = os.path.join(request["out_dir"], "made.avi"); data = open(path, "rb").read()\n'
        'open(path, "wb").write(data[: len(data) // 2]); return {"video": "made.avi"}',
        "bad_video",
    ),
    "miscounts": ('return dict(video(request), frames=7)', "bad_answer"),
    "memory": ("held = [bytearray(b'x' * 2**26) for _ in range(160)]\ntime.sleep(600)", "oom_host"),
    "writes_outside": (
        'video(request, folder="/tmp", name="headset-outside.avi"); return {"video": "/tmp/headset-outside.avi"}',
        "bad_answer",
    ),
    "climbs_out": ('video(request, folder=request["out_dir"] + "/.."); return {"video": "../made.avi"}', "bad_answer"),
    "links_out": (
        'os.symlink(request["driving_video"], os.path.join(request["out_dir"], "made.mp4"));'
        ' return {"video": "made.mp4"}',
        "bad_answer",
    ),
    "answers_for_another": ('return dict(video(request), pair_id="another")', "bad_answer"),
    "answers_twice": (
        'answer = dict(video(request), pair_id=request["pair_id"])\n'
        'os.write(int(sys.argv[3]), (json.dumps({"answer": answer}) + "\\n").encode())\nreturn answer',
        "",
    ),
    "leaves_a_child": (ESCAPES.format(pid="{pid}") + "return video(request)", ""),
    "closes_its_descriptor": ("os.close(int(sys.argv[3]))\ntime.sleep(600)", "died"),
    "fills_its_folder": (
        'with open("full", "wb") as file:\n'
        '    for _ in range(4000): file.write(os.urandom(2**20)); file.flush()\nreturn video(request)',
        "bad_answer",
    ),
    "refuses": ('class Refused(Exception): pass\nraise Refused("no face")', "refused"),
    "fetches": ('import socket\nsocket.create_connection(("192.0.2.1", 80), timeout=3)', "died"),
}  # fmt: skip
