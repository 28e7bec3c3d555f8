-- Metering: the bucket of requests, the streams that are open, and what was used.

GRANT SELECT, INSERT, UPDATE, DELETE ON open_streams, usage TO morrow_api;
GRANT SELECT, INSERT, UPDATE ON usage TO morrow_worker;
-- Only erased by the API; taken from by the function below alone.
GRANT SELECT, DELETE ON request_buckets TO morrow_api;

GRANT SELECT, INSERT, UPDATE ON request_buckets TO morrow_definer;
GRANT SELECT, UPDATE, DELETE ON open_streams TO morrow_definer;
CREATE POLICY definer ON open_streams TO morrow_definer USING (true) WITH CHECK (true);
CREATE POLICY definer ON request_buckets TO morrow_definer USING (true) WITH CHECK (true);

SET LOCAL ROLE morrow_definer;

-- How many requests are left in a bucket of `rate` a minute, that holds a minute's worth. A clock that was
-- set back fills it like one that went on: nobody starves until it has come back to where it was.
CREATE FUNCTION bucket_level(tokens double precision, refilled_at timestamptz, rate double precision)
RETURNS double precision
LANGUAGE sql VOLATILE
AS $$
  SELECT least(
    rate,
    tokens + rate * abs(extract(epoch FROM clock_timestamp() - refilled_at)::float8) / 60
  )
$$;

-- Take one of `rate` requests a minute by this server's clock: what is left, and whether there was one to take. A refusal writes nothing.
CREATE FUNCTION take_from_bucket(asker uuid, its_holder uuid, rate double precision)
RETURNS TABLE (remaining double precision, taken boolean)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
  LOOP
    UPDATE request_buckets b SET
      tokens = bucket_level(b.tokens, b.refilled_at, rate) - 1,
      refilled_at = clock_timestamp()
    WHERE b.tenant_id = asker AND b.holder = its_holder
      AND bucket_level(b.tokens, b.refilled_at, rate) >= 1
    RETURNING b.tokens INTO remaining;
    IF FOUND THEN
      taken := true;
      RETURN NEXT;
      RETURN;
    END IF;
    -- Between the two statements somebody else may have made the bucket: who sees it full takes from it.
    SELECT bucket_level(b.tokens, b.refilled_at, rate) INTO remaining
    FROM request_buckets b WHERE b.tenant_id = asker AND b.holder = its_holder;
    IF FOUND AND remaining < 1 THEN
      taken := false;
      RETURN NEXT;
      RETURN;
    END IF;
    BEGIN
      INSERT INTO request_buckets AS b (tenant_id, holder, tokens, refilled_at)
      VALUES (asker, its_holder, rate, clock_timestamp())
      ON CONFLICT (tenant_id, holder) DO NOTHING;
    EXCEPTION WHEN foreign_key_violation THEN
      RETURN;  -- the tenant was erased just now
    END;
  END LOOP;
END $$;

-- Take a request of a tenant, and of the key that asks where that has a limit of its own; `plan_rates` has
-- a plan's requests a minute by its name. Answers with the bucket that is emptier, or that had none;
-- a null `rate`: there is no limit. No row: there is no such tenant.
-- Of two buckets the key's is always taken from first, so that nobody waits in a circle.
CREATE FUNCTION take_request(asker uuid, asked_by uuid, plan_rates jsonb)
RETURNS TABLE (rate double precision, remaining double precision, taken boolean)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
  tenant_rate double precision;
  key_rate double precision;
  of_key record;
  of_tenant record;
BEGIN
  SELECT
    (CASE WHEN t.limits ? 'requests_per_minute' THEN t.limits ELSE plan_rates END
      ->> CASE WHEN t.limits ? 'requests_per_minute' THEN 'requests_per_minute' ELSE t.plan END)::float8,
    k.requests_per_minute
  INTO tenant_rate, key_rate
  FROM tenants t LEFT JOIN api_keys k ON k.tenant_id = t.tenant_id AND k.id = asked_by
  WHERE t.tenant_id = asker;
  IF NOT FOUND THEN
    RETURN;
  END IF;

  IF key_rate IS NOT NULL THEN
    SELECT * INTO of_key FROM take_from_bucket(asker, asked_by, key_rate);
    IF tenant_rate IS NULL OR NOT of_key.taken THEN
      RETURN QUERY SELECT key_rate, of_key.remaining, of_key.taken;
      RETURN;
    END IF;
  ELSIF tenant_rate IS NULL THEN
    RETURN QUERY SELECT NULL::float8, NULL::float8, true;
    RETURN;
  END IF;

  SELECT * INTO of_tenant FROM take_from_bucket(asker, asker, tenant_rate);
  IF key_rate IS NULL THEN
    RETURN QUERY SELECT tenant_rate, of_tenant.remaining, of_tenant.taken;
  ELSIF of_tenant.taken AND of_key.remaining <= of_tenant.remaining THEN
    RETURN QUERY SELECT key_rate, of_key.remaining, of_key.taken;
  ELSE
    IF NOT of_tenant.taken THEN
      UPDATE request_buckets b SET tokens = b.tokens + 1
      WHERE b.tenant_id = asker AND b.holder = asked_by;
    END IF;
    RETURN QUERY SELECT tenant_rate, of_tenant.remaining, of_tenant.taken;
  END IF;
END $$;

-- Of one process's streams, whose ids nobody else knows: those that it holds for another `lease`, and
-- those that have ended.
CREATE FUNCTION tell_streams(held uuid[], closed uuid[], lease interval) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
  DELETE FROM open_streams s WHERE s.id = ANY (closed);
  UPDATE open_streams s SET open_until = now() + lease WHERE s.id = ANY (held);
$$;

REVOKE ALL ON FUNCTION tell_streams(uuid[], uuid[], interval),
  bucket_level(double precision, timestamptz, double precision),
  take_from_bucket(uuid, uuid, double precision), take_request(uuid, uuid, jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION take_request(uuid, uuid, jsonb), tell_streams(uuid[], uuid[], interval) TO morrow_api;

SET LOCAL ROLE morrow_owner;
