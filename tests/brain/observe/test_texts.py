"""A column of texts is a sequence like any other."""

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from citybrain.brain.observe.texts import Runs, Texts, different

WORDS = st.lists(st.sampled_from(["a", "气象站.pm25", "", "𠮷"]), max_size=6)


@given(WORDS, WORDS, st.integers(0, 6))
def test_it_equals_what_holds_the_same_words_in_whatever_pieces(words: list[str], other: list[str], cut: int) -> None:
    whole = Texts(pa.chunked_array([pa.array(words, pa.string())]))
    parts = Texts(pa.chunked_array([pa.array(words[:cut], pa.string()), pa.array(words[cut:], pa.string())]))
    assert list(whole) == words == [whole[index] for index in range(len(whole))]
    assert whole == parts
    assert hash(whole) == hash(parts)
    assert whole == words
    assert whole[1:] == words[1:]
    assert (whole == Texts(pa.chunked_array([pa.array(other, pa.string())]))) == (words == other)
    assert whole != 7


@given(WORDS, st.lists(st.integers(0, 3), min_size=6, max_size=6))
def test_runs_are_the_words_as_often_as_each_stands(words: list[str], counts: list[int]) -> None:
    runs = Runs(words, counts[: len(words)])
    whole = [word for word, count in zip(words, counts, strict=False) for _ in range(count)]
    assert list(runs) == whole == [runs[index] for index in range(len(runs))]
    assert runs[1:] == whole[1:]
    assert set(different(runs)) >= set(whole)
    assert different(whole) is whole
