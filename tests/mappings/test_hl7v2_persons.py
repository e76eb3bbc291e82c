"""Names, addresses and numbers of people, with the time for which they count."""

from tests.mappings.test_hl7v2_packs import of_type, read


def test_a_name_an_address_and_a_number_say_until_when_they_count() -> None:
    named = "Testperson^Alma^^^^^L^^^^^20200101^20211231~Older^Alma^^^^^M^^^20100101&20191231"
    lived = "1 Old Way^^Sample City^WA^98000^USA^H^^^^^^20200101^20211231"
    called = "^PRN^PH^^1^206^5550100^^^^^^20200101^20211231~alma@example.org"

    result = read(f"PID|1||M-1||{named}||19900101|F|||{lived}||{called}")

    (patient,) = of_type(result, "Patient")
    until = {"start": "2020-01-01", "end": "2021-12-31"}
    assert [one["period"] for one in patient["name"]] == [until, {"start": "2010-01-01", "end": "2019-12-31"}]
    assert patient["address"][0]["period"] == until
    assert patient["telecom"][0]["period"] == until
    assert (patient["telecom"][1]["system"], patient["telecom"][1]["value"]) == ("email", "alma@example.org")
