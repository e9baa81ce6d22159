"""What `medcab up` shows while servers start: a line per server, moving on a terminal."""

import threading
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

# Without a terminal, a step that keeps counting is printed this often, in seconds.
PATIENCE = 10.0


class Board:
    """Shows what the system says; its method `say` may be called from any thread."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._lock = threading.Lock()
        self._tasks: dict[str, TaskID] = {}
        self._told: dict[str, tuple[str, float]] = {}
        self._progress: Progress | None = None

    def __enter__(self) -> Self:
        if self.console.is_terminal:
            self._progress = Progress(
                SpinnerColumn(finished_text="[green]✓"),
                TextColumn("{task.fields[name]:<10}"),
                TextColumn("{task.description}", markup=False),
                TimeElapsedColumn(),
                console=self.console,
            )
            self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._progress:
            self._progress.stop()
            self._progress = None

    def say(self, name: str, text: str) -> None:
        """Show what a server is doing now."""
        with self._lock:
            if self._progress is None:
                self._line(name, text)
                return
            if name not in self._tasks:
                self._tasks[name] = self._progress.add_task(text, name=name, total=1)
            done = text.startswith("ready")
            self._progress.update(self._tasks[name], description=text, completed=int(done))

    def _line(self, name: str, text: str) -> None:
        step = text.partition(":")[0]
        last, when = self._told.get(name, ("", 0.0))
        if step == last and text != step and time.monotonic() - when < PATIENCE:
            return
        self._told[name] = (step, time.monotonic())
        stamp = time.strftime("%H:%M:%S")
        self.console.print(f"{stamp} {name:<10} {text}", markup=False, highlight=False)
