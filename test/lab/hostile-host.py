"""Stands in the place of a host's shell, speaks the protocol well enough to be believed, and then does not.

Runs as the ForceCommand of a real sshd; the word after the program says what is wrong with the host.
"""

import os
import re
import sys
import time

kind = sys.argv[1]
out, source = sys.stdout.buffer, sys.stdin.buffer
command = os.environ["SSH_ORIGINAL_COMMAND"]
marker = "".join(re.search(r"echo ([0-9a-f]+)\"\"([0-9a-f]+)", command).groups()).encode()
length = int(re.search(r"head -c (\d+)", command)[1])


def say(*parts):
    for part in parts:
        out.write(part)
    out.flush()


def flood(part):
    while True:
        out.write(part)


if kind == "flood before it starts":
    flood(b"x" * 65536)
say(b"welcome \x1b]52;c;cHduZWQ=\x07\x9b2J\n", marker, b"\n")
loop = source.read(length)
nonce = re.search(rb"^n=([0-9a-f]+)", loop, re.M)[1]

if kind == "garbage":
    say(b"\x00\xff\x1b[2Jgarbage\n")
if kind == "an endless line":
    flood(b"\xff" * 65536)
if kind == "another word":
    say(nonce[::-1], b" ready\n")
if kind == "a failure with escapes":
    say(nonce, b" failed \x1b]0;owned\x07\x1b[2J\xe2\x80\xae\xc2\x9b31m\xff\n")
say(nonce, b" ready\n")
if kind == "readiness without end":
    flood(nonce + b" ready\n")
if kind == "an answer before any question":
    say(nonce, b" answer 1 done 0 0 0\n", nonce, b" end 1\n")
if kind == "errors without end":
    while True:
        os.write(2, b"\x1b[31mx" * 8192)

escapes = "\x1b]0;owned\x07\x1b[2J\u009b2J\u202e\u2066\x7f\r\x08\x00\ud800".encode("utf-8", "surrogatepass") + b"\xff\xfe\xc0"
facts = b"ID=debian\nVERSION_CODENAME=trixie\narchitecture=amd64\nhostname=h\nkernel=6\nprocessors=1\nmemory=1000\n"
asked = 0


def sections(*answers):
    lines = [b"%d %d %d\n" % (code, len(text), len(errors)) for code, text, errors in answers]
    return b"".join(lines) + b"".join(text + errors for _, text, errors in answers)


def answer(sequence, body, errors=b"", outcome=b"done"):
    say(nonce, b" answer %d %s 0 %d %d\n" % (sequence, outcome, len(body), len(errors)), body, errors)
    say(nonce, b" end %d\n" % sequence)


for line in iter(source.readline, b""):
    sequence, script, stdin = (int(word) for word in line.split()[:3])
    count = len(re.findall(rb"^hw_section [0-9]+ ", source.read(script), re.MULTILINE)) or 1
    source.read(stdin)
    source.readline()
    asked += 1
    if kind == "an answer to another question":
        answer(sequence + 1, sections((0, facts, b""), (0, b"", b"")))
    elif kind == "huge numbers":
        say(nonce, b" answer %d done 0 999999999999999 999999999999999\n" % sequence)
        flood(b"x" * 65536)
    elif kind == "numbers beyond all numbers":
        answer(sequence, b"0 " + b"9" * 400 + b" 0\n")
    elif kind == "an end in the middle":
        say(nonce, b" answer %d done 0 50000000 0\n" % sequence, b"x" * 40_000_000)
        sys.exit()
    elif kind == "more than was announced":
        say(nonce, b" answer %d done 0 10 0\n" % sequence, b"x" * 10_000_000)
    elif kind == "another count of answers":
        answer(sequence, sections((0, facts, b"")))
    elif kind == "a lock with escapes":
        holder = b'{"user":"\\u001b]0;owned\\u0007","controller":"\\u009b2J","pid":1e308,"since":"\\u202e"}\n'
        answer(sequence, holder * 10000, outcome=b"locked")
    elif kind == "no Debian" and asked == 1:
        answer(sequence, sections((0, b"ID=" + escapes + b"\n" + b"x" * 20_000_000, escapes * 100_000), (0, b"", b"")))
    elif kind == "facts of forty megabytes" and asked == 1:
        answer(sequence, sections((0, facts + b"address=::1 eth0\n" * 2_400_000, b""), (0, b"x" * 100, b"")))
    elif asked == 1:
        named = facts.replace(b"hostname=h", b"hostname=" + escapes.replace(b"\r", b"")) if kind == "escapes" else facts
        answer(sequence, sections((0, named, b""), (0, escapes + b"\n" + b"0" * 32 + b"* file:/etc/x\n", b"")))
    elif kind == "probes that fail with escapes":
        answer(sequence, sections(*[(7, b"", escapes * (1_200_000 // count))] * count))
    elif kind == "probes of garbage":
        answer(sequence, sections(*[(0, escapes * (1_200_000 // count), b"")] * count))
    elif kind == "probes of lines without end":
        answer(sequence, sections(*[(0, b"a:" * (21_000_000 // count), b"")] * count))
    elif kind == "states of megabytes":
        link = b"f\x000644\x00" + escapes.replace(b"\x00", b"") * 200_000 + b"\x00root\x005\x00\x00/etc/x\x00"
        others = b"0 " + b"QUFB" * 2_000_000
        user = b"p:mallory:x:1:1:" + b"x" * 8_000_000 + b":/h:/s\n"
        mounts = b"mount / " + b"x" * 8_000_000 + b" ext4 /dev/sda1\n"
        states = [(0, text, b"") for text in (link, others + b"\n", user, mounts)]
        answer(sequence, sections(*(states * count)[:count]))
    elif kind == "deep JSON":
        answer(sequence, sections(*[(0, b"ready\n" + b"[" * 5_000_000, b"")] * count))
    elif kind == "a slow drip":
        for byte in b"%s answer %d done 0 5 0\n" % (nonce, sequence):
            say(bytes([byte]))
            time.sleep(0.05)
        sys.exit()
