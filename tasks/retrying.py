"""Whether trying a task again can help."""

from typing import Any

from casework.errors import CaseworkError, ProviderError, StoreError


async def can_help(task: Any, task_run: Any, state: Any) -> bool:
    """Not after an error of ours that says so: a faulty policy stays faulty however often read."""
    error = await state.aresult(raise_on_failure=False)
    if isinstance(error, ProviderError):
        return error.transient
    return isinstance(error, StoreError) or not isinstance(error, CaseworkError)
