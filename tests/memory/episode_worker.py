"""A process that logs into an episode and says on stdout what was acknowledged.

episode_worker.py FOLDER run COUNT          starts `run` 1, logs COUNT actions, completes it
episode_worker.py FOLDER join EPISODE NAME COUNT    logs into an episode that another process has open
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from memory.episodes import EpisodeLogger


def main() -> None:
    folder, what, *rest = sys.argv[1:]
    logger = EpisodeLogger(Path(folder))
    if what == "join":
        episode_id, name, count = rest
        for number in range(int(count)):
            assert logger.log_action(
                name, {"number": number}, episode_id=episode_id, increments={"llm_calls": 1, "tokens_used": number}
            )
        return
    logger.start_episode("run", 1, "to be killed", context={"began": True})
    print("started", flush=True)
    for number in range(int(rest[0])):
        assert logger.log_action(
            "step", {"number": number, "text": "x" * (number * 37 % 9000)}, increments={"llm_calls": 1}
        )
        print(number, flush=True)
    logger.complete_episode()
    print("completed", flush=True)


if __name__ == "__main__":
    main()
