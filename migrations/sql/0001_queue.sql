-- The queue's statements that cross tenants. They return ids; the rows are read under the wall.

SET LOCAL ROLE morrow_definer;

-- Start-time fair queueing (Goyal, Vin & Cheng 1996), each priority class for itself:
-- start = max(V, last finish of the tenant), finish = start + cost / weight. V is the start tag in
-- service, of the kind that is least far: a kind is as far as its running tasks, else as the next one
-- queued of it. (Lanes run different kinds beside each other: one that runs the last of a tenant's
-- backlog says nothing of the others.) Where the class is idle, V is the largest finish tag given
-- out. Answers the start tag, and the weight by which the costs that follow count.
CREATE FUNCTION queue_reserve(class smallint, cost double precision)
RETURNS TABLE (start_tag double precision, weight double precision)
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off
SET enable_sort = off SET enable_incremental_sort = off
AS $$
  WITH RECURSIVE kinds AS (
    (SELECT t.kind FROM tasks t WHERE t.state = 'queued' ORDER BY t.kind LIMIT 1)
    UNION ALL
    SELECT (
      SELECT t.kind FROM tasks t WHERE t.state = 'queued' AND t.kind > k.kind ORDER BY t.kind LIMIT 1
    ) FROM kinds k WHERE k.kind IS NOT NULL
  ), running AS (
    SELECT t.kind, max(t.start_tag) AS start_tag FROM tasks t
    WHERE t.state = 'running' AND t.priority = class GROUP BY t.kind
  ), waiting AS (
    SELECT k.kind, h.start_tag FROM kinds k, LATERAL (
      SELECT t.start_tag FROM tasks t
      WHERE t.state = 'queued' AND t.kind = k.kind AND t.priority = class
      ORDER BY t.start_tag LIMIT 1
    ) h
  ), virtual_time AS (
    SELECT coalesce(
      (SELECT min(n.start_tag) FROM (
        SELECT r.start_tag FROM running r
        UNION ALL
        SELECT w.start_tag FROM waiting w WHERE w.kind NOT IN (SELECT r.kind FROM running r)
      ) n),
      (SELECT max(q.last_finish) FROM queue_shares q WHERE q.priority = class),
      0
    ) AS v
  ), terms AS (
    SELECT coalesce(max(q.weight), 1) AS weight FROM queue_terms q WHERE q.tenant_id = app_tenant()
  ), reserved AS (
    INSERT INTO queue_shares AS s (tenant_id, priority, last_finish)
    SELECT app_tenant(), class, v.v + cost / t.weight FROM virtual_time v, terms t
    ON CONFLICT (tenant_id, priority) DO UPDATE
      SET last_finish = greatest(
        s.last_finish + cost / (SELECT t.weight FROM terms t), excluded.last_finish
      )
    RETURNING s.last_finish
  )
  SELECT r.last_finish - cost / t.weight, t.weight FROM reserved r, terms t
$$;

-- How many more tasks of these kinds the tenant may run.
CREATE FUNCTION queue_room(owner uuid, kinds text[], usual_most_running integer) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
  most bigint := coalesce(
    (SELECT q.most_running FROM queue_terms q WHERE q.tenant_id = owner), usual_most_running
  );
BEGIN
  IF most IS NULL THEN
    RETURN 2147483647;
  END IF;
  RETURN greatest(0, most - (
    SELECT count(*) FROM tasks t
    WHERE t.tenant_id = owner AND t.state = 'running' AND t.kind = ANY (kinds)
  ));
END
$$;

-- Whose turn it is: the tenants of the next `most` tasks of these classes, by start-time fair
-- queueing within the class, leaving out who has as many of these kinds running as it may. It looks
-- at the front of the queue, whatever stands behind it; only where the front belongs to tenants who
-- may run no more, at the front of each tenant.
CREATE FUNCTION queue_turns(
  kinds text[], first_class smallint, last_class smallint, most integer, usual_most_running integer
)
RETURNS uuid[]
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
  look CONSTANT integer := 2 * most + 30;
  queued CONSTANT text := 'queued';  -- unknown to the planner, so that it takes the tenant's index
  seen integer;
  found integer;
  turns uuid[];
