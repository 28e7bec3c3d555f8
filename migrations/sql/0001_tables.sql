-- Every table: tenant_id first in each key, and in each foreign key.

CREATE TABLE sale_corrections (
  tenant_id uuid NOT NULL,
  id bigint GENERATED ALWAYS AS IDENTITY,
  series_id bigint NOT NULL,
  date date NOT NULL,
  quantity_before double precision,
  quantity_after double precision,
  corrected_at timestamptz DEFAULT now() NOT NULL,
  CONSTRAINT pk_sale_corrections PRIMARY KEY (tenant_id, id)
);

CREATE TABLE sales (
  tenant_id uuid NOT NULL,
  series_id bigint NOT NULL,
  date date NOT NULL,
  quantity double precision,
  price double precision,
  promotion double precision,
  stockout boolean,
  open boolean,
  updated_at timestamptz DEFAULT now() NOT NULL,
  CONSTRAINT pk_sales PRIMARY KEY (tenant_id, series_id, date)
);

CREATE TABLE tenants (
  tenant_id uuid NOT NULL,
  name text NOT NULL,
  slug text NOT NULL,
  country text NOT NULL,
  subdivision text,
  timezone text NOT NULL,
  latitude double precision,
  longitude double precision,
  currency text,
  plan text NOT NULL,
  limits jsonb DEFAULT '{}'::jsonb NOT NULL,
  created_at timestamptz DEFAULT now() NOT NULL,
  CONSTRAINT pk_tenants PRIMARY KEY (tenant_id)
);

CREATE TABLE api_keys (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  name text NOT NULL,
  prefix text NOT NULL,
  digest bytea NOT NULL,
  scopes text[] NOT NULL,
  created_at timestamptz DEFAULT now() NOT NULL,
  expires_at timestamptz,
  revoked_at timestamptz,
  last_used_at timestamptz,
  requests_per_minute bigint,
  replaced_by uuid,
  CONSTRAINT pk_api_keys PRIMARY KEY (tenant_id, id),
  CONSTRAINT fk_api_keys_tenants FOREIGN KEY(tenant_id) REFERENCES tenants (tenant_id),
  CONSTRAINT fk_api_keys_api_keys FOREIGN KEY(tenant_id, replaced_by) REFERENCES api_keys (tenant_id, id)
);

CREATE INDEX ix_api_keys_prefix ON api_keys (prefix);

CREATE INDEX ix_api_keys_ended ON api_keys (least(revoked_at, expires_at));

CREATE TABLE audit_log (
  tenant_id uuid NOT NULL,
  seq bigint NOT NULL,
  at timestamptz NOT NULL,
  action text NOT NULL,
  request_id text,
  concerns uuid,
  actor text,
  key_prefix text,
  subject text,
  before jsonb,
  after jsonb,
  salt bytea,
  details_hash bytea NOT NULL,
  hash bytea NOT NULL,
  CONSTRAINT pk_audit_log PRIMARY KEY (tenant_id, seq),
  CONSTRAINT ck_audit_log_before CHECK (octet_length(before::text) <= 8192),
  CONSTRAINT ck_audit_log_after CHECK (octet_length(after::text) <= 8192)
);

CREATE INDEX ix_audit_log_at ON audit_log (tenant_id, at);
CREATE INDEX ix_audit_log_concerns ON audit_log (tenant_id, concerns, at);

CREATE TABLE erasures (
  tenant_id uuid NOT NULL,
  asked_at timestamptz DEFAULT now() NOT NULL,
  touched_at timestamptz DEFAULT now() NOT NULL,
  rows jsonb DEFAULT '{}'::jsonb NOT NULL,
  audit_entries bigint DEFAULT 0 NOT NULL,
  artifacts bigint DEFAULT 0 NOT NULL,
  spooled bigint DEFAULT 0 NOT NULL,
  finished_at timestamptz,
  remaining jsonb DEFAULT '{}'::jsonb NOT NULL,
  digest text,
  CONSTRAINT pk_erasures PRIMARY KEY (tenant_id)
);

CREATE TABLE audit_heads (
  tenant_id uuid NOT NULL,
  seq bigint NOT NULL,
  hash bytea NOT NULL,
  CONSTRAINT pk_audit_heads PRIMARY KEY (tenant_id)
);

