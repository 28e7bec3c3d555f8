"""`morrow keys`, against the real API."""

from tests.commands.conftest import Served
from tests.commands.run_morrow import answer, morrow
from tests.conftest import OPERATOR_KEY


def test_a_key_is_made_rotated_listed_and_revoked(served: Served) -> None:
    mine = {"URL": served.url, "API_KEY": served.key}
    made = answer(morrow("keys", "create", "till", "--scope", "read", "--json", **mine))
    new = answer(morrow("keys", "rotate", made["id"], "--overlap-seconds", "60", "--json", **mine))
    assert (new["name"], new["scopes"]) == ("till", ["read"])
    listed = {key["id"]: key for key in answer(morrow("keys", "list", "--json", **mine))["items"]}
    assert listed[made["id"]]["replaced_by"] == new["id"]
    shown = morrow("keys", "list", **mine)
    assert new["prefix"][:8] in shown.stdout
    assert new["key"] not in shown.stdout
    assert morrow("keys", "revoke", made["id"], **mine).exit_code == 0
    refused = morrow("tenants", "list", URL=served.url, OPERATOR_KEY=made["key"])
    assert (refused.exit_code, "revoked" in refused.stderr) == (1, True)


def test_the_operator_makes_a_key_for_who_has_lost_theirs(served: Served) -> None:
    operator = {"URL": served.url, "OPERATOR_KEY": OPERATOR_KEY}
    tenant_id = answer(morrow("tenants", "list", "--json", **operator))["items"][0]["id"]
    found = answer(morrow("keys", "recover", tenant_id, "--json", **operator))
    assert found["scopes"] == ["admin"]
    assert morrow("keys", "list", URL=served.url, API_KEY=found["key"]).exit_code == 0
