"""The repositories of one database transaction, all on one connection."""

from sqlalchemy import Connection

from gateway.storage.audit import SqlAudit
from gateway.storage.caveats import SqlCaveats
from gateway.storage.consent_terms import SqlConsentTerms
from gateway.storage.decisions import SqlDecisions
from gateway.storage.effects import Effects
from gateway.storage.feeds import SqlFeeds
from gateway.storage.handoffs import SqlHandoffs
from gateway.storage.inputs import SqlInputs
from gateway.storage.messages import SqlMessages
from gateway.storage.outbox import SqlOutbox
from gateway.storage.people import SqlPeople
from gateway.storage.referrals import SqlReferrals
from gateway.storage.releases import SqlReleases, SqlReviews
from gateway.storage.remembered import Remembered
from gateway.storage.resources import SqlResources
from gateway.storage.turns import SqlTurns


class SqlTransaction:
    """`ports.Transaction` on a connection that somebody else began and will commit."""

    def __init__(self, connection: Connection, effects: Effects) -> None:
        remembered = Remembered(is_alone=connection.dialect.name == "sqlite")
        self.inputs = SqlInputs(connection)
        self.handoffs = SqlHandoffs(connection, remembered)
        self.resources = SqlResources(connection, remembered)
        self.people = SqlPeople(connection, remembered)
        self.referrals = SqlReferrals(connection, remembered)
        self.outbox = SqlOutbox(connection, effects)
        self.decisions = SqlDecisions(connection)
        self.audit = SqlAudit(effects)
        self.messages = SqlMessages(connection)
        self.feeds = SqlFeeds(connection)
        self.consent_terms = SqlConsentTerms(connection)
        self.caveats = SqlCaveats(connection)
        self.releases = SqlReleases(connection)
        self.reviews = SqlReviews(connection)
        self.turns = SqlTurns(connection, remembered)
