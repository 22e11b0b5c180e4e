import json
import shutil

import numpy as np
import pytest

from itadaki import plots
from itadaki.errors import ItadakiError
from itadaki.evaluation.chapters import backbones, beyond, chapter
from itadaki.evaluation.comparison import Comparison, add_scores, save_measurement
from itadaki.evaluation.scores import Evaluation
from itadaki.settings import Settings
from itadaki.storage.files import write_json
from itadaki.variants import VARIANTS, Artifacts


def measure(folder, variant, seed, scores, dataset="d", galleries=("photos",)):
    found = {
        gallery: Evaluation({"P@1": np.array(scores, float)}, {"P@1": 0.1}, "test", 9)
        for gallery in galleries
    }
    facts = {"dataset": dataset, "dataset_source": "made up"}
    return save_measurement(found, folder, variant, seed, facts)


def test_seeds_are_averaged_query_by_query(tmp_path):
    measure(tmp_path, "raw", 0, [0, 0, 1, 1])
    measure(tmp_path, "tl", 0, [0, 1, 1, 1])
    measure(tmp_path, "tl", 1, [1, 1, 1, 1])
    comparison = Comparison(tmp_path)
    assert comparison.seeds == {"raw": 1, "tl": 2}
    assert comparison.scores("tl", "photos", "P@1").tolist() == [0.5, 1, 1, 1]
    table = comparison.table().set_index("variant")
    assert table.loc["tl", "score"] == pytest.approx(0.875)
    assert table.loc["tl", "seeds' spread"] == pytest.approx(np.std([0.75, 1], ddof=1))


def test_a_step_is_the_paired_difference_on_the_same_queries(tmp_path):
    measure(tmp_path, "raw", 0, [0.0, 0.2, 0.4, 0.6] * 50)
    measure(tmp_path, "tl", 0, [0.1, 0.3, 0.5, 0.7] * 50)
    step = Comparison(tmp_path).steps().iloc[0]
    # Every query gains the same, so the paired interval has no width though scores scatter.
    assert (step.gain, step.low, step.high) == pytest.approx((0.1, 0.1, 0.1), abs=1e-6)
    assert step.ratio == pytest.approx(0.4 / 0.3)


def test_the_ladder_ends_with_the_search(tmp_path):
    measure(tmp_path, "raw", 0, [0, 1])
    measure(tmp_path, "ft", 0, [1, 1], galleries=("photos", "fused", "search"))
    steps = Comparison(tmp_path).steps()["step"].tolist()
    assert steps == [
        "raw (photos) to ft (photos)",
        "ft (photos) to ft (fused)",
        "ft (fused) to ft (search)",
    ]


def test_the_report_is_text_and_picture(tmp_path):
    measure(tmp_path / "measurements", "raw", 0, [0, 1, 1])
    measure(tmp_path / "measurements", "tl", 0, [1, 1, 1])
    comparison, picture = Comparison(tmp_path / "measurements"), tmp_path / "comparison.png"
    text = comparison.write_report(tmp_path)
    plots.save(plots.ladder(comparison), picture)
    assert "| raw | 0.667" in text.read_text()
    assert "| random order | 0.100 |" in text.read_text()
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_a_file_that_is_no_measurement_by_its_name_is_told(tmp_path):
    measure(tmp_path, "raw", 0, [0, 1])
    shutil.copy(tmp_path / "raw-seed0.npz", tmp_path / "raw-seed0 copy.npz")
    with pytest.raises(ItadakiError, match="raw-seed0 copy"):
        Comparison(tmp_path)


def test_measurements_of_two_datasets_are_refused(tmp_path):
    measure(tmp_path, "raw", 0, [0, 1])
    measure(tmp_path, "tl", 0, [0, 1], dataset="other")
    with pytest.raises(ItadakiError, match="different datasets"):
        Comparison(tmp_path)


def classes(folder, variant, scores, seed=0):
    per_query = {"MAP@R dish class": np.array(scores, float), "nDCG@10 title": np.ones(3)}
    found = {"photos": Evaluation(per_query, dict.fromkeys(per_query, 0.1), "test", 9)}
    return save_measurement(found, folder, variant, seed, {"dataset": "d", "dataset_source": "x"})


