"""Headers of files: a browser may save or show the file, but run nothing in it."""

from rules.files.checks import content_disposition


def file_headers(name: str, length: int | None = None, *, inline: bool = False) -> dict[str, str]:
    """The headers of a file called `name`; `length` in bytes, where it is known beforehand."""
    headers = {
        "Content-Disposition": content_disposition(name, inline=inline),
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cross-Origin-Resource-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store, private",
    }
    return headers if length is None else {**headers, "Content-Length": str(length)}
