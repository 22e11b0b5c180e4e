"""Loads what is served."""

import cv2
import numpy as np
from threadpoolctl import threadpool_limits

from itadaki.index.filters import Filters
from itadaki.photos.images import IMAGE_SIZE
from itadaki.retrieval import RetrievalSystem
from itadaki.settings import Settings
from itadaki.variants import served_variant

_NOTHING = np.zeros((1, IMAGE_SIZE, IMAGE_SIZE, 3), np.float32)


def load_retrieval_system(
    settings: Settings, like: RetrievalSystem | None = None
) -> RetrievalSystem:
    """Load dataset, bank and model, and run the model once so that the first search is fast.

    Args:
        settings: which dataset, and which variant.
        like: a system that is loaded already, whose model this one shares.

    Raises:
        ItadakiError: something is missing; the message says which command makes it.
    """
    if like:
        return RetrievalSystem.load(like.variant.name, settings, like=like)
    # Only the model is worth several cores. BLAS' threads would go on spinning after each search,
    # which takes a core from whoever comes next.
    threadpool_limits(1)
    cv2.setNumThreads(1)
    system = RetrievalSystem.load(served_variant(settings).name, settings)
    system.embedder.embed(_NOTHING)
    return system


def warm_up(system: RetrievalSystem) -> None:
    """Make ready what only some searches need, those beside others and those with filters, and what
    answers tell only then: what photos look like."""
    query = system.embedder.embed(_NOTHING, alone=False)[0]
    system.find(query, 1, Filters(include=("salt",)))
    system.learn_words()
