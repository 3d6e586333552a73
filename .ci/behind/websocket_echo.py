"""Echoes every message. Argument: the port."""
import asyncio, logging, sys
import websockets


async def echo(socket):
    async for message in socket:
        await socket.send(message)


async def main():
    # Clients that break the protocol are what it is there for.
    logging.getLogger("websockets").setLevel(logging.CRITICAL)
    async with websockets.serve(echo, "127.0.0.1", int(sys.argv[1]), max_size=None):
        await asyncio.Future()


asyncio.run(main())
