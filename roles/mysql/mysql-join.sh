#!/bin/sh
# Written by Hostwright (role mysql). Joins this server to its group where it is outside of it. It never begins one.
# With "wait" it waits for another run of this, and says why a server does not join.
set -eu

sql() {
  HOME=/nonexistent timeout -k 2 150 mysql --no-defaults --protocol=socket --user=root --connect-timeout=5 \
    --batch --skip-column-names
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
