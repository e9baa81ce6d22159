"""What makes a file acceptable, and the words with which it is refused. Pure functions."""

import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import quote


class MediaType(StrEnum):
    """The file types that are accepted (requirement I1: PDF or JPEG)."""

    PDF = "application/pdf"
    JPEG = "image/jpeg"


EXTENSIONS: Mapping[MediaType, str] = {MediaType.PDF: ".pdf", MediaType.JPEG: ".jpg"}

_DECLARED = {
    "application/pdf": MediaType.PDF,
    "application/x-pdf": MediaType.PDF,
    "image/jpeg": MediaType.JPEG,
    "image/jpg": MediaType.JPEG,
    "image/pjpeg": MediaType.JPEG,
}
_BY_EXTENSION = {
    "pdf": MediaType.PDF,
    "jpg": MediaType.JPEG,
    "jpeg": MediaType.JPEG,
    "jpe": MediaType.JPEG,
    "jfif": MediaType.JPEG,
}


class Verdict(StrEnum):
    """The result of a check. A refused file is not stored."""

    OK = "ok"
    REFUSED = "refused"


class Code(StrEnum):
    """Why a file is refused. Values are stored and part of the API: add, never rename."""

    EMPTY = "empty"
    TOO_BIG = "too_big"
    CUT_OFF = "cut_off"
    WRONG_TYPE = "wrong_type"
    TYPE_MISMATCH = "type_mismatch"
    MISNAMED = "misnamed"
    HEIC = "heic"
    PRECEDED = "preceded"
    DAMAGED = "damaged"
    ENCRYPTED = "encrypted"
    RESTRICTED = "restricted"
    JAVASCRIPT = "javascript"
    OPEN_ACTION = "open_action"
    LAUNCH = "launch"
    EMBEDDED_FILE = "embedded_file"
    XFA = "xfa"
    SUBMIT_FORM = "submit_form"
    RICH_MEDIA = "rich_media"
    OUTSIDE_REFERENCE = "outside_reference"
    UNSAFE_LINK = "unsafe_link"
    TRAILING_DATA = "trailing_data"
    MOVING_PICTURE = "moving_picture"
    NO_PAGES = "no_pages"
    TOO_MANY_PAGES = "too_many_pages"
    PAGE_TOO_LARGE = "page_too_large"
    TOO_MANY_PIXELS = "too_many_pixels"
    TOO_HEAVY = "too_heavy"
    TOOK_TOO_LONG = "took_too_long"
    LOW_RESOLUTION = "low_resolution"
    INFECTED = "infected"


@dataclass(frozen=True)
class FindingWords:
    """What is wrong and how to fix it: Russian gettext msgids with `%` placeholders for facts."""

    problem: str
    remedy: str


_PRINT_ANEW = "Откройте файл, выберите «Печать» → «Сохранить как PDF» и загрузите полученный файл."

