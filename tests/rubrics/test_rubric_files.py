"""The rubric files: what is shipped is whole, and what is wrong is named with line and field."""

import re
from collections import Counter
from pathlib import Path

import pytest
import yaml

from core.errors import ContentError, NotFound
from core.skills import Polarity, skill_catalogue
from rubrics.library import SHIPPED, RubricLibrary
from rubrics.schema import Rubric, filled

ROOT = Path(__file__).parents[2]
CLIENTS = ("teo", "kavita", "jordan")

SMALL = """\
id: small
version: 1
label: Small
criteria:
  - id: warmth
    label: Warmth
    question: "Was it warm?"
    not_applicable: "Nothing to be warm about."
    facets:
      - {id: said, two: "said", one: "hinted", zero: "none", skills: [emotional_reaction]}
    lowers: [judging]
    anchors:
      1: {name: a, words: b}
      2: {name: a, words: b}
      3: {name: a, words: b}
      4: {name: a, words: b}
      5: {name: a, words: b}
harm_flags:
  - {id: judging, label: "Judges", skills: [judging], criterion: warmth, cap: 2}
feedback:
  worked: {emotional_reaction: ["Warm about '{word}'."]}
"""


@pytest.fixture(scope="module")
def rubric() -> Rubric:
    return RubricLibrary().get("core-relational")


def write(folder: Path, text: str, name: str = "small.yaml") -> Path:
    (folder / name).write_text(text, "utf-8")
    return folder


def problems_of(folder: Path) -> list[str]:
    with pytest.raises(ContentError) as caught:
        RubricLibrary((folder,))
    return [str(problem) for problem in caught.value.problems]


def test_the_shipped_rubric_has_its_five_criteria_and_says_which_is_experimental(rubric: Rubric) -> None:
    assert [c.id for c in rubric.criteria] == ["empathy", "authenticity", "self_disclosure", "boundaries", "risk"]
    assert {c.id for c in rubric.criteria if c.experimental} == {"authenticity"}
    assert rubric.criterion("risk").label == "Risk and legal gate"


@pytest.mark.parametrize("client", CLIENTS)
def test_every_level_has_two_differing_replies_for_every_client(rubric: Rubric, client: str) -> None:
    for criterion in rubric.criteria:
        for level in range(1, 6):
            replies = [r for e in criterion.exemplars if e.who == client and e.level == level for r in e.replies]
            assert len(set(replies)) >= 2, (criterion.id, client, level)


def test_no_exemplar_is_given_two_levels(rubric: Rubric) -> None:
    for criterion in rubric.criteria:
        seen = Counter((e.client, reply) for e in criterion.exemplars for reply in e.replies)
        assert [pair for pair, times in seen.items() if times > 1] == []


def test_every_skill_has_feedback_words_on_the_side_of_its_polarity(rubric: Rubric) -> None:
    for skill in skill_catalogue().skills:
        side = rubric.feedback.cost if skill.polarity in (Polarity.COSTS, Polarity.HARMS) else rubric.feedback.worked
        assert len(set(side.get(skill.code, ()))) >= 2, skill.code
        assert len(set(rubric.feedback.why.get(skill.code, ()))) >= 2, skill.code
        if skill.polarity in (Polarity.COSTS, Polarity.HARMS):
            assert len(set(rubric.feedback.try_.get(skill.code, ()))) >= 2, skill.code


def test_a_sentence_of_feedback_stands_in_one_place_only(rubric: Rubric) -> None:
    words = rubric.feedback
    seen = Counter(f for side in (words.worked, words.cost, words.try_, words.why) for fragments in side.values() for f in fragments)
    assert [fragment for fragment, times in seen.items() if times > 1] == []


def test_feedback_speaks_of_the_reply_and_does_not_inflate(rubric: Rubric) -> None:
    inflated = re.compile(r"\b(excellent|amazing|brilliant|perfect|outstanding|wonderful|great job|well done|superb)\b", re.IGNORECASE)
    person = re.compile(r"\b(you are|you're|you lack|you fail|your tendency)\b", re.IGNORECASE)
    for side in (rubric.feedback.worked, rubric.feedback.cost):
        for fragments in side.values():
            for fragment in fragments:
                assert not inflated.search(fragment), fragment
                assert not person.search(fragment), fragment


def test_every_costly_skill_has_two_pairs_of_replies_for_every_client_and_for_any(rubric: Rubric) -> None:
    for skill in skill_catalogue().skills:
        if skill.polarity not in (Polarity.COSTS, Polarity.HARMS):
            continue
        for client in (*CLIENTS, "any"):
            sets = [a.replies for a in rubric.feedback.alternatives if a.skill == skill.code and a.client == client]
            assert len(sets) >= 2, (skill.code, client)
            assert all(len(set(replies)) >= 2 for replies in sets), (skill.code, client)


def test_own_alternatives_come_before_general_ones(rubric: Rubric) -> None:
    found = rubric.feedback.alternatives_for("formula", "teo")
    assert [a.client for a in found] == ["teo", "teo", "any", "any"]
    assert {a.client for a in rubric.feedback.alternatives_for("formula", "somebody_new")} == {"any"}