BEGIN
  WITH front AS MATERIALIZED (
    SELECT t.tenant_id, t.priority, t.start_tag, t.id
    FROM unnest(kinds) AS k (kind), LATERAL (
      SELECT t.tenant_id, t.priority, t.start_tag, t.id FROM tasks t
      WHERE t.state = 'queued' AND t.kind = k.kind AND t.priority BETWEEN first_class AND last_class
      ORDER BY t.priority, t.start_tag, t.id LIMIT look
    ) t
  ), ranked AS (
    SELECT f.*, row_number() OVER (PARTITION BY f.tenant_id ORDER BY f.priority, f.start_tag, f.id) AS nth
    FROM front f
  ), chosen AS (
    SELECT r.tenant_id
    FROM (SELECT * FROM ranked r ORDER BY r.priority, r.start_tag, r.id OFFSET 0) r
    WHERE r.nth <= queue_room(r.tenant_id, kinds, usual_most_running) LIMIT most
  )
  SELECT (SELECT count(*) FROM front), count(*), array_agg(DISTINCT c.tenant_id)
  INTO seen, found, turns FROM chosen c;

  IF found = most OR seen < look THEN
    RETURN turns;
  END IF;

  WITH RECURSIVE owners AS (
    (SELECT t.tenant_id FROM tasks t WHERE t.state IN ('held', 'waiting', 'queued')
     ORDER BY t.tenant_id LIMIT 1)
    UNION ALL
    SELECT (
      SELECT t.tenant_id FROM tasks t
      WHERE t.state IN ('held', 'waiting', 'queued') AND t.tenant_id > o.tenant_id
      ORDER BY t.tenant_id LIMIT 1
    ) FROM owners o WHERE o.tenant_id IS NOT NULL
  ), running AS MATERIALIZED (
    SELECT t.tenant_id, count(*) AS running FROM tasks t
    WHERE t.state = 'running' AND t.kind = ANY (kinds) GROUP BY t.tenant_id
  ), rooms AS MATERIALIZED (
    SELECT o.tenant_id,
      coalesce(q.most_running, usual_most_running, 2147483647) - coalesce(r.running, 0) AS room
    FROM owners o
    LEFT JOIN running r ON r.tenant_id = o.tenant_id
    LEFT JOIN queue_terms q ON q.tenant_id = o.tenant_id
    WHERE o.tenant_id IS NOT NULL
  ), chosen AS (
    SELECT o.tenant_id
    FROM rooms o, unnest(kinds) AS k (kind), LATERAL (
      SELECT t.priority, t.start_tag, t.id FROM tasks t
      WHERE t.tenant_id = o.tenant_id AND t.state IN ('held', 'waiting', 'queued') AND t.state = queued
        AND t.kind = k.kind AND t.priority BETWEEN first_class AND last_class
      ORDER BY t.priority, t.start_tag, t.id LIMIT least(most, o.room)
    ) t
    WHERE o.room > 0
    ORDER BY t.priority, t.start_tag, t.id LIMIT most
  )
  SELECT array_agg(DISTINCT c.tenant_id) INTO turns FROM chosen c;
  RETURN turns;
END
$$;

-- Takes up to `most` tasks of these classes. Two who claim for the same tenant do so one after the
-- other, so that what may run at once is counted right. A task whose `unique_key` runs already is
-- sent to wait, and what is behind it is looked at. The lock is waited for only while no other is
-- held; whoever holds it is a statement that commits by itself.
CREATE FUNCTION queue_take(
  claimer text, kinds text[], first_class smallint, last_class smallint, most integer,
  lease interval, usual_most_running integer
)
RETURNS TABLE (tenant_id uuid, id bigint, fence bigint, attempt smallint)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
  turns uuid[];
  mine uuid[];
  holding boolean := false;
  queued CONSTANT text := 'queued';  -- unknown to the planner, so that it takes the tenant's index
  look integer := most;
  task record;
  taken integer := 0;
