"""Finding persona files: the shipped folder and instructors' folders; id and version together are unique."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from core.content import Loaded, load_all
from core.errors import ContentError, NotFound, Problem
from personas.schema import Persona

SHIPPED = Path(__file__).with_name("library")


class PersonaLibrary:
    """All personas of some folders, read and validated once."""

    def __init__(self, folders: Sequence[Path] = (SHIPPED,)) -> None:
        self._loaded = load_all(persona_files(folders), Persona)
        self._by_key = {(p.value.id, p.value.version): p for p in self._loaded}
        if len(self._by_key) != len(self._loaded):
            raise ContentError(
                [Problem(str(p.path), f"persona {p.value.id} version {p.value.version} exists already", field="id") for p in self._twice()]
            )

    def _twice(self) -> list[Loaded[Persona]]:
        return [p for p in self._loaded if self._by_key[(p.value.id, p.value.version)] is not p]

    def all(self) -> tuple[Persona, ...]:
        """The latest version of every persona, by difficulty and name."""
        latest: dict[str, Persona] = {}
        for loaded in self._loaded:
            known = latest.get(loaded.value.id)
            if known is None or loaded.value.version > known.version:
                latest[loaded.value.id] = loaded.value
        return tuple(sorted(latest.values(), key=lambda p: (p.difficulty, p.name)))

    def get(self, persona_id: str, version: int | None = None) -> Persona:
        """One persona, the latest version unless told; ``NotFound`` lists what there is."""
        if version is not None and (persona_id, version) in self._by_key:
            return self._by_key[(persona_id, version)].value
        for persona in self.all():
            if version is None and persona.id == persona_id:
                return persona
        known = ", ".join(p.id for p in self.all()) or "none"
        wanted = persona_id if version is None else f"{persona_id} version {version}"
        raise NotFound(f"There is no client called '{wanted}'. Known clients: {known}.")

    def fingerprint(self, persona_id: str, version: int) -> str:
        """Hash of the persona file's bytes."""
        return self._by_key[(persona_id, version)].sha256


def persona_files(folders: Iterable[Path]) -> list[Path]:
    """Every persona file in ``folders``, sorted."""
    return [path for folder in folders for path in sorted(folder.glob("*.yaml"))]
