"""The patients of a demo: some twenty, two of whom are one person entered twice."""

from collections.abc import Mapping
from datetime import date, datetime
from uuid import UUID

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.patients import Patient
from rules.patients.identity import Identity, Sex
from services.patients.entering import enter

_PATIENTS = """
therapy|Королёва Наталья Петровна|1961-03-14|female|130-000-000 33|7700000000000000|+79167654300
therapy|Королева Наталия Петровна|1961-03-14|female|||+79167654301
cardiology|Абрамов Сергей Львович|1954-11-02|male|132-469-134 49|7700000274274274|+79167654302
therapy|Мухаметшин Рустам Ильдарович|1978-07-21|male|133-703-701 29|7700000411411411|+79167654303
therapy|Де Ла Круз Ольга Николаевна|1990-01-30|female|134-938-268 87|7700000548548548|
cardiology|Зайцева Лидия Фёдоровна|1939-05-09|female|136-172-835 58|7700000685685685|+79167654305
therapy|Гусев Артём Павлович|2019-08-17|male|137-407-402 47||+79167654306
therapy|Гусев Антон Павлович|2019-08-17|male|138-641-969 96|7700000959959959|+79167654307
cardiology|Соловьёв Пётр Ильич|1967-12-25|male|139-876-536 28|7700001097097096|+79167654308
surgery|Петренко Галина Ивановна|1972-02-29|female|141-111-103 69|7700001234234233|
therapy|Орлова Вероника Сергеевна|1999-09-01|female|142-345-670 44|7700001371371370|+79167654310
surgery|Магомедов Шамиль Гаджиевич|1985-04-11|male|143-580-237 50|7700001508508507|+79167654311
therapy|Тарасова Зинаида Кузьминична|1931-10-30|female|144-814-804 65|7700001645645644|+79167654312
surgery|Егоров Денис Олегович|2001-06-06|male|146-049-371 62||+79167654313
therapy|Яковлева Ксения Андреевна|1994-03-03|female|147-283-938 94|7700001919919918|
cardiology|Филиппов Глеб Романович|1958-08-08|male|148-518-505 83|7700002057057055|+79167654315
therapy|Цой Виктория Александровна|1982-12-12|female|149-753-072 98|7700002194194192|+79167654316
surgery|Журавлёв Никита Степанович|1976-01-19|male|150-987-639 02|7700002331331329|+79167654317
cardiology|Крылова Татьяна Васильевна|1949-07-07|female|152-222-206 04|7700002468468466|+79167654318
therapy|Ким Артур Юрьевич|1988-11-28|male|153-456-773 80|7700002605605603|
"""
# Unit, name, birth date, sex, SNILS, policy and telephone.


async def seed_patients(session: AsyncSession, units: Mapping[str, UUID], now: datetime) -> None:
    """Enter the patients, unless there are patients already."""
    if (await session.exec(select(Patient.id).limit(1))).first() is not None:
        return
    for line in _PATIENTS.strip().splitlines():
        unit, name, born, sex, *numbers = (part.strip() for part in line.split("|"))
        known = (number or None for number in numbers)
        identity = Identity(name, date.fromisoformat(born), Sex(sex), *known)
        await enter(session, identity, units[unit], None, now)
