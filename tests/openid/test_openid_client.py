"""The OpenID Connect client against a real provider, which also answers wrongly on demand."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from postmaster.openid import asking, claims, faults, places, plan, signing_in
from postmaster.openid.faults import NotAnswered, Refused
from postmaster.openid.plan import Person
from tests.directory.certificates import Authority
from tests.mariadb import free_port
from tests.openid.conftest import CALLBACK
from tests.openid.provider import (
    CLIENT_ID,
    CLIENT_SECRET,
    GROUP,
    POSTING_CLIENT_ID,
    PUBLIC_CLIENT_ID,
    Provider,
)

ALICE, BOB, GRACE = "id-of-alice", "id-of-bob", "id-of-grace"
DISCOVERY = "/.well-known/openid-configuration"
SECONDS_TO_WAIT = 20


def settings(provider: Provider, **changed: Any) -> plan.Provider:
    usual = plan.Provider(provider.issuer, CLIENT_ID, CLIENT_SECRET, "groups", GROUP)
    return replace(usual, **changed)


def arguments_of(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query))


def sign_in(provider: Provider, subject: str = ALICE, **changed: Any) -> Person:
    described = settings(provider, **changed)
    begun = signing_in.begin(described, CALLBACK)
    arguments = arguments_of(provider.sign_in(begun.url, subject))
    return signing_in.finish(described, CALLBACK, begun.pending, arguments)


def finish_with(
    provider: Provider,
    change: Callable[[dict[str, str]], object] = len,
    pending: Mapping[str, str] | None = None,
    **changed: Any,
) -> Person:
    """Sign in with something changed on the way back."""
    begun = signing_in.begin(settings(provider), CALLBACK)
    arguments = arguments_of(provider.sign_in(begun.url, ALICE))
    change(arguments)
    kept = begun.pending if pending is None else pending
    return signing_in.finish(settings(provider, **changed), CALLBACK, kept, arguments)


def in_full(caught: pytest.ExceptionInfo[NotAnswered]) -> str:
    assert caught.value.advice
    assert str(caught.value) == faults.FOR_STRANGERS
    return str(caught.value.for_operators())


def refusal(caught: pytest.ExceptionInfo[Refused]) -> str:
    """Why an answer was not trusted, which strangers are not told."""
    assert caught.value.advice
    assert str(caught.value) == faults.NOT_TRUSTED
    return caught.value.detail


# --- who gets in ------------------------------------------------------------------


def test_who_is_in_the_group_signs_in(provider: Provider) -> None:
    person = sign_in(provider)
    assert person == Person(f"{provider.issuer}#id-of-alice", "alice", "Alice Adams")


def test_a_public_client_signs_in_and_its_token_is_signed_with_a_curve(provider: Provider) -> None:
    assert sign_in(provider, client_id=PUBLIC_CLIENT_ID, client_secret="").username == "alice"


def test_the_secret_is_posted_where_the_provider_wants_it_so(provider: Provider) -> None:
    methods = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    with provider.wrong(metadata=methods):
        assert sign_in(provider, client_id=POSTING_CLIENT_ID).username == "alice"


def test_who_is_in_other_groups_is_refused(provider: Provider) -> None:
    with pytest.raises(Refused) as caught:
        sign_in(provider, BOB)
    assert str(caught.value) == (
        'Your account may not use PostMaster: its claim "groups" does not have "postmaster-admins"'
    )
    assert caught.value.status == 403
    assert caught.value.detail == ""


def test_who_has_no_such_claim_is_refused_and_the_log_says_so(provider: Provider) -> None:
    with pytest.raises(Refused, match="Your account may not use PostMaster") as caught:
        sign_in(provider, GRACE)
    assert caught.value.detail == "the provider sent no claim 'groups'"


@pytest.mark.parametrize(
    ("groups", "value"),
    [
        ([""], ""),
        ([" "], " "),
        ("", ""),
        (None, ""),
        ([GROUP], ""),
        ([GROUP], "postmaster"),  # a part of it
        (GROUP, "postmaster"),
        ([GROUP.upper()], GROUP),
        ([[GROUP]], GROUP),
        ({GROUP: True}, GROUP),
        (True, "True"),
        (1, "1"),
    ],
)
def test_nobody_gets_in_by_another_value(provider: Provider, groups: Any, value: str) -> None:
    with (
        provider.wrong(userinfo={"groups": groups}),
        pytest.raises(Refused, match="Your account may not use PostMaster"),
    ):
        sign_in(provider, claim_value=value)


@pytest.mark.parametrize("groups", [GROUP, ["staff", GROUP]])
def test_a_claim_is_a_text_or_a_list(provider: Provider, groups: Any) -> None:
    with provider.wrong(userinfo={"groups": groups}):
        assert sign_in(provider, GRACE).username == "grace"


def test_a_claim_of_the_id_token_goes_before_the_userinfo(provider: Provider) -> None:
    claims = {"groups": [GROUP], "preferred_username": "bob.brown"}
    with provider.wrong(id_token={"claims": claims}):
        assert sign_in(provider, BOB).username == "bob.brown"
        assert provider.asked("/me") == 0  # there is nothing left to ask for
    with provider.wrong(id_token={"claims": {"groups": []}}), pytest.raises(Refused):
        sign_in(provider, ALICE)


def test_a_provider_without_userinfo_says_all_in_the_id_token(provider: Provider) -> None:
    claims = {"groups": [GROUP], "name": "Alice in the token"}
    with provider.wrong(metadata={"userinfo_endpoint": None}, id_token={"claims": claims}):
        assert sign_in(provider).name == "Alice in the token"


def test_an_address_lets_in_only_when_it_is_verified(provider: Provider) -> None:
    by_address = {"claim": "email", "claim_value": "alice@example.com"}
    assert sign_in(provider, **by_address).username == "alice"
    for said in (False, None, "true", 1):
        with provider.wrong(userinfo={"email_verified": said}), pytest.raises(Refused):
            sign_in(provider, **by_address)


@pytest.mark.parametrize(
    ("claims", "username", "name"),
    [
        ({"preferred_username": " ALICE.Ä "}, "alice.ä", "Alice Adams"),
        ({"preferred_username": None}, "alice@example.com", "Alice Adams"),
        ({"preferred_username": ""}, "alice@example.com", "Alice Adams"),
        ({"preferred_username": ["root"]}, "alice@example.com", "Alice Adams"),
        ({"preferred_username": "al\nice"}, "alice@example.com", "Alice Adams"),
        ({"preferred_username": None, "email_verified": False}, ALICE, "Alice Adams"),
        ({"preferred_username": None, "email_verified": "true"}, ALICE, "Alice Adams"),
        ({"preferred_username": "Alice", "name": None}, "alice", "Alice"),
        ({"name": 7}, "alice", "alice"),
    ],
)
def test_names(provider: Provider, claims: dict[str, Any], username: str, name: str) -> None:
    with provider.wrong(userinfo=claims):
        person = sign_in(provider)
    assert (person.username, person.name) == (username, name)


@pytest.mark.parametrize("subject", ["", " ", " id", "id\n", "i\0d", "ïd", "x" * 250])
def test_a_subject_that_could_be_mistaken_is_refused(provider: Provider, subject: str) -> None:
    forged = provider.wrong(id_token={"claims": {"sub": subject}}, userinfo={"sub": subject})
    with forged, pytest.raises(Refused) as caught:
        sign_in(provider)
    assert "subject" in refusal(caught)


def test_the_longest_subject(provider: Provider) -> None:
    subject = "x" * (claims.LONGEST_ID - len(f"{provider.issuer}#"))
    with provider.wrong(id_token={"claims": {"sub": subject}}, userinfo={"sub": subject}):
        assert len(sign_in(provider).external_id) == claims.LONGEST_ID


# --- what the browser brings back -------------------------------------------------


def test_what_goes_to_the_provider(provider: Provider) -> None:
    begun = signing_in.begin(settings(provider), CALLBACK)
    sent = arguments_of(begun.url)
    assert begun.url.startswith(f"{provider.issuer}/auth?")
    assert set(begun.pending) == {"issuer", "state", "nonce", "code_verifier"}
    assert begun.pending["code_verifier"] not in begun.url
    assert sent["code_challenge_method"] == "S256"
    assert (sent["response_type"], sent["redirect_uri"]) == ("code", CALLBACK)
    assert (sent["state"], sent["nonce"]) == (begun.pending["state"], begun.pending["nonce"])
    assert sent["scope"] == "openid profile email groups"
    again = signing_in.begin(settings(provider), CALLBACK).pending
    assert {again[k] for k in again}.isdisjoint(sent[k] for k in ("state", "nonce"))


@pytest.mark.parametrize(
    ("changed", "scope"),
    [
        ({"scopes": "profile roles openid"}, "openid profile roles"),
        ({"claim": "roles"}, "openid profile email"),  # the provider has no such scope
        ({"claim": "email"}, "openid profile email"),
    ],
)
def test_scopes(provider: Provider, changed: dict[str, str], scope: str) -> None:
    url = signing_in.begin(settings(provider, **changed), CALLBACK).url
    assert arguments_of(url)["scope"] == scope


@pytest.mark.parametrize("state", ["another", "", "ä", "\udcff"])
def test_another_state_is_refused(provider: Provider, state: str) -> None:
    with provider.wrong():
        with pytest.raises(Refused, match="was not begun in this browser"):
            finish_with(provider, lambda arguments: arguments.update(state=state))
        assert provider.asked("/token") == 0


@pytest.mark.parametrize(
    "change", [lambda a: a.pop("state"), lambda a: a.clear(), lambda a: a.update(state="")]
)
@pytest.mark.parametrize("kept", [(), ("issuer",), ("issuer", "nonce", "code_verifier")])
def test_a_browser_that_began_nothing_is_refused(
    provider: Provider, change: Callable[[dict[str, str]], object], kept: tuple[str, ...]
) -> None:
    pending = dict.fromkeys(kept, provider.issuer)
    with pytest.raises(Refused, match="was not begun in this browser"):
        finish_with(provider, change, pending)


@pytest.mark.parametrize("lost", ["issuer", "state", "nonce", "code_verifier"])
def test_a_browser_that_lost_a_part_is_refused(provider: Provider, lost: str) -> None:
    begun = signing_in.begin(settings(provider), CALLBACK)
    arguments = arguments_of(provider.sign_in(begun.url, ALICE))
    for pending in (begun.pending | {lost: ""}, dict(begun.pending)):
        if pending[lost]:
            del pending[lost]
        with pytest.raises(Refused, match="was not begun in this browser"):
            signing_in.finish(settings(provider), CALLBACK, pending, arguments)


def test_a_provider_that_was_changed_meanwhile_is_not_told_the_code(provider: Provider) -> None:
    with pytest.raises(Refused, match="was not begun in this browser"):
        finish_with(provider, issuer="https://other.example")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda a: a.update(iss="https://other.example"), "the issuer 'https://other.example'"),
        (lambda a: a.pop("iss"), "the issuer ''"),
        (lambda a: a.pop("code"), "it has no code"),
    ],
)
def test_an_answer_of_somebody_else_is_refused(
    provider: Provider, change: Callable[[dict[str, str]], object], why: str
) -> None:
    with pytest.raises(Refused) as caught:
        finish_with(provider, change)
    assert why in refusal(caught)


def test_a_provider_that_does_not_name_itself_needs_not_do_it(provider: Provider) -> None:
    # RFC 9207 is younger than many providers.
    with provider.wrong(metadata={"authorization_response_iss_parameter_supported": None}):
        assert finish_with(provider, lambda a: a.pop("iss")).username == "alice"
        with pytest.raises(Refused, match="cannot be trusted"):
            finish_with(provider, lambda a: a.update(iss="https://other.example"))


def test_who_changes_their_mind_is_told_so(provider: Provider) -> None:
    begun = signing_in.begin(settings(provider), CALLBACK)
    arguments = arguments_of(provider.cancel(begun.url))
    with pytest.raises(Refused) as caught:
        signing_in.finish(settings(provider), CALLBACK, begun.pending, arguments)
    assert str(caught.value) == (
        "The sign-in provider refused: access_denied: End-User aborted interaction"
    )


def test_a_refusal_of_any_length_is_one_short_line(provider: Provider) -> None:
    def refuse(arguments: dict[str, str]) -> None:
        del arguments["code"]
        arguments["error"] = "a\nb" + "c" * 9000

    with pytest.raises(Refused) as caught:
        finish_with(provider, refuse)
    assert str(caught.value).startswith("The sign-in provider refused: a bccc")
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("code", ["another", "ä &=%", "x" * 5000])
def test_another_code_is_refused(provider: Provider, code: str) -> None:
    with pytest.raises(Refused, match="was not begun in this browser") as caught:
        finish_with(provider, lambda arguments: arguments.update(code=code))
    assert caught.value.detail.startswith("invalid_grant")


def test_a_code_is_good_for_one_time(provider: Provider) -> None:
    begun = signing_in.begin(settings(provider), CALLBACK)
    arguments = arguments_of(provider.sign_in(begun.url, ALICE))
    assert signing_in.finish(settings(provider), CALLBACK, begun.pending, arguments)
    with pytest.raises(Refused, match="was not begun in this browser"):
        signing_in.finish(settings(provider), CALLBACK, begun.pending, arguments)


def test_a_code_of_another_browser_is_refused_by_its_verifier(provider: Provider) -> None:
    stolen = signing_in.begin(settings(provider), CALLBACK)
    code = arguments_of(provider.sign_in(stolen.url, ALICE))["code"]
    with pytest.raises(Refused) as caught:
        finish_with(provider, lambda arguments: arguments.update(code=code))
    assert caught.value.detail.startswith("invalid_grant")


# --- tokens -----------------------------------------------------------------------

LONG_AGO, FAR_AHEAD = 1_000_000_000, 4_000_000_000


@pytest.mark.parametrize(
    ("forged", "why"),
    [
        ({"claims": {"nonce": "another"}}, "nonce"),
        ({"claims": {"nonce": None}}, "nonce"),
        ({"claims": {"iss": "https://other.example"}}, "iss"),
        ({"claims": {"iss": None}}, "iss"),
        ({"claims": {"aud": "another-client"}}, "aud"),
        ({"claims": {"aud": ["another-client"]}}, "aud"),
        ({"claims": {"aud": None}}, "aud"),
        ({"claims": {"aud": [CLIENT_ID, "another-client"]}}, "azp"),
        ({"claims": {"aud": [CLIENT_ID, "another"], "azp": "another"}}, "azp"),
        ({"claims": {"azp": "another-client"}}, "azp"),
        ({"claims": {"exp": LONG_AGO}}, "expired"),
        ({"claims": {"exp": None}}, "exp"),
        ({"claims": {"exp": str(FAR_AHEAD)}}, "exp"),
        ({"claims": {"iat": FAR_AHEAD}}, "issued in the future"),
        ({"claims": {"iat": None}}, "iat"),
        ({"claims": {"nbf": FAR_AHEAD}}, "not yet valid"),
        ({"claims": {"sub": None}}, "sub"),
        ({"claims": {"sub": 1000}}, "sub"),
        ({"claims": {"at_hash": "another"}}, "at_hash"),
        ({"claims": {"at_hash": [7]}}, ""),
        ({"signer": "stranger"}, "bad_signature"),
        ({"signer": "next"}, "'next'"),
        ({"signer": "nobody"}, "'none'"),
        ({"signer": "public"}, "'HS256'"),
        ({"signer": "secret"}, "'HS256'"),
    ],
)
def test_a_forged_id_token_is_refused(provider: Provider, forged: dict[str, Any], why: str) -> None:
    with provider.wrong(id_token=forged), pytest.raises(Refused) as caught:
        sign_in(provider)
    assert refusal(caught).startswith("the ID token was refused: ")
    assert why in refusal(caught)


def test_the_back_door_itself_does_not_spoil_a_token(provider: Provider) -> None:
    with provider.wrong(id_token={"claims": {"aud": [CLIENT_ID, "other"], "azp": CLIENT_ID}}):
        assert sign_in(provider).username == "alice"


@pytest.mark.parametrize(
    "token", ["", "a.b.c", "..", "a" * 1000, "ä.ä.ä", "eyJhbGciOiJSUzI1NiJ9.."]
)
def test_what_is_no_id_token_is_refused(provider: Provider, token: str) -> None:
    answer = f'{{"access_token": "a", "token_type": "Bearer", "id_token": "{token}"}}'
    with (
        provider.wrong(answers={"/token": {"body": answer}}),
        pytest.raises(Refused, match="cannot be trusted"),
    ):
        sign_in(provider)


def test_an_answer_without_id_token_is_refused(provider: Provider) -> None:
    answer = '{"access_token": "a", "token_type": "Bearer"}'
    with provider.wrong(answers={"/token": {"body": answer}}), pytest.raises(Refused) as caught:
        sign_in(provider)
    assert refusal(caught) == "the ID token was refused: there is none"


def test_claims_of_somebody_else_are_refused(provider: Provider) -> None:
    with provider.wrong(userinfo={"sub": ALICE}), pytest.raises(Refused) as caught:
        sign_in(provider, BOB)
    assert "somebody else's" in refusal(caught)


def test_keys_are_asked_for_once_and_again_when_one_is_unknown(provider: Provider) -> None:
    sign_in(provider)
    with provider.wrong(published=["own", "next"], id_token={"signer": "next"}):
        assert sign_in(provider).username == "alice"
        assert sign_in(provider).username == "alice"
        assert provider.asked("/jwks") == 1
    with provider.wrong(id_token={"signer": "stranger"}):
        for _ in range(2):
            with pytest.raises(Refused):
                sign_in(provider)
        assert provider.asked("/jwks") == 2


@pytest.mark.parametrize(
    "keys",
    [
        "{}",
        '{"keys": {}}',
        '{"keys": [1, null, {}, {"kty": "new"}, {"kty": "RSA"}, {"kty": "oct", "k": "AAAA"}]}',
    ],
)
def test_keys_that_cannot_be_read_are_no_keys(provider: Provider, keys: str) -> None:
    with provider.wrong(answers={"/jwks": {"body": keys}}), pytest.raises(Refused) as caught:
        sign_in(provider)
    assert "'own'" in refusal(caught)


# --- the provider itself ----------------------------------------------------------


def test_addresses_are_remembered_for_a_while(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    with provider.wrong():
        for _ in range(3):
            signing_in.begin(settings(provider), CALLBACK)
        assert provider.asked(DISCOVERY) == 1
        places.forget()
        signing_in.begin(settings(provider), CALLBACK)
        assert provider.asked(DISCOVERY) == 2
        monkeypatch.setattr(places, "REMEMBERED_SECONDS", 0)
        signing_in.begin(settings(provider), CALLBACK)
        assert provider.asked(DISCOVERY) == 3


def test_a_wrong_secret_is_for_those_who_run_the_server(provider: Provider) -> None:
    with pytest.raises(NotAnswered) as caught:
        sign_in(provider, client_secret="wrong")
    assert in_full(caught).startswith(
        f"{provider.issuer}/token refused PostMaster itself: invalid_client"
    )
    assert caught.value.status == 503


@pytest.mark.parametrize(
    ("issuer", "allowed"),
    [
        ("https://id.example.com", True),
        ("https://id.example.com/realms/main", True),
        ("https://id.example.com:8443/", True),
        ("http://localhost:8080", True),
        ("http://127.0.0.1:8080", True),
        ("http://[::1]:8080", True),
        ("http://id.example.com", False),
        ("http://127.0.0.1.example.com", False),
        ("http://localhost.example.com", False),
        ("http://10.0.0.1", False),
        ("ftp://id.example.com", False),
        ("id.example.com", False),
        ("https://", False),
        ("https://[", False),
        ("https://name:secret@id.example.com", False),
        ("https://id.example.com?tenant=1", False),
        ("https://id.example.com#part", False),
        ("https://id.example.com/a b", False),
        ("https://id.example.com\n", False),
        ("", False),
    ],
)
def test_issuers(provider: Provider, issuer: str, allowed: bool) -> None:
    assert plan.is_issuer(issuer) is allowed
    if not allowed:
        with pytest.raises(NotAnswered) as caught:
            signing_in.begin(settings(provider, issuer=issuer), CALLBACK)
        assert in_full(caught) == f"{issuer} is no issuer"


@pytest.mark.parametrize(
    ("metadata", "why"),
    [
        ({"issuer": "https://other.example"}, "is about the issuer https://other.example and not"),
        ({"issuer": None}, "is about the issuer None"),
        (
            {"token_endpoint": "http://id.example.com/token"},
            "token_endpoint is no https:// address",
        ),
        ({"token_endpoint": "file:///etc/passwd"}, "token_endpoint is no https:// address"),
        ({"token_endpoint": None}, "token_endpoint is no https:// address"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "authorization_endpoint is no"),
        ({"jwks_uri": 7}, "jwks_uri is no https:// address"),
        ({"userinfo_endpoint": "http://10.0.0.1/"}, "userinfo_endpoint is no https:// address"),
    ],
)
def test_a_provider_that_says_wrong_things_of_itself_is_refused(
    provider: Provider, metadata: dict[str, Any], why: str
) -> None:
    with provider.wrong(metadata=metadata), pytest.raises(NotAnswered) as caught:
        signing_in.begin(settings(provider), CALLBACK)
    assert why in in_full(caught)


def test_the_issuer_is_compared_to_its_last_slash(provider: Provider) -> None:
    with pytest.raises(NotAnswered) as caught:
        signing_in.begin(settings(provider, issuer=f"{provider.issuer}/"), CALLBACK)
    assert f"is about the issuer {provider.issuer} and not {provider.issuer}/" in in_full(caught)


@pytest.mark.parametrize("path", [DISCOVERY, "/token", "/jwks", "/me"])
@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ({"status": 500, "body": "{}"}, "500"),
        ({"status": 404, "body": "Not found"}, "404"),
        ({"body": "<html>"}, "JSON object"),
        ({"body": "[]"}, "JSON object"),
        ({"body": "[" * 100_000}, ""),
        ({"status": 302, "headers": {"location": "http://169.254.169.254/"}}, "somewhere else"),
        ({"status": 307, "headers": {"location": "/back-door"}}, "somewhere else"),
        ({"body": "{}" + " " * asking.MOST_OCTETS}, "answers without end"),
        ({"endless": True}, "answers without end"),
        ({"headers": {"content-length": "1000"}, "body": "{}", "cut": True}, ""),
    ],
)
def test_broken_answers(provider: Provider, path: str, answer: dict[str, Any], why: str) -> None:
    with provider.wrong(answers={path: answer}), pytest.raises(NotAnswered) as caught:
        sign_in(provider)
    said = in_full(caught)
    assert f"{provider.issuer}{path} " in said
    assert why in said


@pytest.mark.parametrize("path", [DISCOVERY, "/token"])
@pytest.mark.parametrize("kind", ["silent", "slow"])
def test_a_provider_that_hangs_is_not_waited_for(
    provider: Provider, monkeypatch: pytest.MonkeyPatch, path: str, kind: str
) -> None:
    with provider.wrong(answers={path: {kind: True}}):
        if path != DISCOVERY:  # what is asked for before is remembered, and not hurried
            signing_in.begin(settings(provider), CALLBACK)
        monkeypatch.setattr(asking, "ANSWER_SECONDS", 0.3)
        with pytest.raises(NotAnswered) as caught:
            sign_in(provider)
    assert f"{provider.issuer}{path} " in in_full(caught)


def test_only_a_few_wait_for_a_provider_that_hangs(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "ANSWER_SECONDS", SECONDS_TO_WAIT)
    refusals: list[str] = []

    def wait() -> None:
        try:
            signing_in.begin(settings(provider), CALLBACK)
        except NotAnswered as error:
            refusals.append(str(error.for_operators()))

    waiting = [threading.Thread(target=wait) for _ in range(asking.MOST_WAITING)]
    with provider.wrong(answers={DISCOVERY: {"silent": True}}):
        for thread in waiting:
            thread.start()
        deadline = time.monotonic() + SECONDS_TO_WAIT
        while provider.asked(DISCOVERY) < len(waiting) and time.monotonic() < deadline:
            time.sleep(0.01)
        with pytest.raises(NotAnswered) as caught:
            signing_in.begin(settings(provider), CALLBACK)
    assert "requests wait for it already" in in_full(caught)
    for thread in waiting:
        thread.join(SECONDS_TO_WAIT)
    assert len(refusals) == len(waiting)
    assert sign_in(provider).username == "alice"  # the places are free again


def test_a_provider_that_is_away(provider: Provider) -> None:
    with pytest.raises(NotAnswered) as caught:
        signing_in.begin(settings(provider, issuer=f"http://127.0.0.1:{free_port()}"), CALLBACK)
    assert in_full(caught).endswith("does not answer: Connection refused")


def test_the_certificate_of_the_provider_is_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority, other = Authority(tmp_path), Authority(tmp_path, "Another authority")
    # What requests would trust besides is not asked.
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.file))
    monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", str(authority.file))
    certificate = authority.issue("provider", ["127.0.0.1"])
    with Provider([CALLBACK], certificate=certificate, ca_file=authority.file) as secure:
        assert sign_in(secure, ca_file=authority.file).username == "alice"
        elsewhere = secure.issuer.replace("127.0.0.1", "localhost")
        for issuer, trusted, why in (
            (secure.issuer, None, "unable to get local issuer certificate"),
            (secure.issuer, other.file, "unable to get local issuer certificate"),
            (elsewhere, authority.file, "Hostname mismatch"),
        ):
            with pytest.raises(NotAnswered) as caught:
                signing_in.begin(settings(secure, issuer=issuer, ca_file=trusted), CALLBACK)
            assert in_full(caught).startswith(f"The certificate of {issuer}")
            assert why in in_full(caught)


def test_a_file_without_certificates(provider: Provider, tmp_path: Path) -> None:
    for file in (tmp_path / "missing.pem", tmp_path):
        with pytest.raises(NotAnswered) as caught:
            signing_in.begin(settings(provider, ca_file=file), CALLBACK)
        assert f"certificates in {file} cannot be read" in in_full(caught)


def test_secrets_stay_out_of_what_is_printed(provider: Provider) -> None:
    described = settings(provider)
    begun = signing_in.begin(described, CALLBACK)
    assert CLIENT_SECRET not in repr(described)
    assert begun.pending["code_verifier"] not in repr(begun)