WORDS: Mapping[Code, FindingWords] = {
    Code.EMPTY: FindingWords(
        "Файл пустой.",
        "Проверьте, что он сохранился полностью, и загрузите ещё раз.",
    ),
    Code.TOO_BIG: FindingWords(
        "Файл больше %(limit_mb)s МБ.",
        "Документ нужен одним файлом: отсканируйте его с разрешением 300 точек на дюйм или сожмите"
        " PDF.",
    ),
    Code.CUT_OFF: FindingWords(
        "Файл передан не полностью.",
        "Проверьте соединение и загрузите файл ещё раз.",
    ),
    Code.WRONG_TYPE: FindingWords(
        "Такие файлы не принимаются: нужен PDF или JPEG.",
        "Сохраните документ как PDF или сфотографируйте его в формате JPEG.",
    ),
    Code.TYPE_MISMATCH: FindingWords(
        "Внутри файла не PDF и не JPEG, хотя он так назван.",
        "Переименовать файл недостаточно: откройте его и сохраните как PDF или JPEG, затем "
        "загрузите.",
    ),
    Code.MISNAMED: FindingWords(
        "Внутри файла %(inside)s, а назван он иначе.",
        "Дайте ему имя с окончанием «%(ending)s» и загрузите ещё раз.",
    ),
    Code.HEIC: FindingWords(
        "Это снимок HEIC, а нужен JPEG или PDF.",
        "iPhone: «Настройки» → «Камера» → «Форматы» → «Наиболее совместимые»; Android: выключите"
        " HEIF в настройках камеры. Затем сфотографируйте документ ещё раз.",
    ),
    Code.PRECEDED: FindingWords("Перед началом PDF в файле есть посторонние данные.", _PRINT_ANEW),
    Code.DAMAGED: FindingWords(
        "Файл повреждён: его не удаётся прочитать без исправлений.",
        "Отсканируйте документ заново или ещё раз сохраните его как PDF.",
    ),
    Code.ENCRYPTED: FindingWords(
        "Файл защищён паролем.",
        "Сохраните его без пароля и загрузите ещё раз.",
    ),
    Code.RESTRICTED: FindingWords(
        "Файл открывается без пароля, но его действия ограничены тем, кто его сделал.",
        "Откройте файл, выберите «Печать» → «Сохранить как PDF» и загрузите полученный файл; если"
        " печать запрещена, отсканируйте документ.",
    ),
    Code.JAVASCRIPT: FindingWords("В файле есть программа (JavaScript).", _PRINT_ANEW),
    Code.OPEN_ACTION: FindingWords("Файл выполняет действие, когда его открывают.", _PRINT_ANEW),
    Code.LAUNCH: FindingWords("Файл запускает другие программы.", _PRINT_ANEW),
    Code.EMBEDDED_FILE: FindingWords(
        "В файл вложены другие файлы.",
        "Откройте файл, выберите «Печать» → «Сохранить как PDF» и загрузите полученный файл;"
        " нужные вложения загрузите отдельно.",
    ),
    Code.XFA: FindingWords("Это интерактивная форма XFA, а не документ.", _PRINT_ANEW),
    Code.SUBMIT_FORM: FindingWords("Файл отправляет данные наружу.", _PRINT_ANEW),
    Code.RICH_MEDIA: FindingWords("В файле есть видео, звук или трёхмерная модель.", _PRINT_ANEW),
    Code.OUTSIDE_REFERENCE: FindingWords(
        "Файл обращается к другим файлам или серверам.", _PRINT_ANEW
    ),
    Code.UNSAFE_LINK: FindingWords("В файле есть небезопасная ссылка.", _PRINT_ANEW),
    Code.TRAILING_DATA: FindingWords(
        "После конца документа в файле есть посторонние данные.",
        _PRINT_ANEW,
    ),
    Code.MOVING_PICTURE: FindingWords(
        "К снимку приложено видео.",
        "Выключите в камере «живое» фото (Motion Photo) и сфотографируйте документ ещё раз.",
    ),
    Code.NO_PAGES: FindingWords(
        "В файле нет ни одной страницы.", "Сохраните документ ещё раз как PDF."
    ),
    Code.TOO_MANY_PAGES: FindingWords(
        "В файле больше %(limit)s страниц.",
        "Загрузите только нужные страницы.",
    ),
    Code.PAGE_TOO_LARGE: FindingWords(
        "Страница больше допустимого размера.",
        "Сохраните документ в формате не больше A0.",
    ),
    Code.TOO_MANY_PIXELS: FindingWords(
        "Изображение больше %(limit_mp)s мегапикселей.",
        "Уменьшите разрешение: для документа достаточно 300–600 точек на дюйм.",
    ),
    Code.TOO_HEAVY: FindingWords(
        "Файл слишком сложен, чтобы его проверить.",
        "Отсканируйте документ заново с разрешением 300 точек на дюйм.",
    ),
    Code.TOOK_TOO_LONG: FindingWords(
        "Проверка заняла слишком много времени и была остановлена.",
        "Сохраните документ проще, например отсканируйте его с разрешением 300 точек на дюйм.",
    ),
    Code.LOW_RESOLUTION: FindingWords(
        "Разрешение скана %(dpi)s точек на дюйм, нужно не меньше %(minimum)s.",
        "Отсканируйте документ с разрешением %(minimum)s точек на дюйм или выше.",
    ),
    Code.INFECTED: FindingWords(
        "Антивирус нашёл в файле угрозу.",
        "Проверьте свой компьютер и загрузите документ из другого источника.",
    ),
}