CREATE TABLE calendar_events (
  tenant_id uuid NOT NULL,
  id text NOT NULL,
  name text NOT NULL,
  dates date[] NOT NULL,
  locations text[],
  window_before bigint DEFAULT 0 NOT NULL,
  window_after bigint DEFAULT 0 NOT NULL,
  CONSTRAINT pk_calendar_events PRIMARY KEY (tenant_id, id),
  CONSTRAINT fk_calendar_events_tenants FOREIGN KEY(tenant_id) REFERENCES tenants (tenant_id)
);

CREATE TABLE idempotent_answers (
  tenant_id uuid NOT NULL,
  key text NOT NULL,
  request_digest bytea NOT NULL,
  status bigint,
  body jsonb,
  location text,
  created_at timestamptz DEFAULT now() NOT NULL,
  CONSTRAINT pk_idempotent_answers PRIMARY KEY (tenant_id, key),
  CONSTRAINT fk_idempotent_answers_tenants FOREIGN KEY(tenant_id) REFERENCES tenants (tenant_id)
);

CREATE TABLE jobs (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  status text NOT NULL,
  request jsonb NOT NULL,
  execution jsonb NOT NULL,
  cause jsonb,
  warnings jsonb DEFAULT '[]'::jsonb NOT NULL,
  percent double precision DEFAULT 0 NOT NULL,
  pace jsonb,
  last_seq bigint DEFAULT 0 NOT NULL,
  created_at timestamptz DEFAULT now() NOT NULL,
  started_at timestamptz,
  finished_at timestamptz,
  CONSTRAINT pk_jobs PRIMARY KEY (tenant_id, id),
  CONSTRAINT fk_jobs_tenants FOREIGN KEY(tenant_id) REFERENCES tenants (tenant_id)
);

CREATE INDEX ix_jobs_created ON jobs (tenant_id, created_at, id);

CREATE TABLE locations (
  tenant_id uuid NOT NULL,
  location text NOT NULL,
  name text NOT NULL,
  latitude double precision,
  longitude double precision,
  timezone text,
  country text,
  subdivision text,
  CONSTRAINT pk_locations PRIMARY KEY (tenant_id, location),
  CONSTRAINT fk_locations_tenants FOREIGN KEY(tenant_id) REFERENCES tenants (tenant_id)
);

CREATE TABLE products (
  tenant_id uuid NOT NULL,
  product text NOT NULL,
  name text,
  category text,
  unit text,
  price double precision,
  unit_cost double precision,
  salvage_value double precision,
  shelf_life_days bigint,
  batch_size double precision,
  min_order double precision,
  max_order double precision,
  created_at timestamptz DEFAULT now() NOT NULL,
  CONSTRAINT pk_products PRIMARY KEY (tenant_id, product),
  CONSTRAINT fk_products_tenants FOREIGN KEY(tenant_id) REFERENCES tenants (tenant_id)
);

CREATE TABLE queue_shares (
  tenant_id uuid NOT NULL,
  priority smallint NOT NULL,
  last_finish double precision DEFAULT 0 NOT NULL,
  CONSTRAINT pk_queue_shares PRIMARY KEY (tenant_id, priority),
  CONSTRAINT fk_queue_shares_tenants FOREIGN KEY(tenant_id) REFERENCES tenants (tenant_id)
);

CREATE TABLE queue_terms (
  tenant_id uuid NOT NULL,
  weight double precision DEFAULT 1 NOT NULL,
  most_running bigint,
  CONSTRAINT pk_queue_terms PRIMARY KEY (tenant_id),
  CONSTRAINT fk_queue_terms_tenants FOREIGN KEY(tenant_id) REFERENCES tenants (tenant_id),
  CONSTRAINT ck_queue_terms_weight CHECK (weight BETWEEN 0.001 AND 1000),
  CONSTRAINT ck_queue_terms_most_running CHECK (most_running >= 0)
);

CREATE SEQUENCE queue_turn;

CREATE TABLE regressor_days (
  tenant_id uuid NOT NULL,
  location text NOT NULL,
  product text NOT NULL,
  date date NOT NULL,
  values jsonb NOT NULL,
  CONSTRAINT pk_regressor_days PRIMARY KEY (tenant_id, location, product, date),
  CONSTRAINT fk_regressor_days_tenants FOREIGN KEY(tenant_id) REFERENCES tenants (tenant_id)
);