def test_scores_of_other_class_rules_are_told_and_not_held_against_todays(
    tmp_path, monkeypatch, caplog
):
    with monkeypatch.context() as patch:
        patch.setattr("itadaki.evaluation.comparison.class_rules", lambda: "before")
        classes(tmp_path, "raw", [0, 0, 1])
        classes(tmp_path, "tl", [0, 1, 1])
    assert "All were measured when other rules" in Comparison(tmp_path).markdown()
    assert "MAP@R dish class" in Comparison(tmp_path).steps()["metric"].tolist()
    assert not caplog.text
    classes(tmp_path, "tl", [0, 1, 1])
    assert "raw-seed0 were scored under other rules" in caplog.text
    mixed = Comparison(tmp_path)
    assert mixed.steps()["metric"].tolist() == ["nDCG@10 title"]
    assert "The scores of raw were measured when other rules" in chapter(mixed, "tl")
    assert "| MAP@R dish class |" in chapter(mixed, "tl") and "not comparable" in chapter(
        mixed, "tl"
    )
    classes(tmp_path, "raw", [0, 0, 1])
    today = Comparison(tmp_path)
    assert "by the rules that give them today" in today.markdown()
    assert len(today.steps()) == 2


def test_a_chapter_says_what_its_table_shows(tmp_path):
    spread = [0.0, 0.2, 0.4, 0.6] * 50
    measure(tmp_path, "raw", 0, spread)
    measure(tmp_path, "tl", 0, [score + 0.1 for score in spread])
    told = chapter(Comparison(tmp_path), "tl")
    assert "Better than raw, with an interval above nought: P@1." in told
    assert "Not measured yet: tl_seed." in told
    measure(tmp_path, "tl_seed", 0, [0.1] * 200)
    measure(tmp_path, "tl", 0, [score - 0.1 for score in spread])
    told = chapter(Comparison(tmp_path), "tl")
    assert "| metric | raw | tl_seed | tl | gain over raw | gain over tl_seed |" in told
    assert "Worse than raw, with an interval below nought: P@1." in told
    measure(tmp_path, "tl", 0, spread[::-1])
    assert "Not shown either way against raw: P@1." in chapter(Comparison(tmp_path), "tl")
    assert chapter(Comparison(tmp_path), "ft") == "Not measured yet: tl_hard, ft_seed, ft_phases."
    assert "| metric | raw | random order |" in chapter(Comparison(tmp_path), "raw")


def test_a_configuration_that_collapsed_is_told(tmp_path):
    measure(tmp_path, "raw", 0, [0.1, 0.2])
    facts = {"dataset": "d", "dataset_source": "made up", "collapsed": "why"}
    rows = [(0, 0.3, 0.9), (1, 0.1, 0.0123)]
    facts["history"] = [
        {"phase": "head", "epoch": epoch, "score": score, "mean_distance": distance}
        for epoch, score, distance in rows
    ]
    found = {"photos": Evaluation({"P@1": np.zeros(2)}, {"P@1": 0.1}, "test", 9)}
    save_measurement(found, tmp_path, "tl_seed", 0, facts)
    measure(tmp_path, "tl", 0, [0.3, 0.4])
    told = chapter(Comparison(tmp_path), "tl")
    collapsed = "The embeddings of tl_seed collapsed in epoch 1 of head (mean distance 0.0123)"
    assert collapsed in told and "tl collapsed" not in told


