"""The engine behind any OpenAI-compatible endpoint: it asks, validates, and says clearly when it has no answer.

A model gets no tool and no right; its reply is text that others check. Servers differ in what they take, so the way
of asking is found by trying and kept for as long as the process lives.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeVar

import openai
from openai.types.chat import ChatCompletion
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt, stop_before_delay
from tenacity.wait import wait_random_exponential

from ai_service.domain import Answer, EngineName, FallbackReason
from ai_service.engines.engine import EngineFailed
from chassis.errors import Unavailable
from chassis.redaction import RedactionFailed
from chassis.resilience.breaker import Breaker

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ai_service.engines.engine import Prompt, Redact, Task

T = TypeVar("T")
ENDPOINT = "the model's endpoint"
MAX_ROUNDS = 3
_FIRST_WAIT_SECONDS = 0.5
_LONGEST_WAIT_SECONDS = 8.0
_MOST_TOKENS = 1 << 30
_ENDPOINT_AWAY = {FallbackReason.TIMEOUT, FallbackReason.UNREACHABLE, FallbackReason.SERVER_ERROR}
_VERSION = re.compile(r"(?:[-.:@v]?[0-9]{1,8}){0,4}(?:[-:](?:latest|preview))?")
_TOO_LONG = ("context_length", "context length", "context window", "too long", "too many tokens", "maximum context")


class ReplyFormat(Enum):
    """How a server is asked for a reply of one form, strictest first."""

    JSON_SCHEMA = "json_schema"
    JSON_OBJECT = "json_object"
    PLAIN = "plain"


class _Failure(Exception):
    """One request without a usable reply. Its text never quotes the server, which may echo what it was sent."""

    def __init__(
        self,
        reason: FallbackReason,
        detail: str,
        *,
        transient: bool = False,
        format_suspect: bool = False,
        retry_after_seconds: float = 0.0,
    ) -> None:
        super().__init__(detail)
        self.reason = reason
        self.transient = transient
        self.format_suspect = format_suspect
        self.retry_after_seconds = retry_after_seconds


@dataclass(slots=True)
class _Exchange:
    """What one answer took so far."""

    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    short: bool = False


class OpenAiEngine:
    """Answers tasks with one model at one endpoint."""

    def __init__(
        self,
        *,
        base_url: str,
        api_key: str,
        model: str,
        timeout_seconds: float,
        deadline_seconds: float,
        max_output_tokens: int,
        redact: Redact,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        breaker: Breaker | None = None,
    ) -> None:
        # Local servers want no key, the library insists on one.
        self._client = openai.AsyncOpenAI(
            base_url=base_url or None, api_key=api_key or "none", max_retries=0, timeout=timeout_seconds
        )
        self._model = model
        self._timeout_seconds = timeout_seconds
        self._deadline_seconds = deadline_seconds
        self._max_output_tokens = max_output_tokens
        self._redact = redact
        self._sleep = sleep
        self._breaker = breaker or Breaker(ENDPOINT)
        self._proven: ReplyFormat | None = None
        self._limit_parameter = "max_tokens"
        self._with_temperature = True

    async def answer(self, task: Task[T], *, budget_seconds: float) -> Answer[T]:
        """What the model says, as validated by its form only.

        Raises:
            EngineFailed: no usable reply came within the time.
        """
        exchange = _Exchange()
        budget = min(budget_seconds, self._deadline_seconds)
        rounds = AsyncRetrying(
            sleep=self._sleep,
            wait=_full_jitter,
            stop=stop_after_attempt(MAX_ROUNDS) | stop_before_delay(budget),
            retry=retry_if_exception(lambda error: isinstance(error, _Failure) and error.transient),
            reraise=True,
        )
        try:
            async with asyncio.timeout(budget):
                return await rounds(self._ask, task, exchange)
        except TimeoutError:
            reason, detail = FallbackReason.TIMEOUT, f"no answer within {budget:.1f} s"
        except RedactionFailed:
            reason, detail = FallbackReason.REFUSED, "the input could not be redacted, so it was not sent"
        except _Failure as failure:
            reason, detail = failure.reason, str(failure)
        raise EngineFailed(
            reason,
            detail,
            attempt_count=exchange.requests,
            input_tokens=exchange.input_tokens,
            output_tokens=exchange.output_tokens,
        )

    async def close(self) -> None:
        """Close the connections to the endpoint."""
        await self._client.close()

    async def _ask(self, task: Task[T], exchange: _Exchange) -> Answer[T]:
        """Ask in the format that is known to work here, else in each one until one works."""
        failure: _Failure | None = None
        for reply_format in (self._proven,) if self._proven else tuple(ReplyFormat):
            try:
                answer = await self._ask_in(reply_format, task, exchange)
            except _Failure as error:
                if not error.format_suspect:
                    raise
                failure = error
            else:
                self._proven = reply_format
                return answer
        self._proven = None
        assert failure is not None
        raise failure

    async def _ask_in(self, reply_format: ReplyFormat, task: Task[T], exchange: _Exchange) -> Answer[T]:
        try:
            return await self._request(reply_format, task, exchange)
        except _Failure as failure:
            too_much = failure.reason in {FallbackReason.INPUT_TOO_LONG, FallbackReason.TRUNCATED}
            if exchange.short or not too_much:
                raise
        exchange.short = True
        return await self._request(reply_format, task, exchange)

    async def _request(self, reply_format: ReplyFormat, task: Task[T], exchange: _Exchange) -> Answer[T]:
        prompt = task.write(self._redact, exchange.short)
        while True:
            try:
                completion = await self._send(reply_format, task, prompt.user, exchange)
            except openai.BadRequestError as error:
                # Ends: there are two parameters, and each is dropped once in the life of the process.
                if not self._adjust(error):
                    raise _classify(error) from None
            else:
                return self._read(completion, task, prompt, exchange)

    async def _send(self, reply_format: ReplyFormat, task: Task[T], user: str, exchange: _Exchange) -> object:
        """Ask once, unless the endpoint failed so often of late that the built-in engine's answer should not wait."""
        try:
            admission = self._breaker.admit()
        except Unavailable as refused:
            raise _Failure(FallbackReason.UNREACHABLE, refused.message) from None
        try:
            completion = await self._post(reply_format, task, user, exchange)
        except _Failure as failure:
            if failure.reason in _ENDPOINT_AWAY:
                admission.failed(in_vain=failure.reason is not FallbackReason.SERVER_ERROR)
            else:
                admission.answered()
            raise
        except openai.BadRequestError:
            admission.answered()
            raise
        else:
            admission.answered()
            return completion
        finally:
            admission.left()

    async def _post(self, reply_format: ReplyFormat, task: Task[T], user: str, exchange: _Exchange) -> object:
        exchange.requests += 1
        parameters: dict[str, Any] = {self._limit_parameter: self._max_output_tokens}
        if self._with_temperature:
            parameters["temperature"] = 0
        if reply_format is ReplyFormat.JSON_SCHEMA:
            schema = {"name": task.name, "strict": True, "schema": task.schema}
            parameters["response_format"] = {"type": "json_schema", "json_schema": schema}
        elif reply_format is ReplyFormat.JSON_OBJECT:
            parameters["response_format"] = {"type": "json_object", "schema": task.schema}
        try:
            # The library's timeout is per read: an endpoint that trickles needs one for the whole.
            async with asyncio.timeout(self._timeout_seconds):
                return await self._client.chat.completions.create(
                    model=self._model,
                    messages=[{"role": "system", "content": task.system}, {"role": "user", "content": user}],
                    **parameters,
                )
        except (TimeoutError, openai.APITimeoutError):
            detail = f"no answer within {self._timeout_seconds:.1f} s"
            raise _Failure(FallbackReason.TIMEOUT, detail, transient=True) from None
        except openai.BadRequestError:
            raise
        except openai.APIStatusError as error:
            raise _classify(error) from None
        except openai.APIConnectionError:
            raise _Failure(FallbackReason.UNREACHABLE, "no connection, or a broken one", transient=True) from None
        except (openai.OpenAIError, ValueError) as error:
            detail = f"the reply is no completion ({type(error).__name__})"
            raise _Failure(FallbackReason.INVALID_OUTPUT, detail, format_suspect=True) from None

    def _read(self, completion: object, task: Task[T], prompt: Prompt[T], exchange: _Exchange) -> Answer[T]:
        """The answer in a completion, of which nothing is taken for granted: servers leave out and mistype fields."""
        if not isinstance(completion, ChatCompletion):
            raise _Failure(FallbackReason.INVALID_OUTPUT, "the reply is no completion", format_suspect=True)
        usage: Any = completion.usage
        exchange.input_tokens += _count(getattr(usage, "prompt_tokens", 0))
        exchange.output_tokens += _count(getattr(usage, "completion_tokens", 0))
        choices: Any = completion.choices
        choice = choices[0] if isinstance(choices, list) and choices else None
        message = getattr(choice, "message", None)
        content = getattr(message, "content", None)
        finish: Any = getattr(choice, "finish_reason", None)
        if finish == "length":
            raise _Failure(FallbackReason.TRUNCATED, "the reply was cut at the token limit")
        if finish == "content_filter" or getattr(message, "refusal", None):
            raise _Failure(FallbackReason.REFUSED, "the model refused to answer")
        if not isinstance(content, str) or not content.strip():
            raise _Failure(FallbackReason.EMPTY, "the reply is empty", format_suspect=True)
        try:
            answered = prompt.read(content)
        except ValueError as error:
            detail = f"the reply has another form: {error}"
            raise _Failure(FallbackReason.INVALID_OUTPUT, detail, format_suspect=True) from None
        return Answer(
            content=answered,
            engine=EngineName.OPENAI,
            model=self._served(completion.model),
            prompt_version=task.prompt_version,
            input_tokens=exchange.input_tokens,
            output_tokens=exchange.output_tokens,
            attempt_count=exchange.requests,
        )

    def _served(self, name: object) -> str:
        """The name that the reply gives its model, if it only adds a version; it is text of a reply like any other."""
        said = name if isinstance(name, str) else ""
        return said if said.startswith(self._model) and _VERSION.fullmatch(said[len(self._model) :]) else self._model

    def _adjust(self, error: openai.BadRequestError) -> bool:
        """Drop a parameter that the endpoint names as unsupported; False when there is none to drop."""
        text = str(error).lower()
        if "max_completion_tokens" in text and self._limit_parameter == "max_tokens":
            self._limit_parameter = "max_completion_tokens"
            return True
        if "temperature" in text and self._with_temperature:
            self._with_temperature = False
            return True
        return False


