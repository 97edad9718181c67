
case ${1:-} in
  now) backup_now ;;
  logs) backup_logs ;;
  list) backup_list ;;
  test) backup_test "${2:-}" ;;
  test-new) backup_test_new ;;
  look) backup_look "$2" ;;
  restore) backup_restore "$2" "${3:-}" ;;
  clean) clean "$2" ;;
  *)
    say "usage: $0 now | logs | list | test [HOST/TIME] | look TIME | restore TIME [GTIDS]"
    exit 64
    ;;
esac
