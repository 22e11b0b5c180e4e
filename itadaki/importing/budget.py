"""What may be unpacked of one source, all its archives and all that lies in them taken together."""

from dataclasses import dataclass
from io import BufferedIOBase

MAX_FILES = 100_000
MAX_BYTES = 10_000_000_000
MAX_RATIO = 100
"""Photos hardly shrink at all and texts ten times, bombs a thousand times."""
ALWAYS_ALLOWED = 50_000_000
_CHUNK = 1 << 20


class RefusedError(Exception):
    """What a file asks for is not done; the message is a clause that says why not."""


class OverBudgetError(RefusedError):
    """Too much was unpacked of a source."""


@dataclass
class Budget:
    """What may still be unpacked.

    Attributes:
        size: bytes, at any depth.
        files: likewise.
    """

    size: int = 0
    files: int = 0

    @classmethod
    def of(cls, compressed: int, plain: int, free: int) -> "Budget":
        """The budget of a source.

        Args:
            compressed: bytes of all its compressed files together.
            plain: those of the other files that are read, in which pictures may lie.
            free: those that the disk has free.
        """
        allowed = ALWAYS_ALLOWED + MAX_RATIO * compressed + plain
        return cls(min(MAX_BYTES, allowed, free), MAX_FILES)

    def count(self, size: int) -> None:
        """Note that so many bytes were unpacked; raises OverBudgetError."""
        self.size -= size
        if self.size < 0:
            raise OverBudgetError("it unpacks to far more than it should")

    def count_file(self) -> None:
        """Note that a file was unpacked; raises OverBudgetError."""
        self.files -= 1
        if self.files < 0:
            raise OverBudgetError(f"it holds more than {MAX_FILES:,} files")

    def read(self, stream: BufferedIOBase) -> bytes:
        """All that is left of a decompressed stream; raises OverBudgetError."""
        content = bytearray()
        while chunk := stream.read(_CHUNK):
            self.count(len(chunk))
            content += chunk
        return bytes(content)
