"""What `pg_catalog` says of the wall between tenants: a query for each way to breach it.

Each answers with its breaches in words, so that a sound database answers nothing. What is no
breach although it looks like one is named here, and nowhere else.
"""

from typing import Final

import asyncpg

WITHOUT_TENANT: Final = ["alembic_version"]
"""Relations that belong to nobody, which the service may read."""

CROSS_TENANTS: Final = [
    "audit_chain()",
    "audit_chains()",
    "erase_audit_details(integer)",
    "erased_among(uuid[])",
    "erasures_since(interval)",
    "claim_tasks(text,text[],integer,interval,integer,interval[])",
    "ended_keys(interval)",
    "keys_by_prefix(text)",
    "note_key_uses(uuid[],uuid[])",
    "periodic_due(text,interval,integer)",
    "periodic_health()",
    "queue_depth()",
    "queue_reserve(smallint,double precision)",
    "renew_leases(uuid[],bigint[],bigint[],interval)",
    "reset_breaker(text)",
    "take_request(uuid,uuid,jsonb)",
    "tell_breakers(text,text,interval,jsonb)",
    "tell_streams(uuid[],uuid[],interval)",
    "tenant_ids(uuid,integer)",
    "told_breakers(uuid,interval,text,text,uuid,integer)",
]
"""The SECURITY DEFINER functions: each answers with ids, or is told what its caller may know."""

DEFINER_PATH: Final = "search_path=pg_catalog, public, pg_temp"
"""`pg_temp` named last: else it is looked at first, and anybody may put a table there."""

SERVICES: Final = ["morrow_api", "morrow_worker"]
ROLES: Final = ["morrow_api", "morrow_definer", "morrow_migrator", "morrow_owner", "morrow_worker"]

ONLY_OWN: Final = [
    "(tenant_id = app_tenant())",
    "(tenant_id = ( SELECT app_tenant() AS app_tenant))",
]
"""What a policy may let the service see and write; the second is evaluated once a statement."""

OPERATOR_ACTS: Final = (
    "audit_log: policy concerned lets morrow_api in by "
    "((tenant_id = '00000000-0000-0000-0000-000000000000'::uuid) AND (concerns = app_tenant()))",
    "audit_log: policy operator_acts lets morrow_api in by "
    "((tenant_id = '00000000-0000-0000-0000-000000000000'::uuid) AND "
    "(concerns = ( SELECT app_tenant() AS app_tenant)))",
)
"""What the operator did to a tenant stands in nobody's chain: written, and seen, as that tenant."""

APP_TENANT: Final = "SELECT pg_catalog.current_setting('app.tenant_id')::pg_catalog.uuid"

OURS: Final = "!~ '^(pg_|information_schema$)'"

UNWALLED: Final = f"""
SELECT format('%s: row-level security is not enabled and forced', c.oid::regclass)
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
WHERE c.relkind IN ('r', 'p') AND c.relnamespace::regnamespace::text {OURS}
  AND NOT (c.relrowsecurity AND c.relforcerowsecurity)
"""

WITHOUT_POLICY: Final = f"""
SELECT format('%s: no policy that checks %s of %s', c.oid::regclass, w.command, w.role)
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id',
  (SELECT * FROM unnest($1::text[]) AS r (role), unnest('{{r,a,w,d}}'::text[]) AS k (command)) w
WHERE c.relkind IN ('r', 'p') AND c.relnamespace::regnamespace::text {OURS}
  AND NOT EXISTS (
    SELECT FROM pg_policy p
    WHERE p.polrelid = c.oid AND p.polpermissive AND p.polcmd IN ('*', w.command::"char")
      AND (p.polroles = '{{0}}' OR w.role::regrole::oid = ANY (p.polroles))
      AND (w.command = 'a' OR pg_get_expr(p.polqual, c.oid) = ANY ($2::text[]))
      AND (w.command IN ('r', 'd') OR pg_get_expr(p.polwithcheck, c.oid) = ANY ($2::text[]))
  )
"""

POLICIES_THAT_LET_IN: Final = """
SELECT format('%s: policy %s lets %s in by %s', p.polrelid::regclass, p.polname, r.rolname, e.text)
FROM pg_policy p
CROSS JOIN LATERAL (VALUES
  (p.polcmd <> 'a', pg_get_expr(p.polqual, p.polrelid)),
  (p.polcmd NOT IN ('r', 'd'), pg_get_expr(p.polwithcheck, p.polrelid))
) AS e (needed, text)
JOIN pg_roles r ON r.rolname = ANY ($1::text[]) AND (p.polroles = '{0}' OR r.oid = ANY (p.polroles))
WHERE p.polpermissive AND e.needed AND (e.text = ANY ($2::text[])) IS NOT TRUE
"""

