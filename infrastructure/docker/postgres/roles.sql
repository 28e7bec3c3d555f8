-- The two logins of the service, each with its own password; `morrow migrate` makes all else.
\set ON_ERROR_STOP on
\getenv api API_DATABASE_PASSWORD
\getenv worker WORKER_DATABASE_PASSWORD
CREATE ROLE morrow_api LOGIN PASSWORD :'api';
CREATE ROLE morrow_worker LOGIN PASSWORD :'worker';
