from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import ContentError
from retrieval.documents import load_corpus
from tests.retrieval.guidance_fakes import SKILLS, document_text, write_corpus

BODY = "## First\n\nSome words.\n\n## Second\n\nMore words.\n"


def problems_of(folder: Path) -> list[str]:
    with pytest.raises(ContentError) as caught:
        load_corpus(folder, skills=SKILLS)
    return [str(problem).replace(str(folder), "") for problem in caught.value.problems]


def test_reads_documents_in_order_of_id_with_their_bodies(tmp_path: Path) -> None:
    write_corpus(tmp_path, {"b-two": document_text("b-two", BODY, related="a-one"), "a-one": document_text("a-one", BODY)})
    corpus = load_corpus(tmp_path, skills=SKILLS)
    assert [document.meta.id for document in corpus.documents] == ["a-one", "b-two"]
    assert corpus.document("b-two").body == BODY
    assert corpus.references["Known2020"].year == 2020
    with pytest.raises(KeyError):
        corpus.document("c-three")


def test_the_manifest_changes_with_any_byte_and_only_then(tmp_path: Path) -> None:
    write_corpus(tmp_path, {"a-one": document_text("a-one", BODY)})
    before = load_corpus(tmp_path, skills=SKILLS).manifest_sha256
    assert load_corpus(tmp_path, skills=SKILLS).manifest_sha256 == before
    write_corpus(tmp_path, {"a-one": document_text("a-one", BODY + "\n")})
    after = load_corpus(tmp_path, skills=SKILLS).manifest_sha256
    assert after != before
    with (tmp_path / "references.yaml").open("a") as file:
        file.write("# a remark\n")
    assert load_corpus(tmp_path, skills=SKILLS).manifest_sha256 not in (before, after)


def test_all_problems_are_reported_at_once_with_file_line_and_field(tmp_path: Path) -> None:
    good = document_text("good", BODY)
    no_source = document_text("no-source", BODY, source="")
    bad = document_text("bad", BODY, source="Unknown1999", skills="open_question, juggling", related="good, nowhere, bad")
    bad += "\n## Third\n\n## Fourth\n\nSee [this](nowhere.md), [that](good.md#first), [here](#second) and [there](good.md#tenth).\n"
    write_corpus(tmp_path, {"good": good, "bad": bad, "no-source": no_source, "other-name": document_text("good", BODY)})
    found = problems_of(tmp_path)
    expected = [
        "/documents/no-source.md:12: claims[0].sources: a claim needs at least one source",
        "/documents/bad.md:12: claims[0].sources[0]: the source key 'Unknown1999' is not in references.yaml",
        "/documents/bad.md:6: skills[1]: the skill code 'juggling' is not in the skill catalogue",
        "/documents/bad.md:16: related[1]: there is no document with the id 'nowhere'",
        "/documents/bad.md:16: related[2]: a document cannot be related to itself",
        "/documents/bad.md:26: the section 'Third' is empty",
        "/documents/bad.md:30: the link 'nowhere.md' leads nowhere",
        "/documents/bad.md:30: the link 'good.md#tenth' leads nowhere",
        "/documents/good.md:2: id: the id 'good' is also used by other-name.md",
        "/documents/other-name.md:2: id: the id is 'good' but the file is called 'other-name.md'",
        "/documents/other-name.md:2: id: the id 'good' is also used by good.md",
    ]
    assert len(found) == len(expected)
    for line in expected:
        assert any(problem.startswith(line) for problem in found), (line, found)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("no front matter at all", "front matter between two '---' lines is missing"),
        (document_text("a-one", ""), "no text below its front matter"),
        (document_text("a-one", "## Only a heading\n"), "the section 'Only a heading' is empty"),
        (document_text("a-one", BODY).replace("level: beginner", "level: wizard"), "level"),
        (document_text("a-one", BODY).replace("version: 1", "version: 1\nwrong: x"), "not known"),
        (document_text("a-one", BODY, dimensions="kindness"), "dimensions[0]"),
    ],
)
def test_a_document_that_cannot_be_used_is_refused_with_its_name(tmp_path: Path, text: str, message: str) -> None:
    write_corpus(tmp_path, {"a-one": text})
    found = problems_of(tmp_path)
    assert any(message in problem and "a-one.md" in problem for problem in found), found


def test_an_empty_folder_and_a_missing_reference_file_are_problems(tmp_path: Path) -> None:
    found = problems_of(tmp_path)
    assert any("there is no guidance document" in problem for problem in found)
    assert any("references.yaml" in problem for problem in found)


def test_a_heading_with_only_deeper_headings_below_is_not_empty(tmp_path: Path) -> None:
    write_corpus(tmp_path, {"a-one": document_text("a-one", "## Outer\n\n### Inner\n\nWords.\n")})
    assert len(load_corpus(tmp_path, skills=SKILLS).documents) == 1