POLICIES_OF_OTHERS: Final = """
SELECT format(
  '%s: policy %s is for %s', p.polrelid::regclass, p.polname, coalesce(r.rolname, 'PUBLIC')
)
FROM pg_policy p, unnest(p.polroles) AS o (role) LEFT JOIN pg_roles r ON r.oid = o.role
WHERE (r.rolname = ANY ($1::text[] || 'morrow_definer'::text)) IS NOT TRUE
"""

POLICY_FUNCTIONS: Final = """
SELECT DISTINCT
  format('%s, which a policy asks, is not app_tenant() as it was meant', f.oid::regprocedure)
FROM pg_depend d JOIN pg_proc f ON f.oid = d.refobjid
WHERE d.classid = 'pg_policy'::regclass AND d.refclassid = 'pg_proc'::regclass
  AND NOT (
    f.oid::regprocedure::text = 'app_tenant()' AND f.provolatile <> 'v' AND f.proparallel = 's'
    AND NOT f.prosecdef AND btrim(f.prosrc, E' \\n;') = $1
  )
"""

POWERS: Final = """
SELECT format('%s: %s', r.rolname, p.power)
FROM pg_roles r CROSS JOIN LATERAL (VALUES
  (r.rolsuper, 'is a superuser'), (r.rolbypassrls, 'has BYPASSRLS'),
  (r.rolcreaterole, 'may make roles'), (r.rolcreatedb, 'may make databases'),
  (r.rolreplication, 'may replicate'),
  (r.rolcanlogin <> (r.rolname NOT IN ('morrow_owner', 'morrow_definer')), 'logs in, or cannot')
) AS p (has, power)
WHERE r.rolname = ANY ($1::text[]) AND p.has
UNION ALL
SELECT format('%s may become %s', m.member::regrole, m.roleid::regrole)
FROM pg_auth_members m
WHERE m.member::regrole::text = ANY ($1::text[])
  AND (m.member::regrole::text, m.roleid::regrole::text) NOT IN (
    ('morrow_migrator', 'morrow_owner'), ('morrow_migrator', 'morrow_definer')
  )
UNION ALL
SELECT format('%s is set for %s', s.setting, s.setrole::regrole)
FROM (
  SELECT setrole, unnest(setconfig) AS setting FROM pg_db_role_setting
  WHERE setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
) s
WHERE s.setrole = 0 OR s.setrole::regrole::text = ANY ($1::text[])
"""

OWNED: Final = f"""
SELECT format('%s owns %s', o.owner::regrole, o.what)
FROM (
  SELECT relowner, relkind <> 'c', relnamespace, oid::regclass::text FROM pg_class
  UNION ALL SELECT proowner, true, pronamespace, oid::regprocedure::text FROM pg_proc
  UNION ALL SELECT typowner, true, typnamespace, oid::regtype::text FROM pg_type
  UNION ALL SELECT nspowner, true, 0, 'schema ' || nspname FROM pg_namespace
  UNION ALL SELECT datdba, true, 0, 'database ' || datname FROM pg_database
) AS o (owner, counts, namespace, what)
WHERE o.counts AND o.owner::regrole::text = ANY ($1::text[])
  AND (o.namespace = 0 OR o.namespace::regnamespace::text {OURS})
"""

VIEWS: Final = f"""
SELECT format('%s: a view that is not security_invoker', c.oid::regclass) FROM pg_class c
WHERE c.relkind = 'v' AND c.relnamespace::regnamespace::text {OURS}
  AND (c.reloptions && '{{security_invoker=true,security_invoker=on}}') IS NOT TRUE
UNION ALL
SELECT format('%s: relations of kind %s know no row-level security', c.oid::regclass, c.relkind)
FROM pg_class c
WHERE c.relkind IN ('m', 'f') AND c.relnamespace::regnamespace::text {OURS}
UNION ALL
SELECT format('%s: rule %s acts for the owner', r.ev_class::regclass, r.rulename)
FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class
WHERE r.rulename <> '_RETURN' AND c.relnamespace::regnamespace::text {OURS}
"""

OUTLETS: Final = """
SELECT format('%s: an extension, whose functions nobody looked at', extname) FROM pg_extension
WHERE extname <> 'plpgsql'
UNION ALL
SELECT format('%s: a publication, which no row-level security holds', pubname)
FROM pg_publication
UNION ALL
SELECT format('%s: a foreign server', srvname) FROM pg_foreign_server
"""

