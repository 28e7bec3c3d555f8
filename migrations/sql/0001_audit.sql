-- The record of what was done. The service's roles may add to it and read it, and no more; what they
-- may not name (seq, at, salt, details_hash, hash) is filled in here, by the database.
--
--   details_hash = sha256(salt || [actor, key_prefix, subject, before, after])
--   hash         = sha256(hash of the entry before || [tenant_id, seq, microseconds since 1970,
--                         action, request_id, concerns, details_hash])
--
-- A list is its jsonb as text. The first entry of a chain follows 32 zero bytes. Since the chain
-- holds only the salted digest of the details, these can be erased with their tenant, and the chain
-- still stands.

GRANT SELECT ON audit_log TO morrow_api, morrow_worker;
GRANT INSERT (tenant_id, action, request_id, concerns, actor, key_prefix, subject, before, after)
ON audit_log TO morrow_api, morrow_worker;
GRANT SELECT, INSERT, UPDATE ON audit_heads TO morrow_definer;
CREATE POLICY definer ON audit_heads TO morrow_definer USING (true) WITH CHECK (true);
GRANT SELECT (tenant_id) ON audit_log TO morrow_definer;
CREATE POLICY definer ON audit_log FOR SELECT TO morrow_definer USING (true);

-- An act of the operator stands in the chain of zeros, is written in the transaction of the tenant
-- that it concerns, and is seen by that tenant.
CREATE POLICY operator_acts ON audit_log FOR INSERT TO morrow_api
WITH CHECK (tenant_id = '00000000-0000-0000-0000-000000000000' AND concerns = (SELECT app_tenant()));
CREATE POLICY concerned ON audit_log FOR SELECT TO morrow_api
USING (tenant_id = '00000000-0000-0000-0000-000000000000' AND concerns = app_tenant());

SET LOCAL ROLE morrow_definer;

-- The head is locked until the transaction ends, so `seq` has no gaps, and `at` never falls.
CREATE FUNCTION audit_chain() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
  head audit_heads;
BEGIN
  INSERT INTO audit_heads (tenant_id, seq, hash) VALUES (NEW.tenant_id, 0, decode(repeat('00', 32), 'hex'))
  ON CONFLICT DO NOTHING;
  SELECT * INTO STRICT head FROM audit_heads h WHERE h.tenant_id = NEW.tenant_id FOR UPDATE;
  NEW.seq := head.seq + 1;
  NEW.at := clock_timestamp();
  NEW.salt := uuid_send(gen_random_uuid());
  NEW.details_hash := sha256(NEW.salt || convert_to(
    jsonb_build_array(NEW.actor, NEW.key_prefix, NEW.subject, NEW.before, NEW.after)::text, 'UTF8'
  ));
  NEW.hash := sha256(head.hash || convert_to(
    jsonb_build_array(
      NEW.tenant_id, NEW.seq, (extract(epoch FROM NEW.at) * 1000000)::bigint, NEW.action,
      NEW.request_id, NEW.concerns, encode(NEW.details_hash, 'hex')
    )::text, 'UTF8'
  ));
  UPDATE audit_heads h SET seq = NEW.seq, hash = NEW.hash WHERE h.tenant_id = NEW.tenant_id;
  RETURN NEW;
END $$;

-- Every chain that has entries, or a head: whose it is and, null where it is missing, its head.
CREATE FUNCTION audit_chains() RETURNS TABLE (tenant_id uuid, seq bigint, hash bytea)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
  WITH RECURSIVE recorded (tenant_id) AS (
    (SELECT a.tenant_id FROM audit_log a ORDER BY a.tenant_id LIMIT 1)
    UNION ALL
    SELECT (SELECT a.tenant_id FROM audit_log a WHERE a.tenant_id > r.tenant_id
            ORDER BY a.tenant_id LIMIT 1)
    FROM recorded r WHERE r.tenant_id IS NOT NULL
  )
  SELECT coalesce(h.tenant_id, r.tenant_id), h.seq, h.hash
  FROM audit_heads h FULL JOIN recorded r ON r.tenant_id = h.tenant_id
  WHERE coalesce(h.tenant_id, r.tenant_id) IS NOT NULL
  ORDER BY 1
$$;

REVOKE ALL ON FUNCTION audit_chain(), audit_chains() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit_chain() TO morrow_owner;
GRANT EXECUTE ON FUNCTION audit_chains() TO morrow_api, morrow_worker;

SET LOCAL ROLE morrow_owner;

CREATE TRIGGER audit_chain BEFORE INSERT ON audit_log FOR EACH ROW EXECUTE FUNCTION audit_chain();
