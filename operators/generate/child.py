# ruff: noqa: UP031
"""What runs in a generation system's own Python: it loads an adapter and answers requests, a line of JSON each.

    python child.py ADAPTER REQUESTS_FD ANSWERS_FD DEVICE MEMORY_BYTES

It is one file of the standard library, valid from Python 3.6 on, and knows nothing of headset. Requests come on one
descriptor and answers go on another; standard output and error are the adapter's to write what it likes. Lines that it
sends:

    {"beat": n}                                                    every few seconds, whatever the adapter does
    {"hello": {"protocol": 1, "python": ..., "torch": ..., ...}}   once, when the adapter is loaded
    {"answer": {"pair_id": ..., "video": ..., ...}}                to a request
    {"error": {"pair_id": ..., "kind": ..., "text": ...}}          instead of a hello or an answer

The kinds of an error are load_failed, refused, oom_host, oom_gpu and died. It ends when its requests end, or when who
started it is gone.
"""

import importlib.util
import json
import os
import platform
import resource
import signal
import sys
import threading
import time
import traceback

PROTOCOL = 1
BEAT_S = 2.0
SLACK_BYTES = 32 * 2**30  # of address space beyond the memory that is allowed: libraries map far more than they touch


class Line:
    """Lines of JSON on a descriptor, each written whole."""

    def __init__(self, descriptor):
        self.descriptor, self.lock = descriptor, threading.Lock()

    def send(self, value):
        data = (json.dumps(value) + "\n").encode()
        with self.lock:
            while data:
                data = data[os.write(self.descriptor, data) :]


def end_all():
    """Ends this process and all that it started in its session."""
    try:
        os.killpg(0, signal.SIGKILL)
    finally:
        os._exit(1)


def beat(line, parent):
    number = 1
    while True:
        if os.getppid() != parent:
            end_all()
        try:
            line.send({"beat": number})
        except OSError:
            end_all()
        number += 1
        time.sleep(BEAT_S)


def limit(memory_bytes, device):
    """What the kernel can hold us to. Drivers of GPUs map more address space than there is memory, so on one it is not
    limited.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if memory_bytes and device == "cpu":
        most = memory_bytes + SLACK_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def kind_of(error):
    """Which casualty an exception of the adapter is."""
    names = [made.__name__ for made in type(error).__mro__]
    if "OutOfMemoryError" in names or "CUDA out of memory" in str(error):
        return "oom_gpu"
    if isinstance(error, MemoryError) or "DefaultCPUAllocator: can't allocate memory" in str(error):
        return "oom_host"
    return "refused" if "Refused" in names else "died"


def told(error):
    """The exception and where it came from, without the folders of this machine."""
    where = [
        "%s:%s %s" % (os.path.basename(one.filename), one.lineno, one.name)
        for one in traceback.extract_tb(error.__traceback__)
    ]
    return "%s: %s\n%s" % (type(error).__name__, str(error)[:1000], "\n".join(where[-6:]))


def load(path, device):
    spec = importlib.util.spec_from_file_location("adapter", path)
    assert spec is not None
    assert spec.loader is not None
    adapter = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(adapter)
    adapter.prepare(os.environ["HEADSET_SYSTEM"])
    adapter.load(device)
    return adapter


def hello(device, seconds):
    torch = sys.modules.get("torch")
    return {
        "protocol": PROTOCOL,
        "python": platform.python_version(),
        "torch": getattr(torch, "__version__", ""),
        "device": torch.cuda.get_device_name(0) if torch is not None and device.startswith("cuda") else device,
        "seconds_to_load": round(seconds, 3),
    }


def main():
    path, requests, answers, device, memory_bytes = (
        sys.argv[1],
        int(sys.argv[2]),
        int(sys.argv[3]),
        sys.argv[4],
        int(sys.argv[5]),
    )
    here = os.path.dirname(os.path.abspath(__file__))
    # our neighbours are no modules of the adapter's
    sys.path[:] = [place for place in sys.path if os.path.abspath(place or ".") != here]
    line = Line(answers)
    limit(memory_bytes, device)
    line.send({"beat": 0})
    beating = threading.Thread(target=beat, args=(line, os.getppid()))
    beating.daemon = True
    beating.start()
    began = time.time()
    try:
        adapter = load(path, device)
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is told to who started us
        line.send({"error": {"pair_id": "", "kind": "load_failed", "text": told(error)}})
        end_all()
    line.send({"hello": hello(device, time.time() - began)})
    with os.fdopen(requests, "r") as stream:
        for text in stream:
            request = json.loads(text)
            began = time.time()
            try:
                answer = dict(adapter.generate(request))
            except BaseException as error:  # noqa: BLE001 - errors are answers
                line.send({"error": {"pair_id": request["pair_id"], "kind": kind_of(error), "text": told(error)}})
                continue
            answer.setdefault("pair_id", request["pair_id"])
            answer.setdefault("seconds", round(time.time() - began, 3))
            line.send({"answer": answer})
    end_all()


if __name__ == "__main__":
    main()