CREATE TABLE tasks (
  tenant_id uuid NOT NULL,
  id bigint GENERATED ALWAYS AS IDENTITY,
  group_id uuid NOT NULL,
  kind text NOT NULL,
  subject text NOT NULL,
  unique_key text,
  payload jsonb DEFAULT '{}'::jsonb NOT NULL,
  priority smallint NOT NULL,
  cost double precision DEFAULT 1 NOT NULL,
  start_tag double precision NOT NULL,
  state text NOT NULL,
  fence bigint DEFAULT 0 NOT NULL,
  attempt smallint DEFAULT 0 NOT NULL,
  max_attempts smallint DEFAULT 3 NOT NULL,
  run_after timestamptz DEFAULT now() NOT NULL,
  lease_until timestamptz,
  worker text,
  trace text,
  progress jsonb,
  result jsonb,
  error jsonb,
  created_at timestamptz DEFAULT now() NOT NULL,
  started_at timestamptz,
  finished_at timestamptz,
  CONSTRAINT pk_tasks PRIMARY KEY (tenant_id, id),
  CONSTRAINT fk_tasks_tenants FOREIGN KEY(tenant_id) REFERENCES tenants (tenant_id)
);

CREATE INDEX ix_tasks_claim ON tasks (kind, priority, start_tag, id) WHERE state = 'queued';

CREATE INDEX ix_tasks_age ON tasks (kind, priority, created_at) WHERE state = 'queued';

CREATE INDEX ix_tasks_backlog ON tasks (tenant_id, state, kind, priority, start_tag, id)
  WHERE state IN ('held', 'waiting', 'queued');

CREATE INDEX ix_tasks_waiting ON tasks (run_after) WHERE state = 'waiting';

CREATE UNIQUE INDEX ix_tasks_running ON tasks (tenant_id, unique_key) WHERE state = 'running';

-- Whoever asks for the running task of a series does not speak of leases, and cannot be given this.
CREATE INDEX ix_tasks_lease ON tasks (lease_until)
  WHERE state = 'running' AND lease_until IS NOT NULL;

CREATE INDEX ix_tasks_group ON tasks (tenant_id, group_id, kind, state);

-- The front of the queue is where rows die: they go at once, and also from the indexes, however
-- many rows that have ended lie beside them.
ALTER TABLE tasks SET (
  autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
  autovacuum_vacuum_cost_delay = 0, vacuum_index_cleanup = on,
  autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 50000
);

CREATE TABLE job_events (
  tenant_id uuid NOT NULL,
  job_id uuid NOT NULL,
  seq bigint NOT NULL,
  at timestamptz DEFAULT clock_timestamp() NOT NULL,
  type text NOT NULL,
  percent double precision NOT NULL,
  eta_seconds double precision,
  message text NOT NULL,
  product text,
  location text,
  data jsonb,
  CONSTRAINT pk_job_events PRIMARY KEY (tenant_id, job_id, seq),
  CONSTRAINT fk_job_events_jobs FOREIGN KEY(tenant_id, job_id) REFERENCES jobs (tenant_id, id)
);

CREATE TABLE kept_pools (
  tenant_id uuid NOT NULL,
  job_id uuid NOT NULL,
  horizon_days bigint NOT NULL,
  training_window_days bigint NOT NULL,
  engine bigint NOT NULL,
  series bigint NOT NULL,
  data_through date NOT NULL,
  sha256 text NOT NULL,
  bytes bigint NOT NULL,
  created_at timestamptz DEFAULT now() NOT NULL,
  CONSTRAINT pk_kept_pools PRIMARY KEY (tenant_id, job_id),
  CONSTRAINT fk_kept_pools_tenants FOREIGN KEY(tenant_id) REFERENCES tenants (tenant_id)
);

