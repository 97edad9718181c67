#!/bin/sh
# Keeps the certificate of the site: asks the ACME CA for one when it is due, and gives it to HAProxy while
# that runs. Started by a timer and by Hostwright. `check` changes nothing: it fails when the certificate is
# not one that browsers take, or another is served. `--force` asks the CA whatever there is.
set -eu
umask 077
export LC_ALL=C

configuration=/etc/hostwright/certificate.conf
state=/var/lib/hostwright/certificate
names='' email='' directory='' ca_file='' addresses='' balancers='' account_key='' bundle='' socket=''
while IFS= read -r line; do
  value=${line#*=}
  case $line in
    names=*) names=$value ;;
    email=*) email=$value ;;
    directory=*) directory=$value ;;
    ca_file=*) ca_file=$value ;;
    addresses=*) addresses=$value ;;
    balancers=*) balancers=$value ;;
    account_key=*) account_key=$value ;;
    bundle=*) bundle=$value ;;
    socket=*) socket=$value ;;
  esac
done <"$configuration"
first=${names%% *}

say() { printf '%s\n' "$*" >&2; }
# What a person should see, with a priority for the journal.
complain() {
  printf '%s\n' "$*" | sed "s/^/${JOURNAL_STREAM:+<4>}/" >&2
}
words() { printf '%s\n' "$1" | tr ' ' '\n' | sort -u; }
x509() { openssl x509 -in "$1" -noout -nameopt RFC2253 "$2" </dev/null 2>/dev/null; }
seconds() { date -d "$(x509 "$1" "$2" | cut -d= -f2)" +%s; }

# Says why a bundle is of no use to browsers; says nothing when it is in order. $2: the CA that issued it, where
# that is not on record.
useless() {
  public=$(x509 "$1" -pubkey) || public=missing
  if [ "$public" != "$(openssl pkey -in "$1" -passin pass: -pubout </dev/null 2>/dev/null)" ]; then
    echo 'is missing or damaged'
    return
  fi
  if [ "$(x509 "$1" -subject_hash)" = "$(x509 "$1" -issuer_hash)" ]; then
    echo 'is self-signed'
    return
  fi
  has=$(openssl x509 -in "$1" -noout -ext subjectAltName </dev/null 2>/dev/null | tr ',' '\n' | sed -n 's/^ *DNS://p')
  if [ "$(words "$has")" != "$(words "$names")" ]; then
    echo 'is for other names'
    return
  fi
  if [ "${2:-$(cat "$state/directory" 2>/dev/null)}" != "$directory" ]; then
    echo 'is of another CA'
    return
  fi
  [ "$(date +%s)" -lt "$(seconds "$1" -enddate)" ] || echo 'has run out'
}

# Says why a new one is to be asked for; a third of its time is left for the attempts to get it.
due() {
  reason=$(useless "$@")
  if [ -n "$reason" ]; then echo "$reason"; return; fi
  start=$(seconds "$1" -startdate)
  end=$(seconds "$1" -enddate)
  [ $((3 * (end - $(date +%s)))) -ge $((end - start)) ] || echo 'runs out soon'
}

# Somebody's own, however good: what the CA issued comes back.
is_foreign() { [ -f "$state/site.pem" ] && ! cmp -s "$state/site.pem" "$bundle"; }

fingerprint() { openssl x509 -noout -fingerprint -sha256 2>/dev/null </dev/stdin || :; }
served() {
  timeout 10 openssl s_client -connect 127.0.0.1:443 -servername "$first" </dev/null 2>/dev/null | fingerprint
}

if [ "${1:-}" = check ]; then
  reason=$(useless "$bundle")
  if [ -z "$reason" ] && is_foreign; then reason='is not the one that the CA issued'; fi
  if [ -n "$reason" ]; then say "the certificate of $first $reason"; exit 1; fi
  [ "$(served)" = "$(fingerprint <"$bundle")" ] || { say "HAProxy does not serve the certificate of $first"; exit 1; }
  exit 0
fi

mkdir -p "$state"
exec 9>"$state/lock"
flock 9

# The CA counts failures: it is not asked for a name that leads elsewhere. Every balancer of the site answers for
# the account, whichever of them the name leads to.
points_here() {
  own=$addresses
  [ -n "$own" ] || own=$(ip -o address show scope global | awk '{ sub("/.*", "", $4); print $4 }')
  expected=''
  for address in $own $balancers; do
    expected="${expected:+$expected }$(getent ahosts "$address" | awk 'NR == 1 { print $1 }')"
  done
  for name in $names; do
    found=$(timeout 20 getent ahosts "$name" | awk '{ print $1 }' | sort -u) || found=''
    if [ -z "$found" ]; then
      complain "$name has no address in the DNS: point it to a balancer ($expected), then run this again"
      return 1
    fi
    for address in $found; do
      case " $expected " in
        *" $address "*) ;;
        *)
          complain "$name points to $address in the DNS, which is no address of a balancer ($expected): correct the DNS, or set certificate_addresses to the addresses at which the balancers are reached from outside"
          return 1
          ;;
      esac
    done
  done
}

