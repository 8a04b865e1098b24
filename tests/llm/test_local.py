"""The local model as a solver sees it."""

from __future__ import annotations

import json
import math
import multiprocessing
import pickle
import re
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from llmopt.errors import InvalidInput, ModelError
from llmopt.llm import Constraint, Message, Request, Sampling, Usage, connect
from llmopt.llm.local import LocalLLM
from support.workers import answer_and_close

pytestmark = pytest.mark.model

HISTORY = "".join(f"loss={900 - 7 * i} w={18 - i % 5} b={15 + i % 7}\n" for i in range(8)) + "loss=50 w="
PAIR = Constraint(grammar='root ::= int " b=" int "\\n"\nint ::= "-"? [1-9] [0-9]? | "0"')
REQUEST = Request(HISTORY, n=3, max_tokens=16, constraint=PAIR, seed=1)


REQUEST_HI = Request("Say: ", constraint=Constraint(grammar='root ::= "hi"'))


def answer(llm: LocalLLM, request: Request) -> list[str]:
    return [reply.text for reply in llm.generate([request])[0].replies]


def test_every_reply_obeys_the_grammar(local_llm: LocalLLM) -> None:
    texts = answer(local_llm, replace(REQUEST, n=8))
    assert len(texts) == 8
    assert all(re.fullmatch(r"(-?[1-9][0-9]?|0) b=(-?[1-9][0-9]?|0)\n", text) for text in texts)
    assert len(set(texts)) > 1


def test_every_reply_obeys_the_schema(local_llm: LocalLLM) -> None:
    schema = Constraint(schema={"enum": ["red", "blue"]})
    texts = answer(local_llm, Request("The colour is ", n=3, constraint=schema))
    assert {json.loads(text) for text in texts} <= {"red", "blue"}


def test_more_replies_than_slots_are_fetched_in_several_calls(local_llm: LocalLLM) -> None:
    [response] = local_llm.generate([replace(REQUEST, n=20)])
    one = local_llm.generate([replace(REQUEST, n=1)])[0].usage
    assert len(response.replies) == 20
    assert response.usage.calls == 3
    assert response.usage.prompt_tokens == 3 * one.prompt_tokens


def test_replies_that_do_not_fit_beside_each_other_are_fetched_in_several_calls(local_llm: LocalLLM) -> None:
    [response] = local_llm.generate([replace(REQUEST, n=2, max_tokens=5000)])
    assert len(response.replies) == 2
    assert response.usage.calls == 2


def test_usage_counts_the_prompt_once_and_every_reply(local_llm: LocalLLM) -> None:
    # A text of 200 letters cannot end within six tokens.
    endless = Constraint(grammar='root ::= "a" [a-z]{200}')
    request = Request("One two three", n=4, max_tokens=6, constraint=endless)
    [response] = local_llm.generate([request])
    assert [reply.finish_reason for reply in response.replies] == ["length"] * 4
    prompt = local_llm.count_tokens(request.prompt)
    assert response.usage == Usage(1, prompt, response.usage.cached_tokens, 4 * 6)


def test_a_prompt_seen_before_is_reported_as_cached(local_llm: LocalLLM) -> None:
    request = replace(REQUEST, prompt="Never seen: " + HISTORY)
    first, second = (local_llm.generate([request])[0].usage for _ in range(2))
    assert first.cached_tokens < first.prompt_tokens // 2
    assert second.prompt_tokens > second.cached_tokens > 0.9 * second.prompt_tokens


def test_replies_come_in_the_order_of_the_requests(local_llm: LocalLLM) -> None:
    words = [f"word{i}" for i in range(12)]
    requests = [Request("Say: ", constraint=Constraint(grammar=f'root ::= "{word}"')) for word in words]
    assert [response.replies[0].text for response in local_llm.generate(requests)] == words


def test_threads_may_share_the_model(local_llm: LocalLLM) -> None:
    def say(word: str) -> list[str]:
        return answer(local_llm, Request("Say: ", n=2, constraint=Constraint(grammar=f'root ::= "{word}"')))

    words = [f"thread{i}" for i in range(6)]
    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(say, words)) == [[word, word] for word in words]


