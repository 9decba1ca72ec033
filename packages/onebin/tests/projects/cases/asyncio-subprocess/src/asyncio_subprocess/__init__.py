import asyncio
import sys

async def run():
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-u", "-c", "print(input()[::-1])",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate(b"abc\n")
    return process.returncode, out

def main():
    print(asyncio.run(run()))
