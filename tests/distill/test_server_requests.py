"""Facts about what the server teacher asks: several choices at once, bare text, fields left out, the account's pace."""

import json
import time
from collections.abc import Iterator

import pytest

from distill.request import Message, Reply, Request, Sampling, TeacherError
from distill.sample import sample
from distill.serving.chat_reply import read_replies
from distill.store import Store
from distill.teachers.openai_server import OpenaiServer
from tests.distill.hostile_server import CHOICES, HostileServer, completion, response


@pytest.fixture
def server() -> Iterator[HostileServer]:
    with HostileServer() as running:
        yield running


def teacher(server: HostileServer, **options: object) -> OpenaiServer:
    settings = {"model": "m", "base_url": server.url, "timeout_s": 5.0, "backoff_s": 0.02, "in_flight": 8, **options}
    return OpenaiServer(**settings)


def draws(prompt: str, n: int) -> list[Request]:
    sampling = Sampling(n=n, max_tokens=100)
    return [Request((Message("user", prompt),), "m", "", sampling, index) for index in range(n)]


def replies_to(plug: OpenaiServer, requests: list[Request]) -> list[Reply]:
    by_key = {reply.key: reply for reply in plug.ask(requests)}
    assert len(by_key) == len(requests)
    return [by_key[request.key] for request in requests]


# Several choices at once.


def test_rollouts_of_one_problem_are_one_request_and_keep_the_servers_order(server):
    replies = replies_to(teacher(server, n_per_request=8), draws("honours n|a", 8) + draws("honours n|b", 3))
    assert [reply.content for reply in replies[:8]] == ["x" * (i + 1) for i in range(8)]
    assert sorted(body.get("n", 1) for body in server.requests) == [3, 8]
    assert sum(reply.prompt_tokens for reply in replies[:8]) == 7
    assert replies[0].prompt_tokens == 7
    assert sum(reply.completion_tokens for reply in replies[:8]) == 110
    assert replies[0].completion_tokens < replies[7].completion_tokens


def test_by_default_each_rollout_is_a_request_with_a_seed_of_its_own(server):
    replies_to(teacher(server), draws("honours n", 4))
    assert len({body["seed"] for body in server.requests}) == 4
    assert all("n" not in body for body in server.requests)


def test_one_request_asks_for_no_more_than_it_may_and_never_for_two_problems(server):
    replies_to(teacher(server, n_per_request=4), [*draws("honours n|a", 6), *draws("honours n|b", 1)])
    assert sorted(body.get("n", 1) for body in server.requests) == [1, 2, 4]


@pytest.mark.parametrize("script", ["ignores n", "refuses n"])
def test_a_server_without_n_is_asked_one_by_one_and_is_not_asked_for_more_again(server, script):
    plug = teacher(server, n_per_request=4, in_flight=1)
    replies = replies_to(plug, draws(f"{script}|a", 4) + draws(f"{script}|b", 4))
    assert [reply.content for reply in replies] == ["alone"] * 8
    asked = [body.get("n", 1) for body in server.requests]
    assert asked[0] == 4
    assert asked[1:] == [1] * (7 if script == "ignores n" else 8)
    assert sum(reply.prompt_tokens for reply in replies) == 7 * 8


@pytest.mark.parametrize(
    ("script", "contents", "requests"),
    [
        ("one too few", ["0", "1", "2", "0"], 2),
        ("two too many", ["0", "1", "2", "3"], 1),
        ("same index", ["0", "1", "2", "3"], 1),
        ("no index", ["0", "1", "2", "3"], 1),
        ("one twice", ["0", "1", "2", "3"], 1),
        ("a broken one", ["1", "2", "3", None], 2),
    ],
)
def test_a_wrong_number_of_choices_gives_every_rollout_its_outcome_and_exact_sums(server, script, contents, requests):
    replies = replies_to(teacher(server, n_per_request=4, tries=1), draws(script, 4))
    for reply, content in zip(replies, contents, strict=True):
        assert reply.content == (content or "")
        assert (reply.finish_reason == "error") == (content is None)
    assert len(server.requests) == requests
    paid = requests if None not in contents else requests - 1  # a body without a choice is no reply
    assert sum(reply.prompt_tokens for reply in replies) == 7 * paid
    assert sum(reply.completion_tokens for reply in replies) == 110 * paid


