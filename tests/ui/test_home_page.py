from tests.ui.conftest import drawn


def test_home_shows_every_client_with_what_a_trainee_needs_to_choose(page, services):
    html = drawn(page())
    for persona in services.library.all():
        assert f"{persona.name}, {persona.age}" in html
        assert persona.content_note.split(",")[0] in html
    assert "Local mode" in html and "not therapy" in html
