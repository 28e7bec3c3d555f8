-- Keys: asked for across tenants before it is known whose they are. All times are the database's.

GRANT SELECT, UPDATE (last_used_at) ON api_keys TO morrow_definer;
CREATE POLICY definer ON api_keys TO morrow_definer USING (true) WITH CHECK (true);

SET LOCAL ROLE morrow_definer;

CREATE FUNCTION keys_by_prefix(wanted text)
RETURNS TABLE (
  tenant_id uuid, id uuid, digest bytea, scopes text[], expires_at timestamptz, expired boolean,
  revoked boolean
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
  SELECT k.tenant_id, k.id, k.digest, k.scopes, k.expires_at,
    coalesce(k.expires_at <= now(), false), k.revoked_at IS NOT NULL
  FROM api_keys k WHERE k.prefix = wanted
$$;

-- The keys that were revoked, or expired, within `lately`.
CREATE FUNCTION ended_keys(lately interval) RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
  SELECT k.id FROM api_keys k
  WHERE least(k.revoked_at, k.expires_at) BETWEEN now() - lately AND now()
$$;

-- Note that these keys were used, unless that was noted within the last minute. A row that somebody
-- else holds is left for the next time.
CREATE FUNCTION note_key_uses(tenants uuid[], used uuid[]) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
  UPDATE api_keys k SET last_used_at = now()
  WHERE (k.tenant_id, k.id) IN (
    SELECT o.tenant_id, o.id
    FROM unnest(tenants, used) AS u (tenant_id, id)
    JOIN api_keys o ON o.tenant_id = u.tenant_id AND o.id = u.id
    WHERE o.last_used_at IS NULL OR o.last_used_at < now() - interval '1 minute'
    FOR NO KEY UPDATE OF o SKIP LOCKED
  )
$$;

REVOKE ALL ON FUNCTION keys_by_prefix(text), ended_keys(interval), note_key_uses(uuid[], uuid[])
FROM PUBLIC;
GRANT EXECUTE ON FUNCTION keys_by_prefix(text), ended_keys(interval), note_key_uses(uuid[], uuid[])
TO morrow_api;

SET LOCAL ROLE morrow_owner;