CREATE TABLE series (
  tenant_id uuid NOT NULL,
  id bigint GENERATED ALWAYS AS IDENTITY,
  location text NOT NULL,
  product text NOT NULL,
  CONSTRAINT pk_series PRIMARY KEY (tenant_id, id),
  CONSTRAINT fk_series_tenants FOREIGN KEY(tenant_id) REFERENCES tenants (tenant_id),
  CONSTRAINT uq_series_tenant_id_location_product UNIQUE (tenant_id, location, product),
  CONSTRAINT fk_series_locations FOREIGN KEY(tenant_id, location) REFERENCES locations (tenant_id, location),
  CONSTRAINT fk_series_products FOREIGN KEY(tenant_id, product) REFERENCES products (tenant_id, product)
);

CREATE TABLE stream_tickets (
  tenant_id uuid NOT NULL,
  digest bytea NOT NULL,
  job_id uuid NOT NULL,
  key_id uuid,
  subject text,
  caller_until timestamptz,
  expires_at timestamptz NOT NULL,
  CONSTRAINT pk_stream_tickets PRIMARY KEY (tenant_id, digest),
  CONSTRAINT fk_stream_tickets_jobs FOREIGN KEY(tenant_id, job_id) REFERENCES jobs (tenant_id, id),
  CONSTRAINT fk_stream_tickets_api_keys FOREIGN KEY(tenant_id, key_id) REFERENCES api_keys (tenant_id, id)
);

CREATE TABLE models (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  series_id bigint NOT NULL,
  version bigint NOT NULL,
  family text NOT NULL,
  params jsonb NOT NULL,
  scores jsonb NOT NULL,
  baseline_scores jsonb NOT NULL,
  skill double precision,
  stage text NOT NULL,
  confidence double precision NOT NULL,
  detail jsonb NOT NULL,
  fingerprint text NOT NULL,
  sha256 text NOT NULL,
  bytes bigint NOT NULL,
  dataset_sha256 text,
  horizon_days bigint NOT NULL,
  interval_coverage double precision,
  trained_through date NOT NULL,
  created_at timestamptz DEFAULT now() NOT NULL,
  quarantined_at timestamptz,
  CONSTRAINT pk_models PRIMARY KEY (tenant_id, id),
  CONSTRAINT fk_models_series FOREIGN KEY(tenant_id, series_id) REFERENCES series (tenant_id, id),
  CONSTRAINT uq_models_tenant_id_series_id_version UNIQUE (tenant_id, series_id, version)
);

CREATE INDEX ix_models_with_trials ON models (tenant_id, created_at)
  WHERE detail -> 'trials' <> '[]'::jsonb;

CREATE TABLE forecasts (
  tenant_id uuid NOT NULL,
  model_id uuid NOT NULL,
  date date NOT NULL,
  mean double precision NOT NULL,
  quantiles double precision[] NOT NULL,
  open boolean NOT NULL,
  CONSTRAINT pk_forecasts PRIMARY KEY (tenant_id, model_id, date),
  CONSTRAINT fk_forecasts_models FOREIGN KEY(tenant_id, model_id) REFERENCES models (tenant_id, id)
);

CREATE TABLE model_aliases (
  tenant_id uuid NOT NULL,
  series_id bigint NOT NULL,
  alias text NOT NULL,
  model_id uuid NOT NULL,
  CONSTRAINT pk_model_aliases PRIMARY KEY (tenant_id, series_id, alias),
  CONSTRAINT fk_model_aliases_series FOREIGN KEY(tenant_id, series_id) REFERENCES series (tenant_id, id),
  CONSTRAINT fk_model_aliases_models FOREIGN KEY(tenant_id, model_id) REFERENCES models (tenant_id, id)
);

-- What is done again and again, and when a series is trained again.

CREATE TABLE periodic_runs (
  tenant_id uuid NOT NULL,
  name text NOT NULL,
  number bigint NOT NULL,
  next_at timestamptz NOT NULL,
  ended_at timestamptz NOT NULL,
  worker text NOT NULL,
  outcome jsonb,
  error text,
  CONSTRAINT pk_periodic_runs PRIMARY KEY (tenant_id, name),
  CONSTRAINT fk_periodic_runs_tenants FOREIGN KEY(tenant_id) REFERENCES tenants (tenant_id)
);

CREATE TABLE retraining_policies (
  tenant_id uuid NOT NULL,
  wishes jsonb NOT NULL,
  updated_at timestamptz DEFAULT now() NOT NULL,
  CONSTRAINT pk_retraining_policies PRIMARY KEY (tenant_id),
  CONSTRAINT fk_retraining_policies_tenants FOREIGN KEY(tenant_id) REFERENCES tenants (tenant_id)
);

