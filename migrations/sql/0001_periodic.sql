-- Periodic work: who may read and write its tables, what pruning may delete, and the questions that
-- cross tenants.

GRANT SELECT, INSERT, UPDATE, DELETE ON retraining_policies, series_growth TO morrow_api;
-- Of these the API only erases what is a tenant's that goes.
GRANT SELECT, DELETE ON periodic_runs, training_marks, retrainings TO morrow_api;

GRANT SELECT ON retraining_policies, series_growth TO morrow_worker;
GRANT SELECT, INSERT, UPDATE ON periodic_runs, training_marks TO morrow_worker;
GRANT SELECT, INSERT, DELETE ON retrainings TO morrow_worker;
GRANT INSERT, DELETE ON jobs TO morrow_worker;
GRANT DELETE ON job_events, tasks TO morrow_worker;
-- What a ticket or an answer says is none of a worker's business.
GRANT SELECT (tenant_id, digest, job_id, expires_at), DELETE ON stream_tickets TO morrow_worker;
GRANT SELECT (tenant_id, key, created_at), DELETE ON idempotent_answers TO morrow_worker;

GRANT SELECT ON periodic_runs TO morrow_definer;
CREATE POLICY definer ON periodic_runs FOR SELECT TO morrow_definer USING (true);
GRANT SELECT ON erasures TO morrow_definer;
CREATE POLICY definer ON erasures FOR SELECT TO morrow_definer USING (true);

SET LOCAL ROLE morrow_definer;

-- The tenants whose turn it is at this work, and how many turns they had. One that never had any
-- waits for its first as long as for any other.
CREATE FUNCTION periodic_due(work text, every interval, most integer)
RETURNS TABLE (tenant_id uuid, number bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
  SELECT t.tenant_id, coalesce(r.number, 0)
  FROM tenants t LEFT JOIN periodic_runs r ON r.tenant_id = t.tenant_id AND r.name = work
  WHERE coalesce(r.next_at, t.created_at + every) <= now()
    AND NOT EXISTS (SELECT FROM erasures e WHERE e.tenant_id = t.tenant_id)
  ORDER BY coalesce(r.next_at, t.created_at + every), t.tenant_id
  LIMIT most
$$;

-- Of each work when it was last done for anybody, and for how many tenants it failed last.
CREATE FUNCTION periodic_health()
RETURNS TABLE (name text, last_ended timestamptz, tenants bigint, failed bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
  SELECT r.name, max(r.ended_at), count(*), count(r.error)
  FROM periodic_runs r GROUP BY r.name ORDER BY r.name
$$;

REVOKE ALL ON FUNCTION periodic_due(text, interval, integer), periodic_health() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION periodic_due(text, interval, integer) TO morrow_worker;
GRANT EXECUTE ON FUNCTION periodic_health() TO morrow_api, morrow_worker;

SET LOCAL ROLE morrow_owner;
