"""The Italian translation: complete, true to its placeholders, compiled without gettext, and really shown."""

from __future__ import annotations

import gettext
import html
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po
from django.core.management import call_command

from tests.contracts.conftest import Scene
from tests.installation import ROOT, skip_or_fail
from webnet.preparation import compile_translation

FOLDER = ROOT / "locale" / "it" / "LC_MESSAGES"
DOMAINS = {"django": ["py", "html"], "djangojs": ["js"]}
SOURCES = ("annotations", "datasets", "training", "webnet", "templates", "static/js")
PLACEHOLDER = re.compile(r"%(?:\(\w+\))?(?:\.\df|[sd%])")

# Words that Italian museums use as they are, and names.
SAME_IN_BOTH = {
    *("AP50", "API", "File", "No", "Password", "Standard", "WebNet Trainer", "dataset", "file", "min"),
    *("RetinaNet · MobileNetV2", "RetinaNet · EfficientNet-Lite0", "RetinaNet · Mobile SpineNet-49"),
    *("RetinaNet · ResNet-50 FPN", "Faster R-CNN · ResNet-50 FPN", "RetinaNet · SpineNet-49"),
}


@pytest.fixture(autouse=True)
def compiled(italian_catalogue: None) -> None:
    """The Italian texts, compiled."""


@pytest.fixture
def italian(client_of: Callable[..., Any]) -> Callable[[Any], Any]:
    """`italian(user)`: a client whose browser asks for Italian."""
    return lambda user: client_of(user, headers={"Accept-Language": "it"})


def catalogue(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale="it", abort_invalid=True)


def pairs(message: Message) -> Iterator[tuple[str, str]]:
    """What stands against what; for a text with a number the two forms of English and of Italian."""
    if isinstance(message.id, str):
        yield message.id, str(message.string)
    else:
        assert len(message.string) == len(message.id) == 2, message.id
        yield from zip(message.id, message.string, strict=True)


def texts(found: Catalog) -> list[Message]:
    return [message for message in found if message.id]


@pytest.mark.parametrize("domain", DOMAINS)
def test_every_text_is_translated(domain: str) -> None:
    for message in texts(catalogue(FOLDER / f"{domain}.po")):
        assert not message.fuzzy, message.id
        for english, italian in pairs(message):
            assert italian.strip(), f"“{english}” has no translation"
            assert italian != english or english in SAME_IN_BOTH, f"“{english}” is still English"


@pytest.mark.parametrize("domain", DOMAINS)
def test_every_translation_keeps_its_placeholders_and_its_outer_spaces(domain: str) -> None:
    for message in texts(catalogue(FOLDER / f"{domain}.po")):
        for english, italian in pairs(message):
            assert sorted(PLACEHOLDER.findall(italian)) == sorted(PLACEHOLDER.findall(english)), english
            # Nothing else may look like a placeholder: formatting would fail on it.
            assert "%" not in PLACEHOLDER.sub("", italian), english
            assert (italian[:1] == " ", italian[-1:] == " ") == (english[:1] == " ", english[-1:] == " "), english


