"""The language of the package: words that do not occur in identifiers, docstrings, comments and messages.

CONTRIBUTING.md has the glossary: one term for each concept. This list has the words that the terms replaced.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "ailib_sync"

#: Top-level packages and modules that still have such words. The list only shrinks; new code is checked.
PENDING: tuple[str, ...] = ()

#: Words that are not a part of an identifier → the term to use.
IN_NAMES = {
    "answer answers answered": "response",
    "asked wanted wish wishes": "requested, or a retry hint",
    "astray goal goals": "a host, a foreign host",
    "demand demands": "a check",
    "endings": "retirements",
    "farewell patience forever": "a close grace, a read timeout, no limit",
    "fit misfit": "matches",
    "habit habits": "a quirk, or a setting",
    "mend mended": "repair",
    "parted piece pieces": "split, a fragment or chunk",
    "said told tells": "reported, emitted, given",
    "speak speaks speaker speaking spoken": "a dialect, a service",
    "torn": "an unpaired surrogate",
    "trouble": "an error, a fault",
    "wherever whatever whoever": "a plain name",
}

#: Words and phrases (regular expressions) that do not occur in docstrings, comments and messages → what to write.
IN_PROSE = {
    r"(an?|the|this|its|each|every|whole|first|last|of) answers?(?! (the|a|to|with))": "response",
    r"anew|made again": "again, new",
    r"alike|beside|unasked|thereof|in earnest|a word of|none other|but for": "a modern word",
    r"as asked|is asked for|was asked for|asks? for it": "as requested, is requested",
    r"at once": "immediately, at the same time",
    r"bears?|shall": "has, will, must",
    r"demands?|wish(es)?|wished": "requires, a retry hint",
    r"doors?|astray|goals?": "entry points, hosts, foreign hosts",
    r"farewell|patience|forever|for ever": "a close grace, a read timeout, no limit",
    r"misfits?": "does not match",
    r"goes? astray|let go of|lets go of|passe[sd] over|gives? back": "is lost, releases, ignores, returns",
    r"mends?|mended": "repair",
    r"parted|torn": "split, unpaired surrogate",
    r"not taken|(is|are) taken by": "not supported, supported",
    r"said|told|tells?|says of": "reported, emitted, given, shows",
    r"speaks?|spoken|speaking": "uses, has (a dialect)",
    r"(?<!-)stands?(?!-)": "is",
    r"what (comes|becomes|came|became) of": "how ... is handled",
    r"whoever|whatever|wherever|whichever|whosoever": "anyone who, everything that, however",
    r"whole (answer|response|body|stream)s?": "complete",
}

_NAME_WORDS = {word: term for words, term in IN_NAMES.items() for word in words.split()}
_PROSE = [(re.compile(rf"(?<![\w'-])(?:{pattern})(?![\w'-])", re.IGNORECASE), term) for pattern, term in IN_PROSE.items()]


def _checked() -> list[Path]:
    files = sorted(PACKAGE.rglob("*.py"))
    return [path for path in files if path.relative_to(PACKAGE).parts[0].removesuffix(".py") not in PENDING]


def _names(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """(line, name) of everything that the file defines: classes, functions, parameters, variables, attributes."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield node.lineno, node.name
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.attr


def _words(name: str) -> list[str]:
    """The words of an identifier, `like_this` or `LikeThis`, in lower case."""
    return [word.lower() for part in name.split("_") for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", part)]


def _prose(source: str, tree: ast.AST) -> Iterator[tuple[int, str]]:
    """(line, text) of comments, and of strings with at least three words: docstrings and messages."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value.split()) >= 3:
            yield node.lineno, node.value


def _findings(source: str) -> list[str]:
    tree = ast.parse(source)
    names = {f"{line}: {name} ({_NAME_WORDS[w]})" for line, name in _names(tree) for w in _words(name) if w in _NAME_WORDS}
    prose = {
        f"{line + text[: match.start()].count(chr(10))}: {match[0]} ({term})"
        for line, text in _prose(source, tree)
        for pattern, term in _PROSE
        for match in pattern.finditer(re.sub(r"`[^`]*`|https?://\S+", lambda code: " " * len(code[0]), text))
    }
    return sorted(names | prose)


@pytest.mark.parametrize("path", _checked(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_the_language_is_plain(path: Path) -> None:
    assert _findings(path.read_text(encoding="utf-8")) == []


def test_pending_packages_exist() -> None:
    assert {path.name.removesuffix(".py") for path in PACKAGE.iterdir()} >= set(PENDING)


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ("def read_answer(): ...", 1),
        ("class Speaker: ...", 1),
        ("toldBefore = 1", 1),
        ("self.patience = 5", 1),
        ("# the answer is torn", 2),
        ("raise ValueError('it shall be told at once')", 3),
        ("x = 1  # answers the call and benefits", 0),
        ("x = 'told'", 0),
        ("# besides, a Bearer key; the answers to it", 0),
        ('"""See `told` and https://a.example/wish."""', 0),
    ],
)
def test_the_check_finds_the_words(source: str, count: int) -> None:
    assert len(_findings(source)) == count


#: Words that are not in the name of a test → the term to use. A verb such as `answers` is one of them: a provider responds.
IN_TEST_NAMES = {
    "answer answers": "response, responds",
    "bears shall": "has, must",
    "piece pieces whole": "fragment, complete",
    "refuse refused refuses refusals": "reject, error response (the refusal of a model may be named)",
    "said tells told": "reported, shows",
    "alike wish wished": "equally, hint",
}


@pytest.mark.parametrize("path", sorted(PACKAGE.parent.glob("tests/**/test_*.py")), ids=lambda path: path.name)
def test_the_names_of_tests_are_plain(path: Path) -> None:
    words = {word for group in IN_TEST_NAMES for word in group.split()}
    names = re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    assert [name for name in names if words.intersection(name.split("_"))] == []
