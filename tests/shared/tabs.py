"""A browser tab without scripts: the forms of a page as they were when it was opened."""

import html
import re
from dataclasses import dataclass, replace
from html.parser import HTMLParser

import httpx


class _Forms(HTMLParser):
    """Collects the fields of every form by its action, as a browser would send them."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: dict[str, dict[str, list[str]]] = {}
        self._form: dict[str, list[str]] = {}
        self._area: str | None = None
        self._select: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A form begins, or one of its fields."""
        given = dict(attrs)
        name, value = given.get("name"), given.get("value") or ""
        if tag == "form":
            self._form = self.forms.setdefault(given.get("action") or "", {})
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select:
            if "selected" in given or self._select not in self._form:
                self._form[self._select] = [value]
        elif tag == "textarea":
            self._area = name
            self._form[name or ""] = [""]
        elif tag == "input" and name and "disabled" not in given:
            boxed = given.get("type") in ("checkbox", "radio")
            if not boxed or "checked" in given:
                self._form.setdefault(name, []).append(value)

    def handle_endtag(self, tag: str) -> None:
        """A text area ends."""
        if tag == "textarea":
            self._area = None

    def handle_data(self, data: str) -> None:
        """The text of an area."""
        if self._area:
            self._form[self._area][0] += data


def forms_of(page: str) -> dict[str, dict[str, list[str]]]:
    """What a browser would send of each form of a page, by its action."""
    found = _Forms()
    found.feed(page)
    return found.forms


def shown_on(page: str) -> str:
    """What a form, or what replaces a part of it, says that it shows."""
    return str(html.unescape(re.findall(r'name="shown"[^>]* value="([^"]*)"', page)[0]))


@dataclass(frozen=True)
class Tab:
    """One form of a page that was opened at some moment; it sends what stood in it then."""

    client: httpx.AsyncClient
    action: str
    fields: dict[str, list[str]]

    @classmethod
    def of(cls, client: httpx.AsyncClient, page: str, action: str) -> "Tab":
        """The form of a page that posts to `action`."""
        return cls(client, action, forms_of(page)[action])

    @classmethod
    async def open(cls, client: httpx.AsyncClient, path: str, action: str) -> "Tab":
        """Open a page and take up one of its forms."""
        return cls.of(client, (await client.get(path)).text, action)

    async def send(self, **changes: str | list[str]) -> httpx.Response:
        """Send the form with these fields as the person left them, the others as they stood."""
        left = {
            name: [value] if isinstance(value, str) else value for name, value in changes.items()
        }
        return await self.client.post(self.action, data={**self.fields, **left})


async def write_at_once(client: httpx.AsyncClient, page: str, field: str) -> Tab:
    """Two windows of one draft write the same field. Returns the older one, drawn anew.

    Whoever wrote later is told what the other one wrote, keeps their own text, and goes on being
    told until they have seen a page with both.
    """
    older, newer = [await Tab.open(client, page, page) for _ in range(2)]
    saving = replace(older, action=f"{page}/autosave")
    sent = await replace(newer, action=f"{page}/autosave").send(**{field: "Из нового окна"})
    assert "Из нового окна" not in sent.text, "nothing is wrong with it"
    for _ in range(2):
        told = await saving.send(**{field: "Из старого окна", "left": field})
        assert "В другом окне здесь записано: «Из нового окна»" in told.text
        assert "Сохранены не все поля" in told.text
        assert "Из старого окна" in told.text
        saving.fields["shown"] = [shown_on(told.text)]
    refused = await replace(saving, action=page).send(**{field: "Из старого окна"})
    assert refused.status_code == 409
    assert "В другом окне здесь записано: «Из нового окна»" in refused.text
    again = Tab.of(client, refused.text, page)
    assert again.fields[field] == ["Из старого окна"]
    return again