CREATE TABLE series_growth (
  tenant_id uuid NOT NULL,
  series_id bigint NOT NULL,
  known_days bigint DEFAULT 0 NOT NULL,
  corrected_days bigint DEFAULT 0 NOT NULL,
  CONSTRAINT pk_series_growth PRIMARY KEY (tenant_id, series_id),
  CONSTRAINT fk_series_growth_series FOREIGN KEY(tenant_id, series_id) REFERENCES series (tenant_id, id)
);

CREATE TABLE training_marks (
  tenant_id uuid NOT NULL,
  series_id bigint NOT NULL,
  at timestamptz NOT NULL,
  known_days bigint NOT NULL,
  corrected_days bigint NOT NULL,
  judged_days bigint NOT NULL,
  asked jsonb NOT NULL,
  CONSTRAINT pk_training_marks PRIMARY KEY (tenant_id, series_id),
  CONSTRAINT fk_training_marks_series FOREIGN KEY(tenant_id, series_id) REFERENCES series (tenant_id, id)
);

CREATE TABLE retrainings (
  tenant_id uuid NOT NULL,
  job_id uuid NOT NULL,
  series_id bigint NOT NULL,
  at timestamptz DEFAULT now() NOT NULL,
  cause jsonb NOT NULL,
  CONSTRAINT pk_retrainings PRIMARY KEY (tenant_id, job_id, series_id),
  CONSTRAINT fk_retrainings_jobs FOREIGN KEY(tenant_id, job_id) REFERENCES jobs (tenant_id, id),
  CONSTRAINT fk_retrainings_series FOREIGN KEY(tenant_id, series_id) REFERENCES series (tenant_id, id)
);

CREATE INDEX ix_retrainings_series ON retrainings (tenant_id, series_id, at);

-- What waited on a disk while the database was away.

CREATE TABLE spool_receipts (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  kind text NOT NULL,
  status text NOT NULL,
  received bigint NOT NULL,
  bytes bigint NOT NULL,
  received_at timestamptz NOT NULL,
  ended_at timestamptz DEFAULT now() NOT NULL,
  result jsonb,
  error jsonb,
  CONSTRAINT pk_spool_receipts PRIMARY KEY (tenant_id, id),
  CONSTRAINT fk_spool_receipts_tenants FOREIGN KEY(tenant_id) REFERENCES tenants (tenant_id)
);

CREATE INDEX ix_spool_receipts_ended ON spool_receipts (tenant_id, ended_at);

-- Where sales, weather and traffic come from, what each pull of them did, and what they said.

CREATE TABLE sources (
  tenant_id uuid NOT NULL,
  source text NOT NULL,
  kind text NOT NULL,
  base_url text,
  options jsonb DEFAULT '{}'::jsonb NOT NULL,
  credentials bytea,
  state jsonb DEFAULT '{}'::jsonb NOT NULL,
  holder uuid,
  held_until timestamptz,
  synced_at timestamptz,
  updated_at timestamptz DEFAULT now() NOT NULL,
  CONSTRAINT pk_sources PRIMARY KEY (tenant_id, source),
  CONSTRAINT fk_sources_tenants FOREIGN KEY(tenant_id) REFERENCES tenants (tenant_id)
);

CREATE TABLE source_syncs (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  source text NOT NULL,
  kind text NOT NULL,
  cause text NOT NULL,
  status text NOT NULL,
  pages bigint DEFAULT 0 NOT NULL,
  rows bigint DEFAULT 0 NOT NULL,
  warnings jsonb DEFAULT '[]'::jsonb NOT NULL,
  error jsonb,
  created_at timestamptz DEFAULT now() NOT NULL,
  started_at timestamptz,
  finished_at timestamptz,
  CONSTRAINT pk_source_syncs PRIMARY KEY (tenant_id, id),
  CONSTRAINT fk_source_syncs_tenants FOREIGN KEY(tenant_id) REFERENCES tenants (tenant_id)
);

CREATE INDEX ix_source_syncs_created ON source_syncs (tenant_id, source, created_at);

