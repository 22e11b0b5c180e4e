"""How the process gives memory back to the system."""

import ctypes

_MMAP_THRESHOLD = -3  # M_MMAP_THRESHOLD of malloc.h
_LARGE = 1 << 20


def give_large_blocks_back() -> None:
    """Have glibc map blocks of a megabyte and more, so that a freed one leaves the process.

    Otherwise glibc keeps such blocks in its heap once one was freed, where the decoded pictures of
    many uploads leave ever more holes. Without glibc nothing is done.
    """
    try:
        ctypes.CDLL(None).mallopt(_MMAP_THRESHOLD, _LARGE)
    except (AttributeError, OSError, TypeError):
        return
