import numpy as np
from conftest import dish_photo, encode

from itadaki.copies import photo_groups, thumbnail
from itadaki.images import decode


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