def test_a_chapter_tells_what_became_of_the_training(tmp_path):
    def epochs(*scores: float, phase: str = "head", margin: float = 0.2) -> list[dict]:
        rows = [{"phase": phase, "epoch": e, "score": s} for e, s in enumerate(scores)]
        return [rows[0], *(row | {"margin": margin} for row in rows[1:])]

    histories = {
        ("tl_hard", 0): epochs(0.1, 0.2, margin=0.8),
        ("ft_phases", 0): [*epochs(0.1, 0.2), *epochs(0.2, 0.15, 0.12, phase="fine_tuning")],
        ("ft_phases", 1): [*epochs(0.1, 0.2), *epochs(0.2, 0.18, phase="fine_tuning")],
    }
    for (name, seed), history in histories.items():
        found = {"photos": Evaluation({"P@1": np.ones(3)}, {"P@1": 0.1}, "test", 9)}
        facts = {"dataset": "d", "dataset_source": "x", "history": history}
        facts["config"] = {"TRIPLET_MARGIN": 0.8}
        save_measurement(found, tmp_path, name, seed, facts)
    told = chapter(Comparison(tmp_path), "ft")
    assert "| metric | tl_hard (1 seed) | ft_phases (2 seeds) | gain over tl_hard |" in told
    nothing = "No epoch of fine_tuning made ft_phases better on validation (0.2000 before, then"
    assert f"{nothing} at most 0.1800), so the weights from before were kept." in told
    assert "The margin of ft_phases stayed at 0.2, of the 0.8 that it could reach." in told
    assert told.count("No epoch of") == told.count("The margin of") == 1
    assert nothing in Comparison(tmp_path).markdown()


def test_backbones_stand_beside_the_first_and_unmeasured_ones_say_so():
    row = {"features": 1280, "parameters": 4.05e6, "megabytes": 8.1, "milliseconds": 10.0}
    slow = row | {"milliseconds": 25.0}
    table = backbones({"EfficientNetB0": row, "ResNet50": slow}).split("\n")
    assert "| EfficientNetB0 | 5.3 M |" in table[2] and "| 1.0 x |" in table[2]
    assert "| 2.5 x |" in table[3] and "not measured" in table[4]


def test_each_thing_beyond_the_phases_is_a_row_with_its_gain(tmp_path):
    for name, score in (("ft_phases", 0.1), ("ft_averaged", 0.3), ("ft", 0.2)):
        per_query = {"nDCG@10 title": np.full(9, score)}
        found = {"photos": Evaluation(per_query, {}, "test", 9)}
        save_measurement(found, tmp_path, name, 0, {"dataset": "d", "dataset_source": "x"})
    told = beyond(Comparison(tmp_path)).split("\n")
    assert "0.100 |" in told[2] and "0.300 (+0.2000, +0.2000 to +0.2000)" in told[3]
    assert "learn from texts" in told[3] and "averaged over the steps" in told[3]
    assert "0.200 (-0.1000" in told[4]
    assert "Not measured yet: ft_texts, ft_distilled, ft_joined." in told[-1]


def test_every_seed_keeps_its_history(tmp_path):
    found = {"photos": Evaluation({"P@1": np.ones(3)}, {"P@1": 0.1}, "test", 9)}
    for seed in (0, 1):
        facts = {"dataset": "d", "dataset_source": "x", "history": [{"epoch": 0, "loss": seed}]}
        save_measurement(found, tmp_path, "tl", seed, facts)
    history = Comparison(tmp_path).histories("tl")
    assert history[["seed", "loss"]].to_numpy().tolist() == [[0, 0], [1, 1]]
    assert Comparison(tmp_path).histories("raw").empty


def test_seeds_of_two_class_rules_are_not_averaged(tmp_path, monkeypatch):
    classes(tmp_path, "tl", [0, 1, 1])
    monkeypatch.setattr("itadaki.evaluation.comparison.class_rules", lambda: "later")
    classes(tmp_path, "tl", [0, 1, 1, 1], seed=1)
    with pytest.raises(ItadakiError, match=r"seeds of tl.*different rules"):
        Comparison(tmp_path)


def test_no_measurement_names_the_command(tmp_path):
    with pytest.raises(ItadakiError, match="evaluate VARIANT --save"):
        Comparison(tmp_path)


def test_a_record_keeps_scores_of_the_recipes_that_it_was_trained_on_alone(tmp_path):
    artifacts = Artifacts(VARIANTS["ft"], Settings(_env_file=None, home=tmp_path))
    artifacts.record.parent.mkdir()
    write_json(artifacts.record, {"dataset": "own", "scores": "as shipped"})
    found = {"photos": Evaluation({"P@1": np.ones(3)}, {"P@1": 0.1}, "test", 9)}
    add_scores(artifacts, found, "other")
    assert json.loads(artifacts.record.read_text())["scores"] == "as shipped"
    add_scores(artifacts, found, "own")
    assert json.loads(artifacts.record.read_text())["scores"]["dataset"] == "own"
