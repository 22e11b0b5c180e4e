import dataclasses
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from uuid import uuid4

import numpy as np
import pytest
from conftest import dataset_recipe
from qdrant_client import QdrantClient

from itadaki.bank.bank import Bank
from itadaki.errors import ArtifactError, IndexUnavailableError
from itadaki.index import ann, precision
from itadaki.index import qdrant as qdrant_index
from itadaki.index.ann import AnnIndex, build_graph
from itadaki.index.filters import Filters, RowFilter
from itadaki.index.index import ExactIndex, build_index, open_index
from itadaki.index.precision import reduced, rows_of
from itadaki.index.qdrant import QdrantIndex, collection_of, index_bank
from itadaki.settings import Settings
from itadaki.storage.files import note_derived
from itadaki.variants import VARIANTS

ROWS, DIMENSION = 1500, 32
FILTERS = [
    Filters(),
    Filters(include=("saffron",)),
    Filters(include=("egg", "olive oil")),
    Filters(exclude=("egg",)),
    Filters(exclude=("olive oil", "saffron"), dish_classes=("soup", "tart")),
    Filters(unique_photos=True),
    Filters(not_of_photo=17),
    Filters(include=("caviar",)),
    Filters(include=("nuts", "Jalapeno")),
    Filters(exclude=("nuts",)),
    Filters(exclude=("fish", "leaf")),
    Filters(exclude=("hazelnut",)),
    Filters(keywords=("Crème", "quick"), include=("egg",)),
]


def bank_of(embeddings, recipes):
    content = str(hash((embeddings.tobytes(), repr(recipes))))
    hashes = {"bank": content, "metadata": content}
    manifest = {"dataset_source": "folder recipes", "sha256": hashes}
    return Bank(VARIANTS["ft"], embeddings, embeddings, recipes, manifest)


def recipes_of(count, rng):
    recipes = []
    for row in range(count):
        ingredients = ["2 eggs"] if rng.random() < 0.5 else ["1 eggplant"]
        ingredients += ["Olive oil"] if rng.random() < 0.3 else ["vegetable oil", "olives"]
        ingredients += ["saffron"] if rng.random() < 0.01 else []
        others = ["walnuts, chopped", "nutmeg", "1 jalapeño", "Worcestershire sauce", "bay leaves"]
        ingredients += [name for name in others if rng.random() < 0.3]
        ingredients = [] if rng.random() < 0.1 else ingredients
        recipes.append(
            dataset_recipe(
                row,
                ingredients,
                dish_class=(None, "soup", "tart", "curry")[rng.integers(4)],
                photo_group=row - 1 if row % 10 == 8 else row,
                keywords=[name for name in ("quick", "creme") if rng.random() < 0.5],
            )
        )
    return recipes


@pytest.fixture(scope="module")
def bank():
    """Rows in clumps, as embeddings of dishes are; some hold the same."""
    rng = np.random.default_rng(0)
    clumps = rng.normal(size=(60, DIMENSION))
    rows = clumps[rng.integers(60, size=ROWS)] + 0.5 * rng.normal(size=(ROWS, DIMENSION))
    rows[100:110] = rows[0]
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return bank_of(rows, recipes_of(ROWS, rng))


@pytest.fixture
def settings(tmp_path):
    return Settings(_env_file=None, home=tmp_path)


@pytest.fixture
def qdrant(monkeypatch):
    """The real server of QDRANT_URL, else the client's local mode."""
    url = os.environ.get("QDRANT_URL")
    prefix = f"test-{uuid4().hex[:8]}"
    client = QdrantClient(url, api_key=os.environ.get("QDRANT_API_KEY")) if url else None
    client = client or QdrantClient(":memory:")
    monkeypatch.setenv("ITADAKI_QDRANT_COLLECTION", prefix)
    monkeypatch.setattr(qdrant_index, "connect", lambda settings: client)
    yield client
    for collection in client.get_collections().collections:
        if collection.name.startswith(prefix):
            client.delete_collection(collection.name)
    client.close()


KINDS = ["exact float16", "exact int8", "ann", "qdrant"]


@pytest.fixture(params=KINDS)
def chosen(request, tmp_path, qdrant):
    """Settings of each kind of index."""
    kind, _, precision = request.param.partition(" ")
    return Settings(
        _env_file=None, home=tmp_path, index=kind, bank_precision=precision or "float32"
    )


