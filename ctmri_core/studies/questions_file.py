"""Questions of a study from a TOML file that people write: a table `[[question]]` for each, with the fields of `Question`."""

from __future__ import annotations

import tomllib
from pathlib import Path

from pydantic import ValidationError

from ctmri_core.errors import FileRefused
from ctmri_core.studies.protocol import Question

_MOST_BYTES = 1 << 20
_WAY_OUT = "Write for each a table [[question]] with key, kind (choice, likert, number, text, mark) and text."


def read_questions(path: Path) -> tuple[Question, ...]:
    """In the order of the file. Raises `FileRefused` naming the question and the field that are wrong."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise FileRefused(path, "is too large for a list of questions.", _WAY_OUT)
        content = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise FileRefused(path, "cannot be read.", "Name a file with questions.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FileRefused(path, f"is no TOML: {str(error).rstrip('.')}.", _WAY_OUT) from error
    tables = content.pop("question", None)
    if content or not isinstance(tables, list) or not tables:
        what = f"holds {sorted(content)[0]!r}, which is no question." if content else "holds no questions."
        raise FileRefused(path, what, _WAY_OUT)
    questions = tuple(_question(path, number, table) for number, table in enumerate(tables, 1))
    twice = [one.key for place, one in enumerate(questions) if one.key in {other.key for other in questions[:place]}]
    if twice:
        raise FileRefused(path, f"has two questions with the key {twice[0]}.", "Give each its own key.")
    return questions


def _question(path: Path, number: int, table: object) -> Question:
    try:
        return Question.model_validate(table)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        told = first["msg"].removeprefix("Value error, ").rstrip(".")
        raise FileRefused(path, f"question {number}: {f'{field}: ' if field else ''}{told}.", _WAY_OUT) from error
