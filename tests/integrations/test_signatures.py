"""Signatures: the vendors' own examples, and what no change may pass."""

import base64
import hmac
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casework.errors import ConfigurationError
from casework.inbox.posts import Post, Vendor
from integrations.signatures import (
    SCHEMES,
    TOLERANCE,
    Doubt,
    Doubtful,
    Genuine,
    check,
    check_secret,
)
from tests.factories.posts import NOW, SECRET, secret_of, signed

TIMED = [vendor for vendor, scheme in SCHEMES.items() if scheme.time_header]
SIGNING = [vendor for vendor in Vendor if vendor is not Vendor.COOP_REPORTS]

each_vendor = pytest.mark.parametrize("vendor", list(Vendor))

SLACK_BODY = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow"
    b"&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner"
    b"&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands"
    b"%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
    b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)


def reason(vendor: Vendor, post: Post, *secrets: str, now: datetime = NOW) -> Doubt | None:
    """Why a post is not believed; None if it is."""
    found = check(vendor, post, secrets or (secret_of(vendor),), now)
    return found.reason if isinstance(found, Doubtful) else None


def test_the_example_on_slacks_page_is_genuine() -> None:
    post = Post(
        {
            "x-slack-request-timestamp": "1531420618",
            "x-slack-signature": "v0="
            "a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
        },
        SLACK_BODY,
    )
    then = datetime.fromtimestamp(1531420618, UTC)
    assert reason(Vendor.SLACK, post, "8f742231b10e8888abcd99yyyzzz85a5", now=then) is None


def test_the_example_on_githubs_page_is_genuine() -> None:
    digest = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    post = Post({"x-hub-signature-256": f"sha256={digest}"}, b"Hello, World!")
    assert reason(Vendor.GITHUB, post, "It's a Secret to Everybody") is None


def test_the_example_on_atlassians_page_is_genuine() -> None:
    digest = "a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9"
    post = Post({"x-hub-signature": f"sha256={digest}"}, b"Hello World!")
    assert reason(Vendor.JIRA, post, "It's a Secret to Everybody") is None