def queries(bank, count=40):
    rng = np.random.default_rng(1)
    rows = bank.embeddings[rng.choice(ROWS, count, replace=False)]
    rows = rows + 0.1 * rng.normal(size=rows.shape)
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def test_every_index_finds_what_the_exact_one_finds(bank, chosen):
    build_index(bank, chosen, progress=False)
    index, exact = open_index(bank, chosen), ExactIndex(bank)
    for filters in FILTERS:
        found_in_all, allowed = [], RowFilter(bank.recipes).rows(filters)
        for query in [*queries(bank, 4 if chosen.index == "qdrant" else 40), bank.embeddings[0]]:
            rows, similarities = index.search(query, 10, filters)
            right, _ = exact.search(query, 10, filters)
            assert len(rows) == len(right)
            assert rows.dtype == np.int64 and similarities.dtype == np.float32
            assert similarities == pytest.approx(bank.embeddings[rows] @ query, abs=1e-5)
            assert (np.diff(similarities) <= 0).all()
            assert allowed is None or allowed[rows].all()
            found_in_all.append(np.isin(right, rows).mean() if len(right) else 1.0)
        # Of rows that hold the same any may be found.
        assert np.mean(found_in_all) >= 0.97, filters


def test_more_wanted_than_there_are_and_fewer_than_one(bank, chosen):
    build_index(bank, chosen, progress=False)
    index = open_index(bank, chosen)
    rows, _ = index.search(queries(bank)[0], ROWS + 5, Filters())
    assert sorted(rows) == list(range(ROWS))
    with pytest.raises(ValueError, match="at least 1"):
        index.search(queries(bank)[0], 0, Filters())


def test_a_changed_bank_is_noticed_and_followed(bank, chosen):
    build_index(bank, chosen, progress=False)
    changed, _ = shuffled(bank)
    if chosen.index != "exact":
        with pytest.raises(ArtifactError, match="python -m itadaki build ft"):
            open_index(changed, chosen)
    build_index(changed, chosen, progress=False)
    index, exact = open_index(changed, chosen), ExactIndex(changed)
    for filters in FILTERS[:4]:
        share = [
            np.isin(exact.search(query, 10, filters)[0], index.search(query, 10, filters)[0])
            for query in queries(bank, 4 if chosen.index == "qdrant" else 40)
        ]
        assert np.concatenate(share).mean() >= 0.97


def shuffled(bank):
    """The bank without its first fifty rows, with fifty others, in another order; how many."""
    rng = np.random.default_rng(2)
    added = queries(bank, 50)
    rows = np.concatenate([bank.embeddings[50:], added])
    recipes = bank.recipes[50:] + recipes_of(50, rng)
    order = rng.permutation(len(rows))
    recipes = [dataclasses.replace(recipes[i], photo_group=row) for row, i in enumerate(order)]
    return bank_of(rows[order], recipes), len(added)


def test_the_graph_adds_only_what_is_new(bank, settings):
    first = build_graph(bank, settings, progress=False)
    assert first["added"] == len(np.unique(bank.embeddings, axis=0)) == ROWS - 10
    assert first["recall@10"] >= 0.99
    assert build_graph(bank, settings, progress=False) == first
    changed, added = shuffled(bank)
    # Row 0 is gone, but those of the same content are not.
    second = build_graph(changed, settings, progress=False)
    assert second["added"] == second["changed"] == added
    assert second["width"] == first["width"], "not measured again for a few rows"


def test_a_stopped_graph_goes_on(bank, settings, monkeypatch):
    monkeypatch.setattr(ann, "_STEP", 500)
    monkeypatch.setattr(ann, "_CHECKPOINT_SECONDS", 0)
    save = ann._save

    def save_twice(graph, path, source, **facts):
        if len(graph) > 1000:
            raise KeyboardInterrupt
        return save(graph, path, source, **facts)

    monkeypatch.setattr(ann, "_save", save_twice)
    with pytest.raises(KeyboardInterrupt):
        build_graph(bank, settings, progress=False)
    with pytest.raises(ArtifactError, match="not built yet"):
        AnnIndex(bank, settings)
    monkeypatch.setattr(ann, "_save", save)
    assert build_graph(bank, settings, progress=False)["added"] == ROWS - 10 - 1000
    rows, _ = AnnIndex(bank, settings).search(bank.embeddings[1], 1, Filters())
    assert rows == [1]


def test_a_damaged_graph_is_refused_and_made_anew(bank, settings):
    build_graph(bank, settings, progress=False)
    path = ann.path_of(bank, settings)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(ArtifactError, match="python -m itadaki build ft"):
        AnnIndex(bank, settings)
    assert build_graph(bank, settings, progress=False)["added"] == ROWS - 10


