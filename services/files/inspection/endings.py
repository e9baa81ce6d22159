"""What follows where a file should have ended: other programs look for other formats there."""

import mmap
import re
import struct
from collections.abc import Iterator

from rules.files.checks import Code

Content = bytes | mmap.mmap

_ZIP_END = b"PK\x05\x06"
_ZIP_ENTRIES = (b"PK\x01\x02", b"PK\x03\x04")
_ZIP_TAIL = 22 + 65_535
"""How far from the end of a file a ZIP's end record may begin.

Bytes: the size of the record, and of a comment (APPNOTE 4.3.16).
"""
_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]", re.DOTALL)
"""The next marker of a JPEG: in its scans `ff 00` is a byte, `ff d0` to `ff d7` are restarts."""
_START, _END, _SCAN, _ALONE = 0xD8, 0xD9, 0xDA, 0x01
_PADDING = b"\0\t\n\r \xff"
_PICTURES = 16
"""How many pictures one file may hold; telephones write up to five."""
_SAMSUNG = b"SEFT"
_BLOCK = 64 * 1024
"""The longest note of a Samsung camera, in bytes: the time, the mode, the country."""
_FORMATS = (
    b"MZ", b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"#!", b"<", b"@", b"%PDF", b"PK",
    b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b", b"MSCF", b"\xd0\xcf\x11\xe0", b"L\0\0\0\x01\x14\x02\0",
    b"\x89PNG", b"GIF8", b"RIFF", b"ID3", b"OggS", b"BM",
)  # fmt: skip


def ends_as_zip(content: Content) -> bool:
    """Whether a program that reads ZIP files, from the end, would take this for one."""
    tail = content[-_ZIP_TAIL:]
    at = tail.rfind(_ZIP_END)
    while at >= 0:
        record = tail[at : at + 22]
        if len(record) == 22 and at + 22 + int.from_bytes(record[20:], "little") <= len(tail):
            return any(content.find(mark) >= 0 for mark in _ZIP_ENTRIES)
        at = tail.rfind(_ZIP_END, 0, at)
    return False


def behind_jpeg(content: Content) -> Code | None:
    """Why the bytes behind the picture are refused; None if cameras write such bytes.

    Allowed are padding, more pictures (a preview, brightness, depth), and the notes of a Samsung.
    """
    at = 0
    for number in range(_PICTURES):
        past = _past_picture(content, at)
        if past is None:
            return Code.TRAILING_DATA if number else Code.DAMAGED
        at, rest = past, content[past:]
        if not rest.strip(_PADDING):
            return Code.TRAILING_DATA if ends_as_zip(content) else None
        at += len(rest) - len(rest.lstrip(b"\0"))
        if content[at : at + 2] != b"\xff\xd8":
            return _other(rest)
    return Code.TRAILING_DATA


def _past_picture(content: Content, at: int) -> int | None:
    """The end of the JPEG that begins here; None if it has no end."""
    at += 2
    while found := _MARKER.search(content, at):
        marker, at = content[found.end() - 1], found.end()
        if marker == _END:
            return at
        if marker in (_START, _ALONE):
            continue
        at += int.from_bytes(content[at : at + 2])
    return None


def _other(rest: bytes) -> Code | None:
    if b"ftyp" in rest.lstrip(b"\0")[:8]:
        return Code.MOVING_PICTURE
    rest = rest.rstrip(b"\0")
    if not rest.endswith(_SAMSUNG):
        return Code.TRAILING_DATA
    try:
        notes = list(_samsung_notes(rest))
    except (struct.error, ValueError):
        return Code.TRAILING_DATA
    if any(note[4:8] == b"ftyp" for note in notes):
        return Code.MOVING_PICTURE
    good = not ends_as_zip(rest) and all(_is_note(note) for note in notes)
    return None if good else Code.TRAILING_DATA


def _samsung_notes(rest: bytes) -> Iterator[bytes]:
    """The notes of the trailer `SEFH … SEFT`, which must lie in it without gaps.

    Raises struct.error and ValueError for anything else. Layout: as ExifTool reads it (Samsung.pm).
    """
    (length,) = struct.unpack_from("<I", rest, len(rest) - 8)
    head = len(rest) - 8 - length
    magic, _, count = struct.unpack_from("<4sII", rest, head)
    if head < 0 or magic != b"SEFH" or length != 12 + 12 * count:
        raise ValueError("no directory of notes")
    entries = [struct.unpack_from("<HHII", rest, head + 12 + 12 * n) for n in range(count)]
    at = head - max((back for _, _, back, _ in entries), default=0)
    if at < 0 or rest[:at].strip(b"\0"):
        raise ValueError("something before the notes")
    for _, kind, back, size in sorted(entries, key=lambda entry: -entry[2]):
        _, again, name = struct.unpack_from("<HHI", rest, at)
        if head - back != at or again != kind or name + 8 > size:
            raise ValueError("notes with something between them")
        yield rest[at + 8 + name : at + size]
        at += size
    if at != head:
        raise ValueError("something between the notes and their directory")


def _is_note(note: bytes) -> bool:
    if note.startswith(b"\xff\xd8\xff"):
        return behind_jpeg(note) is None
    return len(note) <= _BLOCK and not note.lstrip().startswith(_FORMATS)
