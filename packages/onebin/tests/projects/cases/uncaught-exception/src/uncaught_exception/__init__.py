def inner(x):
    raise ValueError(f"bad {x}")  # the very line

def main():
    print("before", flush=True)
    try:
        inner(1)
    except ValueError as exc:
        raise RuntimeError("outer") from exc
