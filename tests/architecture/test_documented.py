"""What users may set, call and read is documented, or the build fails."""

import json
from pathlib import Path

from pydantic import BaseModel

from gateway.cli import COMMANDS
from gateway.settings import Settings

REPOSITORY = Path(__file__).resolve().parents[2]


def _settings_of(model: type[BaseModel], prefix: str) -> list[str]:
    names = []
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            names += _settings_of(field.annotation, f"{prefix}{name}.")
        else:
            names.append(prefix + name)
    return names


def test_every_setting_is_documented() -> None:
    page = (REPOSITORY / "docs" / "configuration.md").read_text()

    missing = [name for name in _settings_of(Settings, "") if name != "directory" and f"{name}" not in page]

    assert missing == []


def test_every_command_explains_itself() -> None:
    from gateway.cli import main

    context = main.make_context("gateway", ["--help"], resilient_parsing=True)
    silent = [name for name in COMMANDS if not (main.get_command(context, name).help or "").strip()]  # type: ignore[union-attr]

    assert silent == []


def test_every_decision_record_has_a_status() -> None:
    without = [
        path.name
        for path in sorted((REPOSITORY / "docs" / "decisions").glob("*.md"))
        if "Status:" not in path.read_text() and "status:" not in path.read_text()
    ]

    assert without == []


def test_the_schema_of_the_settings_is_the_one_that_ships() -> None:
    shipped = json.loads((REPOSITORY / "gateway" / "catalog" / "schemas" / "gateway.schema.json").read_text())

    made = Settings.model_json_schema()
    made["properties"].pop("directory")

    assert shipped == {"$schema": "https://json-schema.org/draft/2020-12/schema", **made}
