"""`gateway bench`: how fast, each row beside a floor or peer measured in the same run."""

from importlib import import_module

import click
import orjson
from rich.console import Console
from rich.table import Table

from gateway.wiring.logs import log_to_stderr

BENCHES = {
    "convert": "gateway.bench.convert",
    "consent": "gateway.bench.consent",
    "consult": "gateway.bench.consult",
    "hl7v2": "gateway.bench.hl7v2",
    "look": "gateway.bench.look",
    "road": "gateway.bench.road",
}
"""Name -> module with `rows(seconds)`: row, per_second, floor, floor_per_second, ratio, goal, as --json prints."""


@click.command()
@click.argument("names", metavar="[NAME]...", nargs=-1, type=click.Choice(list(BENCHES)))
@click.option(
    "--seconds", type=click.FloatRange(min=0, min_open=True), default=2.0, show_default=True,
    help="How long each row is measured.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="One JSON object a row on stdout.")
def bench(names: tuple[str, ...], seconds: float, as_json: bool) -> None:
    """Measure NAME..., or everything. A ratio compares two numbers of the same run; nothing fails for being slow."""
    log_to_stderr(for_good=True)
    console = Console()
    table = Table(title="gateway bench", caption="ratio = ours / floor, both measured in this run")
    for heading in ("row", "per second", "floor", "floor per second", "ratio", "goal"):
        table.add_column(heading, justify="right" if "second" in heading or heading == "ratio" else "left")
    for name in names or BENCHES:
        if not as_json:
            console.print(f"measuring {name} ...", style="dim")
        for row in import_module(BENCHES[name]).rows(seconds):
            if as_json:
                click.echo(orjson.dumps(row).decode())
            else:
                table.add_row(
                    row["row"], f"{row['per_second']:,.0f}", row["floor"], f"{row['floor_per_second']:,.0f}",
                    f"{row['ratio']:.2f}", str(row["goal"]),
                )  # fmt: skip
    if not as_json:
        console.print(table)
