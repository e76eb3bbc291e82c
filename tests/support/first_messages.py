"""A process that takes its first record and its first message: `python -m tests.support.first_messages DIRECTORY`.

Prints the modules of code that were loaded only then, one a line.
"""

import sys
from pathlib import Path

from flask.testing import FlaskClient

from gateway.flow.work import work_once
from gateway.model.hl7_header import PeerAddress
from gateway.settings import read_settings
from gateway.web.tokens import issue
from gateway.wiring import clock
from gateway.wiring.installation import Installation, open_installation
from gateway.wiring.logs import log_to_stderr

CONTACT = (
    "contact_id,agency_ori,contact_date,first_on_scene,client_id,last_name,first_name,dob,sex,primary_issue,"
    "referral_made,referral_service,consent_status,consent_at\n"
    "C-1,WA0990000,2026-10-30T10:00:00,officer,K-1,Sample,Ari,1990-01-02,F,mental_health,"
    "Y,crisis_clinic,verbal,2026-10-30T10:20:00\n"
)
RESULT = (
    b"MSH|^~\\&|DEMO_EHR|DEMO_HOSPITAL|WARMHANDOFF|GATEWAY|20261102120000-0800||ORU^R01|1|P|2.5.1\r"
    b"PID|1||M-1^^^DEMO_HOSPITAL^MR||Sample^Ari||19900102|F\r"
    b"OBR|1|||883-9^ABO group^LN|||20261102\rOBX|1|CWE|883-9^ABO group^LN||A^Group A^HL70005||||||F\r"
)


def take_first(installation: Installation, token_key: bytes) -> None:
    """Take a file over HTTP and a message about its person, and do all the work."""
    token = issue("demo-agency", token_key, token_id="t", at=clock())
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "text/csv"}
    door, house = FlaskClient(installation.app), installation.gateway.house
    assert door.post("/intake/co-responder-contact", data=CONTACT, headers=headers).status_code == 202
    while work_once(house, "first"):
        pass
    assert b"|AA|" in installation.gateway.accept_message(RESULT, PeerAddress("127.0.0.1", 5000))
    while work_once(house, "first"):
        pass
    assert door.get("/metrics").status_code == 200


def main(directory: str) -> None:
    """Open the installation there, take the first of each, and tell what was loaded for it."""
    log_to_stderr()
    settings = read_settings(Path(directory))
    installation = open_installation(settings)
    before = set(sys.modules)
    take_first(installation, settings.secret("token"))
    loaded = sorted(name for name in set(sys.modules) - before if not name.startswith("encodings."))
    installation.stop(1)
    sys.stdout.writelines(f"{name}\n" for name in loaded)


if __name__ == "__main__":
    main(sys.argv[1])
