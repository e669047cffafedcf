"""The whole service as a process, before the loopback Slack: HTTP, installing, and what somebody sees."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from tests.loopback_slack import SECRET
from tests.served import Fleet, Served, complaints
from tests.slack.loopback import Loopback, loopback, nothing_wrong
from tests.slack.people import person
from tests.slack.workspace import CLIENT_ID, CLIENT_SECRET

LINE = "%ASA-6-106015: Deny TCP (no connection) from 192.0.2.10/443 to 198.51.100.7/51515 flags SYN ACK"
READ = "192.0.2.10:443 to 198.51.100.7:51515"


async def started(fleet: Fleet, town: Loopback, folder: Path, **settings: object) -> Served:
    told = {"slack_signing_secret": SECRET, "slack_api_url": town.base_url, **settings}
    return await asyncio.to_thread(lambda: fleet.start(folder / "cases.sqlite3", small=False, **told))


async def test_the_service_talks_over_http_and_answers_once(fleet: Fleet, tmp_path: Path) -> None:
    async with loopback() as town:
        served = await started(fleet, town, tmp_path, slack_bot_token=next(iter(town.slack.tokens)))
        town.over_http(f"{served.url}/slack/events")
        alice = person(town, "alice")
        ops = town.channel("ops", alice.id)
        with nothing_wrong(town):
            await alice.types(f"/whydrop {LINE}", ops)
            assert (await alice.reads(READ, ops)).private
            root = alice.says(ops, "what is this?")
            assert town.round
            acks = await town.round.repeat(alice.mention(ops, LINE, root), 3)
            assert all(ack.good for ack in acks)
            await alice.reads(READ, ops, root)
            await alice.types("/whydrop", ops)
            await alice.submits(await alice.gets_modal(), {"Lines": LINE.replace("192.0.2.10", "192.0.2.99")})
            await alice.reads("192.0.2.99", ops)
            await alice.dms(f"```{LINE}```")
            await town.settled()
            assert len([one for one in alice.replies(ops, root) if one.message.bot]) == 1
        await asyncio.to_thread(fleet.stop, served)
        assert complaints(served) == []


async def test_somebody_installs_the_app_from_the_service_and_uses_it(fleet: Fleet, tmp_path: Path) -> None:
    async with loopback(rotation=True, installed=False) as town:
        oauth = {"slack_client_id": CLIENT_ID, "slack_client_secret": CLIENT_SECRET}
        served = await started(fleet, town, tmp_path, **oauth)
        alice = person(town, "alice")
        async with httpx.AsyncClient(base_url=served.url, trust_env=False, timeout=20) as browser:
            page = await browser.get("/slack/install")
            assert page.status_code == 302
            back = urlsplit(alice.allows(page.headers["location"]))
            cookie = page.headers["set-cookie"].partition(";")[0]  # Secure: a browser would bring it over https
            done = await browser.get(f"{back.path}?{back.query}", headers={"cookie": cookie})
            assert done.status_code == 200
            again = await browser.get(f"{back.path}?{back.query}", headers={"cookie": cookie})
            assert again.status_code == 401
        town.over_http(f"{served.url}/slack/events")
        ops = town.channel("ops", alice.id)
        with nothing_wrong(town):
            await alice.mentions(ops, LINE)
            await alice.reads(READ, ops, alice.sees(ops)[0])
        acks = await alice.uninstalls()
        assert all(ack.good for ack in acks)
        await asyncio.to_thread(fleet.stop, served)
