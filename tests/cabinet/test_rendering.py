"""Every page renders from its view, in both languages, safe for any text."""

import re
from dataclasses import replace

import pytest
from markupsafe import escape

from cabinet.accounts.sign_in import code_field, sign_in_fields
from cabinet.frame.rendering import environment, render
from cabinet.frame.views import FieldView, Who
from tests.cabinet.samples import SAMPLES
from words.translation import Presentation, presented

HOSTILE = "<script>alert('«1»')</script>"


@pytest.mark.asvs("1.2.1")
@pytest.mark.asvs("1.2.3")
@pytest.mark.parametrize("language", ["ru", "en"])
@pytest.mark.parametrize("name", SAMPLES)
def test_every_page_renders(name: str, language: str) -> None:
    """No template asks for what its view does not have; no script or style stands in a page."""
    sample = SAMPLES[name]
    page = render(sample.template, Presentation(language), frame=sample.frame, **sample.context)
    assert "<h1" in page
    assert page.count("<h1") == 1
    assert not re.search(r"<script(?![^>]*\bsrc=)", page)
    assert not re.search(r"<style|\sstyle=|\son\w+=", page)
    assert f'<html lang="{language}"' in page
    # A browser's own button of a file field would speak the browser's language.
    assert page.count('type="file"') == page.count('class="file-input"')


def test_a_post_that_nobody_knows_leaves_no_mark() -> None:
    """A person of whom the staff list names no post has the unit alone below the name."""
    known = {"fields": (), "next": "/", "expired": False, "provider": "", "registration": False}
    frame = replace(SAMPLES["home"].frame, who=Who("Соколова Анна", "", "Кардиология"))
    page = render("accounts/sign_in.html", Presentation(), frame=frame, **known)
    assert re.findall(r'<span class="muted">([^/]*)</span>', page) == ["Кардиология"] * 2


def test_signing_in_begins_at_the_first_field() -> None:
    """The cursor stands where one writes first; after a refusal the summary is read first."""
    with presented(Presentation()):
        assert [view.autofocus for view in sign_in_fields("")] == [True, False]
        assert [view.autofocus for view in sign_in_fields("a", "Не подошли")] == [False, False]
        assert code_field().autofocus
        assert not code_field("Не подошёл").autofocus
        assert not code_field(label="Код из приложения").autofocus
    drawn = SAMPLES["sign-in"]
    page = render(drawn.template, Presentation(), frame=drawn.frame, **drawn.context)
    assert re.findall(r'name="(\w+)"[^>]* autofocus', page) == ["login"]


@pytest.mark.parametrize("name", SAMPLES)
def test_every_form_that_changes_something_carries_the_token(name: str) -> None:
    """A form sent by POST has the form token in it (CSRF)."""
    sample = SAMPLES[name]
    page = render(sample.template, Presentation(), frame=sample.frame, **sample.context)
    for form in re.findall(r'<form[^>]*method="post".*?</form>', page, re.S):
        assert 'name="csrf_token"' in form


@pytest.mark.asvs("1.1.2")
def test_what_people_type_is_shown_and_never_run() -> None:
    """Text in a field comes out escaped."""
    macros = environment().get_template("macros/forms.html").make_module()
    drawn = str(macros.group(FieldView("purpose", HOSTILE, value=HOSTILE, error=HOSTILE)))  # type: ignore[attr-defined]
    assert HOSTILE not in drawn
    assert str(escape(HOSTILE)) in drawn


def test_a_field_offers_what_it_suggests() -> None:
    """The list belongs to the field and has the names beside the values, without scripts."""
    sample = SAMPLES["section"]
    page = render(sample.template, Presentation(), frame=sample.frame, **sample.context)
    assert 'list="suggestions-laboratory"' in page
    offered = '<option value="Л041-01137-77/00370120">Лаборатория больницы № 7</option>'
    assert f'<datalist id="suggestions-laboratory">{offered}</datalist>' in page


def test_an_error_is_tied_to_its_field() -> None:
    """The message stands at the field and is named by it, for those who listen."""
    macros = environment().get_template("macros/forms.html").make_module()
    view = FieldView("snils", "СНИЛС", hint="11 цифр", error="Проверьте СНИЛС")
    drawn = str(macros.group(view))  # type: ignore[attr-defined]
    assert 'aria-describedby="hint-snils error-snils"' in drawn
    assert 'id="error-snils"' in drawn
    assert 'aria-invalid="true"' in drawn
