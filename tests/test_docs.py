"""Documentation that cannot rot: every setting, command and room is described."""

import re
from pathlib import Path

from simulator.cli import build_parser
from simulator.settings import PREFIX, Settings

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("core", "storage", "language_models", "personas", "rubrics", "retrieval", "corpus", "simulator", "ui", "benchmarks")


def test_every_setting_is_documented_and_every_documented_setting_exists():
    names = {"OPENAI_API_KEY" if name == "openai_api_key" else PREFIX + name.upper() for name in Settings.model_fields}
    documented = set(re.findall(r"^\| `([A-Z_]+)` ", (ROOT / "docs" / "settings.md").read_text(), re.MULTILINE))
    assert names == documented


def test_every_command_in_the_readme_can_be_parsed():
    lines = re.findall(r"^ {4}python -m simulator (.+?)(?: {2,}#.*)?$", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert len(lines) >= 6
    import shlex

    for line in lines:
        build_parser().parse_args(shlex.split(line))


def test_every_room_has_a_readme_and_is_named_in_the_main_one():
    main = (ROOT / "README.md").read_text()
    for room in ROOMS:
        assert len((ROOT / room / "README.md").read_text().split()) > 40, room
        assert f"`{room}`" in main, room


def test_every_make_target_of_the_design_is_there():
    makefile = (ROOT / "Makefile").read_text()
    for target in ("install", "run", "test", "check", "bench", "lock", "test-browser", "test-services", "test-llm"):
        assert re.search(rf"^{target}:.*## ", makefile, re.MULTILINE), target


def test_no_registry_address_stands_in_a_lock_file():
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / name).read_text()
        assert "--hash=sha256:" in text
        assert not re.search(
            r"(--(extra-)?index-url|--find-links|https?://)", "\n".join(x for x in text.splitlines() if not x.startswith("#"))
        )