def _classify(error: openai.APIStatusError) -> _Failure:
    status, text = error.status_code, f"{error} {error.code}".lower()
    detail = f"the endpoint answered {status}"
    if status == 413 or (status in {400, 422} and any(mark in text for mark in _TOO_LONG)):  # noqa: PLR2004
        return _Failure(FallbackReason.INPUT_TOO_LONG, detail)
    if status == 429:  # noqa: PLR2004
        waits = "insufficient_quota" not in text
        seconds = _retry_after(error)
        return _Failure(FallbackReason.RATE_LIMITED, detail, transient=waits, retry_after_seconds=seconds)
    if status >= 500:  # noqa: PLR2004
        # Some servers answer 500 or 501 to a response format that they do not know.
        suspect = status in {500, 501}
        return _Failure(FallbackReason.SERVER_ERROR, detail, transient=True, format_suspect=suspect)
    return _Failure(FallbackReason.REFUSED, detail, format_suspect=status in {400, 422})


def _retry_after(error: openai.APIStatusError) -> float:
    try:
        return max(0.0, float(error.response.headers.get("retry-after", "0")))
    except ValueError:
        return 0.0


def _full_jitter(state: RetryCallState) -> float:
    """Anything up to a bound that doubles, and never less than what the endpoint asks for."""
    jitter = wait_random_exponential(multiplier=_FIRST_WAIT_SECONDS, max=_LONGEST_WAIT_SECONDS)(state)
    error = state.outcome.exception() if state.outcome else None
    return max(jitter, error.retry_after_seconds) if isinstance(error, _Failure) else jitter


def _count(value: object) -> int:
    return min(value, _MOST_TOKENS) if isinstance(value, int) and value > 0 else 0