@dataclass(frozen=True)
class Finding:
    """One reason to refuse a file, with the figures that its words name."""

    code: Code
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def problem(self) -> str:
        """What is wrong, as a msgid; fill it with `facts` after translating."""
        return WORDS[self.code].problem

    @property
    def remedy(self) -> str:
        """What the person can do, as a msgid; fill it with `facts` after translating."""
        return WORDS[self.code].remedy

    @property
    def text(self) -> str:
        """Problem and remedy, in Russian."""
        return f"{self.problem} {self.remedy}" % dict(self.facts)

    def stored(self) -> dict[str, Any]:
        """The finding as the database and the API have it."""
        return {"code": self.code.value, **({"facts": dict(self.facts)} if self.facts else {})}

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> "Finding":
        """The reverse of `stored`. Raises ValueError for an unknown code."""
        return cls(Code(stored["code"]), stored.get("facts", {}))


@dataclass(frozen=True)
class FileLimits:
    """Limits of a file, and of the time and memory that its check may use."""

    octets: int = 10 * 1024 * 1024
    """Accreditation takes PDF files up to 10 MB each."""
    pages: int = 200
    page_points: float = 3600.0
    """The longest side of a page in points of 1/72 inch; A0 is 3370 high."""
    pixels: int = 60_000_000
    """Pixels of one picture: enough for A3 at 550 dpi."""
    inflated: int = 256 * 1024 * 1024
    """Bytes that all compressed streams of a PDF may unpack to."""
    objects: int = 200_000
    trailing: int = 1024
    """Bytes after the last end-of-file mark; some programs add a line or two."""
    seconds: float = 10.0
    memory: int = 512 * 1024 * 1024


LIMITS = FileLimits()


def too_big(limit: int) -> Finding:
    """The file has more bytes than the limit."""
    return Finding(Code.TOO_BIG, {"limit_mb": f"{limit / 1024 / 1024:g}"})


def claimed_types(content_type: str | None, file_name: str | None) -> frozenset[MediaType]:
    """What the sender says the file is, by its media type and by the ending of its name.

    Any other media type or ending claims nothing: browsers guess the former, and people write dates
    after the last dot. The contents decide (`type_of`).
    """
    essence = (content_type or "").split(";")[0].strip().lower()
    suffix = (file_name or "").rpartition(".")[2].lower()
    claims = (_DECLARED.get(essence), _BY_EXTENSION.get(suffix))
    return frozenset(claim for claim in claims if claim is not None)


START = 1024
"""How many bytes `type_of` needs from the start of a file."""
_HEIC = frozenset(
    {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"avif", b"avis"}
)


def type_of(start: bytes, claims: frozenset[MediaType]) -> MediaType | Finding:
    """The type that the first bytes show (up to START of them), or why the file is refused.

    Nothing may precede the signature of the type. A file that is not what the sender claims is
    refused.
    """
    if start.startswith(b"%PDF-"):
        found = MediaType.PDF
    elif start.startswith(b"\xff\xd8\xff"):
        found = MediaType.JPEG
    elif b"%PDF-" in start and claims != {MediaType.JPEG}:
        return Finding(Code.PRECEDED)
    elif start[4:8] == b"ftyp" and start[8:12] in _HEIC:
        return Finding(Code.HEIC)
    else:
        return Finding(Code.TYPE_MISMATCH if claims else Code.WRONG_TYPE)
    if claims and found not in claims:
        return Finding(Code.MISNAMED, {"inside": found.name, "ending": EXTENSIONS[found]})
    return found


def leaves_as_given(media_type: str, *, own: bool) -> bool:
    """Whether a reader gets the file itself; otherwise a picture made from it.

    A photograph tells where and with what it was taken, and its comments may hide anything: only
    the person who gave it gets the original. A PDF goes unchanged to all who may open it: its check
    lets nothing through that does more than show pages, and its signatures must stay valid.
    """
    return own or media_type != MediaType.JPEG


_FORBIDDEN_IN_NAMES = re.compile(r'[\\/:*?"<>|]')


