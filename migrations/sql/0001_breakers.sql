-- Circuit breakers, told by every process and read by all: a tenant sees its own and those that are
-- nobody's alone, which bear the id of zeros. All times are the database's.

-- Of these the API only erases what is a tenant's that goes.
GRANT SELECT, DELETE ON circuit_breakers, breaker_instances, breaker_resets TO morrow_api;

GRANT SELECT, INSERT, UPDATE, DELETE ON circuit_breakers, breaker_instances, breaker_resets
TO morrow_definer;
CREATE POLICY definer ON circuit_breakers TO morrow_definer USING (true) WITH CHECK (true);
CREATE POLICY definer ON breaker_instances TO morrow_definer USING (true) WITH CHECK (true);
CREATE POLICY definer ON breaker_resets TO morrow_definer USING (true) WITH CHECK (true);

SET LOCAL ROLE morrow_definer;

-- What `teller` sees now, in place of all that it said before, or that this still holds, where `seen`
-- is null; a row that says the same is not written again. Of who has been silent for too long nothing is kept. Answers with the resets of
-- the last hour.
CREATE FUNCTION tell_breakers(teller text, its_role text, silence interval, seen jsonb)
RETURNS TABLE (name text, asked_at timestamptz)
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
  INSERT INTO breaker_instances AS i (tenant_id, instance, role, seen_at)
  VALUES ('00000000-0000-0000-0000-000000000000', teller, its_role, now())
  ON CONFLICT (tenant_id, instance) DO UPDATE SET role = excluded.role, seen_at = excluded.seen_at;

  WITH gone AS (
    DELETE FROM breaker_instances i WHERE i.instance IN (
      SELECT o.instance FROM breaker_instances o WHERE o.seen_at < now() - silence
      FOR UPDATE SKIP LOCKED
    )
    RETURNING i.instance
  )
  DELETE FROM circuit_breakers b USING gone WHERE b.instance = gone.instance;

  DELETE FROM circuit_breakers b
  WHERE b.instance = teller AND seen IS NOT NULL AND NOT EXISTS (
    SELECT FROM jsonb_to_recordset(seen) AS s (owner uuid, name text)
    WHERE s.owner = b.tenant_id AND s.name = b.name
  );

  INSERT INTO circuit_breakers AS b (
    tenant_id, name, instance, upstream, state, since, failure_rate, slow_rate, calls,
    opened_count, last_error
  )
  SELECT s.owner, s.name, teller, s.upstream, s.state,
    now() - make_interval(secs => s.state_seconds),
    s.failure_rate, s.slow_rate, s.calls, s.opened_count, s.last_error
  FROM jsonb_to_recordset(seen) AS s (
    owner uuid, name text, upstream text, state text, state_seconds double precision,
    failure_rate double precision, slow_rate double precision, calls bigint, opened_count bigint,
    last_error text
  )
  WHERE s.owner = '00000000-0000-0000-0000-000000000000'
    OR EXISTS (SELECT FROM tenants t WHERE t.tenant_id = s.owner)
  ON CONFLICT (tenant_id, name, instance) DO UPDATE SET
    upstream = excluded.upstream, state = excluded.state,
    since = CASE
      WHEN (b.state, b.opened_count) = (excluded.state, excluded.opened_count) THEN b.since
      ELSE excluded.since
    END,
    failure_rate = excluded.failure_rate, slow_rate = excluded.slow_rate, calls = excluded.calls,
    opened_count = excluded.opened_count, last_error = excluded.last_error
  WHERE (b.upstream, b.state, b.failure_rate, b.slow_rate, b.calls, b.opened_count, b.last_error)
    IS DISTINCT FROM (
      excluded.upstream, excluded.state, excluded.failure_rate, excluded.slow_rate, excluded.calls,
      excluded.opened_count, excluded.last_error
    );

  DELETE FROM breaker_resets r WHERE (r.tenant_id, r.name) IN (
    SELECT o.tenant_id, o.name FROM breaker_resets o WHERE o.asked_at < now() - interval '1 hour'
    FOR UPDATE SKIP LOCKED
  );

  SELECT r.name, r.asked_at FROM breaker_resets r;
$$;

-- What is told by those who are not silent: to `viewer`, or to the operator where that is null.
-- At most `most` breakers, all of their instances, after the one named last; of one name alone, where
-- that is not null.
CREATE FUNCTION told_breakers(
  viewer uuid, silence interval, only_name text, after_name text, after_owner uuid, most integer
)
RETURNS TABLE (
  owner uuid, name text, instance text, role text, upstream text, state text, since timestamptz,
  failure_rate double precision, slow_rate double precision, calls bigint, opened_count bigint,
  last_error text
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
  WITH live AS (
    SELECT b.*, i.role
    FROM circuit_breakers b JOIN breaker_instances i ON i.instance = b.instance
    WHERE i.seen_at >= now() - silence
      AND (only_name IS NULL OR b.name = only_name)
      AND (viewer IS NULL OR b.tenant_id IN (viewer, '00000000-0000-0000-0000-000000000000'))
  ), page AS (
    SELECT DISTINCT l.name, l.tenant_id FROM live l
    WHERE after_name IS NULL OR (l.name, l.tenant_id) > (after_name, after_owner)
    ORDER BY l.name, l.tenant_id LIMIT most
  )
  SELECT l.tenant_id, l.name, l.instance, l.role, l.upstream, l.state, l.since, l.failure_rate,
    l.slow_rate, l.calls, l.opened_count, l.last_error
  FROM live l JOIN page p ON p.name = l.name AND p.tenant_id = l.tenant_id
  ORDER BY l.name, l.tenant_id, l.instance
$$;

-- Ask every process to close its breakers of that name; whether anybody told of one.
CREATE FUNCTION reset_breaker(wanted text) RETURNS boolean
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
  INSERT INTO breaker_resets AS r (tenant_id, name, asked_at)
  SELECT '00000000-0000-0000-0000-000000000000', wanted, clock_timestamp()
  WHERE EXISTS (SELECT FROM circuit_breakers b WHERE b.name = wanted)
  ON CONFLICT (tenant_id, name) DO UPDATE SET asked_at = excluded.asked_at;

  SELECT EXISTS (SELECT FROM circuit_breakers b WHERE b.name = wanted)
$$;

REVOKE ALL ON FUNCTION tell_breakers(text, text, interval, jsonb),
  told_breakers(uuid, interval, text, text, uuid, integer), reset_breaker(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tell_breakers(text, text, interval, jsonb) TO morrow_api, morrow_worker;
GRANT EXECUTE ON FUNCTION told_breakers(uuid, interval, text, text, uuid, integer), reset_breaker(text)
TO morrow_api;

SET LOCAL ROLE morrow_owner;
