"""Passwords: argon2id in threads of their own, so that hashing stops neither the loop nor the machine."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

# Each running hash takes password_memory_kib: two at once bound what a flood of log-ins can take.
_THREADS = 2


class Passwords:
    """Hashes and checks passwords; `close` ends its threads."""

    def __init__(self, *, memory_kib: int, passes: int) -> None:
        self._hasher = PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=1)
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="passwords")
        # Checked when there is no account, so that an unknown e-mail takes as long as a wrong password.
        self._decoy = self._hasher.hash("no account has this password")

    async def hash(self, password: str) -> str:
        """Give the encoded argon2id hash with its salt and parameters."""
        return await self._run(self._hasher.hash, password)

    async def matches(self, encoded: str | None, password: str) -> bool:
        """Tell whether the password is right; None (no account) or nothing (no password) takes as long."""
        right = await self._run(self._check, encoded or self._decoy, password)
        return right and bool(encoded)

    def _check(self, encoded: str, password: str) -> bool:
        try:
            return self._hasher.verify(encoded, password)
        except VerificationError, InvalidHashError:
            return False

    async def _run[*Args, Result](self, call: Callable[[*Args], Result], *args: *Args) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._threads, call, *args)

    def close(self) -> None:
        """End the threads once their hashes are done."""
        self._threads.shutdown(wait=True)
