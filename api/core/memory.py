"""How the process gives memory back to the system."""

import ctypes

_MMAP_THRESHOLD, _ARENA_MAX = -3, -8  # M_MMAP_THRESHOLD and M_ARENA_MAX of malloc.h
_LARGE = 1 << 20
_ARENAS = 2


def give_large_blocks_back() -> None:
    """Have glibc map blocks of a megabyte and more, so that a freed one leaves the process.

    Otherwise glibc keeps such blocks in its heap once one was freed, where the decoded pictures of
    many uploads leave ever more holes. Smaller blocks of all threads share two heaps; each thread
    would have one of its own, with holes of its own. Without glibc nothing is done.
    """
    try:
        glibc = ctypes.CDLL(None)
        glibc.mallopt(_MMAP_THRESHOLD, _LARGE)
        glibc.mallopt(_ARENA_MAX, _ARENAS)
    except (AttributeError, OSError, TypeError):
        return
