"""On which grounds somebody may open a record that no other fact opens to them, and for how long.

The grounds are those of article 13 of law 323-ФЗ that a clinician can meet, as data with their
source. The numbers of parts and points are to be compared with the official text by whoever puts
the cabinet to use: docs/patients.md says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

REASON_OPENS = timedelta(hours=3)
"""How long a reason from the list opens a record."""
EMERGENCY_OPENS = timedelta(hours=2)
"""How long an emergency opens a record; it is judged afterwards."""


@dataclass(frozen=True)
class Ground:
    """One ground. `words` are a msgid; `source` names the norm."""

    name: str
    words: str
    source: str
    needs_words: bool = False
    """Whether the person has to say more, such as the number of an order."""


_LAW = "323-ФЗ, статья 13"

GROUNDS: Mapping[str, Ground] = {
    one.name: one
    for one in (
        Ground(
            "consent",
            "Пациент согласен: обратился за помощью ко мне",
            f"{_LAW}, часть 3",
        ),
        Ground(
            "unable",
            "Пациент не может выразить волю, нужна помощь по жизненным показаниям",
            f"{_LAW}, часть 4, пункт 1",
        ),
        Ground(
            "infection",
            "Угроза распространения инфекционных заболеваний, массовых отравлений и поражений",
            f"{_LAW}, часть 4, пункт 2",
        ),
        Ground(
            "inquiry",
            "Запрос органов дознания, следствия, суда или прокуратуры",
            f"{_LAW}, часть 4, пункт 3",
            needs_words=True,
        ),
        Ground(
            "minor",
            "Сообщение родителю или законному представителю несовершеннолетнего",
            f"{_LAW}, часть 4, пункт 4",
        ),
        Ground(
            "exchange",
            "Обмен сведениями между организациями для оказания помощи этому пациенту",
            f"{_LAW}, часть 4, пункт 8",
        ),
        Ground(
            "control",
            "Контроль качества и безопасности медицинской помощи",
            f"{_LAW}, часть 4, пункт 10",
            needs_words=True,
        ),
    )
}
"""By name, in the order in which they are offered. Names are stored: add, never rename."""