BEGIN
  FOR round IN 1..10 LOOP
    turns := queue_turns(kinds, first_class, last_class, most, usual_most_running);
    EXIT WHEN turns IS NULL;
    mine := ARRAY(
      SELECT o.tenant_id FROM unnest(turns) AS o (tenant_id)
      WHERE pg_try_advisory_xact_lock(hashtextextended('claim:' || o.tenant_id, 0))
    );
    IF mine = '{}' THEN
      EXIT WHEN holding;
      PERFORM pg_advisory_xact_lock(hashtextextended('claim:' || turns[1], 0));
      mine := turns[1:1];
    END IF;
    holding := true;

    FOR task IN
      WITH heads AS MATERIALIZED (
        SELECT t.*, o.room
        FROM (
          SELECT o.tenant_id, queue_room(o.tenant_id, kinds, usual_most_running) AS room
          FROM unnest(mine) AS o (tenant_id) OFFSET 0
        ) o, unnest(kinds) AS k (kind), LATERAL (
          SELECT t.tenant_id, t.id, t.priority, t.start_tag, t.unique_key FROM tasks t
          WHERE t.tenant_id = o.tenant_id AND t.state IN ('held', 'waiting', 'queued')
            AND t.state = queued AND t.kind = k.kind AND t.priority BETWEEN first_class AND last_class
          ORDER BY t.priority, t.start_tag, t.id LIMIT look
          FOR UPDATE SKIP LOCKED
        ) t
        WHERE o.room > 0
      ), told AS (
        SELECT h.*, h.unique_key IS NOT NULL AND (
          row_number() OVER (PARTITION BY h.tenant_id, h.unique_key ORDER BY h.priority, h.start_tag, h.id) > 1
          OR (
            SELECT true FROM tasks r
            WHERE r.tenant_id = h.tenant_id AND r.unique_key = h.unique_key AND r.state = 'running'
            LIMIT 1
          ) IS NOT NULL
        ) AS blocked
        FROM heads h
      ), ranked AS (
        SELECT d.*, row_number() OVER (
          PARTITION BY d.tenant_id, d.blocked ORDER BY d.priority, d.start_tag, d.id
        ) AS nth
        FROM told d
      ), free AS (
        SELECT r.tenant_id, r.id FROM ranked r WHERE NOT r.blocked AND r.nth <= r.room
        ORDER BY r.priority, r.start_tag, r.id LIMIT most
      ), picked AS (
        SELECT f.tenant_id, f.id, false AS blocked FROM free f
        UNION ALL SELECT r.tenant_id, r.id, true FROM ranked r WHERE r.blocked
      )
      UPDATE tasks t
      SET state = CASE WHEN p.blocked THEN 'waiting' ELSE 'running' END,
        run_after = CASE WHEN p.blocked THEN now() + interval '5 seconds' ELSE t.run_after END,
        fence = t.fence + CASE WHEN p.blocked THEN 0 ELSE 1 END,
        attempt = t.attempt + CASE WHEN p.blocked THEN 0 ELSE 1 END,
        worker = CASE WHEN NOT p.blocked THEN claimer END,
        lease_until = CASE WHEN NOT p.blocked THEN now() + lease END,
        started_at = CASE WHEN NOT p.blocked THEN now() END,
        progress = NULL
      FROM picked p WHERE t.tenant_id = p.tenant_id AND t.id = p.id
      RETURNING t.tenant_id, t.id, t.fence, t.attempt, p.blocked
    LOOP
      CONTINUE WHEN task.blocked;
      taken := taken + 1;
      tenant_id := task.tenant_id;
      id := task.id;
      fence := task.fence;
      attempt := task.attempt;
      RETURN NEXT;
    END LOOP;
    EXIT WHEN taken > 0;
    look := 2 * look;
  END LOOP;
END
$$;

