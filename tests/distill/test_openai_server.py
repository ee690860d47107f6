"""Facts about the server teacher, against a server that does everything wrong: nothing hangs, leaks or grows."""

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator

import psutil
import pytest

from distill.request import Reply, Request, TeacherError
from distill.sample import sample
from distill.store import Store
from distill.teachers.openai_server import OpenaiServer
from tests.distill.asking import asks, teacher
from tests.distill.hostile_server import ALWAYS, ONCE, HostileServer, response


@pytest.fixture
def server() -> Iterator[HostileServer]:
    with HostileServer() as running:
        yield running


def outcomes(plug: OpenaiServer, requests: list[Request]) -> dict[str, Reply]:
    replies = list(plug.ask(requests))
    assert sorted(reply.key for reply in replies) == sorted(request.key for request in requests)
    by_key = {reply.key: reply for reply in replies}
    return {request.messages[0].content.split("|")[0]: by_key[request.key] for request in requests}


def test_a_reply_holds_the_text_the_tokens_and_the_reason(server):
    (request,) = asks("fine")
    (reply,) = teacher(server, extra_body={"top_k": 20}).ask([request])
    assert (reply.content, reply.reasoning, reply.finish_reason) == ("4", None, "stop")
    assert (reply.prompt_tokens, reply.completion_tokens) == (7, 11)
    assert server.requests == [
        {
            "model": "m",
            "messages": [{"role": "user", "content": "fine|0"}],
            "temperature": 0.5,
            "top_p": 0.9,
            "max_tokens": 100,
            "seed": request.seed,
            "top_k": 20,
        }
    ]


def test_both_names_of_the_reasoning_field_and_every_shape_of_content_are_read(server):
    said = outcomes(
        teacher(server), asks("reasoning_content", "only reasoning", "parts", "three choices", "odd numbers")
    )
    assert (said["reasoning_content"].content, said["reasoning_content"].reasoning) == ("4", "two and two")
    only = said["only reasoning"]
    assert (only.content, only.reasoning, only.finish_reason) == ("", "two and two", "length")
    assert (said["parts"].content, said["parts"].reasoning) == ("4", "two")
    assert (said["three choices"].content, said["three choices"].finish_reason) == ("4", "stop")
    assert (said["odd numbers"].prompt_tokens, said["odd numbers"].completion_tokens) == (0, 0)


@pytest.mark.parametrize("script", ONCE)
def test_a_passing_fault_costs_attempts_and_no_reply(server, script):
    (reply,) = teacher(server).ask(asks(script))
    assert (reply.content, reply.finish_reason) == ("4", "stop")
    assert server.attempts.total() == len(ONCE[script]) + 1


def test_retry_after_is_obeyed_by_everyone(server):
    started = time.monotonic()
    assert outcomes(teacher(server, in_flight=1), asks("429 with Retry-After", "fine"))["fine"].content == "4"
    assert 0.4 <= time.monotonic() - started < 2


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("hang", "deadline: no whole reply from 127.0.0.1"),
        ("hang in body", "deadline"),
        ("drip", "deadline"),
        ("endless", "oversize: more than 1048576 bytes"),
        ("400 MB", "oversize: more than 1048576 bytes"),
        ("endless error", "answered 500: xxx"),
        ("empty", "empty reply, finish_reason 'stop'"),
        ("null content", "empty reply"),
        ("refusal", "refused: I will not."),
        ("tool call", 'called a tool instead of answering: [{"function": {"name": "calculator"}}]'),
        ("bad request", 'answered 400: {"error": "prompt is too long"}'),
        ("always 500", "answered 500: oops"),
        ("always html", "not JSON: <html>"),
        ("deep json", "not JSON"),
        ("gzip bomb", "a compressed reply"),
        ("307", "answered 307: a redirect, which is not followed"),
    ],
)
def test_a_lasting_fault_is_an_outcome_with_its_reason_within_the_deadline(server, script, said):
    before, started = psutil.Process().memory_info().rss, time.monotonic()
    (reply,) = teacher(server, tries=2, timeout_s=1.0).ask(asks(script))
    assert (reply.finish_reason, reply.content) == ("error", "")
    assert said in str(reply.error)
    assert len(str(reply.error)) <= 300
    assert time.monotonic() - started < 4
    assert psutil.Process().memory_info().rss - before < 100 << 20


