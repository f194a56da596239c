# Tasks of an event loop, with a timer each.
import asyncio, random

async def task(n, log):
    for i in range(3):
        await asyncio.sleep(random.random() / 50)
        log.append((n, i))
        if i == 1:
            p = await asyncio.create_subprocess_exec("/bin/busybox", "echo", str(n), stdout=asyncio.subprocess.PIPE)
            log.append((await p.communicate())[0])

async def main():
    log = []
    await asyncio.gather(*(task(n, log) for n in range(4)))
    print(log)

asyncio.run(main())
