"""HTTP to the local model's server."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

from llmopt.errors import InvalidInput, ModelError
from llmopt.llm.server import Address


class Overflow(ModelError):
    """The server's memory overflowed, and every request that was running failed."""


class Client:
    """Posts JSON to a server; safe in threads, and can be pickled to other processes.

    Parameters
    ----------
    address
        Where the server is.
    timeout
        Seconds after which a call counts as failed.
    """

    def __init__(self, address: Address, timeout: float) -> None:
        import httpx2

        self._address = address
        self._timeout = timeout
        self._http = httpx2.Client(
            base_url=address.url,
            headers={"Authorization": f"Bearer {address.key}"},
            timeout=timeout,
            # An idle connection would occupy one of the server's threads for seconds, and may be closed by it
            # just as a request is sent; opening one costs little on the same machine.
            limits=httpx2.Limits(max_connections=None, max_keepalive_connections=0),
            # A proxy must not see these requests; certificates are not used, and loading them takes time.
            trust_env=False,
            verify=False,
        )

    def __reduce__(self) -> tuple[type[Client], tuple[Address, float]]:
        return Client, (self._address, self._timeout)

    def post(self, endpoint: str, body: Mapping[str, Any], *, tokens: int = 0) -> Any:
        """Return the answer to a request, which waits until that many tokens of the server's memory are free.

        Raises
        ------
        InvalidInput
            The server refused the request.
        Overflow
            Together with others the request needed more memory than there is; alone it may fit.
        ModelError
            It could not answer, or not in time.
        ConnectionError
            It cannot be reached.
        """
        import httpx2

        if self._http.is_closed:
            raise ModelError("the local model was closed")
        try:
            with self._address.reserve(tokens) if tokens else nullcontext():
                response = self._http.post(endpoint, json=body)
        except httpx2.TimeoutException:
            raise ModelError(f"the local model did not answer within {self._timeout:g} s") from None
        except (httpx2.TransportError, OSError) as error:
            raise ConnectionError(f"the local model cannot be reached: {error}") from None
        if response.status_code != 200:
            raise _refusal(response.text)
        return response.json()

    def close(self) -> None:
        """Refuse further requests; may be called twice."""
        self._http.close()


def _refusal(text: str) -> InvalidInput | ModelError | Overflow:
    """Return the error that an answer of llama.cpp other than 200 stands for."""
    try:
        error = json.loads(text)["error"]
        message, status = str(error["message"]), int(error["code"])
    except (ValueError, LookupError, TypeError):
        return ModelError(f"the local model gave an answer that cannot be read: {text[:200]!r}")
    if status == 500 and "Context size has been exceeded" in message:
        return Overflow(message)
    if status != 400 or error.get("type") == "exceed_context_size_error":
        return ModelError(f"the local model could not answer: {message}")
    if "grammar" in message:
        return InvalidInput(f"the grammar is not legal GBNF: {message}")
    return InvalidInput(f"the local model refused the request: {message}")
