"""All words that people may see, collected from templates, code and the catalogue's data.

`python -m tests.words.collected` prints those that English still lacks, ready to be translated.
Russian words in code are the message ids themselves, so every Cyrillic text that is no docstring
counts; a text that nobody sees is named in `UNSEEN`.
"""

import ast
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from jinja2.ext import babel_extract

from ops.local.home import CHECKOUT

NORMS = CHECKOUT / "services" / "operation" / "norms.yaml"
LOCALE = CHECKOUT / "words" / "locale"
ROOMS = ("cabinet", "words", "rules", "services", "api")
CYRILLIC = re.compile("[А-Яа-яЁё]")
PLURALS = frozenset({"ngettext", "counted"})

UNSEEN_FILES = (
    "rules/catalogue/searching.py",
    "rules/cases/numbers.py",
    "rules/texts/paper_names.py",
    "rules/staff/headers.py",
    "services/papers/",
    "services/applications/enrolment_certificate.py",
    "services/dossier/paper.py",
    "services/gov_service/keys.py",
    "services/registers/items.py",
    "services/dossier/receipt_paper.py",
    "services/dossier/receipt.py",
    "services/requests/paper.py",
    "services/dossier/archive_file.py",
    "services/applications/enrolment.py",
    "services/exports/columns.py",
    "services/seal.py",
    "services/papers/typesetting.py",
    "services/records/card.py",
)
"""Papers are written in Russian, and numbers are the same in every language."""

UNSEEN = re.compile(
    r"[а-яё]+|[А-ЯЁa-z]|Л041-|АВСЕНКМОРТХасеорху|АВСЕНКМОРТХУ|Яндекс Браузер|.*[\\^].*"
)
"""Words and patterns that are compared with what people type, outside of the pages."""

Message = tuple[str, str | None]
"""A msgid and its plural, where it has one."""


def from_templates() -> Iterator[tuple[str, Message]]:
    """Messages of the pages."""
    folder = CHECKOUT / "cabinet" / "templates"
    for path in sorted(folder.rglob("*.html")):
        with path.open("rb") as file:
            found = babel_extract(
                file,
                ("_", "gettext", "ngettext"),
                [],
                {"extensions": "jinja2.ext.do", "silent": "false"},
            )
            for line, function, message, _ in found:
                where = f"{path.relative_to(CHECKOUT)}:{line}"
                parts = message if isinstance(message, tuple) else (message,)
                if parts[0]:
                    yield where, (parts[0], parts[1] if function == "ngettext" else None)


def from_code() -> Iterator[tuple[str, Message]]:
    """Russian texts of the rooms that speak to people, docstrings left out."""
    for room in ROOMS:
        for path in sorted((CHECKOUT / room).rglob("*.py")):
            tree = ast.parse(path.read_text("utf-8"))
            skipped = _docstrings(tree)
            for node in ast.walk(tree):
                if isinstance(node, ast.Call) and _name(node.func) in PLURALS:
                    texts = [a for a in node.args[:2] if isinstance(a, ast.Constant)]
                    if len(texts) == 2:
                        skipped |= {id(text) for text in texts}
                        one, many = (str(text.value) for text in texts)
                        yield _where(path, node), (one, many)
                if isinstance(node, ast.JoinedStr):
                    skipped |= {id(part) for part in node.values}
                if isinstance(node, ast.keyword) and node.arg == "examples":
                    skipped |= {id(part) for part in ast.walk(node.value)}
            for node in ast.walk(tree):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    where = _where(path, node)
                    if id(node) not in skipped and CYRILLIC.search(node.value):
                        yield where, (node.value, None)


def from_data() -> Iterator[tuple[str, Message]]:
    """Labels, hints, questions and choices of the forms that an institution begins with."""
    told = {
        "title",
        "label",
        "hint",
        "question",
        "reason",
        "recipient",
        "group",
        "files_hint",
        "edition",
    }
    for text in _texts(yaml.safe_load(NORMS.read_text("utf-8")), {"what", "source", "rests"}):
        yield "services/operation/norms.yaml", (text, None)
    for name in (
        "types",
        "requests",
        "verification",
        "accreditation",
        "access",
        "programmes",
        "credentials",
        "entries",
    ):
        rows = data_of(name)
        if name == "programmes":
            rows = [{k: row.get(k) for k in ("attachments", "checklist")} for row in rows]
        for text in _texts(rows, told):
            yield f"ops/data/{name}.yaml", (text, None)


def data_of(name: str) -> list[dict[str, Any]]:
    """The entries of a file that an institution begins with."""
    content = yaml.safe_load((CHECKOUT / "ops" / "data" / f"{name}.yaml").read_text("utf-8"))
    rows: list[dict[str, Any]] = content[name if name in content else "types"]
    return rows


def _texts(value: object, told: set[str]) -> Iterator[str]:
    if isinstance(value, dict):
        for key, part in value.items():
            if key in told and isinstance(part, str):
                yield part
            elif key == "rests":
                yield from part
            else:
                yield from _texts(part, told)
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part, told)


def _docstrings(tree: ast.AST) -> set[int]:
    """Docstrings, and the strings that document an attribute."""
    return {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")


def _where(path: Path, node: ast.expr) -> str:
    return f"{path.relative_to(CHECKOUT)}:{node.lineno}"


@cache
def collected() -> dict[Message, str]:
    """Every message with the place where it was first seen."""
    found: dict[Message, str] = {}
    for where, message in (*from_templates(), *from_code(), *from_data()):
        unseen = where.startswith(UNSEEN_FILES) or (
            not where.startswith("cabinet") and UNSEEN.fullmatch(message[0])
        )
        if CYRILLIC.search(message[0]) and not unseen:
            found.setdefault(message, where)
    return found


@cache
def translated(language: str) -> Catalog:
    """What the catalogues of a language say, all files together."""
    whole = Catalog(locale=language)
    for path in sorted((LOCALE / language / "LC_MESSAGES").glob("*.po")):
        with path.open("rb") as file:
            for message in read_po(file, locale=language):
                if message.id:
                    whole.add(message.id, message.string)
    return whole


def missing(language: str) -> dict[Message, str]:
    """Messages that a language has no words for."""
    known = translated(language)
    return {
        message: where
        for message, where in collected().items()
        if (found := known.get(message[0])) is None or not all(_strings(found.string))
    }


def _strings(value: object) -> tuple[str, ...]:
    return tuple(value) if isinstance(value, list | tuple) else (str(value or ""),)


if __name__ == "__main__":
    for (one, many), where in missing("en").items():
        sys.stdout.write(f"{where}\t{one}" + (f" | {many}" if many else "") + "\n")