-- A claim. A lease that ran out sends its task back to the queue, and the claim that follows counts
-- an attempt; of rows nothing is waited for: one that is locked is about to end, or its holder froze
-- and lost it. What waited for its time comes in. Then the classes are served in their order; but
-- where a task has waited longer than its class bears (`patience`, from class 1), every fifth claim
-- begins with one of that class. The plan is not left to statistics, which lag behind a queue: those
-- from a moment when nothing was queued promise that any of its indexes is as good, and a sort free.
CREATE FUNCTION claim_tasks(
  claimer text, kinds text[], slots integer, lease interval, usual_most_running integer, patience interval[]
)
RETURNS TABLE (tenant_id uuid, id bigint, fence bigint, attempt smallint)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off
SET enable_sort = off SET enable_incremental_sort = off SET jit = off
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
  overdue smallint[];
  turn bigint;
  taken integer := 0;
BEGIN
  UPDATE tasks t SET state = 'queued', lease_until = NULL, worker = NULL,
    error = jsonb_build_object('code', 'lease_expired', 'message', 'worker ' || t.worker || ' fell silent')
  WHERE (t.tenant_id, t.id) IN (
    SELECT e.tenant_id, e.id FROM tasks e
    WHERE e.state = 'running' AND e.lease_until < now()
    ORDER BY e.lease_until LIMIT 100
    FOR UPDATE SKIP LOCKED
  );
  UPDATE tasks t SET state = 'queued'
  WHERE (t.tenant_id, t.id) IN (
    SELECT w.tenant_id, w.id FROM tasks w
    WHERE w.state = 'waiting' AND w.run_after <= now()
    ORDER BY w.run_after LIMIT 100
    FOR UPDATE SKIP LOCKED
  );

  overdue := ARRAY(
    SELECT p.class FROM unnest(patience) WITH ORDINALITY AS p (borne, class)
    WHERE (
      SELECT true FROM tasks t WHERE t.state = 'queued' AND t.kind = ANY (kinds)
        AND t.priority = p.class AND t.created_at < now() - p.borne
      LIMIT 1
    ) AND (
      SELECT true FROM tasks t WHERE t.state = 'queued' AND t.kind = ANY (kinds) AND t.priority < p.class
      LIMIT 1
    )
  );
  IF overdue <> '{}' THEN
    turn := nextval('queue_turn');
    IF turn % 5 = 0 THEN
      turn := 1 + (turn / 5) % cardinality(overdue);
      RETURN QUERY SELECT * FROM queue_take(
        claimer, kinds, overdue[turn], overdue[turn], 1, lease, usual_most_running
      );
      GET DIAGNOSTICS taken = ROW_COUNT;
    END IF;
  END IF;
  IF slots > taken THEN
    RETURN QUERY SELECT * FROM queue_take(
      claimer, kinds, 0::smallint, 32767::smallint, slots - taken, lease, usual_most_running
    );
  END IF;
END
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

-- Of each kind and class how many tasks could be claimed now, and how long ago the oldest was put in:
-- counted in the index `ix_tasks_age` alone.
CREATE FUNCTION queue_depth()
RETURNS TABLE (kind text, priority smallint, tasks bigint, oldest_seconds double precision)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off
AS $$
  SELECT t.kind, t.priority, count(*),
    extract(epoch FROM greatest(now() - min(t.created_at), '0'))::double precision
  FROM tasks t WHERE t.state = 'queued' GROUP BY t.kind, t.priority
$$;

REVOKE ALL ON FUNCTION
  queue_reserve(smallint, double precision), queue_room(uuid, text[], integer),
  queue_turns(text[], smallint, smallint, integer, integer),
  queue_take(text, text[], smallint, smallint, integer, interval, integer),
  claim_tasks(text, text[], integer, interval, integer, interval[]),
  renew_leases(uuid[], bigint[], bigint[], interval), queue_depth()
FROM PUBLIC;
GRANT EXECUTE ON FUNCTION queue_reserve(smallint, double precision) TO morrow_api, morrow_worker;
GRANT EXECUTE ON FUNCTION
  claim_tasks(text, text[], integer, interval, integer, interval[]),
  renew_leases(uuid[], bigint[], bigint[], interval), queue_depth()
TO morrow_worker;

SET LOCAL ROLE morrow_owner;
