"""Installing: what the page of Slack does where somebody allows an app, and oauth.v2.access with token rotation."""

from __future__ import annotations

import base64
import binascii
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.slack.shapes import Fields
from tests.slack.workspace import APP, CLIENT_ID, CLIENT_SECRET, CODE_S, TOKEN_S, Code, Refusal, Slack, Team, Token


def allow(slack: Slack, team: Team, user: str, page: str) -> str:
    """Allow what the authorize page asks for; gives the address that the browser is sent on to.

    Raises AssertionError for a page that Slack would refuse to show.
    """
    asked = {key: values[0] for key, values in parse_qs(urlsplit(page).query).items()}
    assert asked.get("client_id") == CLIENT_ID, "invalid_client_id"
    scopes = frozenset(asked.get("scope", "").split(","))
    assert scopes <= slack.app_scopes, f"invalid_scope: {', '.join(sorted(scopes - slack.app_scopes))}"
    assert asked.get("state"), "without a state anybody can make somebody install"
    code = Code(slack.ids.make("code-"), team.id, user, scopes, asked.get("redirect_uri"), slack.clock.now())
    slack.codes[code.value] = code
    target = asked.get("redirect_uri") or "/slack/oauth_redirect"
    return f"{target}?{urlencode({'code': code.value, 'state': asked['state']})}"


def access(slack: Slack, args: Fields, authorization: str) -> Fields:
    """Answer oauth.v2.access: a code, once, or a refresh token, once, for an access token."""
    _client(args, authorization)
    if args.get("grant_type") == "refresh_token":
        return _refreshed(slack, str(args.get("refresh_token")))
    if args.get("grant_type") not in (None, "", "authorization_code"):
        raise Refusal("invalid_grant_type")
    code = slack.codes.get(str(args.get("code")))
    if not code:
        raise Refusal("invalid_code")
    if code.used:
        raise Refusal("code_already_used")
    if slack.clock.now() - code.made > CODE_S:
        raise Refusal("code_expired")
    if code.redirect != args.get("redirect_uri"):
        raise Refusal("bad_redirect_uri")
    code.used = True
    return {**_told(slack, slack.install(slack.teams[code.team], code.scopes)), "authed_user": {"id": code.user}}


def _client(args: Fields, authorization: str) -> None:
    name, secret = str(args.get("client_id")), str(args.get("client_secret"))
    if authorization.startswith("Basic "):
        try:
            name, _, secret = base64.b64decode(authorization[6:]).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise Refusal("invalid_client_id") from None
    if name != CLIENT_ID:
        raise Refusal("invalid_client_id")
    if secret != CLIENT_SECRET:
        raise Refusal("bad_client_secret")


def _refreshed(slack: Slack, refresh: str) -> Fields:
    for token in slack.tokens.values():
        if token.refresh == refresh and slack.teams[token.team].installed:
            token.refresh = None  # a refresh token is used once
            return _told(slack, slack.issue(slack.teams[token.team], token.scopes))
    raise Refusal("invalid_refresh_token")


def _told(slack: Slack, token: Token) -> Fields:
    team = slack.teams[token.team]
    told: Fields = {"access_token": token.value, "token_type": "bot", "scope": ",".join(sorted(token.scopes))}
    told |= {"bot_user_id": token.bot, "app_id": APP, "team": {"id": team.id, "name": team.domain}}
    told |= {"enterprise": None, "is_enterprise_install": False}
    return told | ({"expires_in": TOKEN_S, "refresh_token": token.refresh} if token.ends else {})


def authorized(slack: Slack, value: str, scopes: tuple[str, ...]) -> Token:
    """Give the token that a call bears, when it is good and has one of the scopes."""
    if not value:
        raise Refusal("not_authed")
    token = slack.tokens.get(value)
    if not token:
        raise Refusal("invalid_auth")
    if not slack.teams[token.team].installed:
        raise Refusal("account_inactive")
    if token.revoked:
        raise Refusal("token_revoked")
    if token.ends is not None and slack.clock.now() >= token.ends:
        raise Refusal("token_expired")
    if scopes and not token.scopes & set(scopes):
        raise Refusal("missing_scope", needed=scopes[0], provided=",".join(sorted(token.scopes)))
    return token
