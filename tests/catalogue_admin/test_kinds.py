"""Each kind of entry describes itself: what all kinds share names none."""

import re

from cabinet.catalogue_admin.differences import path_in_words
from cabinet.catalogue_admin.register import ROOMS
from ops.local.home import CHECKOUT
from rules.catalogue.entries import Subject
from services.catalogue_admin.entries import KINDS

SHARED = (
    "api/catalogue/admin.py",
    "cabinet/catalogue_admin/differences.py",
    "cabinet/catalogue_admin/fields.py",
    "cabinet/catalogue_admin/pages.py",
    "cabinet/catalogue_admin/room.py",
    "services/catalogue_admin/changes.py",
    "services/catalogue_admin/kinds.py",
    "services/catalogue_admin/shipped.py",
)
BRANCH = re.compile(r"(==|!=|\bis|\bnot|\bin|\bcase) \(?Subject\.|\broom\.name (==|!=|in|not in) ")


def test_every_kind_is_kept_and_has_a_room() -> None:
    """What can be changed by the API can be changed in the pages."""
    assert set(KINDS) == set(Subject) == {room.subject for room in ROOMS.values()}


def test_what_is_shared_branches_on_no_kind() -> None:
    """A seventh kind needs a file in each room and a line in each register, and no more."""
    for name in SHARED:
        assert not BRANCH.findall((CHECKOUT / name).read_text("utf-8")), name


def test_a_difference_is_told_by_the_label_of_its_own_form() -> None:
    """`answer` is the kind of answer of a type, and among its terms the applicant's time."""
    assert path_in_words("answer", {}) == "Вид ответа на запрос"
    assert path_in_words("terms.answer", {}) == "Сроки: Ответ заявителя, рабочих дней"
    assert path_in_words("sections.education.hint", {"education": "О вас"}) == "О вас: Подсказка"
