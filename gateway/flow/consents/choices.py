"""What a consent form can be filled in with, from the registry and the words of a language."""

from collections.abc import Iterable

from gateway.flow.house import House
from gateway.model.consent_form import INFORMATION, PURPOSES
from gateway.model.consent_life import Choice, FormChoices
from gateway.model.partner import JUSTICE_ROLES, Organization


def form_choices(house: House, language: str) -> FormChoices:
    """Return the choices of a form in a language, organizations by name.

    Programs are those of 42 CFR part 2 on the day; the operator is nobody's recipient.
    """
    now = house.clock()
    texts = house.wordings.get(language, house.wordings["en"]).texts
    everybody = sorted(house.registry, key=lambda one: one.name)
    others = [one for one in everybody if one.id != house.operator]
    return FormChoices(
        programs=_choices(one for one in others if one.is_program(now)),
        recipients=_choices(others),
        justice=_choices(one for one in others if one.roles & JUSTICE_ROLES),
        intermediaries=tuple(
            (Choice(one.id, one.name), _choices(other for other in others if other.id in one.members))
            for one in others
            if one.is_intermediary(now)
        ),
        information=tuple(Choice(code, texts[f"information.{code}"]) for code in INFORMATION),
        purposes=tuple(Choice(code, texts[f"purpose.{code}"]) for code in PURPOSES),
        languages=tuple(Choice(code, one.texts["language.name"]) for code, one in sorted(house.wordings.items())),
    )


def _choices(organizations: Iterable[Organization]) -> tuple[Choice, ...]:
    return tuple(Choice(one.id, one.name) for one in organizations)
