"""Content files: every problem at once, each with file, line and field; nothing surprising gets in."""

import pytest
from pydantic import Field

from core.content import MAX_CONTENT_BYTES, ContentModel, load_all, load_content, load_front_matter
from core.errors import ContentError
from core.skills import skill_catalogue


class Inner(ContentModel):
    size: int = Field(ge=1)


class Sample(ContentModel):
    name: str
    on: str
    items: tuple[Inner, ...] = ()


def problems_of(tmp_path, text):
    path = tmp_path / "sample.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ContentError) as caught:
        load_content(path, Sample)
    return {(p.line, p.field): p.message for p in caught.value.problems}


def test_yaml_words_stay_words(tmp_path):
    path = tmp_path / "sample.yaml"
    path.write_text("name: No\non: yes\n")
    assert load_content(path, Sample).value == Sample(name="No", on="yes")


def test_all_problems_at_once(tmp_path):
    found = problems_of(tmp_path, "name: [1]\nnmae: x\nitems:\n  - size: 0\n  - size: 2\n    colour: red\n")
    assert found == {
        (1, "name"): "Input should be a valid string",
        (2, "nmae"): "this field is not known; check its spelling",
        (4, "items[0].size"): "Input should be greater than or equal to 1",
        (6, "items[1].colour"): "this field is not known; check its spelling",
        (1, "on"): "this field is required",
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name: a\nname: b\non: x\n", "this key is given twice"),
        ("name: &x a\non: *x\n", "aliases"),
        ("name: 'open\n", "not valid YAML"),
        ("", "the file is empty"),
        (b"name: \xff\n", "not UTF-8"),
        ("name: !!python/object/apply:os.system ['true']\non: x\n", "not valid YAML"),
        ("- a\n- b\n", "valid dictionary"),
        ("x: " + "[" * 3000, "not valid YAML"),
    ],
)
def test_bad_files_say_what_is_wrong(tmp_path, text, expected):
    found = problems_of(tmp_path, text)
    assert any(expected in message for message in found.values()), found


def test_a_file_that_is_too_large_or_missing_is_refused(tmp_path):
    assert "the limit is" in next(iter(problems_of(tmp_path, "a" * (MAX_CONTENT_BYTES + 1)).values()))
    with pytest.raises(ContentError, match="cannot be read"):
        load_content(tmp_path / "none.yaml", Sample)


def test_several_files_report_together(tmp_path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_text("name: x\n")
    with pytest.raises(ContentError) as caught:
        load_all(sorted(tmp_path.glob("*.yaml")), Sample)
    assert len(caught.value.problems) == 2


def test_front_matter_lines_are_counted_in_the_file(tmp_path):
    path = tmp_path / "doc.md"
    path.write_text("---\nname: x\nwrong: 1\non: y\n---\nBody.\n")
    with pytest.raises(ContentError, match=r"doc.md:3: wrong"):
        load_front_matter(path, Sample)
    path.write_text("---\nname: x\non: y\n---\nBody.\n")
    loaded = load_front_matter(path, Sample)
    assert loaded.body == "Body.\n" and loaded.body_line == 5
    path.write_text("no front matter")
    with pytest.raises(ContentError, match="front matter"):
        load_front_matter(path, Sample)


def test_the_shipped_skill_catalogue_is_complete():
    catalogue = skill_catalogue()
    assert len(catalogue.codes) >= 35
    assert all(skill.definition and len(skill.examples) >= 2 for skill in catalogue.skills)
