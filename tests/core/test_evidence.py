"""Quotes are found exactly or not at all."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.evidence import Evidence, locate_quote
from core.replies import clean_text

texts = st.text(min_size=1, max_size=200)


@given(texts, st.data())
def test_every_real_substring_is_found_as_it_stands(text, data):
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    quote = text[start:end]
    found = locate_quote(quote, text)
    if quote.strip():
        assert found is not None and found.holds_in(text) and found.quote == quote
    else:
        assert found is None


@given(texts, texts)
def test_whatever_is_found_holds(quote, text):
    found = locate_quote(quote, text)
    assert found is None or (found.holds_in(text) and found.quote == text[found.start : found.end])


@given(st.text(alphabet=st.characters(codec="utf-8", categories=["L", "N"]), min_size=5, max_size=60))
def test_composition_case_and_width_are_bridged(text):
    decomposed = unicodedata.normalize("NFD", f"before {text} after")
    found = locate_quote(unicodedata.normalize("NFC", text), decomposed)
    assert found is not None and found.holds_in(decomposed)


@pytest.mark.parametrize(
    ("quote", "text", "expected"),
    [
        ("you're tired", "So you’re  tired, then.", "you’re  tired"),
        ('"really"', "He said “really” twice.", "“really”"),
        ("a - b", "a – b", "a – b"),
        ("wait...", "wait… what", "wait…"),
        ("hel lo", "Say hel\n lo now", "hel\n lo"),
        ("helper", "hel\u200bper is here", "hel\u200bper"),
        ("HELLO", "well hello", "hello"),
    ],
)
def test_typing_variants_are_bridged(quote, text, expected):
    found = locate_quote(quote, text)
    assert found is not None and found.quote == expected and found.holds_in(text)


@pytest.mark.parametrize(("quote", "text"), [("tired", "I am tried"), ("", "anything"), ("  ", "a  b"), ("not here", ""), ("ab", "a b")])
def test_what_is_not_there_is_not_found(quote, text):
    assert locate_quote(quote, text) is None


@given(st.text(max_size=200))
def test_cleaned_text_leads_back_to_the_raw_words(raw):
    clean = clean_text(raw)
    assert len(clean.origin) == len(clean.text)
    for start, end in clean.origin:
        assert 0 <= start < end <= len(raw)
    evidence = clean.evidence(0, len(clean.text))
    assert evidence is None or evidence.holds_in(raw)


def test_evidence_with_wrong_offsets_does_not_hold():
    assert not Evidence(quote="a", start=1, end=2).holds_in("ab")
    assert not Evidence(quote="", start=0, end=0).holds_in("ab")
