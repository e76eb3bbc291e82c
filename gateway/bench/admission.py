"""The messages of the HL7v2 benches, of nobody: an ADT^A01 with all that fits in, one as most fill it, a long ORU^R01.

Grammar: HL7 v2.5.1 ch. 3.3.1 and 7.3.1.
"""


def sample_admission() -> bytes:
    """Make an ADT^A01 of invented people with the segments that a hospital fills."""
    person = "Testperson&van&Testperson^Alma^Rae^^Ms^^L^^^20200101~Mockname^Al^^^^^N"
    address = "1 Example Way^Unit 2^Sample City^WA^98000^USA^H^^KING~2 Sample Road^^Sample City^WA^98001^USA^B"
    doctor = "9999900100^Sampledoc^Sam^S^III^Dr^MD^^NPI&2.999.1&ISO^L^^^NPI^Sample Hospital&2.999.2&ISO"
    code = "R45.851^Suicidal ideations^I10C"
    procedure = "90839^Psychotherapy for crisis^C4"
    place = "ED^01^A^SAMPLE HOSPITAL^^N^B1^1"
    lines = [
        "MSH|^~\\&|ADT^2.999.3^ISO|SAMPLE HOSPITAL^2.999.2^ISO|GATEWAY|WH|20261102101500-0800||ADT^A01^ADT_A01"
        "|M1|P|2.5.1|||AL|NE|USA",
        "SFT|Sample Vendor|1.0|Sample Engine|1.0",
        f"EVN|A01|20261102101500-0800||01^Patient request^HL70062|{doctor}|20261102101400-0800",
        f"PID|1||M-1^5^M11^SAMPLE&2.999.4&ISO^MR~S-2^^^STATE^SR||{person}|Sample^Mother|19900101|F|{person}"
        f"|2106-3^White^HL70005|{address}||206-555-0100^PRN^PH~^NET^Internet^alma@example.org|206-555-0101^WPN^PH"
        "|eng^English|S|||ACC-1^^^SAMPLE^AN",
        f"PD1|S|A|Sample Practice^^001|{doctor}||||||||N",
        f"ROL|1|AD|PP^Primary Care Provider^HL70443|{doctor}|20260101||||||{address}|206-555-0150^WPN^PH",
        *[f"NK1|{n}|{person}|SIS^Sister^HL70063|{address}|206-555-010{n}^PRN^PH||EC^Emergency contact" for n in (1, 2)],
        f"PV1|1|E|{place}|E|||{doctor}|{doctor}|{doctor}|MED||||7|||{doctor}|EM|V-1^^^SAMPLE^VN"
        + "|" * 25
        + "20261102101500-0800",
        f"PV2||^Semi-private|{code}||||||20261104||||Police transport" + "|" * 12 + "2",
        f"ROL|2|AD|AT^Attending^HL70443|{doctor}|20261102||||||{address}|206-555-0151^WPN^PH",
        f"DB1|1|PT|DB-1^^^SAMPLE|Y|20260830|20270930|{place}",
        *[f"OBX|{n}|NM|8867-4^Heart rate^LN||7{n}|/min^^UCUM|60-100|N|||F|||20261102101500|||{doctor}" for n in (1, 2)],
        *[f"AL1|{n}|DA|70618^Penicillin^RXNORM|MO|Hives|20100101" for n in (1, 2)],
        *[f"DG1|{n}||{code}|Suicidal ideations|20261102|A||||||||||{doctor}" for n in (1, 2)],
        f"PR1|1||{procedure}|Psychotherapy for crisis|20261102|D||{doctor}|||{doctor}|{doctor}||1|{code}",
        f"ROL|3|AD|PP^Primary Care Provider^HL70443|{doctor}|20260101||||||{address}|206-555-0152^WPN^PH",
        f"GT1|1|G-1^^^SAMPLE|{person}||{address}|206-555-0100||19900101|F||SLF^Self^HL70063|||||{person}|{address}",
        *[
            f"IN1|{n}|PLAN{n}^Sample plan|PAYER-{n}|Sample Payer|{address}||206-555-0199|GRP-{n}||||20260101|||HMO"
            f"|{person}|SLF|19900101|{address}|||1||||||||||||||POL-{n}"
            for n in (1, 2)
        ],
        f"IN2||999-99-9999|||I^Insurance company|||{person}" + "|" * 20 + f"{person}" + "|" * 14 + "206-555-0198",
        f"ACC|20261102101000||Example Way||Y|N|{doctor}|Found in a park||Y|{address}",
        f"PDA|{code}|{place}|N||{doctor}",
        "ZPV|1|local|values|kept",
    ]
    return "".join(f"{line}\r" for line in lines).encode("ascii")


def usual_admission() -> bytes:
    """Make an ADT^A01 with every segment of which the pack makes something, once, and the fields that most fill."""
    person, doctor = "Testperson^Alma", "9999900100^Sampledoc^Sam"
    lines = [
        "MSH|^~\\&|ADT|SAMPLE HOSPITAL|GATEWAY|WH|20261102101500-0800||ADT^A01^ADT_A01|M1|P|2.5.1",
        "EVN|A01|20261102101500-0800",
        f"PID|1||M-1^^^SAMPLE^MR||{person}||19900101|F|||1 Example Way^^Sample City^WA^98000||206-555-0100",
        f"PD1||||{doctor}",
        f"ROL|1|AD|PP^Primary Care Provider^HL70443|{doctor}",
        "NK1|1|Mockname^Al|SIS^Sister^HL70063||206-555-0101",
        f"PV1|1|E|ED^01^A||||{doctor}|||MED||||7|||||V-1^^^SAMPLE^VN" + "|" * 25 + "20261102101500-0800",
        "PV2|||R45.851^Suicidal ideations^I10C",
        f"ROL|2|AD|AT^Attending^HL70443|{doctor}",
        "OBX|1|NM|8867-4^Heart rate^LN||71|/min^^UCUM|||||F",
        "AL1|1|DA|70618^Penicillin^RXNORM|MO|Hives",
        "DG1|1||R45.851^Suicidal ideations^I10C||20261102|A",
        "PR1|1||90839^Psychotherapy for crisis^C4||20261102",
        "IN1|1|PLAN1^Sample plan|PAYER-1|Sample Payer" + "|" * 32 + "POL-1",
        "ACC|20261102101000||Example Way",
    ]
    return "".join(f"{line}\r" for line in lines).encode("ascii")


def sample_results(count: int) -> bytes:
    """Make an ORU^R01 of that many results."""
    lines = [f"OBX|{n}|NM|8867-4^Heart rate^LN||7{n % 10}|/min^^UCUM|60-100|N|||F" for n in range(1, count + 1)]
    return "\r".join(("MSH|^~\\&|L|H|G|W|2026||ORU^R01|O1|P|2.5.1", "PID|1||M-1", "OBR|1", *lines, "")).encode("ascii")
