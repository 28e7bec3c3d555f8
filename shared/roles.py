"""The database roles of Morrow and who may become whom: one place for every server.

| role              | logs in | purpose                                                            |
|-------------------|---------|--------------------------------------------------------------------|
| `morrow_owner`    | no      | owns every table                                                   |
| `morrow_definer`  | no      | owns the SECURITY DEFINER functions                                |
| `morrow_migrator` | yes     | runs migrations: may become `morrow_owner` and `morrow_definer`    |
| `morrow_api`      | yes     | the API; subject to row-level security                             |
| `morrow_worker`   | yes     | the worker; subject to row-level security                          |
"""

from sqlalchemy import Connection

OWNER = "morrow_owner"
DEFINER = "morrow_definer"
MIGRATOR = "morrow_migrator"
API = "morrow_api"
WORKER = "morrow_worker"

LOGIN_ROLES = (MIGRATOR, API, WORKER)

ROLES_SQL = """
DO $roles$
DECLARE
    wanted record;
    service text;
    above text;
    may_become text := CASE WHEN current_setting('server_version_num')::int >= 160000
                            THEN 'SET' ELSE 'MEMBER' END;
BEGIN
    FOR wanted IN
        SELECT * FROM (VALUES
            ('morrow_owner', 'NOLOGIN'),
            ('morrow_definer', 'NOLOGIN'),
            ('morrow_migrator', 'LOGIN'),
            ('morrow_api', 'LOGIN'),
            ('morrow_worker', 'LOGIN')
        ) AS roles (name, login)
    LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted.name) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I %s', wanted.name, wanted.login);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL;  -- another session made it meanwhile: roles belong to the whole server
            END;
        END IF;
    END LOOP;

    FOREACH above IN ARRAY ARRAY['morrow_owner', 'morrow_definer'] LOOP
        IF NOT pg_has_role('morrow_migrator', above, may_become) THEN
            EXECUTE format('GRANT %I TO morrow_migrator', above);
        END IF;
        IF NOT pg_has_role(current_user, above, may_become) THEN
            EXECUTE format('GRANT %I TO CURRENT_USER', above);
        END IF;
    END LOOP;

    IF NOT has_schema_privilege('morrow_owner', 'public', 'CREATE WITH GRANT OPTION') THEN
        GRANT USAGE, CREATE ON SCHEMA public TO morrow_owner WITH GRANT OPTION;
    END IF;

    FOREACH service IN ARRAY ARRAY['morrow_api', 'morrow_worker'] LOOP
        IF EXISTS (SELECT FROM pg_roles
                   WHERE rolname = service AND (rolsuper OR rolbypassrls)) THEN
            RAISE EXCEPTION 'role % is SUPERUSER or BYPASSRLS, so tenants are not kept apart',
                service USING HINT = format('ALTER ROLE %I NOSUPERUSER NOBYPASSRLS', service);
        END IF;
        FOREACH above IN ARRAY ARRAY['morrow_owner', 'morrow_definer', 'morrow_migrator'] LOOP
            IF pg_has_role(service, above, 'MEMBER') THEN
                RAISE EXCEPTION 'role % is a member of %, so tenants are not kept apart',
                    service, above USING HINT = format('REVOKE %I FROM %I', above, service);
            END IF;
        END LOOP;
    END LOOP;
END
$roles$
"""
"""Makes the missing roles, completes the memberships, and refuses roles that see all tenants.

One statement without parameters that any driver runs, any number of times, inside a transaction
or not, in the database that Morrow is to live in. Passwords are not its matter. If anything is
missing, the current user must be a superuser, or have CREATEROLE and own the database; afterwards
it may become `morrow_owner` and `morrow_definer` as well. Raises in SQL (`raise_exception`) when
`morrow_api` or `morrow_worker` is a superuser, has BYPASSRLS, or is a member of another of these.
"""


def ensure_roles(connection: Connection) -> None:
    """Run `ROLES_SQL`."""
    connection.exec_driver_sql(ROLES_SQL)