def test_the_example_of_standard_webhooks_is_genuine() -> None:
    post = Post(
        {
            "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "webhook-timestamp": "1614265330",
            "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        },
        b'{"test": 2432232314}',
    )
    then = datetime.fromtimestamp(1614265330, UTC)
    found = check(Vendor.STANDARD, post, [SECRET], then)
    assert found == Genuine(b"msg_p5jXN8AQM9LWM0D4loKWxJek")


def test_zendesk_signs_the_time_and_then_the_body() -> None:
    """By the formula on its page; the secret is the one it gives for trying out."""
    secret, time = "dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ==", "2026-03-02T09:30:00Z"
    digest = hmac.new(secret.encode(), f'{time}{{"say":"hello"}}'.encode(), "sha256").digest()
    headers = {
        "x-zendesk-webhook-signature-timestamp": time,
        "x-zendesk-webhook-signature": base64.b64encode(digest).decode(),
    }
    assert reason(Vendor.ZENDESK, Post(headers, b'{"say":"hello"}'), secret) is None


@each_vendor
def test_a_signed_post_is_genuine_and_another_secret_is_refused(vendor: Vendor) -> None:
    post = signed(vendor, b'{"id": 1}')
    assert reason(vendor, post) is None
    if vendor is not Vendor.COOP:
        assert reason(vendor, post, "whsec_c29tZXRoaW5nIGVsc2U=") is Doubt.SIGNATURE


@each_vendor
def test_a_post_without_its_signature_is_refused(vendor: Vendor) -> None:
    assert reason(vendor, Post({}, b"{}")) is Doubt.UNSIGNED
    empty = {**signed(vendor, b"{}").headers, SCHEMES[vendor].header: ""}
    assert reason(vendor, Post(empty, b"{}")) is Doubt.UNSIGNED


@settings(max_examples=300)
@given(vendor=st.sampled_from(SIGNING), body=st.binary(min_size=1, max_size=80), data=st.data())
def test_any_flipped_bit_of_the_body_is_refused(
    vendor: Vendor, body: bytes, data: st.DataObject
) -> None:
    if vendor is Vendor.STANDARD:
        body = base64.b64encode(body)
    post = signed(vendor, body)
    bit = data.draw(st.integers(0, len(body) * 8 - 1))
    changed = bytearray(body)
    changed[bit // 8] ^= 1 << bit % 8
    assert reason(vendor, post) is None
    assert reason(vendor, Post(post.headers, bytes(changed))) is Doubt.SIGNATURE


@settings(max_examples=300)
@given(vendor=st.sampled_from(list(Vendor)), data=st.data())
def test_any_flipped_bit_of_what_is_signed_in_the_headers_is_refused(
    vendor: Vendor, data: st.DataObject
) -> None:
    post = signed(vendor, b'{"id": 1}')
    name = data.draw(st.sampled_from(sorted(post.headers.keys() - {"content-type"})))
    written = bytearray(post.headers[name].encode())
    bit = data.draw(st.integers(0, len(written) * 8 - 1))
    written[bit // 8] ^= 1 << bit % 8
    changed = {**post.headers, name: written.decode("latin-1")}
    assert reason(vendor, Post(changed, post.body)) is not None


@given(vendor=st.sampled_from(list(Vendor)), written=st.text(max_size=100), body=st.binary())
def test_whatever_stands_in_the_headers_is_refused_and_never_fails(
    vendor: Vendor, written: str, body: bytes
) -> None:
    scheme = SCHEMES[vendor]
    headers = {scheme.header: written, "webhook-id": written}
    for time in (written, "99999999999999999999", "2026-03-02", "0"):
        if scheme.time_header:
            headers[scheme.time_header] = time
        assert reason(vendor, Post(headers, body)) is not None


@pytest.mark.parametrize("vendor", TIMED)
def test_a_time_outside_the_tolerance_is_refused_either_way(vendor: Vendor) -> None:
    post = signed(vendor, b"{}")
    second = timedelta(seconds=1)
    assert reason(vendor, post, now=NOW + TOLERANCE) is None
    assert reason(vendor, post, now=NOW - TOLERANCE) is None
    assert reason(vendor, post, now=NOW + TOLERANCE + second) is Doubt.TOO_OLD
    assert reason(vendor, post, now=NOW - TOLERANCE - second) is Doubt.IN_FUTURE


@each_vendor
def test_while_a_secret_is_rotated_the_old_and_the_new_one_are_good(vendor: Vendor) -> None:
    post = signed(vendor, b"{}")
    other = secret_of(vendor) if vendor is Vendor.COOP else "whsec_bmV3"
    assert reason(vendor, post, other, secret_of(vendor)) is None
    assert reason(vendor, post, secret_of(vendor), other) is None


def test_one_of_several_signatures_suffices() -> None:
    duty = signed(Vendor.PAGERDUTY, b"{}").headers["x-pagerduty-signature"]
    several = Post({"x-pagerduty-signature": f"v1={'0' * 64}, {duty}"}, b"{}")
    assert reason(Vendor.PAGERDUTY, several) is None
    standard = signed(Vendor.STANDARD, b"{}")
    both = {**standard.headers}
    both["webhook-signature"] = f"v1a,anything {both['webhook-signature']}"
    assert reason(Vendor.STANDARD, Post(both, b"{}")) is None


def test_a_delivery_is_named_by_what_is_signed_not_by_how_it_came() -> None:
    later = NOW + timedelta(minutes=1)

    def named(vendor: Vendor, body: bytes, at: datetime, delivery: str = "msg_1") -> bytes:
        found = check(vendor, signed(vendor, body, at=at, delivery=delivery), [SECRET], later)
        assert isinstance(found, Genuine)
        return found.delivery

    slack = named(Vendor.SLACK, b"a", NOW)
    assert slack == named(Vendor.SLACK, b"a", later), "Slack tries again under another time"
    assert slack != named(Vendor.SLACK, b"b", NOW)
    assert named(Vendor.ZENDESK, b"a", NOW) != named(Vendor.ZENDESK, b"a", later)
    assert named(Vendor.STANDARD, b"a", NOW) == named(Vendor.STANDARD, b"a", later)
    assert named(Vendor.STANDARD, b"a", NOW) != named(Vendor.STANDARD, b"a", NOW, "msg_2")


@pytest.mark.parametrize(
    ("vendor", "secret"),
    [
        (Vendor.SLACK, " "),
        (Vendor.STANDARD, "whsec_"),
        (Vendor.STANDARD, "whsec_a"),
        (Vendor.COOP, "not a key"),
    ],
)
def test_a_secret_that_can_check_nothing_is_refused(vendor: Vendor, secret: str) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        check_secret(vendor, secret)
    assert secret.strip() == "" or secret not in refusal.value.message


@each_vendor
def test_a_secret_of_the_vendors_kind_is_taken(vendor: Vendor) -> None:
    check_secret(vendor, secret_of(vendor))
    with pytest.raises(ConfigurationError):
        check_secret(vendor, " ")