@pytest.mark.parametrize("client", CLIENTS)
def test_alternatives_and_exemplars_do_not_give_away_what_a_client_has_not_told(rubric: Rubric, client: str) -> None:
    facts = yaml.safe_load((ROOT / "personas/library" / f"{client}.yaml").read_text("utf-8"))["facts"]
    terms = [term for fact in facts for term in fact.get("key_terms") or ()]
    assert terms
    lines = [r for a in rubric.feedback.alternatives if a.client == client and a.skill != "risk_avoided" for r in a.replies]
    lines += [
        line
        for c in rubric.criteria
        if c.id != "risk"  # asking about suicide by its name is what is taught there
        for e in c.exemplars
        if e.who == client
        for line in (e.client, *e.replies)
    ]
    assert [(term, line) for line in lines for term in terms if re.search(rf"\b{re.escape(term.lower())}\b", line.lower())] == []


def test_sources_are_known_references(rubric: Rubric) -> None:
    references = (ROOT / "corpus/references.yaml").read_text("utf-8")
    for criterion in rubric.criteria:
        assert [key for key in criterion.sources if not re.search(rf"\b{key}\b", references)] == []


def test_placeholders_are_filled_in_one_pass() -> None:
    assert filled("'{quote}' and {name}", quote="{name} {word}", name="Teo", word="x") == "'{name} {word}' and Teo"


def test_the_latest_version_is_given_unless_another_is_asked_for(tmp_path: Path) -> None:
    write(tmp_path, SMALL)
    write(tmp_path, SMALL.replace("version: 1", "version: 2"), "newer.yaml")
    library = RubricLibrary((tmp_path,))
    assert library.get("small").version == 2
    assert library.get("small", 1).version == 1
    assert [r.version for r in library.all()] == [2]
    assert library.fingerprint("small", 1) != library.fingerprint("small", 2)


def test_an_unknown_rubric_is_refused_with_what_there_is(tmp_path: Path) -> None:
    library = RubricLibrary((write(tmp_path, SMALL),))
    with pytest.raises(NotFound, match="small version 1"):
        library.get("tiny")
    with pytest.raises(NotFound, match="version 7"):
        library.get("small", 7)


def test_the_appraisers_cues_beside_the_rubrics_are_not_read_as_one(tmp_path: Path) -> None:
    write(tmp_path, "not: a rubric", "cues.yaml")
    assert RubricLibrary((tmp_path,)).all() == ()
    assert all(path.parent == SHIPPED for path in SHIPPED.glob("*.yaml"))


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "words"),
    [
        ("skills: [emotional_reaction]", "skills: [kindliness]", 10, "criteria[0].facets[0].skills[0]", "no skill called 'kindliness'"),
        ("lowers: [judging]", "lowers: [emotional_reaction]", 11, "criteria[0].lowers", "cannot lower and also raise"),
        ("      3: {name: a, words: b}\n", "", 12, "criteria[0].anchors", "levels without an anchor: 3"),
        ("criterion: warmth", "criterion: cold", 19, "harm_flags[0].criterion", "no criterion 'cold'"),
        ("cap: 2", "cap: 6", 19, "harm_flags[0].cap", "less than or equal to 5"),
        ("{word}", "{loss}", 21, "feedback.worked.emotional_reaction[0]", "'{loss}' is not a placeholder here"),
        ("{word}", "{word", 21, "feedback.worked.emotional_reaction[0]", "a brace stands alone"),
        ("label: Small", "label: Small\nstars: 5", 4, "stars", "not known"),
        ('    question: "Was it warm?"\n', "", 5, "criteria[0].question", "required"),
        ("id: small", "id: [small", 2, "", "not valid YAML"),
    ],
)
def test_what_is_wrong_is_named_with_line_and_field(tmp_path: Path, old: str, new: str, line: int, field: str, words: str) -> None:
    assert old in SMALL
    (problem,) = problems_of(write(tmp_path, SMALL.replace(old, new)))
    assert f"small.yaml:{line}:" in problem
    assert field in problem
    assert words in problem


def test_a_criterion_cannot_take_a_reserved_name(tmp_path: Path) -> None:
    (problem,) = problems_of(write(tmp_path, SMALL.replace("warmth", "copy")))
    assert "small.yaml:5: criteria[0].id: 'copy' is a reserved word" in problem


def test_problems_of_all_files_are_reported_together(tmp_path: Path) -> None:
    write(tmp_path, SMALL.replace("cap: 2", "cap: 9"))
    write(tmp_path, SMALL.replace("id: small", "id: other").replace("{word}", "{x}"), "other.yaml")
    assert len(problems_of(tmp_path)) == 2


def test_the_same_rubric_twice_is_refused(tmp_path: Path) -> None:
    write(tmp_path, SMALL)
    write(tmp_path, SMALL, "twin.yaml")
    (problem,) = problems_of(tmp_path)
    assert "rubric small version 1 is also in" in problem
