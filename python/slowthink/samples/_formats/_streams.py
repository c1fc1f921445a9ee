"""Opening logs: files, streams, compressed or not, and their lines in large pieces."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import lzma
import os
import sys
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import IO, Any

PIECE = 8 << 20
"""Bytes read at a time: small against memory, large against the cost of a call."""

_MAGIC = {b"\x1f\x8b": "gzip", b"\xfd7zXZ\x00": "xz", b"BZh": "bzip2", b"\x28\xb5\x2f\xfd": "zstandard"}


def source_name(source: Any) -> str:
    """What to call a log in messages."""
    if isinstance(source, (str, os.PathLike)):
        return "standard input" if source == "-" else os.fspath(source)
    return str(getattr(source, "name", None) or f"<{type(source).__name__}>")


@contextlib.contextmanager
def opened(source: Any) -> Iterator[io.BufferedReader]:
    """``source`` (a path, "-" or a file object) as a stream of the bytes within, decompressed if they need it."""
    with contextlib.ExitStack() as stack:
        if isinstance(source, (str, os.PathLike)):
            if source == "-":
                stream: Any = sys.stdin.buffer
            else:
                if os.path.isdir(source):
                    raise IsADirectoryError(f"{os.fspath(source)!r} is a directory: give the logs in it one by one")
                stream = stack.enter_context(open(source, "rb"))
        elif hasattr(source, "read"):
            stream = io.BufferedReader(_Reads(source), PIECE)
        else:
            raise TypeError(f"path must be a path, '-' or a file object, got {source!r}")
        with broken_data_named(source):
            while True:
                head = stream.peek(8)[:8]
                kind = next((kind for magic, kind in _MAGIC.items() if head.startswith(magic)), None)
                if kind is None:
                    break
                stream = _decompressed(stream, kind)
            yield stream


@contextlib.contextmanager
def broken_data_named(source: Any) -> Iterator[None]:
    """Turns the errors of the decompressors into a ValueError that names the log."""
    try:
        yield
    except (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile) as error:
        raise ValueError(f"{source_name(source)}: the compressed data is broken or cut short ({error})") from error


def _decompressed(stream: IO[bytes], kind: str) -> io.BufferedReader:
    if kind == "gzip":
        return io.BufferedReader(gzip.GzipFile(fileobj=stream), PIECE)
    if kind == "xz":
        return io.BufferedReader(lzma.LZMAFile(stream), PIECE)
    if kind == "bzip2":
        return io.BufferedReader(bz2.BZ2File(stream), PIECE)
    return io.BufferedReader(_Zstandard(stream), PIECE)


class _Reads(io.RawIOBase):
    """A raw stream over anything with a ``read``; text is encoded again."""

    def __init__(self, source: Any) -> None:
        self._source = source
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._rest:
            data = self._source.read(len(buffer))
            self._rest = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else bytes(data or b"")
        n = min(len(buffer), len(self._rest))
        buffer[:n] = self._rest[:n]
        self._rest = self._rest[n:]
        return n


def zstandard_decompressor() -> Any:
    """A decompressor with ``decompress``, ``eof`` and ``unused_data``: Python's own from 3.14 on, or zstandard's."""
    try:
        from compression import zstd  # type: ignore[import-not-found,unused-ignore]

        return zstd.ZstdDecompressor()
    except ImportError:
        pass
    try:
        import zstandard
    except ImportError:
        raise ImportError(
            "reading Zstandard data (.zst, and the .eval logs of inspect_ai) needs Python 3.14 or the package "
            "zstandard: pip install zstandard"
        ) from None
    return zstandard.ZstdDecompressor().decompressobj()


def unzstandard(data: bytes) -> bytes:
    """The bytes of whole Zstandard frames."""
    parts = []
    while True:
        decompressor = zstandard_decompressor()
        try:
            parts.append(decompressor.decompress(data))
        except Exception as error:  # the packages name their errors differently
            raise EOFError(str(error)) from error
        if not decompressor.eof:
            raise EOFError("a frame is cut short")
        data = decompressor.unused_data
        if not data:
            return b"".join(parts)


class _Zstandard(io.RawIOBase):
    """The bytes within a Zstandard stream of any number of frames."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._decompressor: Any = zstandard_decompressor()
        self._rest = b""
        self._begun = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            data = b""
            if self._decompressor.eof:
                data = self._decompressor.unused_data
                self._decompressor, self._begun = zstandard_decompressor(), False
            data = data or self._stream.read(1 << 17)
            if not data:
                if self._begun:
                    raise EOFError("a frame is cut short")
                return 0
            self._begun = True
            try:
                self._rest = self._decompressor.decompress(data)
            except Exception as error:  # the packages name their errors differently
                raise EOFError(str(error)) from error
        n = min(len(buffer), len(self._rest))
        buffer[:n] = self._rest[:n]
        self._rest = self._rest[n:]
        return n


def pieces(stream: io.BufferedReader, size: int = PIECE) -> Iterator[memoryview]:
    """The bytes of ``stream`` in pieces of whole lines, about ``size`` bytes each unless a line is longer.

    The next piece is read (and decompressed) by a thread while the caller works on this one. A piece is valid until
    the next is asked for.
    """
    lines = _Lines(stream)
    buffers = [bytearray(size), bytearray(size)]
    with ThreadPoolExecutor(1, "slowthink-read") as reader:
        ahead = reader.submit(lines.fill, buffers[0])
        while True:
            buffers[0], length = ahead.result()
            if not length:
                return
            ahead = reader.submit(lines.fill, buffers[1])
            yield memoryview(buffers[0])[:length]
            buffers.reverse()


class _Lines:
    """Fills buffers with whole lines and keeps the beginning of the next."""

    def __init__(self, stream: io.BufferedReader) -> None:
        self._stream = stream
        self._tail = b""

    def fill(self, buffer: bytearray) -> tuple[bytearray, int]:
        """Fills ``buffer``, or a larger one if no line ends in it; the length 0 says that the stream has ended."""
        filled = len(self._tail)
        if filled >= len(buffer):
            buffer = bytearray(2 * filled)
        buffer[:filled] = self._tail
        while True:
            n = self._stream.readinto(memoryview(buffer)[filled:])
            if not n:
                self._tail = b""
                return buffer, filled
            filled += n
            if filled == len(buffer):
                cut = buffer.rfind(b"\n") + 1
                if cut:
                    self._tail = bytes(memoryview(buffer)[cut:])
                    return buffer, cut
                buffer = buffer + bytearray(len(buffer))
