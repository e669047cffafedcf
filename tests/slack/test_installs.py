"""Installing by OAuth in many workspaces, tokens that rotate, and what goes when the app goes; on both databases."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.oauth.installation_store import Installation
from sqlalchemy import func, select

from bot.casebook import Casebook
from bot.cases import Store
from bot.settings import Settings
from bot.slack.behind import Behind
from bot.slack.install_tables import SLACK_BOTS, SLACK_INSTALLATIONS, SLACK_ORGS, SLACK_STATES
from bot.slack.installs import KNOWN_S, STATE_S, ManyTokens, OneToken, States, Tokens
from bot.slack.opening import REDIRECT, SCOPES, Slack, open_slack, web_client
from bot.slack.web import NoToken
from bot.threads import Threads
from tests.clock import Clock
from tests.loopback_slack import SECRET
from tests.service import set_up
from tests.shipped import shipped_expert
from tests.slack.faults import refusing
from tests.slack.loopback import Loopback, loopback, nothing_wrong
from tests.slack.our_app import Kept, modal, parse, respond
from tests.slack.people import Person, person
from tests.slack.workspace import CLIENT_ID, CLIENT_SECRET, TOKEN_S

pytest_plugins = ["tests.postgres"]
pytestmark = pytest.mark.filterwarnings("ignore:.*BasicAuth.*:DeprecationWarning")  # slack_sdk, on aiohttp 3.14
PUBLIC = "https://whydrop.example"


@dataclass
class Shop:
    """Our service before a Slack in which nobody has installed the app yet."""

    town: Loopback
    store: Store
    slack: Slack
    tokens: ManyTokens
    kept: Kept
    how: Settings
    clock: Clock

    def browser(self) -> httpx.AsyncClient:
        """Open a browser."""
        transport = httpx.ASGITransport(self.slack.doors(self.how))
        return httpx.AsyncClient(transport=transport, base_url=PUBLIC)

    async def installs(self, who: Person) -> httpx.Response:
        """Let somebody install the app."""
        async with self.browser() as browser:
            return await browser.get(_path(who.allows(await begun(browser))))

    async def rows(self, table: Any) -> int:
        """Count the rows of a table."""
        counted = select(func.count()).select_from(table)
        found = await self.store.read_with(lambda one: one.execute(counted))
        return found.scalar_one()

    def someone(self, name: str, domain: str | None = None) -> Person:
        """Add somebody, in a workspace of their own if its name is told."""
        return person(self.town, name, self.town.slack.team(domain) if domain else None)


async def begun(browser: httpx.AsyncClient) -> str:
    """Begin to install; gives the address of Slack's page."""
    answer = await browser.get("/install")
    assert answer.status_code == 302
    return str(answer.headers["location"])


def _path(address: str) -> str:
    """Give what the browser asks our service for; at /slack our app is mounted."""
    found = urlsplit(address)
    assert f"{found.scheme}://{found.netloc}{found.path}" == PUBLIC + REDIRECT
    return f"/oauth_redirect?{found.query}"


async def _nothing() -> None:
    pass


@asynccontextmanager
async def shop_with(town: Loopback, url: str) -> AsyncIterator[Shop]:
    oauth = {"slack_client_id": CLIENT_ID, "slack_client_secret": CLIENT_SECRET, "slack_signing_secret": SECRET}
    how = set_up(url, public_url=PUBLIC, slack_api_url=town.base_url, **oauth)
    kept, clock, found = Kept(), Clock(), list[Tokens]()

    def parts(_: Settings, __: Casebook, tokens: Tokens) -> Behind:
        found.append(tokens)
        return Behind(kept, modal, parse, respond, _nothing)

    async with Store.open(url, clock) as store:
        await store.migrate()
        slack = open_slack(how, Casebook(store, shipped_expert(), Threads(2)), parts)
        (tokens,) = found
        assert isinstance(tokens, ManyTokens)
        yield Shop(town, store, slack, tokens, kept, how, clock)


@pytest.fixture
async def shop(url: str) -> AsyncIterator[Shop]:
    async with loopback(rotation=True, installed=False) as town, shop_with(town, url) as found:
        yield found


async def test_somebody_installs_the_app(shop: Shop) -> None:
    alice = shop.someone("alice")
    with nothing_wrong(shop.town):
        async with shop.browser() as browser:
            page = await begun(browser)
            asked = {name: values[0] for name, values in parse_qs(urlsplit(page).query).items()}
            assert page.startswith(f"{shop.town.url}/oauth/v2/authorize?")
            assert asked["scope"].split(",") == list(SCOPES)
            assert "user_scope" not in asked
            assert asked["redirect_uri"] == PUBLIC + REDIRECT
            done = await browser.get(_path(alice.allows(page)))
        assert done.status_code == 200
        token = await shop.tokens.token_of(alice.team.id)
        assert (await shop.town.client(token).auth_test())["team_id"] == alice.team.id
    taken = await shop.tokens.authorize(None, alice.team.id)
    assert taken
    assert taken.bot_token == token
    assert (await shop.rows(SLACK_BOTS), await shop.rows(SLACK_STATES)) == (1, 0)


