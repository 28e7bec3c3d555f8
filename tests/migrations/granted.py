"""Who may do what, read from `pg_catalog` as lines of text, and as it is meant to be.

`granted.txt` is the whole truth: every privilege that anybody but its owner has on anything of
ours. A line reads `kind name: grantee PRIVILEGES`; `*` marks one that may be handed on.
"""

from pathlib import Path
from typing import Final

import asyncpg

EXPECTED: Final = Path(__file__).with_name("granted.txt")

GRANTED: Final = """
SELECT format(
  '%s: %s %s', o.thing, coalesce(r.rolname, 'PUBLIC'),
  string_agg(g.privilege_type || CASE WHEN g.is_grantable THEN '*' ELSE '' END, ' '
             ORDER BY g.privilege_type COLLATE "C")
)
FROM (
  SELECT CASE c.relkind WHEN 'S' THEN 'sequence ' WHEN 'v' THEN 'view ' ELSE 'table ' END
      || c.oid::regclass,
    c.relowner,
    coalesce(
      c.relacl,
      acldefault(CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", c.relowner)
    ),
    c.relnamespace
  FROM pg_class c WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
  UNION ALL
  SELECT format('column %s.%I', c.oid::regclass, a.attname), c.relowner, a.attacl, c.relnamespace
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE a.attacl IS NOT NULL
  UNION ALL
  SELECT 'function ' || f.oid::regprocedure, f.proowner,
    coalesce(f.proacl, acldefault('f', f.proowner)), f.pronamespace
  FROM pg_proc f
  UNION ALL
  SELECT 'schema ' || n.nspname, n.nspowner, coalesce(n.nspacl, acldefault('n', n.nspowner)), n.oid
  FROM pg_namespace n
  UNION ALL
  SELECT 'database', d.datdba, coalesce(d.datacl, acldefault('d', d.datdba)), 0
  FROM pg_database d WHERE d.datname = current_database()
  UNION ALL
  SELECT format('default %s of %s', p.defaclobjtype, p.defaclrole::regrole), p.defaclrole,
    p.defaclacl, 0
  FROM pg_default_acl p
  UNION ALL
  SELECT 'parameter ' || p.parname, 10, p.paracl, 0 FROM pg_parameter_acl p
  UNION ALL
  SELECT 'large object', l.lomowner, l.lomacl, 0 FROM pg_largeobject_metadata l
) AS o (thing, owner, acl, namespace)
CROSS JOIN LATERAL aclexplode(o.acl) g
LEFT JOIN pg_roles r ON r.oid = g.grantee
WHERE g.grantee <> o.owner
  AND (o.namespace = 0 OR o.namespace::regnamespace::text !~ '^(pg_|information_schema$)')
GROUP BY o.thing, r.rolname
ORDER BY 1
"""


async def granted(connection: "asyncpg.Connection[asyncpg.Record]") -> list[str]:
    """What is granted in this database."""
    return sorted(row[0] for row in await connection.fetch(GRANTED))


def expected() -> list[str]:
    return EXPECTED.read_text().splitlines()
