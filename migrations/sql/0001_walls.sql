-- The wall between tenants stands here, in the database, and nowhere else need be trusted.
--
-- app_tenant() raises when no tenant is set (unset: "unrecognized configuration parameter";
-- '' after a SET LOCAL has ended: "invalid input syntax for type uuid"): an error, never rows.
-- It is STABLE, so an index scan evaluates it once; a check of every inserted row would call it as
-- often, so there it stands in a sub-select, which is evaluated once a statement.

CREATE FUNCTION app_tenant() RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT pg_catalog.current_setting('app.tenant_id')::pg_catalog.uuid $$;

DO $$
DECLARE
  walled text;
BEGIN
  FOR walled IN
    SELECT c.relname
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    WHERE a.attname = 'tenant_id' AND c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
  LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', walled);
    EXECUTE format(
      'CREATE POLICY tenant ON %I TO morrow_api, morrow_worker
         USING (tenant_id = app_tenant()) WITH CHECK (tenant_id = (SELECT app_tenant()))',
      walled
    );
  END LOOP;
END $$;

-- What each role may do. The worker neither makes tenants nor reads keys.

GRANT USAGE ON SCHEMA public TO morrow_api, morrow_worker, morrow_definer;
GRANT SELECT ON alembic_version TO morrow_api, morrow_worker;

GRANT SELECT, INSERT, UPDATE, DELETE ON
  tenants, api_keys, locations, products, series, sales, sale_corrections, regressor_days,
  calendar_events, jobs, job_events, stream_tickets, idempotent_answers, tasks, queue_shares,
  queue_terms, kept_pools, models, model_aliases, forecasts
TO morrow_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON spool_receipts TO morrow_api;

GRANT SELECT ON
  tenants, locations, products, series, sales, sale_corrections, regressor_days, calendar_events,
  queue_terms
TO morrow_worker;
GRANT SELECT, UPDATE ON jobs TO morrow_worker;
GRANT SELECT, INSERT ON job_events TO morrow_worker;
GRANT SELECT, INSERT, UPDATE ON tasks, queue_shares TO morrow_worker;
GRANT SELECT, INSERT, DELETE ON kept_pools TO morrow_worker;
GRANT SELECT, INSERT, UPDATE, DELETE ON models, model_aliases, forecasts TO morrow_worker;

-- The few questions that cross tenants are asked by functions of a role of its own, which answer
-- with ids (and, for a key, what is needed to check it).

GRANT SELECT ON tenants TO morrow_definer;
GRANT SELECT, UPDATE ON tasks TO morrow_definer;
GRANT SELECT ON queue_terms TO morrow_definer;
GRANT USAGE ON SEQUENCE queue_turn TO morrow_definer;
GRANT SELECT, INSERT, UPDATE ON queue_shares TO morrow_definer;
CREATE POLICY definer ON tenants FOR SELECT TO morrow_definer USING (true);
CREATE POLICY definer ON queue_terms FOR SELECT TO morrow_definer USING (true);
CREATE POLICY definer ON tasks TO morrow_definer USING (true) WITH CHECK (true);
CREATE POLICY definer ON queue_shares TO morrow_definer USING (true) WITH CHECK (true);

REVOKE ALL ON FUNCTION app_tenant() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app_tenant() TO morrow_api, morrow_worker, morrow_definer;

SET LOCAL ROLE morrow_definer;

CREATE FUNCTION tenant_ids(after uuid, most integer) RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
  SELECT t.tenant_id FROM tenants t
  WHERE after IS NULL OR t.tenant_id > after
  ORDER BY t.tenant_id LIMIT most
$$;

REVOKE ALL ON FUNCTION tenant_ids(uuid, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tenant_ids(uuid, integer) TO morrow_api;

SET LOCAL ROLE morrow_owner;
