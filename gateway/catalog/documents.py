"""Read a YAML file so that every later complaint about it can name file, line and column."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from gateway.model.errors import ConfigurationError

Location = tuple[str | int, ...]
Schema = dict[str, Any]


_FASTEST = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""That of libyaml, where PyYAML was built with it: the same nodes with the same places, in a tenth of the time."""


def _composed(text: str) -> yaml.Node | None:
    try:
        return yaml.compose(text, Loader=_FASTEST)
    except yaml.YAMLError:
        return yaml.compose(text, Loader=yaml.SafeLoader)  # a mistake is told in the same words on every machine


class Document:
    """A YAML file's content with the place of each of its parts."""

    def __init__(self, name: str, text: str) -> None:
        """Parse `text`; raise ConfigurationError with the line where it is no YAML or repeats a key."""
        self.name = name
        self._marks: dict[Location, tuple[int, int]] = {}
        try:
            node = _composed(text)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            place = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
            hint = "a name or text that holds a sign like : # ? [ { , belongs in quotes"
            raise ConfigurationError(f"{name}{place}: not readable as YAML: {error.problem} ({hint})") from error
        except yaml.YAMLError as error:
            raise ConfigurationError(f"{name}: not readable as YAML ({type(error).__name__})") from error
        self._constructor = yaml.SafeLoader("")
        self.content: Any = None if node is None else self._build(node, ())

    def where(self, location: Location) -> str:
        """Return `file:line:column` of a part, or of the nearest part around it that stands in the file."""
        line, column = self._mark(location)
        return f"{self.name}:{line + 1}:{column + 1}"

    def line(self, location: Location) -> int:
        """Return the line number (from 1) of a part, or of the nearest part around it."""
        return self._mark(location)[0] + 1

    def _mark(self, location: Location) -> tuple[int, int]:
        while location and location not in self._marks:
            location = location[:-1]
        return self._marks.get(location, (0, 0))

    def problems(self, schema: Schema) -> Iterator[str]:
        """Yield each way in which the content differs from a JSON Schema, as `file:line:column: message`."""
        validator = jsonschema.Draft202012Validator(schema)
        for error in sorted(validator.iter_errors(self.content), key=lambda one: [str(p) for p in one.absolute_path]):
            location = tuple(error.absolute_path)
            named = ".".join(str(part) for part in location) or "the file"
            yield f"{self.where(location)}: {named}: {error.message}"

    def _build(self, node: yaml.Node, location: Location) -> Any:
        self._marks[location] = (node.start_mark.line, node.start_mark.column)
        if isinstance(node, yaml.MappingNode):
            return self._build_mapping(node, location)
        if isinstance(node, yaml.SequenceNode):
            return [self._build(child, (*location, index)) for index, child in enumerate(node.value)]
        return self._scalar(node)

    def _scalar(self, node: yaml.Node) -> Any:
        """Return a single value; YAML takes `2026-13-01` for a date before it looks whether there is such a day."""
        try:
            return self._constructor.construct_object(node)
        except ValueError as error:
            where = f"{self.name}:{node.start_mark.line + 1}:{node.start_mark.column + 1}"
            raise ConfigurationError(f"{where}: not readable as YAML: {error}") from error

    def _build_mapping(self, node: yaml.MappingNode, location: Location) -> dict[Any, Any]:
        built: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            key = self._build(key_node, (*location, "<key>"))
            if key in built:
                mark = key_node.start_mark
                raise ConfigurationError(
                    f"{self.name}:{mark.line + 1}:{mark.column + 1}: {key}: stands here a second time"
                )
            built[key] = self._build(value_node, (*location, key))
        return built


def schema_of(kind: str) -> Schema:
    """Return the JSON Schema that the product ships for a kind of file, e.g. `partner`."""
    path = Path(__file__).with_name("schemas") / f"{kind}.schema.json"
    schema: Schema = json.loads(path.read_text(encoding="utf-8"))
    return schema


def read_document(path: Path, schema: Schema | None = None) -> Document:
    """Read a YAML file and check it against a JSON Schema.

    Raises:
        ConfigurationError: the file is missing, is no YAML, or differs from the schema; one line a problem.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{path}: expected a readable file, found {type(error).__name__}") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}: expected UTF-8, found another byte at offset {error.start}") from error
    document = Document(str(path), text)
    problems = list(document.problems(schema)) if schema is not None else []
    if problems:
        raise ConfigurationError("\n".join(problems))
    return document
