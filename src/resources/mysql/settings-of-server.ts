import type { Flavor } from './sql.ts';

/** `name=value`, one behind the other; a value may be empty, or have spaces in it. */
function table(text: string): ReadonlyMap<string, string> {
  const pairs = text.trim().split(/\s+(?=[a-z0-9_]+=)/);
  return new Map(pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]));
}

/**
 * Settings that decide about access, durability, replication and logging, with the server's own values. They count
 * where something was set beside the option files: by a statement, for good or not, or on the command line.
 */
const mysql = `
autocommit=ON automatic_sp_privileges=ON completion_type=NO_CHAIN connect_timeout=10 default_storage_engine=InnoDB
event_scheduler=ON flush=OFF foreign_key_checks=ON general_log=OFF init_connect= init_replica= interactive_timeout=28800
low_priority_updates=OFF max_connect_errors=100 max_error_count=1024 max_prepared_stmt_count=16382 max_user_connections=0
net_read_timeout=30 net_retry_count=10 net_write_timeout=60 old_alter_table=OFF slow_query_log=OFF sql_log_off=OFF
sql_safe_updates=OFF sql_warnings=OFF sync_binlog=1 transaction_isolation=REPEATABLE-READ transaction_read_only=OFF
unique_checks=ON wait_timeout=28800 long_query_time=10 log_output=FILE log_queries_not_using_indexes=OFF
log_bin_trust_function_creators=OFF lock_wait_timeout=31536000 updatable_views_with_limit=YES
auto_increment_increment=1 auto_increment_offset=1 binlog_format=ROW binlog_row_image=FULL binlog_checksum=CRC32
binlog_order_commits=ON
innodb_deadlock_detect=ON innodb_fast_shutdown=1 innodb_file_per_table=ON innodb_flush_log_at_timeout=1
innodb_flush_log_at_trx_commit=1 innodb_lock_wait_timeout=50 innodb_max_purge_lag=0 innodb_print_all_deadlocks=OFF
innodb_status_output=OFF innodb_status_output_locks=OFF innodb_strict_mode=ON innodb_table_locks=ON innodb_thread_concurrency=0
innodb_checksum_algorithm=crc32
activate_all_roles_on_login=OFF activate_mandatory_roles=ON authentication_policy=*,, binlog_encryption=OFF
binlog_error_action=ABORT_SERVER binlog_expire_logs_auto_purge=ON binlog_group_commit_sync_delay=0
binlog_group_commit_sync_no_delay_count=0 binlog_row_metadata=MINIMAL binlog_row_value_options=
binlog_rows_query_log_events=OFF binlog_transaction_compression=OFF caching_sha2_password_digest_rounds=10000
caching_sha2_password_proxy_users=OFF check_proxy_users=OFF default_password_lifetime=0
default_table_encryption=OFF global_connection_memory_tracking=OFF innodb_doublewrite=ON innodb_log_checksums=ON
innodb_redo_log_archive_dirs= log_error_services=log_filter_internal; log_sink_internal log_error_suppression_list=
log_error_verbosity=2 log_raw=OFF log_slow_admin_statements=OFF log_slow_extra=OFF log_slow_replica_statements=OFF
mandatory_roles= max_allowed_packet=67108864 max_binlog_cache_size=18446744073709547520 max_execution_time=0
max_join_size=18446744073709551615 offline_mode=OFF partial_revokes=OFF password_history=0
password_require_current=OFF password_reuse_interval=0 print_identified_with_as_hex=OFF
protocol_compression_algorithms=zlib,zstd,uncompressed relay_log_purge=ON replica_compressed_protocol=OFF
replica_exec_mode=STRICT replica_net_timeout=60 replica_parallel_workers=4 replica_preserve_commit_order=ON
replica_sql_verify_checksum=ON replica_transaction_retries=10 replica_type_conversions= restrict_fk_on_non_standard_key=ON
schema_definition_cache=256 session_track_gtids=OFF sha256_password_proxy_users=OFF source_verify_checksum=OFF
sql_require_primary_key=OFF
sql_mode=ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION
ssl_capath= ssl_cipher= ssl_crl= ssl_crlpath= ssl_session_cache_mode=ON sync_relay_log=10000 sync_source_info=10000
table_encryption_privilege_check=OFF terminology_use_previous=NONE time_zone=SYSTEM tls_ciphersuites= xa_detach_on_prepare=ON
character_set_server=utf8mb4 collation_server=utf8mb4_0900_ai_ci admin_tls_version=TLSv1.2,TLSv1.3 admin_ssl_ca=
admin_ssl_cert= admin_ssl_key=`;

