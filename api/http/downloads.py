"""The headers with which files leave: a browser saves or shows them, and does nothing else."""

from rules.files.checks import content_disposition


def file_headers(name: str, length: int | None = None, *, inline: bool = False) -> dict[str, str]:
    """Of a file of this name, and of so many bytes where that is known beforehand."""
    headers = {
        "Content-Disposition": content_disposition(name, inline=inline),
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cross-Origin-Resource-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store, private",
    }
    return headers if length is None else {**headers, "Content-Length": str(length)}
