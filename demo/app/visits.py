"""Visits in a replicated database: written to the server that takes writes, read from a replica."""

import secrets
import ssl
import sys
import threading
import time

import pymysql

# Seconds.
CONNECT = 2
ANSWER = 5
# So long a server that did not answer is not asked again, where there is another.
AVOID = 5

# So long what may be done again is tried again: a failover takes some seconds.
PATIENCE = 15
PAUSE = 0.1

NO_SUCH_TABLE = 1146
NO_SUCH_COLUMN = 1054
COLUMN_EXISTS = 1060
# What another try on a new connection, perhaps to another server, may not see: the server is read-only, ends, is
# offline or outside its cluster (1290, 1053, 3032, 1047), its group did not take it (1180, 3100), it waited in
# vain or gave way to another (1205, 1213, 1020), or the connection is gone (2002 to 2013).
PASSING = {1290, 1053, 3032, 1047, 1180, 3100, 1205, 1213, 1020, 2002, 2003, 2006, 2013}

LATEST = 10

# `request` is unique, so that a visit that is written again is there once.
TABLE = """
CREATE TABLE IF NOT EXISTS visits (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  host VARCHAR(64) NOT NULL,
  at DATETIME(3) NOT NULL,
  request BINARY(16) UNIQUE
)
"""
# Of a table that an earlier release has made.
COLUMN = "ALTER TABLE visits ADD COLUMN request BINARY(16) UNIQUE"
INSERT = """
INSERT INTO visits (host, at, request) VALUES (%s, UTC_TIMESTAMP(3), %s)
ON DUPLICATE KEY UPDATE id = LAST_INSERT_ID(id)
"""


class DatabaseUnavailable(Exception):
    """No database can do what is asked. The message is for visitors; the journal has the reason."""

    def __init__(self, message, reason=None):
        super().__init__(message)
        print(f"visits: {message}{'' if reason is None else f': {reason}'}", file=sys.stderr, flush=True)


class Failed(Exception):
    """One try has failed. What was to be written may be there."""

    def __init__(self, message, address, error):
        super().__init__(message)
        self.reason = f"{address}: {error}"
        self.passes = not isinstance(error, pymysql.MySQLError) or code(error) in PASSING


def code(error):
    """The number of an error of the server or the driver; 0 where it has none, as when the connection is closed."""
    return error.args[0] if error.args and isinstance(error.args[0], int) else 0


class Database:
    """One server, with the connections to it that are not in use."""

    def __init__(self, role, address, settings):
        self.role = role
        self.address = address
        host, _, port = address.rpartition(":")
        self._arguments = {**settings, "host": host.strip("[]"), "port": int(port)}
        self._idle = []
        self._lock = threading.Lock()
        self.avoid_until = 0.0

    def _connect(self):
        certificates = self._arguments["ca"]
        arguments = {name: value for name, value in self._arguments.items() if name != "ca"}
        # Read anew each time: a CA that is renewed needs no restart. Certificate and name are verified.
        try:
            context = ssl.create_default_context(cafile=certificates)
        except FileNotFoundError as error:
            raise OSError(f"there is no CA certificate {certificates}") from error
        return pymysql.connect(
            **arguments,
            ssl=context,
            charset="utf8mb4",
            autocommit=True,
            connect_timeout=CONNECT,
            read_timeout=ANSWER,
            write_timeout=ANSWER,
        )

    def _take(self):
        while True:
            with self._lock:
                if not self._idle:
                    break
                connection = self._idle.pop()
            try:
                connection.ping(reconnect=False)
                return connection
            except (pymysql.MySQLError, OSError):
                self._discard(connection)
        return self._connect()

    @staticmethod
    def _discard(connection):
        try:
            connection.close()
        except (pymysql.MySQLError, OSError):
            pass

    def run(self, work):
        """Calls `work` with a cursor. A connection that failed is never used again."""
        try:
            connection = self._take()
        except (pymysql.MySQLError, OSError) as error:
            self.avoid_until = time.monotonic() + AVOID
            raise Failed(f"the {self.role} database cannot be reached", self.address, error) from error
        try:
            with connection.cursor() as cursor:
                result = work(cursor)
        except (pymysql.MySQLError, OSError) as error:
            self._discard(connection)
            raise Failed(f"the {self.role} database cannot do it", self.address, error) from error
        with self._lock:
            self._idle.append(connection)
        return result


