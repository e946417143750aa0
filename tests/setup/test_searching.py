"""Letters of every alphabet are found in either case, on each database."""

import random
import sqlite3
from typing import Any

import pytest

from datasets.models import Artwork
from webnet.searching import like


@pytest.mark.services
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("title", "words"),
    [
        ("Дева Мария", "дева"),
        ("Η Παναγία", "παναγία"),
        ("Maestà", "MAESTÀ"),
        ("100 % Gold_leaf", "100 %"),
        ("100 % Gold_leaf", "d_l"),
        ("back\\slash", "k\\s"),
    ],
)
def test_a_word_is_found_in_either_case(dataset: Any, make_artwork: Any, title: str, words: str) -> None:
    found = make_artwork(dataset, 0)
    other = make_artwork(dataset, 1)
    Artwork.objects.filter(pk=found.pk).update(title=title)
    Artwork.objects.filter(pk=other.pk).update(title="Gold leaf, 100 Devas")
    assert list(Artwork.objects.search(words)) == [found]


@pytest.mark.parametrize("seed", range(20))
def test_of_latin_letters_it_says_what_sqlite_says(seed: int) -> None:
    """Patterns by chance, with and without an escape character, against SQLite's own LIKE."""
    chance, database = random.Random(seed), sqlite3.connect(":memory:")
    for _try in range(300):
        pattern = "".join(chance.choices("aB%_!", k=chance.randrange(7)))
        text = "".join(chance.choices("abAB%_!", k=chance.randrange(7)))
        assert like(pattern, text) == database.execute("SELECT ? LIKE ?", (text, pattern)).fetchone()[0]
        if not pattern.replace("!!", "").endswith("!"):
            sql = "SELECT ? LIKE ? ESCAPE '!'"
            assert like(pattern, text, "!") == database.execute(sql, (text, pattern)).fetchone()[0], (pattern, text)
    assert like(None, "a") is None and like("a", None) is None
