"""A process that writes as fast as it can until it is killed: `python -m tests.support.writing_child URL TASK`.

`inputs`: eight threads store inputs and print the id of each one once its write has returned.
`claim`: claims a lane, marks its first work as being sent, prints its message id and hangs as if the network did.
"""

import os
import sys
import threading
from datetime import timedelta
from itertools import count

from gateway.model.audit import AuditEntry
from gateway.ports import Transaction
from gateway.storage.database import SqlDatabase, open_database
from tests.support.stored import AT, an_input

THREADS = 8


def store(database: SqlDatabase, thread: int) -> None:
    """Store inputs for ever, acknowledging each on stdout."""
    for n in count():
        input_id = f"input-{thread}-{n}"

        def work(transaction: Transaction, input_id: str = input_id) -> None:
            transaction.inputs.add(an_input(input_id))
            transaction.outbox.add(
                lane="convert",
                kind="convert",
                subject=input_id,
                action="create",
                message_id=input_id,
                version=0,
                at=AT,
            )
            transaction.audit.append(AuditEntry(AT, "input.accepted", "demo-agency", {"input": input_id}))

        database.write(work)
        os.write(1, f"{input_id}\n".encode())


def claim_and_hang(database: SqlDatabase) -> None:
    """Take a lane, begin its first work and never finish."""
    lease = timedelta(seconds=30)
    claimed = database.write(lambda t: t.outbox.claim("doomed", AT, lease))
    assert claimed is not None
    database.write(lambda t: t.outbox.set_state(claimed.work[0].id, "sending", None, AT))
    os.write(1, f"{claimed.work[0].message_id}\n".encode())
    threading.Event().wait()


def main(url: str, task: str) -> None:
    """Open the database and do the task until killed."""
    database = open_database(url, clock=lambda: AT)
    if task == "claim":
        claim_and_hang(database)
    threads = [threading.Thread(target=store, args=(database, number)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main(*sys.argv[1:])