CREATE TABLE order_lines (
  tenant_id uuid NOT NULL,
  order_id text NOT NULL,
  location text NOT NULL,
  product text NOT NULL,
  day date NOT NULL,
  quantity double precision NOT NULL,
  CONSTRAINT pk_order_lines PRIMARY KEY (tenant_id, order_id, location, product, day),
  CONSTRAINT fk_order_lines_tenants FOREIGN KEY(tenant_id) REFERENCES tenants (tenant_id)
);

CREATE INDEX ix_order_lines_day ON order_lines (tenant_id, day, location, product);

CREATE TABLE weather_days (
  tenant_id uuid NOT NULL,
  cell text NOT NULL,
  date date NOT NULL,
  lead smallint NOT NULL,
  known_at timestamptz NOT NULL,
  temp_mean double precision,
  temp_min double precision,
  temp_max double precision,
  precipitation double precision,
  wind double precision,
  sunshine double precision,
  CONSTRAINT pk_weather_days PRIMARY KEY (tenant_id, cell, date, lead),
  CONSTRAINT fk_weather_days_tenants FOREIGN KEY(tenant_id) REFERENCES tenants (tenant_id)
);

CREATE TABLE traffic_days (
  tenant_id uuid NOT NULL,
  location text NOT NULL,
  date date NOT NULL,
  level double precision NOT NULL,
  samples bigint DEFAULT 1 NOT NULL,
  known_at timestamptz NOT NULL,
  CONSTRAINT pk_traffic_days PRIMARY KEY (tenant_id, location, date),
  CONSTRAINT fk_traffic_days_tenants FOREIGN KEY(tenant_id) REFERENCES tenants (tenant_id)
);

-- What the processes tell of their circuit breakers. What is no tenant's bears the id of zeros.

CREATE TABLE circuit_breakers (
  tenant_id uuid NOT NULL,
  name text NOT NULL,
  instance text NOT NULL,
  upstream text NOT NULL,
  state text NOT NULL,
  since timestamptz NOT NULL,
  failure_rate double precision NOT NULL,
  slow_rate double precision NOT NULL,
  calls bigint NOT NULL,
  opened_count bigint NOT NULL,
  last_error text,
  CONSTRAINT pk_circuit_breakers PRIMARY KEY (tenant_id, name, instance)
);

CREATE TABLE breaker_instances (
  tenant_id uuid NOT NULL,
  instance text NOT NULL,
  role text NOT NULL,
  seen_at timestamptz NOT NULL,
  CONSTRAINT pk_breaker_instances PRIMARY KEY (tenant_id, instance)
);

CREATE TABLE breaker_resets (
  tenant_id uuid NOT NULL,
  name text NOT NULL,
  asked_at timestamptz DEFAULT now() NOT NULL,
  CONSTRAINT pk_breaker_resets PRIMARY KEY (tenant_id, name)
);

-- How much a tenant asks for, and what it used. The first two are unlogged, for no request should wait
-- for the disk: after a crash of the server all buckets are full, and all streams forgotten.

CREATE UNLOGGED TABLE request_buckets (
  tenant_id uuid NOT NULL,
  holder uuid NOT NULL,
  tokens double precision NOT NULL,
  refilled_at timestamptz NOT NULL,
  CONSTRAINT pk_request_buckets PRIMARY KEY (tenant_id, holder),
  CONSTRAINT fk_request_buckets_tenants FOREIGN KEY(tenant_id) REFERENCES tenants (tenant_id)
) WITH (fillfactor = 50);

CREATE UNLOGGED TABLE open_streams (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  open_until timestamptz NOT NULL,
  CONSTRAINT pk_open_streams PRIMARY KEY (tenant_id, id),
  CONSTRAINT fk_open_streams_tenants FOREIGN KEY(tenant_id) REFERENCES tenants (tenant_id)
);

CREATE TABLE usage (
  tenant_id uuid NOT NULL,
  day date NOT NULL,
  kind text NOT NULL,
  amount double precision NOT NULL,
  CONSTRAINT pk_usage PRIMARY KEY (tenant_id, day, kind),
  CONSTRAINT fk_usage_tenants FOREIGN KEY(tenant_id) REFERENCES tenants (tenant_id)
);