async def test_each_workspace_has_its_own_token_and_others_have_none(shop: Shop) -> None:
    alice, eve, mallory = shop.someone("alice"), shop.someone("eve", "globex"), shop.someone("mallory", "initech")
    for who in (alice, eve):
        assert (await shop.installs(who)).status_code == 200
    tokens = [await shop.tokens.token_of(who.team.id) for who in (alice, eve)]
    assert len(set(tokens)) == 2
    assert await shop.tokens.authorize(None, mallory.team.id) is None
    with pytest.raises(NoToken):
        await shop.tokens.token_of(mallory.team.id)


async def test_a_code_is_taken_once_and_so_is_a_state(shop: Shop) -> None:
    alice = shop.someone("alice")
    async with shop.browser() as browser:
        back = _path(alice.allows(await begun(browser)))
        cookies = dict(browser.cookies)
        assert (await browser.get(back)).status_code == 200
        again = await browser.get(back, headers={"cookie": "; ".join(f"{k}={v}" for k, v in cookies.items())})
        assert again.status_code == 401
        code = parse_qs(urlsplit(back).query)["code"][0]
        state = parse_qs(urlsplit(await begun(browser)).query)["state"][0]
        second = await browser.get(f"/oauth_redirect?code={code}&state={state}")
    assert second.status_code == 401
    assert await shop.rows(SLACK_INSTALLATIONS) == 1


async def test_another_browser_cannot_bring_the_code(shop: Shop) -> None:
    """Or else somebody could be made to install what another began."""
    alice = shop.someone("alice")
    async with shop.browser() as browser, shop.browser() as other:
        back = _path(alice.allows(await begun(browser)))
        assert (await other.get(back)).status_code == 400
        await begun(other)
        assert (await other.get(back)).status_code == 400
        assert await shop.rows(SLACK_BOTS) == 0
        assert (await browser.get(back)).status_code == 200


@pytest.mark.parametrize(
    ("query", "status"),
    [("", 400), ("code=x", 400), ("code=x&state=y", 400), ("error=access_denied", 200), ("state=%00&code=%FF", 400)],
)
async def test_whoever_comes_back_without_having_begun_is_refused(shop: Shop, query: str, status: int) -> None:
    async with shop.browser() as browser:
        answer = await browser.get(f"/oauth_redirect?{query}")
    assert answer.status_code == status
    assert await shop.rows(SLACK_BOTS) == 0


async def test_a_state_is_good_for_ten_minutes(shop: Shop) -> None:
    alice = shop.someone("alice")
    async with shop.browser() as browser:
        back = _path(alice.allows(await begun(browser)))
        shop.clock.time += timedelta(seconds=STATE_S + 1)
        assert (await browser.get(back)).status_code == 401
        await begun(browser)
    assert await shop.rows(SLACK_STATES) == 1  # the one that ended is forgotten


async def test_of_two_who_use_a_state_at_once_one_is_let_in(shop: Shop) -> None:
    states = States(shop.store)
    state = await states.async_issue()
    assert sorted(await asyncio.gather(*(states.async_consume(state) for _ in range(8)))) == [False] * 7 + [True]


async def test_when_slack_fails_the_installation_can_be_tried_again(shop: Shop) -> None:
    alice = shop.someone("alice")
    shop.town.faults.plan("oauth.v2.access", refusing("fatal_error"))
    assert (await shop.installs(alice)).status_code == 401
    assert (await shop.installs(alice)).status_code == 200


async def test_a_token_is_exchanged_before_it_ends(shop: Shop) -> None:
    alice = shop.someone("alice")
    await shop.installs(alice)
    first = await shop.tokens.token_of(alice.team.id)
    assert await shop.tokens.token_of(alice.team.id) == first
    await shop.store.write_with(
        lambda one: one.execute(SLACK_BOTS.update().values(bot_token_expires_at=datetime.now(UTC).replace(tzinfo=None)))
    )
    calls = len(shop.town.faults.of("oauth.v2.access"))
    found = await asyncio.gather(*(shop.tokens.token_of(alice.team.id) for _ in range(5)))
    assert len(set(found)) == 1
    assert found[0] != first
    assert len(shop.town.faults.of("oauth.v2.access")) == calls + 1
    shop.town.slack.clock.advance(TOKEN_S - 60)
    assert (await shop.town.client(found[0]).auth_test())["ok"]
    taken = await shop.tokens.authorize(None, alice.team.id)
    assert taken
    assert taken.bot_token == found[0]
    assert await shop.rows(SLACK_BOTS) == 1


async def test_of_two_processes_that_exchange_a_token_both_get_the_new_one(shop: Shop) -> None:
    alice = shop.someone("alice")
    await shop.installs(alice)
    past = datetime.now(UTC).replace(tzinfo=None)
    await shop.store.write_with(lambda one: one.execute(SLACK_BOTS.update().values(bot_token_expires_at=past)))
    other = ManyTokens(shop.store, CLIENT_ID, CLIENT_SECRET, web_client(shop.how))
    found = await asyncio.gather(shop.tokens.token_of(alice.team.id), other.token_of(alice.team.id))
    for token in found:
        assert (await shop.town.client(token).auth_test())["ok"]


