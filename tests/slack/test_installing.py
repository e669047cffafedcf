"""Installing in workspaces, with the OAuth flow of the real Bolt, and tokens that rotate."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from slack_bolt.oauth.async_oauth_settings import AsyncOAuthSettings
from slack_sdk.errors import SlackApiError
from slack_sdk.oauth.installation_store import FileInstallationStore
from slack_sdk.oauth.state_store import FileOAuthStateStore

from tests.slack.loopback import Loopback, loopback, serving
from tests.slack.oauth import allow
from tests.slack.people import Person, person
from tests.slack.small_app import QUIET, Heard, over_http, small_app
from tests.slack.workspace import CLIENT_ID, CLIENT_SECRET, TOKEN_S, Slack

SCOPES = ["commands", "chat:write", "app_mentions:read"]
PAGE = "https://slack.example/oauth/v2/authorize"


@pytest.fixture
async def town() -> AsyncIterator[Loopback]:
    async with loopback(rotation=True, installed=False) as town:
        yield town


def page(scopes: list[str]) -> str:
    return f"{PAGE}?client_id={CLIENT_ID}&scope={','.join(scopes)}&state=s&redirect_uri=https%3A%2F%2Fapp.example%2Fr"


async def access(town: Loopback, **args: str) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False) as client:
        given = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, **args}
        return await client.post(f"{town.base_url}oauth.v2.access", data=given)


async def error(town: Loopback, **args: str) -> str:
    return str((await access(town, **args)).json()["error"])


def code_of(alice: Person, scopes: list[str]) -> str:
    return parse_qs(urlsplit(alice.allows(page(scopes))).query)["code"][0]


async def test_a_code_is_exchanged_once_in_time_and_for_the_same_address(town: Loopback) -> None:
    alice, redirect = person(town, "alice"), "https://app.example/r"
    code = code_of(alice, SCOPES)
    assert await error(town, code=code, client_secret="no", redirect_uri=redirect) == "bad_client_secret"
    assert await error(town, code=code, client_id="no", redirect_uri=redirect) == "invalid_client_id"
    assert await error(town, code="none", redirect_uri=redirect) == "invalid_code"
    assert await error(town, code=code) == "bad_redirect_uri"
    told = (await access(town, code=code, redirect_uri=redirect)).json()
    assert (told["team"]["id"], told["expires_in"]) == (town.team.id, TOKEN_S)
    assert set(told["scope"].split(",")) == set(SCOPES)
    assert await error(town, code=code, redirect_uri=redirect) == "code_already_used"
    late = code_of(alice, SCOPES)
    town.slack.clock.advance(601)
    assert await error(town, code=late, redirect_uri=redirect) == "code_expired"


async def test_a_refresh_token_is_used_once_and_old_tokens_end(town: Loopback) -> None:
    alice = person(town, "alice")
    first = (await access(town, code=code_of(alice, SCOPES), redirect_uri="https://app.example/r")).json()
    refresh = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    second = (await access(town, **refresh)).json()
    assert await error(town, **refresh) == "invalid_refresh_token"
    await town.client(first["access_token"]).auth_test()  # two are good at a time
    third = (await access(town, **{**refresh, "refresh_token": second["refresh_token"]})).json()
    with pytest.raises(SlackApiError, match="token_revoked"):
        await town.client(first["access_token"]).auth_test()
    town.slack.clock.advance(TOKEN_S)
    with pytest.raises(SlackApiError, match="token_expired"):
        await town.client(third["access_token"]).auth_test()
    assert await error(town, grant_type="password") == "invalid_grant_type"


def test_nobody_allows_scopes_that_the_app_does_not_have_or_a_page_without_state() -> None:
    slack = Slack()
    team = slack.team("acme")
    with pytest.raises(AssertionError, match="invalid_scope: admin"):
        allow(slack, team, "U1", page(["commands", "admin"]))
    with pytest.raises(AssertionError, match="without a state"):
        allow(slack, team, "U1", page(SCOPES).replace("state=s", "state="))
    with pytest.raises(AssertionError, match="invalid_client_id"):
        allow(slack, team, "U1", page(SCOPES).replace(CLIENT_ID, "no"))


# slack_sdk 3.47 uses what aiohttp 3.14 has deprecated.
@pytest.mark.filterwarnings("ignore:.*BasicAuth.*:DeprecationWarning")
async def test_bolt_installs_in_two_workspaces_and_answers_each_with_its_own_token(
    town: Loopback, tmp_path: Path
) -> None:
    settings = AsyncOAuthSettings(
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        scopes=SCOPES,
        installation_store=FileInstallationStore(base_dir=str(tmp_path / "i"), client_id=CLIENT_ID),
        state_store=FileOAuthStateStore(expiration_seconds=60, base_dir=str(tmp_path / "s"), client_id=CLIENT_ID),
        logger=QUIET,
    )
    other = town.slack.team("other")
    people = [person(town, "alice"), person(town, "carol", other)]
    app = small_app(town.client(), Heard(), settings)
    async with serving(over_http(app)) as url:
        town.over_http(f"{url}/slack/events")
        for one in people:
            await installs(one, url)
        for one in people:
            await one.types("/whydrop line")
            await one.reads("Is it idle?")
        await people[0].mentions(town.channel("ops", people[0].id), "why?")
        await town.until(lambda: town.faults.of("chat.postMessage"))
        (posted,) = town.faults.of("chat.postMessage")
        assert town.slack.tokens[posted.token].team == town.team.id


async def installs(who: Person, url: str) -> None:
    async with httpx.AsyncClient(trust_env=False) as browser:
        shown = await browser.get(f"{url}/slack/install")
        asked = next(part for part in shown.text.split('"') if "/oauth/v2/authorize" in part).replace("&amp;", "&")
        back = who.allows(asked)
        cookies = {"cookie": shown.headers["set-cookie"].split(";")[0]}
        done = await browser.get(back if back.startswith("http") else f"{url}{back}", headers=cookies)
    assert (done.status_code, who.team.installed) == (200, True), done.text
