"""Answers command lines as Ansible's own programs do, all in one process.

Reads a JSON list of argument lists ("ansible" or "ansible-inventory" first) on standard input and writes a
JSON list of {"status", "stdout", "stderr"}. Each runs in a fork: Ansible keeps what it read in globals.
"""

import json
import os
import sys
import tempfile

from ansible.cli.adhoc import AdHocCLI
from ansible.cli.inventory import InventoryCLI

PROGRAMS = {"ansible": AdHocCLI, "ansible-inventory": InventoryCLI}


def answer(arguments):
    with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        child = os.fork()
        if child == 0:
            os.dup2(stdout.fileno(), 1)
            os.dup2(stderr.fileno(), 2)
            status = 70
            try:
                PROGRAMS[arguments[0]].cli_executor(arguments)
            except SystemExit as end:
                status = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(status)
        _, wait_status = os.waitpid(child, 0)
        stdout.seek(0)
        stderr.seek(0)
        return {
            "status": os.waitstatus_to_exitcode(wait_status),
            "stdout": stdout.read().decode(),
            "stderr": stderr.read().decode(),
        }


json.dump([answer(arguments) for arguments in json.load(sys.stdin)], sys.stdout)
