"""Finding rubric files: the shipped folder and instructors' folders; id and version together are unique."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from pydantic import BaseModel

from core.content import Loaded, Location, load_content, parse_yaml
from core.errors import ContentError, NotFound, Problem
from rubrics.schema import Rubric

SHIPPED = Path(__file__).with_name("library")

NOT_RUBRICS = frozenset({"cues.yaml"})
"""Files of the shipped folder that are read by others: the appraiser's cues lie beside the rubrics they serve."""


class RubricLibrary:
    """All rubrics of some folders, read and checked once. Raises ``ContentError`` with every problem of every file."""

    def __init__(self, folders: Sequence[Path] = (SHIPPED,)) -> None:
        self._by_key: dict[tuple[str, int], Loaded[Rubric]] = {}
        problems: list[Problem] = []
        for path in rubric_files(folders):
            try:
                loaded = load_rubric(path)
            except ContentError as error:
                problems.extend(error.problems)
                continue
            key = (loaded.value.id, loaded.value.version)
            if key in self._by_key:
                problems.append(Problem(str(path), f"rubric {key[0]} version {key[1]} is also in {self._by_key[key].path}", field="id"))
            self._by_key.setdefault(key, loaded)
        if problems:
            raise ContentError(problems)

    def all(self) -> tuple[Rubric, ...]:
        """The latest version of every rubric, by label."""
        latest = {rubric_id: max(v for i, v in self._by_key if i == rubric_id) for rubric_id, _ in self._by_key}
        return tuple(sorted((self._by_key[key].value for key in latest.items()), key=lambda rubric: rubric.label))

    def get(self, rubric_id: str, version: int | None = None) -> Rubric:
        """One rubric, the latest version unless told. ``NotFound`` lists what there is."""
        if version is None:
            version = max((v for i, v in self._by_key if i == rubric_id), default=0)
        return self._loaded(rubric_id, version).value

    def fingerprint(self, rubric_id: str, version: int) -> str:
        """Hash of the rubric file's bytes. ``NotFound`` as in ``get``."""
        return self._loaded(rubric_id, version).sha256

    def _loaded(self, rubric_id: str, version: int) -> Loaded[Rubric]:
        found = self._by_key.get((rubric_id, version))
        if found is None:
            known = ", ".join(f"{i} version {v}" for i, v in sorted(self._by_key)) or "none"
            raise NotFound(f"There is no rubric called '{rubric_id}'{f' in version {version}' if version else ''}. Known rubrics: {known}.")
        return found


def rubric_files(folders: Iterable[Path]) -> list[Path]:
    """Every rubric file in ``folders``, sorted within its folder."""
    return [path for folder in folders for path in sorted(folder.glob("*.yaml")) if path.name not in NOT_RUBRICS]


def load_rubric(path: Path) -> Loaded[Rubric]:
    """Read one rubric file and check what its parts say about one another. Raises ``ContentError`` with line and field."""
    loaded = load_content(path, Rubric)
    found = list(_contradictions(loaded.value))
    if found:
        _, lines = parse_yaml(path.read_text("utf-8"), path)
        raise ContentError([Problem(str(path), words, line=lines.get(where), field=_dotted(where)) for where, words in found])
    return loaded


def _contradictions(rubric: Rubric) -> Iterator[tuple[Location, str]]:
    ids = [criterion.id for criterion in rubric.criteria]
    for place, criterion in enumerate(rubric.criteria):
        at: Location = ("criteria", place)
        if criterion.id in ids[:place]:
            yield (*at, "id"), f"criterion '{criterion.id}' is given twice"
        if hasattr(BaseModel, criterion.id):
            yield (*at, "id"), f"'{criterion.id}' is a reserved word; choose another id"
        if missing := sorted({1, 2, 3, 4, 5} - set(criterion.anchors)):
            yield (*at, "anchors"), f"levels without an anchor: {', '.join(map(str, missing))}"
        facets = [facet.id for facet in criterion.facets]
        for number, facet in enumerate(facets):
            if facet in facets[:number]:
                yield (*at, "facets", number, "id"), f"facet '{facet}' is given twice"
        both = sorted(set(criterion.lowers) & (criterion.raises | set(criterion.does_not_lower)))
        if both:
            yield (*at, "lowers"), f"'{both[0]}' cannot lower and also raise, or be said not to lower"
    flags = [flag.id for flag in rubric.harm_flags]
    for place, flag in enumerate(rubric.harm_flags):
        if flag.id in flags[:place]:
            yield ("harm_flags", place, "id"), f"flag '{flag.id}' is given twice"
        if flag.criterion not in ids:
            yield ("harm_flags", place, "criterion"), f"there is no criterion '{flag.criterion}' in this rubric"


def _dotted(location: Location) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).lstrip(".")
