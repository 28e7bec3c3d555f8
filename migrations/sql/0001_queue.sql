-- The queue's statements that cross tenants. They return ids; the rows are read under the wall.

SET LOCAL ROLE morrow_definer;

-- Start-time fair queueing (Goyal, Vin & Cheng 1996), each priority class for itself:
-- start = max(V, last finish of the tenant), finish = start + cost / weight. V is the start tag in
-- service: that of the class's running tasks, else of the next one queued, else (idle) the largest
-- finish tag given out. Answers the start tag, and the weight by which the costs that follow count.
CREATE FUNCTION queue_reserve(class smallint, cost double precision)
RETURNS TABLE (start_tag double precision, weight double precision)
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
  WITH virtual_time AS (
    SELECT coalesce(
      (SELECT max(t.start_tag) FROM tasks t WHERE t.state = 'running' AND t.priority = class),
      (SELECT min(t.start_tag) FROM tasks t WHERE t.state = 'queued' AND t.priority = class),
      (SELECT max(q.last_finish) FROM queue_shares q WHERE q.priority = class),
      0
    ) AS v
  )
  INSERT INTO queue_shares AS s (tenant_id, priority, last_finish)
  SELECT app_tenant(), class, v + cost FROM virtual_time
  ON CONFLICT (tenant_id, priority) DO UPDATE
    SET last_finish = greatest(s.last_finish, excluded.last_finish - cost) + cost / s.weight
  RETURNING s.last_finish - cost / s.weight, s.weight
$$;

-- A lease that ran out sends its task back to the queue; the claim that follows counts an attempt.
-- Nothing is waited for: a row that is locked is about to end, or its holder froze and lost it.
CREATE FUNCTION claim_tasks(claimer text, kinds text[], slots integer, lease interval)
RETURNS TABLE (tenant_id uuid, id bigint, fence bigint, attempt smallint)
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
  UPDATE tasks SET state = 'queued', lease_until = NULL, worker = NULL,
    error = jsonb_build_object('code', 'lease_expired', 'message', 'worker ' || worker || ' fell silent')
  WHERE (tenant_id, id) IN (
    SELECT t.tenant_id, t.id FROM tasks t
    WHERE t.state = 'running' AND t.lease_until < now()
    FOR UPDATE SKIP LOCKED
  );

  WITH chosen AS (
    SELECT t.tenant_id, t.id FROM tasks t
    WHERE t.state = 'queued' AND t.run_after <= now() AND t.kind = ANY (kinds)
    ORDER BY t.priority, t.start_tag, t.id
    LIMIT slots
    FOR UPDATE SKIP LOCKED
  )
  UPDATE tasks t
  SET state = 'running', fence = t.fence + 1, attempt = t.attempt + 1, worker = claimer,
    lease_until = now() + lease, started_at = now(), progress = NULL
  FROM chosen c WHERE t.tenant_id = c.tenant_id AND t.id = c.id
  RETURNING t.tenant_id, t.id, t.fence, t.attempt
$$;

-- Renews what is still the caller's own, and returns just that: whatever is missing was lost.
CREATE FUNCTION renew_leases(owners uuid[], ids bigint[], fences bigint[], lease interval)
RETURNS SETOF bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
  UPDATE tasks t SET lease_until = now() + lease
  FROM unnest(owners, ids, fences) AS mine (tenant_id, id, fence)
  WHERE t.tenant_id = mine.tenant_id AND t.id = mine.id AND t.fence = mine.fence AND t.state = 'running'
  RETURNING t.id
$$;

REVOKE ALL ON FUNCTION
  queue_reserve(smallint, double precision), claim_tasks(text, text[], integer, interval),
  renew_leases(uuid[], bigint[], bigint[], interval)
FROM PUBLIC;
GRANT EXECUTE ON FUNCTION queue_reserve(smallint, double precision) TO morrow_api, morrow_worker;
GRANT EXECUTE ON FUNCTION
  claim_tasks(text, text[], integer, interval),
  renew_leases(uuid[], bigint[], bigint[], interval)
TO morrow_worker;

SET LOCAL ROLE morrow_owner;
