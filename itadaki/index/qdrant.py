"""The index in a Qdrant server or cluster, by its official client.

Each bank has a collection of its own, named after the bank's hash, and an alias points to the
newest that is complete. A process asks the collection of the bank that it holds. So nothing stops
while a new bank is indexed: the collection before is kept until the next one is complete.
"""

import logging
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import Any

import numpy as np
from qdrant_client import QdrantClient, models
from qdrant_client.common.client_exceptions import QdrantException
from qdrant_client.http.exceptions import ApiException
from tqdm.auto import tqdm

from itadaki.bank.bank import Bank
from itadaki.errors import ArtifactError, IndexUnavailableError, reason
from itadaki.index.filters import Filters
from itadaki.recipes import ingredients
from itadaki.recipes.ingredients import asked_terms, edition, ingredient_terms
from itadaki.recipes.recipe import DatasetRecipe
from itadaki.recipes.texts import keyword_key
from itadaki.settings import Settings
from itadaki.storage.fingerprint import code_fingerprint

_FORMAT = 2
_BATCH = 256
_PAYLOAD = {
    "terms": models.PayloadSchemaType.KEYWORD,
    "dish_class": models.PayloadSchemaType.KEYWORD,
    "keywords": models.PayloadSchemaType.KEYWORD,
    "photo_group": models.PayloadSchemaType.INTEGER,
    "first_of_photo": models.PayloadSchemaType.BOOL,
}
_log = logging.getLogger(__name__)


def connect(settings: Settings) -> QdrantClient:
    """A client of the server that the settings name; https in its address means TLS."""
    key = settings.qdrant_api_key
    return QdrantClient(
        url=settings.qdrant_url,
        api_key=key.get_secret_value() if key else None,
        timeout=settings.qdrant_timeout,
        check_compatibility=False,
    )


class QdrantIndex:
    """Asks Qdrant for rows, which walks its graph and applies filters itself."""

    def __init__(self, bank: Bank, settings: Settings) -> None:
        """Open the collection of a bank.

        Raises:
            ArtifactError: the bank is not indexed, or not completely.
            IndexUnavailableError: the server does not answer as it should.
        """
        self._client, self._url = connect(settings), settings.qdrant_url
        self._collection = collection_of(bank, settings)
        with _reported(self._url):
            indexed = _count(self._client, self._collection)
        if indexed != len(bank.embeddings):
            name = bank.variant.name
            raise ArtifactError(
                f"Qdrant at {self._url} holds {indexed or 0:,} of the {len(bank.embeddings):,} "
                f"recipes of the bank of {name}; run: python -m itadaki build {name}"
            )

    def search(self, query: np.ndarray, k: int, filters: Filters) -> tuple[np.ndarray, np.ndarray]:
        """See ``Index.search``.

        Raises:
            IndexUnavailableError: the server does not answer as it should.
        """
        if k < 1:
            raise ValueError(f"k must be at least 1, not {k}.")
        with _reported(self._url):
            found = self._client.query_points(
                self._collection,
                query=query.tolist(),
                query_filter=condition(filters),
                limit=k,
                with_payload=False,
            ).points
        rows = np.array([point.id for point in found], np.int64)
        similarities = np.array([point.score for point in found], np.float32)
        order = np.lexsort((rows, -similarities))
        return rows[order], similarities[order]


def index_bank(bank: Bank, settings: Settings, progress: bool = True) -> None:
    """Bring a bank into Qdrant and point the alias to it; goes on where it was stopped.

    Raises:
        IndexUnavailableError: the server does not answer as it should.
    """
    client, collection = connect(settings), collection_of(bank, settings)
    with _reported(settings.qdrant_url):
        if _count(client, collection) is None:
            _create(client, collection, bank.embeddings.shape[1], settings)
        _upload(client, collection, bank, progress)
        while client.get_collection(collection).status == models.CollectionStatus.YELLOW:
            time.sleep(1)  # the graph is built before anybody is sent to it
        _take_over(client, collection, _alias(bank, settings))


def collection_of(bank: Bank, settings: Settings) -> str:
    """The name of a bank's collection; another one if its terms come to mean something else."""
    known = bank.manifest["sha256"]
    parts = [_FORMAT, edition(), known["bank"], known["metadata"], settings.bank_precision]
    parts += [settings.qdrant_shards, settings.qdrant_replicas]
    parts += [code_fingerprint(_payload, ingredients, keyword_key)]
    return f"{_alias(bank, settings)}-{sha256(repr(parts).encode()).hexdigest()[:12]}"


def _alias(bank: Bank, settings: Settings) -> str:
    dataset = re.sub(r"[^A-Za-z0-9]+", "-", bank.manifest["dataset_source"])
    return f"{settings.qdrant_collection}-{dataset}-{bank.variant.name}"


