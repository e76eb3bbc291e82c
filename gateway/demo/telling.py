"""How the story looks on a terminal: chapters, tables, and a mark for each expectation."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table


class Telling:
    """Writes to one console; on a pipe the same text without colours and spinners."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._chapter = 0

    def title(self, text: str, below: str) -> None:
        """Open the story."""
        self._console.print(Panel(below, title=f"[bold]{text}", border_style="cyan", padding=(1, 2)))

    def chapter(self, heading: str, text: str) -> None:
        """Begin the next chapter."""
        self._chapter += 1
        self._console.print()
        self._console.rule(f"[bold cyan]{self._chapter}. {heading}", align="left")
        self._console.print(text)

    @contextmanager
    def working(self, text: str) -> Iterator[None]:
        """Show that something is under way."""
        with self._console.status(text):
            yield

    def say(self, text: str) -> None:
        """Write a line."""
        self._console.print(text)

    def plain(self, text: str) -> None:
        """Write text as it is, such as JSON of a receipt."""
        self._console.print(escape(text), style="dim", highlight=False)

    def table(self, title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Write a table; a first cell of a row that is empty repeats the one above."""
        table = Table(title=title, title_justify="left", title_style="bold", header_style="bold")
        for name in head:
            table.add_column(name, overflow="fold")
        for row in rows:
            table.add_row(*(escape(cell) for cell in row))
        self._console.print(table)

    def check(self, what: str, holds: bool, found: str = "") -> None:
        """Write one expectation and whether it happened."""
        mark = "[green]as expected[/]" if holds else "[bold red]NOT AS EXPECTED[/]"
        self._console.print(f"  {mark}  {escape(what)}" + (f": found {escape(found)}" if found and not holds else ""))
