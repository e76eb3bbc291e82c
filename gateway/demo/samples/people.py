"""The invented people of the demonstration: every family name ends in -Test, every phone number is 206-555-01xx."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Invented:
    """Somebody who does not exist, as their records describe them."""

    given: str
    family: str
    born: str
    """YYYY-MM-DD; empty where no record knows it."""
    sex: str
    """M, F or U."""
    phone: str = ""
    """Seven digits of a number with area code 206; empty where no record knows it."""
    street: str = ""
    """Empty: no permanent address."""

    @property
    def area_and_phone(self) -> str:
        """Return the phone number as one text."""
        return f"206-{self.phone}" if self.phone else ""


ADA = Invented("Ada", "Alder-Test", "1984-05-02", "F", "555-0101", "1 Sample Street")
BEN = Invented("Ben", "Birch-Test", "1991-11-30", "M", "555-0102", "2 Sample Street")
CLEO = Invented("Cleo", "Cedar-Test", "1944-01-17", "F", "555-0103", "3 Sample Street")
DEV = Invented("Dev", "Dogwood-Test", "1979-07-08", "M", "555-0104", "4 Sample Street")
EVA = Invented("Eva", "Elm-Test", "1966-03-21", "F", "555-0105", "5 Sample Street")
FINN = Invented("Finn", "Fir-Test", "1988-09-14", "M", "555-0106")
GUS = Invented("Gus", "Ginkgo-Test", "1972-12-05", "M", "555-0107", "7 Sample Street")
HAL = Invented("Hal", "Hazel-Test", "1995-02-28", "M", "555-0108", "8 Sample Street")
IDA = Invented("Ida", "Ivy-Test", "1958-06-19", "F", "555-0109", "9 Sample Street")
JON = Invented("Jon", "Juniper-Test", "1983-10-10", "M", "555-0110")
KIM = Invented("Kim", "Katsura-Test", "2001-04-04", "U", "555-0111", "11 Sample Street")
LEO = Invented("Leo", "Larch-Test", "1990-08-23", "M", "555-0112", "12 Sample Street")
MAE = Invented("Mae", "Maple-Test", "1969-01-31", "F", "555-0113", "13 Sample Street")
NED = Invented("Ned", "Nettle-Test", "1977-05-15", "M", "555-0114")
OLA = Invented("Ola", "Oak-Test", "1986-11-11", "F", "555-0115", "15 Sample Street")
PIA = Invented("Pia", "Pine-Test", "1993-03-03", "F", "555-0116", "16 Sample Street")
QUIN = Invented("Quin", "Quince-Test", "1981-09-09", "U", "555-0117", "17 Sample Street")
RAY = Invented("Ray", "Rowan-Test", "1974-02-02", "M", "555-0118")
SUE = Invented("Sue", "Spruce-Test", "1989-06-06", "F", "555-0119", "19 Sample Street")
TOM = Invented("Tom", "Tulip-Test", "1962-12-24", "M", "555-0120", "20 Sample Street")
UMA = Invented("Uma", "Ulmus-Test", "1998-07-07", "F", "555-0121", "21 Sample Street")
VIC = Invented("Vic", "Vine-Test", "1985-01-20", "M", "555-0122", "22 Sample Street")
WES = Invented("Wes", "Willow-Test", "1971-04-18", "M", "555-0123")
XIA = Invented("Xia", "Xylosma-Test", "1992-10-29", "F", "555-0124", "24 Sample Street")
YAN = Invented("Yan", "Yew-Test", "1967-08-08", "M", "555-0125", "25 Sample Street")
ZOE = Invented("Zoe", "Zelkova-Test", "1994-05-25", "F", "555-0126", "26 Sample Street")

ANN = Invented("Ann", "Aspen-Test", "1980-02-14", "F", "555-0127", "27 Sample Street")
BOB = Invented("Bob", "Beech-Test", "1976-06-30", "M", "555-0128", "28 Sample Street")
CAL = Invented("Cal", "Cherry-Test", "1987-12-12", "M", "555-0129")
DOT = Invented("Dot", "Dawn-Test", "1959-03-09", "F", "555-0130", "30 Sample Street")
ELI = Invented("Eli", "Ebony-Test", "1996-09-01", "M", "555-0131", "31 Sample Street")
FAY = Invented("Fay", "Fern-Test", "1982-07-27", "F", "555-0132", "32 Sample Street")
GIL = Invented("Gil", "Gorse-Test", "1970-11-03", "M", "555-0133", "33 Sample Street")
HUE = Invented("Hue", "Holly-Test", "1999-01-05", "U", "555-0134", "34 Sample Street")
IRA = Invented("Ira", "Iris-Test", "1964-10-21", "M", "555-0135", "35 Sample Street")
JOY = Invented("Joy", "Jasmine-Test", "1978-08-16", "F", "555-0136", "36 Sample Street")
LOU = Invented("Lou", "Linden-Test", "1973-05-17", "M", "555-0137", "37 Sample Street")
NIA = Invented("Nia", "Nutmeg-Test", "1990-12-01", "F", "555-0138", "38 Sample Street")
RON = Invented("Ron", "Redwood-Test", "1965-02-20", "M", "555-0139", "39 Sample Street")
MIA = Invented("Mia", "Mimosa-Test", "1988-03-06", "F", "555-0140", "40 Sample Street")
TED = Invented("Ted", "Tamarack-Test", "1979-10-25", "M", "555-0141")
OWEN = Invented("Owen", "Olive-Test", "1994-11-19", "M")
PAM = Invented("Pam", "Palm-Test", "1963-09-26", "F")
REX = Invented("Rex", "Reed-Test", "1986-04-09", "M")
SKY = Invented("Sky", "Sedge-Test", "2000-10-02", "U")
TIA = Invented("Tia", "Teak-Test", "1975-01-13", "F")
VAL = Invented("Val", "Violet-Test", "1997-08-30", "F")
WIM = Invented("Wim", "Walnut-Test", "1961-12-08", "M")

OLA_AGAIN = Invented("Ola", "Oak-Test", "1986-11-11", "F", "555-0199", "99 Other Street")
"""Same name and birth date as Ola, and nothing else in common: perhaps the same person, perhaps not."""
