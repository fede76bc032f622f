"""Records as they stand in a TFRecord file, the form of TensorBoard's event files, made in bulk.

TensorBoard's own writer loops in Python over the bytes of a record, which takes 0.1 ms for one of
200 bytes. Here the loop goes over the places in a record, at each of all records at once.
"""

import struct
from collections.abc import Sequence
from functools import cache

import numpy as np
from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import CRC_TABLE, masked_crc32c

_TABLE = np.array(CRC_TABLE, np.uint32)


def framed(records: Sequence[bytes]) -> list[bytes]:
    """Each record between its length and its checksum, as it stands in a file."""
    ends = checksums(records).astype("<u4")
    return [
        b"".join((_length(len(record)), record, end.tobytes()))
        for record, end in zip(records, ends, strict=True)
    ]


def checksums(records: Sequence[bytes]) -> np.ndarray:
    """The masked CRC-32C of each record: uint32 of shape (records,)."""
    lengths = np.fromiter(map(len, records), np.int64, len(records))
    content = np.frombuffer(b"".join(records), np.uint8)
    longest_first = np.argsort(-lengths, kind="stable")
    starts = (np.cumsum(lengths) - lengths)[longest_first]
    rests = np.full(len(records), 0xFFFFFFFF, np.uint32)
    for place in range(lengths.max(initial=0)):
        longer = np.count_nonzero(lengths > place)
        rest = rests[:longer]
        byte = content[starts[:longer] + place]
        rests[:longer] = _TABLE[(rest ^ byte) & 0xFF] ^ (rest >> 8)
    rests = ~rests
    found = np.empty_like(rests)
    found[longest_first] = ((rests >> 15) | (rests << 17)) + np.uint32(0xA282EAD8)
    return found


@cache
def _length(length: int) -> bytes:
    """A record's length with its own checksum, as it stands before the record."""
    packed = struct.pack("<Q", length)
    return packed + struct.pack("<I", masked_crc32c(packed))