def condition(filters: Filters) -> models.Filter:
    """Filters in Qdrant's terms; ``min_similarity`` is left out."""

    def naming(ingredient: str, exclude: bool = False) -> list[models.Condition]:
        return [
            models.FieldCondition(key="terms", match=models.MatchAny(any=alternatives))
            for alternatives in asked_terms(ingredient, exclude)
        ]

    must = [part for ingredient in filters.include for part in naming(ingredient)]
    must_not: list[Any] = [
        models.Filter(must=naming(ingredient, exclude=True)) for ingredient in filters.exclude
    ]
    if filters.dish_classes:
        wanted = models.MatchAny(any=list(filters.dish_classes))
        must.append(models.FieldCondition(key="dish_class", match=wanted))
    for keyword in filters.keywords:
        same = models.MatchValue(value=keyword_key(keyword))
        must.append(models.FieldCondition(key="keywords", match=same))
    if filters.unique_photos:
        first = models.MatchValue(value=True)
        must.append(models.FieldCondition(key="first_of_photo", match=first))
    if filters.not_of_photo is not None:
        group = models.MatchValue(value=int(filters.not_of_photo))
        must_not.append(models.FieldCondition(key="photo_group", match=group))
    return models.Filter(must=must, must_not=must_not)


@contextmanager
def _reported(url: str) -> Iterator[None]:
    try:
        yield
    except (ApiException, QdrantException) as error:
        why = reason(getattr(error, "source", error))
        raise IndexUnavailableError(f"Qdrant at {url} does not answer: {why}") from error


def _count(client: QdrantClient, collection: str) -> int | None:
    """How many rows a collection holds; None if there is none."""
    return client.count(collection).count if client.collection_exists(collection) else None


def _create(client: QdrantClient, collection: str, dimension: int, settings: Settings) -> None:
    half = settings.bank_precision == "float16"
    small = models.ScalarQuantization(
        scalar=models.ScalarQuantizationConfig(type=models.ScalarType.INT8, always_ram=True)
    )
    client.create_collection(
        collection,
        vectors_config=models.VectorParams(
            size=dimension,
            distance=models.Distance.COSINE,
            datatype=models.Datatype.FLOAT16 if half else None,
            on_disk=settings.bank_precision == "int8",
        ),
        quantization_config=small if settings.bank_precision == "int8" else None,
        shard_number=settings.qdrant_shards,
        replication_factor=settings.qdrant_replicas,
    )
    for field, schema in _PAYLOAD.items():
        client.create_payload_index(collection, field, schema)


def _upload(client: QdrantClient, collection: str, bank: Bank, progress: bool) -> None:
    # Each batch is acknowledged before the next is sent, so all that is missing is at the end; of
    # a batch that was stopped half-way any rows may be missing.
    done = (_count(client, collection) or 0) // _BATCH * _BATCH
    if done:
        _log.info("Going on after %d of %d recipes.", done, len(bank.embeddings))
    with tqdm(
        total=len(bank.embeddings),
        initial=done,
        desc="Uploading to Qdrant",
        unit="recipe",
        disable=not progress,
    ) as bar:
        for start in range(done, len(bank.embeddings), _BATCH):
            rows = range(start, min(start + _BATCH, len(bank.embeddings)))
            batch = models.Batch(
                ids=list(rows),
                vectors=bank.embeddings[rows.start : rows.stop].tolist(),
                payloads=[_payload(row, bank.recipes[row]) for row in rows],
            )
            client.upsert(collection, batch, wait=True)
            bar.update(len(rows))


def _payload(row: int, recipe: DatasetRecipe) -> dict[str, Any]:
    return {
        "terms": sorted(ingredient_terms(recipe.ingredients)),
        "dish_class": recipe.dish_class,
        "keywords": sorted(map(keyword_key, recipe.keywords)),
        "photo_group": recipe.photo_group,
        "first_of_photo": recipe.photo_group == row,
    }


def _take_over(client: QdrantClient, collection: str, alias: str) -> None:
    """Point the alias to a collection, in one step, and drop all but it and the one before."""
    aliases = {known.alias_name: known.collection_name for known in client.get_aliases().aliases}
    before = aliases.get(alias)
    if before != collection:
        target = models.CreateAlias(collection_name=collection, alias_name=alias)
        steps: list[Any] = [models.CreateAliasOperation(create_alias=target)]
        if before:
            gone = models.DeleteAlias(alias_name=alias)
            steps.insert(0, models.DeleteAliasOperation(delete_alias=gone))
        client.update_collection_aliases(steps)
        _log.info("Qdrant's alias %s now points to %s.", alias, collection)
    # Not by the beginning alone: the alias of a dataset "a-ft" begins with that of one named "a".
    ours = re.compile(rf"{re.escape(alias)}-[0-9a-f]{{12}}")
    for other in client.get_collections().collections:
        if ours.fullmatch(other.name) and other.name not in (collection, before):
            client.delete_collection(other.name)
