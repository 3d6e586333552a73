"""What an application of FastAPI does: JSON, uploads as streams and as forms, streams, errors, WebSockets."""
import asyncio, hashlib
from fastapi import FastAPI, HTTPException, Request, UploadFile, WebSocket
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

app = FastAPI()


class Item(BaseModel):
    name: str
    price: float


@app.api_route("/items", methods=["POST", "PUT"])
async def items(item: Item):
    return {"name": item.name, "taxed": item.price * 2}


@app.post("/upload")
async def upload(request: Request):
    digest, size = hashlib.sha256(), 0
    async for chunk in request.stream():
        digest.update(chunk)
        size += len(chunk)
    return {"size": size, "sha256": digest.hexdigest()}


@app.post("/form")
async def form(file: UploadFile):
    content = await file.read()
    return {"name": file.filename, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}


@app.post("/refused", status_code=413)
async def refused():
    """Answers without having read the body."""
    raise HTTPException(413, "too much")


@app.get("/events")
async def events():
    async def all():
        for number in range(5):
            yield f"data: {number}\n\n"
            await asyncio.sleep(0.01)

    return StreamingResponse(all(), media_type="text/event-stream")


@app.get("/download/{size}")
async def download(size: int):
    async def all():
        left = size
        while left:
            now = min(left, 65536)
            yield b"x" * now
            left -= now

    return StreamingResponse(all(), media_type="application/octet-stream")


@app.websocket("/echo")
async def echo(socket: WebSocket):
    await socket.accept()
    await socket.send_text(await socket.receive_text())
    await socket.close()
