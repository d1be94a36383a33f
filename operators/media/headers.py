"""What the first bytes of a file say: what it is where it is no recording, and how many bytes there should be."""

from pathlib import Path

MP4_BOXES = {
    b"ftyp",
    b"styp",
    b"moov",
    b"moof",
    b"mdat",
    b"mfra",
    b"sidx",
    b"free",
    b"skip",
    b"wide",
    b"uuid",
    b"meta",
    b"pnot",
}

_KINDS = {  # by the bytes that a file begins with
    b"\x89PNG": "a PNG picture", b"\xff\xd8\xff": "a JPEG picture", b"GIF8": "a GIF picture",
    b"II*\x00": "a TIFF picture", b"BM": "a BMP picture", b"%PDF": "a PDF", b"PK\x03\x04": "a ZIP archive",
    b"\x1f\x8b": "a gzip archive", b"BZh": "a bzip2 archive", b"\xfd7zXZ": "an xz archive",
    b"7z\xbc\xaf": "a 7z archive", b"Rar!": "a RAR archive", b"\x7fELF": "a program", b"MZ": "a program",
    b"#EXTM3U": "a playlist",
    b"RIFF": "a RIFF file", b"\x1a\x45\xdf\xa3": "a Matroska file",
}  # fmt: skip


def kind_of(start: bytes) -> str:
    """What a file is by its first bytes, in words that hold nothing of its content."""
    if starts_page(start):
        return "an HTML page"
    if start[4:8] == b"ftyp":
        return "an MP4 file"
    if not start.strip(b"\0"):
        return "zeros"
    known = next((kind for magic, kind in _KINDS.items() if start.startswith(magic)), None)
    if known is not None:
        return known
    return "a text" if all(byte >= 32 or byte in b"\t\r\n\f\x1b" for byte in start) else "unknown data"


def is_page(path: Path) -> bool:
    """Whether the file starts as an HTML page does."""
    with path.open("rb") as file:
        return starts_page(file.read(1024))


def starts_page(start: bytes) -> bool:
    return start.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith((b"<!doctype html", b"<html", b"<head", b"<body"))


def cut_short(path: Path) -> str:
    """How much is missing at the end of a file by the length it states itself; "" where nothing is, or none is
    stated.
    """
    end, stated = path.stat().st_size, stated_bytes(path)
    # RIFF may count a byte that pads
    return f"the file says it has {stated} bytes; it has {end}" if stated > end + 1 else ""


def stated_bytes(path: Path) -> int:
    """How long the outermost boxes of an MP4, Matroska or RIFF file say it is; 0 where they do not say."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(16)
        if head[:4] == b"RIFF":
            stated = int.from_bytes(head[4:8], "little") + 8
            # Who writes into a pipe cannot know the length, and states about the most that a number holds: sox 2**31,
            # FFmpeg 2**32, others 0.
            unknown = stated <= 8 or min(abs(stated - 2**31), abs(stated - 2**32)) < 2**16
            return 0 if unknown else stated
        if head[:4] == b"\x1a\x45\xdf\xa3":  # EBML: the header, then one segment
            _, header, length = _ebml_number(head[4:12])
            file.seek(4 + length + header)
            if file.read(4) != b"\x18\x53\x80\x67":
                return 0
            known, segment, wide = _ebml_number(file.read(8))
            return 4 + length + header + 4 + wide + segment if known else 0
        at = 0
        while at < size:
            file.seek(at)
            box = file.read(16)
            if box[4:8] not in MP4_BOXES:
                return 0 if at == 0 else at
            length = int.from_bytes(box[:4], "big")
            length = int.from_bytes(box[8:16], "big") if length == 1 else length
            if length < 8:  # 0: to the end of the file
                return at
            at += length
        return at


def _ebml_number(data: bytes) -> tuple[bool, int, int]:
    """Whether the number at the start is known (all ones: not), the number, and the bytes it takes."""
    if not data or not data[0]:
        return False, 0, 1
    length = 9 - data[0].bit_length()
    value = int.from_bytes(data[:length], "big") & (1 << 7 * length) - 1
    return value != (1 << 7 * length) - 1, value, length
