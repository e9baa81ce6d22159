"""What a history says to somebody who opens every base64 text in it."""

import base64
import json
from typing import Any


def laid_open(history: str) -> str:
    """The JSON text of a history with every base64 text in it decoded beside."""
    texts = [history]

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            for one in value.values():
                walk(one)
        elif isinstance(value, list):
            for one in value:
                walk(one)
        elif isinstance(value, str):
            try:
                texts.append(base64.b64decode(value, validate=True).decode("utf-8", "ignore"))
            except ValueError:
                return

    walk(json.loads(history))
    return "\n".join(texts)
