import numpy as np
from conftest import dish_photo, encode

from itadaki.photos.images import decode
from itadaki.recipes.copies import photo_groups, regroup, thumbnail


def group(photos):
    hashes = [str(hash(photo)) for photo in photos]
    return photo_groups(hashes, np.stack([thumbnail(decode(p)) for p in photos])).tolist()


def test_exact_and_re_encoded_copies_share_a_group():
    first, second = dish_photo(1), dish_photo(2)
    brighter = np.clip(first.astype(int) + 12, 0, 255).astype(np.uint8)
    photos = [
        encode(first, quality=95),
        encode(second, quality=95),
        encode(first, quality=95),
        encode(first, quality=40),
        encode(brighter, "PNG"),
    ]
    assert group(photos) == [0, 1, 0, 0, 0]


def test_different_dishes_stay_apart():
    assert group([encode(dish_photo(seed)) for seed in range(30)]) == list(range(30))


def test_blank_photos_are_copies_only_byte_for_byte():
    white = np.full((169, 274, 3), 255, np.uint8)
    speck = white.copy()
    speck[:4, :4] = 240
    assert group([encode(white), encode(speck), encode(white)]) == [0, 1, 0]


def test_regrouping_after_changes_gives_what_grouping_all_gives():
    rng = np.random.default_rng(0)
    step = np.array([0, 10, 20, 30, 45, 60, 75, 200])  # degrees: neighbours below 14 are copies
    axes = rng.normal(size=(2, 768))
    axes -= axes.mean(axis=1, keepdims=True)
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    circle = np.stack([np.cos(np.radians(step)), np.sin(np.radians(step))], axis=1) @ axes
    pictures = np.concatenate([circle, rng.normal(size=(4, 768)) / 28, np.zeros((2, 768))])
    pictures = (127 + 1000 * pictures).clip(0, 255).astype(np.uint8)
    seen_chain = False
    for _ in range(60):
        before = rng.permutation(len(pictures))[: rng.integers(2, len(pictures))]
        kept = np.sort(rng.permutation(len(before))[: rng.integers(1, len(before) + 1)])
        fresh = np.setdiff1d(np.arange(len(pictures)), before)[: rng.integers(0, 4)]
        old = photo_groups([str(i) for i in before], pictures[before])
        after = np.concatenate([before[kept], fresh])
        groups = np.concatenate([old[kept], np.full(len(fresh), -1)])
        lost = np.unique(np.delete(old, kept))
        hashes = [str(i) for i in after]
        expected = photo_groups(hashes, pictures[after])
        np.testing.assert_array_equal(regroup(hashes, pictures[after], groups, lost), expected)
        seen_chain |= bool((np.bincount(expected) > 2).any())
    assert seen_chain
