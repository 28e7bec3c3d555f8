"""`morrow tenants`, against the real API."""

from pathlib import Path

from tests.commands.conftest import Served
from tests.commands.run_morrow import answer, morrow
from tests.conftest import OPERATOR_KEY


def test_a_tenant_is_made_listed_counted_and_erased(served: Served) -> None:
    operator = {"URL": served.url, "OPERATOR_KEY": OPERATOR_KEY}
    listed = answer(morrow("tenants", "list", "--json", **operator))["items"]
    assert [tenant["name"] for tenant in listed] == ["Bäckerei"]
    tenant_id = listed[0]["id"]
    counted = answer(morrow("tenants", "erase", tenant_id, "--dry-run", "--json", **operator))
    assert counted["dry_run"]
    assert counted["rows"]["api_keys"] == 1
    erased = morrow("tenants", "erase", tenant_id, "--yes", **operator)
    assert erased.exit_code == 0
    assert "rows erased" in erased.stdout
    assert answer(morrow("tenants", "list", "--json", **operator)) == {"items": []}


def test_the_operator_key_is_found_in_the_data_directory(served: Served, tmp_path: Path) -> None:
    (tmp_path / "operator.key").write_text(OPERATOR_KEY + "\n")
    listed = morrow("tenants", "list", "--data-dir", str(tmp_path), URL=served.url)
    assert listed.exit_code == 0
    assert "Bäckerei" in listed.stdout


def test_without_an_operator_key_the_usage_is_wrong(tmp_path: Path) -> None:
    refused = morrow("tenants", "list", "--data-dir", str(tmp_path))
    assert refused.exit_code == 2
    assert "MORROW_OPERATOR_KEY" in refused.stderr


def test_erasing_asks_and_where_nobody_can_answer_does_nothing(served: Served) -> None:
    operator = {"URL": served.url, "OPERATOR_KEY": OPERATOR_KEY}
    tenant_id = answer(morrow("tenants", "list", "--json", **operator))["items"][0]["id"]
    refused = morrow("tenants", "erase", tenant_id, **operator)
    assert refused.exit_code == 2
    assert "--yes" in refused.stderr
    assert len(answer(morrow("tenants", "list", "--json", **operator))["items"]) == 1


def test_a_problem_is_told_with_its_fields_and_ends_with_one(served: Served) -> None:
    refused = morrow(
        *("tenants", "create", "Nowhere", "--country", "DE", "--timezone", "Mars/Olympus"),
        URL=served.url,
        OPERATOR_KEY=OPERATOR_KEY,
    )
    assert refused.exit_code == 1
    assert "timezone" in refused.stderr
    assert "Europe/Berlin" in refused.stderr
    assert refused.stdout == ""


def test_a_name_that_looks_like_markup_is_shown_as_it_is(served: Served) -> None:
    operator = {"URL": served.url, "OPERATOR_KEY": OPERATOR_KEY}
    name = "Backhaus [bold]Süd[/]"
    place = ("--country", "DE", "--subdivision", "BW", "--timezone", "Europe/Berlin")
    made = morrow("tenants", "create", name, *place, **operator)
    assert made.exit_code == 0, made.output
    listed = morrow("tenants", "list", **operator)
    assert name in listed.stdout
    assert "DE-BW" in listed.stdout
