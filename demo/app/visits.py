"""Visits in a replicated database: written to the primary, read from a replica."""

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

NO_SUCH_TABLE = 1146
LATEST = 10

TABLE = """
CREATE TABLE IF NOT EXISTS visits (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  host VARCHAR(64) NOT NULL,
  at DATETIME(3) NOT NULL
)
"""


class DatabaseUnavailable(Exception):
    """No database can do what is asked. The message is for visitors; the journal has the reason."""

    def __init__(self, message, reason=None):
        super().__init__(message)
        print(f"visits: {message}{'' if reason is None else f': {reason}'}", file=sys.stderr, flush=True)


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
            raise DatabaseUnavailable(
                f"the {self.role} database cannot be reached", f"{self.address}: {error}"
            ) from error
        try:
            with connection.cursor() as cursor:
                result = work(cursor)
        except (pymysql.MySQLError, OSError) as error:
            self._discard(connection)
            raise DatabaseUnavailable(
                f"the {self.role} database cannot do it", f"{self.address}: {error}"
            ) from error
        with self._lock:
            self._idle.append(connection)
        return result

    def name(self, cursor):
        cursor.execute("SELECT @@hostname")
        return cursor.fetchone()[0]


class Visits:
    def __init__(self, primary, replicas):
        self._primary = primary
        self._replicas = replicas

    @classmethod
    def from_environment(cls, environment):
        settings = {
            "user": environment.get("DATABASE_USER", ""),
            "password": environment.get("DATABASE_PASSWORD", ""),
            "database": environment.get("DATABASE_NAME", ""),
            "ca": environment.get("DATABASE_CA") or None,
        }
        primary = environment.get("DATABASE_PRIMARY", "")
        replicas = environment.get("DATABASE_REPLICAS", "").split()
        return cls(
            Database("primary", primary, settings) if primary else None,
            [Database("replica", address, settings) for address in replicas],
        )

    def _writer(self):
        if self._primary is None:
            raise DatabaseUnavailable("no primary database is configured", "DATABASE_PRIMARY is not set")
        return self._primary

    def _readers(self):
        """Replicas first, then the primary; last those that did not answer a moment ago."""
        now = time.monotonic()
        return sorted([*self._replicas, self._writer()], key=lambda database: database.avoid_until > now)

    def add(self, host):
        primary = self._writer()

        def insert(cursor):
            statement = "INSERT INTO visits (host, at) VALUES (%s, UTC_TIMESTAMP(3))"
            try:
                cursor.execute(statement, (host,))
            except pymysql.err.ProgrammingError as error:
                if error.args[0] != NO_SUCH_TABLE:
                    raise
                cursor.execute(TABLE)
                cursor.execute(statement, (host,))
            return {"id": cursor.lastrowid, "database": primary.name(cursor), "role": primary.role}

        return primary.run(insert)

    def latest(self):
        def select(database):
            def work(cursor):
                try:
                    cursor.execute("SELECT id, host, at FROM visits ORDER BY id DESC LIMIT %s", (LATEST,))
                    rows = cursor.fetchall()
                except pymysql.err.ProgrammingError as error:
                    if error.args[0] != NO_SUCH_TABLE:
                        raise
                    rows = []  # Nobody has been here yet.
                visits = [
                    {"id": number, "host": host, "at": at.isoformat(timespec="milliseconds") + "Z"}
                    for number, host, at in rows
                ]
                return {"read": {"database": database.name(cursor), "role": database.role}, "visits": visits}

            return work

        errors = []
        for database in self._readers():
            try:
                return database.run(select(database))
            except DatabaseUnavailable as error:
                errors.append(str(error))
        raise DatabaseUnavailable("; ".join(errors))

    def check(self):
        """The names of all servers, by role; fails unless the primary answers."""
        names = {"primary": self._writer().run(self._primary.name)}
        for replica in self._replicas:
            try:
                names.setdefault("replicas", []).append(replica.run(replica.name))
            except DatabaseUnavailable as error:
                names.setdefault("replicas", []).append(str(error))
        return names
