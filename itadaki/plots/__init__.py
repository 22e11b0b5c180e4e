"""Figures: photos, triplets, ideas, the model's architecture, scores, curves and maps."""

from itadaki.errors import missing_extra

with missing_extra("train"):
    from itadaki.plots.charts import (
        class_counts,
        embedding_map,
        ladder,
        precision_recall,
        scores,
        similarity_of_pairs,
        training_curves,
    )
    from itadaki.plots.ideas import (
        collapse,
        cosines,
        mined_negatives,
        trainable_layers,
        triplet_on_a_circle,
    )
    from itadaki.plots.model import architecture, attention, model_stages
    from itadaki.plots.photos import (
        hardest_negatives,
        mistakes,
        photo_grid,
        search_results,
        successes_and_failures,
        triplets,
    )
    from itadaki.plots.style import close, save, show

__all__ = [
    "architecture",
    "attention",
    "class_counts",
    "close",
    "collapse",
    "cosines",
    "embedding_map",
    "hardest_negatives",
    "ladder",
    "mined_negatives",
    "mistakes",
    "model_stages",
    "photo_grid",
    "precision_recall",
    "save",
    "scores",
    "search_results",
    "show",
    "similarity_of_pairs",
    "successes_and_failures",
    "trainable_layers",
    "training_curves",
    "triplet_on_a_circle",
    "triplets",
]
