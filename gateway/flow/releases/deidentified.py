"""De-identified releases to public health (42 CFR 2.54): what is decided on is made here, before the decision.

The engine is asked about records of nobody, and looks itself whether they are. It still learns who wrote them and in
whose hands they are, for those who may not send a record may not send what is made of it either; none of that leaves.
"""

from collections.abc import Mapping, Sequence

from gateway.flow.disclose import Asked, Made, made_of, patient_in
from gateway.flow.house import House
from gateway.flow.judgement import Matter
from gateway.model.handoff import Resource
from gateway.model.ids import ids_that_begin
from gateway.model.release import Release
from gateway.redaction.deidentify import deidentify

SAFE_HARBOR = "164.514(b)(2)"
"""The method, as the engine asks for it."""

_DIRECTORY = frozenset({"Organization", "Practitioner", "PractitionerRole", "Location"})
"""What the engine finds authors by."""


def decided_deidentified(house: House, release: Release, asked: Asked, resources: Sequence[Resource]) -> Made:
    """Make the records of a release into records of nobody, and decide whether they may leave as such.

    New ids are made of the release and a number, under the installation's key: nobody can find the old one from them,
    and a release that is sent again has the same (45 CFR 164.514(c)). The person's Patient is a fact of the decision,
    so that the engine can refuse what still names them.
    """
    now = house.clock()
    wanted = [one for one in resources if release.items is None or _name(one) in release.items]
    fresh = ids_that_begin(house.key, "deidentified", release.id)
    made = deidentify(wanted, year=now.year, known=house.code_systems, fresh=lambda n: fresh(str(n)))
    names = {source: _name(one) for source, one in made.items()}
    person = patient_in(resources)
    return made_of(
        house,
        Matter(
            request=asked.request(None, sorted(names.values())),
            records=[*made.values(), *_authorship(resources, names)],
            consents={"resourceType": "Bundle", "type": "collection", "entry": []},
            facts=[person] if person else [],
            at=now,
            switches=house.switches,
            gate=None,
        ),
    )


def _authorship(resources: Sequence[Resource], names: Mapping[str, str]) -> list[Resource]:
    """Return who wrote and who holds what was made, by its new names."""
    found = [one for one in resources if one["resourceType"] in _DIRECTORY]
    for one in resources:
        if one["resourceType"] == "Provenance":
            targets = [names[each["reference"]] for each in one["target"] if each.get("reference") in names]
            if targets:
                found.append({**one, "target": [{"reference": name} for name in targets]})
    return found


def _name(resource: Resource) -> str:
    return f"{resource['resourceType']}/{resource['id']}"
