SET LOCAL ROLE morrow_definer;

DROP FUNCTION tell_streams(uuid[], uuid[], interval), take_request(uuid, uuid, jsonb), take_from_bucket(uuid, uuid, double precision),
  bucket_level(double precision, timestamptz, double precision);
DROP FUNCTION tell_breakers(text, text, interval, jsonb),
  told_breakers(uuid, interval, text, text, uuid, integer), reset_breaker(text);
DROP FUNCTION periodic_due(text, interval, integer), periodic_health();
DROP FUNCTION
  keys_by_prefix(text), ended_keys(interval), note_key_uses(uuid[], uuid[]);
DROP FUNCTION
  tenant_ids(uuid, integer), queue_reserve(smallint, double precision),
  queue_room(uuid, text[], integer),
  queue_turns(text[], smallint, smallint, integer, integer),
  queue_take(text, text[], smallint, smallint, integer, interval, integer),
  claim_tasks(text, text[], integer, interval, integer, interval[]),
  renew_leases(uuid[], bigint[], bigint[], interval), queue_depth();

SET LOCAL ROLE morrow_owner;

DROP TRIGGER audit_chain ON audit_log;
SET LOCAL ROLE morrow_definer;
DROP FUNCTION erasures_since(interval), erased_among(uuid[]), erase_audit_details(integer);
DROP FUNCTION audit_chain(), audit_chains();
SET LOCAL ROLE morrow_owner;

DROP TABLE request_buckets, open_streams, usage;
DROP TABLE circuit_breakers, breaker_instances, breaker_resets;
DROP TABLE spool_receipts;
DROP TABLE sources, source_syncs, order_lines, weather_days, traffic_days;
DROP TABLE retrainings, training_marks, series_growth, retraining_policies, periodic_runs;
DROP TABLE
  forecasts, model_aliases, models, queue_shares, queue_terms, tasks, idempotent_answers, stream_tickets,
  job_events, kept_pools, jobs, calendar_events, regressor_days, sale_corrections, sales, series, products,
  locations, audit_log, audit_heads, erasures, api_keys, tenants;

DROP SEQUENCE queue_turn;

DROP FUNCTION app_tenant();