async def test_uninstalling_deletes_what_was_kept_of_the_workspace_alone(shop: Shop) -> None:
    alice, eve = shop.someone("alice"), shop.someone("eve", "globex")
    for who in (alice, eve):
        await shop.installs(who)
    assert await shop.tokens.authorize(None, alice.team.id)
    await shop.tokens.forget(alice.team.id)
    assert await shop.tokens.authorize(None, alice.team.id) is None
    with pytest.raises(NoToken):
        await shop.tokens.token_of(alice.team.id)
    assert await shop.tokens.token_of(eve.team.id)
    assert (await shop.rows(SLACK_BOTS), await shop.rows(SLACK_INSTALLATIONS)) == (1, 1)
    await shop.installs(alice)
    assert await shop.tokens.token_of(alice.team.id)


async def test_a_late_word_of_leaving_forgets_nothing_that_was_installed_since(shop: Shop) -> None:
    """Slack tells again for minutes what was not acknowledged; by then somebody may have installed the app anew."""
    alice, left = shop.someone("alice"), time.time()
    await shop.installs(alice)
    earlier = int(left) - 60
    assert not await shop.tokens.forget(alice.team.id, earlier)
    assert await shop.tokens.token_of(alice.team.id)
    told: Any = {"app_id": "A1", "user_id": "U1", "bot_token": "xoxb-org", "bot_id": "B1", "bot_user_id": "U2"}
    await shop.tokens.async_save(Installation(**told, enterprise_id="E1", is_enterprise_install=True))
    assert not await shop.tokens.forget("E1", earlier)
    assert await shop.tokens.authorize("E1", "T8")
    for whose in (alice.team.id, "E1"):
        assert await shop.tokens.forget(whose, int(time.time()))  # in the second of installing, or later
        assert await shop.tokens.forget(whose, earlier), "there is nothing that was made since"
    assert (await shop.rows(SLACK_BOTS), await shop.rows(SLACK_INSTALLATIONS)) == (0, 0)


async def test_another_process_notices_within_seconds(shop: Shop) -> None:
    now = [0.0]
    other = ManyTokens(shop.store, CLIENT_ID, CLIENT_SECRET, web_client(shop.how), lambda: now[0])
    alice = shop.someone("alice")
    assert await other.authorize(None, alice.team.id) is None
    await shop.installs(alice)
    now[0] += KNOWN_S + 1
    assert await other.authorize(None, alice.team.id)
    await shop.tokens.forget(alice.team.id)
    now[0] += KNOWN_S + 1
    assert await other.authorize(None, alice.team.id) is None


async def test_an_organisation_installs_for_all_of_its_workspaces(shop: Shop) -> None:
    """A wish names a workspace alone: which organisation it is of is remembered from its requests."""
    told: Any = {"app_id": "A1", "user_id": "U1", "bot_token": "xoxb-org", "bot_id": "B1", "bot_user_id": "U2"}
    await shop.tokens.async_save(Installation(**told, enterprise_id="E1", is_enterprise_install=True))
    with pytest.raises(NoToken):
        await shop.tokens.token_of("T8")
    for team in ("T8", "T9", "T9"):
        taken = await shop.tokens.authorize("E1", team)
        assert taken
        assert taken.bot_token == "xoxb-org"
        assert await shop.tokens.token_of(team) == "xoxb-org"
    assert await shop.tokens.authorize("E2", "T7") is None
    await shop.tokens.forget("E1")
    assert await shop.tokens.authorize("E1", "T8") is None
    assert (await shop.rows(SLACK_ORGS), await shop.rows(SLACK_INSTALLATIONS)) == (0, 0)


async def test_a_workspace_of_an_organisation_that_installed_alone_is_found_by_its_name(shop: Shop) -> None:
    told: Any = {"app_id": "A1", "user_id": "U1", "bot_token": "xoxb-one", "bot_id": "B1", "bot_user_id": "U2"}
    await shop.tokens.async_save(Installation(**told, enterprise_id="E1", team_id="T8"))
    assert await shop.tokens.token_of("T8") == "xoxb-one"
    assert await shop.tokens.authorize("E1", "T9") is None


async def test_one_token_is_for_the_workspace_that_it_is_of() -> None:
    async with loopback() as town:
        tokens = OneToken(next(iter(town.slack.tokens)), town.client())
        assert await tokens.authorize(None, town.team.id)
        assert await tokens.authorize(None, "T0OTHER") is None
        assert await tokens.authorize(None, None) is None
        assert len(town.faults.of("auth.test")) == 1
        assert await OneToken("xoxb-wrong", town.client()).token_of(town.team.id) == "xoxb-wrong"
        with pytest.raises(SlackApiError, match="invalid_auth"):
            await OneToken("xoxb-wrong", town.client()).authorize(None, town.team.id)