@pytest.mark.parametrize("method", ["spawn", "fork"])
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_worker_processes_use_a_pickled_model_and_cannot_end_it(local_llm: LocalLLM, method: str) -> None:
    context = multiprocessing.get_context(method)
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        assert pool.submit(answer_and_close, local_llm, REQUEST_HI).result() == ["hi"]
    assert answer(local_llm, REQUEST_HI) == ["hi"]


def test_requests_too_large_to_run_together_wait_for_each_other(local_llm: LocalLLM) -> None:
    context = local_llm.capabilities.context
    assert context is not None
    # Each may need over half of the memory; llama.cpp would fail all of them.
    requests = [replace(REQUEST, prompt=f"{i} {HISTORY}", max_tokens=context // 2, n=1) for i in range(3)]
    assert [len(response.replies) for response in local_llm.generate(requests)] == [1, 1, 1]


def test_greedy_replies_are_equal(local_llm: LocalLLM) -> None:
    texts = answer(local_llm, replace(REQUEST, n=4, sampling=Sampling(temperature=0.0)))
    assert len(set(texts)) == 1


@pytest.mark.parametrize("seed", [-1, 2**31, 2**32 - 1, 2**64])
def test_any_integer_is_a_seed(local_llm: LocalLLM, seed: int) -> None:
    request = replace(REQUEST, n=1, seed=seed)
    answer(local_llm, request)  # so that both see the same cached prompt
    assert answer(local_llm, request) == answer(local_llm, request)


def test_a_stop_text_ends_a_reply_and_is_not_part_of_it(local_llm: LocalLLM) -> None:
    grammar = Constraint(grammar='root ::= "one;two;three"')
    [response] = local_llm.generate([Request("Count: ", constraint=grammar, stop=(";",))])
    assert [(reply.text, reply.finish_reason) for reply in response.replies] == [("one", "stop")]


def test_a_conversation_with_a_base_model_is_refused(local_llm: LocalLLM) -> None:
    assert not local_llm.capabilities.chat
    with pytest.raises(InvalidInput, match=r"base model.*instruct model"):
        local_llm.generate([Request((Message("user", "hi"),))])


def test_a_conversation_goes_through_the_chat_template(local_llm: LocalLLM) -> None:
    chat = pickle.loads(pickle.dumps(local_llm))
    chat._chat = True  # llama.cpp has a template of its own for models without one
    messages = (Message("system", "Be brief."), Message("user", "hi"))
    with chat:
        assert chat.count_tokens(messages) > chat.count_tokens("Be brief. hi") + 4
        assert len(answer(chat, Request(messages, n=2, max_tokens=4))) == 2


def test_a_prompt_longer_than_the_context_is_an_error_with_both_numbers(local_llm: LocalLLM) -> None:
    with pytest.raises(ModelError, match=r"prompt of 9\d\d\d tokens .* context of 8192 tokens"):
        local_llm.generate([Request("x " * 9000)])


@pytest.mark.parametrize(
    "request_",
    [
        Request("x", constraint=Constraint(grammar="root ::= foo (")),
        # Greedy, so that the free reply is surely a word and no JSON by chance.
        Request("Once upon a", constraint=Constraint(schema={"type": "nonsense"}), stop=(" ",), sampling=Sampling(0.0)),
        Request("x", n=0),
        Request("x", max_tokens=0),
    ],
)
def test_a_request_that_is_not_legal_is_one_clear_line(local_llm: LocalLLM, request_: Request) -> None:
    with pytest.raises(InvalidInput, match=r"grammar|schema|at least 1") as error:
        local_llm.generate([request_])
    assert "\n" not in str(error.value)


def test_the_model_is_known_by_its_checksum(local_llm: LocalLLM) -> None:
    assert local_llm.info.spec == "local:gemma3-270m"
    assert local_llm.info.details["sha256"].startswith("a5fd3b62")


def test_a_file_that_is_missing_or_no_model_is_one_clear_line(local_llm: LocalLLM, tmp_path: Path) -> None:
    header = b"GGUF" + (3).to_bytes(4, "little") + b"\x01" + bytes(200)
    files = {"empty": b"", "text": b"hello" * 100, "future": b"GGUF" + b"\xff" * 100, "torn": header}
    for name, content in files.items():
        (tmp_path / f"{name}.gguf").write_bytes(content)
    (tmp_path / "folder.gguf").mkdir()
    for name in (*files, "folder", "missing"):
        with pytest.raises(InvalidInput, match=f"model file .*{name}.gguf") as error:
            connect(f"local:{tmp_path / name}.gguf")
        assert "\n" not in str(error.value)


def test_a_truncated_file_is_one_clear_line(local_llm: LocalLLM, tmp_path: Path) -> None:
    from llmopt.llm import catalog

    whole = catalog.locate(catalog.find("gemma3-270m"))
    part = tmp_path / "part.gguf"
    with whole.open("rb") as file:
        part.write_bytes(file.read(40_000_000))
    with pytest.raises(InvalidInput, match=r"part\.gguf cannot be loaded: .*corrupted or incomplete"):
        LocalLLM(part)


REVIEW = "Review: I loved it.\nSentiment:"


def next_tokens(llm: LocalLLM, prompt: str, n: int = 20) -> dict[str, float]:
    """The likeliest next tokens of an unconstrained reply, by llama.cpp's own account."""
    body = {"prompt": llm._tokens(prompt), "n_predict": 1, "n_probs": n, "temperature": 0}
    top = llm._post("/completion", body, tokens=100)["completion_probabilities"][0]["top_logprobs"]
    return {token["token"]: token["logprob"] for token in top}


def logprob(llm: LocalLLM, prompt: str, given: str) -> float:
    [response] = llm.generate([Request(prompt, given=given)])
    [reply] = response.replies
    assert (reply.text, reply.finish_reason) == (given, "stop") and reply.logprob is not None
    return reply.logprob


def test_the_likelihood_of_a_token_is_the_models_own_and_not_the_grammars(local_llm: LocalLLM) -> None:
    likeliest = next_tokens(local_llm, REVIEW)
    for token, expected in likeliest.items():
        if local_llm._tokens(REVIEW + token)[:-1] == local_llm._tokens(REVIEW):
            assert logprob(local_llm, REVIEW, token) == pytest.approx(expected, abs=0.02)
    shares = [math.exp(logprob(local_llm, REVIEW, word)) for word in (" positive", " negative")]
    assert 0 < sum(shares) < 0.5 and shares[0] > shares[1]


def test_a_reply_of_several_tokens_is_as_likely_as_each_after_the_others(local_llm: LocalLLM) -> None:
    # A token " very" is likely, a token " " is likelier: under a grammar of characters it would come first.
    whole = logprob(local_llm, REVIEW, " very negative")
    steps = [logprob(local_llm, REVIEW, " very"), logprob(local_llm, f"{REVIEW} very", " negative")]
    assert whole == pytest.approx(sum(steps), abs=0.05)
    assert next_tokens(local_llm, REVIEW)[" "] > steps[0]


def test_a_given_reply_comes_back_whatever_else_is_asked(local_llm: LocalLLM) -> None:
    request = Request(REVIEW, n=3, given=" naïve; (A)\n", constraint=PAIR, stop=(";",), sampling=Sampling(2.0), seed=3)
    [response] = local_llm.generate([request])
    assert len(set(response.replies)) == 1 and len(response.replies) == 3
    assert response.replies[0].logprob == pytest.approx(logprob(local_llm, REVIEW, " naïve; (A)\n"), abs=0.1)
    assert 0 < response.usage.completion_tokens <= 3 * request.max_tokens
    # A prompt that ends within a word is read as it stands.
    assert logprob(local_llm, f"{REVIEW} posi", "tive") < 0.0


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("", "must not be empty"),
        (" a" * 70, "70 tokens, more than max_tokens=64"),
        (" \U0001f999", "in several tokens"),
    ],
)
def test_a_given_reply_of_which_nothing_can_be_said_is_one_clear_line(
    local_llm: LocalLLM, given: str, words: str
) -> None:
    with pytest.raises(InvalidInput, match=words) as error:
        local_llm.generate([Request(REVIEW, given=given)])
    assert "\n" not in str(error.value)