DEFINERS: Final = f"""
SELECT format('%s: SECURITY DEFINER, and %s', f.oid::regprocedure, w.wrong)
FROM pg_proc f CROSS JOIN LATERAL (VALUES
  (f.oid::regprocedure::text <> ALL ($1::text[]), 'not on the list'),
  (f.proowner::regrole::text <> 'morrow_definer', 'not of morrow_definer'),
  ((f.proconfig @> ARRAY[$2::text]) IS NOT TRUE, 'without the fixed search_path'),
  (EXISTS (
    SELECT FROM aclexplode(coalesce(f.proacl, acldefault('f', f.proowner))) g WHERE g.grantee = 0
  ), 'executed by PUBLIC')
) AS w (has, wrong)
WHERE f.prosecdef AND f.pronamespace::regnamespace::text {OURS} AND w.has
UNION ALL
SELECT format('%s: on the list, but no SECURITY DEFINER', l.name)
FROM unnest($1::text[]) AS l (name)
WHERE NOT EXISTS (
  SELECT FROM pg_proc f WHERE f.oid = to_regprocedure(l.name) AND f.prosecdef
)
"""

KEYS: Final = f"""
SELECT format('%s: a unique key without tenant_id', i.indexrelid::regclass)
FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
WHERE (i.indisunique OR i.indisexclusion) AND c.relnamespace::regnamespace::text {OURS}
  AND c.relname <> ALL ($1::text[]) AND NOT EXISTS (
    SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id'
      AND a.attnum = ANY (i.indkey[0:i.indnkeyatts - 1])
  )
UNION ALL
SELECT format('%s: a primary key that does not begin with tenant_id', c.oid::regclass)
FROM pg_class c
WHERE c.relkind IN ('r', 'p') AND c.relnamespace::regnamespace::text {OURS}
  AND c.relname <> ALL ($1::text[]) AND NOT EXISTS (
    SELECT FROM pg_index i JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
    WHERE i.indrelid = c.oid AND i.indisprimary AND a.attname = 'tenant_id'
  )
UNION ALL
SELECT format('%s of %s: a foreign key not from tenant_id to tenant_id', k.conname,
  k.conrelid::regclass)
FROM pg_constraint k
WHERE k.contype = 'f' AND NOT EXISTS (
  SELECT FROM unnest(k.conkey, k.confkey) AS p (here, there)
  JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = p.here AND a.attname = 'tenant_id'
  JOIN pg_attribute b ON b.attrelid = k.confrelid AND b.attnum = p.there AND b.attname = 'tenant_id'
)
UNION ALL
SELECT format('%s: tenant_id may be null, or is no uuid', a.attrelid::regclass)
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
WHERE a.attname = 'tenant_id' AND c.relkind IN ('r', 'p')
  AND c.relnamespace::regnamespace::text {OURS}
  AND NOT (a.attnotnull AND a.atttypid = 'uuid'::regtype)
"""

REACHABLE_WITHOUT_TENANT: Final = f"""
SELECT format('%s: without tenant_id, and open to %s', c.oid::regclass, r.role)
FROM pg_class c, unnest($1::text[]) AS r (role)
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relnamespace::regnamespace::text {OURS}
  AND c.relname <> ALL ($2::text[])
  AND NOT EXISTS (
    SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id'
  )
  AND (
    has_table_privilege(r.role, c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, TRIGGER')
    OR has_any_column_privilege(r.role, c.oid, 'SELECT, INSERT, UPDATE, REFERENCES')
  )
"""

CHECKS: Final[tuple[tuple[str, tuple[object, ...]], ...]] = (
    (UNWALLED, ()),
    (WITHOUT_POLICY, (SERVICES, ONLY_OWN)),
    (POLICIES_THAT_LET_IN, (SERVICES, ONLY_OWN)),
    (POLICIES_OF_OTHERS, (SERVICES,)),
    (POLICY_FUNCTIONS, (APP_TENANT,)),
    (POWERS, (ROLES,)),
    (OWNED, (SERVICES,)),
    (VIEWS, ()),
    (OUTLETS, ()),
    (DEFINERS, (CROSS_TENANTS, DEFINER_PATH)),
    (KEYS, (WITHOUT_TENANT,)),
    (REACHABLE_WITHOUT_TENANT, (SERVICES, WITHOUT_TENANT)),
)


async def breaches(connection: "asyncpg.Connection[asyncpg.Record]") -> list[str]:
    """Every way past the wall that the catalogue of this database shows, in words."""
    found: list[str] = []
    for query, arguments in CHECKS:
        found += [row[0] for row in await connection.fetch(query, *arguments)]
    return [breach for breach in found if breach not in OPERATOR_ACTS]
