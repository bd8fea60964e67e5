from __future__ import annotations

import re
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from retrieval.markdown import sections
from retrieval.passages import MAX_TOKENS, MIN_TOKENS, index_manifest, split_document, text_sha256
from tests.retrieval.guidance_fakes import WordCounter, a_document, some_passages

word = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="#`~\r\n", exclude_categories=("Cs", "Cc")), min_size=1, max_size=12)
line = st.lists(word, min_size=1, max_size=14).map(" ".join)
sentence = line.map(lambda words: words + ". ")
paragraph = st.one_of(
    line,
    st.lists(sentence, min_size=1, max_size=60).map("".join),
    st.lists(line, min_size=1, max_size=4).map(lambda items: "\n".join(f"- {item}" for item in items)),
    st.integers(min_value=1, max_value=3000).map(lambda size: "x" * size),
)
heading = st.tuples(st.integers(1, 6), line).map(lambda pair: "#" * pair[0] + " " + pair[1])
body = st.lists(st.one_of(heading, paragraph), max_size=14).map("\n\n".join)


@given(body)
def test_offsets_are_exact_ids_unique_and_nothing_is_lost(text: str) -> None:
    document = a_document(text)
    passages = split_document(document, WordCounter())
    covered = [False] * len(text)
    last = 0
    for passage in passages:
        assert text[passage.start : passage.end] == passage.text == passage.text.strip() != ""
        assert passage.sha256 == text_sha256(passage.text)
        assert passage.tokens == WordCounter().count(passage.text) <= MAX_TOKENS + 1
        assert passage.start >= last
        last = passage.end
        covered[passage.start : passage.end] = [True] * (passage.end - passage.start)
    assert len({passage.id for passage in passages}) == len(passages)
    assert all(re.fullmatch(r"a-document#[a-z0-9-]+", passage.id) for passage in passages)
    headings = {section.line for section in sections(text) if section.level}
    position = 0
    for number, content in enumerate(text.split("\n")):
        if number not in headings:
            for offset, character in enumerate(content):
                assert character.isspace() or covered[position + offset], (number, content)
        position += len(content) + 1


def test_ids_come_from_headings_and_stay_when_other_sections_change() -> None:
    first = split_document(a_document("Before.\n\n## What it's like\n\nWords.\n\n## Über uns\n\nWords.\n"), WordCounter())
    assert [passage.id for passage in first] == ["a-document#opening", "a-document#what-its-like", "a-document#uber-uns"]
    assert [passage.heading for passage in first] == ["A title", "What it's like", "Über uns"]
    later = split_document(a_document("## Something new\n\nWords.\n\n## Über uns\n\nWords.\n"), WordCounter())
    assert later[1].id == first[2].id


def test_two_equal_headings_and_a_heading_that_looks_numbered_get_different_ids() -> None:
    long = "Some words in a row here. " * 200
    text = f"## Again\n\n{long}\n\n## Again\n\nWords.\n\n## Again 2\n\nWords.\n\n## ...\n\nWords.\n"
    ids = [passage.id for passage in split_document(a_document(text), WordCounter())]
    assert len(set(ids)) == len(ids)
    assert "a-document#section" in ids


def test_a_long_section_is_cut_between_sentences_and_a_small_rest_is_joined() -> None:
    sentence = "This is one plain sentence of nine words here. "
    passages = split_document(a_document("## Long\n\n" + sentence * 42), WordCounter())
    assert [passage.id for passage in passages][:2] == ["a-document#long", "a-document#long-2"]
    assert all(passage.text.endswith("here.") and passage.text.startswith("This") for passage in passages)
    assert all(passage.tokens >= MIN_TOKENS for passage in passages)


def test_headings_inside_a_code_fence_are_text() -> None:
    passages = split_document(a_document("## Real\n\n```\n## not a heading\n```\n\n## Next\n\nWords.\n"), WordCounter())
    assert [passage.heading for passage in passages] == ["Real", "Next"]


def test_windows_line_ends_keep_their_offsets() -> None:
    text = "## One\r\n\r\nFirst line.\r\nSecond line.\r\n\r\n## Two\r\n\r\nWords.\r\n"
    passages = split_document(a_document(text), WordCounter())
    assert [passage.heading for passage in passages] == ["One", "Two"]
    assert passages[0].text == "First line.\r\nSecond line."


def test_the_index_manifest_depends_on_everything_an_index_is_built_from() -> None:
    passages = some_passages()
    base = index_manifest(passages, corpus="c", embedding="e")
    assert base == index_manifest(passages, corpus="c", embedding="e")
    others = {
        index_manifest(passages, corpus="other", embedding="e"),
        index_manifest(passages, corpus="c", embedding="other"),
        index_manifest(passages[1:], corpus="c", embedding="e"),
        index_manifest(tuple(reversed(passages)), corpus="c", embedding="e"),
        index_manifest((replace(passages[0], id="asking-things#renamed"), *passages[1:]), corpus="c", embedding="e"),
        index_manifest((replace(passages[0], dimensions=("risk",)), *passages[1:]), corpus="c", embedding="e"),
    }
    assert base not in others
    assert len(others) == 6
