"""
Writes rows to a database, one a transaction, and notes each acknowledgement. Standard input is a JSON object: address,
port, user, password, database, ca, table, connections, answer_within and pause (seconds). Each line of the notes is a time and
what happened then: `ack ID`, `again ID` (a retry found the row there), `error CODE`, `end`.
"""

import json
import os
import signal
import ssl
import sys
import threading
import time

import pymysql

GIVEN = json.load(sys.stdin)
TABLE = GIVEN["table"]
DUPLICATE = 1062
PAUSE = 0.05

notes = open(sys.argv[1], "w", buffering=1, encoding="ascii")
lock = threading.Lock()
ended = threading.Event()


def note(*words):
    with lock:
        print(f"{time.time():.6f}", *words, file=notes)


def connect():
    return pymysql.connect(
        host=GIVEN["address"],
        port=GIVEN["port"],
        user=GIVEN["user"],
        password=GIVEN["password"],
        database=GIVEN["database"],
        ssl=ssl.create_default_context(cafile=GIVEN["ca"]),
        autocommit=True,
        connect_timeout=2,
        read_timeout=GIVEN["answer_within"],
        write_timeout=GIVEN["answer_within"],
    )


def write(worker):
    """Retries a row until it is there: what failed may have been written."""
    connection = None
    # Unique in every run.
    first = (int(time.time()) * 100 + worker) * 1_000_000
    number = first
    while not ended.is_set():
        try:
            if connection is None:
                connection = connect()
            with connection.cursor() as cursor:
                cursor.execute(f"INSERT INTO {TABLE} (id) VALUES (%s)", (number,))
            note("ack", number)
            number += 1
            time.sleep(GIVEN["pause"])
        except pymysql.err.IntegrityError as error:
            if error.args[0] != DUPLICATE:
                raise
            note("again", number)
            number += 1
        except (pymysql.MySQLError, OSError) as error:
            note("error", error.args[0] if error.args and isinstance(error.args[0], int) else type(error).__name__)
            if connection is not None:
                try:
                    connection.close()
                except (pymysql.MySQLError, OSError):
                    pass
            connection = None
            time.sleep(PAUSE)


with connect() as setup, setup.cursor() as cursor:
    cursor.execute(
        f"CREATE TABLE IF NOT EXISTS {TABLE} (id BIGINT UNSIGNED PRIMARY KEY, at TIMESTAMP(6) DEFAULT CURRENT_TIMESTAMP(6))"
    )
signal.signal(signal.SIGTERM, lambda *_: ended.set())
for worker in range(GIVEN["connections"]):
    threading.Thread(target=write, args=(worker,), daemon=True).start()
ended.wait()
# What is under way may still be answered.
time.sleep(0.2)
with lock:
    print(f"{time.time():.6f} end", file=notes)
    notes.flush()
    os._exit(0)
