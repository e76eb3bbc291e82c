"""Read the words of the consent form in every language it is offered in, once, at start."""

from pathlib import Path

from gateway.catalog.documents import read_document
from gateway.model.consent_form import Wording
from gateway.model.errors import ConfigurationError

_TEXTS = Path(__file__).with_name("consent_texts")


def read_wordings() -> dict[str, Wording]:
    """Return the wording of each language by its code.

    Raises:
        ConfigurationError: a language lacks words that another one has; a person would sign less than was meant.
    """
    wordings = {path.stem: _read(path) for path in sorted(_TEXTS.glob("*.yaml"))}
    every = {key for wording in wordings.values() for key in wording.texts}
    for language, wording in wordings.items():
        if missing := every - wording.texts.keys():
            raise ConfigurationError(
                f"{_TEXTS / language}.yaml: expected every text of the other languages, found none for "
                f"{', '.join(sorted(missing))}"
            )
    return wordings


def _read(path: Path) -> Wording:
    content = read_document(path).content
    return Wording(content["language"], content["edition"], {key: str(text) for key, text in content["texts"].items()})
