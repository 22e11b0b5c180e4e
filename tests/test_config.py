from itadaki.training.config import CONFIG_PHASES, CONFIG_TL, CONFIG_TL_HARD, differing_knobs


def test_knobs_that_differ_stand_beside_what_they_do():
    table = differing_knobs({"two": CONFIG_TL, "three": CONFIG_TL_HARD}).set_index("knob")
    assert table.loc["TRIPLET_MARGIN", ["two", "three"]].tolist() == ["0.3", "0.8"]
    assert table.loc["GROWING_MARGIN", ["two", "three"]].tolist() == [True, False]
    assert "LEARNING_RATE" not in table.index
    assert table.loc["HARDEST", "two"] > 0, "its default"
    assert table["what it does"].str.len().min() > 10


def test_what_a_configuration_leaves_unsaid_may_be_blank():
    both = {"three": CONFIG_TL_HARD, "four": CONFIG_PHASES}
    table = differing_knobs(both, defaults=False).set_index("knob")
    assert table.loc["LAYERS_TO_UNFREEZE", ["three", "four"]].tolist() == ["", 40]
    assert "HARDEST" not in table.index