def safe_name(name: str | None, media_type: MediaType | None = None) -> str:
    """The file's name without folders, control characters and marks of direction.

    At most 150 characters; the extension is that of the true type, where the type is known.
    """
    name = unicodedata.normalize("NFC", (name or "").encode("utf-8", "ignore").decode())
    name = re.split(r"[\\/]", name)[-1]
    name = "".join(" " if c.isspace() else c for c in name if unicodedata.category(c)[0] != "C")
    name = _FORBIDDEN_IN_NAMES.sub("_", name).strip(" .")
    stem, dot, suffix = name.rpartition(".")
    if not dot or not re.fullmatch(r"[A-Za-z0-9]{1,8}", suffix):
        stem, suffix = name, ""
    ending = EXTENSIONS[media_type] if media_type else (f".{suffix}" if suffix else "")
    return (stem.strip(" .")[: 150 - len(ending)] or "document") + ending


def content_disposition(name: str, *, inline: bool = False) -> str:
    """The header's value with the name in ASCII and in UTF-8 (RFC 6266, RFC 8187)."""
    kind = "inline" if inline else "attachment"
    plain = "".join(c if c.isascii() and (c.isalnum() or c in " ._-") else "_" for c in name)
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


@dataclass(frozen=True)
class PlacedImage:
    """A picture on a page: its own size in pixels, and the size it is shown at, in points."""

    pixels: tuple[int, int]
    points: tuple[float, float]

    @property
    def area(self) -> float:
        """Square points that it covers."""
        return self.points[0] * self.points[1]


def effective_dpi(pixels: tuple[int, int], page_size_points: tuple[float, float]) -> int:
    """The resolution of a scan in dots per inch: the lower of both directions, rounded.

    A point is 1/72 inch. Rounding matters: A4 at 300 dpi is 2480 x 3508 pixels, which is 299.96.
    Raises ValueError for a page without extent.
    """
    if min(page_size_points) <= 0:
        raise ValueError("a page needs a width and a height")
    across = pixels[0] * 72 / page_size_points[0]
    down = pixels[1] * 72 / page_size_points[1]
    return math.floor(min(across, down) + 0.5)


_MOSTLY = 0.5
_A4 = (595.276, 841.89)
_SMALLEST_PAPER = (209.76, 297.64)  # A7: a card is not smaller


def scan_dpi(page: tuple[float, float], pictures: Sequence[PlacedImage]) -> int | None:
    """The resolution of a PDF page in dpi if it is a scan; None if it was made on a computer.

    A page is a scan if pictures cover at least half of it. Of several layers that each cover it
    (text over background, as scanners separate them) the sharpest counts; of strips the coarsest.
    """
    whole = page[0] * page[1]
    if whole <= 0:
        return None
    shown = [p for p in pictures if min(p.points) > 0]
    covering = [effective_dpi(p.pixels, p.points) for p in shown if p.area >= _MOSTLY * whole]
    if covering:
        return max(covering)
    if sum(p.area for p in shown) >= _MOSTLY * whole:
        return min(effective_dpi(p.pixels, p.points) for p in shown if p.area >= whole / 100)
    return None


def photo_dpi(pixels: tuple[int, int], density: tuple[float, float] | None) -> int:
    """The resolution of a JPEG in dpi, by the density it states, or else as if it showed A4.

    A stated density is believed only above 96 dpi and if the sheet is at least A7: cameras write
    72, and forgers write anything.
    """
    short, long = sorted(pixels)
    if density and min(density) > 0:
        points = (pixels[0] * 72 / density[0], pixels[1] * 72 / density[1])
        width, height = sorted(points)
        fits = width >= _SMALLEST_PAPER[0] - 1 and height >= _SMALLEST_PAPER[1] - 1
        if fits and min(density) > 96:
            return effective_dpi(pixels, points)
    return effective_dpi((short, long), _A4)


def resolution_finding(dpi: int | None, minimum: int | None) -> Finding | None:
    """Why the resolution is too low; None if it suffices or none is required."""
    if minimum is None or dpi is None or dpi >= minimum:
        return None
    return Finding(Code.LOW_RESOLUTION, {"dpi": dpi, "minimum": minimum})


_LINKS = ("http", "https", "mailto", "tel")


def link_is_safe(uri: str) -> bool:
    """Whether a document may contain the link: to the web, mail, a telephone, or relative."""
    cleaned = "".join(c for c in uri if c.isprintable() and not c.isspace()).lower()
    if cleaned.startswith(("\\\\", "//")):
        return False
    scheme, colon, _ = cleaned.partition(":")
    if not colon or not re.fullmatch(r"[a-z][a-z0-9+.-]*", scheme):
        return True
    return scheme in _LINKS