def server(cursor):
    """The server behind a connection, as it sees itself: a proxy may lead to any."""
    cursor.execute("SELECT @@hostname, @@read_only")
    name, is_read_only = cursor.fetchone()
    return {"database": name, "role": "replica" if is_read_only else "primary"}


class Visits:
    def __init__(self, primary, replicas, patience):
        self._primary = primary
        self._replicas = replicas
        self._patience = patience

    @classmethod
    def from_environment(cls, environment):
        """A proxy that finds the servers goes before their addresses."""
        settings = {
            "user": environment.get("DATABASE_USER", ""),
            "password": environment.get("DATABASE_PASSWORD", ""),
            "database": environment.get("DATABASE_NAME", ""),
            "ca": environment.get("DATABASE_CA") or None,
        }
        primary = environment.get("DATABASE_WRITER") or environment.get("DATABASE_PRIMARY", "")
        replicas = environment.get("DATABASE_READER") or environment.get("DATABASE_REPLICAS", "")
        return cls(
            Database("primary", primary, settings) if primary else None,
            [Database("replica", address, settings) for address in replicas.split()],
            float(environment.get("DATABASE_PATIENCE", PATIENCE)),
        )

    def _writer(self):
        if self._primary is None:
            raise DatabaseUnavailable("no primary database is configured", "DATABASE_PRIMARY is not set")
        return self._primary

    def _readers(self):
        """Replicas first, then the primary; last those that did not answer a moment ago."""
        now = time.monotonic()
        return sorted([*self._replicas, self._writer()], key=lambda database: database.avoid_until > now)

    def _patiently(self, databases, work):
        """Does what may be done again on the first database that can, again and again, for a while."""
        until = time.monotonic() + self._patience
        while True:
            failures = []
            for database in databases():
                try:
                    return database.run(work)
                except Failed as failure:
                    failures.append(failure)
            passes = any(failure.passes for failure in failures)
            if not passes or time.monotonic() + PAUSE > until:
                raise DatabaseUnavailable(
                    "; ".join(str(failure) for failure in failures),
                    "; ".join(failure.reason for failure in failures),
                )
            time.sleep(PAUSE)

    def add(self, host):
        visit = (host, secrets.token_bytes(16))

        def insert(cursor):
            try:
                cursor.execute(INSERT, visit)
            except pymysql.MySQLError as error:
                if code(error) == NO_SUCH_TABLE:
                    cursor.execute(TABLE)
                elif code(error) == NO_SUCH_COLUMN:
                    self._add_column(cursor)
                else:
                    raise
                cursor.execute(INSERT, visit)
            return {"id": cursor.lastrowid, **server(cursor)}

        return self._patiently(lambda: [self._writer()], insert)

    @staticmethod
    def _add_column(cursor):
        try:
            cursor.execute(COLUMN)
        except pymysql.MySQLError as error:
            # Another host was faster.
            if code(error) != COLUMN_EXISTS:
                raise

    def latest(self):
        def select(cursor):
            try:
                cursor.execute("SELECT id, host, at FROM visits ORDER BY id DESC LIMIT %s", (LATEST,))
                rows = cursor.fetchall()
            except pymysql.MySQLError as error:
                if code(error) != NO_SUCH_TABLE:
                    raise
                rows = []  # Nobody has been here yet.
            visits = [
                {"id": number, "host": host, "at": at.isoformat(timespec="milliseconds") + "Z"}
                for number, host, at in rows
            ]
            return {"read": server(cursor), "visits": visits}

        return self._patiently(self._readers, select)

    def check(self):
        """The names of all servers, by role; fails unless the primary answers."""
        try:
            names = {"primary": self._writer().run(server)["database"]}
        except Failed as failure:
            raise DatabaseUnavailable(str(failure), failure.reason) from failure
        for replica in self._replicas:
            try:
                names.setdefault("replicas", []).append(replica.run(server)["database"])
            except Failed as failure:
                names.setdefault("replicas", []).append(str(failure))
        return names