/** Of MariaDB the server says its own values itself. */
const own: Readonly<Record<Flavor, ReadonlyMap<string, string>>> = {
  mysql: table(mysql),
  mariadb: new Map(),
};

/** Wherever they were set, but in an option file: a server that was started to be repaired, or without its grants. */
const unlessInFile: Readonly<Record<Flavor, ReadonlyMap<string, string>>> = {
  mysql: table('skip_networking=OFF innodb_force_recovery=0 innodb_read_only=OFF'),
  mariadb: table('skip_networking=OFF innodb_force_recovery=0 innodb_read_only=OFF skip_grant_tables=OFF'),
};

/** What counts where nothing is declared. */
export function settingsOfServer(server: Flavor): ReadonlyMap<string, string> {
  return new Map([...own[server], ...unlessInFile[server]]);
}

export function countsAnyway(server: Flavor, name: string): boolean {
  return unlessInFile[server].has(name);
}

/** Settings that only a start of the server changes, of those that are there to be set. */
const atStart = new Set(
  `admin_address admin_port back_log bind_address binlog_gtid_simple_recovery binlog_row_event_max_size character_sets_dir
core_file create_admin_listener_thread datadir disabled_storage_engines ft_max_word_len ft_min_word_len init_file
innodb_autoinc_lock_mode innodb_buffer_pool_chunk_size innodb_buffer_pool_instances innodb_buffer_pool_load_at_startup
innodb_data_file_path innodb_data_home_dir innodb_dedicated_server innodb_directories innodb_doublewrite_dir
innodb_doublewrite_files innodb_doublewrite_pages innodb_flush_method innodb_force_recovery innodb_ft_cache_size
innodb_ft_max_token_size innodb_ft_min_token_size innodb_log_group_home_dir innodb_numa_interleave innodb_open_files
innodb_page_cleaners innodb_page_size innodb_purge_threads innodb_read_io_threads innodb_read_only
innodb_rollback_on_timeout innodb_sort_buffer_size innodb_temp_data_file_path innodb_temp_tablespaces_dir
innodb_undo_directory innodb_use_native_aio innodb_write_io_threads large_pages lc_messages_dir log_bin log_error
log_replica_updates log_slave_updates lower_case_table_names max_digest_length myisam_recover_options ngram_token_size
open_files_limit performance_schema persisted_globals_load pid_file plugin_dir port relay_log relay_log_recovery
relay_log_space_limit replica_load_tmpdir replica_skip_errors report_host report_password report_port report_user
secure_file_priv skip_external_locking skip_grant_tables skip_name_resolve skip_networking skip_replica_start
skip_show_database skip_slave_start slave_load_tmpdir slave_skip_errors socket table_open_cache_instances thread_handling
thread_stack tmpdir`.split(/\s+/),
);

const atStartOfMariadb = new Set([
  ...['ssl_ca', 'ssl_cert', 'ssl_key', 'ssl_cipher', 'tls_version'],
  ...['wsrep_provider', 'wsrep_data_home_dir'],
]);

export function needsStart(server: Flavor, name: string): boolean {
  return (
    atStart.has(name) ||
    /^performance_schema_(?!show_processlist|max_digest_sample_age)/.test(name) ||
    (server === 'mariadb' && atStartOfMariadb.has(name))
  );
}
