"""Every sentence is marked, collected and translated. A failure says what to do."""

import ast
import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog, Message
from jinja2 import Environment, nodes

from postmaster.rules import lengths, rows
from postmaster.rules.languages import DEFAULT, LANGUAGES
from tests.visible_text import NAMES, Visible, has_letters, without

ROOT = Path(__file__).parent.parent
TEMPLATES = ROOT / "postmaster" / "templates"


def load_catalogues() -> Any:
    """The module behind ops/translate."""
    spec = importlib.util.spec_from_file_location(
        "catalogues", ROOT / "ops" / "translations" / "catalogues.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


catalogues = load_catalogues()
EXTRACTED: Catalog = catalogues.extracted()


def forms(texts: object) -> tuple[str, ...]:
    """The singular and the plurals, or the one form that there is."""
    return tuple(str(text) for text in texts) if isinstance(texts, tuple | list) else (str(texts),)


def ids(catalog: Catalog) -> set[tuple[str, ...]]:
    return {(str(m.context), *forms(m.id)) for m in catalogues.sentences(catalog)}


# --- the catalogues -------------------------------------------------------------


def test_the_languages_are_the_same_everywhere() -> None:
    assert set(LANGUAGES) == {DEFAULT, *catalogues.LANGUAGES}


def test_the_template_has_today_s_sentences() -> None:
    written = ids(catalogues.read(catalogues.TEMPLATE))
    today = ids(EXTRACTED)
    assert written == today, (
        "Run ops/translate and translate what is new.\n"
        f"New: {sorted(today - written)}\nGone: {sorted(written - today)}"
    )


@pytest.mark.parametrize("language", catalogues.LANGUAGES)
def test_a_language_has_today_s_sentences(language: str) -> None:
    catalog = catalogues.read(catalogues.po_path(language), language)
    assert ids(catalog) == ids(EXTRACTED), "Run ops/translate and translate what is new"
    assert not catalog.obsolete, "Run ops/translate: it takes out what no page says any more"


@pytest.mark.parametrize("language", catalogues.LANGUAGES)
def test_every_sentence_is_translated(language: str) -> None:
    path = catalogues.po_path(language)
    catalog = catalogues.read(path, language)
    found = [
        f"{message.id!r}: {fault}"
        for message in catalogues.sentences(catalog)
        for fault in faults(message, catalog.num_plurals)
    ]
    assert not found, (
        f"Translate these in {path.relative_to(ROOT)}, then run ops/translate:\n" + "\n".join(found)
    )


def faults(message: Message, plurals: int) -> Iterator[str]:
    """What is wrong with a translation."""
    sources, translations = forms(message.id), forms(message.string)
    if message.fuzzy:
        yield "it is marked fuzzy; check it and take the mark off"
    if len(translations) != (plurals if len(sources) > 1 else 1):
        yield f"it needs {plurals} forms"
        return
    if not all(text.strip() for text in translations):
        yield "it is not translated"
        return
    for number, text in enumerate(translations):
        # The singular may do without the number, as in "One user".
        fitting = sources if number == 0 else sources[-1:]
        if places(text) not in [places(source) for source in fitting]:
            yield f"its places are {places(text)}, not {places(sources[-1])}"
        if ends(text) != ends(sources[-1]):
            yield f"it begins or ends with {ends(text)}, not {ends(sources[-1])}"


def places(text: str) -> list[str]:
    """The ``%(name)s`` places and the markup of a sentence, in a fixed order."""
    return sorted(set(re.findall(r"%(?:\(\w+\))?[a-z%]|</?\w+>", text)))


def ends(text: str) -> tuple[str, str, str]:
    """Blanks at both ends, and the stop at the end of a sentence."""
    start = re.match(r"\s*", text)
    end = re.search(r"[.?!:;,…]*\s*$", text)
    assert start is not None
    assert end is not None
    stop = end[0].strip()
    return start[0], "…" if stop == "..." else stop, end[0][len(end[0].rstrip()) :]


@pytest.mark.parametrize("language", catalogues.LANGUAGES)
def test_what_is_used_is_what_is_written(language: str) -> None:
    used = catalogues.po_path(language).with_suffix(".mo").read_bytes()
    assert used == catalogues.compiled(language), "Run ops/translate: it compiles the .mo files"


@pytest.mark.parametrize(
    ("source", "translation", "fault"),
    [
        ("Users", "", "not translated"),
        ("Users", "Benutzer.", "ends with"),
        ("Go on.", "Weiter", "ends with"),
        (" of ", "von", "begins or ends"),
        ("%(name)s is there", "%(nam)s ist da", "places"),
        ("%(a)s to %(b)s", "%(a)s nach %(a)s", "places"),
        ("Of <b>all</b>", "Von <b>allen", "places"),
        (("One user", "%(num)s users"), ("Ein Benutzer", "Benutzer"), "places"),
        (("One user", "%(num)s users"), ("Ein Benutzer", ""), "not translated"),
        (("One user", "%(num)s users"), ("Ein Benutzer",), "2 forms"),
    ],
)
def test_a_bad_translation_is_noticed(source: Any, translation: Any, fault: str) -> None:
    assert any(fault in found for found in faults(Message(source, translation), 2))


@pytest.mark.parametrize(
    ("source", "translation"),
    [
        ("Go on.", "Weiter."),
        ("%(a)s to %(b)s", "nach %(b)s von %(a)s"),
        ("Really?", "Vraiment ?"),
        (("One user", "%(num)s users"), ("Ein Benutzer", "%(num)s Benutzer")),
        (("%(num)s user", "%(num)s users"), ("%(num)s Benutzer", "%(num)s Benutzer")),
    ],
)
def test_a_good_translation_passes(source: Any, translation: Any) -> None:
    assert not list(faults(Message(source, translation), 2))


# --- refusals -------------------------------------------------------------------

ENGLISH_ONLY = ("cli/", "api/", "schema.py", "errors.py")


def refusals() -> Iterator[tuple[str, ast.Call]]:
    """Every refusal that a page may show, where it is made."""
    for path in sorted((ROOT / "postmaster").rglob("*.py")):
        name = str(path.relative_to(ROOT / "postmaster"))
        if name.startswith(ENGLISH_ONLY):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
            if is_call and node.func.id in catalogues.REFUSALS:  # type: ignore[union-attr]
                yield f"{name}:{node.lineno}", node  # type: ignore[misc]


def test_a_refusal_can_be_translated() -> None:
    """Its sentence is found by ops/translate, and no English is filled into it."""
    for where, call in refusals():
        for template in call.args[:1]:
            assert not isinstance(template, ast.JoinedStr | ast.BinOp), (
                f"{where}: write the sentence with %(name)s places and give the values by name"
            )
        for keyword in call.keywords:
            if keyword.arg in ("field", "retry_after"):
                continue
            value = keyword.value
            text = value.value if isinstance(value, ast.Constant) else ""
            assert not isinstance(value, ast.JoinedStr), f"{where}: {keyword.arg} is put together"
            assert not (isinstance(text, str) and " " in text), (
                f"{where}: {keyword.arg} is English; wrap it in Phrase()"
            )


# Functions that take a word and say a sentence about it; argument, and the sentences there are.
SENTENCES_BY_WORD = {"by_id": (3, rows.NOT_FOUND), "check": (2, lengths.TOO_LONG)}


def test_there_is_a_sentence_for_each_word() -> None:
    for path in sorted((ROOT / "postmaster" / "rules").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            module = node.func.value
            if not (isinstance(module, ast.Name) and module.id in ("rows", "lengths")):
                continue
            if node.func.attr in SENTENCES_BY_WORD:
                place, sentences = SENTENCES_BY_WORD[node.func.attr]
                word = ast.literal_eval(node.args[place])
                assert word in sentences, (
                    f"{path.name}:{node.lineno}: add the sentence about {word!r} to "
                    f"rules/{module.id}.py"
                )


# --- templates ------------------------------------------------------------------

EXPRESSION = "\ue000"  # stands for what a template fills in
MARKING = {"_", "gettext", "ngettext", "pgettext", "npgettext"}
SENTENCE = re.compile(r"[A-Z][a-z]")


def templates() -> list[Path]:
    """The pages' templates; the description of the API is English, as the API is."""
    return [path for path in sorted(TEMPLATES.rglob("*.html")) if path.parent.name != "api"]


def written(node: nodes.Node) -> str:
    """The text of a template as it is written, with both sides of each condition."""
    if isinstance(node, nodes.TemplateData):
        return node.data
    if isinstance(node, nodes.Output):
        return "".join(
            written(child) if isinstance(child, nodes.TemplateData) else EXPRESSION
            for child in node.nodes
        )
    return "".join(
        written(child) for child in node.iter_child_nodes() if isinstance(child, nodes.Stmt)
    )


def unmarked_constants(node: nodes.Node) -> Iterator[str]:
    """Texts in a template's expressions that look like words for people."""
    is_marked = (
        isinstance(node, nodes.Call)
        and isinstance(node.node, nodes.Name)
        and node.node.name in MARKING
    )
    if is_marked or isinstance(node, nodes.Compare | nodes.Getitem):
        return
    if isinstance(node, nodes.Const) and isinstance(node.value, str):
        if SENTENCE.match(node.value) and node.value not in NAMES:
            yield node.value
        return
    for child in node.iter_child_nodes():
        yield from unmarked_constants(child)


@pytest.mark.parametrize("path", templates(), ids=lambda path: str(path.relative_to(TEMPLATES)))
def test_a_template_has_no_words_of_its_own(path: Path) -> None:
    environment = Environment(extensions=["jinja2.ext.i18n", "jinja2.ext.do"], autoescape=True)
    tree = environment.parse(path.read_text(encoding="utf-8"))
    page = Visible(written(tree))
    found = [text for text in page.texts if has_letters(without(text, []))]
    found += [f"{name}: {text}" for name, text in page.attributes if has_letters(without(text, []))]
    found += unmarked_constants(tree)
    assert not found, (
        f"Put these in _() in {path.relative_to(ROOT)}, then run ops/translate and translate "
        "them:\n" + "\n".join(" ".join(text.split()) for text in found)
    )


@pytest.mark.parametrize(
    "template",
    [
        "<p>Users</p>",
        "<p>{{ _('Users') }} and aliases</p>",
        "<a title='Go there'>{{ x }}</a>",
        "<button aria-label='Close'></button>",
        "<input type=submit value=Save>",
        "<input placeholder='{% if a %}Name{% endif %}'>",
        "<p data-question='Are you sure?'></p>",
        "{{ link(1, 'Next') }}",
        "{% if a %}{{ _('A') }}{% else %}Nothing{% endif %}",
    ],
)
def test_an_unmarked_word_is_noticed(template: str) -> None:
    tree = Environment(extensions=["jinja2.ext.i18n"], autoescape=True).parse(template)
    page = Visible(written(tree))
    attributes = [text for _name, text in page.attributes]
    assert [*unmarked_constants(tree), *filter(has_letters, [*page.texts, *attributes])]


def test_marked_words_and_names_pass() -> None:
    template = (
        "<p class='a {{ 'b' }}' translate=yes>{{ _('Users') }} · PostMaster"
        "{% trans %}Aliases{% endtrans %} <kbd>g d</kbd>"
        "{{ ngettext('%(num)s user', '%(num)s users', 2) }} info@example.com</p>"
    )
    tree = Environment(extensions=["jinja2.ext.i18n"], autoescape=True).parse(template)
    page = Visible(written(tree))
    assert not [text for text in page.texts if has_letters(without(text, []))]
    assert not page.attributes
    assert not list(unmarked_constants(tree))
