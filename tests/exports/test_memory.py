"""A long export takes no more memory than a short one."""

from bench.archive import measured_export
from clients.objects import Objects
from rules.archive import ExportKind
from services.archive.search import ArchiveFilters
from services.exports.acts import Exports
from settings import Settings
from tests.exports.test_exports import Started, keeper_of
from tests.shared.office import Office


async def test_memory_is_flat(office: Office, objects: Objects, settings: Settings) -> None:
    """Ten thousand rows peak where a thousand do, in the worker and in its child (XLSX)."""
    service = Exports(office.database, objects, "Больница", Started())
    template = await office.in_review()
    peaks = []
    for number in (1_000, 10_000):
        reviewer = await keeper_of(office, number, template)
        export = await service.ask(reviewer, ExportKind.XLSX, ArchiveFilters())
        peaks.append(await measured_export(settings, export.id))
    few, many = peaks
    assert many["own"] < few["own"] * 1.25
    assert many["child"] < few["child"] * 1.25