# lego keeps accounts by server and e-mail address. HAProxy answers for the key of the site and for no other.
server=${directory#https://}
server=${server%%/*}
account=$state/lego/accounts/$(printf '%s' "${server##*@}" | tr : _)/$email
use_account_key() {
  mkdir -p "$account/keys" || return 1
  cmp -s "$account_key" "$account/keys/$email.key" && return
  rm -f "$account/account.json" && cp "$account_key" "$account/keys/$email.key"
}

# Nobody asks for the files that lego makes there; a listener would want a port that others could take.
ask() {
  set -- --accept-tos --email "$email" --server "$directory" --path "$state/lego" --key-type ec256 \
    --http --http.webroot "$state/webroot"
  for name in $names; do set -- "$@" --domains "$name"; done
  [ -z "$ca_file" ] || export LEGO_CA_CERTIFICATES="$ca_file"
  {
    rm -rf "$state/webroot" && mkdir "$state/webroot" && use_account_key && timeout 300 lego "$@" run
  } >"$state/log" 2>&1
}

# Puts together what lego left, and takes it only when it is what was asked for. Until the CA is on record what is
# there is not taken for its own: a stop in between costs one certificate more.
accept() {
  { cat "$state/lego/certificates/$first.crt" "$state/lego/certificates/$first.key"; } | sed '/^$/d' >"$state/site.pem.new"
  reason=$(due "$state/site.pem.new" "$directory")
  if [ -n "$reason" ]; then
    rm "$state/site.pem.new"
    complain "the CA issued a certificate that $reason"
    return 1
  fi
  sync "$state/site.pem.new"
  mv -fT "$state/site.pem.new" "$state/site.pem"
  printf '%s\n' "$directory" >"$state/directory"
}

issue() {
  points_here || return 1
  say "the certificate of $first $1: asking $directory"
  pause=5
  while ! ask; do
    if grep -q 'error:accountDoesNotExist' "$state/log"; then
      # A CA that does not know us any more; a new account of the same key costs nothing.
      rm -f "$account/account.json"
    elif grep -qE 'error:(unauthorized|connection|dns|caa|rateLimited|rejectedIdentifier|userActionRequired|unsupportedContact|invalidContact)' "$state/log"; then
      complain "the CA refuses:
$(grep -E 'error:' "$state/log" | tail -n 3)"
      return 1
    fi
    if [ "$pause" -gt 20 ]; then
      complain "the CA does not issue a certificate:
$(tail -n 3 "$state/log")"
      return 1
    fi
    sleep "$pause"
    pause=$((pause * 3))
  done
  accept
}

# The file first: a reload at this moment reads the new one.
install_bundle() {
  cmp -s "$state/site.pem" "$bundle" && return
  next=$(dirname "$(dirname "$bundle")")/.hostwright.$(basename "$bundle")
  cp "$state/site.pem" "$next"
  sync "$next"
  if [ -d "$bundle" ] && [ ! -L "$bundle" ]; then rmdir "$bundle"; fi
  mv -fT "$next" "$bundle"
}

haproxy() { socat -t10 - "UNIX-CONNECT:$socket" || :; }

# HAProxy takes up a certificate while it runs; connections that are open keep the old one. One that browsers
# refuse is left for the next start: the one in its memory may be better.
deploy() {
  [ -z "$(useless "$bundle")" ] || return 0
  if [ ! -S "$socket" ]; then say 'HAProxy does not run; it will read the certificate when it starts'; return; fi
  wanted=$(fingerprint <"$bundle")
  [ "$(served)" != "$wanted" ] || return 0
  answer=$({ printf 'set ssl cert %s <<\n' "$bundle"; cat "$bundle"; echo; } | haproxy)
  answer="$answer $(echo "commit ssl cert $bundle" | haproxy)"
  if [ "$(served)" = "$wanted" ]; then say "HAProxy serves the new certificate of $first"; return; fi
  echo "abort ssl cert $bundle" | haproxy >/dev/null
  complain "HAProxy does not take up the certificate: $answer"
  return 1
}

status=0
reason=$(due "$bundle")
if [ -z "$reason" ] && is_foreign; then reason='is not the one that the CA issued'; fi
if [ "${1:-}" = --force ]; then reason='is to be replaced'; fi
if [ -n "$reason" ] && [ "${1:-}" != --force ] && [ -z "$(due "$state/site.pem")" ]; then
  say "the certificate of $first $reason: restored from $state/site.pem"
  install_bundle
elif [ -n "$reason" ]; then
  if issue "$reason"; then install_bundle; else status=1; fi
fi
if [ "$status" -ne 0 ] && [ -z "$(useless "$bundle")" ]; then
  complain "the certificate that is there is kept; it is valid until $(x509 "$bundle" -enddate | cut -d= -f2)"
fi
deploy || status=1
exit "$status"