@pytest.mark.parametrize(("bits", "error"), [("float16", 1e-3), ("int8", 0.02)])
def test_fewer_bits_keep_the_direction(bank, settings, bits, error):
    rows = rows_of(bank, settings, bits)
    assert isinstance(rows, np.memmap) and rows.dtype == bits
    again = rows.astype(np.float32)
    again /= np.linalg.norm(again, axis=1, keepdims=True)
    assert np.abs(again - bank.embeddings).max() < error
    assert (reduced(np.zeros((1, 4), np.float32), bits) == 0).all()


def test_rows_of_fewer_bits_follow_the_bank(bank, settings):
    rows_of(bank, settings, "int8")
    changed, _ = shuffled(bank)
    again = rows_of(changed, settings, "int8")
    assert np.array_equal(again, reduced(changed.embeddings, "int8"))


def test_rows_of_fewer_bits_follow_the_code_that_makes_them(bank, settings, monkeypatch):
    rows_of(bank, settings, "int8")

    def halved(rows, precision):
        return reduced(rows, precision) // 2

    monkeypatch.setattr(precision, "reduced", halved)
    assert np.array_equal(rows_of(bank, settings, "int8"), reduced(bank.embeddings, "int8") // 2)


def test_a_graph_of_other_knobs_is_refused_and_made_anew(bank, settings, monkeypatch):
    first = build_graph(bank, settings, progress=False)
    with monkeypatch.context() as patch:
        patch.setattr(ann, "_RECALL", 0.5)
        with pytest.raises(ArtifactError, match="python -m itadaki build ft"):
            AnnIndex(bank, settings)
        again = build_graph(bank, settings, progress=False)
        assert again["added"] == 0, "the graph itself is kept"
        assert again["width"] <= first["width"]
        AnnIndex(bank, settings)
    monkeypatch.setattr(ann, "_BUILD_WIDTH", 32)
    with pytest.raises(ArtifactError, match="python -m itadaki build ft"):
        AnnIndex(bank, settings)
    assert build_graph(bank, settings, progress=False)["added"] == ROWS - 10


def test_a_graph_from_before_knobs_were_noted_is_kept(bank, settings):
    first = build_graph(bank, settings, progress=False)
    path = ann.path_of(bank, settings)
    old = {name: first[name] for name in ("added", "changed", "seconds", "recall@10", "width")}
    note_derived(path, first["source"], format=2, **old)
    with pytest.raises(ArtifactError, match="python -m itadaki build ft"):
        AnnIndex(bank, settings)
    assert build_graph(bank, settings, progress=False)["added"] == 0


def test_another_payload_is_another_collection(bank, settings, monkeypatch):
    before = collection_of(bank, settings)
    assert collection_of(bank, settings) == before

    def payload(row, recipe):
        return {}

    monkeypatch.setattr(qdrant_index, "_payload", payload)
    assert collection_of(bank, settings) != before


def test_many_rows_are_told_of_the_approximate_index(bank, settings, monkeypatch, caplog):
    build_index(bank, settings)
    assert not caplog.records
    monkeypatch.setattr("itadaki.index.index.ADVISED_ABOVE", ROWS - 1)
    build_index(bank, settings)
    assert "ITADAKI_INDEX=ann" in caplog.text


def test_a_stopped_upload_goes_on(bank, tmp_path, qdrant, monkeypatch):
    settings = Settings(_env_file=None, home=tmp_path, index="qdrant")
    upsert, batches = qdrant.upsert, []

    def upsert_some(collection, batch, **options):
        if len(batches) == 5:
            upsert(collection, dataclass_part(batch, 100), **options)
            raise KeyboardInterrupt
        batches.append(batch)
        return upsert(collection, batch, **options)

    monkeypatch.setattr(qdrant, "upsert", upsert_some)
    with pytest.raises(KeyboardInterrupt):
        index_bank(bank, settings, progress=False)
    with pytest.raises(ArtifactError, match=r"1,380 of the 1,500.*itadaki build ft"):
        QdrantIndex(bank, settings)
    batches.clear()
    monkeypatch.setattr(
        qdrant, "upsert", lambda c, batch, **o: (batches.append(batch), upsert(c, batch, **o))
    )
    index_bank(bank, settings, progress=False)
    assert batches[0].ids[0] == 5 * 256 and sum(len(b.ids) for b in batches) == ROWS - 5 * 256
    assert QdrantIndex(bank, settings).search(bank.embeddings[1300], 1, Filters())[0] == [1300]


def dataclass_part(batch, count):
    return batch.model_copy(
        update={name: getattr(batch, name)[:count] for name in ("ids", "vectors", "payloads")}
    )


def test_indexing_anew_leaves_no_gap(bank, tmp_path, qdrant, monkeypatch):
    settings = Settings(_env_file=None, home=tmp_path, index="qdrant")
    alias = f"{settings.qdrant_collection}-folder-recipes-ft"

    def target():
        return {a.alias_name: a.collection_name for a in qdrant.get_aliases().aliases}[alias]

    index_bank(bank, settings, progress=False)
    index, own = QdrantIndex(bank, settings), bank.embeddings[7]
    assert target() == collection_of(bank, settings)
    changed, _ = shuffled(bank)
    upsert = qdrant.upsert

    def searching_meanwhile(*args, **options):
        assert target() == collection_of(bank, settings)
        assert index.search(own, 1, Filters())[0] == [7]
        return upsert(*args, **options)

    monkeypatch.setattr(qdrant, "upsert", searching_meanwhile)
    index_bank(changed, settings, progress=False)
    assert target() == collection_of(changed, settings)
    assert index.search(own, 1, Filters())[0] == [7], "who holds the old bank is still served"

    monkeypatch.setattr(qdrant, "upsert", upsert)
    third = dataclasses.replace(
        bank, manifest=bank.manifest | {"sha256": {"bank": "third", "metadata": "third"}}
    )
    others = dataclasses.replace(
        bank, manifest=bank.manifest | {"dataset_source": f"{bank.manifest['dataset_source']} ft"}
    )
    index_bank(others, settings, progress=False)
    index_bank(third, settings, progress=False)
    left = {c.name for c in qdrant.get_collections().collections if c.name.startswith(alias)}
    assert left == {collection_of(it, settings) for it in (changed, third, others)}


def test_a_collection_whose_terms_mean_something_else_is_refused(
    bank, tmp_path, qdrant, monkeypatch
):
    settings = Settings(_env_file=None, home=tmp_path, index="qdrant")
    with monkeypatch.context() as before:
        before.setattr(qdrant_index, "edition", lambda: "of another vocabulary")
        index_bank(bank, settings, progress=False)
        QdrantIndex(bank, settings)
    with pytest.raises(ArtifactError, match="run: python -m itadaki build ft"):
        QdrantIndex(bank, settings)
    index_bank(bank, settings, progress=False)
    QdrantIndex(bank, settings)


def test_shards_replicas_and_precision_reach_qdrant(bank, tmp_path, qdrant, monkeypatch):
    settings = Settings(
        _env_file=None,
        home=tmp_path,
        index="qdrant",
        qdrant_shards=6,
        qdrant_replicas=2,
        bank_precision="int8",
    )
    created = []
    monkeypatch.setattr(
        qdrant,
        "create_collection",
        lambda name, create=qdrant.create_collection, **options: (
            created.append(options),
            create(name, **options),
        ),
    )
    index_bank(bank, settings, progress=False)
    assert created[0]["shard_number"] == 6 and created[0]["replication_factor"] == 2
    assert created[0]["quantization_config"].scalar.type == "int8"
    assert created[0]["vectors_config"].on_disk


def test_the_key_is_sent_and_a_refusal_is_told(bank, settings):
    asked = []

    class Refusing(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.headers.get("api-key"))
            self.send_error(403)

        def log_message(self, *args):
            pass

    server = HTTPServer(("127.0.0.1", 0), Refusing)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        asking = Settings(
            _env_file=None,
            home=settings.home,
            index="qdrant",
            qdrant_url=f"http://127.0.0.1:{server.server_port}",
            qdrant_api_key="a secret key",
        )
        with pytest.raises(IndexUnavailableError, match="403"):
            open_index(bank, asking)
        assert asked == ["a secret key"]
    finally:
        server.shutdown()
        server.server_close()
    with pytest.raises(IndexUnavailableError, match=r"127\.0\.0\.1.*does not answer"):
        open_index(bank, asking)


def test_many_threads_may_search_at_once(bank, settings):
    build_graph(bank, settings, progress=False)
    index = AnnIndex(bank, settings)
    asked = list(queries(bank)) * 20

    def search(query):
        return index.search(query, 10, Filters())[0].tolist()

    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(search, asked)) == [search(query) for query in asked]
