import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ui.components.plain_text import html_text, label_text, shortened

ODD = [
    "# head",
    "$x$",
    "*a* _b_ **c**",
    "<script>alert(1)</script>",
    ":smile:",
    "[a](javascript:1)",
    "{{ 7*7 }}",
    ":red[no]",
    "`c`",
    "\\$",
    "&lt;",
    "| a |",
]


@given(st.text())
def test_html_text_gives_every_character_back_and_opens_no_tag(words):
    escaped = html_text(words)
    assert html.unescape(escaped) == html.unescape(html.escape(words)) == words or "\r" in words
    assert not re.search(r"[<>\"']", escaped)


@given(st.text())
def test_a_label_is_one_line_in_which_no_punctuation_is_active(words):
    label = label_text(words, limit=10_000)
    assert "\n" not in label
    plain = re.sub(r"\\(.)", r"\1", label).replace("\u2060", "")
    assert plain == " ".join(words.split()).replace("\u2060", "")
    assert not re.search(r"(?<!\\)[!-/:-@\[-`{-~]", re.sub(r"\\.", "", label))


@pytest.mark.parametrize("words", ODD)
def test_odd_words_keep_no_markdown_meaning_in_a_label(words):
    assert not re.search(r":\w+:", label_text(words))
    assert label_text(words).count("\\") >= sum(not (c.isalnum() or c.isspace()) for c in words)


@given(st.text(min_size=1), st.integers(min_value=5, max_value=40))
def test_shortened_words_fit_and_say_that_something_is_missing(words, limit):
    short = shortened(words, limit=limit)
    line = " ".join(words.split())
    assert short == line or (short.endswith("…") and len(short) <= limit + 2)
