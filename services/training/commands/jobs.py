"""`morrow jobs`: training jobs that were asked for."""

from typing import Annotated

import typer

from services.training.commands.calling import tenant_call
from services.training.commands.options import DEFAULT_URL, AsJson, Key, Url

app = typer.Typer(help="List, watch and cancel training jobs.", no_args_is_help=True)

JobId = Annotated[str, typer.Argument(help="as `morrow jobs list` shows it")]


@app.command("list")
def list_jobs(
    most: Annotated[int, typer.Option(help="of the newest", min=1, max=500)] = 20,
    url: Url = DEFAULT_URL,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """List jobs, the newest first."""
    with tenant_call(url, key, as_json) as (client, screen):
        from itertools import islice

        from services.training.commands.job_tables import job_table

        jobs = list(islice(client.list_jobs(), most))
        screen.result({"items": jobs}, job_table(jobs))


@app.command()
def watch(job_id: JobId, url: Url = DEFAULT_URL, key: Key = None, as_json: AsJson = False) -> None:
    """Watch a job until it is finished; exit status 1 if it failed."""
    with tenant_call(url, key, as_json) as (client, screen):
        from services.training.commands.following import follow_and_tell

        follow_and_tell(client, screen, client.get_job(job_id))


@app.command()
def events(
    job_id: JobId,
    since: Annotated[int, typer.Option(help="the last `seq` that is known already", min=0)] = 0,
    url: Url = DEFAULT_URL,
    key: Key = None,
) -> None:
    """Print a job's events as they come until it is finished, for machines: one JSON value a
    line."""
    with tenant_call(url, key, as_json=True) as (client, screen):
        for event in client.events(job_id, since=since):
            screen.result(event)


@app.command()
def cancel(job_id: JobId, url: Url = DEFAULT_URL, key: Key = None, as_json: AsJson = False) -> None:
    """End a job: nothing more of it starts, running fits stop, finished models stay."""
    with tenant_call(url, key, as_json) as (client, screen):
        job = client.cancel_job(job_id)
        screen.result(job, f"job {job['id']} is {job['status']}")
