"""Telling whoever has pressed a button what came of it, after it has been committed.

It is a courtesy: what fails here is logged and changes nothing of the decision, and the effects of
the gate change its messages all the same.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

from pydantic import SecretStr

from casework.errors import CaseworkError
from casework.inbox.pressed import Said
from casework.settings import Settings
from integrations.http import HttpService
from integrations.slack_answers import SlackAnswers
from tasks.providers import TWIN

#: Seconds that one answer may take.
WITHIN: Final = 3.0

log = logging.getLogger(__name__)


async def tell_pressers(settings: Settings, answers: Sequence[Said]) -> int:
    """Tell each what came of it; never raises.

    Returns:
        How many were told.
    """
    if not answers or settings.slack_hooks_url == TWIN:
        return 0
    try:
        slack = _slack(settings)
    except CaseworkError as error:
        log.warning("%d presses were not answered: %s", len(answers), error.message)
        return 0
    try:
        told = await asyncio.gather(*(_tell(slack, each) for each in answers))
    finally:
        await slack.close()
    return sum(told)


def _slack(settings: Settings) -> SlackAnswers:
    service = HttpService(
        name="slack_answers",
        base_url=settings.slack_hooks_url,
        token=SecretStr(""),
        timeout=WITHIN,
        attempts=1,
        concurrency=4,
    )
    return SlackAnswers(service=service, base_url=settings.slack_hooks_url)


async def _tell(slack: SlackAnswers, said: Said) -> bool:
    try:
        await slack.tell(said)
    except CaseworkError as error:
        log.warning("a press was not answered: %s", error.message)
        return False
    except Exception as error:
        # The decision stands whatever happens here; the error's text may hold the address.
        log.error("a press was not answered: %s", type(error).__name__)
        return False
    return True