def test_a_mix_of_faults_gives_every_request_its_outcome_and_the_store_the_same_as_a_good_server(tmp_path, server):
    scripts = [*ONCE, *ALWAYS, "307", "drip", "hang", "endless", "400 MB", "echo key in content"] * 3 + ["fine"] * 60
    requests = asks(*scripts)
    summary = sample(teacher(server, tries=4, in_flight=16, timeout_s=2.0), requests, Store(tmp_path), retries=0)
    replies = Store(tmp_path).get([request.key for request in requests])
    assert summary.asked == len(replies) == len(scripts)
    good = {
        "fine",
        "reasoning_content",
        "only reasoning",
        "parts",
        "three choices",
        "odd numbers",
        "duplicate ids",
        "echo key in content",
        *ONCE,
    }
    for script, reply in zip(scripts, replies, strict=True):
        assert (reply.finish_reason != "error") == (script in good), (script, reply)
    assert summary.failed == sum(script not in good for script in scripts)


def test_a_crowd_that_is_refused_is_answered_in_the_end(server):
    server.capacity, server.delay_s = 4, 0.01
    replies = list(teacher(server, in_flight=16, tries=20).ask(asks(*["fine"] * 60)))
    assert [reply.finish_reason for reply in replies] == ["stop"] * 60
    assert server.refused > 0


def test_requests_are_pulled_no_faster_than_replies_are_taken(server):
    pulled = 0

    def endless() -> Iterator[Request]:
        nonlocal pulled
        for request in asks(*["fine"] * 500):
            pulled += 1
            yield request

    replies = teacher(server, in_flight=4).ask(endless())
    next(replies)
    time.sleep(0.2)
    assert pulled <= 4
    assert server.most_at_once <= 4
    replies.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "teacher"]


def test_several_servers_share_the_work_and_one_may_be_down(server):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        down = f"http://127.0.0.1:{unused.getsockname()[1]}/v1"
        with HostileServer() as second:
            urls = (server.url, down, second.url)
            replies = list(teacher(server, base_url=urls).ask(asks(*["fine"] * 30)))
            assert {reply.finish_reason for reply in replies} == {"stop"}
            assert min(server.attempts.total(), second.attempts.total()) > 5


def test_an_unreachable_server_stops_the_run_and_says_what_to_do(tmp_path):
    plug = OpenaiServer("m", base_url="http://127.0.0.1:9/v1", backoff_s=0.01)
    with pytest.raises(TeacherError, match=r"127\.0\.0\.1:9 cannot be reached.* Is the server up\?"):
        sample(plug, asks("fine"), Store(tmp_path))


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("401 Unauthorized", "name the key's variable in api_key_env"),
        ("403 Forbidden", "this key may not use this model"),
        ("404 Not Found", "is 'm' the model's name there"),
        ("402 Payment Required", "no credit left"),
    ],
)
def test_a_refusal_that_holds_for_all_stops_the_run(server, status, said):
    server.rejects = response(b"no", status)
    with pytest.raises(TeacherError, match=said):
        list(teacher(server).ask(asks(*["fine"] * 40)))
    assert server.attempts.total() <= 8


def test_a_server_that_wants_an_hour_stops_the_run(server):
    server.rejects = response(b"no", "429 Too Many Requests", "Retry-After: 3600")
    with pytest.raises(TeacherError, match="asks to wait 3600 s: run again later"):
        list(teacher(server).ask(asks("fine")))


def test_a_recipe_that_every_request_fails_on_stops_before_it_has_cost_the_whole_run(server):
    server.rejects = response(b"unknown field top_k", "422 Unprocessable Entity")
    with pytest.raises(TeacherError, match=r"none of the first 8 requests was answered.*top_k"):
        list(teacher(server).ask(asks(*["fine"] * 100)))


def test_what_else_decides_the_text_is_part_of_the_revision():
    plain, hot = OpenaiServer("m", revision="r"), OpenaiServer("m", revision="r", extra_body={"top_k": 1})
    assert plain.revision == "r"
    assert hot.revision.startswith("r+body-")
    assert OpenaiServer("m", revision=hot.revision, extra_body={"top_k": 1}).revision == hot.revision
    with pytest.raises(ValueError, match="extra_body may not hold n, stream"):
        OpenaiServer("m", extra_body={"stream": True, "n": 8})


def test_ctrl_c_keeps_what_arrived_and_ends_at_once(tmp_path, server):
    requests = asks(*["fine"] * 5, *["hang"] * 8)
    over = threading.Event()

    def interrupt() -> None:
        # The fine ones are sent first. On a busy machine fewer than 13 may be out at once: one that hangs is enough.
        while server.attempts.total() < 6 and not over.is_set():
            time.sleep(0.01)
        if not over.wait(1.0):
            os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    started = time.monotonic()
    try:
        with pytest.raises(KeyboardInterrupt):
            sample(teacher(server, timeout_s=60.0, in_flight=13), requests, Store(tmp_path))
    finally:
        over.set()
        thread.join()
    assert time.monotonic() - started < 10
    assert len(Store(tmp_path).keys()) == 5
