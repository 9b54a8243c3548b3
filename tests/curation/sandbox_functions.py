"""What tests run in a sandbox's child."""

import os
import time


def answer(item: bytes, greeting: str = "hello") -> str:
    """Echoes, or misbehaves as the item says."""
    text = item.decode()
    if text.startswith("hang"):
        time.sleep(60)
    if text.startswith("crash"):
        os._exit(1)
    if text.startswith("raise"):
        raise ValueError(f"cannot take {text}")
    if text.startswith("print"):
        print("noise on stdout", flush=True)
    if text.startswith("pid"):
        return str(os.getpid())
    return f"{greeting} {text}" if len(text) < 100 else text
