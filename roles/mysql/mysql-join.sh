#!/bin/sh
# Written by Hostwright (role mysql). Joins this server to its group where it is outside of it. It never begins one.
# With "wait" it waits for another run of this, and says why a server does not join.
set -eu

sql() {
  HOME=/nonexistent timeout -k 2 150 mysql --no-defaults --protocol=socket --user=root --connect-timeout=5 \
    --batch --raw --skip-column-names
}

# Whether another member says that it is in a group, or what one says is not known. A START that finds nobody takes a
# minute, in which no group can be begun here either.
may_find() {
  login=$(sql <<'END'
SELECT CONCAT_WS('\n', '[client]', CONCAT('user=', User_name), CONCAT('password="', User_password, '"'),
    'ssl-mode=VERIFY_IDENTITY', CONCAT('ssl-ca=', @@global.group_replication_recovery_ssl_ca),
    CONCAT('ssl-cert=', @@global.group_replication_recovery_ssl_cert),
    CONCAT('ssl-key=', @@global.group_replication_recovery_ssl_key))
  FROM mysql.slave_master_info WHERE Channel_name = 'group_replication_recovery';
END
)
  own=$(echo 'SELECT @@global.group_replication_local_address;' | sql)
  seeds=$(echo 'SELECT @@global.group_replication_group_seeds;' | sql)
  question="SELECT COUNT(*) FROM performance_schema.replication_group_members WHERE MEMBER_STATE IN ('ONLINE', 'RECOVERING')"
  for seed in $(echo "$seeds" | tr , ' '); do
    [ "$seed" != "$own" ] || continue
    host=${seed%:*}
    host=${host#[}
    answer=$(printf '%s\n' "$login" | HOME=/nonexistent timeout -k 2 10 mysql --defaults-file=/dev/stdin --protocol=tcp \
      --host="${host%]}" --port="${seed##*:}" --connect-timeout=5 --batch --skip-column-names --execute="$question" 2>&1) || :
    case $answer in
      0 | 'ERROR 2003 '* | 'ERROR 2013 '*) ;;
      *) return 0 ;;
    esac
  done
  return 1
}

exec 9>/run/mysql-group.lock
if [ "${1-}" = wait ]; then
  flock -w 150 9 || { echo 'another run joins the group' >&2; exit 1; }
else
  flock -n 9 || exit 0
fi

found=$(sql 2>/dev/null <<'END'
SELECT CONCAT(MEMBER_STATE, IF(@@global.gtid_executed = '' AND NOT EXISTS (SELECT 1 FROM information_schema.SCHEMATA
    WHERE SCHEMA_NAME NOT IN ('mysql', 'information_schema', 'performance_schema', 'sys')), ' empty', ''))
  FROM performance_schema.replication_group_members WHERE MEMBER_ID = @@global.server_uuid
    AND EXISTS (SELECT 1 FROM mysql.slave_master_info WHERE Channel_name = 'group_replication_recovery' AND User_name <> '');
END
) || exit 0
case $found in
  OFFLINE* | ERROR*) ;;
  *) exit 0 ;;
esac
if ! may_find; then
  [ "${1-}" = wait ] || exit 0
  echo 'no other member is in a group, or none can be reached' >&2
  exit 1
fi
# The data of others may be older than their binary logs: an empty server copies everything.
case $found in
  *empty) threshold=1 ;;
  *) threshold=DEFAULT ;;
esac
if ! problem=$(sql 2>&1 <<END
SET GLOBAL group_replication_bootstrap_group = OFF;
STOP GROUP_REPLICATION;
SET GLOBAL group_replication_clone_threshold = $threshold;
START GROUP_REPLICATION;
END
); then
  printf '%s\n' "$problem" >&2
  grep -F 'Plugin group_replication reported' /var/log/mysql/error.log | grep -F '[ERROR]' | tail -n 3 |
    sed 's/.*reported: //' >&2
  [ "${1-}" != wait ] || exit 1
fi
