"""Which codes and words speak of something sensitive: tables only. What is missed here is still held by origin.

Lists are short on purpose: whole code families, no single curiosities. A label can only take away, never release.
Sources: ICD-10-CM chapters; HCPCS H and T codes of behavioral health services; RxNorm ingredients; LOINC.
"""

from gateway.model.labels import (
    COUNSELING_NOTES,
    CRIMINAL_JUSTICE_INFORMATION,
    HIV,
    MENTAL_HEALTH,
    SEXUALLY_TRANSMITTED,
    SICKLE_CELL,
    SUD,
    VIOLENCE,
    Label,
)

_ICD10 = ("http://hl7.org/fhir/sid/icd-10-cm", "http://hl7.org/fhir/sid/icd-10", "urn:oid:2.16.840.1.113883.6.90")
_ICD9 = ("http://hl7.org/fhir/sid/icd-9-cm",)
_HCPCS = (
    "https://bluebutton.cms.gov/resources/codesystem/hcpcs",
    "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets",
    "urn:oid:2.16.840.1.113883.6.285",
)
_CPT = ("http://www.ama-assn.org/go/cpt",)
_RXNORM = ("http://www.nlm.nih.gov/research/umls/rxnorm",)
_LOINC = ("http://loinc.org",)
_SNOMED = ("http://snomed.info/sct",)
_OWN = "https://warmhandoff.example/fhir/CodeSystem/"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _each(systems: tuple[str, ...], prefixes: str, label: Label) -> dict[tuple[str, str], Label]:
    return {(system, prefix): label for system in systems for prefix in prefixes.split()}


PREFIXES: dict[tuple[str, str], Label] = {
    # ICD-10-CM: mental and behavioral disorders due to psychoactive substance use, poisoning, counseling, history.
    **_each(_ICD10, "F10 F11 F12 F13 F14 F15 F16 F17 F18 F19 T40 Z71.4 Z71.5 K70 O99.31 O99.32 P96.1", SUD),
    **_each(_ICD10, "B20 B21 B22 B23 B24 Z21 R75 O98.7", HIV),
    **_each(_ICD10, " ".join(f"F{n:02}" for n in range(100) if not 10 <= n <= 19), MENTAL_HEALTH),
    **_each(_ICD10, "X71 X72 X73 X74 X75 X76 X77 X78 X79 X80 X81 X82 X83 R45 T14.91", MENTAL_HEALTH),
    **_each(_ICD10, "A50 A51 A52 A53 A54 A55 A56 A57 A58 A59 A60 A63 A64", SEXUALLY_TRANSMITTED),
    **_each(_ICD10, "T74 T76 Y07 Z69", VIOLENCE),
    **_each(_ICD10, "D57", SICKLE_CELL),
    **_each(_ICD9, "303 304 305", SUD),
    **_each(_ICD9, "042 V08", HIV),
}
"""(code system, first characters of the code) -> label."""

CODES: dict[tuple[str, str], Label] = {
    **_each(_HCPCS, " ".join(f"H{n:04}" for n in (*range(1, 30), 33, 47, 49, 50)), SUD),
    **_each(_HCPCS, " ".join(f"G{n}" for n in range(2067, 2081)), SUD),
    **_each(_HCPCS, "T1006 T1007 T1008 T1009 T1010 T1011 T1012 G0396 G0397 S9475", SUD),
    **_each(_CPT, "80305 80306 80307 80320 80348 80353 80354 80358 80361 99408 99409", SUD),
    # buprenorphine, methadone, naltrexone, naloxone, disulfiram, acamprosate, buprenorphine/naloxone
    **_each(_RXNORM, "1819 6813 7243 7242 3554 82819 1431076 352364 351266 351267 1010600 1010604", SUD),
    # drugs of abuse screens, opiates, methadone, buprenorphine, fentanyl, cocaine, amphetamines, ethanol, AUDIT, DAST
    **_each(_LOINC, "19295-5 3879-4 3774-7 3414-0 59673-4 3397-7 3349-8 5643-2 75624-7 82667-7 72110-0 3426-4", SUD),
    **_each(_LOINC, "20447-9 7918-6 5222-5 25835-0 29893-5 75622-1", HIV),
    **_each(_SNOMED, "75544000 66590003 191816009 7200002 26416006 5602001 231461004 64297001 182969009", SUD),
    **_each(_SNOMED, "86406008 165816005 19030005", HIV),
    (_OWN + "crisis-nature", "chemical"): SUD,
    (_OWN + "service", "sud-treatment"): SUD,
    (_OWN + "service", "detox"): SUD,
    (_OWN + "disposition", "transport-detox"): SUD,
    (_OWN + "behavior", "intoxicated"): SUD,
    (_OWN + "security-label", "SUDNOTES"): COUNSELING_NOTES,
}
"""(code system, code) -> label."""

FAMILIES: dict[str, tuple[tuple[int, dict[str, Label]], ...]] = {
    system: tuple(
        (
            length,
            {prefix: label for (other, prefix), label in PREFIXES.items() if (other, len(prefix)) == (system, length)},
        )
        for length in sorted({len(prefix) for other, prefix in PREFIXES if other == system})
    )
    for system, _ in PREFIXES
}
"""The same by code system, and there by the number of characters, shortest first."""

WORDS: dict[Label, frozenset[str]] = {
    SUD: _words(
        """
        methadone methadose buprenorphine suboxone subutex sublocade zubsolv vivitrol naltrexone naloxone
        narcan antabuse disulfiram acamprosate campral heroin fentanyl opioid opioids opiate opiates
        oxycodone oxycontin cocaine crack meth methamphetamine amphetamine amphetamines benzodiazepine
        cannabis marijuana ketamine alcoholism alcoholic alcohol intoxicated intoxication overdose
        overdosed sober sobriety detox detoxification oud aud sud moud mat otp iop addiction addicted
        addict rehab withdrawal dast
        """
    ),
    CRIMINAL_JUSTICE_INFORMATION: _words(
        """
        ncic nlets nics iii warrant warrants mugshot fingerprint fingerprints
        """
    ),
    HIV: _words(
        """
        hiv aids antiretroviral antiretrovirals biktarvy truvada descovy viremia
        """
    ),
}
"""Words of free text and displays, lower case."""

PHRASES: dict[Label, tuple[str, ...]] = {
    SUD: (
        "substance use", "substance abuse", "substance misuse", "drug use", "drug abuse", "drug test", "drug screen",
        "chemical dependen", "medication-assisted", "medication assisted", "needle exchange", "12-step", "twelve step",
        "narcotics anonymous", "alcoholics anonymous", "opioid use",
    ),
    CRIMINAL_JUSTICE_INFORMATION: (
        "criminal history", "rap sheet", "triple i", "fbi number", "sid number", "arrest record", "arrest history",
        "prior arrest", "booking photo",
    ),
    HIV: ("human immunodeficiency", "viral load"),
}  # fmt: skip
"""Phrases of free text, lower case."""
