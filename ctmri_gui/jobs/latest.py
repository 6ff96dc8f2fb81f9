"""A question that is asked again and again, of which only the newest answer counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ctmri_core.events import Finished, StopSignal, Work
from ctmri_gui.jobs.queue import Jobs, JobState, gone


class Latest:
    """Asking anew, or `drop`, stops the job before and forgets its answer, which may come all the same."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs
        self.state: JobState | None = None

    def ask(
        self,
        title: str,
        begin: Callable[[StopSignal], Work[Any]],
        take: Callable[[Any], None],
        *,
        ended: Callable[[Finished], None] | None = None,
        listed: bool = True,
    ) -> JobState:
        """Runs `begin`; `take` gets its answer unless that is None or no longer wanted, and `ended` how it ended."""
        self.drop()

        def deliver(answer: Any) -> None:
            if self.state is state and answer is not None and not gone(take):
                take(answer)

        def end(how: Finished) -> None:
            if self.state is state and ended is not None and not (self._jobs.closed or gone(ended)):
                ended(how)

        state = self.state = self._jobs.run(title, begin, on_result=deliver, on_end=end, listed=listed)
        return state

    def drop(self) -> None:
        """From now on no answer is wanted."""
        state, self.state = self.state, None
        if state is not None and state.running:
            self._jobs.stop(state)