def test_a_group_that_cannot_be_answered_is_as_many_errors(server):
    replies = replies_to(teacher(server, n_per_request=3, tries=1), draws("always 500", 3))
    assert [reply.error for reply in replies] == [replies[0].error] * 3
    assert "answered 500" in str(replies[0].error)


def test_what_was_answered_does_not_wait_for_what_is_asked_one_by_one(server):
    replies = teacher(server, n_per_request=4, timeout_s=60.0).ask(draws("one, and no more", 4))
    started = time.monotonic()
    assert next(replies).content == "alone"
    assert time.monotonic() - started < 10
    replies.close()


def test_more_rollouts_later_are_one_request_for_those_that_lack(tmp_path, server):
    plug, store = teacher(server, n_per_request=8), Store(tmp_path)
    assert sample(plug, draws("honours n", 4), store).asked == 4
    again = sample(plug, draws("honours n", 8), store)
    assert (again.asked, again.reused) == (4, 4)
    assert [body["n"] for body in server.requests] == [4, 4]
    costs = store.costs([request.key for request in draws("honours n", 8)])
    assert (costs["prompt_tokens"].sum(), costs["completion_tokens"].sum()) == (2 * 7, 2 * 110)


def test_tokens_are_shared_out_by_length_and_add_up():
    for total in (0, 1, 2, 7, 10**9):
        usage = {"prompt_tokens": 5, "completion_tokens": total}
        choices = [{"text": "x" * size} for size in (3, 1, 900, 0, 96)]
        replies = read_replies(list("abcde"), json.dumps({"choices": choices, "usage": usage}).encode(), 10.0)
        assert sum(reply.completion_tokens for reply in replies) == total
        assert [reply.prompt_tokens for reply in replies] == [5, 0, 0, 0, 0]
        assert sum(reply.seconds for reply in replies) == pytest.approx(10.0)
    assert [reply.completion_tokens for reply in replies] == [3 * 10**6, 10**6, 9 * 10**8, 0, 96 * 10**6]
    short = {"choices": [{"text": "4"}, {"text": "x" * 10**5}], "usage": {"completion_tokens": 20_000}}
    assert [reply.completion_tokens for reply in read_replies("ab", json.dumps(short).encode(), 1.0)] == [1, 19_999]


# Bare text.


def test_text_completions_send_the_template_and_read_the_text(server):
    plug = teacher(server, endpoint="completions", template="{user}\n({system})\nA:")
    (request,) = draws("fine|what is {system}?", 1)
    system = Request((Message("system", "Be brief."), *request.messages), "m", "", request.sampling, 0)
    assert [reply.finish_reason for reply in plug.ask([system])] == ["stop"]
    assert server.requests[0]["prompt"] == "fine|what is {system}?\n(Be brief.)\nA:"
    assert server.headers[0].startswith("POST /v1/completions ")
    assert "messages" not in server.requests[0]


def test_by_default_the_text_is_the_users_and_nothing_is_dropped_silently(server):
    plug = teacher(server, endpoint="completions")
    (reply,) = plug.ask(draws("fine|2 + 2 =", 1))
    assert (reply.content, reply.finish_reason) == ("after fine|2 + 2 =", "stop")
    request = Request((Message("system", "Be brief."), Message("user", "?")), "m", "", Sampling(), 0)
    with pytest.raises(TeacherError, match=r"a message of the system; put \{system\} into template"):
        list(plug.ask([request]))


