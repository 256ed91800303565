"""Verdicts from files: what a person said, and what that says of the picture."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vision import NOTHING_THERE, EvidenceError, Judged, Review, read_reviews, review_of, what_was_judged

WORDS = {
    "confirmed": Judged.PRESENT,
    "Confirm": Judged.PRESENT,
    "false-alarm": Judged.ABSENT,
    "False alarm": Judged.ABSENT,
    "no_object": Judged.ABSENT,
    "dismissed": Judged.UNSAID,
    "dismiss": Judged.UNSAID,
    "pending": None,
    "": None,
}


@pytest.mark.parametrize("word", WORDS)
def test_words(word):
    assert what_was_judged(word) is WORDS[word]


@pytest.mark.parametrize(
    ("category", "reason", "review"),
    [
        ("animal", None, Review(Judged.PRESENT, kind="animal")),
        ("vegetation", "a bush in the wind", Review(Judged.ABSENT)),
        ("camera-artefact", None, Review(Judged.ABSENT)),
        ("authorised-person", "false alarm", Review(Judged.UNSAID)),  # somebody was there
        ("duplicate", None, Review(Judged.UNSAID)),
        ("other", "nothing there", Review(Judged.ABSENT)),
        ("other", "a farmer", Review(Judged.UNSAID)),
        (None, "No object.", Review(Judged.ABSENT)),
    ],
)
def test_the_category_of_a_dismissal_says_what_was_there(category, reason, review):
    assert review_of("dismissed", reason, category) == review
    assert review_of("confirmed", reason) == Review(Judged.PRESENT)
    assert review_of("pending", reason, category) is None


@given(st.sampled_from(NOTHING_THERE), st.text(), st.booleans())
def test_a_dismissal_says_that_nothing_was_there_in_so_many_words_or_not_at_all(words, more, shout):
    reason = words + more
    assert what_was_judged("dismissed", reason.upper() if shout and more.isascii() else reason) is Judged.ABSENT
    assert what_was_judged("dismissed", "a farmer, " + reason) is Judged.UNSAID
    # A person who confirmed saw something, whatever the reason.
    assert what_was_judged("confirmed", reason) is Judged.PRESENT


def test_an_unknown_word_is_refused():
    with pytest.raises(EvidenceError, match="verdict 'maybe' is unknown: give confirmed"):
        what_was_judged("maybe")


ROWS = [
    {"crossing": "a", "verdict": "confirmed"},
    {"crossing": "b", "verdict": "false-alarm"},
    {"crossing": "c", "verdict": "confirmed", "kind": "Car"},
    {"crossing": "d", "verdict": "dismissed", "reason": "Nothing there, a bush"},
    {"crossing": "e", "verdict": "dismissed", "reason": "patrol of our own"},
    {"crossing": "f", "verdict": "pending"},
]
READ = {
    "a": Review(Judged.PRESENT),
    "b": Review(Judged.ABSENT),
    "c": Review(Judged.PRESENT, kind="vehicle"),
    "d": Review(Judged.ABSENT),
    "e": Review(Judged.UNSAID),
}


def test_json_and_csv_say_the_same(tmp_path):
    (tmp_path / "r.json").write_text(json.dumps(ROWS))
    columns = ("crossing", "verdict", "kind", "reason")
    lines = [",".join(columns)] + [",".join(f'"{row.get(name, "")}"' for name in columns) for row in ROWS]
    (tmp_path / "r.csv").write_text("\n".join(lines) + "\n", encoding="utf-8-sig")  # as a spreadsheet saves it
    assert read_reviews(tmp_path / "r.json") == read_reviews(tmp_path / "r.csv") == READ
    (tmp_path / "short.json").write_text(json.dumps({"a": "confirmed", "b": "false alarm"}))
    assert read_reviews(tmp_path / "short.json") == {"a": READ["a"], "b": READ["b"]}


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("r.csv", "crossing,verdict\na,confirmed\nb,perhaps\n", r"r\.csv, line 3: verdict 'perhaps' is unknown"),
        ("r.csv", "id,verdict\na,confirmed\n", r"line 1: give the columns crossing, verdict"),
        ("r.csv", "crossing,verdict\na\n", "line 2: has not as many values"),
        ("r.csv", "crossing,verdict\na,confirmed,x\n", "line 2: has not as many values"),
        ("r.csv", "crossing,verdict\n,confirmed\n", "line 2: names no crossing"),
        ("r.csv", "crossing,verdict\na,confirmed\na,false-alarm\n", "line 3: crossing a has two verdicts that differ"),
        (
            "r.csv",
            "crossing,verdict,kind\na,confirmed,dragon\n",
            "line 2: kind 'dragon' is unknown: give one of",
        ),
        ("r.csv", 'crossing,verdict\n"a,confirmed\n', "is no CSV"),
        ("r.json", "{", "is not JSON"),
        ("r.json", "3", "give a list"),
        ("r.json", '[{"crossing": "a"}]', "entry 1: give the members"),
        ("r.json", '[{"crossing": "a", "verdict": 1}]', "entry 1: every member is text"),
        ("r.txt", "", r"\.csv or \.json: choose one"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    with pytest.raises(EvidenceError, match=message):
        read_reviews(tmp_path / name)


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(EvidenceError, match=r"absent\.csv: verdicts cannot be read"):
        read_reviews(tmp_path / "absent.csv")
    (tmp_path / "raw.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(EvidenceError, match=r"raw\.csv: verdicts cannot be read"):
        read_reviews(tmp_path / "raw.csv")
