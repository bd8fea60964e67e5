from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.citations import cite, quotable_sentences, verify_citation
from retrieval.lexical import words
from retrieval.passages import Passage, split_document, text_sha256
from retrieval.settings import retrieval_settings
from tests.retrieval.guidance_fakes import HashedBagEmbedding, WordCounter, a_document

SETTINGS = retrieval_settings().citations

TEXT = """\
The client hears a task. It hands over what nobody asked for, and quietly says hurry. Advice before a feeling is met often
answers the therapist's own unease, e.g. the wish to fix things. See r = .28 in Dr. Known's review of eighty samples.

1. Stay one beat longer than is comfortable.
2. Ask: "Is it more the job? Or the way they told you?" and wait for the answer they give.

- "Eleven years, and they walk past you. That must sting every morning you go in."

Read [the other document](other.md) for what silence can do for people. **Bold words are not a sentence to be quoted here.**
"""


def a_passage(text: str = TEXT) -> Passage:
    (passage,) = split_document(a_document(f"## Heading words here are no sentence to quote.\n\n{text}"), WordCounter())
    return passage


def sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in quotable_sentences(text, SETTINGS)]


def test_only_full_sentences_of_a_fitting_length_can_be_quoted() -> None:
    assert sentences(TEXT) == [
        "It hands over what nobody asked for, and quietly says hurry.",
        "Advice before a feeling is met often\nanswers the therapist's own unease, e.g. the wish to fix things.",
        "See r = .28 in Dr. Known's review of eighty samples.",
        "Stay one beat longer than is comfortable.",
        'Ask: "Is it more the job? Or the way they told you?" and wait for the answer they give.',
        '"Eleven years, and they walk past you. That must sting every morning you go in."',
    ]


@pytest.mark.parametrize(
    ("about", "start"),
    [
        ("advice that met no feeling", "Advice before a feeling"),
        ("stay longer, one more beat", "Stay one beat"),
        ("a review of samples", "See r = .28"),
        ("the job and the answer", "Ask:"),
    ],
)
def test_the_sentence_that_best_fits_is_quoted_from_its_place(about: str, start: str) -> None:
    passage = a_passage()
    citation = cite(passage, about)
    assert citation is not None
    assert citation.quote.startswith(start)
    assert passage.text[citation.start : citation.end] == citation.quote
    assert (citation.passage, citation.document, citation.heading) == (passage.id, passage.document, passage.heading)
    assert verify_citation(citation, {passage.id: passage})
    assert citation == cite(passage, about)


def test_an_example_reply_is_not_quoted_as_guidance_while_there_is_another_sentence() -> None:
    citation = cite(a_passage(), "Eleven years, and they walk past you every morning, that must sting")
    assert citation is not None
    assert not citation.quote.startswith('"')
    only = cite(a_passage('- "Eleven years, and they walk past you. That must sting every morning you go in."\n'), "years")
    assert only is not None
    assert only.quote.startswith('"Eleven')


def test_what_others_claim_and_what_a_client_said_is_not_quoted_as_guidance() -> None:
    passage = a_passage(
        'You may read that silence heals by itself. No study of that was found. A client says: "Silence at home was a threat. I hate silence."'
        " Silence can also be a room in which somebody thinks.\n"
    )
    citation = cite(passage, "silence heals, silence threat")
    assert citation is not None
    assert citation.quote == "Silence can also be a room in which somebody thinks."


def test_meaning_can_help_to_choose() -> None:
    passage = a_passage("Nothing here is about what you look for. Their tears deserve room and a slow reply.")
    citation = cite(passage, "room for tears", embedding=HashedBagEmbedding())
    assert citation is not None
    assert citation.quote == "Their tears deserve room and a slow reply."


def test_with_nothing_shared_the_first_sentence_that_stands_alone_is_taken() -> None:
    citation = cite(a_passage(), "zygote")
    assert citation is not None
    assert citation.quote.startswith("Advice before")


@pytest.mark.parametrize("text", ["Too short.", "no capital at the start of this sentence here.", "- item\n- item two", "## Only\n", "x" * 5000])
def test_a_passage_without_a_quotable_sentence_gives_no_citation(text: str) -> None:
    (passage,) = split_document(a_document("Words."), WordCounter())
    assert cite(replace(passage, text=text, sha256=text_sha256(text)), "anything") is None


def test_a_changed_moved_or_withdrawn_passage_fails_verification() -> None:
    passage = a_passage()
    citation = cite(passage, "advice")
    assert citation is not None
    changed = passage.text.replace("hurry", "hurry up")
    assert not verify_citation(citation, {})
    assert not verify_citation(citation, {passage.id: replace(passage, text=changed)})
    assert not verify_citation(citation, {passage.id: replace(passage, text=changed, sha256=text_sha256(changed))})
    assert not verify_citation(citation, {passage.id: replace(passage, document="another")})
    for wrong in (
        replace(citation, quote=citation.quote + " And more."),
        replace(citation, start=citation.start + 1),
        replace(citation, end=citation.end + 1),
        replace(citation, start=-5),
        replace(citation, start=citation.start, end=citation.start, quote=""),
        replace(citation, passage_sha256="0" * 64),
        replace(citation, passage="a-document#elsewhere"),
    ):
        assert not verify_citation(wrong, {passage.id: passage})


def test_a_passage_whose_digest_is_wrong_is_not_cited() -> None:
    assert cite(replace(a_passage(), sha256="0" * 64), "advice") is None


@given(st.text(max_size=600), st.text(max_size=60))
def test_any_text_gives_a_true_citation_or_none(text: str, about: str) -> None:
    (passage,) = split_document(a_document("Words."), WordCounter())
    passage = replace(passage, text=text, sha256=text_sha256(text))
    citation = cite(passage, about)
    if citation is not None:
        assert verify_citation(citation, {passage.id: passage})


pieces = st.sampled_from(
    ["Plain words stand in a row here. ", "Who asked, and what for, this time? ", "\n\n", "\n- ", "\n2. ", "\n## Head\n", '"', "(", ")",
     "e.g. ", "Dr. ", "a ", "\u201c", "\u201d", "...", "! ", "One more thing to say, \u2018softly\u2019, today."]
)  # fmt: skip


@given(st.lists(pieces, max_size=25).map("".join))
def test_what_is_quoted_is_a_sentence(text: str) -> None:
    last = 0
    for start, end in quotable_sentences(text, SETTINGS):
        sentence = text[start:end]
        assert start >= last
        last = end
        assert SETTINGS.min_words <= len(words(sentence)) <= SETTINGS.max_words
        assert sentence == sentence.strip()
        assert sentence.rstrip("\"'\u201d\u2019)")[-1] in ".!?\u2026"
        assert sentence.count('"') % 2 == 0
        assert "\n\n" not in sentence
        assert "\n-" not in sentence
        assert "#" not in sentence
