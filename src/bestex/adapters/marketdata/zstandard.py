"""Whether zstandard data is complete: a decoder fed block by block cannot tell a truncated file from a quiet one.

Source: RFC 8878, sections 3.1.1 (frames, blocks) and 3.1.2 (skippable frames). Nothing is decompressed here.
"""

from typing import Final

MAGIC: Final = 0xFD2FB528
SKIPPABLE: Final = 0x184D2A50  # the low four bits are free
RLE_BLOCK: Final = 1
DICTIONARY_BYTES: Final = (0, 1, 2, 4)
CONTENT_SIZE_BYTES: Final = (0, 2, 4, 8)


def is_zstandard(content: bytes) -> bool:
    return int.from_bytes(content[:4], "little") == MAGIC


def is_complete(content: bytes) -> bool:
    """Whether the content is whole frames and nothing else."""
    at = 0
    while at < len(content):
        end = _frame_end(content, at)
        if end is None or end > len(content):
            return False
        at = end
    return at > 0


def _frame_end(content: bytes, at: int) -> int | None:
    """Where the frame at `at` ends, possibly beyond the content; None where there is no frame, or not enough of it."""
    magic = int.from_bytes(content[at : at + 4], "little")
    if magic & ~0xF == SKIPPABLE:
        return at + 8 + int.from_bytes(content[at + 4 : at + 8], "little")
    if magic != MAGIC or at + 5 > len(content):
        return None
    descriptor = content[at + 4]
    is_single_segment = bool(descriptor & 0x20)
    size_bytes = CONTENT_SIZE_BYTES[descriptor >> 6] or int(is_single_segment)
    at += 5 + int(not is_single_segment) + DICTIONARY_BYTES[descriptor & 3] + size_bytes
    is_last = False
    while not is_last:
        if at + 3 > len(content):
            return None
        header = int.from_bytes(content[at : at + 3], "little")
        is_last = bool(header & 1)
        at += 3 + (1 if header >> 1 & 3 == RLE_BLOCK else header >> 3)
    return at + (4 if descriptor & 4 else 0)
