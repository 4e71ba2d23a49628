"""A server in small, to be killed by a test: prints its model's process id while the model hangs."""

import asyncio

from ultraandchat.engines.worker import WorkerSpec, open_worker


async def main() -> None:
    spec = WorkerSpec("counting", "tests.support.worker_models:open_counting")
    async with open_worker(spec) as worker:
        print(worker.pid, flush=True)
        await worker.ask("hold_the_interpreter", 100)


asyncio.run(main())
