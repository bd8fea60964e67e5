"""Every shipped persona: valid, clean by the linter, long enough, in a voice of its own length; the library's messages."""

import pytest
import yaml

from core.errors import ContentError, NotFound
from personas.library import SHIPPED, PersonaLibrary
from personas.lint import lint_persona

LIBRARY = PersonaLibrary()
IDS = [p.id for p in LIBRARY.all()]


def test_the_three_first_clients_are_there():
    assert {"teo", "kavita", "jordan"} <= set(IDS)


@pytest.mark.parametrize("persona_id", IDS)
def test_no_shipped_persona_has_a_finding(persona_id):
    assert [lint for lint in lint_persona(LIBRARY.get(persona_id)) if lint.fatal] == []


@pytest.mark.parametrize("persona_id", IDS)
def test_facts_and_lines_reach_the_bar(persona_id):
    persona = LIBRARY.get(persona_id)
    assert len(persona.facts) >= 8 and {f.tier for f in persona.facts} == {0, 1, 2, 3}
    assert len(set(persona.lines())) >= 80


def test_an_unknown_client_is_named_with_those_there_are():
    with pytest.raises(NotFound, match=r"no client called 'nobody'.*teo"):
        LIBRARY.get("nobody")


def broken(tmp_path, change):
    data = yaml.safe_load((SHIPPED / "teo.yaml").read_text())
    change(data)
    path = tmp_path / "teo.yaml"
    path.write_text(yaml.safe_dump(data, sort_keys=False, allow_unicode=True))
    return PersonaLibrary((tmp_path,))


def test_every_problem_of_a_file_is_reported_at_once_with_line_and_field(tmp_path):
    def change(data):
        data["agee"] = 4
        data["difficulty"] = 9
        data["facts"][3]["needs"] = {"trust": 99}
        del data["supervisor"]

    with pytest.raises(ContentError) as caught:
        broken(tmp_path, change)
    fields = {problem.field for problem in caught.value.problems}
    assert {"agee", "difficulty", "facts[3].needs.trust", "supervisor"} <= fields
    assert all(problem.file.endswith("teo.yaml") and problem.line for problem in caught.value.problems)


def test_an_unknown_skill_and_a_dangling_fact_are_refused(tmp_path):
    def change(data):
        data["resistance"]["hardens_on"] = ["being_rude"]
        data["facts"][4]["needs"] = {"after": ["nothing_such"]}

    with pytest.raises(ContentError, match=r"(?s)unknown skill 'being_rude'.*unknown fact 'nothing_such'"):
        broken(tmp_path, change)


def test_the_linter_finds_a_line_that_gives_a_secret_away(tmp_path):
    def change(data):
        secret = next(f for f in data["facts"] if f["tier"] == 3)
        data["openings"].append(f"Hello. {secret['key_terms'][0].capitalize()}, that's all.")

    library = broken(tmp_path, change)
    assert any("gives away the locked fact" in lint.message and lint.fatal for lint in lint_persona(library.get("teo")))


def test_two_files_for_one_version_are_refused(tmp_path):
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text((SHIPPED / "teo.yaml").read_text())
    with pytest.raises(ContentError, match="exists already"):
        PersonaLibrary((tmp_path,))
