"""What came of it, counted by brute force from rows that no code under test reads.

`effects` is what the workers did, without any constraint that would hide a second one; a trigger
writes every claim into `claims_seen`, so that who was the last to hold a task is known apart from
the fence.
"""

from dataclasses import dataclass
from pathlib import Path

from tests.chaos.database import Database
from tests.chaos.journal import Said, read_journals

MADE = """
CREATE TABLE effects (task_id bigint, fence bigint, worker text, answer bigint);
GRANT INSERT ON effects TO morrow_worker;
CREATE TABLE claims_seen (
  n bigint GENERATED ALWAYS AS IDENTITY, task_id bigint, fence bigint, worker text
);
CREATE FUNCTION see_claim() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public AS $$
BEGIN
  INSERT INTO claims_seen (task_id, fence, worker) VALUES (NEW.id, NEW.fence, NEW.worker);
  RETURN NULL;
END $$;
CREATE TRIGGER see_claim AFTER UPDATE ON tasks FOR EACH ROW
WHEN (NEW.state = 'running' AND OLD.state <> 'running') EXECUTE FUNCTION see_claim();
"""

LOCKS_LEFT = """
SELECT 1 FROM pg_locks JOIN pg_database d ON d.oid = database
WHERE locktype = 'advisory' AND datname = current_database()
"""


@dataclass(frozen=True, slots=True)
class Ledger:
    """What must be nothing, but for the last three: those count what the faults brought about."""

    lost: int
    double_effects: int
    stale_accepted: int
    wrong_answers: int
    acknowledged_and_gone: int
    stale_refused: int
    claims: int
    burnt_attempts: int


def make_ledger(database: Database) -> None:
    database.execute(MADE)


def read_ledger(database: Database, folder: Path) -> Ledger:
    tasks = {row["id"]: row for row in database.ask("SELECT id, state, fence, attempt FROM tasks")}
    effects = database.ask("SELECT task_id, fence, worker, answer FROM effects")
    claims = database.ask("SELECT task_id, fence, worker FROM claims_seen ORDER BY n")
    last = {row["task_id"]: (row["fence"], row["worker"]) for row in claims}
    had = {row["task_id"] for row in effects}
    said = list(read_journals(folder))
    done = {(line.task, line.fence) for line in said if line.said is Said.DONE}
    return Ledger(
        lost=sum(row["state"] != "succeeded" or id not in had for id, row in tasks.items()),
        double_effects=len(effects) - len(had),
        stale_accepted=sum(
            (row["fence"], row["worker"]) != last[row["task_id"]]
            or row["fence"] != tasks[row["task_id"]]["fence"]
            for row in effects
        ),
        wrong_answers=sum(row["answer"] != row["task_id"] ** 2 for row in effects),
        acknowledged_and_gone=len(done - {(row["task_id"], row["fence"]) for row in effects}),
        stale_refused=sum(line.said is Said.STALE for line in said),
        claims=len(claims),
        burnt_attempts=sum(row["attempt"] - 1 for row in tasks.values()),
    )
