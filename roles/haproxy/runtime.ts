/** What HAProxy must have in force, by the lines that `current` compares with what its socket says. */
function expectationsIn(content: string): readonly string[] {
  const expected: string[] = [];
  let section: readonly string[] = [];
  let ownLimit = false;
  content.split('\n').forEach((text, index) => {
    const words = text.trim().split(/\s+/);
    const [word = '', name = '', value = ''] = words;
    if (/^\w/.test(text)) section = words;
    const [kind = '', proxy = ''] = section;
    if (word === 'frontend') expected.push(`frontend ${name}`);
    if (word === 'maxconn' && kind === 'global') expected.push(`limit ${name}`);
    if (word === 'maxconn' && kind !== 'global') ownLimit = true;
    if (word === 'server' && kind === 'backend') {
      const [, address = '', port = ''] = /^\[?(.*?)\]?:(\d+)$/.exec(value) ?? [];
      expected.push(`server ${proxy}/${name} ${address} ${port}`);
    }
    // Each address of such a line is an entry, which can also be added to and removed by the socket.
    if (word === 'acl' && words[2] === 'src' && !words.slice(3).some((one) => one.startsWith('-'))) {
      expected.push(`acl ${index + 1} ${words.length - 3}`);
    }
  });
  const plain = expected.filter((line) => /^[\w ./:-]+$/.test(line));
  return ownLimit ? plain.filter((line) => !line.startsWith('limit ')) : plain;
}

/**
 * Says what a socket of HAProxy has changed, in one line. What an old worker answers, which is about to end, and a
 * HAProxy that does not answer at all say nothing: that is the business of the health check.
 */
const compare = String.raw`BEGIN { OFS = ""; said = "" }
function say(text) { said = said (said == "" ? "" : "; ") text }
$1 == "expect" && $2 == "server" { address[$3] = $4; port[$3] = $5; next }
$1 == "expect" && $2 == "frontend" { frontend[$3] = 1; next }
$1 == "expect" && $2 == "limit" { limit = $3; next }
$1 == "expect" && $2 == "acl" { entries[$3] = $4; next }
$1 == "expect" && $2 == "digest" { digest[$3] = toupper($4); next }
/^Stopping: / { answered = 1; if ($2 != 0) { silent = 1; exit } next }
/^Maxconn: / && limit != "" && $2 != limit { say("takes " $2 " connections instead of " limit); next }
/^(ConnRateLimit|SessRateLimit|SslRateLimit): / && $2 != 0 { say("takes " $2 " a second (" substr($1, 1, length($1) - 1) ")"); next }
/^Filename: / { file = $2; next }
/^SHA1 FingerPrint: / {
  if (file in digest) { found[file] = 1; if (index(" " digest[file] " ", " " $3 " ") == 0) say("serves another certificate than " file) }
  next
}
/^[0-9]+ \(.*\) acl / {
  if (match($0, / line [0-9]+\./)) {
    line = substr($0, RSTART + 6, RLENGTH - 7)
    if (line in entries && match($0, /entry_cnt=[0-9]+/)) {
      count = substr($0, RSTART + 10, RLENGTH - 10)
      if (count != entries[line]) say("the acl in line " line " has " count " entries instead of " entries[line])
    }
  }
  next
}
/^[0-9]+ [^ ,]+ [0-9]+ [^ ,]+ / && NF >= 22 {
  name = $2 "/" $4; listed[name] = 1
  admin = $7 + 0; check = $14 + 0
  if (!(name in address)) { say("has the server " name); next }
  if (admin % 2) say(name " is in maintenance")
  if (int(admin / 8) % 2) say(name " is drained")
  if ($8 != $9) say(name " has the weight " $8 " instead of " $9)
  if ((address[name] ~ /^[0-9.]+$|:/ && $5 != address[name]) || $19 != port[name]) say(name " is sent to " $5 ":" $19)
  if (admin == 0 && int(check / 2) % 2 && (int(check / 4) % 2 == 0 || int(check / 8) % 2)) say(name " is not checked")
  next
}
/^[^#,]+,FRONTEND,/ {
  split($0, field, ","); open[field[1]] = 1
  if (field[18] != "OPEN") say("the frontend " field[1] " is " tolower(field[18]))
  if (limit != "" && field[7] != "" && field[7] != limit) say("the frontend " field[1] " takes " field[7] " connections instead of " limit)
  next
}
/^[^#,]+,[^,]+,/ { split($0, field, ","); if (field[7] != "") say(field[1] "/" field[2] " takes " field[7] " connections") }
END {
  if (silent || !answered) exit 0
  for (name in frontend) if (!(name in open)) say("the frontend " name " is gone")
  for (name in address) if (!(name in listed)) say("the server " name " is gone")
  if (said != "") { print said; exit 1 }
}`;

/**
 * A command for `current` of the service: what the socket of HAProxy has changed since it read its files. Of the
 * certificates the one that visitors see is compared; each costs as much as all the rest.
 */
export function current(content: string, certificate: string): string[] {
  const asked = [
    'show info',
    'show servers state',
    'show stat -1 5 -1',
    'show acl',
    `show ssl cert ${certificate}`,
  ];
  const script = `ask() { printf '%s\\n' "$1" | socat -t3 - UNIX-CONNECT:/run/haproxy/admin.sock; }
digest() { sed -n '/BEGIN CERT/,/END CERT/{/CERT/!p;/END CERT/q}' "$1" | base64 -d | sha1sum; }
{
  printf 'expect %s\\n' "$@"
  read -r sum rest < <(digest ${certificate})
  echo "expect digest ${certificate} $sum"
  ask '${asked.join(';')}'
} 2>/dev/null | awk '${compare}'`;
  return ['bash', '-c', script, 'current', ...expectationsIn(content)];
}
