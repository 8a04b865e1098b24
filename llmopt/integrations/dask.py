"""A cluster of Dask's distributed scheduler."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from llmopt.errors import InvalidInput, MissingExtra
from llmopt.runlog.identity import versions

if TYPE_CHECKING:
    from distributed import Client

SECONDS = 10.0
"""How long a scheduler may take to answer."""

_ADDRESS = re.compile(r"(?:(?:tcp|tls)://)?(?:\[([^\s/@\[\]]+)\]|([^\s:/@\[\]]+)):([0-9]{1,5})")
_MUST_AGREE = ("llmopt", "python", "numpy", "scipy", "optuna")


def host_of(address: str) -> str:
    """Return the host in the address of a scheduler.

    Raises
    ------
    InvalidInput
        It is no address with a host and a port. Dask would find that out in the middle of a connection, which it then
        fails to close.
    """
    match = _ADDRESS.fullmatch(address)
    if match is None or not 0 < int(match[3]) < 2**16:
        raise InvalidInput(
            f"{address} is not the address of a scheduler; give tcp://HOST:PORT as 'dask scheduler' shows it, such as "
            "tcp://127.0.0.1:8786"
        )
    return match[1] or match[2]


@contextmanager
def cluster(address: str, seconds: float = SECONDS) -> Iterator[Client]:
    """Connect to a scheduler, and check that its workers run the same versions as this process.

    Parameters
    ----------
    address
        Such as ``tcp://10.0.0.1:8786``.
    seconds
        How long it may take to answer.

    Raises
    ------
    MissingExtra
        distributed is not installed.
    InvalidInput
        The address is none, or the scheduler cannot be reached, has no workers, or a worker has other versions.
    """
    host_of(address)
    try:
        from distributed import Client, Security
    except ImportError:
        raise MissingExtra("a cluster needs distributed; install it with: pip install 'llmopt[dask]'") from None
    if address.startswith("tls:") and Security().get_connection_args("client")["ssl_context"] is None:
        raise InvalidInput(
            f"the scheduler {address} needs certificates; name them in Dask's configuration (distributed.comm.tls)"
        )
    try:
        client = Client(address, timeout=seconds, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        reason = " ".join(str(error).split())
        raise InvalidInput(
            f"the scheduler {address} cannot be reached ({reason[:200]}); start one with 'dask scheduler' and give its "
            "address, such as tcp://127.0.0.1:8786"
        ) from None
    with client:
        check_workers(client, address)
        yield client


def check_workers(client: Client, address: str) -> None:
    """Raise InvalidInput where a scheduler has no workers, or one of them runs other versions than this process."""
    workers = client.scheduler_info(n_workers=-1)["workers"]
    if not workers:
        raise InvalidInput(
            f"the scheduler {address} has no workers; start some with 'dask worker {address}' in an environment that "
            "has this version of llmopt"
        )
    here = versions()
    for worker, found in client.run(versions, on_error="return").items():
        if isinstance(found, BaseException):
            raise InvalidInput(
                f"the worker {worker} cannot run llmopt ({type(found).__name__}: {found}); install llmopt "
                f"{here.get('llmopt')} there"
            )
        for package in _MUST_AGREE:
            if found.get(package) != here.get(package):
                raise InvalidInput(
                    f"the worker {worker} has {package} {found.get(package)}, and this process {here.get(package)}; "
                    "install the same version there, since results of different ones cannot be compared"
                )
