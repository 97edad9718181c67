"""A driver without a database: two servers in memory, told apart by their ports. Files in $FAKE switch them off."""

import datetime
import os

ROWS = []
REQUESTS = {}
TABLES = set()


class MySQLError(Exception):
    pass


class OperationalError(MySQLError):
    pass


class err:
    class ProgrammingError(MySQLError):
        pass


def check(port):
    if os.path.exists(os.path.join(os.environ["FAKE"], f"{port}.away")):
        raise OperationalError(2003, f"can't connect to {port}")


def fail(port, moment):
    """Lines of a file, such as `before 1290`, are what happens to the next statements that write."""
    path = os.path.join(os.environ["FAKE"], f"{port}.fails")
    if not os.path.exists(path):
        return
    with open(path, encoding="ascii") as file:
        lines = file.read().splitlines()
    if lines and lines[0].split()[0] == moment:
        with open(path, "w", encoding="ascii") as file:
            file.write("\n".join(lines[1:]))
        raise OperationalError(int(lines[0].split()[1]), "as told")


class Cursor:
    lastrowid = None

    def __init__(self, port):
        self.port = port
        self.rows = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def execute(self, statement, values=()):
        check(self.port)
        if "@@hostname" in statement:
            self.rows = [(f"db{self.port}", 0 if self.port == 1 else 1)]
        elif statement.strip().startswith("CREATE TABLE IF NOT EXISTS"):
            TABLES.add("visits")
        elif "visits" not in TABLES:
            raise err.ProgrammingError(1146, "no such table")
        elif statement.strip().startswith("INSERT"):
            fail(self.port, "before")
            host, request = values
            if request not in REQUESTS:
                ROWS.append((len(ROWS) + 1, host, datetime.datetime(2026, 1, 1)))
                REQUESTS[request] = len(ROWS)
            self.lastrowid = REQUESTS[request]
            fail(self.port, "after")
        else:
            self.rows = list(reversed(ROWS))[: values[0]]

    def fetchone(self):
        return self.rows[0]

    def fetchall(self):
        return self.rows


class Connection:
    def __init__(self, port):
        self.port = port
        check(port)

    def ping(self, reconnect):
        check(self.port)

    def cursor(self):
        return Cursor(self.port)

    def close(self):
        pass


def connect(*, ssl, port, **_):
    # Both, or the answers may be anybody's.
    if ssl.verify_mode.name != "CERT_REQUIRED" or not ssl.check_hostname:
        raise OperationalError(2026, "the certificate is not verified")
    return Connection(port)
