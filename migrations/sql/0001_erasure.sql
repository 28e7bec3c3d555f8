-- Erasing tenants. The receipt is written when it begins: from then on the tenant is no more, for all
-- who ask whether it is, and whoever finds an unfinished one goes on with it.

GRANT SELECT, INSERT, UPDATE ON erasures TO morrow_api;
-- Whether a tenant is being erased is part of reading it.
GRANT SELECT ON erasures TO morrow_worker;
GRANT SELECT (seq, concerns, action, salt), UPDATE (actor, key_prefix, subject, before, after, salt)
ON audit_log TO morrow_definer;
CREATE POLICY definer_erases ON audit_log FOR UPDATE TO morrow_definer USING (true) WITH CHECK (true);

SET LOCAL ROLE morrow_definer;

-- Who is being erased, or was within `lately`, for those who keep anything of tenants elsewhere.
CREATE FUNCTION erasures_since(lately interval)
RETURNS TABLE (tenant_id uuid, finished boolean, untouched interval)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
  SELECT e.tenant_id, e.finished_at IS NOT NULL, now() - e.touched_at
  FROM erasures e WHERE e.finished_at IS NULL OR e.finished_at > now() - lately
$$;

-- Which of these are being erased, or were.
CREATE FUNCTION erased_among(asked uuid[]) RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
  SELECT e.tenant_id FROM erasures e WHERE e.tenant_id = ANY (asked)
$$;

-- Take who, what and on what from at most `most` entries of the session's tenant, and of those of the
-- operator that concern it, once it is being erased; the chain keeps their digests. How many.
CREATE FUNCTION erase_audit_details(most integer) RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
  WITH chosen AS (
    SELECT a.tenant_id, a.seq FROM audit_log a, erasures e
    WHERE e.tenant_id = app_tenant() AND a.salt IS NOT NULL AND a.action NOT LIKE 'tenant.eras%'
      AND (
        a.tenant_id = e.tenant_id
        OR a.tenant_id = '00000000-0000-0000-0000-000000000000' AND a.concerns = e.tenant_id
      )
    LIMIT most
  ), gone AS (
    UPDATE audit_log a
    SET actor = NULL, key_prefix = NULL, subject = NULL, before = NULL, after = NULL, salt = NULL
    FROM chosen c WHERE a.tenant_id = c.tenant_id AND a.seq = c.seq
    RETURNING 1
  )
  SELECT count(*) FROM gone
$$;

REVOKE ALL ON FUNCTION erasures_since(interval), erased_among(uuid[]), erase_audit_details(integer)
FROM PUBLIC;
GRANT EXECUTE ON FUNCTION erasures_since(interval), erase_audit_details(integer) TO morrow_api;
GRANT EXECUTE ON FUNCTION erased_among(uuid[]) TO morrow_api, morrow_worker;

SET LOCAL ROLE morrow_owner;
