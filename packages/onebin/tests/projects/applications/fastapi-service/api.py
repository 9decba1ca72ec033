import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()


class Item(BaseModel):
    name: str
    price: float


@app.post("/items")
def create(item: Item) -> Item:
    return item


def main():
    uvicorn.run(app, host="0.0.0.0", port=8080)