@pytest.mark.parametrize("domain", DOMAINS)
def test_the_catalogue_holds_just_the_texts_of_the_code(
    domain: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    if shutil.which("xgettext") is None:
        skip_or_fail("gettext is missing: install it to compare the catalogue with the code.")
    for source in SOURCES:
        shutil.copytree(ROOT / source, tmp_path / source, ignore=shutil.ignore_patterns("__pycache__", "*.mo"))
    (tmp_path / "locale").mkdir()
    settings.LOCALE_PATHS = [tmp_path / "locale"]
    monkeypatch.chdir(tmp_path)
    call_command("makemessages", locale=["it"], domain=domain, extensions=DOMAINS[domain], verbosity=0)
    used = {message.id for message in texts(catalogue(tmp_path / "locale" / "it" / "LC_MESSAGES" / f"{domain}.po"))}
    known = {message.id for message in texts(catalogue(FOLDER / f"{domain}.po"))}
    assert not used - known, "Texts without a translation: run makemessages (see the head of the .po file)."
    assert not known - used, "Translations of texts that are no more."


def test_texts_in_code_that_xgettext_might_overlook_are_in_the_catalogue() -> None:
    """xgettext may lose its way in JavaScript (templates, regular expressions): look again in a plain way."""
    known = {english for message in texts(catalogue(FOLDER / "djangojs.po")) for english, _ in pairs(message)}
    for source in (ROOT / "static" / "js").rglob("*.js"):
        code = source.read_text(encoding="utf-8")
        calls = re.findall(r"""\bn?gettext\(\s*(?P<quote>["'`])(.*?)(?<!\\)(?P=quote)""", code)
        assert len(calls) == len(re.findall(r"\bn?gettext\(", code)), f"{source.name} translates no literal text"
        for _quote, text in calls:
            assert text in known, f"{source.name}: {text}"


@pytest.mark.parametrize("domain", DOMAINS)
def test_it_compiles_without_gettext(domain: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    source = tmp_path / "it" / "LC_MESSAGES" / f"{domain}.po"
    source.parent.mkdir(parents=True)
    shutil.copy(FOLDER / source.name, source)
    assert compile_translation(source) is True
    assert compile_translation(source) is False
    with source.with_suffix(".mo").open("rb") as file:
        loaded = gettext.GNUTranslations(file)
    assert loaded.gettext("Detector") == "Rilevatore"
    several = [loaded.ngettext("%(n)s artwork", "%(n)s artworks", n) for n in (0, 1, 2)]
    assert several == ["%(n)s opere", "%(n)s opera", "%(n)s opere"]


def shown(response: Any) -> str:
    """The words of a page, one text a line: what stands between tags and what attributes say."""
    assert response.status_code == 200
    page = response.content.decode()
    assert '<html lang="it">' in page
    said = re.findall(r' (?:aria-label|title|placeholder)="([^"]*)"', page)
    return html.unescape("\n".join([re.sub(r"<[^>]+>", "\n", page), *said]))


def test_the_login_page_is_in_italian(db: None, italian: Callable[[Any], Any]) -> None:
    page = shown(italian(None).get("/login/"))
    assert "Insegna a una macchina a guardare la tua collezione" in page
    assert "Nome utente" in page and "Accedi" in page


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/", ["Raccolte di opere, con ciò che vi si deve trovare.", "1 opera", "Nuovo dataset"]),
        ("/password/", ["Cambia password", "Password attuale", "deve contenere almeno 8 caratteri"]),
        ("/password/done/", ["Password cambiata", "Da ora vale quella nuova"]),
        ("/datasets/{dataset_id}/", ["Aggiungi opere", "Da rivedere", "Tutti i concetti", "Prima le più recenti"]),
        ("/datasets/{dataset_id}/labels/", ["Nuovo concetto", "Tasto"]),
        ("/datasets/{dataset_id}/training/", ["Addestra un rilevatore", "Rapido", "Conosce già fotografie di persone"]),
        ("/datasets/{dataset_id}/detectors/", ["Un rilevatore guarda le opere", "1 concetto", "Usa su questo dataset"]),
        ("/datasets/{dataset_id}/members/", ["Amministratore", "Osservatore", "Aggiungi qualcuno"]),
        ("/datasets/{dataset_id}/runs/{run_id}/", ["Come impara il rilevatore", "Errore (loss)"]),
        ("/datasets/{dataset_id}/artworks/{artwork_id}/", ["Riquadro selezionato", "Opera intera", "Trova riquadri"]),
    ],
)
def test_the_pages_are_in_italian(scene: Scene, italian: Callable[[Any], Any], path: str, words: list[str]) -> None:
    page = shown(italian(scene.people["administrator"]).get(path.format(**scene.ids)))
    assert [word for word in words if word not in page] == []
    english = {pair[0] for message in texts(catalogue(FOLDER / "django.po")) for pair in pairs(message)} - SAME_IN_BOTH
    lines = {line.strip() for line in page.splitlines()}
    assert not lines & english


def test_what_is_missing_for_a_training_is_told_in_italian(scene: Scene, italian: Callable[[Any], Any]) -> None:
    client = italian(scene.people["curator"])
    told = client.get(f"/api/datasets/{scene.dataset.pk}/training-options/").json()
    assert told["problems"][0]["message"].startswith("Opere con riquadri confermati: 1.")
    assert [budget["title"] for budget in told["budgets"]] == ["Rapido", "Standard", "Approfondito", "Il tuo tempo"]


def test_the_browser_gets_its_texts_in_the_language_of_the_page(db: None, client_of: Callable[..., Any]) -> None:
    client = client_of(None)
    italian = client.get("/jsi18n/", headers={"Accept-Language": "it"}).content.decode()
    english = client.get("/jsi18n/", headers={"Accept-Language": "en"}).content.decode()
    assert "Eliminare questo dataset?" in italian and "%(n)s riquadri" in italian
    assert "(n != 1)" in italian
    assert "Eliminare questo dataset?" not in english