def test_what_decides_the_text_is_part_of_the_revision():
    plain = OpenaiServer("m", revision="r")
    others = [
        OpenaiServer("m", revision="r", endpoint="completions"),
        OpenaiServer("m", revision="r", endpoint="completions", template="Q: {user}"),
        OpenaiServer("m", revision="r", omit=("top_p",)),
        OpenaiServer("m", revision="r", extra_body={"omit": ["top_p"]}),
        plain,
        OpenaiServer("m", revision="r", extra_body={"top_k": 1}),
    ]
    assert len({one.revision for one in others}) == 6
    assert OpenaiServer("m", revision="r", omit=("seed",), n_per_request=8).revision == "r"


# Fields that a server does not take.


@pytest.mark.parametrize(
    ("status", "said", "advice"),
    [
        # As OpenAI, Azure, FastAPI servers, Gemini's compatible endpoint and Anthropic's put it.
        (
            "400 Bad Request",
            {
                "error": {
                    "message": "Unsupported parameter: 'max_tokens' is not supported with this model. "
                    "Use 'max_completion_tokens' instead.",
                    "param": "max_tokens",
                }
            },
            "set max_tokens_name: max_completion_tokens",
        ),
        (
            "400 Bad Request",
            {"error": {"message": "Unsupported value: 'temperature' does not support 0.6 with this model."}},
            r"set omit: \[temperature\]",
        ),
        (
            "400 Bad Request",
            {"error": {"message": "Unrecognized request argument supplied: seed"}},
            r"set omit: \[seed\]",
        ),
        (
            "422 Unprocessable Entity",
            {
                "detail": [
                    {"type": "extra_forbidden", "loc": ["body", "top_k"], "msg": "Extra inputs are not permitted"}
                ]
            },
            "take top_k out of extra_body",
        ),
        (
            "400 Bad Request",
            [{"error": {"message": 'Invalid JSON payload received. Unknown name "seed": Cannot find field.'}}],
            r"set omit: \[seed\]",
        ),
        (
            "400 Bad Request",
            {"error": {"message": "`temperature` and `top_p` cannot both be specified for this model."}},
            r"set omit: \[temperature\]",
        ),
    ],
)
def test_a_refused_field_stops_the_run_at_once_and_says_which_option_to_set(server, status, said, advice):
    server.rejects = response(json.dumps(said).encode(), status)
    with pytest.raises(TeacherError, match=advice):
        list(teacher(server, in_flight=1, extra_body={"top_k": 5}).ask(draws("fine", 20)))
    assert len(server.requests) == 1


def test_a_row_that_talks_about_fields_stops_no_run_that_was_answered_before(server):
    plug = teacher(server, in_flight=1)
    replies = plug.ask(draws("fine", 1) + draws("bad request", 1))
    next(replies)
    server.rejects = response(b'{"error": "unsupported value: \'seed\'"}', "400 Bad Request")
    assert "answered 400" in str(next(replies).error)


def test_omitted_fields_are_not_sent(server):
    plug = teacher(server, omit=("seed", "top_p"), max_tokens_name="max_completion_tokens")
    list(plug.ask(draws("fine", 1)))
    assert set(server.requests[0]) == {"model", "messages", "temperature", "max_completion_tokens"}


# Pace.


def test_requests_keep_to_what_the_account_allows_over_all_servers(server):
    with HostileServer() as second:
        plug = teacher(server, base_url=(server.url, second.url), requests_per_minute=1200, in_flight=40)
        started = time.monotonic()
        assert len(list(plug.ask(draws("fine", 40)))) == 40
        assert 0.95 <= time.monotonic() - started < 2.5  # 20 at once, then 20 a second
        assert min(len(server.requests), len(second.requests)) > 5


def test_choices_are_counted_as_the_server_counts_them():
    body = CHOICES["honours n"](3).partition(b"\r\n\r\n")[2]
    assert [reply.content for reply in read_replies(["a", "b", "c"], body, 0.0)] == ["x", "xx", "xxx"]
    assert [reply.content for reply in read_replies(["a"], completion("4"), 0.0)] == ["4"]
