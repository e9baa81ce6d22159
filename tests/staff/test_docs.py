"""What the documentation says of the import is what the rules do (O6)."""

from ops.local.home import CHECKOUT
from rules.staff import table as staff
from rules.staff.table import TITLES

PAGE = (CHECKOUT / "docs" / "staff.md").read_text("utf-8")


def test_every_column_and_limit_stands_in_the_page() -> None:
    """A column that is added, or a limit that moves, is written down too."""
    table = PAGE.partition("| column |")[2].partition("\n\n")[0]
    named = {
        title.strip() for line in table.splitlines()[2:] for title in line.split("|")[1].split(",")
    }
    assert named == set(TITLES.values())
    assert f"{staff.MOST_ROWS} rows" in PAGE
    assert f"{staff.MOST_OCTETS // 1024**2} MB" in PAGE


def test_refusals_have_their_remedy() -> None:
    """The codes that a program may get are named."""
    for refusal in (staff.meanwhile(), staff.nothing_to_do()):
        assert f"{refusal.status} `{refusal.code}`" in PAGE


def test_it_is_found_from_the_readme() -> None:
    """A page that nothing leads to is not read."""
    for name in ("README.md", "docs/operation.md"):
        assert "staff.md" in (CHECKOUT / name).read_text("utf-8")
